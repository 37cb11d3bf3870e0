//! What a product is shared by: its code and its poster, to print and to send on.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use rocket::http::ContentType;
use rocket::{Route, State, get, routes};
use rocket_dyn_templates::Template;
use serde::Serialize;

use super::product::find;
use crate::assets;
use crate::catalogue::{Product, store};
use crate::console::{Download, Frame, download, framed, message, waiting};
use crate::error::{Code, Result};
use crate::ids::ProductId;
use crate::posters::{self, Turn};
use crate::shop::Shop;
use crate::staff::Clerk;

pub fn routes() -> Vec<Route> {
    routes![page, code, poster, saved]
}

#[derive(Serialize)]
struct SharePage {
    frame: Frame,
    id: ProductId,
    name: String,
    /// Why there is no code.
    problem: Option<String>,
}

#[get("/products/<id>/share", rank = 3)]
async fn page(shop: &State<Shop>, turn: &State<Turn>, staff: Clerk, id: ProductId) -> Result<Template> {
    // Fetched now, so that the page can say in words why there is none.
    let problem = posters::code(shop, turn, id).await.err().map(|error| message(&error));
    let read =
        move |conn: &rusqlite::Connection| Ok((store::product(conn, id)?.ok_or(Code::NotFound)?, waiting(conn)?));
    let (product, waits) = shop.read(read).await?;
    let frame = framed(shop, &staff.0, "products", None, waits);
    Ok(assets::page("console/product_share.html", SharePage { frame, id, name: product.name, problem }))
}

#[get("/products/<id>/code", rank = 3)]
async fn code(shop: &State<Shop>, turn: &State<Turn>, _staff: Clerk, id: ProductId) -> Result<Download> {
    let picture = posters::code(shop, turn, id).await?;
    let (kind, ending) = match posters::api::kind(&picture) {
        kind if kind == ContentType::PNG => (kind, "png"),
        kind => (kind, "jpg"),
    };
    let name = format!("小程序码-{}.{ending}", find(shop, id).await?.name);
    Ok(download(kind, &name, picture))
}

#[get("/products/<id>/poster.svg", rank = 3)]
async fn poster(shop: &State<Shop>, turn: &State<Turn>, _staff: Clerk, id: ProductId) -> Result<(ContentType, String)> {
    Ok((ContentType::SVG, drawn(shop, turn, find(shop, id).await?).await?))
}

#[get("/products/<id>/poster", rank = 3)]
async fn saved(shop: &State<Shop>, turn: &State<Turn>, _staff: Clerk, id: ProductId) -> Result<Download> {
    let product = find(shop, id).await?;
    let name = format!("海报-{}.svg", product.name);
    Ok(download(ContentType::SVG, &name, drawn(shop, turn, product).await?.into_bytes()))
}

/// With its pictures inside: a file that is complete wherever it is opened.
async fn drawn(shop: &Shop, turn: &Turn, product: Product) -> Result<String> {
    let code = posters::code(shop, turn, product.id).await?;
    let cover = product.images.first().cloned();
    let read = move |conn: &rusqlite::Connection| {
        Ok(cover.map(|hash| store::image(conn, &hash)).transpose()?.flatten().map(|(bytes, _)| bytes))
    };
    let inside = |bytes: &[u8]| format!("data:{};base64,{}", posters::api::kind(bytes), BASE64_STANDARD.encode(bytes));
    let picture = shop.read(read).await?.as_deref().map(inside);
    let shop_name = shop.settings().shop_name().to_owned();
    let made = move || posters::svg::svg(&posters::layout::poster(&product, &shop_name, picture, inside(&code)));
    shop.heavily(made).await.map_err(|_| Code::Internal.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::staff::Role;

    #[test]
    fn the_page_of_a_poster_asks_for_nothing_that_it_is_not_given() {
        for problem in [None, Some("没有取到小程序码".to_owned())] {
            let (frame, fails) = (Frame::sample(Role::Clerk), problem.is_some());
            let page = SharePage { frame, id: ProductId(1), name: "草莓蛋糕".into(), problem };
            let html = assets::strictly("console/product_share.html", page).unwrap_or_else(|e| panic!("{e:#}"));
            assert_eq!((html.contains("重试"), html.contains("下载 SVG")), (fails, !fails));
        }
    }
}
