//! The showcase: banners, pinned goods and words to search by, which the mini-program's home shows first.

mod store;

pub use store::{name_of, names, put, read};

use crate::ids::{CategoryId, ImageHash, ProductId};

pub const MOST_BANNERS: usize = 6;
pub const MOST_PINNED: usize = 8;
pub const MOST_WORDS: usize = 10;
/// Characters of a word to search by.
pub const LONGEST_WORD: usize = 20;

/// A picture across the page, and where a tap on it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Banner {
    pub image: ImageHash,
    pub leads: Leads,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leads {
    Nowhere,
    Product(ProductId),
    Category(CategoryId),
}

impl Leads {
    pub fn product(self) -> Option<ProductId> {
        if let Leads::Product(id) = self { Some(id) } else { None }
    }

    pub fn category(self) -> Option<CategoryId> {
        if let Leads::Category(id) = self { Some(id) } else { None }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Showcase {
    pub banners: Vec<Banner>,
    pub pinned: Vec<ProductId>,
    pub hot_words: Vec<String>,
}
