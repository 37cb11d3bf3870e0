//! What is doubtful in a region that somebody typed part by part: a province that is none, a city of another province, a
//! district of another city. What clients and couriers send is read as it is, and never doubted here.

use super::{City, Loosely, PROVINCES, Place, Today, names, quoted, simplified, within_province};

/// A part of a region, and what to say of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub field: &'static str,
    pub words: String,
}

/// What somebody should look at once more; `None` where every part is what it should be, or is left out.
pub fn doubt(province: &str, city: &str, district: &str) -> Option<Doubt> {
    let typed = [province, city, district].map(|part| simplified(&names::plain(part)));
    let [province_name, city_name, district_name] = &typed;
    // All of it in one field, or its parts one place too far left.
    let mut parts = typed.to_vec();
    parts.dedup();
    if !province_name.is_empty() && Place::parse(&parts.concat()).is_ok() {
        return None;
    }
    let said = |field: &'static str, words: String| Some(Doubt { field, words });
    let is_one = |name: &str| names::is_province(name, province_name) || names::begins_as_province(name, province_name);
    let Some(known) = PROVINCES.iter().find(|known| is_one(known.name)) else {
        let several = ["港澳台", "港澳", "江浙沪", "珠三角", "长三角", "东三省"].contains(&province_name.as_str());
        let words = match several {
            true => format!("{}不是一个省：请写收货人所在的那一个，例如 浙江省、香港", quoted(province)),
            false => format!("{}不是省、自治区或直辖市：请写成 浙江省、新疆、上海市 的样子", quoted(province)),
        };
        return said("province", words);
    };
    let in_it = |text: &str| [Today, Loosely].into_iter().any(|how| !within_province(known, text, how).is_empty());
    // Zones of several cities are written in a city's place.
    let is_zone = names::sounds_like_a_zone(city_name) && Place::parse(city_name).is_err();
    if !(is_left_out(city_name) || names::is_province(known.name, city_name) || in_it(city_name) || is_zone) {
        return said("city", elsewhere(known.name, city, city_name));
    }
    if is_left_out(district_name) || district_name == city_name || names::is_province(known.name, district_name) {
        return None;
    }
    let found = Place::of(province_name, city_name, district_name, "").is_some_and(|place| place.district.is_some());
    let around = Place::of(province_name, city_name, "", "");
    let is_zone = names::sounds_like_a_zone(district_name) && Place::parse(district_name).is_err();
    if found || around.is_some_and(|place| is_whole(&place)) || is_zone {
        return None;
    }
    let around = around.map_or(known.name, |place| place.own());
    said("district", elsewhere(around, district, district_name))
}

/// A district that is not named, of a city that has some.
pub fn without_district(place: Place) -> Option<Doubt> {
    // Beneath 东莞 there are towns, which an address names in its street.
    let is_of_towns = |city: &City| city.districts.iter().any(|name| name.ends_with('镇'));
    let has_districts = city_of(&place).is_some_and(|city| !city.districts.is_empty() && !is_of_towns(city));
    let words = || format!("区县没有写：{}有区县，请写上收货人所在的那一个", place.own());
    (place.district.is_none() && has_districts).then(|| Doubt { field: "district", words: words() })
}

fn is_left_out(text: &str) -> bool {
    text.is_empty() || names::is_filler(text)
}

/// A city without districts: what stands behind it is a street.
fn is_whole(place: &Place) -> bool {
    city_of(place).is_some_and(|city| city.districts.is_empty())
}

fn city_of(place: &Place) -> Option<&'static City> {
    let mut cities = PROVINCES.iter().filter(|known| known.name == place.province).flat_map(|known| &known.cities);
    cities.find(|city| Some(city.name) == place.city)
}

/// Where a name belongs that does not belong there.
fn elsewhere(there: &str, typed: &str, name: &str) -> String {
    let typed = quoted(typed);
    match Place::parse(name) {
        Ok(place) if place.depth() > 1 => {
            format!("{there}里没有{typed}，{}才有：请改对省、市和区县", place.text())
        }
        Ok(_) => format!("{typed}不在{there}：请改对省、市和区县"),
        Err(_) => format!("{there}里没有{typed}：请改对省、市和区县"),
    }
}
