//! What people and other programs write into the cells of goods and receivers beside what stands there: `中筒袜（缺货）`,
//! `[退款成功]中筒袜*1`, `李雷（先不发）`. It is no less a word against the parcel than one in a remark.

use super::Says;
use super::void::{self, STAYS};
use crate::orders::{Line, Order};
use crate::parcels::halts::halts;
use crate::typed::{clauses, holds, plain};

/// So many letters has a note within another text; a longer clause is a name that somebody else has for the goods.
const MOST_OF_A_NOTE: usize = 10;

/// Why a row is asked about, by its cell: what it says beside the names and the specifications of its order's goods, and the receiver's.
pub fn asked(says: &Says, order: &Order, lines: &[Line]) -> Option<String> {
    let goods = [
        (says.goods_title.as_str(), says.goods.name.as_str()),
        ("规格", says.goods.spec.as_str()),
        ("商品编码", says.goods.code.as_str()),
    ];
    let own: Vec<&str> = lines
        .iter()
        .flat_map(|line| [line.name.as_str()].into_iter().chain(line.spec_text.split([' ', ':', '：'])))
        .collect();
    let receiver = order.address.as_ref().map(|address| address.receiver.as_str()).unwrap_or_default();
    fn cells(said: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
        said.iter().map(|(title, text)| (title.as_str(), text.as_str()))
    }
    let goods = goods.into_iter().chain(cells(&says.named_goods)).find(|(_, text)| note(text, &own, of_goods));
    let receiver = || cells(&says.receivers).find(|(_, text)| note(text, &[receiver], of_receiver));
    let place = || cells(&says.places).find(|(_, text)| note(text, &[], of_place));
    let (title, text) = goods.or_else(receiver).or_else(place)?;
    let shown: String = text.trim().chars().take(40).collect();
    Some(format!("「{title}」写的是“{shown}”，{STAYS}"))
}

/// Whether a clause of a text, without what it is to say, is a note of that kind.
fn note(text: &str, own: &[&str], says: fn(&str) -> bool) -> bool {
    let mut rest = plain(&without_promises(text));
    let mut own: Vec<String> = own.iter().map(|word| plain(word)).filter(|word| word.chars().count() > 1).collect();
    own.sort_by_key(|word| std::cmp::Reverse(word.len()));
    for word in own {
        rest = rest.replace(&word, "|");
    }
    clauses(&rest).any(says)
}

fn of_goods(clause: &str) -> bool {
    // How a shop praises what it sells, and what it promises.
    const PRAISE: [&str; 23] = [
        "包",
        "无忧",
        "险",
        "支持",
        "可",
        "无理由",
        "免费",
        "不退",
        "非",
        "清仓",
        "特价",
        "秒",
        "必赔",
        "必补",
        "天退",
        "天换",
        "退货宝",
        "货号",
        "大促",
        "甩卖",
        "促销",
        "保障",
        "先行",
    ];
    const GONE: [&str; 10] = ["缺货", "断货", "无货", "没货", "没有货", "退款", "换货", "取消", "未到货", "已退"];
    const CHANGED: [&str; 6] = ["改成", "改为", "换成", "更正为", "变更为", "应为"];
    let changed = CHANGED.iter().any(|word| clause.starts_with(word) || clause.ends_with(word));
    let short = clause.chars().count() <= MOST_OF_A_NOTE;
    let counts = ["缺", "欠", "差", "少", "只有", "只剩", "仅剩", "还缺"];
    let counted = counts.iter().filter_map(|word| clause.strip_prefix(word)).any(|rest| {
        let n = rest.trim_end_matches(|c: char| !c.is_ascii_digit());
        !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()) && rest.chars().count() <= n.len() + 1
    });
    let said = void::is_a_void_word(clause) || halts(clause) || void::calls_void(clause) || holds(clause, &GONE);
    // 等身抱枕, …等 2 件商品
    let other = clause.starts_with('等') && !holds(clause, &["货", "发", "通知", "到", "补"]);
    short && (counted || said || changed) && !other && !holds(clause, &PRAISE) && !is_a_condition(clause)
}

/// 不好吃退款, 坏果退款, 假货退款: what holds once somebody is not content.
fn is_a_condition(clause: &str) -> bool {
    let denied = ["不要", "不发", "不用", "不想", "不买", "不能", "不给"].iter().any(|word| clause.starts_with(word));
    let ends = ["退款", "退货", "退换", "换货", "赔"].iter().find_map(|end| clause.strip_suffix(end));
    let begins = clause.starts_with(['不', '坏', '假', '烂', '破']);
    begins && !denied && ends.is_some_and(|before| before.chars().count() > 1)
}

/// Without what a title begins with in brackets of its own, where that is a promise to those who buy: 【缺货补发】中筒袜. The same behind
/// the goods is a note.
fn without_promises(text: &str) -> String {
    const LACKS: [&str; 6] = ["缺", "漏", "少", "坏", "错", "破"];
    const MADE_GOOD: [&str; 5] = ["补发", "补寄", "重发", "换新", "赔"];
    let (mut kept, mut rest) = (String::new(), text.trim_start());
    while let Some((said, behind)) = rest.strip_prefix('【').and_then(|rest| rest.split_once('】')) {
        let is_a_promise = LACKS.iter().any(|word| said.starts_with(word)) && holds(said, &MADE_GOOD);
        if !is_a_promise || behind.trim().is_empty() {
            kept.push_str(&rest[..rest.len() - behind.len()]);
        }
        rest = behind.trim_start();
    }
    kept + rest
}

