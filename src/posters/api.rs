//! Codes and posters for the mini-program. Needs no login: whoever can see a product can share it.

use rocket::http::{ContentType, Header};
use rocket::response::Responder;
use rocket::serde::json::Json;
use rocket::{Route, State, get, routes};

use super::layout::{Poster, poster};
use super::{Turn, code};
use crate::catalogue::offered;
use crate::error::{Code, Result};
use crate::ids::{ImageHash, ProductId};
use crate::shop::Shop;

pub fn routes() -> Vec<Route> {
    routes![picture, layout]
}

#[derive(Responder)]
struct Kept {
    bytes: Vec<u8>,
    kind: ContentType,
    cache: Header<'static>,
}

/// JPEG or PNG, as WeChat made it.
pub fn kind(picture: &[u8]) -> ContentType {
    if picture.starts_with(b"\x89PNG") { ContentType::PNG } else { ContentType::JPEG }
}

#[get("/products/<id>/code")]
async fn picture(shop: &State<Shop>, turn: &State<Turn>, id: &str) -> Result<Kept> {
    let id: ProductId = id.parse().map_err(|_| Code::NotFound)?;
    let bytes = code(shop, turn, id).await?;
    Ok(Kept { kind: kind(&bytes), bytes, cache: Header::new("Cache-Control", "public, max-age=86400") })
}

/// Fetches the code besides, so that whoever draws the poster finds it.
#[get("/products/<id>/poster")]
async fn layout(shop: &State<Shop>, turn: &State<Turn>, id: &str) -> Result<Json<Poster>> {
    let id: ProductId = id.parse().map_err(|_| Code::NotFound)?;
    code(shop, turn, id).await?;
    let product = shop.read(move |conn| offered(conn, id)).await?;
    let cover = product.images.first().map(ImageHash::url);
    Ok(Json(poster(&product, shop.settings().shop_name(), cover, format!("/api/v1/products/{id}/code"))))
}
