//! What each row of a table would change, as the catalogue stands now: what is said of it, and what is to be written.

mod doubts;
mod goods;
mod moment;
mod names;
mod said;
mod table;
mod told;
mod weigh;

pub(super) use goods::Finder;
pub use table::{judge, waiting};

use crate::catalogue::store::SkuDraft;
use crate::ids::{ImageHash, ProductId, SkuId};
use crate::money::Fen;
use crate::shown::mark;
use crate::stored_enum::stored_enum;

stored_enum! {
    /// What becomes of a row.
    pub enum Verdict {
        New "new" "新增",
        Changed "changed" "修改",
        Same "same" "不变",
        Refused "refused" "有问题",
    }
}

/// What a price is called among the changes, a barcode and a code.
const PRICE: &str = "售价";
const BARCODE: &str = "条码";
const CODE: &str = "商家编码";
const COST: &str = "成本";

/// One thing that a row changes, in the words of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub what: &'static str,
    pub was: String,
    pub is: String,
}

/// A row, and what is to be said about it.
#[derive(Clone, Debug)]
pub struct Judged {
    /// Where it stands in the file, in words.
    pub line: String,
    pub verdict: Verdict,
    pub name: String,
    pub spec: String,
    pub changes: Vec<Change>,
    /// Why it is refused.
    pub note: String,
    /// What somebody should say yes to before it is carried out.
    pub doubt: String,
    /// The same, for what another row of the table says: without that row it is not so.
    pub beside: String,
    /// What of the shop's stays although the table says something else.
    pub left: String,
    /// The pictures that it brings, by their hashes.
    pub pictures: Vec<ImageHash>,
    /// When a table of the same export has last written of these goods, if one has.
    pub before: Option<i64>,
    pub(super) deed: Option<Box<Deed>>,
}

impl Judged {
    pub fn is_doubtful(&self) -> bool {
        !self.doubt.is_empty() || !self.beside.is_empty()
    }

    /// A mark of what is said about it.
    pub(super) fn mark(&self) -> u64 {
        let changes = self.changes.iter().flat_map(|change| [change.what, &change.was, &change.is]);
        mark(
            [self.verdict.word(), &self.name, &self.spec, &self.note, &self.doubt, &self.left]
                .into_iter()
                .chain(changes),
        )
    }
}

/// A row that waits to be carried out.
#[derive(Clone, Debug)]
pub struct Waiting {
    /// Its place in the table.
    pub at: usize,
    pub name: String,
    pub verdict: Verdict,
    pub mark: u64,
    /// Whether its goods are new, not only this specification of them.
    pub new_goods: bool,
    /// Whether somebody should say yes to it before it is carried out.
    pub doubtful: bool,
    /// When a table of the same export has last written of its goods, if one has.
    pub before: Option<i64>,
    /// What is to be said about it, where it was asked for.
    pub judged: Option<Judged>,
}

/// What is to be written for a row.
#[derive(Clone, Debug)]
pub(super) struct Deed {
    pub product: Option<ProductId>,
    pub common: Common,
    pub sku: Option<SkuId>,
    pub draft: SkuDraft,
    /// What the row says of them: that there is none, too.
    pub barcode: Option<Option<String>>,
    pub cost: Option<Option<Fen>>,
    pub on_hand: Option<i64>,
    pub pictures: Vec<ImageHash>,
    /// What is kept of it, where the table is an export.
    pub kept: Option<Kept>,
}

/// What a row of an export writes: when that was, the stock, and a print of each other cell.
#[derive(Clone, Debug)]
pub(super) struct Kept {
    pub exported_at: i64,
    pub stock: Option<i64>,
    pub prints: String,
}

/// What a row says about its product as a whole.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Common {
    pub subtitle: Option<String>,
    pub category: Option<Vec<String>>,
    pub on_shelf: Option<bool>,
}

impl Common {
    pub(super) fn is_none(&self) -> bool {
        self.subtitle.is_none() && self.category.is_none() && self.on_shelf.is_none()
    }
}

struct Fine {
    name: String,
    changes: Vec<Change>,
    doubts: Vec<String>,
    beside: String,
    left: Vec<String>,
    before: Option<i64>,
    deed: Deed,
}

/// A row that can be carried out, or why it cannot.
type Weighed = Result<Fine, String>;

/// A place in the middle of a sentence.
fn spaced(line: &str) -> String {
    if line.starts_with('「') { line.to_owned() } else { format!(" {line}") }
}
