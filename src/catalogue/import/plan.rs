//! A table becomes rows: each as it was written, with its pictures, and with what is to be asked about it.

use std::collections::HashMap;
use std::path::Path;

use super::super::media::Picture;
use super::super::rules;
use super::album::Album;
use super::{BY_COLOUR, BY_VALUE, COLUMNS, Column, FILLED, PAIRS, PARTED, Plan, Row, SPECS, TITLES, titles};
use super::{against, asks, off, shelf, specs, words};
use crate::tables::{self, Table};
use crate::typed::{clean, holds};

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
    if let Some(words) = changes_nothing(table, &rows) {
        return Err([format!("第 {head} 行：{words}")].into_iter().chain(table.notes.iter().cloned()).collect());
    }
    let parting = tell_apart(table, &mut rows);
    asks::about_documents(table, &mut rows);
    asks::about_what_is_said_of_all(table, &mut rows);
    asks::about_parted_figures(table, &mut rows);
    off::ask(table, &mut rows);
    against::ask(table, &mut rows);
    asks::about_rivals(&mut rows);
    asks::about_far_prices(&mut rows);
    for (row, read) in table.rows.iter().zip(&mut rows) {
        read.undated =
            row.titles().map(str::trim).filter(|title| !title.is_empty()).eq(titles()[..FILLED].iter().copied());
    }
    let mut notes: Vec<String> = table.notes.iter().filter_map(|note| without_used(note, &parting)).collect();
    if !parting.is_empty() {
        notes.push(format!("规格 ← 列“{}”：同名的几行靠它分开", parting.join("”、“")));
    }
    notes.extend(asks::without_other_states(table, &mut rows));
    asks::note_the_stateless(&mut rows);
    notes.extend(album.left_out());
    notes.extend(taken(table));
    Ok(Plan { rows, pictures: album.pictures, notes })
}

/// Of a table in which no column is known but those that say which goods are meant, though it has others: what they should be
/// called.
fn changes_nothing(table: &Table, rows: &[Row]) -> Option<String> {
    let row = table.rows.first()?;
    let known: Vec<usize> = (0..COLUMNS.len()).filter(|column| row.title(*column).is_some()).collect();
    let one = |of: Column| known == [of as usize];
    let of_categories = TITLES.len() + SPECS..TITLES.len() + BY_VALUE;
    let of_specs = |column: &usize| *column >= TITLES.len() && !of_categories.contains(column);
    let names = |column: &usize| [Column::Name as usize, Column::Specs as usize].contains(column) || of_specs(column);
    let idle = one(Column::SkuCode) || one(Column::Barcode) || known.iter().all(names);
    let others = table.notes.iter().any(|note| note.contains("没有用到的列"));
    let drawn = rows.iter().any(|row| !row.pictures.is_empty() || !row.problems.is_empty());
    let titles = known.iter().filter_map(|column| row.title(*column)).map(str::trim).collect::<Vec<_>>().join("、");
    (idle && others && !drawn).then(|| format!("只认出了“{titles}”，没有要改的：要改的列请写成 售价、库存、上架 这样"))
}

/// Which column was taken for what costs money or is counted, where it is not called as everybody calls it.
fn taken(table: &Table) -> Vec<String> {
    let Some(row) = table.rows.first() else { return Vec::new() };
    let columns = [Column::SkuCode, Column::Price, Column::MarketPrice, Column::Stock, Column::Barcode, Column::Cost];
    let told = columns.into_iter().filter_map(|column| {
        let (at, usual) = (column as usize, TITLES[column as usize][0]);
        let title = row.title(at)?;
        let plain = usual.trim_end_matches("(元)");
        let more = if at == Column::Stock as usize && is_without_reserved(title) {
            "：加上订单占用的，才是库存"
        } else {
            ""
        };
        let told = || format!("{plain} ← {} 列“{}”{more}", row.letters(at), title.trim());
        (![usual, plain].contains(&title.trim())).then(told)
    });
    told.collect()
}

