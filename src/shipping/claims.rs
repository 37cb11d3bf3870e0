//! What each row of a table wants of its order: all that is left, so many pieces, or the goods that it names. A table that
//! has a row for each kind of goods says by its rows what lies in which parcel.

use std::collections::HashMap;

use rusqlite::Connection;

use super::signs::how_many;
use super::{Goods, Row};
use crate::catalogue::store as catalogue;
use crate::error::Result;
use crate::ids::{LineId, OrderId};
use crate::orders::{Line, store as orders};
use crate::typed::bare;

/// What a row wants.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Claim {
    /// All that is left.
    #[default]
    Rest,
    /// So many pieces, as they were written.
    Count(String),
    /// So many, line after line, for nobody knows which: that.
    CountOf(i64, String),
    Goods(Vec<(LineId, i64)>),
    /// These, beside others that nobody knows: those.
    GoodsBut(Vec<(LineId, i64)>, String),
    /// All that is left, with something to be said of it.
    RestOf(String),
    /// Nobody knows: why.
    Unknown(String),
}

/// A row, and what is known of it so far.
pub struct Asking<'r> {
    pub row: &'r Row,
    pub order: Option<OrderId>,
    /// Whether it can leave.
    pub ready: bool,
}

/// What the rows want, in their order. `doubles` are rows with the number of one before, which goes for them too.
pub fn claims(conn: &Connection, asking: &[Asking<'_>], doubles: &[(usize, usize)]) -> Result<Vec<Claim>> {
    let mut claims: Vec<Claim> = asking.iter().map(|one| written(&one.row.pieces)).collect();
    let mut of_order: HashMap<OrderId, Vec<usize>> = HashMap::new();
    for (at, one) in asking.iter().enumerate() {
        let tells = !one.row.goods.quantity.is_empty() || !one.row.pieces.trim().is_empty();
        if let Some(order) = one.order.filter(|_| tells) {
            of_order.entry(order).or_default().push(at);
        }
    }
    for (id, rows) in of_order {
        // A row that says nothing may be the first of its parcel.
        let all = (0..asking.len()).filter(|at| asking[*at].order == Some(id)).collect::<Vec<_>>();
        if !all.iter().any(|at| asking[*at].ready) {
            continue;
        }
        let known = Known::of(conn, id)?;
        match rows.iter().any(|at| !asking[*at].row.pieces.trim().is_empty()) {
            true => Parcels::of(asking, &rows, &all, doubles).add_up(&known, &mut claims),
            false => Parcels::of(asking, &rows, &rows, doubles).take_goods(&known, &mut claims),
        }
    }
    Ok(claims)
}

fn written(pieces: &str) -> Claim {
    match pieces.trim() {
        "" => Claim::Rest,
        pieces => Claim::Count(pieces.to_owned()),
    }
}

/// The rows of an order by the parcel that they go in.
struct Parcels<'j> {
    asking: &'j [Asking<'j>],
    rows: &'j [usize],
    /// The first row of each parcel that can leave, with all its rows.
    ready: Vec<Vec<usize>>,
}

impl<'j> Parcels<'j> {
    /// `rows` tell how much they want; `all` are those of the order.
    fn of(asking: &'j [Asking<'j>], rows: &'j [usize], all: &[usize], doubles: &[(usize, usize)]) -> Parcels<'j> {
        let first = |at: usize| doubles.iter().find(|(double, _)| *double == at).map_or(at, |(_, first)| *first);
        let ready = all.iter().copied().filter(|at| asking[*at].ready);
        let ready = ready.map(|head| all.iter().copied().filter(|at| first(*at) == head).collect());
        let tells = |of: &Vec<usize>| of.iter().any(|at| rows.contains(at));
        Parcels { asking, rows, ready: ready.filter(tells).collect() }
    }

