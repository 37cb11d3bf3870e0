//! The list of orders: counted tabs, filters that live in the address, marks and memos in place, and the way out as a
//! spreadsheet.

use std::collections::BTreeMap;

use rocket::http::ContentType;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::card::Card;
use super::columns::OrderColumn;
use crate::assets;
use crate::catalogue::Delivery;
use crate::clock::{self, DAY, Day};
use crate::console::Waiting;
use crate::console::columns::{self, Choice, Head};
use crate::console::lengths::VIEW_NAME;
use crate::console::undo::{self, Step};
use crate::console::{
    Download, Frame, back, back_undoable, cut, download, filled, framed, inside, query_string, refused, waiting,
    workbook,
};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::exceptions::{Exception, store as exceptions};
use crate::ids::OrderNo;
use crate::ledger::store as ledger;
use crate::orders::search::{Filter, Mark, Sort, no_places_in, store as search};
use crate::orders::store;
use crate::orders::{Chip, Flag, Full, Line, Order, OrderStatus, Topic, Who};
use crate::refunds::store as refunds;
use crate::returns::store as returns;
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Role, Staff, store as staff_store};
use crate::tables;

pub fn routes() -> Vec<Route> {
    routes![list, export, export_csv, bulk_page, bulk, keep_view, drop_view]
}

/// So many orders at a time are marked or printed.
const MOST_AT_ONCE: i64 = 500;
/// A spreadsheet of more is better asked for in parts.
const MOST_EXPORTED: i64 = 20_000;
/// Counting what was searched for any further helps nobody.
const COUNTED: i64 = 200;
/// The same for what waits.
const WAITING: i64 = 1_000;

/// What the address says.
#[derive(FromForm, Clone, Debug, Default, Serialize)]
pub struct Query {
    #[field(default = String::new())]
    #[serde(skip)]
    tab: String,
    #[field(default = String::new())]
    q: String,
    /// `today`, `yesterday`, `7`, `30`, or empty for `from` and `to`.
    #[field(default = String::new())]
    days: String,
    #[field(default = String::new())]
    from: String,
    #[field(default = String::new())]
    to: String,
    #[field(default = String::new())]
    product: String,
    #[field(default = String::new())]
    region: String,
    #[field(default = String::new())]
    flag: String,
    #[field(default = false)]
    remark: bool,
    #[field(default = false)]
    late: bool,
    #[field(default = false)]
    unprinted: bool,
    #[field(default = String::new())]
    delivery: String,
    /// `today`, `tomorrow`, or a day on which it is brought or fetched.
    #[field(default = String::new())]
    slot: String,
    /// `table` or `cards`, for once; else as this person likes it.
    #[field(default = String::new())]
    #[serde(skip)]
    view: String,
    /// What is opened over the list: `filter` or `columns`. It is left out of every other page.
    #[field(default = String::new())]
    panel: String,
    /// How the list stands, by its word.
    #[field(default = String::new())]
    #[serde(skip)]
    sort: String,
    /// The last order of the page before, as its mark.
    #[field(default = String::new())]
    #[serde(skip)]
    after: String,
    /// All that the filter finds is ticked, not only this page.
    #[field(default = false)]
    #[serde(skip)]
    all: bool,
}

/// What cards are sorted by, which have no heads.
const BY_CARDS: [OrderColumn; 3] = [OrderColumn::Placed, OrderColumn::Total, OrderColumn::Waited];

/// Takes one thing out of what narrows a list.
type Off = fn(&mut Query);

/// A tab by its word and text, with how many orders stand in it if that is counted.
type Tab = (&'static str, &'static str, Option<i64>);

/// The orders a list shows, up to how many are handled at once.
pub fn numbers(conn: &rusqlite::Connection, filter: &Filter, sort: Sort) -> Result<Vec<(Mark, OrderNo)>> {
    Ok(search::numbers(conn, filter, sort, MOST_AT_ONCE)?)
}

impl Query {
    /// What a list's address asks for; of one that says nothing sensible, everything.
    pub fn read(address: &str) -> Query {
        rocket::form::Form::<Query>::parse_encoded(address.into()).unwrap_or_default()
    }

