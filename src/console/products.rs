//! Products for staff: what is on the shelf, and one form for everything about one of them.

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt;

use super::{frame, words};
use crate::catalogue::media::Picture;
use crate::catalogue::store::{self, Draft, Listing, Shelf, SkuDraft, Sort};
use crate::catalogue::{Category, Delivery, Product, import, stock};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::{CategoryId, ImageHash, ProductId};
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};

const PAGE: i64 = 20;
const MOST_IMAGES: usize = 9;
const BLANK_SKUS: usize = 3;

pub fn routes() -> Vec<Route> {
    routes![list, blank, edit, create, update, shelf]
}

#[get("/products?<tab>&<q>&<after>", rank = 2)]
async fn list(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    tab: Option<&str>,
    q: Option<&str>,
    after: Option<i64>,
) -> Result<Template> {
    let tab = tab.unwrap_or("on");
    let listing = Listing {
        shelf: match tab {
            "off" => Shelf::Off,
            "sold_out" => Shelf::SoldOut,
            _ => Shelf::On,
        },
        words: q.unwrap_or_default().split_whitespace().take(5).map(str::to_owned).collect(),
        sort: Sort::Newest,
        after: after.map(|id| [id, id]),
        limit: PAGE + 1,
        ..Listing::default()
    };
    let read =
        move |conn: &rusqlite::Connection| Ok::<_, Error>((store::list(conn, &listing)?, store::shelf_counts(conn)?));
    let (mut items, counts) = shop.db.read(read).await?;
    let more = items.len() as i64 > PAGE;
    items.truncate(PAGE as usize);
    let tabs = [("on", "出售中", counts[0]), ("off", "已下架", counts[1]), ("sold_out", "售罄", counts[2])];
    let context = context! {
        frame: frame(shop, &staff.0, "products", flash).await?,
        tabs, tab, q: q.unwrap_or_default(),
        may_edit: staff.0.role >= Role::Manager,
        next: items.last().filter(|_| more).map(|item| item.id.0),
        later: after.is_some(),
        items: items.iter().map(|item| json!({
            "id": item.id, "name": item.name, "subtitle": item.subtitle, "category": item.category,
            "cover": item.cover.as_ref().map(ImageHash::url), "sold": item.sold_count, "on_shelf": item.on_shelf,
            "price": if item.price == item.max_price { format!("¥{}", item.price) } else { format!("¥{}–{}", item.price, item.max_price) },
            "available": item.available(), "on_hand": item.on_hand, "reserved": item.reserved,
        })).collect::<Vec<_>>(),
    };
    Ok(Template::render("console/products.html", context))
}

#[get("/products/new", rank = 1)]
async fn blank(shop: &State<Shop>, staff: Manager, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    form_page(shop, &staff.0, flash, None).await
}

#[get("/products/<id>", rank = 2)]
async fn edit(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: &str) -> Result<Template> {
    let id: ProductId = id.parse().map_err(|_| Code::NotFound)?;
    let found = shop.db.read(move |conn| Ok::<_, Error>(store::product(conn, id)?)).await?;
    form_page(shop, &staff.0, flash, Some(found.ok_or(Code::NotFound)?)).await
}

async fn form_page(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    product: Option<Product>,
) -> Result<Template> {
    let categories = shop.db.read(|conn| Ok::<_, Error>(store::categories(conn)?)).await?;
    let skus: Vec<Value> = product.iter().flat_map(|p| &p.skus).map(sku_row).collect();
    let blank = json!({ "specs": "", "code": "", "price": "", "market": "", "on_hand": 0, "reserved": 0, "limit": "",
        "delivery": "express", "enabled": true, "known": false });
    let blanks = if skus.is_empty() { BLANK_SKUS + 1 } else { BLANK_SKUS };
    let rows: Vec<Value> = skus.into_iter().chain(std::iter::repeat_n(blank, blanks)).collect();
    let context = context! {
        frame: frame(shop, staff, "products", flash).await?,
        may_edit: staff.role >= Role::Manager,
        categories: category_options(&categories),
        deliveries: Delivery::ALL.iter().map(|d| (d.word(), d.text())).collect::<Vec<_>>(),
        rows,
        product: product.map(|p| json!({
            "id": p.id, "name": p.name, "subtitle": p.subtitle, "detail": p.detail, "on_shelf": p.on_shelf,
            "version": p.version, "category": p.category_id, "sold": p.sold_count,
            "images": p.images.iter().map(|hash| json!({ "hash": hash, "url": hash.url() })).collect::<Vec<_>>(),
        })),
    };
    Ok(Template::render("console/product.html", context))
}

