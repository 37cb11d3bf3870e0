//! Importing products from a table: one row a SKU, rows of one name one product, all or nothing.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use super::media::Picture;
use super::store::{self, Draft, SkuDraft};
use super::{Category, Delivery, Product, Sku, stock};
use crate::db::Tx;
use crate::error::{Code, Error};
use crate::ids::{CategoryId, ImageHash};
use crate::money::Fen;
use crate::sheet::Table;
use crate::shop::Shop;

const MOST_IMAGES: usize = 9;

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
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
}

/// Every column with its two titles.
pub const COLUMNS: [(Column, &str, &str); 10] = [
    (Column::Name, "商品名称", "name"),
    (Column::Subtitle, "副标题", "subtitle"),
    (Column::Category, "分类", "category"),
    (Column::Specs, "规格", "specs"),
    (Column::SkuCode, "商家编码", "sku_code"),
    (Column::Price, "售价(元)", "price"),
    (Column::MarketPrice, "划线价(元)", "market_price"),
    (Column::Stock, "库存", "stock"),
    (Column::Images, "图片", "images"),
    (Column::OnShelf, "上架", "on_shelf"),
];

/// What an import will do, once every row of the table has been found right.
pub struct Plan {
    products: Vec<PlannedProduct>,
}

struct PlannedProduct {
    line: usize,
    category: Vec<String>,
    draft: Draft,
    pictures: Vec<Picture>,
    skus: Vec<(SkuDraft, i64)>,
}

/// Reads every row; all that is wrong is named by its line. Pictures are looked for beside the table.
pub fn plan(table: &Table, folder: &Path) -> Result<Plan, Vec<String>> {
    let mut problems = Vec::new();
    let Some((first, head)) = table.rows.iter().find(|(_, cells)| cells.iter().any(|c| !c.is_empty())) else {
        return Err(vec!["表格是空的".into()]);
    };
    let columns = columns(head, &mut problems);
    let mut products: Vec<PlannedProduct> = Vec::new();
    let mut by_name: HashMap<String, usize> = HashMap::new();
    let mut codes = HashMap::new();
    for (line, cells) in table.rows.iter().filter(|(line, cells)| line > first && cells.iter().any(|c| !c.is_empty())) {
        let row = Row { line: *line, cells, columns: &columns, folder };
        let Some(read) = row.read(&mut problems) else { continue };
        if let Some(code) = &read.sku.sku_code
            && let Some(other) = codes.insert(code.clone(), *line)
        {
            problems.push(format!("第 {line} 行：商家编码 {code} 与第 {other} 行重复"));
        }
        let at = *by_name.entry(read.draft.name.clone()).or_insert(products.len());
        match products.get_mut(at) {
            None => products.push(PlannedProduct {
                line: *line,
                category: read.category,
                draft: read.draft,
                pictures: read.pictures,
                skus: vec![(read.sku, read.stock)],
            }),
            Some(product) => {
                let name = &read.draft.name;
                let names = |sku: &SkuDraft| sku.specs.iter().map(|(n, _)| n.clone()).collect::<HashSet<_>>();
                if product.skus.iter().any(|(sku, _)| sku.specs == read.sku.specs) {
                    problems.push(format!("第 {line} 行：「{name}」的这个规格在前面已经有了"));
                } else if product.skus.iter().any(|(sku, _)| names(sku) != names(&read.sku)) {
                    problems.push(format!("第 {line} 行：「{name}」各行的规格名称要一致，例如都写 颜色 和 尺码"));
                }
                if !read.category.is_empty() && read.category != product.category {
                    problems.push(format!("第 {line} 行：「{name}」的分类与第 {} 行不同", product.line));
                }
                product.pictures.extend(read.pictures);
                product.pictures.truncate(MOST_IMAGES);
                product.skus.push((read.sku, read.stock));
            }
        }
    }
    if products.is_empty() && problems.is_empty() {
        problems.push("表格里没有商品".into());
    }
    if problems.is_empty() { Ok(Plan { products }) } else { Err(problems) }
}