    /// The order that was asked for. Unless somebody said otherwise, of those that wait to be shipped the one comes first that has
    /// waited longest, and of all others the newest.
    pub fn sort(&self) -> Sort {
        let usual = if self.filter(0).waits() { Sort::LongestWaiting } else { Sort::Newest };
        self.sort.parse().unwrap_or(usual)
    }

    /// How long one waits is asked only of those that wait, and what they pay only by who may see it.
    fn may_sort(&self, staff: &Staff) -> bool {
        let sort = self.sort();
        (!sort.is_by_waiting() || self.filter(0).waits())
            && (!sort.is_by_amount() || OrderColumn::Total.is_seen_by(staff))
    }

    pub fn filter(&self, now: i64) -> Filter {
        Filter {
            status: self.tab.parse().ok(),
            part_shipped: self.tab == "part_shipped",
            refunding: self.tab == "refunding",
            with_exception: self.tab == "exception",
            search: filled(&self.q),
            placed: self.placed(now),
            paid_before: self.late.then_some(now - DAY),
            product: filled(&self.product),
            region: filled(&self.region),
            flag: self.flag.parse().ok(),
            remarked: self.remark,
            unprinted: self.unprinted,
            to_pack: false,
            booked: self.booked(now),
            delivery: self.delivery.parse().ok(),
            ids: Vec::new(),
        }
    }

    fn placed(&self, now: i64) -> (Option<i64>, Option<i64>) {
        let today = Day::of(now);
        match self.days.as_str() {
            "today" => (Some(today.start()), None),
            "yesterday" => (Some(today.plus(-1).start()), Some(today.start())),
            "7" => (Some(today.plus(-6).start()), None),
            "30" => (Some(today.plus(-29).start()), None),
            _ => {
                let (from, to) = Day::span(Day::read(&self.from), Day::read(&self.to));
                (from.map(Day::start), to.map(Day::end))
            }
        }
    }

    fn booked(&self, now: i64) -> Option<(i64, i64)> {
        let today = Day::of(now);
        let day = match self.slot.as_str() {
            "today" => Some(today),
            "tomorrow" => Some(today.plus(1)),
            day => Day::read(day),
        };
        day.map(|day| (day.start(), day.end()))
    }

    /// What nothing can be found by narrows nothing, and so is no chip either.
    fn clear_nonsense(&mut self) {
        if !matches!(self.days.as_str(), "today" | "yesterday" | "7" | "30") {
            self.days.clear();
        }
        let (from, to) = Day::span(Day::read(&self.from), Day::read(&self.to));
        (self.from, self.to) = (from.map(Day::shown).unwrap_or_default(), to.map(Day::shown).unwrap_or_default());
        for words in [&mut self.q, &mut self.product, &mut self.region] {
            if filled(words).is_none() {
                words.clear();
            }
        }
        if self.booked(0).is_none() {
            self.slot.clear();
        }
        if self.flag.parse::<Flag>().is_err() {
            self.flag.clear();
        }
        if self.delivery.parse::<Delivery>().is_err() {
            self.delivery.clear();
        }
    }

    /// The address of this very list, without its page.
    fn address(&self) -> String {
        let yes = |on: bool| if on { "true" } else { "" };
        let pairs = [
            ("tab", self.tab.as_str()),
            ("q", &self.q),
            ("days", &self.days),
            ("from", &self.from),
            ("to", &self.to),
            ("product", &self.product),
            ("region", &self.region),
            ("flag", &self.flag),
            ("remark", yes(self.remark)),
            ("late", yes(self.late)),
            ("unprinted", yes(self.unprinted)),
            ("delivery", &self.delivery),
            ("slot", &self.slot),
            ("sort", self.sort.as_str()),
        ];
        query_string(&pairs)
    }

