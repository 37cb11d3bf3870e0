//! What is printed: a slip for each parcel, and a list of what to take from the shelf.

use std::collections::BTreeMap;

use qrcode::QrCode;
use qrcode::render::svg;
use rocket::http::{ContentType, Cookie, CookieJar};
use rocket::response::{Flash, Redirect};
use rocket::time::Duration;
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::barcode;
use super::card::{Card, owed};
use super::list::chosen;
use crate::assets;
use crate::buyers::addresses::Address;
use crate::catalogue::{Delivery, store as catalogue};
use crate::clock;
use crate::console::{Choice, back};
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Result};
use crate::ids::{OrderId, OrderNo};
use crate::money::Fen;
use crate::orders::{Full, Order, OrderStatus, store};
use crate::settings::Settings;
use crate::shipping::doubt::Doubt;
use crate::shop::Shop;
use crate::staff::Staff;
use crate::staff::login::audit;
use crate::stored_enum::stored_enum;

pub fn routes() -> Vec<Route> {
    routes![slips, qr, bars, picking, done]
}

stored_enum! {
    /// Papers by what a printer's roll or sheet is called.
    pub enum Paper {
        A4 "a4" "A4",
        Label "100" "100×150 mm 标签",
        Wide "80" "80 mm 小票",
        Narrow "58" "58 mm 小票",
    }
}

impl Paper {
    /// How many of a thermal printer's dots a line of it has for what is printed.
    fn dots(self) -> usize {
        match self {
            Paper::Narrow => 384,
            Paper::Wide => 576,
            Paper::Label => 736,
            Paper::A4 => 1_520,
        }
    }

    /// Bars that no scanner reads are worse than none: the QR code stands on every slip.
    fn holds_bars(self, no: &OrderNo) -> bool {
        barcode::dots(no.as_str()).is_some_and(|n| n <= self.dots())
    }
}

stored_enum! {
    /// What a slip says besides goods and pieces, when staff want it.
    pub enum Extra {
        Number "number" "第几张",
        Code "code" "商家编码",
        Price "price" "价格",
        Tick "tick" "勾选框",
        Bars "bars" "条形码",
        Memo "memo" "商家备注",
        Logo "logo" "店标",
        /// Of an express parcel too, which has it on its label.
        Whole "whole" "完整地址",
        /// As many slips as a sheet holds, to be cut apart; alone on it, one may go into its parcel as it is.
        Shared "shared" "一张纸几单，裁开用",
    }
}

/// Where a device keeps its paper and what it prints: the printer stands beside it.
const COOKIE: &str = "xiaopu_paper";

/// What the address says.
#[derive(FromForm)]
struct Wanted {
    order: Vec<String>,
    #[field(default = String::new())]
    paper: String,
    extra: Vec<String>,
    /// The boxes were there to be ticked: none of them is a choice, too.
    #[field(default = false)]
    chosen: bool,
}

struct Print {
    paper: Paper,
    extras: Vec<Extra>,
}

impl Print {
    /// What was asked for now, else what this device printed last.
    fn of(wanted: &Wanted, jar: &CookieJar<'_>) -> Print {
        let kept = jar.get(COOKIE).map(|cookie| cookie.value().to_owned()).unwrap_or_default();
        let (paper, extras) = kept.split_once('.').unwrap_or(("a4", "number-logo"));
        let extras: Vec<&str> = match wanted.chosen {
            true => wanted.extra.iter().map(String::as_str).collect(),
            false => extras.split('-').collect(),
        };
        let print = Print {
            paper: wanted.paper.parse().or(paper.parse()).unwrap_or(Paper::A4),
            extras: Extra::ALL.iter().copied().filter(|extra| extras.contains(&extra.word())).collect(),
        };
        let words: Vec<&str> = print.extras.iter().map(|extra| extra.word()).collect();
        let cookie = Cookie::build((COOKIE, format!("{}.{}", print.paper.word(), words.join("-"))));
        jar.add(cookie.path("/admin/print").http_only(true).max_age(Duration::days(365)));
        print
    }