/// Whether a stock's title is of what can be sold: what orders have reserved lies there besides.
fn is_without_reserved(title: &str) -> bool {
    holds(title, &["可用", "可售", "可销", "可发"])
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
                    .filter(|text| !words::is_nothing(text) && !words::stands_for_more(text))
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
    let blanks = read
        .cells
        .iter_mut()
        .enumerate()
        .filter(|(column, _)| !named(*column))
        .filter_map(|(column, cell)| Some((column, cell.as_mut()?)));
    let stock = Column::Stock as usize;
    let is_empty = |(column, text): &(usize, &mut String)| {
        words::is_nothing(text) && (*column != stock || !words::is_none_left(text))
    };
    blanks.filter(is_empty).for_each(|(_, text)| text.clear());
    parted(row, &mut read);
    read.without_reserved = row.title(stock).is_some_and(is_without_reserved);
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

/// Rows of one name with the same specification, or none, are told apart by what else goods come in, where the table has a
/// column of that. Of goods with a row to themselves it only says what they are like. Answers with these columns.
fn tell_apart(table: &Table, rows: &mut [Row]) -> Vec<&'static str> {
    const SAYS: [&str; 30] = [
        "尺寸",
        "大小",
        "容量",
        "净含量",
        "型号",
        "商品型号",
        "产品型号",
        "香型",
        "香味",
        "版本",
        "材质",
        "套餐",
        "套餐类型",
        "包装",
        "包装规格",
        "色号",
        "度数",
        "长度",
        "厚度",
        "内存",
        "口径",
        "味道",
        "款型",
        "花型",
        "图案",
        "层数",
        "片数",
        "重量规格",
        "适用",
        "配置",
    ];
    let says = |row: &tables::Row, title: &str| {
        let text = row.cells().find(|(own, _)| own.trim() == title).map(|(_, cell)| clean(cell.shown()));
        text.filter(|text| !text.is_empty() && !text.contains([';', '；', ':', '：', ',', '，']))
    };
    let mut of_one: HashMap<(String, String), Vec<usize>> = HashMap::new();
    let mut used: Vec<&'static str> = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        let said = |column| row.said(column).unwrap_or_default().to_owned();
        of_one.entry((said(Column::Name), said(Column::Specs))).or_default().push(at);
    }
    for ((name, specs), of_it) in of_one {
        if name.is_empty() || of_it.len() < 2 || !(specs.is_empty() || specs.contains(':')) {
            continue;
        }
        let values = |title: &str| of_it.iter().map(|at| says(&table.rows[*at], title)).collect::<Option<Vec<_>>>();
        let differ = |values: &[String]| values.iter().any(|value| *value != values[0]);
        let told: Vec<(&'static str, Vec<String>)> =
            SAYS.iter().filter_map(|title| Some((*title, values(title).filter(|values| differ(values))?))).collect();
        for (n, at) in of_it.iter().enumerate().filter(|_| !told.is_empty()) {
            let own = told.iter().map(|(title, values)| format!("{title}:{}", values[n]));
            let all = Some(specs.clone()).into_iter().filter(|specs| !specs.is_empty()).chain(own);
            rows[*at].cells[Column::Specs as usize] = Some(all.collect::<Vec<_>>().join(";"));
            (rows[*at].parted, rows[*at].by_value) = (true, true);
        }
        used.extend(told.iter().map(|(title, _)| *title));
    }
    used.sort_unstable();
    used.dedup();
    used
}

