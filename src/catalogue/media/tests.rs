//! Pictures as real tools write them: the colours that they show, upright, or the words that refuse them.

use image::{DynamicImage, ImageFormat};
use std::io::Cursor;

use super::*;

fn file(name: &str) -> Vec<u8> {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/files/pictures").join(name);
    std::fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn png(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    DynamicImage::new_rgba8(width, height).write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png).unwrap();
    bytes
}

fn words(bytes: &[u8]) -> String {
    let error = Picture::read(bytes).err().expect("it is refused");
    error.fields["image"].as_str().unwrap().to_owned()
}

/// The patches of `tests/files/pictures`, in the order of their README.
type Patches = [[u8; 3]; 5];
const PLAIN: Patches = [[220, 30, 40], [40, 180, 60], [30, 60, 200], [225, 180, 150], [128, 128, 128]];

/// The stored picture, and by how much its patches are off at worst.
fn off(name: &str, right: Patches) -> (Picture, u8) {
    let picture = Picture::read(&file(name)).unwrap_or_else(|e| panic!("{name}: {:?}", e.fields));
    let pixels = image::load_from_memory_with_format(&picture.bytes, ImageFormat::Jpeg).unwrap().into_rgb8();
    let at = [(12, 12), (36, 12), (60, 12), (84, 12), (48, 36)];
    let off = at.iter().zip(right).flat_map(|((x, y), right)| {
        let shown = pixels.get_pixel(*x, *y).0;
        (0..3).map(move |c| shown[c].abs_diff(right[c]))
    });
    let worst = off.max().unwrap();
    (picture, worst)
}

#[test]
fn a_picture_looks_as_it_did_where_it_was_taken() {
    // What lcms (through ImageMagick 6.9.11) shows of those that are not plain.
    let gray = [[57; 3], [95; 3], [36; 3], [172; 3], [99; 3]];
    let luma = [[88; 3], [124; 3], [67; 3], [190; 3], [128; 3]];
    let cmyk = [[226, 92, 68], [80, 172, 98], [72, 82, 194], [232, 198, 168], [141, 147, 147]];
    let ycck = [[223, 89, 65], [66, 163, 94], [63, 84, 190], [227, 197, 166], [135, 135, 135]];
    for (name, right) in [
        ("p3.jpg", PLAIN),
        ("p3.png", PLAIN),
        ("p3.webp", PLAIN),
        ("p3_cicp.png", PLAIN),
        ("p3_places.png", PLAIN),
        ("adobe.jpg", PLAIN),
        ("adobe16.png", PLAIN),
        ("gray_on_colours.jpg", PLAIN),
        ("gray_on_colours.png", PLAIN),
        ("gray_on_colours.webp", PLAIN),
        ("gray.jpg", gray),
        ("grayscale.jpg", luma),
        ("cmyk.jpg", PLAIN),
        ("ycck.jpg", PLAIN),
        ("cmyk_inks.jpg", cmyk),
        ("ycck_inks.jpg", ycck),
        ("sampled_2x1.jpg", PLAIN),
        ("sampled_1x2.jpg", PLAIN),
        ("sampled_2x2.jpg", PLAIN),
        ("sampled_4x1.jpg", PLAIN),
        ("sampled_4x2.jpg", PLAIN),
        ("progressive.jpg", PLAIN),
        ("turned.jpg", PLAIN),
        ("turned.png", PLAIN),
        ("turned_late.png", PLAIN),
        ("turned.webp", PLAIN),
        ("turned_vips.webp", PLAIN),
        ("still.gif", PLAIN),
        ("moving.gif", PLAIN),
    ] {
        let (picture, off) = off(name, right);
        assert!(off <= 8, "{name} is off by {off}");
        assert_eq!((picture.width, picture.height), (96, 48), "{name}");
    }
    // Half of white: mixed in the colours of the screen, not in those of the file.
    let half = PLAIN.map(|patch| patch.map(|c| u8::try_from((u16::from(c) + 255) / 2).unwrap()));
    for name in ["p3_half.png", "p3_half.webp"] {
        let (_, off) = off(name, half);
        assert!(off <= 4, "{name} is off by {off}");
    }
    let white_below = [PLAIN[0], PLAIN[1], PLAIN[2], PLAIN[3], [255; 3]];
    assert!(off("see_through.png", white_below).1 <= 8);
}