    /// What narrows the list, each with the list's address without it.
    fn chips(&self) -> Vec<ChipShown> {
        let days = |word: &str| match word {
            "today" => "今天下单",
            "yesterday" => "昨天下单",
            "7" => "近 7 天下单",
            _ => "近 30 天下单",
        };
        let flag = self.flag.parse::<Flag>().map(Flag::text).unwrap_or_default();
        let slot = match self.slot.as_str() {
            "today" => "约在今天".to_owned(),
            "tomorrow" => "约在明天".to_owned(),
            day => format!("约在 {day}"),
        };
        let way = self.delivery.parse::<Delivery>().map(Delivery::text).unwrap_or_default();
        let named = |name: &str, value: &str| if value.is_empty() { String::new() } else { format!("{name}{value}") };
        let marked = |on: bool, text: &str| if on { text.to_owned() } else { String::new() };
        let chips: [(String, Off); 12] = [
            (named("找：", &self.q), |q| q.q.clear()),
            (marked(!self.days.is_empty(), days(&self.days)), |q| q.days.clear()),
            (named("从 ", &self.from), |q| q.from.clear()),
            (named("到 ", &self.to), |q| q.to.clear()),
            (named("商品：", &self.product), |q| q.product.clear()),
            (named("地区：", &self.region), |q| q.region.clear()),
            (flag.to_owned(), |q| q.flag.clear()),
            (marked(self.remark, "有买家留言"), |q| q.remark = false),
            (marked(self.late, "超 24 小时未发"), |q| q.late = false),
            (marked(self.unprinted, "未打印"), |q| q.unprinted = false),
            (way.to_owned(), |q| q.delivery.clear()),
            (marked(!self.slot.is_empty(), &slot), |q| q.slot.clear()),
        ];
        let shown = chips.into_iter().filter(|(text, _)| !text.is_empty());
        shown.map(|(text, off)| ChipShown { text, without: self.with(off) }).collect()
    }

    /// The address of this list with one thing changed.
    fn with(&self, change: impl FnOnce(&mut Query)) -> String {
        let mut other = self.clone();
        change(&mut other);
        other.address()
    }

    /// Whether an order that is paid for now belongs into this list.
    fn shows_new(&self) -> bool {
        matches!(self.tab.as_str(), "" | "all" | "to_ship")
            && self.q.is_empty()
            && !self.narrows()
            && self.after.is_empty()
    }

    fn narrows(&self) -> bool {
        let texts =
            [&self.days, &self.from, &self.to, &self.product, &self.region, &self.flag, &self.delivery, &self.slot];
        texts.iter().any(|text| !text.is_empty()) || self.remark || self.late || self.unprinted
    }
}

/// What one look at the database finds.
struct Seen {
    waiting: Waiting,
    tabs: Vec<Tab>,
    /// Money to decide about that belongs to no order, where that is what is looked for.
    stray: i64,
    views: Vec<(i64, String, String)>,
    found: String,
    /// How the list really stands.
    sort: Sort,
    cards: Vec<Card>,
    next: Option<Mark>,
    ticked: Vec<(Mark, OrderNo)>,
}

fn look(conn: &rusqlite::Connection, staff: &Staff, query: &Query, now: i64) -> Result<Seen> {
    let (filter, size) = (query.filter(now), staff.lists.rows);
    let sort = search::possible(conn, &filter, query.sort())?;
    let after = Mark::read(&query.after).filter(|_| sort == query.sort());
    let mut orders = search::sorted(conn, &filter, sort, after, size + 1)?;
    let more = cut(&mut orders, size);
    let next = orders.last().filter(|_| more).map(|(mark, _)| *mark);
    let waiting = waiting(conn)?;
    let tabs = counts(conn, waiting.exceptions)?;
    Ok(Seen {
        waiting,
        tabs,
        stray: if filter.with_exception { exceptions::count_without_order(conn)? } else { 0 },
        views: staff_store::views(conn, staff.id)?,
        found: found(conn, &filter)?,
        sort,
        cards: orders.into_iter().map(|(_, order)| card(conn, order, now)).collect::<Result<_>>()?,
        next,
        ticked: if query.all { numbers(conn, &filter, sort)? } else { Vec::new() },
    })
}

/// How many a filter finds, as far as counting helps.
fn found(conn: &rusqlite::Connection, filter: &Filter) -> Result<String> {
    if let Some(status) = filter.only_status() {
        return Ok(kept_count(conn, status)?.to_string());
    }
    let n = search::count(conn, filter, COUNTED + 1)?;
    Ok(if n > COUNTED { format!("{COUNTED}+") } else { n.to_string() })
}

