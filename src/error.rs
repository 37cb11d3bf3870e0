//! One error for everyone who asks the shop for something: a stable code, a status, and words that say what to do next.

use rocket::http::Status;
use rocket::request::Request;
use rocket::response::{self, Responder};
use serde_json::{Map, Value, json};

use crate::db::DbError;

macro_rules! codes {
    ($($name:ident $word:literal $status:literal $text:literal;)*) => {
        /// Every error code of the API, with its HTTP status and its default words.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code { $($name),* }

        impl Code {
            pub const ALL: &[Code] = &[$(Code::$name),*];

            /// The stable word in `error.code`.
            pub fn word(self) -> &'static str { match self { $(Code::$name => $word),* } }
            pub fn status(self) -> Status { match self { $(Code::$name => Status { code: $status }),* } }
            /// May be shown to the buyer as it is.
            pub fn text(self) -> &'static str { match self { $(Code::$name => $text),* } }
        }
    };
}

codes! {
    MalformedBody          "malformed_body"           400 "请求内容不是有效的 JSON，请检查格式";
    UnknownField           "unknown_field"            400 "请求里有不认识的字段，请对照接口文档";
    ValidationFailed       "validation_failed"        422 "填写的内容有误，请检查后重试";
    Unauthenticated        "unauthenticated"          401 "登录已失效，请重新进入小程序";
    NotFound               "not_found"                404 "没有找到您要的内容";
    IdempotencyKeyRequired "idempotency_key_required" 400 "请求缺少 Idempotency-Key（8–64 位字母、数字、- 或 _）";
    IdempotencyMismatch    "idempotency_mismatch"     409 "同一个 Idempotency-Key 用在了不同的请求上，请换一个新的";
    RateLimited            "rate_limited"             429 "操作太频繁，请稍后再试";
    ProductOffShelf        "product_off_shelf"        404 "商品已下架，请看看其他商品";
    OutOfStock             "out_of_stock"             409 "商品库存不足，请减少数量或选择其他规格";
    PurchaseLimit          "purchase_limit"           422 "超过了每单限购数量，请减少数量";
    PriceChanged           "price_changed"            409 "价格有变动，请确认新的金额后再下单";
    AddressRequired        "address_required"         422 "请先填写收货地址";
    NotDeliverable         "not_deliverable"          422 "所选商品不支持这种配送方式，请更换后重试";
    OrderState             "order_state"              409 "订单状态已变化，请刷新后再操作";
    OrderExpired           "order_expired"            409 "订单已超过付款时间，请重新下单";
    AlreadyPaid            "already_paid"             409 "订单已付款，无需重复支付";
    PaymentInProgress      "payment_in_progress"      409 "上一笔支付正在确认，请稍等几秒再试";
    PaymentNotConfigured   "payment_not_configured"   503 "店铺还没有开通微信支付，请联系商家";
    WechatUnavailable      "wechat_unavailable"       503 "暂时连不上微信，请稍后再试；订单已为您保留";
    WechatRejected         "wechat_rejected"          502 "微信没有受理这次请求，请稍后再试或联系商家";
    LoginCodeInvalid       "login_code_invalid"       422 "登录凭证无效或已使用，请重新进入小程序";
    LoginBlocked           "login_blocked"            422 "该微信号登录受限，请联系微信客服";
    RefundLimit            "refund_limit"             422 "退款金额或数量超过了可退的部分";
    RefundInProgress       "refund_in_progress"       409 "这笔订单有退款正在处理，请等它完成";
    PayloadTooLarge        "payload_too_large"        413 "提交的内容太大，请精简后重试";
    UnsupportedMediaType   "unsupported_media_type"   415 "请用 application/json 提交";
    OrderMinimum           "order_minimum"            422 "商品金额还不够，请再加一点";
    SlotRequired           "slot_required"            422 "请选一个送达或取货的时间";
    SlotUnavailable        "slot_unavailable"         409 "这个时间不能约了，请另选一个";
    CouponUnavailable      "coupon_unavailable"       409 "这张优惠券现在不能用，请重新选择";
    DraftUnavailable       "draft_unavailable"        409 "这张单已经不能打开，请联系商家";
    ShopClosed             "shop_closed"              409 "店铺休息中，暂时不能下单";
    BuyerBlocked           "buyer_blocked"            409 "店铺暂时不能接受您的订单，如有疑问请联系商家";
    Unavailable            "unavailable"              503 "店铺现在很忙，请稍后再试";
    Forbidden              "forbidden"                403 "这个密钥没有这项权限，请店主在后台另建一个";
    Internal               "internal"                 500 "系统开了小差，请稍后再试；如果反复出现请把请求编号发给商家";
}

