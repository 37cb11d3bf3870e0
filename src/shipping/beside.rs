//! What rows of a table say beside what is read of them, and which of it stands out: a cell that is filled where others are
//! empty, a rare word in a column of few, a word that voids whatever it stands under. No list of bad words is ever whole, so
//! what stands out is asked about, whatever it says.

use std::collections::HashMap;

use super::{Remark, void};
use crate::buyers::addresses::without_phones;
use crate::ids::OrderNo;
use crate::parcels::carriers::recognise;
use crate::parcels::halts::{halts, is_harmless};
use crate::parcels::number::{Problem, TrackingNo};
use crate::places;
use crate::tables::{Row, narrow};
use crate::typed::{bare, clauses, holds, holds_one_of, simplified, unsigned};

/// In a table of so few rows nothing can be usual.
const FEW_ROWS: usize = 4;
/// Columns that tell how a row stands, or what is to be done with it, have no more different words.
const FEW_WORDS: usize = 3;
/// Of so many rows at the most one has a word that is rare.
const RARE: usize = 5;
const MOST_LETTERS: usize = 60;
const MOST_REMARKS: usize = 4;

/// A column of one heading, by its place: titles may stand twice.
type At<'t> = (Option<&'t str>, u32, usize);

/// What the columns that nothing is read of have in all rows.
pub struct Beside<'t> {
    columns: HashMap<At<'t>, Column>,
    rows: HashMap<(Option<&'t str>, u32), usize>,
}

#[derive(Default)]
struct Column {
    filled: usize,
    words: HashMap<String, usize>,
    /// Rows with a word that few rows have, and that is none of the usual ones.
    unusual: usize,
}