fn card(conn: &rusqlite::Connection, order: Order, now: i64) -> Result<Card> {
    let flagged = exceptions::of_order(conn, order.id)?.iter().any(Exception::waits_for_a_person);
    let (waits, buyer, id) = (order.status == OrderStatus::ToShip, order.buyer_id, order.id);
    let mut card = Card::of(&store::full(conn, order)?, flagged, now);
    if waits {
        card.others = Some(store::others_to_ship(conn, buyer, id)?);
    }
    Ok(card)
}

#[get("/orders?<query..>")]
async fn list(shop: &State<Shop>, staff: Staff, flash: Option<FlashMessage<'_>>, mut query: Query) -> Result<Template> {
    if !query.may_sort(&staff) {
        query.sort.clear();
    }
    query.clear_nonsense();
    let (now, asked, person) = (shop.now(), query.clone(), staff.clone());
    let seen = shop.read(move |conn| look(conn, &person, &asked, now)).await?;
    let page = ListPage::of(shop, &staff, flash, &query, seen);
    Ok(assets::page("console/orders.html", page))
}

impl<'q> ListPage<'q> {
    fn of(shop: &Shop, staff: &Staff, flash: Option<FlashMessage<'_>>, query: &'q Query, seen: Seen) -> ListPage<'q> {
        let Seen { waiting, tabs, stray, views, found, sort, cards, next, ticked } = seen;
        let address = query.address();
        let here = |no: &OrderNo| cards.iter().any(|card| card.no == *no);
        let tab = |(word, text, n): Tab| TabShown {
            word,
            text,
            n,
            alarm: word == "exception" && n.is_some_and(|n| n > 0),
            address: query.with(|other| {
                other.tab = word.to_owned();
                // How long one waits is asked of no others.
                if sort.is_by_waiting() && !other.filter(0).waits() {
                    other.sort.clear();
                }
            }),
        };
        let view = |(id, name, query): (i64, String, String)| ViewShown { id, here: query == address, name, query };
        let may = |column: OrderColumn| column.is_seen_by(staff);
        let shown = columns::chosen(staff.lists.order_columns.as_deref(), may);
        let filter = query.filter(0);
        let (waits, alike) = (filter.waits(), filter.waits() || filter.status.is_some());
        use OrderStatus::{Completed, Shipped, ToShip};
        let all_paid = waits || filter.status.is_some_and(|status| matches!(status, ToShip | Shipped | Completed));
        let head = |column: &OrderColumn| {
            let mut head = Head::of(*column, column.ways(waits, alike), sort, |sort| {
                query.with(|other| other.sort = sort.word().to_owned())
            });
            if *column == OrderColumn::Total && all_paid {
                head.text = "实付";
            }
            head
        };
        ListPage {
            frame: framed(shop, staff, "orders", flash, waiting),
            tabs: tabs.into_iter().map(tab).collect(),
            tab: if query.tab.is_empty() { "all" } else { &query.tab },
            table: if query.view.is_empty() { staff.lists.order_table } else { query.view == "table" },
            heads: columns::by_one(shown.iter().map(head).collect()),
            sorts: BY_CARDS.iter().filter(|column| may(**column)).map(head).filter(Head::sorts).collect(),
            choices: if query.panel == "columns" { columns::choices(&shown, may) } else { Vec::new() },
            shows: OrderColumn::ALL.iter().map(|column| (column.word(), shown.contains(column))).collect(),
            sees_money: may(OrderColumn::Total),
            all_paid,
            exports_all: staff.role >= EXPORTS_BUYERS,
            too_many: (sort != query.sort()).then_some(search::SORTED),
            stray,
            no_places: no_places_in(&query.region).join("、"),
            flags: flags(),
            narrows: query.narrows(),
            chips: query.chips(),
            cleared: Query { tab: query.tab.clone(), ..Query::default() }.address(),
            views: views.into_iter().map(view).collect(),
            found,
            from_here: query_string(&[("list", &address)]),
            all: query.all,
            beyond: ticked.into_iter().map(|(_, no)| no).filter(|no| !here(no)).collect(),
            next: next.map(Mark::word),
            behind: sort == Sort::LongestWaiting,
            since: query.shows_new().then(|| shop.now()),
            later: !query.after.is_empty(),
            address,
            query,
            orders: cards,
        }
    }
}

