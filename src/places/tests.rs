//! One place under all its names.

use super::*;

fn text(typed: &str) -> String {
    match Place::parse(typed) {
        Ok(place) => place.text(),
        Err(Unread::Unknown) => "?".into(),
        Err(Unread::Ambiguous(places)) => format!("{} of them", places.len()),
    }
}

#[test]
fn the_list_is_whole() {
    assert_eq!(PROVINCES.len(), 34);
    assert!(PROVINCES.iter().map(|p| p.cities.len()).sum::<usize>() > 340);
    assert!(PROVINCES.iter().flat_map(|p| &p.cities).map(|c| c.districts.len()).sum::<usize>() > 3000);
}

#[test]
fn a_place_is_one_under_all_its_names() {
    for (typed, expected) in [
        ("新疆", "新疆维吾尔自治区"),
        ("新疆维吾尔自治区", "新疆维吾尔自治区"),
        ("新疆省", "新疆维吾尔自治区"),
        ("内蒙", "内蒙古自治区"),
        ("内蒙古", "内蒙古自治区"),
        ("广西壮族自治区", "广西壮族自治区"),
        ("黑龙江", "黑龙江省"),
        ("中国香港", "香港特别行政区"),
        ("台湾地区", "台湾省"),
        ("北京", "北京市"),
        ("北京市北京市朝阳区", "北京市朝阳区"),
        ("北京市朝阳区", "北京市朝阳区"),
        ("北京朝阳", "北京市朝阳区"),
        ("北京市市辖区朝阳区", "北京市朝阳区"),
        ("上海 浦东", "上海市浦东新区"),
        ("上海市/上海市/浦东新区", "上海市浦东新区"),
        ("浦东新区", "上海市浦东新区"),
        ("重庆市渝中区", "重庆市渝中区"),
        ("重庆石柱县", "重庆市石柱土家族自治县"),
        ("重庆市县石柱土家族自治县", "重庆市石柱土家族自治县"),
        ("浙江省 杭州市 西湖区", "浙江省杭州市西湖区"),
        ("杭州市西湖区", "浙江省杭州市西湖区"),
        ("杭州西湖", "浙江省杭州市西湖区"),
        ("浙江西湖区", "浙江省杭州市西湖区"),
        ("吉林", "吉林省"),
        ("吉林市", "吉林省吉林市"),
        ("吉林省吉林市", "吉林省吉林市"),
        ("海南", "海南省"),
        ("海南州", "青海省海南藏族自治州"),
        ("长沙", "湖南省长沙市"),
        ("长沙县", "湖南省长沙市长沙县"),
        ("延边", "吉林省延边朝鲜族自治州"),
        ("延边州延吉", "吉林省延边朝鲜族自治州延吉市"),
        ("河南省省直辖县级行政区划济源市", "河南省济源市"),
        ("河南省济源市济源市", "河南省济源市"),
        ("济源", "河南省济源市"),
        ("新疆石河子", "新疆维吾尔自治区石河子市"),
        ("东莞市东莞市", "广东省东莞市"),
        ("东莞长安镇", "广东省东莞市长安镇"),
        ("阿里地区", "西藏自治区阿里地区"),
        ("瀍河回族区", "河南省洛阳市瀍河回族区"),
        ("神农架", "湖北省神农架林区"),
        ("巴州", "新疆维吾尔自治区巴音郭楞蒙古自治州"),
        ("四川巴中巴州区", "四川省巴中市巴州区"),
        ("博州博乐", "新疆维吾尔自治区博尔塔拉蒙古自治州博乐市"),
        ("苏州工业园区", "江苏省苏州市苏州工业园区"),
        // As they were called once.
        ("密云县", "北京市密云区"),
        ("北京宣武", "北京市西城区"),
        ("上海闸北区", "上海市静安区"),
        ("萧山市", "浙江省杭州市萧山区"),
        ("蓟县", "天津市蓟州区"),
        ("天津市蓟县", "天津市蓟州区"),
        ("广西横县", "广西壮族自治区南宁市横州市"),
        ("彬县", "陕西省咸阳市彬州市"),
        ("杨凌", "陕西省咸阳市杨陵区"),
        ("重庆万县", "重庆市万州区"),
        ("锡盟锡林浩特", "内蒙古自治区锡林郭勒盟锡林浩特市"),
        ("阿盟", "内蒙古自治区阿拉善盟"),
        ("伊克昭盟", "内蒙古自治区鄂尔多斯市"),
        ("即墨市", "山东省青岛市即墨区"),
        ("襄樊", "湖北省襄阳市"),
        ("襄樊市樊城区", "湖北省襄阳市樊城区"),
        ("那曲地区", "西藏自治区那曲市"),
        ("毕节地区七星关区", "贵州省毕节市七星关区"),
        ("深圳龙华新区", "广东省深圳市龙华区"),
        ("东莞市南城区", "广东省东莞市南城街道"),
        // What is called so today comes first.
        ("朝阳县", "辽宁省朝阳市朝阳县"),
        ("绍兴县", "浙江省绍兴市柯桥区"),
        ("西湖县", "3 of them"),
        ("新", "?"),
        ("新彊", "?"),
        ("偏远地区", "?"),
        ("浙江省杭州市北湖区", "?"),
        ("江苏省杭州市", "?"),
        ("省", "?"),
        ("", "?"),
        ("西湖区", "2 of them"),
    ] {
        assert_eq!(text(typed), expected, "{typed}");
    }
}