    fn has(&self, extra: Extra) -> bool {
        self.extras.contains(&extra)
    }
}

/// A slip for each order, a page each. Names and phones stay masked where the parcel's label has them, unless they are
/// asked for; whoever brings the goods himself has this slip alone, so there it says all. It is written down who printed it.
#[get("/print/slips?<wanted..>")]
async fn slips(shop: &State<Shop>, staff: Staff, jar: &CookieJar<'_>, wanted: Wanted) -> Result<Template> {
    let print = Print::of(&wanted, jar);
    let (numbers, with_codes, now) = (wanted.order.clone(), print.has(Extra::Code), shop.now());
    let read = move |conn: &rusqlite::Connection| {
        let of = |order: Order| {
            let held = Doubt::of(conn, order.id)?.map(|doubt| doubt.first());
            let full = store::full(conn, order)?;
            Ok((owed(conn, &full)?, full, held))
        };
        let slips = chosen(conn, &numbers)?.into_iter().map(of).collect::<Result<Vec<_>>>()?;
        let bought = slips.iter().flat_map(|(_, full, _)| full.to_pack()).map(|(line, _)| line.sku_id);
        let skus = bought.chain(slips.iter().flat_map(|(owed, ..)| owed).map(|owed| owed.sku));
        let code = |sku| Ok((sku, catalogue::sku_code(conn, sku)?));
        let codes = skus.filter(|_| with_codes).map(code).collect::<Result<BTreeMap<_, _>>>()?;
        Ok((slips, codes))
    };
    let (wanted_now, codes) = shop.read(read).await?;
    let every = print.has(Extra::Whole);
    log_whole(shop, &staff, wanted_now.iter().map(|(_, full, _)| full), every).await?;
    let slips = wanted_now.iter().map(|(owed, full, held)| {
        let bought = full.to_pack().into_iter().map(|(line, n)| Packed {
            name: line.name.clone(),
            spec: line.spec_text.clone(),
            n,
            again: false,
            price: Some(line.price.to_string()),
            code: codes.get(&line.sku_id).cloned().flatten(),
        });
        let again = owed.iter().map(|owed| Packed {
            name: owed.name.clone(),
            spec: owed.spec.clone(),
            n: owed.n,
            again: true,
            price: None,
            code: codes.get(&owed.sku).cloned().flatten(),
        });
        let goods: Vec<Packed> = bought.chain(again).collect();
        Slip {
            placed: clock::shown_short(full.order.created_at),
            bars: print.has(Extra::Bars) && print.paper.holds_bars(&full.order.order_no),
            card: Card::of(full, false, now).with_remark(&full.order.remark),
            pieces: goods.iter().map(|packed| packed.n).sum(),
            again: !owed.is_empty(),
            held: held.filter(|_| !goods.is_empty()),
            goods,
            whole: whole_address(full, every).map(Whole::from),
            why_nothing: full.why_nothing_to_pack(),
            sums: sums(full),
            paid: paid(&full.order),
            refunded: (full.order.refunded > Fen::ZERO).then(|| full.order.refunded.to_string()),
        }
    });
    let settings = shop.settings();
    let page =
        SlipsPage { slips: slips.collect(), page: Sheet::of(shop, &settings, &staff, "slips", &wanted.order, &print) };
    Ok(assets::page("console/print_slips.html", page))
}

#[derive(Serialize)]
struct SlipsPage<'a> {
    slips: Vec<Slip>,
    page: Sheet<'a>,
}

/// What goes into an order's next parcel.
#[derive(Serialize)]
struct Slip {
    placed: String,
    /// Its number stands there as bars, too.
    bars: bool,
    card: Card,
    goods: Vec<Packed>,
    /// In full, where nothing else in the parcel says it.
    whole: Option<Whole>,
    why_nothing: Option<&'static str>,
    /// Some of it goes out for an exchange.
    again: bool,
    /// What comes before it leaves.
    held: Option<&'static str>,
    /// Its receipt, row by row.
    sums: Vec<(String, String)>,
    paid: &'static str,
    pieces: i64,
    refunded: Option<String>,
}

