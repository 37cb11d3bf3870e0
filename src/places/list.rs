//! Lists of places as people type them: parted by anything, each in the light of the one before, some with a value.

use super::written::namesakes;
use super::{Place, Unread, beside, former, names};
use crate::typed::{may_be_key, quoted};

/// Several provinces under one name.
pub(super) const GROUPS: [(&str, &[&str]); 10] = [
    ("港澳台", &["香港", "澳门", "台湾"]),
    ("港澳", &["香港", "澳门"]),
    ("江浙沪", &["江苏", "浙江", "上海"]),
    ("江浙沪皖", &["江苏", "浙江", "上海", "安徽"]),
    ("京津冀", &["北京", "天津", "河北"]),
    ("东三省", &["辽宁", "吉林", "黑龙江"]),
    ("东北三省", &["辽宁", "吉林", "黑龙江"]),
    ("新藏", &["新疆", "西藏"]),
    ("雄安新区", &["河北省雄县", "河北省容城县", "河北省安新县"]),
    ("雄安", &["河北省雄县", "河北省容城县", "河北省安新县"]),
];

/// What a text names, and a sentence for each part of it that names nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    pub places: Vec<Place>,
    pub problems: Vec<String>,
    /// Those that are named as they are called today.
    today: Vec<Place>,
    /// Those that are named by what is only a part of them, or by what others are called too, with a sentence for each.
    parts: Vec<(Place, String)>,
}

impl Listed {
    /// Each once: 綦江区 and what was 万盛区 are the same today.
    fn more(&mut self, text: &str, places: Vec<Place>, before: Option<Place>) {
        let plain = names::plain(text);
        for place in places {
            let all = others_of(&plain, place, before);
            if !all.is_empty() {
                self.parts.push((place, Unread::Ambiguous(all).says(text)));
                self.keep(place);
                continue;
            }
            match former::part(place.city.unwrap_or_default(), place.district.unwrap_or_default(), &plain) {
                Some(was) => {
                    let whole = place.text();
                    let words = format!("{was}现在是{whole}的一部分，地址里分不出来：要整个区都算，请写 {whole}");
                    self.parts.push((place, words));
                }
                None => self.today.push(place),
            }
            self.keep(place);
        }
    }

    fn keep(&mut self, place: Place) {
        if !self.places.contains(&place) {
            self.places.push(place);
        }
    }
}

/// Whole, for a part of a key is cut at the signs that part places.
const NO_PLACES: &str = "这像是密钥的内容，不是地名";

/// Places parted by signs or blanks: `浙江省杭州市西湖区、滨江区；上海`. A part of a district is said and counts for all of it.
pub fn listed(text: &str) -> Listed {
    let mut listed = gathered(text);
    let widened = widened(&listed.parts, &listed.today);
    listed.problems.extend(widened);
    listed.problems.extend(nested(&listed.places));
    listed
}

/// What is said of places that lie in others of the same list: whoever names both may mean only one of them.
fn nested(places: &[Place]) -> Vec<String> {
    let inside = |whole: &Place| {
        let parts: Vec<&str> = places.iter().filter(|part| whole.may_lie_in(part)).map(Place::own).collect();
        let (all, parts) = (whole.text(), parts.join("、"));
        (!parts.is_empty()).then(|| {
            format!("{all}已经包含{parts}：整个{}都算就去掉{parts}，只算{parts}就去掉{}", whole.own(), whole.own())
        })
    };
    places.iter().filter_map(inside).collect()
}

/// What is said of parts, where nobody has named the whole.
fn widened(parts: &[(Place, String)], today: &[Place]) -> Vec<String> {
    parts.iter().filter(|(place, _)| !today.contains(place)).map(|(_, words)| words.clone()).collect()
}

fn gathered(text: &str) -> Listed {
    let mut listed = Listed::default();
    if may_be_key(text) {
        listed.problems.push(NO_PLACES.to_owned());
        return listed;
    }
    for Name { text, before, meant } in names_of(text) {
        match meant {
            Ok(places) => listed.more(text, places, before),
            Err(problem) => listed.problems.push(problem.says(text)),
        }
    }
    listed
}

/// A name of a list, what the one before it means, and what it means itself.
struct Name<'t> {
    text: &'t str,
    before: Option<Place>,
    meant: Result<Vec<Place>, Unread>,
}

fn names_of(text: &str) -> Vec<Name<'_>> {
    let mut found: Vec<Name<'_>> = Vec::new();
    let mut before = None;
    for part in text.split(is_separator).map(str::trim).filter(|part| !part.is_empty()) {
        // A blank may stand inside of one place, or between two.
        let words: Vec<&str> = part.split(names::is_blank).filter(|word| !word.is_empty()).collect();
        let whole = read(part, before);
        let of = if whole.is_ok() || words.len() < 2 { vec![part] } else { words };
        for text in of {
            let meant = read(text, before);
            let last = meant.as_ref().ok().and_then(|places| places.last().copied());
            found.push(Name { text, before, meant });
            before = last.or(before);
        }
    }
    found
}

