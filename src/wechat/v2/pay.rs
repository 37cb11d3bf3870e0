//! API v2: unified order, query, close; and the second signature for the mini-program.

use serde::{Deserialize, Serialize};

use super::super::exchange::{bad_field, unusable};
use super::super::flaw::Flaw;
use super::super::pay::{Asked, CLOSE_ORDER, ORDER_QUERY, PaymentParams, Trade, TradeOf};
use super::super::{Api, Exchange, GatewayError, Identity, Payment, Wechat};
use super::exchange::request;
use super::message::Message;
use super::{Merchant, coupons, sign};
use crate::clock;
use crate::ids::OutTradeNo;
use crate::money::Fen;
use crate::nonce::Nonces;

/// What is asked of the unified order: stored before it is sent, sent again unchanged. Source: unified order, API v2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnifiedOrder {
    pub appid: String,
    pub mch_id: String,
    pub nonce_str: String,
    pub body: String,
    pub out_trade_no: String,
    /// Fen.
    pub total_fee: i64,
    pub spbill_create_ip: String,
    pub notify_url: String,
    pub openid: String,
    /// `20261008131540`, Beijing time; so is `time_expire`.
    pub time_start: String,
    pub time_expire: String,
    pub sign_type: String,
}

impl UnifiedOrder {
    pub fn new(merchant: &Merchant, asked: Asked<'_>) -> UnifiedOrder {
        UnifiedOrder {
            appid: merchant.app_id.clone(),
            mch_id: merchant.mch_id.clone(),
            nonce_str: asked.nonce_str.to_owned(),
            body: asked.description,
            out_trade_no: asked.out_trade_no.to_string(),
            total_fee: asked.total.get(),
            spbill_create_ip: asked.payer_ip.to_owned(),
            notify_url: asked.notify_url.to_owned(),
            openid: asked.openid.to_owned(),
            time_start: clock::compact(asked.now),
            time_expire: clock::compact(asked.expires_at),
            sign_type: merchant.sign_type.name().to_owned(),
        }
    }

    fn message(&self) -> Message {
        let mut message = Message::from([
            ("appid", self.appid.as_str()),
            ("mch_id", &self.mch_id),
            ("nonce_str", &self.nonce_str),
            ("body", &self.body),
            ("out_trade_no", &self.out_trade_no),
            ("spbill_create_ip", &self.spbill_create_ip),
            ("notify_url", &self.notify_url),
            ("openid", &self.openid),
            ("time_start", &self.time_start),
            ("time_expire", &self.time_expire),
            ("trade_type", "JSAPI"),
            ("fee_type", "CNY"),
            ("sign_type", &self.sign_type),
        ]);
        message.set("total_fee", self.total_fee.to_string());
        message
    }

    /// Whether it can still be sent: the merchant's identity must be the one it was written for.
    pub fn is_from(&self, merchant: &Merchant) -> bool {
        self.appid == merchant.app_id && self.mch_id == merchant.mch_id && self.sign_type == merchant.sign_type.name()
    }
}

/// The second signature. Nonce and time are ours alone, so that it can sign nothing else.
pub(in crate::wechat) fn payment_params(
    merchant: &Merchant,
    prepay_id: &str,
    now: i64,
    nonces: &Nonces,
) -> PaymentParams {
    let time_stamp = (now / clock::SECOND).to_string();
    let nonce_str = nonces.nonce_str();
    let package = format!("prepay_id={prepay_id}");
    let sign_type = merchant.sign_type.name();
    let signed = Message::from([
        ("appId", merchant.app_id.as_str()),
        ("timeStamp", &time_stamp),
        ("nonceStr", &nonce_str),
        ("package", &package),
        ("signType", sign_type),
    ]);
    let pay_sign = sign::sign(&signed, merchant.sign_type, &merchant.key);
    PaymentParams { app_id: merchant.app_id.clone(), time_stamp, nonce_str, package, sign_type, pay_sign }
}

impl Wechat {
    /// Asks WeChat for a prepay_id; waits at most 5 s. Source: unified order, API v2.
    /// Errors: Unreachable (the order may exist: query), NotAccepted, Refused.
    pub(in crate::wechat) async fn unified_order(&self, merchant: &Merchant, order: &UnifiedOrder) -> Exchange<String> {
        let how = ("unifiedorder", "/pay/unifiedorder");
        self.call(self.plain(), merchant, how, order.message(), |answer| {
            answer.filled("prepay_id").map(str::to_owned).ok_or_else(|| unusable(Flaw::PrepayIdMissing))
        })
        .await
    }

