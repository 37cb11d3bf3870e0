//! The catalogue for buyers: categories, lists, details. Needs no login.

use rocket::http::uri::Origin;
use rocket::serde::json::Json;
use rocket::{Route, State, get, routes};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::cache::{Cache, Rendered};
use super::lists::{self, Listing, Sort};
use super::media::Widths;
use super::showcase::{self, Banner, Showcase};
use super::store;
use super::{Category, Delivery, Product, detail_html, offered};
use crate::db::Kept;
use crate::door::query::{self, Given, Page};
use crate::error::{Code, Error, Result};
use crate::ids::{CategoryId, ImageHash, ProductId, SkuId};
use crate::money::Fen;
use crate::shop::Shop;
use crate::typed::Length;

pub fn routes() -> Vec<Route> {
    routes![shop, home, categories, products, product]
}

#[get("/shop")]
fn shop(shop: &State<Shop>) -> Json<Value> {
    let settings = shop.settings();
    let template = |name: &str| settings.template(name).map(|chosen| chosen.id);
    let [shipped, refunded, pickup, unpaid, after_sale] =
        ["shipped", "refunded", "pickup", "unpaid", "aftersale"].map(|word| template(&format!("wechat.tmpl_{word}")));
    // WeChat lets three be asked for at a time: those that matter once an order is paid.
    let after_payment: Vec<_> = [&shipped, &refunded, &pickup].into_iter().flatten().collect();
    Json(json!({
        "name": settings.shop_name(),
        "logoUrl": null,
        "notice": settings.get("shop.notice").unwrap_or_default(),
        "phone": settings.get("shop.phone").unwrap_or_default(),
        "open": settings.is_open(),
        "sandbox": shop.wechat.is_simulated(),
        "payMinutes": settings.pay_minutes(),
        "freightText": settings.freight_text(),
        "pickup": { "address": settings.pickup_address(), "hoursText": settings.hours_text() },
        "leastFen": { "express": settings.express_least(), "local": settings.local_least() },
        "subscribeTemplateIds": after_payment,
        "subscribeTemplates": {
            "shipped": shipped, "refunded": refunded, "pickupReady": pickup, "unpaid": unpaid, "afterSale": after_sale,
        },
    }))
}

#[get("/categories")]
async fn categories(shop: &State<Shop>, cache: &State<Cache>) -> Result<Rendered> {
    cached(shop, cache, "categories".into(), |conn| {
        let all: Vec<_> = store::categories(conn)?.into_iter().filter(|category| category.visible).collect();
        let items: Vec<_> = children(&all, None);
        Ok(Page { items, next_cursor: None })
    })
    .await
}

