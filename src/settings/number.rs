//! The settings that are whole numbers: range and default of each, once for its words, its check and its reader.

use crate::typed::whole;

/// A whole number: what it may be, and what it is where nothing is set, if there is such a default.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// `table.key`, as in `Rocket.toml`.
    pub name: &'static str,
    least: i64,
    most: i64,
    usual: Option<i64>,
}

pub const PAY_MINUTES: Number = usually("shop.pay_minutes", 5, 120, 30);
pub const UNPAID_ORDERS: Number = usually("shop.unpaid_orders", 1, 100_000, 5);
pub const LIMIT_PER_ORDER: Number = open("shop.limit_per_order", 1, 999);
pub const LOW_STOCK: Number = usually("shop.low_stock", 1, 10_000, 5);
pub const REFUND_DAYS: Number = usually("shop.refund_days", 0, 90, 15);
pub const RETURN_ANSWER_DAYS: Number = usually("shop.return_answer_days", 1, 15, 2);
pub const RETURN_SEND_DAYS: Number = usually("shop.return_send_days", 1, 30, 7);
pub const RETURN_RECEIVE_DAYS: Number = usually("shop.return_receive_days", 1, 30, 7);
pub const PREPARE_MINUTES: Number = usually("shop.prepare_minutes", 0, 10_080, 60);
pub const SLOT_MINUTES: Number = usually("shop.slot_minutes", 15, 480, 60);
pub const SLOT_DAYS: Number = usually("shop.slot_days", 1, 14, 3);
pub const SLOT_CAPACITY: Number = open("shop.slot_capacity", 1, 1000);

const fn usually(name: &'static str, least: i64, most: i64, usual: i64) -> Number {
    Number { name, least, most, usual: Some(usual) }
}

/// Without a number nothing is limited.
const fn open(name: &'static str, least: i64, most: i64) -> Number {
    Number { name, least, most, usual: None }
}

impl Number {
    fn within(self, text: &str) -> Option<i64> {
        whole(text).filter(|number| (self.least..=self.most).contains(number))
    }

    pub fn check(self, text: &str) -> Result<(), String> {
        self.within(text).map(drop).ok_or_else(|| format!("请填 {} 到 {} 的整数", self.least, self.most))
    }

    /// The number in force; `value` answers with what is set under a name. What does not fit counts as not set.
    pub fn read<'v>(self, value: &impl Fn(&str) -> Option<&'v str>) -> Option<i64> {
        value(self.name).and_then(|text| self.within(text)).or(self.usual)
    }

    /// The same of a number that has a default.
    pub fn in_force<'v>(self, value: &impl Fn(&str) -> Option<&'v str>) -> i64 {
        self.read(value).unwrap_or_default()
    }

    /// What may be filled in, and what is in force otherwise.
    pub fn words(self) -> String {
        let otherwise = self.usual.map_or_else(|| "不填不限".to_owned(), |usual| format!("不填是 {usual}"));
        format!("{} 到 {}，{otherwise}", self.least, self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_says_what_it_takes_and_has_its_default_otherwise() {
        for (text, fits, read) in [
            ("5", true, 5),
            ("120", true, 120),
            ("4", false, 30),
            ("121", false, 30),
            ("半小时", false, 30),
            (" ４５ ", true, 45),
            ("", false, 30),
        ] {
            assert_eq!(PAY_MINUTES.check(text).is_ok(), fits, "{text}");
            assert_eq!(PAY_MINUTES.read(&|_| Some(text)), Some(read), "{text}");
        }
        assert_eq!(LIMIT_PER_ORDER.read(&|_| None), None);
        assert_eq!(SLOT_CAPACITY.check("0").unwrap_err(), "请填 1 到 1000 的整数");
        assert_eq!(
            (PAY_MINUTES.words(), LIMIT_PER_ORDER.words()),
            ("5 到 120，不填是 30".into(), "1 到 999，不填不限".into())
        );
    }
}
