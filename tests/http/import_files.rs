//! Tables as real programs write them (`tests/files/tables`), and our own, which come back as they went out.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use xiaopu::catalogue::import::{self, Agreed, Column, NUMBERS, Plan, Verdict, WANTED};
use xiaopu::catalogue::store;
use xiaopu::error::Error;
use xiaopu::money::Fen;
use xiaopu::tables::{self, Table};

use crate::support::*;

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(format!("{}/tests/files/tables/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

fn table(name: &str) -> Table {
    tables::read(&bytes(name), &WANTED).unwrap_or_else(|e| panic!("{name}: {e}"))
}

fn plan(name: &str) -> Plan {
    import::plan(&table(name), None).unwrap_or_else(|problems| panic!("{name}: {problems:?}"))
}

/// Some columns of every row; what cannot be read is in brackets.
fn cells(table: &Table, columns: &[Column]) -> Vec<String> {
    let cell = |row: &tables::Row, column: &Column| match row.text(*column as usize) {
        Some(Ok(text)) => text.to_owned(),
        Some(Err(problem)) => format!("({problem})"),
        None => "-".to_owned(),
    };
    table.rows.iter().map(|row| columns.iter().map(|c| cell(row, c)).collect::<Vec<_>>().join("|")).collect()
}

const USUAL: [Column; 5] = [Column::Name, Column::Specs, Column::SkuCode, Column::Price, Column::Stock];

#[test]
fn the_same_goods_are_read_from_every_program() {
    let right = ["杯子|颜色:红|00123|59.7|5", "杯子|颜色:蓝|C-2|20|1000", "-10℃ 冰袋||6901234567892|1299|7"];
    for name in [
        "exceljs.xlsx",
        "sheetjs.xlsx",
        "sheetjs.xls",
        "sheetjs.ods",
        "sheetjs.fods",
        "sheetjs.txt",
        "pandas.xlsx",
        "pandas_utf16.txt",
        "pandas_gb18030.csv",
        "pandas_semicolon.csv",
        "pandas_cr.csv",
        "sep.csv",
        "libreoffice.csv",
        "openpyxl_pictures.xlsx",
        "xlsxwriter_pictures.xlsx",
        "wps.xlsx",
    ] {
        let read = cells(&table(name), &USUAL).into_iter().map(|row| {
            // As text, a program's float has more digits than a cell shows.
            row.replace("59.699999999999996", "59.7").replace("20.0|", "20|").replace("1299.0|", "1299|")
        });
        assert_eq!(read.collect::<Vec<_>>(), right, "{name}");
    }
    assert_eq!(cells(&table("xlwt.xls"), &USUAL)[..3], right);
    assert_eq!(cells(&table("odfpy.ods"), &USUAL), ["杯子|颜色:红|00123|59.7|5", "碗|色:红|W1|3|4", "碗|色:蓝|W2|3|4"]);
}

#[test]
fn what_is_hung_on_a_cell_is_read_and_asked_about() {
    for name in ["openpyxl_comments.xlsx", "odfpy_comments.ods"] {
        let table = table(name);
        let hung: Vec<String> =
            table.rows.iter().flat_map(|row| row.comments()).map(|(at, text)| format!("{at} {text}")).collect();
        assert_eq!(hung, ["B2 先不改价"], "{name}");
        assert_eq!(cells(&table, &[Column::Name, Column::Price]), ["杯子|5", "碗|6"], "{name}");
        let asks: Vec<usize> = plan(name).rows.iter().map(|row| row.asks.len()).collect();
        assert_eq!(asks, [1, 0], "{name}");
    }
}

#[test]
fn the_table_is_found_in_the_book_and_the_rest_is_said() {
    for kind in ["openpyxl_around.xlsx", "libreoffice_around.xlsx", "libreoffice_around.xls", "libreoffice_around.ods"]
    {
        let table = table(kind);
        let right = [
            "裙子|尺码:M|女装-M|59.7|3",
            "裙子|尺码:L|女装-L|59.7|4",
            "衬衫|尺码:M|男装-M|59.7|3",
            "衬衫|尺码:L|男装-L|59.7|4",
        ];
        assert_eq!(cells(&table, &USUAL), right, "{kind}");
        let places: Vec<String> = table.rows.iter().map(|row| row.place.to_string()).collect();
        assert_eq!(places, ["「女装」第 5 行", "「女装」第 6 行", "「男装」第 5 行", "「男装」第 6 行"], "{kind}");
        let notes = table.notes.join("\n");
        for said in ["隐藏的工作表「旧价」", "工作表「封面」没有读", "「合计」", "「备注：含税」"]
        {
            assert!(notes.contains(said), "{kind} {said}: {notes}");
        }
    }
}

#[test]
fn what_is_not_seen_of_a_table_is_read_and_said_and_so_is_a_table_below_it() {
    for kind in ["openpyxl_hidden.xlsx", "libreoffice_hidden.xlsx", "libreoffice_hidden.xls", "libreoffice_hidden.ods"]
    {
        let table = table(kind);
        let right = ["杯子||A1|5|1", "碗||A2|5|2", "盘子||A3|5|3", "勺子||A4|5|4", "叉子||A5|5|5", "筷子|-|-|3|7"];
        assert_eq!(cells(&table, &USUAL), right, "{kind}");
        assert_eq!(table.rows[5].place.line, 10, "{kind}");
        let said = [
            "隐藏的列也读了：商家编码",
            "筛选掉、折叠或隐藏的行也读了：第 3–4、6 行；不要的请先从表里删掉",
            "隐藏的列也读了：售价(元)",
        ];
        assert_eq!(table.notes, said, "{kind}");
    }
    for name in ["exceljs.xlsx", "sheetjs.xls", "sheetjs.ods", "sheetjs.fods"] {
        assert_eq!(table(name).notes, [""; 0], "{name}");
    }
}

#[test]
fn cells_that_are_not_what_they_look_like_are_refused_by_their_address() {
    for kind in ["openpyxl_cells.xlsx", "libreoffice_cells.xlsx", "libreoffice_cells.xls", "libreoffice_cells.ods"] {
        let read = cells(&table(kind), &[Column::Name, Column::SkuCode, Column::Price, Column::Stock]);
        for (row, what) in read.iter().zip(["C2 是长数字", "C3 被表格软件变成了日期", "C4 是公式错误 #N/A"])
        {
            assert!(row.contains(what), "{kind}: {read:?}");
        }
        let formula = if kind.starts_with("openpyxl") { "D5 的公式还没有结果" } else { "公式|F1|2|1" };
        assert!(read[3].contains(formula), "{kind}: {read:?}");
        assert_eq!(read[4], "好|00123|0.85|1,000", "{kind}");
    }
    let rows = cells(&table("xlwt.xls"), &USUAL);
    assert!(rows[3].starts_with("零||00045|"), "{rows:?}");
    assert!(rows[4].contains("C8 被表格软件变成了日期 2026-03-04"), "{rows:?}");
    assert_eq!(rows[5..], ["合并|色:红||2|2", "合并|色:蓝||2|2"]);
}

/// The name says what a spreadsheet shows for the code.
#[test]
fn a_code_is_read_as_its_format_shows_it() {
    for (name, n) in [
        ("openpyxl_formats.xlsx", 16),
        ("libreoffice_formats.xlsx", 16),
        ("libreoffice_formats.xls", 16),
        ("libreoffice_formats.ods", 16),
        ("xlwt_formats.xls", 15),
    ] {
        let table = table(name);
        assert_eq!(table.rows.len(), n, "{name}");
        for row in &table.rows {
            let code = row.text(Column::SkuCode as usize).unwrap();
            assert_eq!(row.text(Column::Name as usize), Some(code), "{name}");
        }
    }
}

/// A price counts where it is what a person sees; under a format that shows something else it is no price. The name says
/// which.
#[test]
fn a_price_is_what_is_seen_of_it() {
    for name in ["openpyxl_seen.xlsx", "libreoffice_seen.xlsx", "libreoffice_seen.xls", "libreoffice_seen.ods"] {
        let table = table(name);
        assert_eq!(table.rows.len(), 37, "{name}");
        for row in &table.rows {
            let seen = row.text(Column::Name as usize).unwrap().unwrap();
            let price = row.text(Column::Price as usize).unwrap().unwrap();
            match Fen::from_yuan(seen) {
                Some(fen) => assert_eq!(Fen::from_yuan(price), Some(fen), "{name}: {seen}"),
                None => assert_eq!(Fen::from_yuan(price), None, "{name}: {seen}: {price}"),
            }
        }
    }
}

/// Of these kinds pictures are not read, and that is said.
#[test]
fn pictures_of_old_and_of_open_workbooks_are_counted() {
    for name in ["libreoffice_pictures.xls", "libreoffice_pictures.ods"] {
        let table = table(name);
        assert!(table.notes.iter().any(|note| note.contains("2 张图片没有读")), "{name}: {:?}", table.notes);
        assert_eq!(table.rows.len(), 3, "{name}");
    }
    let pictures = plan("libreoffice_pictures.xlsx").rows.iter().map(|row| row.pictures.len()).collect::<Vec<_>>();
    assert_eq!(pictures, [1, 1, 0]);
}

#[test]
fn what_is_no_readable_table_is_named_with_the_way_out() {
    for (name, what) in
        [("password.xlsx", "有密码"), ("html.xls", "网页"), ("xml2003.xls", "XML 表格 2003"), ("sheetjs.xlsb", ".xlsb")]
    {
        let problem = tables::read(&bytes(name), &WANTED).unwrap_err().to_string();
        assert!(problem.contains(what), "{name}: {problem}");
    }
    for (start, what) in [
        ("<?xml version=\"1.0\"?><a/>", "这是 XML"),
        (
            "<?xml version=\"1.0\"?><office:document office:mimetype=\"application/vnd.oasis.opendocument.text\">",
            "里面不是表格",
        ),
        ("\u{feff}<html><table>", "网页"),
        ("{\\rtf1", "RTF"),
        ("MIME-Version: 1.0\r\n", "MHT"),
        ("%PDF-1.7", "PDF"),
        ("GIF89a", "图片"),
        ("Rar!\u{1a}", "压缩包"),
        (" \n", "空的"),
    ] {
        let problem = tables::read(start.as_bytes(), &WANTED).unwrap_err().to_string();
        assert!(problem.contains(what), "{start}: {problem}");
    }
}

/// The same XML in one piece; what a picture in it is written in is no text, and one that never ends is no table.
#[test]
fn a_flat_workbook_is_read_as_the_packed_one() {
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let row = |cells: [&str; 2]| format!("<table:table-row>{}</table:table-row>", cells.map(cell).concat());
    let flat = |picture: &str| {
        format!(
            "\u{feff}<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<office:document xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\" \
             office:mimetype=\"application/vnd.oasis.opendocument.spreadsheet\"><office:meta><a>甲</a></office:meta><office:body>\
             <table:table table:name=\"一\">{}<table:table-row><table:table-cell office:value-type=\"string\"><text:p>杯子</text:p>\
             <draw:frame><draw:image><office:binary-data>{picture}</office:binary-data></draw:image></draw:frame></table:table-cell>{}\
             </table:table-row>{}</table:table></office:body></office:document>",
            row(["商品名称", "售价"]),
            cell("5"),
            row(["盘子", "6"])
        )
    };
    let table = tables::read(flat(&"iVBORw0KGgo".repeat(1_000)).as_bytes(), &WANTED).unwrap();
    assert_eq!(cells(&table, &[Column::Name, Column::Price]), ["杯子|5", "盘子|6"]);
    assert!(table.notes.iter().any(|note| note.contains("1 张图片没有读")), "{:?}", table.notes);
    let problem = tables::read(flat(&"A".repeat(2 << 20)).as_bytes(), &WANTED).unwrap_err().to_string();
    assert!(problem.contains("太大"), "{problem}");
}

/// Paragraphs, blanks, notes, drawings and repetitions, as LibreOffice keeps them.
#[test]
fn a_cell_of_an_open_workbook_is_what_stands_in_it() {
    use std::io::Write as _;
    let cell = |inner: &str| format!("<table:table-cell office:value-type=\"string\">{inner}</table:table-cell>");
    let row = |cells: &[&str]| {
        format!("<table:table-row>{}</table:table-row>", cells.iter().map(|c| cell(c)).collect::<String>())
    };
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><table:table table:name=\"甲\">{}{}\
         <table:table-row table:number-rows-repeated=\"3\"><table:table-cell/></table:table-row>\
         <table:table-row><table:table-cell table:number-columns-repeated=\"2\" office:value-type=\"string\"><text:p>同</text:p></table:table-cell></table:table-row>\
         </table:table></office:document-content>",
        row(&["<text:p>商品名称</text:p>", "<text:p>规格</text:p>"]),
        row(&[
            "<text:p>大<text:s text:c=\"2\"/>杯<text:tab/>子&amp;&#22909;</text:p><office:annotation><text:p>别人的话</text:p></office:annotation>",
            "<text:p>颜色:红</text:p><text:p>尺码:L</text:p>",
        ]),
    );
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    zip.start_file("content.xml", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(content.as_bytes()).unwrap();
    let table = tables::read(&zip.finish().unwrap().into_inner(), &WANTED).unwrap();
    assert_eq!(cells(&table, &[Column::Name, Column::Specs]), ["大  杯 子&好|颜色:红\n尺码:L", "同|同"]);
    assert_eq!(table.rows[1].place.to_string(), "第 6 行");
}

#[test]
fn pictures_are_the_goods_wherever_a_program_keeps_them() {
    // In the cell and over it: two files, one of them for two goods; a third lies below the table.
    let excel = plan("xlsxwriter_pictures.xlsx");
    let per_row = |plan: &Plan| plan.rows.iter().map(|row| row.pictures.clone()).collect::<Vec<_>>();
    let rows = per_row(&excel);
    assert_eq!((rows.iter().map(Vec::len).collect::<Vec<_>>(), excel.pictures.len()), (vec![1, 1, 1], 2));
    assert!(rows[0] == rows[2] && rows[0] != rows[1]);
    assert!(excel.rows.iter().all(|row| row.problems.is_empty()), "{:?}", excel.rows);
    assert!(excel.notes.iter().any(|note| note.contains("表格以外的 1 张图片")), "{:?}", excel.notes);
    // Behind a formula; one that is not in the file is said by its cell.
    let wps = plan("wps.xlsx");
    assert_eq!(per_row(&wps)[..2], rows[..2]);
    assert!(wps.rows[2].pictures.is_empty() && wps.rows[2].problems[0].contains("F4"), "{:?}", wps.rows[2]);
    // Without a column for them, every picture of a row is its goods'.
    assert_eq!(per_row(&plan("openpyxl_pictures.xlsx")), [rows[0].clone(), rows[1].clone(), vec![]]);
}

/// A program that writes a formula writes a zero for its result, and asks for it to be reckoned.
#[test]
fn the_zero_of_a_formula_that_nobody_reckoned_is_no_price() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, title) in (0..).zip(["商品名称", "售价", "库存"]) {
        sheet.write_string(0, column, title).unwrap();
    }
    sheet.write_string(1, 0, "杯子").unwrap();
    sheet.write_formula(1, 1, "=20*0.9").unwrap();
    sheet.write_formula(1, 2, rust_xlsxwriter::Formula::new("=2+3").set_result("5")).unwrap();
    let table = tables::read(&book.save_to_buffer().unwrap(), &WANTED).unwrap();
    let row = cells(&table, &[Column::Name, Column::Price, Column::Stock]).remove(0);
    assert!(row.contains("B2 的公式还没有结果") && row.ends_with("|5"), "{row}");
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_the_table_reach_the_shop() {
    let w = World::new().await;
    let done = import::apply(&w.shop, plan("xlsxwriter_pictures.xlsx"), "命令行", Agreed::default()).await.unwrap();
    assert_eq!(done.products, 2);
    assert_eq!(w.count("select count(*) from product_images").await, 3);
    let again = import::apply(&w.shop, plan("xlsxwriter_pictures.xlsx"), "命令行", Agreed::default()).await.unwrap();
    assert_eq!((again.skus, again.same), (0, 3));
    // What the goods have stays; those without get them.
    let other = |plan: Plan| {
        let mut plan = plan;
        plan.rows.iter_mut().for_each(|row| row.cells[Column::Price as usize] = Some("8".to_owned()));
        plan
    };
    w.shop
        .write(|tx| Ok(tx.execute("delete from product_images where product_id = 1 and position > 0", [])?))
        .await
        .unwrap();
    let before = w.count("select count(*) from product_images where product_id = 1").await;
    assert_eq!(before, 1);
    let judged = {
        let plan = other(plan("xlsxwriter_pictures.xlsx"));
        w.shop.db.read(move |conn| import::judge(conn, &plan.rows)).await.unwrap()
    };
    let left = judged.iter().filter(|one| one.left.contains("商品已经有 1 张图片，表里的没有换上"));
    assert_eq!(left.count(), 1, "{judged:?}");
    let agreed = Agreed { doubts: true, ..Agreed::default() };
    import::apply(&w.shop, other(plan("xlsxwriter_pictures.xlsx")), "命令行", agreed).await.unwrap();
    assert_eq!(w.count("select count(*) from product_images where product_id = 1").await, before);
    w.shop.write(|tx| Ok(tx.execute("delete from product_images where product_id = 1", [])?)).await.unwrap();
    import::apply(&w.shop, other(plan("xlsxwriter_pictures.xlsx")), "命令行", Agreed::default()).await.unwrap();
    assert_eq!(w.count("select count(*) from product_images where product_id = 1").await, 2);
}

/// A picture in a column of something else is not the goods'; one that is no picture refuses its row.
#[test]
fn a_picture_that_is_not_taken_is_said_by_its_cell() {
    let picture = |format| {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, format).unwrap();
        rust_xlsxwriter::Image::new_from_buffer(&bytes.into_inner()).unwrap()
    };
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    for (column, title) in (0..).zip(["商品名称", "图片", "收款码"]) {
        sheet.write_string(0, column, title).unwrap();
    }
    sheet.write_string(1, 0, "杯子").unwrap();
    sheet.write_string(2, 0, "碗").unwrap();
    sheet.embed_image(1, 2, &picture(image::ImageFormat::Png)).unwrap();
    let bmp = b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02\0\0\0\x02\0\0\0\x01\0\x18\0\0\0\0\0\x10\0\0\0\x13\x0b\0\0\x13\x0b\0\0\0\0\0\0\0\0\0\0";
    sheet.embed_image(2, 1, &rust_xlsxwriter::Image::new_from_buffer(&[&bmp[..], &[9; 16]].concat()).unwrap()).unwrap();
    let table = tables::read(&book.save_to_buffer().unwrap(), &WANTED).unwrap();
    let plan = import::plan(&table, None).ok().unwrap();
    assert!(plan.pictures.is_empty() && plan.rows[0].problems.is_empty());
    assert!(plan.notes.iter().any(|note| note.contains("1 张图片没有读：C2")), "{:?}", plan.notes);
    assert!(plan.rows[1].problems.iter().any(|problem| problem.contains("B3 里的图片")), "{:?}", plan.rows[1]);
}

