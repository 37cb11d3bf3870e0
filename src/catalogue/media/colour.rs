//! Colours as their profile means them, as the sRGB that every screen shows.

use image::{RgbImage, RgbaImage};
use moxcms::{
    Chromaticity, CicpColorPrimaries, CicpProfile, ColorPrimaries, ColorProfile, DataColorSpace, Layout,
    MatrixCoefficients, TransferCharacteristics, TransformOptions, curve_from_gamma,
};
use png::{ScaledFloat, SourceChromaticities};

/// How inks stand in a JPEG's four channels.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Inks {
    Cmyk,
    Ycck,
}

/// As a file has it. A profile that is damaged is left out.
pub fn profile(bytes: &[u8]) -> Option<ColorProfile> {
    ColorProfile::new_from_slice(bytes).ok()
}

/// What a PNG says of its colours besides a profile: by numbers that everybody knows, else by where its red, green and blue
/// lie. `None` where they are those of every screen, or of one that shows more light than these.
pub fn of_png(info: &png::Info<'_>) -> Option<ColorProfile> {
    if let Some(told) = info.coding_independent_code_points {
        return by_numbers(told.color_primaries, told.transfer_function).filter(|_| told.is_video_full_range_image);
    }
    if let Some(bytes) = info.icc_profile.as_deref() {
        return profile(bytes);
    }
    let (places, gamma) = info.chrm_chunk.zip(info.gama_chunk).filter(|_| info.srgb.is_none())?;
    by_places(places, gamma)
}

/// Source: ITU-T H.273, tables 2 and 3.
fn by_numbers(primaries: u8, transfer: u8) -> Option<ColorProfile> {
    const SRGB: (u8, u8) = (1, 13);
    const PQ: u8 = 16;
    const HLG: u8 = 18;
    if (primaries, transfer) == SRGB || [PQ, HLG].contains(&transfer) {
        return None;
    }
    let profile = ColorProfile::new_from_cicp(CicpProfile {
        color_primaries: CicpColorPrimaries::try_from(primaries).ok()?,
        transfer_characteristics: TransferCharacteristics::try_from(transfer).ok()?,
        matrix_coefficients: MatrixCoefficients::Identity,
        full_range: true,
    });
    // Numbers that mean nothing yet, or nothing of colours, leave it empty.
    Some(profile).filter(|profile| profile.red_trc.is_some())
}

/// Where sRGB has white, red, green and blue, and its gamma, in hundred thousandths. Source: PNG, 11.3.2.1.
const SRGB_PLACES: [(u32, u32); 4] = [(31_270, 32_900), (64_000, 33_000), (30_000, 60_000), (15_000, 6_000)];
const SRGB_GAMMA: u32 = 45_455;

fn by_places(places: SourceChromaticities, gamma: ScaledFloat) -> Option<ColorProfile> {
    let SourceChromaticities { white, red, green, blue } = places;
    let near = |one: u32, other: u32| one.abs_diff(other) <= 500;
    let scaled = [white, red, green, blue].map(|(x, y)| (x.into_scaled(), y.into_scaled()));
    let usual_curve = near(gamma.into_scaled(), SRGB_GAMMA);
    let usual = scaled.iter().zip(SRGB_PLACES).all(|(is, of)| near(is.0, of.0) && near(is.1, of.1));
    let possible =
        scaled.iter().all(|(x, y)| *y > 0 && x + y <= 100_000) && (10_000..=200_000).contains(&gamma.into_scaled());
    if usual && usual_curve || !possible {
        return None;
    }
    let place = |(x, y): (ScaledFloat, ScaledFloat)| Chromaticity { x: x.into_value(), y: y.into_value() };
    let mut profile = ColorProfile::new_srgb();
    let primaries = ColorPrimaries { red: place(red), green: place(green), blue: place(blue) };
    profile.update_rgb_colorimetry(place(white).to_xyyb(), primaries);
    if !usual_curve {
        let curve = Some(curve_from_gamma(gamma.into_value().recip()));
        (profile.red_trc, profile.green_trc, profile.blue_trc) = (curve.clone(), curve.clone(), curve);
    }
    Some(profile)
}

/// Lines of red, green, blue and how much shines through, as sRGB: before they are laid on anything, for a mixture of
/// colours is another one there. `None` where there is nothing to be done.
pub fn shining(profile: Option<&ColorProfile>) -> Option<impl Fn(&[u8]) -> Vec<u8> + use<>> {
    let profile = profile.filter(|profile| is_of_colours(profile))?;
    let (srgb, options) = (ColorProfile::new_srgb(), TransformOptions::default());
    let transform = profile.create_transform_8bit(Layout::Rgba, &srgb, Layout::Rgba, options).ok()?;
    Some(move |line: &[u8]| {
        let mut there = vec![0; line.len()];
        match transform.transform(line, &mut there) {
            Ok(()) => there,
            Err(_) => line.to_vec(),
        }
    })
}

/// Whether a profile is made for colours, and not for what has only light and dark.
pub fn is_of_colours(profile: &ColorProfile) -> bool {
    profile.color_space == DataColorSpace::Rgb
}

/// Out of the colours that its profile describes. A profile that is made for other pixels is left out.
pub fn to_srgb(picture: &mut RgbImage, profile: Option<&ColorProfile>) {
    let Some(profile) = profile else { return };
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
pub fn from_inks(picture: &RgbaImage, inks: Inks, profile: Option<&ColorProfile>) -> RgbImage {
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
    let through = profile.filter(|profile| profile.color_space == DataColorSpace::Cmyk);
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