/// All that a name may mean besides: 朝阳 is a city, and a district of two others. Which one is meant is not known, unless
/// what stands before it says so.
fn others_of(plain: &str, place: Place, before: Option<Place>) -> Vec<Place> {
    let near = before.and_then(|before| beside(before, plain));
    if near == Some(place) { Vec::new() } else { namesakes(plain, &place) }
}

/// What a list of places is looked for by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    pub places: Vec<Place>,
    /// Names that several have: all of them are meant.
    pub shared: Vec<String>,
    /// What names no place.
    pub unknown: Vec<String>,
}

/// Reads what somebody looks for: a place under any of its names, a group of them, or a list.
pub fn sought(text: &str) -> Sought {
    let mut sought = Sought::default();
    for Name { text, before, meant } in names_of(text) {
        match meant {
            Ok(places) => {
                let plain = names::plain(text);
                let (shared, own): (Vec<_>, Vec<_>) =
                    places.into_iter().partition(|place| !others_of(&plain, *place, before).is_empty());
                sought.places.extend(own);
                sought.shared.extend(shared.first().map(|_| text.to_owned()));
            }
            Err(Unread::Ambiguous(_)) => sought.shared.push(text.to_owned()),
            Err(Unread::Unknown) => sought.unknown.push(text.to_owned()),
        }
    }
    sought
}

fn is_separator(c: char) -> bool {
    matches!(c, ';' | '；' | ',' | '，' | '、' | '。' | '+' | '＋' | '&' | '\n' | '\r')
}

/// The two sides of a word that may join two places; many names have one of these letters.
fn joined(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices(['和', '及', '与']).map(|(at, word)| (&text[..at], &text[at + word.len()..]))
}

/// One name: a group, a province, what lies beside the place before it, or any other place.
fn read(text: &str, before: Option<Place>) -> Result<Vec<Place>, Unread> {
    let plain = names::plain(text);
    if let Some((_, names)) = GROUPS.iter().find(|(group, names)| is_group(&plain, group, names)) {
        return names.iter().map(|name| Place::parse(name)).collect();
    }
    let found = Place::parse(&plain);
    if found.is_err() {
        let both = |(one, other): (&str, &str)| Some([read(one, before).ok()?, read(other, before).ok()?].concat());
        if let Some(places) = joined(&plain).find_map(both) {
            return Ok(places);
        }
    }
    match (found, before.and_then(|before| beside(before, &plain))) {
        (Ok(place), _) if place.depth() == 1 => Ok(vec![place]),
        (_, Some(near)) => Ok(vec![near]),
        (found, None) => found.map(|place| vec![place]),
    }
}

/// Whether a text is a group's name, with the province in front where all of it lies in one: 河北雄安新区.
fn is_group(text: &str, group: &str, names: &[&str]) -> bool {
    let inside = |province: &str| {
        let all = |around: Place| names.iter().all(|name| Place::parse(name).is_ok_and(|place| around.holds(&place)));
        Place::parse(province).is_ok_and(|around| around.depth() == 1 && all(around))
    };
    text.strip_suffix(group).is_some_and(|province| province.is_empty() || inside(province))
}

/// Lists of places, each with a value behind a colon: `新疆 西藏:25；乌鲁木齐：30`. A place with two values is a problem.
pub fn with_values(text: &str) -> (Vec<(Place, &str)>, Vec<String>) {
    let (mut found, mut problems): (Vec<(Place, &str)>, Vec<String>) = Default::default();
    if may_be_key(text) {
        return (found, vec![NO_PLACES.to_owned()]);
    }
    let (mut rest, mut today, mut parts) = (text, Vec::new(), Vec::new());
    while let Some((names, behind)) = rest.split_once([':', '：']) {
        let behind = behind.trim_start();
        let end = behind.find(|c: char| is_separator(c) || c.is_whitespace()).unwrap_or(behind.len());
        let (value, next) = behind.split_at(end);
        let listed = gathered(names);
        today.extend(listed.today);
        parts.extend(listed.parts);
        if listed.places.is_empty() && listed.problems.is_empty() {
            problems.push(format!("{}前面没有地区", quoted(&format!(":{value}"))));
        }
        problems.extend(listed.problems);
        for place in listed.places {
            match found.iter().find(|(known, _)| *known == place) {
                Some((_, known)) if *known == value => {}
                Some(_) => problems.push(format!("{}写了两次，值不一样", place.text())),
                None => found.push((place, value)),
            }
        }
        rest = next;
    }
    problems.extend(widened(&parts, &today));
    let left = rest.trim_matches(|c: char| is_separator(c) || c.is_whitespace());
    if !left.is_empty() {
        problems.push(format!("{}后面没有写冒号和金额", quoted(left)));
    }
    (found, problems)
}
