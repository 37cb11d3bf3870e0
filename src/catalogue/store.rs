//! SQL of the catalogue.

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::{Category, Delivery, Product, ShelfTimes, Sku, Width, same_specs};
use crate::clock::Day;
use crate::db::{Kept, Tx};
use crate::ids::{CategoryId, FreightId, ImageHash, ProductId, SkuId};
use crate::money::Fen;

/// What the catalogue's answers depend on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Version {
    /// Raised by whatever buyers are to see at once.
    pub shown: i64,
    /// Grows with whatever happens to orders, so with every sale.
    pub moved: i64,
}

pub fn version(conn: &Connection) -> Result<Version> {
    conn.prepare_cached("select version, (select coalesce(max(id), 0) from order_events) from catalogue_version")?
        .query_row([], |row| Ok(Version { shown: row.get(0)?, moved: row.get(1)? }))
}

/// Every write that a buyer is to see at once ends here: answers kept under the old version are not given again.
pub fn raise_version(tx: &Tx) -> Result<()> {
    tx.prepare_cached("update catalogue_version set version = version + 1")?.execute([])?;
    tx.outdate(Kept::Catalogue);
    Ok(())
}

// ── categories ──

pub fn categories(conn: &Connection) -> Result<Vec<Category>> {
    let mut rows = conn.prepare_cached(
        "select c.id, c.parent_id, c.name, c.icon_hash, c.visible,
                (select coalesce(sum(products), 0) from shelf_counts where category_id = c.id and side <> 'bin') as own,
                (select coalesce(sum(products), 0) from shelf_counts
                  where side = 'on'
                    and category_id in (select id from categories where id = c.id or parent_id = c.id)) as products
           from categories c
          order by c.position, c.id",
    )?;
    let categories = rows.query_map([], |row| {
        Ok(Category {
            id: row.get("id")?,
            parent_id: row.get("parent_id")?,
            name: row.get("name")?,
            icon: row.get("icon_hash")?,
            visible: row.get("visible")?,
            own_count: row.get("own")?,
            product_count: row.get("products")?,
        })
    })?;
    categories.collect()
}

/// Pictures of some goods on sale in a category itself: what it is of is seen at a glance.
pub fn covers(conn: &Connection, category: CategoryId, most: i64) -> Result<Vec<ImageHash>> {
    let mut rows = conn.prepare_cached(
        "select (select hash from product_images i where i.product_id = s.product_id order by position limit 1) as cover
           from shelf s where s.category_id = ?1 and s.side = 'on' and cover is not null limit ?2",
    )?;
    rows.query_map(params![category, most], |row| row.get("cover"))?.collect()
}

/// The category of this name below `parent`, made if there is none.
pub fn category_named(tx: &Tx, parent: Option<CategoryId>, name: &str) -> Result<CategoryId> {
    let found = tx
        .prepare_cached("select id from categories where name = ?1 and parent_id is ?2")?
        .query_row(params![name, parent], |row| row.get(0))
        .optional()?;
    if let Some(id) = found {
        return Ok(id);
    }
    tx.prepare_cached(
        "insert into categories (id, parent_id, name, position)
         values (?3, ?1, ?2, (select coalesce(max(position), 0) + 1 from categories))",
    )?
    .execute(params![parent, name, tx.fresh_id("categories")?])?;
    Ok(CategoryId(tx.last_insert_rowid()))
}

pub fn rename_category(tx: &Tx, id: CategoryId, name: &str) -> Result<()> {
    tx.prepare_cached("update categories set name = ?2 where id = ?1")?.execute(params![id, name])?;
    raise_version(tx)
}

/// Buyers do not see a hidden one; its products stay on sale.
pub fn show_category(tx: &Tx, id: CategoryId, visible: bool) -> Result<()> {
    tx.prepare_cached("update categories set visible = ?2 where id = ?1")?.execute(params![id, visible])?;
    raise_version(tx)
}

/// Where a category goes among those beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Up,
    Down,
    /// So many stand before it then.
    After(usize),
}