fn columns(head: &[String], problems: &mut Vec<String>) -> HashMap<Column, usize> {
    let mut columns = HashMap::new();
    for (i, title) in head.iter().enumerate().filter(|(_, title)| !title.is_empty()) {
        // Brackets come in two widths, and people leave the unit out.
        let plain = title.replace('（', "(").replace('）', ")").to_lowercase();
        let found =
            COLUMNS.iter().find(|(_, zh, en)| plain == *zh || plain == *en || zh.strip_suffix("(元)") == Some(&plain));
        match found {
            None => {
                problems.push(format!("第 1 行：不认识的列「{title}」，可用的列：{}", COLUMNS.map(|c| c.1).join("、")))
            }
            Some((column, zh, _)) if columns.contains_key(column) => {
                problems.push(format!("第 1 行：列「{zh}」出现了两次"))
            }
            Some((column, _, _)) => drop(columns.insert(*column, i)),
        }
    }
    for (column, zh, _) in COLUMNS {
        if matches!(column, Column::Name | Column::Price | Column::Stock) && !columns.contains_key(&column) {
            problems.push(format!("第 1 行：缺少列「{zh}」"));
        }
    }
    columns
}

struct Row<'t> {
    line: usize,
    cells: &'t [String],
    columns: &'t HashMap<Column, usize>,
    folder: &'t Path,
}

struct ReadRow {
    draft: Draft,
    category: Vec<String>,
    sku: SkuDraft,
    stock: i64,
    pictures: Vec<Picture>,
}

impl Row<'_> {
    fn cell(&self, column: Column) -> &str {
        self.columns.get(&column).and_then(|i| self.cells.get(*i)).map_or("", String::as_str)
    }

    /// The row, or every problem in it.
    fn read(&self, problems: &mut Vec<String>) -> Option<ReadRow> {
        let before = problems.len();
        let mut wrong = |problem: String| problems.push(format!("第 {} 行：{problem}", self.line));
        let name = self.cell(Column::Name).to_owned();
        if !(1..=60).contains(&name.chars().count()) {
            wrong("商品名称应为 1 到 60 个字".into());
        }
        let subtitle = self.cell(Column::Subtitle).to_owned();
        if subtitle.chars().count() > 100 {
            wrong("副标题最多 100 个字".into());
        }
        let category: Vec<String> = self
            .cell(Column::Category)
            .split(['/', '>'])
            .map(|part| part.trim().to_owned())
            .filter(|part| !part.is_empty())
            .collect();
        if category.len() > 2 || category.iter().any(|part| part.chars().count() > 20) {
            wrong("分类最多两级，写成 大类/小类，每级最多 20 个字".into());
        }
        let price = Fen::from_yuan(self.cell(Column::Price));
        if price.is_none() {
            wrong(format!("售价「{}」不是金额，例如 19.90", self.cell(Column::Price)));
        }
        let market_price = match self.cell(Column::MarketPrice) {
            "" => None,
            text => {
                let read = Fen::from_yuan(text);
                if read.is_none() {
                    wrong(format!("划线价「{text}」不是金额，例如 29.90"));
                }
                read
            }
        };
        let stock = self.cell(Column::Stock).parse::<i64>().ok().filter(|n| (0..=10_000_000).contains(n));
        if stock.is_none() {
            wrong(format!("库存「{}」不是 0 或正整数", self.cell(Column::Stock)));
        }
        let specs = match specs(self.cell(Column::Specs)) {
            Ok(specs) => specs,
            Err(problem) => {
                wrong(problem);
                Vec::new()
            }
        };
        let sku_code = Some(self.cell(Column::SkuCode).to_owned()).filter(|code| !code.is_empty());
        if sku_code.as_ref().is_some_and(|code| code.chars().count() > 40) {
            wrong("商家编码最多 40 个字".into());
        }
        let on_shelf = match self.cell(Column::OnShelf).to_lowercase().as_str() {
            "" | "是" | "1" | "yes" | "true" | "y" | "上架" => true,
            "否" | "0" | "no" | "false" | "n" | "下架" => false,
            other => {
                wrong(format!("上架「{other}」请写 是 或 否"));
                true
            }
        };
        let pictures = self.pictures(&mut wrong);
        if problems.len() > before {
            return None;
        }
        Some(ReadRow {
            draft: Draft { category_id: None, name, subtitle, detail: String::new(), on_shelf, ..Draft::default() },
            category,
            sku: SkuDraft {
                specs,
                sku_code,
                price: price?,
                market_price,
                limit_per_order: None,
                delivery: Delivery::Express,
                enabled: true,
            },
            stock: stock?,
            pictures,
        })
    }

    /// File names beside the table, separated by `;` or `|`. Pictures on the web are not fetched.
    fn pictures(&self, wrong: &mut impl FnMut(String)) -> Vec<Picture> {
        let mut pictures = Vec::new();
        for name in self.cell(Column::Images).split([';', '；', '|', '\n']).map(str::trim).filter(|n| !n.is_empty()) {
            if name.contains("://") {
                wrong(format!("图片 {name} 是网址：请先下载到表格旁边，再写文件名"));
                continue;
            }
            if name.starts_with('/') || name.split(['/', '\\']).any(|part| part == "..") {
                wrong(format!("图片 {name} 请放在表格旁边的文件夹里"));
                continue;
            }
            match std::fs::read(self.folder.join(name)) {
                Err(_) => wrong(format!("找不到图片 {name}")),
                Ok(bytes) => match Picture::read(&bytes) {
                    Ok(picture) => pictures.push(picture),
                    Err(e) => wrong(format!("图片 {name}：{}", e.message())),
                },
            }
        }
        if pictures.len() > MOST_IMAGES {
            wrong(format!("图片最多 {MOST_IMAGES} 张"));
        }
        pictures
    }
}

