//! What a row of a price list says against itself, in cells that nothing is read of, in its own name, or hung on one of its cells: 停产,
//! 先不改, 待定. What is said so below the whole list counts for all of it.

use super::off::unread;
use super::{Column, Row};
use crate::tables::Table;
use crate::typed::{clauses, holds, plain};

/// Goods that are sold no more, or not yet.
const GONE: [&str; 22] = [
    "停产",
    "停售",
    "停用",
    "下架",
    "作废",
    "淘汰",
    "断货",
    "不卖",
    "不再卖",
    "不销售",
    "暂不销售",
    "样品",
    "非卖品",
    "旧款",
    "旧版",
    "待定",
    "待上架",
    "暂不上架",
    "不上架",
    "测试",
    "废弃",
    "删除",
];
/// A row that is not to be carried out as it stands.
const STAYS: [&str; 21] = [
    "先不改",
    "先不要改",
    "先别改",
    "暂不改",
    "不要改",
    "别改",
    "勿改",
    "不改",
    "先不调",
    "不调",
    "不用调",
    "暂不调",
    "先不导",
    "取消",
    "等通知",
    "待定",
    "未定",
    "待确认",
    "价格错",
    "价格不对",
    "先不动",
];

/// Asks about them.
pub(super) fn ask(table: &Table, rows: &mut [Row]) {
    let below = table.aside.iter().map(|(_, text)| text.trim()).find(|text| of_all(text));
    for (row, read) in table.rows.iter().zip(rows) {
        let hung = row.comments().map(|(at, text)| format!("{at} 的批注写着“{text}”：照这一行导入的请打勾"));
        let said = unread(row).chain(row.unheaded().map(|text| ("没有列名的格", text.trim())));
        let said = said.filter(|(title, text)| is_against(title, text));
        let said = said.map(|(title, text)| format!("“{title}”写的是“{}”：照这一行导入的请打勾", brief(text)));
        read.asks.extend(hung.chain(said).collect::<Vec<_>>());
        read.asks.extend(below.map(|text| format!("表下面写着“{}”：照用的请打勾", brief(text))));
        let gone = |column| read.said(column).filter(|text| is_called_gone(text)).map(brief);
        let (name, other) = (gone(Column::Name), gone(Column::Specs).or_else(|| gone(Column::Category)));
        read.shelf_doubts
            .extend(name.map(|name| format!("“{name}”像是不卖的：勾上会新建并上架；不上架的请在“上架”一列填 否")));
        read.asks.extend(other.map(|text| format!("“{text}”像是不卖的：照这一行导入的请打勾")));
    }
}

/// Whether a cell under another title says that the row is not to be taken as it stands.
fn is_against(title: &str, text: &str) -> bool {
    const MOST: usize = 40;
    const ASKS: [&str; 5] = ["是否", "要不要", "需要", "需不需要", "能否"];
    let (title, said) = (plain(title), plain(text));
    if said.chars().count() > MOST {
        return false;
    }
    let no = ["否", "不", "n", "no", "false", "×", "✗", "✘", "x"].contains(&said.as_str());
    let about_it = holds(&title, &["改", "调价", "调整", "更新", "导入", "执行", "生效", "有效"]);
    if holds(&title, &ASKS) || about_it && no {
        return no && about_it;
    }
    let of_goods = holds(&title, &["备注", "说明", "备 注", "remark", "note", "状态", "标记", "没有列名", "处理"]);
    let word = ["作废", "取消", "缺货", "停产", "停售", "待定", "先不改", "不调"].contains(&said.as_str());
    // A clause that is hardly more than that.
    let stays = |clause: &str| {
        let near = |word: &&&str| clause.chars().count() <= word.chars().count() + 4;
        STAYS.iter().filter(near).any(|word| clause.starts_with(word) || clause.ends_with(word))
    };
    word || of_goods && clauses(&said).any(|clause| stays(clause) || GONE.contains(&clause))
}

/// Whether a note that stands in brackets of a name, or ends it, or is all of it, says that its goods are not sold.
fn is_called_gone(name: &str) -> bool {
    let name = plain(name);
    let known =
        |word: &str| GONE.contains(&word.trim_start_matches(['已', '暂', '先'])) || ["缺货", "无货"].contains(&word);
    let within =
        name.split(['(', '[', '【', '（']).skip(1).filter_map(|rest| rest.split([')', ']', '】', '）']).next());
    let last = name.rsplit(['-', '_', ' ', '/', ':', ';']).next().unwrap_or_default();
    within.into_iter().any(known) || known(last) || name.ends_with("停产") || name.ends_with("停售")
}

/// Whether a line below the list speaks of all of it.
fn of_all(text: &str) -> bool {
    let said = plain(text);
    let about =
        ["先不", "不要改", "未定", "待定", "批发价", "起执行", "起生效", "执行时间", "生效", "作废", "仅供参考"];
    holds(&said, &about)
}

fn brief(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_against_a_row_is_told_from_what_is_said_of_its_goods() {
        for (title, text) in [
            ("备注", "停产"),
            ("备注", "先不改"),
            ("说明", "价格待定"),
            ("调价说明", "不调"),
            ("备注", "作废"),
            ("备注", "等通知"),
            ("备注", "老价，先别改"),
            ("没有列名的格", "取消"),
            ("状态", "作废"),
            ("状态", "缺货"),
            ("是否调价", "否"),
            ("调价", "×"),
        ] {
            assert!(is_against(title, text), "{title} {text}");
        }
        for (title, text) in [
            ("备注", ""),
            ("备注", "新货"),
            ("备注", "口感好，不改老味道的做法"),
            ("说明", "洗涤时不要使用漂白剂"),
            ("是否调价", "是"),
            ("是否含税", "否"),
            ("产地", "浙江"),
            ("备注", "已调价"),
            ("状态", "正常"),
        ] {
            assert!(!is_against(title, text), "{title} {text}");
        }
        for name in [
            "自动晴雨伞（停产）",
            "自动晴雨伞（已下架）",
            "自动晴雨伞-作废",
            "自动晴雨伞 停售",
            "【下架】自动晴雨伞",
            "自动晴雨伞(旧款)",
            "颜色:白色;尺码:S（缺货）",
            "停产",
        ] {
            assert!(is_called_gone(name), "{name}");
        }
        for name in ["自动晴雨伞", "样品架", "测试仪", "旧时光相册", "自动晴雨伞（升级款）", "下架车 小号", "颜色:白色"]
        {
            assert!(!is_called_gone(name), "{name}");
        }
        for (text, right) in [
            ("以上价格未定，先不要改", true),
            ("备注：以上为批发价", true),
            ("以上价格12月5日起执行", true),
            ("合计", false),
            ("共 3 种商品", false),
        ] {
            assert_eq!(of_all(text), right, "{text}");
        }
    }
}
