//! What kind of picture a file is, told by its first bytes; what cannot be read is refused by its kind, with a way out.

/// Kinds that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Jpeg,
    Png,
    WebP,
    Gif,
}

const HEIC: &str = "这是 HEIC 照片（iPhone 默认的格式），小铺读不了。iPhone：设置 → 相机 → 格式 → 选“兼容性最佳”，以后拍的就能用；\
                    已经拍好的，用微信发给自己（不勾原图）再保存，或截图后上传";
const MODERN: &str = "小铺读不了。在手机上打开它截一张图，或用微信发给自己（不勾原图）再保存，然后上传";
const DESKTOP: &str = "小铺读不了。请用看图软件打开，另存为 JPG 或 PNG 后再上传；在手机上可以截图后上传";
const RAW: &str = "这是相机的 RAW 原片，小铺读不了。请在相机上改拍 JPG，或用相机的软件导出成 JPG 后再上传";
const VIDEO: &str = "这是视频，不是图片。实况照片请在相册里选“编辑 → 关闭实况”，或截图后上传";

/// Cameras' own, that do not begin as a TIFF does: Fuji, Panasonic, Olympus, Sigma, Minolta, older Canon.
const RAWS: [&[u8]; 8] =
    [b"FUJIFILMCCD-RAW", b"IIU\0", b"IIRO", b"IIRS", b"MMOR", b"FOVb", b"\0MRM", b"II\x1a\0\0\0HEAPCCDR"];

/// The kind, or the words for whoever sent it.
pub fn of(bytes: &[u8]) -> Result<Kind, String> {
    let starts = |head: &[u8]| bytes.starts_with(head);
    match () {
        () if starts(b"\xff\xd8\xff") => return Ok(Kind::Jpeg),
        () if starts(b"\x89PNG\r\n\x1a\n") => return Ok(Kind::Png),
        () if starts(b"GIF87a") || starts(b"GIF89a") => return Ok(Kind::Gif),
        () if starts(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") => return Ok(Kind::WebP),
        () => {}
    }
    Err(match () {
        () if bytes.is_empty() => "图片是空的，可能没有传完整，请重新选择".to_owned(),
        () if bytes.get(4..8) == Some(b"ftyp") => brand(bytes).to_owned(),
        () if starts(b"\x00\x00\x00\x0cJXL \r\n") || starts(b"\xff\x0a") => format!("这是 JPEG XL 图片，{MODERN}"),
        () if starts(b"\x00\x00\x00\x0cjP  \r\n") || starts(b"\xff\x4f\xff\x51") => {
            format!("这是 JPEG 2000 图片，{DESKTOP}")
        }
        () if starts(b"BM") => format!("这是 BMP 图片，{DESKTOP}"),
        () if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") => {
            format!("这是 TIFF 图片或相机的 RAW 原片，{DESKTOP}")
        }
        () if RAWS.iter().any(|head| starts(head)) => RAW.to_owned(),
        () if starts(b"8BPS") => format!("这是 Photoshop 的 PSD 文件，{DESKTOP}"),
        () if starts(b"%PDF") => format!("这是 PDF 文件，{DESKTOP}"),
        () if starts(b"\0\0\x01\0") => format!("这是 ICO 图标，{DESKTOP}"),
        () if is_svg(bytes) => format!("这是 SVG 矢量图，{DESKTOP}"),
        () if starts(b"RIFF") || starts(b"\x1a\x45\xdf\xa3") => VIDEO.to_owned(),
        () if starts(b"PK\x03\x04") => "这是压缩包或文档，不是图片。请解压后选里面的 JPG、PNG、WebP 或 GIF".to_owned(),
        () => "这不是图片，或文件已损坏。可以上传 JPG、PNG、WebP 和 GIF".to_owned(),
    })
}

/// What a file of boxes holds, by its brand.
fn brand(bytes: &[u8]) -> &'static str {
    let end = bytes.first_chunk().map_or(0, |size| u32::from_be_bytes(*size) as usize).clamp(12, 64);
    let brands: Vec<&[u8]> = bytes.get(8..end.min(bytes.len())).unwrap_or_default().chunks_exact(4).collect();
    let has = |names: &[&[u8; 4]]| brands.iter().any(|brand| names.iter().any(|name| brand == &name.as_slice()));
    // Both say mif1 as well; only one of them says avif.
    if has(&[b"avif", b"avis"]) {
        "这是 AVIF 图片，小铺读不了。在手机上打开它截一张图，或用看图软件另存为 JPG，然后上传"
    } else if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        HEIC
    } else if has(&[b"crx "]) {
        RAW
    } else {
        VIDEO
    }
}

fn is_svg(bytes: &[u8]) -> bool {
    let head = String::from_utf8_lossy(bytes.get(..4096).unwrap_or(bytes));
    head.trim_start_matches('\u{feff}').trim_start().starts_with('<') && head.contains("<svg")
}

/// What each pixel of a WebP takes at the most while it is unpacked, all copies counted: its decoder brings every kind
/// into another form, and composes moving ones on a canvas.
pub fn webp_bytes_per_pixel(bytes: &[u8]) -> u64 {
    const MOVES: u8 = 0x02;
    const SEE_THROUGH: u8 = 0x10;
    match (bytes.get(12..16), bytes.get(20)) {
        (Some(b"VP8 "), _) => 5,
        (Some(b"VP8X"), Some(flags)) if flags & MOVES != 0 => 13,
        // One with a profile or a direction, as cameras and editors write it.
        (Some(b"VP8X"), Some(flags)) if flags & SEE_THROUGH == 0 && is_lossy(&bytes[12..]) => 7,
        _ => 11,
    }
}

