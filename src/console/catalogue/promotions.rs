//! 优惠: what makes orders cheaper. Listed, written, stopped, given to buyers, and what it has brought.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use super::{CategoryOption, category_options};
use crate::assets;
use crate::buyers::addresses::Address;
use crate::buyers::{phones, store as buyers};
use crate::catalogue::{showcase, store as catalogue};
use crate::clock;
use crate::console::{Frame, back, form_mark, framed, message, must_be_of_now, waiting, wrong_fields};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{BuyerId, OrderNo, ProductId, PromotionId};
use crate::money::{Fen, yuan};
use crate::orders::search::{Filter, store as search};
use crate::orders::store as orders;
use crate::promotions::rules::{Filled, MOST_TIERS};
use crate::promotions::{
    Coupon, CouponRef, CouponState, Given, Kind, Phase, Promotion, Scope, Terms, give, store, tenths,
};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role, Staff};
use crate::typed::{bare, clean};

pub fn routes() -> Vec<Route> {
    routes![list, blank, create, page, change, stop, resume, give_out]
}

const HERE: &str = "/admin/promotions";
/// The newest coupons that a promotion's page names.
const SHOWN: i64 = 50;
/// Buyers who are given a coupon at once.
const MOST_BUYERS: usize = 500;
/// Of the orders that went to a phone, the newest are looked at.
const ORDERS_OF_A_PHONE: i64 = 200;

/// Promotions of one phase.
#[derive(Serialize)]
struct PromotionsPage {
    frame: Frame,
    section: &'static str,
    may_edit: bool,
    tabs: Vec<TabShown>,
    items: Vec<PromotionShown>,
}

#[derive(Serialize)]
struct TabShown {
    word: Phase,
    text: &'static str,
    n: usize,
    here: bool,
}

fn tabs(all: &[Promotion], wanted: Phase, now: i64) -> Vec<TabShown> {
    let tab = |phase: &Phase| TabShown {
        word: *phase,
        text: phase.text(),
        n: all.iter().filter(|promotion| promotion.phase(now) == *phase).count(),
        here: *phase == wanted,
    };
    Phase::ALL.iter().map(tab).collect()
}

#[derive(Serialize)]
struct PromotionShown {
    id: PromotionId,
    name: String,
    text: String,
    kind: Kind,
    given_text: &'static str,
    scope_text: &'static str,
    code: Option<String>,
    phase: Phase,
    phase_text: &'static str,
    stopped: bool,
    voided: bool,
    coupon: bool,
    issued: i64,
    total: Option<i64>,
    starts: String,
    ends: Option<String>,
}

#[get("/promotions?<phase>")]
async fn list(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    phase: Option<&str>,
) -> Result<Template> {
    let (now, wanted) = (shop.now(), phase.and_then(|word| word.parse::<Phase>().ok()).unwrap_or(Phase::Running));
    let (all, waits) = shop.read(|conn: &Connection| Ok((store::all(conn)?, waiting(conn)?))).await?;
    let page = PromotionsPage {
        frame: framed(shop, &staff.0, "products", flash, waits),
        section: "promotions",
        may_edit: staff.0.role >= Role::Manager,
        tabs: tabs(&all, wanted, now),
        items: all.iter().filter(|p| p.phase(now) == wanted).map(|p| shown(p, now)).collect(),
    };
    Ok(assets::page("console/promotions.html", page))
}

fn shown(promotion: &Promotion, now: i64) -> PromotionShown {
    let (terms, phase) = (&promotion.terms, promotion.phase(now));
    PromotionShown {
        id: promotion.id,
        name: terms.name.clone(),
        text: terms.text(),
        kind: terms.kind,
        given_text: terms.given.text(),
        scope_text: terms.scope.text(),
        code: terms.code.clone(),
        phase,
        phase_text: phase.text(),
        stopped: promotion.stopped_at.is_some(),
        voided: promotion.voided,
        coupon: promotion.is_coupon(),
        issued: promotion.issued,
        total: terms.total,
        starts: clock::shown_short(terms.starts_at),
        ends: terms.ends_at.map(clock::shown_short),
    }
}

// ── the form ──

