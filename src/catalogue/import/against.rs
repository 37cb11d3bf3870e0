//! What a row of a price list says against itself, in cells that nothing is read of, in its own name, or hung on one of its cells: 停产,
//! 先不改, 待定. What is said so below the whole list counts for all of it.

use super::super::rules;
use super::off::unread;
use super::{ANY_STATE, Column, Row, shelf};
use crate::tables::{self, Table};
use crate::typed::{clauses, holds, plain, unsigned};

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
    about_lines(table, rows);
    for (row, read) in table.rows.iter().zip(rows) {
        let hung = row.comments().filter(|(_, text)| !says_what_it_is(text));
        let hung = hung.map(|(at, text)| format!("{at} 的批注写着“{text}”：照这一行导入的请打勾"));
        // A column that is called so alone is used where it says what is on sale.
        let state = row.title(Column::OnShelf as usize).map(str::trim).zip(read.said(Column::OnShelf));
        let state = state
            .filter(|(title, text)| ANY_STATE.contains(&title.to_lowercase().as_str()) && shelf::read(text).is_none());
        let said = unread(row).chain(row.unheaded().map(|text| ("没有列名的格", text.trim()))).chain(state);
        let said = said.filter(|(title, text)| is_against(title, text));
        let said = said.map(|(title, text)| format!("“{title}”写的是“{}”：照这一行导入的请打勾", brief(text)));
        let other = another_figure(row, read);
        read.asks.extend(hung.chain(said).chain(other).collect::<Vec<_>>());
        let gone = |column| read.said(column).filter(|text| is_called_gone(text)).map(brief);
        let (name, other) = (gone(Column::Name), gone(Column::Specs).or_else(|| gone(Column::Category)));
        read.shelf_doubts
            .extend(name.map(|name| format!("“{name}”像是不卖的：勾上会新建并上架；不上架的请在“上架”一列填 否")));
        read.asks.extend(other.map(|text| format!("“{text}”像是不卖的：照这一行导入的请打勾")));
    }
}

/// What lines above and below a list say against it: those that name goods are of these, the others of all.
fn about_lines(table: &Table, rows: &mut [Row]) {
    let names: Vec<String> = rows.iter().map(|row| plain(row.said(Column::Name).unwrap_or_default())).collect();
    // A line that somebody wrote below the list stands in the column of names, with nothing beside it.
    let is_alone = |at: usize| {
        let mut said =
            rows[at].cells.iter().enumerate().filter(|(_, cell)| cell.as_deref().is_some_and(|text| !text.is_empty()));
        said.next().is_some_and(|(column, _)| column == Column::Name as usize) && said.next().is_none()
    };
    let named = |text: &str| -> Vec<usize> {
        let text = plain(text);
        let own = |name: &String| name.chars().count() > 1 && text.contains(name.as_str()) && *name != text;
        let found: Vec<usize> = (0..names.len()).filter(|at| own(&names[*at])).collect();
        // 雨伞 is no part of 自动晴雨伞.
        let longer = |name: &str| found.iter().any(|other| names[*other] != name && names[*other].contains(name));
        found.iter().copied().filter(|at| !longer(&names[*at])).collect()
    };
    let mut asks: Vec<(usize, String)> = Vec::new();
    let mut say = |place: &str, text: &str, all: &dyn Fn(usize) -> bool| {
        if !may_be_against(text) {
            return;
        }
        let of = named(text);
        let words = format!("{place}写着“{}”：照用的请打勾", brief(text));
        let against = |at: &usize| speaks_against(&plain(text).replace(&names[*at], " "));
        match of.is_empty() {
            false => asks.extend(of.into_iter().filter(|at| all(*at)).filter(against).map(|at| (at, words.clone()))),
            true if of_all(text) => asks.extend((0..rows.len()).filter(|at| all(*at)).map(|at| (at, words.clone()))),
            true => {}
        }
    };
    for (_, text) in table.aside.iter().filter(|(_, text)| !explains_filling(text)) {
        say("表下面", text, &|_| true);
    }
    for at in (0..rows.len()).filter(|at| is_alone(*at)) {
        if let Some(text) = rows[at].said(Column::Name).filter(|text| !named(text).is_empty() || is_of_the_list(text)) {
            say("表里一行", text, &|other| other != at);
        }
    }
    let mut heads: Vec<(Option<&str>, u32)> = Vec::new();
    for row in &table.rows {
        let own = head(row);
        if heads.contains(&own) {
            continue;
        }
        heads.push(own);
        // How a table is to be filled in stands there, too.
        for text in row.above().map(str::trim).filter(|text| !explains_filling(text)) {
            say("表上面", text, &|at| head(&table.rows[at]) == own);
        }
    }
    for (at, words) in asks {
        rows[at].asks.push(words);
    }
}

