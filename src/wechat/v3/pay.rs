//! API v3: order, query, close; and the second signature for the mini-program.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::exchange::{bad_field, unusable};
use super::super::flaw::Flaw;
use super::super::pay::{Asked, CLOSE_ORDER, ORDER_QUERY, PaymentParams, Trade, TradeOf};
use super::super::{Api, Exchange, GatewayError, Identity, Payment, Wechat};
use super::exchange::Call;
use super::{Merchant, coupons, moment, off_thread, sign};
use crate::clock;
use crate::ids::OutTradeNo;
use crate::money::Fen;
use crate::nonce::Nonces;

/// What is asked of the JSAPI order: stored before it is sent, sent again unchanged. Source: JSAPI order, API v3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct JsapiOrder {
    pub appid: String,
    pub mchid: String,
    pub description: String,
    pub out_trade_no: String,
    /// `2026-10-08T13:15:40+08:00`
    pub time_expire: String,
    pub notify_url: String,
    pub amount: Amount,
    pub payer: Payer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amount {
    /// Fen.
    pub total: i64,
    pub currency: String,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payer {
    pub openid: String,
}

impl JsapiOrder {
    pub fn new(merchant: &Merchant, asked: Asked<'_>) -> JsapiOrder {
        JsapiOrder {
            appid: merchant.app_id.clone(),
            mchid: merchant.mch_id.clone(),
            description: asked.description,
            out_trade_no: asked.out_trade_no.to_string(),
            time_expire: clock::rfc3339(asked.expires_at),
            notify_url: asked.notify_url.to_owned(),
            amount: Amount { total: asked.total.get(), currency: "CNY".into() },
            payer: Payer { openid: asked.openid.to_owned() },
        }
    }

    /// Whether it can still be sent: the merchant's identity must be the one it was written for.
    pub fn is_from(&self, merchant: &Merchant) -> bool {
        self.appid == merchant.app_id && self.mchid == merchant.mch_id
    }
}

/// The second signature: RSA over four lines, off the threads that serve requests.
pub(in crate::wechat) async fn payment_params(
    merchant: &Merchant,
    prepay_id: &str,
    now: i64,
    nonces: &Nonces,
) -> PaymentParams {
    let (time_stamp, nonce_str) = ((now / clock::SECOND).to_string(), nonces.nonce_str());
    let (app_id, package) = (merchant.app_id.clone(), format!("prepay_id={prepay_id}"));
    let key = merchant.private().clone();
    off_thread(move || {
        let parts = [app_id.as_bytes(), time_stamp.as_bytes(), nonce_str.as_bytes(), package.as_bytes()];
        let pay_sign = sign::signed(&key, &parts);
        PaymentParams { app_id, time_stamp, nonce_str, package, sign_type: "RSA", pay_sign }
    })
    .await
}

impl Wechat {
    /// Source: JSAPI order, API v3. Errors as those of the unified order.
    pub(in crate::wechat) async fn order_v3(
        &self,
        merchant: &Merchant,
        order: &JsapiOrder,
        nonces: &Nonces,
    ) -> Exchange<String> {
        let call = Call::post("unifiedorder", "/v3/pay/transactions/jsapi", &json!(order));
        self.call_v3(merchant, call, nonces, |reply| {
            let prepay_id = reply.get("prepay_id").and_then(Value::as_str).filter(|id| !id.is_empty());
            prepay_id.map(str::to_owned).ok_or_else(|| unusable(Flaw::PrepayIdMissing))
        })
        .await
    }

    /// Source: order query, API v3. Only a signed "no such order" means that there is none.
    pub(in crate::wechat) async fn order_query_v3(
        &self,
        merchant: &Merchant,
        which: TradeOf<'_>,
        nonces: &Nonces,
    ) -> Exchange<Trade> {
        let (part, number) = match which {
            TradeOf::Number(number) => ("out-trade-no", number.as_str()),
            TradeOf::Transaction(id) => ("id", id),
        };
        let path = format!("/v3/pay/transactions/{part}/{}?mchid={}", segment(number), merchant.mch_id);
        let read = |reply: &Value| match is_about(which, reply) {
            true => read_trade(merchant, reply),
            false => Err(unusable(Flaw::OtherOrder)),
        };
        let mut exchange = self.call_v3(merchant, Call::get(ORDER_QUERY, path), nonces, read).await;
        if exchange.result.as_ref().is_err_and(|e| e.code() == Some("ORDERNOTEXIST")) {
            exchange.result = Ok(Trade::Absent);
        }
        exchange
    }

    /// Source: close order, API v3. 204 for any number: query afterwards.
    pub(in crate::wechat) async fn close_order_v3(
        &self,
        merchant: &Merchant,
        number: &OutTradeNo,
        nonces: &Nonces,
    ) -> Exchange<()> {
        let path = format!("/v3/pay/transactions/out-trade-no/{number}/close");
        let call = Call::post(CLOSE_ORDER, &path, &json!({ "mchid": merchant.mch_id }));
        let mut exchange = self.call_v3(merchant, call, nonces, |_| Ok(())).await;
        if exchange.result.as_ref().is_err_and(|e| matches!(e.code(), Some("ORDERCLOSED" | "ORDERNOTEXIST"))) {
            exchange.result = Ok(());
        }
        exchange
    }
}

/// A number as a part of a path: WeChat's own alphabet needs no escaping, and nothing else may change the path.
pub(super) fn segment(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

/// What is signed covers no address: a reply about another order must not tell how this one stands.
fn is_about(which: TradeOf<'_>, reply: &Value) -> bool {
    let (name, asked) = match which {
        TradeOf::Number(number) => ("out_trade_no", number.as_str()),
        TradeOf::Transaction(id) => ("transaction_id", id),
    };
    reply.get(name).and_then(Value::as_str).is_none_or(|told| told == asked)
}

fn read_trade(merchant: &Merchant, reply: &Value) -> Result<Trade, GatewayError> {
    let state = reply.get("trade_state").and_then(Value::as_str).ok_or_else(|| unusable(Flaw::TradeStateMissing))?;
    // WeChat signs for every merchant with one key: that another one's order stands unpaid says nothing of ours.
    let told = |name: &str| reply.get(name).and_then(Value::as_str);
    let foreign = |name: &str, own: &str| told(name).is_some_and(|told| told != own);
    if foreign("mchid", &merchant.mch_id) || foreign("appid", &merchant.app_id) {
        return Err(unusable(Flaw::OtherMerchant));
    }
    let payment = || {
        if !ours(merchant, reply) {
            return Err(unusable(Flaw::OtherMerchant));
        }
        read_payment(reply).map_err(bad_field)
    };
    match state {
        "SUCCESS" => payment().map(Trade::Paid),
        "REFUND" => Ok(match payment() {
            Ok(payment) => Trade::Paid(Payment { refund_started: true, ..payment }),
            Err(_) => Trade::Other("REFUND".into()),
        }),
        other => Ok(Trade::of_state(other)),
    }
}

/// Facts of another merchant or app are not ours, whoever signed them.
fn ours(merchant: &Merchant, facts: &Value) -> bool {
    let named = |name| facts.get(name).and_then(Value::as_str);
    named("mchid") == Some(&merchant.mch_id) && named("appid") == Some(&merchant.app_id)
}

/// The facts of a payment, from a query or a notice; `Err` names the field that is missing or wrong.
pub(super) fn read_payment(facts: &Value) -> Result<Payment, &'static str> {
    let at = |pointer: &'static str, name: &'static str| {
        let value = facts.pointer(pointer).and_then(Value::as_str);
        value.filter(|value| !value.is_empty() && value.len() <= 128).ok_or(name)
    };
    let total = facts.pointer("/amount/total").and_then(Value::as_i64).and_then(Fen::new);
    let currency = facts.pointer("/amount/currency").filter(|value| !value.is_null());
    let currency = currency.map(|value| value.as_str().ok_or("amount.currency")).transpose()?;
    let total = total.filter(|fen| fen.get() >= 1).ok_or("amount.total")?;
    Ok(Payment {
        name: Identity { app_id: at("/appid", "appid")?.to_owned(), mch_id: at("/mchid", "mchid")?.to_owned() },
        api: Api::V3,
        out_trade_no: at("/out_trade_no", "out_trade_no")?.to_owned(),
        transaction_id: at("/transaction_id", "transaction_id")?.to_owned(),
        total,
        fee_type: currency.unwrap_or("CNY").to_owned(),
        openid: at("/payer/openid", "payer.openid")?.to_owned(),
        paid_at: at("/success_time", "success_time").ok().and_then(moment).ok_or("success_time")?,
        refund_started: false,
        coupons: coupons::of_payment(facts, total)?,
    })
}
