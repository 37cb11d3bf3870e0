//! What people type, paste and scan: in the one form in which it is kept, and bared of what stands around it.

use std::collections::HashMap;
use std::sync::LazyLock;

use icu_normalizer::ComposingNormalizerBorrowed;

/// Composed (NFC), without signs that nobody sees, breaks, tabs and blanks that look like one as blanks, none around.
pub fn clean(text: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let mut kept = String::with_capacity(composed.len());
    let mut chars = composed.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // What holds the parts of one emoji together.
            '\u{200d}' if chars.peek().is_some_and(|next| is_emoji(*next)) => kept.push(c),
            c if is_unseen(c) => {}
            // One break, in two signs.
            '\r' if chars.peek() == Some(&'\n') => {}
            '\u{a0}' | '\u{2002}'..='\u{200a}' | '\u{202f}' | '\u{205f}' => kept.push(' '),
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => kept.push(' '),
            c => kept.push(c),
        }
    }
    kept.trim().to_owned()
}

/// Zero-width signs, marks of direction, soft hyphens, and what is no sign at all.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// The same text as it was meant: wide letters narrow, every kind of blank a blank, every kind of dash a hyphen, nothing
/// that cannot be seen, and without what a spreadsheet protects a text with (`="…"`, an apostrophe).
pub fn bare(text: &str) -> String {
    let seen: String = text.chars().filter_map(seen).collect();
    unwrapped(&seen).to_owned()
}

/// Whether any of these stands in a text.
pub fn holds(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.contains(word))
}

/// The same of words that stand in one text, with blanks between them.
pub fn holds_one_of(text: &str, words: &str) -> bool {
    words.split_ascii_whitespace().any(|word| text.contains(word))
}

/// A whole number as people type it: wide digits are digits. `None` for anything else.
pub fn whole(text: &str) -> Option<i64> {
    bare(text).parse().ok()
}

/// So many signs of what somebody typed are quoted in a sentence about it.
const QUOTED: usize = 20;

/// What stands for a text that may be a key.
const HIDDEN: &str = "（像是密钥的内容，不显示）";

/// The text for whoever configures the program, unless it may be a key.
pub fn told(text: &str) -> &str {
    if may_be_key(text) { HIDDEN } else { text }
}

/// 「…」 for a sentence about a part of what was typed: cut short, and nothing of what may be a key.
pub fn quoted(text: &str) -> String {
    if may_be_key(text) {
        return HIDDEN.to_owned();
    }
    let seen = clean(text);
    let short: String = seen.chars().take(QUOTED).collect();
    let more = if short.len() < seen.len() { "…" } else { "" };
    format!("「{short}{more}」")
}

/// Whether a text may hold a key, a token or a good part of one, told by its form alone: whatever field it stands in, it is
/// not shown and not written down. A name, an address or a sentence of people's has no such run of signs in it.
pub fn may_be_key(text: &str) -> bool {
    let text = without_addresses(&bare(text));
    let alone = text.len() == 32 && text.bytes().all(|b| b.is_ascii_graphic()) && !text.contains([':', '/', '@']);
    alone || text.contains("-BEGIN ") || text.contains("PRIVATE KEY") || text.split(|c| !in_token(c)).any(is_token)
}

/// Without the addresses of pages: those have such runs of signs too, and are there to be read. Whoever knows a robot's
/// address speaks in its name.
fn without_addresses(text: &str) -> String {
    const ROBOTS: [&str; 3] = ["//qyapi.weixin.qq.com/", "//open.feishu.cn/", "//oapi.dingtalk.com/"];
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = ["https://", "http://"].iter().filter_map(|start| rest.find(start)).min() {
        let (before, address) = rest.split_at(at);
        let (address, after) = address.split_at(address.find(|c: char| !c.is_ascii_graphic()).unwrap_or(address.len()));
        kept.push_str(before);
        if ROBOTS.iter().any(|robot| address.contains(robot)) {
            kept.push_str(address);
        }
        rest = after;
    }
    kept + rest
}

