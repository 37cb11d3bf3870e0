//! Addresses: our own form and `wx.chooseAddress`'s, checked by one constructor.

use serde::{Deserialize, Serialize};

use super::phones;
use crate::error::{Code, Error, Result};
use crate::ids::AddressId;
use crate::places::{self, Doubt, Place};
use crate::typed::{Length, bare};

pub const RECEIVER: Length = Length::between(1, 25);
pub const PHONE: Length = Length::between(5, 20);
pub const PROVINCE: Length = Length::between(1, 20);
/// Cities that are provinces, and counties without a district, come with an empty part.
pub const CITY: Length = Length::up_to(20);
pub const DISTRICT: Length = CITY;
pub const DETAIL: Length = Length::between(1, 120);
/// What is ticked where a region is to be kept as it was typed.
pub const AS_WRITTEN: &str = "省市区没写错";
const POSTCODE: Length = Length::up_to(10);

/// Where a parcel goes. Made only by `AddressForm::check`, or read back from our own rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    pub receiver: String,
    pub phone: String,
    pub province: String,
    pub city: String,
    pub district: String,
    pub detail: String,
    pub postcode: String,
}

impl Address {
    /// `浙江省杭州市西湖区 文三路 1 号`
    pub fn one_line(&self) -> String {
        format!("{} {}", self.region(), self.detail)
    }

    /// `上海市浦东新区`, though WeChat says 上海市 twice.
    pub fn region(&self) -> String {
        places::region(&self.province, &self.city, &self.district)
    }

    /// What somebody should look at once more of a region that was typed.
    pub fn must_be_a_region(&self) -> Result<()> {
        asked(places::doubt(&self.province, &self.city, &self.district))
    }

    /// Where its city has districts, one is named: in an address that is new, or that takes the place of one that named it.
    pub fn must_name_its_district(&self, before: Option<&Address>) -> Result<()> {
        let named = before.is_none_or(|before| before.place().is_some_and(|place| place.district.is_some()));
        asked(self.place().filter(|_| named).and_then(places::without_district))
    }

    /// The place as everything that names places knows it; `None` where not even the province is known.
    pub fn place(&self) -> Option<Place> {
        Place::of(&self.province, &self.city, &self.district, &self.detail)
    }

    /// `138****1234`
    pub fn masked_phone(&self) -> String {
        masked(&self.phone)
    }

    /// `张*`
    pub fn masked_receiver(&self) -> String {
        self.receiver.chars().take(1).chain(['*']).collect()
    }

    /// What somebody wrote, without what it repeats of this address and without any other mobile phone.
    pub fn masked_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (own, shown) in [(&self.phone, self.masked_phone()), (&self.receiver, self.masked_receiver())] {
            if own.chars().count() > 1 {
                text = text.replace(own.as_str(), &shown);
            }
        }
        without_phones(&without_parts(&text, &self.detail))
    }
}

/// Asks about a region, which may be kept as it was typed.
fn asked(doubt: Option<Doubt>) -> Result<()> {
    let Some(Doubt { field, words }) = doubt else { return Ok(()) };
    Err(Error::field(field, format!("{words}；真要照这样寄的，勾选“{AS_WRITTEN}”再保存")))
}

/// So many signs of a street stand in no other words by chance.
const PART: usize = 4;

fn without_parts(text: &str, detail: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let (mut kept, mut at) = (String::new(), 0);
    while at < text.len() {
        let is_part = |n: &usize| detail.contains(&text[at..at + n].iter().collect::<String>());
        match (PART..=text.len() - at).take_while(is_part).last() {
            Some(n) => {
                kept.push_str("••••");
                at += n;
            }
            None => {
                kept.push(text[at]);
                at += 1;
            }
        }
    }
    kept
}

/// A text without its mobile phones: `139****5678`.
pub fn without_phones(text: &str) -> String {
    let text: Vec<char> = text.chars().collect();
    let is_digit = |at: usize| text.get(at).is_some_and(char::is_ascii_digit);
    let (mut kept, mut at) = (String::new(), 0);
    while at < text.len() {
        if !is_digit(at) {
            kept.push(text[at]);
            at += 1;
            continue;
        }
        // `139-1234-5678` and `139 1234 5678` are one number.
        let mut end = at;
        while is_digit(end) || matches!(text.get(end), Some('-' | ' ')) && is_digit(end + 1) {
            end += 1;
        }
        let run: String = text[at..end].iter().collect();
        let digits: String = run.chars().filter(char::is_ascii_digit).collect();
        let is_mobile = digits.len() == 11 && digits.starts_with('1') && !digits.starts_with("10");
        kept += &if is_mobile { masked(&digits) } else { run };
        at = end;
    }
    kept
}