#[test]
fn an_address_is_read_as_clients_and_tables_write_it() {
    for (parts, expected) in [
        (["上海市", "上海市", "浦东新区", "测试路3号"], Some("上海市浦东新区")),
        (["上海市", "市辖区", "浦东新区", ""], Some("上海市浦东新区")),
        (["上海", "", "浦东新区", ""], Some("上海市浦东新区")),
        (["重庆市", "县", "石柱土家族自治县", ""], Some("重庆市石柱土家族自治县")),
        (["河南省", "省直辖县级行政区划", "济源市", ""], Some("河南省济源市")),
        (["河南省", "省直辖县", "济源市", ""], Some("河南省济源市")),
        (["河南省", "济源市", "济源市", ""], Some("河南省济源市")),
        (["新疆", "自治区直辖县级行政区划", "石河子市", ""], Some("新疆维吾尔自治区石河子市")),
        (["浙江省", "杭州市", "西湖区", "演示路 1 号"], Some("浙江省杭州市西湖区")),
        (["浙江", "杭州", "西湖", ""], Some("浙江省杭州市西湖区")),
        (["浙江省", "杭州市", "", "西湖区文三路"], Some("浙江省杭州市西湖区")),
        (["浙江省", "杭州市", "未来区", ""], Some("浙江省杭州市")),
        (["浙江省", "", "", "不写明的地方"], Some("浙江省")),
        (["辽宁省", "朝阳市", "朝阳县", ""], Some("辽宁省朝阳市朝阳县")),
        (["广东省", "东莞市", "东莞市", "长安镇新安路"], Some("广东省东莞市长安镇")),
        (["广东省", "东莞市", "长安镇", ""], Some("广东省东莞市长安镇")),
        (["香港特别行政区", "香港特别行政区", "中西区", ""], Some("香港特别行政区香港岛中西区")),
        (["台湾省", "台北市", "大安区", ""], Some("台湾省台北市大安区")),
        (["", "杭州市", "西湖区", ""], Some("浙江省杭州市西湖区")),
        // Parts that stand one place too far left, and names of once.
        (["上海市", "浦东新区", "", ""], Some("上海市浦东新区")),
        (["重庆市", "石柱土家族自治县", "", ""], Some("重庆市石柱土家族自治县")),
        (["浙江省", "义乌市", "", ""], Some("浙江省金华市义乌市")),
        (["江苏省", "昆山市", "花桥镇", ""], Some("江苏省苏州市昆山市")),
        (["河北省", "雄安新区", "容城县", ""], Some("河北省保定市容城县")),
        (["新疆维吾尔自治区", "新疆生产建设兵团", "石河子市", ""], Some("新疆维吾尔自治区石河子市")),
        (["北京市", "县", "密云县", ""], Some("北京市密云区")),
        (["北京市", "北京市", "崇文区", ""], Some("北京市东城区")),
        (["江苏省", "苏州市", "工业园区", ""], Some("江苏省苏州市苏州工业园区")),
        (["西藏自治区", "日喀则地区", "桑珠孜区", ""], Some("西藏自治区日喀则市桑珠孜区")),
        (["湖北省", "襄樊市", "樊城区", ""], Some("湖北省襄阳市樊城区")),
        (["广东省", "深圳市", "光明新区", ""], Some("广东省深圳市光明区")),
        (["辽宁省", "朝阳市", "", ""], Some("辽宁省朝阳市")),
        (["新疆维吾尔族自治区", "乌鲁木齐市", "天山区", ""], Some("新疆维吾尔自治区乌鲁木齐市天山区")),
        (["新疆生产建设兵团", "第八师", "石河子市", ""], Some("新疆维吾尔自治区石河子市")),
        (["臺灣省", "", "", ""], Some("台湾省")),
        // Spellings that nobody has listed.
        (["新疆维吾尔", "乌鲁木齐", "天山区", ""], Some("新疆维吾尔自治区乌鲁木齐市天山区")),
        (["新疆维吾尔自治州", "乌鲁木齐市", "", ""], Some("新疆维吾尔自治区乌鲁木齐市")),
        (["新疆建设兵团", "石河子市", "", ""], Some("新疆维吾尔自治区石河子市")),
        (["新疆维吾尔自治区乌鲁木齐市", "乌鲁木齐市", "天山区", ""], Some("新疆维吾尔自治区乌鲁木齐市天山区")),
        (["XinJiang", "乌鲁木齐市", "天山区", ""], Some("新疆维吾尔自治区乌鲁木齐市天山区")),
        (["Hong Kong", "Kowloon", "", ""], Some("香港特别行政区")),
        (["澳門", "澳門", "", ""], Some("澳门特别行政区")),
        (["寧夏回族", "银川市", "", ""], Some("宁夏回族自治区银川市")),
        (["内蒙古省", "呼和浩特市", "新城区", ""], Some("内蒙古自治区呼和浩特市新城区")),
        (["广西壮族", "某市", "某区", ""], Some("广西壮族自治区")),
        (["某省", "乌鲁木齐市", "某区", ""], Some("新疆维吾尔自治区乌鲁木齐市")),
        (["海南藏族自治州", "共和县", "", ""], Some("青海省海南藏族自治州共和县")),
        (["上海市", "上海市", "浦东新区陆家嘴", ""], Some("上海市浦东新区")),
        (["某省", "某市", "某区", ""], None),
        (["某省", "某市", "", ""], None),
    ] {
        let [province, city, district, detail] = parts;
        let found = Place::of(province, city, district, detail).map(|place| place.text());
        assert_eq!(found.as_deref(), expected, "{parts:?}");
    }
}