/// The signs of Base64, of both its alphabets.
fn in_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "+/-_".contains(c)
}

/// A run without a gap that nobody writes by hand: too long for a word, or of every kind of sign in turn.
fn is_token(run: &str) -> bool {
    let any = |kind: fn(&u8) -> bool| run.bytes().any(|b| kind(&b));
    let mixed = any(u8::is_ascii_lowercase) && any(u8::is_ascii_uppercase) && any(u8::is_ascii_digit);
    let uuid =
        run.len() == 36 && run.matches('-').count() == 4 && run.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    // A number of 28 digits is WeChat's for a payment; a key of digits has 32.
    let long = |word: &str| word.len() >= 28 && (word.len() == 32 || word.bytes().any(|b| b.is_ascii_alphabetic()));
    (mixed && run.len() >= 22) || uuid || run.split(['/', '-', '_']).any(long)
}

fn seen(c: char) -> Option<char> {
    Some(match c {
        c if is_unseen(c) => return None,
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0)?,
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' => '-',
        c if c.is_whitespace() || c.is_control() => ' ',
        c => c,
    })
}

/// The traditional signs in headings and in the names of parcel services, each with the simplified one.
const TRADITIONAL: [(char, char); 85] = [
    ('稱', '称'),
    ('價', '价'),
    ('庫', '库'),
    ('規', '规'),
    ('類', '类'),
    ('貨', '货'),
    ('號', '号'),
    ('單', '单'),
    ('訂', '订'),
    ('遞', '递'),
    ('運', '运'),
    ('編', '编'),
    ('碼', '码'),
    ('條', '条'),
    ('數', '数'),
    ('圖', '图'),
    ('標', '标'),
    ('題', '题'),
    ('狀', '状'),
    ('態', '态'),
    ('線', '线'),
    ('劃', '划'),
    ('賣', '卖'),
    ('點', '点'),
    ('顏', '颜'),
    ('產', '产'),
    ('現', '现'),
    ('總', '总'),
    ('實', '实'),
    ('際', '际'),
    ('餘', '余'),
    ('順', '顺'),
    ('豐', '丰'),
    ('圓', '圆'),
    ('韻', '韵'),
    ('達', '达'),
    ('極', '极'),
    ('郵', '邮'),
    ('國', '国'),
    ('儲', '储'),
    ('華', '华'),
    ('東', '东'),
    ('聯', '联'),
    ('蘇', '苏'),
    ('寧', '宁'),
    ('眾', '众'),
    ('鳥', '鸟'),
    ('樂', '乐'),
    ('車', '车'),
    ('貓', '猫'),
    ('專', '专'),
    ('備', '备'),
    ('註', '注'),
    ('寶', '宝'),
    ('貝', '贝'),
    ('門', '门'),
    ('區', '区'),
    ('縣', '县'),
    ('廣', '广'),
    ('雲', '云'),
    ('貴', '贵'),
    ('陝', '陕'),
    ('肅', '肃'),
    ('遼', '辽'),
    ('龍', '龙'),
    ('慶', '庆'),
    ('內', '内'),
    ('灣', '湾'),
    ('臺', '台'),
    ('島', '岛'),
    ('濱', '滨'),
    ('鄉', '乡'),
    ('鎮', '镇'),
    ('陽', '阳'),
    ('爾', '尔'),
    ('維', '维'),
    ('吳', '吴'),
    ('漢', '汉'),
    ('齊', '齐'),
    ('魯', '鲁'),
    ('烏', '乌'),
    ('長', '长'),
    ('連', '连'),
    ('園', '园'),
    ('頭', '头'),
];

/// In the script of the mainland, as far as headings and names of parcel services need it.
pub fn simplified(text: &str) -> String {
    static PLAIN: LazyLock<HashMap<char, char>> = LazyLock::new(|| TRADITIONAL.iter().copied().collect());
    text.chars().map(|c| PLAIN.get(&c).copied().unwrap_or(c)).collect()
}