pub fn move_category(tx: &Tx, id: CategoryId, place: Place) -> Result<()> {
    let all = categories(tx)?;
    let Some(here) = all.iter().find(|c| c.id == id) else { return Ok(()) };
    let mut row: Vec<CategoryId> = all.iter().filter(|c| c.parent_id == here.parent_id).map(|c| c.id).collect();
    let Some(at) = row.iter().position(|c| *c == id) else { return Ok(()) };
    let to = match place {
        Place::Up => at.saturating_sub(1),
        Place::Down => at + 1,
        Place::After(n) => n,
    };
    let moved = row.remove(at);
    row.insert(to.min(row.len()), moved);
    let mut update = tx.prepare_cached("update categories set position = ?2 where id = ?1")?;
    for (position, id) in (1..).zip(row) {
        update.execute(params![id, position])?;
    }
    raise_version(tx)
}

/// Puts a category under another one, or on the upper level, behind those that are there.
pub fn put_category(tx: &Tx, id: CategoryId, parent: Option<CategoryId>) -> Result<()> {
    tx.prepare_cached(
        "update categories
            set parent_id = ?2,
                position = (select coalesce(max(position), 0) + 1 from categories where parent_id is ?2 and id <> ?1)
          where id = ?1",
    )?
    .execute(params![id, parent])?;
    raise_version(tx)
}

/// Moves everything in a category elsewhere and takes it away.
pub fn delete_category(tx: &Tx, id: CategoryId, to: Option<CategoryId>) -> Result<()> {
    tx.prepare_cached("update products set category_id = ?2, version = version + 1 where category_id = ?1")?
        .execute(params![id, to])?;
    tx.prepare_cached("delete from categories where id = ?1")?.execute([id])?;
    raise_version(tx)
}

// ── products ──

