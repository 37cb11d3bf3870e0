//! Who carries parcels, and which service people mean by what they write: the most exact name first, and never a guess
//! in the place of what was written.

use std::collections::HashMap;
use std::fmt;
use std::sync::OnceLock;

use super::number::TrackingNo;
use crate::places;
use crate::typed::{bare, simplified};
use crate::wechat::carriers as wechat;

/// A parcel service: WeChat's code for it, and its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Carrier {
    pub code: String,
    pub name: String,
}

impl Carrier {
    /// One of WeChat's list.
    pub fn known(code: &str) -> Carrier {
        Carrier { code: code.to_owned(), name: name_of(code).to_owned() }
    }
}

/// WeChat's code for a service that its list has not; the name says which.
pub const OTHER: &str = "OTHER";

/// Those that most shops use, first in every list to choose from, with the names that people have for them besides
/// WeChat's. A name means one service alone: `快运` and `国际` are services of their own.
const USUAL: &[(&str, &[&str])] = &[
    (
        "SF",
        &[
            "顺丰",
            "顺丰快递",
            "顺丰速递",
            "顺丰快件",
            // What it sells under this code.
            "顺丰标快",
            "顺丰特快",
            "顺丰特惠",
            "顺丰陆运",
            "顺丰空运",
            "顺丰次晨",
            "顺丰次日",
            "顺丰次日达",
            "顺丰隔日",
            "顺丰隔日达",
            "顺丰即日",
            "顺丰即日达",
            "顺丰电商标快",
            "sfexpress",
            "shunfeng",
        ],
    ),
    ("ZTO", &["中通", "中通速递", "中通速运", "中通标快", "ztoexpress", "zhongtong"]),
    ("YTO", &["圆通", "圆通快递", "圆通速运", "ytoexpress", "yuantong"]),
    ("STO", &["申通", "申通速递", "申通e物流", "申通快递e物流", "stoexpress", "shentong"]),
    ("YD", &["韵达", "韵达快递", "韵达速运", "yunda", "yundaexpress"]),
    ("JTSD", &["极兔", "极兔快递", "极兔速运", "j&t", "jt", "jtexpress", "j&texpress", "jitu"]),
    (
        "JD",
        &[
            "京东",
            "京东物流",
            "京东速递",
            "京东配送",
            "京东标快",
            "京东特快",
            "京东特快送",
            "京东特惠送",
            "jdl",
            "jd物流",
            "jd快递",
            "京东物流快递",
            "京东自营",
            "jdexpress",
            "jingdong",
        ],
    ),
    (
        "EMS",
        &[
            "邮政ems",
            "中国邮政ems",
            "中国邮政速递",
            "邮政速递",
            "特快专递",
            "邮政特快专递",
            "邮政特快",
            "ems快递",
            "ems特快专递",
            "ems特快",
            "ems标快",
            "ems标准快递",
            "ems经济快递",
            "邮政ems标准快递",
            "邮政ems经济快递",
            "eyb",
            "邮政ems快递",
            "中国邮政特快专递",
            "中国邮政速递物流",
            "邮政速递物流",
        ],
    ),
    (
        "YZPY",
        &[
            "邮政",
            "中国邮政",
            "邮政快递",
            "邮政小包",
            "邮政国内小包",
            "邮政包裹",
            "邮政国内包裹",
            "邮政普通包裹",
            "邮政普包",
            "邮政平邮",
            "快递包裹",
            "中国邮政快递",
            "中国邮政快递包裹",
            "postb",
            "youzhengguonei",
            "yzxb",
        ],
    ),
    ("DBL", &["德邦", "德邦速递", "德邦大件", "德邦标准快递", "dbkd", "deppon", "debangkuaidi"]),
    ("YZBK", &["youzhengbk", "邮政标快", "国内标快", "邮政快递标快"]),
    ("DNWL", &["丹鸟", "丹鸟快递", "菜鸟", "菜鸟速递", "菜鸟快递", "菜鸟速递(丹鸟)", "danniao", "cainiao"]),
    ("FWX", &["丰网", "丰网快递", "fengwang"]),
    ("ZYE", &["众邮", "众邮速递"]),
    ("HTKY", &["百世", "百世汇通", "百世汇通快递", "汇通快递", "huitongkuaidi"]),
    ("UC", &["优速", "优速物流", "youshuwuliu"]),
    ("ZJS", &["宅急送快递", "zhaijisong"]),
    ("KYSY", &["跨越", "跨越快递", "跨越物流", "kuayue"]),
    ("ANEKY", &["安能", "安能快运", "安能快递", "annengwuliu"]),
    ("SNWL", &["苏宁", "苏宁快递", "suning"]),
    ("SURE", &["速尔", "速尔物流"]),
    ("JGSD", &["京广", "京广快递"]),
    ("CND", &["承诺达特快"]),
    ("SS", &["闪送同城"]),
    ("ZTOKY", &["中通物流", "zhongtongkuaiyun"]),
    ("YDKY", &["韵达物流"]),
    ("BTWL", &["百世物流"]),
    ("DBLKY", &["debangwuliu"]),
    ("JDKY", &["jingdongkuaiyun"]),
    ("SX", &["顺心", "顺心捷达快运"]),
    ("YMDD", &["壹米滴答快运", "一米滴答", "yimidida"]),
    ("RRS", &["日日顺"]),
    ("JYM", &["加运美快递", "加运美速递"]),
    ("HOAU", &["天地华宇物流"]),
    ("ANNTO", &["安得", "安得智联"]),
    ("SFB2C", &["顺丰国际快递"]),
    ("DHL", &["敦豪"]),
    ("UPS", &[]),
    ("FEDEX", &[]),
];