/// As words are looked for in it: what was meant, in the mainland's script and in small letters.
pub fn plain(text: &str) -> String {
    simplified(&bare(text)).to_lowercase()
}

/// Without whose words they are: `小王：已核对`.
pub fn unsigned(text: &str) -> &str {
    const MOST_OF_A_NAME: usize = 8;
    match text.split_once([':', '：']) {
        Some((who, said)) if who.chars().count() <= MOST_OF_A_NAME => said,
        _ => text,
    }
}

/// What stands between the signs of a text.
pub fn clauses(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|clause| !clause.is_empty())
}

fn unwrapped(text: &str) -> &str {
    let text = text.trim();
    let formula = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"'));
    let quoted = [('"', '"'), ('“', '”'), ('\'', '\''), ('‘', '’'), ('「', '」')];
    let inner = quoted.iter().find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close));
    let protected = text.strip_prefix(['\'', '‘', '’', '`']);
    match formula.or(inner).or(protected) {
        Some(inner) => unwrapped(inner),
        None => text,
    }
}

/// Whether these are digits of which the last one checks the others, as on all goods. Source: GS1, EAN-8, UPC-A, EAN-13.
pub fn checks(digits: &str) -> bool {
    let weight = |(i, b): (usize, u8)| u32::from(b - b'0') * if i % 2 == 0 { 1 } else { 3 };
    !digits.is_empty()
        && digits.bytes().all(|b| b.is_ascii_digit())
        && digits.bytes().rev().enumerate().map(weight).sum::<u32>() % 10 == 0
}

/// Whether text is what a spreadsheet leaves of a long number once it was saved as `7.53123E+13`: zeros in the place of its last digits.
pub fn is_rounded(text: &str) -> bool {
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    digits && (12..=15).contains(&text.len()) && text.ends_with("000000")
}

/// How long a text may be, in characters. Written out it ends a sentence: `2 到 60 个字`, `最多 200 个字`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Length {
    least: usize,
    most: usize,
}

impl Length {
    pub const fn up_to(most: usize) -> Length {
        Length { least: 0, most }
    }

    pub const fn between(least: usize, most: usize) -> Length {
        Length { least, most }
    }

    pub const fn least(self) -> usize {
        self.least
    }

    pub const fn most(self) -> usize {
        self.most
    }

    pub fn fits(self, text: &str) -> bool {
        (self.least..=self.most).contains(&text.chars().count())
    }

    /// The same of one line: no breaks, nothing that cannot be seen.
    pub fn fits_line(self, text: &str) -> bool {
        self.fits(text) && !text.chars().any(char::is_control)
    }

    /// The same of several lines.
    pub fn fits_lines(self, text: &str) -> bool {
        self.fits(text) && !text.chars().any(|c| c.is_control() && c != '\n')
    }
}

