//! Photographs that buyers send with what they ask for: made small like every picture, for them and the staff alone.

pub mod api;
pub mod store;

use rocket::http::{ContentType, Header};
use rocket::response::Responder;
use serde::Serialize;

use crate::db::Tx;
use crate::error::{Error, Result};
use crate::ids::{BuyerId, PhotoId, RefundId, ReturnId};

/// How many one request may carry.
pub const MOST: usize = 9;

/// What a photograph was sent with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum With {
    Refund(RefundId),
    Return(ReturnId),
}

/// Where its buyer finds a photograph, whole and small.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PhotoView {
    id: PhotoId,
    url: String,
    thumb_url: String,
}

impl From<&PhotoId> for PhotoView {
    fn from(id: &PhotoId) -> PhotoView {
        PhotoView { id: *id, url: format!("/api/v1/photos/{id}"), thumb_url: format!("/api/v1/photos/{id}?size=thumb") }
    }
}

/// The photographs that a request names, each once.
pub fn named(texts: &[String]) -> Result<Vec<PhotoId>> {
    if texts.len() > MOST {
        return Err(Error::field("photos", format!("最多 {MOST} 张照片")));
    }
    let mut ids: Vec<PhotoId> = Vec::new();
    for text in texts {
        let id = text.parse().ok().filter(|id| !ids.contains(id));
        ids.push(id.ok_or_else(gone)?);
    }
    Ok(ids)
}

/// Sends them with something. Errors: one of them is gone, or is not this buyer's.
pub fn send_with(tx: &Tx, buyer: BuyerId, ids: &[PhotoId], with: With) -> Result<()> {
    if store::send_with(tx, buyer, ids, with)? { Ok(()) } else { Err(gone()) }
}

/// One of them is not there, or not the buyer's, or was sent with something else.
fn gone() -> Error {
    Error::field("photos", "有照片不在了，请重新上传")
}

/// A photograph on its way to somebody who may see it; nobody in between keeps it.
#[derive(Responder)]
pub struct Shown {
    bytes: Vec<u8>,
    kind: ContentType,
    cache: Header<'static>,
}

impl From<Vec<u8>> for Shown {
    fn from(bytes: Vec<u8>) -> Shown {
        Shown { bytes, kind: ContentType::JPEG, cache: Header::new("Cache-Control", "private, max-age=86400") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_each_photograph_once_and_nine_at_the_most() {
        let texts = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<Vec<_>>();
        assert_eq!(named(&texts(&["7", "3"])).unwrap(), [PhotoId(7), PhotoId(3)]);
        assert_eq!(named(&[]).unwrap(), []);
        for wrong in [&["7", "7"][..], &["x"], &["0"], &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"]] {
            assert!(named(&texts(wrong)).is_err(), "{wrong:?}");
        }
    }
}
