//! A place in the middle of a longer text: of all that the text may name the deepest, where nothing else in it says otherwise.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{City, PROVINCES, Place, Province, former, names, short};
use crate::typed::holds;

/// What a text says of where something goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// No place at all.
    Nothing,
    /// Places that do not go together, or a name that several have.
    Doubtful,
    Found(Named),
}

/// A place, and the text around its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub place: Place,
    pub before: String,
    pub after: String,
    /// It is one short name, a word by itself: somebody may be called so.
    pub alone: bool,
}

/// Whether a text is the name of a place and nothing else.
pub fn is_place(text: &str) -> bool {
    matches!(written(text), Written::Found(Named { before, after, .. }) if before.is_empty() && after.is_empty())
}

/// One way to read some of a text.
#[derive(Clone, Debug)]
struct Found {
    from: usize,
    /// Where the last of its names begins.
    last: usize,
    to: usize,
    place: Place,
    /// How many of its names are written.
    names: usize,
    /// The last of them without its end, as in 杭州, which may be a part of another word: 杭州湾路.
    bare: bool,
    /// The last of them is what a district was called once; whoever brings it there may need that.
    was: Option<String>,
}

impl Found {
    /// Cities without districts are as exact as it gets.
    fn depth(&self) -> usize {
        let province = PROVINCES.iter().find(|known| known.name == self.place.province);
        let city = province.and_then(|p| p.cities.iter().find(|city| Some(city.name) == self.place.city));
        match city {
            Some(city) if city.districts.is_empty() => 3,
            _ => self.place.depth(),
        }
    }

    fn is_strong(&self) -> bool {
        self.names > 1 || !self.bare
    }

    fn meets(&self, other: &Found) -> bool {
        self.from < other.to && other.from < self.to
    }

    fn agrees(&self, other: &Place) -> bool {
        self.place.holds(other) || other.holds(&self.place)
    }
}

/// Cities and districts by the first sign of their names.
struct Index {
    cities: HashMap<char, Vec<(&'static Province, &'static City)>>,
    districts: HashMap<char, Vec<Place>>,
    /// How often a name without its end stands for something, what lies in one another counted once.
    short: HashMap<&'static str, Vec<Place>>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let (mut cities, mut districts, mut shorts): (HashMap<char, Vec<_>>, HashMap<char, Vec<_>>, HashMap<_, Vec<_>>) =
        Default::default();
    for province in PROVINCES.iter() {
        for city in &province.cities {
            let once = former::CITIES.iter().filter(|(now, _)| *now == city.name).map(|(_, was)| *was);
            let mut firsts: Vec<char> = [city.name].into_iter().chain(once).filter_map(|n| n.chars().next()).collect();
            firsts.dedup();
            for first in firsts {
                cities.entry(first).or_default().push((province, city));
            }
            let here = Place { province: province.name, city: Some(city.name), district: None };
            shorts.entry(short(city.name)).or_default().push(here);
            for name in &city.districts {
                let place = Place { district: Some(name), ..here };
                districts.entry(name.chars().next().unwrap_or_default()).or_default().push(place);
                shorts.entry(short(name)).or_default().push(place);
            }
        }
    }
    Index { cities, districts, short: shorts }
});

/// Whether a short name is one place's alone, or of what lies in it.
fn is_ones_own(name: &str, place: &Place) -> bool {
    INDEX.short.get(name).is_none_or(|all| all.iter().all(|other| place.holds(other) || other.holds(place)))
}

/// Every place that this short name of a city stands for, that first; none where it is that one's own. Towns are not counted:
/// whoever names a town alone says of which city.
pub(super) fn namesakes(name: &str, city: &Place) -> Vec<Place> {
    if city.district.is_some() || city.city.is_none_or(|city| !names::is_bare(city, name)) {
        return Vec::new();
    }
    let is_district = |place: &&Place| place.district.is_none_or(|name| name.ends_with(['区', '县', '市', '旗']));
    let others = INDEX.short.get(name).into_iter().flatten();
    let others: Vec<Place> = others.filter(is_district).filter(|other| !city.holds(other)).copied().collect();
    if others.is_empty() { others } else { [vec![*city], others].concat() }
}