#[derive(FromForm, Serialize, Clone, Default)]
struct PromotionForm {
    #[field(default = String::new())]
    kind: String,
    #[field(default = String::new())]
    given: String,
    #[field(default = String::new())]
    name: String,
    from: Vec<String>,
    off: Vec<String>,
    #[field(default = String::new())]
    percent: String,
    #[field(default = String::new())]
    cap: String,
    #[field(default = String::from("all"))]
    scope: String,
    categories: Vec<i64>,
    /// A name, a code of the merchant or a number on each line.
    #[field(default = String::new())]
    products: String,
    #[field(default = String::new())]
    starts_at: String,
    #[field(default = String::new())]
    ends_at: String,
    #[field(default = String::new())]
    days: String,
    #[field(default = String::new())]
    code: String,
    #[field(default = false)]
    listed: bool,
    #[field(default = String::new())]
    total: String,
    #[field(default = String::new())]
    per_buyer: String,
    /// A mark of what its page had shown.
    #[field(default = String::new())]
    #[serde(skip)]
    seen: String,
}

#[derive(Serialize)]
struct FormShown<'a> {
    /// From how much on how much is off.
    tiers: Vec<(String, String)>,
    #[serde(flatten)]
    form: &'a PromotionForm,
}

impl PromotionForm {
    fn of(conn: &Connection, terms: &Terms) -> rusqlite::Result<PromotionForm> {
        let from = |fen: Fen| if fen == Fen::ZERO { String::new() } else { fen.plain() };
        let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
        let names = terms.subjects.iter().map(|id| showcase::name_of(conn, ProductId(*id)));
        let names =
            if terms.scope == Scope::Products { names.collect::<rusqlite::Result<Vec<_>>>()? } else { Vec::new() };
        Ok(PromotionForm {
            kind: terms.kind.word().into(),
            given: terms.given.word().into(),
            name: terms.name.clone(),
            from: terms.tiers.iter().map(|tier| from(tier.from)).collect(),
            off: terms.tiers.iter().map(|tier| from(tier.off)).collect(),
            percent: terms.percent.map(tenths).unwrap_or_default(),
            cap: terms.cap.map(Fen::plain).unwrap_or_default(),
            scope: terms.scope.word().into(),
            categories: if terms.scope == Scope::Categories { terms.subjects.clone() } else { Vec::new() },
            products: names.into_iter().flatten().collect::<Vec<_>>().join("\n"),
            starts_at: clock::field(terms.starts_at),
            ends_at: terms.ends_at.map(clock::field).unwrap_or_default(),
            days: number(terms.days),
            code: terms.code.clone().unwrap_or_default(),
            listed: terms.listed,
            total: number(terms.total),
            per_buyer: terms.per_buyer.to_string(),
            seen: String::new(),
        })
    }

    /// Whom it is for stays; and once buyers hold coupons, what these promise stays too: the page does not even send it.
    fn keeping(self, promotion: &Promotion, old: PromotionForm) -> PromotionForm {
        let form = PromotionForm { given: old.given, ..self };
        if promotion.issued == 0 {
            return form;
        }
        let PromotionForm { kind, from, off, percent, cap, scope, categories, products, code, .. } = old;
        PromotionForm { kind, from, off, percent, cap, scope, categories, products, code, ..form }
    }

    /// What it says, checked; products are looked up by what was written of them, and those in `bin` stay.
    fn check(&self, conn: &Connection, now: i64, bin: &[i64]) -> Result<Terms> {
        let scope = self.scope.parse();
        let subjects = match scope {
            Ok(Scope::Categories) => self.categories.clone(),
            Ok(Scope::Products) => [products(conn, &self.products)?.as_slice(), bin].concat(),
            _ => Vec::new(),
        };
        let filled = Filled {
            kind: self.kind.clone(),
            given: self.given.clone(),
            name: self.name.clone(),
            from: self.from.clone(),
            off: self.off.clone(),
            percent: self.percent.clone(),
            cap: self.cap.clone(),
            scope: self.scope.clone(),
            subjects,
            starts_at: self.starts_at.clone(),
            ends_at: self.ends_at.clone(),
            days: self.days.clone(),
            code: self.code.clone(),
            listed: self.listed,
            total: self.total.clone(),
            per_buyer: self.per_buyer.clone(),
        };
        filled.check(now)
    }

