//! Goods that were made up: the demo is full of them, and a new shop can be looked at with them.

use std::borrow::Cow;
use std::collections::HashSet;

use rusqlite::Connection;
use serde::Deserialize;

use super::media::Picture;
use super::showcase::{self, Showcase};
use super::store::{self, Draft, SkuDraft};
use super::{Category, Delivery, import, stock};
use crate::assets::STATIC;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::money::Fen;
use crate::shop::Shop;

/// Everything that is delivered with the program, its pictures ready to be stored.
pub struct Samples {
    /// The settings of the demo's shop, by name.
    pub settings: Vec<(String, String)>,
    /// What the demo's home shows first: names of goods, and words to search by.
    pinned: Vec<String>,
    hot_words: Vec<String>,
    products: Vec<(Sample, Picture)>,
}

#[derive(Deserialize)]
struct File {
    settings: Vec<(String, String)>,
    pinned: Vec<String>,
    hot_words: Vec<String>,
    products: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    category: String,
    name: String,
    subtitle: String,
    detail: String,
    picture: String,
    /// How many the demo has sold already.
    sold: i64,
    #[serde(default)]
    limit: Option<i64>,
    #[serde(default)]
    delivery: Option<String>,
    /// Specs, price, struck price (or nothing), stock.
    skus: Vec<(String, String, String, i64)>,
}

fn carried(path: &str) -> Option<Cow<'static, [u8]>> {
    STATIC.file(path).and_then(|file| file.bytes().ok())
}

fn file() -> Result<File> {
    carried("demo/shop.json")
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .ok_or_else(|| Error::from(Code::Internal).says("示例商品读不出来"))
}

/// The categories that came with them and hold nothing else. One that the shop made or renamed is its own.
pub fn categories(conn: &Connection) -> Result<Vec<Category>> {
    let came: HashSet<String> = file()?.products.into_iter().map(|sample| sample.category).collect();
    let gone = store::sample_categories(conn)?;
    let all = store::categories(conn)?.into_iter();
    Ok(all.filter(|category| gone.contains(&category.id) && came.contains(&category.name)).collect())
}

/// Reads them out of the program itself.
pub async fn read() -> Result<Samples> {
    let read = || {
        let file = file()?;
        let picture = |name: &str| Picture::read(&carried(&format!("demo/{name}.jpg")).ok_or(Code::Internal)?);
        let with_picture = |sample: Sample| picture(&sample.picture).map(|picture| (sample, picture));
        let products = file.products.into_iter().map(with_picture).collect::<Result<_>>()?;
        Ok(Samples { settings: file.settings, pinned: file.pinned, hot_words: file.hot_words, products })
    };
    tokio::task::spawn_blocking(read).await.map_err(|_| Code::Internal)?
}

impl Samples {
    /// Puts them on the shelf; a name that is taken already is left out. Nothing has been sold yet.
    pub fn put(&self, tx: &Tx) -> Result<()> {
        self.products.iter().try_for_each(|(sample, picture)| sample.put(tx, picture).map(drop))
    }

    /// As if they had been on sale for a while.
    pub fn put_as_sold(&self, tx: &Tx) -> Result<()> {
        for (sample, picture) in &self.products {
            if let Some(id) = sample.put(tx, picture)? {
                store::count_sale(tx, id, sample.sold)?;
                // Made up, like the rest: so much of the price that something is earned.
                for sku in store::product(tx, id)?.into_iter().flat_map(|product| product.skus) {
                    store::set_cost(tx, sku.id, Fen::new(sku.price.get() * 3 / 5))?;
                }
            }
        }
        let named = self.pinned.iter().filter_map(|name| store::product_named(tx, name).transpose());
        let pinned = named.collect::<rusqlite::Result<_>>()?;
        Ok(showcase::put(tx, &Showcase { pinned, hot_words: self.hot_words.clone(), ..Showcase::default() })?)
    }
}

impl Sample {
    fn put(&self, tx: &Tx, picture: &Picture) -> Result<Option<crate::ids::ProductId>> {
        if store::product_named(tx, &self.name)?.is_some() {
            return Ok(None);
        }
        let draft = Draft {
            category_id: Some(store::category_named(tx, None, &self.category)?),
            name: self.name.clone(),
            subtitle: self.subtitle.clone(),
            detail: self.detail.clone(),
            on_shelf: true,
            ..Draft::default()
        };
        let id = store::insert_product(tx, &draft)?;
        store::mark_sample(tx, id)?;
        picture.store(tx)?;
        store::set_images(tx, id, std::slice::from_ref(&picture.hash))?;
        let delivery = self.delivery.as_deref().and_then(|word| word.parse().ok()).unwrap_or(Delivery::Express);
        for (specs, price, market, on_hand) in &self.skus {
            let sku = SkuDraft {
                specs: import::specs(specs).map_err(|e| Error::from(Code::Internal).says(e))?,
                sku_code: None,
                price: Fen::from_yuan(price).ok_or(Code::Internal)?,
                market_price: Fen::from_yuan(market),
                limit_per_order: self.limit,
                delivery,
                weight: 0,
                enabled: true,
            };
            let sku = store::put_sku(tx, id, &sku)?;
            stock::adjust(tx, sku, *on_hand, None, "示例商品")?;
        }
        store::refresh_prices(tx, id)?;
        Ok(Some(id))
    }
}

/// Whether the shop has no product at all, so that samples would mix with nothing.
pub async fn shelves_are_empty(shop: &Shop) -> Result<bool> {
    shop.read(|conn| Ok(!store::any_product(conn)?)).await
}