/// Names that several services share, so that each of them would be a guess.
const SHARED: &[(&str, &[&str])] = &[
    ("联邦", &["FEDEX", "FEDEX_GJ"]),
    ("联邦快递", &["FEDEX", "FEDEX_GJ"]),
    ("fedex", &["FEDEX", "FEDEX_GJ"]),
    ("fedex联邦", &["FEDEX", "FEDEX_GJ"]),
    ("fedex联邦快递", &["FEDEX", "FEDEX_GJ"]),
];

fn shared(name: &str) -> Option<&'static [&'static str]> {
    SHARED.iter().find(|(known, _)| *known == name).map(|(_, codes)| *codes)
}

/// Houses that carry parcels although WeChat's list has no entry for them.
const ELSEWHERE: &[&str] = &[
    "天天快递",
    "天天",
    "国通快递",
    "国通",
    "全峰快递",
    "全峰",
    "快捷快递",
    "中铁快运",
    "顺丰快运",
    "顺丰同城",
    "顺丰同城急送",
    "达达",
    "达达快送",
    "美团配送",
    "货拉拉",
];

/// Words that say nothing of which service is meant.
const NEUTRAL: &[&str] = &[
    "股份有限公司",
    "有限责任公司",
    "有限公司",
    "集团",
    "公司",
    "总部",
    "电子面单",
    "热敏面单",
    "热敏",
    "官方",
    "月结",
    "寄付",
    "到付",
    "包邮",
    "加盟",
    "直营",
    "常规",
];

/// What is written where nobody is named.
const NOBODY: &[&str] =
    &["", "快递", "物流", "普通快递", "标准快递", "默认快递", "快递配送", "快递发货", "包邮", "不限", "默认", "待定"];

/// Whether these words name no service at all: then it is as if nothing were written.
pub fn says_nobody(written: &str) -> bool {
    NOBODY.contains(&key(written).as_str())
}

/// What WeChat calls a service. A code that the program does not know stands for itself.
pub fn name_of(code: &str) -> &str {
    by_code().get(code).copied().unwrap_or(code)
}

fn by_code() -> &'static HashMap<&'static str, &'static str> {
    static CODES: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    CODES.get_or_init(|| wechat::list().collect())
}

fn by_capitals() -> &'static HashMap<String, &'static str> {
    static CODES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    CODES.get_or_init(|| wechat::list().map(|(code, _)| (code.to_ascii_uppercase(), code)).collect())
}

/// What every name means, by its key.
fn by_name() -> &'static HashMap<String, &'static str> {
    static NAMES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let mut names = HashMap::new();
        for (code, name) in wechat::list() {
            for name in std::iter::once(name).chain(name.split('/')).map(key) {
                // So few letters are somebody's own short word, unless they are usual.
                if !name.is_ascii() || name.len() > 3 {
                    names.entry(name).or_insert(code);
                }
            }
        }
        for (code, others) in USUAL {
            names.extend(others.iter().map(|name| (key(name), *code)));
        }
        names
    })
}

/// The same of houses that WeChat's list has not.
fn by_name_elsewhere() -> &'static HashMap<String, &'static str> {
    static NAMES: OnceLock<HashMap<String, &'static str>> = OnceLock::new();
    NAMES.get_or_init(|| ELSEWHERE.iter().map(|name| (key(name), *name)).collect())
}

/// A name as it is compared: without blanks, brackets and points, in small letters.
fn key(name: &str) -> String {
    let kept = |c: &char| !matches!(c, ' ' | '(' | ')' | '（' | '）' | '[' | ']' | '【' | '】' | '·' | '.' | '-' | '_');
    simplified(&bare(name)).chars().filter(kept).flat_map(char::to_lowercase).collect()
}

/// Nobody of this name is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unknown {
    pub written: String,
    /// Names that are like it.
    pub near: Vec<String>,
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if is_bare_other(&self.written) {
            return write!(f, "「{}」是哪一家？请写上名字，例如 其他：飞毛腿", self.written);
        }
        if shared(&key(&self.written)).is_some() {
            return write!(f, "「{}」有几种：请写明是 {}", self.written, self.near.join(" 还是 "));
        }
        write!(f, "不认识快递公司「{}」", self.written)?;
        if !self.near.is_empty() {
            write!(f, "，相近的有：{}", self.near.join("、"))?;
        }
        write!(f, "。请从列表中选择，或写成“其他：{}”", self.written)
    }
}

/// The services: WeChat's list as it came with the program, and what WeChat has added to it since.
#[derive(Clone, Debug, Default)]
pub struct Carriers {
    pub added: Vec<Carrier>,
}

impl Carriers {
    /// The service that people mean by this: its code, its name, one of its usual names, or another with a name of its own.
    pub fn named(&self, written: &str) -> Result<Carrier, Unknown> {
        let written = bare(written);
        self.find(&written).ok_or_else(|| Unknown { near: self.near(&written), written })
    }