pub fn all_ids(conn: &Connection) -> Result<Vec<ProductId>> {
    conn.prepare_cached("select id from products where deleted_at is null order by id")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Whether there was ever a product, one in the bin included.
pub fn any_product(conn: &Connection) -> Result<bool> {
    conn.prepare_cached("select 1 from products limit 1")?.exists([])
}

// ── one product ──

pub fn product(conn: &Connection, id: ProductId) -> Result<Option<Product>> {
    let product = conn
        .prepare_cached(
            "select id, category_id, name, subtitle, detail, on_shelf, on_at, off_at, price_fen, max_price_fen,
                    market_price_fen, sold_count, limit_per_buyer, freight_id, version, deleted_at is not null as deleted
               from products where id = ?1",
        )?
        .query_row([id], |row| {
            Ok(Product {
                id: row.get("id")?,
                category_id: row.get("category_id")?,
                name: row.get("name")?,
                subtitle: row.get("subtitle")?,
                detail: row.get("detail")?,
                on_shelf: row.get("on_shelf")?,
                shelf_times: read_times(row)?,
                deleted: row.get("deleted")?,
                price: row.get("price_fen")?,
                max_price: row.get("max_price_fen")?,
                market_price: row.get("market_price_fen")?,
                sold_count: row.get("sold_count")?,
                limit_per_buyer: row.get("limit_per_buyer")?,
                freight: row.get("freight_id")?,
                version: row.get("version")?,
                images: Vec::new(),
                skus: Vec::new(),
            })
        })
        .optional()?;
    let Some(mut product) = product else { return Ok(None) };
    let mut rows = conn.prepare_cached("select hash from product_images where product_id = ?1 order by position")?;
    product.images = rows.query_map([id], |row| row.get(0))?.collect::<Result<_>>()?;
    product.skus = skus_of(conn, id)?;
    Ok(Some(product))
}

/// The SKUs of a product, those that are not sold any more included.
pub fn skus_of(conn: &Connection, id: ProductId) -> Result<Vec<Sku>> {
    let mut rows = conn.prepare_cached("select * from skus where product_id = ?1 order by position, id")?;
    rows.query_map([id], read_sku)?.collect()
}

/// What can be sold now, as people call it: the product, and its choice of specs behind a blank.
pub fn sellable_names(conn: &Connection, limit: i64) -> Result<Vec<(String, Fen)>> {
    let mut rows = conn.prepare_cached(
        "with best (id, sold_count) as (
           select * from (select product_id, sold_count from shelf
                           where side = 'on' and in_stock = 1 order by sold_count desc, product_id limit ?1)
            union all
           select * from (select product_id, sold_count from shelf
                           where side = 'off' and in_stock = 1 order by sold_count desc, product_id limit ?1)
         )
         select p.name, s.specs, s.price_fen
           from best cross join products p on p.id = best.id cross join skus s on s.product_id = p.id
          where s.enabled = 1 and s.on_hand > s.reserved
          order by best.sold_count desc, p.id, s.id limit ?1",
    )?;
    let named = |(name, specs, price): (String, String, Fen)| {
        let specs: Vec<(String, String)> = serde_json::from_str(&specs).unwrap_or_default();
        let words: Vec<_> = std::iter::once(name).chain(specs.into_iter().map(|(_, value)| value)).collect();
        (words.join(" "), price)
    };
    rows.query_map([limit], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?.map(|row| row.map(named)).collect()
}

pub fn product_named(conn: &Connection, name: &str) -> Result<Option<ProductId>> {
    conn.prepare_cached("select id from products where name = ?1 and deleted_at is null")?
        .query_row([name], |row| row.get(0))
        .optional()
}

/// A SKU with what an order line needs of its product.
pub struct ForSale {
    pub sku: Sku,
    pub product_name: String,
    pub cover: Option<ImageHash>,
    /// What sending it costs; none for the shop's own rule.
    pub freight: Option<FreightId>,
    pub limit_per_buyer: Option<i64>,
    /// On the shelf and enabled.
    pub on_sale: bool,
}

pub fn for_sale(conn: &Connection, id: SkuId) -> Result<Option<ForSale>> {
    conn.prepare_cached(
        "select s.*, p.name as product_name, p.on_shelf, p.limit_per_buyer, p.freight_id,
                (select hash from product_images i where i.product_id = p.id order by position limit 1) as cover
           from skus s join products p on p.id = s.product_id
          where s.id = ?1",
    )?
    .query_row([id], |row| {
        let sku = read_sku(row)?;
        let on_shelf: bool = row.get("on_shelf")?;
        Ok(ForSale {
            on_sale: on_shelf && sku.enabled,
            sku,
            product_name: row.get("product_name")?,
            cover: row.get("cover")?,
            limit_per_buyer: row.get("limit_per_buyer")?,
            freight: row.get("freight_id")?,
        })
    })
    .optional()
}

pub fn read_times(row: &Row<'_>) -> Result<ShelfTimes> {
    Ok(ShelfTimes { on_at: row.get("on_at")?, off_at: row.get("off_at")? })
}

fn read_sku(row: &Row<'_>) -> Result<Sku> {
    let specs: String = row.get("specs")?;
    let broken = |e: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, e)
    };
    Ok(Sku {
        id: row.get("id")?,
        product_id: row.get("product_id")?,
        specs: serde_json::from_str(&specs).map_err(|e| broken(e.into()))?,
        sku_code: row.get("sku_code")?,
        price: row.get("price_fen")?,
        market_price: row.get("market_price_fen")?,
        on_hand: row.get("on_hand")?,
        reserved: row.get("reserved")?,
        limit_per_order: row.get("limit_per_order")?,
        delivery: row.get("delivery")?,
        image: row.get("image_hash")?,
        barcode: row.get("barcode")?,
        weight: row.get("weight_g")?,
        enabled: row.get("enabled")?,
        cost: row.get("cost_fen")?,
    })
}

// ── changes ──

/// What staff may write of a product; prices and stock belong to its SKUs.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    pub category_id: Option<CategoryId>,
    pub name: String,
    pub subtitle: String,
    pub detail: String,
    pub on_shelf: bool,
    pub shelf_times: ShelfTimes,
    pub limit_per_buyer: Option<i64>,
    pub freight: Option<FreightId>,
}

