//! What a page of rows has shown, so that a click carries out what somebody has seen and nothing else.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The rows of a check page as they were shown, each by a mark of its words. A row that was carried out has none.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    marks: Vec<u64>,
    /// Rows that had become others when somebody said go.
    moved: BTreeSet<usize>,
}

/// One mark for words that are shown together; other words, and words parted otherwise, have another.
pub fn mark<'w>(words: impl IntoIterator<Item = &'w str>) -> u64 {
    let mut hash = Sha256::new();
    for word in words {
        hash.update(word.len().to_be_bytes());
        hash.update(word);
    }
    first(hash)
}

fn first(hash: Sha256) -> u64 {
    hash.finalize().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes))
}

impl Shown {
    /// Of so many rows those that wait, by their places.
    pub fn of(rows: usize, waiting: impl IntoIterator<Item = (usize, u64)>) -> Shown {
        let mut marks = vec![0; rows];
        for (at, mark) in waiting {
            marks[at] = mark;
        }
        Shown { marks, moved: BTreeSet::new() }
    }

    /// One mark for the whole page, which goes out with it and comes back with the click.
    pub fn page(&self) -> String {
        let mut hash = Sha256::new();
        self.marks.iter().for_each(|mark| hash.update(mark.to_be_bytes()));
        format!("{:016x}", first(hash))
    }

    /// Whether a row that is now so is another one than this page has shown.
    pub fn differs(&self, at: usize, now: u64) -> bool {
        self.moved.contains(&at) || self.marks.get(at).is_some_and(|mark| *mark != now)
    }

    /// A row of this page.
    pub fn row(&self, at: usize) -> u64 {
        self.marks.get(at).copied().unwrap_or_default()
    }

    /// Whether a click may carry out these rows, which are now so: `Err` is what the page shows next, with the rows that
    /// have become others. `seen` is the mark of the page on which the click was; one without it was on this page.
    pub fn agreed(&self, now: Shown, seen: Option<&str>, rows: impl IntoIterator<Item = usize>) -> Result<(), Shown> {
        if seen.is_some_and(|seen| seen == now.page()) {
            return Ok(());
        }
        // Of a page that is neither this one nor what is so now, nobody knows what stood in which row.
        let other = seen.is_some_and(|seen| seen != self.page());
        let moved: BTreeSet<usize> = rows.into_iter().filter(|at| self.marks.get(*at) != now.marks.get(*at)).collect();
        if moved.is_empty() && !other { Ok(()) } else { Err(Shown { moved, ..now }) }
    }

    /// Why the page is shown once more instead of being carried out.
    pub fn why(&self) -> String {
        match self.moved.len() {
            0 => "这一页不是最新的，还没有执行：请再看一遍，再点一次".to_owned(),
            n => format!("还没有执行：有 {n} 行和您看到的不一样了（已标出“变了”），请再看一遍，再点一次"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(words: [&str; 3]) -> Shown {
        Shown::of(3, words.into_iter().enumerate().map(|(at, word)| (at, mark([word]))))
    }

    #[test]
    fn a_click_carries_out_what_its_page_has_shown() {
        let (before, after) = (page(["a", "b", "c"]), page(["a", "x", "c"]));
        let seen = |page: &Shown| Some(page.page());
        for (shown, seen, rows, moved) in [
            (&before, None, vec![0, 2], None),
            (&before, None, vec![0, 1, 2], Some(1)),
            (&before, seen(&before), vec![0, 2], None),
            (&before, seen(&before), vec![1], Some(1)),
            // The page was opened again meanwhile, and shows what is so now.
            (&before, seen(&after), vec![0, 1, 2], None),
            // Another page of the same table was opened meanwhile; this one is the old one.
            (&after, seen(&before), vec![0, 1], Some(0)),
            // It never was shown.
            (&Shown::default(), None, vec![0, 1], Some(2)),
            (&before, None, vec![7], None),
        ] {
            let agreed = shown.agreed(after.clone(), seen.as_deref(), rows.clone());
            assert_eq!(agreed.err().map(|next| next.moved.len()), moved, "{rows:?}");
        }
        let next = before.agreed(after.clone(), None, [0, 1]).unwrap_err();
        assert!(next.differs(1, after.row(1)) && !next.differs(0, after.row(0)));
        assert_eq!(next.agreed(after, None, [0, 1]), Ok(()), "seen once more");
    }

    #[test]
    fn words_are_marked_by_where_they_part() {
        assert_ne!(mark(["ab", "c"]), mark(["a", "bc"]));
        assert_eq!(mark(["ab"]), mark(["ab"]));
    }
}