/// By hand nobody puts a picture exactly into its row.
#[test]
fn a_picture_belongs_to_the_row_in_which_most_of_it_lies() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(60, 76).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let picture = rust_xlsxwriter::Image::new_from_buffer(&bytes.into_inner()).unwrap();
    // Begins in the row of the cup, by so many pixels of its eighty.
    for (offset, own) in [(0, "杯子"), (2, "杯子"), (30, "杯子"), (50, "碗"), (74, "碗")] {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (line, cell) in (0..).zip(["商品名称", "杯子", "碗", "盘子"]) {
            sheet.write_string(line, 0, cell).unwrap();
            sheet.set_row_height_pixels(line, 80).unwrap();
        }
        sheet.write_string(0, 1, "图片").unwrap();
        sheet.insert_image_with_offset(1, 1, &picture, 3, offset).unwrap();
        let plan = import::plan(&tables::read(&book.save_to_buffer().unwrap(), &WANTED).unwrap(), None).ok().unwrap();
        let with: Vec<_> =
            plan.rows.iter().filter(|row| !row.pictures.is_empty()).map(|row| row.said(Column::Name)).collect();
        assert_eq!(with, [Some(own)], "{offset}");
    }
}

/// What is struck through in a spreadsheet is not meant any more.
#[test]
fn a_row_that_is_struck_through_is_asked_about() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let (sheet, line) = (book.add_worksheet(), rust_xlsxwriter::Format::new().set_font_strikethrough());
    for (row, cells) in (0..).zip([["商品名称", "售价"], ["杯子", "9"], ["碗", "8"], ["盘子", "7"]]) {
        for (column, cell) in (0..).zip(cells) {
            match row == 2 {
                true => sheet.write_string_with_format(row, column, cell, &line).unwrap(),
                false => sheet.write_string(row, column, cell).unwrap(),
            };
        }
    }
    let bytes = book.save_to_buffer().unwrap();
    let plan = import::plan(&tables::read(&bytes, &WANTED).unwrap(), None).ok().unwrap();
    let asked: Vec<usize> = plan.rows.iter().map(|row| row.asks.len()).collect();
    assert_eq!(asked, [0, 1, 0]);
}

