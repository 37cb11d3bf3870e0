//! Importing products from a table: one row a SKU, rows of one name one product. What the rows say is judged against the
//! catalogue, shown, and then carried out; a column that is not there and a cell that is empty change nothing.

mod again;
mod album;
mod codes;
mod judge;
mod off;
mod run;
mod shelf;
mod since;
mod specs;
pub mod store;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

pub use again::{Again, again};
pub use judge::{Change, Judged, Verdict, Waiting, judge, waiting};
pub use off::ask_about_days;
pub use run::{Agreed, Done, Ran, Stopped, apply, run};
pub use specs::{read as specs, written};

use super::media::Picture;
use super::rules;
use super::{Category, Product, Sku};
use crate::ids::ImageHash;
use crate::money::Fen;
use crate::tables::{self, Table, Wanted};
use crate::typed::{clean, holds};
use album::Album;

/// What is written into a cell to take away what the shop has there.
pub const EMPTY_IT: &str = "清空";

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Column {
    Name,
    Subtitle,
    Category,
    Specs,
    SkuCode,
    Price,
    MarketPrice,
    Stock,
    Images,
    OnShelf,
    /// Written by an export: what `Stock` was then, so that it counts as a difference.
    StockThen,
    Barcode,
    Weight,
    Cost,
    /// Written by an export: what else the row was then, so that what nobody has touched takes nothing back.
    AsExported,
}

/// In the order of an export. Tables that were brought in are kept by the columns' numbers, which therefore stay.
const WRITTEN: [Column; 15] = [
    Column::Name,
    Column::Subtitle,
    Column::Category,
    Column::Specs,
    Column::SkuCode,
    Column::Price,
    Column::MarketPrice,
    Column::Stock,
    Column::Images,
    Column::OnShelf,
    Column::Barcode,
    Column::Weight,
    Column::Cost,
    Column::StockThen,
    Column::AsExported,
];
/// Of those the ones that people fill in.
pub const FILLED: usize = WRITTEN.len() - 2;