/// What a longer text names. Its words may be parted by blanks and breaks; a name does not go on behind any other sign.
pub fn written(text: &str) -> Written {
    let mut read = Read { text, found: Vec::new(), asked: Vec::new() };
    for (at, _) in text.char_indices() {
        read.at(at);
    }
    read.found.retain(|found| is_meant(text, found));
    choose(text, &read.found, &read.asked)
}

const MOVED: [&str; 14] = [
    "原地址",
    "旧地址",
    "老地址",
    "新地址",
    "原：",
    "原:",
    "改为",
    "改成",
    "换成",
    "改寄",
    "改送",
    "搬家",
    "搬到",
    "→",
];

fn choose(text: &str, found: &[Found], asked: &[(Found, Vec<Place>)]) -> Written {
    let (strong, weak): (Vec<&Found>, Vec<&Found>) = found.iter().partition(|found| found.is_strong());
    let rank = |found: &&Found| (found.depth(), found.names, found.to - found.from);
    let best = strong.iter().copied().max_by_key(rank);
    // A name that several have, in the light of what else is written.
    let hint = best.or_else(|| weak.iter().copied().find(|one| one.place.depth() == 1 || is_municipality(&one.place)));
    let asked: Vec<&(Found, Vec<Place>)> =
        asked.iter().filter(|(one, _)| best.is_none_or(|best| !best.meets(one))).collect();
    let mut chosen = best.cloned();
    let mut taken: Vec<(usize, usize)> = Vec::new();
    if let Some(hint) = hint.filter(|hint| hint.place.district.is_none()) {
        for (one, places) in &asked {
            let mut held = places.iter().filter(|place| hint.place.holds(place));
            if let (Some(place), None) = (held.next(), held.next()) {
                taken.push((hint.from, hint.to));
                chosen = Some(Found { place: *place, names: hint.names + 1, ..one.clone() });
                break;
            }
        }
    }
    let Some(chosen) = chosen else {
        return if asked.is_empty() { alone(text, &weak) } else { Written::Doubtful };
    };
    let beside: Vec<&&Found> = strong.iter().filter(|one| !one.meets(&chosen)).collect();
    // Another whole place, as of whoever has moved: which of the two is meant, only a person knows.
    let whole = |one: &Found| one.names > 1 && !one.bare && one.depth() == 3;
    let contradicted = beside.iter().any(|one| !one.agrees(&chosen.place) && (one.names >= chosen.names || whole(one)));
    // People say so where they give an old address beside the new one, or draw an arrow from one to the other.
    let comes_after = |one: &Found| text[..one.from].trim_end().ends_with(['改', '换', '→', '>', '➡']);
    let says_so = holds(text, &MOVED) || found.iter().chain(asked.iter().map(|(one, _)| one)).any(comes_after);
    let elsewhere = |one: &Found| !one.meets(&chosen) && !one.agrees(&chosen.place);
    let unlike =
        |(one, places): &&(Found, Vec<Place>)| !one.meets(&chosen) && !places.iter().any(|place| chosen.agrees(place));
    let moved = says_so && (found.iter().any(elsewhere) || asked.iter().any(unlike));
    // The same words, read otherwise.
    let twofold =
        strong.iter().any(|one| rank(one) == rank(&&chosen) && one.meets(&chosen) && !one.agrees(&chosen.place));
    let unanswered = chosen.names < 2 && asked.iter().any(unlike);
    if contradicted || moved || twofold || unanswered {
        return Written::Doubtful;
    }
    // The same place written once more.
    for one in beside.iter().filter(|one| one.place.holds(&chosen.place) && begins_word(text, one.from)) {
        if one.names > 1 || ends_word(text, one.to) {
            taken.push((one.from, one.to));
        }
    }
    Written::Found(around(text, &chosen, taken, false))
}

/// The one short name that a text has, where nothing better is in it.
fn alone(text: &str, weak: &[&Found]) -> Written {
    let own = |one: &&&Found| one.place.city.is_some() && is_ones_own(&text[one.from..one.to], &one.place);
    let sure: Vec<&&Found> = weak.iter().filter(own).collect();
    match sure.iter().max_by_key(|one| (one.depth(), one.to)) {
        None => Written::Nothing,
        Some(best) if sure.iter().all(|one| one.agrees(&best.place)) => {
            Written::Found(around(text, best, Vec::new(), ends_word(text, best.to)))
        }
        Some(_) => Written::Doubtful,
    }
}