/// Everything that the list of orders shows.
#[derive(Serialize)]
struct ListPage<'q> {
    frame: Frame,
    tabs: Vec<TabShown>,
    /// The word of the tab in view.
    tab: &'q str,
    /// What was typed into the search and the filters.
    #[serde(flatten)]
    query: &'q Query,
    /// A table rather than cards.
    table: bool,
    heads: Vec<Head>,
    /// The same where there are no heads.
    sorts: Vec<Head>,
    /// Empty until somebody wants to choose.
    choices: Vec<Choice>,
    /// Which columns the table has, by their words.
    shows: BTreeMap<&'static str, bool>,
    sees_money: bool,
    /// None of these waits for its money.
    all_paid: bool,
    /// His export is this list with its buyers' data; otherwise what of it waits to be shipped, masked.
    exports_all: bool,
    /// More than this many were found to be put in the order that was asked for.
    too_many: Option<i64>,
    /// Money to decide about that belongs to no order.
    stray: i64,
    /// What the filter has for a region, and is none.
    no_places: String,
    flags: Vec<FlagShown>,
    narrows: bool,
    chips: Vec<ChipShown>,
    /// The address without any filter.
    cleared: String,
    views: Vec<ViewShown>,
    /// How many there are, as far as they were counted.
    found: String,
    address: String,
    from_here: String,
    /// All that were found are ticked, beyond this page too.
    all: bool,
    beyond: Vec<OrderNo>,
    orders: Vec<Card>,
    next: Option<String>,
    /// When this was read, where new orders would stand in it.
    since: Option<i64>,
    /// Those come last in it.
    behind: bool,
    /// There are others before this page.
    later: bool,
}

#[derive(Serialize)]
struct TabShown {
    word: &'static str,
    text: &'static str,
    n: Option<i64>,
    alarm: bool,
    address: String,
}

/// A filter that is set, and the list without it.
#[derive(Serialize)]
struct ChipShown {
    text: String,
    without: String,
}

/// A list that was kept under a name.
#[derive(Serialize)]
struct ViewShown {
    id: i64,
    name: String,
    query: String,
    here: bool,
}

#[derive(Serialize)]
pub struct FlagShown {
    word: Flag,
    text: &'static str,
}

/// All orders of a status, or all there are: a number that is kept.
fn kept_count(conn: &rusqlite::Connection, status: Option<OrderStatus>) -> Result<i64> {
    let counts = store::status_counts(conn)?;
    Ok(counts.iter().filter(|(word, _)| status.is_none_or(|status| word == status.word())).map(|(_, n)| n).sum())
}

pub fn flags() -> Vec<FlagShown> {
    Flag::ALL.iter().map(|flag| FlagShown { word: *flag, text: flag.text() }).collect()
}

/// The tabs and how many orders stand in each. Tabs whose number only grows show none: counting the past helps nobody.
fn counts(conn: &rusqlite::Connection, to_decide: i64) -> Result<Vec<Tab>> {
    let counts = store::status_counts(conn)?;
    let refunding: i64 = refunds::counts(conn)?.iter().filter(|(state, _)| state.is_open()).map(|(_, n)| n).sum();
    let returning: i64 = returns::counts(conn)?.iter().filter(|(state, _)| state.is_open()).map(|(_, n)| n).sum();
    let part = Filter { part_shipped: true, ..Filter::default() };
    let mut tabs = vec![("all", "全部", None)];
    for status in OrderStatus::ALL {
        let shows = !matches!(status, OrderStatus::Completed | OrderStatus::Closed);
        let n = counts.iter().find(|(word, _)| word == status.word()).map_or(0, |(_, n)| *n);
        tabs.push((status.word(), status.text(), shows.then_some(n)));
        if *status == OrderStatus::ToShip {
            tabs.push(("part_shipped", "部分发货", Some(search::count(conn, &part, WAITING)?)));
        }
    }
    tabs.push(("refunding", "售后", Some(refunding + returning)));
    // The same number as on the first page: orders or not, somebody must decide about so many.
    tabs.push(("exception", "资金异常", Some(to_decide)));
    Ok(tabs)
}

// ── many at once ──

#[derive(FromForm)]
struct Bulk {
    order: Vec<String>,
    /// A flag's word, or `none`.
    #[field(default = String::new())]
    flag: String,
    /// The list it came from.
    #[field(default = String::new())]
    list: String,
    /// Another page that it came from.
    back: Option<String>,
}

