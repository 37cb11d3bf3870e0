//! Specifications as people write them into one cell: `颜色:红;尺码:L`.

use crate::catalogue::rules::{MOST_SPECS, SPEC_NAME, SPEC_VALUE};
use crate::catalogue::same_specs;
use crate::tables::narrow;
use crate::typed::{clean, simplified};

pub type Specs = Vec<(String, String)>;

const EXAMPLE: &str = "请写成 颜色:红;尺码:L";

/// What may stand between two specifications, where a new name and its colon follow.
const BETWEEN: [char; 14] = [',', '，', '、', '/', '|', ' ', '\u{3000}', '／', '+', '＋', '&', '\\', '_', '-'];

/// Whether a text is a specification under a usual name, and nothing else: `颜色:红`.
pub fn is_one(text: &str) -> bool {
    const NAMES: [&str; 16] = [
        "颜色",
        "颜色分类",
        "尺码",
        "尺寸",
        "规格",
        "口味",
        "款式",
        "型号",
        "容量",
        "重量",
        "净含量",
        "套餐",
        "版本",
        "包装",
        "数量",
        "材质",
    ];
    let first = text.split_once([':', '：']).map(|(name, value)| (name.trim(), value.trim()));
    first.is_some_and(|(name, value)| NAMES.contains(&name) && !value.is_empty())
}

/// The opposite of `read`.
pub fn written(specs: &[(String, String)]) -> String {
    specs.iter().map(|(name, value)| format!("{name}:{value}")).collect::<Vec<_>>().join(";")
}

/// Reads a cell. A semicolon always parts two; a comma, a stroke or a blank does where another name and a colon follow.
pub fn read(text: &str) -> Result<Specs, String> {
    let mut specs = Specs::new();
    // Cleaned before it is cut: what nobody sees, or is a blank, must not part it another time when it is read again.
    let text = clean(&text.replace(['\n', '\r'], ";"));
    for part in text.split([';', '；']).flat_map(|part| apart(part.trim())) {
        let part = clean(&part);
        if part.is_empty() {
            continue;
        }
        let (name, value) = part
            .split_once([':', '：'])
            .map(|(name, value)| (name.trim(), value.trim()))
            .filter(|(name, value)| !name.is_empty() && !value.is_empty() && !holds_another(name, value))
            .ok_or_else(|| match part.contains([':', '：']) {
                true => format!("规格「{part}」{EXAMPLE}"),
                false => format!("规格「{part}」前面要写它的名字，例如 规格:{part}；几种规格写成 颜色:红;尺码:L"),
            })?;
        if !SPEC_NAME.fits(name) || !SPEC_VALUE.fits(value) {
            return Err(format!("规格「{part}」太长：名称{SPEC_NAME}，值{SPEC_VALUE}"));
        }
        if specs.iter().any(|(known, _)| known == name) {
            return Err(format!("规格「{name}」写了两次"));
        }
        specs.push((name.to_owned(), value.to_owned()));
    }
    if specs.len() > MOST_SPECS { Err(format!("规格最多 {MOST_SPECS} 种")) } else { Ok(specs) }
}

/// A specification that a table tells by its values alone, with a name: `规格:红色/L`, and `颜色:红色;规格:L` where the first
/// of them is the colour. Empty for goods of one kind; `None` where it has names of its own, or nothing stands there.
pub fn named(text: &str, by_colour: bool) -> Option<String> {
    const ONE_KIND: [&str; 8] = ["默认", "默认规格", "无", "无规格", "单规格", "统一规格", "-", "/"];
    if text.is_empty() || text.contains([':', '：']) {
        return None;
    }
    if ONE_KIND.contains(&text) {
        return Some(String::new());
    }
    let parts: Vec<&str> = text.split([';', '；', ',', '，']).map(str::trim).filter(|part| !part.is_empty()).collect();
    Some(match parts.as_slice() {
        [colour] if by_colour => format!("颜色:{colour}"),
        [colour, rest @ ..] if by_colour => format!("颜色:{colour};规格:{}", rest.join("/")),
        parts => format!("规格:{}", parts.join("/")),
    })
}

/// Whether two have the same values, however they are called and parted.
pub fn same_values(one: &[(String, String)], other: &[(String, String)]) -> bool {
    let values = |specs: &[(String, String)]| -> String {
        let kept = |c: &char| !c.is_whitespace() && !BETWEEN.contains(c);
        specs
            .iter()
            .flat_map(|(_, value)| narrow(value).to_lowercase().chars().collect::<Vec<_>>())
            .filter(kept)
            .collect()
    };
    !one.is_empty() && values(one) == values(other)
}

