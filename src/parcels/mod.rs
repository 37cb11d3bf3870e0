//! Parcels: who carries them and under which number, read from whatever people write, paste and scan.

pub mod carriers;
pub mod halts;
pub mod number;
pub mod refresh;
pub mod store;
pub mod wishes;

pub use carriers::By;
use carriers::{Carrier, Carriers, OTHER, name_of, recognise};
use number::TrackingNo;
use rusqlite::Connection;

use crate::error::{Error, Result};

/// Who carries it under which number; all empty for what needs no parcel service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    /// WeChat's code.
    pub company: String,
    /// What it is called, where the code does not say it.
    pub company_name: String,
    pub tracking_no: String,
}

impl Parcel {
    pub fn new(carrier: Carrier, number: TrackingNo) -> Parcel {
        let named = carrier.code == OTHER || carrier.name != name_of(&carrier.code);
        let company_name = if named { carrier.name } else { String::new() };
        Parcel { company: carrier.code, company_name, tracking_no: number.to_string() }
    }

    /// Reads what was typed, scanned or pasted, by the list that came with the program. An empty company is recognised
    /// from the number.
    pub fn read(company: &str, tracking_no: &str) -> Result<Parcel> {
        let said = Said::read(&Carriers::default(), company, tracking_no)?;
        let guess = || recognise(&said.number).map(|guess| Carrier::known(guess.code));
        match said.carrier.clone().or_else(guess) {
            Some(carrier) => Ok(Parcel::new(carrier, said.number)),
            None => Err(nobody()),
        }
    }

    /// Who carries it.
    pub fn carrier(&self) -> Carrier {
        Carrier { code: self.company.clone(), name: self.company_text().to_owned() }
    }

    /// What people call the service.
    pub fn company_text(&self) -> &str {
        if self.company_name.is_empty() { name_of(&self.company) } else { &self.company_name }
    }

    /// `顺丰速运 SF123`
    pub fn text(&self) -> String {
        match self.company.as_str() {
            "" => "无需物流".to_owned(),
            _ => format!("{} {}", self.company_text(), self.tracking_no),
        }
    }
}

/// A parcel, and whether somebody said who carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub parcel: Parcel,
    pub by: By,
}

impl Found {
    /// Reads what was typed, scanned or pasted, by everything that is known here of carriers.
    pub fn read(conn: &Connection, carriers: &Carriers, company: &str, tracking_no: &str) -> Result<Found> {
        let Said { number, carrier } = Said::read(carriers, company, tracking_no)?;
        let (carrier, by) = match carrier {
            Some(carrier) => (carrier, By::Said),
            None => match store::suggested(conn, &number)? {
                Some(suggested) => suggested,
                None => return Err(nobody()),
            },
        };
        Ok(Found { parcel: Parcel::new(carrier, number), by })
    }
}

/// What a person said of a parcel: its number, and maybe who carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub number: TrackingNo,
    pub carrier: Option<Carrier>,
}

impl Said {
    /// Errors name the field. A bar code of a book counts as a number only where somebody says that the post carries it,
    /// for some of its own look the same; a phone only where somebody names a service of his own, whose rider is called.
    pub fn read(carriers: &Carriers, company: &str, tracking_no: &str) -> Result<Said> {
        let carrier = match crate::typed::bare(company).as_str() {
            name if carriers::says_nobody(name) => None,
            name => Some(carriers.named(name).map_err(|unknown| Error::field("company", unknown.to_string()))?),
        };
        let beside =
            beside_a_name(tracking_no).and_then(|(name, number)| Some((carriers.known(without_label(name))?, number)));
        let labelled = || Some((carriers.known(&number::carrier_in(tracking_no)?)?, tracking_no));
        let beside = beside.or_else(labelled);
        let (carrier, tracking_no) = match (carrier, beside) {
            (Some(carrier), Some((beside, _))) if carrier != beside => {
                let words = format!("快递公司写的是{}，单号里写的是{}：请改成一样的", carrier.name, beside.name);
                return Err(Error::field("company", words));
            }
            (_, Some((beside, number))) => (Some(beside), number),
            (carrier, None) => (carrier, tracking_no),
        };
        let by = |code: &str| carrier.as_ref().is_some_and(|carrier| carrier.code == code);
        let number = match TrackingNo::read(tracking_no) {
            Err(number::Problem::Goods(number)) if by("YZPY") => Ok(number),
            Err(number::Problem::Phone(number)) if by(OTHER) => Ok(number),
            read => read,
        };
        let number = number.map_err(|problem| Error::field("tracking_no", problem.to_string()))?;
        let express = || recognise(&number).filter(|guess| guess.sure && guess.code == "EMS");
        let carrier = match express().filter(|_| by("YZPY") && carriers::says_the_post(company)) {
            Some(guess) => Some(Carrier::known(guess.code)),
            None => carrier,
        };
        Ok(Said { number, carrier })
    }
}

