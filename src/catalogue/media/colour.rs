//! Colours as their profile means them, as the sRGB that every screen shows.

use image::{RgbImage, RgbaImage};
use moxcms::{ColorProfile, DataColorSpace, Layout, TransformOptions};

/// How inks stand in a JPEG's four channels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Inks {
    Cmyk,
    Ycck,
}

/// Out of the colours that its profile describes. A profile that is damaged or made for other pixels is left out.
pub fn to_srgb(picture: &mut RgbImage, profile: Option<&[u8]>) {
    let Some(profile) = profile.and_then(|bytes| ColorProfile::new_from_slice(bytes).ok()) else { return };
    let layout = match profile.color_space {
        DataColorSpace::Rgb => Layout::Rgb,
        DataColorSpace::Gray => Layout::Gray,
        _ => return,
    };
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let Ok(transform) = profile.create_transform_8bit(layout, &srgb, Layout::Rgb, options) else { return };
    // Line by line in place: a long strip of details would otherwise stand in memory three times.
    let length = picture.width() as usize * 3;
    let mut before = Vec::with_capacity(length);
    for line in picture.chunks_exact_mut(length.max(1)) {
        before.clear();
        match layout {
            Layout::Gray => before.extend(line.iter().step_by(3)),
            _ => before.extend_from_slice(line),
        }
        // The lengths agree by construction; were they not to, the picture stays as it was.
        if transform.transform(&before, line).is_err() {
            return;
        }
    }
}

/// Printing inks as light: through their profile, or by plain multiplication where there is none.
pub fn from_inks(picture: &RgbaImage, inks: Inks, profile: Option<&[u8]>) -> RgbImage {
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