    /// As its page shows it, with tiers to go on.
    fn shown(&self) -> FormShown<'_> {
        let at = |all: &'_ [String], i: usize| all.get(i).cloned().unwrap_or_default();
        FormShown { tiers: (0..MOST_TIERS).map(|i| (at(&self.from, i), at(&self.off, i))).collect(), form: self }
    }
}

/// The products that lines name: by name, by a SKU's code, by number.
fn products(conn: &Connection, text: &str) -> Result<Vec<i64>> {
    let (mut found, mut unknown) = (Vec::new(), Vec::new());
    for line in text.lines().map(clean).filter(|line| !line.is_empty()) {
        let by_name = catalogue::product_named(conn, &line)?;
        let by_code = if by_name.is_some() { None } else { catalogue::sku_with_code(conn, &line)? };
        match by_name.or(by_code.filter(|coded| !coded.deleted).map(|coded| coded.product_id)) {
            Some(id) => found.push(id.0),
            None => unknown.push(format!("「{line}」")),
        }
    }
    if !unknown.is_empty() {
        let words = format!("没有找到这些商品：{}。请写商品名称或商家编码，一行一个", unknown.join("、"));
        return Err(Error::field("products", words));
    }
    found.dedup();
    Ok(found)
}

#[derive(Serialize)]
struct PromotionPage<'a> {
    frame: Frame,
    section: &'static str,
    may_edit: bool,
    problem: Option<String>,
    /// The names of the fields that it is about.
    wrong: Option<String>,
    seen: Option<String>,
    /// None while it is a new one.
    promotion: Option<PromotionShown>,
    /// What buyers hold keeps its promise.
    fixed: bool,
    /// Products of it that are in the recycle bin.
    bin: usize,
    form: FormShown<'a>,
    categories: Vec<CategoryOption>,
    kinds: Vec<(&'static str, &'static str)>,
    givens: Vec<(&'static str, &'static str)>,
    scopes: Vec<(&'static str, &'static str)>,
    usage: Option<UsageShown>,
    coupons: Vec<CouponShown>,
}

/// What it has brought.
#[derive(Serialize)]
struct UsageShown {
    orders: i64,
    off: String,
    paid: String,
    free: i64,
    held: i64,
    used: i64,
}

#[derive(Serialize)]
struct CouponShown {
    id: CouponRef,
    buyer: BuyerId,
    state: CouponState,
    state_text: &'static str,
    order_no: Option<OrderNo>,
    ends: Option<String>,
}

async fn form_page(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    of: Option<PromotionId>,
    typed: Option<(PromotionForm, Error)>,
    fresh: PromotionForm,
) -> Result<Template> {
    let (now, problem) = (shop.now(), typed.as_ref().map(|(_, error)| message(error)));
    let wrong = typed.as_ref().map(|(_, error)| wrong_fields(error));
    let read = move |conn: &Connection| {
        let known = of.map(|id| store::by_id(conn, id)?.ok_or_else(|| Error::from(Code::NotFound))).transpose()?;
        let filled = match (typed, &known) {
            (Some((typed, _)), Some(promotion)) => typed.keeping(promotion, PromotionForm::of(conn, &promotion.terms)?),
            (Some((typed, _)), None) => typed,
            (None, Some(promotion)) => PromotionForm::of(conn, &promotion.terms)?,
            (None, None) => fresh,
        };
        let used = match &known {
            Some(promotion) => {
                Some((store::usage(conn, promotion.id)?, store::of_promotion(conn, promotion.id, SHOWN)?))
            }
            None => None,
        };
        let bin = known.as_ref().map_or(Ok(Vec::new()), |promotion| in_the_bin(conn, promotion))?;
        let stands = known.as_ref().map(|promotion| PromotionForm::of(conn, &promotion.terms)).transpose()?;
        let seen = stands.map(|stands| form_mark(&stands.shown()));
        Ok((known, filled, used, bin.len(), catalogue::categories(conn)?, seen, waiting(conn)?))
    };
    let (known, filled, used, bin, categories, seen, waits) = shop.read(read).await?;
    let usage = used.as_ref().map(|(usage, _)| UsageShown {
        orders: usage.orders,
        off: yuan(usage.off_fen),
        paid: yuan(usage.paid_fen),
        free: usage.free,
        held: usage.held,
        used: usage.used,
    });
    let page = PromotionPage {
        frame: framed(shop, staff, "products", flash, waits),
        section: "promotions",
        may_edit: staff.role >= Role::Manager,
        problem,
        wrong,
        seen,
        promotion: known.as_ref().map(|promotion| shown(promotion, now)),
        fixed: known.as_ref().is_some_and(|promotion| promotion.issued > 0),
        bin,
        form: filled.shown(),
        categories: category_options(&categories),
        kinds: Kind::ALL.iter().map(|kind| (kind.word(), kind.text())).collect(),
        givens: Given::ALL.iter().map(|given| (given.word(), given.text())).collect(),
        scopes: Scope::ALL.iter().map(|scope| (scope.word(), scope.text())).collect(),
        usage,
        coupons: used.iter().flat_map(|(_, coupons)| coupons).map(|coupon| coupon_row(coupon, now)).collect(),
    };
    Ok(assets::page("console/promotion.html", page))
}

