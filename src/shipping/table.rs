//! A table of tracking numbers as somebody brought it: the headings say which column is what. Without them only a whole
//! cell that looks like a parcel's number is one, and where there are several somebody is asked.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::OnceLock;

use super::beside::Beside;
use super::signs::{how_many, how_many_parcels};
use super::{Brought, Goods, Of, Row, Says, above, beside, goods, pointed, void, whom};
use crate::ids::OrderNo;
use crate::parcels;
use crate::parcels::carriers::{Carrier, Carriers, recognise, same_house, says_nobody};
use crate::parcels::halts::halts;
use crate::parcels::number::{Problem, TrackingNo};
use crate::parcels::wishes;
use crate::places;
use crate::tables::{self, Table, Wanted};
use crate::typed::{bare, holds, holds_one_of};

const ORDER: usize = 0;
/// Our number among those of another program: a courier's and an ERP's tables have numbers of their own besides.
const ELSEWHERE: usize = 1;
const OUT_TRADE_NO: usize = 2;
const TRANSACTION: usize = 3;
const NUMBER: usize = 4;
/// The same under a name that stands beside it in tables which keep both.
const WAYBILL: usize = 5;
const COMPANY: usize = 6;
const PIECES: usize = 7;
/// What a row of goods tells of them, in tables that have a row for each: how many, and which.
const QUANTITY: usize = 8;
const CODE: usize = 9;
const GOODS: usize = 10;
const SPEC: usize = 11;

/// The columns, each under all the titles that spreadsheets have for it.
const WANTED: Wanted<'_> = Wanted {
    columns: &[
        &["订单号", "订单编号", "订单编码", "订单", "order no", "order number", "order id", "order", "主订单号"],
        &[
            "线上订单号",
            "平台订单号",
            "店铺订单号",
            "商家订单号",
            "客户订单号",
            "原始订单号",
            "外部订单号",
            "网店订单号",
            "来源订单号",
            "小程序订单号",
            "自定义订单号",
            "第三方订单号",
            "关联订单号",
            "用户订单号",
            "线上单号",
            "平台单号",
            "外部平台单号",
            "商家单号",
            "客户单号",
            "客户订单编号",
            "客户订单编码",
            "商家订单编号",
            "原始单号",
            "外部单号",
            "来源单号",
            "关联单号",
            "网店单号",
            "自定义单号",
            "自定义编号",
            "业务单号",
            "参考号",
            "客户参考号",
            "reference",
            "reference no",
        ],
        &["商户单号", "商户订单号", "商户订单编号", "out_trade_no"],
        &["微信交易号", "微信支付单号", "微信订单号", "交易单号", "支付单号", "transaction_id"],
        &[
            "快递单号",
            "物流单号",
            "快递号",
            "快递编号",
            "物流编号",
            "快递单",
            "物流单",
            "物流编码",
            "快递单号码",
            "包裹号",
            "包裹单号",
            "快递单号/运单号",
            "运单号/快递单号",
            "物流单号/运单号",
            "运单号/物流单号",
            "快递单号/物流单号/运单号",
            "快递公司及单号",
            "快递公司和单号",
            "快递及单号",
            "物流公司及单号",
            "快递信息",
            "物流信息",
            "发货信息",
            "物流号",
            "邮寄单号",
            "寄出单号",
            "单号",
            "tracking no",
            "tracking number",
            "tracking id",
            "tracking",
            "express no",
            "express number",
            "logistics no",
        ],
        &[
            "运单号",
            "运单号码",
            "运单编号",
            "物流运单号",
            "快递运单号",
            "面单号",
            "面单号码",
            "电子面单号",
            "快递面单号",
            "快件单号",
            "快件号",
            "快件编号",
            "货运单号",
            "承运单号",
            "配送单号",
            "母单号",
            "主运单号",
            "运单",
            "邮件号",
            "邮件号码",
            "邮件编号",
            "waybill no",
            "waybill number",
            "waybill",
            "mail no",
        ],
        &[
            "快递公司",
            "物流公司",
            "快递公司名称",
            "物流公司名称",
            "快递公司名",
            "物流公司名",
            "承运商",
            "承运公司",
            "承运商名称",
            "配送公司",
            "快递名称",
            "物流名称",
            "物流商",
            "快递商",
            "发货快递",
            "实际快递",
            "快递",
            "物流",
            "承运快递",
            "承运人",
            "快递方式",
            "物流方式",
            "快递公司编码",
            "物流公司编码",
            "快递公司代码",
            "物流公司代码",
            "carrier",
            "courier",
            "company",
            "express company",
            "logistics company",
            "shipping company",
        ],
        &[
            "件数",
            "发货件数",
            "发货数量",
            "本包裹件数",
            "实发数量",
            "实发件数",
            "实发数",
            "实发",
            "发货数",
            "发出数量",
            "出库数量",
            "出货数量",
            "配货数量",
            "配货数",
            "配货件数",
            "拣货数量",
            "拣货数",
            "拣货件数",
            "装箱数量",
            "装箱数",
            "装箱件数",
            "包裹内数量",
            "包裹内件数",
            "出库件数",
            "出货件数",
            "实出数量",
            "实配数量",
            "实拣数量",
            "实际数量",
            "实际出库数量",
            "实际发货数量",
            "出库数",
            "出货数",
            "发货量",
            "发件数量",
            "本次出库",
            "扫描数量",
            "验货数量",
            "本次发货数量",
            "本次发货件数",
            "pieces",
        ],
        &[
            "数量",
            "商品数量",
            "货品数量",
            "宝贝数量",
            "产品数量",
            "购买数量",
            "下单数量",
            "订购数量",
            "商品件数",
            "SKU数量",
            "应发数量",
            "可发数量",
            "需发数量",
            "订单数量",
            "订单件数",
            "销售数量",
            "销售件数",
            "订货数量",
            "采购数量",
            "购买件数",
            "下单件数",
            "宝贝总数量",
            "商品总数",
            "商品总件数",
            "订单商品数",
            "商品数",
            "货品数",
            "货品总数",
            "宝贝数",
            "产品数",
            "宝贝件数",
            "货品件数",
            "本单数量",
            "本单件数",
            "托寄物数量",
            "内件数量",
            "数量合计",
            "总数量",
            "总件数",
            "总数",
            "销量",
            "数",
            "量",
            "个数",
            "份数",
            "件",
            "数目",
            "双数",
            "瓶数",
            "盒数",
            "罐数",
            "套数",
            "条数",
            "支数",
            "只数",
            "数量pcs",
            "pcs",
            "quantity",
            "qty",
        ],
        &[
            "商家编码",
            "规格编码",
            "规格商家编码",
            "SKU编码",
            "商品编码",
            "货品编码",
            "货品编号",
            "货号",
            "商品条码",
            "条码",
            "条形码",
            "sku",
            "sku code",
            "barcode",
        ],
        &["商品名称", "商品", "品名", "货品名称", "宝贝标题", "宝贝名称", "商品标题", "产品名称", "product"],
        &[
            "规格",
            "商品规格",
            "规格名称",
            "货品规格",
            "销售属性",
            "SKU名称",
            "商品属性",
            "颜色规格",
            "规格型号",
            "规格/型号",
            "规格属性",
            "产品规格",
            "宝贝规格",
            "宝贝属性",
            "销售规格",
            "购买规格",
            "SKU规格",
            "SKU属性",
            "颜色分类",
            "颜色/尺码",
            "颜色、尺码",
            "颜色尺码",
            "颜色及尺码",
            "颜色和尺码",
            "尺码颜色",
            "规格颜色",
            "款式规格",
            "规格款式",
        ],
    ],
    needed: &[&[ORDER, ELSEWHERE, OUT_TRADE_NO, TRANSACTION], &[NUMBER, WAYBILL]],
    closer: &[CODE],
    figures: &[PIECES, QUANTITY],
    alike,
};

/// What a title means that nobody has listed: tables put all kinds of words before and behind the usual ones.
fn alike(title: &str) -> Option<usize> {
    let has = |words: &str| holds_one_of(title, words);
    let ends = |words: &str| words.split(' ').any(|word| title.ends_with(word));
    // Of another parcel, of a wish, or of something beside it.
    let other =
        has("退 换 旧 寄回 原快 原物 原运 买家 期望 指定 默认 模板 费 价 员 网点 时间 日期 状态 电话 网址 链接 备注")
            || has("子运 子单 子件 返程 返运 返单 返件 回单 转寄 转运 拦截 改派");
    let parcel =
        has("快递 物流 运单 面单 快件 包裹 承运 配送 货运 跟踪 追踪 国内 国际 tracking waybill express logistics");
    let carrier = has("快递 物流 承运 配送 货运 express logistics courier delivery shipping");
    match () {
        () if other => None,
        () if title.contains("订单") && !parcel => ends("号 编号 编码 号码 id").then_some(ELSEWHERE),
        () if title.contains("订单号") => None,
        () if parcel && ends("单号 编号 号码 跟踪号 追踪号 单") => Some(NUMBER),
        // Beside 单号, and nowhere else: a buyer has one too.
        () if title == "公司" => Some(COMPANY),
        // 明细数量, 组合数量, 合计数量: but for those of other things, and of what has left or lies there.
        () if title.ends_with("数量") && !counts_others(title) => Some(QUANTITY),
        () if carrier && ends("公司 商 方 名 名称 企业 品牌 name company") => Some(COMPANY),
        () => None,
    }
}

/// Whether a title counts what is no goods of an order, or no longer or not yet to leave.
fn counts_others(title: &str) -> bool {
    const OTHERS: &str = "包裹 快递 运单 面单 子件 子单 箱 张 票 打印 赠 礼 种类 品种 规格 行 订单 库存 可用 在途 占用 起订 限购 库 已 未 待 欠 少 缺 \
                          退 换 补 剩 余 差 损 优惠 券 积分 评价 拆 次数 单位 备货 计划 预";
    holds_one_of(title, OTHERS)
}

/// Every order of a batch is one transaction; so many are enough for a day.
pub const MOST_ROWS: usize = 2_000;
/// What of a cell is kept, and of one that lists the goods of an order.
const MOST_LETTERS: usize = 200;
const MOST_OF_GOODS: usize = 4_000;

/// Reads a file, whatever it is called. Blocks. `Err` is a sentence.
pub fn read(bytes: &[u8]) -> Result<Brought, String> {
    read_named(bytes, "")
}

/// The same of one with a name, which may say who carries what is in it where nothing else does.
pub fn read_named(bytes: &[u8], name: &str) -> Result<Brought, String> {
    brought(&tables::read(bytes, &WANTED)?, name)
}

/// Reads what was pasted or typed. `Err` is a sentence.
pub fn paste(text: &str) -> Result<Brought, String> {
    let lines = a_line_for_each(text);
    brought(&tables::paste(lines.as_deref().unwrap_or(text), &WANTED)?, "")
}

/// What a chat says of each parcel on several lines, the order's number on the first, as one line for each; every line
/// keeps its place. `None` where it is not so, or where nobody knows which number belongs to which order.
fn a_line_for_each(text: &str) -> Option<String> {
    let has_order = |line: &str| !OrderNo::all(line).is_empty();
    let is_number = |part: &str| looks_like_number(parcels::beside_a_name(part).map_or(part, |(_, number)| number));
    let has_number = |line: &str| line.split([':', '：', ' ', '，']).any(is_number);
    // What each line says with those that belong to it, how many numbers these have, and how many lines follow.
    let mut parts: Vec<(String, usize, usize)> = Vec::new();
    let mut order = None;
    for line in text.lines().map(str::trim) {
        match (has_order(line), has_number(line), order) {
            _ if line.contains('\t') => return None,
            (true, true, _) | (false, true, None) => return None,
            (true, false, _) => order = Some(parts.len()),
            // What stands above the first, and who said it when.
            (false, false, None) => {}
            (false, false, _) if is_a_chats_head(line) => {}
            (false, number, Some(at)) => {
                parts[at].1 += usize::from(number);
                if !line.is_empty() {
                    parts[at].0 = format!("{} {line}", parts[at].0);
                }
                parts.last_mut()?.2 += 1;
                continue;
            }
        }
        parts.push((line.to_owned(), 0, 0));
    }
    if stand_above(text, &has_order, &has_number) {
        return None;
    }
    let apart = parts.iter().any(|(_, numbers, _)| *numbers == 1) && parts.iter().all(|(_, numbers, _)| *numbers < 2);
    let line = |(said, _, breaks): &(String, usize, usize)| format!("{said}{}", "\n".repeat(*breaks));
    apart.then(|| parts.iter().map(line).collect::<Vec<_>>().join("\n"))
}

/// Whether numbers may stand above their orders, though no order follows the first number alone: blank lines part them so, or the last order
/// has none while the first is not to leave.
fn stand_above(text: &str, has_order: &dyn Fn(&str) -> bool, has_number: &dyn Fn(&str) -> bool) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let blocks = || lines.split(|line| line.is_empty()).filter(|block| !block.is_empty());
    let above = |block: &[&str]| {
        let number = block.iter().position(|line| has_number(line) && !has_order(line));
        let order = block.iter().position(|line| has_order(line));
        number.is_some_and(|number| order.is_some_and(|order| number < order))
    };
    let told = || lines.iter().filter(|line| has_order(line) || has_number(line));
    let orders = || lines.iter().filter(|line| has_order(line));
    let one_short = told().next_back().is_some_and(|line| has_order(line)) && orders().count() > 1;
    blocks().count() > 1 && blocks().any(above)
        || one_short && orders().next().is_some_and(|line| pointed::denies(line))
}

