//! What is looked at rather than read: where the orders go, and why goods come back.

use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use crate::assets;
use crate::clock::Day;
use crate::console::{Frame, Waiting, framed, waiting};
use crate::error::Result;
use crate::ids::ProductId;
use crate::money::yuan;
use crate::orders::store::{self as orders, FromProvince};
use crate::refunds::store::{self as refunds, Returned};
use crate::shop::Shop;
use crate::staff::Clerk;

pub fn routes() -> Vec<Route> {
    routes![page]
}

/// Days that can be looked back over.
const SPANS: [(i64, &str); 3] = [(30, "近 30 天"), (90, "近 90 天"), (365, "近一年")];
/// More orders or refunds than these are not looked at for one page: the newest are.
const MOST: i64 = 50_000;
/// So many products that come back are shown.
const PRODUCTS: usize = 8;
/// Reasons that have a colour of their own; the others share the last.
const COLOURS: usize = 5;

/// Each province as one tile, where it lies about: column and row.
pub const TILES: [(&str, i64, i64); 34] = [
    ("黑龙江", 9, 0),
    ("内蒙古", 7, 1),
    ("吉林", 9, 1),
    ("新疆", 1, 2),
    ("甘肃", 4, 2),
    ("宁夏", 5, 2),
    ("北京", 7, 2),
    ("天津", 8, 2),
    ("辽宁", 9, 2),
    ("青海", 3, 3),
    ("陕西", 5, 3),
    ("山西", 6, 3),
    ("河北", 7, 3),
    ("山东", 8, 3),
    ("西藏", 2, 4),
    ("四川", 4, 4),
    ("重庆", 5, 4),
    ("河南", 6, 4),
    ("安徽", 7, 4),
    ("江苏", 8, 4),
    ("上海", 9, 4),
    ("云南", 4, 5),
    ("贵州", 5, 5),
    ("湖北", 6, 5),
    ("江西", 7, 5),
    ("浙江", 8, 5),
    ("广西", 5, 6),
    ("湖南", 6, 6),
    ("福建", 7, 6),
    ("台湾", 8, 6),
    ("广东", 6, 7),
    ("澳门", 7, 7),
    ("香港", 8, 7),
    ("海南", 5, 8),
];

/// Everything that the page shows.
#[derive(Serialize)]
struct InsightsPage {
    frame: Frame,
    tab: &'static str,
    spans: Vec<SpanShown>,
    most: i64,
    /// Paid orders with an address, and those without one.
    orders: i64,
    elsewhere: i64,
    tiles: Vec<Tile>,
    /// The provinces that orders went to, the most first.
    provinces: Vec<ProvinceShown>,
    reasons: Vec<ReasonShown>,
    products: Vec<ProductShown>,
}

#[derive(Serialize)]
struct SpanShown {
    days: i64,
    text: &'static str,
    here: bool,
}

#[derive(Serialize, Debug, PartialEq)]
struct Tile {
    name: &'static str,
    x: i64,
    y: i64,
    n: i64,
    /// From 0, nothing, to 4.
    heat: i64,
}

#[derive(Serialize)]
struct ProvinceShown {
    name: String,
    n: i64,
    paid: String,
    /// Of a hundred orders.
    share: i64,
}

#[derive(Serialize)]
struct ReasonShown {
    text: String,
    n: i64,
    amount: String,
    /// Of the longest bar's hundred.
    long: i64,
    colour: usize,
}

#[derive(Serialize)]
struct ProductShown {
    id: ProductId,
    name: String,
    n: i64,
    parts: Vec<Part>,
}

/// A piece of a stacked bar, in hundredths of the longest.
#[derive(Serialize)]
struct Part {
    reason: String,
    n: i64,
    x: i64,
    long: i64,
    colour: usize,
}

struct Seen {
    waiting: Waiting,
    provinces: Vec<FromProvince>,
    reasons: Vec<(String, i64, i64)>,
    returned: Vec<Returned>,
}

#[get("/insights?<days>")]
async fn page(shop: &State<Shop>, staff: Clerk, days: Option<i64>) -> Result<Template> {
    let days = days.filter(|days| SPANS.iter().any(|(known, _)| known == days)).unwrap_or(SPANS[0].0);
    let since = Day::of(shop.now()).plus(1 - days).start();
    let read = move |conn: &rusqlite::Connection| {
        Ok(Seen {
            waiting: waiting(conn)?,
            provinces: orders::by_province(conn, since, MOST)?,
            reasons: refunds::reasons(conn, since, MOST)?,
            returned: refunds::returned(conn, since, MOST)?,
        })
    };
    let Seen { waiting, provinces, reasons, returned } = shop.read_slowly(read).await?;
    let page = InsightsPage {
        frame: framed(shop, &staff.0, "money", None, waiting),
        tab: "insights",
        spans: SPANS.map(|(known, text)| SpanShown { days: known, text, here: known == days }).into(),
        most: MOST,
        orders: provinces.iter().map(|p| p.orders).sum(),
        elsewhere: provinces.iter().filter(|p| tile_of(&p.province).is_none()).map(|p| p.orders).sum(),
        tiles: tiles(&provinces),
        provinces: shares(&provinces),
        products: stacked(&returned, &reasons),
        reasons: bars(&reasons),
    };
    Ok(assets::page("console/insights.html", page))
}

fn tile_of(province: &str) -> Option<&'static str> {
    TILES.iter().map(|(name, _, _)| *name).find(|name| province.starts_with(name))
}

