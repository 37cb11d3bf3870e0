//! What a product is shared by: its mini-program code, and a poster that is laid out here and drawn by whoever has a font.

pub mod api;
mod code;
pub mod layout;
mod store;
pub mod svg;

pub use code::{Turn, code};
