//! One product for staff: everything about it in one form, from which nothing that was typed gets lost.

use std::collections::BTreeMap;

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::http::Status;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::serde::json::Json;
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;
use serde_json::Value;

use super::{CategoryOption, category_options};
use crate::assets;
use crate::catalogue::media::Picture;
use crate::catalogue::rules;
use crate::catalogue::store::{self, Draft, SkuDraft};
use crate::catalogue::{Category, Delivery, Product, ShelfTimes, import, same_spec_names, same_specs, stock};
use crate::clock;
use crate::console::{Frame, framed, message, upload, waiting};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::freight::{Template as Freight, store as templates};
use crate::ids::{CategoryId, FreightId, ImageHash, ProductId};
use crate::jobs::{self, Task};
use crate::money::Fen;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};

const BLANK_SKUS: usize = 3;

pub fn routes() -> Vec<Route> {
    routes![blank, edit, create, update, picture]
}

/// An empty form, or one that begins as a copy of another product.
#[get("/products/new?<copy>", rank = 1)]
async fn blank(
    shop: &State<Shop>,
    staff: Manager,
    flash: Option<FlashMessage<'_>>,
    copy: Option<&str>,
) -> Result<Template> {
    let filled = match copy {
        Some(id) => Filled::copy_of(&find(shop, id.parse().map_err(|_| Code::NotFound)?).await?),
        None => Filled::default(),
    };
    page(shop, &staff.0, flash, None, &filled, Refused::default()).await
}

#[get("/products/<id>", rank = 2)]
async fn edit(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: ProductId) -> Result<Template> {
    let product = find(shop, id).await?;
    page(shop, &staff.0, flash, Some(id), &Filled::of(&product), Refused::default()).await
}

pub async fn find(shop: &Shop, id: ProductId) -> Result<Product> {
    let found = shop.read(move |conn| Ok(store::product(conn, id)?)).await?;
    found.ok_or_else(|| Code::NotFound.into())
}

/// A field, and what it says here and there.
type Difference = (String, String, String);

/// What stands in the form: the product as it is, or as somebody typed it.
#[derive(Clone, Default, Serialize)]
struct Filled {
    version: i64,
    name: String,
    subtitle: String,
    detail: String,
    category: String,
    new_category: String,
    on_shelf: bool,
    on_at: String,
    off_at: String,
    limit: String,
    freight: String,
    #[serde(skip)]
    images: Vec<ImageHash>,
    /// The pictures that the product had when the form was made.
    had: Vec<ImageHash>,
    #[serde(skip)]
    skus: Vec<SkuForm>,
    reason: String,
}

impl Filled {
    fn of(product: &Product) -> Filled {
        let sku = |sku: &crate::catalogue::Sku| SkuForm {
            specs: import::written(&sku.specs),
            code: sku.sku_code.clone().unwrap_or_default(),
            price: sku.price.plain(),
            market: sku.market_price.map(Fen::plain).unwrap_or_default(),
            on_hand: sku.on_hand.to_string(),
            was: sku.on_hand,
            limit: sku.limit_per_order.map(|n| n.to_string()).unwrap_or_default(),
            barcode: Some(sku.barcode.clone().unwrap_or_default()),
            image: Some(sku.image.as_ref().map(ToString::to_string).unwrap_or_default()),
            delivery: sku.delivery.word().to_owned(),
            weight: if sku.weight == 0 { String::new() } else { sku.weight.to_string() },
            cost: Some(sku.cost.map(Fen::plain).unwrap_or_default()),
            enabled: sku.enabled,
            known: true,
        };
        Filled {
            version: product.version,
            name: product.name.clone(),
            subtitle: product.subtitle.clone(),
            detail: product.detail.clone(),
            category: product.category_id.map(|id| id.to_string()).unwrap_or_default(),
            new_category: String::new(),
            on_shelf: product.on_shelf,
            on_at: product.shelf_times.on_at.map(clock::field).unwrap_or_default(),
            off_at: product.shelf_times.off_at.map(clock::field).unwrap_or_default(),
            limit: product.limit_per_buyer.map(|n| n.to_string()).unwrap_or_default(),
            freight: product.freight.map(|id| id.to_string()).unwrap_or_default(),
            images: product.images.clone(),
            had: product.images.clone(),
            skus: product.skus.iter().map(sku).collect(),
            reason: String::new(),
        }
    }

    /// All but what is this product's alone: its name, its times, its codes and barcodes, and its stock. It goes on the shelf when it
    /// is ready.
    fn copy_of(product: &Product) -> Filled {
        let (on_at, off_at) = Default::default();
        let mut filled = Filled { version: 0, on_shelf: false, on_at, off_at, ..Filled::of(product) };
        filled.name = format!("{}（副本）", filled.name.chars().take(56).collect::<String>());
        for sku in &mut filled.skus {
            *sku = SkuForm {
                code: String::new(),
                barcode: None,
                on_hand: String::new(),
                was: 0,
                known: false,
                ..sku.clone()
            };
        }
        filled
    }

