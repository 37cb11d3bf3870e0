//! What a row of a table calls its goods, held against the lines of the orders that it names: goods that nobody has ordered,
//! another specification, other numbers of pieces. A name of somebody else's says nothing.

use std::collections::{HashMap, HashSet};

use rusqlite::Connection;

use super::claims::{is_called, listed};
use super::{Row, Says};
use crate::catalogue::store as catalogue;
use crate::error::Result;
use crate::ids::OrderId;
use crate::orders::{Line, store as orders};
use crate::typed::{bare, simplified};

/// What the shop's goods are called, by the first sign of each name.
#[derive(Default)]
pub struct Called {
    names: HashMap<char, Vec<String>>,
}

/// Whether a row is all that its table has of its order, and says nothing else of how much leaves.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Whole {
    Yes,
    No,
}

impl Called {
    pub fn of(conn: &Connection, rows: &[Row]) -> Result<Called> {
        if rows.iter().all(|row| row.says.goods.name.is_empty() && row.says.named_goods.is_empty()) {
            return Ok(Called::default());
        }
        let all: HashSet<String> = catalogue::names(conn)?.iter().map(|name| plain(name)).collect();
        let mut names: HashMap<char, Vec<String>> = HashMap::new();
        for name in all {
            if let Some(first) = name.chars().next() {
                names.entry(first).or_default().push(name);
            }
        }
        Ok(Called { names })
    }

    /// Why a row is of other goods than the orders that it names have.
    pub fn other_goods(&self, conn: &Connection, of: &[OrderId], says: &Says, whole: Whole) -> Result<Option<String>> {
        let goods = &says.goods;
        let code = &bare(&goods.code);
        let lines = of.iter().map(|id| Ok(orders::lines(conn, *id)?)).collect::<Result<Vec<_>>>()?.concat();
        let ordered = || lines.iter().map(|line| line.text_of(line.quantity)).collect::<Vec<_>>().join("；");
        for line in lines.iter().filter(|_| !code.is_empty()) {
            if catalogue::codes(conn, line.sku_id)?.iter().any(|own| plain(own) == plain(code)) {
                return Ok(None);
            }
        }
        let coded = if code.is_empty() { None } else { catalogue::sku_with_code(conn, code)? };
        if let Some(coded) = coded {
            let name = coded.product_name;
            return Ok(Some(format!("表里的商品编码 {code} 是「{name}」，订单里没有：订单是 {}", ordered())));
        }
        let known = lines.iter().map(|line| Known::of(conn, line)).collect::<Result<Vec<_>>>()?;
        let named = says.named_goods.iter().filter(|(title, _)| *title != says.goods_title);
        let named = named.map(|(title, text)| (title.as_str(), text.as_str(), Under::Other));
        let own = [(says.goods_title.as_str(), goods.name.as_str(), Under::Goods)];
        for (title, text, under) in own.into_iter().chain(named) {
            if self.differs(text, &known, whole, under) {
                let written: String = text.trim().chars().take(40).collect();
                return Ok(Some(format!("表里「{title}」是“{written}”，订单是 {}", ordered())));
            }
        }
        let name = plain(&goods.name);
        let called: Vec<&Known<'_>> = known.iter().filter(|known| known.names.contains(&name)).collect();
        let other_spec =
            !called.is_empty() && called.iter().all(|known| contradicts(&goods.spec, &known.line.spec_text));
        let written = goods.name.trim();
        Ok(other_spec.then(|| format!("表里「{written}」的规格是“{}”，订单是 {}", goods.spec, ordered())))
    }

