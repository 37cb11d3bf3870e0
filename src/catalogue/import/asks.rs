//! What a person should say yes to before the rows of a table become goods: seen in the table alone, before anything is known
//! about the catalogue.

use std::collections::{HashMap, HashSet};

use super::super::rules;
use super::{ANY_STATE, Column, Row, TITLES, against, shelf, words};
use crate::money::Fen;
use crate::tables::{self, Table};
use crate::typed::{holds, plain};

/// What goods moved by: such a table has sums, days, people and numbers of its own, and its 数量 is no stock.
const OF_DOCUMENTS: [&str; 36] = [
    "金额",
    "销售额",
    "成交额",
    "小计",
    "总价",
    "总额",
    "合计",
    "总计",
    "应收",
    "实收",
    "实付",
    "货款",
    "日期",
    "时间",
    "单据",
    "单号",
    "订单",
    "流水",
    "批次",
    "供应商",
    "客户",
    "买家",
    "收货人",
    "收银",
    "销售员",
    "业务员",
    "经手",
    "付款",
    "支付",
    "快递",
    "门店",
    "仓库",
    "折扣",
    "税率",
    "amount",
    "total",
];

/// Days and times that a list of goods has, too.
const OF_GOODS: [&str; 12] =
    ["生产", "保质", "到期", "有效", "上架", "下架", "创建", "更新", "修改", "发布", "上市", "添加"];

/// What papers of goods that moved are called.
const PAPERS: [&str; 18] = [
    "进货",
    "销售单",
    "销售明细",
    "销售表",
    "送货",
    "出库",
    "入库",
    "采购",
    "退货",
    "对账",
    "调拨",
    "发货",
    "订货",
    "订单",
    "报损",
    "流水",
    "明细账",
    "收据",
];

/// What counts what has moved, in the title itself.
const MOVED: [&str; 9] =
    ["数量", "qty", "quantity", "件数", "销售数量", "进货数量", "入库数量", "出库数量", "送货数量"];

/// Lists of what was sold or bought in, and sums of goods that stand beside each of their specifications: asked about before
/// they become the stock.
pub fn about_documents(table: &Table, rows: &mut [Row]) {
    let mut of_name: HashMap<&str, usize> = HashMap::new();
    fn name(row: &tables::Row) -> Option<&str> {
        row.text(Column::Name as usize)?.ok()
    }
    table.rows.iter().filter_map(name).for_each(|name| *of_name.entry(name).or_default() += 1);
    for (row, read) in table.rows.iter().zip(rows) {
        let Some(title) = row.title(Column::Stock as usize).map(|title| title.trim().to_lowercase()) else { continue };
        let of_document = |title: &&str| holds(&title.to_lowercase(), &OF_DOCUMENTS) && !holds(title, &OF_GOODS);
        let told = row.titles().map(str::trim).find(of_document);
        let told =
            told.or_else(|| row.said_above().map(str::trim).find(|above| is_title(above) && holds(above, &PAPERS)));
        if let Some(told) = told.filter(|_| MOVED.contains(&title.as_str())) {
            read.asks.push(format!(
                "表里有“{told}”，像是进货单、销售单：“{title}”会成为库存，单价会成为售价；真是商品表的请打勾"
            ));
        }
        if title.contains('总') && name(row).is_some_and(|name| of_name[name] > 1) {
            read.doubts.push(format!("“{title}”像是整个商品的：勾上是这个规格就有这么多件"));
        }
    }
}

/// A title or a group's name, and no sentence that explains how to fill the table in.
fn is_title(text: &str) -> bool {
    text.chars().count() <= 24 && !text.contains(['，', '。', '；', '！'])
}