#[derive(Serialize)]
struct Packed {
    name: String,
    spec: String,
    n: i64,
    /// It goes out for what came back to be exchanged.
    again: bool,
    price: Option<String>,
    code: Option<String>,
}

#[derive(Serialize)]
struct Whole {
    receiver: String,
    phone: String,
    #[serde(rename = "where")]
    place: String,
}

impl From<&Address> for Whole {
    fn from(address: &Address) -> Whole {
        Whole { receiver: address.receiver.clone(), phone: address.phone.clone(), place: address.one_line() }
    }
}

/// What has become of the money that it comes to.
fn paid(order: &Order) -> &'static str {
    match (order.status, order.paid_at) {
        (OrderStatus::PendingPayment, _) => "待付",
        (_, None) => "没有付款，应付",
        _ => "实付",
    }
}

/// What an order comes to, row by row down to what is to be paid: its goods, the whole freight, and all that is off.
fn sums(full: &Full) -> Vec<(String, String)> {
    let order = &full.order;
    let mut rows = vec![("商品".to_owned(), format!("¥{}", order.goods))];
    let (freight, less) = (full.on_receipt(order.freight), full.on_receipt(order.discount));
    if freight > Fen::ZERO {
        rows.push(("运费".to_owned(), format!("¥{freight}")));
    }
    let named = full.discounts.iter().map(|one| (one.name.clone(), one.goods.plus(one.freight).unwrap_or_default()));
    match Fen::new(full.agreed_fen()) {
        Some(agreed) => {
            rows.extend(named.map(|(name, fen)| (name, format!("−¥{fen}"))));
            rows.extend((agreed > Fen::ZERO).then(|| ("优惠".to_owned(), format!("−¥{agreed}"))));
        }
        // The shop asked for more since than the promotions would have left.
        None => rows.extend((less > Fen::ZERO).then(|| ("优惠".to_owned(), format!("−¥{less}")))),
    }
    rows
}

/// The address of goods that the shop brings itself, or of `every` parcel, as long as there is something to bring.
fn whole_address(full: &Full, every: bool) -> Option<&Address> {
    let wanted = full.order.delivery == Delivery::Local || every;
    full.order.address.as_ref().filter(|_| wanted && full.why_nothing_to_pack().is_none())
}

async fn log_whole<'a>(shop: &Shop, staff: &Staff, fulls: impl Iterator<Item = &'a Full>, every: bool) -> Result<()> {
    let shown = fulls.filter(|full| whole_address(full, every).is_some());
    let numbers: Vec<&str> = shown.map(|full| full.order.order_no.as_str()).collect();
    if numbers.is_empty() {
        return Ok(());
    }
    let which = if every { "" } else { "同城配送的" };
    let what = format!("打印{which}发货单 {} 单，含收货信息：{}", numbers.len(), numbers.join("、"));
    let staff = staff.clone();
    shop.write(move |tx: &Tx| Ok(audit(tx, &staff, &what)?)).await
}

/// What is chosen of paper and print, and what every sheet says of the shop.
#[derive(Serialize)]
struct Sheet<'a> {
    kind: &'static str,
    orders: &'a [String],
    paper: Paper,
    papers: Vec<(&'static str, &'static str)>,
    extras: Vec<ExtraShown>,
    /// What was chosen and has no room on this paper.
    without: Option<&'static str>,
    /// What is printed, by its word.
    has: BTreeMap<&'static str, bool>,
    shop: &'a str,
    phone: Option<&'a str>,
    logo: Option<&'a str>,
    staff: &'a str,
    at: String,
}

/// Whether bars are wanted on paper that does not hold them.
fn no_bars(print: &Print, orders: &[String]) -> bool {
    let mut orders = orders.iter().filter_map(|no| no.parse::<OrderNo>().ok());
    print.has(Extra::Bars) && orders.any(|no| !print.paper.holds_bars(&no))
}

