//! What a row of a table says against itself: it is void, it waits for something, or another has taken its place. A word
//! that is in doubt is asked about; what nobody would read so is not.

use crate::buyers::addresses::without_phones;
use crate::parcels::halts::{boils_down_to, halts};
use crate::typed::{holds, plain};

/// Of an order, a label or a parcel that is not to leave, in a column that tells how it stands or of what kind it is.
const STATES: &[&str] = &[
    "取消",
    "撤销",
    "撤单",
    "撤回",
    "作废",
    "废弃",
    "废单",
    "回收",
    "失效",
    "无效",
    "注销",
    "删除",
    "弃用",
    "停用",
    "终止",
    "中止",
    "停发",
    "暂停",
    "暂缓",
    "缓发",
    "截单",
    "拦截",
    "挂起",
    "锁定",
    "冻结",
    "异常",
    "缺货",
    "关闭",
    "退款",
    "退货",
    "退回",
    "退件",
    "退签",
    "退单",
    "退换",
    "换货",
    "换单",
    "逆向",
    "返程",
    "返件",
    "返单",
    "召回",
    "拒收",
    "拒签",
    "丢失",
    "丢件",
    "遗失",
    "销毁",
    "疑难",
    "问题件",
    "错单",
    "错误",
    "重复",
    "驳回",
    "反审核",
    "待付款",
    "未付款",
    "未支付",
    "待支付",
    "等待买家付款",
    "不发货",
    "勿发",
    "别发",
    "无需发货",
    "打印失败",
    "取号失败",
    "出单失败",
    "下单失败",
    "揽收失败",
    "揽件失败",
    "部分发货",
    "部分出库",
    "拆单发货",
];

/// The same in the words of other programs.
const LATIN_STATES: &[&str] = &[
    "cancel",
    "void",
    "invalid",
    "refund",
    "return",
    "reject",
    "recycle",
    "hold",
    "onhold",
    "delete",
    "closed",
    "close",
    "expired",
    "lost",
    "unpaid",
    "intercept",
    "duplicate",
    "abort",
    "terminat",
    "suspend",
    "frozen",
];

/// What people write beside an order that is not to leave with this number.
const REMARKS: &[&str] = &[
    "作废",
    "废单",
    "废弃",
    "取消",
    "撤单",
    "撤回",
    "截单",
    "拦截",
    "停发",
    "暂停",
    "暂缓",
    "缓发",
    "先不发",
    "暂不发",
    "不发",
    "不要发",
    "不用发",
    "不能发",
    "别发",
    "勿发",
    "先别发",
    "不寄",
    "别寄",
    "勿寄",
    "不要寄",
    "不用寄",
    "不要了",
    "不想要",
    "不买了",
    "退款",
    "退货",
    "退单",
    "退回",
    "换货",
    "错单",
    "打错",
    "写错",
    "填错",
    "错了",
    "搞错",
    "弄错",
    "贴错",
    "发错",
    "重打",
    "拍错",
    "改地址",
    "换地址",
    "地址有误",
    "地址错",
    "等通知",
    "待通知",
    "等确认",
    "待确认",
    "缺货",
    "无货",
    "没货",
    "断货",
    "压单",
    "挂起",
    "锁单",
    "重复下单",
    "重复单",
    "拒收",
    "失效",
    "无效",
    "丢件",
    "回收",
    "终止",
];

/// A buyer speaks of taking back in many ways that say nothing of this order.
const BUYERS: &[&str] = &[
    "取消",
    "不要了",
    "不想要",
    "不买了",
    "不发",
    "不要发",
    "不用发",
    "别发",
    "勿发",
    "不寄",
    "别寄",
    "不要寄",
    "拍错",
    "买错",
    "填错",
    "改地址",
    "换地址",
    "地址错",
    "缓发",
    "暂缓",
    "要退款",
    "申请退款",
    "已退款",
    "想退款",
    "退款吧",
];

/// Behind these the word says the opposite.
const NOT_BEHIND: &[&str] = &[
    "未",
    "不",
    "没",
    "没有",
    "无",
    "无需",
    "无须",
    "无法",
    "无理由",
    "勿",
    "别",
    "非",
    "不要",
    "不能",
    "不可",
    "不用",
    "不许",
    "不会",
    "不接受",
    "不支持",
    "解除",
    "免",
    "防",
    "防止",
    "避免",
    "支持",
    "可以",
    "包",
    "包邮",
];

