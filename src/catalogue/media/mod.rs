//! Pictures: re-encoded on the way in in three widths, served for ever under the hash of their content.

mod colour;
mod decode;
mod kind;
mod plan;
mod png;
mod shrink;

pub use decode::held;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ExtendedColorType, RgbImage, imageops};
use rocket::http::{ContentType, Header};
use rocket::response::Responder;
use rocket::{Route, State, get, routes};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Width, store};
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ImageHash;
use crate::shop::Shop;

/// How wide a picture is kept at the most, in pixels. A strip of details keeps its height.
const FULL: u32 = 1200;

/// Where a picture is served in each width. A picture that is narrower comes as it is.
#[derive(Clone, Debug, Serialize)]
pub struct Widths {
    thumb: String,
    card: String,
    full: String,
}

impl From<&ImageHash> for Widths {
    fn from(hash: &ImageHash) -> Widths {
        let card = format!("/media/{hash}-{}.jpg", Width::Card.word());
        Widths { thumb: thumb(hash), card, full: hash.url() }
    }
}

/// Where the smallest width of a picture is served: for the lists of the console.
pub fn thumb(hash: &ImageHash) -> String {
    format!("/media/{hash}-{}.jpg", Width::Thumb.word())
}

/// A picture ready to be stored: JPEG, sRGB, upright, small, without what the camera wrote into it.
pub struct Picture {
    pub hash: ImageHash,
    width: u32,
    height: u32,
    bytes: Vec<u8>,
    smaller: Vec<(Width, Vec<u8>)>,
}

impl Picture {
    /// Reads JPEG, PNG, WebP or a GIF's first frame. Blocks, and may take 200 MiB while it does: run it by `heavily`.
    pub fn read(bytes: &[u8]) -> Result<Picture> {
        let pixels = decode::upright(bytes, FULL).map_err(|problem| Error::field("image", problem))?;
        let bytes = jpeg(&pixels, 85)?;
        let smaller = smaller(&pixels)?;
        Ok(Picture { hash: hash(&bytes)?, width: pixels.width(), height: pixels.height(), bytes, smaller })
    }

    /// As a JPEG, in full.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The same in the least of its widths.
    pub fn smallest(&self) -> &[u8] {
        self.smaller.iter().min_by_key(|(width, _)| width.pixels()).map_or(&self.bytes, |(_, bytes)| bytes)
    }

    /// Keeps the picture; the same one twice is one row.
    pub fn store(&self, tx: &Tx) -> rusqlite::Result<()> {
        store::put_image(tx, &self.hash, self.width, self.height, &self.bytes)?;
        self.smaller.iter().try_for_each(|(width, bytes)| store::put_image_width(tx, &self.hash, *width, bytes))
    }
}

/// Those widths that are smaller than the picture is.
fn smaller(pixels: &RgbImage) -> Result<Vec<(Width, Vec<u8>)>> {
    // Nobody sees more of a strip on a card than twice its width.
    let seen = pixels.height().min(2 * pixels.width());
    let mut made = DynamicImage::ImageRgb8(imageops::crop_imm(pixels, 0, 0, pixels.width(), seen).to_image());
    let mut smaller = Vec::new();
    // From the largest down, each made of the one before.
    for width in Width::ALL.iter().rev().filter(|width| width.pixels() < pixels.width()) {
        let (w, h) = plan::fitted((made.width(), made.height()), width.pixels());
        made = made.resize_exact(w, h, imageops::FilterType::Triangle);
        smaller.push((*width, jpeg(&made.to_rgb8(), 80)?));
    }
    Ok(smaller)
}

fn jpeg(pixels: &RgbImage, quality: u8) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .encode(pixels, pixels.width(), pixels.height(), ExtendedColorType::Rgb8)
        .map_err(|_| Error::field("image", "图片无法转换，请换一张"))?;
    Ok(bytes)
}

fn hash(bytes: &[u8]) -> Result<ImageHash> {
    hex::encode(Sha256::digest(bytes)).parse().map_err(|_| Code::Internal.into())
}

/// Makes the smaller widths of pictures that were kept before there were any, one after the other.
pub async fn complete(shop: &Shop) -> Result<()> {
    loop {
        let next = shop.read(|conn| Ok(store::image_without_widths(conn, Width::Thumb.pixels())?)).await?;
        let Some((hash, bytes)) = next else { return Ok(()) };
        let made = shop.heavily(move || {
            let pixels = decode::upright(&bytes, FULL).map_err(|problem| Error::field("image", problem))?;
            smaller(&pixels)
        });
        let made = made.await.map_err(|_| Code::Internal)??;
        let write = move |tx: &Tx| {
            made.iter().try_for_each(|(width, bytes)| Ok(store::put_image_width(tx, &hash, *width, bytes)?))
        };
        shop.write(write).await?;
    }
}

pub fn routes() -> Vec<Route> {
    routes![picture]
}

/// A picture under its hash never changes, so it may be kept for ever.
#[derive(Responder)]
struct Kept {
    bytes: Vec<u8>,
    kind: ContentType,
    cache: Header<'static>,
}

/// `HASH.jpg`, `HASH-card.jpg` or `HASH-thumb.jpg`.
#[get("/media/<name>")]
async fn picture(shop: &State<Shop>, name: &str) -> Result<Kept> {
    let (hash, width) = read_name(name).ok_or(Code::NotFound)?;
    let read = move |conn: &rusqlite::Connection| {
        let small = width.map(|width| store::image_width(conn, &hash, width)).transpose()?.flatten();
        match small {
            Some(bytes) => Ok(Some((bytes, true))),
            None => {
                let full = store::image(conn, &hash)?;
                let whole = |known: u32| width.is_none_or(|width| known <= width.pixels());
                Ok(full.map(|(bytes, known)| (bytes, whole(known))))
            }
        }
    };
    let (bytes, for_ever) = shop.read(read).await?.ok_or(Code::NotFound)?;
    // A width that has still to be made is lent by the full picture, for a while.
    let cache = if for_ever { "public, max-age=31536000, immutable" } else { "public, max-age=3600" };
    Ok(Kept { bytes, kind: ContentType::JPEG, cache: Header::new("Cache-Control", cache) })
}

fn read_name(name: &str) -> Option<(ImageHash, Option<Width>)> {
    let name = name.strip_suffix(".jpg")?;
    match name.split_once('-') {
        None => Some((name.parse().ok()?, None)),
        Some((hash, width)) => Some((hash.parse().ok()?, Some(width.parse().ok()?))),
    }
}

#[cfg(test)]
mod tests;