/// What the shop wants to show first. A banner that leads to what is no longer for sale leads nowhere.
#[get("/home")]
async fn home(shop: &State<Shop>, cache: &State<Cache>) -> Result<Rendered> {
    cached(shop, cache, "home".into(), |conn| {
        let Showcase { banners, pinned, hot_words } = showcase::read(conn)?;
        let limit = showcase::MOST_PINNED as i64;
        let mut items = lists::store::list(conn, &Listing { pinned: true, limit, ..Listing::default() })?;
        items.sort_by_key(|item| pinned.iter().position(|id| *id == item.id));
        let on_sale = |id: &ProductId| store::product(conn, *id).map(|found| found.is_some_and(|p| p.is_for_sale()));
        let categories = store::categories(conn)?;
        let seen = |id: &CategoryId| categories.iter().any(|category| category.id == *id && category.visible);
        let mut shown = Vec::new();
        for Banner { image, leads } in banners {
            let product_id = match leads.product() {
                Some(id) if on_sale(&id)? => Some(id),
                _ => None,
            };
            shown.push(BannerItem {
                image: Widths::from(&image),
                product_id,
                category_id: leads.category().filter(seen),
            });
        }
        Ok(Home { banners: shown, pinned: items.iter().map(Summary::from).collect(), hot_words })
    })
    .await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Home {
    banners: Vec<BannerItem>,
    pinned: Vec<Summary>,
    hot_words: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BannerItem {
    image: Widths,
    product_id: Option<ProductId>,
    category_id: Option<CategoryId>,
}

/// `?categoryId&q&sort&inStock&limit&cursor`
#[get("/products")]
async fn products(shop: &State<Shop>, cache: &State<Cache>, address: &Origin<'_>) -> Result<Rendered> {
    // What was answered once was right to ask: a kept answer needs no reading of the question.
    let asked = format!("products?{}", address.query().map_or("", |query| query.as_str()));
    if let Some(rendered) = kept(shop, cache, &asked).await? {
        return Ok(rendered);
    }
    list(shop, cache, asked, listing(&Given::of(address))?).await
}

/// What `/products?limit=12` answers: the goods that a home page shows before anybody has asked for anything.
pub async fn first_goods(shop: &Shop, cache: &Cache) -> Result<Rendered> {
    let asked = String::from("products?limit=12");
    match kept(shop, cache, &asked).await? {
        Some(rendered) => Ok(rendered),
        None => list(shop, cache, asked, Listing { limit: 12 + 1, ..Listing::default() }).await,
    }
}

async fn list(shop: &Shop, cache: &Cache, asked: String, listing: Listing) -> Result<Rendered> {
    make(shop, cache, asked, move |conn| {
        let mut items = lists::store::list(conn, &listing)?;
        let more = items.len() as i64 == listing.limit;
        items.truncate(listing.limit as usize - 1);
        let next_cursor = items.last().filter(|_| more).map(|last| query::cursor(listing.sort.word(), &last.key));
        Ok(Page { items: items.iter().map(Summary::from).collect(), next_cursor })
    })
    .await
}

/// What is searched for.
const SEARCH: Length = Length::up_to(50);

fn listing(given: &Given<'_>) -> Result<Listing> {
    let category = match given.get("categoryId") {
        None => None,
        Some(id) => {
            Some(id.parse::<CategoryId>().map_err(|_| Error::field("categoryId", "categoryId 不是有效的编号"))?)
        }
    };
    let sort = match given.get("sort") {
        None => Sort::Default,
        Some(word) => Sort::ALL
            .into_iter()
            .find(|s| s.word() == word)
            .ok_or_else(|| Error::field("sort", "sort 只能是 default、newest、price_asc、price_desc 或 sales"))?,
    };
    let words = given.get("q").unwrap_or_default();
    if !SEARCH.fits(words) {
        return Err(Error::field("q", format!("搜索词太长，{SEARCH}")));
    }
    Ok(Listing {
        category,
        words: words.split_whitespace().map(str::to_owned).collect(),
        in_stock: query::flag("inStock", given.get("inStock"))?,
        sort,
        after: query::read_cursor(sort.word(), given.get("cursor"))?,
        // One more than asked tells whether there is a next page.
        limit: query::page_size(given.get("limit"))? + 1,
        ..Listing::default()
    })
}

#[get("/products/<id>")]
async fn product(shop: &State<Shop>, cache: &State<Cache>, id: &str) -> Result<Rendered> {
    let id: ProductId = id.parse().map_err(|_| Code::NotFound)?;
    let limit = shop.settings().limit_per_order();
    cached(shop, cache, format!("product {id} {limit:?}"), move |conn| Ok(Detail::new(&offered(conn, id)?, limit)))
        .await
}

/// Gives the kept answer, or makes it.
async fn cached<T: Serialize + Send + 'static>(
    shop: &Shop,
    cache: &Cache,
    asked: String,
    answer: impl FnOnce(&rusqlite::Connection) -> Result<T> + Send + 'static,
) -> Result<Rendered> {
    match kept(shop, cache, &asked).await? {
        Some(rendered) => Ok(rendered),
        None => make(shop, cache, asked, answer).await,
    }
}

/// The answer that is kept under the version of this moment.
async fn kept(shop: &Shop, cache: &Cache, asked: &str) -> Result<Option<Rendered>> {
    let outdated = shop.db.outdated(Kept::Catalogue);
    if let Some(answer) = cache.look(outdated, asked) {
        return Ok(answer);
    }
    let version = shop.read(|conn| Ok(store::version(conn)?)).await?;
    cache.keep_version(version, outdated);
    Ok(cache.get(version, asked))
}

/// Makes the answer from one moment of the database together with that moment's version, and keeps it.
async fn make<T: Serialize + Send + 'static>(
    shop: &Shop,
    cache: &Cache,
    asked: String,
    answer: impl FnOnce(&rusqlite::Connection) -> Result<T> + Send + 'static,
) -> Result<Rendered> {
    let made = move |conn: &rusqlite::Connection| Ok((store::version(conn)?, answer(conn)?));
    let (version, answer) = shop.read(made).await?;
    let rendered = Rendered::new(&answer);
    cache.put(version, asked, rendered.clone());
    Ok(rendered)
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct CategoryItem {
    id: CategoryId,
    name: String,
    icon_url: Option<String>,
    icon: Option<Widths>,
    product_count: i64,
    children: Vec<CategoryItem>,
}

fn children(all: &[Category], parent: Option<CategoryId>) -> Vec<CategoryItem> {
    all.iter()
        .filter(|category| category.parent_id == parent)
        .map(|category| CategoryItem {
            id: category.id,
            name: category.name.clone(),
            icon_url: category.icon.as_ref().map(ImageHash::url),
            icon: category.icon.as_ref().map(Widths::from),
            product_count: category.product_count,
            children: children(all, Some(category.id)),
        })
        .collect()
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    id: ProductId,
    name: String,
    subtitle: String,
    cover_url: Option<String>,
    cover: Option<Widths>,
    price_fen: Fen,
    max_price_fen: Fen,
    market_price_fen: Option<Fen>,
    sold_count: i64,
    sold_out: bool,
}

impl From<&lists::Item> for Summary {
    fn from(item: &lists::Item) -> Summary {
        Summary {
            id: item.id,
            name: item.name.clone(),
            subtitle: item.subtitle.clone(),
            cover_url: item.cover.as_ref().map(ImageHash::url),
            cover: item.cover.as_ref().map(Widths::from),
            price_fen: item.price,
            max_price_fen: item.max_price,
            market_price_fen: item.market_price,
            sold_count: item.sold_count,
            sold_out: item.available() < 1,
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    #[serde(flatten)]
    summary: Summary,
    category_id: Option<CategoryId>,
    images: Vec<String>,
    /// The same pictures in every width.
    pictures: Vec<Widths>,
    detail_html: String,
    specs: Vec<Spec>,
    skus: Vec<SkuItem>,
}

#[derive(Serialize)]
struct Spec {
    name: String,
    values: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SkuItem {
    id: SkuId,
    specs: Map<String, Value>,
    price_fen: Fen,
    market_price_fen: Option<Fen>,
    available: i64,
    image_url: Option<String>,
    image: Option<Widths>,
    limit_per_order: Option<i64>,
    delivery: Delivery,
    delivery_text: &'static str,
}

impl Detail {
    /// `limit` is the shop's own, for what has none.
    fn new(product: &Product, limit: Option<i64>) -> Detail {
        let enabled = || product.skus.iter().filter(|sku| sku.enabled);
        let mut specs: Vec<Spec> = Vec::new();
        for (name, value) in enabled().flat_map(|sku| &sku.specs) {
            match specs.iter_mut().find(|spec| &spec.name == name) {
                None => specs.push(Spec { name: name.clone(), values: vec![value.clone()] }),
                Some(spec) if !spec.values.contains(value) => spec.values.push(value.clone()),
                Some(_) => {}
            }
        }
        let summary = Summary {
            id: product.id,
            name: product.name.clone(),
            subtitle: product.subtitle.clone(),
            cover_url: product.images.first().map(ImageHash::url),
            cover: product.images.first().map(Widths::from),
            price_fen: product.price,
            max_price_fen: product.max_price,
            market_price_fen: product.market_price,
            sold_count: product.sold_count,
            sold_out: product.is_sold_out(),
        };
        Detail {
            summary,
            category_id: product.category_id,
            images: product.images.iter().map(ImageHash::url).collect(),
            pictures: product.images.iter().map(Widths::from).collect(),
            detail_html: detail_html(&product.detail),
            specs,
            skus: enabled()
                .map(|sku| SkuItem {
                    id: sku.id,
                    specs: sku.specs.iter().map(|(n, v)| (n.clone(), Value::from(v.clone()))).collect(),
                    price_fen: sku.price,
                    market_price_fen: sku.market_price,
                    available: sku.available().clamp(0, super::stock::SHOWN_AT_MOST),
                    image_url: sku.image.as_ref().map(ImageHash::url),
                    image: sku.image.as_ref().map(Widths::from),
                    limit_per_order: sku.limit_per_order.or(limit).into_iter().chain(product.limit_per_buyer).min(),
                    delivery: sku.delivery,
                    delivery_text: sku.delivery.text(),
                })
                .collect(),
        }
    }
}
