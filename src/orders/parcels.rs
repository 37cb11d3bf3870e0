//! Parcels: who carries them, and what a tracking number looks like.

use crate::error::{Error, Result};

/// A parcel service: the code that WeChat's shipping interface uses, its name, and what people write for it.
pub struct Carrier {
    pub code: &'static str,
    pub text: &'static str,
    /// Any of these in a cell means this one.
    short: &'static [&'static str],
}

const fn carrier(code: &'static str, text: &'static str, short: &'static [&'static str]) -> Carrier {
    Carrier { code, text, short }
}

pub const CARRIERS: &[Carrier] = &[
    carrier("SF", "顺丰速运", &["顺丰", "sf"]),
    carrier("ZTO", "中通快递", &["中通", "zto"]),
    carrier("YTO", "圆通速递", &["圆通", "yto"]),
    carrier("STO", "申通快递", &["申通", "sto"]),
    carrier("YD", "韵达速递", &["韵达", "yunda", "yd"]),
    carrier("JTSD", "极兔速递", &["极兔", "jtsd", "j&t"]),
    carrier("JD", "京东快递", &["京东", "jd"]),
    carrier("EMS", "EMS", &["ems", "特快专递"]),
    carrier("YZPY", "邮政快递包裹", &["邮政", "yzpy", "小包"]),
    carrier("DBL", "德邦快递", &["德邦", "dbl"]),
];

/// What people call the service of this code.
pub fn company_text(code: &str) -> &str {
    CARRIERS.iter().find(|known| known.code == code).map_or(code, |known| known.text)
}

/// The service that people mean by this: its code, its name, or part of it.
pub fn company_named(text: &str) -> Option<&'static str> {
    let text = text.trim().to_lowercase();
    let meant = |known: &&Carrier| {
        text == known.code.to_lowercase()
            || known.short.iter().any(|short| if short.is_ascii() { text == *short } else { text.contains(short) })
    };
    CARRIERS.iter().find(meant).map(|known| known.code)
}

/// Whose number this looks like. A guess: services do not publish their ranges, and staff may choose otherwise.
pub fn recognise(tracking_no: &str) -> Option<&'static str> {
    let number = tracking_no.to_uppercase();
    let digits = number.bytes().all(|b| b.is_ascii_digit());
    let starts = |heads: &[&str]| heads.iter().any(|head| number.starts_with(head));
    match (digits, number.len()) {
        (false, _) if starts(&["SF"]) => Some("SF"),
        (false, _) if starts(&["YT"]) => Some("YTO"),
        (false, _) if starts(&["JT"]) => Some("JTSD"),
        (false, _) if starts(&["JD"]) => Some("JD"),
        (false, _) if starts(&["DPK", "DPL"]) => Some("DBL"),
        (false, 13) if starts(&["E"]) && number.ends_with("CN") => Some("EMS"),
        (true, 13) if starts(&["10", "11"]) => Some("EMS"),
        (true, 13) if starts(&["97", "98", "99"]) => Some("YZPY"),
        (true, 14) if starts(&["73", "75", "76", "78"]) => Some("ZTO"),
        (true, 15) if starts(&["77", "66", "55", "88"]) => Some("STO"),
        (true, 15) if starts(&["31", "43", "46", "47"]) => Some("YD"),
        _ => None,
    }
}

/// Who carries it under which number; both empty for what needs no parcel service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parcel {
    pub company: String,
    pub tracking_no: String,
}

impl Parcel {
    /// Reads what staff typed, scanned or pasted. An empty company is recognised from the number.
    pub fn read(company: &str, tracking_no: &str) -> Result<Parcel> {
        let tracking_no = tracking_no.trim().trim_start_matches('\'').replace(' ', "").to_uppercase();
        let wrong = |problem: &str| Err(Error::field("tracking_no", problem.to_owned()));
        if tracking_no.is_empty() {
            return wrong("请填写快递单号");
        }
        if tracking_no.contains("E+") || tracking_no.contains('.') {
            return wrong("Excel 把单号变成了科学计数，请把列设为文本后再复制");
        }
        let plain = tracking_no.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if !plain || !(6..=32).contains(&tracking_no.len()) {
            return wrong("快递单号应为 6 到 32 位字母或数字");
        }
        let company = match company.trim() {
            "" => recognise(&tracking_no).ok_or("认不出是哪家快递，请选择快递公司"),
            name => company_named(name).ok_or("不认识这家快递，请从列表中选择"),
        };
        let company = company.map_err(|problem| Error::field("company", problem))?.to_owned();
        Ok(Parcel { company, tracking_no })
    }

    /// `顺丰速运 SF123`
    pub fn text(&self) -> String {
        match self.company.as_str() {
            "" => "无需物流".to_owned(),
            company => format!("{} {}", company_text(company), self.tracking_no),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_recognised_or_asked_about() {
        for (number, company) in [
            ("SF1234567890123", Some("SF")),
            ("yt8801234567890", Some("YTO")),
            ("JT5012345678901", Some("JTSD")),
            ("JDVA12345678901", Some("JD")),
            ("DPK301234567890", Some("DBL")),
            ("EA123456789CN", Some("EMS")),
            ("1101234567890", Some("EMS")),
            ("9801234567890", Some("YZPY")),
            ("75312345678901", Some("ZTO")),
            ("773123456789012", Some("STO")),
            ("463123456789012", Some("YD")),
            ("123456", None),
        ] {
            assert_eq!(recognise(number), company, "{number}");
        }
    }

    #[test]
    fn people_write_a_service_in_many_ways() {
        for (text, code) in [
            ("顺丰", "SF"),
            ("顺丰速运", "SF"),
            ("zto", "ZTO"),
            ("中通快递", "ZTO"),
            ("EMS", "EMS"),
            ("邮政小包", "YZPY"),
        ] {
            assert_eq!(company_named(text), Some(code), "{text}");
        }
        assert_eq!(company_named("飞毛腿"), None);
        assert_eq!(company_named(""), None);
    }

    #[test]
    fn a_parcel_with_one_thing_wrong_is_refused() {
        let fine = Parcel { company: "SF".into(), tracking_no: "SF1234567890123".into() };
        for (company, number) in [
            ("", "SF1234567890123"),
            ("顺丰", "sf1234567890123"),
            ("SF", "'SF1234 5678 90123"),
            ("SF", " SF1234567890123 "),
        ] {
            assert_eq!(Parcel::read(company, number).unwrap(), fine);
        }
        for (company, number, problem) in [
            ("", "", "请填写快递单号"),
            ("SF", "7.73E+14", "科学计数"),
            ("SF", "12345", "6 到 32 位"),
            ("SF", "顺丰1234567", "6 到 32 位"),
            ("飞毛腿", "SF1234567890123", "不认识这家快递"),
            ("", "123456", "认不出"),
        ] {
            let error = Parcel::read(company, number).unwrap_err();
            let words = error.fields.values().next().and_then(|w| w.as_str()).unwrap_or_default().to_owned();
            assert!(words.contains(problem), "{number}: {words}");
        }
    }
}