/// A SKU in the columns that are read. Pictures stay where they are: the column is empty, and an import keeps them.
pub fn row(product: &Product, sku: &Sku, categories: &[Category]) -> Vec<String> {
    let category = categories.iter().find(|c| Some(c.id) == product.category_id);
    let parent = category.and_then(|c| categories.iter().find(|p| Some(p.id) == c.parent_id));
    let path: Vec<&str> = [parent, category].into_iter().flatten().map(|c| c.name.as_str()).collect();
    COLUMNS
        .map(|(column, _, _)| match column {
            Column::Name => product.name.clone(),
            Column::Subtitle => product.subtitle.clone(),
            Column::Category => path.join("/"),
            Column::Specs => written(&sku.specs),
            Column::SkuCode => sku.sku_code.clone().unwrap_or_default(),
            Column::Price => sku.price.plain(),
            Column::MarketPrice => sku.market_price.map(Fen::plain).unwrap_or_default(),
            Column::Stock => sku.on_hand.to_string(),
            Column::Images => String::new(),
            Column::OnShelf => if product.on_shelf { "是" } else { "否" }.to_owned(),
        })
        .to_vec()
}

/// The opposite of `specs`.
pub fn written(specs: &[(String, String)]) -> String {
    specs.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(";")
}

/// `颜色:红;尺码:L`
pub fn specs(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut specs: Vec<(String, String)> = Vec::new();
    for part in text.split([';', '；']).map(str::trim).filter(|part| !part.is_empty()) {
        let (name, value) = part
            .split_once([':', '：'])
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, value)| !name.is_empty() && !value.is_empty())
            .ok_or_else(|| format!("规格「{part}」请写成 颜色:红;尺码:L"))?;
        if name.chars().count() > 10 || value.chars().count() > 30 {
            return Err(format!("规格「{part}」太长：名称最多 10 个字，值最多 30 个字"));
        }
        if specs.iter().any(|(known, _)| known == name) {
            return Err(format!("规格「{name}」写了两次"));
        }
        specs.push((name.to_owned(), value.to_owned()));
    }
    if specs.len() > 3 { Err("规格最多 3 种".into()) } else { Ok(specs) }
}

/// How much was imported.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Done {
    pub products: usize,
    pub skus: usize,
    pub added: usize,
}

/// Carries the plan out in one transaction: products of a known name are updated, others added.
pub async fn apply(shop: &Shop, plan: Plan) -> Result<Done, String> {
    let now = shop.now();
    let write = move |tx: &Tx| {
        let mut done = Done::default();
        for product in &plan.products {
            put(tx, product, &mut done, now)?;
        }
        Ok::<_, Error>(done)
    };
    shop.db.write_large(write).await.map_err(|e| e.message())
}

