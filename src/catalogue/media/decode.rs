//! From a file's bytes to pixels: sRGB, upright, on white, no wider than is kept.
//!
//! A photograph of 50 megapixels is made small before anything else is done to it, so it stands in memory once.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::kind::{self, Jpeg, Kind};
use super::shrink::shrink;

/// What phones call 50 megapixels is 8192 × 6144 at the most.
const MOST_PIXELS: u64 = 51_000_000;
/// What the pixels and the decoder's own tables may take: 24 megapixels of the dearest kind, a progressive JPEG with full
/// chroma, and every plain photograph up to the most.
const MOST_BYTES: u64 = 224 * 1024 * 1024;
/// A strip of details; what is longer, phones do not show.
const TALLEST: u32 = 20_000;

const DAMAGED: &str = "图片已损坏，请重新导出后再上传";

/// A file unpacked, as it was written.
struct Unpacked {
    /// Four inks stand in the channels of an RGBA picture.
    pixels: DynamicImage,
    inks: Option<Inks>,
    profile: Option<Vec<u8>>,
    turn: Orientation,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Inks {
    Cmyk,
    Ycck,
}

/// The picture, at most `width` pixels wide. `Err` is a sentence for whoever sent it.
pub fn upright(bytes: &[u8], width: u32) -> Result<RgbImage, String> {
    let Unpacked { pixels, inks, profile, turn } = match kind::of(bytes)? {
        Kind::Jpeg => jpeg(bytes)?,
        Kind::Png => other(bytes, ImageFormat::Png)?,
        Kind::WebP => other(bytes, ImageFormat::WebP)?,
        Kind::Gif => other(bytes, ImageFormat::Gif)?,
    };
    let lies = matches!(
        turn,
        Orientation::Rotate90 | Orientation::Rotate270 | Orientation::Rotate90FlipH | Orientation::Rotate270FlipH
    );
    let size = (pixels.width(), pixels.height());
    let (w, h) = if lies { (size.1, size.0) } else { size };
    let (new_w, new_h) = fitted((w, h), width);
    if new_h > TALLEST {
        return Err(format!("长图太高：缩到 {new_w} 像素宽后还有 {new_h} 像素高，请切成几张，每张不超过 {TALLEST}"));
    }
    let new_size = if lies { (new_h, new_w) } else { (new_w, new_h) };
    let mut rgb = match inks {
        Some(inks) => from_inks(&small_rgba(pixels.into_rgba8(), new_size), inks, profile.as_deref()),
        None if pixels.color().has_alpha() => {
            let small = small_rgba(on_white(pixels.into_rgba8()), new_size);
            to_srgb(DynamicImage::ImageRgba8(small).into_rgb8(), profile.as_deref())
        }
        None => {
            let rgb = pixels.into_rgb8();
            let small = shrink::<3>(rgb.into_raw(), size, new_size);
            to_srgb(RgbImage::from_raw(new_size.0, new_size.1, small).ok_or(DAMAGED)?, profile.as_deref())
        }
    };
    let mut whole = DynamicImage::ImageRgb8(std::mem::take(&mut rgb));
    whole.apply_orientation(turn);
    Ok(whole.into_rgb8())
}

/// As wide as it is, or as `width`; as high as belongs to that.
pub fn fitted((w, h): (u32, u32), width: u32) -> (u32, u32) {
    if w <= width {
        return (w, h);
    }
    let high = (u64::from(h) * u64::from(width) + u64::from(w) / 2) / u64::from(w);
    (width, u32::try_from(high.max(1)).unwrap_or(u32::MAX))
}

fn small_rgba(pixels: RgbaImage, new_size: (u32, u32)) -> RgbaImage {
    let size = pixels.dimensions();
    RgbaImage::from_raw(new_size.0, new_size.1, shrink::<4>(pixels.into_raw(), size, new_size)).unwrap_or_default()
}

/// Refuses what would not fit into memory, before it is unpacked: a small file may claim to be a huge picture.
fn fits(width: u32, height: u32, bytes: u64) -> Result<(), String> {
    let pixels = u64::from(width) * u64::from(height);
    let size = format!("{width}×{height}，约 {} 万像素", pixels.div_ceil(1_000_000) * 100);
    if pixels > MOST_PIXELS {
        return Err(format!(
            "图片太大（{size}），最多 {} 万像素。请在手机上发原图以外的大小，或缩小后再上传",
            MOST_PIXELS / 1_000_000 * 100
        ));
    }
    if bytes > MOST_BYTES {
        return Err(format!("图片展开后太大（{size}，渐进式或每色 16 位）。请另存为普通的 JPG，或缩小后再上传"));
    }
    Ok(())
}

fn jpeg(bytes: &[u8]) -> Result<Unpacked, String> {
    let head = Jpeg::read(bytes)?;
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(65_535).set_max_height(65_535);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| DAMAGED)?;
    let (inks, out, channels) = match decoder.input_colorspace() {
        Some(ColorSpace::CMYK) => (Some(Inks::Cmyk), ColorSpace::CMYK, 4),
        Some(ColorSpace::YCCK) => (Some(Inks::Ycck), ColorSpace::YCCK, 4),
        _ => (None, ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    // A progressive picture is gathered coefficient by coefficient before its first pixel is known.
    let tables = if head.progressive { 2 * head.samples } else { 0 };
    fits(head.width, head.height, u64::from(head.width) * u64::from(head.height) * channels + tables)?;
    let turn = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif));
    let profile = decoder.icc_profile();
    let raw = decoder.decode().map_err(|_| DAMAGED)?;
    let pixels = match inks {
        Some(_) => RgbaImage::from_raw(head.width, head.height, raw).map(DynamicImage::ImageRgba8),
        None => RgbImage::from_raw(head.width, head.height, raw).map(DynamicImage::ImageRgb8),
    };
    let turn = turn.unwrap_or(Orientation::NoTransforms);
    Ok(Unpacked { pixels: pixels.ok_or(DAMAGED)?, inks, profile, turn })
}