    /// What this and another version say differently: the field, here, there.
    fn differences(&self, other: &Filled, categories: &[Category], freights: &[Freight]) -> Vec<Difference> {
        let category = |id: &str| {
            categories.iter().find(|c| c.id.to_string() == id).map_or("未分类".to_owned(), |c| c.name.clone())
        };
        let freight = |id: &str| {
            let found = freights.iter().find(|template| template.id.to_string() == id);
            found.map_or("默认".to_owned(), |template| template.terms.name.clone())
        };
        let shelf = |on: bool| if on { "上架" } else { "下架" }.to_owned();
        let mut all = vec![
            ("名称".to_owned(), self.name.clone(), other.name.clone()),
            ("卖点".into(), self.subtitle.clone(), other.subtitle.clone()),
            ("分类".into(), category(&self.category), category(&other.category)),
            ("详情".into(), self.detail.clone(), other.detail.clone()),
            ("出售".into(), shelf(self.on_shelf), shelf(other.on_shelf)),
            ("上架时间".into(), self.on_at.replace('T', " "), other.on_at.replace('T', " ")),
            ("下架时间".into(), self.off_at.replace('T', " "), other.off_at.replace('T', " ")),
            ("每人限购".into(), self.limit.clone(), other.limit.clone()),
            ("运费".into(), freight(&self.freight), freight(&other.freight)),
            ("图片".into(), count(&self.images), pictures(&self.images, &other.images)),
        ];
        let title = |sku: &SkuForm| if sku.specs.is_empty() { "价格".to_owned() } else { sku.specs.clone() };
        let of = |all: &'_ [SkuForm], one: &SkuForm| all.iter().find(|sku| sku.specs == one.specs).map(SkuForm::text);
        for sku in &self.skus {
            all.push((title(sku), sku.text(), of(&other.skus, sku).unwrap_or_default()));
        }
        for sku in other.skus.iter().filter(|sku| of(&self.skus, sku).is_none()) {
            all.push((title(sku), String::new(), sku.text()));
        }
        all.retain(|(_, here, there)| here != there);
        all
    }

    /// A colleague has saved meanwhile: his pictures take the place of those that nobody touched here, and what he added to others
    /// stands behind them. Whether these are others by that.
    fn take_in(&mut self, now: &[ImageHash]) -> bool {
        let before = self.images.clone();
        if self.images == self.had {
            self.images = now.to_vec();
        } else {
            let added = now.iter().filter(|hash| !self.had.contains(hash) && !before.contains(hash));
            self.images.extend(added.cloned());
        }
        self.had = now.to_vec();
        self.images != before
    }
}

fn count(pictures: &[ImageHash]) -> String {
    format!("{} 张", pictures.len())
}

/// Pictures beside others: how many, and what is different.
fn pictures(here: &[ImageHash], there: &[ImageHash]) -> String {
    let only = |one: &[ImageHash], other: &[ImageHash]| one.iter().filter(|hash| !other.contains(hash)).count();
    let differs = match (only(there, here), only(here, there)) {
        (0, 0) if here == there => String::new(),
        (0, 0) => "，先后不同".to_owned(),
        (more, 0) => format!("，多了 {more} 张"),
        (0, less) => format!("，少了 {less} 张"),
        (more, less) => format!("，多了 {more} 张，少了 {less} 张"),
    };
    format!("{}{differs}", count(there))
}

/// Everything that the page of one product shows.
#[derive(Serialize)]
struct ProductPage<'f> {
    frame: Frame,
    id: Option<ProductId>,
    title: Option<String>,
    sold: Option<i64>,
    may_edit: bool,
    deleted: bool,
    /// What is wrong with what was typed: in one sentence, and by field.
    problem: Option<String>,
    wrong: BTreeMap<String, String>,
    /// What a colleague saved meanwhile.
    theirs: Vec<Difference>,
    product: &'f Filled,
    most_pictures: usize,
    /// Of one file, in MiB.
    most_mib: u64,
    on_shelf: bool,
    images: Vec<PictureShown>,
    rows: Vec<SkuShown>,
    /// What goods cost is told to who sets their price.
    sees_cost: bool,
    categories: Vec<CategoryOption>,
    /// Templates by number and name.
    freights: Vec<(String, String)>,
    deliveries: Vec<(&'static str, &'static str)>,
    reasons: [&'static str; 4],
}

#[derive(Serialize)]
struct PictureShown {
    hash: ImageHash,
    url: String,
}

/// A row of the table of SKUs.
#[derive(Serialize)]
struct SkuShown {
    #[serde(flatten)]
    sku: SkuForm,
    /// Where its picture is.
    url: Option<String>,
    reserved: i64,
    /// What is wrong, by field.
    wrong: BTreeMap<String, String>,
}