#[test]
fn every_place_is_found_under_its_own_parts() {
    for province in PROVINCES.iter() {
        for city in &province.cities {
            let here = Place { province: province.name, city: Some(city.name), district: None };
            assert_eq!(Place::of(province.name, city.name, "", ""), Some(here));
            let twice = format!("{}{}", province.name, city.name);
            let read = Place::parse(&twice).unwrap();
            assert_eq!((Place::parse(&here.text()), read.text()), (Ok(read), here.text()), "{twice}");
            for district in &city.districts {
                let place = Place { district: Some(district), ..here };
                assert_eq!(Place::of(province.name, city.name, district, ""), Some(place));
                assert_eq!(Place::parse(&place.text()), Ok(place));
            }
        }
    }
}

#[test]
fn a_list_is_parted_by_anything_and_read_in_the_light_of_what_stands_before() {
    for (typed, expected) in [
        ("浙江省杭州市西湖区、滨江区", "浙江省杭州市西湖区 浙江省杭州市滨江区"),
        ("浙江省 杭州市 西湖区；上海", "浙江省杭州市西湖区 上海市"),
        ("新疆 西藏", "新疆维吾尔自治区 西藏自治区"),
        ("江浙沪", "江苏省 浙江省 上海市"),
        ("新疆和田地区和康县", "新疆维吾尔自治区和田地区和康县"),
        ("港澳台，海南", "香港特别行政区 澳门特别行政区 台湾省 海南省"),
        ("杭州市，宁波市\n温州", "浙江省杭州市 浙江省宁波市 浙江省温州市"),
        ("北京市朝阳区、海淀", "北京市朝阳区 北京市海淀区"),
        ("新疆和西藏", "新疆维吾尔自治区 西藏自治区"),
        ("新疆+西藏", "新疆维吾尔自治区 西藏自治区"),
        ("和田地区及呼和浩特市与长春", "新疆维吾尔自治区和田地区 内蒙古自治区呼和浩特市 吉林省长春市"),
        ("呼和浩特", "内蒙古自治区呼和浩特市"),
        // A province is itself, even beside a city of the same name.
        ("吉林长春、辽宁", "吉林省长春市 辽宁省"),
        ("雄安新区", "河北省保定市雄县 河北省保定市容城县 河北省保定市安新县"),
        (" ; ，", ""),
    ] {
        let listed = listed(typed);
        assert_eq!(listed.problems, Vec::<String>::new(), "{typed}");
        let texts: Vec<String> = listed.places.iter().map(Place::text).collect();
        assert_eq!(texts.join(" "), expected, "{typed}");
    }
    let listed = listed("新疆 火星、西湖区");
    assert_eq!(listed.places.len(), 1);
    assert!(listed.problems[0].contains("火星") && listed.problems[1].contains("请把省市写全"), "{listed:?}");
}

/// Whoever names a place and one in it may mean only that.
#[test]
fn a_place_that_lies_in_another_of_its_list_is_said() {
    for (typed, told) in [
        (
            "杭州 西湖 滨江 拱墅",
            "浙江省杭州市已经包含西湖区、滨江区、拱墅区：整个杭州市都算就去掉西湖区、滨江区、拱墅区",
        ),
        ("杭州、西湖、滨江", "浙江省杭州市已经包含西湖区、滨江区"),
        ("西湖区、滨江区、浙江杭州", "请把省市写全"),
        ("浙江省杭州市西湖区、浙江省杭州市", "只算西湖区就去掉杭州市"),
        ("江浙沪、杭州", "浙江省已经包含杭州市"),
        ("吉林长春、吉林", "吉林省已经包含长春市"),
        ("上海市、浦东新区", "上海市已经包含浦东新区"),
        ("杭州 西湖", ""),
        ("北京朝阳、海淀", ""),
        ("浙江省杭州市西湖区、滨江区；上海", ""),
        ("杭州市、杭州", ""),
    ] {
        let problems = listed(typed).problems.join("；");
        assert!(problems.contains(told) && problems.is_empty() == told.is_empty(), "{typed}: {problems}");
    }
    assert!(with_values("浙江:10；杭州:5").1.is_empty(), "of two rules the nearer one counts");
}