fn sku_row(sku: &crate::catalogue::Sku) -> Value {
    let specs: Vec<String> = sku.specs.iter().map(|(name, value)| format!("{name}:{value}")).collect();
    let plain = |fen: Fen| fen.to_string().replace(',', "");
    json!({
        "specs": specs.join(";"), "code": sku.sku_code, "price": plain(sku.price), "market": sku.market_price.map(plain),
        "on_hand": sku.on_hand, "reserved": sku.reserved, "limit": sku.limit_per_order, "delivery": sku.delivery,
        "enabled": sku.enabled, "known": true,
    })
}

fn category_options(all: &[Category]) -> Vec<Value> {
    let name = |category: &Category| match category.parent_id.and_then(|id| all.iter().find(|c| c.id == id)) {
        Some(parent) => format!("{} / {}", parent.name, category.name),
        None => category.name.clone(),
    };
    all.iter().map(|category| json!({ "id": category.id, "name": name(category) })).collect()
}

#[derive(FromForm)]
struct ProductForm<'r> {
    #[field(default = 0)]
    version: i64,
    name: String,
    #[field(default = String::new())]
    subtitle: String,
    #[field(default = String::new())]
    detail: String,
    #[field(default = String::new())]
    category: String,
    #[field(default = String::new())]
    new_category: String,
    #[field(default = false)]
    on_shelf: bool,
    /// Hashes of the pictures that stay.
    keep: Vec<String>,
    images: Vec<TempFile<'r>>,
    skus: Vec<SkuForm>,
    #[field(default = String::new())]
    reason: String,
}

#[derive(FromForm, Clone)]
struct SkuForm {
    #[field(default = String::new())]
    specs: String,
    #[field(default = String::new())]
    code: String,
    #[field(default = String::new())]
    price: String,
    #[field(default = String::new())]
    market: String,
    #[field(default = String::new())]
    on_hand: String,
    /// What the page showed: orders may have shipped since, so the difference is what staff meant.
    #[field(default = 0)]
    was: i64,
    #[field(default = String::new())]
    limit: String,
    #[field(default = String::from("express"))]
    delivery: String,
    #[field(default = false)]
    enabled: bool,
    #[field(default = false)]
    known: bool,
}

impl SkuForm {
    fn is_blank(&self) -> bool {
        !self.known && self.price.trim().is_empty() && self.specs.trim().is_empty() && self.code.trim().is_empty()
    }

    /// The SKU, and by how much its stock is to change.
    fn check(&self, line: usize) -> std::result::Result<(SkuDraft, i64), String> {
        let at = |problem: &str| format!("第 {line} 个规格：{problem}");
        let text = |value: &str| Some(value.trim().to_owned()).filter(|v| !v.is_empty());
        let specs = import::specs(&self.specs).map_err(|problem| at(&problem))?;
        let price = Fen::from_yuan(&self.price).ok_or_else(|| at("售价请填金额，例如 19.90"))?;
        let market_price = match text(&self.market) {
            None => None,
            Some(text) => Some(Fen::from_yuan(&text).ok_or_else(|| at("划线价请填金额，例如 29.90"))?),
        };
        let limit_per_order = match text(&self.limit) {
            None => None,
            Some(text) => Some(
                text.parse().ok().filter(|n| (1..=999).contains(n)).ok_or_else(|| at("限购请填 1 到 999，或留空"))?,
            ),
        };
        let on_hand: i64 = match self.on_hand.trim() {
            "" => self.was,
            text => {
                text.parse().ok().filter(|n| (0..=10_000_000).contains(n)).ok_or_else(|| at("库存请填 0 或正整数"))?
            }
        };
        let delivery = self.delivery.parse().map_err(|()| at("配送方式不对"))?;
        let draft = SkuDraft {
            specs,
            sku_code: text(&self.code),
            price,
            market_price,
            limit_per_order,
            delivery,
            enabled: self.enabled,
        };
        Ok((draft, on_hand - self.was))
    }
}

