//! Which of the shop's goods a row means, and what it says that the shop does not say of them.

use std::collections::HashMap;

use rusqlite::Connection;

use super::super::cells::cell;
use super::super::codes::{ByCode, Codes};
use super::super::{Column, Row, specs, written};
use crate::catalogue::{Category, Product, Sku, rules, same_specs, store};
use crate::error::Result;
use crate::ids::SkuId;

/// What a row means: goods that the shop has, a new specification of a product, or a new product.
#[derive(Clone, Copy)]
pub(super) struct Goods<'g> {
    pub row: &'g Row,
    pub name: &'g str,
    by_code: &'g ByCode,
    pub product: Option<&'g Product>,
    pub sku: Option<&'g Sku>,
    pub categories: &'g [Category],
}

impl<'g> Goods<'g> {
    /// `Err` where it may be several of a product.
    pub(super) fn meant(
        row: &'g Row,
        name: &'g str,
        by_code: &'g ByCode,
        product: Option<&'g Product>,
        categories: &'g [Category],
    ) -> std::result::Result<Goods<'g>, String> {
        let specs = row.said(Column::Specs).filter(|_| !says_more(row, product));
        let coded = by_code.owner.as_ref().map(|owner| owner.id);
        let sku = known_sku(product, coded, specs, row.by_value)
            .map_err(|n| format!("「{name}」有 {n} 个规格：请在规格或商家编码里写明是哪一个"))?;
        Ok(Goods { row, name, by_code, product, sku, categories })
    }

    /// Whether a code has told which they are.
    pub(super) fn are_coded(&self) -> bool {
        self.by_code.owner.is_some()
    }

    /// What the shop has under a column.
    pub(super) fn cell(&self, column: Column) -> Option<String> {
        self.sku.zip(self.product).map(|(sku, product)| cell(product, sku, self.categories, column))
    }

    /// What the row says under a column. A cell that says what the shop has is not looked at further: it may hold what older
    /// rules allowed.
    pub(super) fn said(&self, column: Column) -> Option<&'g str> {
        let said = self.row.said(column);
        let said = match column {
            Column::SkuCode => self.by_code.code.as_deref().or(said),
            Column::Specs => said.filter(|_| !says_more(self.row, self.product)),
            // It has told which goods are meant, and says no more.
            Column::Barcode => said.filter(|_| !self.by_code.by_barcode),
            _ => said,
        };
        said.filter(|text| self.cell(column).is_none_or(|now| now != *text))
    }
}

impl Goods<'_> {
    /// What a row says of a specification that its goods do not have, where that says anything: it is not written anywhere.
    pub(super) fn idle_spec(&self) -> Option<String> {
        let text = self.row.said(Column::Specs).filter(|_| says_more(self.row, self.product))?;
        let read = specs::read(text).unwrap_or_default();
        let values: Vec<&str> = read.iter().map(|(_, value)| value.as_str()).collect();
        let values = if values.is_empty() { vec![text] } else { values };
        let more = |value: &&str| !specs::is_no_choice(value) && !specs::says(self.name, value);
        values.iter().any(more).then(|| values.join(" "))
    }
}

/// The product of a name, without its detail: every product of a table is held until its last row, and that is long and
/// not looked at.
pub(super) fn product_named(conn: &Connection, name: &str) -> Result<Option<Product>> {
    let known = store::product_named(conn, name)?;
    let mut product = known.map(|id| store::product(conn, id)).transpose()?.flatten();
    product.iter_mut().for_each(|product| product.detail = String::new());
    Ok(product)
}

/// Finds the goods of which rows speak, whatever else is wrong with these.
pub(in crate::catalogue::import) struct Finder<'c> {
    conn: &'c Connection,
    codes: Codes<'c>,
    /// By name: rows of one product mostly stand together.
    products: HashMap<String, Option<Product>>,
}

impl Finder<'_> {
    pub(in crate::catalogue::import) fn new(conn: &Connection) -> Finder<'_> {
        Finder { conn, codes: Codes::new(conn), products: HashMap::new() }
    }

    pub(in crate::catalogue::import) fn sku(&mut self, row: &Row) -> Result<Option<SkuId>> {
        let by_code = self.codes.by_code(row)?.unwrap_or_default();
        if let Some(owner) = by_code.owner {
            return Ok(Some(owner.id));
        }
        let Some(name) = row.said(Column::Name).and_then(|name| rules::name(name).ok()) else { return Ok(None) };
        if !self.products.contains_key(&name) {
            let product = product_named(self.conn, &name)?;
            self.products.insert(name.clone(), product);
        }
        let product = self.products[&name].as_ref();
        let specs = row.said(Column::Specs).filter(|_| !says_more(row, product));
        Ok(known_sku(product, None, specs, row.by_value).ok().flatten().map(|sku| sku.id))
    }
}

/// Goods that are sold without a choice are not parted by a column that says their colour.
fn says_more(row: &Row, product: Option<&Product>) -> bool {
    let undivided = |product: &Product| product.skus.iter().all(|sku| sku.specs.is_empty());
    (row.parted || row.by_value) && product.is_some_and(undivided)
}

/// The SKU that a row speaks of: by its code, else by what it says of its specification. `Err` is how many it may be.
fn known_sku<'p>(
    product: Option<&'p Product>,
    coded: Option<SkuId>,
    specs: Option<&str>,
    by_value: bool,
) -> std::result::Result<Option<&'p Sku>, usize> {
    let Some(product) = product else { return Ok(None) };
    if let Some(sku) = product.skus.iter().find(|sku| Some(sku.id) == coded) {
        return Ok(Some(sku));
    }
    let Some(text) = specs else {
        let on_sale: Vec<&Sku> = product.skus.iter().filter(|sku| sku.enabled).collect();
        return match on_sale.iter().find(|sku| sku.specs.is_empty()).or(on_sale.first()) {
            Some(sku) if sku.specs.is_empty() || on_sale.len() == 1 => Ok(Some(sku)),
            Some(_) => Err(on_sale.len()),
            None => Ok(product.skus.iter().find(|sku| sku.specs.is_empty())),
        };
    };
    let read = specs::read(text).unwrap_or_default();
    let exactly = product.skus.iter().find(|sku| written(&sku.specs) == text);
    let same = || product.skus.iter().find(|sku| !read.is_empty() && same_specs(&read, &sku.specs));
    let alike = || {
        let alike: Vec<&Sku> = product.skus.iter().filter(|sku| specs::alike(&read, &sku.specs)).collect();
        alike.first().copied().filter(|_| alike.len() == 1 && !read.is_empty())
    };
    let by_value = || {
        let same: Vec<&Sku> = product.skus.iter().filter(|sku| specs::same_values(&read, &sku.specs)).collect();
        same.first().copied().filter(|_| by_value && same.len() == 1)
    };
    Ok(exactly.or_else(same).or_else(alike).or_else(by_value))
}