/// Under which heading a row stands.
fn head(row: &tables::Row) -> (Option<&str>, u32) {
    (row.place.sheet.as_deref(), row.head_line())
}

/// Whether a line has any word against goods, before it is known whose.
fn may_be_against(text: &str) -> bool {
    let said = plain(text);
    holds(&said, &STAYS) || holds(&said, &GONE) || holds(&said, &["缺货", "无货"]) || of_all(text)
}

/// The same of what a line says beside the name of its goods.
fn speaks_against(rest: &str) -> bool {
    let rest = plain(rest);
    let near = |clause: &str, word: &str| {
        clause.chars().count() <= word.chars().count() + 6 && (clause.starts_with(word) || clause.ends_with(word))
    };
    let words = || STAYS.iter().chain(&GONE).chain(&["缺货", "无货", "涨价", "调价"]);
    clauses(&rest).any(|clause| words().any(|word| near(clause, word)) && !clause.starts_with('不')) || of_all(&rest)
}

/// Whether a line that names no goods can be of a whole list, and is no goods itself.
fn is_of_the_list(text: &str) -> bool {
    const BEGIN: [&str; 9] = ["价格", "售价", "以上", "以下", "上面", "本表", "全部", "所有", "仅供"];
    let said = plain(text);
    BEGIN.iter().any(|word| said.starts_with(word)) || holds(&said, &["价格表", "报价", "价目", "价格单", "调价表"])
}

pub(super) fn explains_filling(text: &str) -> bool {
    const MOST: usize = 60;
    text.chars().count() > MOST || holds(text, &["填", "导入", "模板", "示例", "必填", "格式", "列名"])
}

/// What hangs on a cell and only says what stands in it: 含税, 已核对.
fn says_what_it_is(text: &str) -> bool {
    const WORDS: [&str; 22] = [
        "含税",
        "已含税",
        "含税价",
        "零售价",
        "统一零售价",
        "人民币",
        "单位元",
        "元",
        "已核",
        "已核对",
        "已确认",
        "确认",
        "核对无误",
        "新价",
        "新价格",
        "已调价",
        "已涨价",
        "已降价",
        "已更新",
        "已改",
        "ok",
        "已盘点",
    ];
    let said = plain(unsigned(text));
    clauses(&said).next().is_some() && clauses(&said).all(|clause| WORDS.contains(&clause))
}

/// Another column of the same figure, as of what was counted or of what is new: which of them is meant.
fn another_figure(row: &tables::Row, read: &Row) -> Option<String> {
    let counted = |title: &str| {
        holds(title, &["盘", "清点", "实点", "实存", "实有", "实数"]) && !title.contains('差') && !title.contains("期")
    };
    let newer = |title: &str| {
        let new = ["新", "现", "调后", "调整后", "改后", "最新", "调价后"].iter().any(|word| title.starts_with(word));
        new && title.contains('价') && !holds(title, &["率", "幅", "成本", "进", "会员", "批发", "活动"])
    };
    let own = |column: Column| Some((row.title(column as usize)?.trim(), read.said(column)?));
    let stock = || {
        let (title, text) = own(Column::Stock).filter(|(title, _)| !counted(&plain(title)))?;
        let n = tables::count(text)?;
        let mut others = unread(row).filter(|(other, _)| counted(&plain(other)));
        let (other, said) = others.find(|(_, said)| tables::count(said).is_some_and(|other| other != n))?;
        Some((title, text, other, said))
    };
    let price = || {
        let (title, text) = own(Column::Price).filter(|(title, _)| !newer(&plain(title)))?;
        let fen = |text: &str| rules::price(text, "", "").ok();
        let mut others = unread(row).filter(|(other, _)| newer(&plain(other)));
        let (other, said) = others.find(|(_, said)| fen(said).is_some_and(|other| Some(other) != fen(text)))?;
        Some((title, text, other, said))
    };
    let (title, text, other, said) = stock().or_else(price)?;
    Some(format!("“{title}”是 {text}，“{other}”是 {said}：照“{title}”导入的请打勾，用“{other}”的请删掉“{title}”这一列"))
}