fn is_municipality(place: &Place) -> bool {
    place.city == Some(place.province)
}

/// The text around a place, without what is taken besides.
fn around(text: &str, chosen: &Found, mut taken: Vec<(usize, usize)>, alone: bool) -> Named {
    taken.sort_unstable();
    let without = |from: usize, to: usize| {
        let (mut kept, mut at) = (String::new(), from);
        for (start, end) in taken.iter().filter(|(start, end)| from <= *start && *end <= to) {
            if at <= *start {
                kept.push_str(&text[at..*start]);
                kept.push(' ');
                at = *end;
            }
        }
        kept + &text[at..to]
    };
    let was = chosen.was.as_ref().map(|was| format!("{was} ")).unwrap_or_default();
    let behind = without(chosen.to, text.len());
    let place = Place { city: chosen.place.city.or_else(|| only_city(&chosen.place)), ..chosen.place };
    let after = format!("{was}{}", behind.trim_start_matches(names::is_blank));
    Named { place, before: without(0, chosen.from), after, alone }
}

/// A city that is a province has both names.
fn only_city(place: &Place) -> Option<&'static str> {
    PROVINCES.iter().find(|p| p.name == place.province && is_whole(p)).map(|p| p.name)
}

fn is_whole(province: &Province) -> bool {
    matches!(province.cities.as_slice(), [only] if only.name == province.name)
}

/// Signs that streets and what stands in them end with, which make another word of a short name in front of them.
const STREETS: [char; 5] = ['路', '街', '道', '巷', '弄'];
const BEHIND: [char; 19] =
    ['省', '市', '区', '县', '旗', '州', '盟', '镇', '乡', '村', '屯', '里', '桥', '湾', '港', '江', '河', '湖', '山'];
const WORDS: [&str; 23] = [
    "大道",
    "大街",
    "大厦",
    "大桥",
    "大酒店",
    "广场",
    "花园",
    "公园",
    "小区",
    "新村",
    "饭店",
    "酒店",
    "商场",
    "银行",
    "医院",
    "大学",
    "中学",
    "机场",
    "高新",
    "经济",
    "开发",
    "管理",
    "工业",
];

/// Whether what follows makes a short name a part of another: 南京路, 北京东路, 杭州湾路, 朝阳区.
fn goes_on(rest: &str) -> bool {
    let mut signs = rest.chars();
    let (first, second) = (signs.next(), signs.next());
    let is = |sign: Option<char>, among: &[char]| sign.is_some_and(|c| among.contains(&c));
    is(first, &STREETS)
        || is(first, &BEHIND)
        || (first.is_some_and(is_han) && is(second, &STREETS))
        || WORDS.iter().any(|word| rest.starts_with(word))
}

/// Whether a reading is one in its place, rather than a part of somebody's name, of a street's or a shop's.
fn is_meant(text: &str, found: &Found) -> bool {
    let (before, rest) = (&text[..found.from], &text[found.to..]);
    if found.bare && (goes_on(rest) || has_longer(&text[found.last..], found.to - found.last)) {
        return false;
    }
    // 改 and 换 stand between two addresses.
    let glued = before.chars().rev().take_while(|c| is_han(*c) && !['改', '换'].contains(c)).count();
    match (found.names, found.bare) {
        (1, true) => {
            let city_of_districts = found.place.district.is_none() && found.depth() < 3;
            glued == 0 && (ends_word(text, found.to) || (city_of_districts && is_street(rest)))
        }
        // 义乌市场路
        (1, false) if text[..found.to].ends_with('市') && rest.starts_with('场') => false,
        // A receiver may stand right in front.
        (1, false) => glued == 0 || (glued <= 4 && !text[..found.to].ends_with('区')),
        _ => true,
    }
}

/// Whether a text begins with a longer name of a place: 大兴安岭 is not in 大兴.
fn has_longer(here: &str, than: usize) -> bool {
    let Some(first) = here.chars().next() else { return false };
    let cities = INDEX.cities.get(&first).into_iter().flatten().map(|(_, city)| city.name);
    let districts = INDEX.districts.get(&first).into_iter().flatten().filter_map(|place| place.district);
    cities.chain(districts).map(short).any(|name| name.len() > than && here.starts_with(name))
}

