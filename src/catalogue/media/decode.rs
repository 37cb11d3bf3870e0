//! From a file's bytes to pixels: sRGB, upright, on white, no wider than is kept.
//!
//! A photograph of 50 megapixels is made small before anything else is done to it, line by line where its kind allows that.

use std::io::Cursor;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits, RgbImage, RgbaImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::colour::{self, Inks};
use super::kind::{self, Jpeg, Kind};
use super::plan::{DAMAGED, MOST_BYTES, Pixels, Plan, Small, fits, over_white, turn};
use super::png;
use super::shrink::{Shrinker, shrink};

/// The picture, at most `width` pixels wide. `Err` is a sentence for whoever sent it.
pub fn upright(bytes: &[u8], width: u32) -> Result<RgbImage, String> {
    let Small { pixels, plan, profile } = match kind::of(bytes)? {
        Kind::Jpeg => jpeg(bytes, width)?,
        Kind::Png => png::small(bytes, width)?,
        Kind::WebP => other(bytes, ImageFormat::WebP, width)?,
        Kind::Gif => other(bytes, ImageFormat::Gif, width)?,
    };
    let (w, h) = plan.new_size;
    let profile = profile.as_ref();
    let rgb = |pixels, profile| {
        let mut picture = RgbImage::from_raw(w, h, pixels).ok_or(DAMAGED)?;
        colour::to_srgb(&mut picture, profile);
        Ok::<_, String>(picture)
    };
    let picture = match pixels {
        Pixels::Gray(gray) => rgb(gray.iter().flat_map(|light| [*light; 3]).collect(), profile)?,
        Pixels::Rgb(pixels) => rgb(pixels, profile.filter(|profile| colour::is_of_colours(profile)))?,
        Pixels::Inks(pixels, inks) => {
            colour::from_inks(&RgbaImage::from_raw(w, h, pixels).ok_or(DAMAGED)?, inks, profile)
        }
    };
    let mut whole = DynamicImage::ImageRgb8(picture);
    whole.apply_orientation(plan.turn);
    Ok(whole.into_rgb8())
}

/// By how many degrees, clockwise, a JPEG says that it is to be turned. What is to be mirrored says none.
pub fn held(bytes: &[u8]) -> i64 {
    use Orientation::{Rotate90, Rotate180, Rotate270};
    let mut decoder = JpegDecoder::new(ZCursor::new(bytes));
    if !matches!(kind::of(bytes), Ok(Kind::Jpeg)) || decoder.decode_headers().is_err() {
        return 0;
    }
    match turn(decoder.exif().map(Vec::as_slice)) {
        Rotate90 => 90,
        Rotate180 => 180,
        Rotate270 => 270,
        _ => 0,
    }
}

fn jpeg(bytes: &[u8], width: u32) -> Result<Small, String> {
    let head = Jpeg::read(bytes)?;
    let size = (head.width, head.height);
    let options = DecoderOptions::default().set_strict_mode(false).set_max_width(65_535).set_max_height(65_535);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(|_| DAMAGED)?;
    let (inks, out, channels) = match decoder.input_colorspace() {
        Some(ColorSpace::CMYK) => (Some(Inks::Cmyk), ColorSpace::CMYK, 4),
        Some(ColorSpace::YCCK) => (Some(Inks::Ycck), ColorSpace::YCCK, 4),
        Some(ColorSpace::Luma) => (None, ColorSpace::Luma, 1),
        _ => (None, ColorSpace::RGB, 3),
    };
    decoder.set_options(options.jpeg_set_out_colorspace(out));
    let tables = if head.gathered { 2 * head.samples } else { 0 };
    fits(size, u64::from(size.0) * u64::from(size.1) * channels + tables + bytes.len() as u64)?;
    let plan = Plan::new(size, turn(decoder.exif().map(Vec::as_slice)), width)?;
    let profile = decoder.icc_profile().and_then(|bytes| colour::profile(&bytes));
    let raw = decoder.decode().map_err(|_| DAMAGED)?;
    drop(decoder);
    let pixels = match (inks, channels) {
        (Some(inks), _) => Pixels::Inks(shrink::<4>(raw, plan.size, plan.new_size), inks),
        (None, 1) => Pixels::Gray(shrink::<1>(raw, plan.size, plan.new_size)),
        (None, _) => Pixels::Rgb(shrink::<3>(raw, plan.size, plan.new_size)),
    };
    Ok(Small { pixels, plan, profile })
}

fn other(bytes: &[u8], format: ImageFormat, width: u32) -> Result<Small, String> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::no_limits();
    // A GIF's first frame may claim to be larger than the picture.
    limits.max_alloc = Some(MOST_BYTES / 3);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(|_| DAMAGED)?;
    let size = decoder.dimensions();
    let each = match format {
        ImageFormat::WebP => kind::webp_bytes_per_pixel(bytes),
        _ => 9,
    };
    fits(size, (u64::from(size.0) * u64::from(size.1)).saturating_mul(each).saturating_add(bytes.len() as u64))?;
    let exif = decoder.exif_metadata().ok().flatten();
    let plan = Plan::new(size, turn(exif.as_deref()), width)?;
    let mut profile = decoder.icc_profile().unwrap_or_default().and_then(|bytes| colour::profile(&bytes));
    let pixels = match DynamicImage::from_decoder(decoder).map_err(|_| DAMAGED)? {
        DynamicImage::ImageRgb8(picture) => shrink::<3>(picture.into_raw(), plan.size, plan.new_size),
        picture => {
            let (mut shrinker, mut room) = (Shrinker::<3>::new(plan.size, plan.new_size), Vec::new());
            let picture = picture.into_rgba8();
            let lines = picture.chunks_exact((size.0 as usize * 4).max(1));
            let shining = colour::shining(profile.as_ref());
            lines.for_each(|line| match &shining {
                Some(as_srgb) => shrinker.line(over_white::<4>(&as_srgb(line), &mut room)),
                None => shrinker.line(over_white::<4>(line, &mut room)),
            });
            profile = profile.filter(|_| shining.is_none());
            shrinker.done()
        }
    };
    Ok(Small { pixels: Pixels::Rgb(pixels), plan, profile })
}
