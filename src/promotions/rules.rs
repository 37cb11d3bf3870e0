//! What staff may write of a promotion, as they type it. Every `Err` names its field and is a sentence.

use super::give::typed_code;
use super::{Given, Kind, Scope, Terms, Tier};
use crate::clock::{self, MINUTE};
use crate::error::{Error, Result};
use crate::money::Fen;
use crate::typed::{Length, bare, clean, whole};

/// What a promotion is called; buyers see it.
pub const NAME: Length = Length::between(1, 20);
pub const CODE: Length = Length::between(4, 20);
/// Coupons of one promotion that a buyer may take.
const MOST_PER_BUYER: i64 = 100;
/// Steps of one promotion.
pub const MOST_TIERS: usize = 5;
/// Categories or products of one promotion.
pub const MOST_SUBJECTS: usize = 500;

/// The form as it was filled in.
#[derive(Clone, Debug, Default)]
pub struct Filled {
    pub kind: String,
    pub given: String,
    pub name: String,
    /// Sums of goods and what is off, side by side; empty pairs count for nothing.
    pub from: Vec<String>,
    pub off: Vec<String>,
    pub percent: String,
    pub cap: String,
    pub scope: String,
    /// Ids, found by whoever read the form.
    pub subjects: Vec<i64>,
    pub starts_at: String,
    pub ends_at: String,
    pub days: String,
    pub code: String,
    pub listed: bool,
    pub total: String,
    pub per_buyer: String,
}

impl Filled {
    pub fn check(&self, now: i64) -> Result<Terms> {
        let kind: Kind = self.kind.parse().map_err(|()| Error::field("kind", "请选择优惠方式"))?;
        let given: Given = self.given.parse().map_err(|()| Error::field("given", "请选择谁能享受"))?;
        let scope: Scope = self.scope.parse().map_err(|()| Error::field("scope", "请选择适用商品"))?;
        let name = clean(&self.name);
        if !NAME.fits(&name) {
            return Err(Error::field("name", format!("名称应为 {NAME}，买家看得到，例如 双十一满减")));
        }
        let starts_at = time("starts_at", "开始时间", &self.starts_at)?.unwrap_or(now);
        // Who writes 23:59 means that minute, too.
        let ends_at = time("ends_at", "结束时间", &self.ends_at)?.map(|minute| minute + MINUTE - 1);
        if ends_at.is_some_and(|ends_at| ends_at - MINUTE < starts_at) {
            return Err(Error::field("ends_at", "结束时间要晚于开始时间"));
        }
        let is_coupon = given != Given::Everybody;
        Ok(Terms {
            kind,
            given,
            name,
            tiers: self.tiers(kind, is_coupon)?,
            percent: if kind == Kind::Percent { Some(percent(&self.percent)?) } else { None },
            cap: if kind == Kind::Percent { self.cap()? } else { None },
            scope,
            subjects: self.subjects(scope)?,
            starts_at,
            ends_at,
            days: if is_coupon { count("days", "有效天数", &self.days, 365)? } else { None },
            code: if given == Given::Link { Some(code(&self.code)?) } else { None },
            listed: given == Given::Link && self.listed,
            total: if is_coupon { count("total", "发放总量", &self.total, 10_000_000)? } else { None },
            per_buyer: match given {
                Given::Link | Given::Chosen => per_buyer(&self.per_buyer)?,
                Given::Everybody | Given::FirstOrder => 1,
            },
        })
    }

    fn tiers(&self, kind: Kind, is_coupon: bool) -> Result<Vec<Tier>> {
        let mut tiers: Vec<Tier> = Vec::new();
        let nothing = String::new();
        for i in 0..self.from.len().max(self.off.len()) {
            let (from, off) = (self.from.get(i).unwrap_or(&nothing).trim(), self.off.get(i).unwrap_or(&nothing).trim());
            // A part of the price and no freight have one step, which may be none at all.
            let empty = from.is_empty() && (off.is_empty() || kind != Kind::Reduce);
            if empty && (kind == Kind::Reduce || i > 0) {
                continue;
            }
            let from = if from.is_empty() { Fen::ZERO } else { yuan("from", "满多少元", from)? };
            let off = if kind == Kind::Reduce { yuan("off", "减多少元", off)? } else { Fen::ZERO };
            tiers.push(Tier { from, off });
        }
        if kind != Kind::Reduce {
            tiers.truncate(1);
            return Ok(if tiers.is_empty() { vec![Tier { from: Fen::ZERO, off: Fen::ZERO }] } else { tiers });
        }
        if tiers.is_empty() {
            return Err(Error::field("off", "请填减多少元"));
        }
        if tiers.len() > if is_coupon { 1 } else { MOST_TIERS } {
            let words =
                if is_coupon { "优惠券只能写一档".to_owned() } else { format!("最多写 {MOST_TIERS} 档") };
            return Err(Error::field("from", words));
        }
        for tier in &tiers {
            if tier.off == Fen::ZERO {
                return Err(Error::field("off", "减的金额至少 0.01 元"));
            }
            if tier.from > Fen::ZERO && tier.off > tier.from {
                return Err(Error::field("off", format!("满 ¥{} 不能减 ¥{}：减的比满的还多", tier.from, tier.off)));
            }
        }
        if tiers.windows(2).any(|pair| pair[1].from <= pair[0].from || pair[1].off <= pair[0].off) {
            return Err(Error::field("from", "每一档都要比上一档满得多、减得多"));
        }
        if !is_coupon && tiers[0].from == Fen::ZERO {
            return Err(Error::field("from", "满减请填满多少元；不设门槛的请做成优惠券"));
        }
        Ok(tiers)
    }