/// Whether the rest of a word is a street by itself: 人民路5号.
fn is_street(rest: &str) -> bool {
    let word: Vec<char> = rest.chars().take_while(|c| !names::is_blank(*c) && !c.is_control()).collect();
    let sign = word.iter().position(|c| STREETS.contains(c) || *c == '镇' || *c == '乡');
    sign.is_some_and(|at| at >= 2 && word[..at].iter().all(|c| is_han(*c)))
}

/// Whether some spelling of a province begins with this sign: 中国浙江, 臺灣.
fn may_begin(name: &str, first: char) -> bool {
    name.starts_with(first) || first == '中' || first == '臺'
}

fn is_han(c: char) -> bool {
    ('\u{4e00}'..='\u{9fff}').contains(&c)
}

fn begins_word(text: &str, at: usize) -> bool {
    text[..at].chars().next_back().is_none_or(|c| !is_han(c))
}

fn ends_word(text: &str, at: usize) -> bool {
    text[at..].chars().next().is_none_or(|c| names::is_blank(c) || c.is_control())
}

/// All readings of a text, one start after the other.
struct Read<'t> {
    text: &'t str,
    found: Vec<Found>,
    /// Names of districts that several have, each with those.
    asked: Vec<(Found, Vec<Place>)>,
}

impl<'t> Read<'t> {
    fn at(&mut self, from: usize) {
        let here = &self.text[from..];
        let Some(first) = here.chars().next() else { return };
        for province in PROVINCES.iter().filter(|province| may_begin(province.name, first)) {
            for rest in names::after_province(province.name, here) {
                let used = &here[..here.len() - rest.len()];
                let place = Place { province: province.name, city: None, district: None };
                let bare = used.ends_with(short(province.name)) || used == "内蒙";
                let found = Found { from, last: from, to: from + used.len(), place, names: 1, bare, was: None };
                self.inside(province, &found);
                self.found.push(found);
            }
        }
        for (province, city) in INDEX.cities.get(&first).into_iter().flatten() {
            self.city(province, city, from, from, 0);
        }
        self.district_alone(from, first);
    }

    /// What stands behind a province: a city of it, or a district.
    fn inside(&mut self, province: &'static Province, before: &Found) {
        for at in self.next(before.to) {
            let first = self.text[at..].chars().next();
            let near = first.and_then(|first| INDEX.cities.get(&first)).into_iter().flatten();
            let mut found = false;
            for (_, city) in near.filter(|(of, _)| of.name == province.name) {
                found |= self.city(province, city, before.from, at, 1);
            }
            let here = &self.text[at..];
            let all = province.cities.iter().flat_map(|city| districts(province, city, here));
            // 淮安 is the city before it is its district, and 长沙县 is none of 长沙's streets.
            self.one(all.filter(|one| !found || !one.bare).collect(), before.from, at, 1);
        }
    }

    /// Where the next name may begin: behind what only separates, and behind what tables put where there is no city.
    fn next(&self, at: usize) -> Vec<usize> {
        let trim = |text: &'t str| text.trim_start_matches(names::is_blank);
        let rest = trim(&self.text[at..]);
        let filled = trim(names::after_filler(rest.strip_prefix("雄安新区").unwrap_or(rest)));
        let mut ends = vec![self.text.len() - rest.len()];
        if filled.len() < rest.len() {
            ends.push(self.text.len() - filled.len());
        }
        if let Some(county) = rest.strip_prefix('县') {
            ends.push(self.text.len() - trim(county).len());
        }
        ends
    }

    /// A city's name at this place, and what stands behind it.
    fn city(&mut self, province: &'static Province, city: &'static City, from: usize, at: usize, names: usize) -> bool {
        let here = &self.text[at..];
        let mut rests = city.rests(here, super::Today);
        if rests.is_empty() {
            rests = city.rests(here, super::Loosely);
        }
        let place = Place { province: province.name, city: Some(city.name), district: None };
        for rest in &rests {
            let used = &here[..here.len() - rest.len()];
            let bare = names::is_bare(city.name, used)
                || former::CITIES.iter().any(|(now, was)| *now == city.name && names::is_bare(was, used));
            let to = at + used.len();
            self.found.push(Found { from, last: at, to, place, names: names + 1, bare, was: None });
            for next in self.next(to) {
                // Cities that are provinces, or have no districts, are written twice.
                let again = city.rests(&self.text[next..], super::Today);
                for twice in again.iter().filter(|_| !bare || names > 0) {
                    let end = self.text.len() - twice.len();
                    let bare = names::is_bare(city.name, &self.text[next..end]);
                    self.found.push(Found { from, last: next, to: end, place, names: names + 1, bare, was: None });
                    for next in self.next(end) {
                        self.one(districts(province, city, &self.text[next..]), from, next, names + 1);
                    }
                }
                self.one(districts(province, city, &self.text[next..]), from, next, names + 1);
            }
        }
        !rests.is_empty()
    }

