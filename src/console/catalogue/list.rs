//! Products for staff: what is on the shelf, and many of them at once.

use std::collections::BTreeMap;

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::categories::promotions_on;
use super::columns::ProductColumn;
use super::{CategoryOption, category_options};
use crate::assets;
use crate::catalogue::lists::{self, Item, Listing, Shelf, ShelfCounts, Sort};
use crate::catalogue::media::thumb;
use crate::catalogue::rules;
use crate::catalogue::shelf::set_shelf;
use crate::catalogue::store;
use crate::catalogue::{Category, Product, Sku, samples, stock};
use crate::clock::{self, Day};
use crate::console::columns::{self, Choice, Head};
use crate::console::undo::{self, Step};
use crate::console::{self, Frame, Waiting, back, back_undoable, cut, framed, inside, query_string, undoable, waiting};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{CategoryId, ProductId, SkuId};
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};

/// Bulk edits are for what fits on a few pages; a table is for more.
const MOST_AT_ONCE: usize = 200;

pub fn routes() -> Vec<Route> {
    routes![list, shelf, restore, ask_clear, clear_samples, bulk, bulk_page]
}

/// The orders that staff can list products in.
const SORTS: [Sort; 7] =
    [Sort::Newest, Sort::Sales, Sort::Slowest, Sort::PriceAsc, Sort::PriceDesc, Sort::Scarcest, Sort::Fullest];

/// What the address says.
#[derive(FromForm, Clone)]
struct Query {
    #[field(default = String::from("on"))]
    tab: String,
    #[field(default = String::new())]
    q: String,
    #[field(default = String::new())]
    category: String,
    #[field(default = String::new())]
    sort: String,
    /// `columns` while somebody chooses them.
    #[field(default = String::new())]
    panel: String,
    /// The sorted value and the id of the last product that was shown.
    #[field(default = String::new())]
    after: String,
}

impl Query {
    fn sort(&self) -> Sort {
        SORTS.into_iter().find(|sort| sort.word() == self.sort).unwrap_or(Sort::Newest)
    }

    fn shelf(&self, low: i64) -> Shelf {
        match self.tab.as_str() {
            "off" => Shelf::Off,
            "sold_out" => Shelf::SoldOut,
            "low" => Shelf::Low(low),
            "bin" => Shelf::Bin,
            _ => Shelf::On,
        }
    }

    /// The address of this very list, without its page.
    fn address(&self) -> String {
        query_string(&[("tab", &self.tab), ("q", &self.q), ("category", &self.category), ("sort", &self.sort)])
    }

    /// The address of this list with one thing changed.
    fn with(&self, change: impl FnOnce(&mut Query)) -> String {
        let mut other = self.clone();
        change(&mut other);
        other.address()
    }

    fn reached(&self) -> Option<[i64; 2]> {
        let (value, id) = self.after.split_once('-')?;
        Some([value.parse().ok()?, id.parse().ok()?])
    }
}

/// What one look at the database finds.
struct Seen {
    waiting: Waiting,
    items: Vec<(Item, Vec<(Day, i64)>)>,
    next: Option<[i64; 2]>,
    counts: ShelfCounts,
    categories: Vec<Category>,
    /// What counts as low, and where the last thirty days begin.
    low: i64,
    month: Day,
}

fn look(conn: &rusqlite::Connection, listing: &Listing, low: i64, month: Day) -> Result<Seen> {
    let mut items = lists::store::list(conn, listing)?;
    let more = cut(&mut items, listing.limit - 1);
    let next = items.last().filter(|_| more).map(|item| item.key);
    let lately = |item: Item| {
        let days = store::sold_daily(conn, item.id, month)?;
        Ok((item, days))
    };
    Ok(Seen {
        waiting: waiting(conn)?,
        items: items.into_iter().map(lately).collect::<Result<_>>()?,
        next,
        counts: lists::store::shelf_counts(conn, low)?,
        categories: store::categories(conn)?,
        low,
        month,
    })
}

