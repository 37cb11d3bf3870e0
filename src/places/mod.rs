//! Places of China: what people write for a province, a city or a district, read into one and the same.
//!
//! Settings, addresses and filters are all read here, so that 上海市浦东新区, 上海 浦东 and 上海市/上海市/浦东新区 are one place.

mod doubt;
mod former;
mod list;
mod names;
mod written;

use std::sync::LazyLock;

pub use doubt::{Doubt, doubt, without_district};
pub use list::{Listed, Sought, listed, sought, with_values};
use names::short;
pub use written::{Named, Written, is_place, written};

use crate::typed::{quoted, simplified};

/// Every province, city and district; `make.mjs` writes it.
static FILE: &str = include_str!("places.txt");

struct Province {
    name: &'static str,
    cities: Vec<City>,
}

struct City {
    name: &'static str,
    districts: Vec<&'static str>,
}

/// How exactly a name must be written: as it is today, or as it was once or as a neighbour of its kind would be called.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictness {
    Today,
    Loosely,
}

use Strictness::{Loosely, Today};

impl City {
    fn is(&self, text: &str, how: Strictness) -> bool {
        self.rests(text, how).contains(&"")
    }

    /// What is left of a text behind each spelling of its name that it begins with.
    fn rests<'t>(&self, text: &'t str, how: Strictness) -> Vec<&'t str> {
        match how {
            Today => names::rests(self.name, text),
            Loosely => {
                names::city_rests(self.name, text).into_iter().chain(former::city_rests(self.name, text)).collect()
            }
        }
    }

    /// Its districts of this name.
    fn districts_named(&self, text: &str, how: Strictness) -> Vec<&'static str> {
        let here = |name: &str| match how {
            Today => names::is(name, text),
            Loosely => names::alike(name, text) || name.strip_prefix(short_of(self.name)) == Some(text),
        };
        let found: Vec<&str> = self.districts.iter().copied().filter(|name| here(name)).collect();
        match (how, found.is_empty()) {
            (Loosely, true) => former::district(self.name, text).into_iter().collect(),
            _ => found,
        }
    }

    /// Its zones of this kind, for whoever says so of this very city: 高新区 is in many.
    fn zones(&self, text: &str, how: Strictness) -> Vec<&'static str> {
        let own = text.strip_prefix(short(self.name)).map(|rest| rest.strip_prefix('市').unwrap_or(rest));
        let Some(kind) = names::is_zone(own.unwrap_or(text)).filter(|_| how == Loosely) else { return Vec::new() };
        self.districts.iter().copied().filter(|name| names::zone(name, self.name) == Some(kind)).collect()
    }
}

static PROVINCES: LazyLock<Vec<Province>> = LazyLock::new(|| {
    let mut provinces: Vec<Province> = Vec::new();
    for line in FILE.lines() {
        let mut words = line.split(' ');
        match (words.next(), provinces.last_mut()) {
            // A city and its districts stand below their province.
            (Some(""), Some(province)) => {
                let city = words.next().unwrap_or_default();
                province.cities.push(City { name: city, districts: words.collect() });
            }
            (Some(name), _) => provinces.push(Province { name, cities: Vec::new() }),
            (None, _) => {}
        }
    }
    provinces
});

/// A province, a city of it, or a district of that. Cities that are provinces and counties without a city stand as cities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub province: &'static str,
    pub city: Option<&'static str>,
    pub district: Option<&'static str>,
}

/// Why a text names no place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unread {
    Unknown,
    /// Several are called so.
    Ambiguous(Vec<Place>),
}

impl Unread {
    /// A sentence for whoever wrote it.
    pub fn says(&self, text: &str) -> String {
        match self {
            Unread::Unknown => {
                let zone = match names::sounds_like_a_zone(text) {
                    true => "；高新区、经开区、新区这样的功能区，地址里写的多是它所在的区县：请写那个区县",
                    false => "",
                };
                format!("不认识{}，请写成 新疆、浙江省杭州市 或 浙江省杭州市西湖区 的样子{zone}", quoted(text))
            }
            Unread::Ambiguous(places) => {
                let some: Vec<String> = places.iter().take(3).map(Place::text).collect();
                format!("{}有 {} 个（{}），请把省市写全", quoted(text), places.len(), some.join("、"))
            }
        }
    }
}

