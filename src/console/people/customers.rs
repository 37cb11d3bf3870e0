//! Customers for staff: who bought, each with a page; notes and tags, who may not order, and the way out of personal data.

use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use rusqlite::Connection;
use serde::Serialize;

use crate::assets;
use crate::buyers::addresses::Address;
use crate::catalogue::media::thumb;
use crate::clock::{self, Day};
use crate::console::{
    Download, Frame, back, beside, cut, filled, framed, query_string, refused, undoable, waiting, workbook,
};
use crate::customers::store::{self, Bought};
use crate::customers::{After, Customer, Filter, Sort, erase, read_note, read_tags};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{BuyerId, OrderId, OrderNo, ProductId, PromotionId};
use crate::money::{plain, yuan};
use crate::orders::store::{self as orders, Wanted};
use crate::orders::{Full, Line, OrderStatus};
use crate::promotions::{Phase, Promotion, give, store as promotions};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Owner, Role, Staff};

pub fn routes() -> Vec<Route> {
    routes![list, export, page, reveal, revealed, note, tags, give_coupon, block, unblock, ask_erase, forget]
}

/// From this role on, customers leave as a table.
pub const EXPORTS_CUSTOMERS: Role = Role::Manager;
/// A table of more is better asked for in parts.
const MOST_EXPORTED: i64 = 20_000;
/// Orders on a customer's page, and addresses in full.
const ORDERS: i64 = 20;
const ADDRESSES: i64 = 50;
/// Goods that somebody buys most.
const FAVOURITES: i64 = 6;

/// What the address says.
#[derive(FromForm, Clone, Debug, Default)]
struct Query {
    /// A sort's word; the newest order first when it is none.
    #[field(default = String::new())]
    by: String,
    #[field(default = String::new())]
    q: String,
    #[field(default = String::new())]
    tag: String,
    #[field(default = false)]
    blocked: bool,
    #[field(default = String::new())]
    after: String,
}

impl Query {
    fn sort(&self) -> Sort {
        self.by.parse().unwrap_or(Sort::Last)
    }

    fn filter(&self) -> Filter {
        Filter { search: filled(&self.q), tag: filled(&self.tag), blocked: self.blocked }
    }

    /// The address of this very list, without its page.
    fn address(&self) -> String {
        let blocked = if self.blocked { "true" } else { "" };
        query_string(&[("by", &self.by), ("q", &self.q), ("tag", &self.tag), ("blocked", blocked)])
    }

    fn with(&self, change: impl FnOnce(&mut Query)) -> String {
        let mut other = self.clone();
        change(&mut other);
        other.address()
    }
}

/// Who bought, sorted and narrowed.
#[derive(Serialize)]
struct CustomersPage<'a> {
    frame: Frame,
    sorts: Vec<SortShown>,
    tags: Vec<TagShown>,
    q: &'a str,
    tag: &'a str,
    by: &'a str,
    blocked: bool,
    /// Addresses of the same list: with the other choice of those that may not order, and without its search.
    blocked_toggled: String,
    unsearched: String,
    may_export: bool,
    most_exported: i64,
    address: String,
    /// From here on it goes on.
    next: Option<String>,
    /// There are others before this page.
    later: bool,
    customers: Vec<RowShown>,
}

/// Pictures of a row; of more goods it is said how many.
const PICTURED: usize = 3;

/// A customer in the list, with what the last order was of.
#[derive(Serialize)]
struct RowShown {
    #[serde(flatten)]
    customer: CustomerShown,
    pictures: Vec<Option<String>>,
    /// So many kinds more than those.
    more: usize,
    goods: String,
}

impl RowShown {
    fn of(customer: &Customer, lines: &[Line], now: i64) -> RowShown {
        RowShown {
            customer: CustomerShown::of(customer, now),
            pictures: lines.iter().take(PICTURED).map(|line| line.image.as_ref().map(thumb)).collect(),
            more: lines.len().saturating_sub(PICTURED),
            goods: lines.iter().map(Line::text).collect::<Vec<_>>().join("，"),
        }
    }
}

fn last_goods(conn: &Connection, no: &OrderNo) -> Result<Vec<Line>> {
    let order = orders::by_no(conn, no)?;
    Ok(order.map(|order| orders::lines(conn, order.id)).transpose()?.unwrap_or_default())
}

#[derive(Serialize)]
struct SortShown {
    text: &'static str,
    here: bool,
    address: String,
}

