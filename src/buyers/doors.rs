//! Whether a pasted text has more addresses in it than the one that something goes to. One of them is old, or of somewhere
//! else, and it may lie in the district of the other: only what stands behind that tells them apart.

use std::collections::BTreeSet;

use super::phones;
use super::whose::PARTING;
use crate::places::{Named, Place, Unread, Written, written};
use crate::typed::holds_one_of;

/// What is said where one address takes another's place, or is not meant.
const CHANGED: &str = "以前 之前 从前 原来 原先 上次 过去 现在 搬 改 换 旧 新家 老家 老地址 新地址 不要寄 别寄 别发 不要发 不寄 不是 作废 备用 \
    或者 还是 要么 二选一";
/// What is said of a street near by.
const NEAR: [char; 10] = ['与', '近', '旁', '口', '侧', '门', '壁', '交', '靠', '对'];

/// Whether a text names a place, or a door.
pub fn is_address(text: &str) -> bool {
    is_door(text) || written(&without_phones(text)) != Written::Nothing
}

/// Whether a text tells behind which door somebody is: 2号, 3幢, 张杨路2.
pub fn is_door(text: &str) -> bool {
    const BEHIND: &str = "号弄栋幢楼室层座单组户期";
    let text: Vec<char> = without_phones(text).chars().filter(|c| *c != ' ').collect();
    let is_digit = |c: char| c.is_ascii_digit() || "一二三四五六七八九十百".contains(c);
    text.windows(2).any(|pair| {
        is_digit(pair[0]) && BEHIND.contains(pair[1]) || ROADS.contains(&pair[0]) && pair[1].is_ascii_digit()
    })
}

const ROADS: [char; 4] = ['路', '街', '道', '巷'];

/// Whether there are two addresses in one text.
pub fn are_two(text: &str) -> bool {
    let text = without_phones(text);
    let streets = streets(&text);
    let apart = streets.len() > 1 && (holds_one_of(&text, CHANGED) || !text.contains(NEAR));
    apart || is_named_twice(&text)
}

/// The streets with a number in a text, by what they end with: 杨路2.
fn streets(text: &str) -> BTreeSet<String> {
    let signs: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    let roads = signs.windows(2).enumerate().filter(|(_, pair)| ROADS.contains(&pair[0]) && pair[1].is_ascii_digit());
    let street = |(at, _): (usize, &[char])| {
        let name = &signs[at.saturating_sub(1)..=at];
        name.iter().chain(signs[at + 1..].iter().take_while(|c| c.is_ascii_digit())).collect()
    };
    roads.map(street).collect()
}

/// Whether behind the name of the only place in a text stands one door, and another behind the same name once more.
fn is_named_twice(text: &str) -> bool {
    let Written::Found(Named { place, .. }) = written(text) else { return false };
    let ends = mentions(text, &place);
    let behind = ends.iter().enumerate().map(|(i, end)| &text[*end..ends.get(i + 1).copied().unwrap_or(text.len())]);
    let doors: Vec<String> = behind.filter_map(first_door).collect();
    doors.iter().any(|one| doors.iter().any(|other| !one.contains(other.as_str()) && !other.contains(one.as_str())))
}

/// Where the names of a place end in a text, each time that it is named at the begin of a word, or with its city.
fn mentions(text: &str, place: &Place) -> Vec<usize> {
    let Some(own) = place.district.or(place.city) else { return Vec::new() };
    let words = place.words();
    let short = words.last().copied().unwrap_or_default();
    let city = place.city.unwrap_or(place.province);
    let begins = |at: usize| {
        let before = &text[..at];
        let parted = before.chars().next_back().is_none_or(|c| !c.is_alphanumeric());
        parted || before.ends_with(city) || words.iter().any(|word| *word != short && before.ends_with(word))
    };
    let full = text.match_indices(own).filter(|(at, _)| begins(*at)).map(|(at, _)| at + own.len());
    let shortly = text.match_indices(short).filter(|(at, _)| {
        let whole = text[*at..].starts_with(own);
        let joined = words.iter().any(|word| *word != short && text[..*at].trim_end_matches('市').ends_with(word));
        !whole && joined
    });
    let mut ends: Vec<usize> = full.chain(shortly.map(|(at, _)| at + short.len())).collect();
    ends.sort_unstable();
    ends
}

/// The words of a text up to its first door.
fn first_door(text: &str) -> Option<String> {
    let mut read = String::new();
    for word in text.split(|c: char| c.is_whitespace() || PARTING.contains(&c)) {
        read.push_str(word);
        if is_door(&read) {
            return Some(read);
        }
    }
    None
}

/// How far an address goes from the begin of a text.
pub fn end_of_address(text: &str) -> usize {
    let mut end = 0;
    for word in text.split_inclusive(|c: char| c.is_whitespace() || PARTING.contains(&c)) {
        let goes_on = end == 0 || word.starts_with(|c: char| c.is_ascii_digit()) || is_address(word);
        if !goes_on || phones::first(word).is_some() {
            break;
        }
        end += word.len();
    }
    end
}

/// Whether what stands behind the name of a district begins with that of another one in its city.
pub fn begins_elsewhere(place: &Place, behind: &str) -> bool {
    let behind = behind.trim_start();
    let Some((end, sign)) = behind.char_indices().find(|(_, c)| ['区', '县', '市'].contains(c)) else {
        return false;
    };
    let (name, rest) = behind.split_at(end + sign.len_utf8());
    // 城区 is a word, and a market stands in 东阳市场路.
    if place.district.is_none() || name.chars().count() < 3 || rest.starts_with(['场', '域']) {
        return false;
    }
    let others = match Place::parse(name) {
        Ok(other) => vec![other],
        Err(Unread::Ambiguous(others)) => others,
        Err(Unread::Unknown) => Vec::new(),
    };
    let is_named = others.iter().any(|other| other.district == Some(name));
    is_named && others.iter().all(|other| other.district != place.district)
}

/// The same text with blanks where phone numbers stand.
fn without_phones(text: &str) -> String {
    let mut kept = text.to_owned();
    phones::all(text).for_each(|phone| kept.replace_range(phone.at.clone(), &" ".repeat(phone.at.len())));
    kept
}