/// Before these the word is part of another.
const NOT_BEFORE: &[&str] = &["失败", "险", "地址", "电话", "运费", "政策", "规则", "须知", "率", "保障"];

/// What was taken back is none: of what, and how.
const TAKEN_BACK: [&str; 10] = ["退款", "退货", "退换", "换货", "售后", "拦截", "锁定", "挂起", "冻结", "异常"];
const HOW: [&str; 8] = ["取消", "关闭", "撤销", "撤回", "拒绝", "驳回", "失败", "解除"];

/// Cancelling something of an order does not cancel it.
const PARTS: [&str; 14] =
    ["发票", "赠品", "优惠", "备注", "置顶", "标记", "加急", "关注", "收藏", "合单", "合并", "拆单", "打印", "保价"];

/// How a question ends whose row calls its number void.
pub const VOID: &str = "单号可能作废了";
/// The same where the parcel is to stay, or to go another way.
pub const STAYS: &str = "像是先不发，或要改";

/// Why a row under these titles is to be asked about: what each cell says against it, with its title.
pub fn in_cells<'r>(cells: impl Iterator<Item = (&'r str, &'r str)>) -> impl Iterator<Item = String> {
    cells.filter(|(_, said)| !said.is_empty()).filter_map(|(title, said)| {
        let plain = plain(title);
        let why = match () {
            () if is_void(&plain, said) => VOID,
            () if is_a_remark(&plain) && halts(said) => STAYS,
            () => return None,
        };
        let said: String = without_phones(said).chars().take(60).collect();
        Some(format!("「{title}」写的是“{said}”，{why}"))
    })
}

/// The same of a line that somebody typed.
pub fn in_a_line(text: &str) -> Option<String> {
    Some(format!("这一行写着“{}”，{VOID}", said_of(&plain(text), REMARKS)?))
}

/// Whether what a column says is known to speak for the row, or of something else: no to 是否作废, 未回收, 退款取消.
pub fn is_fine(title: &str, said: &str) -> bool {
    let (title, said) = (plain(title), plain(said));
    if is_a_remark(&title) || title.is_empty() {
        return false;
    }
    if speaks_of_another(&title) {
        return true;
    }
    if holds(&title, AFTER_SALES) {
        return !is_void(&title, &said);
    }
    if is_a_state(&title) {
        let named =
            holds(&said, STATES) || words(&said).any(|word| LATIN_STATES.iter().any(|known| word.starts_with(known)));
        return named && !is_void(&title, &said);
    }
    match sends(&title) {
        true => !is_no(&said),
        false => is_titled_void(&title) && is_no(&said),
    }
}

/// Whether the name of a sheet, a title above a table or a line between its rows calls what belongs to it void. A sentence
/// says many things.
pub fn calls_void(text: &str) -> bool {
    let text = plain(text);
    text.chars().count() <= MOST_OF_A_NAME && (said_of(&text, STATES).is_some() || said_of(&text, REMARKS).is_some())
}

const MOST_OF_A_NAME: usize = 24;

/// Whether a cell, as plain text, says nothing else than that something is void or not to be sent: it means that under any
/// title.
pub fn is_a_void_word(said: &str) -> bool {
    const MORE: &[&str] = &[
        "废",
        "停",
        "退",
        "撤",
        "删",
        "换",
        "错",
        "失败",
        "不发",
        "不寄",
        "不要",
        "不通过",
        "有误",
        "拦",
        "号错",
        "不对",
        "坏",
        "解绑",
        "释放",
        "作癈",
        "停止发货",
        "取消运单",
        "取消订单",
        "取消发货",
        "cancelled",
        "canceled",
        "void",
        "voided",
        "invalid",
        "refunded",
        "returned",
        "rts",
    ];
    boils_down_to(said, &|word| [STATES, REMARKS, MORE].iter().any(|words| words.contains(&word)))
}

/// Whether a title speaks of a remark, whoever wrote it.
pub fn is_remark(title: &str) -> bool {
    is_a_remark(&plain(title))
}

/// The same of one that is plain.
fn is_a_remark(title: &str) -> bool {
    holds(
        title,
        &[
            "备注", "留言", "说明", "附言", "描述", "提示", "要求", "摘要", "批注", "remark", "note", "memo",
            "comment", "message",
        ],
    )
}

