//! Names that places had: addresses that people saved years ago still have them, and so do other people's tables.

use super::names;

/// A city's name and the one it had.
pub(super) const CITIES: [(&str, &str); 2] = [("襄阳市", "襄樊市"), ("普洱市", "思茅市")];

/// A city, a district that it had, and the one that lies there now.
pub(super) const DISTRICTS: [(&str, &str, &str); 38] = [
    ("北京市", "崇文区", "东城区"),
    ("北京市", "宣武区", "西城区"),
    ("天津市", "塘沽区", "滨海新区"),
    ("天津市", "汉沽区", "滨海新区"),
    ("天津市", "大港区", "滨海新区"),
    ("上海市", "卢湾区", "黄浦区"),
    ("上海市", "闸北区", "静安区"),
    ("上海市", "南汇区", "浦东新区"),
    ("重庆市", "万盛区", "綦江区"),
    ("重庆市", "双桥区", "大足区"),
    ("邢台市", "桥东区", "襄都区"),
    ("邢台市", "桥西区", "信都区"),
    ("邢台市", "邢台县", "信都区"),
    ("沈阳市", "东陵区", "浑南区"),
    ("南京市", "白下区", "秦淮区"),
    ("南京市", "下关区", "鼓楼区"),
    ("无锡市", "崇安区", "梁溪区"),
    ("无锡市", "南长区", "梁溪区"),
    ("无锡市", "北塘区", "梁溪区"),
    ("常州市", "戚墅堰区", "武进区"),
    ("苏州市", "沧浪区", "姑苏区"),
    ("苏州市", "平江区", "姑苏区"),
    ("苏州市", "金阊区", "姑苏区"),
    ("连云港市", "新浦区", "海州区"),
    ("淮安市", "清河区", "清江浦区"),
    ("淮安市", "清浦区", "清江浦区"),
    ("扬州市", "维扬区", "邗江区"),
    ("杭州市", "江干区", "上城区"),
    ("杭州市", "下城区", "拱墅区"),
    ("宁波市", "江东区", "鄞州区"),
    ("绍兴市", "绍兴县", "柯桥区"),
    ("芜湖市", "三山区", "弋江区"),
    ("济南市", "莱城区", "莱芜区"),
    ("青岛市", "四方区", "市北区"),
    ("青岛市", "胶南市", "黄岛区"),
    ("洛阳市", "吉利区", "孟津区"),
    ("广州市", "萝岗区", "黄埔区"),
    ("成都市", "郫县", "郫都区"),
];

/// What is left of a text behind a name that the city had.
pub fn city_rests<'t>(city: &str, text: &'t str) -> Vec<&'t str> {
    CITIES.iter().filter(|(now, _)| *now == city).flat_map(|(_, was)| names::rests(was, text)).collect()
}

/// The district of a city that lies where one of this name did.
pub fn district(city: &str, text: &str) -> Option<&'static str> {
    let known = DISTRICTS.iter().find(|(here, was, _)| *here == city && names::is(was, text));
    known.map(|(_, _, now)| *now)
}