fn coupon_row(coupon: &Coupon, now: i64) -> CouponShown {
    CouponShown {
        id: coupon.is,
        buyer: coupon.buyer,
        state: coupon.state(now),
        state_text: coupon.state_text(now),
        order_no: coupon.order_no.clone(),
        ends: coupon.ends_at.map(clock::shown_short),
    }
}

#[get("/promotions/new?<kind>&<given>")]
async fn blank(shop: &State<Shop>, staff: Manager, kind: Option<&str>, given: Option<&str>) -> Result<Template> {
    let fresh = PromotionForm {
        kind: kind.and_then(|word| word.parse::<Kind>().ok()).unwrap_or(Kind::Reduce).word().into(),
        given: given.and_then(|word| word.parse::<Given>().ok()).unwrap_or(Given::Everybody).word().into(),
        scope: Scope::All.word().into(),
        starts_at: clock::field(shop.now()),
        per_buyer: "1".into(),
        listed: true,
        code: shop.nonces.base32().chars().take(8).collect(),
        ..PromotionForm::default()
    };
    form_page(shop, &staff.0, None, None, None, fresh).await
}

#[get("/promotions/<id>", rank = 2)]
async fn page(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, id: PromotionId) -> Result<Template> {
    form_page(shop, &staff.0, flash, Some(id), None, PromotionForm::default()).await
}

/// Where it went, or the form as it was typed.
type Next = std::result::Result<Flash<Redirect>, Result<Template>>;

#[post("/promotions", data = "<form>")]
async fn create(shop: &State<Shop>, staff: Manager, form: Form<PromotionForm>) -> Next {
    let (form, who) = (form.into_inner(), staff.0.clone());
    let typed = form.clone();
    let write = move |tx: &Tx| {
        let terms = form.check(tx, tx.now(), &[])?;
        not_over(&terms, tx.now())?;
        free_code(tx, &terms, None)?;
        let id = store::insert(tx, &terms)?;
        audit(tx, &who, &format!("新建优惠「{}」：{}，{}", terms.name, terms.text(), terms.given.text()))?;
        Ok((id, saved(tx, id, &terms, tx.now())?))
    };
    match shop.write(write).await {
        Ok((id, said)) => Ok(back(format!("{HERE}/{id}"), Ok(said))),
        Err(e) => Err(form_page(shop, &staff.0, None, None, Some((typed, e)), PromotionForm::default()).await),
    }
}

/// One that has ended before it begins helps nobody.
fn not_over(terms: &Terms, now: i64) -> Result<()> {
    let words = "结束时间已经过了，这个优惠不会生效；请改晚一点，或留空一直有效。要马上结束请点“停止”";
    if terms.is_over(now) { Err(Error::field("ends_at", words)) } else { Ok(()) }
}

/// What is said of one that was saved, with what else everybody has at the same time on some of the same goods.
fn saved(conn: &Connection, id: PromotionId, terms: &Terms, now: i64) -> Result<String> {
    let (mine, mut beside) = (store::goods_of(conn, terms)?, Vec::new());
    let same_time = |other: &Promotion| {
        other.id != id && other.phase(now) != Phase::Ended && other.terms.is_exclusive() && other.terms.meets(terms)
    };
    for other in store::all(conn)?.into_iter().filter(|other| terms.is_exclusive() && same_time(other)) {
        let apart = match (&mine, store::goods_of(conn, &other.terms)?) {
            (Some(mine), Some(theirs)) => mine.is_disjoint(&theirs),
            _ => false,
        };
        if !apart {
            beside.push(format!("「{}」", other.terms.name));
        }
    }
    let held = format!("优惠已保存：{}，{}", terms.text(), terms.given.text());
    Ok(match beside.is_empty() {
        true => held,
        false => format!("{held}。同时还有{}，商品有重叠：不叠加，每单自动用更省的", beside.join("、")),
    })
}