/// The fields that say beside themselves what is wrong with them: of a product, and of each SKU.
const FIELDS: [&str; 9] = ["category", "detail", "freight", "images", "limit", "name", "off_at", "on_at", "subtitle"];
const SKU_FIELDS: [&str; 9] = ["barcode", "code", "cost", "limit", "market", "on_hand", "price", "specs", "weight"];

/// What is wrong, with nothing said of every other field.
fn by_name(mut wrong: BTreeMap<String, String>, fields: &[&str]) -> BTreeMap<String, String> {
    for name in fields {
        wrong.entry((*name).to_owned()).or_default();
    }
    wrong
}

/// What is wrong with a form, and what a colleague saved meanwhile.
#[derive(Default)]
struct Refused {
    problem: Option<String>,
    fields: BTreeMap<String, String>,
    theirs: Vec<Difference>,
}

impl Refused {
    fn by(error: &Error, theirs: Vec<Difference>) -> Refused {
        let field = |(name, problem): (&String, &Value)| Some((name.clone(), problem.as_str()?.to_owned()));
        let fields: BTreeMap<String, String> = error.fields.iter().filter_map(field).collect();
        Refused { problem: Some(message(error)), fields, theirs }
    }

    /// What is wrong with the i-th SKU, by field and without saying again which it is.
    fn of_sku(&self, i: usize, specs: &str) -> BTreeMap<String, String> {
        let (cell, at) = (cell(i, ""), at(i, specs, ""));
        let own = self.fields.iter().filter_map(|(name, problem)| Some((name.strip_prefix(&cell)?, problem)));
        by_name(own.map(|(name, problem)| (name.to_owned(), problem.replacen(&at, "", 1))).collect(), &SKU_FIELDS)
    }
}

async fn page(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    id: Option<ProductId>,
    filled: &Filled,
    refused: Refused,
) -> Result<Template> {
    let read = move |conn: &rusqlite::Connection| {
        let product = id.map(|id| store::product(conn, id)).transpose()?.flatten();
        Ok((waiting(conn)?, product, store::categories(conn)?, templates::all(conn)?))
    };
    let (waiting, product, categories, freights) = shop.read(read).await?;
    let sees_cost = staff.role >= Role::Manager;
    let page = ProductPage {
        most_pictures: rules::MOST_IMAGES,
        most_mib: upload::MOST_MIB,
        frame: framed(shop, staff, "products", flash, waiting),
        id,
        title: product.as_ref().map(|p| p.name.clone()),
        sold: product.as_ref().map(|p| p.sold_count),
        may_edit: staff.role >= Role::Manager && !product.as_ref().is_some_and(|p| p.deleted),
        deleted: product.as_ref().is_some_and(|p| p.deleted),
        product: filled,
        on_shelf: filled.on_shelf || (id.is_none() && filled.name.is_empty()),
        images: filled.images.iter().map(|hash| PictureShown { hash: hash.clone(), url: hash.url() }).collect(),
        rows: rows(filled, product.as_ref(), &refused, sees_cost),
        sees_cost,
        categories: category_options(&categories),
        freights: freights.into_iter().map(|template| (template.id.to_string(), template.terms.name)).collect(),
        deliveries: Delivery::ALL.iter().map(|d| (d.word(), d.text())).collect(),
        reasons: super::stock::REASONS,
        problem: refused.problem,
        wrong: by_name(refused.fields, &FIELDS),
        theirs: refused.theirs,
    };
    Ok(assets::page("console/product.html", page))
}

/// The SKUs of the form, and blank ones for more.
fn rows(filled: &Filled, product: Option<&Product>, refused: &Refused, sees_cost: bool) -> Vec<SkuShown> {
    let reserved = |sku: &SkuForm| {
        let known = product.filter(|_| sku.known).into_iter().flat_map(|p| &p.skus);
        known.into_iter().find(|known| import::written(&known.specs) == sku.specs).map_or(0, |known| known.reserved)
    };
    let blank = SkuForm { delivery: Delivery::Express.word().into(), enabled: true, ..SkuForm::default() };
    let blanks = if filled.skus.is_empty() { BLANK_SKUS + 1 } else { BLANK_SKUS };
    let all = filled.skus.iter().cloned().chain(std::iter::repeat_n(blank, blanks));
    let shown = |(i, mut sku): (usize, SkuForm)| {
        if !sees_cost {
            sku.cost = None;
        }
        let url = sku.image.as_deref().and_then(|hash| hash.parse::<ImageHash>().ok()).map(|hash| hash.url());
        SkuShown { url, reserved: reserved(&sku), wrong: refused.of_sku(i, &sku.specs), sku }
    };
    all.enumerate().map(shown).collect()
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
    #[field(default = String::new())]
    on_at: String,
    #[field(default = String::new())]
    off_at: String,
    #[field(default = String::new())]
    limit: String,
    /// A template's number; empty for the shop's own rule.
    #[field(default = String::new())]
    freight: String,
    /// Hashes of the pictures that stay.
    keep: Vec<String>,
    /// And of those that stood there when the form was made.
    had: Vec<String>,
    images: Vec<TempFile<'r>>,
    skus: Vec<SkuForm>,
    #[field(default = String::new())]
    reason: String,
}