/// Whoever opens the address itself is led back to the list.
#[get("/orders/bulk")]
fn bulk_page(_staff: Staff) -> Redirect {
    Redirect::to("/admin/orders")
}

#[post("/orders/bulk", data = "<form>")]
async fn bulk(shop: &State<Shop>, staff: Staff, form: Form<Bulk>) -> Flash<Redirect> {
    let to = inside(form.back.clone().unwrap_or_else(|| format!("/admin/orders?{}", form.list)));
    back_undoable(to, mark(shop, staff, &form).await)
}

/// Answers with what was done, and where it is taken back.
async fn mark(shop: &Shop, staff: Staff, form: &Bulk) -> Result<(String, String)> {
    let flag = form.flag.parse::<Flag>().ok();
    let numbers = form.order.clone();
    let words = flag.map_or("取消旗标".to_owned(), |flag| format!("标记{}", flag.text()));
    let write = move |tx: &Tx| {
        let orders = chosen(tx, &numbers)?;
        let same = orders.iter().filter(|order| order.flag == flag).count();
        let beside = if same > 0 { format!("，{same} 单本来就是") } else { String::new() };
        let done = format!("{} 单已{words}{beside}", orders.len() - same);
        let word = |flag: Option<Flag>| flag.map_or("", Flag::word).to_owned();
        let mut steps = Vec::new();
        for order in orders.iter().filter(|order| order.flag != flag) {
            store::set_flag(tx, order.id, flag)?;
            store::note(tx, order.id, &Who::staff(&staff.name), Topic::Order, &words)?;
            steps.push(Step::Flag { order: order.id.0, was: word(order.flag), is: word(flag) });
        }
        let undo = undo::keep(tx, &staff, &done, &steps)?;
        Ok((done, undo))
    };
    shop.write(write).await
}

/// The orders of these numbers, in the order in which they were named: slips lie as the list stood from which they were printed.
pub fn chosen(conn: &rusqlite::Connection, numbers: &[String]) -> Result<Vec<Order>> {
    let ids: Vec<OrderNo> = numbers.iter().filter_map(|no| no.parse().ok()).collect();
    if ids.is_empty() {
        return Err(Error::field("order", "请先勾选订单"));
    }
    if ids.len() as i64 > MOST_AT_ONCE {
        return Err(Error::field("order", format!("一次最多 {MOST_AT_ONCE} 单，请分几次")));
    }
    let filter = Filter { ids, ..Filter::default() };
    let mut orders = search::list(conn, &filter, None, MOST_AT_ONCE)?;
    orders.sort_by_key(|order| filter.ids.iter().position(|no| *no == order.order_no));
    Ok(orders)
}

/// From this role on, an export has names, phones and addresses in full.
pub const EXPORTS_BUYERS: Role = Role::Clerk;

const COLUMNS: [&str; 22] = [
    "订单号",
    "下单时间",
    "状态",
    "付款时间",
    "商品",
    "件数",
    "商品金额",
    "运费",
    "优惠",
    "实付",
    "已退",
    "收货人",
    "电话",
    "地址",
    "买家留言",
    "商家备注",
    "快递公司",
    "快递单号",
    "微信交易号",
    "待发商品",
    "待发件数",
    "售后",
];

/// The columns that can be summed up: pieces and amounts.
const NUMBERS: [usize; 7] = [5, 6, 7, 8, 9, 10, 20];

/// What is still to go, beside what was bought; a packer has it in the place of that.
const TO_GO: [usize; 2] = [19, 20];

/// What somebody sees only who also sees it on a page: amounts, and the number of the payment.
const MONEY: [usize; 6] = [6, 7, 8, 9, 10, 18];

/// A table of orders on its way out.
struct Exported {
    titles: Vec<&'static str>,
    numbers: Vec<usize>,
    rows: Vec<Vec<String>>,
}

impl Exported {
    fn of(rows: Vec<Vec<String>>, sees_money: bool) -> Exported {
        let kept = |at: &usize| sees_money || !MONEY.contains(at) && !TO_GO.contains(at);
        let kept: Vec<usize> = (0..COLUMNS.len()).filter(kept).collect();
        let only_kept = |row: Vec<String>| {
            row.into_iter().enumerate().filter(|(at, _)| kept.contains(at)).map(|(_, cell)| cell).collect()
        };
        Exported {
            rows: rows.into_iter().map(only_kept).collect(),
            titles: kept.iter().map(|at| COLUMNS[*at]).collect(),
            numbers: (0..kept.len()).filter(|at| NUMBERS.contains(&kept[*at])).collect(),
        }
    }
}

