//! Logging in, the buyer's own page, and the address book.

use rocket::http::Status;
use rocket::serde::json::Json;
use rocket::{Route, State, delete, get, post, put, routes};
use serde::Deserialize;
use serde_json::{Value, json};

use super::addresses::{Address, AddressForm, Saved};
use super::{Buyer, SESSION, paste, store};
use crate::clock;
use crate::db::Tx;
use crate::door::body::Body;
use crate::door::limits::Limits;
use crate::door::{Answer, ClientIp};
use crate::error::{Code, Error, Result};
use crate::ids::{AddressId, BuyerId};
use crate::message_log::Logged;
use crate::secrets::token_hash;
use crate::shop::Shop;
use crate::typed::Length;
use crate::wechat::GatewayError;

const MOST_ADDRESSES: i64 = 50;
pub const PASTED: Length = Length::up_to(500);

pub fn routes() -> Vec<Route> {
    routes![login, logout, addresses, read_address, add_address, change_address, remove_address]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Login {
    code: String,
}

/// Turns a `wx.login` code into a token. A code is good once, here as at WeChat, and is never asked about twice.
#[post("/login", data = "<login>")]
async fn login(shop: &State<Shop>, limits: &State<Limits>, ip: ClientIp, login: Body<Login>) -> Result<Json<Value>> {
    limits.login(&ip.0)?;
    let code = login.value.code;
    if !(1..=128).contains(&code.len()) || !code.bytes().all(|b| b.is_ascii_graphic()) {
        return Err(Error::field("code", "code 应是 wx.login 得到的登录凭证"));
    }
    let app = shop.settings().mini_program().ok_or_else(not_configured)?;
    let code_hash = token_hash(&code);
    let fresh = shop.write(move |tx| Ok(store::use_code(tx, &code_hash)?)).await?;
    if !fresh {
        return Err(Code::LoginCodeInvalid.into());
    }
    let exchange = shop.wechat.code_to_openid(&app, &code).await;
    let (token, entry) = (shop.nonces.token(), Logged::sent(&exchange).packed(shop.dictionary().as_ref()));
    let write = move |tx: &Tx| {
        entry.record(tx)?;
        let openid = match &exchange.result {
            Ok(openid) => openid,
            Err(e) => return Ok(Err(e.clone())),
        };
        let (buyer, is_new) = open_session(tx, &app.app_id, openid, &token)?;
        Ok(Ok(json!({
            "token": token,
            "expiresAt": clock::rfc3339(tx.now() + SESSION),
            "buyer": { "id": buyer, "isNew": is_new },
        })))
    };
    shop.write(write).await?.map(Json).map_err(|e| explain(&e))
}

fn not_configured() -> Error {
    Error::from(Code::PaymentNotConfigured).says("店铺还没有填写小程序的 AppID 和 AppSecret，请联系商家")
}

/// WeChat's errcode, in the contract's words. Source: jscode2session.
fn explain(e: &GatewayError) -> Error {
    let GatewayError::Refused { code, .. } = e else {
        return Error::from(Code::WechatUnavailable).says("暂时连不上微信，请稍后重新进入小程序").retry_after(5);
    };
    match code.as_str() {
        "40029" | "40163" => Code::LoginCodeInvalid.into(),
        "40226" => Code::LoginBlocked.into(),
        "45011" => Error::from(Code::RateLimited).retry_after(60),
        _ => Error::from(Code::WechatRejected).says("店铺的小程序设置有误，暂时无法登录，请联系商家"),
    }
}

fn open_session(tx: &Tx, app_id: &str, openid: &str, token: &str) -> rusqlite::Result<(BuyerId, bool)> {
    let now = tx.now();
    let (buyer, is_new) = store::buyer_with(tx, app_id, openid)?;
    store::insert_session(tx, &token_hash(token), buyer, now + SESSION)?;
    Ok((buyer, is_new))
}

/// Ends this login. The token is looked up by the guard, so a stranger's is 401.
#[delete("/login")]
async fn logout(shop: &State<Shop>, _buyer: Buyer, token: Token) -> Result<Status> {
    shop.write(move |tx| Ok(store::delete_session(tx, &token_hash(&token.0))?)).await?;
    Ok(Status::NoContent)
}

struct Token(String);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Token {
    type Error = ();
    async fn from_request(request: &'r rocket::Request<'_>) -> rocket::request::Outcome<Token, ()> {
        match super::bearer(request) {
            Some(token) => rocket::request::Outcome::Success(Token(token.to_owned())),
            None => rocket::request::Outcome::Error((Status::Unauthorized, ())),
        }
    }
}

#[get("/addresses")]
async fn addresses(shop: &State<Shop>, buyer: Buyer) -> Result<Json<Value>> {
    let items = shop.read(move |conn| Ok(store::addresses(conn, buyer.id)?)).await?;
    Ok(Json(json!({ "items": items, "nextCursor": null })))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Pasted {
    text: String,
}

/// Reads an address that was pasted in one piece. Nothing is kept; what is not found is empty.
#[post("/addresses/read", data = "<pasted>")]
async fn read_address(_buyer: Buyer, pasted: Body<Pasted>) -> Result<Json<Address>> {
    let text = &pasted.value.text;
    if !PASTED.fits(text) {
        return Err(Error::field("text", format!("粘贴的内容{PASTED}")));
    }
    paste::read(text).map(|read| Json(read.address)).map_err(|why| Error::field("text", why))
}

#[post("/addresses", data = "<form>")]
async fn add_address(shop: &State<Shop>, buyer: Buyer, form: Body<AddressForm>) -> Result<Answer<Saved>> {
    let default = form.value.is_default;
    let address = form.value.check("")?;
    let write = move |tx: &Tx| {
        if store::count_addresses(tx, buyer.id)? >= MOST_ADDRESSES {
            return Err(Error::from(Code::ValidationFailed).says("地址簿满了（50 个），请先删除不用的"));
        }
        // The first address is the default without being asked.
        let default = default.unwrap_or(store::count_addresses(tx, buyer.id)? == 0);
        let id = store::insert_address(tx, buyer.id, &address)?;
        saved(tx, buyer.id, id, &address, default)
    };
    Ok(Answer { status: Status::Created, body: shop.write(write).await?, replayed: false })
}

#[put("/addresses/<id>", data = "<form>")]
async fn change_address(shop: &State<Shop>, buyer: Buyer, id: &str, form: Body<AddressForm>) -> Result<Json<Saved>> {
    let id: AddressId = id.parse().map_err(|_| Code::NotFound)?;
    let default = form.value.is_default;
    let address = form.value.check("")?;
    let write = move |tx: &Tx| {
        let before = store::address(tx, buyer.id, id)?.ok_or(Code::NotFound)?;
        if !store::update_address(tx, buyer.id, id, &address)? {
            return Err(Code::NotFound.into());
        }
        saved(tx, buyer.id, id, &address, default.unwrap_or(before.is_default))
    };
    shop.write(write).await.map(Json)
}

fn saved(tx: &Tx, buyer: BuyerId, id: AddressId, address: &Address, default: bool) -> Result<Saved> {
    if default {
        store::set_default(tx, buyer, Some(id))?;
    } else if store::address(tx, buyer, id)?.is_some_and(|was| was.is_default) {
        store::set_default(tx, buyer, None)?;
    }
    Ok(Saved { id, address: address.clone(), is_default: default })
}

#[delete("/addresses/<id>")]
async fn remove_address(shop: &State<Shop>, buyer: Buyer, id: &str) -> Result<Status> {
    let id: AddressId = id.parse().map_err(|_| Code::NotFound)?;
    let gone = shop.write(move |tx| Ok(store::delete_address(tx, buyer.id, id)?)).await?;
    if gone { Ok(Status::NoContent) } else { Err(Code::NotFound.into()) }
}