#[get("/products?<query..>", rank = 2)]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, query: Query) -> Result<Template> {
    let (low, month) = (shop.settings().low_stock(), Day::of(shop.now()).plus(-29));
    let listing = Listing {
        shelf: query.shelf(low),
        category: query.category.parse().ok(),
        words: query.q.split_whitespace().take(5).map(str::to_owned).collect(),
        sort: query.sort(),
        after: query.reached(),
        limit: staff.0.lists.rows + 1,
        ..Listing::default()
    };
    let seen = shop.read(move |conn| look(conn, &listing, low, month)).await?;
    Ok(assets::page("console/products.html", ListPage::of(shop, &staff.0, flash, &query, seen)))
}

/// Everything that the list of products shows.
#[derive(Serialize)]
struct ListPage<'q> {
    frame: Frame,
    tabs: Vec<TabShown>,
    tab: &'q str,
    q: &'q str,
    /// The id of the category in view, as the address has it.
    category: &'q str,
    sort: &'q str,
    /// Without what was searched for.
    unsearched: String,
    categories: Vec<CategoryShown>,
    everywhere: String,
    may_edit: bool,
    /// The rows can be ticked, and changed where they stand.
    ticks: bool,
    /// So many left or fewer is low.
    low: i64,
    /// Goods that were made up to try the shop out with.
    samples: i64,
    heads: Vec<Head>,
    /// Empty until somebody wants to choose.
    choices: Vec<Choice>,
    shows: BTreeMap<&'static str, bool>,
    newest: String,
    is_newest: bool,
    address: String,
    next: Option<String>,
    later: bool,
    items: Vec<ItemShown>,
}

#[derive(Serialize)]
struct TabShown {
    word: &'static str,
    text: &'static str,
    n: i64,
}

#[derive(Serialize)]
struct CategoryShown {
    #[serde(flatten)]
    option: CategoryOption,
    here: bool,
    address: String,
}

#[derive(Serialize)]
struct ItemShown {
    id: ProductId,
    name: String,
    subtitle: String,
    category: Option<String>,
    cover: Option<String>,
    price: String,
    market: Option<String>,
    available: i64,
    on_hand: i64,
    reserved: i64,
    /// Days that the stock will last.
    reach: Option<i64>,
    /// Pieces of the last thirty days, and their line.
    lately: i64,
    spark: String,
    sold: i64,
    on_shelf: bool,
    planned: Option<String>,
    /// Where price and stock are one of each, so that a cell holds all of it.
    only_sku: Option<SkuId>,
}

impl ItemShown {
    fn of(item: Item, days: &[(Day, i64)], month: Day) -> ItemShown {
        let (lately, planned, available) = (sold(days), planned(&item), item.available());
        ItemShown {
            id: item.id,
            name: item.name,
            subtitle: item.subtitle,
            category: item.category,
            cover: item.cover.as_ref().map(thumb),
            price: match item.price == item.max_price {
                true => format!("¥{}", item.price),
                false => format!("¥{}–{}", item.price, item.max_price),
            },
            market: item.market_price.map(|fen| format!("¥{fen}")),
            available,
            on_hand: item.on_hand,
            reserved: item.reserved,
            reach: reach(available, lately),
            lately,
            spark: spark(days, month),
            sold: item.sold_count,
            on_shelf: item.on_shelf,
            planned,
            only_sku: item.only_sku,
        }
    }
}

