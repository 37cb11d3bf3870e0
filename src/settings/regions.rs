//! Where goods go and at what freight: the settings that name places, read once.

use crate::money::Fen;
use crate::places::{self, Place};
use crate::typed::quoted;

/// What sending to a region costs, where the shop sends at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freight {
    Fee(Fen),
    NotSent,
}

/// The settings that name places. What names none is left out here, and said on the settings page and by `doctor`.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    freight: Vec<(Place, Freight)>,
    /// Where the shop brings goods itself; `None` is everywhere.
    local: Option<Vec<Place>>,
}

impl Regions {
    pub fn read(freight: &str, local: &str) -> Regions {
        let local = Some(local).filter(|text| !text.trim().is_empty());
        Regions { freight: freights(freight).0, local: local.map(|text| places::listed(text).places) }
    }

    /// What the most exact region that holds the place costs; `None` where none does.
    pub fn freight_to(&self, place: &Place) -> Option<Freight> {
        let holding = self.freight.iter().filter(|(region, _)| region.holds(place));
        holding.max_by_key(|(region, _)| region.depth()).map(|(_, freight)| *freight)
    }

    /// Whether nobody can say that a place lies in none of the regions to which the shop does not send.
    pub fn may_not_send_to(&self, place: Option<&Place>) -> bool {
        let mut not_sent = self.freight.iter().filter(|(_, freight)| *freight == Freight::NotSent);
        not_sent.any(|(region, _)| place.is_none_or(|place| place.may_lie_in(region)))
    }

    /// How the freight setting was read: `新疆维吾尔自治区 ¥25.00、台湾省 不发货`
    pub fn freight_text(&self) -> String {
        let shown = self.freight.iter().map(|(place, freight)| match freight {
            Freight::Fee(fee) => format!("{} ¥{fee}", place.text()),
            Freight::NotSent => format!("{} 不发货", place.text()),
        });
        shown.collect::<Vec<_>>().join("、")
    }

    /// How the local area was read; empty for everywhere.
    pub fn local_text(&self) -> String {
        self.local.iter().flatten().map(Place::text).collect::<Vec<_>>().join("、")
    }

    /// Whether the shop brings goods there itself. A place that is not known lies in no area.
    pub fn brings_to(&self, place: Option<&Place>) -> bool {
        match &self.local {
            None => true,
            Some(areas) => place.is_some_and(|place| areas.iter().any(|area| area.holds(place))),
        }
    }
}

/// `新疆 西藏:25;乌鲁木齐:30;港澳台:不发货`, and a sentence for each part that is wrong.
fn freights(text: &str) -> (Vec<(Place, Freight)>, Vec<String>) {
    let (listed, mut problems) = places::with_values(text);
    let mut freights = Vec::new();
    for (place, value) in listed {
        match freight(value) {
            Some(freight) => freights.push((place, freight)),
            None => problems.push(format!("{}后面的{}不是金额，请写 25 或 不发货", place.text(), quoted(value))),
        }
    }
    (freights, problems)
}

fn freight(value: &str) -> Option<Freight> {
    match value {
        "不发货" | "不发" | "不送" | "不配送" | "不寄" | "不包邮不发货" => Some(Freight::NotSent),
        "包邮" | "免费" | "免运费" => Some(Freight::Fee(Fen::ZERO)),
        yuan => Fen::from_yuan(yuan.strip_suffix('元').unwrap_or(yuan)).map(Freight::Fee),
    }
}

/// Whether every part of the freight setting is right, or what is not.
pub fn check_freight(text: &str) -> Result<(), String> {
    let problems = freights(text).1.into_iter().chain(of_the_corps(text)).collect();
    said(problems, "例如 新疆 西藏:25;港澳台:不发货")
}

/// Whether every part of the local area names a place, or what does not.
pub fn check_area(text: &str) -> Result<(), String> {
    let problems = places::listed(text).problems.into_iter().chain(of_the_corps(text)).collect();
    said(problems, "例如 浙江省杭州市西湖区、滨江区")
}

/// The corps of 新疆 lies in all of it, and addresses do not tell it: its cities have names, and whoever means all of 新疆
/// says so. What was saved before is read as it was.
fn of_the_corps(text: &str) -> Vec<String> {
    let parts = text.split(|c: char| c.is_whitespace() || "、，,；;：:/|".contains(c));
    let whole = |part: &&str| part.contains("兵团") && Place::parse(part).is_ok_and(|place| place.city.is_none());
    let words = "地址里分不出来：整个新疆都算请写 新疆，只算兵团的城市请写 石河子、阿拉尔、图木舒克、五家渠";
    parts.filter(whole).map(|part| format!("{}{words}", quoted(part))).collect()
}