/// Every column with its titles, the usual one first.
const TITLES: [&[&str]; WRITTEN.len()] = [
    &[
        "商品名称",
        "name",
        "商品名",
        "品名",
        "名称",
        "商品标题",
        "宝贝标题",
        "宝贝名称",
        "产品名称",
        "产品名",
        "产品标题",
        "商品",
        "title",
        "货品名称",
        "货品名",
        "货品",
        "货名",
        "物品名称",
        "存货名称",
        "物料名称",
        "菜品名称",
        "商品全称",
        "商品全名",
        "货品全名",
        "款式名称",
        "商品简称",
        "款名",
        "产品",
        "product name",
        "product",
        "item name",
        "item",
    ],
    &["副标题", "subtitle", "卖点", "商品卖点", "短标题"],
    &[
        "分类",
        "category",
        "商品分类",
        "商品类目",
        "类目",
        "类别",
        "品类",
        "分类名称",
        "类目名称",
        "所属分类",
        "商品类别",
        "产品分类",
        "产品类别",
        "货品类别",
        "货品分类",
        "物料分类",
        "商品分组",
    ],
    &["规格", "specs", "spec", "商品规格", "规格型号", "规格属性", "销售规格", "销售属性", "SKU规格", "SKU属性"],
    &[
        "商家编码",
        "sku_code",
        "规格编码",
        "规格编号",
        "规格码",
        "商家规格编码",
        "规格商家编码",
        "SKU编码",
        "SKU商家编码",
        "商家SKU编码",
        "SKU货号",
        "SKU码",
        "SKU no",
        "商品编码",
        "货号",
        "产品货号",
        "编码",
        "编号",
        "sku",
        "货品编号",
        "货品编码",
        "商品编号",
        "商品代码",
        "产品编码",
        "产品编号",
        "商品货号",
        "存货编码",
        "物料编码",
        "外部编码",
        "自定义编码",
        "item no",
        "variant sku",
    ],
    &[
        "售价(元)",
        "price",
        "单价",
        "价格",
        "销售价",
        "销售价格",
        "销售单价",
        "零售价",
        "零售单价",
        "基本售价",
        "标准售价",
        "预设售价",
        "日常价",
        "现价",
        "一口价",
        "单买价",
        "店铺价",
        "网店价",
        "商城价",
        "线上价",
        "小程序价",
        "宝贝价格",
        "售卖价",
        "售卖价格",
        "京东价",
        "商品价格",
        "商品售价",
        "统一售价",
        "SKU价格",
        "SKU价",
        "规格价格",
        "定价",
        "标价",
        "卖价",
        "价钱",
        "unit price",
        "sale price",
        "selling price",
        "retail price",
        "variant price",
    ],
    &[
        "划线价(元)",
        "market_price",
        "划线价格",
        "原价",
        "市场价",
        "市场价格",
        "吊牌价",
        "市场|吊牌价",
        "市场/吊牌价",
        "市场吊牌价",
        "专柜价",
        "参考价",
        "建议零售价",
        "variant compare at price",
    ],
    &[
        "库存",
        "stock",
        "数量",
        "库存数量",
        "库存数",
        "现货",
        "现货库存",
        "宝贝数量",
        "qty",
        "库存量",
        "现有库存",
        "现库存",
        "当前库存",
        "实际库存",
        "实际库存数",
        "可用库存数",
        "可售库存数",
        "可销库存",
        "可发库存",
        "剩余库存",
        "可用库存",
        "可用数量",
        "可用数",
        "可售库存",
        "可售数量",
        "可销售库存",
        "在库数量",
        "总库存",
        "商品库存",
        "SKU库存",
        "规格库存",
        "结存数量",
        "结存",
        "存货数量",
        "库存余量",
        "quantity",
        "inventory",
        "stock qty",
        "stock quantity",
        "stock num",
        "variant inventory qty",
    ],
    &[
        "图片",
        "images",
        "商品图片",
        "商品图",
        "产品图片",
        "主图",
        "商品主图",
        "头图",
        "图",
        "image",
        "picture",
        "实物图",
        "实拍图",
        "产品图",
        "照片",
        "商品照片",
        "产品照片",
        "缩略图",
        "样图",
        "封面图",
        "规格图",
        "SKU图",
        "photo",
        "img",
    ],
    &[
        "上架",
        "on_shelf",
        "是否上架",
        "上架状态",
        "上下架",
        "上下架状态",
        "上架/下架",
        "销售状态",
        "商品状态",
        "宝贝状态",
        "货品状态",
        "产品状态",
        "商品上架状态",
        "商品上下架状态",
        "商品销售状态",
        "出售状态",
        "售卖状态",
        "在售状态",
        "发布状态",
        "上架情况",
        "上架与否",
        "是否在售",
        "是否出售",
        "是否销售",
        "SKU状态",
        "SKU上下架",
        "规格状态",
        "启用状态",
        "是否启用",
        "启用",
        "是否显示",
        "在售",
        "停售",
        "是否停售",
        "停用",
        "是否停用",
        "是否删除",
        "缺货",
        "是否缺货",
        "售罄",
        "是否售罄",
        "listing status",
        "on sale",
        "published",
        "是否下架",
        "下架",
        "状态",
        "status",
    ],
    &["导出时库存", "stock_at_export"],
    &[
        "条码",
        "barcode",
        "商品条码",
        "条形码",
        "商品条形码",
        "国际条码",
        "国际码",
        "国标码",
        "主条码",
        "69码",
        "ean",
        "ean13",
        "upc",
        "gtin",
        "规格条码",
        "SKU条码",
        "variant barcode",
    ],
    &["重量(克)", "weight_g", "重量(g)", "重量g", "重量克", "克重", "单件重量(克)", "毛重(克)", "毛重(g)", "weight(g)"],
    &["成本(元)", "cost", "成本价", "单位成本", "商品成本", "单件成本"],
    &["导出时的样子", "as_exported"],
];

/// Titles under which the state of something else may stand as well.
const ANY_STATE: [&str; 2] = ["状态", "status"];

/// What other tables part into columns of their own: specifications, and the two steps of a category.
const PARTED: [&[&str]; 16] = [
    &["颜色", "颜色分类", "花色", "color"],
    &["尺码", "码数", "size"],
    &["口味"],
    &["款式"],
    &["一级分类", "一级类目"],
    &["二级分类", "二级类目"],
    &["规格名称", "规格名", "SKU名称", "平台规格", "规格描述", "变体"],
    &["颜色规格", "颜色及规格", "颜色/规格", "颜色与规格", "颜色和规格", "颜色尺码", "颜色/尺码"],
    &["规格项", "规格类型", "规格项目", "属性名", "属性名称"],
    &["规格值", "属性值"],
    &["规格项1", "规格名1", "规格名称1", "规格1名称", "规格1名", "属性名1", "option1 name"],
    &["规格值1", "规格1值", "规格1", "属性值1", "option1 value"],
    &["规格项2", "规格名2", "规格名称2", "规格2名称", "规格2名", "属性名2", "option2 name"],
    &["规格值2", "规格2值", "规格2", "属性值2", "option2 value"],
    &["规格项3", "规格名3", "规格名称3", "规格3名称", "规格3名", "属性名3", "option3 name"],
    &["规格值3", "规格3值", "规格3", "属性值3", "option3 value"],
];
/// Of those the specifications.
const SPECS: usize = 4;
/// What names a specification by its values alone: as a whole, or the colour and what else it is.
const BY_VALUE: usize = 6;
const BY_COLOUR: usize = 7;
/// Columns in which a kind of specification has its name, each before that in which it has its value.
const PAIRS: [usize; 4] = [8, 10, 12, 14];