/// What is said above or below all rows of a sheet or of a group of them, and changes what each of them means: another
/// money, another kind of price, goods that are sold no more.
pub fn about_what_is_said_of_all(table: &Table, rows: &mut [Row]) {
    const MONEY: [&str; 12] =
        ["美元", "美金", "港币", "港元", "欧元", "日元", "韩元", "台币", "英镑", "澳元", "USD", "HKD"];
    const OTHERS: [&str; 21] = [
        "批发",
        "进货",
        "进价",
        "成本",
        "供货",
        "旧价",
        "旧版",
        "作废",
        "备份",
        "停售",
        "下架",
        "淘汰",
        "缺货",
        "停产",
        "断货",
        "示例",
        "样例",
        "范例",
        "回收站",
        "折扣",
        "活动价",
    ];
    let below = table.notes.iter().find(|note| note.contains("没有读：") && holds(note, &MONEY));
    // What names goods is said of these alone, and what says how to fill the table in of none.
    let names: Vec<String> = rows.iter().filter_map(|row| row.said(Column::Name)).map(plain).collect();
    let is_of_some = |text: &str| {
        let text = plain(text);
        names.iter().any(|name| name.chars().count() > 1 && text.contains(name.as_str()))
    };
    let mut known: HashMap<String, bool> = HashMap::new();
    let mut is_of_all = |text: &str| {
        *known.entry(text.to_owned()).or_insert_with(|| !against::explains_filling(text) && !is_of_some(text))
    };
    for (row, read) in table.rows.iter().zip(rows) {
        let above = row.said_above().map(str::trim);
        let mut told = above.filter(|text| is_title(text) && (holds(text, &MONEY) || holds(text, &OTHERS)));
        let told = told.find(|text| is_of_all(text));
        read.asks.extend(told.map(|told| format!("表里上面写着“{told}”：这些价格、库存照用吗？照用的请打勾")));
        read.asks.extend(below.map(|below| format!("{below}：价格是人民币的请打勾")));
    }
}

/// A second row of headings that parts a figure in two, under titles that nobody knows: which of them is meant is not sure.
pub fn about_parted_figures(table: &Table, rows: &mut [Row]) {
    const FIGURES: [Column; 4] = [Column::Price, Column::MarketPrice, Column::Stock, Column::Cost];
    let head = |row: &tables::Row| (row.place.sheet.clone(), row.head_line());
    let mut asks: Vec<(_, String)> = Vec::new();
    let mut last = None;
    for (row, read) in table.rows.iter().zip(rows.iter()) {
        if last.replace(head(row)) == Some(head(row)) {
            continue;
        }
        let named =
            [Column::Name, Column::SkuCode, Column::Barcode].into_iter().any(|column| read.said(column).is_some());
        let is_word =
            |text: &&str| !text.is_empty() && !text.chars().any(|c| c.is_ascii_digit()) && text.chars().count() <= 10;
        let words = FIGURES.into_iter().filter(|_| !named).find_map(|column| {
            let word = read.said(column).filter(is_word)?;
            Some((row.title(column as usize).unwrap_or_default().trim(), word))
        });
        if let Some((title, word)) = words {
            let words = format!("“{title}”下面一行写着“{word}”，像是分成了几列，现在用的是这一列：真要用它的请打勾");
            asks.push((head(row), words));
        }
    }
    for (row, read) in table.rows.iter().zip(rows) {
        read.asks.extend(asks.iter().filter(|(of, _)| *of == head(row)).map(|(_, words)| words.clone()));
    }
}

/// Rows that say different things of the same goods: which of them is right nobody knows, so the first is none the more so.
pub fn about_rivals(rows: &mut [Row]) {
    const OF_ALL: [Column; 3] = [Column::Subtitle, Column::Category, Column::OnShelf];
    let mut of_goods: HashMap<(String, String), Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        let [name, specs, code] = [Column::Name, Column::Specs, Column::SkuCode]
            .map(|column| row.said(column).unwrap_or_default().to_owned());
        let own = if code.is_empty() { (name, specs) } else { (String::new(), code) };
        if own != Default::default() {
            of_goods.entry(own).or_default().push(at);
        }
    }
    for of_it in of_one_name(rows) {
        of_it.iter().for_each(|at| rows[*at].shared = true);
        for column in OF_ALL {
            let mut said = of_it.iter().filter_map(|at| rows[*at].said(column).map(str::to_owned));
            let first = said.next();
            if let Some(other) = said.find(|other| first.as_ref() != Some(other)) {
                let title = TITLES[column as usize][0];
                let first = first.unwrap_or_default();
                let words = format!("表里这个商品的{title}有的行是「{first}」，有的是「{other}」：请改成一样的");
                of_it.iter().for_each(|at| rows[*at].asks.push(words.clone()));
            }
        }
    }
    for of_it in of_goods.into_values().filter(|of_it| of_it.len() > 1) {
        let differ = of_it.iter().any(|at| rows[*at].cells != rows[of_it[0]].cells);
        for at in of_it.iter().filter(|_| differ) {
            let other = of_it.iter().find(|other| *other != at).map(|other| rows[*other].line.clone());
            let words = format!("表里还有{}也写这个规格，写得不一样：哪一行对，请只留一行", other.unwrap_or_default());
            rows[*at].asks.push(words);
        }
    }
}