impl<'q> ListPage<'q> {
    fn of(shop: &Shop, staff: &Staff, flash: Option<FlashMessage<'_>>, query: &'q Query, seen: Seen) -> ListPage<'q> {
        let Seen { waiting, items, next, counts, categories, low, month } = seen;
        let (may_edit, sort) = (staff.role >= Role::Manager, query.sort());
        let frame = framed(shop, staff, "products", flash, waiting);
        let shown = columns::chosen(staff.lists.product_columns.as_deref(), |_: ProductColumn| true);
        let to = |sort: Sort| query.with(|other| other.sort = sort.word().to_owned());
        let tab = |(word, text, n)| TabShown { word, text, n };
        let category = |option: CategoryOption| CategoryShown {
            here: query.category == option.id.to_string(),
            address: query.with(|other| other.category = option.id.to_string()),
            option,
        };
        ListPage {
            frame,
            tabs: [
                ("on", "出售中", counts.on),
                ("off", "已下架", counts.off),
                ("sold_out", "售罄", counts.sold_out),
                ("low", "低库存", counts.low),
                ("bin", "回收站", counts.bin),
            ]
            .map(tab)
            .into(),
            tab: &query.tab,
            q: &query.q,
            category: &query.category,
            sort: sort.word(),
            unsearched: query.with(|other| other.q.clear()),
            everywhere: query.with(|other| other.category.clear()),
            categories: category_options(&categories).into_iter().map(category).collect(),
            may_edit,
            ticks: may_edit && query.tab != "bin",
            low,
            samples: counts.samples,
            heads: shown.iter().map(|column| Head::of(*column, column.ways(), sort, to)).collect(),
            choices: if query.panel == "columns" { columns::choices(&shown, |_| true) } else { Vec::new() },
            shows: ProductColumn::ALL.iter().map(|column| (column.word(), shown.contains(column))).collect(),
            newest: to(Sort::Newest),
            is_newest: sort == Sort::Newest,
            address: query.address(),
            next: next.map(|[value, id]| format!("{value}-{id}")),
            later: query.reached().is_some(),
            items: items.into_iter().map(|(item, days)| ItemShown::of(item, &days, month)).collect(),
        }
    }
}

fn sold(days: &[(Day, i64)]) -> i64 {
    days.iter().map(|(_, pieces)| pieces).sum()
}

/// For how many days the stock lasts at the pace of the last thirty; nothing when none was sold.
fn reach(available: i64, sold: i64) -> Option<i64> {
    (available * 30).checked_div(sold)
}

/// The pieces of each of thirty days as a line, on a field of 87 by 24.
fn spark(days: &[(Day, i64)], first: Day) -> String {
    let most = days.iter().map(|(_, pieces)| *pieces).max().unwrap_or(0).max(1);
    let of = |n: i64| days.iter().find(|(day, _)| *day == first.plus(n)).map_or(0, |(_, pieces)| *pieces);
    let heights: Vec<i64> = (0..30).map(|n| of(n) * 20 / most).collect();
    let mut path = format!("M0 {}", 22 - heights[0]);
    // Days alike are one stroke: most goods sell on few days of a month.
    let (mut level, mut at) = (heights[0], 0);
    for run in heights.chunk_by(|a, b| a == b) {
        if at > 0 {
            path.push_str(&format!("l3 {}", level - run[0]));
        }
        if run.len() > 1 {
            path.push_str(&format!("h{}", 3 * (run.len() - 1)));
        }
        (level, at) = (run[0], at + run.len());
    }
    path
}

/// What will become of it by itself, next.
fn planned(item: &Item) -> Option<String> {
    let times = item.shelf_times;
    let what = if times.on_at.is_some() { "上架" } else { "下架" };
    times.next().map(|at| format!("{} 自动{what}", clock::shown_short(at)))
}

#[derive(FromForm)]
struct ShelfForm {
    on: bool,
    #[field(default = String::from("on"))]
    tab: String,
}

#[post("/products/<id>/shelf", data = "<form>")]
async fn shelf(shop: &State<Shop>, staff: Manager, id: ProductId, form: Form<ShelfForm>) -> Flash<Redirect> {
    let on = form.on;
    let words = if on { "已上架" } else { "已下架" };
    let write = move |tx: &Tx| {
        let product = store::product(tx, id)?.ok_or(Code::NotFound)?;
        set_shelf(tx, id, on)?;
        audit(tx, &staff.0, &format!("{words}商品「{}」", product.name))?;
        let done = format!("「{}」{words}", product.name);
        let step = Step::Shelf { product: id.0, on };
        let changed = if product.on_shelf == on { &[] } else { std::slice::from_ref(&step) };
        let undo = undo::keep(tx, &staff.0, &done, changed)?;
        Ok((done, undo))
    };
    let tab = if ["on", "off", "sold_out"].contains(&form.tab.as_str()) { form.tab.as_str() } else { "on" };
    let to = format!("/admin/products?tab={tab}");
    match shop.write(write).await {
        Ok((done, undo)) => undoable(to, &done, &undo),
        Err(e) => console::refused(&to, e),
    }
}