    fn cap(&self) -> Result<Option<Fen>> {
        let text = self.cap.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let cap = yuan("cap", "最多减", text)?;
        if cap == Fen::ZERO {
            Err(Error::field("cap", "最多减至少 0.01 元，不限请留空"))
        } else {
            Ok(Some(cap))
        }
    }

    fn subjects(&self, scope: Scope) -> Result<Vec<i64>> {
        match (scope, self.subjects.len()) {
            (Scope::All, _) => Ok(Vec::new()),
            (Scope::Categories, 0) => Err(Error::field("categories", "请选择至少一个分类")),
            (Scope::Products, 0) => Err(Error::field("products", "请写至少一个商品，一行一个")),
            (_, n) if n > MOST_SUBJECTS => Err(Error::field("products", format!("最多写 {MOST_SUBJECTS} 个"))),
            _ => Ok(self.subjects.clone()),
        }
    }
}

fn yuan(field: &str, what: &str, text: &str) -> Result<Fen> {
    Fen::from_yuan(text).ok_or_else(|| Error::field(field, format!("{what}请填金额，例如 100 或 9.9")))
}

fn time(field: &str, what: &str, text: &str) -> Result<Option<i64>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let read = clock::from_field(text);
    read.map(Some).ok_or_else(|| Error::field(field, format!("{what}请写成 2026-11-11T00:00 的样子")))
}

fn count(field: &str, what: &str, text: &str, most: i64) -> Result<Option<i64>> {
    let text = text.trim();
    if text.is_empty() {
        return Ok(None);
    }
    let read = whole(text).filter(|n| (1..=most).contains(n));
    read.map(Some).ok_or_else(|| Error::field(field, format!("{what}请填 1 到 {most} 的整数，不限请留空")))
}

/// Nothing written is one.
fn per_buyer(text: &str) -> Result<i64> {
    let read = count("per_buyer", "每人限领", text, MOST_PER_BUYER);
    let words = || format!("每人限领请填 1 到 {MOST_PER_BUYER} 的整数，不填就是 1 张");
    read.map(|n| n.unwrap_or(1)).map_err(|_| Error::field("per_buyer", words()))
}

/// `8.5` and `85` are both 85 of a hundred, as people write 折. Who writes `10` or `15` may mean what is taken off, and who
/// writes `0.8` eight tenths: other prices altogether.
fn percent(text: &str) -> Result<i64> {
    const CLEAR: [std::ops::Range<i64>; 2] = [1..10, 50..100];
    let text = bare(text);
    let wrong = || Error::field("percent", "折扣请填 1 到 9.9，例如 8.5 表示八五折，减一成填 9");
    let text = text.trim_end_matches('折').trim();
    let (whole, tenth) = text.split_once('.').unwrap_or((text, ""));
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 2 || tenth.len() > 1 || !digits(whole) || !digits(tenth) {
        return Err(wrong());
    }
    let (whole, tenth): (i64, i64) = (whole.parse().map_err(|_| wrong())?, tenth.parse().unwrap_or(0));
    if !CLEAR.iter().any(|clear| clear.contains(&whole)) {
        return Err(wrong());
    }
    let percent = if text.contains('.') || whole < 10 { whole * 10 + tenth } else { whole };
    if (1..=99).contains(&percent) { Ok(percent) } else { Err(wrong()) }
}

