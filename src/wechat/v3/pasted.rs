//! Keys as people paste them: what an editor, a chat or a configuration file did to them is undone where it is plain what was
//! meant, and what cannot be meant is told apart for the words about it.

use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use ring::signature::RsaKeyPair;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::x509::SubjectPublicKeyInfo;

use crate::typed;

/// A section of PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// As it calls itself: `PRIVATE KEY`, `CERTIFICATE`, …
    pub label: String,
    /// `None` when its content is cut off or garbled.
    pub der: Option<Vec<u8>>,
}

pub const PRIVATE: &[&str] = &["PRIVATE KEY", "RSA PRIVATE KEY"];
pub const PUBLIC: &[&str] = &["PUBLIC KEY"];
pub const CERTIFICATE: &[&str] = &["CERTIFICATE"];
/// Whatever it is enciphered with, nobody here has the pass phrase.
pub const ENCIPHERED: &str = "ENCRYPTED PRIVATE KEY";

impl Section {
    fn is(&self, labels: &[&str]) -> bool {
        labels.contains(&self.label.as_str())
    }

    /// In the form in which it is kept.
    fn pem(&self) -> Option<String> {
        self.der.as_deref().map(|der| pem(&self.label, der))
    }
}

/// A section as it is kept: 64 characters a line.
pub fn pem(label: &str, der: &[u8]) -> String {
    let text = BASE64_STANDARD.encode(der);
    let lines: Vec<&str> = (0..text.len()).step_by(64).map(|at| &text[at..text.len().min(at + 64)]).collect();
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----", lines.join("\n"))
}

/// Every section of a text, in its order and each once. One without its first and last line is told by its content.
pub fn sections(text: &str) -> Vec<Section> {
    let text = plain(text);
    let mut found: Vec<Section> = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, begun)) = rest.split_once("-BEGIN ") {
        let Some((label, content)) = begun.split_once('-') else { break };
        let content = content.trim_start_matches('-');
        let (content, after) = match content.split_once("-END ") {
            Some((content, after)) => (Some(content), after),
            None => (None, content),
        };
        // An enciphered key of the old form says so in two lines of its own.
        let enciphered = content.is_some_and(|content| content.contains("ENCRYPTED"));
        let label = if enciphered { ENCIPHERED.to_owned() } else { label.trim().to_owned() };
        let section = Section { label, der: content.and_then(decoded) };
        if !found.contains(&section) {
            found.push(section);
        }
        rest = after;
    }
    if found.is_empty() {
        found.extend(decoded(&text).and_then(told_by_content));
    }
    found
}

/// Whether a private key of whatever kind is among them.
pub fn hold_private_key(sections: &[Section]) -> bool {
    sections.iter().any(|section| section.label.ends_with("PRIVATE KEY"))
}

/// Several sections of one kind that differ: which is meant is not plain.
#[derive(Debug, PartialEq, Eq)]
pub struct Several;

/// The one section of this kind, if there is any.
pub fn only<'s>(sections: &'s [Section], labels: &[&str]) -> Result<Option<&'s Section>, Several> {
    let mut all = sections.iter().filter(|section| section.is(labels));
    match (all.next(), all.next()) {
        (one, None) => Ok(one),
        _ => Err(Several),
    }
}

/// The one section of this kind as it is kept, without what stood around it; anything else as it was typed. What holds one
/// of the `never` is not taken apart: it is in the wrong place.
pub fn tidy(text: &str, labels: &[&str], never: &[&str]) -> String {
    let sections = sections(text);
    let wrong = sections.iter().any(|section| section.is(never));
    let one = only(&sections, labels).ok().flatten().filter(|_| !wrong).and_then(Section::pem);
    one.unwrap_or_else(|| text.trim().to_owned())
}

/// A text of one word, as it was meant: without blanks, breaks and quotes. A whole file is none.
pub fn word(text: &str) -> String {
    if text.contains("-BEGIN ") {
        return text.trim().to_owned();
    }
    let bare: String = typed::bare(text).chars().filter(|c| !c.is_whitespace()).collect();
    typed::bare(&bare)
}

