//! What the rows of a table have said of a product: none of them may say it otherwise, or twice.

use std::collections::HashMap;

use super::super::specs::{self, Specs};
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
    /// The values of its specifications that are on sale or were written by a row, once somebody has asked.
    values: Option<Values>,
    /// The lines of two rows that mean the same, the later one refused.
    pub rivals: Vec<[String; 2]>,
}

impl Told {
    pub(super) fn new(row: &Row) -> Told {
        Told { common: Common::default(), line: row.line.clone(), taken: Vec::new(), values: None, rivals: Vec::new() }
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
        if let Some(values) = &mut self.values {
            deed.draft.specs.iter().for_each(|spec| values.add(spec, Some(&row.line)));
        }
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
            if known.is_empty() {
                let specs = written(specs);
                return Err(format!(
                    "「{name}」现在没有规格，这一行写的是「{specs}」：要分规格的，先给没有规格的那一种也写上（店里有的在商品页改），再导入"
                ));
            }
            if !same_spec_names(known, specs) {
                let known = written(known);
                return Err(format!("「{name}」各行的规格名称要一致，例如都写 颜色 和 尺码；已有的是 {known}"));
            }
        }
        Ok(())
    }

    /// What somebody is asked about values that are near to others of the same product, and not the same: in the shop, and in a
    /// row before.
    pub(super) fn near(&mut self, goods: &Goods, specs: &Specs) -> [Option<String>; 2] {
        let own = goods.sku.map_or(&[][..], |sku| &sku.specs);
        if same_specs(own, specs) {
            return [None, None];
        }
        let values = self.values.get_or_insert_with(|| {
            let mut values = Values::default();
            let on_sale = goods.product.iter().flat_map(|product| &product.skus).filter(|sku| sku.enabled);
            on_sale.flat_map(|sku| &sku.specs).for_each(|spec| values.add(spec, None));
            for (_, specs, line) in self.taken.iter().filter(|(sku, ..)| sku.is_none()) {
                specs.iter().for_each(|spec| values.add(spec, Some(line)));
            }
            values
        });
        let near = specs.iter().filter(|spec| !own.contains(spec));
        let near: Vec<(&String, &Value)> = near.filter_map(|spec| Some((&spec.1, values.near(spec, own)?))).collect();
        [false, true].map(|in_table| {
            let (value, other) = near.iter().find(|(_, other)| other.line.is_some() == in_table)?;
            let known = &other.value;
            Some(match &other.line {
                None => format!(
                    "店里的这个商品写的是「{known}」，表里是「{value}」：是一样的，请照店里的写；真是另一种的请打勾"
                ),
                Some(line) => {
                    format!(
                        "{}写的是「{known}」，这里是「{value}」：是一样的，请写成一样；真是另一种的请打勾",
                        spaced(line).trim_start()
                    )
                }
            })
        })
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

/// A value of a specification, and which row has written it, if it is not the shop's.
struct Value {
    value: String,
    line: Option<String>,
}

/// Values by what they come to, under the name of their specification.
#[derive(Default)]
struct Values(HashMap<(String, String), Vec<Value>>);

impl Values {
    fn add(&mut self, (name, value): &(String, String), line: Option<&str>) {
        let (kernel, number) = specs::kernel(value);
        for key in [Some(kernel), number.map(counted)].into_iter().flatten() {
            let alike = self.0.entry((name.clone(), key)).or_default();
            if alike.iter().all(|known| known.value != *value) {
                alike.push(Value { value: value.clone(), line: line.map(str::to_owned) });
            }
        }
    }

    /// The first that is near to a value which none of them is, and which is not what goods leave that are called otherwise now.
    fn near(&self, (name, value): &(String, String), own: &[(String, String)]) -> Option<&Value> {
        let (kernel, number) = specs::kernel(value);
        let is_number = kernel.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let keys = [is_number.then(|| counted(kernel.clone())), number, Some(kernel)];
        let found = keys.into_iter().flatten().filter_map(|key| self.0.get(&(name.clone(), key)));
        let found: Vec<&Value> = found.flatten().collect();
        let is_known = found.iter().any(|known| known.value == *value);
        let others = |known: &&Value| own.iter().all(|(own, was)| own != name || *was != known.value);
        found.into_iter().find(others).filter(|_| !is_known)
    }
}

/// Under which a value is found that is a number of something.
fn counted(number: String) -> String {
    format!("#{number}")
}

/// Where a row before has meant the same goods.
fn taken_by<'t>(sku: Option<&Sku>, specs: &Specs, taken: &'t [(Option<SkuId>, Specs, String)]) -> Option<&'t str> {
    let id = sku.map(|sku| sku.id);
    let mut before = taken.iter();
    let same = before.find(|(other, known, _)| (id.is_some() && *other == id) || same_specs(known, specs));
    same.map(|(_, _, line)| line.as_str())
}