#[derive(Serialize)]
struct TagShown {
    text: String,
    n: i64,
    here: bool,
    /// The list with it, or without it when it is chosen.
    address: String,
}

impl Query {
    fn sorts(&self) -> Vec<SortShown> {
        let sort = |by: &Sort| SortShown {
            text: by.text(),
            here: *by == self.sort(),
            address: self.with(|q| q.by = by.word().to_owned()),
        };
        Sort::ALL.iter().map(sort).collect()
    }

    fn tag(&self, tag: &str, n: i64) -> TagShown {
        let here = tag == self.tag;
        let address = self.with(|q| q.tag = if here { String::new() } else { tag.to_owned() });
        TagShown { text: tag.to_owned(), n, here, address }
    }
}

#[get("/customers?<query..>")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>, query: Query) -> Result<Template> {
    let (filter, sort, after, size) = (query.filter(), query.sort(), After::read(&query.after), staff.0.lists.rows);
    let read = move |conn: &Connection| {
        let mut customers = store::list(conn, &filter, sort, after, size + 1)?;
        let more = cut(&mut customers, size);
        let next = customers.last().filter(|_| more).map(|(after, _)| after.word());
        let with_goods = |(_, customer): (After, Customer)| {
            let goods = customer.last.as_ref().map(|(no, _)| last_goods(conn, no)).transpose()?.unwrap_or_default();
            Ok((customer, goods))
        };
        let customers: Vec<_> = customers.into_iter().map(with_goods).collect::<Result<_>>()?;
        Ok((customers, next, store::tags(conn)?, waiting(conn)?))
    };
    let (customers, next, tags, waits) = shop.read(read).await?;
    let now = shop.now();
    let page = CustomersPage {
        frame: framed(shop, &staff.0, "customers", flash, waits),
        sorts: query.sorts(),
        tags: tags.iter().map(|(tag, n)| query.tag(tag, *n)).collect(),
        q: &query.q,
        tag: &query.tag,
        by: &query.by,
        blocked: query.blocked,
        blocked_toggled: query.with(|q| q.blocked = !q.blocked),
        unsearched: query.with(|q| q.q.clear()),
        may_export: staff.0.role >= EXPORTS_CUSTOMERS,
        most_exported: MOST_EXPORTED,
        address: query.address(),
        next,
        later: after.is_some(),
        customers: customers.iter().map(|(customer, goods)| RowShown::of(customer, goods, now)).collect(),
    };
    Ok(assets::page("console/customers.html", page))
}

/// A customer without what must be asked for: name and phone are masked.
#[derive(Serialize)]
struct CustomerShown {
    id: BuyerId,
    name: String,
    nickname: String,
    openid: String,
    receiver: Option<String>,
    phone: Option<String>,
    region: Option<String>,
    orders: i64,
    spent: String,
    /// On average, in an order.
    each: Option<String>,
    last_no: Option<OrderNo>,
    last: Option<String>,
    /// How long ago.
    ago: Option<String>,
    note: String,
    tags: Vec<String>,
    since: String,
    blocked: Option<String>,
    erased: Option<String>,
}

impl CustomerShown {
    fn of(customer: &Customer, now: i64) -> CustomerShown {
        let address = customer.address.as_ref();
        let last = customer.last.as_ref();
        CustomerShown {
            id: customer.id,
            name: customer.masked_name(),
            nickname: customer.nickname.clone(),
            openid: customer.openid.clone(),
            receiver: address.map(Address::masked_receiver),
            phone: address.map(Address::masked_phone),
            region: address.map(Address::region),
            orders: customer.orders,
            spent: yuan(customer.spent_fen),
            each: (customer.orders > 0).then(|| yuan(customer.spent_fen / customer.orders)),
            last_no: last.map(|(no, _)| no.clone()),
            last: last.map(|(_, at)| clock::shown_near(*at, now)),
            ago: last.map(|(_, at)| clock::span(now - at)),
            note: customer.note.clone(),
            tags: customer.tags.clone(),
            since: clock::shown(customer.since),
            blocked: customer.blocked_at.map(clock::shown),
            erased: customer.erased_at.map(clock::shown),
        }
    }
}

