//! What somebody did a moment ago and can take back: each step with what it was before, kept as a row for half an hour.

use rocket::outcome::Outcome;
use rocket::request::{self, FromRequest};
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Request, Route, State, post, routes};
use serde::{Deserialize, Serialize};

use super::{back, inside, referer};
use crate::catalogue::shelf::set_shelf;
use crate::catalogue::{Product, Sku, stock, store as catalogue};
use crate::clock::MINUTE;
use crate::db::Tx;
use crate::door::form::Form;
use crate::error::{Code, Error, Result};
use crate::ids::{CategoryId, OrderId, ProductId};
use crate::money::Fen;
use crate::orders::{Flag, Topic, Who, store as orders};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Role, Staff, store as rows};

/// Whoever pressed the wrong button notices within that.
const KEPT: i64 = KEPT_MINUTES * MINUTE;
const KEPT_MINUTES: i64 = 30;

pub fn routes() -> Vec<Route> {
    routes![take_back]
}

/// One thing that was changed: what it was, and what it became. What somebody has changed again since is left alone.
#[derive(Serialize, Deserialize, Clone, Debug, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Put on the shelf, or taken off it.
    Shelf {
        product: i64,
        on: bool,
    },
    /// Moved into the recycle bin, from the shelf or not.
    Binned {
        product: i64,
        on: bool,
    },
    Category {
        product: i64,
        was: Option<i64>,
        is: Option<i64>,
    },
    Limit {
        product: i64,
        sku: i64,
        was: Option<i64>,
        is: Option<i64>,
    },
    Price {
        product: i64,
        sku: i64,
        was: i64,
        is: i64,
    },
    /// By how many pieces; what was sold since stays sold.
    Stock {
        product: i64,
        sku: i64,
        by: i64,
    },
    Flag {
        order: i64,
        was: String,
        is: String,
    },
}

/// Keeps what was done; answers with the address that takes it back, or none where nothing was changed.
pub fn keep(tx: &Tx, staff: &Staff, what: &str, steps: &[Step]) -> Result<String> {
    if steps.is_empty() {
        return Ok(String::new());
    }
    let steps = serde_json::to_string(steps).map_err(|_| Code::Internal)?;
    let id = rows::put_undo(tx, staff.id, what, &steps, tx.now() - KEPT)?;
    Ok(format!("/admin/undo?id={id}"))
}

#[derive(FromForm)]
struct Which {
    id: i64,
}

/// The page of the console that a form stood on.
struct CameFrom(String);

#[rocket::async_trait]
impl<'r> FromRequest<'r> for CameFrom {
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> request::Outcome<CameFrom, ()> {
        Outcome::Success(CameFrom(inside(referer(request).unwrap_or_default())))
    }
}

#[post("/undo", data = "<form>")]
async fn take_back(shop: &State<Shop>, staff: Staff, from: CameFrom, form: Form<Which>) -> Flash<Redirect> {
    let write = move |tx: &Tx| {
        let late = || Error::from(Code::NotFound).says(format!("已经撤销过，或过了 {KEPT_MINUTES} 分钟，不能再撤销"));
        let (what, steps) = rows::take_undo(tx, staff.id, form.id, tx.now() - KEPT)?.ok_or_else(late)?;
        let read = |steps: &String| serde_json::from_str::<Vec<Step>>(steps).map_err(|_| Error::from(Code::Internal));
        let since = rows::done_since(tx, form.id)?.iter().map(read).collect::<Result<Vec<_>>>()?.concat();
        let (steps, mut left) = (read(&steps)?, 0);
        for step in steps.iter().rev() {
            // Changed there and back it looks as it was left, and is what somebody wanted since.
            let again = since.iter().any(|later| later.overtakes(step));
            left += i64::from(again || !step.take_back(tx, &staff)?);
        }
        audit(tx, &staff, &format!("撤销：{what}"))?;
        Ok(match left {
            0 => format!("已撤销：{what}"),
            n if n == steps.len() as i64 => "之后又改过，没有撤销".to_owned(),
            n => format!("已撤销：{what}；其中 {n} 项之后又改过，没有动"),
        })
    };
    back(from.0, shop.write(write).await)
}