fn code(text: &str) -> Result<String> {
    let code = typed_code(text);
    let fine = CODE.fits(&code) && code.bytes().all(|b| b.is_ascii_alphanumeric());
    if fine {
        Ok(code)
    } else {
        Err(Error::field("code", format!("优惠码是 {} 到 {} 位字母和数字", CODE.least(), CODE.most())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Filled {
        Filled {
            kind: "reduce".into(),
            given: "everybody".into(),
            name: "满减".into(),
            from: vec!["100".into(), "200".into(), "".into()],
            off: vec!["10".into(), "30".into(), "".into()],
            scope: "all".into(),
            ..Filled::default()
        }
    }

    #[test]
    fn a_promotion_that_is_right_is_taken_and_one_thing_wrong_is_named() {
        assert_eq!(good().check(0).unwrap().text(), "满 ¥100 减 ¥10，满 ¥200 减 ¥30");
        type Spoil = fn(&mut Filled);
        let rows: &[(Spoil, &str)] = &[
            (|f| f.kind = "gift".into(), "优惠方式"),
            (|f| f.given = "".into(), "谁能享受"),
            (|f| f.scope = "".into(), "适用商品"),
            (|f| f.name = " ".into(), "名称"),
            (|f| f.name = "长".repeat(21), "名称"),
            (|f| f.from[0] = "一百".into(), "满多少元"),
            (|f| f.off[0] = "".into(), "减多少元"),
            (|f| f.off[0] = "0".into(), "至少 0.01"),
            (|f| f.off[0] = "100.01".into(), "减的比满的还多"),
            (|f| f.from[1] = "100".into(), "上一档"),
            (|f| f.off[1] = "10".into(), "上一档"),
            (|f| f.from[0] = "".into(), "满减请填满多少元"),
            (|f| (f.from, f.off) = (Vec::new(), Vec::new()), "请填减多少元"),
            (|f| f.from.extend((3..9).map(|n| (n * 100).to_string())), "减多少元"),
            (|f| f.scope = "categories".into(), "至少一个分类"),
            (|f| f.scope = "products".into(), "至少一个商品"),
            (|f| f.starts_at = "明天".into(), "开始时间"),
            (|f| (f.starts_at, f.ends_at) = ("2026-11-11T00:00".into(), "2026-11-11T00:00".into()), "晚于"),
            (|f| (f.kind, f.percent) = ("percent".into(), "8.5".into()), ""),
            (|f| f.given = "link".into(), "一档"),
        ];
        for (spoil, words) in rows {
            let mut filled = good();
            spoil(&mut filled);
            match filled.check(0) {
                Ok(terms) => assert_eq!(*words, "", "{terms:?}"),
                Err(e) => assert!(!words.is_empty() && e.message().contains(words), "{words}: {}", e.message()),
            }
        }
    }

    #[test]
    fn a_coupon_has_its_own_rules() {
        let coupon = |spoil: &dyn Fn(&mut Filled)| {
            let mut filled = Filled {
                given: "link".into(),
                from: vec!["".into()],
                off: vec!["5".into()],
                code: " spring25 ".into(),
                days: "7".into(),
                total: "100".into(),
                ..good()
            };
            spoil(&mut filled);
            filled.check(0)
        };
        let terms = coupon(&|_| {}).unwrap();
        assert_eq!((terms.text().as_str(), terms.code.as_deref(), terms.per_buyer), ("减 ¥5", Some("SPRING25"), 1));
        type Spoil = fn(&mut Filled);
        let rows: &[(Spoil, &str)] = &[
            (|f| f.code = "abc".into(), "优惠码"),
            (|f| f.code = "八折".into(), "优惠码"),
            (|f| f.days = "0".into(), "有效天数"),
            (|f| f.days = "366".into(), "有效天数"),
            (|f| f.total = "很多".into(), "发放总量"),
            (|f| f.per_buyer = "101".into(), "每人限领"),
        ];
        for (spoil, words) in rows {
            let e = coupon(&|f: &mut Filled| spoil(f)).unwrap_err();
            assert!(e.message().contains(words), "{words}: {}", e.message());
        }
        // What is no coupon has neither code nor count, whatever stands in the fields.
        let automatic = coupon(&|f: &mut Filled| {
            f.given = "everybody".into();
            f.from = vec!["10".into()];
        });
        let automatic = automatic.unwrap();
        assert_eq!((automatic.code, automatic.days, automatic.total), (None, None, None));
    }

    #[test]
    fn a_part_of_the_price_is_typed_as_people_write_it() {
        for (typed, percent) in [
            ("8.5", Some(85)),
            ("85", Some(85)),
            ("9", Some(90)),
            ("9.0", Some(90)),
            ("９折", Some(90)),
            ("1", Some(10)),
            ("0.1", None),
            ("0.8", None),
            ("95", Some(95)),
            ("88 折", Some(88)),
            ("50", Some(50)),
            ("10", None),
            ("15", None),
            ("20折", None),
            ("49", None),
            ("", None),
            ("0", None),
            ("0.0", None),
            ("10.0", None),
            ("8.55", None),
            ("100", None),
            ("-1", None),
            ("打折", None),
        ] {
            assert_eq!(super::percent(typed).ok(), percent, "{typed}");
        }
    }
}