impl<'t> Beside<'t> {
    /// `read`: titles of columns that something is read of.
    pub fn of(rows: &[&'t Row], read: &dyn Fn(&Row, &str) -> bool) -> Beside<'t> {
        let mut beside = Beside { columns: HashMap::new(), rows: HashMap::new() };
        let mut is_read: HashMap<(At<'t>, &'t str), bool> = HashMap::new();
        for row in rows {
            let (sheet, head) = (row.place.sheet.as_deref(), row.head_line());
            *beside.rows.entry((sheet, head)).or_default() += 1;
            for (at, (title, cell)) in row.cells().enumerate() {
                let (title, text) = labelled(title, cell.shown());
                let place = (sheet, head, at);
                if *is_read.entry((place, title)).or_insert_with(|| read(row, title)) {
                    continue;
                }
                let text = plain(text);
                if text.is_empty() || is_nothing(&text) {
                    continue;
                }
                let column = beside.columns.entry(place).or_default();
                column.filled += 1;
                *column.words.entry(text).or_default() += 1;
            }
        }
        for ((sheet, head, _), column) in &mut beside.columns {
            let n = beside.rows[&(*sheet, *head)];
            let unusual = column.words.iter().filter(|(word, count)| is_rare(**count, n) && !is_usual(word));
            column.unusual = unusual.map(|(_, count)| count).sum();
        }
        beside
    }

    /// What a row says under these columns that somebody may have to see, and whether it stands out.
    pub fn said(&self, row: &'t Row) -> Vec<Remark> {
        let (sheet, head) = (row.place.sheet.as_deref(), row.head_line());
        let n = self.rows.get(&(sheet, head)).copied().unwrap_or_default();
        let mut said = Vec::new();
        for (at, (title, cell)) in row.cells().enumerate() {
            let Some(column) = self.columns.get(&(sheet, head, at)) else { continue };
            let (title, shown) = labelled(title, cell.shown());
            let text = plain(shown);
            let anew = || row.cells().filter(|(_, cell)| plain(cell.shown()) == text).count() == 1;
            let wish = || !void::tells_a_state(title) && is_harmless(shown);
            let stops = || tells_nothing_known(title) && halts(shown);
            let asks = (column.stands_out(&text, n, title, row) || stops())
                && !void::is_fine(title, shown)
                && !wish()
                && anew();
            if asks || !text.is_empty() && void::is_remark(title) {
                let text = shown.split_whitespace().collect::<Vec<_>>().join(" ");
                said.push(Remark { title: title.trim().to_owned(), text, asks });
            }
        }
        // What is asked about is shown before all else.
        said.sort_by_key(|remark| !remark.asks);
        said.truncate(MOST_REMARKS);
        said
    }
}

impl Column {
    fn stands_out(&self, text: &str, n: usize, title: &str, row: &Row) -> bool {
        let Some(count) = self.words.get(text).copied() else { return false };
        if void::is_a_void_word(text) {
            return true;
        }
        let of_flags = || n > FEW_ROWS && self.words.keys().all(|word| word == "0" || word == "1");
        let of_another = || void::is_remark(title) && is_a_number(text);
        if !(has_words(text) || is_sign(text) || of_flags() || of_another()) || is_usual(text) {
            return false;
        }
        let few = self.words.len() <= FEW_WORDS || void::tells_a_state(title);
        // Where many rows say what few say, it differs from row to row, and tells nothing.
        let rare = || is_rare(count, n) && is_rare(self.unusual, n) && self.filled > count;
        let alone = || n <= FEW_ROWS && !(sorts(title) && says_no_halt(text));
        let stands_out = alone() || n > FEW_ROWS && (self.filled * 2 < n || few && rare());
        // To look for a place takes a while.
        let excused = || {
            is_ordinary(title) || is_on_its_way(title, text) || is_a_service(title, text, row) || places::is_place(text)
        };
        stands_out && !excused()
    }
}

/// Whether a title that nobody knows may say of what kind something is: neither a remark, nor how the row stands.
fn sorts(title: &str) -> bool {
    const KINDS: &str = "类型 类别 标签 标记 旗";
    const STANDS: &str =
        "状态 状况 进度 进展 情况 结果 结论 轨迹 最新 跟踪 处理 审 是否 注 意见 原因 异常 问题 取消 退 废";
    let plain = plain(title);
    let other = || !void::tells_a_state(title) || holds_one_of(&plain, KINDS);
    plain.chars().count() > 1 && !void::is_remark(title) && !holds_one_of(&plain, STANDS) && other()
}

/// Whether a few words have none in them by which anything was ever held back, denied, taken back or changed, no answer to a
/// question and nobody who carries parcels.
fn says_no_halt(text: &str) -> bool {
    const SIGNS: &str = "不 未 没 无 非 否 停 废 退 撤 拦 截 缺 欠 错 等 待 暂 缓 换 改 删 锁 冻 疑 异 败 拒 问题 先 别 勿 消 回 丢 坏 破 误 \
                         重 补 转 拆 分 只 少 后 留 扣 压 挂 关 终 止 失 自提 自取 延 晚 明天 测试 假 空 黑 危 险 刷 作 廢 癈 錯 換 刪 鎖 凍 緩 暫 補 轉 後 關 終 壞 誤 無 沒 異 敗 別 攔";
    const ANSWERS: [&str; 8] = ["是", "有", "y", "yes", "true", "n", "x", "k"];
    let carrier = || HOUSES.iter().any(|(name, _)| text.contains(name));
    let latin = || text.split(|c: char| !c.is_ascii_alphabetic()).any(|word| word.len() > 3);
    !holds_one_of(text, SIGNS) && !ANSWERS.contains(&text) && !carrier() && !latin() && !is_sign(text)
}

/// Whether nobody knows what a title is about: in a column of remarks what stops a parcel is asked about anyhow.
fn tells_nothing_known(title: &str) -> bool {
    !title.trim().is_empty() && !void::is_remark(title) && !void::tells_a_state(title) && !is_ordinary(title)
}

fn is_rare(count: usize, n: usize) -> bool {
    count * RARE <= n
}

/// What stands for a title over the words of a line that somebody typed.
pub const LINE: &str = "这一行";

/// The words of a typed line that say neither which order, number and carrier it has, nor what those are.
pub fn of_a_line(text: &str, known: &[&str]) -> Vec<Remark> {
    const FILLING: &[&str] = &[
        "快递单号",
        "快递公司",
        "物流单号",
        "物流公司",
        "快递",
        "物流",
        "运单号",
        "运单",
        "面单",
        "订单编号",
        "订单号",
        "订单",
        "单号",
        "手机号",
        "号码",
        "编号",
        "收件人",
        "收货人",
        "收件",
        "收货",
        "姓名",
        "电话",
        "手机",
        "地址",
        "商品",
        "件数",
        "数量",
        "已经",
        "发货",
        "发出",
        "寄出",
        "补发",
        "今天",
        "今日",
        "昨天",
        "上午",
        "下午",
        "早上",
        "晚上",
        "您好",
        "你好",
        "谢谢",
        "麻烦",
        "请查收",
        "到付",
        "包邮",
        "包裹",
        "这个",
        "这单",
        "好的",
        "发",
        "寄",
        "亲",
        "请",
        "的",
        "了",
        "是",
        "和",
        "走",
        "用",
        "已",
        "共",
        "号",
        "件",
        "第",
        "个",
        "好",
        "母",
        "一",
        "两",
        "箱",
        "包",
    ];
    // Before it is cut: a name may be of letters of two kinds.
    let text =
        known.iter().filter(|known| !known.is_empty()).fold(text.to_owned(), |rest, known| rest.replace(known, " "));
    let is_han = |c: char| !c.is_ascii() && c.is_alphabetic();
    let runs = text.split(|c: char| !is_han(c) && !c.is_ascii_alphanumeric());
    let mut words: Vec<String> = Vec::new();
    for run in runs {
        let apart = run.split(|c: char| !is_han(c)).map(str::to_owned);
        let latin =
            Some(run.to_lowercase()).filter(|run| run.len() > 2 && run.bytes().all(|b| b.is_ascii_alphabetic()));
        words.extend(apart.chain(latin).filter(|word| !word.is_empty()));
    }
    let says_more = |word: &String| {
        let plain = plain(word);
        let rest = known.iter().fold(plain.clone(), |rest, known| match known.is_empty() {
            true => rest,
            false => rest.replace(&self::plain(known), ""),
        });
        let rest = FILLING.iter().fold(rest, |rest, filling| rest.replace(filling, ""));
        halts(word) || !rest.is_empty() && !is_usual(&plain) && !is_harmless(word)
    };
    let remark = |text: String| Remark { title: LINE.to_owned(), text, asks: true };
    words.into_iter().filter(says_more).take(MOST_REMARKS).map(remark).collect()
}

/// Mobile phones of a text, masked ones too, and what stands there as the end of one: `139****0014`, `尾号0014`, `（0014）`.
pub fn phones(text: &str) -> Vec<String> {
    let text = bare(text);
    let digits = |run: &str| !run.is_empty() && run.bytes().all(|b| b.is_ascii_digit());
    let mobile = |run: &str| {
        run.len() == 11 && run.starts_with('1') && run.split('*').all(|part| part.is_empty() || digits(part))
    };
    let runs: Vec<&str> = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '*').collect();
    // `139-0000-0014`
    let grouped =
        runs.windows(3).filter(|three| [0, 1, 2].map(|at| three[at].len()) == [3, 4, 4]).map(|three| three.concat());
    let single = runs.iter().map(|run| (*run).to_owned());
    let mut found: Vec<String> = single.chain(grouped).filter(|run| mobile(run)).collect();
    let ends = text.split_once("尾号").map(|(_, rest)| rest.trim_start_matches([':', ' ', '是'])).into_iter();
    let bracketed = text.split('(').skip(1).filter(|rest| rest.get(4..5) == Some(")"));
    let tails = ends.chain(bracketed).filter_map(|rest| rest.get(..4)).filter(|tail| digits(tail));
    found.extend(tails.map(|tail| format!("尾号{tail}")));
    found
}

/// Whether so many of so many rows are few enough to stand out.
pub fn are_few(n: usize, rows: usize) -> bool {
    rows <= FEW_ROWS || n * 2 < rows
}

/// An order's number that has a cell to itself, or with nothing beside it but what people call such a number.
pub fn order_no(text: &str) -> Option<OrderNo> {
    let text = bare(text);
    let number = text.trim_start_matches(|c: char| "订单编号小程序商城: #".contains(c));
    OrderNo::read(&text).filter(|no| number.len() <= no.as_str().len() + 2)
}

/// A cell without a title above it that has one in itself: `收件人：李四`.
pub fn labelled<'c>(title: &'c str, text: &'c str) -> (&'c str, &'c str) {
    let own = text.split_once([':', '：']).filter(|(label, _)| title.is_empty() && label.chars().count() <= 8);
    own.unwrap_or((title, text))
}