impl Place {
    /// The place that a text names as a whole; blanks and strokes between its parts do not count.
    pub fn parse(text: &str) -> Result<Place, Unread> {
        let text = simplified(&names::plain(text));
        // From the largest: 吉林 is the province before it is the city, and 长沙 the city before its county.
        let readings = [Today, Loosely]
            .into_iter()
            .flat_map(|how| [from_province, from_city, from_district].into_iter().map(move |read| (read, how)));
        readings.into_iter().find_map(|(read, how)| one(read(&text, how))).unwrap_or(Err(Unread::Unknown))
    }

    /// The place of an address, as clients, WeChat and other people's tables write its parts. What is behind the part
    /// that is known is left out; the detail is asked where a part is empty. `None` where not even the province is known.
    pub fn of(province: &str, city: &str, district: &str, detail: &str) -> Option<Place> {
        let parts = [province, city, district, detail].map(|part| simplified(&names::plain(part)));
        let [province, city, district, detail] = parts;
        let known = PROVINCES.iter().find(|known| names::is_province(known.name, &province));
        let province = match known {
            Some(province) => province,
            // A spelling that nobody has listed: the whole says it, else the city, else how it begins.
            None => {
                if let Ok(place) = Place::parse(&format!("{province}{city}{district}")) {
                    return Some(place);
                }
                let begun = PROVINCES.iter().find(|known| names::begins_as_province(known.name, &province));
                let alone = Place::parse(&format!("{city}{district}")).or_else(|_| Place::parse(&city)).ok();
                match (begun, alone) {
                    (Some(begun), Some(alone)) if alone.province == begun.name => return Some(alone),
                    (Some(begun), _) => begun,
                    (None, alone) => return alone,
                }
            }
        };
        let whole = Place { province: province.name, city: None, district: None };
        let either = |find: &dyn Fn(Strictness) -> Option<Place>| find(Today).or_else(|| find(Loosely));
        let named = |text: &str, how| province.cities.iter().find(|known| known.is(text, how));
        let known = match province.cities.as_slice() {
            [only] if only.name == province.name => Some(only),
            _ => [Today, Loosely].into_iter().find_map(|how| named(&city, how).or_else(|| named(&district, how))),
        };
        let Some(known) = known else {
            // 省直辖县级行政区划, a city that was left out, or a county in its place.
            let county = |text: &str, how| match within_province(province, text, how)[..] {
                [place] => Some(place),
                _ => None,
            };
            return either(&|how| county(&district, how).or_else(|| county(&city, how))).or(Some(whole));
        };
        let here = Place { city: Some(known.name), ..whole };
        let part = |text: &str, how| match (&known.districts_named(text, how)[..], &known.zones(text, how)[..]) {
            ([name], _) | ([], [name]) => Some(Place { district: Some(name), ..here }),
            _ => None,
        };
        // With its street behind it, or in front of that.
        let begins = |text: &str| known.districts.iter().find(|name| text.starts_with(*name));
        let found = either(&|how| part(&district, how));
        let behind = || begins(&district).or_else(|| begins(&detail));
        let found = found.or_else(|| behind().map(|name| Place { district: Some(name), ..here }));
        // A municipality's district in the place of the city that it is itself.
        let instead = || either(&|how| part(&city, how)).filter(|_| known.name == province.name);
        found.or_else(instead).or(Some(here))
    }

    /// Whether the other lies in this one, or is it.
    pub fn holds(&self, other: &Place) -> bool {
        self.province == other.province
            && self.city.is_none_or(|city| other.city == Some(city))
            && self.district.is_none_or(|district| other.district == Some(district))
    }

    /// Whether something in this one may lie in the other for all that anybody knows: the other is a part of it.
    pub fn may_lie_in(&self, other: &Place) -> bool {
        self != other && self.holds(other)
    }

    /// How exact it is: 1 for a province, 3 for a district.
    pub fn depth(&self) -> usize {
        1 + usize::from(self.city.is_some()) + usize::from(self.district.is_some())
    }

    /// The last of its names: `西湖区`.
    pub fn own(&self) -> &'static str {
        self.district.or(self.city).unwrap_or(self.province)
    }

    /// `浙江省杭州市西湖区`, `上海市浦东新区`
    pub fn text(&self) -> String {
        let city = self.city.filter(|city| *city != self.province).unwrap_or_default();
        format!("{}{city}{}", self.province, self.district.unwrap_or_default())
    }

    /// The part of each name that every way of writing it has: 上海, 浦东.
    pub fn words(&self) -> Vec<&'static str> {
        let mut words: Vec<&'static str> = Vec::new();
        for name in [Some(self.province), self.city, self.district].into_iter().flatten().map(short) {
            if !words.contains(&name) {
                words.push(name);
            }
        }
        words
    }
}