/// Whether a cell under another title says that the row is not to be taken as it stands.
fn is_against(title: &str, text: &str) -> bool {
    const MOST: usize = 40;
    const ASKS: [&str; 5] = ["是否", "要不要", "需要", "需不需要", "能否"];
    let (title, said) = (plain(title), plain(text));
    if said.chars().count() > MOST {
        return false;
    }
    let no = ["否", "不", "n", "no", "false", "×", "✗", "✘", "x"].contains(&said.as_str())
        || ["不", "先不", "先别", "暂不", "暂缓", "别", "勿", "未", "待", "等"]
            .iter()
            .any(|word| said.starts_with(word));
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
    let about = [
        "先不",
        "不要改",
        "未定",
        "待定",
        "批发价",
        "起执行",
        "起生效",
        "执行时间",
        "生效",
        "作废",
        "仅供参考",
        "草稿",
        "初稿",
        "暂定",
        "待确认",
        "讨论稿",
    ];
    holds(&said, &about) && !holds(&said, &["即日起", "今日起", "已生效", "已执行"])
}

fn brief(text: &str) -> String {
    text.trim().chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{WANTED, plan::plan};
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
            ("是否调价", "不调"),
            ("是否调价", "先不改"),
            ("是否调价", "暂不"),
            ("状态", "先不改"),
            ("状态", "待定"),
            ("状态", "取消"),
            ("状态", "等通知"),
            ("状态", "价格错了"),
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
            ("以下价格未定", true),
            ("12月价格表（草稿）", true),
            ("仅供参考", true),
            ("12月价格表 即日起执行", false),
            ("2026年12月价格表", false),
        ] {
            assert_eq!(of_all(text), right, "{text}");
        }
    }

    /// The names of the rows that are asked about what a table says.
    fn asked(text: &str) -> String {
        let table = tables::read(text.as_bytes(), &WANTED).unwrap();
        let rows = plan(&table, None).unwrap_or_else(|e| panic!("{text}: {e:?}")).rows;
        let asked = rows.iter().filter(|row| !row.asks.is_empty() && row.said(Column::Price).is_some());
        asked.filter_map(|row| row.said(Column::Name)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn lines_around_a_list_are_of_the_goods_that_they_name() {
        let list = "商品名称,售价,库存\n自动晴雨伞,63,20\n雨伞,30,9\n茶杯,9,5\n";
        for (line, right) in [
            ("以下价格未定,,", "自动晴雨伞 雨伞 茶杯"),
            ("价格待定,,", "自动晴雨伞 雨伞 茶杯"),
            ("12月价格表（草稿）,,", "自动晴雨伞 雨伞 茶杯"),
            ("仅供参考,,", "自动晴雨伞 雨伞 茶杯"),
            ("注：自动晴雨伞价格待定,,", "自动晴雨伞"),
            ("自动晴雨伞先不调价,,", "自动晴雨伞"),
            ("茶杯 停产,,", "茶杯"),
            ("自动晴雨伞、茶杯先不改,,", "自动晴雨伞 茶杯"),
            ("2026年12月价格表,,", ""),
            ("说明：作废的商品请不要填,,", ""),
            ("茶杯新品上市,,", ""),
        ] {
            assert_eq!(asked(&format!("{line}\n{list}")), right, "above: {line}");
            assert_eq!(asked(&format!("{list}{line}\n")), right, "below: {line}");
        }
        // Under a title that says how goods stand, or another that has the same figure.
        for (head, said, right) in [
            ("状态", "先不改", "茶杯"),
            ("状态", "价格错了", "茶杯"),
            ("状态", "缺货", "茶杯"),
            ("状态", "正常", ""),
            ("是否调价", "不调", "茶杯"),
            ("是否调价", "是", ""),
            ("盘点", "18", "茶杯"),
            ("实盘数", "18", "茶杯"),
            ("盘点", "20", ""),
            ("盘点差异", "2", ""),
            ("现价", "8", "茶杯"),
            ("新售价", "9", ""),
        ] {
            assert_eq!(asked(&format!("商品名称,售价,库存,{head}\n茶杯,9,20,{said}\n")), right, "{head} {said}");
        }
        for (text, right) in
            [("含税", true), ("小王：已核对", true), ("先不改价", false), ("作废", false), ("不含税", false)]
        {
            assert_eq!(says_what_it_is(text), right, "{text}");
        }
    }
}