/// Every column that is looked for.
static COLUMNS: [&[&str]; TITLES.len() + PARTED.len()] = {
    let mut all = [TITLES[0]; TITLES.len() + PARTED.len()];
    let mut at = 0;
    while at < all.len() {
        all[at] = if at < TITLES.len() { TITLES[at] } else { PARTED[at - TITLES.len()] };
        at += 1;
    }
    all
};

/// What this import looks for in a table.
pub const WANTED: Wanted<'_> = Wanted {
    columns: &COLUMNS,
    needed: &[&[Column::Name as usize, Column::SkuCode as usize, Column::Barcode as usize]],
    closer: &[
        Column::SkuCode as usize,
        Column::Price as usize,
        Column::MarketPrice as usize,
        Column::Stock as usize,
        Column::Barcode as usize,
    ],
    figures: &[
        Column::Price as usize,
        Column::MarketPrice as usize,
        Column::Stock as usize,
        Column::Cost as usize,
        Column::Weight as usize,
    ],
    alike: |_| None,
};

/// The titles that an export writes.
pub fn titles() -> [&'static str; WRITTEN.len()] {
    WRITTEN.map(|column| TITLES[column as usize][0])
}

/// Of those the ones that hold numbers.
pub const NUMBERS: [usize; 6] = [5, 6, 7, 11, 12, 13];

/// A row as it was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Where it stands in the file, in words.
    pub line: String,
    /// What stands under each column; `None` where the table does not have it.
    pub cells: Vec<Option<String>>,
    /// Whether the specification was put together out of columns like 颜色, which may say no more than what goods look like.
    #[serde(default)]
    pub parted: bool,
    /// Whether the table says of the specification what it is, and not what it is called: the names are ours.
    #[serde(default)]
    pub by_value: bool,
    /// Kept pictures, by their hashes.
    #[serde(default)]
    pub pictures: Vec<String>,
    /// What is wrong with cells on their own.
    #[serde(default)]
    pub problems: Vec<String>,
    /// What of its stock somebody should say yes to.
    #[serde(default)]
    pub doubts: Vec<String>,
    /// The same of whatever it changes.
    #[serde(default)]
    pub asks: Vec<String>,
    /// The same of its price.
    #[serde(default)]
    pub price_doubts: Vec<String>,
    /// The same where it would put goods on sale that are new.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shelf_doubts: Vec<String>,
    /// Whether other rows have its name, too.
    #[serde(default)]
    pub shared: bool,
    /// Whether it says nothing of the shelf, and others do.
    #[serde(default)]
    pub stateless: bool,
    /// Whether the table has the columns of an export, and not those that say of when.
    #[serde(default)]
    pub undated: bool,
    /// What became of it, once it was carried out.
    #[serde(default)]
    pub done: Option<String>,
}

impl Row {
    /// Whether the table has the column.
    fn has(&self, column: Column) -> bool {
        self.cells.get(column as usize).is_some_and(Option::is_some)
    }

    /// What stands under a column, if anything does.
    pub fn said(&self, column: Column) -> Option<&str> {
        self.cells.get(column as usize)?.as_deref().filter(|text| !text.is_empty())
    }

    fn hashes(&self) -> Vec<ImageHash> {
        self.pictures.iter().filter_map(|hash| hash.parse().ok()).collect()
    }
}

/// The rows of a table, with their pictures, before anything is known about the catalogue.
pub struct Plan {
    pub rows: Vec<Row>,
    pub pictures: Vec<Picture>,
    /// What the table has that is not read, in sentences.
    pub notes: Vec<String>,
}

/// Reads every row. Pictures are looked for beside the table, in `folder`. `Err` when it is not a table of products at
/// all; what is wrong with a row stays with the row.
pub fn plan(table: &Table, folder: Option<&Path>) -> Result<Plan, Vec<String>> {
    let head = table.rows.first().map_or(1, tables::Row::head_line);
    let mut problems: Vec<String> =
        table.missing.iter().map(|title| format!("第 {head} 行：缺少列「{title}」")).collect();
    if !table.headed && !table.rows.is_empty() {
        problems.push(format!("没有找到表头：请在第一行写列名，例如 {}", titles()[..8].join("、")));
    } else if table.rows.is_empty() {
        problems.push("表格里没有商品".into());
    }
    problems.extend(table.twice.iter().map(|column| format!("第 {head} 行：列「{}」出现了两次", COLUMNS[*column][0])));
    if !problems.is_empty() {
        problems.extend(table.notes.iter().cloned());
        return Err(problems);
    }
    let mut album = Album::default();
    let mut rows: Vec<Row> = table.rows.iter().map(|row| read(row, folder, &mut album)).collect();
    ask_about_documents(table, &mut rows);
    ask_about_what_is_said_of_all(table, &mut rows);
    ask_about_parted_figures(table, &mut rows);
    off::ask(table, &mut rows);
    ask_about_rivals(&mut rows);
    ask_about_far_prices(&mut rows);
    for (row, read) in table.rows.iter().zip(&mut rows) {
        read.undated =
            row.titles().map(str::trim).filter(|title| !title.is_empty()).eq(titles()[..FILLED].iter().copied());
    }
    let mut notes = table.notes.clone();
    notes.extend(without_other_states(table, &mut rows));
    note_the_stateless(&mut rows);
    notes.extend(album.left_out());
    notes.extend(taken(table));
    Ok(Plan { rows, pictures: album.pictures, notes })
}