fn other(bytes: &[u8], format: ImageFormat) -> Result<Unpacked, String> {
    let mut decoder = ImageReader::with_format(Cursor::new(bytes), format).into_decoder().map_err(|_| DAMAGED)?;
    let (width, height) = decoder.dimensions();
    // What is not eight bits of red, green and blue is copied once more.
    let pixels = u64::from(width) * u64::from(height);
    let copied = match decoder.color_type() {
        image::ColorType::Rgb8 | image::ColorType::Rgba8 => 0,
        kind if kind.has_alpha() => 4 * pixels,
        _ => 3 * pixels,
    };
    fits(width, height, decoder.total_bytes().saturating_add(copied))?;
    let turn = match (decoder.orientation(), format) {
        (Ok(turn), _) if turn != Orientation::NoTransforms => turn,
        (_, ImageFormat::Png) => {
            late_exif(bytes).and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
        }
        _ => Orientation::NoTransforms,
    };
    let profile = decoder.icc_profile().unwrap_or_default();
    let pixels = DynamicImage::from_decoder(decoder).map_err(|_| DAMAGED)?;
    Ok(Unpacked { pixels, inks: None, profile, turn })
}

/// A PNG's EXIF wherever it stands: ImageMagick writes it behind the pixels, where decoders do not look.
fn late_exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.get(8..)?;
    loop {
        let length = u32::from_be_bytes(*rest.first_chunk()?) as usize;
        let body = rest.get(8..8usize.checked_add(length)?)?;
        if rest.get(4..8)? == b"eXIf" {
            return Some(body);
        }
        rest = rest.get(length + 12..)?;
    }
}

/// JPEG has no transparency: what shines through becomes white, not black.
fn on_white(mut picture: RgbaImage) -> RgbaImage {
    for pixel in picture.pixels_mut() {
        let [r, g, b, a] = pixel.0.map(u32::from);
        let over = |c: u32| ((c * a + 255 * (255 - a)) / 255) as u8;
        pixel.0 = [over(r), over(g), over(b), 255];
    }
    picture
}

/// Out of the colours that its profile describes. A profile that is damaged or made for other pixels is left out.
fn to_srgb(mut picture: RgbImage, profile: Option<&[u8]>) -> RgbImage {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else { return picture };
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let before = match profile.color_space {
        DataColorSpace::Rgb => picture.as_raw().clone(),
        DataColorSpace::Gray => picture.pixels().map(|pixel| pixel.0[0]).collect(),
        _ => return picture,
    };
    let layout = if profile.color_space == DataColorSpace::Gray { Layout::Gray } else { Layout::Rgb };
    if let Ok(transform) = profile.create_transform_8bit(layout, &srgb, Layout::Rgb, options) {
        // The sizes agree by construction; were they not to, the picture stays as it was.
        let mut after = vec![0; picture.as_raw().len()];
        if transform.transform(&before, &mut after).is_ok() {
            picture.copy_from_slice(&after);
        }
    }
    picture
}

/// Printing inks as light: through their profile, or by plain multiplication where there is none.
fn from_inks(picture: &RgbaImage, inks: Inks, profile: Option<&[u8]>) -> RgbImage {
    let cmyk: Vec<u8> = picture
        .pixels()
        .flat_map(|pixel| {
            // JPEG writes inks the other way round: 255 is none. Black stands apart in both.
            let [a, b, c, k] = pixel.0;
            match inks {
                Inks::Cmyk => [255 - a, 255 - b, 255 - c, 255 - k],
                Inks::Ycck => {
                    let [r, g, b] = from_ycc(a, b, c);
                    [r, g, b, 255 - k]
                }
            }
        })
        .collect();
    let mut rgb = RgbImage::new(picture.width(), picture.height());
    let through = profile
        .and_then(|bytes| ColorProfile::new_from_slice(bytes).ok())
        .filter(|p| p.color_space == DataColorSpace::Cmyk);
    if let Some(profile) = through
        && let Ok(transform) = profile.create_transform_8bit(
            Layout::Rgba,
            &ColorProfile::new_srgb(),
            Layout::Rgb,
            TransformOptions::default(),
        )
        && transform.transform(&cmyk, &mut rgb).is_ok()
    {
        return rgb;
    }
    for (light, ink) in rgb.pixels_mut().zip(cmyk.chunks_exact(4)) {
        let shine = |i: usize| (u32::from(255 - ink[i]) * u32::from(255 - ink[3]) / 255) as u8;
        light.0 = [shine(0), shine(1), shine(2)];
    }
    rgb
}

/// JPEG's own luma and chroma (BT.601, full range), in 16 bits of fraction.
fn from_ycc(y: u8, cb: u8, cr: u8) -> [u8; 3] {
    let (y, cb, cr) = (i32::from(y) << 16, i32::from(cb) - 128, i32::from(cr) - 128);
    let whole = |fixed: i32| ((fixed + (1 << 15)) >> 16).clamp(0, 255) as u8;
    [whole(y + 91_881 * cr), whole(y - 22_554 * cb - 46_802 * cr), whole(y + 116_130 * cb)]
}