    /// Of the goods that its rows name, where all do; else a parcel's pieces stand in all its rows, or all of them in each.
    fn add_up(&self, known: &Known, claims: &mut [Claim]) {
        let count = |at: &usize| how_many(&self.asking[*at].row.pieces).filter(|n| *n > 0);
        let line = |at: &usize| Some((known.line(&self.asking[*at].row.goods)?, count(at)?));
        let all_leaves = self.ready.iter().flatten().filter_map(count).sum::<i64>() >= known.left();
        let counted: i64 = self.rows.iter().filter_map(count).sum();
        let none_known = self.rows.iter().all(|at| known.line(&self.asking[*at].row.goods).is_none());
        for all in &self.ready {
            let head = all[0];
            // A row of none, or of which nothing is said beside others, is of goods that stay, unless these are not all.
            let is_blank = |at: &usize| self.asking[*at].row.pieces.trim().is_empty();
            // One that nobody can read is no reason to take the first one's number for all of them.
            let unread = all.iter().find(|at| !is_blank(at) && how_many(&self.asking[**at].row.pieces).is_none());
            if let Some(at) = unread.filter(|_| all.len() > 1) {
                let Row { line, pieces, .. } = self.asking[*at].row;
                let words = format!("第 {line} 行的件数“{}”认不出是几件：请在那一行写数字，不发的写 0", pieces.trim());
                claims[head] = Claim::Unknown(words);
                continue;
            }
            let own: i64 = all.iter().filter_map(count).sum();
            if all.iter().any(is_blank) && own > 0 && (counted < known.left() || own >= known.left()) {
                claims[head] = Claim::Rest;
                continue;
            }
            let is_none = |at: &usize| is_blank(at) || how_many(&self.asking[*at].row.pieces) == Some(0);
            let some = all.iter().copied().filter(|at| !is_none(at)).collect::<Vec<_>>();
            let rows = if some.is_empty() { all } else { &some };
            let named = rows.iter().map(line).collect::<Option<Vec<_>>>().filter(|_| known.lines.len() > 1);
            let share = named.as_ref().and_then(|named| known.whole_share(named));
            let wanted = rows.iter().map(count).sum::<Option<i64>>();
            let listed = || known.of_list(&self.asking[rows[0]].row.goods).filter(|_| rows.len() == 1);
            let share = share.or_else(|| listed().filter(|listed| wanted == Some(listed.iter().map(|(_, n)| n).sum())));
            let sum = wanted.filter(|sum| *sum <= known.left() || *sum == known.ordered());
            if let Some(share) = share {
                claims[head] = Claim::Goods(share);
            } else if let Some(words) = named.and_then(|named| known.too_many(&named)) {
                claims[head] = Claim::Unknown(words);
            } else if wanted == Some(known.left()) && self.names_all(known, rows) {
                claims[head] = Claim::Count(known.left().to_string());
            } else if let Some(goods) = self.strange(known, rows)
                && let Some(pieces) = wanted.filter(|sum| *sum <= known.left())
            {
                // What is in which parcel nobody knows, and nothing stays.
                let whole = pieces == known.left() || all_leaves && none_known;
                let some: Vec<_> = rows.iter().filter_map(line).collect();
                let alike = self.alike(known, rows);
                claims[head] = match known.whole_share(&some) {
                    _ if whole => Claim::CountOf(pieces, unknown(goods)),
                    _ if alike.is_some() => Claim::Unknown(alike.unwrap_or_default()),
                    Some(share) if !share.is_empty() => Claim::GoodsBut(share, unknown(goods)),
                    _ => Claim::Unknown(format!("{}：请照订单写商品和规格，或在订单页发货", unknown(goods))),
                };
            } else if rows.len() < all.len() && known.lines.len() > 1 && wanted != Some(known.left()) {
                let words = "有一行的件数是 0，认不出是哪一样不发：请照订单写商品和规格，或在订单页发货";
                claims[head] = Claim::Unknown(words.to_owned());
            } else if all.len() > 1 {
                sum.into_iter().for_each(|sum| claims[head] = Claim::Count(sum.to_string()));
            }
        }
    }