/// A checked form, ready to be written.
struct Change {
    version: i64,
    draft: Draft,
    new_category: Option<String>,
    keep: Vec<ImageHash>,
    pictures: Vec<Picture>,
    skus: Vec<(SkuDraft, i64)>,
    reason: String,
}

async fn check(form: ProductForm<'_>) -> Result<Change> {
    let mut error = Error::from(Code::ValidationFailed);
    let mut wrong = |field: &str, problem: &str| drop(error.fields.insert(field.into(), problem.into()));
    let name = form.name.trim().to_owned();
    if !(1..=60).contains(&name.chars().count()) {
        wrong("name", "商品名称应为 1 到 60 个字");
    }
    if form.subtitle.chars().count() > 100 {
        wrong("subtitle", "卖点最多 100 个字");
    }
    if form.detail.chars().count() > 10_000 {
        wrong("detail", "详情最多 10000 个字");
    }
    let category_id = match form.category.trim() {
        "" => None,
        id => id.parse::<CategoryId>().ok(),
    };
    let new_category = Some(form.new_category.trim().to_owned()).filter(|name| !name.is_empty());
    if new_category.as_ref().is_some_and(|name| name.chars().count() > 20) {
        wrong("category", "分类名最多 20 个字");
    }
    let mut skus: Vec<(SkuDraft, i64)> = Vec::new();
    for (i, sku) in form.skus.iter().enumerate().filter(|(_, sku)| !sku.is_blank()) {
        match sku.check(i + 1) {
            Ok((draft, _)) if skus.iter().any(|(known, _)| known.specs == draft.specs) => {
                wrong("skus", &format!("第 {} 个规格与前面的重复", i + 1));
            }
            Ok(read) => skus.push(read),
            Err(problem) => wrong("skus", &problem),
        }
    }
    if skus.is_empty() {
        wrong("skus", "至少填一个规格的售价（没有规格的商品，规格一栏留空）");
    }
    let mut pictures = Vec::new();
    for file in form.images.iter().filter(|file| file.len() > 0) {
        let mut bytes = Vec::new();
        let read = match file.open().await {
            Ok(mut open) => open.read_to_end(&mut bytes).await.is_ok(),
            Err(_) => false,
        };
        let made = tokio::task::spawn_blocking(move || Picture::read(&bytes)).await.map_err(|_| Code::Internal)?;
        match made {
            Ok(picture) if read => pictures.push(picture),
            Ok(_) => wrong("images", "图片没有传完整，请重新选择"),
            Err(e) => wrong("images", &e.message()),
        }
    }
    let keep: Vec<ImageHash> = form.keep.iter().filter_map(|hash| hash.parse().ok()).collect();
    if keep.len() + pictures.len() > MOST_IMAGES {
        wrong("images", "图片最多 9 张");
    }
    if !error.fields.is_empty() {
        return Err(error);
    }
    let detail = form.detail.replace("\r\n", "\n").trim().to_owned();
    let draft = Draft { category_id, name, subtitle: form.subtitle.trim().to_owned(), detail, on_shelf: form.on_shelf };
    let reason = if form.reason.trim().is_empty() { "更正".to_owned() } else { form.reason.trim().to_owned() };
    Ok(Change { version: form.version, draft, new_category, keep, pictures, skus, reason })
}

#[post("/products", data = "<form>")]
async fn create(shop: &State<Shop>, staff: Manager, form: Form<ProductForm<'_>>) -> Flash<Redirect> {
    let saved = match check(form.into_inner()).await {
        Ok(change) => save(shop, staff.0, None, change).await,
        Err(e) => Err(e),
    };
    match saved {
        Ok(id) => Flash::success(Redirect::to(format!("/admin/products/{id}")), "商品已保存"),
        Err(e) => Flash::error(Redirect::to("/admin/products/new"), words(&e)),
    }
}

