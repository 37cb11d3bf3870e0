//! The cash desk: what opens on the phone after `wx.requestPayment`, with the ways a payment can go.

use rocket::form::Form;
use rocket::{FromForm, Route, State, get, post, routes};
use rocket_dyn_templates::{Template, context};

use super::state::{Trade, TradeState, digest};
use super::{Paying, Simulator};
use crate::assets;
use crate::money::Fen;
use crate::wechat::v2::message::Message;
use crate::wechat::v2::sign;

pub fn routes() -> Vec<Route> {
    routes![desk, act]
}

/// The five values of `wx.requestPayment`, and the app id that the phone adds.
#[derive(FromForm)]
struct Request {
    #[field(name = "appId")]
    app_id: String,
    #[field(name = "timeStamp")]
    time_stamp: String,
    #[field(name = "nonceStr")]
    nonce_str: String,
    package: String,
    #[field(name = "signType")]
    sign_type: String,
    #[field(name = "paySign")]
    pay_sign: String,
    #[field(default = String::new())]
    action: String,
}

impl Request {
    /// The prepay_id, if the second signature is right; otherwise what the phone would say.
    fn check(&self, sim: &Simulator) -> Result<String, &'static str> {
        let signed = Message::from([
            ("appId", self.app_id.as_str()),
            ("timeStamp", &self.time_stamp),
            ("nonceStr", &self.nonce_str),
            ("package", &self.package),
            ("signType", &self.sign_type),
        ]);
        if self.sign_type == "RSA" {
            let lines = [&self.app_id, &self.time_stamp, &self.nonce_str, &self.package];
            let prepay_id = self.prepay_id()?;
            let order = sim.lock().kept.trade_of_prepay(&prepay_id).map(|trade| trade.order.clone());
            let ours = order.is_none_or(|order| order.get("appid") == Some(&self.app_id));
            let right = ours && sim.signed_by_merchant(lines, &self.pay_sign);
            return if right { Ok(prepay_id) } else { Err("支付验证签名失败") };
        }
        let prepay_id = self.prepay_id()?;
        // In the app, and with the digest, that the order was made with.
        let order = sim.lock().kept.trade_of_prepay(&prepay_id).map(|trade| trade.order.clone());
        let sign_type = order.as_ref().map_or_else(|| self.sign_type.parse().ok(), digest);
        let right = sign_type.filter(|sign_type| sign_type.name() == self.sign_type);
        let ours = order.is_none_or(|order| order.get("appid") == Some(&self.app_id));
        match right.map(|sign_type| sign::sign(&signed, sign_type, &sim.merchant().key)) {
            Some(signature) if ours && signature == self.pay_sign => Ok(prepay_id),
            _ => Err("支付验证签名失败"),
        }
    }

    fn prepay_id(&self) -> Result<String, &'static str> {
        self.package.strip_prefix("prepay_id=").map(str::to_owned).ok_or("缺少参数 package")
    }
}

#[get("/cashier?<request..>")]
fn desk(sim: &State<Simulator>, request: Request) -> Template {
    let prepay_id = match request.check(sim) {
        Ok(prepay_id) => prepay_id,
        Err(problem) => return said(problem, "requestPayment:fail cancel"),
    };
    let trade = sim.lock().kept.trade_of_prepay(&prepay_id).cloned();
    let Some(trade) = trade else { return said("支付单不存在，请重新下单", "requestPayment:fail") };
    if trade.state == TradeState::Paid {
        return said("该订单已支付", "requestPayment:ok");
    }
    assets::page(
        "simulator/cashier.html",
        context! { request: hidden(&request), amount: amount(&trade), body: trade.field("body") },
    )
}

#[post("/cashier", data = "<request>")]
fn act(sim: &State<Simulator>, request: Form<Request>) -> Template {
    let prepay_id = match request.check(sim) {
        Ok(prepay_id) => prepay_id,
        Err(problem) => return said(problem, "requestPayment:fail cancel"),
    };
    let paying = match request.action.as_str() {
        "pay" => Paying::Well,
        "twice" => Paying::NoticeTwice,
        "silent" => Paying::NoNotice,
        "amount" => Paying::OtherAmount,
        "stranger" => Paying::OtherPayer,
        "late" => Paying::Late,
        "fail" => return said("银行卡支付失败，未扣款", "requestPayment:fail cancel"),
        _ => return said("已取消支付", "requestPayment:fail cancel"),
    };
    match sim.pay(&prepay_id, paying) {
        Ok(()) if paying == Paying::Late => {
            said("付款会在店铺关闭订单之后到账：请回到订单页取消订单", "requestPayment:fail cancel")
        }
        Ok(()) => said("支付成功", "requestPayment:ok"),
        Err(problem) => said(&problem, "requestPayment:fail"),
    }
}

fn said(words: &str, result: &str) -> Template {
    assets::page("simulator/result.html", context! { words, result, ok: result == "requestPayment:ok" })
}

fn amount(trade: &Trade) -> String {
    trade.field("total_fee").parse().ok().and_then(Fen::new).unwrap_or_default().to_string()
}

fn hidden(request: &Request) -> Vec<(&'static str, &str)> {
    vec![
        ("appId", &request.app_id),
        ("timeStamp", &request.time_stamp),
        ("nonceStr", &request.nonce_str),
        ("package", &request.package),
        ("signType", &request.sign_type),
        ("paySign", &request.pay_sign),
    ]
}
