//! SQL of lists of products: a narrow row beside each (`shelf`), and an index of the text that they are found by.

use rusqlite::{Connection, OptionalExtension, Result, ToSql, params, params_from_iter};

use super::{Item, Listing, Shelf, ShelfCounts, Sort};
use crate::catalogue::store::read_times;
use crate::ids::{CategoryId, ProductId};

/// So many products are put in order for one page; where there are more, the list goes along an index.
const SORTED: i64 = 8_000;

/// Where every word is in more than that, so many products are asked for it along the index of the order: most often they
/// fill the page.
const TRIED: i64 = 400;

/// The characters of an entry of the indexes of text.
const GRAM: usize = 3;

impl Sort {
    /// The sorted column, the direction of both it and the id behind it, and the index that has them.
    fn columns(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Sort::Default => ("l.product_id", "asc", "shelf_newest"),
            Sort::Newest => ("l.product_id", "desc", "shelf_newest"),
            Sort::PriceAsc => ("l.price_fen", "asc", "shelf_price"),
            Sort::PriceDesc => ("l.price_fen", "desc", "shelf_price"),
            Sort::Sales => ("l.sold_count", "desc", "shelf_sold"),
            Sort::Slowest => ("l.sold_count", "asc", "shelf_sold"),
            Sort::Scarcest => ("l.available", "asc", "shelf_available"),
            Sort::Fullest => ("l.available", "desc", "shelf_available"),
        }
    }
}

impl Shelf {
    fn sql(self) -> String {
        match self {
            Shelf::On => "l.side = 'on'".to_owned(),
            Shelf::SoldOut => "l.side = 'on' and l.in_stock = 0".to_owned(),
            Shelf::Off => "l.side = 'off'".to_owned(),
            Shelf::Bin => "l.side = 'bin'".to_owned(),
            Shelf::Low(most) => format!("l.side = 'on' and l.least between 1 and {most}"),
        }
    }
}

/// What the rows of a list are read along.
enum Lead {
    /// These, by their ids.
    Named(Vec<i64>),
    /// An index that has few of them, to be put in order, and what finds them in it.
    Few(&'static str, &'static str),
    /// The index that has all of them in order.
    Sorted,
    /// So many along that index, before words are looked for.
    Tried(i64),
}

/// A list as SQL: what its rows must fulfil, and the values.
struct Query {
    where_: Vec<String>,
    values: Vec<Box<dyn ToSql>>,
}

impl Query {
    /// Each `?` of it is this value.
    fn narrow(&mut self, sql: &str, value: impl ToSql + 'static) {
        let value = self.value(value);
        self.where_.push(sql.replace('?', &value));
    }

    fn value(&mut self, value: impl ToSql + 'static) -> String {
        self.values.push(Box::new(value));
        format!("?{}", self.values.len())
    }
}

const OF_CATEGORY: &str = "l.category_id in (select id from categories where id = ? or parent_id = ?)";

/// The page of a listing, and no more.
pub fn list(conn: &Connection, listing: &Listing) -> Result<Vec<Item>> {
    list_by(conn, listing, SORTED, TRIED)
}

/// The same, where so many are few.
fn list_by(conn: &Connection, listing: &Listing, few: i64, tried: i64) -> Result<Vec<Item>> {
    let (lead, settled) = lead(conn, listing, few)?;
    let Some(word) = listing.words.first().filter(|_| matches!(lead, Lead::Sorted)) else {
        return page(conn, statement(listing, lead, settled));
    };
    let items = page(conn, statement(listing, Lead::Tried(tried), None))?;
    if items.len() as i64 == listing.limit {
        return Ok(items);
    }
    // A common word, but not where the list begins.
    let lead = found_by(conn, word, i64::MAX - 1)?.map_or(Lead::Sorted, Lead::Named);
    page(conn, statement(listing, lead, exact(word)))
}