/// The list as a table, with names, phones and addresses in full: a right of its own, and written down.
#[post("/customers/export.xlsx", data = "<query>")]
async fn export(shop: &State<Shop>, manager: Manager, query: Form<Query>) -> Result<Download> {
    let (filter, sort, now) = (query.filter(), query.sort(), shop.now());
    let read = move |conn: &Connection| Ok(store::list(conn, &filter, sort, None, MOST_EXPORTED)?);
    let customers = shop.read_slowly(read).await?;
    let rows: Vec<Vec<String>> = customers.iter().map(|(_, customer)| exported(customer)).collect();
    let what = format!("导出 {} 位顾客的资料（含姓名、电话、地址）", rows.len());
    shop.write(move |tx| Ok(audit(tx, &manager.0, &what)?)).await?;
    workbook(&format!("顾客-{}.xlsx", Day::of(now).shown()), &COLUMNS, &NUMBERS, rows).await
}

const COLUMNS: [&str; 11] =
    ["顾客编号", "昵称", "收货人", "电话", "地址", "单数", "累计付款", "最近订单", "最近下单", "标签", "备注"];
const NUMBERS: [usize; 2] = [5, 6];

fn exported(customer: &Customer) -> Vec<String> {
    let of_address = |what: fn(&Address) -> String| customer.address.as_ref().map(what).unwrap_or_default();
    vec![
        customer.id.to_string(),
        customer.nickname.clone(),
        of_address(|a| a.receiver.clone()),
        of_address(|a| a.phone.clone()),
        of_address(Address::one_line),
        customer.orders.to_string(),
        plain(customer.spent_fen),
        customer.last.as_ref().map(|(no, _)| no.to_string()).unwrap_or_default(),
        customer.last.as_ref().map(|(_, at)| clock::shown(*at)).unwrap_or_default(),
        customer.tags.join(" "),
        customer.note.clone(),
    ]
}

// ── one customer ──

#[get("/customers/<id>?<before>")]
async fn page(
    shop: &State<Shop>,
    staff: Clerk,
    flash: Option<FlashMessage<'_>>,
    id: &str,
    before: Option<i64>,
) -> Result<Template> {
    render(shop, &staff.0, flash, read_id(id)?, before, false).await
}

/// Whoever opens the address of that page again comes to the customer, where it can be asked for anew.
#[get("/customers/<id>/reveal")]
fn revealed(_staff: Clerk, id: &str) -> Result<Redirect> {
    Ok(Redirect::to(here(read_id(id)?)))
}

/// Shows name, phones and addresses in full, and writes down who looked.
#[post("/customers/<id>/reveal")]
async fn reveal(shop: &State<Shop>, staff: Clerk, id: &str) -> Result<Template> {
    let (id, looked) = (read_id(id)?, staff.0.clone());
    let what = format!("查看顾客 #{id} 的完整资料");
    shop.write(move |tx| Ok(audit(tx, &looked, &what)?)).await?;
    render(shop, &staff.0, None, id, None, true).await
}

fn read_id(id: &str) -> Result<BuyerId> {
    id.parse().map_err(|_| Code::NotFound.into())
}

fn here(id: BuyerId) -> String {
    format!("/admin/customers/{id}")
}

/// One customer, with the orders and what may be done by whoever looks.
#[derive(Serialize)]
struct CustomerPage {
    frame: Frame,
    customer: CustomerShown,
    /// Names, phones and addresses stand there in full.
    revealed: bool,
    addresses: Vec<AddressShown>,
    /// What is bought most.
    favourites: Vec<BoughtShown>,
    orders: Vec<OrderShown>,
    next: Option<OrderId>,
    /// There are newer ones before this page.
    later: bool,
    /// Every tag that somebody has.
    known: Vec<String>,
    coupons: Vec<CouponShown>,
    may_give: bool,
    may_block: bool,
    may_erase: bool,
}

#[derive(Serialize)]
struct AddressShown {
    receiver: String,
    phone: String,
    #[serde(rename = "where")]
    place: String,
}

impl From<&Address> for AddressShown {
    fn from(address: &Address) -> AddressShown {
        AddressShown { receiver: address.receiver.clone(), phone: address.phone.clone(), place: address.one_line() }
    }
}

#[derive(Serialize)]
struct OrderShown {
    no: OrderNo,
    at: String,
    status: OrderStatus,
    status_text: &'static str,
    total: String,
    image: Option<String>,
    refunded: Option<String>,
    goods: String,
}

impl OrderShown {
    fn of(full: &Full, now: i64) -> OrderShown {
        let order = &full.order;
        OrderShown {
            no: order.order_no.clone(),
            at: clock::shown_near(order.created_at, now),
            status: order.status,
            status_text: full.status_text(),
            total: order.total.to_string(),
            image: full.lines.first().and_then(|line| line.image.as_ref()).map(thumb),
            refunded: (order.refunded.get() > 0).then(|| order.refunded.to_string()),
            goods: full.lines.iter().map(|l| format!("{} ×{}", l.name, l.quantity)).collect::<Vec<_>>().join("，"),
        }
    }
}