    /// What rows call goods that the order may not have.
    fn strange(&self, known: &Known, rows: &[usize]) -> Option<&'j str> {
        let goods = rows.iter().map(|at| &self.asking[*at].row.goods);
        let mut strange = goods.filter(|goods| known.line(goods).is_none() && !known.all_of(goods));
        strange.find_map(said)
    }

    /// Whether one row names all that its order has, however it parts them.
    fn names_all(&self, known: &Known, rows: &[usize]) -> bool {
        let [row] = rows else { return false };
        let (named, kinds) = known.named_in(&self.asking[*row].row.goods);
        named > 1 && named == kinds
    }

    /// That a row names goods of which the order has several kinds, and not which of them.
    fn alike(&self, known: &Known, rows: &[usize]) -> Option<String> {
        let goods = rows.iter().map(|at| &self.asking[*at].row.goods).find(|goods| known.are_several(goods))?;
        let name = said(goods)?;
        Some(format!("「{name}」在这笔订单里有几种规格，分不出是哪一种：请照订单写规格，或在订单页发货"))
    }

    fn take_goods(&self, known: &Known, claims: &mut [Claim]) {
        let wanted = |at: &usize| how_many(&self.asking[*at].row.goods.quantity);
        let Some(wanted) = self.rows.iter().map(|at| Some((*at, wanted(at)?))).collect::<Option<HashMap<_, _>>>()
        else {
            return;
        };
        let lines: HashMap<usize, LineId> =
            self.rows.iter().filter_map(|at| Some((*at, known.line(&self.asking[*at].row.goods)?))).collect();
        let all_known = lines.len() == self.rows.len();
        let sum: i64 = wanted.values().sum();
        let all_in_one = self.ready.first().is_some_and(|rows| rows.len() == self.rows.len());
        if all_in_one {
            // It may name the chief of the goods alone.
            let left = known.left();
            if all_known && sum < left {
                let words = format!("表里这笔订单只有 {sum} 件，没发的 {left} 件会一起发；只发这些请写件数");
                claims[self.ready[0][0]] = Claim::RestOf(words);
            } else if all_known && sum > known.ordered() && !wanted.values().all(|n| *n == known.ordered()) {
                let words = format!("表里写了 {sum} 件，没发的只有 {left} 件：按没发的发");
                claims[self.ready[0][0]] = Claim::RestOf(words);
            }
            return;
        }
        let named = |rows: &[usize]| -> Vec<(LineId, i64)> {
            rows.iter().filter_map(|at| Some((*lines.get(at)?, wanted[at]))).filter(|(_, n)| *n > 0).collect()
        };
        let whole = [known.ordered(), known.left(), known.kept()];
        let adds_up = whole.contains(&sum) && wanted.values().all(|n| *n > 0);
        if !adds_up {
            // Numbers that are not those of the order say nothing of it.
            let each_is_whole = wanted.values().all(|n| whole.contains(n));
            let names = self.rows.iter().any(|at| said(&self.asking[*at].row.goods).is_some());
            if each_is_whole || !names || known.whole_share(&named(self.rows)).is_none() {
                return;
            }
        }
        let waits =
            |at: &usize| self.asking[*at].row.done.is_none() && !self.ready.iter().flatten().any(|ready| ready == at);
        let some_wait = self.rows.iter().any(waits);
        for rows in &self.ready {
            let pieces: i64 = rows.iter().map(|at| wanted[at]).sum();
            let (share, strange) = (known.share(named(rows).into_iter()), self.strange(known, rows).map(unknown));
            let own_known = rows.iter().all(|at| lines.contains_key(at)) && known.whole_share(&named(rows)).is_some();
            let alike = self.alike(known, rows);
            claims[rows[0]] = match strange {
                _ if (all_known || own_known) && !share.is_empty() => Claim::Goods(share),
                // Everything leaves, whatever is in which.
                Some(words) if adds_up && !some_wait => Claim::CountOf(pieces, words),
                None if adds_up && !some_wait => Claim::Count(pieces.to_string()),
                Some(_) if alike.is_some() => Claim::Unknown(alike.unwrap_or_default()),
                Some(words) if !share.is_empty() => Claim::GoodsBut(share, words),
                None if !share.is_empty() => Claim::Goods(share),
                _ => {
                    Claim::Unknown("这笔订单在表里有几行，认不出这一行是哪些商品：请写件数，或在订单页发货".to_owned())
                }
            };
        }
    }
}

/// An order's lines, with all by which a table may name them.
struct Known {
    lines: Vec<Named>,
}

struct Named {
    line: Line,
    codes: Vec<String>,
}

impl Known {
    fn of(conn: &Connection, id: OrderId) -> Result<Known> {
        let named = |line: Line| {
            let codes = catalogue::codes(conn, line.sku_id)?.iter().map(|code| plain(code)).collect();
            Ok(Named { line, codes })
        };
        Ok(Known { lines: orders::lines(conn, id)?.into_iter().map(named).collect::<Result<_>>()? })
    }

    fn ordered(&self) -> i64 {
        self.lines.iter().map(|known| known.line.quantity).sum()
    }

    fn left(&self) -> i64 {
        self.lines.iter().map(|known| known.line.left()).sum()
    }

    /// Without what was given back before it left.
    fn kept(&self) -> i64 {
        self.lines.iter().map(|known| known.line.quantity - known.line.released).sum()
    }