    fn differs(&self, text: &str, lines: &[Known<'_>], whole: Whole, under: Under) -> bool {
        if listed(text).is_none() {
            let of_one = |part: &str| {
                let (goods, n) = counted(part, lines);
                let of = self.told(goods, lines);
                !of.is_empty() && (is_another_choice(goods, &of) || n.is_some_and(|n| !may_be(n, &of, whole)))
            };
            return self.names_another(text, lines, under) || self.apart(text, lines).into_iter().any(of_one);
        }
        // As the list that was given out for filling in has it.
        let known = |(goods, n): (String, i64), part: &str| match lines.iter().any(|known| known.is_called(&goods)) {
            true => vec![(goods, n)],
            false => pieces(part).unwrap_or_else(|| vec![(goods, n)]),
        };
        let parts: Vec<(String, i64)> =
            parts(text).filter_map(|part| Some(known(piece(part)?, part))).flatten().collect();
        parts.iter().any(|(goods, _)| {
            let of: Vec<&Known<'_>> = lines.iter().filter(|known| known.is_called(goods)).collect();
            let n = parts.iter().filter(|(other, _)| other == goods).map(|(_, n)| n).sum();
            match of.is_empty() {
                true => !self.named(&Signs::of(goods), lines).is_empty(),
                false => !may_be(n, &of, whole),
            }
        })
    }

    /// The parts of a list of goods, one for each where that is how they are parted.
    fn apart<'t>(&self, text: &'t str, lines: &[Known<'_>]) -> Vec<&'t str> {
        let several = |part: &&str| self.named(&Signs::of(part), lines).len() > 1;
        let apart = |part: &'t str| match several(&part) {
            true => part.split(['，', ',', '、', '+', '|', '&']).collect(),
            false => vec![part],
        };
        parts(text).flat_map(apart).collect()
    }

    /// The lines of the only goods that a text names.
    fn told<'k, 'l>(&self, text: &str, lines: &'k [Known<'l>]) -> Vec<&'k Known<'l>> {
        let signs = Signs::of(text);
        let mut of: Vec<&'k Known<'l>> = Vec::new();
        for (_, name) in self.named(&signs, lines) {
            let fit: Vec<_> = lines.iter().filter(|known| known.names.iter().any(|own| own == name)).collect();
            if fit.is_empty() || !of.is_empty() && of[0].line.product_id != fit[0].line.product_id {
                return Vec::new();
            }
            of = fit;
        }
        of
    }

    /// Whether a text names goods of the shop that the order does not have: any where it names none of the order's, else one
    /// that stands there as a word of its own.
    fn names_another(&self, text: &str, lines: &[Known<'_>], under: Under) -> bool {
        let own = |name: &str| lines.iter().any(|known| known.names.iter().any(|own| own == name));
        let signs = Signs::of(text);
        let named = self.named(&signs, lines);
        if !named.iter().any(|(_, name)| own(name)) {
            return named.iter().any(|(at, name)| under == Under::Other || signs.is_a_word(*at, name));
        }
        let signs = Signs::of(&without_brackets(text));
        let chosen = |name: &str| lines.iter().any(|known| known.values.iter().any(|value| value.contains(name)));
        let others = self.named(&signs, lines).into_iter().filter(|(_, name)| !own(name) && !chosen(name));
        others.into_iter().any(|(at, name)| signs.is_a_word(at, name) && !signs.is_a_gift(at))
    }

    /// The names that stand in a text, with their places; of two that overlap the longer one.
    fn named<'n>(&'n self, signs: &'n Signs, lines: &'n [Known<'_>]) -> Vec<(usize, &'n str)> {
        let own = lines.iter().flat_map(|known| known.names.iter().map(String::as_str));
        let own = own.flat_map(|name| signs.text.match_indices(name));
        let begun = |(at, first): (usize, char)| {
            let names = self.names.get(&first).into_iter().flatten().map(String::as_str);
            names.filter(move |name| signs.text[at..].starts_with(name)).map(move |name| (at, name))
        };
        let mut found: Vec<(usize, &str)> = own.chain(signs.text.char_indices().flat_map(begun)).collect();
        found.sort_by_key(|(at, name)| (std::cmp::Reverse(name.len()), *at));
        let mut kept: Vec<(usize, &str)> = Vec::new();
        for (at, name) in found {
            if kept.iter().all(|(other, longer)| at + name.len() <= *other || other + longer.len() <= at) {
                kept.push((at, name));
            }
        }
        kept.sort_unstable();
        kept
    }
}

/// Under what title goods are called something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Under {
    Goods,
    /// One of a courier's or another program's, in whose words more stands beside them.
    Other,
}

/// A line of an order, with what its goods are called and may be chosen by.
struct Known<'l> {
    line: &'l Line,
    names: Vec<String>,
    /// What was chosen.
    values: Vec<String>,
    /// What else could have been, by what it is about.
    others: Vec<(String, String)>,
    /// Of what was chosen, what it is about.
    abouts: Vec<(String, String)>,
}