#[get("/orders/export.xlsx?<query..>")]
async fn export(shop: &State<Shop>, staff: Staff, query: Query) -> Result<Download> {
    let Exported { titles, numbers, rows } = all(shop, staff, &query).await?;
    workbook(&format!("订单-{}.xlsx", Day::of(shop.now()).shown()), &titles, &numbers, rows).await
}

#[get("/orders/export.csv?<query..>")]
async fn export_csv(shop: &State<Shop>, staff: Staff, query: Query) -> Result<Download> {
    let Exported { titles, numbers, rows } = all(shop, staff, &query).await?;
    let name = format!("订单-{}.csv", Day::of(shop.now()).shown());
    Ok(download(ContentType::CSV, &name, tables::csv(&titles, &numbers, &rows)))
}

/// What the list shows, all of it. Taking buyers' data along is a right of its own: a packer gets what waits to be
/// shipped, masked and without amounts as on the screen. Where addresses leave in full, it is written down who took them.
async fn all(shop: &Shop, staff: Staff, query: &Query) -> Result<Exported> {
    let mut filter = query.filter(shop.now());
    let (whole, sees_money) = (staff.role >= EXPORTS_BUYERS, OrderColumn::Total.is_seen_by(&staff));
    if !whole {
        (filter.status, filter.to_pack) = (Some(OrderStatus::ToShip), true);
    }
    let read = move |conn: &rusqlite::Connection| {
        if search::count(conn, &filter, MOST_EXPORTED + 1)? > MOST_EXPORTED {
            let words = format!("一次最多导出 {MOST_EXPORTED} 单，请用下单时间分几次导出");
            return Err(Error::from(Code::ValidationFailed).says(words));
        }
        search::list(conn, &filter, None, MOST_EXPORTED)?
            .into_iter()
            .map(|order| exported(conn, order, whole))
            .collect()
    };
    let rows: Vec<Vec<String>> = shop.read_slowly(read).await?;
    let what = format!("导出 {} 单，{}", rows.len(), if whole { "含收货信息" } else { "收货信息已隐去" });
    shop.write(move |tx| Ok(audit(tx, &staff, &what)?)).await?;
    Ok(Exported::of(rows, sees_money))
}

/// These goods and how many pieces they are together, as a table says them.
pub fn packed(goods: &[(&Line, i64)]) -> (String, String) {
    let texts: Vec<_> = goods.iter().map(|(line, n)| line.text_of(*n)).collect();
    (texts.join("；"), goods.iter().map(|(_, n)| n).sum::<i64>().to_string())
}

fn exported(conn: &rusqlite::Connection, order: Order, whole: bool) -> Result<Vec<String>> {
    let transaction = ledger::payment_of(conn, order.id)?.map(|entry| entry.transaction_id).unwrap_or_default();
    let full = store::full(conn, order)?;
    let Full { order, lines, shipments, pickup, .. } = &full;
    let (receiver, phone, place) = match &order.address {
        Some(address) if whole => (address.receiver.clone(), address.phone.clone(), address.one_line()),
        Some(address) => (address.masked_receiver(), address.masked_phone(), address.region()),
        None => {
            let phone = pickup.as_ref().map(|pickup| pickup.shown_phone(whole)).unwrap_or_default();
            (String::new(), phone, String::new())
        }
    };
    let words = |text: &str| if whole { text.to_owned() } else { order.masked_in(text) };
    // The books have what was bought; who packs reads what is still to go.
    let (to_go, pieces_to_go) = packed(&full.to_pack());
    let (goods, pieces) = match whole {
        true => packed(&lines.iter().map(|line| (line, line.quantity)).collect::<Vec<_>>()),
        false => (to_go.clone(), pieces_to_go.clone()),
    };
    let chips: Vec<_> = full.chips(false).into_iter().map(Chip::text).collect();
    let parcels =
        |text: fn(&crate::orders::Shipment) -> &str| shipments.iter().map(text).collect::<Vec<_>>().join("；");
    Ok(vec![
        order.order_no.to_string(),
        clock::shown(order.created_at),
        full.status_text().to_owned(),
        order.paid_at.map(clock::shown).unwrap_or_default(),
        goods,
        pieces,
        order.goods.plain(),
        order.freight.plain(),
        order.discount.plain(),
        order.paid.plain(),
        order.refunded.plain(),
        receiver,
        phone,
        place,
        words(&order.remark),
        words(&order.memo),
        parcels(|s| s.parcel.company_text()),
        parcels(|s| &s.parcel.tracking_no),
        transaction,
        to_go,
        pieces_to_go,
        chips.join("、"),
    ])
}