impl std::fmt::Display for Length {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.least {
            0 => write!(f, "最多 {} 个字", self.most),
            least => write!(f, "{least} 到 {} 个字", self.most),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_key_is_told_by_its_form() {
        let base64 = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
        for key in [
            base64,
            &base64[20..44],
            &format!("写错了：{base64}"),
            &format!("{}\n{}", &base64[..32], &base64[32..]),
            &format!("\u{200b}{}\u{200b}{}", &base64[..12], &base64[12..24]),
            "-----BEGIN EC PRIVATE KEY-----",
            "0123456789abcdef0123456789abcdef",
            "密钥0123456789abcdef0123456789abcdef。",
            "abcdefghijklmnopqrstuvwxyzabcdef",
            "12345678901234567890123456789012",
            "Ab3$efgh!jklmnop%rstuvwx*z123456",
            "5157F09EFDC096DE15EBE81A47057A7232F1B8",
            "693a91f6-7123-4bc4-97a0-0ec2bfd3a3a8",
            "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=693a91f6-7123-4bc4-97a0-0ec2bfd3a3a8",
            "看 https://shop.example.com 和 0123456789abcdef0123456789abcdef",
        ] {
            assert!(may_be_key(key), "{key}");
            assert!(!quoted(key).contains(&key[key.len() - 8..]), "{key}");
        }
        for text in [
            "",
            "新疆 西藏:25;乌鲁木齐:30",
            "全场满 99 元包邮，微信号 xiaopu_service_2024",
            "https://wholesale-fruits-in-hangzhou.example.com/shop",
            "怎么吃：https://mp.weixin.qq.com/s/Zk3tQw9LxVb7NcRfYh2MdA，http://example.com/s?sn=0123456789abcdef0123456789abcdef",
            "/mnt/backup/xiaopu/the-second-place",
            "wxd930ea5d5a258f4f",
            "PUB_KEY_ID_0119000000422026110100000077",
            "4200000000202610080000000001",
            "1900000109",
            "shop.of.a.very.long.name@example.com",
        ] {
            assert!(!may_be_key(text), "{text}");
        }
        assert_eq!(quoted("新彊"), "「新彊」");
        assert_eq!(
            quoted("浙江省杭州市西湖区文三路四百七十八号华星时代广场"),
            "「浙江省杭州市西湖区文三路四百七十八号华星…」"
        );
    }

    #[test]
    fn two_names_that_look_the_same_are_the_same() {
        for (typed, kept) in [
            ("零宽\u{200b}名", "零宽名"),
            ("\u{feff}杯子", "杯子"),
            ("多行\n名称\t甲", "多行 名称 甲"),
            ("多行\r\n名称", "多行 名称"),
            ("乙\u{a0}杯\u{202f}大", "乙 杯 大"),
            ("Cafe\u{301}", "Café"),
            ("  杯子\u{3000}", "杯子"),
            ("\u{202e}反", "反"),
            ("👨\u{200d}👩", "👨\u{200d}👩"),
            ("☀\u{fe0f}", "☀\u{fe0f}"),
            ("甲\u{ffff}", "甲"),
        ] {
            assert_eq!(clean(typed), kept, "{typed:?}");
            assert_eq!(clean(kept), kept);
        }
    }

    #[test]
    fn what_stands_around_a_text_falls_off() {
        for text in [
            "SF123",
            " SF123\r\n",
            "ＳＦ１２３",
            "SF\u{200b}123\u{feff}",
            "\u{feff}SF123",
            "SF123\u{a0}",
            "\u{3000}SF123",
            "'SF123",
            "‘SF123",
            "`SF123",
            "=\"SF123\"",
            "\"SF123\"",
            "“SF123”",
            " '=\"SF123\" ",
            "\u{202a}SF123\u{202c}",
        ] {
            assert_eq!(bare(text), "SF123", "{text:?}");
        }
        assert_eq!(bare("1391111–2222"), "1391111-2222");
        assert_eq!(bare("订单号：\u{3000}ＡＢ"), "订单号: AB");
        assert_eq!((bare(""), bare("'"), bare("=\"\"")), Default::default());
    }

    #[test]
    fn a_length_counts_characters_and_says_its_limits() {
        let (memo, reason) = (Length::up_to(3), Length::between(2, 3));
        for (length, text, fits) in [
            (memo, "", true),
            (memo, "放门口", true),
            (memo, "放在门口", false),
            (reason, "错", false),
            (reason, "错了", true),
            (reason, "错\t了", false),
        ] {
            assert_eq!(length.fits_line(text), fits, "{length}: {text}");
        }
        assert!(memo.fits_lines("一\n二") && !memo.fits_line("一\n二"));
        assert_eq!((memo.to_string(), reason.to_string()), ("最多 3 个字".to_owned(), "2 到 3 个字".to_owned()));
    }
}
