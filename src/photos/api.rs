//! Photographs, for their buyers: brought one at a time, and looked at again.

use rocket::form::Form;
use rocket::fs::TempFile;
use rocket::http::Status;
use rocket::{FromForm, Route, State, get, post, routes};

use super::{PhotoView, Shown, store};
use crate::buyers::Buyer;
use crate::catalogue::media::Picture;
use crate::db::Tx;
use crate::door::limits::Limits;
use crate::door::{Answer, upload};
use crate::error::{Code, Error, Result};
use crate::ids::PhotoId;
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![bring, look]
}

#[derive(FromForm)]
struct Brought<'r> {
    photo: Option<TempFile<'r>>,
}

#[post("/photos", data = "<form>")]
async fn bring(
    shop: &State<Shop>,
    limits: &State<Limits>,
    buyer: Buyer,
    form: Form<Brought<'_>>,
) -> Result<Answer<PhotoView>> {
    limits.photo(buyer.id.0)?;
    let file = form.photo.as_ref().filter(|file| file.len() > 0);
    let file = file.ok_or_else(|| Error::field("photo", "请选一张照片"))?;
    let picture = upload::heavily(shop, file, Picture::read).await??;
    let id = shop.write(move |tx: &Tx| Ok(store::put(tx, buyer.id, &picture)?)).await?;
    Ok(Answer { status: Status::Created, body: PhotoView::from(&id), replayed: false })
}

#[get("/photos/<id>?<size>")]
async fn look(shop: &State<Shop>, buyer: Buyer, id: &str, size: Option<&str>) -> Result<Shown> {
    let id: PhotoId = id.parse().map_err(|_| Code::NotFound)?;
    let small = size == Some("thumb");
    let found = shop.read(move |conn| Ok(store::bytes(conn, id, Some(buyer.id), small)?)).await?;
    found.map(Shown::from).ok_or_else(|| Code::NotFound.into())
}