    /// The same without a word on names that are like it, which takes a while.
    pub fn known(&self, written: &str) -> Option<Carrier> {
        self.find(&bare(written))
    }

    /// Whether people mean a service by this.
    pub fn knows(&self, written: &str) -> bool {
        self.known(written).is_some()
    }

    fn find(&self, written: &str) -> Option<Carrier> {
        // A house of the list is that house, whatever stands before its name.
        let other = || other(written).map(|other| self.exactly(shortened(&other.name)).unwrap_or(other));
        let found = self.exactly(written).or_else(other).or_else(|| {
            let short = shortened(written);
            (short != written).then(|| self.exactly(short))?
        });
        found
            .or_else(|| self.twice(written))
            .or_else(|| {
                let shorter = std::iter::successors(placed(written), |written| placed(written));
                shorter.map(shortened).find_map(|name| self.exactly(name))
            })
            .or_else(|| self.exactly(shortened(counted(written)?)))
            .or_else(|| self.in_a_place(written))
            .or_else(|| {
                let (origin, name) =
                    written.strip_prefix(['[', '【', '(', '（'])?.split_once([']', '】', ')', '）'])?;
                let known = ORIGINS.contains(&origin.trim()) || origin.ends_with("面单") || origin.ends_with('仓');
                known.then(|| self.find(name.trim()))?
            })
    }

    fn exactly(&self, written: &str) -> Option<Carrier> {
        // A code is written in capitals; in small letters it is a name like any other.
        if written.is_empty()
            || is_bare_other(written)
            || shared(&key(written)).is_some() && by_code().get(written).is_none()
        {
            return None;
        }
        // Of a code that few people know the small letters are somebody's own short word: `st`, `zt`.
        let as_written = by_code().contains_key(written).then_some(written);
        let usual = || {
            let code = *by_capitals().get(&written.to_ascii_uppercase())?;
            let capitals = !written.bytes().any(|b| b.is_ascii_lowercase());
            (capitals || USUAL.iter().any(|(usual, _)| *usual == code)).then_some(code)
        };
        if let Some(code) = as_written.or_else(usual) {
            return Some(Carrier::known(code));
        }
        let wanted = key(written);
        let added = |c: &&Carrier| c.code.eq_ignore_ascii_case(written) || key(&c.name) == wanted;
        let elsewhere = || by_name_elsewhere().get(&wanted);
        by_name()
            .get(&wanted)
            .map(|code| Carrier::known(code))
            .or_else(|| self.added.iter().find(added).cloned())
            .or_else(|| elsewhere().map(|name| Carrier { code: OTHER.to_owned(), name: (*name).to_owned() }))
    }

    /// `中通快递（杭州）`, `申通-浙江`: its house there.
    fn in_a_place(&self, written: &str) -> Option<Carrier> {
        const MOST_LETTERS: usize = 8;
        let written = written.trim_end_matches([')', '）', ' ']);
        let (name, place) = written.rsplit_once(['-', '_', '(', '（', '·', ' '])?;
        let carrier = self.exactly(shortened(name.trim_end_matches(['-', '_', ' '])))?;
        (place.chars().count() <= MOST_LETTERS && places::is_place(place)).then_some(carrier)
    }

    /// `SF 顺丰速运`, `中通快递(ZTO)`: a name and a code that mean the same.
    fn twice(&self, written: &str) -> Option<Carrier> {
        let latin = |c: char| c.is_ascii_alphanumeric() || c == '&';
        let code: String = written.chars().filter(|c| latin(*c)).collect();
        let name: String = written.chars().filter(|c| !latin(*c)).collect();
        let (code, name) = (self.exactly(&code)?, self.exactly(shortened(&name))?);
        (code == name).then_some(name)
    }

    /// Up to four names that stand in this one, or begin as it does. Latin names are alike only in more letters.
    fn near(&self, written: &str) -> Vec<String> {
        let written = key(written);
        if let Some(codes) = shared(&written) {
            return codes.iter().map(|code| name_of(code).to_owned()).collect();
        }
        let letters = if written.is_ascii() { 4 } else { 2 };
        let head: String = written.chars().take(letters).collect();
        if head.chars().count() < letters {
            return Vec::new();
        }
        let usual = || USUAL.iter().map(|(code, others)| (name_of(code), others));
        let within = |name: &str| !name.is_ascii() && written.contains(&key(name));
        let inside = usual().filter(|(name, others)| within(name) || others.iter().any(|other| within(other)));
        let names = usual().map(|(name, _)| name).chain(wechat::list().map(|(_, name)| name));
        let names = names.chain(self.added.iter().map(|c| c.name.as_str())).filter(|name| key(name).starts_with(&head));
        let mut near: Vec<String> = Vec::new();
        for name in inside.map(|(name, _)| name).chain(names) {
            if !near.iter().any(|known| known == name) {
                near.push(name.to_owned());
            }
            if near.len() == 4 {
                break;
            }
        }
        near
    }

    /// What forms offer: those that most shops use, then what WeChat has added.
    pub fn offered(&self) -> Vec<Carrier> {
        let usual = USUAL.iter().map(|(code, _)| Carrier::known(code));
        // To be written on.
        let other = Carrier { code: OTHER.to_owned(), name: format!("{}：", name_of(OTHER)) };
        usual.chain([other]).chain(self.added.iter().cloned()).collect()
    }
}