fn page(conn: &Connection, (sql, values): (String, Vec<Box<dyn ToSql>>)) -> Result<Vec<Item>> {
    let mut rows = conn.prepare_cached(&sql)?;
    let items = rows.query_map(params_from_iter(values), |row| {
        let id: ProductId = row.get("id")?;
        Ok(Item {
            id,
            name: row.get("name")?,
            subtitle: row.get("subtitle")?,
            cover: row.get("cover")?,
            price: row.get("price_fen")?,
            max_price: row.get("max_price_fen")?,
            market_price: row.get("market_price_fen")?,
            sold_count: row.get("sold_count")?,
            category: row.get("category")?,
            on_shelf: row.get("on_shelf")?,
            shelf_times: read_times(row)?,
            on_hand: row.get("on_hand")?,
            reserved: row.get("reserved")?,
            only_sku: row.get("only_sku")?,
            key: [row.get("sorted_by")?, id.0],
        })
    })?;
    items.collect()
}

/// The ids of a page are found first, in rows or an index that hold little else.
fn statement(listing: &Listing, lead: Lead, settled: Option<&str>) -> (String, Vec<Box<dyn ToSql>>) {
    let (column, direction, sorted) = listing.sort.columns();
    let mut query = Query { where_: vec![listing.shelf.sql()], values: Vec::new() };
    if let Some(category) = listing.category {
        query.narrow(OF_CATEGORY, category);
    }
    if listing.in_stock {
        query.where_.push("l.in_stock = 1".to_owned());
    }
    if listing.pinned {
        query.where_.push("l.product_id in (select product_id from pinned_products)".to_owned());
    }
    if let Some([value, id]) = listing.after {
        let (value, id) = (query.value(value), query.value(id));
        let beyond = if direction == "asc" { ">" } else { "<" };
        query.where_.push(format!("({column}, l.product_id) {beyond} ({value}, {id})"));
    }
    let mut from = match &lead {
        Lead::Named(ids) => {
            let ids = query.value(serde_json::to_string(ids).unwrap_or_default());
            format!("json_each({ids}) f cross join shelf l on l.product_id = f.value")
        }
        Lead::Few(index, narrowed) => {
            query.where_.push((*narrowed).to_owned());
            format!("shelf l indexed by {index}")
        }
        Lead::Sorted | Lead::Tried(_) => format!("shelf l indexed by {sorted}"),
    };
    let order = format!("order by {column} {direction}, l.product_id {direction}");
    if let Lead::Tried(most) = lead {
        let narrowed = std::mem::replace(&mut query.where_, vec!["true".to_owned()]).join(" and ");
        let most = query.value(most);
        from = format!("(select * from {from} where {narrowed} {order} limit {most}) l");
    }
    for word in listing.words.iter().filter(|word| settled != Some(word.as_str())) {
        query.narrow(OF_WORD, like(word));
    }
    let limit = query.value(listing.limit);
    let sql = format!(
        "select p.id, p.name, p.subtitle, p.price_fen, p.max_price_fen, p.market_price_fen, p.sold_count, p.on_shelf,
                p.on_at, p.off_at, c.name as category, page.sorted_by,
                (select hash from product_images i where i.product_id = p.id order by position limit 1) as cover,
                (select coalesce(sum(on_hand), 0) from skus s where s.product_id = p.id and s.enabled = 1) as on_hand,
                (select coalesce(sum(reserved), 0) from skus s where s.product_id = p.id and s.enabled = 1) as reserved,
                (select iif(count(*) = 1, max(id), null) from skus s
                  where s.product_id = p.id and s.enabled = 1) as only_sku
           from (select l.product_id, {column} as sorted_by from {from} where {}
                  {order} limit {limit}) page
          cross join products p on p.id = page.product_id
           left join categories c on c.id = p.category_id
          order by page.sorted_by {direction}, p.id {direction}",
        query.where_.join(" and "),
    );
    (sql, query.values)
}

/// What finds few rows goes before what has all of them in order. With it the word that need not be looked at any more.
fn lead<'l>(conn: &Connection, listing: &'l Listing, few: i64) -> Result<(Lead, Option<&'l str>)> {
    let mut fewest: Option<(Vec<i64>, &str)> = None;
    for word in &listing.words {
        if let Some(ids) = found_by(conn, word, few)?
            && fewest.as_ref().is_none_or(|(fewer, _)| ids.len() < fewer.len())
        {
            fewest = Some((ids, word));
        }
    }
    if let Some((ids, word)) = fewest {
        return Ok((Lead::Named(ids), exact(word)));
    }
    Ok((lead_without_words(conn, listing, few)?, None))
}