/// The same under the shop's own names. `None` where nobody knows which value goes under which.
pub fn renamed(by_value: &[(String, String)], known: &[(String, String)]) -> Option<Specs> {
    match (by_value, known) {
        _ if same_values(by_value, known) => Some(known.to_vec()),
        ([(_, value)], [(name, _)]) => Some(vec![(name.clone(), value.clone())]),
        (_, []) => Some(by_value.to_vec()),
        _ => None,
    }
}

/// Whether a second name and its colon stand in a value with nothing between them, or a program's own signs around them.
/// A time, a ratio and a web address have colons of their own.
fn holds_another(name: &str, value: &str) -> bool {
    let digit = |c: Option<char>| c.is_some_and(char::is_numeric);
    let own = |(at, colon): (usize, &str)| {
        let (before, behind) = (&value[..at], &value[at + colon.len()..]);
        digit(before.chars().next_back()) && digit(behind.chars().next()) || behind.starts_with("//")
    };
    name.contains(['{', '[', '【', '"']) || value.match_indices([':', '：']).any(|colon| !own(colon))
}

/// Whether two say the same but for wide signs, capitals and blanks.
pub fn alike(one: &[(String, String)], other: &[(String, String)]) -> bool {
    let folded = |specs: &[(String, String)]| -> Specs {
        specs.iter().map(|(name, value)| (folded(name), folded(value))).collect()
    };
    one.len() == other.len() && same_specs(&folded(one), &folded(other))
}

/// A text without what differs between two who write the same. A blank that parts two numbers stays.
fn folded(text: &str) -> String {
    let narrow: Vec<char> = narrow(text).to_lowercase().chars().collect();
    let digit = |at: Option<usize>| at.and_then(|at| narrow.get(at)).is_some_and(char::is_ascii_digit);
    let kept = |at: usize| !narrow[at].is_whitespace() || digit(at.checked_sub(1)) && digit(Some(at + 1));
    (0..narrow.len()).filter(|at| kept(*at)).map(|at| narrow[at]).collect()
}

/// What a value comes to without what people write or leave out: `白` of 白色, `s` of S 码, `500g` of 500 克. Then a number by
/// itself, where there is one and something that it counts.
pub fn kernel(value: &str) -> (String, Option<String>) {
    const MORE: [char; 9] = ['色', '码', '号', '款', '装', '型', '版', '味', '份'];
    const UNITS: [(&str, &str); 9] = [
        ("毫升", "ml"),
        ("公斤", "kg"),
        ("千克", "kg"),
        ("克", "g"),
        ("厘米", "cm"),
        ("公分", "cm"),
        ("毫米", "mm"),
        ("英寸", "寸"),
        ("吋", "寸"),
    ];
    let all: Vec<char> = simplified(&narrow(value)).to_lowercase().chars().filter(|c| !c.is_whitespace()).collect();
    let digit = |at: Option<usize>| at.and_then(|at| all.get(at)).is_some_and(char::is_ascii_digit);
    let kept = |at: usize| all[at].is_alphanumeric() || digit(at.checked_sub(1)) && digit(Some(at + 1));
    let mut plain: String = (0..all.len()).filter(|at| kept(*at)).map(|at| all[at]).collect();
    for (long, short) in UNITS {
        if let Some(before) = plain.strip_suffix(long).filter(|before| before.ends_with(|c: char| c.is_ascii_digit())) {
            plain = format!("{before}{short}");
            break;
        }
    }
    let digits = plain.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    let number = &plain[..plain.len() - digits.len()];
    let counts =
        !number.is_empty() && (1..=2).contains(&digits.chars().count()) && digits.chars().all(char::is_alphabetic);
    let number = counts.then(|| number.to_owned());
    let bare = plain.trim_end_matches(MORE);
    let kernel = [bare, &plain].into_iter().find(|text| !text.is_empty()).map(str::to_owned);
    (kernel.unwrap_or_else(|| all.into_iter().collect()), number)
}

/// Whether a value only says that there is nothing to choose.
pub fn is_no_choice(value: &str) -> bool {
    const WORDS: [&str; 28] = [
        "均码",
        "均色",
        "均一码",
        "默认",
        "默认规格",
        "默认款",
        "无",
        "无规格",
        "单规格",
        "单一规格",
        "统一",
        "统一规格",
        "标准",
        "标准规格",
        "标准款",
        "标配",
        "常规",
        "常规款",
        "普通",
        "通用",
        "通用款",
        "单品",
        "单件",
        "如图",
        "如图色",
        "图片色",
        "见图",
        "同图",
    ];
    const IN_LETTERS: [&str; 7] = ["f", "free", "freesize", "onesize", "default", "standard", "os"];
    const OF_ONE: [&str; 16] =
        ["件", "个", "只", "支", "瓶", "盒", "袋", "张", "条", "双", "套", "包", "本", "台", "份", "箱"];
    let plain = folded(value);
    let one = plain.strip_prefix(['1', '一']).unwrap_or(&plain);
    WORDS.contains(&plain.as_str())
        || IN_LETTERS.contains(&plain.replace(['-', '_'], "").as_str())
        || plain.len() == one.len() && OF_ONE.contains(&one)
        || ["件", "个"].contains(&one)
}

