//! SQL of the showcase.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Banner, Leads, Showcase};
use crate::catalogue::store::raise_version;
use crate::db::Tx;
use crate::ids::{ImageHash, ProductId};

/// All of it as the shop arranged it: what is off the shelf meanwhile is still in it.
pub fn read(conn: &Connection) -> Result<Showcase> {
    let column =
        |sql: &str| conn.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>>>();
    let mut banners =
        conn.prepare_cached("select image_hash, product_id, category_id from banners order by position")?;
    let mut pinned = conn.prepare_cached("select product_id from pinned_products order by position")?;
    Ok(Showcase {
        banners: banners.query_map([], banner)?.collect::<Result<_>>()?,
        pinned: pinned.query_map([], |row| row.get(0))?.collect::<Result<_>>()?,
        hot_words: column("select word from hot_words order by position")?,
    })
}

fn banner(row: &Row<'_>) -> Result<Banner> {
    let (product, category) = (row.get("product_id")?, row.get("category_id")?);
    let leads = match (product, category) {
        (Some(id), _) => Leads::Product(id),
        (None, Some(id)) => Leads::Category(id),
        (None, None) => Leads::Nowhere,
    };
    Ok(Banner { image: row.get("image_hash")?, leads })
}

/// Puts this in the place of what was there.
pub fn put(tx: &Tx, showcase: &Showcase) -> Result<()> {
    for table in ["banners", "pinned_products", "hot_words"] {
        tx.prepare_cached(&format!("delete from {table}"))?.execute([])?;
    }
    let mut insert = tx.prepare_cached(
        "insert into banners (position, image_hash, product_id, category_id) values (?1, ?2, ?3, ?4)",
    )?;
    for (position, banner) in (1..).zip(&showcase.banners) {
        insert.execute(params![position, banner.image, banner.leads.product(), banner.leads.category()])?;
    }
    let mut insert = tx.prepare_cached("insert into pinned_products (position, product_id) values (?1, ?2)")?;
    for (position, id) in (1..).zip(&showcase.pinned) {
        insert.execute(params![position, id])?;
    }
    let mut insert = tx.prepare_cached("insert into hot_words (position, word) values (?1, ?2)")?;
    for (position, word) in (1..).zip(&showcase.hot_words) {
        insert.execute(params![position, word])?;
    }
    raise_version(tx)
}

/// A product by its id: its name, unless it lies in the bin.
pub fn name_of(conn: &Connection, id: ProductId) -> Result<Option<String>> {
    conn.prepare_cached("select name from products where id = ?1 and deleted_at is null")?
        .query_row([id], |row| row.get(0))
        .optional()
}

/// The names of goods on the shelf, to choose from, and the first picture of each.
pub fn names(conn: &Connection, limit: i64) -> Result<Vec<(String, Option<ImageHash>)>> {
    let mut rows = conn.prepare_cached(
        "select name, (select hash from product_images i where i.product_id = p.id order by position limit 1)
           from products p where on_shelf = 1 and deleted_at is null order by id desc limit ?1",
    )?;
    rows.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}