/// Back from the recycle bin, off the shelf.
#[post("/products/<id>/restore")]
async fn restore(shop: &State<Shop>, staff: Manager, id: ProductId) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let product = store::product(tx, id)?.filter(|p| p.deleted).ok_or(Code::NotFound)?;
        if store::product_named(tx, &product.name)?.is_some() {
            let words = format!("已有另一个叫「{}」的商品，请先把它改名", product.name);
            return Err(Error::field("name", words));
        }
        store::restore_product(tx, id)?;
        audit(tx, &staff.0, &format!("还原商品「{}」", product.name))?;
        Ok(format!("「{}」已还原，在“已下架”里；看过之后再上架", product.name))
    };
    back("/admin/products?tab=off", shop.write(write).await)
}

#[derive(Serialize)]
struct ClearPage {
    frame: Frame,
    n: usize,
    /// The names of those that go too, and of the promotions on goods of theirs.
    categories: Vec<String>,
    promotions: Vec<String>,
}

/// Before the samples go: how many, and which categories go with them.
#[get("/products/samples/clear", rank = 1)]
async fn ask_clear(shop: &State<Shop>, staff: Manager) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &rusqlite::Connection| {
        let gone = samples::categories(conn)?;
        let promotions = promotions_on(conn, &gone.iter().map(|c| c.id).collect::<Vec<_>>(), now)?;
        let categories: Vec<String> = gone.into_iter().map(|c| c.name).collect();
        Ok((store::samples(conn)?.len(), categories, promotions, waiting(conn)?))
    };
    let (n, categories, promotions, waits) = shop.read(read).await?;
    let frame = framed(shop, &staff.0, "products", None, waits);
    Ok(assets::page("console/samples_clear.html", ClearPage { frame, n, categories, promotions }))
}

/// Everything that was made up goes into the recycle bin.
#[post("/products/samples/clear")]
async fn clear_samples(shop: &State<Shop>, staff: Manager) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let goods = store::samples(tx)?;
        goods.iter().try_for_each(|id| store::delete_product(tx, *id))?;
        // The categories that came with them go with them.
        samples::categories(tx)?.iter().try_for_each(|category| store::delete_category(tx, category.id, None))?;
        audit(tx, &staff.0, &format!("清除示例商品 {} 个", goods.len()))?;
        Ok(format!("{} 个示例商品已移到回收站", goods.len()))
    };
    back("/admin/products", shop.write(write).await)
}

// ── many at once ──

#[derive(FromForm)]
struct Bulk {
    product: Vec<i64>,
    act: String,
    #[field(default = String::new())]
    value: String,
    /// The same for each act that stands beside a field of its own.
    #[field(default = String::new())]
    percent: String,
    #[field(default = String::new())]
    shift: String,
    #[field(default = String::new())]
    stock: String,
    #[field(default = String::new())]
    limit: String,
    #[field(default = String::new())]
    category: String,
    #[field(default = false)]
    confirmed: bool,
    /// The prices that the second screen has shown.
    seen: Option<String>,
    /// The list it came from.
    #[field(default = String::new())]
    list: String,
}

/// What is to become of the chosen products.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    Shelf(bool),
    /// Into the recycle bin.
    Delete,
    Category(Option<CategoryId>),
    /// Every price by so many per cent.
    Percent(i64),
    /// Every price by this many fen.
    Shift(i64),
    /// Pieces of an order, at most; none is without a limit.
    Limit(Option<i64>),
    /// Every stock by so many pieces.
    Stock(i64),
}