    /// The only line that these goods can be: by their code, else by name and specification.
    fn line(&self, goods: &Goods) -> Option<LineId> {
        let only = |fits: &dyn Fn(&Named) -> bool| {
            let mut fitting = self.lines.iter().filter(|known| fits(known));
            fitting.next().filter(|_| fitting.next().is_none()).map(|known| known.line.id)
        };
        if let [only] = &self.lines[..] {
            return Some(only.line.id);
        }
        // A list of several goods is none of them.
        if listed(&goods.name).is_some_and(|parts| parts.len() > 1) || self.named_in(goods).0 > 1 {
            return None;
        }
        let (code, name) = (plain(&goods.code), plain(&goods.name));
        let named = |known: &Named| !name.is_empty() && plain(&known.line.name) == name;
        let of_spec = |known: &Named, text: &str| known.line.spec_text.split_whitespace().all(|word| has(text, word));
        // By what only some of those of its name have: S, where all of them are white.
        let told_apart = |known: &Named| {
            let all = || self.lines.iter().filter(|other| named(other));
            let has_it = |word: &str| all().all(|other| other.line.spec_text.split_whitespace().any(|own| own == word));
            let mut own = known.line.spec_text.split_whitespace().filter(|word| !has_it(word)).peekable();
            own.peek().is_some() && own.all(|word| has(&goods.spec, word))
        };
        // Both in one cell.
        let whole = |known: &Named| {
            let behind = behind(&goods.name, &known.line.name).filter(|_| !known.line.spec_text.is_empty());
            behind.is_some_and(|behind| of_spec(known, &behind))
        };
        only(&|known| !code.is_empty() && known.codes.contains(&code))
            .or_else(|| only(&named))
            .or_else(|| only(&|known| named(known) && !goods.spec.is_empty() && of_spec(known, &goods.spec)))
            .or_else(|| only(&|known| named(known) && told_apart(known)))
            .or_else(|| only(&whole))
    }

    /// Whether several lines may be these goods, and nothing tells which.
    fn are_several(&self, goods: &Goods) -> bool {
        let (code, name) = (plain(&goods.code), plain(&goods.name));
        let fits = |known: &&Named| {
            !name.is_empty() && plain(&known.line.name) == name || !code.is_empty() && known.codes.contains(&code)
        };
        self.line(goods).is_none() && self.lines.iter().filter(fits).count() > 1
    }

    /// How many kinds of the order's goods a cell names, and how many there are. 雨伞 in 自动晴雨伞 is not named.
    fn named_in(&self, goods: &Goods) -> (usize, usize) {
        let mut names: Vec<String> = self.lines.iter().map(|known| plain(&known.line.name)).collect();
        names.sort_by_key(|name| (std::cmp::Reverse(name.len()), name.clone()));
        names.dedup();
        let mut text = plain(&goods.name);
        let named = |name: &&String| {
            let found = !name.is_empty() && text.contains(name.as_str());
            text = text.replace(name.as_str(), " ");
            found
        };
        (names.iter().filter(named).count(), names.len())
    }

    /// Whether a cell names goods of the order alone, each with its pieces, as the list to be filled in does.
    fn all_of(&self, goods: &Goods) -> bool {
        let has = |part: &String| self.lines.iter().any(|known| is_called(part, &known.line));
        listed(&goods.name).is_some_and(|parts| parts.iter().all(has))
    }