/// An address's parts as one reads them: each once, and without what only tables say, such as 市辖区.
pub fn region(province: &str, city: &str, district: &str) -> String {
    let city = if city == province || names::is_filler(city) { "" } else { city };
    let district = if district == city || names::is_filler(district) { "" } else { district };
    format!("{province}{city}{district}")
}

fn short_of(name: &str) -> &str {
    name.char_indices().nth(2).map_or(name, |(at, _)| &name[..at])
}

/// Nothing where nothing was found, so that the next way is tried.
fn one(mut found: Vec<Place>) -> Option<Result<Place, Unread>> {
    found.sort();
    found.dedup();
    match found[..] {
        [] => None,
        [place] => Some(Ok(place)),
        _ => Some(Err(Unread::Ambiguous(found))),
    }
}

fn from_province(text: &str, how: Strictness) -> Vec<Place> {
    let mut found = Vec::new();
    for province in PROVINCES.iter() {
        for rest in names::after_province(province.name, text) {
            match names::after_filler(rest) {
                "" => found.push(Place { province: province.name, city: None, district: None }),
                rest => found.extend(within_province(province, rest, how)),
            }
            // As data sets write 重庆's counties: 重庆市 县 彭水.
            if let Some(county) = rest.strip_prefix('县') {
                found.extend(within_province(province, county, how));
            }
        }
    }
    found
}

fn from_city(text: &str, how: Strictness) -> Vec<Place> {
    PROVINCES
        .iter()
        .flat_map(|province| province.cities.iter().flat_map(|city| within_city(province, city, text, how)))
        .collect()
}

fn from_district(text: &str, how: Strictness) -> Vec<Place> {
    PROVINCES.iter().flat_map(|province| districts(province, text, how)).collect()
}

/// What a text names inside a province: a city, a district of it, or a district alone.
fn within_province(province: &Province, text: &str, how: Strictness) -> Vec<Place> {
    let found: Vec<Place> = province.cities.iter().flat_map(|city| within_city(province, city, text, how)).collect();
    if found.is_empty() { districts(province, text, how) } else { found }
}

/// A text that begins with a city's name.
fn within_city(province: &Province, city: &City, text: &str, how: Strictness) -> Vec<Place> {
    let here = Place { province: province.name, city: Some(city.name), district: None };
    // A city that is a province is one place, not two.
    let whole = Place { city: here.city.filter(|city| *city != province.name), ..here };
    let mut found = Vec::new();
    for rest in city.rests(text, how) {
        match names::after_filler(rest) {
            "" => found.push(whole),
            // Cities without districts are written twice.
            rest if city.is(rest, how) => found.push(whole),
            rest => {
                found.extend(districts_of(here, city, rest, how));
                found.extend(zones_of(here, city, rest, how));
            }
        }
    }
    found
}

fn districts(province: &Province, text: &str, how: Strictness) -> Vec<Place> {
    let place = |city: &City| Place { province: province.name, city: Some(city.name), district: None };
    province.cities.iter().flat_map(|city| districts_of(place(city), city, text, how)).collect()
}

fn districts_of(here: Place, city: &City, text: &str, how: Strictness) -> Vec<Place> {
    city.districts_named(text, how).into_iter().map(|name| Place { district: Some(name), ..here }).collect()
}

fn zones_of(here: Place, city: &City, text: &str, how: Strictness) -> Vec<Place> {
    city.zones(text, how).into_iter().map(|name| Place { district: Some(name), ..here }).collect()
}

/// What a text names beside another place: in its city, else in its province.
fn beside(place: Place, text: &str) -> Option<Place> {
    let text = names::plain(text);
    let province = PROVINCES.iter().find(|known| known.name == place.province)?;
    let city = province.cities.iter().find(|known| Some(known.name) == place.city);
    let here = Place { district: None, ..place };
    [Today, Loosely].into_iter().find_map(|how| {
        let near = |city| [districts_of(here, city, &text, how), zones_of(here, city, &text, how)].concat();
        let near = city.map(near).unwrap_or_default();
        let found = if near.is_empty() { within_province(province, &text, how) } else { near };
        if let [found] = found[..] { Some(found) } else { None }
    })
}

#[cfg(test)]
mod tests;
