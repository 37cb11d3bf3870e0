//! What somebody wrote about an order's buyer, taken out of its timeline: that something happened stays.

/// What stands instead.
pub const FORGOTTEN: &str = "已删除";

/// A row's text without the words in it; `None` where there are none.
pub fn without_words(what: &str) -> Option<String> {
    // Whoever writes such a row puts the words last, after one of these.
    for mark in ["内部备注：", "备注改为「", "原因：", "已用其他方式退还："] {
        if let Some((before, _)) = what.split_once(mark) {
            return Some(format!("{before}{mark}{FORGOTTEN}"));
        }
    }
    let (before, _) = what.split_once('：')?;
    let has_words = ["拒绝退款 ", "登记线下收款 "].iter().any(|start| before.starts_with(start));
    has_words.then(|| format!("{before}：{FORGOTTEN}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_go_and_what_happened_stays() {
        for (what, left) in [
            ("内部备注：王小样说周末在家：打 138", Some("内部备注：已删除")),
            ("备注改为「放门卫」", Some("备注改为「已删除")),
            ("申请退款 R01 ¥5.00，原因：王小样不要了", Some("申请退款 R01 ¥5.00，原因：已删除")),
            ("补发 1 件：顺丰速运 SF1，原因：丢件", Some("补发 1 件：顺丰速运 SF1，原因：已删除")),
            ("拒绝退款 R01：王小样您好", Some("拒绝退款 R01：已删除")),
            ("退款 R01 ¥5.00 已用其他方式退还：转给王小样", Some("退款 R01 ¥5.00 已用其他方式退还：已删除")),
            ("登记线下收款 ¥5.00：王小样转账", Some("登记线下收款 ¥5.00：已删除")),
            (
                "改价 ¥5.00 → ¥4.00（其中运费 ¥0.00，原因：熟人）",
                Some("改价 ¥5.00 → ¥4.00（其中运费 ¥0.00，原因：已删除"),
            ),
            ("已付款 ¥57.00", None),
            ("已发货 顺丰速运 SF1402668877310", None),
            ("退货：已同意", None),
            ("优惠：满减 −¥10.00", None),
        ] {
            assert_eq!(without_words(what).as_deref(), left, "{what}");
        }
    }
}