#[derive(Serialize)]
struct BoughtShown {
    id: ProductId,
    name: String,
    spec: String,
    image: Option<String>,
    pieces: i64,
    orders: i64,
}

impl From<&Bought> for BoughtShown {
    fn from(bought: &Bought) -> BoughtShown {
        BoughtShown {
            id: bought.product,
            name: bought.name.clone(),
            spec: bought.spec.clone(),
            image: bought.image.as_ref().map(thumb),
            pieces: bought.pieces,
            orders: bought.orders,
        }
    }
}

#[derive(Serialize)]
struct CouponShown {
    id: PromotionId,
    name: String,
    text: String,
}

impl From<&Promotion> for CouponShown {
    fn from(promotion: &Promotion) -> CouponShown {
        CouponShown { id: promotion.id, name: promotion.terms.name.clone(), text: promotion.terms.text() }
    }
}

async fn render(
    shop: &Shop,
    staff: &Staff,
    flash: Option<FlashMessage<'_>>,
    id: BuyerId,
    before: Option<i64>,
    revealed: bool,
) -> Result<Template> {
    let read = move |conn: &Connection| {
        let customer = store::one(conn, id)?.ok_or(Code::NotFound)?;
        let addresses = if revealed { store::addresses(conn, id, ADDRESSES)? } else { Vec::new() };
        let page = orders::page_of_buyer(conn, id, Wanted::All, before, ORDERS + 1)?;
        let page: rusqlite::Result<Vec<_>> = page.into_iter().map(|order| orders::full(conn, order)).collect();
        let coupons: Vec<Promotion> = promotions::all(conn)?.into_iter().filter(Promotion::is_coupon).collect();
        let favourites = store::favourites(conn, id, FAVOURITES)?;
        Ok((customer, addresses, page?, favourites, store::tags(conn)?, coupons, waiting(conn)?))
    };
    let (customer, addresses, mut orders, favourites, tags, coupons, waits) = shop.read(read).await?;
    let (more, now) = (cut(&mut orders, ORDERS), shop.now());
    let given = coupons.iter().filter(|one| one.phase(now) != Phase::Ended && !one.is_exhausted());
    let page = CustomerPage {
        frame: framed(shop, staff, "customers", flash, waits),
        customer: CustomerShown::of(&customer, now),
        revealed,
        addresses: addresses.iter().map(AddressShown::from).collect(),
        favourites: favourites.iter().map(BoughtShown::from).collect(),
        orders: orders.iter().map(|full| OrderShown::of(full, now)).collect(),
        next: orders.last().filter(|_| more).map(|full| full.order.id),
        later: before.is_some(),
        known: tags.into_iter().map(|(tag, _)| tag).collect(),
        coupons: given.map(CouponShown::from).collect(),
        may_give: staff.role >= Role::Manager,
        may_block: staff.role >= Role::Manager,
        may_erase: staff.role >= Role::Owner,
    };
    Ok(assets::page("console/customer.html", page))
}

/// Changes what is known of a customer; the log says what. One whose data was taken out stays as he is.
async fn change(
    shop: &Shop,
    staff: Staff,
    id: BuyerId,
    act: impl Fn(&Tx, &Customer) -> Result<String> + Send + 'static,
) -> Result<()> {
    let write = move |tx: &Tx| {
        let customer = store::one(tx, id)?.ok_or(Code::NotFound)?;
        if customer.erased_at.is_some() {
            return Err(Error::from(Code::OrderState).says("这位买家的资料已经删除，不能再改"));
        }
        let what = act(tx, &customer)?;
        Ok(audit(tx, &staff, &what)?)
    };
    shop.write(write).await
}

#[derive(FromForm)]
struct Note {
    note: String,
    /// As its page had shown it.
    was: Vec<String>,
}

#[post("/customers/<id>/note", data = "<form>")]
async fn note(shop: &State<Shop>, staff: Clerk, id: &str, form: Form<Note>) -> Result<Flash<Redirect>> {
    let id = read_id(id)?;
    let done = async {
        let form = form.into_inner();
        let act = move |tx: &Tx, customer: &Customer| {
            let note = read_note(&beside(&customer.note, &form.was, form.note.trim()))?;
            store::set_note(tx, customer.id, &note)?;
            // The log is read by many, and a note is often about a person.
            Ok(format!("改顾客 #{} 的备注", customer.id))
        };
        change(shop, staff.0, id, act).await
    };
    Ok(back(here(id), done.await.map(|()| "备注已保存")))
}