impl Bulk {
    /// What was typed for the act that was chosen.
    fn value(&self) -> &str {
        let own = match self.act.as_str() {
            "percent" => &self.percent,
            "shift" => &self.shift,
            "stock" => &self.stock,
            "limit" => &self.limit,
            _ => "",
        };
        if self.value.trim().is_empty() { own.trim() } else { self.value.trim() }
    }

    fn back(&self) -> String {
        match self.list.as_str() {
            "" => "/admin/products".to_owned(),
            list => inside(format!("/admin/products?{list}")),
        }
    }

    fn act(&self) -> Result<Act> {
        let wrong = |problem: &str| Err(Error::field("value", problem.to_owned()));
        let value = self.value();
        let (sign, rest) = match value.strip_prefix('-') {
            Some(rest) => (-1, rest),
            None => (1, value.strip_prefix('+').unwrap_or(value)),
        };
        match self.act.as_str() {
            "on" => Ok(Act::Shelf(true)),
            "off" => Ok(Act::Shelf(false)),
            "delete" => Ok(Act::Delete),
            "category" => Ok(Act::Category(self.category.parse().ok())),
            "percent" => match rest.trim_end_matches('%').parse::<i64>() {
                Ok(n) if (1..=99).contains(&n) || (sign > 0 && n <= 1000 && n > 0) => Ok(Act::Percent(sign * n)),
                _ => wrong("百分比请填整数，例如 -10 或 +5"),
            },
            "shift" => match Fen::from_yuan(rest).filter(|fen| *fen > Fen::ZERO) {
                Some(fen) => Ok(Act::Shift(sign * fen.get())),
                None => wrong("金额请填元，例如 -2 或 +0.50"),
            },
            "limit" => rules::purchase_limit(value).map(Act::Limit).or_else(|problem| wrong(&problem)),
            "stock" => match rest.parse::<i64>() {
                Ok(n) if (1..=1_000_000).contains(&n) => Ok(Act::Stock(sign * n)),
                _ => wrong("库存增减请填整数，例如 +20 或 -3"),
            },
            _ => wrong("按要做的那个按钮，例如“改价 ±%”"),
        }
    }
}

impl Act {
    fn done(&self) -> String {
        match self {
            Act::Shelf(true) => "上架".to_owned(),
            Act::Shelf(false) => "下架".to_owned(),
            Act::Delete => "移到回收站".to_owned(),
            Act::Category(_) => "改分类".to_owned(),
            Act::Percent(n) => format!("改价 {n:+}%"),
            Act::Shift(_) => "改价".to_owned(),
            Act::Limit(_) => "改限购".to_owned(),
            Act::Stock(n) => format!("改库存 {n:+}"),
        }
    }

    /// What it changes in a product, step by step, to be taken back.
    fn steps(&self, product: &Product) -> Vec<Step> {
        let id = product.id.0;
        let each = |step: &dyn Fn(&Sku) -> Option<Step>| product.skus.iter().filter_map(step).collect();
        match self {
            Act::Shelf(on) if *on != product.on_shelf => vec![Step::Shelf { product: id, on: *on }],
            Act::Shelf(_) => Vec::new(),
            Act::Delete => vec![Step::Binned { product: id, on: product.on_shelf }],
            Act::Category(is) => {
                let (was, is) = (product.category_id.map(|id| id.0), is.map(|id| id.0));
                if was == is { Vec::new() } else { vec![Step::Category { product: id, was, is }] }
            }
            Act::Percent(_) | Act::Shift(_) => each(&|sku| {
                let is = priced(sku.price, self).filter(|is| *is != sku.price)?;
                Some(Step::Price { product: id, sku: sku.id.0, was: sku.price.get(), is: is.get() })
            }),
            Act::Limit(is) => each(&|sku| {
                let step = Step::Limit { product: id, sku: sku.id.0, was: sku.limit_per_order, is: *is };
                (sku.limit_per_order != *is).then_some(step)
            }),
            Act::Stock(by) => each(&|sku| sku.enabled.then_some(Step::Stock { product: id, sku: sku.id.0, by: *by })),
        }
    }
}