impl Draft {
    /// A product as it stands, to be changed in part.
    pub fn of(product: &Product) -> Draft {
        Draft {
            category_id: product.category_id,
            name: product.name.clone(),
            subtitle: product.subtitle.clone(),
            detail: product.detail.clone(),
            on_shelf: product.on_shelf,
            shelf_times: product.shelf_times,
            limit_per_buyer: product.limit_per_buyer,
            freight: product.freight,
        }
    }
}

pub fn insert_product(tx: &Tx, draft: &Draft) -> Result<ProductId> {
    tx.prepare_cached(
        "insert into products (category_id, name, subtitle, detail, on_shelf, on_at, off_at, limit_per_buyer, freight_id,
                               created_at, updated_at)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
    )?
    .execute(params![
        draft.category_id,
        draft.name,
        draft.subtitle,
        draft.detail,
        draft.on_shelf,
        draft.shelf_times.on_at,
        draft.shelf_times.off_at,
        draft.limit_per_buyer,
        draft.freight,
        tx.now()
    ])?;
    Ok(ProductId(tx.last_insert_rowid()))
}

/// False when a colleague has saved another version meanwhile. A sample that somebody made his own is none any more.
pub fn update_product(tx: &Tx, id: ProductId, version: i64, draft: &Draft) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update products
                set category_id = ?3, name = ?4, subtitle = ?5, detail = ?6, on_shelf = ?7, on_at = ?8, off_at = ?9,
                    limit_per_buyer = ?10, freight_id = ?11, updated_at = ?12, version = version + 1, sample = 0
              where id = ?1 and version = ?2 and deleted_at is null",
        )?
        .execute(params![
            id,
            version,
            draft.category_id,
            draft.name,
            draft.subtitle,
            draft.detail,
            draft.on_shelf,
            draft.shelf_times.on_at,
            draft.shelf_times.off_at,
            draft.limit_per_buyer,
            draft.freight,
            tx.now()
        ])?;
    Ok(changed == 1)
}

pub fn set_images(tx: &Tx, id: ProductId, images: &[ImageHash]) -> Result<()> {
    tx.prepare_cached("delete from product_images where product_id = ?1")?.execute([id])?;
    let mut insert =
        tx.prepare_cached("insert into product_images (product_id, position, hash) values (?1, ?2, ?3)")?;
    for (position, hash) in (0..).zip(images) {
        insert.execute(params![id, position, hash])?;
    }
    Ok(())
}

/// What staff may write of a SKU; its stock changes only with a reason, in `stock`.
#[derive(Clone, Debug)]
pub struct SkuDraft {
    pub specs: Vec<(String, String)>,
    pub sku_code: Option<String>,
    pub price: Fen,
    pub market_price: Option<Fen>,
    pub limit_per_order: Option<i64>,
    pub delivery: Delivery,
    /// In grams; 0 where nobody has said it.
    pub weight: i64,
    pub enabled: bool,
}

/// A SKU that has a code, and whose it is.
#[derive(Clone, Debug)]
pub struct Coded {
    pub id: SkuId,
    pub product_id: ProductId,
    pub product_name: String,
    /// In the recycle bin, where it keeps its codes.
    pub deleted: bool,
}

pub fn sku_with_code(conn: &Connection, code: &str) -> Result<Option<Coded>> {
    conn.prepare_cached(
        "select s.id, s.product_id, p.name as product_name, p.deleted_at is not null as deleted
           from skus s join products p on p.id = s.product_id
          where s.sku_code = ?1",
    )?
    .query_row([code], |row| {
        Ok(Coded {
            id: row.get("id")?,
            product_id: row.get("product_id")?,
            product_name: row.get("product_name")?,
            deleted: row.get("deleted")?,
        })
    })
    .optional()
}

/// What the products are called that are not in the recycle bin.
pub fn names(conn: &Connection) -> Result<Vec<String>> {
    conn.prepare_cached("select name from products where deleted_at is null order by id")?
        .query_map([], |row| row.get("name"))?
        .collect()
}