/// Products of it that lie in the recycle bin.
fn in_the_bin(conn: &Connection, promotion: &Promotion) -> rusqlite::Result<Vec<i64>> {
    match promotion.terms.scope {
        Scope::Products => store::in_the_bin(conn, &promotion.terms.subjects),
        Scope::All | Scope::Categories => Ok(Vec::new()),
    }
}

/// A code means one promotion for ever.
fn free_code(tx: &Tx, terms: &Terms, but: Option<PromotionId>) -> Result<()> {
    let Some(code) = &terms.code else { return Ok(()) };
    match store::by_code(tx, code)? {
        Some(other) if Some(other.id) != but => {
            Err(Error::field("code", format!("优惠码 {code} 已经是「{}」的，请换一个", other.terms.name)))
        }
        _ => Ok(()),
    }
}

#[post("/promotions/<id>", data = "<form>", rank = 2)]
async fn change(shop: &State<Shop>, staff: Manager, id: PromotionId, form: Form<PromotionForm>) -> Next {
    let (form, who) = (form.into_inner(), staff.0.clone());
    let typed = form.clone();
    let write = move |tx: &Tx| {
        let before = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        must_be_of_now(&form.seen, &form_mark(&PromotionForm::of(tx, &before.terms)?.shown()))?;
        let terms = changed(tx, &form, &before)?;
        free_code(tx, &terms, Some(id))?;
        store::update(tx, id, &terms)?;
        let what = format!("修改优惠「{}」：{} → {}", before.terms.name, before.terms.text(), terms.text());
        audit(tx, &who, &what)?;
        saved(tx, id, &terms, tx.now())
    };
    match shop.write(write).await {
        Ok(said) => Ok(back(format!("{HERE}/{id}"), Ok(said))),
        Err(e) => Err(form_page(shop, &staff.0, None, Some(id), Some((typed, e)), PromotionForm::default()).await),
    }
}

/// The new terms.
fn changed(tx: &Tx, form: &PromotionForm, before: &Promotion) -> Result<Terms> {
    if form.kind != before.terms.kind.word() {
        return Err(Error::field("kind", "优惠方式不能改，请新建一个"));
    }
    let old = PromotionForm::of(tx, &before.terms)?;
    let mut terms = form.clone().keeping(before, old).check(tx, tx.now(), &in_the_bin(tx, before)?)?;
    if terms.ends_at != before.terms.ends_at {
        not_over(&terms, tx.now())?;
    }
    if before.issued > 0 {
        terms.subjects.clone_from(&before.terms.subjects);
    }
    if terms.total.is_some_and(|total| total < before.issued) {
        return Err(Error::field("total", format!("已经发出 {} 张，发放总量不能更少", before.issued)));
    }
    if before.issued > 0 && terms.per_buyer < before.terms.per_buyer {
        return Err(Error::field("per_buyer", "已经有人领了，每人限领只能改多"));
    }
    Ok(terms)
}

// ── what is done to one ──

/// Does something to a promotion and writes it down.
async fn act(
    shop: &Shop,
    staff: Staff,
    id: PromotionId,
    write: impl Fn(&Tx, &Promotion) -> Result<String> + Send + 'static,
) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let promotion = store::by_id(tx, id)?.ok_or(Code::NotFound)?;
        let what = write(tx, &promotion)?;
        audit(tx, &staff, &format!("优惠「{}」{what}", promotion.terms.name))?;
        Ok(what)
    };
    back(format!("{HERE}/{id}"), shop.write(write).await)
}

#[derive(FromForm)]
struct Stop {
    #[field(default = false)]
    void: bool,
}