fn said(problems: Vec<String>, example: &str) -> Result<(), String> {
    if problems.is_empty() { Ok(()) } else { Err(format!("{}。{example}", problems.join("；"))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(text).unwrap()
    }

    fn fee(yuan: &str) -> Option<Freight> {
        Some(Freight::Fee(Fen::from_yuan(yuan).unwrap()))
    }

    #[test]
    fn a_region_costs_what_the_most_exact_name_says() {
        let text = "新疆 西藏:25；乌鲁木齐：30元，港澳台:不发货\n北京市朝阳区:0;青海、甘肃:12.5";
        assert_eq!(check_freight(text), Ok(()));
        let regions = Regions::read(text, "");
        for (to, freight) in [
            ("新疆维吾尔自治区", fee("25")),
            ("新疆喀什", fee("25")),
            ("新疆乌鲁木齐市天山区", fee("30")),
            ("西藏", fee("25")),
            ("香港", Some(Freight::NotSent)),
            ("中国台湾", Some(Freight::NotSent)),
            ("北京朝阳", fee("0")),
            ("北京海淀", None),
            ("青海省", fee("12.5")),
            ("甘肃兰州", fee("12.5")),
            ("浙江", None),
        ] {
            assert_eq!(regions.freight_to(&place(to)), freight, "{to}");
        }
        assert!(regions.brings_to(None), "no area is everywhere");
    }

    #[test]
    fn the_corps_is_refused_and_its_cities_are_not() {
        for text in ["新疆生产建设兵团:33", "西藏:25;新疆生产建设兵团:不发货"] {
            let problem = check_freight(text).unwrap_err();
            assert!(problem.contains("地址里分不出来：整个新疆都算请写 新疆"), "{text}: {problem}");
        }
        assert!(check_area("新疆生产建设兵团").is_err());
        assert_eq!(check_freight("新疆:33"), Ok(()));
        assert_eq!(check_freight("石河子、阿拉尔、图木舒克、五家渠:33"), Ok(()));
        let regions = Regions::read("新疆生产建设兵团:33", "");
        assert_eq!(regions.freight_to(&place("新疆石河子市")), fee("33"), "what was saved stays as it was read");
    }

    #[test]
    fn what_names_no_place_is_refused_by_name() {
        for (text, problem) in [
            ("新:9", "「新」"),
            ("新彊:20", "「新彊」"),
            ("偏远地区:20", "「偏远地区」"),
            ("新疆", "「新疆」后面没有写冒号"),
            ("新疆:", "不是金额"),
            ("新疆:贵", "「贵」不是金额"),
            (":20", "前面没有地区"),
            ("新疆:20;新疆维吾尔自治区:30", "写了两次"),
            ("新疆:20;鼓楼区:3", "请把省市写全"),
        ] {
            let said = check_freight(text).expect_err(text);
            assert!(said.contains(problem), "{text}: {said}");
        }
        // What was stored before is kept as far as it names places.
        let old = Regions::read("偏远地区:20;新疆:25", "");
        assert_eq!(old.freight_to(&place("新疆")), fee("25"));
        for (text, problem) in [("西湖区", "请把省市写全"), ("火星", "「火星」"), ("杭州市西糊区", "「杭州市西糊区」")]
        {
            let said = check_area(text).expect_err(text);
            assert!(said.contains(problem), "{text}: {said}");
        }
    }

    #[test]
    fn the_shop_brings_goods_where_it_says() {
        for area in ["浙江省杭州市西湖区;浙江省杭州市滨江区", "浙江 杭州 西湖、滨江区", "杭州市西湖区，滨江"]
        {
            assert_eq!(check_area(area), Ok(()), "{area}");
            let regions = Regions::read("", area);
            for (to, there) in [
                ("浙江省杭州市西湖区", true),
                ("浙江杭州滨江", true),
                ("浙江省杭州市余杭区", false),
                ("江西省南昌市西湖区", false),
                ("浙江省杭州市", false),
            ] {
                assert_eq!(regions.brings_to(Some(&place(to))), there, "{area}: {to}");
            }
            assert!(!regions.brings_to(None));
        }
    }
}