fn of_receiver(clause: &str) -> bool {
    let another = ["代", "转", "替"].iter().any(|word| clause.starts_with(word));
    another || void::is_a_void_word(clause) || void::calls_void(clause) || halts(clause)
}

/// An address has words of its own; only a short one that says nothing else is a note.
fn of_place(clause: &str) -> bool {
    clause.chars().count() <= 6 && (void::is_a_void_word(clause) || halts(clause) || clause == "新地址")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_within_a_cell_is_told_from_what_the_cell_is_to_say() {
        let own = ["罗口中筒袜", "颜色:白色", "尺码:S"].map(|word| word.rsplit(':').next().unwrap());
        for text in [
            "罗口中筒袜（缺货）",
            "罗口中筒袜 取消",
            "罗口中筒袜（先不发）",
            "罗口中筒袜（已退款）",
            "罗口中筒袜（只有3双）",
            "罗口中筒袜 ×3（缺2）",
            "罗口中筒袜 无货",
            "罗口中筒袜（换货）",
            "不要罗口中筒袜",
            "罗口中筒袜 断货 换帆布购物袋",
            "[退款成功]罗口中筒袜*1",
            "罗口中筒袜*1【退款】",
            "罗口中筒袜*1 (退款中)",
            "罗口中筒袜 [已关闭]",
            "（部分退款）罗口中筒袜",
            "T 恤*2；罗口中筒袜*3【退款】；帆布购物袋*1",
            "缺货",
            "白色 S（停发）",
            "罗口中筒袜 ×5 改成 ×3",
            "罗口中筒袜 改为3双",
            "罗口中筒袜（缺货补发）",
            "【缺货】罗口中筒袜",
            "【缺货补发】罗口中筒袜（缺货）",
            "罗口中筒袜（断码）",
            "罗口中筒袜 不要退款",
        ] {
            assert!(note(text, &own, of_goods), "{text}");
        }
        for text in [
            "罗口中筒袜",
            "罗口中筒袜 白色 S ×5",
            "罗口中筒袜*5双",
            "【清仓】罗口中筒袜 5双装",
            "女士罗口中筒袜秋冬加厚款",
            "【退货包运费】罗口中筒袜",
            "罗口中筒袜（7天无理由退换）",
            "罗口中筒袜 (支持退款)",
            "退烧贴",
            "无糖饼干 200g",
            "不粘锅 28cm",
            "罗口中筒袜（赠品）",
            "自动晴雨伞 黑色 全自动",
            "取暖器",
            "改良旗袍 S 码",
            "防退色毛巾",
            "罗口中筒袜 现货",
            "少女袜",
            "停车牌",
            "一次性手套 100只",
            "换季清仓 罗口中筒袜",
            "缺角收纳盒",
            "转运珠",
            "等身抱枕",
            "【断码清仓】罗口中筒袜",
            "【缺货必赔】罗口中筒袜",
            "【缺货补发】罗口中筒袜",
            "【现货】【漏发补寄】罗口中筒袜 白色",
            "【退款秒到】罗口中筒袜",
            "【7天退换】罗口中筒袜",
            "【退货宝】罗口中筒袜",
            "罗口中筒袜(断码特价)",
            "罗口中筒袜（无货号）",
            "【不好吃退款】罗口中筒袜",
            "坏果退款 罗口中筒袜",
        ] {
            assert!(!note(text, &own, of_goods), "{text}");
        }
        for text in [
            "测试甲（先不发）",
            "测试甲 退款",
            "测试甲（取消）",
            "测试甲(改地址)",
            "测试甲（等通知）",
            "李四（代测试甲）",
            "测试甲 代收王五",
        ] {
            assert!(note(text, &["测试甲"], of_receiver), "{text}");
        }
        for text in [
            "测试甲",
            "测试甲 13800000000",
            "测试甲[1234]",
            "测试甲（收）",
            "测试甲先生",
            "王转转",
            "测**",
            "戴先生",
            "测试甲 女士",
        ] {
            assert!(!note(text, &["测试甲"], of_receiver), "{text}");
        }
        for text in [
            "浙江省杭州市西湖区文三路1号（先不发）",
            "改地址",
            "新地址：上海市浦东新区世纪大道1号",
            "缺货",
            "浙江省 杭州市 取消",
        ] {
            assert!(note(text, &[], of_place), "{text}");
        }
        for text in [
            "浙江省杭州市西湖区文三路1号",
            "上海市浦东新区停车场旁",
            "改革路 8 号",
            "北京市 丰台区 退休干部楼 2-1",
            "转塘街道",
            "广州市白云区（放门口）",
            "换新路 3 号",
            "留下街道",
            "文二路（送货前电话）",
        ] {
            assert!(!note(text, &[], of_place), "{text}");
        }
    }
}
