//! The inbox of money that fits no order (资金异常).

use rocket::form::Form;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};
use serde_json::{Value, json};

use super::{frame, words};
use crate::clock;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ExceptionId;
use crate::money::Fen;
use crate::payments::store::{self, Exception};
use crate::shop::Shop;
use crate::staff::login::audit;
use crate::staff::{Clerk, Manager, Role};

pub fn routes() -> Vec<Route> {
    routes![list, resolve]
}

#[get("/exceptions")]
async fn list(shop: &State<Shop>, staff: Clerk, flash: Option<FlashMessage<'_>>) -> Result<Template> {
    let rows = shop.db.read(|conn| Ok::<_, Error>(store::exceptions(conn, 200)?)).await?;
    let context = context! {
        frame: frame(shop, &staff.0, "exceptions", flash).await?,
        rows: rows.iter().map(shown).collect::<Vec<_>>(),
        may_decide: staff.0.role >= Role::Manager,
    };
    Ok(Template::render("console/exceptions.html", context))
}

/// What happened, and what to do about it, in words.
pub fn shown(exception: &Exception) -> Value {
    let (title, advice) = match exception.kind.as_str() {
        "late_payment" => ("关闭后到账", "请在微信商户平台按交易号原路退款，或与买家商量重新下单，处理后在这里标记。"),
        "duplicate_payment" => ("重复付款", "订单只需要付一次。请在微信商户平台按交易号退回这一笔，处理后在这里标记。"),
        "amount_mismatch" => ("金额不符", "订单没有记为已付款。请核对商户号是否被别的系统共用，再按交易号退款。"),
        "orphan_payment" => ("无主款项", "可能是别的系统共用了商户号，或恢复过旧备份。请按交易号在商户平台查明来源。"),
        "payer_mismatch" => ("他人代付", "款项已正常入账，只作提醒：如果退款，钱会回到付款人。"),
        _ => ("待核对", "请在微信商户平台核对后标记。"),
    };
    json!({
        "id": exception.id, "title": title, "advice": advice, "open": exception.open, "order_no": exception.order_no,
        "number": exception.out_trade_no, "transaction": exception.transaction_id,
        "amount": Fen::new(exception.amount_fen).unwrap_or_default().to_string(),
        "what": exception.what, "at": clock::shown(exception.opened_at), "resolution": exception.resolution,
        "resolved_at": exception.resolved_at.map(clock::shown),
    })
}

#[derive(FromForm)]
struct Resolution {
    resolution: String,
}

#[post("/exceptions/<id>/resolve", data = "<form>")]
async fn resolve(shop: &State<Shop>, staff: Manager, id: &str, form: Form<Resolution>) -> Flash<Redirect> {
    let to = Redirect::to("/admin/exceptions");
    match decide(shop, staff, id, form.into_inner().resolution).await {
        Ok(()) => Flash::success(to, "已标记为处理完"),
        Err(e) => Flash::error(to, words(&e)),
    }
}

async fn decide(shop: &Shop, staff: Manager, id: &str, resolution: String) -> Result<()> {
    let id: ExceptionId = id.parse().map_err(|_| Code::NotFound)?;
    let resolution = resolution.trim().to_owned();
    if !(2..=200).contains(&resolution.chars().count()) {
        return Err(Error::field("resolution", "请写明怎么处理的（2 到 200 个字）"));
    }
    let now = shop.now();
    let write = move |tx: &Tx| {
        if !store::resolve(tx, id, &format!("{}：{resolution}", staff.0.name), now)? {
            return Err(Error::from(Code::OrderState).says("这一条已经处理过了"));
        }
        Ok(audit(tx, &staff.0, &format!("资金异常 {id} 标记处理：{resolution}"), now)?)
    };
    shop.db.write(write).await
}