#[post("/promotions/<id>/stop", data = "<form>")]
async fn stop(shop: &State<Shop>, staff: Manager, id: PromotionId, form: Form<Stop>) -> Flash<Redirect> {
    let void = form.void;
    let write = move |tx: &Tx, promotion: &Promotion| {
        let void = void && promotion.is_coupon();
        match store::stop(tx, id, void)? {
            true if void => Ok("已停止，发出去的券也作废了".to_owned()),
            true => Ok("已停止".to_owned()),
            false => Err(Error::from(Code::OrderState).says("它已经停止了")),
        }
    };
    act(shop, staff.0, id, write).await
}

#[post("/promotions/<id>/resume")]
async fn resume(shop: &State<Shop>, staff: Manager, id: PromotionId) -> Flash<Redirect> {
    let write = move |tx: &Tx, promotion: &Promotion| {
        if promotion.terms.is_over(tx.now()) {
            return Err(Error::from(Code::OrderState).says("它的结束时间已经过了，请先改结束时间再恢复"));
        }
        match store::resume(tx, id)? {
            true => Ok("已恢复".to_owned()),
            false => Err(Error::from(Code::OrderState).says("它没有停止，或者已经作废，不能恢复")),
        }
    };
    act(shop, staff.0, id, write).await
}

#[derive(FromForm)]
struct GiveOut {
    /// Order numbers, phones of receivers or customers' numbers, whatever stands between them.
    to: String,
}

#[post("/promotions/<id>/give", data = "<form>")]
async fn give_out(shop: &State<Shop>, staff: Manager, id: PromotionId, form: Form<GiveOut>) -> Flash<Redirect> {
    let to = form.into_inner().to;
    let write = move |tx: &Tx, promotion: &Promotion| {
        if !promotion.is_coupon() {
            return Err(Error::from(Code::OrderState).says("所有人自动享受的优惠不用发"));
        }
        let (mut given, mut not) = (0, Vec::new());
        for name in named(&to).into_iter().take(MOST_BUYERS) {
            let why = match buyers_named(tx, &name)?[..] {
                [] if name.contains(' ') => "分不清是手机号还是买家编号，编号前请写 #".to_owned(),
                [] => "没有这个订单、手机号或买家".to_owned(),
                [_, _, ..] => "不止一位买家用这个手机号，请写买家编号".to_owned(),
                [buyer] => match give::give(tx, promotion, buyer) {
                    Ok(_) => {
                        given += 1;
                        continue;
                    }
                    Err(e) if e.code == Code::CouponUnavailable => e.message().replace("您", "买家"),
                    Err(e) => return Err(e),
                },
            };
            not.push(format!("{name}（{why}）"));
        }
        let left_out = if not.len() > 10 { format!("等 {} 个", not.len()) } else { String::new() };
        let not: Vec<_> = not.into_iter().take(10).collect();
        match (given, not.is_empty()) {
            (0, true) => Err(Error::field("to", "请写订单号、收货手机号或买家编号，一行一个")),
            (0, false) => Err(Error::field("to", format!("一张都没有发：{}{left_out}", not.join("，")))),
            (n, true) => Ok(format!("发了 {n} 张")),
            (n, false) => Ok(format!("发了 {n} 张；没有发的：{}{left_out}", not.join("，"))),
        }
    };
    act(shop, staff.0, id, write).await
}

/// Each name in a list as people paste it. A phone is one however its digits are parted, and words and numbers beside it name
/// nobody; digits that are parted in another way may be customers' numbers, and name nobody together.
fn named(to: &str) -> Vec<String> {
    let mut names = Vec::new();
    for entry in to.split(['\n', ',', '，', ';', '；', '、']).map(bare) {
        let (mut rest, mut found) = (entry.clone(), Vec::new());
        for phone in phones::all(&entry).collect::<Vec<_>>().into_iter().rev() {
            rest.replace_range(phone.at.clone(), " ");
            let written = &entry[phone.at];
            let parts: Vec<usize> = written.split([' ', '-']).map(str::len).collect();
            let is_one = !written.contains(' ') || parts.ends_with(&[3, 4, 4]) || parts.ends_with(&[11]);
            found.push(if is_one { phone.number } else { written.to_owned() });
        }
        let beside = |word: &&str| found.is_empty() || word.starts_with('#') || OrderNo::read(word).is_some();
        names.extend(rest.split_whitespace().filter(beside).map(str::to_owned));
        names.extend(found.into_iter().rev());
    }
    names
}

