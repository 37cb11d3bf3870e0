//! The settings that are numbers, sums and choices: read once, when they are loaded.

use std::str::FromStr;

use super::number;
use crate::money::Fen;
use crate::wechat::Api;
use crate::wechat::v2::sign::SignType;

/// What the shop's terms are. What is not set, and what does not read, has its default here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terms {
    pub open: bool,
    pub reopens_late: bool,
    pub pay_minutes: i64,
    pub low_stock: i64,
    pub unpaid_orders: i64,
    pub limit_per_order: Option<i64>,
    pub freight: Fen,
    pub local_freight: Fen,
    pub free_freight_from: Option<Fen>,
    pub refund_days: i64,
    pub answer_days: i64,
    pub send_days: i64,
    pub receive_days: i64,
    pub clerk_refund_limit: Option<Fen>,
    pub sign_type: SignType,
    pub api: Api,
}

/// Those of a shop in which nothing is set.
impl Default for Terms {
    fn default() -> Terms {
        Terms::read(|_| None)
    }
}

impl Terms {
    /// `value` answers with what is set under a name.
    pub fn read<'v>(value: impl Fn(&str) -> Option<&'v str>) -> Terms {
        fn parsed<T: FromStr>(text: Option<&str>) -> Option<T> {
            text.and_then(|text| text.parse().ok())
        }
        let yuan = |name: &str| value(name).and_then(Fen::from_yuan);
        Terms {
            open: value("shop.open") != Some("no"),
            reopens_late: value("shop.reopen_late") != Some("no"),
            pay_minutes: number::PAY_MINUTES.in_force(&value),
            low_stock: number::LOW_STOCK.in_force(&value),
            unpaid_orders: number::UNPAID_ORDERS.in_force(&value),
            limit_per_order: number::LIMIT_PER_ORDER.read(&value),
            freight: yuan("shop.freight").unwrap_or(Fen::ZERO),
            local_freight: yuan("shop.local_freight").unwrap_or(Fen::ZERO),
            free_freight_from: yuan("shop.free_freight_from"),
            refund_days: number::REFUND_DAYS.in_force(&value),
            answer_days: number::RETURN_ANSWER_DAYS.in_force(&value),
            send_days: number::RETURN_SEND_DAYS.in_force(&value),
            receive_days: number::RETURN_RECEIVE_DAYS.in_force(&value),
            clerk_refund_limit: yuan("shop.clerk_refund_limit"),
            sign_type: parsed(value("wechat.sign_type")).unwrap_or_default(),
            api: parsed(value("wechat.api")).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_set_and_what_does_not_read_has_its_default() {
        let nothing = Terms::default();
        assert_eq!((nothing.open, nothing.pay_minutes, nothing.refund_days), (true, 30, 15));
        for (name, value, kept) in [
            ("shop.pay_minutes", "4", nothing.clone()),
            ("shop.pay_minutes", "半小时", nothing.clone()),
            ("shop.freight", "免费", nothing.clone()),
            ("shop.pay_minutes", "5", Terms { pay_minutes: 5, ..nothing.clone() }),
            ("shop.open", "no", Terms { open: false, ..nothing.clone() }),
            ("shop.freight", "8", Terms { freight: Fen::new(800).unwrap(), ..nothing.clone() }),
        ] {
            assert_eq!(Terms::read(|asked| (asked == name).then_some(value)), kept, "{name} {value}");
        }
    }
}
