//! 代客下单: what was agreed on in a chat becomes a code; whoever opens it first in the mini-program has the order and pays.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::buyers::addresses::{AS_WRITTEN, Address, AddressForm};
use crate::buyers::{paste, phones};
use crate::catalogue::{Delivery, Sku, store as catalogue};
use crate::clock;
use crate::console::{Frame, back, framed, message, waiting, wrong_fields};
use crate::db::Tx;
use crate::door::form::Form;
use crate::drafts::{Agreed, Draft, DraftState, GOOD_FOR, MOST_LINES, MOST_PIECES, store, take, total};
use crate::error::{Code, Error, Result};
use crate::ids::{DraftId, OrderNo, SkuId};
use crate::money::Fen;
use crate::orders::freight::{carried, freights};
use crate::orders::store as orders;
use crate::payments::prepay::REMARK;
use crate::settings::Settings;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Staff};
use crate::typed::{bare, clean, whole};

pub fn routes() -> Vec<Route> {
    routes![list, blank, create, page, withdraw]
}

const HERE: &str = "/admin/drafts";
/// Lines that the form has at the least.
const ROWS: usize = 5;
const SHOWN: i64 = 100;
/// Names that the form suggests.
const SUGGESTED: i64 = 300;

#[derive(Serialize)]
struct DraftsPage {
    frame: Frame,
    tab: &'static str,
    drafts: Vec<DraftShown>,
}

/// What was agreed on, and what became of it.
#[derive(Serialize)]
struct DraftShown {
    id: DraftId,
    code: String,
    lines: Vec<LineShown>,
    total: String,
    freight: String,
    goods: String,
    state: DraftState,
    state_text: &'static str,
    open: bool,
    staff: String,
    remark: String,
    created: String,
    expires: String,
    delivery: &'static str,
    order: Option<OrderNo>,
    /// Where it goes, as far as anybody may see.
    to: Option<String>,
    /// The rest of it, to be compared with the chat until it is an order.
    street: Option<String>,
    /// Its buyer says where.
    asks: bool,
}

#[derive(Serialize)]
struct LineShown {
    name: String,
    spec: String,
    quantity: i64,
    price: String,
    amount: String,
    /// There are not so many now.
    short: bool,
    available: i64,
}

#[get("/drafts")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| {
        let drafts = store::latest(conn, SHOWN)?;
        let drafts = drafts.iter().map(|draft| shown(conn, draft, now)).collect::<Result<Vec<_>>>()?;
        Ok((drafts, waiting(conn)?))
    };
    let (drafts, waits) = shop.read(read).await?;
    let page = DraftsPage { frame: framed(shop, &staff.0, "orders", flash, waits), tab: "drafts", drafts };
    Ok(assets::page("console/drafts.html", page))
}

fn shown(conn: &Connection, draft: &Draft, now: i64) -> Result<DraftShown> {
    let quote = take::quote(conn, draft, None)?;
    let order = draft.order.map(|id| orders::by_id(conn, id)).transpose()?.flatten();
    let lines = quote.lines.iter().map(|line| LineShown {
        name: line.name.clone(),
        spec: line.spec_text.clone(),
        quantity: line.quantity,
        price: line.price.to_string(),
        amount: line.amount.to_string(),
        short: line.quantity > line.available && order.is_none(),
        available: line.available,
    });
    let lines = lines.collect();
    let state = draft.state(now);
    Ok(DraftShown {
        id: draft.id,
        code: draft.code.clone(),
        lines,
        total: draft.total.to_string(),
        freight: draft.freight.to_string(),
        goods: quote.goods.to_string(),
        state,
        state_text: state.text(),
        open: state == DraftState::Open,
        staff: draft.staff.clone(),
        remark: draft.remark.clone(),
        created: clock::shown_near(draft.created_at, now),
        expires: clock::shown_short(draft.expires_at),
        delivery: draft.delivery.text(),
        order: order.map(|order| order.order_no),
        to: draft.address.as_ref().map(|a| format!("{} {} {}", a.masked_receiver(), a.masked_phone(), a.region())),
        street: draft.address.as_ref().filter(|_| state == DraftState::Open).map(|to| to.detail.clone()),
        asks: draft.address.is_none() && draft.delivery.needs_address(),
    })
}

// ── the form ──