/// Every barcode of what is not in the recycle bin, with whose it is.
pub fn barcodes(conn: &Connection) -> Result<Vec<(String, Coded)>> {
    conn.prepare_cached(
        "select s.barcode, s.id, s.product_id, p.name as product_name
           from skus s join products p on p.id = s.product_id
          where s.barcode is not null and p.deleted_at is null
          order by s.id",
    )?
    .query_map([], |row| {
        let (id, product_id, product_name) = (row.get("id")?, row.get("product_id")?, row.get("product_name")?);
        Ok((row.get("barcode")?, Coded { id, product_id, product_name, deleted: false }))
    })?
    .collect()
}

/// Every code and every barcode, with what is called so.
pub fn all_codes(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut rows = conn.prepare_cached(
        "select s.sku_code, s.barcode, p.name as product_name
           from skus s join products p on p.id = s.product_id
          where p.deleted_at is null and (s.sku_code is not null or s.barcode is not null)
          order by s.id",
    )?;
    let read = |row: &rusqlite::Row<'_>| {
        let codes: [Option<String>; 2] = [row.get("sku_code")?, row.get("barcode")?];
        let name: String = row.get("product_name")?;
        Ok(codes.into_iter().flatten().map(|code| (code, name.clone())).collect::<Vec<_>>())
    };
    Ok(rows.query_map([], read)?.collect::<Result<Vec<_>>>()?.concat())
}

/// Everything that can be chosen, each with what it is about.
pub fn all_specs(conn: &Connection) -> Result<Vec<(String, String)>> {
    let mut rows = conn.prepare_cached(
        "select distinct s.specs from skus s join products p on p.id = s.product_id where p.deleted_at is null",
    )?;
    let specs = rows.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>>>()?;
    let of = |text: &String| serde_json::from_str::<Vec<(String, String)>>(text).unwrap_or_default();
    Ok(specs.iter().flat_map(of).collect())
}

/// The specs as they are stored when a SKU of the product has them in another order: it is the same one.
fn stored_specs(conn: &Connection, product_id: ProductId, specs: &[(String, String)]) -> Result<String> {
    let mut rows = conn.prepare_cached("select specs from skus where product_id = ?1")?;
    let known = rows.query_map([product_id], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>>>()?;
    let same = known
        .into_iter()
        .find(|text| serde_json::from_str::<Vec<(String, String)>>(text).is_ok_and(|known| same_specs(&known, specs)));
    Ok(same.unwrap_or_else(|| serde_json::to_string(specs).unwrap_or_else(|_| "[]".into())))
}

/// Changes a known SKU, its specs too.
pub fn update_sku(tx: &Tx, id: SkuId, draft: &SkuDraft) -> Result<()> {
    let specs = serde_json::to_string(&draft.specs).unwrap_or_else(|_| "[]".into());
    tx.prepare_cached(
        "update skus
            set specs = ?2, sku_code = ?3, price_fen = ?4, market_price_fen = ?5, limit_per_order = ?6, delivery = ?7,
                weight_g = ?8, enabled = ?9
          where id = ?1",
    )?
    .execute(params![
        id,
        specs,
        draft.sku_code,
        draft.price,
        draft.market_price,
        draft.limit_per_order,
        draft.delivery,
        draft.weight,
        draft.enabled
    ])?;
    Ok(())
}

/// Writes the SKU with these specs, new or changed.
pub fn put_sku(tx: &Tx, product_id: ProductId, draft: &SkuDraft) -> Result<SkuId> {
    let specs = stored_specs(tx, product_id, &draft.specs)?;
    tx.prepare_cached(
        "insert into skus (product_id, specs, sku_code, price_fen, market_price_fen, limit_per_order, delivery, weight_g,
                           enabled, position)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9,
                 (select coalesce(max(position), 0) + 1 from skus where product_id = ?1))
         on conflict (product_id, specs) do update
            set sku_code = excluded.sku_code, price_fen = excluded.price_fen,
                market_price_fen = excluded.market_price_fen, limit_per_order = excluded.limit_per_order,
                delivery = excluded.delivery, weight_g = excluded.weight_g, enabled = excluded.enabled
         returning id",
    )?
    .query_row(
        params![
            product_id,
            specs,
            draft.sku_code,
            draft.price,
            draft.market_price,
            draft.limit_per_order,
            draft.delivery,
            draft.weight,
            draft.enabled
        ],
        |row| row.get(0),
    )
}