fn put(tx: &Tx, planned: &PlannedProduct, done: &mut Done, now: i64) -> Result<(), Error> {
    let mut parent: Option<CategoryId> = None;
    for part in &planned.category {
        parent = Some(store::category_named(tx, parent, part)?);
    }
    let mut draft = planned.draft.clone();
    draft.category_id = parent;
    let id = match store::product_named(tx, &draft.name)? {
        None => {
            done.added += 1;
            store::insert_product(tx, &draft, now)?
        }
        Some(id) => {
            let known = store::product(tx, id)?.ok_or(Code::Internal)?;
            // A table has no column for these: what the console wrote stays.
            draft.detail = known.detail;
            draft.limit_per_buyer = known.limit_per_buyer;
            draft.shelf_times = known.shelf_times;
            draft.category_id = draft.category_id.or(known.category_id);
            store::update_product(tx, id, known.version, &draft, now)?;
            id
        }
    };
    if !planned.pictures.is_empty() {
        for picture in &planned.pictures {
            picture.store(tx, now)?;
        }
        let hashes: Vec<ImageHash> = planned.pictures.iter().map(|picture| picture.hash.clone()).collect();
        store::set_images(tx, id, &hashes)?;
    }
    let known = store::product(tx, id)?.map(|product| product.skus).unwrap_or_default();
    for (sku, on_hand) in &planned.skus {
        let mut sku = sku.clone();
        if let Some(known) = known.iter().find(|known| known.specs == sku.specs) {
            (sku.limit_per_order, sku.delivery) = (known.limit_per_order, known.delivery);
        }
        let sku = &sku;
        let sku_id = store::put_sku(tx, id, sku).map_err(|e| taken_code(e, planned.line, sku))?;
        if !stock::adjust(tx, sku_id, *on_hand, None, "导入", now)? {
            let words =
                format!("第 {} 行：「{}」的库存少于已被订单占用的数量，没有导入任何商品", planned.line, draft.name);
            return Err(Error::from(Code::ValidationFailed).says(words));
        }
        done.skus += 1;
    }
    done.products += 1;
    Ok(store::refresh_prices(tx, id)?)
}

fn taken_code(e: rusqlite::Error, line: usize, sku: &SkuDraft) -> Error {
    match (&e, &sku.sku_code) {
        (rusqlite::Error::SqliteFailure(cause, _), Some(code))
            if cause.code == rusqlite::ErrorCode::ConstraintViolation =>
        {
            let words = format!("第 {line} 行：商家编码 {code} 已被其他商品使用，没有导入任何商品");
            Error::from(Code::ValidationFailed).says(words)
        }
        _ => e.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(csv: &str) -> Result<Plan, Vec<String>> {
        plan(&Table::read("a.csv", csv.as_bytes()).unwrap(), Path::new("."))
    }

    #[test]
    fn rows_of_one_name_are_one_product() {
        let plan = planned(
            "商品名称,分类,规格,售价（元）,库存\n\
             T恤,服装/上衣,颜色:红;尺码:L,59.9,5\n\
             T恤,,颜色：红；尺码：M,59.9,3\n\
             帽子,服装,,19,0\n",
        )
        .unwrap();
        assert_eq!(plan.products.len(), 2);
        assert_eq!(plan.products[0].skus.len(), 2);
        assert_eq!(plan.products[0].category, ["服装", "上衣"]);
        assert_eq!(plan.products[1].skus[0].0.price.get(), 1900);
    }

    #[test]
    fn every_bad_row_is_named_by_its_line() {
        let head = "name,specs,price,stock,sku_code,on_shelf,images\n";
        for (row, what) in [
            (",,1,1,,,", "商品名称"),
            ("A,,1.999,1,,,", "售价"),
            ("A,,-1,1,,,", "售价"),
            ("A,,1,-1,,,", "库存"),
            ("A,,1,1.5,,,", "库存"),
            ("A,红色,1,1,,,", "规格"),
            ("A,颜色:红;颜色:蓝,1,1,,,", "写了两次"),
            ("A,,1,1,,也许,", "上架"),
            ("A,,1,1,,,missing.jpg", "找不到图片"),
            ("A,,1,1,,,../../etc/passwd", "放在表格旁边"),
            ("A,,1,1,,,https://example.com/a.jpg", "网址"),
            ("A,,1,1,X,,\nB,,1,1,X,,", "第 3 行：商家编码 X 与第 2 行重复"),
            ("A,,1,1,,,\nA,,1,1,,,", "第 3 行"),
            ("A,颜色:红,1,1,,,\nA,尺码:L,1,1,,,", "规格名称要一致"),
        ] {
            let problems = planned(&format!("{head}{row}\n")).err().unwrap_or_default().join("\n");
            assert!(problems.contains(what) && problems.contains("行："), "{row}: {problems}");
        }
        assert!(planned("商品名称,颜色\nA,红\n").err().unwrap().join("\n").contains("不认识的列「颜色」"));
        assert!(planned("").is_err());
    }
}
