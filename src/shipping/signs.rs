//! A text about goods as it is compared: its letters and digits, and where something else stands between them.

use crate::tables;
use crate::typed::{bare, simplified};

/// The letters and digits of a text, and between which of them something else stands.
#[derive(Clone)]
pub struct Signs {
    pub text: String,
    gaps: Vec<usize>,
}

impl Signs {
    pub fn of(text: &str) -> Signs {
        let mut signs = Signs { text: String::new(), gaps: Vec::new() };
        for c in simplified(&bare(text)).to_lowercase().chars() {
            match c.is_alphanumeric() {
                true => signs.text.push(c),
                false => signs.gaps.push(signs.text.len()),
            }
        }
        signs
    }

    fn parted(&self, at: usize) -> bool {
        at == 0 || at == self.text.len() || self.gaps.contains(&at)
    }

    /// The words between which something else stands.
    pub fn parts(&self) -> Vec<&str> {
        let ends = self.gaps.iter().copied().chain([self.text.len()]);
        let starts = [0].into_iter().chain(self.gaps.iter().copied());
        starts.zip(ends).map(|(start, end)| &self.text[start..end]).filter(|part| !part.is_empty()).collect()
    }

    /// Whether what stands here is meant as goods, and is no part of another word: nothing joins it to what stands before
    /// and behind, but a number of pieces, a word that lays something in besides, or what is `known` to begin or end there.
    pub fn is_a_word(&self, at: usize, name: &str, known: &[(usize, usize)]) -> bool {
        let end = at + name.len();
        let (before, rest) = (&self.text[..at], &self.text[end..]);
        let begins = self.parted(at)
            || known.iter().any(|(_, other)| *other == at)
            || before.ends_with(|c: char| c.is_ascii_digit())
            || ends_with_a_number(before)
            || list(BESIDES).any(|word| before.ends_with(word));
        let counted = rest.strip_prefix('x').unwrap_or(rest);
        let ends = self.parted(end)
            || known.iter().any(|(other, _)| *other == end)
            || counted.starts_with(|c: char| c.is_ascii_digit())
            || begins_with_a_number(rest)
            || list(BESIDES).chain(list(BEHIND)).any(|word| rest.starts_with(word));
        begins && ends
    }

    /// Whether what begins here is said not to be there, or is what the goods are made of.
    pub fn is_denied(&self, at: usize) -> bool {
        const WORDS: &str = "含 内有 装有 不要 不送 不赠 不配 不带 不加 无 没有 免 去掉 类似 同款";
        list(WORDS).any(|word| self.text[..at].ends_with(word))
    }

    /// Where words stand that are known, each with its end.
    pub fn places<'w>(&self, words: impl Iterator<Item = &'w str>) -> Vec<(usize, usize)> {
        let of = |word: &'w str| self.text.match_indices(word).map(|(at, _)| (at, at + word.len())).collect::<Vec<_>>();
        words.filter(|word| !word.is_empty()).flat_map(of).collect()
    }

    /// Whether a word stands there by itself: `L` does not in `XL`, nor `6寸` in `16寸`.
    pub fn has(&self, word: &str) -> bool {
        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let joined = |at: usize| {
            let (before, after) = (self.text[..at].chars().next_back(), self.text[at..].chars().next());
            !self.parted(at) && latin(before) && latin(after)
        };
        let mut found = self.text.match_indices(word);
        !word.is_empty() && found.any(|(at, _)| !joined(at) && !joined(at + word.len()))
    }

    /// The same without a word, and with a gap in its place.
    pub fn without(&self, word: &str) -> Signs {
        let mut signs = Signs { text: String::new(), gaps: Vec::new() };
        let mut at = 0;
        while at < self.text.len() {
            if self.gaps.contains(&at) {
                signs.gaps.push(signs.text.len());
            }
            if !word.is_empty() && self.text[at..].starts_with(word) {
                at += word.len();
                signs.gaps.push(signs.text.len());
            } else if let Some(c) = self.text[at..].chars().next() {
                signs.text.push(c);
                at += c.len_utf8();
            }
        }
        signs
    }
}