/// None of the list, and no name: buyers could not find their parcel.
fn is_bare_other(written: &str) -> bool {
    let name = key(written).replace(['：', ':', '/'], "");
    ["其他", "其它", "other"].iter().any(|word| {
        let rest = name.strip_prefix(word);
        rest.is_some_and(|rest| ["", "快递", "快递公司", "物流", "物流公司", "公司"].contains(&rest))
    })
}

/// `其他：飞毛腿`, `其它(飞毛腿)`: none of the list, under the name that buyers will read.
fn other(written: &str) -> Option<Carrier> {
    let lower = written.to_lowercase();
    let rest =
        ["其他", "其它", "other"].iter().find_map(|word| lower.starts_with(word).then(|| &written[word.len()..]))?;
    let signs = [':', '(', ')', '（', '）', ' ', '-', '/'];
    let stripped = ["快递公司", "快递", "物流", "公司"].iter().find_map(|word| rest.strip_prefix(word));
    let name = stripped.unwrap_or(rest).trim_matches(signs);
    let number = name.bytes().filter(u8::is_ascii_digit).count() >= 6;
    let is_name = !says_nobody(name) && !number && name.chars().count() <= 20;
    is_name.then(|| Carrier { code: OTHER.to_owned(), name: name.to_owned() })
}

/// Without what says nothing of the service: `有限公司` at the end.
fn shortened(written: &str) -> &str {
    let mut short = written.trim();
    while let Some(rest) = NEUTRAL.iter().find_map(|word| short.trim_end_matches([')', ' ']).strip_suffix(word)) {
        short = rest.trim_end_matches([' ', '-', '(', '（']);
    }
    short
}

/// Without what says by whom or how cheaply, behind a sign or at the end: the house's own warehouse or branch
/// (`申通快递-杭州仓`, `圆通（西湖网点）`), where the order came from (`韵达（淘系）`), the kind of service (`EMS-经济`).
fn placed(written: &str) -> Option<&str> {
    const PLACES: [&str; 11] =
        ["仓", "仓库", "网点", "分公司", "营业部", "营业厅", "分部", "门店", "站点", "账号", "面单"];
    let written = written.trim_end_matches([')', '）', ' ']);
    if let Some((name, behind)) = written.rsplit_once(['-', '_', '(', '（', '/', '·', ' '])
        && (PLACES.iter().any(|end| behind.ends_with(end))
            || ORIGINS.contains(&behind)
            || KINDS.contains(&behind.trim_end_matches("快递")))
    {
        return Some(name.trim_end_matches(['-', '_', ' ']));
    }
    ORIGINS.iter().find_map(|origin| written.strip_suffix(origin))
}

/// Where orders come from, as programs that print labels write it behind the service.
const ORIGINS: &[&str] =
    &["菜鸟", "淘系", "淘宝", "天猫", "拼多多", "抖音", "抖店", "快手", "小红书", "视频号", "有赞", "微店", "唯品会"];

/// Kinds of one service that have no code of their own.
const KINDS: &[&str] = &[
    "普通",
    "标快",
    "标准",
    "特惠",
    "特惠送",
    "特快",
    "特快送",
    "经济",
    "小包",
    "小件",
    "普快",
    "陆运",
    "空运",
    "次日达",
    "隔日达",
];

/// Without the number or letter of one of several accounts: `申通2`, `圆通1号`, `中通A`.
fn counted(written: &str) -> Option<&str> {
    let name = written.trim_end_matches('号').trim_end_matches(|c: char| c.is_ascii_alphanumeric());
    let count = written[name.len()..].trim_end_matches('号');
    ((1..=2).contains(&count.len()) && name.chars().last().is_some_and(|c| !c.is_ascii())).then_some(name)
}

/// Whose number this looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Guess {
    pub code: &'static str,
    /// Nobody else is known to use such numbers.
    pub sure: bool,
}

/// How it is known who carries a parcel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Somebody said it.
    Said,
    /// Its number does, and nobody else's looks like it.
    Number,
    /// Somebody said it of the last number that looked like this one.
    Memory,
    /// Its number looks like theirs.
    Guess,
}

/// Whether a name is that of the post as a whole, of which the number says the service.
pub fn says_the_post(written: &str) -> bool {
    ["邮政", "中国邮政", "邮局", "中国邮政集团", "中国邮政集团公司", "中国邮政集团有限公司"]
        .contains(&bare(written).as_str())
}

