//! What a product is shared by: its mini-program code, and a poster that is laid out here and drawn by whoever has a font.

pub mod api;
mod code;
pub mod layout;
mod store;
pub mod svg;

pub use code::{Turn, code};

use rusqlite::Connection;

use crate::catalogue::{Product, store as catalogue};
use crate::error::{Code, Result};
use crate::ids::ProductId;

/// A product that can be shared: one that buyers can open.
fn shareable(conn: &Connection, id: ProductId) -> Result<Product> {
    let product = catalogue::product(conn, id)?.ok_or(Code::NotFound)?;
    if product.is_for_sale() { Ok(product) } else { Err(Code::ProductOffShelf.into()) }
}
