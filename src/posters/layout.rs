//! Where everything stands on a poster, in units of a 750 wide sheet. Drawing it is for whoever has a font for the words:
//! a browser the SVG, a phone its canvas.

use serde::Serialize;

use crate::catalogue::Product;

const WIDTH: i64 = 750;
const HEIGHT: i64 = 1200;
const MARGIN: i64 = 40;
const PICTURE: i64 = WIDTH - 2 * MARGIN;
const CODE: i64 = 220;
/// What is left for words beside the code.
const COLUMN: i64 = PICTURE - CODE - 40;
const NAME_SIZE: i64 = 38;
const NAME_LINES: usize = 3;

const INK: &str = "#2b211b";
const SOFT: &str = "#6b5d52";
const BRAND: &str = "#c03116";

#[derive(Debug, Serialize)]
pub struct Poster {
    pub width: i64,
    pub height: i64,
    pub background: &'static str,
    pub pictures: Vec<Picture>,
    pub texts: Vec<Text>,
}

/// Fills its square; what does not fit is cut off at the edges.
#[derive(Debug, Serialize)]
pub struct Picture {
    pub url: String,
    pub x: i64,
    pub y: i64,
    pub width: i64,
    pub height: i64,
    pub radius: i64,
}

/// One line of words; `y` is its base line.
#[derive(Debug, Serialize)]
pub struct Text {
    pub text: String,
    pub x: i64,
    pub y: i64,
    pub size: i64,
    pub bold: bool,
    pub color: &'static str,
    /// `start` or `middle` of it stands at `x`.
    pub align: &'static str,
}

/// The poster of a product; `picture` and `code` are addresses that whoever draws it can fetch.
pub fn poster(product: &Product, shop_name: &str, picture: Option<String>, code: String) -> Poster {
    let text = |text: String, (x, y): (i64, i64), size: i64, bold: bool, color: &'static str| Text {
        text,
        x,
        y,
        size,
        bold,
        color,
        align: "start",
    };
    let top = 88 + PICTURE;
    let from = if product.max_price > product.price { " 起" } else { "" };
    let mut texts = vec![
        text(cut(shop_name, PICTURE / 30), (MARGIN, 62), 30, true, SOFT),
        text(format!("¥{}{from}", product.price), (MARGIN, top + 84), 60, true, BRAND),
    ];
    let mut y = top + 156;
    for line in wrap(&product.name, COLUMN, NAME_SIZE, NAME_LINES) {
        texts.push(text(line, (MARGIN, y), NAME_SIZE, true, INK));
        y += NAME_SIZE * 4 / 3;
    }
    if let Some(line) = wrap(&product.subtitle, COLUMN, 26, 1).pop() {
        texts.push(text(line, (MARGIN, y), 26, false, SOFT));
    }
    let code_at = (WIDTH - MARGIN - CODE, top + 60);
    texts.push(Text {
        align: "middle",
        ..text("长按或扫码购买".to_owned(), (code_at.0 + CODE / 2, code_at.1 + CODE + 36), 22, false, SOFT)
    });
    let square = |url: String, (x, y): (i64, i64), side: i64, radius: i64| Picture {
        url,
        x,
        y,
        width: side,
        height: side,
        radius,
    };
    let pictures = picture
        .map(|url| square(url, (MARGIN, 88), PICTURE, 20))
        .into_iter()
        .chain([square(code, code_at, CODE, 0)])
        .collect();
    Poster { width: WIDTH, height: HEIGHT, background: "#fffdf9", pictures, texts }
}

/// How wide a character is at most, in hundredths of its size: fonts differ, and none must run into the code.
fn hundredths(c: char) -> i64 {
    match c {
        'i' | 'l' | 'j' | '.' | ',' | '\'' | '|' | ':' | ';' | '!' | ' ' => 34,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 96,
        c if c.is_ascii_lowercase() || c.is_ascii_digit() => 62,
        c if c.is_ascii() => 76,
        // Marks that join or change what stands before them.
        '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}' | '\u{300}'..='\u{36f}' => 0,
        _ => 102,
    }
}

/// Breaks words into lines of this width; what is left over ends in `…`. Latin words stay whole where they fit a line.
fn wrap(words: &str, width: i64, size: i64, most: usize) -> Vec<String> {
    let room = width * 100 / size;
    let wide = |text: &str| text.chars().map(hundredths).sum::<i64>();
    let mut lines: Vec<String> = vec![String::new()];
    for piece in pieces(words) {
        let line = lines.last_mut().map(|line| (wide(line), line.is_empty()));
        let (used, empty) = line.unwrap_or((0, true));
        if used + wide(&piece) <= room {
            if let Some(line) = lines.last_mut().filter(|_| !(empty && piece == " ")) {
                line.push_str(&piece);
            }
        } else if wide(&piece) <= room {
            lines.push(piece.trim_start().to_owned());
        } else {
            // Longer than a line: broken where it must be.
            for c in piece.chars() {
                let full = lines.last().is_some_and(|line| wide(line) + hundredths(c) > room);
                if full {
                    lines.push(String::new());
                }
                if let Some(line) = lines.last_mut() {
                    line.push(c);
                }
            }
        }
    }
    lines.retain(|line| !line.trim().is_empty());
    if lines.len() > most {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            while wide(last) + hundredths('…') > room && last.pop().is_some() {}
            last.truncate(last.trim_end().len());
            last.push('…');
        }
    }
    lines
}

/// A run of Latin letters and digits is one piece, everything else stands alone.
fn pieces(words: &str) -> Vec<String> {
    let mut pieces: Vec<String> = Vec::new();
    for c in words.chars().map(|c| if c.is_whitespace() { ' ' } else { c }) {
        let joins =
            c.is_ascii_graphic() && pieces.last().is_some_and(|last| last.ends_with(|b: char| b.is_ascii_graphic()));
        match pieces.last_mut() {
            Some(last) if joins || hundredths(c) == 0 => last.push(c),
            _ => pieces.push(c.to_string()),
        }
    }
    pieces
}

fn cut(words: &str, most: i64) -> String {
    wrap(words, most * 30, 30, 1).pop().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_break_where_people_would_break_them() {
        // Ten characters' width, three lines.
        for (words, lines) in [
            ("手工挂面", &["手工挂面"][..]),
            ("", &[]),
            ("   ", &[]),
            ("一二三四五六七八九十甲乙", &["一二三四五六七八九", "十甲乙"]),
            ("山东 红富士苹果 5kg 礼盒装", &["山东 红富士苹果 5kg", "礼盒装"]),
            ("Blue Mountain Coffee 蓝山", &["Blue Mountain ", "Coffee 蓝山"]),
            ("AAAAAAAAAAAAAAAAAAAA", &["AAAAAAAAAAAAA", "AAAAAAA"]),
            (
                "一二三四五六七八九一二三四五六七八九一二三四五六七八九一",
                &["一二三四五六七八九", "一二三四五六七八九", "一二三四五六七八…"],
            ),
            ("换\n行", &["换 行"]),
        ] {
            assert_eq!(wrap(words, 1000, 100, 3), lines, "{words}");
        }
    }

    #[test]
    fn no_line_is_wider_than_its_column() {
        let words = "Ω草莓 strawberry 奶油蛋糕!!!8寸W W W 送蜡烛🎂🎂🎂一二三四五六七八九十";
        for width in (100..2000).step_by(37) {
            for line in wrap(words, width, 40, 9) {
                let wide: i64 = line.chars().map(hundredths).sum();
                assert!(wide <= (width * 100 / 40).max(102), "{line} in {width}");
            }
        }
    }
}
