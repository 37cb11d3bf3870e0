//! Pictures: re-encoded on the way in, served for ever under the hash of their content.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};
use rocket::http::ContentType;
use rocket::response::Responder;
use rocket::{Route, State, get, routes};
use sha2::{Digest, Sha256};
use std::io::Cursor;

use super::store;
use crate::db::Tx;
use crate::error::{Code, Error, Result};
use crate::ids::ImageHash;
use crate::shop::Shop;

/// The longest side that is kept, in pixels.
const LONGEST: u32 = 1200;
const MOST_PIXELS: u64 = 40_000_000;

/// A picture ready to be stored: JPEG, upright, small, without what the camera wrote into it.
pub struct Picture {
    pub hash: ImageHash,
    width: u32,
    height: u32,
    bytes: Vec<u8>,
}

impl Picture {
    /// Reads JPEG, PNG or WebP. Blocks: call it off the async threads.
    pub fn read(bytes: &[u8]) -> Result<Picture> {
        let bad = |problem: &str| Error::field("image", problem.to_owned());
        let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format().map_err(|_| bad("图片读不出来"))?;
        if !matches!(reader.format(), Some(ImageFormat::Jpeg | ImageFormat::Png | ImageFormat::WebP)) {
            return Err(bad("只支持 JPG、PNG 和 WebP 图片"));
        }
        // A small file may claim to be a huge picture: looked at before it is unpacked.
        let mut limits = Limits::default();
        (limits.max_image_width, limits.max_image_height) = (Some(12_000), Some(12_000));
        limits.max_alloc = Some(256 * 1024 * 1024);
        reader.limits(limits);
        let mut decoder = reader.into_decoder().map_err(|_| bad("图片已损坏，或尺寸超过 12000 像素"))?;
        let (width, height) = decoder.dimensions();
        if u64::from(width) * u64::from(height) > MOST_PIXELS {
            return Err(bad("图片像素太多，请缩小到 4000 万像素以内"));
        }
        let turn = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
        let mut picture = DynamicImage::from_decoder(decoder).map_err(|_| bad("图片已损坏，请重新导出后再上传"))?;
        picture.apply_orientation(turn);
        if picture.width().max(picture.height()) > LONGEST {
            picture = picture.resize(LONGEST, LONGEST, image::imageops::FilterType::Triangle);
        }
        Picture::encode(&on_white(picture))
    }

    fn encode(picture: &DynamicImage) -> Result<Picture> {
        let mut bytes = Vec::new();
        JpegEncoder::new_with_quality(&mut bytes, 85)
            .encode_image(picture)
            .map_err(|_| Error::field("image", "图片无法转换，请换一张"))?;
        Ok(Picture { hash: hash(&bytes)?, width: picture.width(), height: picture.height(), bytes })
    }

    /// Keeps the picture; the same one twice is one row.
    pub fn store(&self, tx: &Tx, now: i64) -> rusqlite::Result<()> {
        store::put_image(tx, &self.hash, self.width, self.height, &self.bytes, now)
    }
}

fn hash(bytes: &[u8]) -> Result<ImageHash> {
    hex::encode(Sha256::digest(bytes)).parse().map_err(|_| Code::Internal.into())
}

/// JPEG has no transparency: what shines through becomes white, not black.
fn on_white(picture: DynamicImage) -> DynamicImage {
    if !picture.color().has_alpha() {
        return DynamicImage::ImageRgb8(picture.into_rgb8());
    }
    let mut rgb = image::RgbImage::new(picture.width(), picture.height());
    for (to, from) in rgb.pixels_mut().zip(picture.into_rgba8().pixels()) {
        let [r, g, b, a] = from.0.map(u32::from);
        let over = |c: u32| ((c * a + 255 * (255 - a)) / 255) as u8;
        *to = image::Rgb([over(r), over(g), over(b)]);
    }
    DynamicImage::ImageRgb8(rgb)
}

pub fn routes() -> Vec<Route> {
    routes![picture]
}

/// A picture under its hash never changes, so it may be kept for ever.
#[derive(Responder)]
struct Kept {
    bytes: Vec<u8>,
    kind: ContentType,
    cache: rocket::http::Header<'static>,
}

#[get("/media/<name>")]
async fn picture(shop: &State<Shop>, name: &str) -> Result<Kept> {
    let hash: ImageHash = name.strip_suffix(".jpg").and_then(|hash| hash.parse().ok()).ok_or(Code::NotFound)?;
    let found = shop.db.read(move |conn| Ok::<_, Error>(store::image(conn, &hash)?)).await?;
    Ok(Kept {
        bytes: found.ok_or(Code::NotFound)?,
        kind: ContentType::JPEG,
        cache: rocket::http::Header::new("Cache-Control", "public, max-age=31536000, immutable"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Vec::new();
        DynamicImage::new_rgba8(width, height).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
        bytes
    }

    #[test]
    fn a_picture_is_shrunk_and_becomes_a_jpeg_on_white() {
        let picture = Picture::read(&png(2400, 600)).unwrap();
        assert_eq!((picture.width, picture.height), (1200, 300));
        let back = image::load_from_memory_with_format(&picture.bytes, ImageFormat::Jpeg).unwrap().into_rgb8();
        assert!(back.get_pixel(5, 5).0.iter().all(|c| *c > 250));
        assert_eq!(Picture::read(&png(2400, 600)).unwrap().hash, picture.hash);
    }

    #[test]
    fn what_is_no_picture_is_refused_in_words() {
        let mut claims_huge = png(10, 10);
        claims_huge[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
        for bytes in
            [b"".as_slice(), b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", &claims_huge, &png(9, 9)[..40]]
        {
            assert!(Picture::read(bytes).is_err());
        }
    }
}
