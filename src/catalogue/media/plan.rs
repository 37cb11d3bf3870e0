//! What a picture is to become, and whether there is room for it: told before it is unpacked.

use image::metadata::Orientation;
use moxcms::ColorProfile;

use super::colour::Inks;

/// What phones call 50 megapixels is 8192 × 6144 at the most.
const MOST_PIXELS: u64 = 51_000_000;
/// What a file, its pixels and its decoder's own tables may take together: 20 megapixels of the dearest JPEG, a progressive
/// one with full chroma, and every plain photograph up to the most.
pub const MOST_BYTES: u64 = 184 * 1024 * 1024;
/// A strip of details; what is longer, phones do not show.
const TALLEST: u32 = 20_000;

pub const DAMAGED: &str = "图片已损坏，请重新导出后再上传";

/// A file unpacked and made small, in the colours and the direction in which it was written.
pub struct Small {
    pub pixels: Pixels,
    pub plan: Plan,
    /// Of its colours, if they are not those of every screen.
    pub profile: Option<ColorProfile>,
}

pub enum Pixels {
    Gray(Vec<u8>),
    Rgb(Vec<u8>),
    Inks(Vec<u8>, Inks),
}

/// How large a picture is in the file, how large it is to be there, and how it is set up then.
pub struct Plan {
    pub size: (u32, u32),
    pub new_size: (u32, u32),
    pub turn: Orientation,
}

impl Plan {
    /// At most `width` wide once it stands upright. `Err` says that it is too tall then.
    pub fn new(size: (u32, u32), turn: Orientation, width: u32) -> Result<Plan, String> {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        let lies = matches!(turn, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH);
        let (new_w, new_h) = fitted(if lies { (size.1, size.0) } else { size }, width);
        if new_h > TALLEST {
            return Err(format!(
                "长图太高：缩到 {new_w} 像素宽后还有 {new_h} 像素高，请切成几张，每张不超过 {TALLEST}"
            ));
        }
        Ok(Plan { size, new_size: if lies { (new_h, new_w) } else { (new_w, new_h) }, turn })
    }
}

/// How a picture says that it was held. Some programs write in front of it what only a JPEG needs there.
pub fn turn(exif: Option<&[u8]>) -> Orientation {
    let bare = exif.map(|exif| exif.strip_prefix(b"Exif\0\0").unwrap_or(exif));
    bare.and_then(Orientation::from_exif_chunk).unwrap_or(Orientation::NoTransforms)
}

/// As wide as it is, or as `width`; as high as belongs to that.
pub fn fitted((w, h): (u32, u32), width: u32) -> (u32, u32) {
    if w <= width {
        return (w, h);
    }
    let high = (u64::from(h) * u64::from(width) + u64::from(w) / 2) / u64::from(w);
    (width, u32::try_from(high.max(1)).unwrap_or(u32::MAX))
}

/// Refuses what would not fit into memory, before it is unpacked: a small file may claim to be a huge picture.
pub fn fits((width, height): (u32, u32), bytes: u64) -> Result<(), String> {
    let pixels = u64::from(width) * u64::from(height);
    let size = format!("{width}×{height}，约 {} 万像素", pixels.div_ceil(1_000_000) * 100);
    if pixels > MOST_PIXELS || width > u32::from(u16::MAX) {
        return Err(format!(
            "图片太大（{size}），最多 {} 万像素。请在手机上发原图以外的大小，或缩小后再上传",
            MOST_PIXELS / 1_000_000 * 100
        ));
    }
    if bytes > MOST_BYTES {
        return Err(format!(
            "图片展开后太大（{size}，渐进式、交错、带透明，或是 WebP）。请另存为普通的 JPG，或缩小后再上传"
        ));
    }
    Ok(())
}

/// A line without the last of its `N` channels: JPEG has no transparency, and what shines through becomes white, not black.
pub fn over_white<'a, const N: usize>(line: &[u8], room: &'a mut Vec<u8>) -> &'a [u8] {
    room.clear();
    for pixel in line.chunks_exact(N) {
        let a = u32::from(pixel[N - 1]);
        room.extend(pixel[..N - 1].iter().map(|c| ((u32::from(*c) * a + 255 * (255 - a)) / 255) as u8));
    }
    room
}