/// Who brings goods to one corner of a district would bring them to all of it.
#[test]
fn a_part_of_a_district_is_never_taken_for_the_whole_without_a_word() {
    for (typed, whole, told) in [
        ("深圳市大鹏新区", "广东省深圳市龙岗区", "大鹏新区现在是广东省深圳市龙岗区的一部分"),
        ("天津塘沽", "天津市滨海新区", "塘沽区现在是天津市滨海新区的一部分"),
        ("上海市闸北区", "上海市静安区", "闸北区现在是上海市静安区的一部分"),
        ("邢台县", "河北省邢台市信都区", "邢台县现在是"),
        ("塘沽、滨海新区", "天津市滨海新区", ""),
        ("滨海新区、塘沽", "天津市滨海新区", ""),
        ("天津滨海", "天津市滨海新区", ""),
        ("邢台市信都区", "河北省邢台市信都区", ""),
        ("户县", "陕西省西安市鄠邑区", ""),
        ("重庆开县", "重庆市开州区", ""),
        ("深圳龙华新区", "广东省深圳市龙华区", ""),
    ] {
        let listed = listed(typed);
        let read: Vec<String> = listed.places.iter().map(Place::text).collect();
        assert_eq!(read, [whole], "{typed}");
        assert_eq!(listed.problems.len(), usize::from(!told.is_empty()), "{typed}: {:?}", listed.problems);
        assert!(listed.problems.iter().all(|problem| problem.starts_with(told)), "{typed}: {:?}", listed.problems);
    }
    for (city, was) in former::JOINED {
        assert!(former::DISTRICTS.iter().any(|(here, name, _)| (*here, *name) == (city, was)), "{city} {was}");
    }
}

/// One rule, made of the list: a city's short name that districts of other cities have too.
#[test]
fn a_name_that_several_places_have_is_asked_about() {
    for (typed, places, told) in [
        ("朝阳", "辽宁省朝阳市", "「朝阳」有 3 个（辽宁省朝阳市、北京市朝阳区、吉林省长春市朝阳区），请把省市写全"),
        ("西安", "陕西省西安市", "「西安」有 3 个"),
        ("朝阳、海淀", "辽宁省朝阳市 北京市海淀区", "「朝阳」有 3 个"),
        ("朝阳 海淀", "辽宁省朝阳市 北京市海淀区", "「朝阳」有 3 个"),
        ("朝阳市", "辽宁省朝阳市", ""),
        ("辽宁朝阳", "辽宁省朝阳市", ""),
        ("辽宁省、朝阳", "辽宁省 辽宁省朝阳市", "辽宁省已经包含朝阳市"),
        ("辽宁阜新、朝阳", "辽宁省阜新市 辽宁省朝阳市", ""),
        ("北京市海淀区、朝阳", "北京市海淀区 北京市朝阳区", ""),
        ("朝阳、辽宁朝阳市", "辽宁省朝阳市", ""),
        // What lies in it is no other, and a province is meant before anything.
        ("长沙", "湖南省长沙市", ""),
        ("吉林", "吉林省", ""),
        ("海南", "海南省", ""),
        ("潮州", "广东省潮州市", ""),
        ("河北雄安新区", "河北省保定市雄县 河北省保定市容城县 河北省保定市安新县", ""),
        ("山东雄安新区", "", "不认识「山东雄安新区」"),
    ] {
        let listed = listed(typed);
        let read: Vec<String> = listed.places.iter().map(Place::text).collect();
        assert_eq!(read.join(" "), places, "{typed}");
        assert_eq!(listed.problems.len(), usize::from(!told.is_empty()), "{typed}: {:?}", listed.problems);
        assert!(listed.problems.iter().all(|problem| problem.starts_with(told)), "{typed}: {:?}", listed.problems);
    }
    let asked = |city: &&City| {
        let name = short(city.name);
        Place::parse(name).is_ok_and(|place| place.city == Some(city.name)) && !listed(name).problems.is_empty()
    };
    let asked: Vec<&str> = PROVINCES.iter().flat_map(|p| &p.cities).filter(asked).map(|city| city.name).collect();
    assert!(asked.contains(&"朝阳市") && asked.len() < 20, "{asked:?}");
}

