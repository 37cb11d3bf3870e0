//! JSON bodies: limited, typed, and refused by name where they say what is not the client's business.

use std::time::Duration;

use rocket::Request;
use rocket::data::{Data, FromData, Outcome, ToByteUnit};
use serde::de::DeserializeOwned;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::error::{self, Code, Error};

const MAX_BODY_KIB: u64 = 64;
/// A body that trickles in slower than this is given up; WeChat itself waits no longer for an answer. (The first few
/// bytes Rocket waits for by itself; whoever never sends them meets `sockets::patience`.)
const SLOW: Duration = Duration::from_secs(5);

/// A JSON body of exactly the shape of `T`.
pub struct Body<T> {
    pub value: T,
    /// The same for the same JSON, however it is spaced and ordered.
    pub fingerprint: Vec<u8>,
}

#[rocket::async_trait]
impl<'r, T: DeserializeOwned> FromData<'r> for Body<T> {
    type Error = ();
    async fn from_data(request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r, Self> {
        let read = read(request, data).await.and_then(|bytes| Body::of(&bytes));
        match read {
            Ok(body) => Outcome::Success(body),
            Err(error) => Outcome::Error((error::leave(request, error), ())),
        }
    }
}

impl<T: DeserializeOwned> Body<T> {
    fn of(bytes: &[u8]) -> error::Result<Body<T>> {
        let value = serde_json::from_slice(bytes).map_err(|e| explain(&e))?;
        Ok(Body { value, fingerprint: fingerprint(bytes)? })
    }
}

async fn read(request: &Request<'_>, data: Data<'_>) -> error::Result<Vec<u8>> {
    if !request.content_type().is_some_and(|given| given.is_json()) {
        return Err(Code::UnsupportedMediaType.into());
    }
    within(data, MAX_BODY_KIB).await
}

fn fingerprint(bytes: &[u8]) -> error::Result<Vec<u8>> {
    let any: Value = serde_json::from_slice(bytes).map_err(|e| explain(&e))?;
    Ok(Sha256::digest(any.to_string()).to_vec())
}

/// Reads a whole body of at most `kib` KiB, or says why not.
pub async fn within(data: Data<'_>, kib: u64) -> error::Result<Vec<u8>> {
    match tokio::time::timeout(SLOW, data.open(kib.kibibytes()).into_bytes()).await {
        Ok(Ok(bytes)) if bytes.is_complete() => Ok(bytes.into_inner()),
        Ok(Ok(_)) => Err(Code::PayloadTooLarge.into()),
        Ok(Err(_)) => Err(Error::from(Code::MalformedBody).says("请求没有传完整，请重试")),
        Err(_) => Err(Error::from(Code::MalformedBody).says("请求传得太慢，请检查网络后重试")),
    }
}

/// Turns serde's words into ours: an unknown field is 400 by name, a missing one 422, any other shape 400.
fn explain(e: &serde_json::Error) -> Error {
    let words = e.to_string();
    let named = |prefix: &str| words.strip_prefix(prefix).and_then(|rest| rest.split('`').next()).map(str::to_owned);
    if let Some(name) = named("unknown field `") {
        let mut error = Error::from(Code::UnknownField).says(format!("不认识的字段 {name}，请对照接口文档去掉它"));
        error.fields.insert(name, "不认识的字段".into());
        return error;
    }
    if let Some(name) = named("missing field `") {
        let problem = format!("缺少 {name}");
        return Error::field(name, problem);
    }
    Error::from(Code::MalformedBody).details(serde_json::json!({ "line": e.line(), "column": e.column() }))
}