impl<'l> Known<'l> {
    fn of(conn: &Connection, line: &'l Line) -> Result<Known<'l>> {
        let product = catalogue::product(conn, line.product_id)?;
        let now = product.as_ref().map(|product| plain(&product.name));
        let mut names: Vec<String> =
            [plain(&line.name)].into_iter().chain(now).filter(|name| !name.is_empty()).collect();
        names.dedup();
        let values: Vec<String> = line.spec_text.split(" / ").map(plain).filter(|value| !value.is_empty()).collect();
        let skus = product.map(|product| product.skus).unwrap_or_default();
        let specs = |own: bool| {
            let of = skus.iter().filter(move |sku| (sku.id == line.sku_id) == own).flat_map(|sku| &sku.specs);
            of.map(|(about, value)| (plain(about), plain(value))).collect::<Vec<_>>()
        };
        let others = specs(false).into_iter().filter(|(_, value)| !values.contains(value) && tells(value)).collect();
        Ok(Known { line, names, others, abouts: specs(true), values })
    }

    /// Whether a part of a list is this, with what its specification is about, or without.
    fn is_called(&self, goods: &str) -> bool {
        let about = |goods: String, about: &(String, String)| goods.replace(&about.0, "");
        let goods = plain(goods);
        let without = self.abouts.iter().filter(|(about, _)| !about.is_empty()).fold(goods.replace("规格", ""), about);
        is_called(&goods, self.line) || is_called(&without, self.line)
    }
}

/// Whether a choice says something where it stands: figures and numbers of packs are of other things as well.
fn tells(value: &str) -> bool {
    let rest = value.trim_start_matches(|c: char| c.is_ascii_digit());
    let counts = rest.len() < value.len() && "件个份盒箱包袋瓶只条支套罐".contains(rest);
    !(rest.is_empty() || counts)
}

/// Whether a text names another choice of these goods than any of their lines has.
fn is_another_choice(text: &str, lines: &[&Known<'_>]) -> bool {
    let signs = Signs::of(text);
    let is_another = |known: &&Known<'_>| {
        let own = known.names.iter().find(|name| signs.text.contains(name.as_str()));
        let rest = own.map_or_else(|| signs.clone(), |name| signs.without(name));
        known.others.iter().any(|(about, value)| {
            let left = rest.without(value);
            let own = known.abouts.iter().filter(|(own, _)| own == about).map(|(_, value)| value);
            let own: Vec<&String> = own.collect();
            let own = if own.is_empty() { known.values.iter().collect() } else { own };
            rest.has(value) && !own.iter().any(|own| left.has(own))
        })
    };
    lines.iter().all(is_another)
}

/// Whether so many pieces can be these lines': no more than were bought, and what is left where nothing else is said.
fn may_be(n: i64, lines: &[&Known<'_>], whole: Whole) -> bool {
    let sum = |of: &dyn Fn(&Line) -> i64| lines.iter().map(|known| of(known.line)).sum::<i64>();
    let each = lines.iter().flat_map(|known| [known.line.quantity, known.line.left()]);
    let kept = |line: &Line| line.quantity - line.released;
    let mut all = each.chain([sum(&|line| line.quantity), sum(&Line::left), sum(&kept)]);
    n <= sum(&|line| line.quantity) && (whole == Whole::No || all.any(|fits| fits == n))
}

/// The parts of a list of goods.
fn parts(text: &str) -> impl Iterator<Item = &str> {
    text.split(['；', ';', '\n']).map(str::trim).filter(|part| !part.is_empty())
}

/// `苹果 5 斤 ×2`
fn piece(part: &str) -> Option<(String, i64)> {
    let (goods, n) = part.rsplit_once('×')?;
    Some((goods.to_owned(), n.trim().parse().ok()?))
}

/// Several in one part, or numbered: `苹果 ×2 / 梨 ×1`, `1.苹果 ×2 2.梨 ×1`.
fn pieces(part: &str) -> Option<Vec<(String, i64)>> {
    let is_digit = |c: char| c.is_ascii_digit();
    let unnumbered = |goods: &str| {
        let goods = goods.trim_start_matches([' ', '/', '、', ',', '，', '+', '|']);
        let behind = goods.trim_start_matches(is_digit);
        let mark = Some(behind).filter(|_| behind.len() < goods.len());
        mark.and_then(|behind| behind.strip_prefix(['.', '、', ')', '）'])).unwrap_or(goods).to_owned()
    };
    let (mut rest, mut found) = (part, Vec::new());
    while let Some((goods, behind)) = rest.split_once('×') {
        let behind = behind.trim_start();
        rest = behind.trim_start_matches(is_digit);
        found.push((unnumbered(goods), behind[..behind.len() - rest.len()].parse().ok()?));
    }
    rest.trim().is_empty().then_some(found)
}

/// The same in the words of others: `苹果 5 斤 x2`, `苹果*2`. What a specification ends with counts nothing.
fn counted<'t>(part: &'t str, lines: &[Known<'_>]) -> (&'t str, Option<i64>) {
    let own = plain(part);
    if lines.iter().flat_map(|known| &known.values).any(|value| own.ends_with(value.as_str())) {
        return (part, None);
    }
    let trimmed = part.trim_end_matches(['件', '个', '份', ' ', ')', '）', ']', '】']);
    let goods = trimmed.trim_end_matches(|c: char| c.is_ascii_digit());
    let n = trimmed[goods.len()..].parse().ok().filter(|n| (1..10_000).contains(n));
    match goods.trim_end().strip_suffix(['x', 'X', '*', '×', '✕']) {
        Some(goods) if n.is_some() => (goods, n),
        _ => (part, None),
    }
}

/// Without what stands in round brackets: of what a set is made, what comes with it.
fn without_brackets(text: &str) -> String {
    let mut depth = 0;
    let mut kept = String::new();
    for c in text.chars() {
        match c {
            '(' | '（' => depth += 1,
            ')' | '）' => depth = (depth - 1).max(0),
            _ if depth > 0 => continue,
            _ => {}
        }
        kept.push(c);
    }
    kept
}

/// The letters and digits of a text, and between which of them something else stands.
#[derive(Clone)]
struct Signs {
    text: String,
    gaps: Vec<usize>,
}

impl Signs {
    fn of(text: &str) -> Signs {
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

    /// Whether a name has nothing before it, and behind it nothing but a number.
    fn is_a_word(&self, at: usize, name: &str) -> bool {
        let end = at + name.len();
        let rest = self.text[end..].strip_prefix('x').unwrap_or(&self.text[end..]);
        self.parted(at) && (self.parted(end) || rest.starts_with(|c: char| c.is_ascii_digit()))
    }

    /// Whether what begins here comes with the goods.
    fn is_a_gift(&self, at: usize) -> bool {
        ["赠", "送", "含", "配", "附", "赠品", "另加"].iter().any(|word| self.text[..at].ends_with(word))
    }

    /// Whether a word stands there by itself: `L` does not in `XL`, nor `6寸` in `16寸`.
    fn has(&self, word: &str) -> bool {
        let latin = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
        let joined = |at: usize| {
            let (before, after) = (self.text[..at].chars().next_back(), self.text[at..].chars().next());
            !self.parted(at) && latin(before) && latin(after)
        };
        let mut found = self.text.match_indices(word);
        !word.is_empty() && found.any(|(at, _)| !joined(at) && !joined(at + word.len()))
    }

    /// The same without a word, and with a gap in its place.
    fn without(&self, word: &str) -> Signs {
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

/// Whether two specifications of the same goods cannot be one.
fn contradicts(said: &str, ordered: &str) -> bool {
    const NONE: [&str; 9] = ["默认", "标准", "均码", "统一", "统一规格", "无规格", "默认规格", "单规格", "默认款"];
    let parts = |text: &str| -> Vec<String> {
        let text = simplified(&bare(text)).to_lowercase();
        let value = |part: &str| plain(part.rsplit([':', '：']).next().unwrap_or(part));
        let parts = text.split([';', ',', '，', '；', '/', '、', '|', '\n']).map(value);
        parts.filter(|part| !part.is_empty()).collect()
    };
    let (said, ordered) = (parts(said), parts(ordered));
    let all: String = ordered.concat();
    if said.is_empty() || ordered.is_empty() || said.iter().any(|part| NONE.contains(&part.as_str())) {
        return false;
    }
    let whole: String = said.concat();
    let holds = |text: &str, part: &str| text.contains(part);
    !(said.iter().all(|part| holds(&all, part)) || ordered.iter().all(|part| holds(&whole, part)))
}

fn plain(text: &str) -> String {
    simplified(&bare(text)).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}
