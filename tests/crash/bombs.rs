//! Small files that unpack to a great deal, each of another kind.

use std::io::{Cursor, Write};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{ExtendedColorType, ImageEncoder};

/// A workbook with one part that is `piece`, so many times.
pub fn workbook(strings: (&str, usize), sheets: &[(&str, usize)]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let mut part = |name: &str, pieces: [(&str, usize); 3]| {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        for (piece, times) in pieces {
            zip.write_all(piece.repeat(times).as_bytes()).unwrap();
        }
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let (mut list, mut kinds) = (String::new(), String::new());
    for n in 1..=sheets.len() {
        list += &format!("<sheet name=\"{n}\" sheetId=\"{n}\" r:id=\"r{n}\"/>");
        kinds += &format!("<Relationship Id=\"r{n}\" Type=\"{office}/worksheet\" Target=\"worksheets/sheet{n}.xml\"/>");
    }
    let book = format!("<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>");
    part("xl/workbook.xml", [(&book, 1), (&list, 1), ("</sheets></workbook>", 1)]);
    let relations = "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">";
    part("xl/_rels/workbook.xml.rels", [(relations, 1), (&kinds, 1), ("</Relationships>", 1)]);
    part("xl/sharedStrings.xml", [(&format!("<sst xmlns=\"{main}\">"), 1), strings, ("</sst>", 1)]);
    for (n, sheet) in (1..).zip(sheets) {
        let start = format!("<worksheet xmlns=\"{main}\"><sheetData>");
        part(&format!("xl/worksheets/sheet{n}.xml"), [(&start, 1), *sheet, ("</sheetData></worksheet>", 1)]);
    }
    zip.finish().unwrap().into_inner()
}

/// One grey: nearly forty megapixels with 6,300 a side.
pub fn grey_png(side: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let grey = vec![127; (side * side) as usize];
    image::codecs::png::PngEncoder::new(&mut bytes).write_image(&grey, side, side, ExtendedColorType::L8).unwrap();
    bytes
}

/// The same with sixteen bits of four channels.
pub fn deep_png() -> Vec<u8> {
    let side = 6_300_u32;
    let mut bytes = Vec::new();
    {
        let mut encoder = png::Encoder::new(&mut bytes, side, side);
        encoder.set_color(png::ColorType::Rgba);
        encoder.set_depth(png::BitDepth::Sixteen);
        let mut writer = encoder.write_header().unwrap();
        let mut lines = writer.stream_writer().unwrap();
        let line = vec![127; side as usize * 8];
        (0..side).for_each(|_| lines.write_all(&line).unwrap());
        lines.finish().unwrap();
    }
    bytes
}

/// Fifteen megapixels of one grey with full chroma, whose coefficients come in scans of their own: this is the first.
pub fn progressive_jpeg() -> Vec<u8> {
    let (width, height) = (4_800_u16, 3_200_u16);
    let mut bytes = vec![0xff, 0xd8, 0xff, 0xdb, 0, 67, 0];
    bytes.extend([16; 64]);
    bytes.extend([0xff, 0xc2, 0, 17, 8]);
    bytes.extend([height.to_be_bytes(), width.to_be_bytes()].concat());
    bytes.extend([3, 1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0]);
    // One code of one bit: no difference to the block before.
    bytes.extend([0xff, 0xc4, 0, 20, 0, 1]);
    bytes.extend([0; 16]);
    bytes.extend([0xff, 0xda, 0, 12, 3, 1, 0, 2, 0, 3, 0, 0, 0, 0]);
    bytes.extend(vec![0; usize::from(width / 8) * usize::from(height / 8) * 3 / 8 + 1]);
    bytes.extend([0xff, 0xd9]);
    bytes
}

/// Sixteen megapixels without loss.
pub fn webp() -> Vec<u8> {
    let (side, mut bytes) = (4_000, Vec::new());
    let grey = vec![127; (side * side * 3) as usize];
    WebPEncoder::new_lossless(&mut bytes).write_image(&grey, side, side, ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// A picture of ten by ten pixels, the first of whose frames is a hundred and fifty thousand times as large.
pub fn gif() -> Vec<u8> {
    let side = 3_900_u16;
    let mut bytes = b"GIF89a\x0a\0\x0a\0\x80\0\0\0\0\0\xff\xff\xff\x2c\0\0\0\0".to_vec();
    bytes.extend([side.to_le_bytes(), side.to_le_bytes()].concat());
    bytes.extend([0, 2]);
    // Codes of three bits: begin anew, a pixel, a pixel; eight times in nine bytes.
    let codes = (0..8).fold(0_u128, |codes, n| codes | 4 << (9 * n));
    let turn = &codes.to_le_bytes()[..9];
    for block in turn.repeat(usize::from(side) * usize::from(side) / 16).chunks(255) {
        bytes.push(block.len() as u8);
        bytes.extend(block);
    }
    bytes.extend([1, 5, 0, 0x3b]);
    bytes
}

/// A strip of details that is kept as it is, and lies on its side in the colours of another screen.
pub fn turned_strip() -> Vec<u8> {
    let (width, height, mut bytes) = (20_000, 1_200, Vec::new());
    let mut encoder = JpegEncoder::new(&mut bytes);
    encoder.set_icc_profile(moxcms::ColorProfile::new_display_p3().encode().unwrap()).unwrap();
    let exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    encoder.set_exif_metadata(exif.to_vec()).unwrap();
    let grey = vec![127; (width * height * 3) as usize];
    encoder.write_image(&grey, width, height, ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// An old workbook of which so many sheets are one and the same: five thousand rows of eight cells, all of them the one
/// long string.
pub fn old_workbook(text: &str, sheets: usize) -> Vec<u8> {
    let record = |kind: u16, body: &[u8]| {
        let head = [kind.to_le_bytes(), (body.len() as u16).to_le_bytes()].concat();
        [&head, body].concat()
    };
    let start = |kind: u16| record(0x0809, &[&0x0600_u16.to_le_bytes()[..], &kind.to_le_bytes(), &[0; 12]].concat());
    let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let mut parts = units.chunks(8_000);
    let count = (units.len() as u16 / 2).to_le_bytes();
    let first = [&[1, 0, 0, 0, 1, 0, 0, 0], &count[..], &[1], parts.next().unwrap_or_default()].concat();
    let mut strings = record(0x00fc, &first);
    parts.for_each(|part| strings.extend(record(0x003c, &[&[1], part].concat())));
    let mut cells = start(0x0010);
    for (row, column) in (0..5_000_u16).flat_map(|row| (0..8_u16).map(move |column| (row, column))) {
        let place = [row.to_le_bytes(), column.to_le_bytes(), [0; 2], [0; 2], [0; 2]].concat();
        cells.extend(record(0x00fd, &place));
    }
    cells.extend(record(0x000a, &[]));
    let named = |n: usize, at: u32| {
        let name = format!("{n:04}");
        record(0x0085, &[&at.to_le_bytes()[..], &[0, 0, 4, 0], name.as_bytes()].concat())
    };
    let begin = start(0x0005);
    let at = begin.len() + sheets * named(0, 0).len() + strings.len() + 4;
    let list: Vec<u8> = (0..sheets).flat_map(|n| named(n, at as u32)).collect();
    container(&[begin, list, strings, record(0x000a, &[]), cells].concat())
}

/// One stream named "Workbook" in the container of old Office files.
fn container(stream: &[u8]) -> Vec<u8> {
    const END: u32 = 0xffff_fffe;
    let sectors = stream.len().max(4_096).div_ceil(512) as u32;
    let tables = (1 + sectors).div_ceil(127);
    let mut head = vec![0; 512];
    let mut put = |at: usize, bytes: &[u8]| head[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1");
    put(0x18, &[0x3e, 0, 3, 0, 0xfe, 0xff, 9, 0, 6, 0]);
    put(0x2c, &tables.to_le_bytes());
    put(0x38, &4_096_u32.to_le_bytes());
    put(0x3c, &END.to_le_bytes());
    put(0x44, &END.to_le_bytes());
    (0..109).for_each(|n| put(0x4c + 4 * n as usize, &if n < tables { 1 + sectors + n } else { !0 }.to_le_bytes()));
    let mut folder = vec![0; 512];
    for (at, name, kind, start, length) in
        [(0, "Root Entry", 5, END, 0), (128, "Workbook", 2, 1, stream.len().max(4_096) as u32)]
    {
        let units: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
        folder[at..at + units.len()].copy_from_slice(&units);
        folder[at + 64] = units.len() as u8 + 2;
        folder[at + 66] = kind;
        folder[at + 68..at + 80].fill(0xff);
        folder[at + 116..at + 120].copy_from_slice(&start.to_le_bytes());
        folder[at + 120..at + 124].copy_from_slice(&length.to_le_bytes());
    }
    folder[76..80].copy_from_slice(&1_u32.to_le_bytes());
    let mut body = stream.to_vec();
    body.resize(sectors as usize * 512, 0);
    // The folder's chain, the stream's, and the tables themselves.
    let chain = [END].into_iter().chain((2..=sectors).chain([END])).chain((0..tables).map(|_| 0xffff_fffd));
    let mut table: Vec<u8> = chain.flat_map(u32::to_le_bytes).collect();
    table.resize(tables as usize * 512, 0xff);
    [head, folder, body, table].concat()
}
