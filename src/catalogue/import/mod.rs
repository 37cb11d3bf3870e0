//! Importing products from a table: one row a SKU, rows of one name one product. What the rows say is judged against the
//! catalogue, shown, and then carried out; a column that is not there and a cell that is empty change nothing.

mod album;
mod judge;
mod run;
mod specs;
pub mod store;

use std::path::Path;

use serde::{Deserialize, Serialize};

pub use judge::{Change, Judged, Verdict, judge};
pub use run::{Done, apply, run};
pub use specs::{read as specs, written};

use super::media::Picture;
use super::rules;
use super::{Category, Product, Sku};
use crate::ids::ImageHash;
use crate::money::Fen;
use crate::tables::{self, Table, Wanted};
use crate::typed::clean;
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
}

/// Every column with its titles, the usual one first.
const TITLES: [&[&str]; 11] = [
    &[
        "商品名称",
        "name",
        "商品名",
        "品名",
        "名称",
        "商品标题",
        "宝贝标题",
        "产品名称",
        "产品名",
        "商品",
        "title",
        "货品名称",
        "货品名",
        "物品名称",
        "商品全称",
        "产品",
        "product name",
        "product",
        "item name",
    ],
    &["副标题", "subtitle", "卖点", "商品卖点", "短标题"],
    &["分类", "category", "商品分类", "类目", "类别"],
    &["规格", "specs", "商品规格", "规格型号", "销售属性", "SKU规格"],
    &[
        "商家编码",
        "sku_code",
        "规格编码",
        "SKU编码",
        "商品编码",
        "货号",
        "编码",
        "编号",
        "sku",
        "条码",
        "商品条码",
        "货品编号",
        "货品编码",
        "商品编号",
        "产品编码",
        "产品编号",
        "商品货号",
    ],
    &["售价(元)", "price", "单价", "价格", "销售价", "零售价", "现价", "一口价", "单买价", "店铺价", "unit price"],
    &["划线价(元)", "market_price", "原价", "市场价", "吊牌价"],
    &[
        "库存",
        "stock",
        "数量",
        "库存数量",
        "库存数",
        "现货",
        "qty",
        "库存量",
        "现有库存",
        "可用库存",
        "可售库存",
        "总库存",
        "商品库存",
        "quantity",
        "inventory",
    ],
    &["图片", "images", "商品图片", "主图", "图"],
    &["上架", "on_shelf", "是否上架", "上架状态"],
    &["导出时库存", "stock_at_export"],
];

/// What this import looks for in a table.
pub const WANTED: Wanted<'_> =
    Wanted { columns: &TITLES, needed: &[&[Column::Name as usize, Column::SkuCode as usize]] };

/// The titles that an export writes.
pub fn titles() -> [&'static str; 11] {
    TITLES.map(|titles| titles[0])
}

/// The columns that hold numbers.
pub const NUMBERS: [usize; 4] =
    [Column::Price as usize, Column::MarketPrice as usize, Column::Stock as usize, Column::StockThen as usize];

/// A row as it was written.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Row {
    /// Where it stands in the file, in words.
    pub line: String,
    /// What stands under each column; `None` where the table does not have it.
    pub cells: Vec<Option<String>>,
    /// Kept pictures, by their hashes.
    #[serde(default)]
    pub pictures: Vec<String>,
    /// What is wrong with cells on their own.
    #[serde(default)]
    pub problems: Vec<String>,
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
    problems.extend(table.twice.iter().map(|column| format!("第 {head} 行：列「{}」出现了两次", TITLES[*column][0])));
    if !problems.is_empty() {
        problems.extend(table.notes.iter().cloned());
        return Err(problems);
    }
    let mut album = Album::default();
    let rows = table.rows.iter().map(|row| read(row, folder, &mut album)).collect();
    let mut notes = table.notes.clone();
    notes.extend(album.left_out());
    Ok(Plan { rows, pictures: album.pictures, notes })
}

fn read(row: &tables::Row, folder: Option<&Path>, album: &mut Album) -> Row {
    let mut read = Row { line: row.place.to_string(), ..Row::default() };
    album.take(row, &mut read);
    let drawn = !read.pictures.is_empty() || !read.problems.is_empty();
    for column in 0..TITLES.len() {
        let text = match row.text(column) {
            Some(Err(_)) if column == Column::Images as usize && drawn => Some(String::new()),
            Some(Ok(text)) if column == Column::Specs as usize => Some(text.replace('\n', ";").trim().to_owned()),
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
    let (names, mut own) = (read.said(Column::Images).unwrap_or_default().to_owned(), Vec::new());
    beside(&names, folder, &mut own, &mut read.problems);
    read.pictures.extend(own.iter().map(|picture| picture.hash.to_string()));
    if let Err(problem) = rules::images(read.pictures.len()) {
        read.problems.push(problem);
    }
    album.pictures.extend(own);
    read
}

/// File names beside the table, separated by `;` or `|`. Pictures on the web are not fetched.
fn beside(names: &str, folder: Option<&Path>, pictures: &mut Vec<Picture>, problems: &mut Vec<String>) {
    for name in names.split([';', '；', '|', '\n']).map(str::trim).filter(|name| !name.is_empty()) {
        if name.contains("://") {
            problems.push(format!("图片 {name} 是网址：请先下载到表格旁边，再写文件名"));
        } else if name.starts_with('/') || name.split(['/', '\\']).any(|part| part == "..") {
            problems.push(format!("图片 {name} 请放在表格旁边的文件夹里"));
        } else {
            let Some(folder) = folder else {
                problems.push(format!("图片 {name} 没有一起上传：请清空这一格，导入后在商品页添加"));
                continue;
            };
            match std::fs::read(folder.join(name)).ok().map(|bytes| Picture::read(&bytes)) {
                None => problems.push(format!("找不到图片 {name}")),
                Some(Ok(picture)) => pictures.push(picture),
                Some(Err(e)) => problems.push(format!("图片 {name}：{}", e.message())),
            }
        }
    }
}

/// A SKU in the columns that are read. Pictures stay where they are: the column is empty, and an import keeps them.
pub fn row(product: &Product, sku: &Sku, categories: &[Category]) -> Vec<String> {
    vec![
        product.name.clone(),
        product.subtitle.clone(),
        path(product, categories),
        written(&sku.specs),
        sku.sku_code.clone().unwrap_or_default(),
        sku.price.plain(),
        sku.market_price.map(Fen::plain).unwrap_or_default(),
        sku.on_hand.to_string(),
        String::new(),
        yes(product.on_shelf).to_owned(),
        sku.on_hand.to_string(),
    ]
}

fn path(product: &Product, categories: &[Category]) -> String {
    let category = categories.iter().find(|c| Some(c.id) == product.category_id);
    let parent = category.and_then(|c| categories.iter().find(|p| Some(p.id) == c.parent_id));
    [parent, category].into_iter().flatten().map(|c| c.name.as_str()).collect::<Vec<_>>().join("/")
}

fn yes(on: bool) -> &'static str {
    if on { "是" } else { "否" }
}
