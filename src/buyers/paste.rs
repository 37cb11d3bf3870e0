//! A pasted address, read: `陈建国 13900000002 江苏省苏州市姑苏区平江路66号`. What is not found stays empty; nothing is guessed.

use super::addresses::Address;
use crate::places;
use crate::typed::bare;

/// What people write in front of the parts.
const LABELS: [&str; 16] = [
    "收货人",
    "收件人",
    "联系人",
    "姓名",
    "手机号码",
    "手机号",
    "联系电话",
    "手机",
    "电话",
    "所在地区",
    "地区",
    "省市区",
    "详细地址",
    "收货地址",
    "街道地址",
    "地址",
];

/// Reads what was pasted. Parts that were not found are empty.
pub fn read(text: &str) -> Address {
    let text = plain(text);
    let (phone, rest) = phone(&text);
    let Some((before, place, after)) = places::found(&rest) else {
        let mut words: Vec<&str> = rest.split(' ').filter(|word| !word.is_empty()).collect();
        let named = words.iter().position(|word| !phone.is_empty() && is_name(word, 4));
        let receiver = named.map(|at| words.remove(at).to_owned()).unwrap_or_default();
        return Address { receiver, phone, detail: words.join(" "), ..nowhere() };
    };
    let mut before: Vec<&str> = before.split(' ').filter(|word| !word.is_empty()).collect();
    let mut after: Vec<&str> = after.split(' ').filter(|word| !word.is_empty()).collect();
    let named = before.iter().position(|word| is_name(word, 5) || is_latin_name(word));
    let mut receiver = named.map(|at| before.remove(at));
    // Without a name in front, a short last word is one; the first belongs to the street.
    let last = after.last().filter(|last| after.len() > 1 && is_name(last, 4) && !is_street(last)).copied();
    if receiver.is_none() && last.is_some() {
        receiver = after.pop();
    }
    after.extend(before);
    Address {
        receiver: receiver.unwrap_or_default().to_owned(),
        phone,
        province: place.province.to_owned(),
        city: place.city.unwrap_or_default().to_owned(),
        district: place.district.unwrap_or_default().to_owned(),
        detail: after.join(" "),
        postcode: String::new(),
    }
}

fn nowhere() -> Address {
    let (receiver, phone, province, city, district, detail, postcode) = Default::default();
    Address { receiver, phone, province, city, district, detail, postcode }
}

/// Narrow signs, one blank between parts, and without what only names them.
fn plain(text: &str) -> String {
    let narrow = bare(&text.replace(['\n', '\r', '\t'], " "));
    let mut text = narrow.replace(['，', ',', '；', ';', '、', '|', '/', '。'], " ");
    for label in LABELS {
        for sign in [":", "："] {
            text = text.replace(&format!("{label}{sign}"), " ");
        }
        let words = text.split(' ').map(|word| if word == label { "" } else { word }).collect::<Vec<_>>();
        text = words.join(" ");
    }
    text.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A mobile or a fixed number, and the text without it. +86 and what stands between the digits are taken off. When there
/// is none, one of not quite eleven digits is shown as it is, so that its owner sees what is missing.
fn phone(text: &str) -> (String, String) {
    let is_mobile = |number: &str| number.len() == 11 && number.starts_with('1') && !number.starts_with("10");
    let is_fixed = |number: &str| (10..=12).contains(&number.len()) && number.starts_with('0');
    let is_nearly =
        |number: &str| (8..=13).contains(&number.len()) && matches!(number.as_bytes(), [b'1', b'3'..=b'9', ..]);
    let whole = number(text, |found| is_mobile(found) || is_fixed(found));
    match whole.or_else(|| number(text, is_nearly)) {
        // A fixed number keeps the sign behind its area.
        Some((found, written, rest)) => (if is_fixed(&found) { written } else { found }, rest),
        None => (String::new(), text.to_owned()),
    }
}

/// The first number that will do: its digits without 86 in front, as it is written, and the text without it.
fn number(text: &str, will_do: impl Fn(&str) -> bool) -> Option<(String, String, String)> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |at: usize| chars.get(at).is_some_and(char::is_ascii_digit);
    for start in 0..chars.len() {
        if !digit(start) || (start > 0 && digit(start - 1)) {
            continue;
        }
        let (mut digits, mut at) = (String::new(), start);
        while let Some(c) = chars.get(at) {
            match c {
                c if c.is_ascii_digit() => digits.push(*c),
                // One sign between digits, as in 138 0013 8000 and 0571-88001234.
                ' ' | '-' if digit(at + 1) && digits.len() < 13 => {}
                _ => break,
            }
            at += 1;
            if digits.trim_start_matches("86").len() == 11
                && digits.trim_start_matches("86").starts_with('1')
                && !digit(at)
            {
                break;
            }
        }
        let found = match digits.strip_prefix("86") {
            Some(rest) if rest.len() == 11 => rest.to_owned(),
            _ => digits,
        };
        if will_do(&found) {
            let from = if start > 0 && chars[start - 1] == '+' { start - 1 } else { start };
            let rest = chars[..from].iter().chain([&' ']).chain(&chars[at..]).collect();
            return Some((found, chars[start..at].iter().collect(), rest));
        }
    }
    None
}