/// Which column was taken for what costs money or is counted, where it is not called as everybody calls it.
fn taken(table: &Table) -> Vec<String> {
    let Some(row) = table.rows.first() else { return Vec::new() };
    let columns = [Column::SkuCode, Column::Price, Column::MarketPrice, Column::Stock, Column::Barcode, Column::Cost];
    let told = columns.into_iter().filter_map(|column| {
        let (at, usual) = (column as usize, TITLES[column as usize][0]);
        let title = row.title(at)?;
        let plain = usual.trim_end_matches("(元)");
        let told = || format!("{plain} ← {} 列“{}”", row.letters(at), title.trim());
        (![usual, plain].contains(&title.trim())).then(told)
    });
    told.collect()
}

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
fn ask_about_documents(table: &Table, rows: &mut [Row]) {
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
fn ask_about_what_is_said_of_all(table: &Table, rows: &mut [Row]) {
    const MONEY: [&str; 12] =
        ["美元", "美金", "港币", "港元", "欧元", "日元", "韩元", "台币", "英镑", "澳元", "USD", "HKD"];
    const OTHERS: [&str; 20] = [
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
        "折扣",
        "活动价",
    ];
    let below = table.notes.iter().find(|note| note.contains("没有读：") && holds(note, &MONEY));
    for (row, read) in table.rows.iter().zip(rows) {
        let above = row.said_above().map(str::trim);
        let told = above.filter(|text| is_title(text)).find(|text| holds(text, &MONEY) || holds(text, &OTHERS));
        read.asks.extend(told.map(|told| format!("表里上面写着“{told}”：这些价格、库存照用吗？照用的请打勾")));
        read.asks.extend(below.map(|below| format!("{below}：价格是人民币的请打勾")));
    }
}

/// A second row of headings that parts a figure in two, under titles that nobody knows: which of them is meant is not sure.
fn ask_about_parted_figures(table: &Table, rows: &mut [Row]) {
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
fn ask_about_rivals(rows: &mut [Row]) {
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
fn ask_about_far_prices(rows: &mut [Row]) {
    for of_it in of_one_name(rows) {
        let price =
            |at: &usize| rules::price(rows[*at].said(Column::Price)?, "", "").ok().filter(|fen| *fen > Fen::ZERO);
        let mut priced: Vec<(Fen, usize)> = of_it.iter().filter_map(|at| Some((price(at)?, *at))).collect();
        priced.sort_unstable();
        if let [(low, at), (next, _), ..] = priced[..]
            && rules::is_slip(next, low)
        {
            rows[at].price_doubts.push(far_from(low, next));
        }
        if let [.., (next, _), (high, at)] = priced[..]
            && rules::is_slip(next, high)
        {
            rows[at].price_doubts.push(far_from(high, next));
        }
    }
}

fn far_from(price: Fen, other: Fen) -> String {
    format!("同一商品的另一个规格是 {}，这里是 {}，差十倍以上：是不是少了或多了小数点", other.plain(), price.plain())
}

/// New goods that say nothing of the shelf go on sale: where most rows say it, or some that theirs are not, an empty cell
/// may mean anything. One row of the same goods says it for all of them.
fn note_the_stateless(rows: &mut [Row]) {
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

/// Whether a cell says that something is to be written there, or that it stands elsewhere.
fn stands_for_more(text: &str) -> bool {
    const WORDS: [&str; 8] = ["同上", "同前", "同左", "待定", "待补", "待填", "未定", "空白"];
    let bare = text.trim_matches(|c: char| !c.is_alphanumeric());
    WORDS.contains(&bare) || "〃?？".contains(text.trim()) || tables::explains(bare)
}

/// What templates show how they are filled in with.
fn is_example(name: &str) -> bool {
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

/// A column that is called 状态 alone, and says nowhere that something is or is not on sale, is not used.
fn without_other_states(table: &Table, rows: &mut [Row]) -> Option<String> {
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

fn read(row: &tables::Row, folder: Option<&Path>, album: &mut Album) -> Row {
    let mut read = Row { line: row.place.to_string(), ..Row::default() };
    read.problems.extend(row.moved.clone());
    if row.struck {
        read.asks.push("这一行在表里是划掉的：真要导入的请打勾".to_owned());
    } else {
        let titles = (0..TITLES.len()).filter(|column| row.is_crossed(*column));
        let titles = titles.map(|column| format!("{} 的{}", row.address(column), TITLES[column][0]));
        read.asks.extend(titles.map(|title| format!("{title}在表里是划掉的：照用的请打勾，不用的请清空这一格")));
    }
    album.take(row, &mut read);
    let drawn = !read.pictures.is_empty() || read.problems.len() > usize::from(row.moved.is_some());
    for column in 0..TITLES.len() {
        let text = match row.text(column) {
            Some(Err(_)) if column == Column::Images as usize && drawn => Some(String::new()),
            Some(Ok(text)) if column == Column::Specs as usize => {
                let text = text.replace('\n', ";").trim().to_owned();
                let named = Some(&text)
                    .filter(|text| !is_nothing(text) && !stands_for_more(text))
                    .and_then(|text| specs::named(text, false));
                read.by_value |= named.is_some();
                Some(named.unwrap_or(text))
            }
            Some(Ok(text)) if column == Column::OnShelf as usize => {
                let title = row.title(column).unwrap_or_default();
                Some(shelf::turned(title, text).map_or_else(|| clean(text), str::to_owned))
            }
            Some(Ok(text)) => Some(clean(text)),
            Some(Err(problem)) => {
                let picture = column == Column::Images as usize;
                let what = if picture {
                    "图片不能从单元格里读，请清空这一格，导入后在商品页添加："
                } else {
                    ""
                };
                read.problems.push(format!("{what}{problem}"));
                Some(String::new())
            }
            None => None,
        };
        read.cells.push(text);
    }
    let named = |column: usize| column == Column::Name as usize;
    let blanks =
        read.cells.iter_mut().enumerate().filter(|(column, _)| !named(*column)).filter_map(|(_, cell)| cell.as_mut());
    blanks.filter(|text| is_nothing(text)).for_each(String::clear);
    parted(row, &mut read);
    if let Some((first, last)) = row.merged(Column::Stock as usize)
        && let Some(stock) = read.said(Column::Stock)
    {
        let words = format!(
            "库存 {stock} 是一格合并了第 {first}–{last} 行写的：勾上是每个规格各 {stock} 件；一共 {stock} 件的，请拆开合并、各写各的"
        );
        read.doubts.push(words);
    }
    let (names, mut own) = (read.said(Column::Images).unwrap_or_default().to_owned(), Vec::new());
    album.elsewhere_named += usize::from(beside(&names, folder, &mut own, &mut read.problems));
    read.pictures.extend(own.iter().map(|picture| picture.hash.to_string()));
    if let Err(problem) = rules::images(read.pictures.len()) {
        read.problems.push(problem);
    }
    album.pictures.extend(own);
    read
}

/// Specifications and categories that the table has in columns of their own, where it does not have them in one.
fn parted(row: &tables::Row, read: &mut Row) {
    let mut joined = |columns: std::ops::Range<usize>, of: Column, between: &str, named: bool| {
        let known = columns.clone().any(|at| row.get(TITLES.len() + at).is_some());
        if !known || read.said(of).is_some() {
            return;
        }
        let mut parts = Vec::new();
        for at in columns {
            match row.text(TITLES.len() + at) {
                Some(Ok(text)) if !text.is_empty() => parts.push(match named {
                    true => format!("{}:{}", PARTED[at][0], clean(text)),
                    false => clean(text),
                }),
                Some(Err(problem)) => read.problems.push(problem),
                _ => {}
            }
        }
        read.parted |= named && !parts.is_empty();
        read.cells[of as usize] = Some(parts.join(between));
    };
    joined(0..SPECS, Column::Specs, ";", true);
    joined(SPECS..BY_VALUE, Column::Category, "/", false);
    paired(row, read);
    for column in [BY_VALUE, BY_COLOUR] {
        let names_a_value = column == BY_VALUE && row.get(TITLES.len() + PAIRS[0] + 1).is_some();
        if read.said(Column::Specs).is_some() || names_a_value {
            continue;
        }
        match row.text(TITLES.len() + column) {
            Some(Ok(text)) => {
                let text = clean(&text.replace('\n', ";"));
                (read.by_value, read.cells[Column::Specs as usize]) = match specs::named(&text, column == BY_COLOUR) {
                    Some(named) => (true, Some(named)),
                    None => (false, Some(text)),
                };
            }
            Some(Err(problem)) => read.problems.push(problem),
            None => {}
        }
    }
}

/// Specifications of which the name stands in one column and the value in the next.
fn paired(row: &tables::Row, read: &mut Row) {
    if read.said(Column::Specs).is_some() {
        return;
    }
    let mut problems = Vec::new();
    let mut text = |column: usize| match row.text(TITLES.len() + column)? {
        Ok(text) => Some(clean(text)).filter(|text| !text.is_empty()),
        Err(problem) => {
            problems.push(problem);
            None
        }
    };
    let mut pairs = Vec::new();
    for at in PAIRS {
        let Some(value) = text(at + 1) else { continue };
        let name = text(at).or_else(|| text(BY_VALUE).filter(|_| at == PAIRS[0]));
        pairs.push((name, value));
    }
    read.problems.extend(problems);
    if pairs.is_empty() {
        return;
    }
    let split = |text: &str| -> Vec<String> {
        text.split([';', '；', ',', '，', '/', '、']).map(|part| part.trim().to_owned()).collect()
    };
    let named = pairs.iter().map(|(name, value)| {
        let (name, value) = (name.as_deref()?, value.as_str());
        let (names, values) = (split(name), split(value));
        Some(match names.len() > 1 && names.len() == values.len() {
            true => {
                names.iter().zip(&values).map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(";")
            }
            false => format!("{name}:{value}"),
        })
    });
    let specs = match named.collect::<Option<Vec<_>>>() {
        Some(named) => {
            read.parted = true;
            named.join(";")
        }
        None => {
            let values = pairs.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join(";");
            let named = specs::named(&values, false);
            read.by_value = named.is_some();
            named.unwrap_or(values)
        }
    };
    read.cells[Column::Specs as usize] = Some(specs);
}

/// What people and programs put where there is nothing to write.
fn is_nothing(text: &str) -> bool {
    const WORDS: [&str; 8] = ["无", "暂无", "没有", "n/a", "null", "none", "nan", "undefined"];
    WORDS.contains(&text.trim().to_lowercase().as_str())
        || text.chars().all(|c| matches!(c, '-' | '—' | '/' | '\\' | '_'))
}

/// File names beside the table, separated by `;` or `|`. Answers whether some are left out, for pictures on the web are not
/// fetched, and with an upload there are none beside it.
fn beside(names: &str, folder: Option<&Path>, pictures: &mut Vec<Picture>, problems: &mut Vec<String>) -> bool {
    let mut left_out = false;
    for name in names.split([';', '；', '|', '\n']).map(str::trim).filter(|name| !name.is_empty()) {
        let Some(folder) = folder.filter(|_| !name.contains("://")) else {
            left_out = true;
            continue;
        };
        if name.starts_with('/') || name.split(['/', '\\']).any(|part| part == "..") {
            problems.push(format!("图片 {name} 请放在表格旁边的文件夹里"));
            continue;
        }
        match std::fs::read(folder.join(name)).ok().map(|bytes| Picture::read(&bytes)) {
            None => problems.push(format!("找不到图片 {name}")),
            Some(Ok(picture)) => pictures.push(picture),
            Some(Err(e)) => problems.push(format!("图片 {name}：{}", e.message())),
        }
    }
    left_out
}

/// A SKU in the columns that are read. Pictures stay where they are: the column is empty, and an import keeps them.
/// `at` is a moment before any of it was read.
pub fn row(product: &Product, sku: &Sku, categories: &[Category], at: i64) -> Vec<String> {
    let written = |column| match column {
        Column::AsExported => since::written(product, sku, categories, at),
        column => cell(product, sku, categories, column),
    };
    WRITTEN.map(written).to_vec()
}

fn cell(product: &Product, sku: &Sku, categories: &[Category], column: Column) -> String {
    match column {
        Column::Name => product.name.clone(),
        Column::Subtitle => product.subtitle.clone(),
        Column::Category => path(product, categories),
        Column::Specs => written(&sku.specs),
        Column::SkuCode => sku.sku_code.clone().unwrap_or_default(),
        Column::Price => sku.price.plain(),
        Column::MarketPrice => sku.market_price.map(Fen::plain).unwrap_or_default(),
        Column::Stock | Column::StockThen => sku.on_hand.to_string(),
        Column::Images | Column::AsExported => String::new(),
        Column::OnShelf => yes(product.on_shelf).to_owned(),
        Column::Barcode => sku.barcode.clone().unwrap_or_default(),
        Column::Weight => grams(sku.weight),
        Column::Cost => sku.cost.map(Fen::plain).unwrap_or_default(),
    }
}

/// Nothing where nobody has weighed it.
fn grams(weight: i64) -> String {
    if weight == 0 { String::new() } else { weight.to_string() }
}

fn path(product: &Product, categories: &[Category]) -> String {
    let category = categories.iter().find(|c| Some(c.id) == product.category_id);
    let parent = category.and_then(|c| categories.iter().find(|p| Some(p.id) == c.parent_id));
    [parent, category].into_iter().flatten().map(|c| c.name.as_str()).collect::<Vec<_>>().join("/")
}

fn yes(on: bool) -> &'static str {
    if on { "是" } else { "否" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Plan {
        plan(&tables::read(text.as_bytes(), &WANTED).unwrap(), None).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    #[test]
    fn every_column_is_known_under_its_usual_titles() {
        for (column, titles) in [
            (
                Column::Name,
                "商品名称 品名 宝贝名称 货品 存货名称 产品标题 菜品名称 商品名称(30字以内) 1、商品名称 item",
            ),
            (Column::Category, "分类 商品类目 品类 所属分类 商品分组 货品类别"),
            (Column::Specs, "规格 销售规格 SKU属性 规格型号 spec"),
            (Column::Weight, "重量(克) 重量（g） 重量g 克重 毛重(克) Weight_g"),
            (Column::Cost, "成本 成本(元) 成本价 单位成本/元 商品成本"),
            (Column::SkuCode, "商家编码 SKU码 规格商家编码 规格编号 商品代码 存货编码 SKU_No. Variant_SKU"),
            (Column::Barcode, "条码 条形码 国标码 主条码 69码 barcode"),
            (
                Column::Price,
                "售价 销售价格 零售单价 基本售价 定价 卖价 SKU价格 商品价格 单价元 售价：元 Retail_Price price_yuan 宝贝价格 售卖价 京东价 价格1 Variant_Price",
            ),
            (Column::MarketPrice, "划线价格 专柜价 建议零售价 原价/元 市场|吊牌价"),
            (
                Column::Stock,
                "库存 当前库存 可用数 结存数量 SKU库存 库存/件 库存：件 在库数量 实际库存数 stock_qty 宝贝数量 现货库存 stock_num",
            ),
            (Column::Images, "图片 商品图 产品图片 商品主图 头图"),
            (Column::OnShelf, "上架 上下架 上架/下架 销售状态 商品状态 宝贝状态 是否在售"),
        ] {
            for title in titles.split(' ') {
                let (other, beside) = if column == Column::Name { ("售价", "1") } else { ("商品名称", "杯") };
                let plan = rows(&format!("{other},{title}\n{beside},甲\n"));
                let said = if column == Column::Specs { "规格:甲" } else { "甲" };
                assert_eq!(plan.rows[0].said(column), Some(said), "{title}");
            }
        }
        // What somebody else pays, which stock, and in what it was weighed: nobody's guess.
        for title in [
            "会员价",
            "活动价",
            "进价",
            "批发价",
            "供货价",
            "期初库存",
            "安全库存",
            "状态",
            "重量",
            "重量(kg)",
            "价格10",
            "价格12",
            "售价2",
            "价格*0.8",
            "售价0",
        ] {
            let plan = rows(&format!("商品名称,{title}\n杯,9\n"));
            assert!(plan.notes[0].contains(title) && plan.rows[0].cells.iter().flatten().count() == 1, "{title}");
        }
    }

    #[test]
    fn a_specification_may_be_told_by_what_it_is_alone() {
        let said = |text: &str| rows(text).rows[0].said(Column::Specs).map(str::to_owned);
        for (title, cell, specs) in [
            ("规格名称", "500g/袋", "规格:500g/袋"),
            ("规格名称", "红色 L", "规格:红色 L"),
            ("规格名称", "红色;L", "规格:红色/L"),
            ("规格名称", "颜色:红;尺码:L", "颜色:红;尺码:L"),
            ("SKU名称", "大号", "规格:大号"),
            ("颜色及规格", "红色;L", "颜色:红色;规格:L"),
            ("颜色规格", "红色，L", "颜色:红色;规格:L"),
            ("颜色规格", "红色", "颜色:红色"),
            ("颜色规格", "红色;L;厚", "颜色:红色;规格:L/厚"),
            ("规格", "500ml", "规格:500ml"),
            ("规格", "5斤装", "规格:5斤装"),
            ("规格", "红色，L", "规格:红色/L"),
            ("规格", "颜色:红;L", "颜色:红;L"),
        ] {
            let text = format!("商品名称\t{title}\n杯\t{cell}\n");
            assert_eq!(said(&text).as_deref(), Some(specs), "{title} {cell}");
        }
        assert_eq!(said("商品名称,规格\n杯,默认\n"), None);
        assert_eq!(said("商品名称,规格名称\n杯,\n"), None);
        assert_eq!(said("商品名称,规格,规格名称\n杯,颜色:红,大号\n").as_deref(), Some("颜色:红"));
    }

    #[test]
    fn a_column_of_states_is_the_shelf_where_it_speaks_of_it() {
        let states = |title: &str, states: [&str; 2]| {
            let plan = rows(&format!("商品名称,{title}\n杯,{}\n碗,{}\n", states[0], states[1]));
            let said = |at: usize| plan.rows[at].said(Column::OnShelf).map(str::to_owned);
            ([said(0), said(1)], plan.notes)
        };
        let both = |one: &str, other: &str| [one, other].map(|text| Some(text.to_owned()));
        assert_eq!(states("状态", ["出售中", "已冻"]), (both("出售中", "已冻"), vec![]));
        assert_eq!(
            states("状态", ["正常", "新品"]),
            ([None, None], vec!["没有用到的列：状态（没有写上架或下架）".to_owned()])
        );
        assert_eq!(states("商品状态", ["正常", "新品"]), (both("正常", "新品"), vec![]));
        assert_eq!(states("是否下架", ["是", "0"]), (both("否", "是"), vec![]));
    }

    #[test]
    fn a_specification_may_have_its_name_in_a_column_beside_it() {
        let said = |head: &str, row: &str| {
            rows(&format!("商品名称\t{head}\n杯\t{row}\n")).rows[0].said(Column::Specs).map(str::to_owned)
        };
        for (head, row, specs) in [
            ("规格名\t规格值", "颜色\t红", Some("颜色:红")),
            ("规格名称\t规格值", "颜色\t红", Some("颜色:红")),
            ("规格名\t规格值", "颜色;尺码\t红;L", Some("颜色:红;尺码:L")),
            ("规格名\t规格值", "颜色\t", None),
            ("属性名\t属性值", "容量\t500ml", Some("容量:500ml")),
            ("规格项1\t规格值1\t规格项2\t规格值2", "颜色\t红\t尺码\tL", Some("颜色:红;尺码:L")),
            ("规格项1\t规格值1\t规格项2\t规格值2", "颜色\t红\t\t", Some("颜色:红")),
            ("规格1\t规格2", "红\tL", Some("规格:红/L")),
            ("规格值", "红", Some("规格:红")),
            ("规格1", "颜色:红", Some("颜色:红")),
            ("规格\t规格名\t规格值", "尺码:L\t颜色\t红", Some("尺码:L")),
        ] {
            assert_eq!(said(head, row).as_deref(), specs, "{head} {row}");
        }
    }

    #[test]
    fn what_a_row_says_of_its_own_specification_counts_before_what_is_said_of_the_goods() {
        let head = "商品名称,总库存,规格库存,商品价格,规格价格,商品编码,规格编码,售价";
        for (cells, order) in
            [(["30", "10", "19.9", "29.9", "P", "S", "5"], false), (["10", "30", "29.9", "19.9", "S", "P", "5"], true)]
        {
            let mut titles: Vec<&str> = head.split(',').collect();
            if order {
                titles.swap(1, 2);
                titles.swap(3, 4);
                titles.swap(5, 6);
            }
            let plan = rows(&format!("{}\n杯,{}\n", titles.join(","), cells.join(",")));
            let said = [Column::Stock, Column::Price, Column::SkuCode]
                .map(|column| plan.rows[0].said(column).unwrap().to_owned());
            assert_eq!(said, ["10", "29.9", "S"]);
            assert!(
                plan.notes.iter().any(|note| note.starts_with("售价 ← ") && note.ends_with("列“规格价格”")),
                "{:?}",
                plan.notes
            );
        }
    }

    #[test]
    fn specifications_and_categories_may_have_columns_of_their_own() {
        let said = |text: &str, column| rows(text).rows[0].said(column).map(str::to_owned);
        for (text, specs) in [
            ("商品名称,颜色,尺码\n杯,红,L\n", Some("颜色:红;尺码:L")),
            ("商品名称,尺码,颜色分类\n杯,L,红\n", Some("颜色:红;尺码:L")),
            ("商品名称,颜色,尺码\n杯,红,\n", Some("颜色:红")),
            ("商品名称,颜色,规格\n杯,红,尺码:L\n", Some("尺码:L")),
            ("商品名称,颜色,规格\n杯,红,\n", Some("颜色:红")),
            ("商品名称,颜色\n杯,\n", None),
        ] {
            assert_eq!(said(text, Column::Specs).as_deref(), specs, "{text}");
        }
        for (text, category) in [
            ("商品名称,一级分类,二级分类\n杯,家居,杯具\n", Some("家居/杯具")),
            ("商品名称,一级类目,二级类目\n杯,家居,\n", Some("家居")),
            ("商品名称,分类,二级分类\n杯,家居,杯具\n", Some("家居")),
        ] {
            assert_eq!(said(text, Column::Category).as_deref(), category, "{text}");
        }
        let twice = plan(&tables::read("商品名称,颜色,颜色\n杯,红,蓝\n".as_bytes(), &WANTED).unwrap(), None);
        assert!(twice.is_err_and(|problems| problems[0].contains("「颜色」出现了两次")));
        let price = |text: &str| plan(&tables::read(text.as_bytes(), &WANTED).unwrap(), None);
        assert!(price("商品名称,售价(包邮),售价(不包邮)\n杯,9,8\n").is_err_and(|told| told[0].contains("出现了两次")));
        for fine in ["售价(包邮)", "售价(不含运费)", "单价(含税)"] {
            assert!(
                price(&format!("商品名称,{fine}\n杯,9\n")).unwrap().rows[0].said(Column::Price).is_some(),
                "{fine}"
            );
        }
        let spoilt = rows("商品名称,尺码\n杯,#N/A\n");
        assert!(spoilt.rows[0].problems[0].contains("B2"), "{:?}", spoilt.rows[0].problems);
    }
}
