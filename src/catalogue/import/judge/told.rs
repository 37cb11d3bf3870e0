//! What the rows of a table have said of a product: none of them may say it otherwise, or twice.

use super::super::specs::Specs;
use super::super::{Row, written};
use super::goods::Goods;
use super::{Common, Deed, spaced};
use crate::catalogue::{Sku, same_spec_names, same_specs};
use crate::ids::SkuId;

pub(super) struct Told {
    common: Common,
    /// The row that said the most of it first.
    line: String,
    taken: Vec<(Option<SkuId>, Specs, String)>,
    /// The lines of two rows that mean the same, the later one refused.
    pub rivals: Vec<[String; 2]>,
}

impl Told {
    pub(super) fn new(row: &Row) -> Told {
        Told { common: Common::default(), line: row.line.clone(), taken: Vec::new(), rivals: Vec::new() }
    }

    /// Refuses a row that means what one before has meant.
    pub(super) fn means_others(&mut self, goods: &Goods, specs: &Specs) -> Result<(), String> {
        let Some(line) = taken_by(goods.sku, specs, &self.taken) else { return Ok(()) };
        let words = format!("「{}」的这个规格在{}已经有了：是另一个规格的，请在“规格”列写明", goods.name, spaced(line));
        self.rivals.push([line.to_owned(), goods.row.line.clone()]);
        Err(words)
    }

    /// Notes what a row has said, once nothing is wrong with it.
    pub(super) fn note(&mut self, row: &Row, deed: &Deed) {
        self.taken.push((deed.sku, deed.draft.specs.clone(), row.line.clone()));
        if self.common.is_none() && !deed.common.is_none() {
            self.line = row.line.clone();
        }
        let Common { subtitle, category, on_shelf } = deed.common.clone();
        self.common.subtitle = subtitle.or(self.common.subtitle.take());
        self.common.category = category.or(self.common.category.take());
        self.common.on_shelf = on_shelf.or(self.common.on_shelf);
    }

    /// A specification has a place among those of its product.
    pub(super) fn fits(&self, goods: &Goods, specs: &Specs) -> Result<(), String> {
        let Goods { name, product, sku, .. } = *goods;
        let id = sku.map(|sku| sku.id);
        let on_sale = product.iter().flat_map(|product| &product.skus).filter(|sku| sku.enabled && Some(sku.id) != id);
        if sku.is_some_and(|sku| sku.specs == *specs) {
            return Ok(());
        }
        for known in on_sale.map(|sku| &sku.specs).chain(self.taken.iter().map(|(_, specs, _)| specs)) {
            if same_specs(known, specs) {
                return Err(format!("「{name}」已经有规格「{}」", written(specs)));
            }
            if !same_spec_names(known, specs) {
                let example = if known.is_empty() { "（没有规格）".to_owned() } else { written(known) };
                return Err(format!("「{name}」各行的规格名称要一致，例如都写 颜色 和 尺码；已有的是 {example}"));
            }
        }
        Ok(())
    }

    /// What two rows say of one product is the same.
    pub(super) fn agrees(&self, name: &str, common: &Common) -> Result<(), String> {
        fn differ<T: PartialEq>(one: &Option<T>, other: &Option<T>) -> bool {
            one.is_some() && other.is_some() && one != other
        }
        let what = match () {
            () if differ(&common.subtitle, &self.common.subtitle) => "副标题",
            () if differ(&common.category, &self.common.category) => "分类",
            () if differ(&common.on_shelf, &self.common.on_shelf) => "上架",
            () => return Ok(()),
        };
        Err(format!("「{name}」的{what}与{}不同", spaced(&self.line)))
    }
}

/// Where a row before has meant the same goods.
fn taken_by<'t>(sku: Option<&Sku>, specs: &Specs, taken: &'t [(Option<SkuId>, Specs, String)]) -> Option<&'t str> {
    let id = sku.map(|sku| sku.id);
    let mut before = taken.iter();
    let same = before.find(|(other, known, _)| (id.is_some() && *other == id) || same_specs(known, specs));
    same.map(|(_, _, line)| line.as_str())
}