/// What a remark may be shown as: of a phone no more than of any other.
pub fn shown(text: &str) -> String {
    without_phones(text).chars().take(MOST_LETTERS).collect()
}

pub fn plain(text: &str) -> String {
    let text = simplified(&narrow(&bare(text))).to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || "×✗✘√✓☑☒*".contains(*c)).collect()
}

/// Whether what somebody hung on a cell says how nearly every parcel stands, or is a wish: `已打单`, `小王：已核对`.
pub fn is_plain(text: &str) -> bool {
    let said = unsigned(text);
    let done = |clause: &str| {
        let clause = clause.trim_end_matches('了');
        let seen = ["已核对", "已确认", "已检查", "已看", "已复核", "核对无误", "无误", "ok"];
        is_usual(clause) || is_usual(&format!("已{clause}")) || seen.contains(&clause)
    };
    let plain = crate::typed::plain(said);
    is_harmless(said) || clauses(&plain).next().is_some() && clauses(&plain).all(done)
}

fn is_nothing(text: &str) -> bool {
    ["无", "暂无", "没有", "null", "none", "nan", "na", "空", "空白"].contains(&text)
}

/// Neither a number, a date, an amount nor a code.
fn has_words(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let latin = text.bytes().filter(u8::is_ascii_alphabetic).count();
    let measures = "年月日时分秒元角件个公斤克千吨米厘立方升箱包第号至上下午周一二三四五六星期天";
    let worded = |c: char| !c.is_ascii() && c.is_alphabetic() && (digits == 0 || !measures.contains(c));
    text.chars().any(worded) || digits == 0 && latin > 0
}