#[derive(Serialize)]
struct ExtraShown {
    #[serde(flatten)]
    choice: Choice<Extra>,
    on: bool,
}

impl<'a> Sheet<'a> {
    fn of(
        shop: &Shop,
        settings: &'a Settings,
        staff: &'a Staff,
        kind: &'static str,
        orders: &'a [String],
        print: &Print,
    ) -> Sheet<'a> {
        let logo = settings.logo();
        let offered = Extra::ALL.iter().filter(|extra| match extra {
            Extra::Logo => logo.is_some(),
            Extra::Shared => print.paper == Paper::A4,
            _ => true,
        });
        let shown =
            |extra: &Extra| ExtraShown { choice: Choice { word: *extra, text: extra.text() }, on: print.has(*extra) };
        Sheet {
            kind,
            orders,
            paper: print.paper,
            papers: Paper::ALL.iter().map(|paper| (paper.word(), paper.text())).collect(),
            extras: offered.map(shown).collect(),
            without: no_bars(print, orders).then_some("这种纸窄，条形码印不清楚，没有印：请扫二维码"),
            has: Extra::ALL.iter().map(|extra| (extra.word(), print.has(*extra))).collect(),
            shop: settings.shop_name(),
            phone: settings.get("shop.phone"),
            logo,
            staff: &staff.name,
            at: clock::shown(shop.now()),
        }
    }
}

/// An order's number for the scanner.
#[get("/print/qr/<no>")]
fn qr(_staff: Staff, no: OrderNo) -> Result<(ContentType, String)> {
    let code = QrCode::new(no.as_str()).map_err(|_| Code::Internal)?;
    Ok((ContentType::SVG, code.render::<svg::Color>().quiet_zone(false).build()))
}

/// The same for one that reads bars alone.
#[get("/print/bars/<no>")]
fn bars(_staff: Staff, no: OrderNo) -> Result<(ContentType, String)> {
    Ok((ContentType::SVG, barcode::svg(no.as_str()).ok_or(Code::Internal)?))
}

#[derive(Serialize)]
struct PickingPage<'a> {
    pieces: i64,
    /// Orders that wait for it.
    waiting: usize,
    rows: Vec<Needed>,
    page: Sheet<'a>,
}

/// Goods, how many of them, and for which orders.
#[derive(Serialize)]
struct Needed {
    name: String,
    spec: String,
    n: i64,
    orders: Vec<String>,
}

/// What all these orders still need, by SKU. Orders are named by their tails: a roll has no room for more.
#[get("/print/picking?<wanted..>")]
async fn picking(shop: &State<Shop>, staff: Staff, jar: &CookieJar<'_>, wanted: Wanted) -> Result<Template> {
    let print = Print::of(&wanted, jar);
    let numbers = wanted.order.clone();
    let read = move |conn: &rusqlite::Connection| {
        let mut goods: BTreeMap<(String, String), (i64, Vec<String>)> = BTreeMap::new();
        let mut waiting = 0;
        for order in chosen(conn, &numbers)? {
            let full = store::full(conn, order)?;
            let number = full.order.order_no.as_str();
            let tail = &number[number.len().saturating_sub(6)..];
            let (pack, again) = (full.to_pack(), owed(conn, &full)?);
            waiting += usize::from(!pack.is_empty() || !again.is_empty());
            // It leaves only once somebody has decided.
            let asked = match full.is_refunding() {
                true => "(退款中)".to_owned(),
                false => {
                    Doubt::of(conn, full.order.id)?.map_or_else(String::new, |doubt| format!("({})", doubt.first()))
                }
            };
            let bought = pack.into_iter().map(|(line, n)| (line.name.clone(), line.spec_text.clone(), n, ""));
            for (name, spec, n, what) in
                bought.chain(again.into_iter().map(|one| (one.name, one.spec, one.n, "(换货)")))
            {
                let (sum, tails) = goods.entry((name, spec)).or_default();
                *sum += n;
                tails.push(format!("{tail}×{n}{what}{asked}"));
            }
        }
        Ok((goods, waiting))
    };
    let (goods, waiting) = shop.read(read).await?;
    let settings = shop.settings();
    let needed = |((name, spec), (n, orders)): ((String, String), (i64, Vec<String>))| Needed { name, spec, n, orders };
    let page = PickingPage {
        pieces: goods.values().map(|(n, _)| n).sum(),
        waiting,
        rows: goods.into_iter().map(needed).collect(),
        page: Sheet::of(shop, &settings, &staff, "picking", &wanted.order, &print),
    };
    Ok(assets::page("console/print_picking.html", page))
}