#[test]
fn a_jpeg_that_the_decoder_reads_wrongly_is_refused_by_its_kind() {
    for (name, kind) in [
        ("bad_arithmetic.jpg", "算术编码"),
        ("bad_3x1_1x1_1x1.jpg", "色度采样"),
        ("bad_1x1_2x1_1x1.jpg", "色度采样"),
        ("bad_1x1_2x2_2x2.jpg", "色度采样"),
        ("bad_2x2_2x1_1x2.jpg", "色度采样"),
    ] {
        let said = words(&file(name));
        assert!(said.contains(kind) && said.contains("另存为") && !said.contains("损坏"), "{name}: {said}");
    }
    // The frame's head changed: what no tool at hand writes.
    for (at, value, kind) in [(1, 0xc3, "无损"), (1, 0xc5, "分层"), (1, 0xcb, "算术"), (4, 12, "每色 12 位")] {
        let mut bytes = file("progressive.jpg");
        let frame = bytes.windows(2).position(|pair| pair == [0xff, 0xc2]).unwrap();
        bytes[frame + at] = value;
        let said = words(&bytes);
        assert!(said.contains(kind), "{kind}: {said}");
    }
}

#[test]
fn a_jpeg_that_was_cut_off_is_refused_and_not_painted_gray() {
    for name in ["progressive.jpg", "sampled_2x2.jpg", "turned.jpg", "cmyk.jpg"] {
        let whole = file(name);
        for cut in [whole.len() - 2, whole.len() - 9] {
            assert!(words(&whole[..cut]).contains("不完整"), "{name} {cut}");
        }
        // What stands behind the end is another matter: a moving photograph's video.
        assert!(Picture::read(&[&whole[..], &[0; 3000]].concat()).is_ok(), "{name}");
    }
    let other = file("p3.png");
    assert!(words(&other[..other.len() * 9 / 10]).contains("损坏"));
}