/// Whom staff mean: by an order, by the phone that parcels of theirs went to, or by the number on a customer's page.
fn buyers_named(conn: &Connection, name: &str) -> Result<Vec<BuyerId>> {
    if let Some(no) = OrderNo::read(name) {
        return Ok(orders::by_no(conn, &no)?.into_iter().map(|order| order.buyer_id).collect());
    }
    let phone = |text: &str| phones::first(text).map(|phone| phone.number);
    if phone(name).as_deref() == Some(name) {
        let filter = Filter { search: Some(name.to_owned()), ..Filter::default() };
        let went_there = search::list(conn, &filter, None, ORDERS_OF_A_PHONE)?.into_iter();
        let there = |to: &Address| phone(&to.phone).as_deref() == Some(name);
        let went_there = went_there.filter(|order| order.address.as_ref().is_some_and(there));
        let mut found: Vec<BuyerId> = went_there.map(|order| order.buyer_id).collect();
        found.sort_unstable();
        found.dedup();
        return Ok(found);
    }
    let Ok(id) = name.trim_start_matches('#').parse::<BuyerId>() else { return Ok(Vec::new()) };
    Ok(if buyers::exists(conn, id)? { vec![id] } else { Vec::new() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn promotion(stopped: bool) -> PromotionShown {
        PromotionShown {
            id: PromotionId(1),
            name: "双十一".into(),
            text: "满 50 减 5".into(),
            kind: Kind::Reduce,
            given_text: Given::Everybody.text(),
            scope_text: Scope::All.text(),
            code: stopped.then(|| "ABCD2345".into()),
            phase: Phase::Running,
            phase_text: Phase::Running.text(),
            stopped,
            voided: false,
            coupon: stopped,
            issued: 3,
            total: stopped.then_some(100),
            starts: "10-08 13:15".into(),
            ends: stopped.then(|| "11-12 00:00".into()),
        }
    }

    #[test]
    fn pages_of_promotions_ask_for_nothing_that_they_are_not_given() {
        let frame = || Frame::sample(Role::Manager);
        for full in [true, false] {
            let page = PromotionsPage {
                frame: frame(),
                section: "promotions",
                may_edit: full,
                tabs: tabs(&[], Phase::Running, 0),
                items: if full { vec![promotion(true), promotion(false)] } else { Vec::new() },
            };
            let html = assets::strictly("console/promotions.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("双十一"), html.contains("这里还没有优惠")), (full, !full));
            let form = PromotionForm { name: "双十一".into(), categories: vec![3], ..PromotionForm::default() };
            let option = |id| CategoryOption { id: crate::ids::CategoryId(id), name: "蛋糕".into(), n: 2 };
            let coupon = |order_no: Option<OrderNo>| CouponShown {
                id: CouponRef::Given(crate::ids::CouponId(1)),
                buyer: BuyerId(7),
                state: CouponState::Used,
                state_text: CouponState::Used.text(),
                order_no,
                ends: Some("11-12 00:00".into()),
            };
            let usage = UsageShown { orders: 1, off: "5.00".into(), paid: "52.00".into(), free: 1, held: 0, used: 1 };
            let page = PromotionPage {
                frame: frame(),
                section: "promotions",
                may_edit: true,
                problem: full.then(|| "请填名称".into()),
                wrong: full.then(|| "name".into()),
                seen: full.then(|| "ab".into()),
                promotion: full.then(|| promotion(true)),
                fixed: full,
                bin: usize::from(full),
                form: form.shown(),
                categories: vec![option(3), option(4)],
                kinds: Kind::ALL.iter().map(|kind| (kind.word(), kind.text())).collect(),
                givens: Given::ALL.iter().map(|given| (given.word(), given.text())).collect(),
                scopes: Scope::ALL.iter().map(|scope| (scope.word(), scope.text())).collect(),
                usage: full.then_some(usage),
                coupons: vec![coupon(None), coupon("261008131540ABCDEFGH".parse().ok())],
            };
            let html = assets::strictly("console/promotion.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("¥52.00"), html.contains("恢复</button>")), (full, full));
            assert_eq!(html.matches("name=\"categories\"").count(), 2);
        }
    }
}
