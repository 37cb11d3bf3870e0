//! What a dictionary is made of: one exchange of each kind as this shop has it, without anything that is a buyer's.

use super::joined;

/// What all messages of a shop have in common: its settings, and with them the forms of WeChat's messages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples(Vec<u8>);

/// By what the messages of one shop differ from those of another.
#[derive(Default)]
pub struct Constants<'a> {
    pub v3: bool,
    pub app_id: &'a str,
    pub mch_id: &'a str,
    pub sign_type: &'a str,
    pub public_url: &'a str,
    /// The key that WeChat Pay signs with.
    pub public_key_id: &'a str,
}

impl Samples {
    /// Whatever is asked for most stands last, where it costs least to point at.
    pub fn of(constants: &Constants<'_>) -> Samples {
        let kinds: &[Kind] = if constants.v3 { &[COMMON, V3] } else { &[COMMON, V2] };
        let fill = |text: &str| constants.fill(text);
        let mut bytes = Vec::new();
        for kind in kinds {
            bytes.extend_from_slice(fill(kind.seldom).as_bytes());
            for [answer, checks, request] in kind.exchanges {
                let pieces = [answer, checks, request].map(|text| fill(text));
                bytes.extend(joined([pieces[0].as_bytes(), pieces[1].as_bytes(), pieces[2].as_bytes()]));
            }
        }
        Samples(bytes)
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl Constants<'_> {
    fn fill(&self, text: &str) -> String {
        let sign = "0".repeat(if self.sign_type == "MD5" { 32 } else { 64 });
        [
            ("{app}", self.app_id),
            ("{mch}", self.mch_id),
            ("{sign_type}", self.sign_type),
            ("{url}", self.public_url.trim_end_matches('/')),
            ("{public_key_id}", self.public_key_id),
            ("{sign}", &sign),
            ("{nonce}", &"0".repeat(32)),
            ("{number}", "20260000000000000001"),
            ("{signature}", &"0".repeat(344)),
        ]
        .iter()
        .fold(text.to_owned(), |text, (name, value)| text.replace(name, value))
        .replace("{lf}", "\n")
    }
}

/// One group of messages; `{lf}` is a line break.
struct Kind {
    /// Names and beginnings of fields that few messages have.
    seldom: &'static str,
    /// Answer, checks and request of whole exchanges.
    exchanges: &'static [[&'static str; 3]],
}

const COMMON: Kind = Kind {
    seldom: "",
    exchanges: &[
        [
            "{\"errcode\":0,\"errmsg\":\"ok\"}",
            "[]",
            "POST /wxa/sec/order/upload_shipping_info{lf}{{lf}  \"delivery_mode\": 1,{lf}  \"logistics_type\": 1,{lf}  \
             \"order_key\": {{lf}    \"order_number_type\": 2,{lf}    \"transaction_id\": \"42000000{lf}  },{lf}  \
             \"payer\": {{lf}    \"openid\": \"o\"{lf}  },{lf}  \"shipping_list\": [{lf}    {{lf}      \"contact\": {{lf}        \
             \"receiver_contact\": \"1****0000\"{lf}      },{lf}      \"express_company\": \"SF\",{lf}      \
             \"item_desc\": \" ×1\",{lf}      \"tracking_no\": \"SF\"{lf}    }{lf}  ],{lf}  \
             \"upload_time\": \"2026-00-00T00:00:00.000+08:00\"{lf}}",
        ],
        [
            "{\"openid\":\"o000000000000000000000000000\"}",
            "[]",
            "GET /sns/jscode2session?appid={app}&grant_type=authorization_code",
        ],
    ],
};