fn is_void(title: &str, said: &str) -> bool {
    let said = plain(said);
    if said.is_empty() || title.is_empty() {
        return false;
    }
    if speaks_of_another(title) {
        // What another program answers to a row may be of the row.
        let answers =
            title.contains("回传") && is_a_state(title) && is_a_void_word(&said) && !holds(&said, &["异常", "失败"]);
        // A word that means one thing wherever it has a cell to itself: 发货方式 先不发, 预计发货 缺货.
        let parted =
            |word: &str| ["拆单", "分单", "拆包", "分包", "分批", "分批发货", "分开发货", "部分"].contains(&word);
        let alone = || boils_down_to(&said, &|word| STATES.contains(&word) || REMARKS.contains(&word) || parted(word));
        return answers || title.contains('发') && !title.contains('票') && alone();
    }
    if is_a_remark(title) {
        let buyers = holds(title, &["买家", "客户", "顾客", "会员", "收件", "收货", "buyer", "customer", "留言"]);
        return said_of(&said, if buyers { BUYERS } else { REMARKS }).is_some();
    }
    let state = is_a_state(title);
    if holds(title, AFTER_SALES) {
        return match state || title.ends_with("售后") || title.ends_with("退款") || title.ends_with("维权") {
            true => !was_not_asked_for(&said),
            false => is_titled_void(title) && !is_no(&said),
        };
    }
    if state {
        let failed = said == "失败" && holds(title, &["打印", "取号", "出单", "面单", "下单", "揽收"]);
        let yes = ["是", "有", "1", "y", "yes", "true", "√", "✓"].contains(&said.as_str()) && is_titled_void(title);
        return failed || yes || said_of(&said, STATES).is_some() || in_latin(&said);
    }
    if sends(title) {
        let no = is_no(&said) || ["无效", "失效"].contains(&said.as_str());
        return no && !said.chars().all(|c| "-/_".contains(c));
    }
    is_titled_void(title) && !is_no(&said)
}

/// Whether a title is that of a column which tells how something stands, or of what kind it is.
pub fn tells_a_state(title: &str) -> bool {
    is_a_state(&plain(title))
}

/// The same of one that is plain.
fn is_a_state(title: &str) -> bool {
    const WORDS: &[&str] = &[
        "状态", "状况", "进度", "进展", "情况", "结果", "结论", "类型", "类别", "标签", "标记", "旗", "轨迹", "最新",
        "跟踪", "处理", "审单", "status", "state", "type",
    ];
    let tracked = || {
        holds(title, &["物流", "快递", "运单", "面单", "包裹", "快件"])
            && holds(title, &["信息", "详情", "动态", "记录", "节点"])
    };
    (holds(title, WORDS) || tracked()) && !holds(title, &["单号", "编号", "时间", "日期"])
}

const AFTER_SALES: &[&str] = &["售后", "退款", "退货", "退换", "维权"];

/// Whether a title asks if the row is to be sent.
fn sends(title: &str) -> bool {
    const WORDS: &[&str] =
        &["有效", "可发", "允许发", "能否发", "是否发", "需要发", "需发", "要发", "发货否", "是否出库", "启用"];
    holds(title, WORDS) || ["发货", "发"].contains(&title)
}

/// Columns in which the same words are about money, places, people or other programs.
fn speaks_of_another(title: &str) -> bool {
    const WORDS: &[&str] = &[
        "费",
        "结算",
        "对账",
        "月结",
        "发票",
        "开票",
        "保价",
        "地址",
        "电话",
        "手机",
        "邮编",
        "联系",
        "仓",
        "网点",
        "政策",
        "规则",
        "同步",
        "回传",
        "上传",
        "推送",
        "通知",
        "短信",
        "导出",
        "评价",
        "称重",
        "重量",
        "支持",
        "可退",
        "允许退",
        "能否退",
        "险",
        "率",
        "方式",
        "原则",
        "截止",
        "期限",
        "时限",
        "预计",
        "有效期",
        "有效日",
        "最晚",
        "最迟",
        "子运单",
        "返程运",
        "返单号",
        "名称",
        "标题",
        "规格",
        "编码",
        "条码",
    ];
    // A receipt that comes back signed is none of what comes back.
    let of_receipts = title.contains("回单") && !title.contains("退回单");
    // How a line of an order stands is said of its goods.
    let of_goods = holds(title, &["商品", "货品"]) && !title.contains("状态");
    holds(title, WORDS) || of_receipts || of_goods
}

