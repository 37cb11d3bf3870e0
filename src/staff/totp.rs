//! Time-based one-time passwords, as authenticator apps show them. Source: RFC 6238 and RFC 4226, SHA-1, 6 digits, 30 s.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::nonce::Nonces;

const STEP_MS: i64 = 30_000;
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// 160 bits in base 32 (RFC 4648), as apps take it.
pub fn secret(nonces: &Nonces) -> String {
    let bits = nonces.bytes::<20>();
    bits.chunks(5)
        .flat_map(|five| {
            let n = five.iter().fold(0_u64, |n, byte| (n << 8) | u64::from(*byte));
            (0..8).rev().map(move |i| char::from(ALPHABET[(n >> (5 * i)) as usize & 31]))
        })
        .collect()
}

fn decoded(secret: &str) -> Option<Vec<u8>> {
    let (mut bits, mut n, mut bytes) = (0_u64, 0, Vec::new());
    for c in secret.bytes() {
        bits = (bits << 5) | ALPHABET.iter().position(|known| *known == c)? as u64;
        n += 5;
        if n >= 8 {
            n -= 8;
            bytes.push((bits >> n) as u8);
        }
    }
    Some(bytes)
}

fn code(key: &[u8], step: i64) -> u32 {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes any key");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 15);
    let word = u32::from_be_bytes([hash[at], hash[at + 1], hash[at + 2], hash[at + 3]]);
    (word & 0x7fff_ffff) % 1_000_000
}

/// The step that this code belongs to: the present one or a neighbour, and later than the last that was used, so that
/// nobody who looked over a shoulder can use it again.
pub fn step_of(secret: &str, given: &str, last_used: i64, now: i64) -> Option<i64> {
    let given: String = given.chars().filter(|c| !c.is_whitespace()).collect();
    let fits = given.len() == 6 && given.bytes().all(|b| b.is_ascii_digit());
    let (given, key) = (given.parse::<u32>().ok().filter(|_| fits)?, decoded(secret)?);
    let present = now / STEP_MS;
    (present - 1..=present + 1).find(|step| *step > last_used && code(&key, *step) == given)
}

/// What an authenticator app reads from a QR code. Source: the Key URI format of Google Authenticator.
pub fn uri(shop: &str, account: &str, secret: &str) -> String {
    let escape = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (shop, account) = (escape(shop), escape(account));
    format!("otpauth://totp/{shop}:{account}?secret={secret}&issuer={shop}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_equal_the_published_vectors() {
        // RFC 6238, appendix B, cut to six digits.
        for (seconds, digits) in [
            (59, 287_082),
            (1_111_111_109, 81_804),
            (1_111_111_111, 50_471),
            (1_234_567_890, 5_924),
            (2_000_000_000, 279_037),
            (20_000_000_000, 353_130),
        ] {
            assert_eq!(code(b"12345678901234567890", seconds / 30), digits, "{seconds}");
        }
        assert_eq!(decoded("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ").unwrap(), b"12345678901234567890");
    }

    #[test]
    fn a_code_is_good_once_and_for_a_minute_and_a_half() {
        let secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let now = 1_111_111_111_000;
        let step = now / STEP_MS;
        assert_eq!(step_of(secret, "050471", 0, now), Some(step));
        assert_eq!(step_of(secret, " 050 471", 0, now + STEP_MS), Some(step));
        for (given, last, at) in [
            ("050471", step, now),
            ("050471", 0, now + 2 * STEP_MS),
            ("050471", 0, now - 2 * STEP_MS),
            ("050472", 0, now),
            ("50471", 0, now),
            ("+50471", 0, now),
            ("", 0, now),
        ] {
            assert_eq!(step_of(secret, given, last, at), None, "{given} {last}");
        }
    }

    #[test]
    fn a_new_secret_reads_back() {
        let secret = secret(&Nonces::counting());
        assert_eq!((secret.len(), decoded(&secret).unwrap().len()), (32, 20));
    }
}