/// A name and a number in one text: `圆通速递 YT8812345678901`, `YT8812345678901（圆通）`, `EMS:1101234567890`.
pub fn beside_a_name(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    if let Some(both) = beside_a_code(text) {
        return Some(both);
    }
    // The number may stand in brackets behind the name.
    let text =
        if text.contains(['(', '（', '[', '【']) { text.trim_end_matches([')', '）', ']', '】']) } else { text };
    let is_number = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let stray = |c: char| c.is_whitespace() || "()（）[]【】:：,，、/-_|".contains(c);
    let behind = text.trim_end_matches(is_number);
    let before = text.trim_start_matches(is_number);
    let (name, number) = match (behind.len() < text.len(), before.len() < text.len()) {
        (true, false) => (behind, &text[behind.len()..]),
        (false, true) => (before, &text[..text.len() - before.len()]),
        _ => return None,
    };
    let name = name.trim_matches(stray);
    let digits = number.bytes().filter(u8::is_ascii_digit).count();
    (!name.is_empty() && digits >= 8).then_some((name, number))
}

/// `圆通单号`: the name of whose number it is.
fn without_label(name: &str) -> &str {
    const LABELS: [&str; 5] = ["快递单号", "运单号", "物流单号", "面单号", "单号"];
    LABELS.iter().find_map(|label| name.strip_suffix(label)).unwrap_or(name)
}

/// The same with a name in Latin letters, unless its numbers begin with it.
fn beside_a_code(text: &str) -> Option<(&str, &str)> {
    const HEADS: [&str; 7] = ["SF", "YT", "JT", "JD", "DPK", "DPL", "KYE"];
    let (name, number) = text.split_once([' ', ':', '：'])?;
    let number = number.trim();
    let letters = |text: &str| text.bytes().all(|b| b.is_ascii_alphabetic());
    let plain = number.bytes().all(|b| b.is_ascii_alphanumeric()) && number.bytes().any(|b| b.is_ascii_digit());
    let head = HEADS.iter().any(|head| name.eq_ignore_ascii_case(head));
    ((2..=8).contains(&name.len()) && letters(name) && plain && number.len() >= 8 && !head).then_some((name, number))
}