/// Whether a title itself is the word, so that anything but a no says it: 是否作废, 回收, 取消时间, 异常原因.
fn is_titled_void(title: &str) -> bool {
    const WORDS: &[&str] = &[
        "作废",
        "取消",
        "回收",
        "退款",
        "退货",
        "退回",
        "退件",
        "拦截",
        "缺货",
        "关闭",
        "失效",
        "无效",
        "挂起",
        "锁定",
        "冻结",
        "删除",
        "暂停",
        "停发",
        "缓发",
        "拒收",
        "拒签",
        "换货",
        "异常",
        "撤销",
        "撤回",
        "终止",
        "废弃",
        "废单",
        "问题件",
        "售后",
        "维权",
        "逆向",
        "撤单",
        "解绑",
        "错误信息",
        "失败原因",
        "欠发数",
        "少发数",
        "未配数",
        "欠发件数",
        "少发件数",
        "未配件数",
        "cancel",
        "void",
        "refund",
        "invalid",
        "onhold",
        "deleted",
    ];
    said_of(title, WORDS).is_some()
}

/// What people put for no, for none and for nought.
fn is_no(said: &str) -> bool {
    const WORDS: &[&str] =
        &["n", "no", "none", "null", "nan", "false", "f", "n/a", "x", "×", "✗", "✘", "否", "正常", "非"];
    let figure = said.trim_matches(|c: char| "¥￥$元件".contains(c));
    let nought = figure.starts_with('0') && figure.chars().all(|c| "0.,".contains(c));
    let denied = ["未", "不", "没", "无", "暂无", "非"].iter().any(|head| said.starts_with(head)) && said != "无效";
    WORDS.contains(&said) || nought || denied || said.chars().all(|c| "-/\\_.".contains(c))
}

/// Nobody wants anything back, or no longer.
fn was_not_asked_for(said: &str) -> bool {
    let open = ["未完", "未处理", "未结", "未审", "未同意", "未收"];
    let none = ["无", "未", "没", "关闭", "取消", "撤销", "撤回", "拒绝", "驳回", "正常", "不同意"];
    let latin = |word: &str| {
        matches!(word, "no" | "not" | "none" | "never" | "closed" | "rejected") || word.starts_with("cancel")
    };
    !holds(said, &open) && (is_no(said) || holds(said, &none) || words(said).any(latin))
}

/// The first of these words that a text says and does not deny.
fn said_of<'w>(text: &str, words: &[&'w str]) -> Option<&'w str> {
    words.iter().copied().find(|word| {
        text.match_indices(word).any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            // 没有申请退款
            let before = ["申请", "发起", "提出"].iter().find_map(|word| before.strip_suffix(word)).unwrap_or(before);
            let after = after.strip_prefix(['已', '被']).unwrap_or(after);
            let ends = |list: &[&str]| list.iter().any(|end| before.ends_with(end));
            let starts = |list: &[&str]| list.iter().any(|start| after.starts_with(start));
            let taken_back = TAKEN_BACK.contains(word) && (starts(&HOW) || ends(&HOW[..4]))
                || HOW.contains(word) && (ends(&TAKEN_BACK) || starts(&TAKEN_BACK));
            let of_a_part = HOW.contains(word) && starts(&PARTS);
            let by_others = word.ends_with(['发', '寄']) && !ends_there(after);
            !(ends(NOT_BEHIND) || starts(NOT_BEFORE) || taken_back || of_a_part || by_others)
        })
    })
}

/// Whether nothing more is said of how, or by whom: 不发了, and not 不发顺丰, 不要发票.
fn ends_there(after: &str) -> bool {
    let goods = ["货", "了", "出", "件", "单", "走"].iter().any(|word| after.starts_with(word));
    goods || !after.chars().next().is_some_and(char::is_alphanumeric)
}

fn in_latin(said: &str) -> bool {
    let mut before = "";
    words(said).any(|word| {
        let denied = matches!(before, "not" | "no" | "never" | "non");
        before = word;
        !denied && LATIN_STATES.iter().any(|known| word.starts_with(known))
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphabetic()).filter(|word| !word.is_empty())
}
