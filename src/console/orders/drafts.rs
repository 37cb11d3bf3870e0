//! 代客下单: what was agreed on in a chat becomes a code; whoever opens it first in the mini-program has the order and pays.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::assets;
use crate::buyers::addresses::{Address, AddressForm};
use crate::buyers::paste;
use crate::catalogue::{Delivery, Sku, store as catalogue};
use crate::clock;
use crate::console::{back, frame, words, wrong_fields};
use crate::db::Tx;
use crate::door::form::Form;
use crate::drafts::{Agreed, Draft, DraftState, GOOD_FOR, MOST_LINES, MOST_PIECES, store, take, total};
use crate::error::{Code, Error, Result};
use crate::ids::{DraftId, SkuId};
use crate::money::Fen;
use crate::orders::freight::{carried, freights};
use crate::orders::store as orders;
use crate::settings::Settings;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Staff};
use crate::typed::{clean, whole};

pub fn routes() -> Vec<Route> {
    routes![list, blank, create, page, withdraw]
}

const HERE: &str = "/admin/drafts";
/// Lines that the form has at the least.
const ROWS: usize = 5;
const SHOWN: i64 = 100;
/// Names that the form suggests.
const SUGGESTED: i64 = 300;

#[get("/drafts")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| {
        let drafts = store::latest(conn, SHOWN)?;
        drafts.iter().map(|draft| shown(conn, draft, now)).collect::<Result<Vec<_>>>()
    };
    let drafts = shop.read(read).await?;
    let context = context! { frame: frame(shop, &staff.0, "orders", flash).await?, tab: "drafts", drafts };
    Ok(assets::page("console/drafts.html", context))
}

fn shown(conn: &Connection, draft: &Draft, now: i64) -> Result<Value> {
    let quote = take::quote(conn, draft, None)?;
    let order = draft.order.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
    let lines: Vec<Value> = quote
        .lines
        .iter()
        .map(|line| {
            json!({
                "name": line.name, "spec": line.spec_text, "quantity": line.quantity, "price": line.price.to_string(),
                "amount": line.amount.to_string(), "short": line.quantity > line.available && order.is_none(),
                "available": line.available,
            })
        })
        .collect();
    let state = draft.state(now);
    Ok(json!({
        "id": draft.id, "code": draft.code, "lines": lines, "total": draft.total.to_string(),
        "freight": draft.freight.to_string(), "goods": quote.goods.to_string(), "state": state,
        "state_text": state.text(), "open": state == DraftState::Open, "staff": draft.staff, "remark": draft.remark,
        "created": clock::shown_near(draft.created_at, now), "expires": clock::shown_short(draft.expires_at),
        "delivery": draft.delivery.text(), "order": order.map(|order| order.order_no),
        "to": draft.address.as_ref().map(|a| format!("{} {} {}", a.masked_receiver(), a.masked_phone(), a.region())),
        "asks": draft.address.is_none() && draft.delivery.needs_address(),
    }))
}

// ── the form ──

#[derive(FromForm, Clone, Default)]
struct DraftForm {
    lines: Vec<LineForm>,
    #[field(default = String::new())]
    freight: String,
    /// Whom and where to, as it stood in the chat.
    #[field(default = String::new())]
    pasted: String,
    #[field(default = String::new())]
    receiver: String,
    #[field(default = String::new())]
    phone: String,
    #[field(default = String::new())]
    province: String,
    #[field(default = String::new())]
    city: String,
    #[field(default = String::new())]
    district: String,
    #[field(default = String::new())]
    detail: String,
    #[field(default = String::new())]
    remark: String,
    /// Only what was pasted is to be read.
    #[field(default = false)]
    parse: bool,
}

#[derive(FromForm, Clone, Default)]
struct LineForm {
    #[field(default = String::new())]
    what: String,
    #[field(default = String::new())]
    quantity: String,
    /// Each; the shop's own price where nothing is written.
    #[field(default = String::new())]
    price: String,
}

impl DraftForm {
    /// Fills what is empty from what was pasted; what somebody wrote stays.
    fn read_pasted(mut self) -> DraftForm {
        if self.pasted.trim().is_empty() {
            return self;
        }
        let read = paste::read(&self.pasted);
        for (field, found) in [
            (&mut self.receiver, read.receiver),
            (&mut self.phone, read.phone),
            (&mut self.province, read.province),
            (&mut self.city, read.city),
            (&mut self.district, read.district),
            (&mut self.detail, read.detail),
        ] {
            if field.trim().is_empty() {
                *field = found;
            }
        }
        self
    }