/// From the next order on: those that stand keep what their goods cost then.
pub fn set_cost(tx: &Tx, id: SkuId, cost: Option<Fen>) -> Result<()> {
    tx.prepare_cached("update skus set cost_fen = ?2 where id = ?1")?.execute(params![id, cost])?;
    Ok(())
}

/// As a scanner reads it from the goods.
pub fn set_barcode(tx: &Tx, id: SkuId, barcode: Option<&str>) -> Result<()> {
    tx.prepare_cached("update skus set barcode = ?2 where id = ?1")?.execute(params![id, barcode])?;
    Ok(())
}

/// The picture of this choice alone.
pub fn set_sku_image(tx: &Tx, id: SkuId, image: Option<&ImageHash>) -> Result<()> {
    tx.prepare_cached("update skus set image_hash = ?2 where id = ?1")?.execute(params![id, image])?;
    Ok(())
}

/// What a scanner may read from the goods: their barcode, and the merchant's own code.
pub fn codes(conn: &Connection, id: SkuId) -> Result<Vec<String>> {
    let codes = conn
        .prepare_cached("select barcode, sku_code from skus where id = ?1")?
        .query_row([id], |row| Ok([row.get::<_, Option<String>>(0)?, row.get(1)?]))
        .optional()?;
    Ok(codes.into_iter().flatten().flatten().collect())
}

/// After prices of its SKUs were changed by hand: a new version, and a new range.
pub fn repriced(tx: &Tx, id: ProductId) -> Result<()> {
    touch(tx, id)?;
    make_own(tx, id)?;
    refresh_prices(tx, id)
}

/// Brings the product's own price range up to date with its SKUs, and tells buyers' caches.
pub fn refresh_prices(tx: &Tx, id: ProductId) -> Result<()> {
    tx.prepare_cached(
        "update products
            set price_fen = coalesce(low, 0), max_price_fen = coalesce(high, 0), market_price_fen = market
           from (select min(price_fen) as low, max(price_fen) as high,
                        -- The struck price belongs beside the price that is shown: the lowest.
                        (select market_price_fen from skus where product_id = ?1 and enabled = 1
                          order by price_fen, market_price_fen is null limit 1) as market
                   from skus where product_id = ?1 and enabled = 1)
          where id = ?1",
    )?
    .execute([id])?;
    raise_version(tx)
}

pub fn count_sale(tx: &Tx, id: ProductId, quantity: i64) -> Result<()> {
    tx.prepare_cached("update products set sold_count = sold_count + ?2 where id = ?1")?
        .execute(params![id, quantity])?;
    Ok(())
}

pub fn count_sold_day(tx: &Tx, sku: SkuId, quantity: i64, day: Day) -> Result<()> {
    tx.prepare_cached(
        "insert into sold_days (day, sku_id, pieces) values (?1, ?2, ?3)
         on conflict (sku_id, day) do update set pieces = pieces + excluded.pieces",
    )?
    .execute(params![day, sku, quantity])?;
    Ok(())
}

/// A SKU and how many pieces of it were sold.
#[derive(Clone, Debug)]
pub struct Seller {
    pub product_id: ProductId,
    pub name: String,
    pub specs: Vec<(String, String)>,
    pub pieces: i64,
    pub available: i64,
    pub image: Option<ImageHash>,
}

/// What sold best since a day, each with how many pieces, and how many sold at all.
pub fn best_sold(conn: &Connection, since: Day, limit: i64) -> Result<(Vec<(SkuId, i64)>, i64)> {
    let mut rows = conn.prepare_cached(
        // From one SKU that was ever sold to the next: most of a large catalogue never was.
        "with recursive sold (id) as (
           select min(sku_id) from sold_days
            union all
           select (select min(sku_id) from sold_days where sku_id > sold.id) from sold where sold.id is not null
         )
         select id, pieces, count(*) over () as sold
           from (select id, (select sum(pieces) from sold_days where sku_id = sold.id and day >= ?1) as pieces from sold)
          where pieces > 0
          order by pieces desc, id limit ?2",
    )?;
    let mut sold = 0;
    let mut best = Vec::new();
    let mut rows = rows.query(params![since, limit])?;
    while let Some(row) = rows.next()? {
        sold = row.get("sold")?;
        best.push((row.get("id")?, row.get("pieces")?));
    }
    Ok((best, sold))
}

