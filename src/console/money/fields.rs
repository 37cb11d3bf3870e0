//! The fields of a message exchanged with WeChat, each with what it means: what somebody looks for who does not read XML or JSON.

use serde::Serialize;
use serde_json::Value;

use crate::money::Fen;

/// One field: its name there, what it means, if it is known, and its value.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Field {
    name: String,
    meaning: &'static str,
    value: String,
}

/// What these fields mean, of API v2 and of v3. One inside of an object or a list is known by its last name.
const MEANINGS: [(&str, &str); 62] = [
    ("appid", "小程序"),
    ("mch_id", "商户号"),
    ("mchid", "商户号"),
    ("out_trade_no", "支付单"),
    ("transaction_id", "微信交易号"),
    ("out_refund_no", "退款单号"),
    ("refund_id", "微信退款单号"),
    ("prepay_id", "预支付单"),
    ("body", "商品描述"),
    ("description", "商品描述"),
    ("refund_desc", "退款原因"),
    ("reason", "退款原因"),
    ("total_fee", "订单金额"),
    ("settlement_total_fee", "应结订单金额"),
    ("cash_fee", "现金支付"),
    ("coupon_fee", "代金券"),
    ("refund_fee", "退款金额"),
    ("settlement_refund_fee", "应结退款金额"),
    ("cash_refund_fee", "现金退款"),
    ("total", "订单金额"),
    ("payer_total", "买家付了"),
    ("refund", "退款金额"),
    ("payer_refund", "买家收到的退款"),
    ("fee_type", "币种"),
    ("cash_fee_type", "现金币种"),
    ("currency", "币种"),
    ("payer_currency", "买家付的币种"),
    ("trade_type", "交易类型"),
    ("trade_state", "交易状态"),
    ("trade_state_desc", "交易状态说明"),
    ("refund_status", "退款状态"),
    ("status", "状态"),
    ("bank_type", "付款银行"),
    ("openid", "买家"),
    ("is_subscribe", "关注公众号"),
    ("time_start", "开始"),
    ("time_expire", "最晚付款"),
    ("time_end", "付款时间"),
    ("success_time", "成功时间"),
    ("create_time", "创建时间"),
    ("return_code", "通信结果"),
    ("return_msg", "通信结果说明"),
    ("result_code", "业务结果"),
    ("err_code", "错误码"),
    ("err_code_des", "错误说明"),
    ("code", "错误码"),
    ("message", "错误说明"),
    ("sign", "签名"),
    ("sign_type", "签名方式"),
    ("nonce_str", "随机串"),
    ("nonce", "随机串"),
    ("notify_url", "通知地址"),
    ("spbill_create_ip", "下单 IP"),
    ("payer_client_ip", "下单 IP"),
    ("attach", "附加数据"),
    ("bill_date", "账单日"),
    ("bill_type", "账单类型"),
    ("event_type", "事件"),
    ("summary", "摘要"),
    ("refund_account", "退款出资账户"),
    ("refund_recv_accout", "退到哪里"),
    ("user_received_account", "退到哪里"),
];

/// Amounts are written in fen.
const AMOUNTS: [&str; 11] = [
    "total_fee",
    "settlement_total_fee",
    "cash_fee",
    "coupon_fee",
    "refund_fee",
    "settlement_refund_fee",
    "cash_refund_fee",
    "total",
    "payer_total",
    "refund",
    "payer_refund",
];

/// The fields of a message, as it is shown: one XML element a line, or JSON after its headers. Nothing for anything else.
pub fn of(shown: &str) -> Vec<Field> {
    let body = shown.split_once("\n\n").map_or(shown, |(_, body)| body).trim();
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(body) {
        let mut fields = Vec::new();
        flat("", &value, &mut fields);
        return fields;
    }
    shown.lines().filter_map(element).collect()
}

fn field(path: &str, value: &str) -> Field {
    let name = path.rsplit('.').next().unwrap_or(path);
    let meaning = MEANINGS.iter().find(|(known, _)| *known == name).map_or("", |(_, meaning)| meaning);
    let amount = AMOUNTS.contains(&name).then(|| value.parse().ok().and_then(Fen::new)).flatten();
    let value = amount.map_or_else(|| value.to_owned(), |fen| format!("{value}（¥{fen}）"));
    Field { name: path.to_owned(), meaning, value }
}

/// A line with one element that has no other inside.
fn element(line: &str) -> Option<Field> {
    let (name, rest) = line.trim().strip_prefix('<')?.split_once('>')?;
    let value = rest.strip_suffix(&format!("</{name}>"))?;
    let value = value.strip_prefix("<![CDATA[").and_then(|value| value.strip_suffix("]]>")).unwrap_or(value);
    Some(field(name, value))
}

fn flat(path: &str, value: &Value, fields: &mut Vec<Field>) {
    let inside = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
    match value {
        Value::Object(all) => all.iter().for_each(|(name, value)| flat(&inside(name), value, fields)),
        Value::Array(all) => all.iter().enumerate().for_each(|(n, value)| flat(&format!("{path}[{n}]"), value, fields)),
        Value::String(text) => fields.push(field(path, text)),
        Value::Null => fields.push(field(path, "")),
        other => fields.push(field(path, &other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(shown: &str) -> Vec<(String, &'static str, String)> {
        of(shown).into_iter().map(|field| (field.name, field.meaning, field.value)).collect()
    }

    fn row(name: &str, meaning: &'static str, value: &str) -> (String, &'static str, String) {
        (name.into(), meaning, value.into())
    }

    #[test]
    fn each_field_of_a_message_stands_beside_what_it_means() {
        let xml = "<xml>\n<total_fee><![CDATA[8000]]></total_fee>\n<sign>••••E981</sign>\n<odd>1</odd>\n<attach></attach>\n</xml>\n";
        let rows = [
            row("total_fee", "订单金额", "8000（¥80.00）"),
            row("sign", "签名", "••••E981"),
            row("odd", "", "1"),
            row("attach", "附加数据", ""),
        ];
        assert_eq!(told(xml), rows);
        let json = "Wechatpay-Serial: 01\n\n{\"amount\":{\"total\":57,\"currency\":\"CNY\"},\"goods\":[{\"odd\":\"A\"}],\"attach\":null}\n";
        let rows = [
            row("amount.total", "订单金额", "57（¥0.57）"),
            row("amount.currency", "币种", "CNY"),
            row("goods[0].odd", "", "A"),
            row("attach", "附加数据", ""),
        ];
        let mut found = told(json);
        found.sort_by_key(|(name, ..)| rows.iter().position(|row| row.0 == *name));
        assert_eq!(found, rows);
        assert_eq!(told("（没有收到回答）"), []);
        assert_eq!(told("<total_fee>many</total_fee>"), [row("total_fee", "订单金额", "many")]);
    }
}