/// A price after a change; `None` when it would not be one.
fn priced(price: Fen, act: &Act) -> Option<Fen> {
    match act {
        // Rounded to the fen, halves up; below 10^10 * 1100 this fits.
        Act::Percent(n) => Fen::new((price.get() * (100 + n) + 50).div_euclid(100)),
        Act::Shift(fen) => Fen::new(price.get() + fen),
        _ => Some(price),
    }
    .filter(|fen| *fen > Fen::ZERO || price == Fen::ZERO)
}

/// The address of a second screen, opened again: back to the list.
#[get("/products/bulk", rank = 1)]
fn bulk_page(_staff: Manager) -> Redirect {
    Redirect::to("/admin/products")
}

#[post("/products/bulk", data = "<form>")]
async fn bulk(
    shop: &State<Shop>,
    staff: Manager,
    form: Form<Bulk>,
) -> Result<std::result::Result<Template, Flash<Redirect>>> {
    let to = form.back();
    let refused = |e: Error| Ok(Err(console::refused(&to, e)));
    let act = match form.act() {
        Ok(act) => act,
        Err(e) => return refused(e),
    };
    let ids: Vec<ProductId> = form.product.iter().take(MOST_AT_ONCE).map(|id| ProductId(*id)).collect();
    if ids.is_empty() {
        return refused(Error::field("product", "请先勾选商品"));
    }
    // Prices are shown before they change: a slip here costs money.
    if matches!(act, Act::Percent(_) | Act::Shift(_)) && !form.confirmed {
        return Ok(Ok(confirm(shop, &staff.0, &form, &act, ids).await?));
    }
    let (by, seen, chosen, written) = (staff.0.clone(), form.seen.clone(), ids.clone(), act.clone());
    let write = move |tx: &Tx| {
        let mut steps = Vec::new();
        if let Some(seen) = &seen
            && prices(&chosen_products(tx, &ids)?.0) != *seen
        {
            return Ok(None);
        }
        let (products, binned) = chosen_products(tx, &ids)?;
        if products.is_empty() {
            return Err(Error::field("product", format!("{}，没有改", in_the_bin(&binned))));
        }
        for product in &products {
            change(tx, &by, product, &written)?;
            // Only what was not so before: what is taken back is what was done.
            steps.extend(written.steps(product));
        }
        let beside = if binned.is_empty() { String::new() } else { format!("；{}，没有动", in_the_bin(&binned)) };
        let done = format!("{} 个商品已{}{beside}", products.len(), written.done());
        let undo = undo::keep(tx, &by, &done, &steps)?;
        Ok(Some((done, undo)))
    };
    let done = match shop.write(write).await.transpose() {
        Some(done) => done,
        None => return Ok(Ok(confirm(shop, &staff.0, &form, &act, chosen).await?)),
    };
    Ok(Err(back_undoable(to, done)))
}

/// The chosen products, and those of them that somebody has put into the recycle bin meanwhile.
fn chosen_products(conn: &rusqlite::Connection, ids: &[ProductId]) -> Result<(Vec<Product>, Vec<Product>)> {
    let found = ids.iter().filter_map(|id| store::product(conn, *id).transpose());
    Ok(found.collect::<rusqlite::Result<Vec<_>>>()?.into_iter().partition(|product| !product.deleted))
}

/// So many goods are named at most.
const NAMED: usize = 3;

/// `「苹果」、「梨」等 5 个商品在回收站里`
fn in_the_bin(binned: &[Product]) -> String {
    let names: Vec<String> = binned.iter().take(NAMED).map(|product| format!("「{}」", product.name)).collect();
    let more = if binned.len() > NAMED { format!("等 {} 个商品", binned.len()) } else { String::new() };
    format!("{}{more}在回收站里", names.join("、"))
}