const V2: Kind = Kind {
    seldom: "]]></attach>{lf}<bank_type><![CDATA[OTHERS]]></bank_type>{lf}<cash_fee>1</cash_fee>{lf}\
        <fee_type><![CDATA[CNY]]></fee_type>{lf}<is_subscribe><![CDATA[N]]></is_subscribe>{lf}\
        <mch_id><![CDATA[{mch}]]></mch_id>{lf}<nonce_str><![CDATA[]]></nonce_str>{lf}<openid><![CDATA[o]]></openid>{lf}\
        <out_trade_no><![CDATA[]]></out_trade_no>{lf}<result_code><![CDATA[SUCCESS]]></result_code>{lf}\
        <return_code><![CDATA[SUCCESS]]></return_code>{lf}<sign><![CDATA[]]></sign>{lf}<time_end><![CDATA[2026]]></time_end>{lf}\
        <total_fee>1</total_fee>{lf}<trade_type><![CDATA[JSAPI]]></trade_type>{lf}\
        <transaction_id><![CDATA[42000000]]></transaction_id>{lf}</xml>\
        <out_refund_no><![CDATA[2026]]></out_refund_no><refund_desc><![CDATA[]]></refund_desc>\
        <refund_fee><![CDATA[00]]></refund_fee><refund_fee_type><![CDATA[CNY]]></refund_fee_type>\
        <refund_id><![CDATA[5000]]></refund_id><refund_channel_0><![CDATA[ORIGINAL]]></refund_channel_0>\
        <refund_count><![CDATA[1]]></refund_count><refund_recv_accout_0><![CDATA[支付用户零钱]]></refund_recv_accout_0>\
        <refund_status_0><![CDATA[SUCCESS]]></refund_status_0><refund_success_time_0><![CDATA[2026-]]></refund_success_time_0>\
        <err_code><![CDATA[ORDERNOTEXIST]]></err_code><err_code_des><![CDATA[]]></err_code_des>\
        <coupon_fee><![CDATA[]]></coupon_fee><coupon_count><![CDATA[1]]></coupon_count><coupon_id_0><![CDATA[]]></coupon_id_0>",
    exchanges: &[
        [
            "<xml><appid><![CDATA[{app}]]></appid><mch_id><![CDATA[{mch}]]></mch_id><nonce_str><![CDATA[{nonce}]]></nonce_str>\
             <out_trade_no><![CDATA[{number}]]></out_trade_no><result_code><![CDATA[SUCCESS]]></result_code>\
             <return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg>\
             <sign><![CDATA[{sign}]]></sign><trade_state><![CDATA[NOTPAY]]></trade_state>\
             <trade_state_desc><![CDATA[订单未支付]]></trade_state_desc></xml>",
            "[]",
            "<xml><appid><![CDATA[{app}]]></appid><mch_id><![CDATA[{mch}]]></mch_id><nonce_str><![CDATA[{nonce}]]></nonce_str>\
             <out_trade_no><![CDATA[{number}]]></out_trade_no><sign_type><![CDATA[{sign_type}]]></sign_type></xml>",
        ],
        [
            "",
            "",
            "{\"appid\":\"{app}\",\"mch_id\":\"{mch}\",\"nonce_str\":\"{nonce}\",\"body\":\"\",\"out_trade_no\":\"{number}\",\
             \"total_fee\":8800,\"spbill_create_ip\":\"127.0.0.1\",\"notify_url\":\"{url}/wechat/pay/notify\",\"openid\":\"o\",\
             \"time_start\":\"2026\",\"time_expire\":\"2026\",\"sign_type\":\"{sign_type}\"}",
        ],
        [
            "<xml><appid><![CDATA[{app}]]></appid><mch_id><![CDATA[{mch}]]></mch_id><nonce_str><![CDATA[{nonce}]]></nonce_str>\
             <prepay_id><![CDATA[wx2026000000000000000000000000000000]]></prepay_id>\
             <result_code><![CDATA[SUCCESS]]></result_code><return_code><![CDATA[SUCCESS]]></return_code>\
             <return_msg><![CDATA[OK]]></return_msg><sign><![CDATA[{sign}]]></sign><trade_type><![CDATA[JSAPI]]></trade_type></xml>",
            "[]",
            "<xml><appid><![CDATA[{app}]]></appid><body><![CDATA[]]></body><fee_type><![CDATA[CNY]]></fee_type>\
             <mch_id><![CDATA[{mch}]]></mch_id><nonce_str><![CDATA[{nonce}]]></nonce_str>\
             <notify_url><![CDATA[{url}/wechat/pay/notify]]></notify_url><openid><![CDATA[o]]></openid>\
             <out_trade_no><![CDATA[{number}]]></out_trade_no><sign_type><![CDATA[{sign_type}]]></sign_type>\
             <spbill_create_ip><![CDATA[127.0.0.1]]></spbill_create_ip><time_expire><![CDATA[2026]]></time_expire>\
             <time_start><![CDATA[2026]]></time_start><total_fee><![CDATA[8800]]></total_fee>\
             <trade_type><![CDATA[JSAPI]]></trade_type></xml>",
        ],
        [
            "<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>",
            "[{\"what\":\"XML 格式、无重复与嵌套\",\"ok\":true,\"note\":\"\"},{\"what\":\"通信标识\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"商户号\",\"ok\":true,\"note\":\"\"},{\"what\":\"验签\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"不是本店发出的请求\",\"ok\":true,\"note\":\"\"},{\"what\":\"不是服务商模式\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"业务结果\",\"ok\":true,\"note\":\"\"},{\"what\":\"付款银行\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"交易类型\",\"ok\":true,\"note\":\"\"},{\"what\":\"必填字段与范围\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"金额、币种与订单\",\"ok\":true,\"note\":\"已入账\"}]",
            "<xml><appid><![CDATA[{app}]]></appid><bank_type><![CDATA[OTHERS]]></bank_type><cash_fee><![CDATA[8800]]></cash_fee>\
             <fee_type><![CDATA[CNY]]></fee_type><is_subscribe><![CDATA[N]]></is_subscribe><mch_id><![CDATA[{mch}]]></mch_id>\
             <nonce_str><![CDATA[{nonce}]]></nonce_str><openid><![CDATA[o]]></openid>\
             <out_trade_no><![CDATA[{number}]]></out_trade_no><result_code><![CDATA[SUCCESS]]></result_code>\
             <return_code><![CDATA[SUCCESS]]></return_code><sign><![CDATA[{sign}]]></sign><time_end><![CDATA[2026]]></time_end>\
             <total_fee><![CDATA[8800]]></total_fee><trade_type><![CDATA[JSAPI]]></trade_type>\
             <transaction_id><![CDATA[42000000]]></transaction_id></xml>",
        ],
    ],
};