#[test]
fn a_zone_is_its_own_citys_or_nobodys() {
    for (typed, expected) in [
        ("合肥市高新区", "安徽省合肥市合肥高新技术产业开发区"),
        ("安徽省合肥市经开区", "安徽省合肥市合肥经济技术开发区"),
        ("石家庄高新区", "河北省石家庄市石家庄高新技术产业开发区"),
        ("沧州经济开发区", "河北省沧州市河北沧州经济开发区"),
        ("成都市高新区", "?"),
        ("武汉经开区", "?"),
        ("湖北经开区", "?"),
        ("成都市天府新区", "?"),
        ("南京市江北新区", "?"),
        ("重庆两江新区", "?"),
        ("高新区", "?"),
    ] {
        assert_eq!(text(typed), expected, "{typed}");
    }
    for (typed, expected) in [
        ("合肥市蜀山区、高新区", "安徽省合肥市蜀山区 安徽省合肥市合肥高新技术产业开发区"),
        // There is one in the province, and not in this city.
        ("武汉市洪山区、经开区", "湖北省武汉市洪山区"),
        ("成都市武侯区、高新区", "四川省成都市武侯区"),
    ] {
        let listed = listed(typed);
        let read: Vec<String> = listed.places.iter().map(Place::text).collect();
        assert_eq!(read.join(" "), expected, "{typed}");
        assert!(
            listed.problems.iter().all(|problem| problem.contains("请写那个区县")),
            "{typed}: {:?}",
            listed.problems
        );
        assert_eq!(listed.places.len() + listed.problems.len(), 2, "{typed}");
    }
    for (parts, expected) in [
        (["安徽省", "合肥市", "高新区"], "安徽省合肥市合肥高新技术产业开发区"),
        (["安徽省", "合肥市", "合肥高新区"], "安徽省合肥市合肥高新技术产业开发区"),
        (["四川省", "成都市", "高新区"], "四川省成都市"),
        (["广东省", "深圳市", "大鹏新区"], "广东省深圳市龙岗区"),
        (["天津市", "天津市", "塘沽区"], "天津市滨海新区"),
    ] {
        let [province, city, district] = parts;
        assert_eq!(Place::of(province, city, district, "").unwrap().text(), expected, "{parts:?}");
    }
}

#[test]
fn a_region_is_shown_once() {
    for (parts, shown) in [
        (["浙江省", "杭州市", "西湖区"], "浙江省杭州市西湖区"),
        (["北京市", "北京市", "朝阳区"], "北京市朝阳区"),
        (["北京市", "市辖区", "朝阳区"], "北京市朝阳区"),
        (["河南省", "省直辖县级行政区划", "济源市"], "河南省济源市"),
        (["东莞市", "", ""], "东莞市"),
        (["广东省", "东莞市", "东莞市"], "广东省东莞市"),
    ] {
        assert_eq!(region(parts[0], parts[1], parts[2]), shown);
    }
}

#[test]
fn values_stand_behind_their_places_and_each_place_once() {
    let shown = |text: &str| {
        let (found, problems) = list::with_values(text);
        let found: Vec<String> = found.iter().map(|(place, value)| format!("{} {value}", place.text())).collect();
        (found.join("，"), problems.join("，"))
    };
    for (text, found, problem) in [
        ("新疆 西藏:25；乌鲁木齐：30", "新疆维吾尔自治区 25，西藏自治区 25，新疆维吾尔自治区乌鲁木齐市 30", ""),
        ("新疆:25；新疆维吾尔自治区:30", "新疆维吾尔自治区 25", "新疆维吾尔自治区写了两次，值不一样"),
        ("綦江区:5；万盛区:5", "重庆市綦江区 5", ""),
        ("綦江区、万盛区:5", "重庆市綦江区 5", ""),
        (
            "万盛区:5",
            "重庆市綦江区 5",
            "万盛区现在是重庆市綦江区的一部分，地址里分不出来：要整个区都算，请写 重庆市綦江区",
        ),
        (":25", "", "「:25」前面没有地区"),
        ("新疆:25；西藏", "新疆维吾尔自治区 25", "「西藏」后面没有写冒号和金额"),
    ] {
        assert_eq!(shown(text), (found.to_owned(), problem.to_owned()), "{text}");
    }
}

#[test]
fn every_group_is_as_many_places_as_it_has_names() {
    for (group, names) in list::GROUPS {
        let listed = listed(group);
        assert_eq!((listed.places.len(), listed.problems.as_slice()), (names.len(), &[][..]), "{group}");
    }
}

#[test]
fn every_name_that_was_leads_to_one_that_is() {
    for (city, was, now) in former::DISTRICTS {
        let known = PROVINCES.iter().flat_map(|province| &province.cities).find(|known| known.name == city);
        let known = known.unwrap_or_else(|| panic!("{city}"));
        assert!(known.districts.contains(&now) && !known.districts.contains(&was), "{city} {was} {now}");
        assert_eq!(known.districts_named(was, Loosely), [now], "{city} {was}");
        assert!(known.districts_named(was, Today).is_empty(), "{city} {was}");
    }
    for (now, was) in former::CITIES {
        assert_eq!(Place::parse(was).map(|place| place.city), Ok(Some(now)));
    }
}

/// What a longer text names, and what is around it.
fn read(text: &str) -> String {
    match written(text) {
        Written::Nothing => "-".into(),
        Written::Doubtful => "?".into(),
        Written::Found(named) => format!("{}|{}|{}", named.before.trim(), named.place.text(), named.after.trim()),
    }
}