/// Whose number this looks like. Services publish no ranges: it is a suggestion where nobody has said who carries it.
pub fn recognise(number: &TrackingNo) -> Option<Guess> {
    let number = number.as_str();
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    let starts = |heads: &[&str]| heads.iter().any(|head| number.starts_with(head));
    let sure = |code| Some(Guess { code, sure: true });
    let maybe = |code| Some(Guess { code, sure: false });
    match (digits, number.len()) {
        (false, _) if starts(&["SF"]) => sure("SF"),
        (false, _) if starts(&["YT"]) => sure("YTO"),
        (false, _) if starts(&["JT"]) => sure("JTSD"),
        (false, _) if starts(&["JD"]) => sure("JD"),
        (false, _) if starts(&["DPK", "DPL"]) => sure("DBL"),
        (false, _) if starts(&["KYE"]) => sure("KYSY"),
        (false, 13) if starts(&["E"]) && number.ends_with("CN") => sure("EMS"),
        (true, 13) if starts(&["10", "11"]) => sure("EMS"),
        (true, 13) if starts(&["97", "98", "99"]) => sure("YZPY"),
        (true, 14) if starts(&["73", "75", "76", "78"]) => sure("ZTO"),
        (true, 15) if starts(&["77", "66", "55", "88"]) => sure("STO"),
        (true, 15) if starts(&["31", "43", "46", "47"]) => sure("YD"),
        (true, 14) if starts(&["74", "77", "79"]) => maybe("ZTO"),
        (true, 13) if starts(&["12"]) => maybe("EMS"),
        (true, 13) if starts(&["3", "4", "5"]) => maybe("YD"),
        _ => None,
    }
}

/// Whose number this surely is, when it is not that of the service which was named, nor of its house.
pub fn anothers(named: &Carrier, number: &TrackingNo) -> Option<Carrier> {
    let whose = Carrier::known(recognise(number).filter(|guess| guess.sure)?.code);
    // It has taken over the parcels of the other.
    let taken_over = whose.code == "JTSD" && named.code == "HTKY";
    (!same_house(&whose, named) && !taken_over).then_some(whose)
}

/// Whether two services are of one house, under whatever name of it.
pub fn same_house(one: &Carrier, other: &Carrier) -> bool {
    const POST: [&str; 3] = ["EMS", "YZPY", "YZBK"];
    let house = |name: &str| name.chars().take(2).collect::<String>();
    let post = [one, other].iter().all(|carrier| POST.contains(&carrier.code.as_str()));
    house(&one.name) == house(&other.name) || post
}

/// Whether a service can have given out such a number. Services publish no forms: of those of which nobody knows them any
/// number may be theirs, but for one that another program makes of its own letters and the day.
pub fn could_carry(named: &Carrier, number: &TrackingNo) -> bool {
    let number = number.as_str();
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let plain = |lengths: &[usize]| digits(number) && lengths.contains(&number.len());
    let headed = |head: &str, lengths: &[usize]| {
        number.strip_prefix(head).is_some_and(|rest| digits(rest) && lengths.contains(&rest.len()))
    };
    let long = number.bytes().filter(u8::is_ascii_digit).count() >= 8;
    if has_new_head(number) {
        return true;
    }
    match named.code.as_str() {
        "SF" => headed("SF", &[12, 13]) || plain(&[12, 13]),
        "ZTO" => plain(&[12, 13, 14, 15]) || headed("ZT", &[10, 11, 12, 13, 14]) || headed("ZTO", &[10, 11, 12, 13]),
        "YTO" => headed("YT", &[10, 11, 12, 13, 14, 15, 16]) || plain(&[10, 12, 13, 18]) || with_one_letter(number),
        "STO" => plain(&[12, 13, 14, 15, 16]) || headed("STO", &[10, 11, 12, 13]),
        "YD" => plain(&[13, 15]) || headed("YD", &[11, 12, 13, 15]),
        "JTSD" => headed("JT", &[13]) || plain(&[12, 13, 14, 15]),
        "JD" => (number.starts_with("JD") || number.starts_with('V')) && long || plain(&[9, 10, 11, 12, 13, 14, 15]),
        "DBL" => number.starts_with("DP") && long || digits(number) && (8..=15).contains(&number.len()),
        "KYSY" => long && (digits(number) || ["KY", "SKY"].iter().any(|head| number.starts_with(head))),
        "EMS" | "YZPY" | "YZBK" => number.len() == 13 && long || plain(&[11, 12, 13, 14]),
        OTHER => true,
        _ => !is_dated(number),
    }
}

/// Whether a number that is known by how it begins is as long as those of its service are today.
pub fn is_usual_of(named: &Carrier, number: &TrackingNo) -> bool {
    let text = number.as_str();
    let headed = |head: &str, length: usize| !text.starts_with(head) || text.len() == head.len() + length;
    let digits = text.bytes().all(|b| b.is_ascii_digit());
    let begun = |heads: &[&str], length: usize| {
        !digits || !heads.iter().any(|head| text.starts_with(head)) || text.len() == length
    };
    could_carry(named, number)
        && match named.code.as_str() {
            "SF" => headed("SF", 13),
            "YTO" => headed("YT", 13),
            "JTSD" => headed("JT", 13),
            "JD" => headed("JD", 13),
            "ZTO" => begun(&["73", "75", "76", "78"], 14),
            "STO" => begun(&["77"], 15),
            "EMS" => begun(&["11"], 13),
            "YZPY" => begun(&["98"], 13),
            _ => true,
        }
}

/// `D12345678901`, as it was.
fn with_one_letter(number: &str) -> bool {
    number.len() <= 13 && number.len() >= 10 && number[1..].bytes().all(|b| b.is_ascii_digit())
}

/// A letter that no service is known to write in front, and digits enough: services take new ones as they like.
fn has_new_head(number: &str) -> bool {
    const TAKEN: &[u8] = b"DEJKSVYZ";
    let (head, rest) = number.split_at(number.len().min(1));
    let digits = rest.bytes().all(|b| b.is_ascii_digit());
    head.bytes().all(|b| b.is_ascii_uppercase() && !TAKEN.contains(&b))
        && digits
        && (10..=15).contains(&rest.len())
        && !is_dated(number)
}

