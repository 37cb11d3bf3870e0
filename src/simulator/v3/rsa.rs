//! RSA keys for the simulated WeChat, made when it starts: for tests on this machine alone, never for real money.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use num_bigint::BigUint;
use serde::{Deserialize, Serialize};

use crate::nonce::Nonces;

/// Bits of a prime; two of them make a key of 2048 bits.
const PRIME_BITS: u64 = 1024;
/// One composite number in 4^24 passes so many rounds.
const ROUNDS: usize = 24;
const EXPONENT: u32 = 65_537;

/// A key pair as PEM text: PKCS#8 as WeChat's own tool writes it, and SPKI.
#[derive(Clone, Serialize, Deserialize)]
pub struct Pair {
    pub private: String,
    pub public: String,
}

impl Pair {
    pub fn make(nonces: &Nonces) -> Pair {
        let (p, q) = (prime(nonces), prime(nonces));
        let (one, e) = (BigUint::from(1u32), BigUint::from(EXPONENT));
        let (n, totient) = (&p * &q, (&p - &one) * (&q - &one));
        match e.modinv(&totient) {
            Some(d) if p != q => Pair::of(&n, &e, &d, &p, &q),
            _ => Pair::make(nonces),
        }
    }

    fn of(n: &BigUint, e: &BigUint, d: &BigUint, p: &BigUint, q: &BigUint) -> Pair {
        let one = BigUint::from(1u32);
        // ring wants p to be the larger one.
        let (p, q) = if p > q { (p, q) } else { (q, p) };
        let inverse = q.modinv(p).expect("two primes have no common factor");
        let (dp, dq) = (d % (p - &one), d % (q - &one));
        let zero = BigUint::from(0u32);
        let numbers = [&zero, n, e, d, p, q, &dp, &dq, &inverse];
        let pkcs1 = sequence(&numbers.map(integer).concat());
        let algorithm = sequence(&[&RSA_ENCRYPTION[..], &[0x05, 0x00]].concat());
        let pkcs8 = sequence(&[integer(&zero), algorithm.clone(), tagged(0x04, &pkcs1)].concat());
        let public = sequence(&[integer(n), integer(e)].concat());
        let bits = tagged(0x03, &[&[0x00], public.as_slice()].concat());
        let spki = sequence(&[algorithm, bits].concat());
        Pair { private: pem("PRIVATE KEY", &pkcs8), public: pem("PUBLIC KEY", &spki) }
    }
}

/// The object identifier 1.2.840.113549.1.1.1.
const RSA_ENCRYPTION: [u8; 11] = [0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];

/// DER: a tag, a length, a content.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        short @ 0..0x80 => out.push(short as u8),
        long => {
            let bytes: Vec<u8> = long.to_be_bytes().into_iter().skip_while(|byte| *byte == 0).collect();
            out.push(0x80 | bytes.len() as u8);
            out.extend(bytes);
        }
    }
    out.extend_from_slice(content);
    out
}

fn sequence(content: &[u8]) -> Vec<u8> {
    tagged(0x30, content)
}

fn integer(number: &BigUint) -> Vec<u8> {
    let mut bytes = number.to_bytes_be();
    // A leading one would make it negative.
    if bytes[0] & 0x80 != 0 {
        bytes.insert(0, 0);
    }
    tagged(0x02, &bytes)
}

fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", lines.join("\n"))
}

fn random(nonces: &Nonces) -> BigUint {
    let bytes: Vec<u8> = (0..PRIME_BITS / 256).flat_map(|_| nonces.bytes::<32>()).collect();
    BigUint::from_bytes_be(&bytes)
}

/// A random prime with both top bits set, so that two of them always make a key of the full length.
fn prime(nonces: &Nonces) -> BigUint {
    let mut candidate = random(nonces);
    candidate.set_bit(PRIME_BITS - 1, true);
    candidate.set_bit(PRIME_BITS - 2, true);
    candidate.set_bit(0, true);
    let small = small_primes();
    loop {
        let divided = small.iter().any(|prime| &candidate % *prime == BigUint::from(0u32));
        if !divided && &candidate % EXPONENT != BigUint::from(1u32) && is_prime(&candidate, nonces) {
            return candidate;
        }
        candidate += 2u32;
    }
}

fn small_primes() -> Vec<u32> {
    (3..2_000u32).step_by(2).filter(|n| (3..=n.isqrt()).step_by(2).all(|d| n % d != 0)).collect()
}

/// Miller and Rabin's test.
fn is_prime(n: &BigUint, nonces: &Nonces) -> bool {
    let one = BigUint::from(1u32);
    let less = n - &one;
    let twos = less.trailing_zeros().unwrap_or(0);
    let odd = &less >> twos;
    (0..ROUNDS).all(|_| {
        let mut x = (random(nonces) % (&less - 2u32) + 2u32).modpow(&odd, n);
        if x == one || x == less {
            return true;
        }
        (1..twos).any(|_| {
            x = x.modpow(&BigUint::from(2u32), n);
            x == less
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::v3::keys::{PrivateKey, PublicKey};

    #[test]
    fn a_made_pair_signs_and_verifies_and_no_two_are_alike() {
        let (pair, other) = (Pair::make(&Nonces::Random), Pair::make(&Nonces::Random));
        let private = PrivateKey::read(&pair.private).unwrap();
        let signature = private.sign(b"text");
        assert!(PublicKey::read(&pair.public).unwrap().verifies(b"text", &signature));
        assert!(!PublicKey::read(&other.public).unwrap().verifies(b"text", &signature));
        assert_eq!(PublicKey::read(&pair.public).unwrap().pkcs1(), private.public());
    }
}