impl Step {
    /// It settles anew what another has settled. Pieces are counted by their difference, which stands beside any other.
    fn overtakes(&self, before: &Step) -> bool {
        use Step::{Binned, Category, Flag, Limit, Price, Shelf};
        match (self, before) {
            (
                Shelf { product, .. } | Binned { product, .. },
                Shelf { product: of, .. } | Binned { product: of, .. },
            )
            | (Category { product, .. }, Category { product: of, .. })
            | (Limit { sku: product, .. }, Limit { sku: of, .. })
            | (Price { sku: product, .. }, Price { sku: of, .. })
            | (Flag { order: product, .. }, Flag { order: of, .. }) => product == of,
            _ => false,
        }
    }

    /// False when it is no longer as it was left.
    fn take_back(&self, tx: &Tx, staff: &Staff) -> Result<bool> {
        let of = match self {
            Step::Flag { order, was, is } => return flag(tx, staff, OrderId(*order), was, is),
            Step::Shelf { product, .. }
            | Step::Binned { product, .. }
            | Step::Category { product, .. }
            | Step::Limit { product, .. }
            | Step::Price { product, .. }
            | Step::Stock { product, .. } => ProductId(*product),
        };
        if staff.role < Role::Manager {
            return Err(Code::Forbidden.into());
        }
        match catalogue::product(tx, of)? {
            Some(product) => self.take_back_of(tx, staff, &product),
            None => Ok(false),
        }
    }

    fn take_back_of(&self, tx: &Tx, staff: &Staff, product: &Product) -> Result<bool> {
        let id = product.id;
        let sku = |wanted: i64| product.skus.iter().find(|sku| sku.id.0 == wanted && !product.deleted);
        match *self {
            Step::Flag { .. } => Ok(false),
            Step::Shelf { on, .. } if product.on_shelf == on && !product.deleted => {
                set_shelf(tx, id, !on)?;
                Ok(true)
            }
            Step::Binned { on, .. } if product.deleted && catalogue::product_named(tx, &product.name)?.is_none() => {
                catalogue::restore_product(tx, id)?;
                if on {
                    set_shelf(tx, id, true)?;
                }
                Ok(true)
            }
            Step::Shelf { .. } | Step::Binned { .. } => Ok(false),
            Step::Category { was, is, .. } => {
                let there = match was {
                    None => true,
                    Some(was) => catalogue::categories(tx)?.iter().any(|category| category.id.0 == was),
                };
                if !there || product.category_id.map(|id| id.0) != is {
                    return Ok(false);
                }
                catalogue::set_category(tx, id, was.map(CategoryId))?;
                Ok(true)
            }
            Step::Limit { sku: of, was, is, .. } => {
                let Some(sku) = sku(of).filter(|sku| sku.limit_per_order == is) else { return Ok(false) };
                catalogue::set_limit(tx, sku.id, was)?;
                catalogue::touch(tx, id)?;
                Ok(true)
            }
            Step::Price { sku: of, was, is, .. } => {
                let (Some(sku), Some(was)) = (sku(of).filter(|sku| sku.price.get() == is), Fen::new(was)) else {
                    return Ok(false);
                };
                catalogue::set_price(tx, sku.id, was)?;
                catalogue::repriced(tx, id)?;
                Ok(true)
            }
            Step::Stock { sku: of, by, .. } => match sku(of) {
                Some(Sku { id, on_hand, .. }) => Ok(stock::adjust(tx, *id, on_hand - by, Some(staff.id), "撤销")?),
                None => Ok(false),
            },
        }
    }
}

fn flag(tx: &Tx, staff: &Staff, id: OrderId, was: &str, is: &str) -> Result<bool> {
    let word = |flag: Option<Flag>| flag.map_or("", Flag::word);
    let Some(order) = orders::by_id(tx, id)?.filter(|order| word(order.flag) == is) else { return Ok(false) };
    orders::set_flag(tx, order.id, was.parse().ok())?;
    orders::note(tx, order.id, &Who::staff(&staff.name), Topic::Order, "撤销旗标")?;
    Ok(true)
}