#[test]
fn of_all_places_that_a_text_may_name_the_deepest_is_meant() {
    for (text, expected) in [
        ("浙江省杭州市西湖区文三路1号", "|浙江省杭州市西湖区|文三路1号"),
        ("浙江省-杭州市-西湖区-文三路1号", "|浙江省杭州市西湖区|文三路1号"),
        ("浙江 杭州 西湖 文三路1号", "|浙江省杭州市西湖区|文三路1号"),
        ("浙江杭州西湖文三路1号", "|浙江省杭州市西湖区|文三路1号"),
        ("杭州西湖区文三路1号", "|浙江省杭州市西湖区|文三路1号"),
        ("张三浙江省杭州市西湖区文三路1号", "张三|浙江省杭州市西湖区|文三路1号"),
        ("上海市上海市浦东新区川沙路1号", "|上海市浦东新区|川沙路1号"),
        ("北京市 市辖区 朝阳区 建国路", "|北京市朝阳区|建国路"),
        ("重庆市 县 石柱土家族自治县 某路", "|重庆市石柱土家族自治县|某路"),
        ("河南省 省直辖县级行政区划 济源市 某路", "|河南省济源市|某路"),
        ("江苏省苏州市昆山市玉山镇", "|江苏省苏州市昆山市|玉山镇"),
        // A district alone, where there is one of its name.
        ("义乌市北苑街道南京路5号", "|浙江省金华市义乌市|北苑街道南京路5号"),
        ("昆山市玉山镇北京路12号", "|江苏省苏州市昆山市|玉山镇北京路12号"),
        ("江阴市重庆路9号", "|江苏省无锡市江阴市|重庆路9号"),
        ("瑞安市安阳街道杭州路5号", "|浙江省温州市瑞安市|安阳街道杭州路5号"),
        ("浦东新区南京西路5号", "|上海市浦东新区|南京西路5号"),
        ("顺德区大良街道广州路3号", "|广东省佛山市顺德区|大良街道广州路3号"),
        ("李四义乌市稠城街道", "李四|浙江省金华市义乌市|稠城街道"),
        ("昆山市玉山镇 江苏省 苏州市", "|江苏省苏州市昆山市|玉山镇"),
        ("湖南长沙县星沙镇", "|湖南省长沙市长沙县|星沙镇"),
        ("吉林省吉林市船营区北京路", "|吉林省吉林市船营区|北京路"),
        ("吉林市船营区", "|吉林省吉林市船营区|"),
        ("海南州共和县", "|青海省海南藏族自治州共和县|"),
        ("乐山市中区肖坝路", "|四川省乐山市市中区|肖坝路"),
        ("江苏淮安翔宇大道", "|江苏省淮安市|翔宇大道"),
        ("广东省东莞市虎门镇 南京路步行街", "|广东省东莞市虎门镇|南京路步行街"),
        ("江苏省苏州市工业园区星湖街", "|江苏省苏州市苏州工业园区|星湖街"),
        // A name that several have, told by what else is written.
        ("朝阳区建国路88号 北京", "|北京市朝阳区|建国路88号"),
        ("文三路1号 西湖区 浙江省", "文三路1号|浙江省杭州市西湖区|"),
        ("鼓楼区中山路5号 南京市", "|江苏省南京市鼓楼区|中山路5号"),
        ("朝阳区建国路88号 长春", "?"),
        ("西湖区北京路5号", "?"),
        ("江苏鼓楼区中山路5号", "-"),
        ("江苏省鼓楼区中山路5号", "|江苏省|鼓楼区中山路5号"),
        ("北京市大兴安岭路5号", "|北京市|大兴安岭路5号"),
        ("香港九龙尖沙咀弥敦道", "|香港特别行政区九龙|尖沙咀弥敦道"),
        // Parts of other words.
        ("李长春 浙江省杭州市西湖区文三路1号", "李长春|浙江省杭州市西湖区|文三路1号"),
        ("北京同仁堂(西湖店) 浙江省杭州市西湖区延安路", "北京同仁堂(西湖店)|浙江省杭州市西湖区|延安路"),
        ("浙江省杭州市西湖区文三路1号 上海银行楼上", "|浙江省杭州市西湖区|文三路1号 上海银行楼上"),
        ("北京同仁堂", "-"),
        ("北京路5号", "-"),
        ("北京东路5号", "-"),
        ("杭州湾路5号", "-"),
        ("上海人家饭店", "-"),
        ("李长春", "-"),
        ("上海银行楼上", "-"),
        ("义乌市场路3号", "-"),
        ("中山公园路5号", "-"),
        ("长安镇某村5号", "-"),
        ("小区西区3栋", "-"),
        ("上海浦东南路500号", "|上海市|浦东南路500号"),
        ("浙江省杭州湾路5号", "|浙江省|杭州湾路5号"),
        ("河北雄安新区容城县", "|河北省保定市容城县|"),
        ("上海南京西路1266号", "|上海市|南京西路1266号"),
        ("杭州文三路1号", "|浙江省杭州市|文三路1号"),
        // What was a district is kept for whoever brings it there.
        ("天津市塘沽区新港路", "|天津市滨海新区|塘沽区 新港路"),
        ("浙江省杭州市下城区体育场路", "|浙江省杭州市拱墅区|下城区 体育场路"),
        // Two places.
        ("浙江省杭州市西湖区 江苏省南京市鼓楼区", "?"),
        ("杭州市文三路 义乌市口味馆", "?"),
        ("原地址浙江省杭州市西湖区 改为 上海市浦东新区世纪大道1号", "?"),
        ("浙江省杭州市西湖区文三路1号 搬家了，新地址 北京市朝阳区建国路88号", "?"),
        ("上海浦东世纪大道1号（原：浙江杭州西湖区文三路1号）", "?"),
        ("杭州西湖区文三路1号（老地址：杭州拱墅区湖墅路2号）", "?"),
        ("杭州西湖区文三路1号(原:杭州拱墅区湖墅路2号)", "?"),
        ("公司 北京市朝阳区建国路1号 家 北京市海淀区中关村2号", "?"),
        ("西湖区文三路1号 改 滨江区江南大道2号", "?"),
        ("西湖区 → 余杭区文一西路", "?"),
        ("杭州市西湖区文三路1号 改 杭州市滨江区江南大道2号", "?"),
        ("杭州市西湖区文三路1号 → 滨江区江南大道2号", "?"),
        ("杭州市西湖区文三路1号 -> 余杭区文一西路9号", "?"),
        ("杭州市西湖区文三路1号改余杭区文一西路9号", "?"),
        ("浙江杭州西湖区文三路1号 现 上海浦东新区世纪大道1号", "?"),
        ("杭州市西湖区改革路1号", "|浙江省杭州市西湖区|改革路1号"),
        ("西湖区文三路1号改浙江省杭州市余杭区文一西路9号", "?"),
        ("鼓楼区中山路1号 => 江苏省南京市玄武区珠江路2号", "?"),
        ("地址改浙江省杭州市西湖区文三路1号", "地址改|浙江省杭州市西湖区|文三路1号"),
        ("新地址：浙江省杭州市西湖区文三路1号", "新地址：|浙江省杭州市西湖区|文三路1号"),
        ("南京 苏州", "?"),
        ("浙江省杭州市西湖区文三路 义乌市口味馆", "|浙江省杭州市西湖区|文三路 义乌市口味馆"),
        ("", "-"),
    ] {
        assert_eq!(read(text), expected, "{text}");
    }
}