#[post("/products/<id>", data = "<form>")]
async fn update(shop: &State<Shop>, staff: Manager, id: &str, form: Form<ProductForm<'_>>) -> Result<Flash<Redirect>> {
    let id: ProductId = id.parse().map_err(|_| Code::NotFound)?;
    let to = Redirect::to(format!("/admin/products/{id}"));
    let saved = match check(form.into_inner()).await {
        Ok(change) => save(shop, staff.0, Some(id), change).await,
        Err(e) => Err(e),
    };
    Ok(match saved {
        Ok(_) => Flash::success(to, "已保存"),
        Err(e) => Flash::error(to, words(&e)),
    })
}

async fn save(shop: &Shop, staff: Staff, id: Option<ProductId>, change: Change) -> Result<ProductId> {
    let now = shop.now();
    shop.db.write(move |tx| write(tx, &staff, id, change, now)).await
}

fn write(tx: &Tx, staff: &Staff, id: Option<ProductId>, change: Change, now: i64) -> Result<ProductId> {
    let Change { version, mut draft, new_category, keep, pictures, skus, reason } = change;
    if let Some(name) = new_category {
        draft.category_id = Some(store::category_named(tx, None, &name)?);
    }
    if store::product_named(tx, &draft.name)?.is_some_and(|other| Some(other) != id) {
        return Err(Error::field("name", format!("已经有商品叫「{}」，请换一个名称", draft.name)));
    }
    let id = match id {
        None => store::insert_product(tx, &draft, now)?,
        Some(id) => {
            if !store::update_product(tx, id, version, &draft, now)? {
                return Err(Error::field(
                    "version",
                    "同事刚刚修改过这个商品，您的改动没有保存。请在刷新后的页面上再改一次",
                ));
            }
            id
        }
    };
    for picture in &pictures {
        picture.store(tx, now)?;
    }
    let mut images = Vec::new();
    for hash in keep {
        if store::image_exists(tx, &hash)? {
            images.push(hash);
        }
    }
    images.extend(pictures.into_iter().map(|picture| picture.hash));
    images.dedup();
    store::set_images(tx, id, &images)?;
    let known = store::product(tx, id)?.ok_or(Code::NotFound)?;
    for (sku, delta) in &skus {
        let sku_id =
            store::put_sku(tx, id, sku).map_err(|_| Error::field("skus", "商家编码已被其他商品使用，请换一个"))?;
        let on_hand = known.skus.iter().find(|k| k.id == sku_id).map_or(0, |k| k.on_hand) + delta;
        if !stock::adjust(tx, sku_id, on_hand, Some(staff.id), &reason, now)? {
            return Err(Error::field("skus", "库存不能少于已被订单占用的数量"));
        }
    }
    // A SKU that left the form is switched off; orders still point at it.
    for gone in known.skus.iter().filter(|k| skus.iter().all(|(sku, _)| sku.specs != k.specs)) {
        store::disable_sku(tx, gone.id)?;
    }
    store::refresh_prices(tx, id)?;
    audit(tx, staff, &format!("保存商品「{}」", draft.name), now)?;
    Ok(id)
}

#[derive(FromForm)]
struct ShelfForm {
    on: bool,
    #[field(default = String::from("on"))]
    tab: String,
}

#[post("/products/<id>/shelf", data = "<form>")]
async fn shelf(shop: &State<Shop>, staff: Manager, id: &str, form: Form<ShelfForm>) -> Result<Flash<Redirect>> {
    let id: ProductId = id.parse().map_err(|_| Code::NotFound)?;
    let (on, now) = (form.on, shop.now());
    let words = if on { "已上架" } else { "已下架" };
    let write = move |tx: &Tx| {
        let product = store::product(tx, id)?.ok_or(Code::NotFound)?;
        store::set_shelf(tx, id, on, now)?;
        Ok::<_, Error>(audit(tx, &staff.0, &format!("{words}商品「{}」", product.name), now)?)
    };
    shop.db.write(write).await?;
    let tab = if ["on", "off", "sold_out"].contains(&form.tab.as_str()) { form.tab.as_str() } else { "on" };
    Ok(Flash::success(Redirect::to(format!("/admin/products?tab={tab}")), words))
}