#[derive(FromForm, Clone, Default, Serialize)]
struct SkuForm {
    #[field(default = String::new())]
    specs: String,
    #[field(default = String::new())]
    code: String,
    #[field(default = String::new())]
    price: String,
    #[field(default = String::new())]
    market: String,
    /// Like its picture and its cost left as it is by a form that does not say.
    barcode: Option<String>,
    /// The hash of its picture.
    image: Option<String>,
    #[field(default = String::new())]
    on_hand: String,
    /// What the page showed: orders may have shipped since, so the difference is what staff meant.
    #[field(default = 0)]
    was: i64,
    #[field(default = String::new())]
    limit: String,
    /// A form that does not say leaves it as it is.
    cost: Option<String>,
    #[field(default = String::from("express"))]
    delivery: String,
    /// In grams.
    #[field(default = String::new())]
    weight: String,
    #[field(default = false)]
    enabled: bool,
    #[field(default = false)]
    known: bool,
}

impl SkuForm {
    /// Without its stock, which has a history of its own.
    fn text(&self) -> String {
        let market = if self.market.is_empty() { String::new() } else { format!("（划线 {}）", self.market) };
        let limit = if self.limit.is_empty() { String::new() } else { format!(" 限购 {}", self.limit) };
        let said = |name: &str, field: &Option<String>| {
            field.iter().filter(|text| !text.is_empty()).map(|text| format!(" {name} {text}")).collect::<String>()
        };
        let (barcode, cost) = (said("条码", &self.barcode), said("成本", &self.cost));
        // Which picture it is, its mark tells.
        let mark = self.image.as_deref().and_then(|hash| hash.get(..4));
        let image = mark.map(|mark| format!(" 图 {mark}")).unwrap_or_default();
        let delivery = self.delivery.parse().ok().filter(|way| *way != Delivery::Express);
        let delivery = delivery.map(|way: Delivery| format!(" {}", way.text())).unwrap_or_default();
        let enabled = if self.enabled { "" } else { " 停售" };
        let weight = if self.weight.is_empty() { String::new() } else { format!(" {} 克", self.weight) };
        format!("¥{}{market}{cost} {}{barcode}{limit}{weight}{delivery}{image}{enabled}", self.price, self.code)
    }

    fn is_blank(&self) -> bool {
        !self.known && self.price.trim().is_empty() && self.specs.trim().is_empty() && self.code.trim().is_empty()
    }

    /// The SKU, or every field of it that is wrong, and why.
    fn check(&self) -> std::result::Result<SkuChange, Vec<(&'static str, String)>> {
        let mut wrong = Vec::new();
        let sku_code = kept(&mut wrong, "code", rules::code(&self.code));
        let specs = kept(&mut wrong, "specs", import::specs(&self.specs));
        let price = kept(&mut wrong, "price", rules::price(&self.price, "售价", "19.90"));
        let market_price = match self.market.trim() {
            "" => None,
            text => Some(kept(&mut wrong, "market", rules::price(text, "划线价", "29.90"))),
        };
        let limit_per_order = kept(&mut wrong, "limit", rules::purchase_limit(&self.limit));
        let on_hand = match self.on_hand.trim() {
            "" => self.was,
            text => kept(&mut wrong, "on_hand", rules::stock(text)),
        };
        let weight = kept(&mut wrong, "weight", rules::weight(&self.weight));
        let barcode = self.barcode.as_deref().map(|text| kept(&mut wrong, "barcode", rules::barcode(text)));
        let cost = self.cost.as_deref().map(|text| kept(&mut wrong, "cost", rules::cost(text)));
        let delivery = self.delivery.parse().map_err(|()| "配送方式不对".to_owned());
        let Ok(delivery) = delivery.map_err(|problem| wrong.push(("delivery", problem))) else { return Err(wrong) };
        if !wrong.is_empty() {
            return Err(wrong);
        }
        let enabled = self.enabled;
        let draft = SkuDraft { specs, sku_code, price, market_price, limit_per_order, delivery, weight, enabled };
        let image = self.image.as_deref().map(|hash| hash.parse().ok());
        Ok(SkuChange { draft, barcode, cost, image, delta: on_hand - self.was })
    }
}