/// The word, where what an index finds by it need not be looked at any more.
fn exact(word: &str) -> Option<&str> {
    Some(word).filter(|word| word.chars().count() <= GRAM)
}

fn lead_without_words(conn: &Connection, listing: &Listing, few: i64) -> Result<Lead> {
    if listing.pinned {
        let mut rows = conn.prepare_cached("select product_id from pinned_products")?;
        return Ok(Lead::Named(rows.query_map([], |row| row.get(0))?.collect::<Result<_>>()?));
    }
    if let Some(category) = listing.category
        && in_category(conn, category)? <= few
    {
        return Ok(Lead::Few("shelf_category", "true"));
    }
    Ok(match listing.shelf {
        Shelf::Low(most) if low(conn, most, few + 1)? <= few => Lead::Few("shelf_low", "true"),
        Shelf::SoldOut if on_sale(conn, false)? <= few => Lead::Few("shelf_available", "l.available = 0"),
        Shelf::On if listing.in_stock && on_sale(conn, true)? <= few => Lead::Few("shelf_available", "l.available > 0"),
        _ => Lead::Sorted,
    })
}

// ── counts ──

/// How many products stand where; with so many pieces left or fewer, goods are low.
pub fn shelf_counts(conn: &Connection, most: i64) -> Result<ShelfCounts> {
    let mut counts = conn
        .prepare_cached(
            "select coalesce(sum(products) filter (where side = 'on'), 0) as on_sale,
                    coalesce(sum(products) filter (where side = 'on' and in_stock = 0), 0) as sold_out,
                    coalesce(sum(products) filter (where side = 'off'), 0) as off,
                    coalesce(sum(products) filter (where side = 'bin'), 0) as bin,
                    (select count(*) from products where sample = 1 and deleted_at is null) as samples
               from shelf_counts",
        )?
        .query_row([], |row| {
            Ok(ShelfCounts {
                on: row.get("on_sale")?,
                off: row.get("off")?,
                sold_out: row.get("sold_out")?,
                bin: row.get("bin")?,
                low: 0,
                samples: row.get("samples")?,
            })
        })?;
    counts.low = low(conn, most, counts.on)?;
    Ok(counts)
}

/// Counted up to `limit`.
fn low(conn: &Connection, most: i64, limit: i64) -> Result<i64> {
    conn.prepare_cached(
        "select count(*) from (select 1 from shelf where side = 'on' and least between 1 and ?1 limit ?2)",
    )?
    .query_row([most, limit], |row| row.get(0))
}

/// How many of the samples on sale are low, and how many are sold out: nobody has to get more of what is not sold.
pub fn samples_low(conn: &Connection, most: i64) -> Result<(i64, i64)> {
    conn.prepare_cached(
        "select coalesce(sum(s.least between 1 and ?1), 0), coalesce(sum(s.in_stock = 0), 0)
           from products p join shelf s on s.product_id = p.id
          where p.sample = 1 and s.side = 'on'",
    )?
    .query_row([most], |row| Ok((row.get(0)?, row.get(1)?)))
}

fn in_category(conn: &Connection, category: CategoryId) -> Result<i64> {
    conn.prepare_cached(
        "select coalesce(sum(products), 0) from shelf_counts
          where category_id in (select id from categories where id = ?1 or parent_id = ?1)",
    )?
    .query_row([category], |row| row.get(0))
}

fn on_sale(conn: &Connection, in_stock: bool) -> Result<i64> {
    conn.prepare_cached("select coalesce(sum(products), 0) from shelf_counts where side = 'on' and in_stock = ?1")?
        .query_row([in_stock], |row| row.get(0))
}

// ── words ──