    /// What a cell lists, each of its goods one line of the order with its pieces, as many as are left.
    fn of_list(&self, goods: &Goods) -> Option<Vec<(LineId, i64)>> {
        let parts = goods.name.split(['；', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
        let line = |part: &str| {
            let (goods, n) = part.rsplit_once('×')?;
            let goods = plain(goods);
            let mut fitting = self.lines.iter().filter(|known| called(&known.line) == goods);
            let only = fitting.next().filter(|_| fitting.next().is_none())?;
            Some((only.line.id, n.trim().parse::<i64>().ok().filter(|n| *n <= only.line.left())?))
        };
        let listed = parts.map(line).collect::<Option<Vec<_>>>()?;
        self.whole_share(&listed).filter(|share| !share.is_empty())
    }

    /// Of each line once; `None` where more is named than is left of one.
    fn whole_share(&self, wanted: &[(LineId, i64)]) -> Option<Vec<(LineId, i64)>> {
        let share = self.share(wanted.iter().copied());
        let sum = |pieces: &[(LineId, i64)]| pieces.iter().map(|(_, n)| n).sum::<i64>();
        (sum(&share) == sum(wanted)).then_some(share)
    }

    /// Of which goods more is named than is left, unless every line stands there with the pieces of the whole order.
    fn too_many(&self, wanted: &[(LineId, i64)]) -> Option<String> {
        let all = self.lines.iter().filter(|known| known.line.left() > 0);
        if all.clone().all(|known| wanted.contains(&(known.line.id, self.ordered()))) {
            return None;
        }
        let named = |id: LineId| wanted.iter().filter(|(line, _)| *line == id).map(|(_, n)| n).sum::<i64>();
        let Named { line, .. } = self.lines.iter().find(|known| named(known.line.id) > known.line.left())?;
        let (name, n, left) = (&line.name, named(line.id), line.left());
        Some(format!("「{name}」写了 {n} 件，没发的只有 {left} 件：请改对件数，或在订单页发货"))
    }

    /// Of each line once, and no more than is left of it.
    fn share(&self, wanted: impl Iterator<Item = (LineId, i64)>) -> Vec<(LineId, i64)> {
        let mut pieces: HashMap<LineId, i64> = HashMap::new();
        wanted.for_each(|(line, n)| *pieces.entry(line).or_default() += n);
        let share = |Named { line, .. }: &Named| Some((line.id, (*pieces.get(&line.id)?).min(line.left())));
        self.lines.iter().filter_map(share).filter(|(_, n)| *n > 0).collect()
    }
}

/// What a line is called in the list that is given out to be filled in, without its pieces.
pub fn called(line: &Line) -> String {
    plain(&format!("{}{}", line.name, line.spec_text))
}

/// Whether a part of a list is what a line is called, its specification in whatever order, or left out.
pub fn is_called(part: &str, line: &Line) -> bool {
    let Some(mut rest) = part.strip_prefix(&plain(&line.name)).map(str::to_owned) else { return false };
    if rest.is_empty() {
        return true;
    }
    let words = line.spec_text.split_whitespace().map(plain).filter(|word| !word.is_empty());
    words.into_iter().all(|word| match rest.find(&word) {
        Some(at) => {
            rest.replace_range(at..at + word.len(), "");
            true
        }
        None => false,
    }) && rest.is_empty()
}

/// The goods of a cell in which each stands with its number of pieces: `苹果 5 斤 ×2；梨 ×1`.
pub fn listed(text: &str) -> Option<Vec<String>> {
    let parts = text.split(['；', ';', '\n']).map(str::trim).filter(|part| !part.is_empty());
    let part = |part: &str| {
        let (goods, n) = part.rsplit_once('×')?;
        n.trim().parse::<u32>().ok()?;
        Some(plain(goods))
    };
    parts.map(part).collect::<Option<Vec<_>>>().filter(|parts| !parts.is_empty())
}

/// What a row calls its goods.
fn said(goods: &Goods) -> Option<&str> {
    [&goods.name, &goods.code].into_iter().map(|text| text.trim()).find(|text| !text.is_empty())
}

fn unknown(goods: &str) -> String {
    format!("这笔订单里认不出「{goods}」")
}

fn plain(text: &str) -> String {
    bare(text).to_lowercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// Whether a word of a specification stands there by itself: `L` does not in `XL`.
fn has(text: &str, word: &str) -> bool {
    let (text, word) = (words(text), words(word));
    let apart = |one: Option<char>, other: Option<char>| {
        let both = one.zip(other);
        !both.is_some_and(|(one, other)| one.is_ascii_alphanumeric() && other.is_ascii_alphanumeric())
    };
    text.match_indices(&word).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + word.len()..].chars().next());
        apart(before, word.chars().next()) && apart(word.chars().next_back(), after)
    })
}

/// What follows a name, however it is parted.
fn behind(text: &str, name: &str) -> Option<String> {
    let mut missing = plain(name);
    let text = bare(text).to_lowercase();
    for (at, c) in text.char_indices() {
        if missing.is_empty() {
            return Some(text[at..].to_owned());
        }
        if c.is_alphanumeric() {
            missing = missing.strip_prefix(c)?.to_owned();
        }
    }
    None
}

/// With a blank for all that is no letter and no digit.
fn words(text: &str) -> String {
    let text = bare(text).to_lowercase();
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}
