//! The columns of a list's table: which of them somebody sees, and the heads that put the whole list in order.

use serde::Serialize;

/// A column of some list, as `stored_enum!` makes them.
pub trait Column: Copy + PartialEq + 'static {
    const ALL: &'static [Self];
    fn word(self) -> &'static str;
    fn text(self) -> &'static str;
    /// Amounts and counts stand at the right edge.
    fn is_number(self) -> bool;
    /// Until somebody chooses.
    fn is_usual(self) -> bool;
}

/// The columns that were chosen, of those that this person may see, in the order of the table.
pub fn chosen<C: Column>(kept: Option<&str>, may: impl Fn(C) -> bool) -> Vec<C> {
    let shown = |column: &C| match kept {
        None => column.is_usual(),
        Some(words) => words.split(' ').any(|word| word == column.word()),
    };
    C::ALL.iter().copied().filter(|column| may(*column)).filter(shown).collect()
}

/// A head of the table; one with an address sorts the whole list.
#[derive(Serialize)]
pub struct Head {
    pub word: &'static str,
    pub text: &'static str,
    pub number: bool,
    pub address: Option<String>,
    /// As `aria-sort` says it.
    pub sorted: Option<&'static str>,
}

/// The two orders that a head stands for: the one of the first click, and the other.
pub struct Ways<S> {
    pub first: S,
    pub other: S,
    /// Whether the first goes from small to large.
    pub rises: bool,
}

impl Head {
    pub fn sorts(&self) -> bool {
        self.address.is_some()
    }

    pub fn of<C: Column, S: PartialEq + Copy>(
        column: C,
        ways: Option<Ways<S>>,
        now: S,
        address: impl Fn(S) -> String,
    ) -> Head {
        let (word, text, number) = (column.word(), column.text(), column.is_number());
        let Some(Ways { first, other, rises }) = ways else {
            return Head { word, text, number, address: None, sorted: None };
        };
        let way = |rises: bool| if rises { "ascending" } else { "descending" };
        let sorted = if now == first { Some(way(rises)) } else { (now == other).then_some(way(!rises)) };
        let to = if now == first { other } else { first };
        Head { word, text, number, address: Some(address(to)), sorted }
    }
}

/// Of heads that stand for the same order only the last one says it: a table is in order by one column.
pub fn by_one(mut heads: Vec<Head>) -> Vec<Head> {
    let mut said = false;
    for head in heads.iter_mut().rev() {
        head.sorted = head.sorted.filter(|_| !said);
        said |= head.sorted.is_some();
    }
    heads
}

/// A column that may be chosen, and whether it is.
#[derive(Serialize)]
pub struct Choice {
    word: &'static str,
    text: &'static str,
    shown: bool,
}

pub fn choices<C: Column>(shown: &[C], may: impl Fn(C) -> bool) -> Vec<Choice> {
    let choice = |column: &C| Choice { word: column.word(), text: column.text(), shown: shown.contains(column) };
    C::ALL.iter().filter(|column| may(**column)).map(choice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stored_enum::stored_enum;

    stored_enum! {
        enum Fruit { Apple "apple" "苹果", Pear "pear" "梨", Plum "plum" "李子", }
    }

    impl Column for Fruit {
        const ALL: &'static [Fruit] = Fruit::ALL;
        fn word(self) -> &'static str {
            self.word()
        }
        fn text(self) -> &'static str {
            self.text()
        }
        fn is_number(self) -> bool {
            false
        }
        fn is_usual(self) -> bool {
            self != Fruit::Plum
        }
    }

    #[test]
    fn a_choice_keeps_the_tables_order_and_never_shows_what_may_not_be_seen() {
        let all = |_: Fruit| true;
        for (kept, shown) in [
            (None, vec![Fruit::Apple, Fruit::Pear]),
            (Some("plum apple"), vec![Fruit::Apple, Fruit::Plum]),
            (Some("grape"), vec![]),
            (Some(""), vec![]),
        ] {
            assert_eq!(chosen(kept, all), shown, "{kept:?}");
        }
        assert_eq!(chosen(Some("apple pear"), |fruit: Fruit| fruit != Fruit::Pear), [Fruit::Apple]);
    }

    #[test]
    fn a_head_goes_one_way_and_then_the_other() {
        let head = |now: i32| {
            Head::of(Fruit::Apple, Some(Ways { first: 1, other: 2, rises: false }), now, |way| way.to_string())
        };
        for (now, to, sorted) in [(0, "1", None), (1, "2", Some("descending")), (2, "1", Some("ascending"))] {
            let head = head(now);
            assert_eq!((head.address.as_deref(), head.sorted), (Some(to), sorted));
        }
    }
}
