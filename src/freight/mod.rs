//! Freight templates (运费模板): what sending goods costs, by pieces or by weight, and which regions cost otherwise.
//!
//! Goods that name no template go by the shop's own rule, which the settings hold.

pub mod rules;
pub mod store;

use serde::{Deserialize, Serialize};

use crate::ids::FreightId;
use crate::money::Fen;
use crate::places::Place;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// What a template counts.
    pub enum By {
        Piece "piece" "按件",
        Weight "weight" "按重量",
    }
}

/// What so much costs: a first part, and each further one that is begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Price {
    /// Pieces or grams, at least 1.
    pub first: i64,
    pub first_fee: Fen,
    /// Pieces or grams, at least 1.
    pub more: i64,
    pub more_fee: Fen,
    pub free_from: Option<Free>,
    /// No promotion takes it off.
    pub always: bool,
}

/// From when on goods go free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Free {
    /// From this sum of them on.
    Sum(Fen),
    /// From so many pieces on, at least 1.
    Pieces { pieces: i64 },
}

impl Free {
    fn holds(self, load: &Load) -> bool {
        match self {
            Free::Sum(from) => load.goods >= from,
            Free::Pieces { pieces } => load.pieces >= pieces,
        }
    }

    /// `满 ¥99.00 包邮`, `满 3 件包邮`
    fn text(self) -> String {
        match self {
            Free::Sum(from) => format!("满 ¥{from} 包邮"),
            Free::Pieces { pieces } => format!("满 {pieces} 件包邮"),
        }
    }
}

impl Price {
    /// What these pieces or grams cost; `None` where that is more than there is money.
    pub fn fee(&self, units: i64) -> Option<Fen> {
        let over = units.checked_sub(self.first)?.max(0);
        // Rounded up: a part that is begun costs as much as a whole one.
        let parts = over / self.more + i64::from(over % self.more > 0);
        self.first_fee.plus(self.more_fee.times(parts)?)
    }

    /// `首 1 kg ¥8.00，每续 0.5 kg ¥2.00`
    fn text(&self, by: By) -> String {
        let first = format!("首 {} ¥{}", amount(self.first, by), self.first_fee);
        match self.more_fee {
            Fen::ZERO => format!("{first}，续{}不加", if by == By::Piece { "件" } else { "重" }),
            fee => format!("{first}，每续 {} ¥{fee}", amount(self.more, by)),
        }
    }
}

/// `2 件`, `1.5 kg`
fn amount(units: i64, by: By) -> String {
    match by {
        By::Piece => format!("{units} 件"),
        By::Weight => format!("{} kg", kilograms(units)),
    }
}

/// Grams as kilograms, without what adds nothing: `0.5`, `12`, `1.005`.
pub fn kilograms(grams: i64) -> String {
    let text = format!("{}.{:03}", grams / 1_000, grams % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// What sending to a region costs, where the shop sends at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rate {
    Price(Price),
    NotSent,
}

/// Regions that cost otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// As somebody wrote them.
    pub regions: String,
    /// What that names; none twice in a template.
    pub places: Vec<Place>,
    pub rate: Rate,
}

/// What a template says, without its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    pub name: String,
    pub by: By,
    pub rows: Vec<Row>,
    /// Everywhere else, and where it is not known yet where to.
    pub elsewhere: Rate,
}

#[derive(Clone, Debug)]
pub struct Template {
    pub id: FreightId,
    pub terms: Terms,
}

/// Goods that go by one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    pub goods: Fen,
    pub pieces: i64,
    pub grams: i64,
}

/// What a load costs, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fee {
    pub fee: Fen,
    pub text: String,
    /// No promotion takes it off.
    pub always: bool,
}

impl Terms {
    /// What holds there: of the regions that hold the place, the most exact one's.
    pub fn rate(&self, to: Option<&Place>) -> Rate {
        let named = self.rows.iter().flat_map(|row| row.places.iter().map(move |place| (place, row.rate)));
        let holding = named.filter(|(place, _)| to.is_some_and(|to| place.holds(to)));
        holding.max_by_key(|(place, _)| place.depth()).map_or(self.elsewhere, |(_, rate)| rate)
    }

    /// Whether nobody can say that a place lies in none of the regions to which it does not send.
    pub fn may_not_send_to(&self, to: Option<&Place>) -> bool {
        let mut not_sent = self.rows.iter().filter(|row| row.rate == Rate::NotSent).flat_map(|row| &row.places);
        not_sent.any(|region| to.is_none_or(|to| to.may_lie_in(region)))
    }