/// What a rule reads; its problem is put to the others, and nothing stands in its place.
fn kept<T: Default>(
    wrong: &mut Vec<(&'static str, String)>,
    field: &'static str,
    read: std::result::Result<T, String>,
) -> T {
    read.unwrap_or_else(|problem| {
        wrong.push((field, problem));
        T::default()
    })
}

/// A SKU as it is to be, and by how much its stock is to change.
#[derive(Clone)]
struct SkuChange {
    draft: SkuDraft,
    /// Of these, none stands for what the form does not say.
    barcode: Option<Option<String>>,
    cost: Option<Option<Fen>>,
    image: Option<Option<ImageHash>>,
    delta: i64,
}

/// A checked form, ready to be written.
struct Change {
    version: i64,
    draft: Draft,
    new_category: Option<String>,
    images: Vec<ImageHash>,
    skus: Vec<SkuChange>,
    reason: String,
}

/// Reads the pictures that came along and keeps them at once, so that a mistake elsewhere in the form costs none.
async fn take_pictures(shop: &Shop, form: &mut ProductForm<'_>) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for file in form.images.iter().filter(|file| file.len() > 0) {
        match upload::heavily(shop, file, Picture::read).await.and_then(|made| made) {
            Ok(picture) => {
                form.keep.push(picture.hash.to_string());
                shop.write(move |tx| Ok(picture.store(tx)?)).await?;
            }
            Err(e) => problems.push(e.fields.values().filter_map(Value::as_str).collect::<Vec<_>>().join("；")),
        }
    }
    Ok(problems)
}

/// A picture of its own: it is kept at once, and the form only names it.
#[derive(FromForm)]
struct Upload<'r> {
    image: Vec<TempFile<'r>>,
}

/// A picture that is kept, as the form's script is told of it.
#[derive(Serialize)]
struct Kept {
    hash: ImageHash,
    url: String,
}

/// Why a picture is not kept, as the form's script is told of it.
#[derive(Serialize)]
struct NotKept {
    problem: String,
}

#[post("/products/pictures", data = "<form>")]
async fn picture(
    shop: &State<Shop>,
    _staff: Manager,
    form: Form<Upload<'_>>,
) -> std::result::Result<Json<Kept>, (Status, Json<NotKept>)> {
    let keep = async || -> Result<Kept> {
        let file = upload::only(&form.image, "image")?.ok_or_else(|| Error::field("image", "请先选一张图片"))?;
        let picture = upload::heavily(shop, file, Picture::read).await??;
        let hash = picture.hash.clone();
        shop.write(move |tx| Ok(picture.store(tx)?)).await?;
        Ok(Kept { url: hash.url(), hash })
    };
    keep().await.map(Json).map_err(|e| (e.code.status(), Json(NotKept { problem: message(&e) })))
}

/// The name of a field of the i-th SKU, as the form and its errors have it.
pub fn cell(i: usize, field: &str) -> String {
    format!("skus[{i}].{field}")
}

/// A problem of one SKU under the name that staff know it by, `红/XL：…`; goods without specs have but one.
fn at(i: usize, specs: &str, problem: &str) -> String {
    let read = import::specs(specs).unwrap_or_default();
    let values = read.iter().map(|(_, value)| value.as_str()).collect::<Vec<_>>().join("/");
    match (values.as_str(), i) {
        ("", 0) if specs.trim().is_empty() => problem.to_owned(),
        ("", _) => format!("第 {} 行：{problem}", i + 1),
        _ => format!("{values}：{problem}"),
    }
}