/// A certificate's serial in WeChat's form, from the groups and names that other programs show it with; anything else as it
/// was typed.
pub fn serial(text: &str) -> String {
    let word = word(text);
    let lower = word.to_ascii_lowercase();
    let names = ["商户api证书序列号", "商户证书序列号", "证书序列号", "序列号", "serialnumber", "serial", "serial_no"];
    let named = names.iter().find_map(|name| lower.strip_prefix(name)).unwrap_or(&lower);
    let digits: String = named.trim_start_matches([':', '=']).chars().filter(|c| !":-_".contains(*c)).collect();
    let digits = digits.strip_prefix("0x").unwrap_or(&digits);
    // A number whose first bit is set has a zero before it where it is shown as DER writes it.
    let digits = digits.strip_prefix("00").filter(|rest| rest.len() == 40).unwrap_or(digits);
    match digits.len() == 40 && digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => digits.to_ascii_uppercase(),
        false => word,
    }
}

/// With real breaks and hyphens, and without what cannot be seen.
fn plain(text: &str) -> String {
    let text = text.replace("\\r", "\n").replace("\\n", "\n");
    let seen = |line: &str| typed::bare(line);
    text.lines().map(seen).collect::<Vec<_>>().join("\n")
}

/// Base64 between whatever blanks, breaks, quotes and marks of citation.
fn decoded(content: &str) -> Option<Vec<u8>> {
    let around = |c: char| c.is_whitespace() || "\"'`“”‘’>\\,;".contains(c);
    let text: String = content.chars().filter(|c| !around(*c)).collect();
    let text = text.trim_end_matches('-').trim_end_matches('=');
    BASE64_STANDARD_NO_PAD.decode(text).ok().filter(|der| der.first() == Some(&0x30))
}

fn told_by_content(der: Vec<u8>) -> Option<Section> {
    let label = match der.as_slice() {
        der if X509Certificate::from_der(der).is_ok() => "CERTIFICATE",
        der if SubjectPublicKeyInfo::from_der(der).is_ok() => "PUBLIC KEY",
        der if RsaKeyPair::from_pkcs8(der).is_ok() => "PRIVATE KEY",
        der if RsaKeyPair::from_der(der).is_ok() => "RSA PRIVATE KEY",
        _ => return None,
    };
    Some(Section { label: label.to_owned(), der: Some(der) })
}