/// One cell that is crossed out changes what its row means, in every kind of book.
#[test]
fn a_cell_that_is_struck_through_is_asked_about() {
    let books = ["openpyxl_struck.xlsx", "libreoffice_struck.xlsx", "libreoffice_struck.ods", "libreoffice_struck.xls"];
    for name in books {
        let plan = plan(name);
        let asked = |at: usize| plan.rows[at].asks.join("；");
        for (at, what) in [
            (1, "C3 的售价(元)在表里是划掉的"),
            (2, "A4 的商品名称在表里是划掉的"),
            (3, "D5 的库存在表里是划掉的"),
            (4, "这一行在表里是划掉的"),
            (5, "B7 的商家编码在表里是划掉的"),
            (5, "C7 的售价(元)在表里是划掉的"),
        ] {
            assert!(asked(at).contains(what), "{name}: {}", asked(at));
        }
        assert_eq!(asked(0), "", "{name}");
        assert_eq!((asked(6).as_str(), plan.rows[6].said(Column::Name)), ("", Some("新")), "{name}");
        assert!(asked(7).contains("A9 的商品名称在表里是划掉的"), "{name}: {}", asked(7));
    }
}

/// Cells that were made one are one, and so is the picture in them.
#[test]
fn a_picture_over_merged_rows_is_that_of_all_of_them() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let picture = rust_xlsxwriter::Image::new_from_buffer(&bytes.into_inner()).unwrap();
    for (merged, own) in [(Some((1, 3)), [1, 1, 1, 0]), (Some((2, 4)), [0, 1, 1, 1]), (None, [0, 1, 0, 0])] {
        for within in [false, true] {
            let mut book = rust_xlsxwriter::Workbook::new();
            let (sheet, plain) = (book.add_worksheet(), rust_xlsxwriter::Format::new());
            for (line, cell) in (0..).zip(["商品名称", "杯子", "碗", "盘子", "勺子"]) {
                sheet.write_string(line, 0, cell).unwrap();
            }
            sheet.write_string(0, 1, "图片").unwrap();
            if let Some((first, last)) = merged {
                sheet.merge_range(first, 1, last, 1, "", &plain).unwrap();
            }
            let line = merged.map_or(2, |(first, _)| first);
            match within {
                true => sheet.embed_image(line, 1, &picture).unwrap(),
                false => sheet.insert_image(line, 1, &picture).unwrap(),
            };
            let bytes = book.save_to_buffer().unwrap();
            let plan = import::plan(&tables::read(&bytes, &WANTED).unwrap(), None).ok().unwrap();
            let pictures: Vec<usize> = plan.rows.iter().map(|row| row.pictures.len()).collect();
            assert_eq!(pictures, own, "{merged:?} {within}");
        }
    }
}