fn check(filled: &Filled, pictures: Vec<String>, now: i64) -> Result<Change> {
    let mut error = Error::from(Code::ValidationFailed);
    let mut wrong = |field: &str, problem: &str| drop(error.fields.insert(field.into(), problem.into()));
    let mut kept = |field: &str, read: std::result::Result<String, String>| {
        read.map_err(|problem| wrong(field, &problem)).unwrap_or_default()
    };
    let name = kept("name", rules::name(&filled.name));
    let subtitle = kept("subtitle", rules::subtitle(&filled.subtitle));
    let detail = kept("detail", rules::detail(&filled.detail));
    let category_id = match filled.category.trim() {
        "" => None,
        id => id.parse::<CategoryId>().ok(),
    };
    let new_category = match filled.new_category.trim() {
        "" => None,
        name => Some(kept("category", rules::category(name))),
    };
    let limit_per_buyer = rules::purchase_limit(&filled.limit).unwrap_or_else(|problem| {
        wrong("limit", &format!("每人{problem}"));
        None
    });
    let shelf_times = times(filled, now).unwrap_or_else(|(field, problem)| {
        wrong(field, problem);
        ShelfTimes::default()
    });
    let mut skus: Vec<SkuChange> = Vec::new();
    for (i, sku) in filled.skus.iter().enumerate() {
        match sku.check() {
            Ok(read) if skus.iter().any(|known| same_specs(&known.draft.specs, &read.draft.specs)) => {
                wrong(&cell(i, "specs"), &at(i, &sku.specs, "与前面的规格重复"));
            }
            Ok(read) => skus.push(read),
            Err(problems) => {
                problems.iter().for_each(|(field, problem)| wrong(&cell(i, field), &at(i, &sku.specs, problem)));
            }
        }
    }
    if let Some((i, problem)) = unlike_others(&filled.skus) {
        wrong(&cell(i, "specs"), &at(i, &filled.skus[i].specs, problem));
    }
    if filled.skus.is_empty() {
        wrong("skus", "至少填一个规格的售价（没有规格的商品，规格一栏留空）");
    }
    for problem in &pictures {
        wrong("images", problem);
    }
    if let Err(problem) = rules::images(filled.images.len()) {
        wrong("images", &problem);
    }
    if !error.fields.is_empty() {
        return Err(error);
    }
    // Whoever names a time for it does not want it on sale before.
    let on_shelf = filled.on_shelf && shelf_times.on_at.is_none();
    let freight = filled.freight.trim().parse::<FreightId>().ok();
    let draft = Draft { category_id, name, subtitle, detail, on_shelf, shelf_times, limit_per_buyer, freight };
    let reason = if filled.reason.trim().is_empty() { "更正".to_owned() } else { filled.reason.trim().to_owned() };
    Ok(Change { version: filled.version, draft, new_category, images: filled.images.clone(), skus, reason })
}

/// A row that buyers could not choose among the others: what is on sale has the same names of specs. Other names that stood so
/// before are left as they are.
fn unlike_others(skus: &[SkuForm]) -> Option<(usize, &'static str)> {
    let on_sale = skus.iter().enumerate().filter(|(_, sku)| sku.enabled);
    let mut read = on_sale.filter_map(|(i, sku)| Some((i, sku, import::specs(&sku.specs).ok()?)));
    let (first, known, specs) = read.next()?;
    let (i, other, others) = read.find(|(_, sku, others)| {
        let stood = sku.known && known.known && !specs.is_empty() && !others.is_empty();
        !same_spec_names(others, &specs) && !stood
    })?;
    let bare = |sku: &SkuForm| match sku.known {
        true => "有了规格，这一行就选不到了：请取消“启用”，库存另填到新规格",
        false => "别的行有规格：这一行也写上规格，或取消“启用”",
    };
    Some(match (specs.is_empty(), others.is_empty()) {
        (true, _) => (first, bare(known)),
        (_, true) => (i, bare(other)),
        _ => (i, "各行规格的名称要一致，例如都写 颜色 和 尺码"),
    })
}

/// When it goes on and off the shelf by itself, or the field that is wrong and why.
fn times(filled: &Filled, now: i64) -> std::result::Result<ShelfTimes, (&'static str, &'static str)> {
    let read = |field: &'static str, text: &str| match text.trim() {
        "" => Ok(None),
        text => clock::from_field(text).map(Some).ok_or((field, "时间请写成 2026-10-08 13:15 的样子，或留空")),
    };
    let times = ShelfTimes { on_at: read("on_at", &filled.on_at)?, off_at: read("off_at", &filled.off_at)? };
    if times.on_at.is_some_and(|at| at <= now) {
        return Err(("on_at", "上架时间已经过了；要现在上架，请留空并勾选“上架出售”"));
    }
    if times.off_at.is_some_and(|at| at <= times.on_at.unwrap_or(now)) {
        return Err(("off_at", "下架时间要晚于现在和上架时间"));
    }
    Ok(times)
}

type Saved = std::result::Result<Flash<Redirect>, (Status, Template)>;

#[post("/products", data = "<form>")]
async fn create(shop: &State<Shop>, staff: Manager, form: Form<ProductForm<'_>>) -> Result<Saved> {
    put(shop, staff.0, None, form.into_inner()).await
}

#[post("/products/<id>", data = "<form>")]
async fn update(shop: &State<Shop>, staff: Manager, id: ProductId, form: Form<ProductForm<'_>>) -> Result<Saved> {
    put(shop, staff.0, Some(id), form.into_inner()).await
}