/// A refusal or a failure, on its way to whoever asked. The door it leaves by dresses it.
#[derive(Clone, Debug)]
pub struct Error {
    pub code: Code,
    /// Instead of the code's own words.
    pub message: Option<String>,
    /// What is wrong with which field.
    pub fields: Map<String, Value>,
    pub details: Option<Value>,
    pub retry_after_s: Option<u64>,
}

pub type Result<T> = std::result::Result<T, Error>;

impl From<Code> for Error {
    fn from(code: Code) -> Error {
        Error { code, message: None, fields: Map::new(), details: None, retry_after_s: None }
    }
}

impl Error {
    pub fn field(name: impl Into<String>, problem: impl Into<String>) -> Error {
        let mut error = Error::from(Code::ValidationFailed);
        error.fields.insert(name.into(), Value::String(problem.into()));
        error
    }

    /// The same under the name that the form at hand has for its field.
    pub fn under(mut self, field: &str, own: &str) -> Error {
        if let Some(problem) = self.fields.remove(field) {
            self.fields.insert(own.into(), problem);
        }
        self
    }

    pub fn says(mut self, message: impl Into<String>) -> Error {
        self.message = Some(message.into());
        self
    }

    pub fn details(mut self, details: Value) -> Error {
        self.details = Some(details);
        self
    }

    pub fn retry_after(mut self, seconds: u64) -> Error {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The words for the listener: what is wrong with the fields, or the message, or the code's own text.
    pub fn message(&self) -> String {
        if let Some(message) = &self.message {
            return message.clone();
        }
        match self.fields.values().next().and_then(Value::as_str) {
            Some(problem) => problem.to_owned(),
            None => self.code.text().to_owned(),
        }
    }

    pub fn body(&self, request_id: &str) -> Value {
        let mut error = json!({ "code": self.code.word(), "message": self.message(), "requestId": request_id });
        if !self.fields.is_empty() {
            error["fields"] = Value::Object(self.fields.clone());
        }
        if let Some(details) = &self.details {
            error["details"] = details.clone();
        }
        json!({ "error": error })
    }
}

/// Absence is `None`, decided by the caller; what arrives here is breakage.
impl From<rusqlite::Error> for Error {
    fn from(e: rusqlite::Error) -> Error {
        DbError::from(e).into()
    }
}

impl From<DbError> for Error {
    fn from(e: DbError) -> Error {
        log::error!("database: {e}");
        match e {
            DbError::Busy => Error::from(Code::Unavailable).retry_after(2),
            DbError::DiskFull => Error::from(Code::Unavailable)
                .says("店铺服务器的磁盘满了，暂时不能保存；请联系商家腾出空间，稍后再试，不会重复")
                .retry_after(30),
            DbError::NotCommitted(_) => {
                Error::from(Code::Unavailable).says("这一次没有保存成功，请再试一次").retry_after(2)
            }
            _ => Code::Internal.into(),
        }
    }
}

/// What went wrong with a request, left for the catcher of the door it came through.
#[derive(Default)]
pub struct Left(std::sync::Mutex<Option<Error>>);

/// Leaves an error for the catcher and answers with its status.
pub fn leave(request: &Request<'_>, error: Error) -> Status {
    let status = error.code.status();
    *request.local_cache(Left::default).0.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = Some(error);
    status
}

/// The error that was left, or one made from the bare status.
pub fn taken(request: &Request<'_>, status: Status) -> Error {
    let left = request.local_cache(Left::default).0.lock().unwrap_or_else(std::sync::PoisonError::into_inner).take();
    left.unwrap_or_else(|| match status.code {
        401 => Code::Unauthenticated.into(),
        404 | 405 => Code::NotFound.into(),
        413 => Code::PayloadTooLarge.into(),
        415 => Code::UnsupportedMediaType.into(),
        422 => Code::ValidationFailed.into(),
        429 => Code::RateLimited.into(),
        400..=499 => Code::MalformedBody.into(),
        503 => Code::Unavailable.into(),
        _ => Code::Internal.into(),
    })
}

impl<'r, 'o: 'r> Responder<'r, 'o> for Error {
    fn respond_to(self, request: &'r Request<'_>) -> response::Result<'o> {
        Err(leave(request, self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_word_of_its_own_and_words_for_the_buyer() {
        let words: std::collections::BTreeSet<_> = Code::ALL.iter().map(|c| c.word()).collect();
        assert_eq!(words.len(), Code::ALL.len());
        assert!(Code::ALL.iter().all(|c| c.text().chars().any(|ch| ch > '一')));
    }
}