const V3: Kind = Kind {
    seldom: "{\"code\":\"\",\"message\":\"\"}{\"out_refund_no\":\"2026\",\"refund_id\":\"5000\",\"channel\":\"ORIGINAL\",\
        \"user_received_account\":\"支付用户零钱\",\"success_time\":\"2026-\",\"create_time\":\"2026-\",\"status\":\"SUCCESS\",\
        \"amount\":{\"refund\":,\"payer_refund\":,\"settlement_total\":,\"settlement_refund\":,\"discount_refund\":0},\
        \"POST /v3/refund/domestic/refunds{lf}{lf}{\"GET /v3/refund/domestic/refunds/{\"reason\":\"\"",
    exchanges: &[
        [
            "Wechatpay-Timestamp: 17{lf}Wechatpay-Nonce: {nonce}{lf}Wechatpay-Serial: {public_key_id}{lf}\
             Wechatpay-Signature: {lf}{lf}{\"amount\":{\"currency\":\"CNY\",\"payer_currency\":\"CNY\",\"payer_total\":8800,\
             \"total\":8800},\"appid\":\"{app}\",\"attach\":\"\",\"bank_type\":\"OTHERS\",\"mchid\":\"{mch}\",\
             \"out_trade_no\":\"{number}\",\"payer\":{\"openid\":\"o\"},\"promotion_detail\":[],\
             \"success_time\":\"2026-00-00T00:00:00+08:00\",\"trade_state\":\"NOTPAY\",\"trade_state_desc\":\"订单未支付\",\
             \"trade_type\":\"JSAPI\",\"transaction_id\":\"42000000\"}",
            "[]",
            "GET /v3/pay/transactions/out-trade-no/{number}?mchid={mch}",
        ],
        [
            "Wechatpay-Timestamp: 17{lf}Wechatpay-Nonce: {nonce}{lf}Wechatpay-Serial: {public_key_id}{lf}\
             Wechatpay-Signature: {signature}{lf}{lf}{\"prepay_id\":\"wx2026000000000000000000000000000000\"}",
            "[]",
            "POST /v3/pay/transactions/jsapi{lf}{lf}{\"amount\":{\"currency\":\"CNY\",\"total\":8800},\"appid\":\"{app}\",\
             \"description\":\"\",\"mchid\":\"{mch}\",\"notify_url\":\"{url}/wechat/pay/v3/notify\",\"out_trade_no\":\"{number}\",\
             \"payer\":{\"openid\":\"o\"},\"time_expire\":\"2026-00-00T00:00:00+08:00\"}",
        ],
        [
            "",
            "",
            "{\"appid\":\"{app}\",\"mchid\":\"{mch}\",\"description\":\"\",\"out_trade_no\":\"{number}\",\
             \"time_expire\":\"2026-00-00T00:00:00+08:00\",\"notify_url\":\"{url}/wechat/pay/v3/notify\",\
             \"amount\":{\"total\":8800,\"currency\":\"CNY\"},\"payer\":{\"openid\":\"o\"}}",
        ],
        [
            "204 No Content",
            "[{\"what\":\"验签\",\"ok\":true,\"note\":\"\"},{\"what\":\"解密\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"商户号\",\"ok\":true,\"note\":\"\"},{\"what\":\"支付状态\",\"ok\":true,\"note\":\"\"},\
             {\"what\":\"必填字段与范围\",\"ok\":true,\"note\":\"\"},{\"what\":\"金额、币种与订单\",\"ok\":true,\"note\":\"已入账\"}]",
            "Wechatpay-Timestamp: 17{lf}Wechatpay-Nonce: {nonce}{lf}Wechatpay-Serial: {public_key_id}{lf}\
             Wechatpay-Signature: {lf}{lf}{\"id\":\"EV-\",\"create_time\":\"2026-00-00T00:00:00+08:00\",\
             \"resource_type\":\"encrypt-resource\",\"event_type\":\"TRANSACTION.SUCCESS\",\"summary\":\"支付成功\",\
             \"resource\":{\"original_type\":\"transaction\",\"algorithm\":\"AEAD_AES_256_GCM\",\"ciphertext\":\"\",\
             \"associated_data\":\"transaction\",\"nonce\":\"\"}}",
        ],
    ],
};