#[derive(FromForm, Serialize, Clone, Default)]
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
    /// The region is none that anybody knows, and is to be kept.
    #[field(default = false)]
    as_written: bool,
    #[field(default = String::new())]
    remark: String,
    /// Only what was pasted is to be read.
    #[field(default = false)]
    parse: bool,
}

#[derive(FromForm, Serialize, Clone, Default)]
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
    fn read_pasted(&mut self) -> Result<()> {
        if self.pasted.trim().is_empty() {
            return Ok(());
        }
        let paste::Read { address: mut read, doubt } =
            paste::read(&self.pasted).map_err(|why| Error::field("pasted", why))?;
        // A region is one thing: a city is not filled in beside another province.
        let typed = [(&self.province, &read.province), (&self.city, &read.city), (&self.district, &read.district)];
        if typed.iter().any(|(typed, found)| !typed.trim().is_empty() && typed.trim() != found.as_str()) {
            (read.province, read.city, read.district) = Default::default();
        }
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
        if self.phone.trim().is_empty() && phones::first(&bare(&self.pasted)).is_some() {
            return Err(Error::field("phone", "认不出哪个是收货人的电话，请填上；别人的电话可以留在详细地址里"));
        }
        match doubt.filter(|_| self.province.trim().is_empty()) {
            Some(words) => Err(Error::field("province", words)),
            None => Ok(()),
        }
    }

    /// None where nothing of it is written: then the buyer says it.
    fn address(&self) -> Result<Option<Address>> {
        let parts = [&self.receiver, &self.phone, &self.province, &self.city, &self.district, &self.detail];
        if parts.iter().all(|part| part.trim().is_empty()) {
            return Ok(None);
        }
        let address = AddressForm::of(parts.map(|part| Some(clean(part)))).check("")?;
        if !self.as_written {
            address.must_be_a_region()?;
            address.must_name_its_district(None)?;
        }
        Ok(Some(address))
    }

    /// The goods, each with the SKU that its words name.
    fn goods(&self, conn: &Connection) -> Result<Vec<(Agreed, Delivery)>> {
        let mut goods: Vec<(Agreed, Delivery)> = Vec::new();
        for (i, line) in self.lines.iter().enumerate().filter(|(_, line)| !line.what.trim().is_empty()) {
            let at = |field: &str| format!("lines[{i}].{field}");
            let what = clean(&line.what);
            let Some(sku) = sku_named(conn, &what)? else {
                return Err(Error::field(at("what"), unknown(conn, &what)?));
            };
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
        if !REMARK.fits(&remark) {
            return Err(Error::field("remark", format!("留言{REMARK}")));
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

    /// With lines to go on.
    fn shown(mut self) -> DraftForm {
        let full = |line: &LineForm| !line.what.trim().is_empty();
        while self.lines.len() < ROWS || (self.lines.len() < MOST_LINES && self.lines.last().is_some_and(full)) {
            self.lines.push(LineForm::default());
        }
        self
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

/// What is said of words that name no goods, with those that have them in their name.
fn unknown(conn: &Connection, what: &str) -> Result<String> {
    const TOLD: usize = 3;
    let names = catalogue::sellable_names(conn, SUGGESTED)?.into_iter().map(|(name, _)| name);
    let like: Vec<_> = names.filter(|name| name.contains(what)).take(TOLD).map(|name| format!("「{name}」")).collect();
    let next = match like.is_empty() {
        true => "请写商家编码，或商品名称加规格，例如 苹果 大箱".to_owned(),
        false => format!("是{}吗？请照这样写全", like.join("、")),
    };
    Ok(format!("没有找到「{what}」，{next}"))
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

#[derive(Serialize)]
struct FormPage {
    frame: Frame,
    tab: &'static str,
    problem: Option<String>,
    /// The names of the fields that it is about.
    wrong: Option<String>,
    /// The words of a tick, where it is asked for or made.
    as_written: Option<&'static str>,
    form: DraftForm,
    /// Goods that the form suggests, each with what it costs.
    names: Vec<(String, String)>,
}

async fn form_page(shop: &Shop, staff: &Staff, filled: &DraftForm, wrong: Option<&Error>) -> Result<Template> {
    let read = |conn: &Connection| Ok((catalogue::sellable_names(conn, SUGGESTED)?, waiting(conn)?));
    let (names, waits) = shop.read(read).await?;
    let names = names.into_iter().map(|(name, price)| (name, price.plain())).collect();
    let problem = wrong.map(message);
    let is_asked = filled.as_written || problem.as_ref().is_some_and(|words| words.contains(AS_WRITTEN));
    let page = FormPage {
        frame: framed(shop, staff, "orders", None, waits),
        tab: "drafts",
        problem,
        wrong: wrong.map(wrong_fields),
        as_written: is_asked.then_some(AS_WRITTEN),
        form: filled.clone().shown(),
        names,
    };
    Ok(assets::page("console/draft_new.html", page))
}

#[get("/drafts/new")]
async fn blank(shop: &State<Shop>, staff: Clerk) -> Result<Template> {
    form_page(shop, &staff.0, &DraftForm::default(), None).await
}

/// Where it went, or the form as it was typed.
type Next = std::result::Result<Flash<Redirect>, Result<Template>>;

#[post("/drafts", data = "<form>")]
async fn create(shop: &State<Shop>, staff: Clerk, form: Form<DraftForm>) -> Next {
    let mut form = form.into_inner();
    let read = form.read_pasted();
    if form.parse || read.is_err() {
        return Err(form_page(shop, &staff.0, &form, read.err().as_ref()).await);
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

#[derive(Serialize)]
struct DraftPage {
    frame: Frame,
    tab: &'static str,
    draft: DraftShown,
    shop: String,
}

#[get("/drafts/<id>", rank = 2)]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: DraftId) -> Result<Template> {
    let now = shop.now();
    let read = move |conn: &Connection| {
        let draft = store::by_id(conn, id)?.ok_or(Code::NotFound)?;
        Ok((shown(conn, &draft, now)?, waiting(conn)?))
    };
    let (draft, waits) = shop.read(read).await?;
    let page = DraftPage {
        frame: framed(shop, &staff.0, "orders", flash, waits),
        tab: "drafts",
        draft,
        shop: shop.settings().shop_name().to_owned(),
    };
    Ok(assets::page("console/draft.html", page))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    fn draft(open: bool) -> DraftShown {
        let line = |short| LineShown {
            name: "草莓".into(),
            spec: "6 寸".into(),
            quantity: 3,
            price: "19.00".into(),
            amount: "57.00".into(),
            short,
            available: 2,
        };
        let state = if open { DraftState::Open } else { DraftState::Taken };
        DraftShown {
            id: DraftId(1),
            code: "ABCD2345".into(),
            lines: vec![line(true), line(false)],
            total: "57.00".into(),
            freight: "0.00".into(),
            goods: "57.00".into(),
            state,
            state_text: state.text(),
            open,
            staff: "小王".into(),
            remark: "少糖".into(),
            created: "13:15".into(),
            expires: "10-11 13:15".into(),
            delivery: Delivery::Express.text(),
            order: if open { None } else { "261008131540ABCDEFGH".parse().ok() },
            to: (!open).then(|| "李* 138****1234 广东省 深圳市".into()),
            street: (!open).then(|| "演示路1号".into()),
            asks: open,
        }
    }

    #[test]
    fn pages_of_drafts_ask_for_nothing_that_they_are_not_given() {
        let frame = || Frame::sample(Role::Clerk);
        for (drafts, words) in [(vec![draft(true), draft(false)], "草莓 ×3"), (vec![], "还没有开过单")] {
            let page = DraftsPage { frame: frame(), tab: "drafts", drafts };
            let html = assets::strictly("console/drafts.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert!(html.contains(words), "{words}");
        }
        for open in [true, false] {
            let page = DraftPage { frame: frame(), tab: "drafts", draft: draft(open), shop: "草莓园".into() };
            let html = assets::strictly("console/draft.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("发给买家"), html.contains("买家已经打开")), (open, !open));
            let page = FormPage {
                frame: frame(),
                tab: "drafts",
                problem: open.then(|| "请填商品".into()),
                wrong: open.then(|| "lines".into()),
                as_written: open.then_some(AS_WRITTEN),
                form: DraftForm::default().shown(),
                names: vec![("草莓".into(), "19.00".into())],
            };
            let html = assets::strictly("console/draft_new.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("请填商品"), html.matches("再加一样").count()), (open, ROWS - 1));
        }
    }
}