/// What it is to be found by a word: parts of words count, as an index of whole words would not have it.
const OF_WORD: &str = r"exists (
    select 1 from products p left join categories c on c.id = p.category_id
     where p.id = l.product_id
       and (p.name like ? escape '\' or p.subtitle like ? escape '\' or c.name like ? escape '\'
            or exists (select 1 from skus s where s.product_id = p.id
                          and (s.sku_code like ? escape '\' or s.barcode like ? escape '\'))))";

fn like(word: &str) -> String {
    format!("%{}%", word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_"))
}

/// Every three characters in a row of the texts have an entry; a shorter word is the beginning of some.
const BY_BEGINNING: &str = r"
    select id from (
      select doc as id from product_grams where term >= ?1 and term < ?1 || char(1114111)
      union all
      select s.product_id from sku_grams g cross join skus s on s.id = g.doc
       where g.term >= ?1 and g.term < ?1 || char(1114111)
      union all
      select l.product_id from categories c cross join shelf l on l.category_id = c.id where c.name like ?2 escape '\')
     limit ?3";

const BY_GRAMS: &str = r"
    select id from (
      select rowid as id from product_words where product_words match ?1
      union all
      select s.product_id from sku_words w cross join skus s on s.id = w.rowid where sku_words match ?1
      union all
      select l.product_id from categories c cross join shelf l on l.category_id = c.id where c.name like ?2 escape '\')
     limit ?3";

/// What the goods are called that carry this very code; nothing where it is shorter than an entry.
pub fn of_code(conn: &Connection, code: &str) -> Result<Option<String>> {
    let folded: Vec<char> = code.to_ascii_lowercase().chars().collect();
    if folded.len() < GRAM || folded.contains(&'\0') {
        return Ok(None);
    }
    let asked = folded.windows(GRAM).map(quoted).collect::<Vec<_>>().join(" AND ");
    let sql =
        "select p.name from sku_words w cross join skus s on s.id = w.rowid join products p on p.id = s.product_id
                where sku_words match ?1 and ?2 in (lower(s.barcode), lower(s.sku_code)) limit 1";
    conn.prepare_cached(sql)?.query_row(params![asked, String::from_iter(folded)], |row| row.get(0)).optional()
}

/// All that are found by this word, and where it is longer than an entry some that are not; nothing when they are too many
/// to be put in order.
fn found_by(conn: &Connection, word: &str, few: i64) -> Result<Option<Vec<i64>>> {
    let folded: Vec<char> = word.to_ascii_lowercase().chars().collect();
    let (sql, asked) = match folded.len() {
        // What an index is asked for ends there.
        _ if folded.contains(&'\0') => return Ok(None),
        n if n < GRAM => (BY_BEGINNING, folded.iter().collect()),
        _ => (BY_GRAMS, folded.windows(GRAM).map(quoted).collect::<Vec<_>>().join(" AND ")),
    };
    let mut rows = conn.prepare_cached(sql)?;
    let mut ids: Vec<i64> =
        rows.query_map(params![asked, like(word), few + 1], |row| row.get(0))?.collect::<Result<_>>()?;
    if ids.len() as i64 > few {
        return Ok(None);
    }
    ids.sort_unstable();
    ids.dedup();
    Ok(Some(ids))
}

/// An entry, in the language that FTS5 is asked in.
fn quoted(gram: &[char]) -> String {
    let text: String = gram.iter().collect();
    format!("\"{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, DbError};

    /// The names and texts of goods, with all that searches trip over.
    const NAMES: [&str; 8] =
        ["高山苹果", "苹果 Apple A-1", "100%纯果汁_大", r"反\斜\杠", "\"引号\" 'x'", "É拿铁 é", "🍎😀果", "梨"];
    const SUBTITLES: [&str; 4] = ["", "产地直发，坏果包赔", "a", "第一行\n苹"];
    const WORDS: [&str; 34] = [
        "苹",
        "果",
        "苹果",
        "果 ",
        "高山苹",
        "高山苹果",
        "苹果a",
        "apple",
        "APPLE",
        "a",
        "A",
        "-",
        "A-1",
        "%",
        "100%",
        "_",
        "_大",
        "\\",
        "反\\",
        "\"",
        "\"引",
        "'x'",
        "É",
        "é",
        "É拿铁",
        "e",
        "🍎",
        "🍎😀",
        "😀果",
        "发，坏",
        "水果",
        "SKU-7",
        "690",
        "龙虾",
    ];

    /// Of every kind some: in categories and without, on each side, with stock and without, alike in what is sorted by.
    async fn shop() -> (tempfile::TempDir, Db) {
        let dir = tempfile::tempdir().unwrap();
        let db = Db::open(dir.path()).unwrap();
        let fill = |tx: &crate::db::Tx| {
            tx.execute_batch(
                "insert into categories (id, parent_id, name) values (1, null, '水果'), (2, 1, '苹果类'), (3, null, '茶')",
            )?;
            for id in 1..=96_i64 {
                let n = id as usize;
                let name = format!("{} {id}", NAMES[n % NAMES.len()]);
                let category = [None, Some(1), Some(2), Some(3)][n / 2 % 4];
                tx.execute(
                    "insert into products (id, category_id, name, subtitle, on_shelf, price_fen, max_price_fen, sold_count,
                                           deleted_at, created_at, updated_at)
                     values (?1, ?2, ?3, ?4, ?5, ?6, ?6, ?7, ?8, 0, 0)",
                    params![
                        id,
                        category,
                        name,
                        SUBTITLES[n % SUBTITLES.len()],
                        id % 5 > 0 && id % 11 > 0,
                        id * 7 % 13,
                        id * 5 % 9,
                        (id % 11 == 0).then_some(1)
                    ],
                )?;
                for sku in 0..id % 4 {
                    let code = (sku == 1).then(|| format!("SKU-{id}"));
                    let barcode = (id % 6 == 0).then(|| format!("6901234{id:05}"));
                    tx.execute(
                        "insert into skus (product_id, specs, price_fen, sku_code, barcode, on_hand, enabled)
                         values (?1, ?2, 1, ?3, ?4, ?5, ?6)",
                        params![id, format!("[{sku}]"), code, barcode, id * (sku + 1) % 7, (id + sku) % 6 > 0],
                    )?;
                }
            }
            Ok::<_, DbError>(())
        };
        db.write(fill).await.unwrap();
        (dir, db)
    }

    /// What a list holds, asked of the goods themselves: every product is looked at.
    fn looked_through(conn: &Connection, listing: &Listing) -> Vec<[i64; 2]> {
        const ON_SALE: &str =
            "(p.on_shelf = 1 and exists (select 1 from skus s where s.product_id = p.id and s.enabled = 1))";
        const STOCK: &str =
            "(select coalesce(sum(on_hand - reserved), 0) from skus s where s.product_id = p.id and s.enabled = 1)";
        let (column, direction) = match listing.sort {
            Sort::Default => ("p.id", "asc"),
            Sort::Newest => ("p.id", "desc"),
            Sort::PriceAsc => ("p.price_fen", "asc"),
            Sort::PriceDesc => ("p.price_fen", "desc"),
            Sort::Sales => ("p.sold_count", "desc"),
            Sort::Slowest => ("p.sold_count", "asc"),
            Sort::Scarcest => (STOCK, "asc"),
            Sort::Fullest => (STOCK, "desc"),
        };
        let mut where_ = vec![match listing.shelf {
            Shelf::On => ON_SALE.to_owned(),
            Shelf::SoldOut => format!("{ON_SALE} and {STOCK} = 0"),
            Shelf::Off => format!("not {ON_SALE} and p.deleted_at is null"),
            Shelf::Bin => "p.deleted_at is not null".to_owned(),
            Shelf::Low(most) => format!(
                "{ON_SALE} and exists (select 1 from skus s where s.product_id = p.id and s.enabled = 1
                                          and s.on_hand - s.reserved between 1 and {most})"
            ),
        }];
        if let Some(id) = listing.category {
            where_.push(format!("p.category_id in (select id from categories where id = {id} or parent_id = {id})"));
        }
        if listing.in_stock {
            where_.push(format!("{STOCK} > 0"));
        }
        for word in &listing.words {
            let any =
                format!("%{}%", word.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")).replace('\'', "''");
            where_.push(format!(
                r"(p.name like '{any}' escape '\' or p.subtitle like '{any}' escape '\' or c.name like '{any}' escape '\'
                   or exists (select 1 from skus s where s.product_id = p.id
                                 and (s.sku_code like '{any}' escape '\' or s.barcode like '{any}' escape '\')))"
            ));
        }
        let sql = format!(
            "select {column}, p.id from products p left join categories c on c.id = p.category_id
              where {} order by {column} {direction}, p.id {direction}",
            where_.join(" and ")
        );
        let mut rows = conn.prepare(&sql).unwrap();
        rows.query_map([], |row| Ok([row.get(0)?, row.get(1)?])).unwrap().collect::<Result<_>>().unwrap()
    }

    const SORTS: [Sort; 8] = [
        Sort::Default,
        Sort::Newest,
        Sort::PriceAsc,
        Sort::PriceDesc,
        Sort::Sales,
        Sort::Slowest,
        Sort::Scarcest,
        Sort::Fullest,
    ];
    const SIDES: [Shelf; 5] = [Shelf::On, Shelf::Off, Shelf::SoldOut, Shelf::Low(3), Shelf::Bin];

    /// Every list, page by page, whatever leads through it.
    fn must_be_looked_through(conn: &Connection, listing: &Listing) {
        let whole = looked_through(conn, listing);
        for (few, tried) in [(0, TRIED), (0, 3), (5, 9), (SORTED, TRIED)] {
            let (mut found, mut listing) = (Vec::new(), Listing { limit: 7, ..listing.clone() });
            loop {
                let page: Vec<[i64; 2]> =
                    list_by(conn, &listing, few, tried).unwrap().iter().map(|item| item.key).collect();
                found.extend_from_slice(&page);
                listing.after = page.last().copied();
                if page.len() < 7 {
                    break;
                }
            }
            assert_eq!(found, whole, "few: {few}, tried: {tried}, {listing:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_list_holds_what_looking_at_every_product_finds() {
        let (_dir, db) = shop().await;
        let look = |conn: &Connection| {
            for shelf in SIDES {
                for sort in SORTS {
                    for category in [None, Some(CategoryId(1)), Some(CategoryId(2))] {
                        for in_stock in [false, true] {
                            let listing = Listing { shelf, sort, category, in_stock, ..Listing::default() };
                            must_be_looked_through(conn, &listing);
                        }
                    }
                }
            }
            Ok::<_, DbError>(())
        };
        db.read_slowly(look).await.unwrap();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_search_finds_what_like_finds() {
        let (_dir, db) = shop().await;
        let look = |conn: &Connection| {
            let mut hits = 0;
            for word in WORDS {
                for other in ["", "1", "苹果", "SKU"] {
                    let words: Vec<String> =
                        [word, other].iter().filter(|w| !w.is_empty()).map(|w| w.to_string()).collect();
                    for (shelf, sort) in
                        [(Shelf::On, Sort::Newest), (Shelf::On, Sort::PriceAsc), (Shelf::Off, Sort::Default)]
                    {
                        let listing = Listing { shelf, sort, words: words.clone(), ..Listing::default() };
                        hits += looked_through(conn, &listing).len();
                        must_be_looked_through(conn, &listing);
                    }
                }
            }
            assert!(hits > 1000, "{hits}");
            Ok::<_, DbError>(())
        };
        db.read_slowly(look).await.unwrap();
    }

    /// What is written changes the lists with it.
    #[tokio::test(flavor = "multi_thread")]
    async fn lists_follow_what_is_written() {
        let (_dir, db) = shop().await;
        for change in [
            "update products set name = '改名' || id, subtitle = 'Zz' where id % 3 = 0",
            "update skus set sku_code = 'NEW-' || id, barcode = null where id % 2 = 0",
            "update skus set sku_code = null where id % 7 = 0",
            "update skus set enabled = 1 - enabled where id % 3 = 0",
            "update skus set on_hand = on_hand + 3 where id % 4 = 0",
            "update skus set reserved = on_hand where id % 5 = 0",
            "update products set on_shelf = 1 - on_shelf where id % 2 = 0 and deleted_at is null",
            "update products set deleted_at = 1, on_shelf = 0 where id % 9 = 0",
            "update products set deleted_at = null where id % 4 = 0",
            "update products set category_id = 3 where category_id = 2",
            "update products set price_fen = 7, max_price_fen = 7, sold_count = sold_count + id where id % 3 = 1",
            "update categories set name = '新茶' where id = 3",
        ] {
            let write = move |tx: &crate::db::Tx| {
                assert!(tx.execute(change, [])? > 0, "{change}");
                for shelf in SIDES {
                    for word in ["", "改名1", "zz", "NEW-", "sku", "茶", "69"] {
                        let words: Vec<String> = (!word.is_empty()).then(|| word.to_owned()).into_iter().collect();
                        let listing = Listing { shelf, words, sort: Sort::Fullest, ..Listing::default() };
                        must_be_looked_through(tx, &listing);
                    }
                }
                let counts = shelf_counts(tx, 3)?;
                let all = SIDES.map(|shelf| looked_through(tx, &Listing { shelf, ..Listing::default() }).len() as i64);
                assert_eq!([counts.on, counts.off, counts.sold_out, counts.low, counts.bin], all, "{change}");
                Ok::<_, DbError>(())
            };
            db.write(write).await.unwrap();
        }
        let broken = db.read(|conn| Ok::<_, DbError>(crate::payments::invariants::broken(conn)?)).await.unwrap();
        assert_eq!(broken.iter().filter(|rule| rule.rule.contains("商品")).count(), 0, "{broken:?}");
    }

    /// However many products there are, few of them are read.
    #[tokio::test(flavor = "multi_thread")]
    async fn no_list_reads_every_product() {
        let (_dir, db) = shop().await;
        let named = |words: &[&str]| words.iter().map(|word| word.to_string()).collect::<Vec<_>>();
        for (few, words) in [
            (SORTED, vec![]),
            (0, vec![]),
            (SORTED, named(&["苹果"])),
            (SORTED, named(&["高山苹果"])),
            (0, named(&["果"])),
        ] {
            for shelf in SIDES {
                for sort in SORTS {
                    for category in [None, Some(CategoryId(1))] {
                        let listing = Listing {
                            shelf,
                            sort,
                            category,
                            words: words.clone(),
                            after: Some([1, 1]),
                            ..Listing::default()
                        };
                        let asked = move |conn: &Connection| {
                            let (lead, settled) = lead(conn, &listing, few)?;
                            let tried = matches!(lead, Lead::Sorted) && !listing.words.is_empty();
                            let lead = if tried { Lead::Tried(TRIED) } else { lead };
                            Ok::<_, DbError>(statement(&listing, lead, settled).0)
                        };
                        let sql = db.read(asked).await.unwrap();
                        let steps = db.plan(&sql).await;
                        let fine = |step: &str| {
                            step == "SCAN l"
                                || step.starts_with("SCAN page")
                                || step.starts_with("SCAN f VIRTUAL TABLE")
                        };
                        let whole = |step: &&String| step.starts_with("SCAN") && !fine(step);
                        assert_eq!(steps.iter().find(whole), None, "{sql}: {steps:#?}");
                        // Where the index has them in order, only the page is put in order.
                        let sorts = steps.iter().filter(|step| step.contains("TEMP B-TREE")).count();
                        assert!(few > 0 || sorts == 1 || !words.is_empty(), "{sql}: {steps:#?}");
                        let is_stock = |step: &String| step.contains("shelf_available (side=? AND available");
                        let by_stock = few > 0 && words.is_empty() && category.is_none() && shelf == Shelf::SoldOut;
                        assert!(!by_stock || steps.iter().any(is_stock), "{sql}: {steps:#?}");
                    }
                }
            }
        }
        for sql in [BY_BEGINNING, BY_GRAMS] {
            let steps = db.plan(sql).await;
            let known = ["SCAN (subquery", "SCAN c "];
            let whole = |step: &&String| {
                step.starts_with("SCAN")
                    && !step.contains("VIRTUAL TABLE")
                    && !known.iter().any(|known| step.starts_with(known))
            };
            assert_eq!(steps.iter().find(whole), None, "{sql}: {steps:#?}");
        }
    }
}
