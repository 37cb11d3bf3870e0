//! What people type or paste, in the one form in which it is kept.

use icu_normalizer::ComposingNormalizerBorrowed;

/// Composed (NFC), without signs that nobody sees, breaks and tabs as blanks, no blanks around.
pub fn clean(text: &str) -> String {
    let composed = ComposingNormalizerBorrowed::new_nfc().normalize(text);
    let mut kept = String::with_capacity(composed.len());
    let mut chars = composed.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            // What holds the parts of one emoji together.
            '\u{200d}' if chars.peek().is_some_and(|next| is_emoji(*next)) => kept.push(c),
            c if is_unseen(c) => {}
            c if c.is_control() || c == '\u{2028}' || c == '\u{2029}' => kept.push(' '),
            c => kept.push(c),
        }
    }
    kept.trim().to_owned()
}

/// Zero-width signs, marks of direction, soft hyphens.
fn is_unseen(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn is_emoji(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_names_that_look_the_same_are_the_same() {
        for (typed, kept) in [
            ("零宽\u{200b}名", "零宽名"),
            ("\u{feff}杯子", "杯子"),
            ("多行\n名称\t甲", "多行 名称 甲"),
            ("Cafe\u{301}", "Café"),
            ("  杯子\u{3000}", "杯子"),
            ("\u{202e}反", "反"),
            ("👨\u{200d}👩", "👨\u{200d}👩"),
            ("☀\u{fe0f}", "☀\u{fe0f}"),
        ] {
            assert_eq!(clean(typed), kept, "{typed:?}");
            assert_eq!(clean(kept), kept);
        }
    }
}