/// `小王 2026/11/29 10:01:02`
fn is_a_chats_head(line: &str) -> bool {
    let time = line.split_whitespace().last().unwrap_or_default();
    let part = |part: &str| (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    (2..=3).contains(&time.split(':').count()) && time.split(':').all(part)
}

fn brought(table: &Table, name: &str) -> Result<Brought, String> {
    let by_carrier = |row: &tables::Row| row.titles().any(|title| carrier_of(title).is_some());
    let in_a_carriers = |row: &tables::Row| number_in(&Taken::of(row, COMPANY).text).is_some();
    let shows_itself = |missing: &&String| {
        missing.starts_with(WANTED.columns[ORDER][0]) && table.rows.iter().any(|row| own_elsewhere(row).is_some())
            || missing.starts_with(WANTED.columns[NUMBER][0])
                && table.rows.iter().any(|row| by_carrier(row) || in_a_carriers(row) || of_what_is_sent(row).is_some())
    };
    if let Some(column) = table.missing.iter().find(|missing| !shows_itself(missing)) {
        let usual = column.split(' ').next().unwrap_or(column);
        let unused = table.notes.iter().find(|note| note.contains("没有用到的列")).map(|note| format!("。{note}"));
        return Err(format!(
            "表格里没有「{usual}」这一列；表头要有：订单号、快递单号，快递公司和件数可以没有{}",
            unused.unwrap_or_default()
        ));
    }
    if let Some(column) = table.twice.iter().find(|column| !says_the_same(table, **column)) {
        return Err(format!(
            "表格里「{}」有两列：请只留一列；一笔订单有几个包裹的，请写成几行，每行一个单号",
            WANTED.columns[*column][0]
        ));
    }
    let counts_parcels = couriers(table);
    let mut unread = Vec::new();
    let mut rows = Vec::new();
    let mut headed: Vec<(&tables::Row, Range<usize>)> = Vec::new();
    let mut over = above::Over::default();
    let mut first: Option<Row> = None;
    for row in &table.rows {
        let words = words_of(row);
        if Taken::of(row, COMPANY).is_empty() && over.line(&words, &mut rows) {
            continue;
        }
        let by_look = if table.headed { beside_headings(row) } else { Some(by_its_look(row)) };
        let is_headed = by_look.is_none();
        let mut read = by_look.unwrap_or_else(|| under_headings(row, first.as_ref()));
        if read.is_empty() && row.cells().any(|(_, cell)| says(cell)) {
            unread.push(row.place.line);
        }
        read.iter_mut().for_each(|read| over.take(read, || said_above(row)));
        first = match &read[..] {
            [only] if is_headed => Some(only.clone()),
            _ => None,
        };
        for (at, text) in row.comments().filter(|(_, text)| !beside::is_plain(text)) {
            read.iter_mut().for_each(|read| read.ask(Of::Row, format!("{at} 的批注写着“{text}”")));
        }
        if is_headed && !read.is_empty() {
            headed.push((row, rows.len()..rows.len() + read.len()));
        }
        rows.extend(read);
    }
    let beside = Beside::of(&headed.iter().map(|(row, _)| *row).collect::<Vec<_>>(), &is_read);
    ask_about_sent(&headed, &mut rows);
    for (row, of_it) in headed {
        let remarks = beside.said(row);
        rows[of_it].iter_mut().for_each(|row| row.remarks = remarks.clone());
    }
    over.close(&mut rows);
    over.take_name(name, &mut rows);
    above::look_above(&mut rows);
    ask_about_names(table, &mut rows);
    pointed::ask(&lines_of_words(table), &mut rows);
    ask_about_shared(table, &mut rows);
    ask_about_corrections(table, &mut rows);
    // What was sent, of a list that was made before.
    if rows.len() > 1 && rows.iter().all(|row| how_many(&row.pieces) == Some(0)) {
        rows.iter_mut().for_each(|row| row.pieces.clear());
    }
    // A column of nothing counts nothing; in one of numbers it is none.
    if rows.iter().all(|row| is_nothing(&row.goods.quantity)) {
        rows.iter_mut().for_each(|row| (row.goods.quantity, row.says.goods.quantity) = Default::default());
    }
    ask_about_none(table, &mut rows);
    if !counts_parcels {
        ask_about_unwritten(table, &mut rows);
    }
    if counts_parcels {
        rows.iter_mut().for_each(|row| (row.pieces, row.goods) = Default::default());
    }
    let any =
        table.headed || rows.iter().any(|row| !row.tracking_no.is_empty() || OrderNo::read(&row.order_no).is_some());
    match rows.len() {
        _ if !any => Err("没有认出订单号和快递单号。每行需要：订单号、快递单号，快递公司可以不写".into()),
        0 => Err("没有找到数据行。每行需要：订单号、快递单号，快递公司可以不写".into()),
        n if n > MOST_ROWS => Err(format!("一次最多 {MOST_ROWS} 行，请分几次")),
        _ => {
            let read_as = read_as(table, counts_parcels).into_iter().chain(over.note()).chain(left_out(&unread));
            Ok(Brought { rows, read_as: read_as.collect() })
        }
    }
}

/// Whether every cell under a title that stands there twice says nothing else than the first.
fn says_the_same(table: &Table, column: usize) -> bool {
    table.rows.iter().all(|row| {
        let Some(title) = row.title(column) else { return false };
        let first = Taken::of(row, column).text;
        let mut under = row.cells().filter(|(other, _)| *other == title).map(|(_, cell)| cell.shown());
        // Titles that are numbered are two columns.
        row.titles().filter(|other| *other == title).count() > 1
            && under.all(|text| is_nothing(text) || text == first || !first.is_empty() && same_number(text, &first))
    })
}

/// All that stands in a row.
fn words_of(row: &tables::Row) -> String {
    row.cells().map(|(_, cell)| cell.shown()).collect::<Vec<_>>().join(" ")
}

/// The only words of a row, with its place.
fn alone(row: &tables::Row) -> Option<(tables::Place, String)> {
    let mut filled = row.cells().map(|(_, cell)| cell.shown().trim()).filter(|text| !text.is_empty());
    let only = filled.next().filter(|_| filled.next().is_none())?;
    Some((row.place.clone(), only.to_owned())).filter(|_| !looks_like_number(only) && OrderNo::read(only).is_none())
}

/// The lines of a table that have words and no parcel of an order: what they say may be of other rows.
fn lines_of_words(table: &Table) -> Vec<pointed::Line> {
    let line = |(place, words): (tables::Place, String)| pointed::Line {
        sheet: place.sheet.as_deref().unwrap_or_default().to_owned(),
        line: place.line as usize,
        words,
        is_typed: !table.headed,
    };
    let typed = |row: &tables::Row| {
        let words = words_of(row);
        OrderNo::all(&words).is_empty().then(|| (row.place.clone(), words))
    };
    let own = |row| if table.headed { alone(row) } else { typed(row) };
    let mut lines: Vec<_> = table.aside.iter().cloned().chain(table.rows.iter().filter_map(own)).map(line).collect();
    // Over the headings: of an order that it names.
    let mut over: Vec<&str> = table.rows.iter().flat_map(tables::Row::above).collect();
    over.sort_unstable();
    over.dedup();
    let over = over.into_iter().filter(|text| OrderNo::read(text).is_some());
    lines.extend(over.map(|text| pointed::Line {
        sheet: String::new(),
        line: 0,
        words: text.to_owned(),
        is_typed: false,
    }));
    lines
}

/// Rows of a sheet, of a table or below a line that is called void, as those of a list of returns.
fn ask_about_names(table: &Table, rows: &mut [Row]) {
    type Sheet<'t> = Option<&'t str>;
    // The same headings once more, below such a line, are no line of their own.
    let heads: HashSet<String> = table.rows.iter().flat_map(tables::Row::titles).map(bare).collect();
    let aside = table.aside.iter().cloned().chain(table.rows.iter().filter_map(alone));
    let aside: Vec<_> = aside.filter(|(_, text)| !heads.contains(&bare(text))).collect();
    let mut called: HashMap<(Sheet<'_>, u32), &str> = HashMap::new();
    for row in &table.rows {
        let (sheet, line) = (row.place.sheet.as_deref(), row.place.line);
        let before = aside.iter().filter(|(place, _)| place.sheet.as_deref() == sheet && place.line < line);
        let nearest = before.max_by_key(|(place, _)| place.line).map(|(_, text)| text.as_str());
        let is_over_it =
            |text: &&str| void::calls_void(text) && !pointed::is_of_those_above(text) && !pointed::is_of_none(text);
        let name = row.above().chain(nearest).filter(is_over_it).last();
        called.extend(name.map(|name| ((sheet, line), name)));
    }
    for row in rows {
        let sheet = Some(row.sheet.as_str()).filter(|sheet| !sheet.is_empty());
        if let Some(name) = called.get(&(sheet, row.line as u32)) {
            row.ask(Of::Row, format!("这一行在“{name}”下面"));
        }
    }
}

/// One number of pieces for the rows of several parcels: nobody knows how many lie in which.
fn ask_about_shared(table: &Table, rows: &mut [Row]) {
    let mut shared: HashMap<(&str, u32), Vec<&tables::Row>> = HashMap::new();
    for row in &table.rows {
        if let Some((first, _)) = row.merged(PIECES) {
            shared.entry((row.place.sheet.as_deref().unwrap_or_default(), first)).or_default().push(row);
        }
    }
    for ((sheet, first), of) in shared {
        let last = of.iter().map(|row| row.place.line).max().unwrap_or(first);
        let within = |row: &Row| row.sheet == sheet && (first as usize..=last as usize).contains(&row.line);
        let own = |row: &&Row| within(row) && !row.tracking_no.trim().is_empty();
        let mut parcels = rows.iter().filter(own).map(|row| &row.tracking_no);
        let one = parcels.next().cloned().unwrap_or_default();
        if parcels.all(|number| same_number(number, &one)) {
            continue;
        }
        for row in rows.iter_mut().filter(|row| within(row)) {
            let (n, lines) = (&row.pieces, format!("第 {first}–{last} 行"));
            row.ask(Of::Pieces, format!("件数 {n} 是一格合并了{lines}写的，不知道每个包裹几件：请拆开合并、各写各的"));
        }
    }
}

fn says(cell: &tables::Cell) -> bool {
    !cell.shown().trim().is_empty()
}

/// The first of the lines that were of no use, so that nobody believes they were read.
fn left_out(lines: &[u32]) -> Option<String> {
    const NAMED: usize = 5;
    let named: Vec<String> = lines.iter().take(NAMED).map(u32::to_string).collect();
    let more = if lines.len() > NAMED { "等" } else { "" };
    (!lines.is_empty()).then(|| format!("没有订单号和快递单号，没有用的行：第 {} {more}行", named.join("、")))
}

/// Whether a courier or a program that prints labels gave the table out: what they call 件数 are parcels, whatever is in
/// them. Where goods stand beside it, it counts those.
fn couriers(table: &Table) -> bool {
    const THEIRS: &str = "寄件 月结 托寄 计费重量";
    const MAYBE: &str = "重量 体积 运费 揽收 揽件 目的地 到件 网点 保价 签收 付款方式 支付方式 打印 打单";
    let Some(row) = table.rows.first().filter(|_| table.headed) else { return false };
    // What is counted may itself be called after goods that are sent: 托寄物数量.
    let is_counted = |title: &str| [PIECES, QUANTITY].into_iter().any(|column| row.title(column) == Some(title));
    let says = |words: &str| row.titles().any(|title| !is_counted(title) && holds_one_of(title, words));
    let counted = row.title(PIECES).or(row.title(QUANTITY)).is_some();
    let of_goods = [CODE, SPEC, QUANTITY].iter().any(|column| row.title(*column).is_some());
    // They name what lies in a parcel, too.
    let goods = row.title(GOODS);
    let named = || row.title(WAYBILL).is_some() || goods.is_some_and(|title| bare(title) == "品名");
    let of_goods = of_goods || goods.is_some() && !(named() && is_one_of_each(table));
    let plain = row.title(PIECES).is_some_and(|title| title.contains("件数") && !title.contains("商品"));
    counted && says(THEIRS) || plain && !of_goods && says(MAYBE)
}

/// Whether each row has an order of its own and one of what is counted, as where every order has left in one parcel.
fn is_one_of_each(table: &Table) -> bool {
    let mut orders = HashSet::new();
    let filled = table.rows.iter().filter(|row| !number_of(row).is_empty());
    filled.map(|row| (order_of(row).text, Taken::of(row, PIECES).text)).all(|(order, pieces)| {
        let one = how_many(&pieces) == Some(1) || how_many_parcels(&pieces) == Some(1);
        one && orders.insert(bare(&order))
    })
}

fn read_as(table: &Table, counts_parcels: bool) -> Vec<String> {
    let first = table.rows.first().filter(|_| table.headed);
    let counted = |row: &tables::Row| row.title(QUANTITY).or(row.title(PIECES)).is_some();
    let by_goods = !counts_parcels && first.is_some_and(counted);
    let idle = |column: usize| match column {
        PIECES => counts_parcels,
        QUANTITY.. => !by_goods,
        _ => false,
    };
    let columns = WANTED.columns.iter().enumerate().filter_map(|(column, titles)| {
        let row = first?;
        let title = row.title(column).filter(|_| !idle(column))?;
        let what = match column {
            ELSEWHERE => WANTED.columns[ORDER][0],
            WAYBILL => WANTED.columns[NUMBER][0],
            _ => titles[0],
        };
        Some(format!("{what} ← {} 列“{title}”", row.letters(column)))
    });
    let named =
        |row: &&tables::Row| [ORDER, ELSEWHERE, OUT_TRADE_NO, TRANSACTION].iter().any(|at| row.get(*at).is_some());
    let unnamed = first.filter(|row| !named(row));
    let shown = unnamed.and_then(|_| table.rows.iter().find_map(own_elsewhere)).map(|(title, _)| title);
    let ours = shown.map(|title| format!("订单号 ← 列“{title}”：按本店订单号的样子认"));
    let of_carriers: Vec<&str> = first
        .into_iter()
        .flat_map(|row| row.titles())
        .filter(|title| carrier_of(title).is_some() && !WANTED.columns[NUMBER..COMPANY].concat().contains(title))
        .collect();
    let used = |note: String| of_carriers.iter().try_fold(note, |note, title| but_for(&note, Some(title)));
    let notes = table.notes.iter().filter_map(|note| but_for(note, shown)).filter_map(used);
    let by_carrier =
        (!of_carriers.is_empty()).then(|| format!("快递公司 ← 没有写的，按列名“{}”", of_carriers.join("”、“")));
    let idle_titles =
        first.iter().flat_map(|row| (QUANTITY..=SPEC).filter(|at| idle(*at)).filter_map(|at| row.title(at)));
    let notes = with_idle(notes.collect(), &idle_titles.collect::<Vec<_>>());
    let unheaded = (!table.headed).then(|| "没有表头：按每一格的样子认".to_owned());
    let parcels = counts_parcels.then(|| "这是快递公司的表，“件数”是包裹数：没有用，按整单发".to_owned());
    unheaded.into_iter().chain(parcels).chain(ours).chain(columns).chain(by_carrier).chain(notes).collect()
}

const UNUSED: &str = "没有用到的列：";

/// The columns that are known and were of no use, named with the others.
fn with_idle(mut notes: Vec<String>, idle: &[&str]) -> Vec<String> {
    if idle.is_empty() {
        return notes;
    }
    let idle = idle.join("、");
    match notes.iter_mut().find(|note| note.contains(UNUSED)) {
        Some(note) => *note = format!("{note}、{idle}"),
        None => notes.push(format!("{UNUSED}{idle}")),
    }
    notes
}

/// A note without the column that was used after all; nothing where it named no other.
fn but_for(note: &str, used: Option<&str>) -> Option<String> {
    match (used, note.split_once(UNUSED)) {
        (Some(used), Some((before, titles))) => {
            let others: Vec<&str> = titles.split('、').filter(|title| *title != used).collect();
            (!others.is_empty()).then(|| format!("{before}{UNUSED}{}", others.join("、")))
        }
        _ => Some(note.to_owned()),
    }
}

/// What stands under a column, and why it cannot be used as it is.
#[derive(Default)]
struct Taken {
    text: String,
    problem: String,
}

impl Taken {
    fn of(row: &tables::Row, column: usize) -> Taken {
        match row.text(column) {
            // What a formula leaves that found nothing.
            Some(Ok("0")) if matches!(column, NUMBER | WAYBILL | COMPANY) => Taken::default(),
            Some(Ok(text)) if !is_nothing(text) => {
                let most = if column == GOODS { MOST_OF_GOODS } else { MOST_LETTERS };
                Taken { text: text.chars().take(most).collect(), ..Taken::default() }
            }
            None | Some(Ok(_)) => Taken::default(),
            Some(Err(why)) => {
                let text = row.get(column).map(|cell| cell.shown().to_owned()).unwrap_or_default();
                // The number says for itself that it became `7.73E+14`.
                let told = matches!(TrackingNo::read(&text), Err(Problem::Spoilt));
                Taken { text, problem: if told { String::new() } else { why } }
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.problem.is_empty()
    }
}

/// A line that was written below a table and not into it has all its words in one cell, or none under what is wanted: it
/// is read by its look, where that finds an order of ours with a number.
fn beside_headings(row: &tables::Row) -> Option<Vec<Row>> {
    let filled = row.cells().filter(|(_, cell)| says(cell)).count();
    let wanted = (0..=PIECES).any(|column| row.get(column).is_some_and(says));
    if filled > 1 && wanted {
        return None;
    }
    let read = by_its_look(row);
    let whole = |row: &Row| OrderNo::read(&row.order_no).is_some() && !row.tracking_no.is_empty();
    (!read.is_empty() && read.iter().all(whole)).then_some(read)
}

/// Whether a row has more goods of the order that the row above it has: an order's number, its parcel's and its receiver stand
/// there once, on the first of its goods, as where their cells are merged.
fn is_more_of(above: &Row, row: &tables::Row) -> bool {
    let named = |column: usize| !Taken::of(row, column).is_empty();
    let has_goods = [CODE, GOODS, SPEC].into_iter().any(named)
        || row.cells().any(|(title, cell)| goods::is_titled(title) && says(cell));
    let says = whom::said(row.cells().map(|(title, cell)| beside::labelled(title, cell.shown())));
    let same = |own: &[(String, String)], others: &[(String, String)]| own.is_empty() || own == others;
    has_goods
        && above.sheet == row.place.sheet.as_deref().unwrap_or_default()
        && OrderNo::read(&above.order_no).is_some()
        && same(&says.receivers, &above.says.receivers)
        && same(&says.phones, &above.says.phones)
        && same(&says.places, &above.says.places)
}

/// Nothing for a row in which nothing of what is wanted stands. `above` is the one before it.
fn under_headings(row: &tables::Row, above: Option<&Row>) -> Vec<Row> {
    let mut order = order_of(row);
    let (mut number, mut company, pieces) = (number_of(row), Taken::of(row, COMPANY), Taken::of(row, PIECES));
    if let Some((carrier, of_it)) = under_a_carrier(row, &number) {
        company = Taken { text: if company.is_empty() { carrier } else { company.text }, ..company };
        number = of_it;
    } else if company.is_empty() && !number.is_empty() {
        let above = || said_above(row).map(|(_, carrier)| carrier);
        company.text = carrier_above(row).or_else(above).unwrap_or_default();
    }
    // 快递 is whose it is, or its number, where the table has no other column for that.
    let is_only = [NUMBER, WAYBILL].iter().all(|column| row.title(*column).is_none());
    if number.is_empty() && is_only && number_in(&company.text).is_some() {
        number = std::mem::take(&mut company);
    }
    if let Some(text) = of_what_is_sent(row).filter(|_| number.is_empty() && is_only) {
        number.text = text;
    }
    let stands_above = |taken: &Taken| taken.is_empty() || above::is_ditto(&taken.text);
    let in_its_parcel = |first: &Row| stands_above(&number) || same_number(&number.text, &first.tracking_no);
    let more_of = |first: &&Row| stands_above(&order) && in_its_parcel(first) && is_more_of(first, row);
    if let Some(first) = above.filter(more_of) {
        (order.text, number.text) = (first.order_no.clone(), first.tracking_no.clone());
        if stands_above(&company) {
            company.text.clone_from(&first.company);
        }
    }
    if order.is_empty() && number.is_empty() {
        return Vec::new();
    }
    let mut read = at(row);
    read.may_count_parcels = row.title(PIECES).is_some_and(is_of_parcels);
    for (of, taken) in [(Of::Order, &order), (Of::Number, &number), (Of::Company, &company), (Of::Pieces, &pieces)] {
        read.ask(of, &taken.problem);
    }
    if number.is_empty()
        && let Some(number) = number_in(&company.text)
    {
        read.ask(Of::Company, format!("快递公司一栏里是单号 {number}，快递单号是空的"));
    }
    read.ask(Of::Company, other_company(row, &company.text).unwrap_or_default());
    let beside = row.unheaded().find(|text| looks_like_number(text) && !same_number(text, &number.text));
    let beside = beside.map(|text| format!("旁边没有列名的格里像是还有一个单号 {text}：请分成几行，每行一个单号"));
    read.ask(Of::Number, beside.or_else(|| other_number(row, &number.text)).unwrap_or_default());
    read.ask(Of::Row, row.moved.clone().unwrap_or_default());
    void(row).into_iter().for_each(|words| read.ask(Of::Row, words));
    other_wishes(row, &company.text, &number.text).into_iter().for_each(|words| read.ask(Of::Row, words));
    read.ask(Of::Row, said_in_its_order(&order.text).unwrap_or_default());
    read.says = said_beside(row, &order.text);
    (read.order_no, read.tracking_no, read.company, read.pieces) = (order.text, number.text, company.text, pieces.text);
    read.goods = goods_of(row);
    each_order(read)
}

/// A number under a title that is the parcel's where nothing else is: other tables have numbers of their own there.
fn of_what_is_sent(row: &tables::Row) -> Option<String> {
    let mut cells = row
        .cells()
        .filter(|(title, _)| ["寄件单号", "发件单号"].contains(&bare(title).as_str()))
        .map(|(_, cell)| cell.shown());
    cells.find(|text| looks_like_number(text)).map(str::to_owned)
}

/// What stands beside an order's number in its cell and says that the number counts no more: `…（作废）`, `旧订单…`.
fn said_in_its_order(cell: &str) -> Option<String> {
    OrderNo::read(cell)?;
    let rest: String = cell.chars().filter(|c| !c.is_ascii_alphanumeric()).collect();
    let counts_no_more =
        void::in_a_line(&rest).is_some() || halts(&rest) || holds(&rest, &["旧", "退", "错", "拆", "补", "~~"]);
    counts_no_more.then(|| format!("订单号一格里写着“{}”：请核对这一单还发不发", brief(cell)))
}

/// The carrier that a title names beside the number that stands below it: `快递单号（圆通）`, `顺丰单号`.
fn carrier_of(title: &str) -> Option<String> {
    const NUMBERS: [&str; 9] =
        ["快递单号", "运单号", "物流单号", "面单号", "快递号", "单号", "运单", "面单", "快递编号"];
    // Of another parcel; or of one that gives out labels for all carriers.
    const OTHERS: [&str; 12] = ["退", "换", "旧", "原", "子单", "子运", "返", "回单", "订单", "商户", "菜鸟", "备用"];
    let plain = bare(title);
    if !NUMBERS.iter().any(|word| plain.contains(word)) || OTHERS.iter().any(|word| plain.contains(word)) {
        return None;
    }
    let rest = NUMBERS.iter().fold(plain, |rest, word| rest.replace(word, " "));
    let carriers = Carriers::default();
    // What any carrier has.
    const ANYBODYS: [&str; 6] = ["包裹", "快递包裹", "小包", "邮包", "快件", "包裹快递"];
    let is_one =
        |word: &&str| !word.is_empty() && !ANYBODYS.contains(word) && !says_nobody(word) && carriers.knows(word);
    let mut named = rest.split(|c: char| !c.is_alphanumeric()).filter(is_one);
    let first = named.next()?;
    named.next().is_none().then(|| first.to_owned())
}

/// What a row has in a column of one carrier's numbers, with that carrier; a column of all carriers' counts before them.
fn under_a_carrier(row: &tables::Row, own: &Taken) -> Option<(String, Taken)> {
    let known = [NUMBER, WAYBILL].map(|column| row.title(column).unwrap_or_default());
    let written = row.cells().filter(|(title, cell)| !known.contains(title) && !is_nothing(cell.shown()));
    let mut found = written.filter_map(|(title, cell)| Some((title, carrier_of(title)?, cell.shown())));
    let (title, carrier, text) = found.next()?;
    let problem = match found.next() {
        Some((other, _, _)) => format!("「{title}」和「{other}」里都有单号：请分成几行，每行一个单号"),
        None if own.is_empty() => String::new(),
        None if same_number(text, &own.text) => return None,
        None => format!("「{title}」是 {text}，「快递单号」是 {}：请在这里改", own.text),
    };
    Some((carrier, Taken { text: text.chars().take(MOST_LETTERS).collect(), problem }))
}

/// The carrier of all numbers of a column, where its title says one.
fn carrier_above(row: &tables::Row) -> Option<String> {
    let titled = [NUMBER, WAYBILL].into_iter().filter(|column| !Taken::of(row, *column).is_empty());
    titled.filter_map(|column| row.title(column)).find_map(carrier_of)
}

/// What stands over a row, be it the name of its sheet, and names one, with that: the nearest of these.
fn said_above(row: &tables::Row) -> Option<(String, String)> {
    let lines: Vec<&str> = row.place.sheet.as_deref().into_iter().chain(row.said_above()).collect();
    lines.into_iter().rev().find_map(|line| Some((line.to_owned(), above::carrier_of_a_line(line)?)))
}

/// Which column a title means, whether or not the table has a better one for it.
fn means(title: &str) -> Option<usize> {
    static KNOWN: OnceLock<HashMap<String, usize>> = OnceLock::new();
    let titles =
        || WANTED.columns.iter().enumerate().flat_map(|(at, titles)| titles.iter().map(move |title| (at, title)));
    let known = KNOWN.get_or_init(|| titles().map(|(at, title)| (beside::plain(title), at)).collect());
    let title = beside::plain(title);
    known.get(&title).copied().or_else(|| alike(&title))
}

/// Whether something is read of what stands under a title. A second column of parcels' numbers has more than these.
fn is_read(row: &tables::Row, title: &str) -> bool {
    let used = || (0..WANTED.columns.len()).any(|column| row.title(column) == Some(title));
    let meant = || means(title).is_some_and(|column| column != NUMBER && column != WAYBILL);
    // As the shop gives its own rows back to be mended.
    let own = || title == "问题" && row.titles().eq(["订单号", "快递公司", "快递单号", "件数", "问题"]);
    !title.is_empty() && (used() || own() || meant() || whom::is_of_receiver(title) || carrier_of(title).is_some())
}

/// Two columns that name two carriers: which of them is meant nobody knows.
fn other_company(row: &tables::Row, company: &str) -> Option<String> {
    const BY: [&str; 9] = ["配送", "快递", "物流", "承运", "发货", "寄送", "派送", "运输", "面单"];
    const OTHERS: [&str; 10] = ["退", "换", "寄回", "原", "买家", "期望", "指定", "默认", "模板", "网点"];
    let carriers = Carriers::default();
    let own = carriers.known(company)?;
    let names_one = |title: &str| {
        holds(title, &BY) && !holds(title, &OTHERS) || title.contains("公司") && means(title) == Some(COMPANY)
    };
    let short = |cell: &tables::Cell| says(cell) && cell.shown().len() <= MOST_OF_A_CARRIER;
    let named = row.cells().filter(|(title, cell)| short(cell) && names_one(title));
    let mut named = named.filter_map(|(title, cell)| Some((title, carriers.known(cell.shown())?)));
    let (title, other) = named.find(|(_, other)| *other != own)?;
    let first = row.title(COMPANY).unwrap_or_default();
    Some(format!("「{first}」是{}，「{title}」是{}：请在这里改", own.name, other.name))
}

/// A remark that wants another service than its row has, or not this one.
fn other_wishes(row: &tables::Row, company: &str, number: &str) -> Vec<String> {
    let guessed = || recognise(&TrackingNo::read(number).ok()?).map(|guess| Carrier::known(guess.code));
    let Some(own) = Carriers::default().known(company).or_else(guessed) else { return Vec::new() };
    let said = row.cells().filter(|(title, cell)| void::is_remark(title) && says(cell));
    let unheard = |text: &str| {
        let wishes = wishes::wishes(text);
        let (wanted, others): (Vec<_>, Vec<_>) = wishes.into_iter().partition(|(_, wanted)| *wanted);
        others.iter().any(|(other, _)| same_house(other, &own))
            || !wanted.is_empty() && !wanted.iter().any(|(wanted, _)| same_house(wanted, &own))
    };
    let asked = said.filter(|(_, cell)| unheard(cell.shown()));
    let name = &own.name;
    asked.map(|(title, cell)| format!("「{title}」写的是“{}”，这一行是{name}", beside::shown(cell.shown()))).collect()
}

/// So many bytes has what people call a carrier.
const MOST_OF_A_CARRIER: usize = 60;

/// What columns say of a row that is void, or its looks.
fn void(row: &tables::Row) -> Vec<String> {
    let struck = row.struck.then(|| "这一行在表里是划掉的：不发的不用管它".to_owned());
    // How people cross out a number, and leave its row.
    let numbers = [ORDER, ELSEWHERE, OUT_TRADE_NO, TRANSACTION, NUMBER, WAYBILL];
    let crossed = numbers.into_iter().filter(|column| !row.struck && row.is_crossed(*column));
    let crossed = crossed.filter_map(|column| row.title(column)).map(|title| format!("「{title}」一格在表里是划掉的"));
    let said = void::in_cells(row.cells().map(|(title, cell)| (title, cell.shown())));
    struck.into_iter().chain(crossed).chain(said).collect()
}

/// Whether couriers call so how many parcels there are, as other shops call their goods.
fn is_of_parcels(title: &str) -> bool {
    const OF_GOODS: [&str; 9] = ["商品", "货品", "实发", "本次", "本包裹", "包裹内", "配货", "拣货", "装箱"];
    let title = bare(title).to_lowercase();
    title.contains("件数") && !holds(&title, &OF_GOODS) || title == "pieces"
}

/// What other programs have sent of a row, where some rows of the table have left and this one has not, or not all of it.
/// Before anything has left it is nought in all of them.
fn ask_about_sent(headed: &[(&tables::Row, Range<usize>)], rows: &mut [Row]) {
    let is_of_sent = |title: &str| holds(title, &["已发", "已出", "已拣", "已配"]) && holds(title, &["数量", "件数"]);
    let sent = |row: &tables::Row| {
        let mut cells = row.cells().filter(|(title, cell)| is_of_sent(title) && says(cell));
        let (title, cell) = cells.next()?;
        Some((title.trim().to_owned(), how_many(cell.shown())?))
    };
    if !headed.iter().any(|(row, _)| sent(row).is_some_and(|(_, n)| n > 0)) {
        return;
    }
    // A list of what waits says of each row what is still to leave.
    let is_to_leave = |title: &str| holds(title, &["未发", "待发", "未出", "待出"]) && holds(title, &["数量", "件数"]);
    let waits = |row: &tables::Row| {
        let mut cells = row.cells().filter(|(title, _)| is_to_leave(title));
        let n = cells.find_map(|(_, cell)| how_many(cell.shown())).unwrap_or_default();
        let wanted = how_many(&Taken::of(row, QUANTITY).text);
        n > 0 && sent(row).is_some_and(|(_, sent)| Some(sent + n) == wanted)
    };
    if headed.iter().all(|(row, _)| waits(row)) {
        return;
    }
    for (row, of_it) in headed {
        let Some((title, n)) = sent(row) else { continue };
        let wanted = how_many(&Taken::of(row, QUANTITY).text).unwrap_or(1);
        if n < wanted {
            let words = format!("「{title}」写的是 {n}，像是没有发，或没有发全");
            rows[of_it.clone()].iter_mut().for_each(|row| row.ask(Of::Row, words.clone()));
        }
    }
}

/// The only row of an order, of which no piece is meant: among several rows the others say what leaves.
fn ask_about_none(table: &Table, rows: &mut [Row]) {
    let title = table.rows.first().and_then(|row| row.title(QUANTITY)).unwrap_or_default();
    let mut of_order: HashMap<String, usize> = HashMap::new();
    rows.iter().for_each(|row| *of_order.entry(row.order_no.clone()).or_default() += 1);
    for row in rows {
        let n = row.goods.quantity.trim().to_owned();
        if of_order[&row.order_no] == 1 && row.pieces.is_empty() && how_many(&n).is_some_and(|n| n < 1) {
            row.ask(
                Of::Pieces,
                format!("「{title}」写的是 {n}，这一行像是不用发：请核对；没错的话，在这里保存一次就能发"),
            );
        }
    }
}

/// An order of which no row says how many pieces leave, where most rows of a column that counts what does say it.
fn ask_about_unwritten(table: &Table, rows: &mut [Row]) {
    let title = table.rows.first().filter(|_| table.headed).and_then(|row| row.title(PIECES)).unwrap_or_default();
    let written = |row: &Row| !row.pieces.trim().is_empty();
    if title.is_empty() || is_of_parcels(title) || rows.iter().filter(|row| written(row)).count() * 2 <= rows.len() {
        return;
    }
    let counted: HashSet<String> =
        rows.iter().filter(|row| written(row)).map(|row| row.order_no.trim().to_owned()).collect();
    let sent = |row: &&mut Row| !row.tracking_no.trim().is_empty() && !written(row);
    for row in rows.iter_mut().filter(sent).filter(|row| !counted.contains(row.order_no.trim())) {
        row.ask(
            Of::Pieces,
            format!("「{title}」没有写，别的行都写了，像是不发：请核对；没错的话，在这里保存一次就能整单发"),
        );
    }
}

/// More letters than a name and a phone have.
const MOST_BESIDE: usize = 24;

/// All that a row says of its order beside the number by which that is known.
fn said_beside(row: &tables::Row, order: &str) -> Says {
    let said = |column: usize| Taken::of(row, column).text;
    let mut says = whom::said(row.cells().map(|(title, cell)| beside::labelled(title, cell.shown())));
    for column in [ORDER, ELSEWHERE, OUT_TRADE_NO, TRANSACTION, NUMBER, WAYBILL, COMPANY] {
        let Some(title) = row.title(column) else { continue };
        let (name, phones) = whom::beside_a_number(row.get(column).map_or("", tables::Cell::shown));
        says.receivers.extend(name.map(|name| (title.to_owned(), name)));
        says.phones.extend(phones.into_iter().map(|phone| (title.to_owned(), phone)));
    }
    // In a cell of its own beside it, under no title.
    let unlabelled = |text: &&str| beside::labelled("", text).0.is_empty() && text.chars().count() <= MOST_BESIDE;
    for text in row.unheaded().filter(unlabelled) {
        let (name, phones) = whom::beside_a_number(text);
        says.receivers.extend(name.map(|name| (String::new(), name)));
        says.phones.extend(phones.into_iter().map(|phone| (String::new(), phone)));
    }
    let untitled = row.unheaded().filter(|text| beside::labelled("", text).0.is_empty());
    says.others.extend(untitled.map(|text| (String::new(), text.chars().take(MOST_OF_GOODS).collect())));
    let numbers = [ORDER, ELSEWHERE, OUT_TRADE_NO, TRANSACTION].into_iter().filter_map(|column| {
        Some((row.title(column)?.to_owned(), said(column))).filter(|(_, text)| !text.is_empty() && text != order)
    });
    // Whatever a title calls it: a number of this shop's that has a cell to itself.
    let own = |text: &str| OrderNo::read(text).filter(|no| bare(text).len() <= no.as_str().len() + 2);
    let others = row.cells().filter(|(title, cell)| !title.is_empty() && own(cell.shown()).is_some());
    let others = others.map(|(title, cell)| (title.to_owned(), cell.shown().to_owned()));
    says.orders = numbers.chain(others.filter(|(_, text)| own(text) != OrderNo::read(order))).collect();
    says.orders.dedup();
    says.goods = goods_of(row);
    says.goods_title = row.title(GOODS).unwrap_or_default().to_owned();
    // Whatever stands under these titles where columns are exchanged.
    let exchanged = [CODE, SPEC].into_iter().filter_map(|column| Some((row.title(column)?.to_owned(), said(column))));
    let known = |title: &str| says.others.iter().chain(&says.named_goods).any(|(other, _)| other == title);
    let exchanged: Vec<_> = exchanged.filter(|(title, text)| !text.is_empty() && !known(title)).collect();
    says.others.extend(exchanged);
    says
}

/// A parcel's number in another column, where it is not the one that is taken: whatever the title calls it, unless it is
/// that of other numbers.
fn other_number(row: &tables::Row, own: &str) -> Option<String> {
    let shape = |number: &TrackingNo| {
        let number = number.as_str();
        (number.len(), number.bytes().take_while(u8::is_ascii_alphabetic).count())
    };
    let own = TrackingNo::read(own).ok();
    let used = |title: &str| [NUMBER, WAYBILL].iter().any(|column| row.title(*column) == Some(title));
    let is_one = |title: &str, other: &TrackingNo| {
        let Some(own) = &own else { return holds(title, &["新", "换", "改", "更"]) && names_a_parcel(title) };
        let guess = recognise(other);
        let alike = shape(other) == shape(own);
        other != own
            && match names_a_parcel(title) {
                true => guess.is_some() || alike,
                // Another program's numbers have lengths of their own.
                false => guess.is_some_and(|guess| guess.sure && !other.as_str().starts_with(char::is_numeric)),
            }
    };
    let long = |cell: &tables::Cell| cell.shown().bytes().filter(u8::is_ascii_digit).count() >= 8;
    let mut others = row.cells().filter(|(title, cell)| long(cell) && !used(title) && !is_of_other_numbers(title));
    let (title, other) = others.find_map(|(title, cell)| {
        let other = TrackingNo::read(cell.shown()).ok().filter(|_| looks_like_number(cell.shown()))?;
        is_one(title, &other).then_some((title, other))
    })?;
    let here = own.map_or("是空的".to_owned(), |own| format!("是 {own}"));
    Some(format!("「{title}」是 {other}，这里{here}：请在这里改成要用的那一个"))
}

fn names_a_parcel(title: &str) -> bool {
    holds(
        &title.to_lowercase(),
        &["单号", "面单", "运单", "快递", "物流", "包裹", "快件", "回传", "更新", "tracking", "waybill"],
    )
}

/// Titles of numbers that stand beside a parcel's own in any case: those of orders and payments, of what lies in one parcel
/// and of what comes back in another.
fn is_of_other_numbers(title: &str) -> bool {
    const OTHERS: &str = "订单 商户 交易 支付 付款 微信 流水 批 波次 母 主单 主运单 子单 子运 子件 退 寄回 旧 原 返 回单 编码 条码 货号 \
                          发货单 收货 进货 配货 拣货 出库 入库 电话 手机 员 身份 账 客户 会员 发票 合同 采购 系统 内部 序";
    title.is_empty()
        || void::is_remark(title)
        || means(title).is_some_and(|column| column != NUMBER && column != WAYBILL)
        || holds_one_of(title, OTHERS)
}

/// Of an order of which a line says that it puts another one right, nobody knows which of the others still holds.
fn ask_about_corrections(table: &Table, rows: &mut [Row]) {
    const WORDS: [&str; 7] = ["更正", "改成", "改为", "换成", "更改", "纠正", "写错"];
    let told = |row: &&tables::Row| row.cells().any(|(_, cell)| holds(cell.shown(), &WORDS));
    let orders = |row: &tables::Row| {
        let words = words_of(row);
        OrderNo::all(&words)
    };
    let corrected: Vec<OrderNo> = table.rows.iter().filter(|_| !table.headed).filter(told).flat_map(orders).collect();
    for no in corrected {
        let mut of_it: Vec<&mut Row> =
            rows.iter_mut().filter(|row| OrderNo::read(&row.order_no).as_ref() == Some(&no)).collect();
        if of_it.len() > 1 {
            of_it.iter_mut().for_each(|row| row.ask(Of::Row, "这笔订单有几行，有一行写着是更正：请只留对的那一行"));
        }
    }
}

fn same_number(one: &str, other: &str) -> bool {
    TrackingNo::read(one) == TrackingNo::read(other)
}

/// Which goods a row is about. What cannot be read says nothing: nothing rests on it alone.
fn goods_of(row: &tables::Row) -> Goods {
    let said = |column: usize| Taken::of(row, column).text;
    Goods { quantity: quantity_of(row), code: said(CODE), name: said(GOODS), spec: said(SPEC) }
}

/// How many a row says, be it in a word for none.
fn quantity_of(row: &tables::Row) -> String {
    let read = Taken::of(row, QUANTITY).text;
    let written = || row.get(QUANTITY).map_or("", tables::Cell::shown).trim();
    if read.is_empty() { written().chars().take(MOST_LETTERS).collect() } else { read }
}

/// The only number of ours that has a cell to itself, under a title that says nothing of it, with that title.
fn own_elsewhere(row: &tables::Row) -> Option<(&str, OrderNo)> {
    let mut found = row.cells().filter_map(|(title, cell)| Some((title, beside::order_no(cell.shown())?)));
    let first = found.next()?;
    found.all(|(_, no)| no == first.1).then_some(first)
}

/// The column that holds our numbers: other programs have orders of their own.
fn order_of(row: &tables::Row) -> Taken {
    let columns = [ORDER, ELSEWHERE, OUT_TRADE_NO, TRANSACTION];
    let ours = |(column, taken): &(usize, Taken)| {
        OrderNo::read(&taken.text).is_some() || *column >= OUT_TRADE_NO && bare(&taken.text).len() >= 20
    };
    let mut written: Vec<(usize, Taken)> = columns
        .map(|column| (column, Taken::of(row, column)))
        .into_iter()
        .filter(|(_, taken)| !taken.is_empty())
        .collect();
    if written.is_empty() {
        let text = own_elsewhere(row).map(|(_, no)| no.to_string()).unwrap_or_default();
        return Taken { text, ..Taken::default() };
    }
    let at = written.iter().position(ours).unwrap_or(0);
    written.swap_remove(at).1
}

/// Of two columns for it the one that has a number; where both have one, and not the same, somebody is asked.
fn number_of(row: &tables::Row) -> Taken {
    let (number, waybill) = (Taken::of(row, NUMBER), Taken::of(row, WAYBILL));
    match (TrackingNo::read(&number.text), TrackingNo::read(&waybill.text)) {
        _ if waybill.is_empty() => number,
        _ if number.is_empty() => waybill,
        (Err(_), Ok(_)) => waybill,
        (Ok(one), Ok(other)) if one != other && !row.title(WAYBILL).is_some_and(is_of_other_numbers) => {
            let title = |column| row.title(column).unwrap_or_default();
            let problem = format!("「{}」是 {one}，「{}」是 {other}：请在这里改", title(NUMBER), title(WAYBILL));
            Taken { problem, ..number }
        }
        _ => number,
    }
}

/// A number where a carrier's name should be, maybe behind one.
fn number_in(company: &str) -> Option<TrackingNo> {
    let beside = || parcels::beside_a_name(company).and_then(|(_, number)| TrackingNo::read(number).ok());
    TrackingNo::read(company).ok().or_else(beside)
}

/// A row for each order whose number stands there: what several leave in goes out in one parcel.
fn each_order(read: Row) -> Vec<Row> {
    let orders = OrderNo::all(&read.order_no);
    if orders.len() < 2 {
        return vec![read];
    }
    let mut read = read;
    if !read.pieces.is_empty() {
        read.ask(Of::Pieces, format!("这一行有 {} 笔订单，不知道件数是哪一笔的：请分成几行", orders.len()));
    }
    orders.iter().map(|no| Row { order_no: no.to_string(), ..read.clone() }).collect()
}

/// What people put where there is nothing to write.
fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 12] =
        ["无", "无单号", "暂无", "暂无单号", "没有", "未填", "未发货", "待发货", "n/a", "null", "none", "nan"];
    let plain = bare(text).to_lowercase();
    WORDS.contains(&plain.as_str()) || plain.chars().all(|c| matches!(c, '-' | '/' | '\\' | '_'))
}

/// A row of which nobody said what its cells are.
fn by_its_look(row: &tables::Row) -> Vec<Row> {
    let carriers = Carriers::default();
    let cells = row.cells().map(|(_, cell)| cell.shown()).filter(|text| !text.trim().is_empty());
    let cells: Vec<String> = cells.flat_map(around_ours).flat_map(|text| apart(&carriers, text)).collect();
    let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
    let order = cells.iter().position(|cell| OrderNo::read(cell).is_some());
    let order = order.or_else(|| cells.iter().position(|cell| !looks_like_number(cell)));
    let rest = || cells.iter().enumerate().filter(move |(at, _)| Some(*at) != order).map(|(_, cell)| *cell);
    let mut companies: Vec<&str> = Vec::new();
    for cell in rest().filter(|cell| is_company(&carriers, cell) && !says_nobody(cell)) {
        let (whose, same) =
            (carriers.known(cell), |other: &&str| *other == cell || carriers.known(other) == carriers.known(cell));
        if whose.is_none() || !companies.iter().any(same) {
            companies.push(cell);
        }
    }
    if let [one, other] = rest().collect::<Vec<_>>()[..]
        && companies.is_empty()
    {
        // Beside a number alone it says who carries it, even where nobody knows them: no guess in its place.
        companies
            .extend([(one, other), (other, one)].iter().find(|(_, n)| looks_like_number(n)).map(|(name, _)| *name));
        companies.retain(|name| is_name(name));
    }
    let mut numbers: Vec<&str> = rest().filter(|cell| looks_like_number(cell)).collect();
    numbers.dedup();
    let mut read = at(row);
    // A cell that was to be a number, and was spoilt, says so better than an empty one.
    let meant = |problem: &Problem| {
        matches!(
            problem,
            Problem::Spoilt
                | Problem::Several(_)
                | Problem::Goods(_)
                | Problem::Barcode(_)
                | Problem::Identity
                | Problem::Denied(_)
                | Problem::Label
                | Problem::Address
        )
    };
    let spoilt = || rest().find(|cell| TrackingNo::read(cell).is_err_and(|problem| meant(&problem)));
    let number = numbers.first().copied().or_else(spoilt).unwrap_or_default();
    if numbers.len() > 1 {
        let words = format!("这一行有几个像单号的（{}），请加上表头，或在这里改", numbers.join("、"));
        read.ask(Of::Number, words);
    }
    if companies.len() > 1 {
        read.ask(Of::Company, format!("这一行有几家快递公司（{}），请在这里改", companies.join("、")));
    }
    let words = words_of(row);
    if number.is_empty() && is_chatter(&words) {
        return Vec::new();
    }
    read.ask(Of::Row, void::in_a_line(&words).unwrap_or_default());
    // Words stand there, and a number in the middle of them.
    if let Some(cell) = rest().find(|cell| number.is_empty() && has_long_number(cell)) {
        read.ask(Of::Number, format!("“{}”里像是有单号：请在这里写上", brief(cell)));
    }
    let own = |text: &str| text.chars().take(MOST_LETTERS).collect::<String>();
    read.order_no = own(order.map_or("", |at| cells[at]));
    (read.company, read.tracking_no) = (own(companies.first().copied().unwrap_or_default()), own(number));
    read.remarks = beside::of_a_line(&words, &[read.order_no.as_str(), &read.company, &read.tracking_no]);
    let whole = row.cells().map(|(_, cell)| cell.shown()).filter(|text| text.chars().count() <= MOST_LETTERS);
    read.says.cells = whole.filter(|text| !looks_like_number(text)).map(own).collect();
    read.says.phones = beside::phones(&words).into_iter().map(|phone| ("电话".to_owned(), phone)).collect();
    // Of two one may be the sender's.
    if let [only] = cells.iter().filter(|cell| is_an_address(cell)).collect::<Vec<_>>()[..] {
        read.says.places = vec![(beside::LINE.to_owned(), own(only))];
    }
    let orders = cells.join(" ");
    if OrderNo::all(&orders).len() > 1 {
        read.order_no = orders;
    }
    each_order(read)
}

/// A cell that begins with a district and what it lies in.
fn is_an_address(cell: &str) -> bool {
    let places::Written::Found(found) = places::written(cell) else { return false };
    found.before.is_empty() && found.place.depth() > 2 && !found.alone
}

/// Words between the lines of a chat: nothing of the length of a number stands there, and nothing that stops a parcel.
fn is_chatter(words: &str) -> bool {
    let mut runs = words.split(|c: char| !c.is_ascii_alphanumeric());
    let long = |run: &str| run.len() > 8 && run.bytes().any(|b| b.is_ascii_digit());
    !runs.any(long) && void::in_a_line(words).is_none() && !halts(words)
}

/// A cell in which our number stands with more, in its parts: `…：圆通 YT8812345678901`, `…|圆通|YT8812345678901`. What
/// stands before it only says what it is.
fn around_ours(text: &str) -> Vec<String> {
    let written = bare(text);
    let upper = written.to_ascii_uppercase();
    let ours = OrderNo::all(&upper);
    let [no] = &ours[..] else { return vec![text.to_owned()] };
    let Some(at) = upper.find(no.as_str()) else { return vec![text.to_owned()] };
    let behind = &written[at + no.as_str().len()..];
    let attempt = behind.bytes().take_while(u8::is_ascii_digit).count();
    let signs = |c: char| c.is_whitespace() || ":|/\\-_,;()[]【】=>→—".contains(c);
    let before = written[..at].trim_matches(signs);
    let before = Some(before).filter(|text| looks_like_number(text) || parcels::beside_a_name(text).is_some());
    let parts = before.into_iter().chain([no.as_str(), behind[attempt..].trim_matches(signs)]);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A carrier's name and a number, written as one word.
fn apart(carriers: &Carriers, text: String) -> Vec<String> {
    match parcels::beside_a_name(&text) {
        Some((name, number)) if is_company(carriers, name) => {
            vec![name.to_owned(), number.trim_start_matches('-').to_owned()]
        }
        // `已发中通753…`, `发圆通YT…`: words before the name.
        Some((words, number)) => match named_last(carriers, words) {
            Some(name) => vec![name.to_owned(), number.trim_start_matches('-').to_owned()],
            None => vec![text],
        },
        _ => vec![text],
    }
}

/// The longest name of a carrier with which a few words end.
fn named_last<'t>(carriers: &Carriers, words: &'t str) -> Option<&'t str> {
    let starts = words.char_indices().skip(1).take(MOST_WORDS).map(|(at, _)| &words[at..]);
    starts.filter(|name| name.chars().count() >= 2).find(|name| is_company(carriers, name))
}

/// More letters than a few words have.
const MOST_WORDS: usize = 12;

/// Ten digits on end, as numbers of parcels have and words have not.
fn has_long_number(cell: &str) -> bool {
    let mut runs = cell.split(|c: char| !c.is_ascii_alphanumeric());
    runs.any(|run| run.len() <= 20 && run.bytes().filter(u8::is_ascii_digit).count() >= 12 && run.len() != 18)
}

fn brief(text: &str) -> String {
    text.chars().take(24).collect()
}

/// Nothing yet, at this place.
fn at(row: &tables::Row) -> Row {
    let sheet = row.place.sheet.as_deref().unwrap_or_default().to_owned();
    Row { line: row.place.line as usize, sheet, ..Row::default() }
}

/// A whole cell that names a carrier, or is written like one; a code alone must have no digit, or codes of goods would be
/// carriers.
fn is_company(carriers: &Carriers, cell: &str) -> bool {
    const ENDS: [&str; 9] = ["快递", "快运", "物流", "速运", "速递", "冷运", "冷链", "货运", "配送"];
    let plain = bare(cell);
    let alike = plain.chars().count() <= 8 && ENDS.iter().any(|end| plain.ends_with(end));
    !plain.bytes().any(|b| b.is_ascii_digit()) && (alike || carriers.knows(cell))
}

/// A few letters without a digit.
fn is_name(cell: &str) -> bool {
    let plain = bare(cell);
    (1..=10).contains(&plain.chars().count()) && !plain.contains(|c: char| c.is_numeric() || c.is_ascii_punctuation())
}

/// Long enough, and none of the other numbers that stand in tables of orders: phones, days and times.
fn looks_like_number(cell: &str) -> bool {
    let Ok(number) = TrackingNo::read(cell) else { return false };
    let number = number.as_str();
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    let plain = digits == number.len();
    let phone =
        plain && ((number.len() == 11 && number.starts_with('1')) || (number.len() <= 12 && number.starts_with('0')));
    let day =
        number.starts_with("20") && (plain && matches!(number.len(), 8 | 12 | 14) || number.split('-').count() == 3);
    digits >= 8 && !phone && !day
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shipping::Remark;

    fn cells(text: &str) -> Vec<[String; 4]> {
        let rows = paste(text).unwrap_or_else(|e| panic!("{text}: {e}")).rows;
        rows.into_iter()
            .map(|row| {
                let asked = row.questions.iter().map(|question| question.words.as_str()).collect::<Vec<_>>().join("；");
                [row.order_no, row.company, row.tracking_no, asked]
            })
            .collect()
    }

    const ORDER_NO: &str = "20261008ABCDEFGHJK";

    #[test]
    fn the_only_column_of_what_was_sent_is_a_parcels() {
        for (head, first, second, number) in [
            ("寄件单号\t退件单号", "75312345678901", "", "75312345678901"),
            ("收件单号\t寄件单号", "", "75312345678901", "75312345678901"),
            ("发件单号\t备注", "75312345678901", "", "75312345678901"),
            ("寄件单号\t运单号", "1000001", "75312345678901", "75312345678901"),
            ("寄件单号\t快递单号", "", "75312345678901", "75312345678901"),
        ] {
            let read = cells(&format!("订单号\t{head}\n{ORDER_NO}\t{first}\t{second}"));
            assert_eq!((read[0][2].as_str(), read[0][3].as_str()), (number, ""), "{head}");
        }
        assert!(paste(&format!("订单号\t收件单号\n{ORDER_NO}\t75312345678901")).is_err());
    }

    #[test]
    fn what_a_column_of_numbers_leaves_out_is_asked_about() {
        let rows = |head: &str, said: [&str; 3]| {
            let no = ["20261008ABCDEFGHJK", "20261008ABCDEFGHJL", "20261008ABCDEFGHJM"];
            let row = |(n, no): (usize, &str)| format!("{no}\t7531234567890{n}\t{}", said[n]);
            let rows: Vec<String> = no.into_iter().enumerate().map(row).collect();
            let read = cells(&format!("订单号\t快递单号\t{head}\n{}", rows.join("\n")));
            read.iter().map(|row| !row[3].is_empty()).collect::<Vec<_>>()
        };
        for (head, said, asked) in [
            ("实发数量", ["2", "", "1"], [false, true, false]),
            ("出库数", ["2", "1", "-"], [false, false, true]),
            ("实发数量", ["2", "", ""], [false; 3]),
            ("件数", ["2", "", "1"], [false; 3]),
            ("数量\t欠发数量", ["2\t0", "1\t1", "1\t0"], [false, true, false]),
            ("数量\t少发数量", ["2\t0", "1\t1", "1\t0"], [false, true, false]),
            ("数量\t未配数量", ["2\t0", "1\t1", "1\t0"], [false, true, false]),
            // A list of what waits, and one of what was sent.
            ("数量\t已发数量\t未发数量", ["5\t2\t3", "5\t0\t5", "1\t0\t1"], [false; 3]),
            ("数量\t已发数量\t未发数量", ["5\t5\t0", "5\t0\t5", "1\t1\t0"], [false, true, false]),
            ("数量\t已发数量", ["5\t2", "5\t0", "1\t0"], [true; 3]),
        ] {
            assert_eq!(rows(head, said), asked, "{head} {said:?}");
        }
    }

    #[test]
    fn an_order_whose_own_cell_calls_it_void_is_asked_about() {
        for (cell, asked) in [
            ("{}（作废）", true),
            ("作废{}", true),
            ("{}(取消)", true),
            ("旧订单{}", true),
            ("退货单 {}", true),
            ("{}（等货）", true),
            ("{}-作废", true),
            ("不发{}", true),
            ("~~{}~~", true),
            ("{}（换）", true),
            ("{}（错行）", true),
            ("{}（改发顺丰）", true),
            ("{}", false),
            ("订单号：{}", false),
            ("{}（小程序）", false),
            ("{}（1）", false),
            ("No.{}", false),
        ] {
            let cell = cell.replace("{}", ORDER_NO);
            let read = cells(&format!("订单号\t快递公司\t快递单号\n{cell}\t申通\t773123456789012"));
            assert_eq!((read.len(), !read[0][3].is_empty()), (1, asked), "{cell}: {read:?}");
        }
    }

    #[test]
    fn headings_decide_which_column_is_what() {
        for head in [
            "订单号\t快递公司\t快递单号",
            "订单编号\t物流公司\t运单号",
            "*订单号\t承运商\t物流单号（必填）",
            "商户单号\t快递\t单号",
            "订单号\t快递公司/物流公司\t快递单号/运单号",
            "订单号\t承运快递\t快递单号1",
            "Order No.\tCarrier\tTracking Number",
            "order_no\tcompany\ttracking_no",
        ] {
            let read = cells(&format!("{head}\n{ORDER_NO}\t申通\t773123456789012\n"));
            assert_eq!(read, [[ORDER_NO, "申通", "773123456789012", ""].map(str::to_owned)], "{head}");
        }
        // What stands in other columns is nobody's number and nobody's carrier.
        let head = "微信交易号\t收货人\t电话\t地址\t商品\t买家指定快递\t快递单号\t快递公司\t订单号\t付款时间";
        let row = format!(
            "4200002611202611280000000097\t王小明\t13800001234\t杭州市邮政路12号中通代收点\t(顺丰包邮)苹果\t顺丰\tYT8812345678901\t圆通\t{ORDER_NO}\t2026-11-28 12:00:00"
        );
        assert_eq!(cells(&format!("{head}\n{row}")), [[ORDER_NO, "圆通", "YT8812345678901", ""].map(str::to_owned)]);
        let unfilled =
            cells(&format!("{head}\n4200002611202611280000000097\t王\t13800001234\t路\t果\t\t\t\t{ORDER_NO}\t"));
        assert_eq!(unfilled, [[ORDER_NO, "", "", ""].map(str::to_owned)]);
        for nothing in ["-", "/", "——", "无", "暂无", "待发货", "N/A", "null", "NaN"] {
            let read = cells(&format!("订单号\t快递公司\t快递单号\n{ORDER_NO}\t{nothing}\t{nothing}"));
            assert_eq!(read, [[ORDER_NO, "", "", ""].map(str::to_owned)], "{nothing}");
        }
        for twice in ["快递单号\t快递单号", "快递单号1\t快递单号2"] {
            let problem = paste(&format!("订单号\t{twice}\n{ORDER_NO}\tYT8812345678901\tYT8812345678902")).unwrap_err();
            assert!(problem.contains("「快递单号」有两列"), "{problem}");
        }
    }

    #[test]
    fn titles_that_nobody_listed_are_read_by_what_they_say() {
        for head in [
            "订单ID\t快递服务商\t物流跟踪号",
            "系统订单号\t承运方\t跟踪单号",
            "外部订单编号\t物流企业\t面单编号",
            "订单流水号\t配送服务商\t国内运单号",
            "小店订单\t发货物流公司\t实际快递单号",
        ] {
            let brought = paste(&format!("{head}\n{ORDER_NO}\t圆通\t773123456789012\n"))
                .unwrap_or_else(|e| panic!("{head}: {e}"));
            let row = &brought.rows[0];
            assert_eq!(
                (row.order_no.as_str(), row.company.as_str(), row.tracking_no.as_str()),
                (ORDER_NO, "圆通", "773123456789012"),
                "{head}"
            );
            assert!(!brought.read_as.iter().any(|note| note.contains("没有用到")), "{:?}", brought.read_as);
        }
        for title in [
            "退货快递单号",
            "旧运单号",
            "买家指定快递公司",
            "快递费",
            "物流状态",
            "物流订单号",
            "快递员编号",
            "订单状态",
            "发货单号",
            "商品编码",
        ] {
            assert_eq!(alike(title), None, "{title}");
        }
    }

    #[test]
    fn our_own_number_is_known_under_any_title() {
        let brought =
            paste(&format!("来源号\t平台号\t快递公司\t快递单号\nF1\t{ORDER_NO}\t圆通\t773123456789012")).unwrap();
        assert_eq!((brought.rows[0].order_no.as_str(), brought.rows[0].company.as_str()), (ORDER_NO, "圆通"));
        let said = brought.read_as.join("；");
        assert!(said.contains("“平台号”") && said.contains("没有用到的列：来源号"), "{said}");
        assert!(!said.contains("来源号、平台号"), "{said}");
        // Nobody's mistake is mended with a number out of a remark, and of two nobody knows which.
        let order = |row: &str| cells(&format!("订单号\t快递单号\t说明\n{row}"))[0][0].clone();
        assert_eq!(order(&format!("2026\t773123456789012\t{ORDER_NO}")), "2026");
        assert!(paste(&format!("快递单号\t甲\t乙\n773123456789012\t{ORDER_NO}\t20261008ABCDEFGHJM")).is_err());
    }

    #[test]
    fn lines_that_say_what_each_part_is_are_all_read() {
        let line = |n: usize| format!("订单号：{ORDER_NO}，快递公司：圆通，快递单号：77312345678901{n}");
        let all = (0..3).map(line).collect::<Vec<_>>().join("\n");
        let right = |n: usize| [ORDER_NO, "圆通", &format!("77312345678901{n}"), ""].map(str::to_owned);
        assert_eq!(cells(&all), (0..3).map(right).collect::<Vec<_>>());
        assert_eq!(cells(&all.replace('：', ": ").replace('，', " ")), (0..3).map(right).collect::<Vec<_>>());
        assert_eq!(cells(&line(0)), [right(0)]);
        let mixed = format!("{ORDER_NO} 快递公司：圆通 快递单号：773123456789010");
        assert_eq!(cells(&mixed), [right(0)]);
        // In another order, and with one part less.
        let bare = format!("{}\n单号：773123456789011，订单号：{ORDER_NO}", line(0));
        assert_eq!(cells(&bare)[1], [ORDER_NO, "", "773123456789011", ""].map(str::to_owned));
    }

    #[test]
    fn a_line_below_a_table_is_read_by_itself() {
        let right = [ORDER_NO, "圆通", "YT8812345678901", ""].map(str::to_owned);
        for (head, row) in [
            ("订单号\t快递公司\t快递单号", format!("{ORDER_NO}\t顺丰\tSF1234567890123")),
            ("收货人\t订单号\t快递单号", format!("张三\t{ORDER_NO}\tSF1234567890123")),
            ("序号\t收货人\t电话\t订单号\t快递单号", format!("1\t张三\t\t{ORDER_NO}\tSF1234567890123")),
        ] {
            for line in ["{} 圆通 YT8812345678901", "补发 {}：圆通 YT8812345678901", "{}，圆通，YT8812345678901"]
            {
                let line = line.replace("{}", ORDER_NO);
                let read = cells(&format!("{head}\n{row}\n{line}"));
                assert_eq!((read.len(), read.last()), (2, Some(&right)), "{head}: {line}");
            }
        }
        let head = "序号\t收货人\t电话\t订单号\t快递单号";
        let pasted = format!(
            "{head}\n1\t张三\t\t{ORDER_NO}\tSF1234567890123\n{ORDER_NO}\t圆通\tYT8812345678901\n\t今天的都在这里"
        );
        let brought = paste(&pasted).unwrap();
        assert_eq!((brought.rows.len(), &brought.rows[1].tracking_no[..]), (2, "YT8812345678901"));
        assert!(
            brought.read_as.contains(&"没有订单号和快递单号，没有用的行：第 4 行".to_owned()),
            "{:?}",
            brought.read_as
        );
    }

    /// The headings and a row of the tables that couriers and other programs give out, in which the number of this shop's
    /// order is one of several.
    #[test]
    fn tables_of_couriers_and_of_other_programs_are_read() {
        for (head, row) in [
            (
                "序号,订单号,运单号,子单号,客户订单号,寄件时间,产品类型",
                "1,F2026112811223344,YT8812345678901,,{},2026-11-28 12:00,标快",
            ),
            ("运单号,商家订单号,收件人,收件人手机,重量(kg)", "YT8812345678901,{},王,13900000000,1.2"),
            ("物流订单号,客户订单号,运单号", "YT20261128112233,{},YT8812345678901"),
            ("运单编号,客户订单编号,目的网点", "YT8812345678901,{},杭州"),
            ("快递单号,快递公司编码,自定义订单号", "YT8812345678901,YTO,{}"),
            ("快递公司,快递单号,外部单号", "圆通,YT8812345678901,{}"),
            ("内部订单号,线上订单号,快递公司,快递单号,数量", "1234567,{},圆通,YT8812345678901,3"),
            ("订单编号,原始单号,物流公司,物流单号,货品数量", "JY202611280001,{},圆通,YT8812345678901,3"),
            ("系统单号,线上单号,快递,运单号", "XT1,{},圆通,YT8812345678901"),
            ("订单编号,外部平台单号,快递公司,快递单号", "S1,{},圆通,YT8812345678901"),
            ("订单号,支付单号,快递单号", "7731,{},YT8812345678901"),
            ("订单号,物流商,运单", "{},圆通,YT8812345678901"),
            ("订单号,配送公司,配送单号", "{},圆通,YT8812345678901"),
            ("订单号,公司,单号", "{},圆通,YT8812345678901"),
            ("订单号,快递公司,快递单号,运单号", "{},圆通,,YT8812345678901"),
            ("订单号,快递公司,快递单号,运单号", "{},圆通,yt8812345678901,YT8812345678901"),
            ("订单号,快递公司,快递单号,运单号", "{},圆通,见右,YT8812345678901"),
            ("订单号：请勿修改,快递公司：下拉选择,快递单号：请填写", "{},圆通,YT8812345678901"),
            ("1.订单号,2.快递公司,3.快递单号", "{},圆通,YT8812345678901"),
            ("orderNo,expressCompany,expressNo", "{},YTO,YT8812345678901"),
        ] {
            let read = cells(&format!("{head}\n{}\n", row.replace("{}", ORDER_NO)).replace(',', "\t"));
            assert_eq!((read.len(), read[0][0].as_str(), read[0][3].as_str()), (1, ORDER_NO, ""), "{head}");
            assert_eq!(read[0][2].to_uppercase(), "YT8812345678901", "{head}");
        }
        let two = cells(&format!("订单号\t快递单号\t运单号\n{ORDER_NO}\tYT8812345678901\tYT8812345678902"));
        assert!(two[0][3].contains("「快递单号」是 YT8812345678901，「运单号」是 YT8812345678902"), "{two:?}");
        for company in ["YT8812345678901", "圆通YT8812345678901"] {
            let misplaced = cells(&format!("订单号\t快递公司\t快递单号\n{ORDER_NO}\t{company}\t"));
            assert!(misplaced[0][3].contains("是单号 YT8812345678901"), "{misplaced:?}");
        }
    }

    #[test]
    fn two_columns_of_one_thing_are_read_where_they_say_the_same() {
        let read = |head: &str, row: &str| {
            let brought = paste(&format!("订单号\t{head}\n{ORDER_NO}\t{row}"));
            brought.map(|brought| (brought.rows[0].tracking_no.clone(), brought.rows[0].in_its_cells()))
        };
        let number = "YT8812345678901";
        for row in [format!("{number}\t{number}"), format!("{number}\t"), format!("{number}\tyt8812345678901")] {
            assert_eq!(read("运单号\t运单号", &row), Ok((number.to_owned(), String::new())), "{row}");
        }
        for (head, row) in
            [("运单号\t运单号", "YT8812345678901\tYT8812345678902"), ("运单号\t运单号", "\tYT8812345678901")]
        {
            assert!(read(head, row).unwrap_err().contains("有两列"), "{row}");
        }
        // Who carries it, too.
        let head = "快递公司\t物流公司\t快递单号";
        for (companies, problem) in [
            ("中通\t圆通", "「快递公司」是中通快递，「物流公司」是圆通速递：请在这里改"),
            ("圆通\tYTO", ""),
            ("圆通\t", ""),
            ("圆通\t同城配送部", ""),
        ] {
            assert_eq!(read(head, &format!("{companies}\t{number}")).unwrap().1, problem, "{companies}");
        }
    }

    #[test]
    fn rows_below_what_is_called_void_are_asked_about() {
        const OTHER: &str = "20261008ABCDEFGHJL";
        let (head, one) = ("订单号\t快递公司\t快递单号", format!("{ORDER_NO}\t中通\t75312345678901"));
        let other = format!("{OTHER}\t中通\t75312345678902");
        let asked = |text: &str| {
            let rows = paste(text).unwrap_or_else(|e| panic!("{text}: {e}")).rows;
            let of =
                |no: &str| rows.iter().find(|row| row.order_no == no).unwrap().beside().collect::<Vec<_>>().join("；");
            [of(ORDER_NO), of(OTHER)]
        };
        for (line, void) in [
            ("以下作废", "这一行在“以下作废”下面"),
            ("取消的订单", "这一行在“取消的订单”下面"),
            ("退货登记", "这一行在“退货登记”下面"),
            ("下午发的", ""),
            ("以下已付款", ""),
        ] {
            assert_eq!(asked(&format!("{head}\n{one}\n{line}\n{other}")), ["", void], "{line}");
            let anew = format!("{head}\n{one}\n{line}\n快递单号\t快递公司\t订单号\n75312345678902\t中通\t{OTHER}");
            assert_eq!(asked(&anew), ["", void], "{line}");
            assert_eq!(asked(&format!("{head}\n{one}\n{line}\n{head}\n{other}")), ["", void], "{line}");
        }
        for (title, void) in [("11月29日 已作废面单明细", true), ("退货入库登记表", true), ("11月29日发货明细", false)]
        {
            let read = asked(&format!("{title}\n{head}\n{one}\n{other}"));
            assert_eq!(read.map(|words| words.contains(title)), [void, void], "{title}");
        }
    }

    #[test]
    fn a_second_column_of_numbers_is_asked_about_where_it_differs() {
        let asked = |head: &str, row: &str| cells(&format!("订单号\t{head}\n{ORDER_NO}\t{row}"))[0][3].clone();
        for (one, other) in [
            ("快递单号", "物流单号"),
            ("快递单号", "快递号"),
            ("快递单号", "包裹号"),
            ("快递单号", "单号"),
            ("运单号", "面单号"),
            ("运单号", "电子面单号"),
            ("快递单号", "快递信息"),
            ("快递单号", "实际快递单号"),
            ("快递单号", "最终单号"),
            ("快递单号", "实发单号"),
            ("快递单号", "换单号"),
            ("快递单号", "第二单号"),
            ("快递单号", "备用单号"),
            ("快递单号", "回传单号"),
            ("快递单号", "仓库回传"),
            ("快递单号", "更新"),
            ("快递单号", "电子面单"),
            ("快递单号", "新运单"),
            ("快递单号", "补充"),
            ("运单号", "快递2"),
        ] {
            let head = format!("{one}\t{other}");
            let words = asked(&head, "75312345678901\tYT8812345678901");
            assert!(words.contains("75312345678901") && words.contains("YT8812345678901"), "{head}: {words}");
            for same in ["75312345678901\t75312345678901", "75312345678901\t", "75312345678901\t见左"] {
                assert_eq!(asked(&head, same), "", "{head} {same}");
            }
        }
        for (other, number) in [
            ("包裹号", "BG202611290001"),
            ("寄回快递单号", "YT8812345678901"),
            ("母单号", "75312345670000"),
            ("子单号", "75312345670000"),
            ("批次号", "75312345670000"),
            ("打印批次", "75312345670000"),
            ("微信支付单号", "4200002611202611280000000097"),
            ("平台订单号", "75312345670000"),
            ("淘宝订单号", "YT8812345678901"),
            ("出库单号", "75312345670000"),
            ("系统单号", "75312345670000"),
            ("流水号", "75312345670000"),
            ("快递员电话", "13900001111"),
            ("编号", "463123456789012"),
            ("识别码", "75312345670000"),
            ("网点", "75312"),
            ("打印时间", "2026-11-29 10:01:02"),
        ] {
            assert_eq!(asked(&format!("快递单号\t{other}"), &format!("75312345678901\t{number}")), "", "{other}");
        }
        for head in ["更换后单号", "新单号", "改后快递单号"] {
            let words = asked(&format!("快递单号\t{head}"), "\tYT8812345678901");
            assert!(words.contains("这里是空的"), "{head}: {words}");
        }
        for (other, company, asks) in [
            ("配送方式", "圆通", true),
            ("发货快递", "圆通", true),
            ("面单类型", "圆通", true),
            ("配送方式", "快递", false),
            ("配送方式", "中通快递", false),
            ("配送方式", "送货上门", false),
            ("物流状态", "运输中", false),
            ("买家指定快递", "圆通", false),
            ("寄回快递公司", "圆通", false),
            ("快递网点", "圆通", false),
            ("店铺", "圆通", false),
        ] {
            let words = asked(&format!("快递公司\t{other}\t快递单号"), &format!("中通\t{company}\t75312345678901"));
            assert_eq!(words.contains("圆通"), asks, "{other}={company}: {words}");
            assert!(asks || words.is_empty(), "{other}={company}: {words}");
        }
        let companies = asked("快递公司\t发货快递公司\t快递单号", "中通\t圆通\t75312345678901");
        assert!(companies.contains("「发货快递公司」是圆通速递"), "{companies}");
        assert!(paste(&format!("订单号\t寄回快递单号\n{ORDER_NO}\t75312345678901")).is_err());
    }

    /// What stands out in each row of a table.
    fn stands_out(text: &str) -> Vec<(usize, String)> {
        let rows = paste(text).unwrap_or_else(|e| panic!("{text}: {e}")).rows;
        let asked =
            |row: &Row| row.remarks.iter().filter(|remark| remark.asks).map(|remark| remark.text.clone()).collect();
        rows.iter()
            .flat_map(|row| {
                let asked: Vec<String> = asked(row);
                asked.into_iter().map(|text| (row.line, text))
            })
            .collect()
    }

    #[test]
    fn what_most_tables_say_beside_a_parcel_does_not_stand_out() {
        let head = "订单号\t快递公司\t快递单号\t业务类型\t付款方式\t计费重量(kg)\t运费\t揽收时间\t目的地\t业务员\t状态\t是否保价\t\
                    大头笔\t打印批次\t店铺名称\t买家昵称\t代收货款\t省\t市\t收件公司\t物流模板\t子订单数\t包装";
        let row = |n: usize| {
            let status = ["待发货", "待发货", "已打印", "已揽收", "运输中"][n % 5];
            let pay = if n % 10 == 3 { "到付" } else { "月结" };
            let (kind, city, cash) = (
                ["标快", "特快"][usize::from(n == 4)],
                ["杭州", "宁波", "成都"][n % 3],
                ["", "200"][usize::from(n == 7)],
            );
            format!(
                "{ORDER_NO}\t中通\t7531234567{n:04}\t{kind}\t{pay}\t1.{n}\t8.00\t2026-11-29 10:{n:02}\t{city}\t王五\t{status}\t否\t\
                 {city} 300-12\tB1\t小铺\t小鱼{n}\t{cash}\t浙江省\t{city}\t\t默认\t1\t纸箱"
            )
        };
        for n in [1, 3, 5, 30] {
            let rows = (0..n).map(row).collect::<Vec<_>>().join("\n");
            let few: Vec<_> = stands_out(&format!("{head}\n{rows}"));
            assert_eq!(few, [], "{n}");
        }
    }

    #[test]
    fn a_cell_that_others_leave_empty_stands_out_and_a_rare_word_among_few() {
        let table = |title: &str, said: &dyn Fn(usize) -> &'static str, n: usize| {
            let row = |n: usize| format!("{ORDER_NO}\t中通\t7531234567{n:04}\t{}", said(n));
            format!("订单号\t快递公司\t快递单号\t{title}\n{}", (0..n).map(row).collect::<Vec<_>>().join("\n"))
        };
        let only = |said: &'static str| move |n: usize| if n == 2 { said } else { "" };
        let among = |said: &'static str, others: &'static str| move |n: usize| if n == 2 { said } else { others };
        for (title, said) in [
            ("备注", "明天发"),
            ("备注", "换个地址"),
            ("注", "用下面的单号"),
            ("其他", "停"),
            ("操作", "作废"),
            ("处理意见", "不发"),
            ("失败原因", "余额不足"),
            ("单据", "已作廢"),
            ("是否发货", "×"),
            ("是否有效", "无效"),
            ("", "退了"),
            ("撤单", "是"),
        ] {
            for n in [3, 30] {
                let found = stands_out(&table(title, &only(said), n));
                let known = void::in_cells([(title, said)].into_iter()).next().is_some();
                assert!(known || found == [(4, said.to_owned())], "{title} {said} {n}: {found:?}");
            }
        }
        // Tracks that differ from row to row tell nothing.
        let tracks = ["【杭州】已揽收 18:05", "到达转运中心", "已打印 10:01", "第3张", "运输中-深圳"];
        for title in ["最新物流", "快递状态", "打印状态"] {
            let found = stands_out(&table(title, &|n: usize| tracks[n % tracks.len()], 30));
            assert!(found.is_empty(), "{title}: {found:?}");
        }
        for (title, said, others) in [
            ("订单状态", "已截停", "待发货"),
            ("订单状态", "停", "已打印"),
            ("面单", "已释放", "正常"),
            ("是否加急", "是", "否"),
            ("启用标志", "0", "1"),
            ("最新物流", "客户拒收", "运输中"),
        ] {
            let found = stands_out(&table(title, &among(said, others), 30));
            assert_eq!(found, [(4, said.to_owned())], "{title} {said} {others}");
        }
        for (title, said, others) in [
            ("订单状态", "已打印", "待发货"),
            ("业务类型", "特快", "标快"),
            ("产品类型", "中通特快", "中通标快"),
            ("产品类型", "标准快递", "特惠件"),
            ("件重", "1.2", "0.5"),
            ("备注二", "上海", "杭州"),
        ] {
            assert_eq!(stands_out(&table(title, &among(said, others), 30)), [], "{title} {said}");
        }
        for (title, said) in
            [("产品类型", "中通标快"), ("产品类型", "标准快递"), ("产品类型", "标准产品"), ("快件类型", "文件")]
        {
            assert_eq!(stands_out(&table(title, &|_| said, 3)), [], "{title} {said}");
        }
        for (title, said) in [("产品类型", "顺丰标快"), ("业务类型", "特快专递")] {
            assert_eq!(stands_out(&table(title, &|_| said, 3)).len(), 3, "{title} {said}");
        }
        for (title, said) in [("产品类型", "退回件"), ("订单类型", "补发单"), ("业务类型", "快递拦截")]
        {
            assert_eq!(stands_out(&table(title, &among(said, "标快"), 30)).len(), 1, "{title} {said}");
        }
        let each = |n: usize| ["甲", "乙", "丙", "丁", "戊", "己", "庚", "辛"][n % 8];
        assert_eq!(stands_out(&table("备注", &each, 30)), [], "where every row has one, none stands out");
    }

    /// What is asked of each row of a table with one more column: in its questions, or because it stands out.
    fn asked_with(title: &str, said: &dyn Fn(usize) -> String, n: usize) -> Vec<(usize, String)> {
        let row = |n: usize| format!("{ORDER_NO}\t中通\t7531234567{n:04}\t{}", said(n));
        let text = format!("订单号\t快递公司\t快递单号\t{title}\n{}", (0..n).map(row).collect::<Vec<_>>().join("\n"));
        let rows = paste(&text).unwrap_or_else(|e| panic!("{text}: {e}")).rows;
        let asked = |row: &Row| {
            let out = row.remarks.iter().filter(|remark| remark.asks).map(Remark::text);
            let asked: Vec<String> = row.questions.iter().map(|question| question.words.clone()).chain(out).collect();
            (row.line, asked.join("；"))
        };
        rows.iter().map(asked).filter(|(_, words)| !words.is_empty()).collect()
    }

    #[test]
    fn a_remark_that_stops_its_parcel_is_asked_about_however_many_rows_have_one() {
        let full = |said: &'static str| {
            move |n: usize| {
                if n == 2 { said.to_owned() } else { format!("客户第{}次来", ["一", "二", "三"][n % 3]) }
            }
        };
        for title in ["卖家备注", "买家留言"] {
            for said in [
                "等货",
                "明天发",
                "不用了",
                "改发顺丰",
                "先放着",
                "上门自提",
                "已补发",
                "重单",
                "hold",
                "别动，客户要换个地址",
            ] {
                for n in [3, 30] {
                    let asked = asked_with(title, &full(said), n);
                    assert!(
                        asked.iter().any(|(line, words)| *line == 4 && words.contains(said)),
                        "{title} {said} {n}: {asked:?}"
                    );
                    assert!(n < 5 || asked.len() == 1, "{title} {said}: {asked:?}");
                }
            }
            for said in ["放门口", "送贺卡，谢谢", "不要发票", "少糖"] {
                assert_eq!(asked_with(title, &full(said), 30), [], "{title} {said}");
            }
        }
        // A number or a telephone alone, where others have nothing; not one that stands in the row already.
        let only = |said: &'static str| move |n: usize| if n == 2 { said.to_owned() } else { String::new() };
        for said in ["YT8812345678901", "75312345699999", "SF1234567890123", "13900001111", "139 0000 1111"] {
            assert_eq!(asked_with("备注", &only(said), 30).len(), 1, "{said}");
        }
        for said in ["75312345670002", "2026-11-29 10:00", "20261129", "12.50", "3"] {
            assert_eq!(asked_with("备注", &only(said), 30), [], "{said}");
        }
        let asked = asked_with("备注", &only("退货，打 13900001111"), 30);
        assert!(asked[0].1.contains("139****1111"), "{asked:?}");
    }

    #[test]
    fn what_is_wished_of_a_parcel_is_no_question_even_in_a_short_table() {
        for said in ["放门口", "生日快乐", "送贺卡", "加冰袋，谢谢", "轻拿轻放", "不在家请放驿站"]
        {
            for n in [1, 2, 4, 30] {
                for title in ["备注", "买家留言", "赠品", ""] {
                    let only = |at: usize| if at == 0 { said.to_owned() } else { String::new() };
                    assert_eq!(asked_with(title, &only, n), [], "{title} {said} {n}");
                }
            }
        }
        assert_eq!(asked_with("操作", &|n| ["作废", "打单", "打单"][n].to_owned(), 3).len(), 1);
    }

    #[test]
    fn a_column_that_tells_of_parcels_in_free_words_is_heard() {
        let tracks = ["【杭州】已揽收 18:05", "到达转运中心", "快件已发往深圳", "派送中-深圳", "由小李签收"];
        for title in ["物流信息", "物流详情", "最新轨迹", "快递动态", "运单信息"] {
            for (said, asks) in [
                ("客户拒收，已退回寄件人", true),
                ("运单已回收", true),
                ("已退回", true),
                ("【杭州】未取消，派送中", false),
                ("到达杭州", false),
            ] {
                let among = |n: usize| if n == 7 { said.to_owned() } else { format!("{} {n}", tracks[n % 5]) };
                let asked = asked_with(title, &among, 30);
                assert_eq!(asked.len(), usize::from(asks), "{title} {said}: {asked:?}");
            }
        }
        for (title, said, asks) in [
            ("是否有效", "无效", true),
            ("有效性", "无效", true),
            ("有效性", "失效", true),
            ("单号有效", "无效", true),
            ("面单是否有效", "失效", true),
            ("有效性", "有效", false),
            ("是否有效", "是", false),
            ("收货信息", "杭州市关闭路1号", false),
            ("商品信息", "退货险礼盒", false),
            ("商品状态", "已退款", true),
            ("商品状态", "缺货", true),
            ("货品状态", "已取消", true),
            ("回单单号", "75312345678", false),
            ("回传结果", "已取消", true),
            ("回传结果", "失败", false),
            ("同步状态", "已同步", false),
            ("是否已发货", "否", false),
        ] {
            for usual in ["有效", said] {
                let among = |n: usize| if n == 7 { said.to_owned() } else { usual.to_owned() };
                let asked = asked_with(title, &among, 30);
                let right = if !asks {
                    0
                } else if usual == said {
                    30
                } else {
                    1
                };
                assert_eq!(asked.len(), right, "{title} {said} {usual}: {asked:?}");
            }
        }
    }

    #[test]
    fn a_line_of_a_chat_is_read_by_its_look() {
        let right = |company: &str, number: &str| vec![[ORDER_NO, company, number, ""].map(str::to_owned)];
        assert_eq!(cells(&format!("订单 {ORDER_NO} 顺丰 SF1402668877889 谢谢")), right("顺丰", "SF1402668877889"));
        assert_eq!(cells(&format!("订单 {ORDER_NO} 快递 顺丰 单号 SF1402668877889")), right("顺丰", "SF1402668877889"));
        assert_eq!(cells(&format!("{ORDER_NO} 中通 7531 2345 6789 01")), right("中通", "75312345678901"));
        assert_eq!(cells(&format!("{ORDER_NO} 中通 75312345678901（中通）")), right("中通", "75312345678901"));
        assert_eq!(cells(&format!("{ORDER_NO} 中通 ZTO：75312345678901")), right("中通", "75312345678901"));
        let two = cells(&format!("{ORDER_NO} 中通 圆通：75312345678901"));
        assert!(two[0][3].contains("几家快递公司（中通、圆通）"), "{two:?}");
        for other in ["11010519491231002X", "6901234567892"] {
            assert_eq!(cells(&format!("{ORDER_NO} 中通 {other}")), right("中通", other));
            assert_eq!(cells(&format!("{ORDER_NO} 中通 {other} 75312345678901")), right("中通", "75312345678901"));
        }
    }

    #[test]
    fn what_stands_on_several_lines_is_one_parcel() {
        const OTHER: &str = "20261008ABCDEFGHJL";
        let right = [[ORDER_NO, "中通", "75312345678901", ""], [OTHER, "圆通", "YT8812345678901", ""]];
        let right = right.map(|row| row.map(str::to_owned)).to_vec();
        for text in [
            format!(
                "订单号：{ORDER_NO}\n快递：中通\n单号：75312345678901\n\n订单号：{OTHER}\n快递：圆通\n单号：YT8812345678901"
            ),
            format!("{ORDER_NO}\n中通 75312345678901\n{OTHER}\n圆通 YT8812345678901\n"),
            format!("{ORDER_NO}\n中通\n75312345678901\n{OTHER}\n圆通\nYT8812345678901\n"),
        ] {
            assert_eq!(cells(&text), right, "{text}");
        }
        for (text, read) in [
            (format!("单号来啦\n{ORDER_NO}\n中通75312345678901\n{OTHER}\n圆通YT8812345678901"), &right),
            (format!("{ORDER_NO}\n中通75312345678901\n{OTHER}\n圆通YT8812345678901\n辛苦了"), &right),
            (
                format!(
                    "小王 2026/11/29 10:01:02\n{ORDER_NO}\n中通 75312345678901\n小王 11-29 10:02\n{OTHER}\n圆通 YT8812345678901"
                ),
                &right,
            ),
            (
                format!(
                    "今天的单号来啦\n小王 2026/11/29 10:01:02\n{ORDER_NO} 中通 75312345678901\n辛苦了\n小王 10:02\n{OTHER} 圆通 YT8812345678901"
                ),
                &right,
            ),
        ] {
            assert_eq!(cells(&text), *read, "{text}");
        }
        let chat =
            paste(&format!("辛苦了\n{ORDER_NO} 中通 75312345678901\n小王 10:02\n上面那个先别发\n李四 13900001111"));
        let chat = chat.unwrap();
        assert_eq!(chat.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [2, 4, 5]);
        assert!(chat.read_as.join("").contains("没有用的行：第 1、3 行"), "{:?}", chat.read_as);
        let brought = paste(&format!("{ORDER_NO}\n75312345678901\n\n{OTHER}\nYT8812345678901")).unwrap();
        assert_eq!(brought.rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 4]);
        for text in [
            format!("{ORDER_NO}\n75312345678901\n75312345678902\n{OTHER}"),
            format!("{ORDER_NO} 75312345678901\n{OTHER}"),
            format!("75312345678901\n{ORDER_NO}"),
            format!("{ORDER_NO}\n{OTHER}"),
            // Numbers above their orders, and the first order has none.
            format!("{ORDER_NO}\n\n中通 75312345678901\n{OTHER}\n\n圆通 YT8812345678901\n20261008ABCDEFGHJM"),
            format!("{ORDER_NO} 缺货\n中通 75312345678901\n{OTHER}\n圆通 YT8812345678901\n20261008ABCDEFGHJM"),
            format!("订单号,快递单号\n{ORDER_NO},"),
        ] {
            assert_eq!(a_line_for_each(&text), None, "{text}");
        }
    }

    #[test]
    fn a_carrier_that_is_written_once_is_that_of_its_rows() {
        const OTHER: &str = "20261008ABCDEFGHJL";
        let (one, two) = (format!("{ORDER_NO}\tSF1234567890123"), format!("{OTHER}\t4312345678901"));
        let by = |text: &str| cells(text).into_iter().map(|[_, company, ..]| company).collect::<Vec<_>>().join(" ");
        for (text, right) in [
            (format!("顺丰快运：\n{one}\n{two}"), "顺丰快运 顺丰快运"),
            (format!("以下都是申通\n{one}\n韵达：\n{two}"), "申通 韵达"),
            (format!("{one}\n{two}\n以上都是申通"), "申通 申通"),
            (format!("{one}\n以上是顺丰快运，以下是申通\n{two}"), " "),
            (format!("{one}\n以上都是顺丰快运\n{two}\n以上都是申通"), "顺丰快运 申通"),
            (format!("今天走申通\n{ORDER_NO} 中通 75312345678901\n{two}"), "中通 申通"),
            (format!("订单号\t快递单号\n顺丰快运\t\n{one}\n申通\t\n{two}"), "顺丰快运 申通"),
            (format!("申通快递12月1日发货明细\t\n订单号\t快递单号\n{one}\n{two}"), "申通快递 申通快递"),
            (format!("今天发顺丰的有两单\n{one}\n{two}"), " "),
            (format!("订单号\t快递单号\t快递公司\n{one}\t顺丰快运\n{two}\t同上"), "顺丰快运 顺丰快运"),
            (format!("订单号\t快递单号\t快递公司\n{one}\t0\n{two}\t"), " "),
        ] {
            assert_eq!(by(&text), right, "{text}");
        }
        for (text, right) in [
            (format!("今天的申通：\n{two}"), "申通"),
            (format!("申通（2票）\n{two}"), "申通"),
            (format!("仓库1 申通\n{two}"), "申通"),
            // Below all of them, where nothing parts them.
            (format!("{one}\n{two}\n都是顺丰快运"), "顺丰快运 顺丰快运"),
            (format!("{one}\n{two}\n顺丰快运"), "顺丰快运 顺丰快运"),
            (format!("{ORDER_NO} 中通 75312345678901\n{two}\n都是申通"), "中通 申通"),
            (format!("顺丰快运：\n{one}\n申通："), "顺丰快运"),
            (format!("韵达\n{one}\n申通\n{two}\n圆通"), "韵达 申通"),
            (format!("{one}\n以上都是顺丰快运\n{two}\n申通"), "顺丰快运 申通"),
        ] {
            assert_eq!(by(&text), right, "{text}");
        }
        // What a file is called says it last, and of none that is surely another's.
        for (name, right) in [
            ("申通面单.xlsx", " 申通"),
            ("顺丰快运12月1日.csv", "顺丰快运 顺丰快运"),
            ("发货明细.xlsx", " "),
            ("申通和中通.csv", " "),
        ] {
            let text = format!("订单号,快递单号\n{one}\n{two}").replace('\t', ",");
            let rows = read_named(text.as_bytes(), name).unwrap().rows;
            let read = rows.iter().map(|row| row.company.clone()).collect::<Vec<_>>().join(" ");
            assert_eq!(read, right, "{name}");
            let said = format!("订单号,快递公司,快递单号\n{}", two.replace('\t', ",韵达,"));
            assert_eq!(read_named(said.as_bytes(), name).unwrap().rows[0].company, "韵达", "{name}");
        }
        let told = paste(&format!("顺丰快运：\n{one}")).unwrap().read_as.join("；");
        assert!(told.contains("快递公司 ← 没有写的，按上面或下面写的“顺丰快运：”"), "{told}");
        // An empty cell below one that is filled: asked where the number may be either's.
        for (company, number, asks) in [
            ("顺丰快运", "SF1234567890123", true),
            ("京东快运", "JD1234567890123", true),
            ("EMS", "9812345678901", true),
            ("申通", "4312345678901", true),
            ("丰网", "SF1234567890123", true),
            ("顺丰速运", "SF1234567890123", false),
            ("圆通", "SF1234567890123", false),
            ("", "SF1234567890123", false),
        ] {
            let text = format!("订单号\t快递公司\t快递单号\n{ORDER_NO}\t{company}\tX1234567890\n{OTHER}\t\t{number}");
            let words = cells(&text)[1][3].clone();
            assert_eq!(words.contains("这一行没写，单号像是"), asks, "{company} {number}: {words}");
        }
    }

    #[test]
    fn a_title_may_name_the_carrier_of_its_numbers() {
        for (head, row, read) in [
            ("快递单号（圆通）", "75312345679107", ["圆通", "75312345679107", ""]),
            ("圆通快递单号", "75312345679107", ["圆通", "75312345679107", ""]),
            ("顺丰单号", "SF1234567890123", ["顺丰", "SF1234567890123", ""]),
            ("EMS单号", "1234567890123", ["EMS", "1234567890123", ""]),
            ("中通单号\t圆通单号", "75312345678901\t", ["中通", "75312345678901", ""]),
            ("中通单号\t圆通单号", "\tYT8812345678901", ["圆通", "YT8812345678901", ""]),
            ("快递公司\t快递单号（圆通）", "中通\t75312345679107", ["中通", "75312345679107", ""]),
            ("快递单号\t顺丰单号", "YT8812345678901\t", ["", "YT8812345678901", ""]),
            ("快递单号（必填）\t菜鸟面单号", "YT8812345678901\t", ["", "YT8812345678901", ""]),
            ("包裹单号", "518123456789", ["", "518123456789", ""]),
            ("快递包裹单号", "518123456789", ["", "518123456789", ""]),
            ("快递", "75312345678901", ["", "75312345678901", ""]),
            ("物流", "中通 75312345678901", ["", "中通 75312345678901", ""]),
            ("快递\t快递单号", "中通\t75312345678901", ["中通", "75312345678901", ""]),
            ("发货信息", "中通 75312345678901", ["", "中通 75312345678901", ""]),
            ("快递", "圆通速递（YT8812345678901）", ["", "圆通速递（YT8812345678901）", ""]),
        ] {
            let right = [ORDER_NO, read[0], read[1], read[2]].map(str::to_owned);
            assert_eq!(cells(&format!("订单号\t{head}\n{ORDER_NO}\t{row}")), [right], "{head}");
        }
        for (head, row) in [
            ("中通单号\t圆通单号", "75312345678901\tYT8812345678901"),
            ("快递单号\t顺丰单号", "YT8812345678901\tSF1234567890123"),
        ] {
            let asked = cells(&format!("订单号\t{head}\n{ORDER_NO}\t{row}"));
            assert!(!asked[0][3].is_empty(), "{head}: {asked:?}");
        }
        let said = paste(&format!("订单号\t中通单号\t圆通单号\n{ORDER_NO}\t75312345678901\t")).unwrap().read_as;
        assert!(
            said.join("；").contains("按列名“中通单号”、“圆通单号”") && !said.join("").contains("没有用到"),
            "{said:?}"
        );
        for title in ["快递单号", "国际运单号", "电子面单号", "快递公司及单号", "退货顺丰单号", "顺丰订单号"]
        {
            assert_eq!(carrier_of(title), None, "{title}");
        }
    }

    /// How people cross out a number, and leave its row.
    #[test]
    fn a_number_that_is_struck_through_alone_is_asked_about() {
        let asked = |struck: usize| {
            let mut book = rust_xlsxwriter::Workbook::new();
            let (sheet, line) = (book.add_worksheet(), rust_xlsxwriter::Format::new().set_font_strikethrough());
            let heads = ["订单号", "快递公司", "快递单号", "重量"];
            let cells = [ORDER_NO, "中通", "75312345678901", "1"];
            for (at, (head, cell)) in heads.into_iter().zip(cells).enumerate() {
                sheet.write_string(0, at as u16, head).unwrap();
                match at == struck {
                    true => sheet.write_string_with_format(1, at as u16, cell, &line).unwrap(),
                    false => sheet.write_string(1, at as u16, cell).unwrap(),
                };
            }
            let brought = read(&book.save_to_buffer().unwrap()).unwrap();
            brought.rows[0].beside().collect::<Vec<_>>().join("；")
        };
        assert_eq!(asked(2), "「快递单号」一格在表里是划掉的");
        assert_eq!(asked(0), "「订单号」一格在表里是划掉的");
        assert_eq!(asked(3), "");
    }

    #[test]
    fn a_couriers_parcels_are_no_pieces() {
        let pieces = |head: &str| {
            let brought = paste(&format!("订单号\t快递单号\t件数\t{head}\n{ORDER_NO}\tYT8812345678901\t1\tx")).unwrap();
            (brought.rows[0].pieces.clone(), brought.read_as.iter().any(|said| said.contains("包裹数")))
        };
        for head in
            "寄件人 寄件时间 月结账号 托寄物 计费重量(kg) 重量(kg) 体积 目的地 保价 打印时间 打印批次 揽收时间 签收状态"
                .split(' ')
        {
            assert_eq!(pieces(head), (String::new(), true), "{head}");
        }
        for head in ["重量(kg)\t商品名称", "运费\t商家编码", "备注"] {
            assert_eq!(pieces(head), ("1".to_owned(), false), "{head}");
        }
        assert_eq!(pieces("收货人"), ("1".to_owned(), false));
    }

    #[test]
    fn a_count_of_goods_is_known_by_what_its_title_ends_with() {
        for (head, right) in [
            ("销量", "2"),
            ("数", "2"),
            ("量", "2"),
            ("合计数量", "2"),
            ("明细数量", "2"),
            ("单品数量", "2"),
            ("组合数量", "2"),
            ("物品数量", "2"),
            ("商品总数", "2"),
            ("订单商品数", "2"),
            ("包裹数量", ""),
            ("发票数量", ""),
            ("库存数量", ""),
            ("赠品数量", ""),
            ("退货数量", ""),
            ("打印数量", ""),
            ("重量", ""),
        ] {
            let brought = paste(&format!("订单号\t快递单号\t{head}\n{ORDER_NO}\tYT8812345678901\t2")).unwrap();
            assert_eq!(brought.rows[0].goods.quantity, right, "{head}");
        }
    }

    #[test]
    fn two_orders_in_one_row_are_two_rows() {
        const OTHER: &str = "20261008ABCDEFGHJL";
        for text in [
            format!("订单号\t快递单号\n{ORDER_NO}、{OTHER}\tYT8812345678901"),
            format!("订单号\t快递单号\n\"{ORDER_NO}\n{OTHER}\"\tYT8812345678901"),
            format!("{ORDER_NO}\t{OTHER}\tYT8812345678901"),
            format!("{ORDER_NO} {OTHER} YT8812345678901"),
        ] {
            let read: Vec<(String, String)> = cells(&text).into_iter().map(|[no, _, number, _]| (no, number)).collect();
            let right = [ORDER_NO, OTHER].map(|no| (no.to_owned(), "YT8812345678901".to_owned()));
            assert_eq!(read, right, "{text}");
        }
        let counted = cells(&format!("订单号\t件数\t快递单号\n{ORDER_NO}/{OTHER}\t2\tYT8812345678901"));
        assert!(counted.len() == 2 && counted[1][3].contains("2 笔订单"), "{counted:?}");
        let attempt = cells(&format!("{ORDER_NO}\t{ORDER_NO}01\tYT8812345678901"));
        assert_eq!((attempt.len(), attempt[0][0].as_str()), (1, ORDER_NO));
    }

    #[test]
    fn more_goods_below_the_first_of_an_order_are_its_own() {
        const OTHER: &str = "20261008ABCDEFGHJL";
        let read = |rows: &str| {
            let head = "订单号\t收货人\t商品名称\t件数\t快递公司\t快递单号";
            let brought = paste(&format!("{head}\n{ORDER_NO}\t李雷\t购物袋\t1\t中通\t75312345678901\n{rows}"));
            let rows = brought.unwrap().rows;
            let row = |row: &Row| format!("{} {} {}", row.order_no, row.company, row.tracking_no);
            rows.iter().skip(1).map(row).collect::<Vec<_>>()
        };
        let own = format!("{ORDER_NO} 中通 75312345678901");
        for (rows, right) in [
            ("\t\t中筒袜\t4\t\t\n\t\t大米\t2\t\t", vec![own.clone(), own.clone()]),
            ("\t\t中筒袜\t4\t中通\t75312345678901", vec![own.clone()]),
            ("\t李雷\t中筒袜\t4\t\t", vec![own.clone()]),
            ("同上\t\t中筒袜\t4\t同上\t同上", vec![own.clone()]),
            // Another's, nobody's goods, and another parcel of which nobody knows.
            ("\t韩梅梅\t中筒袜\t4\t\t", vec![]),
            ("\t\t\t7\t\t", vec![]),
            ("合计\t\t\t7\t\t", vec![]),
            ("\t\t中筒袜\t4\t圆通\tYT8812345678901", vec![" 圆通 YT8812345678901".to_owned()]),
            (
                &format!("{OTHER}\t王五\t中筒袜\t4\t\t\n\t\t大米\t2\t\t"),
                vec![format!("{OTHER}  "), format!("{OTHER}  ")],
            ),
            ("ERP123456\t王五\t中筒袜\t4\t\t\n\t\t大米\t2\t\t", vec!["ERP123456  ".to_owned()]),
        ] {
            assert_eq!(read(rows), right, "{rows}");
        }
    }

    #[test]
    fn columns_are_named_and_what_is_left_out_is_said() {
        let brought =
            paste("2026年11月28日发货明细\n订单号\t备注\t运单号\n20261008ABCDEFGHJK\tx\tSF1234567890123").unwrap();
        let said = brought.read_as.join("；");
        assert!(said.contains("快递单号 ← C 列“运单号”") && said.contains("备注"), "{said}");
        assert_eq!(brought.rows[0].line, 3);
        assert!(paste("订单号\t快递公司\n1\t顺丰").unwrap_err().contains("没有「快递单号」"));
        assert!(paste("订单号\t单号\n").is_err());
    }

    #[test]
    fn without_headings_only_a_whole_cell_is_a_number_or_a_carrier() {
        for (line, read) in [
            (format!("{ORDER_NO}\t顺丰\tSF1234567890123"), [ORDER_NO, "顺丰", "SF1234567890123"]),
            (format!("SF1234567890123\t{ORDER_NO}\t顺丰速运"), [ORDER_NO, "顺丰速运", "SF1234567890123"]),
            (format!("{ORDER_NO} 75312345678901"), [ORDER_NO, "", "75312345678901"]),
            (format!("{ORDER_NO}：圆通 YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}|圆通|YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}:圆通:YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}/圆通/YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}-圆通-YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}圆通YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}\u{a0}圆通\u{a0}YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("YT8812345678901/{ORDER_NO}"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("订单号：{ORDER_NO} YT8812345678901"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("{ORDER_NO}01\tYT8812345678901"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("{ORDER_NO} 圆通YT8812345678901"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}\tYT8812345678901（圆通）"), [ORDER_NO, "圆通", "YT8812345678901"]),
            (format!("{ORDER_NO}\t申通快递773123456789012\t苹果12345678"), [ORDER_NO, "申通快递", "773123456789012"]),
            (format!("{ORDER_NO}\t王小明\tEMS\t7.73E+14"), [ORDER_NO, "EMS", "7.73E+14"]),
            (format!("{ORDER_NO}\t13800001234\tYT8812345678901"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("{ORDER_NO}\t2026-11-28\t20261128120000\tYT8812345678901"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("{ORDER_NO}\t4200002611202611280000000097\tYT8812345678901"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("{ORDER_NO}\t邮政路12号中通代收点\tYT8812345678901"), [ORDER_NO, "", "YT8812345678901"]),
            (format!("{ORDER_NO}\t顺丰冷运\tSF1234567890123"), [ORDER_NO, "顺丰冷运", "SF1234567890123"]),
            ("1234 SF1234567890123".to_owned(), ["1234", "", "SF1234567890123"]),
            (format!("{ORDER_NO}\t飞毛腿\tSF1234567890123"), [ORDER_NO, "飞毛腿", "SF1234567890123"]),
            (format!("{ORDER_NO} 75312345678901 飞毛腿"), [ORDER_NO, "飞毛腿", "75312345678901"]),
            (format!("{ORDER_NO}\t王小明\t已打包\tSF1234567890123"), [ORDER_NO, "", "SF1234567890123"]),
            (format!("{ORDER_NO}\t北路12号\tSF1234567890123"), [ORDER_NO, "", "SF1234567890123"]),
            (format!("{ORDER_NO}\t请放在门卫室不要打电话谢谢\tSF1234567890123"), [ORDER_NO, "", "SF1234567890123"]),
            (format!("{ORDER_NO}\t飞毛腿\t12345"), [ORDER_NO, "", ""]),
            (format!("{ORDER_NO}\t2012345678901"), [ORDER_NO, "", "2012345678901"]),
            (format!("{ORDER_NO}\t20261128\t2012345678901"), [ORDER_NO, "", "2012345678901"]),
        ] {
            let [order, company, number] = read.map(str::to_owned);
            assert_eq!(cells(&line), [[order, company, number, String::new()]], "{line}");
        }
        let asked = cells(&format!("{ORDER_NO}\tSF1234567890123\tYT8812345678901"));
        assert!(asked[0][3].contains("几个像单号的"), "{asked:?}");
        assert!(paste("随便写的一行").is_err() && read(&[1, 2, 3]).is_err());
    }
}
