//! What a file is, told by its content; what cannot be read is named, with the way out.

use super::grid::Sheet;
use super::{Unreadable, Wanted, cfb, ods, text, xls, xlsx, zipped};

const SAVE_AS: &str = "请用 Excel 或 WPS 打开它，另存为“Excel 工作簿（.xlsx）”，再导入";

/// The sheets of a file, whatever kind it is.
pub(super) fn sheets(bytes: &[u8], wanted: &Wanted<'_>) -> Result<Vec<Sheet>, Unreadable> {
    if is_flat(bytes) {
        return ods::flat(bytes);
    }
    if let Some(what) = no_table(bytes) {
        return Err(Unreadable::new(what));
    }
    if bytes.starts_with(b"PK") {
        return zip(bytes);
    }
    if bytes.starts_with(&cfb::MAGIC) {
        return xls::sheets(bytes);
    }
    Ok(vec![text::file(bytes, wanted)?])
}

/// A workbook of LibreOffice in one file of XML: `.fods`. What it is stands behind all the names of its root.
fn is_flat(bytes: &[u8]) -> bool {
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(16 * 1024)]);
    let start = start.trim_start_matches('\u{feff}').trim_start();
    let root = start.split_once("<office:document").filter(|(_, root)| root.starts_with(char::is_whitespace));
    start.starts_with('<') && root.is_some_and(|(_, root)| root.contains("opendocument.spreadsheet"))
}

fn zip(bytes: &[u8]) -> Result<Vec<Sheet>, Unreadable> {
    let names = zipped::names(bytes)?;
    let has = |name: &str| names.iter().any(|known| known.eq_ignore_ascii_case(name));
    let under = |folder: &str| names.iter().any(|known| known.starts_with(folder));
    match () {
        () if has("xl/workbook.bin") => {
            Err(Unreadable::new(format!("这是 .xlsb（二进制工作簿），暂时不能读：{SAVE_AS}")))
        }
        () if under("xl/") || has("[Content_Types].xml") && under("worksheets/") => xlsx::sheets(bytes),
        () if has("content.xml") => ods::sheets(bytes),
        () if under("word/") => {
            Err(Unreadable::new("这是 Word 文档，不是表格：请把表格复制到 Excel 或 WPS 表格里，存成 .xlsx"))
        }
        () if under("ppt/") => Err(Unreadable::new("这是演示文稿，不是表格：请导入 .xlsx、.xls、.ods 或 .csv 文件")),
        () if under("Index/") => {
            Err(Unreadable::new("这是 Numbers 表格，不能直接读：请在 Numbers 里选“导出为 Excel”，再导入"))
        }
        () if has("[Content_Types].xml") || has("xl/workbook.xml") => xlsx::sheets(bytes),
        () => Err(Unreadable::new("不是有效的表格文件，像是一个压缩包：请先解压，再导入里面的表格")),
    }
}

/// The name of what is surely no table that can be read, and the way out.
fn no_table(bytes: &[u8]) -> Option<String> {
    let tables = "请导入 .xlsx、.xls、.ods 或 .csv 文件";
    let start = |magic: &[u8]| bytes.starts_with(magic);
    if bytes.iter().all(|b| b.is_ascii_whitespace()) {
        return Some("文件是空的".to_owned());
    }
    if start(b"%PDF") {
        return Some(format!("这是 PDF，不是表格：{tables}"));
    }
    if start(b"\xff\xd8\xff")
        || start(b"\x89PNG")
        || start(b"GIF8")
        || start(b"BM") && bytes.get(6..10) == Some(&[0; 4])
    {
        return Some(format!("这是图片，不是表格：{tables}"));
    }
    if start(b"Rar!") || start(b"7z\xbc\xaf\x27\x1c") || start(b"\x1f\x8b") {
        return Some("这是压缩包：请先解压，再导入里面的表格".to_owned());
    }
    if start(b"{\\rtf") {
        return Some(format!("这是 RTF 文档，不是表格：{tables}"));
    }
    if start(b"ID;P") || start(b"TABLE\r\n0,1") || start(b"TABLE\n0,1") {
        return Some(format!("这是很旧的表格交换格式（SYLK 或 DIF），不能直接读：{SAVE_AS}"));
    }
    if start(b"MIME-Version:") {
        return Some(format!("这是网页（MHT），只是名字像 Excel，不能直接读：{SAVE_AS}"));
    }
    markup(bytes).map(|what| format!("{what}：{SAVE_AS}"))
}

/// Web pages and XML under a spreadsheet's name, as back offices of other platforms give them out.
fn markup(bytes: &[u8]) -> Option<&'static str> {
    let start = text::decode(&bytes[..bytes.len().min(4096)]).unwrap_or_else(|_| {
        // Cut in the middle of a letter, or in some other encoding: tags are ASCII everywhere.
        bytes[..bytes.len().min(4096)].iter().map(|b| char::from(*b)).collect()
    });
    let start = start.trim_start().to_lowercase();
    if !start.starts_with('<') {
        return None;
    }
    Some(match () {
        () if start.contains("<office:document") => "这是 LibreOffice 的平面 XML 文档，里面不是表格",
        () if start.contains("urn:schemas-microsoft-com:office:spreadsheet") || start.contains("excel.sheet") => {
            "这是“XML 表格 2003”，不能直接读"
        }
        () if ["<html", "<!doctype", "<table", "<meta", "<head", "<style", "<body", "<div"]
            .iter()
            .any(|tag| start.contains(tag)) =>
        {
            "这其实是网页（HTML），只是名字像 Excel，不能直接读"
        }
        () if start.starts_with("<?xml") => "这是 XML，不是表格文件",
        () => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_table_is_called_by_its_name() {
        for (bytes, name) in [
            (&b"%PDF-1.7\n"[..], "PDF"),
            (b"\xff\xd8\xff\xe0", "图片"),
            (b"\x89PNG\r\n", "图片"),
            (b"GIF89a", "图片"),
            (b" \r\n\t", "空的"),
            (b"", "空的"),
        ] {
            let what = no_table(bytes).expect("it is no table");
            assert!(what.contains(name), "{bytes:?}: {what}");
        }
        assert_eq!(no_table("订单号,快递单号".as_bytes()), None);
    }
}