/// A few letters and the day: `PC20261129…`, `XSCK-20261129-…`.
fn is_dated(number: &str) -> bool {
    let letters = number.bytes().take_while(u8::is_ascii_alphabetic).count();
    let day = number[letters..].trim_start_matches('-').get(..8).filter(|day| day.bytes().all(|b| b.is_ascii_digit()));
    let fits = |day: &str| {
        let part = |from: usize, to: usize| day[from..to].parse::<u32>().unwrap_or_default();
        (2015..=2045).contains(&part(0, 4)) && (1..=12).contains(&part(4, 6)) && (1..=31).contains(&part(6, 8))
    };
    letters > 0 && day.is_some_and(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_surely_another_services() {
        for (named, number, whose) in [
            ("圆通", "SF1234567890123", Some("SF")),
            ("京东", "SF1234567890123", Some("SF")),
            ("顺丰", "YT8812345678901", Some("YTO")),
            ("中通", "JDVA12345678901", Some("JD")),
            ("圆通", "75312345678901", Some("ZTO")),
            ("其他：飞毛腿", "SF1234567890123", Some("SF")),
            ("顺丰", "SF1234567890123", None),
            ("顺丰国际", "SF1234567890123", None),
            ("其他：顺丰同城", "SF1234567890123", None),
            ("京东快运", "JDVA12345678901", None),
            ("邮政", "1101234567890", None),
            ("EMS", "9801234567890", None),
            ("百世快递", "JT5012345678901", None),
            // Only likely, or nobody's.
            ("圆通", "74312345678901", None),
            ("圆通", "880012345678", None),
        ] {
            let carrier = Carriers::default().named(named).unwrap();
            let found = anothers(&carrier, &TrackingNo::read(number).unwrap());
            assert_eq!(found.map(|carrier| carrier.code).as_deref(), whose, "{named} {number}");
        }
    }

    #[test]
    fn a_number_has_the_form_of_its_service_or_has_not() {
        for (named, fitting, others) in [
            (
                "顺丰",
                &["SF1234567890123", "SF123456789012", "123456789012"][..],
                &["SF12345678901", "SF123456789012345", "PC202611290001", "100234", "SFO234567890123"][..],
            ),
            (
                "中通",
                &["75312345678901", "881234567890", "631234567890123", "ZT123456789012"],
                &["7531234567", "PC202611290001", "7531234560OO01", "7531234S600001", "XSCK-20261129-0001"],
            ),
            (
                "圆通",
                &["YT8812345678901", "YT2512345678901", "881234567890", "D12345678901"],
                &["YTO8812345678", "BG202611290001", "100234"],
            ),
            ("韵达", &["463123456789012", "3123456789012"], &["43123456789012", "YT8812345678901"]),
            ("申通", &["773123456789012", "220123456789", "3301234567890"], &["CK202611290001", "7731234567"]),
            ("极兔", &["JT5012345678901", "830123456789"], &["JT12345678901", "DD202611290001"]),
            ("京东", &["JDVA12345678901", "JD0123456789012", "VC12345678901"], &["PC202611290001", "100234"]),
            ("德邦", &["DPK123456789012", "12345678"], &["BG202611290001"]),
            ("EMS", &["EA123456789CN", "1101234567890"], &["PC202611290001"]),
            ("邮政", &["9801234567890", "KA12345678901"], &["PC202611290001"]),
            ("跨越", &["KYE12345678901", "X89537574640"], &["PC202611290001", "X20261129000"]),
            ("EMS", &["X8953757464012"], &["E8953757464012", "X895375746"]),
            // Nobody knows theirs.
            ("百世", &["550012345678", "JT5012345678901"], &["PC202611290001"]),
            ("天天", &["PC202611290001", "100234"], &[]),
        ] {
            let carrier = Carriers::default().named(named).unwrap();
            for (number, fits) in fitting.iter().map(|n| (n, true)).chain(others.iter().map(|n| (n, false))) {
                assert_eq!(could_carry(&carrier, &TrackingNo::read(number).unwrap()), fits, "{named} {number}");
            }
        }
    }

    #[test]
    fn a_number_that_is_known_by_its_letters_is_as_long_as_others() {
        for (number, is_usual) in [
            ("SF1234567890123", true),
            ("SF12345678901234", false),
            ("SF123456789012", false),
            ("SFL234567890123", false),
            ("YT8812345678901", true),
            ("YT881234567890", false),
            ("YT88123456789O1", false),
            ("JT5012345678901", true),
            ("JT501234567890", false),
            ("JDVA12345678901", true),
            ("JDVA1234567890", false),
            ("JD0123456789012", true),
            ("DPK301234567890", true),
            ("75312345678901", true),
        ] {
            let number = TrackingNo::read(number).unwrap();
            let named = Carrier::known(recognise(&number).unwrap().code);
            assert_eq!(is_usual_of(&named, &number), is_usual, "{}", number.as_str());
        }
        for (named, number, is_usual) in [
            ("圆通", "YT8812345678901", true),
            ("圆通", "YT881234567890123", false),
            ("圆通", "YT88123456789", false),
            ("圆通", "881234567890", true),
            ("申通", "773123456789012", true),
            ("申通", "77312345678901", false),
            ("申通", "7731234567890123", false),
            ("申通", "220123456789", true),
            ("中通", "78123456789012", true),
            ("中通", "7812345678901", false),
            ("中通", "753123456789012", false),
            ("中通", "761234567890", false),
            ("中通", "881234567890", true),
            ("极兔", "JT5012345678901", true),
            ("极兔", "830123456789", true),
            ("京东", "JDVA1234567890", false),
            ("京东", "VC12345678901", true),
            ("韵达", "4631234567890", true),
            ("顺丰", "SF123456789012", false),
            ("顺丰", "SF1234567890123", true),
            ("顺丰", "123456789012", true),
            ("EMS", "1101234567890", true),
            ("EMS", "110123456789", false),
            ("EMS", "11012345678901", false),
            ("EMS", "EA123456789CN", true),
            ("邮政", "9801234567890", true),
            ("邮政", "980123456789", false),
            ("邮政", "98012345678901", false),
        ] {
            let carrier = Carriers::default().named(named).unwrap();
            assert_eq!(is_usual_of(&carrier, &TrackingNo::read(number).unwrap()), is_usual, "{named} {number}");
        }
    }

    #[test]
    fn a_number_is_recognised_surely_maybe_or_not() {
        for (number, code, sure) in [
            ("SF1234567890123", "SF", true),
            ("YT8801234567890", "YTO", true),
            ("JT5012345678901", "JTSD", true),
            ("JDVA12345678901", "JD", true),
            ("DPK301234567890", "DBL", true),
            ("EA123456789CN", "EMS", true),
            ("1101234567890", "EMS", true),
            ("1201234567890", "EMS", false),
            ("9801234567890", "YZPY", true),
            ("75312345678901", "ZTO", true),
            ("74312345678901", "ZTO", false),
            ("77312345678901", "ZTO", false),
            ("79312345678901", "ZTO", false),
            ("773123456789012", "STO", true),
            ("463123456789012", "YD", true),
            ("4631234567890", "YD", false),
        ] {
            assert_eq!(recognise(&TrackingNo::read(number).unwrap()), Some(Guess { code, sure }), "{number}");
        }
        for number in ["123456", "2001234567890", "80012345678901", "X1234567890"] {
            assert_eq!(recognise(&TrackingNo::read(number).unwrap()), None, "{number}");
        }
    }

    #[test]
    fn whoever_has_usual_names_is_one_of_wechats_list_and_found_under_each() {
        for (code, names) in USUAL {
            assert!(by_code().contains_key(code), "{code}");
            for name in names.iter().chain([code]) {
                assert_eq!(
                    Carriers::default().named(name).map(|carrier| carrier.code),
                    Ok((*code).to_owned()),
                    "{name}"
                );
            }
        }
    }

    #[test]
    fn people_write_a_service_in_many_ways() {
        for (code, names) in [
            ("SF", "顺丰 顺丰速运 顺丰快递 SF sf ＳＦ 顺丰速运有限公司 顺丰标快 SF顺丰速运 顺丰速运(SF)"),
            (
                "SF",
                "顺丰特惠 顺丰陆运 顺丰次晨 顺丰电商标快 顺丰快递（月结） 顺丰到付 顺丰-特惠 顺丰包邮 SF-Express shunfeng",
            ),
            (
                "ZTO",
                "zto 中通 中通快递 中通快递股份有限公司 ZTO-中通快递 中通（电子面单） 中通热敏 中通快递(常规) ZTOExpress",
            ),
            ("ZTOKY", "中通快运 ztoky"),
            ("ZTOGLOBAL", "中通国际"),
            ("YTO", "圆通 圆通速递 圆通快递"),
            ("YTOGJ", "圆通国际"),
            ("YD", "韵达 韵达速递 韵达快递 yunda YD"),
            ("YDKY", "韵达快运"),
            ("SF", "順豐 順豐速運 顺丰次日达"),
            ("ZTO", "中通快遞"),
            ("JTSD", "極兔速遞 jitu JT_Express"),
            ("JD", "京东物流快递 jingdong"),
            ("EMS", "邮政EMS标准快递 EYB"),
            ("DBLKY", "debangwuliu"),
            ("JTSD", "极兔 极兔速递 J&T"),
            ("JD", "京东 京东快递 京东物流"),
            ("JDKY", "京东快运"),
            ("EMS", "EMS ems 中国邮政EMS 邮政EMS 特快专递 EMS快递"),
            ("YZPY", "邮政 中国邮政 邮政小包 邮政快递包裹"),
            ("YZBK", "邮政国内标快 邮政标快"),
            ("GJYZ", "国际邮政包裹"),
            ("DBL", "德邦 德邦快递"),
            ("DBLKY", "德邦快运 德邦物流"),
            ("DNWL", "丹鸟物流 菜鸟速递 Cainiao"),
            ("HTKY", "百世快递 百世汇通"),
            ("BTWL", "百世快运"),
            ("SFB2C", "顺丰国际"),
            ("SX", "顺心捷达"),
            ("KYSY", "跨越速运"),
            ("ZJS", "宅急送"),
            ("UC", "优速快递"),
            ("ANEKY", "安能物流"),
            ("OTHER", "天天快递 顺丰快运"),
            ("ZTO", "中通快递-菜鸟 中通A zto"),
            ("YD", "韵达（淘系） 韵达(拼多多) 韵达2"),
            ("STO", "申通快递（抖音） 申通2 申通快递-天猫-杭州仓"),
            ("YTO", "圆通1号 圆通速递（小红书）"),
            ("JTSD", "极兔速递拼多多"),
            ("SF", "顺丰速运-标快 顺丰快递-特惠"),
            ("EMS", "EMS-经济"),
            ("JD", "京东快递(特惠送)"),
            ("YZPY", "邮政快递包裹（小包） YZXB"),
            ("ZTOKY", "zhongtongkuaiyun"),
            ("JDKY", "jingdongkuaiyun"),
            ("YMDD", "yimidida"),
            (
                "ZTO",
                "中通快递（杭州） 中通快递-标准快递 【菜鸟】中通快递 [抖音]中通 中通快递(浙江省) 中通-杭州市 中通-普通快递 【菜鸟面单】中通",
            ),
            ("STO", "申通快递-杭州仓 申通-仓库 申通（杭州网点） 申通快递(菜鸟面单) 申通-电子面单-杭州仓 STO_2号仓"),
        ] {
            for name in names.split(' ') {
                let found = Carriers::default().named(name).map(|carrier| carrier.code);
                assert_eq!(found.as_deref(), Ok(code), "{name}");
            }
        }
    }

    #[test]
    fn what_was_written_is_never_replaced_by_a_guess() {
        for name in [
            "飞毛腿",
            "顺丰冷运",
            "中通冷链",
            "圆通航空",
            "浙江省杭州市邮政路12号",
            "中通快递代收点",
            "不要顺丰",
            "SF 中通快递",
            "顺丰冷运-杭州仓",
            "飞毛腿-杭州仓",
            "st",
            "zt",
            "杭州仓",
            "中通快递(YTO)",
            "中通-京东",
            "顺丰冷运（淘系）",
            "飞毛腿2",
            "拼多多",
            "中通123",
            "中通（飞毛腿）",
            "飞毛腿（杭州）",
            "【飞毛腿】中通",
            "杭州",
            "",
        ] {
            assert!(Carriers::default().named(name).is_err(), "{name}");
        }
        let words = Carriers::default().named("顺丰冷运").unwrap_err().to_string();
        assert!(words.contains("顺丰速运") && words.contains("其他：顺丰冷运"), "{words}");
        let near = |name: &str| Carriers::default().named(name).unwrap_err().near;
        assert_eq!(near("深圳顺丰速运").first().map(String::as_str), Some("顺丰速运"));
        assert_eq!((near("kuaipao"), near("KP")), Default::default());
        for nobody in ["快递", "普通快递", "物流", " 包邮 ", ""] {
            assert!(says_nobody(nobody), "{nobody}");
        }
        assert!(!says_nobody("快递包裹") && !says_nobody("飞毛腿快递"));
    }

    #[test]
    fn another_service_goes_under_its_own_name() {
        for (written, asked) in [
            ("其他", "「其他」是哪一家"),
            ("其它快递", "例如 其他：飞毛腿"),
            ("其他：", "是哪一家"),
            ("OTHER", "是哪一家"),
            ("联邦", "FEDEX联邦(国内件） 还是 FEDEX联邦(国际件）"),
            ("联邦快递", "有几种"),
            ("FedEx", "有几种"),
        ] {
            let unknown = Carriers::default().named(written).unwrap_err();
            assert!(unknown.to_string().contains(asked), "{written}: {unknown}");
        }
        assert_eq!(Carriers::default().named("FEDEX联邦(国际件）").unwrap().code, "FEDEX_GJ");
        assert_eq!(Carriers::default().named("FEDEX").unwrap().code, "FEDEX");
        for written in ["其他：飞毛腿", "其它(飞毛腿)", "其他 飞毛腿", "其他快递：飞毛腿", "OTHER:飞毛腿"]
        {
            let carrier = Carriers::default().named(written).unwrap();
            assert_eq!((carrier.code.as_str(), carrier.name.as_str()), (OTHER, "飞毛腿"), "{written}");
        }
        assert_eq!(Carriers::default().named("天天快递").unwrap().name, "天天快递");
        for (written, code) in
            [("其他：顺丰速运", "SF"), ("其他快递：中通", "ZTO"), ("OTHER:EMS", "EMS"), ("其他：天天", OTHER)]
        {
            assert_eq!(Carriers::default().named(written).unwrap().code, code, "{written}");
        }
        for written in ["其他：SF1234567890123", "其他：13800001234", "其他：快递"] {
            assert!(Carriers::default().named(written).is_err(), "{written}");
        }
    }

    #[test]
    fn what_wechat_added_is_known_by_name_and_code() {
        let carriers = Carriers { added: vec![Carrier { code: "FMT".into(), name: "飞毛腿".into() }] };
        assert_eq!(carriers.named("飞毛腿").unwrap().code, "FMT");
        assert_eq!(carriers.named("fmt").unwrap().name, "飞毛腿");
        assert!(carriers.offered().iter().any(|carrier| carrier.code == "FMT"));
    }
}
