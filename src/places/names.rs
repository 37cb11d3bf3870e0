//! Spellings: what may stand for a name, and what tables put where there is none.

use crate::typed::holds_one_of;

/// What data sets and pickers write in place of a city, the longest first.
const FILLERS: [&str; 7] =
    ["自治区直辖县级行政区划", "省直辖县级行政区划", "省直辖行政单位", "直辖县级", "省直辖县", "市辖区", "直辖县"];

/// What a name may end with, and what people write for that. The longest first.
const ENDS: [(&str, &str); 18] = [
    ("特别行政区", ""),
    ("自治区", ""),
    ("自治州", "州"),
    ("自治县", "县"),
    ("自治旗", "旗"),
    ("地区", ""),
    ("林区", ""),
    ("特区", ""),
    ("新区", ""),
    ("街道", ""),
    ("省", ""),
    ("市", ""),
    ("区", ""),
    ("县", ""),
    ("盟", ""),
    ("旗", ""),
    ("镇", ""),
    ("乡", ""),
];

/// Peoples in the names of autonomous places, which nobody writes in full.
const PEOPLES: [&str; 46] = [
    "维吾尔",
    "壮族",
    "回族",
    "藏族",
    "羌族",
    "彝族",
    "苗族",
    "侗族",
    "土家族",
    "布依族",
    "傣族",
    "景颇族",
    "白族",
    "哈尼族",
    "傈僳族",
    "蒙古族",
    "蒙古",
    "朝鲜族",
    "满族",
    "瑶族",
    "仡佬族",
    "水族",
    "黎族",
    "畲族",
    "佤族",
    "拉祜族",
    "布朗族",
    "纳西族",
    "怒族",
    "独龙族",
    "土族",
    "撒拉族",
    "东乡族",
    "保安族",
    "裕固族",
    "哈萨克族",
    "哈萨克",
    "柯尔克孜",
    "锡伯",
    "塔吉克",
    "达斡尔族",
    "仫佬族",
    "毛南族",
    "普米族",
    "各族",
    "族",
];

/// Without what only separates: blanks, strokes, invisible signs.
pub fn plain(text: &str) -> String {
    text.chars().filter(|c| !is_blank(*c)).collect()
}

/// What may stand between the parts of one place as well as between two places.
pub fn is_blank(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '-' | '/' | '|' | '·' | '>' | '_' | '—' | '→' | '\u{200b}'..='\u{200f}' | '\u{feff}')
}

pub fn is_filler(text: &str) -> bool {
    text == "县" || FILLERS.contains(&text)
}

/// What follows a filler. 县 is one only where something else follows that is a name of its own.
pub fn after_filler(text: &str) -> &str {
    FILLERS.iter().find_map(|filler| text.strip_prefix(filler)).unwrap_or(text)
}

/// The part that every way of writing a name has: 浙江, 浦东, 延边. A name of one character keeps its end.
pub fn short(name: &str) -> &str {
    ending(name).map_or(name, |(short, _)| short)
}

/// The short name, and what people put behind it instead of the full end.
fn ending(name: &str) -> Option<(&str, &'static str)> {
    let long_enough = |text: &&str| text.chars().count() >= 2;
    let (end, usual) = ENDS.iter().find(|(end, _)| name.strip_suffix(end).is_some_and(|rest| long_enough(&rest)))?;
    let mut short = name.strip_suffix(end)?;
    if end.starts_with("自治") || short.ends_with('族') {
        while let Some(rest) = PEOPLES.iter().find_map(|people| short.strip_suffix(people).filter(long_enough)) {
            short = rest;
        }
    }
    Some((short, usual))
}

/// What people say for names that are too long for anybody.
const USUAL: [(&str, &str); 5] = [
    ("巴音郭楞蒙古自治州", "巴州"),
    ("博尔塔拉蒙古自治州", "博州"),
    ("克孜勒苏柯尔克孜自治州", "克州"),
    ("锡林郭勒盟", "锡盟"),
    ("阿拉善盟", "阿盟"),
];

/// What is left of a text behind each spelling of a city's or district's name that it begins with.
pub fn rests<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    let mut rests: Vec<&str> = text.strip_prefix(name).into_iter().collect();
    let usual = USUAL.iter().find(|(long, _)| *long == name);
    rests.extend(usual.and_then(|(_, usual)| text.strip_prefix(usual)));
    if let Some((short, usual)) = ending(name)
        && let Some(rest) = text.strip_prefix(short)
    {
        rests.push(rest);
        if !usual.is_empty() {
            rests.extend(rest.strip_prefix(usual));
        }
    }
    rests
}

/// What people call a zone that is counted among the districts of its city: 高新区, 经开区. `None` for any other name.
pub fn zone(name: &str, city: &str) -> Option<&'static str> {
    let (_, kind) = name.split_once(short(city))?;
    match kind.strip_prefix('市').unwrap_or(kind) {
        "高新技术产业开发区" | "高新技术开发区" | "高新技术产业园区" => Some("高新区"),
        "经济技术开发区" | "经济开发区" => Some("经开区"),
        _ => None,
    }
}

/// Whether a text is what such a zone is called, which says nothing of where it is.
pub fn is_zone(text: &str) -> Option<&'static str> {
    match text {
        "高新区" | "高新" | "高新技术开发区" | "高新技术产业开发区" | "高新开发区" => {
            Some("高新区")
        }
        "经开区" | "经开" | "经济开发区" | "经济技术开发区" => Some("经开区"),
        _ => None,
    }
}