fn is_name(word: &str, most: usize) -> bool {
    let chinese = word.chars().all(|c| ('\u{4e00}'..='\u{9fa5}').contains(&c) || c == '·');
    (2..=most).contains(&word.chars().count()) && chinese
}

fn is_latin_name(word: &str) -> bool {
    (2..=25).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic())
}

fn is_street(word: &str) -> bool {
    word.ends_with(|c| "路街道号楼室层栋座村镇弄巷园苑区旁边里口".contains(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_address_is_read_and_nothing_in_it_is_guessed() {
        for (text, expected) in [
            (
                "陈建国 13900000002 江苏省苏州市姑苏区平江路66号 花间堂旁",
                ["陈建国", "13900000002", "江苏省", "苏州市", "姑苏区", "平江路66号 花间堂旁"],
            ),
            (
                "收货人：张三，手机号码：138 0013 8000，所在地区：浙江省杭州市西湖区，详细地址：文三路12号",
                ["张三", "13800138000", "浙江省", "杭州市", "西湖区", "文三路12号"],
            ),
            (
                "上海市浦东新区世纪大道100号 李四 +86 13900000002",
                ["李四", "13900000002", "上海市", "上海市", "浦东新区", "世纪大道100号"],
            ),
            (
                "杭州市西湖区文三路 1 号 0571-88001234 钱七",
                ["钱七", "0571-88001234", "浙江省", "杭州市", "西湖区", "文三路 1 号"],
            ),
            (
                "北京朝阳区望京街道1号院\n王五\n13900000002",
                ["王五", "13900000002", "北京市", "北京市", "朝阳区", "望京街道1号院"],
            ),
            (
                "浙江省义乌市稠城街道1号 赵六 １３９００００００２２",
                ["赵六", "13900000022", "浙江省", "金华市", "义乌市", "稠城街道1号"],
            ),
            (
                "陈建国 1390000002 江苏省苏州市姑苏区平江路66号",
                ["陈建国", "1390000002", "江苏省", "苏州市", "姑苏区", "平江路66号"],
            ),
            (
                "Tom 13900000002 四川省成都市武侯区天府大道 1 号",
                ["Tom", "13900000002", "四川省", "成都市", "武侯区", "天府大道 1 号"],
            ),
            ("一段没有地址的话", ["", "", "", "", "", "一段没有地址的话"]),
            ("要两斤苹果 王五 13900000002", ["王五", "13900000002", "", "", "", "要两斤苹果"]),
            ("", ["", "", "", "", "", ""]),
        ] {
            let read = read(text);
            let found = [&read.receiver, &read.phone, &read.province, &read.city, &read.district, &read.detail];
            assert_eq!(found.map(String::as_str), expected, "{text}");
        }
    }
}