#[derive(FromForm)]
struct Tags {
    tags: String,
    was: Option<String>,
}

#[post("/customers/<id>/tags", data = "<form>")]
async fn tags(shop: &State<Shop>, staff: Clerk, id: &str, form: Form<Tags>) -> Result<Flash<Redirect>> {
    let id = read_id(id)?;
    let done = async {
        let (typed, was) = (read_tags(&form.tags)?, form.was.as_deref().map(read_tags).transpose()?);
        let act = move |tx: &Tx, customer: &Customer| {
            // Those that a colleague has put there since this page was made stay, and those that he took off stay off.
            let was = was.as_ref().unwrap_or(&customer.tags);
            let kept = customer.tags.iter().filter(|tag| typed.contains(tag) || !was.contains(tag));
            let new = typed.iter().filter(|tag| !was.contains(tag) && !customer.tags.contains(tag));
            let tags = read_tags(&kept.chain(new).map(String::as_str).collect::<Vec<_>>().join(" "))?;
            store::set_tags(tx, customer.id, &tags)?;
            Ok(format!("改顾客 #{} 的标签，现在 {} 个", customer.id, tags.len()))
        };
        change(shop, staff.0, id, act).await
    };
    Ok(back(here(id), done.await.map(|()| "标签已保存")))
}

#[derive(FromForm)]
struct Gift {
    promotion: i64,
}

/// One coupon for this customer, by the promotion's own rules.
#[post("/customers/<id>/coupon", data = "<form>")]
async fn give_coupon(shop: &State<Shop>, staff: Manager, id: &str, form: Form<Gift>) -> Result<Flash<Redirect>> {
    let (id, promotion) = (read_id(id)?, PromotionId(form.promotion));
    let act = move |tx: &Tx, customer: &Customer| {
        let promotion = promotions::by_id(tx, promotion)?.filter(Promotion::is_coupon).ok_or(Code::NotFound)?;
        give::give(tx, &promotion, customer.id)
            .map_err(|e| Error { message: Some(e.message().replace('您', "买家")), ..e })?;
        Ok(format!("给顾客 #{} 发优惠券「{}」", customer.id, promotion.terms.name))
    };
    Ok(back(here(id), change(shop, staff.0, id, act).await.map(|()| "券已发到他的小程序里")))
}

#[post("/customers/<id>/block")]
async fn block(shop: &State<Shop>, staff: Manager, id: &str) -> Result<Flash<Redirect>> {
    let id = read_id(id)?;
    let act = |tx: &Tx, customer: &Customer| {
        store::set_blocked(tx, customer.id, Some(customer.blocked_at.unwrap_or(tx.now())))?;
        Ok(format!("停止顾客 #{} 下单", customer.id))
    };
    let done = "他不能再下新订单；已有的订单照常处理";
    Ok(match change(shop, staff.0, id, act).await {
        Ok(()) => undoable(here(id), done, &format!("{}/unblock", here(id))),
        Err(e) => refused(here(id), e),
    })
}

#[post("/customers/<id>/unblock")]
async fn unblock(shop: &State<Shop>, staff: Manager, id: &str) -> Result<Flash<Redirect>> {
    let id = read_id(id)?;
    let act = |tx: &Tx, customer: &Customer| {
        store::set_blocked(tx, customer.id, None)?;
        Ok(format!("恢复顾客 #{} 下单", customer.id))
    };
    Ok(back(here(id), change(shop, staff.0, id, act).await.map(|()| "他又可以下单了")))
}

#[derive(Serialize)]
struct ErasePage {
    frame: Frame,
    customer: CustomerShown,
    /// Why it cannot be done yet.
    refused: Option<String>,
}

#[get("/customers/<id>/erase")]
async fn ask_erase(shop: &State<Shop>, owner: Owner, id: &str) -> Result<Template> {
    let id = read_id(id)?;
    let read = move |conn: &Connection| {
        let customer = store::one(conn, id)?.ok_or(Code::NotFound)?;
        Ok((customer, erase::refused(conn, id)?, waiting(conn)?))
    };
    let (customer, refused, waits) = shop.read(read).await?;
    let frame = framed(shop, &owner.0, "customers", None, waits);
    let page = ErasePage { frame, customer: CustomerShown::of(&customer, shop.now()), refused };
    Ok(assets::page("console/customer_erase.html", page))
}

