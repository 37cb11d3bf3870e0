//! A number as a Code 128 barcode, for the scanners at packing desks that read no QR code.

/// Widths of bars and gaps by symbol, from ISO/IEC 15417; 103 to 105 are the starts.
const SYMBOLS: [&str; 106] = [
    "212222", "222122", "222221", "121223", "121322", "131222", "122213", "122312", "132212", "221213", "221312",
    "231212", "112232", "122132", "122231", "113222", "123122", "123221", "223211", "221132", "221231", "213212",
    "223112", "312131", "311222", "321122", "321221", "312212", "322112", "322211", "212123", "212321", "232121",
    "111323", "131123", "131321", "112313", "132113", "132311", "211313", "231113", "231311", "112133", "112331",
    "132131", "113123", "113321", "133121", "313121", "211331", "231131", "213113", "213311", "213131", "311123",
    "311321", "331121", "312113", "312311", "332111", "314111", "221411", "431111", "111224", "111422", "121124",
    "121421", "141122", "141221", "112214", "112412", "122114", "122411", "142112", "142211", "241211", "221114",
    "413111", "241112", "134111", "111242", "121142", "121241", "114212", "124112", "124211", "411212", "421112",
    "421211", "212141", "214121", "412121", "111143", "111341", "131141", "114113", "114311", "411113", "411311",
    "113141", "114131", "311141", "411131", "211412", "211214", "211232",
];
const STOP: &str = "2331112";
const START_B: usize = 104;
const START_C: usize = 105;
/// From pairs of digits to single characters.
const TO_B: usize = 100;

/// The symbols of a text of printable ASCII, the check symbol among them. An even run of digits at the start takes half.
fn symbols(text: &str) -> Option<Vec<usize>> {
    if text.is_empty() || !text.bytes().all(|b| (32..127).contains(&b)) {
        return None;
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count() / 2 * 2;
    let (pairs, rest) = text.as_bytes().split_at(if digits < 4 { 0 } else { digits });
    let mut symbols = vec![if pairs.is_empty() { START_B } else { START_C }];
    symbols.extend(pairs.chunks_exact(2).map(|pair| usize::from(pair[0] - b'0') * 10 + usize::from(pair[1] - b'0')));
    if !pairs.is_empty() && !rest.is_empty() {
        symbols.push(TO_B);
    }
    symbols.extend(rest.iter().map(|b| usize::from(b - 32)));
    let check = symbols.iter().enumerate().map(|(i, symbol)| i.max(1) * symbol).sum::<usize>() % 103;
    symbols.push(check);
    Some(symbols)
}

/// Printer dots of a module: a thermal printer has eight to a millimetre, and no scanner reads bars of one alone.
const DOTS: usize = 2;
const DOTS_A_MM: usize = 8;
/// Modules without a bar on both sides.
const QUIET: usize = 10;

/// How many dots a text is wide as bars, with what must stay white beside it. `None` for what Code 128 cannot say.
pub fn dots(text: &str) -> Option<usize> {
    let modules = symbols(text)?.len() * 11 + 13 + 2 * QUIET;
    Some(modules * DOTS)
}

/// As SVG, one unit a module, each of them a whole number of printer dots wide. `None` for what Code 128 cannot say.
pub fn svg(text: &str) -> Option<String> {
    let symbols = symbols(text)?;
    let widths = symbols.iter().map(|symbol| SYMBOLS[*symbol]).chain([STOP]).flat_map(str::bytes);
    let (mut at, mut bars) = (QUIET, String::new());
    for (i, width) in widths.enumerate() {
        let width = usize::from(width - b'0');
        if i % 2 == 0 {
            bars.push_str(&format!("M{at} 0h{width}v40h-{width}z"));
        }
        at += width;
    }
    let wide = at + QUIET;
    let printed = wide * DOTS;
    let mm = format!("{}.{:03}", printed / DOTS_A_MM, printed % DOTS_A_MM * 1_000 / DOTS_A_MM);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{mm}mm\" height=\"10mm\" viewBox=\"0 0 {wide} 40\" preserveAspectRatio=\"none\" shape-rendering=\"crispEdges\"><path d=\"{bars}\"/></svg>"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_symbol_is_eleven_modules_and_no_other() {
        let mut known = std::collections::BTreeSet::new();
        for symbol in SYMBOLS {
            assert_eq!(symbol.bytes().map(|b| b - b'0').sum::<u8>(), 11, "{symbol}");
            assert!(known.insert(symbol), "{symbol} is there twice");
        }
    }

    #[test]
    fn a_number_becomes_its_symbols_and_their_check() {
        // "Wikipedia" in code B with check 88 is the example of many descriptions.
        assert_eq!(symbols("Wikipedia").unwrap(), [104, 55, 73, 75, 73, 80, 69, 68, 73, 65, 88]);
        assert_eq!(
            symbols("20261128A1").unwrap(),
            [105, 20, 26, 11, 28, 100, 33, 17, (105 + 20 + 52 + 33 + 112 + 500 + 198 + 119) % 103]
        );
        // 17 symbols and the stop, ten of quiet on both sides.
        let number = "20261128A1B2C3D4E5";
        assert_eq!(dots(number), Some((17 * 11 + 13 + 20) * 2));
        assert!(svg(number).unwrap().contains("width=\"55.000mm\" height=\"10mm\" viewBox=\"0 0 220 40\""));
        assert_eq!(symbols("12A").unwrap()[0], START_B, "two digits are not worth the change");
        assert_eq!(symbols("订单"), None);
        assert_eq!(symbols(""), None);
    }
}