/// Every district, in every usual spelling: itself, or nothing deeper than what is certain. Never another place.
#[test]
fn every_district_is_read_back_out_of_an_address() {
    let (mut wrong, mut n) = (Vec::new(), 0);
    for province in PROVINCES.iter() {
        for city in &province.cities {
            let only = [""];
            let districts: &[&str] = if city.districts.is_empty() { &only } else { &city.districts };
            for district in districts {
                let place = Place {
                    province: province.name,
                    city: Some(city.name),
                    district: Some(*district).filter(|name| !name.is_empty()),
                };
                let [p, c, d] = [province.name, city.name, district].map(short);
                let full = place.text();
                // Its names written out name it, in whatever way they are parted.
                let spaced = format!("{} {} {district}", province.name, city.name);
                let parted = ["", " ", "-", "/", " > "][n % 5];
                n += 1;
                let found = read(&format!("{} 人民路1号", spaced.replace(' ', parted)));
                if found != format!("|{full}|人民路1号") {
                    wrong.push(format!("{spaced}: {found}"));
                }
                // Shorter ones name it, or less, or what a place of just this name is.
                let shorter = [
                    format!("{p}{c}{district}"),
                    format!("{p} {c} {d}"),
                    format!("{p}{c}{d}"),
                    format!("{}{district}", city.name),
                    format!("{c}{d}"),
                    d.to_owned(),
                ];
                let written = &shorter[n % shorter.len()];
                if let Written::Found(named) = super::written(&format!("{written} 人民路1号"))
                    && !named.place.holds(&place)
                    && Place::parse(written) != Ok(named.place)
                {
                    wrong.push(format!("{written}: {}", named.place.text()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
}

/// Streets, shops and people have the names of cities.
#[test]
fn a_citys_name_beside_an_address_is_a_street_a_shop_or_somebody() {
    let names: Vec<&str> = PROVINCES.iter().flat_map(|p| &p.cities).map(|city| short(city.name)).collect();
    let mut wrong = Vec::new();
    for name in names {
        for (text, before, place, after) in [
            (format!("{name}路5号 浙江省杭州市西湖区"), format!("{name}路5号"), "浙江省杭州市西湖区", String::new()),
            (format!("浙江省杭州市西湖区{name}路5号"), String::new(), "浙江省杭州市西湖区", format!("{name}路5号")),
            (format!("义乌市{name}路5号"), String::new(), "浙江省金华市义乌市", format!("{name}路5号")),
            (format!("北京市{name}南路5号"), String::new(), "北京市", format!("{name}南路5号")),
            (format!("李{name} 浙江省杭州市西湖区"), format!("李{name}"), "浙江省杭州市西湖区", String::new()),
            (format!("{name} \u{1} 浙江省杭州市西湖区"), format!("{name} \u{1}"), "浙江省杭州市西湖区", String::new()),
            (format!("{name}大酒店 广东省东莞市长安镇"), format!("{name}大酒店"), "广东省东莞市长安镇", String::new()),
            (format!("湖北省仙桃市仙桃路1号 {name}"), String::new(), "湖北省仙桃市", format!("仙桃路1号 {name}")),
        ] {
            let found = read(&text);
            if found != format!("{before}|{place}|{after}") {
                wrong.push(format!("{text}: {found}"));
            }
        }
        for text in [format!("{name}路5号"), format!("李{name}"), format!("{name}东路"), format!("李{name}路")] {
            if read(&text) != "-" {
                wrong.push(format!("{text}: {}", read(&text)));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(40)]);
}

#[test]
fn a_region_that_does_not_go_together_is_doubted() {
    let said = |parts: [&str; 3]| {
        let doubt = doubt(parts[0], parts[1], parts[2]);
        doubt.map_or("".to_owned(), |doubt| format!("{}：{}", doubt.field, doubt.words))
    };
    for parts in [
        ["浙江省", "杭州市", "西湖区"],
        ["浙江", "杭州", "西湖"],
        ["浙江省", "杭州市", ""],
        ["浙江省", "", ""],
        ["浙江省", "西湖区", ""],
        ["浙江省杭州市西湖区", "", ""],
        ["杭州市", "西湖区", ""],
        ["杭州市", "杭州市", "西湖区"],
        ["上海市", "上海市", "浦东新区"],
        ["上海", "", "浦东"],
        ["上海市", "市辖区", "浦东新区"],
        ["上海市", "浦东新区", ""],
        ["重庆市", "县", "石柱土家族自治县"],
        ["河南省", "省直辖县级行政区划", "济源市"],
        ["河南省", "济源市", "济源市"],
        ["新疆维吾尔自治区", "自治区直辖县级行政区划", "石河子市"],
        ["新疆", "石河子市", "北泉镇"],
        ["广东省", "东莞市", "东莞市"],
        ["广东省", "东莞市", "长安镇"],
        ["内蒙", "呼和浩特", "新城区"],
        ["香港特别行政区", "香港", "中西区"],
        ["香港", "九龙", "油尖旺区"],
        ["中国香港", "", "沙田区"],
        ["澳门特别行政区", "澳门", ""],
        ["台湾省", "台北市", "大安区"],
        ["臺灣省", "臺北市", "大安區"],
        ["Zhejiang", "杭州市", "西湖区"],
        ["浙江省", "杭州市", "西湖区文三路"],
        ["浙江省", "杭州市", "钱塘新区"],
        ["四川省", "成都市", "高新区"],
        ["贵州省", "贵安新区", ""],
        ["河北省", "雄安新区", "容城县"],
        ["湖北省", "襄樊市", "襄阳区"],
        ["江苏省", "苏州市", "工业园区"],
        ["河南省", "郑州市", "航空港区"],
        ["河南省", "郑州市", "郑州航空港经济综合实验区"],
        ["陕西省", "西安市", "国际港务区"],
        ["陕西省", "西安市", "浐灞生态区"],
        ["四川省", "成都市", "东部新区"],
        ["湖南省", "长沙市", "经开区"],
        ["山东省", "青岛市", "自贸区"],
        ["广西壮族自治区", "南宁市", "五象新区"],
    ] {
        assert_eq!(said(parts), "", "{parts:?}");
    }
    for (parts, words) in [
        (["火星省", "杭州市", "西湖区"], "province：「火星省」不是省、自治区或直辖市"),
        (["", "杭州市", "西湖区"], "province：「」不是省"),
        (["新彊", "乌鲁木齐市", "天山区"], "province：「新彊」不是省"),
        (["港澳台", "香港", "中西区"], "province：「港澳台」不是一个省"),
        (["江浙沪", "杭州市", ""], "province：「江浙沪」不是一个省"),
        (["浙江省", "苏州市", "姑苏区"], "city：浙江省里没有「苏州市」，江苏省苏州市才有"),
        (["浙江省", "江苏省", "姑苏区"], "city：「江苏省」不在浙江省"),
        (["浙江省", "火星市", "西湖区"], "city：浙江省里没有「火星市」"),
        (["上海市", "杭州市", "西湖区"], "city：上海市里没有「杭州市」"),
        (["台湾省", "香港", "中西区"], "city：「香港」不在台湾省"),
        (["浙江省", "杭州市", "朝阳区"], "district：杭州市里没有「朝阳区」"),
        (["浙江省", "杭州市", "姑苏区"], "district：杭州市里没有「姑苏区」，江苏省苏州市姑苏区才有"),
        (["浙江省", "杭州市", "鄞州区"], "district：杭州市里没有「鄞州区」，浙江省宁波市鄞州区才有"),
        (["浙江省", "杭州市", "火星区"], "district：杭州市里没有「火星区」"),
        (["香港特别行政区", "香港", "大安区"], "district：香港特别行政区里没有「大安区」"),
        (["浙江省", "", "姑苏区"], "district：浙江省里没有「姑苏区」"),
        (["浙江省", "杭州市", "浦东新区"], "district：杭州市里没有「浦东新区」，上海市浦东新区才有"),
        (["浙江省", "杭州市", "大港区"], "district：杭州市里没有「大港区」"),
    ] {
        assert!(said(parts).starts_with(words), "{parts:?}: {}", said(parts));
    }
}