/// How many pieces went on each day since; a day without any has no row.
pub fn sold_daily(conn: &Connection, id: ProductId, since: Day) -> Result<Vec<(Day, i64)>> {
    let mut rows = conn.prepare_cached(
        "select day, sum(pieces) from sold_days
          where sku_id in (select id from skus where product_id = ?1) and day >= ?2 group by day",
    )?;
    rows.query_map(params![id, since], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
}

pub fn seller(conn: &Connection, id: SkuId, pieces: i64) -> Result<Seller> {
    conn.prepare_cached(
        "select s.*, p.name as product_name,
                (select hash from product_images i where i.product_id = p.id order by position limit 1) as image
           from skus s join products p on p.id = s.product_id where s.id = ?1",
    )?
    .query_row([id], |row| {
        let sku = read_sku(row)?;
        let (product_id, available) = (sku.product_id, sku.available());
        let (name, image) = (row.get("product_name")?, row.get("image")?);
        Ok(Seller { product_id, name, specs: sku.specs, pieces, available, image })
    })
}

/// False when there is no such product, or it lies in the recycle bin. For `shelf` alone.
pub(super) fn set_shelf(tx: &Tx, id: ProductId, on_shelf: bool) -> Result<bool> {
    let changed = tx
        .prepare_cached(
            "update products set on_shelf = ?2, updated_at = ?3, version = version + 1
          where id = ?1 and deleted_at is null",
        )?
        .execute(params![id, on_shelf, tx.now()])?;
    raise_version(tx)?;
    Ok(changed == 1)
}

pub fn set_shelf_times(tx: &Tx, id: ProductId, times: ShelfTimes) -> Result<()> {
    tx.prepare_cached("update products set on_at = ?2, off_at = ?3, version = version + 1 where id = ?1")?
        .execute(params![id, times.on_at, times.off_at])?;
    Ok(())
}

/// Into the recycle bin: off the shelf and out of every list, but orders and stock moves still find it.
pub fn delete_product(tx: &Tx, id: ProductId) -> Result<()> {
    tx.prepare_cached(
        "update products set deleted_at = ?2, on_shelf = 0, version = version + 1 where id = ?1 and deleted_at is null",
    )?
    .execute(params![id, tx.now()])?;
    raise_version(tx)
}

/// Out of the bin again, off the shelf: whoever brings it back looks at it first.
pub fn restore_product(tx: &Tx, id: ProductId) -> Result<()> {
    tx.prepare_cached("update products set deleted_at = null where id = ?1")?.execute([id])?;
    touch(tx, id)
}

/// A sample that is given a price or stock of the shop's own is sold in earnest, and does not go with the others.
pub fn make_own(tx: &Tx, id: ProductId) -> Result<()> {
    tx.prepare_cached("update products set sample = 0 where id = ?1 and sample = 1")?.execute([id])?;
    Ok(())
}

pub fn mark_sample(tx: &Tx, id: ProductId) -> Result<()> {
    tx.prepare_cached("update products set sample = 1 where id = ?1")?.execute([id])?;
    Ok(())
}

/// Every sample that is not in the bin yet.
pub fn samples(conn: &Connection) -> Result<Vec<ProductId>> {
    conn.prepare_cached("select id from products where sample = 1 and deleted_at is null")?
        .query_map([], |row| row.get(0))?
        .collect()
}

/// Top categories that hold samples and nothing else.
pub(super) fn sample_categories(conn: &Connection) -> Result<Vec<CategoryId>> {
    conn.prepare_cached(
        "select id from categories c
          where exists (select 1 from products p where p.category_id = c.id and p.sample = 1)
            and not exists (select 1 from products p where p.category_id = c.id and p.sample = 0)
            and not exists (select 1 from categories child where child.parent_id = c.id)",
    )?
    .query_map([], |row| row.get(0))?
    .collect()
}

pub fn set_category(tx: &Tx, id: ProductId, category: Option<CategoryId>) -> Result<()> {
    tx.prepare_cached("update products set category_id = ?2 where id = ?1")?.execute(params![id, category])?;
    touch(tx, id)
}

/// The shop's own code of a SKU.
pub fn sku_code(conn: &Connection, id: SkuId) -> Result<Option<String>> {
    conn.prepare_cached("select sku_code from skus where id = ?1")?.query_row([id], |row| row.get(0))
}

pub fn set_price(tx: &Tx, id: SkuId, price: Fen) -> Result<()> {
    tx.prepare_cached("update skus set price_fen = ?2 where id = ?1")?.execute(params![id, price])?;
    Ok(())
}

pub fn set_limits(tx: &Tx, id: ProductId, limit: Option<i64>) -> Result<()> {
    tx.prepare_cached("update skus set limit_per_order = ?2 where product_id = ?1")?.execute(params![id, limit])?;
    Ok(())
}

pub fn set_limit(tx: &Tx, id: SkuId, limit: Option<i64>) -> Result<()> {
    tx.prepare_cached("update skus set limit_per_order = ?2 where id = ?1")?.execute(params![id, limit])?;
    Ok(())
}

/// A new version: whoever has the form open is told.
pub fn touch(tx: &Tx, id: ProductId) -> Result<()> {
    tx.prepare_cached("update products set version = version + 1, updated_at = ?2 where id = ?1")?
        .execute(params![id, tx.now()])?;
    raise_version(tx)
}

// ── pictures ──

pub fn put_image(tx: &Tx, hash: &ImageHash, width: u32, height: u32, bytes: &[u8]) -> Result<()> {
    tx.prepare_cached(
        "insert into images (hash, width, height, bytes, created_at) values (?1, ?2, ?3, ?4, ?5)
         on conflict (hash) do nothing",
    )?
    .execute(params![hash, width, height, bytes, tx.now()])?;
    Ok(())
}

/// The full picture, and how wide it is.
pub fn image(conn: &Connection, hash: &ImageHash) -> Result<Option<(Vec<u8>, u32)>> {
    conn.prepare_cached("select bytes, width from images where hash = ?1")?
        .query_row([hash], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()
}

pub fn put_image_width(tx: &Tx, hash: &ImageHash, width: Width, bytes: &[u8]) -> Result<()> {
    tx.prepare_cached(
        "insert into image_widths (hash, width, bytes) values (?1, ?2, ?3) on conflict (hash, width) do nothing",
    )?
    .execute(params![hash, width, bytes])?;
    Ok(())
}

pub fn image_width(conn: &Connection, hash: &ImageHash, width: Width) -> Result<Option<Vec<u8>>> {
    conn.prepare_cached("select bytes from image_widths where hash = ?1 and width = ?2")?
        .query_row(params![hash, width], |row| row.get(0))
        .optional()
}

/// A picture wider than this of which nothing smaller is kept.
pub fn image_without_widths(conn: &Connection, wider_than: u32) -> Result<Option<(ImageHash, Vec<u8>)>> {
    conn.prepare_cached(
        "select hash, bytes from images i
          where width > ?1 and not exists (select 1 from image_widths w where w.hash = i.hash)
          limit 1",
    )?
    .query_row([wider_than], |row| Ok((row.get(0)?, row.get(1)?)))
    .optional()
}

pub fn image_exists(conn: &Connection, hash: &ImageHash) -> Result<bool> {
    conn.prepare_cached("select 1 from images where hash = ?1")?.exists([hash])
}

/// A SKU that is not sold any more; orders still point at it.
pub fn disable_sku(tx: &Tx, id: SkuId) -> Result<()> {
    tx.prepare_cached("update skus set enabled = 0 where id = ?1")?.execute([id])?;
    Ok(())
}