    /// Asks what became of an attempt, or of a transaction that came for none of ours. Source: order query, API v2.
    pub(in crate::wechat) async fn order_query_v2(
        &self,
        merchant: &Merchant,
        which: TradeOf<'_>,
        nonces: &Nonces,
    ) -> Exchange<Trade> {
        let mut message = request(merchant, nonces);
        let (name, number) = match which {
            TradeOf::Number(number) => ("out_trade_no", number.as_str()),
            TradeOf::Transaction(id) => ("transaction_id", id),
        };
        message.set(name, number);
        let how = (ORDER_QUERY, "/pay/orderquery");
        let mut exchange = self.call(self.plain(), merchant, how, message, read_trade).await;
        if exchange.result.as_ref().is_err_and(|e| e.code() == Some("ORDERNOTEXIST")) {
            exchange.result = Ok(Trade::Absent);
        }
        exchange
    }

    /// Closes an attempt. Success proves little (a number that does not exist closes too): query afterwards.
    /// Source: close order, API v2.
    pub(in crate::wechat) async fn close_order_v2(
        &self,
        merchant: &Merchant,
        number: &OutTradeNo,
        nonces: &Nonces,
    ) -> Exchange<()> {
        let mut message = request(merchant, nonces);
        message.set("out_trade_no", number.as_str());
        let mut exchange =
            self.call(self.plain(), merchant, (CLOSE_ORDER, "/pay/closeorder"), message, |_| Ok(())).await;
        if exchange.result.as_ref().is_err_and(|e| matches!(e.code(), Some("ORDERCLOSED" | "ORDERNOTEXIST"))) {
            exchange.result = Ok(());
        }
        exchange
    }
}

fn read_trade(message: &Message) -> Result<Trade, GatewayError> {
    match message.filled("trade_state").ok_or_else(|| unusable(Flaw::TradeStateMissing))? {
        "SUCCESS" => read_payment(message).map(Trade::Paid).map_err(bad_field),
        // A refund was started, so it was paid; its facts are used when they came along.
        "REFUND" => Ok(match read_payment(message) {
            Ok(payment) => Trade::Paid(Payment { refund_started: true, ..payment }),
            Err(_) => Trade::Other("REFUND".into()),
        }),
        other => Ok(Trade::of_state(other)),
    }
}

/// The facts of a payment, from a query or a notice; `Err` names the field that is missing or wrong.
pub(super) fn read_payment(message: &Message) -> Result<Payment, &'static str> {
    let text = |name: &'static str, max: usize| {
        message.filled(name).filter(|value| value.len() <= max).map(str::to_owned).ok_or(name)
    };
    let total = text("total_fee", 20).ok().and_then(|t| Fen::from_wire(&t)).filter(|t| t.get() >= 1);
    let total = total.ok_or("total_fee")?;
    Ok(Payment {
        name: Identity { app_id: text("appid", 64)?, mch_id: text("mch_id", 64)? },
        api: Api::V2,
        out_trade_no: text("out_trade_no", 64)?,
        transaction_id: text("transaction_id", 64)?,
        total,
        fee_type: message.filled("fee_type").unwrap_or("CNY").to_owned(),
        openid: text("openid", 128)?,
        paid_at: text("time_end", 14).ok().and_then(|t| clock::from_compact(&t)).ok_or("time_end")?,
        refund_started: false,
        coupons: coupons::of_payment(message, total)?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sign::SignType;
    use super::*;

    #[test]
    fn the_second_signature_equals_the_published_vector() {
        let key = "192006250b4c09247ec02edce69f6a2d".parse().unwrap();
        let merchant = Merchant::new("wxd930ea5d5a258f4f", "1900000109", key, SignType::Md5);
        let params = payment_params(&merchant, "wx1", 1_414_561_699_000, &Nonces::counting());
        let again = Message::from([
            ("appId", "wxd930ea5d5a258f4f"),
            ("timeStamp", "1414561699"),
            ("nonceStr", &params.nonce_str),
            ("package", "prepay_id=wx1"),
            ("signType", "MD5"),
        ]);
        assert_eq!(params.pay_sign, sign::sign(&again, SignType::Md5, &merchant.key));
        let json = serde_json::to_value(&params).unwrap();
        let names: Vec<_> = json.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(names, ["appId", "nonceStr", "package", "paySign", "signType", "timeStamp"]);
        assert!(json.as_object().unwrap().values().all(|v| v.is_string()));
    }
}
