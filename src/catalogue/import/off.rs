//! Goods that are not to go on sale as new ones, by what columns say of them that nothing is read of.

use super::{COLUMNS, Column, Row, shelf};
use crate::clock::Day;
use crate::tables::{self, Table};
use crate::typed::{bare, holds, simplified};

/// Asks where a remark says that goods are sold no more, a column that they are hidden, or a day that they went off the shelf.
pub(super) fn ask(table: &Table, rows: &mut [Row]) {
    const MOST_OF_A_REMARK: usize = 40;
    for (row, read) in table.rows.iter().zip(rows) {
        let states = states(read);
        for (title, text) in unread(row) {
            if title.contains("下架") && !states && day(text).is_some() {
                read.shelf_doubts.push(format!("表里写着“{title}”{text}，导入不管下架时间：勾上会直接上架"));
            } else if text.chars().count() <= MOST_OF_A_REMARK && shelf::remarked_off(text) || says_off(title, text) {
                read.shelf_doubts.push(format!("“{title}”写的是“{text}”：勾上会直接上架；不上架的请在“上架”一列填 否"));
            }
        }
    }
}

/// The same of days on which goods go on sale, or went off it, as it is today.
pub fn ask_about_days(table: &Table, rows: &mut [Row], today: Day) {
    for (row, read) in table.rows.iter().zip(rows) {
        if states(read) {
            continue;
        }
        for (title, text) in unread(row) {
            let Some(day) = day(text) else { continue };
            let what = match () {
                () if begins(title) && day > today.shown() => "还没到",
                () if ends(title) && day < today.shown() => "已经过了",
                () => continue,
            };
            read.shelf_doubts
                .push(format!("“{title}”写的是 {text}，{what}：勾上会直接上架；不上架的请在“上架”一列填 否"));
        }
    }
}

/// Whether a row itself says that its goods are on sale, or not.
fn states(read: &Row) -> bool {
    read.said(Column::OnShelf).is_some_and(|text| shelf::read(text).is_some())
}

/// The cells of a row that nothing is read of, each with its title.
pub(super) fn unread(row: &tables::Row) -> impl Iterator<Item = (&str, &str)> {
    let is_used = |title: &str| (0..COLUMNS.len()).any(|column| row.title(column) == Some(title));
    let cells = row.cells().filter(move |(title, _)| !title.trim().is_empty() && !is_used(title));
    cells.map(|(title, cell)| (title.trim(), cell.shown().trim())).filter(|(_, text)| !text.is_empty())
}

fn is_of_time(title: &str) -> bool {
    title.contains("时间")
        || title.ends_with(['日', '期', '至', '于'])
        || title.contains("time")
        || title.contains("date")
}

fn begins(title: &str) -> bool {
    let title = plain(title);
    holds(
        &title,
        &[
            "上架",
            "开售",
            "发售",
            "起售",
            "开卖",
            "上市",
            "上线",
            "开始销售",
            "销售开始",
            "publish",
            "onsale",
            "starttime",
            "startdate",
        ],
    ) && is_of_time(&title)
}

fn ends(title: &str) -> bool {
    let title = plain(title);
    let off = [
        "停售",
        "停止销售",
        "销售结束",
        "销售截止",
        "下线",
        "失效",
        "有效期",
        "保质期至",
        "过期",
        "到期",
        "expire",
        "endtime",
        "enddate",
    ];
    // 下架 is asked about whenever it was, and what was deleted at some time is gone.
    holds(&title, &off) && is_of_time(&title) || holds(&title, &["删除时间", "作废时间", "deletedat"])
}

/// A yes where a title hides goods, a no where it shows them.
fn says_off(title: &str, text: &str) -> bool {
    const SHOWS: [&str; 17] = [
        "可售",
        "可卖",
        "可见",
        "展示",
        "显示",
        "启用",
        "上线",
        "在架",
        "在售",
        "销售中",
        "onsale",
        "visible",
        "enabled",
        "active",
        "published",
        "available",
        "listed",
    ];
    const HIDES: [&str; 15] = [
        "隐藏", "禁用", "停用", "作废", "删除", "冻结", "屏蔽", "封存", "禁售", "停售", "deleted", "hidden",
        "disabled", "archived", "offline",
    ];
    const YES: [&str; 9] = ["是", "1", "yes", "true", "y", "t", "√", "✓", "✔"];
    const NO: [&str; 9] = ["否", "0", "no", "false", "n", "f", "×", "✗", "✘"];
    let (title, text) = (plain(title), plain(text));
    if is_of_time(&title) || holds(&title, &["库存", "数", "量", "价", "图", "名", "仓"]) {
        return false;
    }
    let turned = holds(&title, &["不可", "不展", "不显", "未启", "非"]);
    let hides = holds(&title, &HIDES) || turned;
    let shows = !hides && holds(&title, &SHOWS);
    let is = |words: &[&str]| words.contains(&text.as_str());
    hides && is(&YES) || shows && is(&NO)
}

fn plain(text: &str) -> String {
    simplified(&bare(text)).to_lowercase().chars().filter(|c| !c.is_whitespace() && !"_-()".contains(*c)).collect()
}

/// `2027-01-01` of a day of these years, however it is written: programs write 0000 or 2099 for never.
fn day(text: &str) -> Option<String> {
    let text = bare(text);
    let digits = text.len() >= 8 && text.bytes().take(8).all(|b| b.is_ascii_digit());
    let parts: Vec<u32> = match digits {
        true => [&text[..4], &text[4..6], &text[6..8]].iter().filter_map(|part| part.parse().ok()).collect(),
        false => text.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).take(3).collect(),
    };
    let [year, month, day] = match parts[..] {
        [year, month] => [year, month, 1],
        [year, month, day, ..] => [year, month, day],
        _ => return None,
    };
    let is_one = (2000..2090).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    is_one.then(|| format!("{year}-{month:02}-{day:02}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_hides_goods_and_a_yes_is_a_no() {
        for (off, titles, texts) in [
            (true, "可售 是否可售 可见 展示 是否展示 启用 is_on_sale Visible", "否 0 N false ×"),
            (true, "隐藏 是否隐藏 禁用 作废 删除标记 deleted is_deleted Hidden 不可售", "是 1 Y true √"),
            (false, "可售 可见 展示 启用 is_on_sale", "是 1 Y true 是的 12"),
            (false, "隐藏 禁用 作废 删除标记 deleted", "否 0 N false 2"),
            (false, "可售库存 展示图 显示名称 在售数量 备注 产地 品牌", "0 否 是 1"),
        ] {
            for (title, text) in titles.split(' ').flat_map(|title| texts.split(' ').map(move |text| (title, text))) {
                assert_eq!(says_off(title, text), off, "{title} {text}");
            }
        }
    }

    #[test]
    fn a_day_is_read_however_it_is_written() {
        for (text, read) in [
            ("2027-01-01", "2027-01-01"),
            ("2027/1/1 10:00", "2027-01-01"),
            ("2027年1月1日", "2027-01-01"),
            ("20270101", "2027-01-01"),
            ("2027.01", "2027-01-01"),
            ("2099-12-31", ""),
            ("0000-00-00", ""),
            ("12", ""),
            ("春节", ""),
        ] {
            assert_eq!(day(text).unwrap_or_default(), read, "{text}");
        }
        assert!(begins("上架时间") && begins("开售日期") && begins("publish_date") && !begins("上架"));
        assert!(ends("停售日期") && ends("失效日期") && ends("有效期至") && ends("deleted_at") && !ends("停售"));
    }
}
