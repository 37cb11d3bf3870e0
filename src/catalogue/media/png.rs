//! A PNG, read line by line: it stands in memory whole only where its lines are interlaced.

use std::io::Cursor;

use png::{ColorType, Decoder, Limits, Reader, Transformations};

use super::colour;
use super::plan::{DAMAGED, Pixels, Plan, Small, fits, over_white, turn};
use super::shrink::Shrinker;

/// What a colour profile and the lines at hand may take.
const MOST_BESIDE: usize = 32 * 1024 * 1024;

/// At most `width` pixels wide. `Err` is a sentence for whoever sent it.
pub fn small(bytes: &[u8], width: u32) -> Result<Small, String> {
    let mut decoder = Decoder::new_with_limits(Cursor::new(bytes), Limits { bytes: MOST_BESIDE });
    decoder.set_transformations(Transformations::normalize_to_color8());
    decoder.set_ignore_text_chunk(true);
    let head = decoder.read_header_info().map_err(|_| DAMAGED)?;
    let (size, gathered) = (head.size(), head.interlaced);
    let line = head.raw_row_length_from_width(size.0) as u64;
    // Lines are filtered by the one above, inflated ahead of time, and widened to what is shown.
    let whole = if gathered { 4 * u64::from(size.0) * u64::from(size.1) } else { 0 };
    fits(size, whole + 6 * line + 4 * u64::from(size.0) + bytes.len() as u64)?;
    let mut reader = decoder.read_info().map_err(|_| DAMAGED)?;
    let info = reader.info();
    let turn = turn(info.exif_metadata.as_deref().or_else(|| late_exif(bytes)));
    let mut profile = colour::of_png(info);
    let plan = Plan::new(size, turn, width)?;
    let shining = match reader.output_color_type().0 {
        ColorType::Rgba => colour::shining(profile.as_ref()),
        _ => None,
    };
    profile = profile.filter(|_| shining.is_none());
    let pixels = match reader.output_color_type().0 {
        ColorType::Grayscale => Pixels::Gray(lines::<1>(&mut reader, &plan, |line, _| line)?),
        ColorType::Rgb => Pixels::Rgb(lines::<3>(&mut reader, &plan, |line, _| line)?),
        ColorType::GrayscaleAlpha => Pixels::Gray(lines::<1>(&mut reader, &plan, over_white::<2>)?),
        ColorType::Rgba => Pixels::Rgb(match shining {
            Some(as_srgb) => lines::<3>(&mut reader, &plan, |line, room| over_white::<4>(&as_srgb(line), room))?,
            None => lines::<3>(&mut reader, &plan, over_white::<4>)?,
        }),
        ColorType::Indexed => return Err(DAMAGED.into()),
    };
    Ok(Small { pixels, plan, profile })
}

/// Every line through the shrinker, once it is bared of its transparency.
fn lines<const N: usize>(
    reader: &mut Reader<Cursor<&[u8]>>,
    plan: &Plan,
    bare: impl for<'a> Fn(&'a [u8], &'a mut Vec<u8>) -> &'a [u8],
) -> Result<Vec<u8>, String> {
    let (mut shrinker, mut room) = (Shrinker::<N>::new(plan.size, plan.new_size), Vec::new());
    if reader.info().interlaced {
        let mut whole = vec![0; reader.output_buffer_size().ok_or(DAMAGED)?];
        let length = reader.next_frame(&mut whole).map_err(|_| DAMAGED)?.line_size;
        whole.chunks_exact(length.max(1)).for_each(|line| shrinker.line(bare(line, &mut room)));
    } else {
        while let Some(row) = reader.next_row().map_err(|_| DAMAGED)? {
            shrinker.line(bare(row.data(), &mut room));
        }
    }
    Ok(shrinker.done())
}

/// EXIF wherever it stands: ImageMagick writes it behind the pixels, where decoders do not look.
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