/// Of a cell what is struck through says nothing any more, whichever way a program writes it.
#[test]
fn words_that_are_struck_through_in_a_cell_are_left_out() {
    let mut book = rust_xlsxwriter::Workbook::new();
    let (sheet, line) = (book.add_worksheet(), rust_xlsxwriter::Format::new().set_font_strikethrough());
    let plain = rust_xlsxwriter::Format::new();
    for (row, cells) in (0..).zip([["商品名称", "售价"], ["杯子", ""], ["碗", "8"]]) {
        for (column, cell) in (0..).zip(cells) {
            sheet.write_string(row, column, cell).unwrap();
        }
    }
    sheet.write_rich_string(1, 1, &[(&line, "99"), (&plain, "79")]).unwrap();
    // Signs that XML writes by reference.
    sheet.write_rich_string(2, 0, &[(&line, "碗"), (&plain, "牛奶&糖 <大>")]).unwrap();
    let plan = import::plan(&tables::read(&book.save_to_buffer().unwrap(), &WANTED).unwrap(), None).ok().unwrap();
    let prices: Vec<_> = plan.rows.iter().map(|row| row.said(Column::Price).map(str::to_owned)).collect();
    assert_eq!(prices, [Some("79".to_owned()), Some("8".to_owned())]);
    assert_eq!(plan.rows[1].said(Column::Name), Some("牛奶&糖 <大>"));
    assert!(plan.rows.iter().all(|row| row.asks.is_empty()));
}