/// A parcel's or a telephone's.
fn is_a_number(text: &str) -> bool {
    let long = text.bytes().filter(u8::is_ascii_digit).count() >= 8;
    long && matches!(TrackingNo::read(text), Ok(_) | Err(Problem::Phone(_)))
}

fn is_sign(text: &str) -> bool {
    ["×", "✗", "✘", "√", "✓", "☑", "☒"].contains(&text)
}

/// What nearly every parcel is on its way.
fn is_usual(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "正常",
        "待发货",
        "未发货",
        "已发货",
        "部分发货",
        "等待卖家发货",
        "卖家已发货",
        "等待发货",
        "待打印",
        "已打印",
        "未打印",
        "打单",
        "待打单",
        "已打单",
        "待揽收",
        "待揽件",
        "已揽收",
        "已揽件",
        "已收件",
        "已取件",
        "揽收成功",
        "运输中",
        "在途",
        "在途中",
        "派送中",
        "派件中",
        "已签收",
        "已妥投",
        "已完成",
        "交易成功",
        "已付款",
        "已支付",
        "买家已付款",
        "支付成功",
        "已审核",
        "审核通过",
        "已通过",
        "通过",
        "成功",
        "打印成功",
        "取号成功",
        "出单成功",
        "已下单",
        "下单成功",
        "已取号",
        "已出库",
        "待出库",
        "已称重",
        "已配货",
        "待配货",
        "已拣货",
        "待拣货",
        "已扫描",
        "已验货",
        "已打包",
        "待打包",
        "有效",
        "已使用",
        "已生成",
        "普通",
        "普通订单",
        "普通件",
        "标准",
        "标快",
        "特快",
        "现货",
        "新订单",
        "正向",
        "ok",
        "success",
        "paid",
        "shipped",
        "normal",
        "active",
        "valid",
        "done",
        "printed",
        "delivered",
    ];
    WORDS.contains(&text)
}

