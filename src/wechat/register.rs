//! WeChat's register of what was shipped (小程序发货信息管理): for most mini-programs a payment is settled only when it
//! is told how the goods left. Source: upload_shipping_info.

use serde_json::{Value, json};

use super::mini_program::MiniProgram;
use super::{Exchange, Wechat};

/// The mini-program's page of an order, with WeChat's placeholder for our number.
pub const ORDER_PATH: &str = "pages/order/order?id=${商品订单号}";
/// The most parcels of one payment.
pub const MOST_PARCELS: usize = 15;
const MOST_LETTERS: usize = 120;

/// How the goods left, by WeChat's number for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Express = 1,
    Local = 2,
    Virtual = 3,
    Pickup = 4,
}

/// Which payment it is. Source: upload_shipping_info, order_key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OrderKey {
    /// By WeChat's number.
    Transaction(String),
    /// By our own under the merchant number.
    Number { mch_id: String, out_trade_no: String },
}

impl OrderKey {
    fn json(&self) -> Value {
        match self {
            OrderKey::Transaction(id) => json!({ "order_number_type": 2, "transaction_id": id }),
            OrderKey::Number { mch_id, out_trade_no } => {
                json!({ "order_number_type": 1, "mchid": mch_id, "out_trade_no": out_trade_no })
            }
        }
    }
}

/// How the goods of one payment left, all of them.
#[derive(Clone, Debug)]
pub struct Dispatch {
    pub payment: OrderKey,
    /// Who paid.
    pub openid: String,
    pub way: Way,
    /// At least one; more than one only by express.
    pub parcels: Vec<ShippingItem>,
    /// RFC 3339. Later than the last time.
    pub at: String,
}

#[derive(Clone, Debug)]
pub struct ShippingItem {
    /// WeChat's code of the parcel service, and its number. By express alone.
    pub company: String,
    pub tracking_no: String,
    pub goods: String,
    /// Masked. Some services want it.
    pub phone: String,
}

impl Dispatch {
    fn body(&self) -> Value {
        let parcel = |parcel: &ShippingItem| {
            let mut entry = json!({ "item_desc": parcel.goods.chars().take(MOST_LETTERS).collect::<String>() });
            if self.way == Way::Express {
                entry["tracking_no"] = json!(parcel.tracking_no);
                entry["express_company"] = json!(parcel.company);
                if parcel.company == "SF" {
                    entry["contact"] = json!({ "receiver_contact": parcel.phone });
                }
            }
            entry
        };
        let mut body = json!({
            "order_key": self.payment.json(),
            "logistics_type": self.way as u8,
            "delivery_mode": 1,
            "shipping_list": self.parcels.iter().map(parcel).collect::<Vec<_>>(),
            "upload_time": self.at,
            "payer": { "openid": self.openid },
        });
        if self.parcels.len() > 1 {
            body["delivery_mode"] = json!(2);
            body["is_all_delivered"] = json!(true);
        }
        body
    }
}

impl Wechat {
    /// Whether this mini-program's payments wait for the register at all.
    pub async fn wants_register(&self, app: &MiniProgram) -> Exchange<bool> {
        let call = ("trade_managed", "/wxa/sec/order/is_trade_managed");
        let exchange = self.ask_api(app, call, &json!({ "appid": app.app_id })).await;
        exchange.map(|answer| answer["is_trade_managed"].as_bool().unwrap_or(false))
    }

    /// Whether the settlement of its payments was agreed to at WeChat's console. Source:
    /// is_trade_management_confirmation_completed.
    pub async fn settlement_agreed(&self, app: &MiniProgram) -> Exchange<bool> {
        let call = ("trade_confirmed", "/wxa/sec/order/is_trade_management_confirmation_completed");
        let exchange = self.ask_api(app, call, &json!({ "appid": app.app_id })).await;
        exchange.map(|answer| answer["completed"].as_bool().unwrap_or(false))
    }

    /// Where an order of WeChat's own order centre opens; `path` names our number by WeChat's placeholder. Source:
    /// update_order_detail_path.
    pub async fn set_order_path(&self, app: &MiniProgram, path: &str) -> Exchange<()> {
        let call = ("order_path", "/wxa/sec/order/update_order_detail_path");
        self.ask_api(app, call, &json!({ "path": path })).await.map(|_| ())
    }

    pub async fn register(&self, app: &MiniProgram, dispatch: &Dispatch) -> Exchange<()> {
        let call = ("upload_shipping", "/wxa/sec/order/upload_shipping_info");
        self.ask_api(app, call, &dispatch.body()).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wechat_is_told_has_its_own_form() {
        let parcel = |company: &str, number: &str| ShippingItem {
            company: company.into(),
            tracking_no: number.into(),
            goods: "苹果 ×2".into(),
            phone: "138****1234".into(),
        };
        let mut dispatch = Dispatch {
            payment: OrderKey::Transaction("4200000001".into()),
            openid: "oabc".into(),
            way: Way::Express,
            parcels: vec![parcel("SF", "SF1")],
            at: "2026-10-08T13:29:35.120+08:00".into(),
        };
        let head = |way: u8, mode: u8, list: Value| {
            json!({
                "order_key": { "order_number_type": 2, "transaction_id": "4200000001" }, "logistics_type": way,
                "delivery_mode": mode, "shipping_list": list, "upload_time": "2026-10-08T13:29:35.120+08:00",
                "payer": { "openid": "oabc" },
            })
        };
        let sf = json!({
            "tracking_no": "SF1", "express_company": "SF", "item_desc": "苹果 ×2",
            "contact": { "receiver_contact": "138****1234" },
        });
        let zto = json!({ "tracking_no": "7531", "express_company": "ZTO", "item_desc": "苹果 ×2" });
        assert_eq!(dispatch.body(), head(1, 1, json!([sf])));
        dispatch.parcels.push(parcel("ZTO", "7531"));
        let mut split = head(1, 2, json!([sf, zto]));
        split["is_all_delivered"] = json!(true);
        assert_eq!(dispatch.body(), split);
        dispatch.parcels.truncate(1);
        dispatch.way = Way::Pickup;
        assert_eq!(dispatch.body(), head(4, 1, json!([{ "item_desc": "苹果 ×2" }])));
        dispatch.parcels[0].goods = "果".repeat(200);
        assert_eq!(dispatch.body()["shipping_list"][0]["item_desc"], "果".repeat(120));
        dispatch.payment = OrderKey::Number { mch_id: "1900000109".into(), out_trade_no: "A01".into() };
        let key = json!({ "order_number_type": 1, "mchid": "1900000109", "out_trade_no": "A01" });
        assert_eq!(dispatch.body()["order_key"], key);
    }
}