    /// Of districts that a text begins with, the one whose name is longest, where that is one.
    fn one(&mut self, all: Vec<Match>, from: usize, at: usize, names: usize) {
        let Some(longest) = all.iter().map(|one| one.length).max() else { return };
        let mut best = all.into_iter().filter(|one| one.length == longest);
        if let (Some(one), None) = (best.next(), best.next()) {
            let to = at + one.length;
            let Match { place, bare, was, .. } = one;
            self.found.push(Found { from, last: at, to, place, names: names + 1, bare, was });
        }
    }

    /// A district without its city: whoever has its name to himself, or those who share it.
    fn district_alone(&mut self, from: usize, first: char) {
        let here = &self.text[from..];
        let mut all: Vec<Match> = Vec::new();
        for place in INDEX.districts.get(&first).into_iter().flatten() {
            let name = place.district.unwrap_or_default();
            // Towns have namesakes that are in no list, and 城区 is a word.
            if !name.ends_with(['区', '县', '市', '旗']) || name.chars().count() < 3 {
                continue;
            }
            let rests = names::rests(name, here).into_iter();
            all.extend(rests.map(|rest| Match::of(*place, name, here, rest)).filter(|one| {
                // Without its end only a city's name is more than a word.
                !one.bare || (name.ends_with('市') && is_ones_own(short(name), place))
            }));
        }
        let Some(longest) = all.iter().map(|one| one.length).max() else { return };
        all.retain(|one| one.length == longest);
        let found = |one: &Match| Found {
            from,
            last: from,
            to: from + one.length,
            place: one.place,
            names: 1,
            bare: one.bare,
            was: None,
        };
        match all.as_slice() {
            [one] => self.found.push(found(one)),
            [one, ..] if begins_word(self.text, from) => {
                self.asked.push((found(one), all.iter().map(|one| one.place).collect()));
            }
            _ => {}
        }
    }
}

/// A district that a text begins with.
struct Match {
    place: Place,
    length: usize,
    bare: bool,
    was: Option<String>,
}

impl Match {
    fn of(place: Place, name: &str, here: &str, rest: &str) -> Match {
        let used = &here[..here.len() - rest.len()];
        Match { place, length: used.len(), bare: names::is_bare(name, used), was: None }
    }
}

/// The districts of a city that a text begins with: as they are called today, else as they were or might be.
fn districts(province: &Province, city: &City, here: &str) -> Vec<Match> {
    let place = |name| Place { province: province.name, city: Some(city.name), district: Some(name) };
    let begins = |name: &&&'static str| here.chars().next().is_some_and(|first| name.starts_with(first));
    let mut all: Vec<Match> = Vec::new();
    for name in city.districts.iter().filter(begins) {
        all.extend(names::rests(name, here).into_iter().map(|rest| Match::of(place(name), name, here, rest)));
    }
    // A short name in front of an end that is not its own is no name of today: 南城区 is 南城街道.
    if all.iter().any(|one| !one.bare || !goes_on(&here[one.length..])) {
        return all;
    }
    all.clear();
    for name in &city.districts {
        let alike = if begins(&name) { names::alike_rests(name, here) } else { Vec::new() };
        let own = name.strip_prefix(short(city.name)).and_then(|own| here.strip_prefix(own));
        all.extend(alike.into_iter().chain(own).map(|rest| Match::of(place(name), name, here, rest)));
    }
    if all.is_empty() {
        let once = former::DISTRICTS.iter().filter(|(of, _, _)| *of == city.name);
        all.extend(once.flat_map(|(_, was, now)| {
            let matched = move |rest| Match {
                was: Some(here[..here.len() - str::len(rest)].to_owned()),
                ..Match::of(place(*now), was, here, rest)
            };
            names::rests(was, here).into_iter().map(matched).collect::<Vec<_>>()
        }));
    }
    all
}