/// The places of the rows of each name that several have.
fn of_one_name(rows: &[Row]) -> Vec<Vec<usize>> {
    let mut of_name: HashMap<&str, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate() {
        row.said(Column::Name).into_iter().for_each(|name| of_name.entry(name).or_default().push(at));
    }
    of_name.into_values().filter(|of_it| of_it.len() > 1).collect()
}

/// Prices that are far from those of all other specifications of their goods: a point has slipped.
pub fn about_far_prices(rows: &mut [Row]) {
    for of_it in of_one_name(rows) {
        let price =
            |at: &usize| rules::price(rows[*at].said(Column::Price)?, "", "").ok().filter(|fen| *fen > Fen::ZERO);
        let mut priced: Vec<(Fen, usize)> = of_it.iter().filter_map(|at| Some((price(at)?, *at))).collect();
        priced.sort_unstable();
        if let [(low, at), (next, _), ..] = priced[..]
            && rules::is_slip(next, low)
        {
            rows[at].price_doubts.push(words::far_from(low, next));
        }
        if let [.., (next, _), (high, at)] = priced[..]
            && rules::is_slip(next, high)
        {
            rows[at].price_doubts.push(words::far_from(high, next));
        }
    }
}

/// New goods that say nothing of the shelf go on sale: where most rows say it, or some that theirs are not, an empty cell
/// may mean anything. One row of the same goods says it for all of them.
pub fn note_the_stateless(rows: &mut [Row]) {
    let said = |row: &Row| row.said(Column::OnShelf).map(shelf::read);
    let stating = rows.iter().filter(|row| said(row).is_some()).count();
    let any_off = rows.iter().filter_map(said).any(|state| state != Some(shelf::State::On));
    if stating * 2 <= rows.len() && !any_off {
        return;
    }
    let stated: HashSet<String> = rows
        .iter()
        .filter(|row| said(row).is_some())
        .filter_map(|row| row.said(Column::Name))
        .map(str::to_owned)
        .collect();
    let is_stated = |row: &Row| row.said(Column::Name).is_some_and(|name| stated.contains(name));
    rows.iter_mut().filter(|row| row.has(Column::OnShelf) && !is_stated(row)).for_each(|row| row.stateless = true);
}

/// A column that is called 状态 alone, and says nowhere that something is or is not on sale, is not used.
pub fn without_other_states(table: &Table, rows: &mut [Row]) -> Option<String> {
    let any = |row: &tables::Row| {
        row.title(Column::OnShelf as usize)
            .is_some_and(|title| ANY_STATE.contains(&title.trim().to_lowercase().as_str()))
    };
    let says = |row: &Row| row.said(Column::OnShelf).is_some_and(|text| shelf::read(text).is_some());
    let mut beside = table.rows.iter().zip(rows.iter_mut()).filter(|(row, _)| any(row)).collect::<Vec<_>>();
    if beside.iter().any(|(_, read)| says(read)) {
        return None;
    }
    beside.iter_mut().for_each(|(_, read)| read.cells[Column::OnShelf as usize] = None);
    let title = beside.first()?.0.title(Column::OnShelf as usize)?.trim();
    Some(format!("没有用到的列：{title}（没有写上架或下架）"))
}