/// An address in a buyer's book.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Saved {
    pub id: AddressId,
    #[serde(flatten)]
    pub address: Address,
    pub is_default: bool,
}

/// What a client sends: our names, or those of `wx.chooseAddress` as it gave them.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressForm {
    receiver: Option<String>,
    phone: Option<String>,
    province: Option<String>,
    city: Option<String>,
    district: Option<String>,
    detail: Option<String>,
    postcode: Option<String>,
    pub is_default: Option<bool>,
    // wx.chooseAddress
    user_name: Option<String>,
    tel_number: Option<String>,
    province_name: Option<String>,
    city_name: Option<String>,
    county_name: Option<String>,
    street_name: Option<String>,
    detail_info: Option<String>,
    detail_info_new: Option<String>,
    postal_code: Option<String>,
    #[serde(rename = "nationalCode")]
    _national_code: Option<String>,
    #[serde(rename = "nationalCodeFull")]
    _national_code_full: Option<String>,
    #[serde(rename = "errMsg")]
    _err_msg: Option<String>,
}

impl AddressForm {
    /// From parts that are written one by one.
    pub fn of(parts: [Option<String>; 6]) -> AddressForm {
        let [receiver, phone, province, city, district, detail] = parts;
        AddressForm { receiver, phone, province, city, district, detail, ..AddressForm::default() }
    }

    /// The address, or every field that is wrong, each with its reason. `at` stands before the names, as in `address.`.
    pub fn check(self, at: &str) -> Result<Address> {
        let street = self.street_name.unwrap_or_default();
        let wx_detail = self.detail_info.or(self.detail_info_new).map(|detail| {
            // The street is often the start of the detail already.
            if detail.starts_with(&street) { detail } else { format!("{street}{detail}") }
        });
        let mut error = Error::from(Code::ValidationFailed);
        let mut take = |name: &str, label: &str, value: Option<String>, length: Length| {
            let value = value.unwrap_or_default().trim().to_owned();
            if !length.fits_line(&value) {
                let problem = match value.as_str() {
                    "" => format!("请填写{label}"),
                    _ => format!("{label}应为 {} 到 {} 个字，不含换行", length.least(), length.most()),
                };
                error.fields.insert(format!("{at}{name}"), problem.into());
            }
            value
        };
        let address = Address {
            receiver: take("receiver", "收货人", self.receiver.or(self.user_name), RECEIVER),
            phone: take("phone", "电话", extended(self.phone.or(self.tel_number)), PHONE),
            province: take("province", "省份", self.province.or(self.province_name), PROVINCE),
            city: take("city", "城市", self.city.or(self.city_name), CITY),
            district: take("district", "区县", self.district.or(self.county_name), DISTRICT),
            detail: take("detail", "详细地址", self.detail.or(wx_detail), DETAIL),
            postcode: take("postcode", "邮编", self.postcode.or(self.postal_code), POSTCODE),
        };
        if !is_dialable(&address.phone) && !error.fields.contains_key(&format!("{at}phone")) {
            error.fields.insert(format!("{at}phone"), "电话只能是数字、空格、+ 和 -".into());
        }
        if phones::rings_nobody(&address.phone) {
            let words = format!("电话 {} 打不通：手机是 1 开头的 11 位，座机前面要有区号，请再核对", address.phone);
            error.fields.insert(format!("{at}phone"), words.into());
        }
        if error.fields.is_empty() { Ok(address) } else { Err(error) }
    }
}

/// The number of one of a buyer's addresses, as his phone sends it.
pub fn id(text: &str) -> Result<AddressId> {
    text.parse().map_err(|_| unknown())
}

/// No address of this buyer's has that number.
pub fn unknown() -> Error {
    Error::from(Code::NotFound).says("收货地址不存在，请重新选择")
}