    /// None where nothing of it is written: then the buyer says it.
    fn address(&self) -> Result<Option<Address>> {
        let parts = [&self.receiver, &self.phone, &self.province, &self.city, &self.district, &self.detail];
        if parts.iter().all(|part| part.trim().is_empty()) {
            return Ok(None);
        }
        AddressForm::of(parts.map(|part| Some(clean(part)))).check("").map(Some)
    }

    /// The goods, each with the SKU that its words name.
    fn goods(&self, conn: &Connection) -> Result<Vec<(Agreed, Delivery)>> {
        let mut goods: Vec<(Agreed, Delivery)> = Vec::new();
        for (i, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.what.trim().is_empty()) {
            let at = |field: &str| format!("lines[{i}].{field}");
            let what = clean(&line.what);
            let sku = sku_named(conn, &what)?.ok_or_else(|| {
                Error::field(at("what"), format!("没有找到「{what}」，请写商家编码，或商品名称加规格，例如 苹果 大箱"))
            })?;
            let quantity = match line.quantity.trim() {
                "" => Some(1),
                text => whole(text).filter(|n| (1..=MOST_PIECES).contains(n)),
            };
            let quantity = quantity
                .ok_or_else(|| Error::field(at("quantity"), format!("「{what}」的数量请填 1 到 {MOST_PIECES}")))?;
            let price = match line.price.trim() {
                "" => Some(sku.price),
                text => Fen::from_yuan(text),
            };
            let price =
                price.ok_or_else(|| Error::field(at("price"), format!("「{what}」的单价请填金额，例如 19.9")))?;
            if goods.iter().any(|(known, _)| known.sku == sku.id) {
                return Err(Error::field(at("what"), format!("「{what}」写了两行，请合成一行")));
            }
            goods.push((Agreed { sku: sku.id, quantity, price }, sku.delivery));
        }
        match goods.len() {
            0 => Err(Error::field("lines", "请写至少一样商品")),
            n if n > MOST_LINES => Err(Error::field("lines", format!("一张单最多 {MOST_LINES} 样商品"))),
            _ => Ok(goods),
        }
    }

    fn check(&self, conn: &Connection, settings: &Settings, code: &str, now: i64) -> Result<Draft> {
        let goods = self.goods(conn)?;
        let address = self.address()?;
        let mut ways = goods.iter().map(|(_, delivery)| *delivery).filter(|way| *way != Delivery::None);
        let delivery = ways.next().unwrap_or(Delivery::None);
        if ways.any(|way| way != delivery) {
            return Err(Error::field("lines", "这些商品的配送方式不一样，请分开开单"));
        }
        let lines: Vec<Agreed> = goods.into_iter().map(|(agreed, _)| agreed).collect();
        let freight = match self.freight.trim() {
            "" => usual_freight(conn, &lines, delivery, address.as_ref(), settings)?,
            text => Fen::from_yuan(text).ok_or_else(|| Error::field("freight", "运费请填金额，不收请填 0"))?,
        };
        let total = total(&lines, freight)
            .ok_or_else(|| Error::field("lines", "一共要付的至少 0.01 元；金额太大请分开开单"))?;
        let remark = clean(&self.remark);
        if remark.chars().count() > 200 {
            return Err(Error::field("remark", "留言最多 200 个字"));
        }
        let (id, staff, withdrawn, order) = (DraftId(0), String::new(), false, None);
        let address = address.filter(|_| delivery.needs_address());
        let (code, created_at, expires_at) = (code.to_owned(), now, now + GOOD_FOR);
        Ok(Draft {
            id,
            code,
            lines,
            freight,
            usual_freight: self.freight.trim().is_empty(),
            total,
            delivery,
            address,
            remark,
            staff,
            created_at,
            expires_at,
            withdrawn,
            order,
        })
    }

    fn shown(&self) -> Value {
        let mut lines: Vec<_> = self.lines.iter().map(|line| (&line.what, &line.quantity, &line.price)).collect();
        let blank = LineForm::default();
        while lines.len() < ROWS
            || lines.last().is_some_and(|(what, ..)| !what.trim().is_empty() && lines.len() < MOST_LINES)
        {
            lines.push((&blank.what, &blank.quantity, &blank.price));
        }
        json!({
            "lines": lines, "freight": self.freight, "pasted": self.pasted, "receiver": self.receiver, "phone": self.phone,
            "province": self.province, "city": self.city, "district": self.district, "detail": self.detail,
            "remark": self.remark,
        })
    }
}