/// Titles of what couriers, label programs and other shops put beside every parcel: of whom, when, where, how heavy and for
/// how much.
fn is_ordinary(title: &str) -> bool {
    const WORDS: &[&str] = &[
        "重量",
        "体积",
        "长宽高",
        "时间",
        "日期",
        "时效",
        "业务类型",
        "产品类型",
        "产品名称",
        "服务类型",
        "快件类型",
        "运输方式",
        "付款",
        "支付",
        "结算",
        "月结",
        "包装",
        "托寄",
        "物品",
        "物料",
        "商品",
        "货品",
        "宝贝",
        "品名",
        "产品",
        "规格",
        "款式",
        "颜色",
        "尺码",
        "数量",
        "件数",
        "单位",
        "店铺",
        "门店",
        "网店",
        "平台",
        "渠道",
        "来源",
        "网点",
        "业务",
        "快递员",
        "收派员",
        "收件员",
        "派件员",
        "客服",
        "操作人",
        "操作员",
        "打印",
        "打单",
        "打包",
        "制单",
        "经手",
        "负责",
        "拣货",
        "配货",
        "仓",
        "货位",
        "库位",
        "序号",
        "编号",
        "编码",
        "条码",
        "单号",
        "号码",
        "流水",
        "批次",
        "寄件",
        "寄方",
        "寄付",
        "寄送",
        "发件",
        "发货人",
        "发货地",
        "发货方",
        "发货仓",
        "发货网",
        "揽",
        "派送",
        "派件",
        "省",
        "市",
        "区",
        "县",
        "乡",
        "镇",
        "街道",
        "邮编",
        "地区",
        "目的",
        "始发",
        "起始",
        "到站",
        "分类",
        "类目",
        "品牌",
        "分组",
        "昵称",
        "旺旺",
        "会员",
        "保价",
        "保险",
        "代收",
        "签收",
        "金额",
        "价",
        "费",
        "税",
        "优惠",
        "折扣",
        "积分",
        "公司",
        "部门",
        "账号",
        "账户",
        "客户",
        "买家",
        "收件",
        "收货",
        "姓名",
        "电话",
        "手机",
        "地址",
        "图片",
        "链接",
        "网址",
        "模板",
        "大头笔",
        "三段码",
        "集包",
        "路由",
        "分拨",
        "中转",
        "回单",
        "模式",
        "方式",
        "是否已发",
        "等级",
        "date",
        "time",
        "weight",
        "price",
        "name",
        "phone",
        "address",
        "city",
        "province",
        "shop",
        "store",
        "sku",
    ];
    let title = plain(title);
    !title.is_empty() && !void::is_remark(&title) && !void::tells_a_state(&title) && holds(&title, WORDS)
}

/// What the last of a parcel's tracks says, where nothing of it has gone wrong.
fn is_on_its_way(title: &str, text: &str) -> bool {
    const TRACKS: &str = "轨迹 跟踪 动态 节点 物流信息 物流详情 物流状态 快递信息 快递状态";
    const WAY: &str = "揽收 揽件 收件 取件 收取 运输 在途 到达 离开 发往 发出 派送 派件 配送 签收 代收 装车 中转 分拨 转运 下一站 妥投";
    const WRONG: &str = "失败 不 未 无 没 拒 退 异常 滞留 问题 错 改 取消 作废 拦截 破损 丢 返 暂 延 停 疑";
    holds_one_of(title, TRACKS) && holds_one_of(text, WAY) && !holds_one_of(text, WRONG)
}

/// Who carries parcels, as ways of carrying are named after them.
const HOUSES: [(&str, &str); 10] = [
    ("顺丰", "SF"),
    ("圆通", "YTO"),
    ("极兔", "JTSD"),
    ("京东", "JD"),
    ("中通", "ZTO"),
    ("申通", "STO"),
    ("韵达", "YD"),
    ("特快专递", "EMS"),
    ("ems", "EMS"),
    ("快递包裹", "YZPY"),
];

/// What couriers call their ways of carrying, under a title that asks for one: `顺丰标快`, `特快专递`, `标准快递`. A house that is
/// named must be that of the row's number.
fn is_a_service(title: &str, text: &str, row: &Row) -> bool {
    const KINDS: &str = "产品 业务 服务 快件 时效 运输 寄件 type service";
    const SERVICES: &str = "标准 标快 特快 特惠 特准 快递 快运 快件 包裹 物流 速运 经济 普通 普快 国内 即日 当日 次日 隔日 半日 次晨 当天 标件 \
                            小件 大件 重货 卡航 零担 空运 陆运 航空 汽运 铁路 电商 商务 散单 文件 非文件 物品 生鲜 冷链 冷运 同城 省内 跨省 专送 \
                            达 送 件 新 微小 专配 标 产品";
    let carries = |code: &str| {
        let mut numbers = row.cells().filter_map(|(_, cell)| TrackingNo::read(cell.shown()).ok());
        numbers.any(|number| recognise(&number).is_some_and(|guess| guess.code == code))
    };
    let house = HOUSES.iter().find(|(name, _)| text.starts_with(name));
    let mut rest = match house {
        Some((name, code)) if carries(code) => &text[name.len()..],
        Some(_) => return false,
        None => text,
    };
    let words = || SERVICES.split_ascii_whitespace();
    while let Some(behind) = words().filter_map(|word| rest.strip_prefix(word)).min_by_key(|rest| rest.len()) {
        rest = behind;
    }
    rest.is_empty() && holds_one_of(title, KINDS)
}