#[test]
fn a_webp_is_weighed_by_the_picture_that_it_holds() {
    let with = |flags: u8, chunks: &[(&[u8; 4], &[u8])]| {
        let mut bytes = b"RIFF\0\0\0\0WEBPVP8X\x0a\0\0\0".to_vec();
        bytes.extend([flags, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        for (name, body) in chunks {
            bytes.extend([&name[..], &(body.len() as u32).to_le_bytes(), body, &vec![0; body.len() % 2]].concat());
        }
        kind::webp_bytes_per_pixel(&bytes)
    };
    assert_eq!(kind::webp_bytes_per_pixel(b"RIFF\0\0\0\0WEBPVP8 \0\0\0\0\0"), 5);
    assert_eq!(kind::webp_bytes_per_pixel(b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\0"), 11);
    assert_eq!(with(0x20, &[(b"ICCP", b"odd"), (b"VP8 ", b"")]), 7, "a camera's, with a profile");
    assert_eq!(with(0x20, &[(b"ICCP", b"VP8 "), (b"VP8L", b"")]), 11);
    assert_eq!(with(0x10, &[(b"ALPH", b""), (b"VP8 ", b"")]), 11, "it can be seen through");
    assert_eq!(with(0x02, &[(b"ANIM", b""), (b"ANMF", b"")]), 13, "it moves");
    assert_eq!(with(0x20, &[(b"ICCP", b"cut")]), 11, "nothing is known of it");
    assert_eq!(kind::webp_bytes_per_pixel(&file("p3.webp")), 11);
}

#[test]
fn what_cannot_be_read_is_refused_by_its_kind_with_a_way_out() {
    for (head, kind, way_out) in [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".as_slice(), "HEIC", "兼容性最佳"),
        (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC", "兼容性最佳"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF", "截一张图"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0mif1avifmiaf", "AVIF", "截一张图"),
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "视频", "实况"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp41isom", "视频", "实况"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL", "截一张图"),
        (b"\xff\x0a\xfa", "JPEG XL", "截一张图"),
        (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000", "另存为 JPG"),
        (b"\xff\x4f\xff\x51\0", "JPEG 2000", "另存为 JPG"),
        (b"BM\x36\0\0\0", "BMP", "另存为 JPG"),
        (b"II*\0\x08\0", "TIFF", "另存为 JPG"),
        (b"MM\0*\0\0", "TIFF", "另存为 JPG"),
        (b"8BPS\0\x01", "PSD", "另存为 JPG"),
        (b"%PDF-1.7", "PDF", "另存为 JPG"),
        (b"\0\0\x01\0\x01\0", "ICO", "另存为 JPG"),
        (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG", "另存为 JPG"),
        (b"RIFF\0\0\0\0AVI LIST", "视频", "截图"),
        (b"\0\0\0\x18ftypcrx \0\0\0\x01crx isom", "RAW 原片", "改拍 JPG"),
        (b"FUJIFILMCCD-RAW 0201", "RAW 原片", "改拍 JPG"),
        (b"IIU\0\x18\0\0\0", "RAW 原片", "改拍 JPG"),
        (b"PK\x03\x04\x14\0", "压缩包", "解压"),
        (b"hello", "不是图片", "JPG、PNG、WebP 和 GIF"),
        (b"", "空的", "重新选择"),
    ] {
        let said = words(head);
        assert!(said.contains(kind) && said.contains(way_out), "{kind}: {said}");
    }
    let cut = png(9, 9)[..40].to_vec();
    assert!(words(&cut).contains("损坏"), "{}", words(&cut));
}

#[test]
fn a_small_file_that_claims_to_be_huge_is_refused_before_it_is_unpacked() {
    let mut claims_huge = png(10, 10);
    claims_huge[16..24].copy_from_slice(&[0, 0, 0x4e, 0x20, 0, 0, 0x4e, 0x20]);
    assert!(words(&claims_huge).contains("20000×20000") || words(&claims_huge).contains("损坏"));
    let mut jpeg = file("p3.jpg");
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert!(words(&jpeg).contains("65535×65535"), "{}", words(&jpeg));
}

#[test]
fn a_picture_is_kept_in_three_widths_on_white() {
    let picture = Picture::read(&png(2400, 600)).unwrap();
    assert_eq!((picture.width, picture.height), (1200, 300));
    let size = |bytes: &[u8]| {
        let back = image::load_from_memory_with_format(bytes, ImageFormat::Jpeg).unwrap().into_rgb8();
        assert!(back.get_pixel(5, 5).0.iter().all(|c| *c > 250));
        back.dimensions()
    };
    assert_eq!(size(&picture.bytes), (1200, 300));
    let smaller: Vec<_> = picture.smaller.iter().map(|(width, bytes)| (*width, size(bytes))).collect();
    assert_eq!(smaller, [(Width::Card, (540, 135)), (Width::Thumb, (240, 60))]);
    assert_eq!(Picture::read(&png(2400, 600)).unwrap().hash, picture.hash);
    let narrow = Picture::read(&png(300, 300)).unwrap();
    assert_eq!(narrow.smaller.iter().map(|(width, _)| *width).collect::<Vec<_>>(), [Width::Thumb]);
}

#[test]
fn a_strip_of_details_keeps_its_width() {
    for (width, height, kept) in [(700, 13_000, (700, 13_000)), (1300, 2600, (1200, 2400))] {
        let picture = Picture::read(&png(width, height)).unwrap();
        assert_eq!((picture.width, picture.height), kept);
        let card = image::load_from_memory(&picture.smaller[0].1).unwrap();
        assert_eq!((card.width(), card.height()), (540, 1080));
    }
    assert!(words(&png(100, 21_000)).contains("切成几张"));
}

#[test]
fn a_pictures_addresses_are_read_back() {
    let hash: ImageHash = "a".repeat(64).parse().unwrap();
    let widths = Widths::from(&hash);
    for (address, width) in
        [(&widths.full, None), (&widths.card, Some(Width::Card)), (&widths.thumb, Some(Width::Thumb))]
    {
        assert_eq!(read_name(address.strip_prefix("/media/").unwrap()), Some((hash.clone(), width)));
    }
    for name in ["x.jpg", &format!("{hash}-huge.jpg"), &format!("{hash}-thumb.png"), &format!("{hash}-.jpg")] {
        assert_eq!(read_name(name), None, "{name}");
    }
}