    /// Whether a region of its own holds the place.
    pub fn names(&self, to: &Place) -> bool {
        self.rows.iter().flat_map(|row| &row.places).any(|place| place.holds(to))
    }

    /// What this load costs at this price; `None` where that is more than there is money.
    pub fn fee(&self, price: &Price, load: &Load) -> Option<Fee> {
        let fee = match self.by {
            By::Piece => price.fee(load.pieces),
            By::Weight => price.fee(load.grams),
        };
        let (fee, text) = match price.free_from.filter(|free| free.holds(load)) {
            Some(free) => (Fen::ZERO, free.text()),
            None => (fee?, price.text(self.by)),
        };
        let counted = match self.by {
            By::Piece => format!("{} 件", load.pieces),
            By::Weight => format!("{} kg", kilograms(load.grams)),
        };
        Some(Fee { fee, text: format!("{counted}：{text}"), always: price.always })
    }

    /// Everything that it says, in sentences.
    pub fn text(&self) -> String {
        let rate = |rate: &Rate| match rate {
            Rate::NotSent => "不发货".to_owned(),
            Rate::Price(price) => {
                let free = price.free_from.map(|free| format!("，{}", free.text())).unwrap_or_default();
                format!("{}{free}", price.text(self.by))
            }
        };
        let rows = self.rows.iter().map(|row| format!("{} {}", row.regions, rate(&row.rate)));
        let rest = if self.rows.is_empty() { "" } else { "其他地区 " };
        rows.chain([format!("{rest}{}", rate(&self.elsewhere))]).collect::<Vec<_>>().join("；")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fen(n: i64) -> Fen {
        Fen::new(n).unwrap()
    }

    fn price(first: i64, first_fee: i64, more: i64, more_fee: i64) -> Price {
        let (first_fee, more_fee) = (fen(first_fee), fen(more_fee));
        Price { first, first_fee, more, more_fee, free_from: None, always: false }
    }

    #[test]
    fn a_part_that_is_begun_costs_as_much_as_a_whole_one() {
        let by_weight = price(1_000, 800, 500, 200);
        for (grams, fee) in [(0, 800), (1, 800), (1_000, 800), (1_001, 1_000), (1_500, 1_000), (1_501, 1_200)] {
            assert_eq!(by_weight.fee(grams), Some(fen(fee)), "{grams}");
        }
        let by_piece = price(2, 600, 3, 100);
        for (pieces, fee) in [(1, 600), (2, 600), (3, 700), (5, 700), (6, 800)] {
            assert_eq!(by_piece.fee(pieces), Some(fen(fee)), "{pieces}");
        }
        assert_eq!(price(1, 0, 1, 10_000_000).fee(i64::MAX), None, "more than there is money");
    }

    #[test]
    fn weights_are_read_aloud_without_what_adds_nothing() {
        for (grams, text) in [(0, "0"), (500, "0.5"), (1_000, "1"), (1_005, "1.005"), (120_000, "120")] {
            assert_eq!(kilograms(grams), text);
        }
    }

    proptest! {
        /// More never costs less, nothing is negative, nothing overflows, and the fee is what its parts come to.
        #[test]
        fn freight_grows_with_what_is_sent_and_is_the_sum_of_its_parts(
            first in 1..2_000_000_i64, first_fee in 0..1_000_000_000_i64, more in 1..2_000_000_i64,
            more_fee in 0..1_000_000_000_i64, units in 0..=i64::MAX, extra in 0..5_000_000_i64,
        ) {
            let price = price(first, first_fee, more, more_fee);
            let (less, all) = (price.fee(units), price.fee(units.saturating_add(extra)));
            match (less, all) {
                (Some(less), Some(all)) => prop_assert!(less <= all),
                (None, all) => prop_assert_eq!(all, None, "what cannot be paid does not become payable by sending more"),
                (Some(_), None) => {}
            }
            if let Some(fee) = less {
                let (mut covered, mut parts) = (i128::from(first), 0_i128);
                if covered < i128::from(units) {
                    parts = (i128::from(units) - covered + i128::from(more) - 1) / i128::from(more);
                    covered += parts * i128::from(more);
                }
                prop_assert!(covered >= i128::from(units) && covered - i128::from(more) < i128::from(units).max(i128::from(first)));
                prop_assert_eq!(i128::from(fee.get()), i128::from(first_fee) + parts * i128::from(more_fee));
            }
        }
    }
}