/// A note on columns that are not used, without those that are.
fn without_used(note: &str, used: &[&str]) -> Option<String> {
    const UNUSED: &str = "没有用到的列：";
    let Some((before, titles)) = note.split_once(UNUSED).filter(|_| !used.is_empty()) else {
        return Some(note.to_owned());
    };
    let others: Vec<&str> = titles.split('、').filter(|title| !used.contains(title)).collect();
    (!others.is_empty()).then(|| format!("{before}{UNUSED}{}", others.join("、")))
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

#[cfg(test)]
mod tests {
    use super::super::WANTED;
    use super::*;

    fn rows(text: &str) -> Plan {
        plan(&tables::read(text.as_bytes(), &WANTED).unwrap(), None).unwrap_or_else(|e| panic!("{text}: {e:?}"))
    }

    #[test]
    fn a_title_of_what_is_sold_counts_before_those_of_goods_and_of_the_store() {
        for (head, row, column, expected) in [
            ("规格码,商家编码", "1,YRF-B", Column::SkuCode, "YRF-B"),
            ("商家编码,商家SKU编码", "KH,KH-1", Column::SkuCode, "KH-1"),
            ("货号,单品货号", "B1,B1-R", Column::SkuCode, "B1-R"),
            ("商品编码,型号编码", "SZ,SZ-MG", Column::SkuCode, "SZ-MG"),
            ("货号,店内码/货号", "B1,B2", Column::SkuCode, "B1"),
            ("实际库存,锁定库存,可用库存", "5,2,3", Column::Stock, "3"),
            ("库存,可售库存", "5,3", Column::Stock, "5"),
            ("可用库存,库存", "3,5", Column::Stock, "5"),
            ("现有库存,可销数", "5,3", Column::Stock, "5"),
            ("商品总库存,销量", "5,3", Column::Stock, "5"),
            ("账面数,实盘数", "5,4", Column::Stock, "4"),
            ("UPC码,序号", "6901234567892,1", Column::Barcode, "6901234567892"),
            ("UPC编码,序号", "6901234567892,1", Column::Barcode, "6901234567892"),
        ] {
            let table = format!("商品名称,售价,{head}\n杯,19,{row}\n");
            assert_eq!(rows(&table).rows[0].said(column), Some(expected), "{head}");
        }
        for (head, title, more) in
            [("可售库存", "可售库存", true), ("实际库存,可用库存", "可用库存", true), ("库存数", "库存数", false)]
        {
            let plan = rows(&format!("商品名称,售价,{head}\n杯,19,5,3\n"));
            let told = plan.notes.iter().find(|note| note.starts_with("库存 ← ")).cloned().unwrap_or_default();
            assert_eq!((told.contains(title), told.contains("加上订单占用的")), (true, more), "{head}: {told}");
            assert_eq!(plan.rows[0].without_reserved, more, "{head}");
        }
        let plan = rows("商品名称,售价,库存,可售库存\n杯,19,5,3\n");
        assert!(plan.notes.iter().any(|note| note.contains("可售库存")) && !plan.rows[0].without_reserved);
        assert_eq!(rows("全名,售价\n杯,19\n").rows[0].said(Column::Name), Some("杯"));
        assert_eq!(rows("商家编码,原售价,新售价\nB3,19,18\n").rows[0].said(Column::Price), Some("18"));
    }

    #[test]
    fn a_table_of_which_nothing_is_read_is_no_table_that_changes_nothing() {
        let refused = |text: &str| plan(&tables::read(text.as_bytes(), &WANTED).unwrap(), None).err();
        for text in
            ["商家编码,调价\nB3,18\n", "条码,到手价\n6901234567892,18\n", "品名,规格,颜色,到手价\n杯,大,红,18\n"]
        {
            let words = refused(text).unwrap_or_else(|| panic!("{text}")).join(" / ");
            assert!(words.contains("没有要改的") && words.contains("没有用到的列"), "{text}: {words}");
        }
        for text in ["商家编码,售价,到手价\nB3,18,17\n", "品名,商家编码,到手价\n杯,B3,17\n", "品名,规格\n杯,大\n"]
        {
            assert_eq!(refused(text), None, "{text}");
        }
    }

    #[test]
    fn rows_of_one_name_are_told_apart_by_what_goods_come_in() {
        let specs = |head: &str, lines: [&str; 2]| {
            let table = format!("商品名称,售价,{head}\n杯,19,{}\n杯,29,{}\n碗,9,{}\n", lines[0], lines[1], lines[0]);
            let read = rows(&table);
            [0, 1, 2].map(|at: usize| read.rows[at].said(Column::Specs).unwrap_or_default().to_owned())
        };
        for (head, lines, expected) in [
            ("尺寸", ["6寸", "8寸"], ["尺寸:6寸", "尺寸:8寸", ""]),
            ("容量,香型", ["300ml,玫瑰", "500ml,玫瑰"], ["容量:300ml", "容量:500ml", ""]),
            ("容量,香型", ["300ml,玫瑰", "500ml,薰衣草"], ["容量:300ml;香型:玫瑰", "容量:500ml;香型:薰衣草", ""]),
            ("颜色,型号", ["红,A1", "红,A2"], ["颜色:红;型号:A1", "颜色:红;型号:A2", "颜色:红"]),
            ("颜色,型号", ["红,A1", "白,A2"], ["颜色:红", "颜色:白", "颜色:红"]),
            ("规格,型号", ["大,A1", "小,A2"], ["规格:大", "规格:小", "规格:大"]),
            // Of one nothing is known, or it is the same for both.
            ("尺寸", ["6寸", ""], ["", "", ""]),
            ("产地", ["广东", "福建"], ["", "", ""]),
        ] {
            assert_eq!(specs(head, lines), expected.map(str::to_owned), "{head} {lines:?}");
        }
        let notes = rows("商品名称,售价,容量,产地\n杯,19,300ml,广东\n杯,29,500ml,广东\n").notes;
        assert_eq!(notes, ["没有用到的列：产地", "规格 ← 列“容量”：同名的几行靠它分开"]);
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
            let plan = rows(&format!("商品名称,副标题,{title}\n杯,好,9\n"));
            assert!(plan.notes[0].contains(title) && plan.rows[0].cells.iter().flatten().count() == 2, "{title}");
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