/// What a text is, wherever it was pasted; written so that it can follow a Chinese word.
pub fn looks_like(text: &str) -> Option<&'static str> {
    let section = sections(text).into_iter().next();
    if let Some(section) = section {
        return Some(match section.label.as_str() {
            label if label.ends_with("PRIVATE KEY") => "私钥",
            label if label.ends_with("PUBLIC KEY") => "公钥",
            label if label.ends_with("CERTIFICATE REQUEST") => "证书请求（CSR）",
            _ => "证书",
        });
    }
    let text = word(text);
    let all = |fine: fn(&u8) -> bool| text.bytes().all(|b| fine(&b));
    Some(match text.len() {
        _ if text.starts_with("PUB_KEY_ID_") => "微信支付公钥 ID",
        _ if text.starts_with("http://") || text.starts_with("https://") => "网址",
        18 if text.starts_with("wx") && all(u8::is_ascii_alphanumeric) => " AppID",
        8..=12 if all(u8::is_ascii_digit) => "商户号",
        40 if all(u8::is_ascii_hexdigit) => "证书序列号",
        32 if all(u8::is_ascii_alphanumeric) => " APIv3 密钥或 APIv2 密钥",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wechat::v3::keys::{PrivateKey, PublicKey};

    fn vector(name: &str) -> String {
        let all: serde_json::Value =
            serde_json::from_str(include_str!("../../../tests/vectors/wechat-v3.json")).unwrap();
        all[name].as_str().unwrap().to_owned()
    }

    /// How one file comes out of an editor, a chat, a configuration file: with one thing done to it per row.
    fn spoilt(pem: &str) -> Vec<(&'static str, String)> {
        let body: String = pem.lines().filter(|line| !line.starts_with("---")).collect();
        vec![
            ("as it was", pem.to_owned()),
            ("a byte order mark", format!("\u{feff}{pem}")),
            ("line ends of Windows", pem.replace('\n', "\r\n")),
            ("blanks for line ends", pem.replace('\n', " ")),
            ("no line ends", pem.replace('\n', "")),
            ("indented", pem.replace('\n', "\n    ")),
            ("blank lines", pem.replace('\n', "\n\n")),
            ("in quotes", format!("\"{}\"", pem.trim())),
            ("each line in quotes", pem.trim().lines().map(|line| format!("\"{line}\"\n")).collect()),
            ("literal \\n", pem.replace('\n', "\\n")),
            ("literal \\r\\n in quotes", format!("'{}'", pem.replace('\n', "\\r\\n"))),
            ("cited", pem.trim().lines().map(|line| format!("> {line}\n")).collect()),
            ("words before and after", format!("这是我的密钥：\n{pem}\n请查收")),
            ("twice the same", format!("{pem}{pem}")),
            ("wide blanks", pem.replace('\n', "\u{3000}\n")),
            ("zero-width blanks", pem.replace('\n', "\u{200b}\n")),
            ("other dashes", pem.replace('-', "—")),
            ("no padding", pem.replace('=', "")),
            ("without its first and last line", body),
        ]
    }

    #[test]
    fn what_was_done_to_a_key_on_its_way_is_undone() {
        let (private, public) = (vector("merchant_private_key_pkcs8"), vector("wechat_public_key"));
        let kept = tidy(&private, PRIVATE, &[]);
        assert_eq!(kept, private.trim());
        for (what, pasted) in spoilt(&private) {
            assert_eq!(tidy(&pasted, PRIVATE, &[]), kept, "{what}");
            assert!(PrivateKey::read(&pasted).is_ok(), "{what}");
        }
        for (what, pasted) in spoilt(&public) {
            assert_eq!(tidy(&pasted, PUBLIC, PRIVATE), public.trim(), "{what}");
            assert!(PublicKey::read(&pasted).is_ok(), "{what}");
        }
        // Both in one file: in the private key's field it is plain which is meant, and the other one is not kept.
        for both in [format!("{private}{public}"), format!("{public}{private}")] {
            assert_eq!(tidy(&both, PRIVATE, &[]), kept);
            assert!(PrivateKey::read(&both).is_ok());
            assert_eq!(
                tidy(&both, PUBLIC, PRIVATE),
                both.trim(),
                "who has the private key has not WeChat's public one"
            );
            assert!(PublicKey::read(&both).err().unwrap().contains("这是私钥"));
        }
        let other = rcgen::KeyPair::generate().unwrap().serialize_pem();
        assert!(PrivateKey::read(&format!("{private}{other}")).err().unwrap().contains("不止一个"));
        for cut in [&private[..400], &private[200..], &private.replacen("MII", "MI*", 1)] {
            assert!(PrivateKey::read(cut).is_err());
        }
    }

    #[test]
    fn a_serial_is_read_however_it_is_shown() {
        let kept = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1";
        for shown in [
            kept,
            "5157f09efdc096de15ebe81a47057a7232f1b8e1",
            "51:57:F0:9E:FD:C0:96:DE:15:EB:E8:1A:47:05:7A:72:32:F1:B8:E1",
            "51 57 f0 9e fd c0 96 de 15 eb e8 1a 47 05 7a 72 32 f1 b8 e1",
            "5157F09E FDC096DE 15EBE81A 47057A72 32F1B8E1",
            "00:51:57:F0:9E:FD:C0:96:DE:15:EB:E8:1A:47:05:7A:72:32:F1:B8:E1",
            "serial=5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
            "Serial Number: 51:57:f0:9e:fd:c0:96:de:15:eb:e8:1a:47:05:7a:72:32:f1:b8:e1",
            "证书序列号：5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
            "0x5157F09EFDC096DE15EBE81A47057A7232F1B8E1",
            "\u{feff}“5157F09EFDC096DE15EBE81A47057A7232F1B8E1”\r\n",
            "5157F09EFDC096DE15EB\nE81A47057A7232F1B8E1",
        ] {
            assert_eq!(serial(shown), kept, "{shown}");
        }
        for other in ["5157F0", "PUB_KEY_ID_01", "0123456789abcdef0123456789abcdef"] {
            assert_eq!(serial(other), other);
        }
    }

    #[test]
    fn what_was_pasted_is_told_apart() {
        let private = vector("merchant_private_key_pkcs8");
        for (text, what) in [
            (private.as_str(), Some("私钥")),
            (&vector("wechat_public_key"), Some("公钥")),
            (&rcgen::generate_simple_self_signed(["x".to_owned()]).unwrap().cert.pem(), Some("证书")),
            ("PUB_KEY_ID_0116", Some("微信支付公钥 ID")),
            ("5157F09EFDC096DE15EBE81A47057A7232F1B8E1", Some("证书序列号")),
            ("0123456789abcdef0123456789abcdef", Some(" APIv3 密钥或 APIv2 密钥")),
            ("wxd930ea5d5a258f4f", Some(" AppID")),
            ("1900000109", Some("商户号")),
            ("https://shop.example.com", Some("网址")),
            ("short", None),
            ("", None),
        ] {
            assert_eq!(looks_like(text), what, "{text}");
        }
    }
}