/// Above the goods stands a low row of headings, which a picture that begins too high crosses.
#[test]
fn a_picture_that_begins_above_a_low_row_belongs_to_the_row_below_it() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(60, 100).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let picture = rust_xlsxwriter::Image::new_from_buffer(&bytes.into_inner()).unwrap();
    // From the edge of a title's row of forty pixels; the headings' has twenty, the goods' have a hundred and twenty.
    for (offset, own) in [(10, "杯子"), (30, "杯子"), (38, "杯子"), (60, "杯子"), (150, "碗"), (170, "碗")] {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (line, (cell, high)) in
            (0..).zip([("价目表", 40), ("商品名称", 20), ("杯子", 120), ("碗", 120), ("盘子", 120)])
        {
            sheet.write_string(line, 0, cell).unwrap();
            sheet.set_row_height_pixels(line, high).unwrap();
        }
        sheet.write_string(1, 1, "图片").unwrap();
        sheet.insert_image_with_offset(0, 1, &picture, 3, offset).unwrap();
        let plan = import::plan(&tables::read(&book.save_to_buffer().unwrap(), &WANTED).unwrap(), None).ok().unwrap();
        let with: Vec<_> =
            plan.rows.iter().filter(|row| !row.pictures.is_empty()).map(|row| row.said(Column::Name)).collect();
        assert_eq!(with, [Some(own)], "{offset}");
    }
}

/// Programs put a picture at a cell and say how large it is, and so does whoever lets it keep its size.
#[test]
fn a_picture_that_keeps_its_size_belongs_to_the_row_that_it_covers() {
    for name in ["openpyxl_over.xlsx", "exceljs_over.xlsx", "xlsxwriter_over.xlsx", "libreoffice_over.xlsx"] {
        let plan = plan(name);
        let own: Vec<_> = plan.rows.iter().map(|row| (row.said(Column::Name).unwrap(), row.pictures.len())).collect();
        // By a few pixels above its row, of its height and of the usual one; higher than its row; across one that is not
        // shown; and where it was put.
        let right = ["高", "矮", "长", "隐后", "正"].map(|name| (name, 1));
        assert_eq!(own.into_iter().filter(|(_, n)| *n > 0).collect::<Vec<_>>(), right, "{name}");
        let mut all: Vec<_> = plan.rows.iter().flat_map(|row| row.pictures.clone()).collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 5, "{name}");
    }
}

/// The same book with a part of it rewritten.
fn rewritten(book: &[u8], part: &str, edit: impl Fn(String) -> String) -> Vec<u8> {
    use std::io::{Read, Write};
    let mut old = zip::ZipArchive::new(std::io::Cursor::new(book)).unwrap();
    let mut new = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for at in 0..old.len() {
        let mut entry = old.by_index(at).unwrap();
        let (name, mut bytes) = (entry.name().unwrap().into_owned(), Vec::new());
        entry.read_to_end(&mut bytes).unwrap();
        if name == part {
            bytes = edit(String::from_utf8(bytes).unwrap()).into_bytes();
        }
        new.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        new.write_all(&bytes).unwrap();
    }
    new.finish().unwrap().into_inner()
}