#[post("/customers/<id>/erase")]
async fn forget(shop: &State<Shop>, owner: Owner, id: &str) -> Result<Flash<Redirect>> {
    let id = read_id(id)?;
    let what = format!("按买家要求删除顾客 #{id} 的资料");
    let done = erase::erase(shop, id, move |tx| Ok(audit(tx, &owner.0, &what)?)).await;
    Ok(back(here(id), done.map(|()| "资料已删除。之前的备份里还有，会随备份轮换消失")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(full: bool) -> CustomerShown {
        let some = |text: &str| full.then(|| text.to_owned());
        CustomerShown {
            id: BuyerId(7),
            name: "李*".into(),
            nickname: some("小李").unwrap_or_default(),
            openid: "abcd".into(),
            receiver: some("李*"),
            phone: some("138****1234"),
            region: some("广东省 深圳市"),
            orders: i64::from(full),
            spent: "57.00".into(),
            each: some("57.00"),
            last_no: full.then(|| "261008131540ABCDEFGH".parse().unwrap()),
            last: some("10-08 13:15"),
            ago: some("3 天"),
            note: some("爱吃草莓").unwrap_or_default(),
            tags: some("老客").into_iter().collect(),
            since: "2026-10-08 13:15:40".into(),
            blocked: some("2026-10-09 13:15:40"),
            erased: None,
        }
    }

    #[test]
    fn pages_of_customers_ask_for_nothing_that_they_are_not_given() {
        for full in [true, false] {
            let query = Query { q: if full { "李".into() } else { String::new() }, ..Query::default() };
            let row = |full: bool| RowShown {
                customer: customer(full),
                pictures: if full { vec![None, Some("/media/1.jpg".into())] } else { Vec::new() },
                more: usize::from(full),
                goods: "草莓 ×2".into(),
            };
            let page = CustomersPage {
                frame: Frame::sample(Role::Owner),
                sorts: query.sorts(),
                tags: vec![query.tag("老客", 3)],
                q: &query.q,
                tag: &query.tag,
                by: &query.by,
                blocked: query.blocked,
                blocked_toggled: query.with(|q| q.blocked = true),
                unsearched: query.with(|q| q.q.clear()),
                may_export: full,
                most_exported: MOST_EXPORTED,
                address: query.address(),
                next: full.then(|| "9".to_owned()),
                later: full,
                customers: if full { vec![row(true), row(false)] } else { Vec::new() },
            };
            let html = assets::strictly("console/customers.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("最多 20000 位"), html.contains("还没有人付过款")), (full, !full));
            let order = OrderShown {
                no: "261008131540ABCDEFGH".parse().unwrap(),
                at: "10-08 13:15".into(),
                status: OrderStatus::Completed,
                status_text: OrderStatus::Completed.text(),
                total: "57.00".into(),
                image: None,
                refunded: Some("5.00".into()),
                goods: "草莓 ×2".into(),
            };
            let address =
                AddressShown {
                    receiver: "李四".into(), phone: "13800001234".into(), place: "科技园 1 号".into()
                };
            let coupon = CouponShown { id: PromotionId(1), name: "满减".into(), text: "满 50 减 5".into() };
            let liked = |image: Option<&str>| BoughtShown {
                id: ProductId(1),
                name: "草莓".into(),
                spec: "1 斤".into(),
                image: image.map(str::to_owned),
                pieces: 3,
                orders: 2,
            };
            let page = CustomerPage {
                favourites: if full { vec![liked(None), liked(Some("/media/1.jpg"))] } else { Vec::new() },
                frame: Frame::sample(Role::Owner),
                customer: customer(full),
                revealed: full,
                addresses: vec![address],
                orders: if full { vec![order] } else { Vec::new() },
                next: full.then_some(OrderId(1)),
                later: full,
                known: vec!["老客".into()],
                coupons: vec![coupon],
                may_give: full,
                may_block: full,
                may_erase: full,
            };
            let html = assets::strictly("console/customer.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("科技园"), html.contains("发一张")), (full, full));
            let refused = full.then(|| "还有没有办完的订单".to_owned());
            let page = ErasePage { frame: Frame::sample(Role::Owner), customer: customer(full), refused };
            let html = assets::strictly("console/customer_erase.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("没有办完"), full);
        }
    }
}