/// Every price of these products, as the second screen takes it along.
fn prices(products: &[Product]) -> String {
    let of = |sku: &Sku| price_of(sku);
    products.iter().flat_map(|product| &product.skus).map(of).collect::<Vec<_>>().join(",")
}

fn price_of(sku: &Sku) -> String {
    format!("{}:{}", sku.id, sku.price.get())
}

/// Prices as they are and as they would be.
#[derive(Serialize)]
struct PricesPage<'a> {
    frame: Frame,
    /// No price would become less than the least.
    possible: bool,
    /// Prices have changed since they were shown.
    stale: bool,
    rows: Vec<PriceShown>,
    products: &'a [i64],
    act: &'a str,
    value: &'a str,
    seen: String,
}

#[derive(Serialize)]
struct PriceShown {
    name: String,
    spec: String,
    was: String,
    moved: bool,
    is: Option<String>,
}

async fn confirm(shop: &Shop, staff: &Staff, form: &Bulk, act: &Act, ids: Vec<ProductId>) -> Result<Template> {
    let read = move |conn: &rusqlite::Connection| Ok((chosen_products(conn, &ids)?, waiting(conn)?));
    let ((products, _), waits) = shop.read(read).await?;
    let seen: Option<Vec<&str>> = form.seen.as_deref().map(|seen| seen.split(',').collect());
    let moved = |sku: &Sku| seen.as_ref().is_some_and(|seen| !seen.contains(&price_of(sku).as_str()));
    let row = |(product, sku): (&Product, &Sku)| PriceShown {
        name: product.name.clone(),
        spec: sku.spec_text(),
        was: sku.price.to_string(),
        moved: moved(sku),
        is: priced(sku.price, act).map(|fen| fen.to_string()),
    };
    let skus = products.iter().flat_map(|product| product.skus.iter().map(move |sku| (product, sku)));
    let rows: Vec<PriceShown> = skus.map(row).collect();
    let page = PricesPage {
        frame: framed(shop, staff, "products", None, waits),
        possible: rows.iter().all(|row| row.is.is_some()),
        stale: seen.is_some(),
        rows,
        products: &form.product,
        act: &form.act,
        value: form.value(),
        seen: prices(&products),
    };
    Ok(assets::page("console/products_prices.html", page))
}