/// What deleted rows leave behind, and what a filter takes from the screen, is nobody's picture; one that was turned is asked
/// about, but for a photograph that lies in its file and was set upright.
#[test]
fn a_picture_that_nobody_sees_is_left_out_and_said() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(60, 76).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let plain = bytes.into_inner();
    let photo = std::fs::read(format!("{}/tests/files/pictures/turned.jpg", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let held = xiaopu::catalogue::media::held(&photo);
    assert!(held > 0 && xiaopu::catalogue::media::held(&plain) == 0);
    let upright = format!("<a:xfrm rot=\"{}\"", held * 60_000);
    const LEFT: &str = "表里看不见的 1 张图片没有读：B3";
    const TURNED: &str = "B3 里的图片在表格里转过，这里用的是没转的";
    let flat = |xml: String| {
        let to = xml.find("<xdr:to>").unwrap();
        let (before, behind) = (&xml[..to], &xml[xml.find("</xdr:to>").unwrap()..]);
        let from =
            &before[before.find("<xdr:from>").unwrap() + "<xdr:from>".len()..before.find("</xdr:from>").unwrap()];
        format!("{before}<xdr:to>{from}{behind}")
    };
    type Edit<'e> = &'e dyn Fn(String) -> String;
    type Case<'e> = (&'e str, &'e [u8], bool, Edit<'e>, usize, Option<&'e str>, Option<&'e str>);
    let turned = |xml: String| xml.replace("<a:xfrm", "<a:xfrm rot=\"5400000\"");
    let same = |xml: String| xml;
    let set_upright = |xml: String| xml.replace("<a:xfrm", &upright);
    let mirrored = |xml: String| xml.replace("<a:xfrm", "<a:xfrm flipH=\"1\"");
    let cases: [Case<'_>; 7] = [
        ("seen", &plain, false, &same, 1, None, None),
        ("flat", &plain, false, &flat, 0, Some(LEFT), None),
        ("hidden row", &plain, true, &same, 0, Some(LEFT), None),
        ("turned", &plain, false, &turned, 1, None, Some(TURNED)),
        ("mirrored", &plain, false, &mirrored, 1, None, Some(TURNED)),
        ("a photo set upright", &photo, false, &set_upright, 1, None, None),
        ("a photo mirrored", &photo, false, &mirrored, 1, None, Some(TURNED)),
    ];
    for (what, picture, hidden, edit, taken, note, ask) in cases {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        for (line, cell) in (0..).zip(["商品名称", "杯子", "碗", "盘子"]) {
            sheet.write_string(line, 0, cell).unwrap();
            sheet.set_row_height_pixels(line, 80).unwrap();
        }
        sheet.write_string(0, 1, "图片").unwrap();
        sheet.insert_image(2, 1, &rust_xlsxwriter::Image::new_from_buffer(picture).unwrap()).unwrap();
        let book = rewritten(&book.save_to_buffer().unwrap(), "xl/drawings/drawing1.xml", edit);
        // As a filter hides a row over which a picture lies.
        let hide = |xml: String| {
            xml.replace("<row r=\"3\"", if hidden { "<row r=\"3\" hidden=\"1\"" } else { "<row r=\"3\"" })
        };
        let book = rewritten(&book, "xl/worksheets/sheet1.xml", hide);
        let plan = import::plan(&tables::read(&book, &WANTED).unwrap(), None).ok().unwrap();
        let pictures: Vec<usize> = plan.rows.iter().map(|row| row.pictures.len()).collect();
        assert_eq!(pictures, [0, taken, 0], "{what}");
        let said = |note: &str| plan.notes.iter().any(|said| said.contains(note));
        assert_eq!(said("看不见的"), note.is_some(), "{what}: {:?}", plan.notes);
        assert!(note.is_none_or(said), "{what}: {:?}", plan.notes);
        let asked = plan.rows[1].asks.join("；");
        assert!(ask.map_or(asked.is_empty(), |ask| asked.contains(ask)), "{what}: {asked}");
    }
}

/// So is one that WPS has put into a cell.
#[test]
fn a_picture_in_a_cell_that_was_turned_or_cropped_is_asked_about() {
    let asked = |edit: &dyn Fn(String) -> String| {
        let book = rewritten(&bytes("wps.xlsx"), "xl/cellimages.xml", edit);
        let plan = import::plan(&tables::read(&book, &WANTED).unwrap(), None).ok().unwrap();
        (plan.rows[0].pictures.len(), plan.rows[0].asks.join("；"))
    };
    assert_eq!(asked(&|xml| xml), (1, String::new()));
    for (from, to, words) in [
        ("<xdr:spPr", "<xdr:spPr><a:xfrm rot=\"5400000\"/></xdr:spPr><xdr:spPr", "在表格里转过，"),
        ("<xdr:spPr", "<xdr:spPr><a:xfrm flipV=\"1\"/></xdr:spPr><xdr:spPr", "在表格里转过，"),
        ("<a:stretch", "<a:srcRect l=\"50000\"/><a:stretch", "在表格里裁过，"),
    ] {
        let (pictures, asks) = asked(&|xml| {
            assert!(xml.contains(from), "{xml}");
            xml.replacen(from, to, 1)
        });
        assert!(pictures == 1 && asks.contains(words), "{to}: {asks}");
    }
}

/// Without a column for pictures those over the goods' own cells and beside the row are theirs.
#[test]
fn a_picture_in_a_column_that_is_not_used_is_not_used() {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(8, 8).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    let picture = rust_xlsxwriter::Image::new_from_buffer(&bytes.into_inner()).unwrap();
    for (title, taken) in [("收款码", false), ("商品名称", true), ("", true), ("实拍图", true)] {
        let mut book = rust_xlsxwriter::Workbook::new();
        let sheet = book.add_worksheet();
        sheet.write_string(0, 0, "售价").unwrap();
        sheet.write_string(0, 1, "商家编码").unwrap();
        sheet.write_string(0, 2, title).unwrap();
        sheet.write_string(1, 1, "A1").unwrap();
        sheet.insert_image(1, 2, &picture).unwrap();
        let plan = import::plan(&tables::read(&book.save_to_buffer().unwrap(), &WANTED).unwrap(), None).ok().unwrap();
        assert_eq!(plan.pictures.len(), usize::from(taken), "{title}");
        assert_eq!(plan.notes.iter().any(|note| note.contains("C2；要用的话")), !taken, "{title}: {:?}", plan.notes);
    }
}

/// Text as people name things, with what spreadsheets change or run.
fn text(most: usize) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "=",
            "+",
            "-",
            "@",
            "'",
            "''",
            "0",
            "00123",
            "1e5",
            "E+",
            "3-4",
            "2026-03-04",
            "true",
            "TRUE",
            "#N/A",
            "####",
            "\"",
            ",",
            "，",
            ";",
            "；",
            ":",
            "：",
            "/",
            "|",
            "、",
            " ",
            "\t",
            "\n",
            "\r",
            "　",
            "１２",
            "％",
            "50%",
            "￥1",
            "MAR1",
            "合计",
            "小计",
            "注:",
            "清空",
            "是",
            "{",
            "}",
            "\\",
            "<",
            "&",
            "_x000D_",
            "_x0041_",
            "\u{200b}",
            "\u{feff}",
            "12345678901234567890",
            "6901234567892",
            "👨\u{200d}👩",
            "Cafe\u{301}",
            "商品名称",
            "DISPIMG(\"a\",1)",
        ])
        .prop_map(str::to_owned),
        "\\PC{1,4}",
        "[a-z0-9一-龥]{1,6}",
    ];
    prop::collection::vec(piece, 0..4).prop_map(move |pieces| pieces.concat().chars().take(most).collect())
}