/// Whether a text names a zone that was made for companies or by plans: such have their own names on signs, and addresses
/// mostly have the district around them.
pub fn sounds_like_a_zone(text: &str) -> bool {
    const WORDS: &str = "高新 经开 开发区 新区 园区 示范区 保税 度假区 功能区 管理区 港区 港务区 生态区 工业区 工业园 产业园 科技园 物流园 自贸 \
                         合作区 试验区 实验区 经济区 商务区 集聚区 先导区 综保 生态城 科学城 新城";
    holds_one_of(text, WORDS)
}

/// What is left of a text behind a city's name with the end that it had before it was a city.
pub fn city_rests<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    let mut rests = rests(name, text);
    rests.extend(rests_with(name, text, &["地区", "盟", "自治州", "州", "市"]));
    rests
}

/// Whether two names of districts differ in nothing but their end: most were a county or a town once.
pub fn alike(name: &str, text: &str) -> bool {
    alike_rests(name, text).contains(&"")
}

/// What is left of a text behind a district's name with any end that one may have.
pub fn alike_rests<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    let ends = ["新区", "林区", "特区", "自治县", "自治旗", "区", "县", "市", "旗", "街道", "镇", "乡"];
    rests_with(name, text, &ends)
}

/// Whether a spelling of a name lacks its end, so that it may be a part of any word.
pub fn is_bare(name: &str, used: &str) -> bool {
    let usual = USUAL.iter().any(|(long, usual)| *long == name && *usual == used);
    // 九龙 has none at all.
    let none = used == name && !name.ends_with(['省', '市', '区', '县', '旗', '州', '盟', '镇', '乡', '道']);
    none || usual || (used != name && used == short(name))
}

fn rests_with<'t>(name: &str, text: &'t str, ends: &[&str]) -> Vec<&'t str> {
    let rest = ending(name).and_then(|(short, _)| text.strip_prefix(short));
    rest.map(|rest| ends.iter().filter_map(|end| rest.strip_prefix(end)).collect()).unwrap_or_default()
}

/// Whether a text is this city or district.
pub fn is(name: &str, text: &str) -> bool {
    rests(name, text).contains(&"")
}

/// The same for a province, which has names of its own in use: 内蒙, 中国香港, 新疆省.
pub fn after_province<'t>(name: &str, text: &'t str) -> Vec<&'t str> {
    let text = text.strip_prefix("中国").unwrap_or(text);
    let mut rests = rests(name, text);
    let usual = match name {
        "内蒙古自治区" => "内蒙",
        _ => short(name),
    };
    let others: &[&str] = match name {
        "新疆维吾尔自治区" => &["新疆维吾尔族自治区", "新疆生产建设兵团"],
        "广西壮族自治区" => &["广西壮自治区"],
        "台湾省" => &["臺灣省", "臺灣", "台灣省", "台灣"],
        _ => &[],
    };
    rests.extend(others.iter().filter_map(|other| text.strip_prefix(other)));
    let ends: &[&str] = match name {
        "北京市" | "天津市" | "上海市" | "重庆市" => &[""],
        "台湾省" | "香港特别行政区" | "澳门特别行政区" => &["", "地区", "特区", "省", "市"],
        _ if name.ends_with("自治区") => &["", "省", "自治区"],
        _ => &["", "省"],
    };
    if let Some(rest) = text.strip_prefix(usual) {
        rests.extend(ends.iter().filter_map(|end| rest.strip_prefix(end)));
    }
    rests
}

pub fn is_province(name: &str, text: &str) -> bool {
    after_province(name, text).contains(&"")
}

/// Whether a text begins as this province does: 新疆维吾尔, 内蒙古省, Guangdong Sheng.
pub fn begins_as_province(name: &str, text: &str) -> bool {
    let (name, text) = (short(name), text.to_ascii_lowercase());
    let latin = LATIN.iter().find(|(latin, _)| text.starts_with(latin)).map(|(_, name)| *name);
    text.starts_with(name) || latin == Some(name)
}

/// How foreign forms have the provinces, without blanks.
const LATIN: [(&str, &str); 38] = [
    ("beijing", "北京"),
    ("tianjin", "天津"),
    ("shanghai", "上海"),
    ("chongqing", "重庆"),
    ("hebei", "河北"),
    ("shanxi", "山西"),
    ("liaoning", "辽宁"),
    ("jilin", "吉林"),
    ("heilongjiang", "黑龙江"),
    ("jiangsu", "江苏"),
    ("zhejiang", "浙江"),
    ("anhui", "安徽"),
    ("fujian", "福建"),
    ("jiangxi", "江西"),
    ("shandong", "山东"),
    ("henan", "河南"),
    ("hubei", "湖北"),
    ("hunan", "湖南"),
    ("guangdong", "广东"),
    ("hainan", "海南"),
    ("sichuan", "四川"),
    ("guizhou", "贵州"),
    ("yunnan", "云南"),
    ("shaanxi", "陕西"),
    ("gansu", "甘肃"),
    ("qinghai", "青海"),
    ("taiwan", "台湾"),
    ("neimenggu", "内蒙古"),
    ("innermongolia", "内蒙古"),
    ("guangxi", "广西"),
    ("xizang", "西藏"),
    ("tibet", "西藏"),
    ("ningxia", "宁夏"),
    ("xinjiang", "新疆"),
    ("hongkong", "香港"),
    ("macau", "澳门"),
    ("macao", "澳门"),
    ("xianggang", "香港"),
];