/// Saves, or shows the form again as it was typed.
async fn put(shop: &Shop, staff: Staff, id: Option<ProductId>, mut form: ProductForm<'_>) -> Result<Saved> {
    let pictures = take_pictures(shop, &mut form).await?;
    let mut filled = Filled {
        version: form.version,
        name: form.name,
        subtitle: form.subtitle,
        detail: form.detail,
        category: form.category,
        new_category: form.new_category,
        on_shelf: form.on_shelf,
        on_at: form.on_at,
        off_at: form.off_at,
        limit: form.limit,
        freight: form.freight,
        images: form.keep.iter().filter_map(|hash| hash.parse().ok()).collect(),
        had: form.had.iter().filter_map(|hash| hash.parse().ok()).collect(),
        skus: form.skus.into_iter().filter(|sku| !sku.is_blank()).collect(),
        reason: form.reason,
    };
    let saved = match check(&filled, pictures, shop.now()) {
        Ok(change) => save(shop, staff.clone(), id, change).await,
        Err(e) => Err(e),
    };
    let error = match saved {
        Ok((id, done)) => return Ok(Ok(Flash::success(Redirect::to(format!("/admin/products/{id}")), done))),
        Err(error) => error,
    };
    let mut theirs = Vec::new();
    if let Some(id) = id.filter(|_| error.fields.contains_key("version")) {
        let now = Filled::of(&find(shop, id).await?);
        let (categories, freights) = shop.read(|conn| Ok((store::categories(conn)?, templates::all(conn)?))).await?;
        theirs = filled.differences(&now, &categories, &freights);
        if filled.take_in(&now.images)
            && let Some((_, _, there)) = theirs.iter_mut().find(|(what, _, _)| what == "图片")
        {
            there.push_str("：已经并到下面的图片里");
        }
        filled.version = now.version;
    }
    let page = page(shop, &staff, None, id, &filled, Refused::by(&error, theirs)).await?;
    Ok(Err((error.code.status(), page)))
}

/// Answers with what was saved, and the words for it.
async fn save(shop: &Shop, staff: Staff, id: Option<ProductId>, change: Change) -> Result<(ProductId, String)> {
    let done = match change.draft.shelf_times.on_at {
        Some(at) => format!("商品已保存，{} 自动上架", clock::shown_short(at)),
        None => "商品已保存".to_owned(),
    };
    let id = shop.write(move |tx| write(tx, &staff, id, &change)).await?;
    let saved = find(shop, id).await?;
    let sold_out = saved.skus.iter().filter(|sku| sku.enabled).all(|sku| sku.available() <= 0);
    let empty = if saved.on_shelf && sold_out {
        "。没有库存，买家看到的是已售罄：在库存里补上"
    } else {
        ""
    };
    Ok((id, done + empty))
}

fn write(tx: &Tx, staff: &Staff, id: Option<ProductId>, change: &Change) -> Result<ProductId> {
    let Change { version, new_category, images: chosen, skus, reason, .. } = change;
    let mut draft = change.draft.clone();
    if let Some(name) = new_category {
        draft.category_id = Some(store::category_named(tx, None, name)?);
    }
    if store::product_named(tx, &draft.name)?.is_some_and(|other| Some(other) != id) {
        return Err(Error::field("name", format!("已经有商品叫「{}」，请换一个名称", draft.name)));
    }
    if draft.freight.map(|id| templates::by_id(tx, id)).transpose()?.is_some_and(|found| found.is_none()) {
        return Err(Error::field("freight", "这个运费模板已经删掉了，请另选一个"));
    }
    let before = id.map(|id| store::product(tx, id)).transpose()?.flatten();
    let id = match id {
        None => store::insert_product(tx, &draft)?,
        Some(id) => {
            if !store::update_product(tx, id, *version, &draft)? {
                return Err(Error::field(
                    "version",
                    "同事刚刚修改过这个商品，所以还没有保存。请看下面的不同：再按一次保存，就以您填的为准",
                ));
            }
            id
        }
    };
    let mut images: Vec<ImageHash> = Vec::new();
    for hash in chosen {
        if !images.contains(hash) && store::image_exists(tx, hash)? {
            images.push(hash.clone());
        }
    }
    store::set_images(tx, id, &images)?;
    let known = store::product(tx, id)?.ok_or(Code::NotFound)?;
    for (i, SkuChange { draft, barcode, cost, image, delta }) in skus.iter().enumerate() {
        let at = |problem: &str| at(i, &import::written(&draft.specs), problem);
        let taken = |_| Error::field(cell(i, "code"), at("商家编码已被其他商品使用，请换一个"));
        let sku_id = store::put_sku(tx, id, draft).map_err(taken)?;
        if let Some(barcode) = barcode {
            store::set_barcode(tx, sku_id, barcode.as_deref())?;
        }
        if let Some(image) = image {
            store::set_sku_image(tx, sku_id, seen(tx, image.as_ref())?)?;
        }
        let on_hand = known.skus.iter().find(|k| k.id == sku_id).map_or(0, |k| k.on_hand) + delta;
        if !stock::adjust(tx, sku_id, on_hand, Some(staff.id), reason)? {
            return Err(Error::field(cell(i, "on_hand"), at("库存不能少于已被订单占用的数量")));
        }
        if let Some(cost) = cost {
            store::set_cost(tx, sku_id, *cost)?;
        }
    }
    // A SKU that left the form is switched off; orders still point at it.
    for gone in known.skus.iter().filter(|k| skus.iter().all(|sku| !same_specs(&sku.draft.specs, &k.specs))) {
        store::disable_sku(tx, gone.id)?;
    }
    store::refresh_prices(tx, id)?;
    let after = store::product(tx, id)?.ok_or(Code::NotFound)?;
    let changed = match before {
        None => String::new(),
        Some(before) => Filled::of(&before)
            .differences(&Filled::of(&after), &store::categories(tx)?, &templates::all(tx)?)
            .into_iter()
            .map(|(what, was, is)| format!("；{what}：{} → {}", brief(&was), brief(&is)))
            .collect(),
    };
    if let Some(at) = after.shelf_times.next() {
        jobs::enqueue(tx, Task::Shelf(id), at)?;
    }
    audit(tx, staff, &format!("保存商品「{}」{changed}", draft.name))?;
    Ok(id)
}

