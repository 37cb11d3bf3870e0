//! Words in cells that name no goods, and words about prices that no goods have.

use crate::money::Fen;
use crate::tables;

pub fn far_from(price: Fen, other: Fen) -> String {
    format!("同一商品的另一个规格是 {}，这里是 {}，差十倍以上：是不是少了或多了小数点", other.plain(), price.plain())
}

/// Whether a cell says that something is to be written there, or that it stands elsewhere.
pub fn stands_for_more(text: &str) -> bool {
    const WORDS: [&str; 8] = ["同上", "同前", "同左", "待定", "待补", "待填", "未定", "空白"];
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    WORDS.contains(&bare) || "〃?？".contains(text.trim()) || tables::explains(bare)
}

/// What templates show how they are filled in with.
pub fn is_example(name: &str) -> bool {
    let bare = name.trim_start_matches(['(', '（', '【', '[']);
    let words = [
        "示例",
        "样例",
        "举例",
        "例：",
        "例:",
        "示范",
        "例如",
        "如：",
        "如:",
        "范例",
        "例】",
        "例)",
        "例）",
        "请填写",
        "必填",
        "Example",
        "example",
    ];
    words.iter().any(|word| bare.starts_with(word))
}

/// What of that would be a number of pieces: whether it is none, or not known, only its writer knows.
pub fn is_none_left(text: &str) -> bool {
    ["无", "没有", "暂无"].contains(&text.trim())
}

/// What people and programs put where there is nothing to write.
pub fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 8] = ["无", "暂无", "没有", "n/a", "null", "none", "nan", "undefined"];
    WORDS.contains(&text.trim().to_lowercase().as_str())
        || text.chars().all(|c| matches!(c, '-' | '—' | '/' | '\\' | '_'))
}
