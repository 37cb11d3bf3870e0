//! Importing products from a table: one row a SKU, rows of one name one product. What the rows say is judged against the
//! catalogue, shown, and then carried out; a column that is not there and a cell that is empty change nothing.

mod again;
mod against;
mod album;
mod asks;
mod cells;
mod codes;
mod judge;
mod off;
mod plan;
mod run;
mod shelf;
mod since;
mod specs;
pub mod store;
mod words;

use serde::{Deserialize, Serialize};

pub use again::{Again, again};
pub use judge::{Change, Judged, Verdict, Waiting, judge, waiting};
pub use off::ask_about_days;
pub use plan::plan;
pub use run::{Agreed, Done, Ran, Stopped, apply, run};
pub use since::row;
pub use specs::{read as specs, written};

use super::media::Picture;
use crate::ids::ImageHash;
use crate::tables::Wanted;

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
        "存货全名",
        "全名",
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
        "型号编码",
        "单品编码",
        "单品货号",
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
        "店内码",
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
        "新售价",
        "新价",
        "新价格",
        "新单价",
        "最新售价",
        "调整后售价",
        "调后售价",
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
        "商品总库存",
        "商品库存",
        "SKU库存",
        "规格库存",
        "结存数量",
        "结存",
        "存货数量",
        "库存余量",
        "实盘数",
        "实盘数量",
        "实盘库存",
        "盘点数",
        "盘点数量",
        "盘点库存",
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
        "upc码",
        "upc编码",
        "ean码",
        "ean编码",
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
    &["规格名称", "规格名", "SKU名称", "平台规格", "规格描述", "型号名称", "变体"],
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
    /// Whether its stock is what can be sold, without what orders have reserved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_reserved: bool,
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