#[derive(Clone, Debug)]
struct Goods {
    name: String,
    subtitle: String,
    category: Option<(String, String)>,
    skus: Vec<(String, String, i64, i64)>,
    barcode: String,
    weight: i64,
    cost: Option<i64>,
}

fn goods() -> impl Strategy<Value = Goods> {
    let sku = (text(20), text(40), 0..2_000_000_i64, 0..2_000_i64);
    let category = prop::option::of((text(12), text(12)));
    let further = ("[0-9]{0,13}|[A-Z0-9./+-]{0,40}", 0..1_000_000_i64, prop::option::of(0..2_000_000_i64));
    (text(60), text(60), category, prop::collection::vec(sku, 1..4), further).prop_map(
        |(name, subtitle, category, skus, (barcode, weight, cost))| Goods {
            name,
            subtitle,
            category,
            skus,
            barcode,
            weight,
            cost,
        },
    )
}

/// Puts goods on the shelf as far as the console would take them.
fn shelve(tx: &xiaopu::db::Tx, goods: &Goods) -> Result<(), Error> {
    use xiaopu::catalogue::rules;
    let Ok(name) = rules::name(&goods.name) else { return Ok(()) };
    if store::product_named(tx, &name)?.is_some() {
        return Ok(());
    }
    let mut category_id = None;
    for part in goods.category.iter().flat_map(|(above, own)| [above, own]) {
        match rules::category(part) {
            Ok(part) if !part.is_empty() => category_id = Some(store::category_named(tx, category_id, &part)?),
            _ => break,
        }
    }
    let subtitle = rules::subtitle(&goods.subtitle).unwrap_or_default();
    let draft = store::Draft { name, subtitle, category_id, on_shelf: true, ..store::Draft::default() };
    let product = store::insert_product(tx, &draft)?;
    let mut known: Vec<Vec<(String, String)>> = Vec::new();
    for (value, code, price, stock) in &goods.skus {
        let Ok(specs) = import::specs(&format!("款:{value}")) else { continue };
        let sku_code = rules::code(code).unwrap_or_default();
        let taken = |code: &String| store::sku_with_code(tx, code).map(|sku| sku.is_some());
        let taken = sku_code.as_ref().map(taken).transpose()?.unwrap_or(false);
        if taken || known.iter().any(|known| xiaopu::catalogue::same_specs(known, &specs)) {
            continue;
        }
        // Goods are of one shape.
        if known.first().is_some_and(|first| first.len() != specs.len()) {
            continue;
        }
        let draft = store::SkuDraft {
            specs: specs.clone(),
            sku_code,
            price: xiaopu::money::Fen::from_yuan(&format!("{}.{:02}", price / 100, price % 100)).unwrap(),
            market_price: None,
            limit_per_order: None,
            delivery: xiaopu::catalogue::Delivery::Express,
            weight: goods.weight,
            enabled: true,
        };
        let sku = store::put_sku(tx, product, &draft)?;
        store::set_barcode(tx, sku, rules::barcode(&goods.barcode).unwrap_or_default().as_deref())?;
        store::set_cost(tx, sku, goods.cost.and_then(xiaopu::money::Fen::new))?;
        assert!(xiaopu::catalogue::stock::adjust(tx, sku, *stock, None, "")?);
        known.push(specs);
    }
    Ok(())
}

/// Whatever the shop's goods are called, a table of them that comes back as it went out changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn an_export_brought_back_changes_nothing() {
    let w = World::new().await;
    let mut runner = TestRunner::deterministic();
    let strategy = prop::collection::vec(goods(), 500);
    let all = strategy.new_tree(&mut runner).unwrap().current();
    let write = move |tx: &xiaopu::db::Tx| all.iter().try_for_each(|goods| shelve(tx, goods));
    w.shop.db.write_large(write).await.unwrap();
    let read = |conn: &rusqlite::Connection| {
        let categories = store::categories(conn)?;
        let mut rows = Vec::new();
        for id in store::all_ids(conn)? {
            let product = store::product(conn, id)?.unwrap();
            rows.extend(product.skus.iter().map(|sku| import::row(&product, sku, &categories, 0)));
        }
        Ok::<_, Error>(rows)
    };
    let rows = w.shop.db.read(read).await.unwrap();
    assert!(rows.len() > 400, "{}", rows.len());
    let (titles, mut lost) = (import::titles(), Vec::new());
    for (kind, bytes) in
        [("csv", tables::csv(&titles, &NUMBERS, &rows)), ("xlsx", tables::xlsx(&titles, &NUMBERS, &rows).unwrap())]
    {
        let table = tables::read(&bytes, &WANTED).unwrap();
        let plan = import::plan(&table, None).unwrap_or_else(|problems| panic!("{kind}: {problems:?}"));
        if plan.rows.len() != rows.len() {
            lost.push(format!("{kind}: {} of {} rows; {:?}", plan.rows.len(), rows.len(), plan.notes));
        }
        let judged = w.shop.db.read(move |conn| import::judge(conn, &plan.rows)).await.unwrap();
        let changed = judged.iter().filter(|one| one.verdict != Verdict::Same);
        lost.extend(changed.map(|one| format!("{kind}: {} {} {} {:?}", one.line, one.name, one.note, one.changes)));
    }
    assert!(lost.is_empty(), "{} lost, among them {:#?}", lost.len(), &lost[..lost.len().min(12)]);
    w.must_hold().await;
}