fn tiles(provinces: &[FromProvince]) -> Vec<Tile> {
    let of = |name: &str| provinces.iter().filter(|p| p.province.starts_with(name)).map(|p| p.orders).sum::<i64>();
    let most = TILES.iter().map(|(name, _, _)| of(name)).max().unwrap_or(0).max(1);
    // Whoever has any is seen to.
    let heat = |n: i64| if n == 0 { 0 } else { 1 + n * 3 / most };
    let tile = |(name, x, y)| Tile { name, x: x * 50, y: y * 50, n: of(name), heat: heat(of(name)) };
    TILES.into_iter().map(tile).collect()
}

fn shares(provinces: &[FromProvince]) -> Vec<ProvinceShown> {
    let all = provinces.iter().map(|p| p.orders).sum::<i64>().max(1);
    let shown = |p: &FromProvince| ProvinceShown {
        name: p.province.clone(),
        n: p.orders,
        paid: yuan(p.paid_fen),
        share: p.orders * 100 / all,
    };
    provinces.iter().map(shown).collect()
}

/// The colour of each reason: those that are given most have their own.
fn colour(reasons: &[(String, i64, i64)], reason: &str) -> usize {
    reasons.iter().position(|(known, _, _)| known == reason).unwrap_or(COLOURS).min(COLOURS - 1) + 1
}

fn bars(reasons: &[(String, i64, i64)]) -> Vec<ReasonShown> {
    let most = reasons.iter().map(|(_, n, _)| *n).max().unwrap_or(0).max(1);
    let shown = |(text, n, fen): &(String, i64, i64)| ReasonShown {
        text: text.clone(),
        n: *n,
        amount: yuan(*fen),
        long: n * 100 / most,
        colour: colour(reasons, text),
    };
    reasons.iter().map(shown).collect()
}

fn stacked(returned: &[Returned], reasons: &[(String, i64, i64)]) -> Vec<ProductShown> {
    let mut products: Vec<ProductShown> = Vec::new();
    for one in returned {
        let part =
            Part { reason: one.reason.clone(), n: one.refunds, x: 0, long: 0, colour: colour(reasons, &one.reason) };
        match products.iter_mut().find(|product| product.id == one.product) {
            Some(product) => {
                product.n += part.n;
                product.parts.push(part);
            }
            None => {
                products.push(ProductShown { id: one.product, name: one.name.clone(), n: part.n, parts: vec![part] })
            }
        }
    }
    products.sort_by_key(|product| -product.n);
    products.truncate(PRODUCTS);
    let most = products.first().map_or(1, |product| product.n.max(1));
    for product in &mut products {
        product.parts.sort_by_key(|part| part.colour);
        let mut n = 0;
        for part in &mut product.parts {
            part.x = n * 100 / most;
            n += part.n;
            part.long = n * 100 / most - part.x;
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    fn from(province: &str, orders: i64) -> FromProvince {
        FromProvince { province: province.into(), orders, paid_fen: orders * 100 }
    }

    #[test]
    fn every_province_has_a_tile_of_its_own() {
        for (name, x, y) in TILES {
            let here = TILES.iter().filter(|(_, a, b)| (*a, *b) == (x, y)).count();
            let called = TILES.iter().filter(|(other, _, _)| other.starts_with(name)).count();
            assert_eq!((here, called), (1, 1), "{name}");
        }
        let tiles = tiles(&[from("浙江省", 40), from("内蒙古自治区", 1), from("北京市", 0)]);
        let heat = |name: &str| tiles.iter().find(|tile| tile.name == name).map(|tile| tile.heat);
        assert_eq!([heat("浙江"), heat("内蒙古"), heat("北京")], [Some(4), Some(1), Some(0)]);
        assert_eq!(tile_of("海外"), None);
    }

    #[test]
    fn bars_that_stand_on_each_other_leave_no_gap() {
        let reasons = vec![("坏了".to_owned(), 3, 300), ("不想要".into(), 1, 100)];
        let one = |product, reason: &str, refunds| Returned {
            product: ProductId(product),
            name: "蛋糕".into(),
            reason: reason.into(),
            refunds,
        };
        let shown = stacked(&[one(1, "不想要", 1), one(2, "坏了", 1), one(1, "坏了", 2)], &reasons);
        let parts = |product: &ProductShown| product.parts.iter().map(|p| (p.x, p.long, p.colour)).collect::<Vec<_>>();
        assert_eq!(parts(&shown[0]), [(0, 66, 1), (66, 34, 2)]);
        assert_eq!(parts(&shown[1]), [(0, 33, 1)]);
    }

    #[test]
    fn the_page_asks_for_nothing_that_it_is_not_given() {
        for full in [true, false] {
            let provinces = if full { vec![from("浙江省", 4), from("海外", 1)] } else { Vec::new() };
            let reasons = if full { vec![("坏了".to_owned(), 3, 300)] } else { Vec::new() };
            let returned =
                [Returned { product: ProductId(1), name: "蛋糕".into(), reason: "坏了".into(), refunds: 3 }];
            let page = InsightsPage {
                frame: Frame::sample(Role::Clerk),
                tab: "insights",
                spans: SPANS.map(|(days, text)| SpanShown { days, text, here: days == 30 }).into(),
                most: MOST,
                orders: provinces.iter().map(|p| p.orders).sum(),
                elsewhere: i64::from(full),
                tiles: tiles(&provinces),
                provinces: shares(&provinces),
                products: stacked(if full { &returned } else { &[] }, &reasons),
                reasons: bars(&reasons),
            };
            let html = assets::strictly("console/insights.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!(html.contains("浙江省"), full);
        }
    }
}