// ── views: filters under a name, each person's own ──

#[derive(FromForm)]
struct View {
    name: String,
    query: String,
}

#[post("/orders/views", data = "<form>")]
async fn keep_view(shop: &State<Shop>, staff: Staff, form: Form<View>) -> Flash<Redirect> {
    let View { name, query } = form.into_inner();
    let (name, query) = (name.trim().to_owned(), query.replace(['\r', '\n'], ""));
    let to = format!("/admin/orders?{query}");
    if !VIEW_NAME.fits(&name) || query.len() > 1000 {
        return refused(to, Error::field("name", format!("视图名称应为 {VIEW_NAME}")));
    }
    let done = shop.write(move |tx| Ok(staff_store::put_view(tx, staff.id, &name, &query)?)).await;
    back(to, done.map(|()| "视图已保存"))
}

#[post("/orders/views/<id>/delete")]
async fn drop_view(shop: &State<Shop>, staff: Staff, id: i64) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let gone = staff_store::views(tx, staff.id)?.into_iter().find(|(view, ..)| *view == id);
        let (_, name, query) = gone.ok_or(Code::NotFound)?;
        staff_store::delete_view(tx, staff.id, id)?;
        let again = query_string(&[("name", &name), ("query", &query)]);
        Ok((format!("视图「{name}」已删除"), format!("/admin/orders/views?{again}")))
    };
    back_undoable("/admin/orders", shop.write(write).await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_orders_asks_for_nothing_that_it_is_not_given() {
        let narrow = Query {
            q: "草莓".into(),
            days: "7".into(),
            flag: "red".into(),
            late: true,
            panel: "filter".into(),
            ..Query::default()
        };
        for (query, orders, table) in [
            (&narrow, vec![Card::sample(), Card::bare()], false),
            (&narrow, vec![Card::sample(), Card::bare()], true),
            (&narrow, vec![], false),
            (&Query::default(), vec![], true),
        ] {
            let full = !orders.is_empty();
            let view = ViewShown { id: 1, name: "加急".into(), query: "tab=to_ship".into(), here: true };
            let tab =
                TabShown { word: "all", text: "全部", n: full.then_some(2), alarm: full, address: "tab=all".into() };
            let head = |column: &OrderColumn| {
                Head::of(*column, column.ways(full, !full), Sort::Dearest, |s| s.word().to_owned())
            };
            let page = ListPage {
                frame: Frame::sample(Role::Clerk),
                tabs: vec![tab],
                tab: "all",
                query,
                table,
                heads: OrderColumn::ALL.iter().map(head).collect(),
                sorts: BY_CARDS.iter().map(head).filter(Head::sorts).collect(),
                choices: columns::choices(OrderColumn::ALL, |_| true),
                shows: OrderColumn::ALL.iter().map(|column| (column.word(), full)).collect(),
                sees_money: full,
                all_paid: full,
                exports_all: full,
                too_many: full.then_some(search::SORTED),
                stray: full.into(),
                no_places: if full { "锡盟".into() } else { String::new() },
                flags: flags(),
                narrows: query.narrows(),
                chips: query.chips(),
                cleared: String::new(),
                views: vec![view],
                found: "2".into(),
                address: "tab=all".into(),
                from_here: "list=tab%3Dall".into(),
                all: full,
                beyond: Vec::new(),
                orders,
                next: full.then(|| "1-1".to_owned()),
                since: full.then_some(1),
                behind: full,
                later: full,
            };
            let html = assets::strictly("console/orders.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("ABCDEFGH"), full);
        }
    }
}