/// Names that a spreadsheet would run, reckon or turn into a day, in an export of ours.
fn tricky() -> Vec<Vec<String>> {
    let names = [
        "=1+1",
        "+86",
        "-10℃ 冰袋",
        "@甲",
        "'引号",
        "''",
        "00123",
        "007.50",
        "1e5",
        "1E+05",
        "1D5",
        "3-4",
        "1/2",
        "12:30",
        "2026-03-04",
        "3月4日",
        "2026年3月",
        "MAR1",
        "5PM",
        "TRUE",
        "#N/A",
        "####",
        "Err:502",
        "27\"显示器",
        "甲,乙",
        "甲;乙",
        "50%",
        "1,000",
        "(5)",
        "$5",
        "￥5",
        "１２",
        "５万",
        "３－４",
        "１e５",
        "５％",
        "〇",
        "二〇二六",
        "१२",
        "123456789012",
        "12345678901234567890",
        "0",
        "0x10",
        "_x0041_",
        "合计",
        "注:甲",
        "商品名称",
        "=DISPIMG(\"a\",1)",
        "Café",
        "😀",
    ];
    let row =
        |(at, name): (usize, &&str)| vec![(*name).to_owned(), (*name).to_owned(), format!("{at}.50"), "5".to_owned()];
    names.iter().enumerate().map(row).collect()
}

/// An export that was opened in LibreOffice, which speaks Chinese and looks for numbers in text, and saved again.
#[test]
fn an_export_that_a_spreadsheet_has_saved_again_says_the_same() {
    let rows = tricky();
    let titles = import::titles();
    let head = [Column::Name, Column::SkuCode, Column::Price, Column::Stock].map(|column| titles[column as usize]);
    assert_eq!(
        String::from_utf8(tables::csv(&head, &[2, 3], &rows)).unwrap(),
        String::from_utf8(bytes("export.csv")).unwrap()
    );
    for name in [
        "export.csv",
        "export.xlsx",
        "libreoffice_export.csv",
        "libreoffice_export.xlsx",
        "libreoffice_export.ods",
        "libreoffice_export_xlsx.xlsx",
        "libreoffice_export_xlsx.xls",
    ] {
        let table = table(name);
        for (row, written) in table.rows.iter().zip(&rows) {
            for (column, is) in [Column::Name, Column::SkuCode].into_iter().zip(written) {
                assert_eq!(row.text(column as usize), Some(Ok(is.as_str())), "{name}");
            }
            let fen = |text: &str| Fen::from_yuan(text).unwrap();
            assert_eq!(fen(row.text(Column::Price as usize).unwrap().unwrap()), fen(&written[2]), "{name}");
        }
        assert_eq!(table.rows.len(), rows.len(), "{name}: {:?}", table.notes);
    }
}

const SAVED_AGAIN: [&str; 5] = [".xlsx", ".xls", ".ods", "_utf8.csv", "_gb18030.csv"];

/// All that a shop has given out, opened by LibreOffice and saved again in each of its forms: every cell says what it said.
#[test]
fn a_shops_whole_export_comes_through_another_program() {
    let given = table("shop_export.xlsx");
    assert!(given.rows.len() > 40 && given.missing.is_empty(), "{:?}", given.notes);
    for form in SAVED_AGAIN {
        let saved = table(&format!("libreoffice_shop_export{form}"));
        assert_eq!((saved.rows.len(), &saved.notes), (given.rows.len(), &given.notes), "{form}");
        for (one, other) in given.rows.iter().zip(&saved.rows) {
            assert_eq!(one.place.line, other.place.line, "{form}");
            let words =
                [Column::Name, Column::Subtitle, Column::Category, Column::Specs, Column::SkuCode, Column::Barcode];
            for column in 0..import::titles().len() {
                let said = |row: &tables::Row| {
                    let text = row.text(column).map(|text| text.unwrap_or_else(|e| panic!("{form}: {e}")).to_owned());
                    // 36.00 in a cell of text is 36 in one of a number.
                    let is_figure = !words.iter().any(|word| *word as usize == column);
                    let figure = text.as_deref().filter(|_| is_figure).and_then(Fen::from_yuan);
                    (figure, text.filter(|_| figure.is_none()))
                };
                assert_eq!(said(one), said(other), "{form} {} {column}", one.place);
            }
        }
    }
}

/// The list of orders to send, filled in and saved again: every parcel is that of its order, and nothing is asked.
#[test]
fn a_shops_list_of_parcels_comes_through_another_program() {
    let read = |name: &str| {
        let brought = xiaopu::shipping::table::read(&bytes(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
        brought
            .rows
            .into_iter()
            .map(|row| {
                let asked = row.questions.iter().map(|question| question.words.clone()).collect::<Vec<_>>();
                (row.line, row.order_no, row.company, row.tracking_no, row.pieces, row.says.goods.name, asked)
            })
            .collect::<Vec<_>>()
    };
    let given = read("shop_list.xlsx");
    assert!(given.len() > 5 && given.iter().all(|row| row.3.len() > 10 && row.6.is_empty()), "{given:?}");
    for form in SAVED_AGAIN {
        assert_eq!(read(&format!("libreoffice_shop_list{form}")), given, "{form}");
    }
}

/// Half a megabyte that unpacks to 190 is refused before any of it is believed.
#[test]
fn a_bomb_of_shared_strings_is_refused_cheaply() {
    use std::io::Write as _;
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let pressed = zip::write::SimpleFileOptions::default();
    for (name, text) in [
        ("[Content_Types].xml", "<Types/>"),
        ("xl/workbook.xml", "<workbook><sheets><sheet name='a' sheetId='1'/></sheets></workbook>"),
    ] {
        zip.start_file(name, pressed).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.start_file("xl/sharedStrings.xml", pressed).unwrap();
    let strings = "<si><t>a</t></si>".repeat(64 * 1024);
    (0..190).for_each(|_| zip.write_all(strings.as_bytes()).unwrap());
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 2_000_000, "{}", bytes.len());
    let begun = std::time::Instant::now();
    let problem = tables::read(&bytes, &WANTED).unwrap_err().to_string();
    assert!(problem.contains("解压后太大"), "{problem}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(2), "{:?}", begun.elapsed());
}
