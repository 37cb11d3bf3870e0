//! The code as a QR picture, drawn here: a phone shows it without asking anybody.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};
use qrcode::{Color, EcLevel, QrCode};

use super::PickupCode;

/// Pixels of a module, and modules of quiet around them. Source: ISO/IEC 18004.
const SCALE: usize = 10;
const QUIET: usize = 4;

/// A PNG as a `data:` address; `None` is a fault of ours, for every code fits.
pub fn picture(code: &PickupCode) -> Option<String> {
    let drawn = QrCode::with_error_correction_level(code.marked(), EcLevel::Q).ok()?;
    let (modules, colors) = (drawn.width(), drawn.to_colors());
    let side = (modules + 2 * QUIET) * SCALE;
    let mut pixels = vec![255_u8; side * side];
    for (i, _) in colors.iter().enumerate().filter(|(_, color)| **color == Color::Dark) {
        let (left, top) = ((i % modules + QUIET) * SCALE, (i / modules + QUIET) * SCALE);
        for row in top..top + SCALE {
            pixels[row * side + left..row * side + left + SCALE].fill(0);
        }
    }
    let mut png = Vec::new();
    let side = u32::try_from(side).ok()?;
    PngEncoder::new(&mut png).write_image(&pixels, side, side, ExtendedColorType::L8).ok()?;
    Some(format!("data:image/png;base64,{}", BASE64_STANDARD.encode(png)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_picture_is_a_small_square_of_black_on_white() {
        let picture = picture(&PickupCode::read("07284163").unwrap()).unwrap();
        let png = BASE64_STANDARD.decode(picture.strip_prefix("data:image/png;base64,").unwrap()).unwrap();
        assert!(png.len() < 3_000, "{}", png.len());
        let drawn = image::load_from_memory(&png).unwrap().into_luma8();
        assert_eq!(drawn.dimensions(), (290, 290));
        assert_eq!((drawn.get_pixel(0, 0).0, drawn.get_pixel(40, 40).0), ([255], [0]), "quiet around the finder");
    }
}