fn change(tx: &Tx, staff: &Staff, product: &Product, act: &Act) -> Result<()> {
    let name = &product.name;
    let what = match act {
        Act::Shelf(on) => {
            set_shelf(tx, product.id, *on)?;
            format!("{}商品「{name}」", if *on { "上架" } else { "下架" })
        }
        Act::Delete => {
            store::delete_product(tx, product.id)?;
            format!("商品「{name}」移到回收站")
        }
        Act::Category(category) => {
            store::set_category(tx, product.id, *category)?;
            format!("商品「{name}」改分类")
        }
        Act::Percent(_) | Act::Shift(_) => {
            let mut changes = Vec::new();
            for sku in &product.skus {
                let words = || Error::field("value", format!("「{name}」的价格会低于 0.01 元，没有修改任何商品"));
                let price = priced(sku.price, act).ok_or_else(words)?;
                store::set_price(tx, sku.id, price)?;
                changes.push(format!("{} → {price}", sku.price));
            }
            store::repriced(tx, product.id)?;
            format!("商品「{name}」改价 {}", changes.join("，"))
        }
        Act::Limit(limit) => {
            store::set_limits(tx, product.id, *limit)?;
            store::touch(tx, product.id)?;
            format!("商品「{name}」每单限购 {}", limit.map_or("不限".to_owned(), |n| n.to_string()))
        }
        Act::Stock(delta) => {
            for sku in product.skus.iter().filter(|sku| sku.enabled) {
                if !stock::adjust(tx, sku.id, sku.on_hand + delta, Some(staff.id), "批量")? {
                    let words = format!("「{name}」的库存会少于已被订单占用的数量，没有修改任何商品");
                    return Err(Error::field("value", words));
                }
            }
            format!("商品「{name}」库存 {delta:+}")
        }
    };
    Ok(audit(tx, staff, &what)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_drawn_as_runs_of_days_alike() {
        let first = Day::from_number(20_261_001).unwrap();
        assert_eq!(spark(&[], first), "M0 22h87");
        assert_eq!(
            spark(&[(first.plus(2), 4), (first.plus(3), 4), (first.plus(4), 2)], first),
            "M0 22h3l3 -20h3l3 10l3 10h72"
        );
        assert_eq!(spark(&[(first, 1), (first.plus(29), 1)], first), "M0 2l3 20h81l3 -20");
    }

    #[test]
    fn second_screens_of_products_ask_for_nothing_that_they_are_not_given() {
        for full in [true, false] {
            let (n, categories) = if full { (8, vec!["示例".to_owned()]) } else { (0, Vec::new()) };
            let promotions = if n > 0 { vec!["糕点九折".into()] } else { Vec::new() };
            let page = ClearPage { frame: Frame::sample(Role::Manager), n, categories, promotions };
            let html = assets::strictly("console/samples_clear.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("确认清除"), html.contains("没有示例商品")), (full, !full));
            let row = PriceShown {
                name: "草莓蛋糕".into(),
                spec: "6 寸".into(),
                was: "20.00".into(),
                moved: full,
                is: full.then(|| "19.00".into()),
            };
            let page = PricesPage {
                frame: Frame::sample(Role::Manager),
                possible: full,
                stale: full,
                rows: vec![row],
                products: &[1],
                act: "percent",
                value: "95",
                seen: "1:2000".into(),
            };
            let html = assets::strictly("console/products_prices.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("确认改价</button>"), html.contains("低于 0.01 元")), (full, !full));
        }
    }

    #[test]
    fn the_list_of_products_asks_for_nothing_that_it_is_not_given() {
        let item = |full: bool| ItemShown {
            id: ProductId(1),
            name: "草莓蛋糕".into(),
            subtitle: "当天做".into(),
            category: full.then(|| "蛋糕".into()),
            cover: full.then(|| "/media/a.jpg".into()),
            price: "¥20.00".into(),
            market: full.then(|| "¥25.00".into()),
            available: i64::from(full) * 4,
            on_hand: 5,
            reserved: 1,
            reach: full.then_some(9),
            lately: 3,
            spark: "M0 22h87".into(),
            sold: 30,
            on_shelf: full,
            planned: full.then(|| "10-09 08:00 自动上架".into()),
            only_sku: full.then_some(SkuId(1)),
        };
        for full in [true, false] {
            let shown = ProductColumn::ALL;
            let heads = shown.iter().map(|column| Head::of(*column, column.ways(), Sort::Sales, |_| String::new()));
            let option = CategoryOption { id: CategoryId(1), name: "蛋糕".into(), n: 2 };
            let tab = if full { "on" } else { "bin" };
            let page = ListPage {
                frame: Frame::sample(Role::Manager),
                tabs: vec![TabShown { word: "on", text: "出售中", n: 2 }],
                tab,
                q: if full { "草莓" } else { "" },
                category: "",
                sort: Sort::Sales.word(),
                unsearched: String::new(),
                categories: vec![CategoryShown { option, here: full, address: String::new() }],
                everywhere: String::new(),
                may_edit: true,
                ticks: full,
                low: 5,
                samples: i64::from(full),
                heads: heads.collect(),
                choices: if full { columns::choices(shown, |_| true) } else { Vec::new() },
                shows: shown.iter().map(|column| (column.word(), true)).collect(),
                newest: String::new(),
                is_newest: full,
                address: String::new(),
                next: full.then(|| "1-1".into()),
                later: full,
                items: if full { vec![item(true), item(false)] } else { Vec::new() },
            };
            let html = assets::strictly("console/products.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("自动上架"), full);
        }
    }
}