/// Which kind the first picture among the chunks of a WebP is.
fn is_lossy(mut chunks: &[u8]) -> bool {
    while let (Some(name), Some(size)) = (chunks.get(..4), chunks.get(4..8).and_then(|size| size.first_chunk())) {
        match name {
            b"VP8 " => return true,
            b"VP8L" => return false,
            _ => {}
        }
        let size = u32::from_le_bytes(*size) as usize;
        chunks = chunks.get(8 + size + size % 2..).unwrap_or_default();
    }
    false
}

/// What a JPEG says of itself before its pixels.
#[derive(Debug, PartialEq, Eq)]
pub struct Jpeg {
    pub width: u32,
    pub height: u32,
    /// It comes in several scans, so every coefficient is kept until the last.
    pub gathered: bool,
    /// Coefficients of all components together.
    pub samples: u64,
}

const CUT: &str = "图片不完整，后半截没有传上来或没有存好：请重新选择，或重新导出后再上传";
const RESAVE: &str = "请用看图软件或画图打开，另存为普通的 JPG 后再上传；在手机上可以截图后上传";

impl Jpeg {
    /// Reads the frame's head. `Err` names a kind of JPEG that the decoder does not read, or reads wrongly.
    pub fn read(bytes: &[u8]) -> Result<Jpeg, String> {
        let (marker, frame, rest) =
            segment(bytes.get(2..).unwrap_or_default(), is_frame).ok_or("图片已损坏，请重新导出后再上传")?;
        let unusual = |kind: &str| Err(format!("这是一种少见的 JPG（{kind}），小铺读不了。{RESAVE}"));
        match marker {
            0xc0..=0xc2 => {}
            0xc3 | 0xf7 => return unusual("无损压缩"),
            0xc5..=0xc7 => return unusual("分层编码"),
            _ => return unusual("算术编码"),
        }
        let [precision, h1, h0, w1, w0, n, components @ ..] = frame else {
            return Err("图片已损坏，请重新导出后再上传".into());
        };
        if *precision != 8 {
            return unusual(&format!("每色 {precision} 位"));
        }
        let factors: Vec<(u32, u32)> = components
            .chunks_exact(3)
            .take(usize::from(*n))
            .map(|c| (u32::from(c[1] >> 4), u32::from(c[1] & 15)))
            .collect();
        let (width, height) = (u32::from(u16::from_be_bytes([*w1, *w0])), u32::from(u16::from_be_bytes([*h1, *h0])));
        if width == 0 || height == 0 {
            return Err("图片已损坏，请重新导出后再上传".into());
        }
        let (across, down) = (factors.iter().map(|f| f.0).max(), factors.iter().map(|f| f.1).max());
        let (Some(across @ 1..), Some(down @ 1..)) = (across, down) else {
            return Err("图片已损坏，请重新导出后再上传".into());
        };
        if !matches!(factors.len(), 1 | 3 | 4) {
            return unusual(&format!("{} 个颜色分量", factors.len()));
        }
        if !is_read_right(&factors, across, down) {
            return unusual(match factors[..] {
                [_, .., black] if factors.len() == 4 && black != (across, down) => "CMYK，黑色的采样比别的粗",
                _ => "色度采样方式特殊",
            });
        }
        let all = u64::from(width) * u64::from(height);
        let samples = factors.iter().map(|f| all * u64::from(f.0 * f.1) / u64::from(across * down)).sum();
        let (_, scan, pixels) = segment(rest, |marker| marker == SCAN).ok_or(CUT)?;
        // The decoder paints what is missing in gray.
        if !pixels.windows(2).rev().any(|pair| pair == END) {
            return Err(CUT.into());
        }
        let gathered = marker == 0xc2 || scan.first().copied().map(usize::from) != Some(factors.len());
        Ok(Jpeg { width, height, gathered, samples })
    }
}

/// Luma (and black) must be the finest, and both chromas alike and a half or a quarter of it: all else comes out as
/// another picture, without an error.
fn is_read_right(factors: &[(u32, u32)], across: u32, down: u32) -> bool {
    let [luma, chroma @ ..] = factors else { return false };
    let fits = |(h, v): (u32, u32)| {
        h > 0
            && v > 0
            && across.is_multiple_of(h)
            && down.is_multiple_of(v)
            && [1, 2, 4].contains(&(across / h))
            && [1, 2, 4].contains(&(down / v))
    };
    *luma == (across, down)
        && chroma.iter().copied().all(fits)
        && chroma.get(1).is_none_or(|second| *second == chroma[0])
        && chroma.get(2).is_none_or(|black| black == luma)
}

const SCAN: u8 = 0xda;
const END: [u8; 2] = [0xff, 0xd9];

fn is_frame(marker: u8) -> bool {
    matches!(marker, 0xc0..=0xc3 | 0xc5..=0xc7 | 0xc9..=0xcb | 0xcd..=0xcf | 0xf7)
}

/// The first segment before the pixels that is one of those: its marker, what it holds, and what comes behind it.
fn segment(mut rest: &[u8], is_wanted: impl Fn(u8) -> bool) -> Option<(u8, &[u8], &[u8])> {
    loop {
        match rest {
            // Fill bytes, and markers that stand alone.
            [0xff, 0xff, ..] => rest = &rest[1..],
            [0xff, 0x01 | 0xd0..=0xd8, ..] => rest = &rest[2..],
            [0xff, marker, high, low, ..] => {
                let length = usize::from(u16::from_be_bytes([*high, *low]));
                let body = rest.get(4..2 + length)?;
                rest = &rest[2 + length..];
                match *marker {
                    marker if is_wanted(marker) => return Some((marker, body, rest)),
                    0xd9 | SCAN => return None,
                    _ => {}
                }
            }
            // Stray bytes between two markers are passed over, as every viewer does.
            [_, ..] => rest = &rest[1..],
            [] => return None,
        }
    }
}