/// A phone number by itself; `field` names it where it is wrong. An empty one is none.
pub fn phone(text: &str, field: &str) -> Result<String> {
    let phone = bare(text);
    let fine = phone.is_empty() || (phone.len() <= 20 && is_dialable(&phone));
    if fine {
        Ok(phone)
    } else {
        Err(Error::field(field, "取货电话请填 5 到 20 位，只能是数字、空格、+ 和 -"))
    }
}

/// In narrow digits; platforms write the extension of a virtual number behind 转.
fn extended(phone: Option<String>) -> Option<String> {
    phone.map(|phone| bare(&phone).split('转').map(str::trim).collect::<Vec<_>>().join("-"))
}

fn is_dialable(phone: &str) -> bool {
    phone.bytes().all(|b| b.is_ascii_digit() || b"+- ".contains(&b))
        && phone.bytes().filter(u8::is_ascii_digit).count() >= 5
}

/// `138****1234`, without the extension of a virtual number.
pub fn masked(phone: &str) -> String {
    let main = phone.rsplit_once('-').filter(|(main, _)| main.bytes().filter(u8::is_ascii_digit).count() >= 10);
    let digits: Vec<char> = main.map_or(phone, |(main, _)| main).chars().collect();
    match digits.len() {
        0..=4 => "****".into(),
        n if n < 8 => format!("****{}", digits[n - 4..].iter().collect::<String>()),
        n => format!("{}****{}", digits[..3].iter().collect::<String>(), digits[n - 4..].iter().collect::<String>()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(json: &str) -> Result<Address> {
        serde_json::from_str::<AddressForm>(json).unwrap().check("")
    }

    #[test]
    fn an_address_comes_in_our_form_or_in_wechats() {
        let ours = form(
            r#"{"receiver":"张三","phone":"13800001234","province":"浙江省","city":"杭州市","district":"西湖区","detail":"文三路1号"}"#,
        );
        let wechats = form(
            r#"{"userName":"张三","telNumber":"13800001234","provinceName":"浙江省","cityName":"杭州市","countyName":"西湖区",
                "streetName":"","detailInfo":"文三路1号","nationalCode":"330106","errMsg":"chooseAddress:ok"}"#,
        );
        assert_eq!(ours.unwrap(), wechats.unwrap());
    }

    #[test]
    fn a_phone_is_read_as_it_was_typed_or_pasted() {
        for (written, kept) in [
            ("１３９００００００１４", "13900000014"),
            ("139–0000–0014", "139-0000-0014"),
            ("\u{200b}13900000014\u{a0}", "13900000014"),
            ("１８４６６００１２３４转５６７８", "18466001234-5678"),
        ] {
            let json = format!(
                r#"{{"receiver":"张三","phone":"{written}","province":"x","city":"","district":"","detail":"y"}}"#
            );
            assert_eq!(form(&json).unwrap().phone, kept, "{written}");
            assert!(written.contains('转') || phone(written, "phone").unwrap() == kept, "{written}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let error = form(r#"{"receiver":" ","phone":"not a number","province":"浙江省"}"#).unwrap_err();
        let names: Vec<_> = error.fields.keys().map(String::as_str).collect();
        assert_eq!(names, ["detail", "phone", "receiver"]);
    }

    #[test]
    fn personal_data_is_masked() {
        let mut address = form(r#"{"receiver":"张三","phone":"13800001234","province":"x","detail":"y"}"#).unwrap();
        assert_eq!((address.masked_phone(), address.masked_receiver()), ("138****1234".into(), "张*".into()));
        address.detail = "保密小区9栋1单元".into();
        for (text, shown) in [
            ("送到后打13755556666 张三 保密小区9栋", "送到后打137****6666 张* ••••"),
            ("电话 138 0000 1234，放门口", "电话 138****1234，放门口"),
            ("13800001234", "138****1234"),
            ("少糖，放 2 号柜，12345678901234", "少糖，放 2 号柜，12345678901234"),
            ("", ""),
        ] {
            assert_eq!(address.masked_in(text), shown, "{text}");
        }
        address.phone = "12345".into();
        assert_eq!(address.masked_phone(), "****2345");
        for (phone, shown) in [
            ("18466001234-5678", "184****1234"),
            ("0571-88001234-802", "057****1234"),
            ("0571-88001234", "057****1234"),
        ] {
            assert_eq!(masked(phone), shown);
        }
    }
}