/// Nobody said who carries it, and the number does not tell.
pub fn nobody() -> Error {
    Error::field("company", "认不出是哪家快递，请选择快递公司")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parcel_with_one_thing_wrong_is_refused() {
        let fine = Parcel { company: "SF".into(), tracking_no: "SF1234567890123".into(), ..Parcel::default() };
        for (company, number) in [
            ("", "SF1234567890123"),
            ("顺丰", "sf1234567890123"),
            ("SF", "'SF1234 5678 90123"),
            ("SF", " SF1234567890123 "),
            (" 顺丰\u{a0}", "运单号：SF1234567890123"),
        ] {
            assert_eq!(Parcel::read(company, number).unwrap(), fine);
        }
        for (company, number, problem) in [
            ("", "", "请填写快递单号"),
            ("SF", "7.73E+14", "科学计数"),
            ("SF", "12345", "6 到 32 位"),
            ("SF", "顺丰1234567", "6 到 32 位"),
            ("飞毛腿", "SF1234567890123", "不认识快递公司「飞毛腿」"),
            ("", "123456", "认不出"),
            ("", "9787302511625", "书刊"),
            ("顺丰", "13912345678", "手机号"),
            ("", "顺丰 139-1234-5678", "手机号"),
            ("", "13912345678", "手机号"),
            ("申通", "12.5", "6 到 32 位"),
            ("顺丰", "9787302511625", "书刊"),
            ("", "SF1234567890123,SF1234567890124", "2 个单号"),
        ] {
            let error = Parcel::read(company, number).unwrap_err();
            let words = error.fields.values().next().and_then(|w| w.as_str()).unwrap_or_default().to_owned();
            assert!(words.contains(problem), "{number}: {words}");
        }
    }

    #[test]
    fn a_name_and_a_number_may_stand_in_one_text() {
        for text in [
            "圆通速递 YT8812345678901",
            "圆通：YT8812345678901",
            "圆通YT8812345678901",
            "YT8812345678901（圆通）",
            "YT8812345678901 圆通快递",
            "【圆通】YT8812345678901",
            "圆通单号：YT8812345678901",
            "圆通快递运单号 YT8812345678901",
        ] {
            assert_eq!(Parcel::read("", text).unwrap().text(), "圆通速递 YT8812345678901", "{text}");
            assert!(Parcel::read("圆通", text).is_ok());
            let problem = Parcel::read("中通", text).unwrap_err().fields["company"].to_string();
            assert!(problem.contains("中通快递") && problem.contains("圆通速递"), "{problem}");
        }
        assert_eq!(Parcel::read("", "其他：飞毛腿 F12345678").unwrap().text(), "飞毛腿 F12345678");
        for (text, parcel) in [
            ("EMS:1101234567890", "EMS 1101234567890"),
            ("ZTO 75312345678901", "中通快递 75312345678901"),
            ("yunda 463123456789012", "韵达速递 463123456789012"),
            // Their numbers begin with the name.
            ("SF 1234567890123", "顺丰速运 SF1234567890123"),
            ("JT 5012345678901", "极兔速递 JT5012345678901"),
        ] {
            assert_eq!(Parcel::read("", text).unwrap().text(), parcel, "{text}");
        }
        for text in ["飞毛腿 75312345678901", "圆通 YT12345", "圆通"] {
            assert!(Parcel::read("", text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_labels_picture_says_who_carries_it() {
        let label = "{\"waybillCode\":\"75312345678901\",\"cp\":\"YTO\"}";
        assert_eq!(Parcel::read("", label).unwrap().text(), "圆通速递 75312345678901");
        assert!(Parcel::read("圆通", label).is_ok() && Parcel::read("中通", label).is_err());
        assert_eq!(Parcel::read("中通", &label.replace("YTO", "?")).unwrap().text(), "中通快递 75312345678901");
    }

    #[test]
    fn a_service_without_a_code_keeps_its_name() {
        let parcel = Parcel::read("其他：飞毛腿", "F123456").unwrap();
        assert_eq!((parcel.company.as_str(), parcel.text().as_str()), ("OTHER", "飞毛腿 F123456"));
        assert_eq!(Parcel::read("其他：飞毛腿", "13912345678").unwrap().text(), "飞毛腿 13912345678");
        assert_eq!(Parcel::read("顺丰", "SF1234567890123").unwrap().company_name, "");
        assert_eq!(Parcel::read("邮政", "9787302511625").unwrap().text(), "邮政快递包裹 9787302511625");
        for (company, number, code) in [
            ("邮政", "1123456789012", "EMS"),
            ("中国邮政", "EA123456789CN", "EMS"),
            ("中国邮政", "9812345678901", "YZPY"),
            ("邮政快递包裹", "1123456789012", "YZPY"),
            ("EMS", "9812345678901", "EMS"),
        ] {
            assert_eq!(Parcel::read(company, number).unwrap().company, code, "{company} {number}");
        }
    }
}