/// Whether a name says a value already, which is more than a word that stands in many names: `500g`, not 大.
pub fn says(name: &str, value: &str) -> bool {
    let (name, value) = (folded(name), folded(value));
    let digit = |c: char| c.is_ascii_digit();
    let whole = |at: usize| !value.starts_with(digit) || !name[..at].ends_with(|c: char| digit(c) || c == '.');
    let least = if value.contains(digit) { 2 } else { 3 };
    value.chars().count() >= least && name.match_indices(&value).any(|(at, _)| whole(at))
}

/// Cuts before every short word that a colon follows and one of `BETWEEN` precedes.
fn apart(text: &str) -> Vec<String> {
    let (mut parts, mut rest) = (Vec::new(), text);
    while let Some(at) = next_name(rest) {
        parts.push(rest[..at].trim_end_matches(BETWEEN).to_owned());
        rest = rest[at..].trim_start_matches(BETWEEN);
    }
    parts.push(rest.to_owned());
    parts
}

/// Where the separator before the next name stands. A time of day is no name.
fn next_name(text: &str) -> Option<usize> {
    let first = text.find([':', '：'])?;
    text.match_indices([':', '：']).filter(|(colon, _)| *colon > first).find_map(|(colon, _)| {
        let before = &text[..colon];
        let at = before.rfind(BETWEEN)?;
        let name = before[at..].trim_start_matches(BETWEEN);
        let is_name = (1..=10).contains(&name.chars().count()) && !name.chars().all(|c| c.is_ascii_digit());
        (at > first && is_name && !name.contains([':', '：'])).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn specs_come_apart_however_they_are_parted() {
        let right = [("颜色".to_owned(), "红".to_owned()), ("尺码".into(), "L".into())];
        for between in [
            ";", "；", ",", "，", "、", "/", "|", " ", "\n", "\r\n", "\t", "\u{3}", " , ", "； ", "+", " + ", "&",
            "\\", "_", "-", " - ",
        ] {
            assert_eq!(read(&format!("颜色:红{between}尺码：L")).as_deref(), Ok(&right[..]), "{between:?}");
        }
    }

    #[test]
    fn a_value_keeps_its_own_signs() {
        for (text, value) in [
            ("时间:10:30", "10:30"),
            ("时间:10:30,11:30", "10:30,11:30"),
            ("颜色:红,蓝", "红,蓝"),
            ("口味:咸 甜", "咸 甜"),
            ("比例:1/2", "1/2"),
            ("比例:1\u{200b}/2", "1/2"),
            ("链接:http://a", "http://a"),
            ("时间:上午10:30", "上午10:30"),
            ("型号:A-1/B_2+C", "A-1/B_2+C"),
            ("比例:１：２", "１：２"),
        ] {
            assert_eq!(read(text).unwrap()[0].1, value, "{text}");
        }
    }

    #[test]
    fn wide_signs_and_capitals_part_no_two_specifications() {
        let same = |one: &str, other: &str| alike(&read(one).unwrap(), &read(other).unwrap());
        assert!(same("颜色：红；尺码：Ｌ", "尺码:l;颜色:红"));
        assert!(!same("尺码:L", "尺码:XL") && !same("尺码:L", "尺码:L;颜色:红"));
    }

    #[test]
    fn blanks_part_no_two_specifications_but_where_they_part_numbers() {
        for (one, other, same) in [
            ("尺寸:6 寸", "尺寸:6寸", true),
            ("尺寸:6  寸", "尺寸:６ 寸", true),
            ("尺 寸:6 寸", "尺寸:6寸", true),
            ("颜色:白 色;尺码:M", "尺码:m;颜色:白色", true),
            ("尺寸:1 6寸", "尺寸:16寸", false),
            ("尺寸:1 6 寸", "尺寸:1 6寸", true),
            ("尺寸:6 寸", "尺寸:8 寸", false),
            ("颜色:白 色", "颜色:白色;尺码:M", false),
        ] {
            assert_eq!(alike(&read(one).unwrap(), &read(other).unwrap()), same, "{one} {other}");
        }
    }

    #[test]
    fn values_come_to_the_same_without_what_people_leave_out() {
        let same = |one: &str, other: &str| kernel(one).0 == kernel(other).0;
        for (one, other) in [
            ("白", "白色"),
            ("白色款", "白 色"),
            ("S", "s 码"),
            ("大", "大号"),
            ("原味", "原"),
            ("500克", "500g"),
            ("1.5公斤", "1.5 kg"),
            ("500 毫升", "500ML"),
            ("８英寸", "8 寸"),
            ("大號", "大"),
            ("大（新）", "大 新"),
        ] {
            assert!(same(one, other), "{one} {other}");
        }
        for (one, other) in [
            ("白", "米白"),
            ("L", "XL"),
            ("1.5L", "15L"),
            ("1/2", "12"),
            ("6寸", "8寸"),
            ("500g", "500ml"),
            ("色", "码"),
            ("1盒", "1袋"),
            ("♥", "♠"),
        ] {
            assert!(!same(one, other), "{one} {other}");
        }
        for (value, number) in [
            ("6 寸", Some("6")),
            ("1.5kg", Some("1.5")),
            ("36码", Some("36")),
            ("6", None),
            ("L", None),
            ("6寸x8", None),
        ] {
            assert_eq!(kernel(value).1.as_deref(), number, "{value}");
        }
    }

    #[test]
    fn a_word_for_goods_of_one_kind_chooses_nothing() {
        for (words, nothing) in [
            ("均码 默认 无 统一规格 标准款 如图 Free F 件 盒 1件 一个 One-Size", true),
            ("大份 加大 红色 XL 1盒 两盒装 6寸 白 M 2件 11件", false),
        ] {
            for word in words.split(' ') {
                assert_eq!(is_no_choice(word), nothing, "{word}");
            }
        }
    }

    #[test]
    fn a_name_that_says_a_value_says_it_as_a_whole() {
        for (name, value, said) in [
            ("农夫山泉 550ml", "550 ML", true),
            ("6寸蛋糕", "6 寸", true),
            ("家庭装蛋糕", "家庭装", true),
            ("东北大米 15斤", "5斤", false),
            ("大米 1.5斤", "5斤", false),
            ("大闸蟹", "大", false),
            ("大份蛋糕", "大份", false),
            ("蛋糕", "6寸", false),
        ] {
            assert_eq!(says(name, value), said, "{name} {value}");
        }
    }

    #[test]
    fn the_shops_own_names_are_kept() {
        let under =
            |one: &str, known: &str| renamed(&read(one).unwrap(), &read(known).unwrap()).map(|specs| written(&specs));
        assert_eq!(under("规格:红色/L", "颜色:红色;尺码:L").as_deref(), Some("颜色:红色;尺码:L"));
        assert_eq!(under("规格:1kg", "净含量:500g").as_deref(), Some("净含量:1kg"));
        assert_eq!(under("规格:红色/XL", "颜色:红色;尺码:L"), None);
        assert_eq!((named("默认规格", false).as_deref(), named("默认", true).as_deref()), (Some(""), Some("")));
    }

    #[test]
    fn values_are_the_same_however_they_are_called() {
        let same = |one: &str, other: &str| same_values(&read(one).unwrap(), &read(other).unwrap());
        assert!(same("规格:红色/L", "颜色:红色;尺码:L") && same("规格:Ｌ", "尺码:l"));
        assert!(!same("规格:L/红色", "颜色:红色;尺码:L") && !same("规格:红", "颜色:红色") && !same("", ""));
    }

    #[test]
    fn what_is_no_specification_is_refused_with_the_example() {
        for (text, what) in [
            ("红色", "颜色:红;尺码:L"),
            ("颜色:红;L", "颜色:红;尺码:L"),
            ("颜色:", "颜色:红;尺码:L"),
            ("尺码:L颜色:红", "颜色:红;尺码:L"),
            ("尺码:L→颜色:红", "颜色:红;尺码:L"),
            ("{\"颜色\":\"红\",\"尺码\":\"L\"}", "颜色:红;尺码:L"),
            ("【颜色】:红", "颜色:红;尺码:L"),
            ("颜色:红;颜色:蓝", "写了两次"),
            ("颜色:红,颜色:蓝", "写了两次"),
            ("一:1;二:2;三:3;四:4", "最多 3 种"),
            ("名称名称名称名称名称长:1", "太长"),
        ] {
            assert!(read(text).unwrap_err().contains(what), "{text}");
        }
        assert_eq!(read(" "), Ok(Specs::new()));
    }
}