#[derive(FromForm)]
struct Printed {
    order: Vec<String>,
}

/// The slips came out of the printer.
#[post("/print/done", data = "<form>")]
async fn done(shop: &State<Shop>, _staff: Staff, form: Form<Printed>) -> Flash<Redirect> {
    let done = async {
        let numbers = form.into_inner().order;
        let write = move |tx: &Tx| {
            let ids: Vec<OrderId> = chosen(tx, &numbers)?.iter().map(|order| order.id).collect();
            store::count_prints(tx, &ids)?;
            Ok(format!("{} 单已标记为打印过", ids.len()))
        };
        shop.write(write).await
    };
    back("/admin/orders?tab=to_ship", done.await)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_stand_where_they_can_be_read() {
        let no: OrderNo = "20261128A1B2C3D4E5".parse().unwrap();
        for (paper, room) in [(Paper::A4, true), (Paper::Label, true), (Paper::Wide, true), (Paper::Narrow, false)] {
            assert_eq!(paper.holds_bars(&no), room, "{}", paper.word());
        }
    }

    #[test]
    fn what_is_printed_asks_for_nothing_that_it_is_not_given() {
        let orders = ["261008131540ABCDEFGH".to_owned()];
        for full in [true, false] {
            let sheet = |kind| Sheet {
                kind,
                orders: &orders,
                paper: Paper::A4,
                papers: Paper::ALL.iter().map(|paper| (paper.word(), paper.text())).collect(),
                extras: vec![ExtraShown { choice: Choice { word: Extra::Code, text: Extra::Code.text() }, on: full }],
                without: full.then_some("条形码印不清楚"),
                has: Extra::ALL.iter().map(|extra| (extra.word(), full)).collect(),
                shop: "草莓园",
                phone: full.then_some("0755-1234567"),
                logo: full.then_some("abc"),
                staff: "小王",
                at: "2026-10-08 13:15:40".into(),
            };
            let packed = Packed {
                name: "草莓".into(),
                spec: "6 寸".into(),
                n: 2,
                again: full,
                price: full.then(|| "19.00".into()),
                code: full.then(|| "CM-6".into()),
            };
            let whole =
                Whole {
                    receiver: "李四".into(), phone: "13800001234".into(), place: "广东省深圳市科技园".into()
                };
            let slip = Slip {
                placed: "10-08 13:15".into(),
                bars: full,
                card: if full { Card::sample() } else { Card::bare() },
                goods: if full { vec![packed] } else { Vec::new() },
                whole: full.then_some(whole),
                why_nothing: (!full).then_some("都发完了"),
                again: full,
                held: full.then_some("先核对退款"),
                sums: vec![("商品".into(), "¥38.00".into()), ("运费".into(), "¥7.00".into())],
                paid: "实付",
                pieces: 2,
                refunded: full.then(|| "5.00".into()),
            };
            let page = SlipsPage { slips: vec![slip], page: sheet("slips") };
            let html = assets::strictly("console/print_slips.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("CM-6"), html.contains("都发完了")), (full, !full));
            let row = Needed { name: "草莓".into(), spec: "6 寸".into(), n: 2, orders: vec!["DEFGH×2".into()] };
            let rows = if full { vec![row] } else { Vec::new() };
            let page = PickingPage { pieces: 2, waiting: 1, rows, page: sheet("picking") };
            let html = assets::strictly("console/print_picking.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("DEFGH×2"), html.contains("没有要发的商品")), (full, !full));
        }
    }
}