/// No picture where there is none: somebody took it away, or made its name up.
fn seen<'i>(tx: &Tx, image: Option<&'i ImageHash>) -> Result<Option<&'i ImageHash>> {
    Ok(match image {
        Some(hash) if store::image_exists(tx, hash)? => Some(hash),
        _ => None,
    })
}

/// Short enough for a log.
fn brief(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None if text.is_empty() => "（空）".into(),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a colleague made meanwhile is named: it would be switched off by who saves after him.
    #[test]
    fn two_versions_of_a_product_differ_by_the_skus_of_either() {
        let sku = |specs: &str, hash: &str, delivery: &str| SkuForm {
            specs: specs.into(),
            price: "10.00".into(),
            image: Some(hash.into()),
            delivery: delivery.into(),
            enabled: true,
            ..SkuForm::default()
        };
        let mine = Filled { skus: vec![sku("尺寸:大", "abcd1", "express")], ..Filled::default() };
        let theirs = [sku("尺寸:大", "ef011", "local"), sku("尺寸:小", "", "express")];
        let theirs = Filled { skus: theirs.to_vec(), ..Filled::default() };
        let told = |title: &str, here: &str, there: &str| (title.to_owned(), here.to_owned(), there.to_owned());
        assert_eq!(
            mine.differences(&theirs, &[], &[]),
            [told("尺寸:大", "¥10.00  图 abcd", "¥10.00  同城配送 图 ef01"), told("尺寸:小", "", "¥10.00 ")]
        );
        let [a, b, c] = ["ab", "cd", "ef"].map(|two| two.repeat(32).parse::<ImageHash>().unwrap());
        let of = |pictures: &[&ImageHash]| pictures.iter().map(|hash| (*hash).clone()).collect::<Vec<_>>();
        assert_eq!(pictures(&of(&[&a, &b]), &of(&[&b, &c])), "2 张，多了 1 张，少了 1 张");
        assert_eq!(pictures(&of(&[&a, &b]), &of(&[&b, &a])), "2 张，先后不同");
        assert_eq!(pictures(&of(&[&a]), &of(&[&a])), count(&of(&[&a])));
    }

    #[test]
    fn the_form_of_a_product_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let error = Error::field(cell(0, "price"), at(0, "尺寸:6 寸", "售价请填金额"));
            let theirs = vec![("名称".to_owned(), "草莓".to_owned(), "草莓蛋糕".to_owned())];
            let refused = if full { Refused::by(&error, theirs) } else { Refused::default() };
            let sku = |known| SkuForm { specs: "尺寸:6 寸".into(), known, ..SkuForm::default() };
            let skus = if full { vec![sku(true), sku(false)] } else { Vec::new() };
            let filled = Filled { name: "草莓蛋糕".into(), skus, ..Filled::default() };
            let picture = |hash: ImageHash| PictureShown { url: hash.url(), hash };
            let category = CategoryOption { id: CategoryId(1), name: "蛋糕".into(), n: 2 };
            let page = ProductPage {
                most_pictures: rules::MOST_IMAGES,
                most_mib: upload::MOST_MIB,
                frame: Frame::sample(Role::Manager),
                id: full.then_some(ProductId(1)),
                title: full.then(|| "草莓蛋糕".into()),
                sold: full.then_some(3),
                may_edit: full,
                deleted: !full,
                rows: rows(&filled, None, &refused, full),
                problem: refused.problem,
                wrong: by_name(refused.fields, &FIELDS),
                theirs: refused.theirs,
                product: &filled,
                on_shelf: full,
                images: vec![picture("ab".repeat(32).parse().unwrap())],
                sees_cost: full,
                categories: vec![category],
                freights: vec![("1".into(), "重货".into())],
                deliveries: Delivery::ALL.iter().map(|d| (d.word(), d.text())).collect(),
                reasons: super::super::stock::REASONS,
            };
            let html = assets::strictly("console/product.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains(">售价请填金额</small>"), html.contains("回收站")), (full, !full));
        }
    }
}