/// What the shop takes from everybody.
fn usual_freight(
    conn: &Connection,
    lines: &[Agreed],
    delivery: Delivery,
    address: Option<&Address>,
    settings: &Settings,
) -> Result<Fen> {
    let carried = carried(conn, &Agreed::goods(lines))?;
    let found = freights(conn, &carried, delivery, settings, address.and_then(Address::place).as_ref())?;
    match found {
        None => Err(Error::field("lines", "运费太大，请分开开单")),
        Some(found) if found.not_sent && address.is_some() => {
            Err(Error::field("freight", "设置里写着不发这个地区；要发请填运费"))
        }
        Some(found) => Ok(found.sum),
    }
}

/// The SKU that words name: by its code, by its product when that has one alone, or by product and specs.
fn sku_named(conn: &Connection, what: &str) -> Result<Option<Sku>> {
    if let Some(coded) = catalogue::sku_with_code(conn, what)?.filter(|coded| !coded.deleted) {
        return sku(conn, coded.id);
    }
    let ends = what.char_indices().filter(|(_, c)| *c == ' ').map(|(at, _)| at).chain([what.len()]);
    for end in ends.collect::<Vec<_>>().into_iter().rev() {
        let (name, specs) = (what[..end].trim(), what[end..].replace([' ', '/'], ""));
        let Some(id) = catalogue::product_named(conn, name)? else { continue };
        let Some(product) = catalogue::product(conn, id)? else { continue };
        let enabled: Vec<Sku> = product.skus.into_iter().filter(|sku| sku.enabled).collect();
        let fits = |sku: &&Sku| sku.spec_text().replace([' ', '/'], "") == specs;
        match (&enabled[..], specs.is_empty()) {
            ([only], true) => return Ok(Some(only.clone())),
            (all, _) => {
                if let Some(found) = all.iter().find(fits) {
                    return Ok(Some(found.clone()));
                }
            }
        }
    }
    Ok(None)
}

fn sku(conn: &Connection, id: SkuId) -> Result<Option<Sku>> {
    Ok(catalogue::for_sale(conn, id)?.map(|found| found.sku).filter(|sku| sku.enabled))
}

async fn form_page(shop: &Shop, staff: &Staff, filled: &DraftForm, wrong: Option<&Error>) -> Result<Template> {
    let names = shop.read(|conn| Ok(catalogue::sellable_names(conn, SUGGESTED)?)).await?;
    let context = context! {
        frame: frame(shop, staff, "orders", None).await?, tab: "drafts", problem: wrong.map(words), wrong: wrong.map(wrong_fields), form: filled.shown(), names,
    };
    Ok(assets::page("console/draft_new.html", context))
}

#[get("/drafts/new")]
async fn blank(shop: &State<Shop>, staff: Clerk) -> Result<Template> {
    form_page(shop, &staff.0, &DraftForm::default(), None).await
}

/// Where it went, or the form as it was typed.
type Next = std::result::Result<Flash<Redirect>, Result<Template>>;

#[post("/drafts", data = "<form>")]
async fn create(shop: &State<Shop>, staff: Clerk, form: Form<DraftForm>) -> Next {
    let form = form.into_inner().read_pasted();
    if form.parse {
        return Err(form_page(shop, &staff.0, &form, None).await);
    }
    let (typed, settings, now, who) = (form.clone(), shop.settings(), shop.now(), staff.0.clone());
    let code: String = shop.nonces.base32().chars().take(8).collect();
    let write = move |tx: &Tx| {
        let draft = form.check(tx, &settings, &code, now)?;
        let id = store::insert(tx, &draft, who.id)?;
        audit(tx, &who, &format!("代客下单：订单码 {code}，¥{}", draft.total))?;
        Ok(id)
    };
    match shop.write(write).await {
        Ok(id) => Ok(back(format!("{HERE}/{id}"), Ok("订单码已生成，发给买家就行"))),
        Err(e) => Err(form_page(shop, &staff.0, &typed, Some(&e)).await),
    }
}

#[get("/drafts/<id>", rank = 2)]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: DraftId) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| {
        let draft = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        shown(conn, &draft, now)
    };
    let draft = shop.read(read).await?;
    let context = context! {
        frame: frame(shop, &staff.0, "orders", flash).await?, tab: "drafts", draft,
        shop: shop.settings().shop_name().to_owned(),
    };
    Ok(assets::page("console/draft.html", context))
}

#[post("/drafts/<id>/withdraw")]
async fn withdraw(shop: &State<Shop>, staff: Clerk, id: DraftId) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let draft = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        if !store::withdraw(tx, id)? {
            return Err(Error::from(Code::OrderState).says("它已经被打开或撤回了"));
        }
        audit(tx, &staff.0, &format!("撤回订单码 {}", draft.code))?;
        Ok("已撤回，订单码不能再打开")
    };
    back(format!("{HERE}/{id}"), shop.write(write).await)
}