/// What lays something in besides, before it or behind.
const BESIDES: &str = "送 赠 赠品 礼品 加 和 与 及 跟 另 配 搭 附 还有";
/// What stands behind the name of a gift, or of the first of several.
const BEHIND: &str = "赠品 礼品 小样 试吃 试用 等";
/// How pieces are counted.
const MEASURES: &str = "件 个 份 套 盒 箱 包 袋 瓶 罐 支 只 条 双 张 块 本 杯 斤 寸 码 号";

fn list(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split_ascii_whitespace()
}

fn is_numeral(c: char) -> bool {
    c.is_ascii_digit() || "一二两三四五六七八九十半大中小".contains(c)
}

/// Letters without how many there are: no `2盒`, no `x3`, no `500g`.
pub fn without_counts(text: &str) -> String {
    const WEIGHTS: [&str; 9] = ["kg", "ml", "cm", "mm", "克", "g", "l", "升", "米"];
    let is_digit = |c: char| c.is_ascii_digit();
    let (mut rest, mut kept) = (text, String::new());
    while let Some(at) = rest.find(is_digit) {
        kept.push_str(rest[..at].strip_suffix('x').unwrap_or(&rest[..at]));
        rest = rest[at..].trim_start_matches(is_digit);
        let unit = WEIGHTS.into_iter().chain(list(MEASURES)).find(|unit| rest.starts_with(unit));
        rest = &rest[unit.map_or(0, str::len)..];
    }
    kept + rest
}

/// How many pieces a cell says, as an order counts them: `2`, `x2`, `2 双`, `2箱`, `两件`. What is more than a number and
/// how it is counted is none.
pub fn how_many(text: &str) -> Option<i64> {
    let text = unlabelled(text);
    tables::count(&text).or_else(|| {
        let (n, unit) = numbered(&text)?;
        list(MEASURES).any(|known| known == unit).then_some(n)
    })
}

/// How many parcels a cell says in a word that couriers have for one: `1箱`, `一包`, `1票`, `1件货`.
pub fn how_many_parcels(text: &str) -> Option<i64> {
    const PARCELS: &str = "箱 包 袋 票 单 捆 托 扎 板 件货 个包裹 件包裹 包裹 box boxes carton ctn";
    let (n, unit) = numbered(&unlabelled(text))?;
    list(PARCELS).any(|known| known == unit).then_some(n)
}

/// Without brackets, and what only says that a number follows.
fn unlabelled(text: &str) -> String {
    let text = bare(text).replace(['(', ')', '（', '）'], "");
    let signs = ['x', 'X', '*', '×', '✕', '共', '+', ':', '：', ' '];
    text.trim_start_matches("数量").trim_start_matches(signs).trim_end().to_owned()
}

/// A number, and how it is counted.
fn numbered(text: &str) -> Option<(i64, String)> {
    const NUMERALS: [char; 10] = ['一', '二', '三', '四', '五', '六', '七', '八', '九', '十'];
    let rest = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    let numeral = |c: char| NUMERALS.iter().position(|known| *known == c).map(|at| at as i64 + 1);
    let mut signs = rest.chars();
    let (n, unit) = match digits.parse() {
        Ok(n) => (n, rest),
        Err(_) => match signs.next()? {
            '两' => (2, signs.as_str()),
            c => (numeral(c)?, signs.as_str()),
        },
    };
    Some((n, unit.trim().to_lowercase()))
}

/// `…2件`, `…大份`
fn ends_with_a_number(text: &str) -> bool {
    list(MEASURES).any(|word| text.strip_suffix(word).is_some_and(|before| before.ends_with(is_numeral)))
}

/// `两盒…`, `大份…`
fn begins_with_a_number(text: &str) -> bool {
    let rest = text.strip_prefix(is_numeral);
    rest.is_some_and(|rest| list(MEASURES).any(|word| rest.starts_with(word)))
}
