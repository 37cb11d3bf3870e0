//! The keys of API v3: ours that signs, WeChat Pay's that verifies, and the one that opens notices.

use std::fmt;
use std::sync::Arc;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, UnparsedPublicKey};
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey as Parsed;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::pasted;
use crate::nonce;

/// The merchant's private key (`apiclient_key.pem`): it signs requests and `paySign`. Never printed.
#[derive(Clone)]
pub struct PrivateKey(Arc<RsaKeyPair>);

impl PrivateKey {
    /// Reads PKCS#8, as WeChat's own tool writes it, or PKCS#1, however it was pasted. `Err` says in words what was pasted
    /// instead.
    pub fn read(text: &str) -> Result<PrivateKey, &'static str> {
        let sections = pasted::sections(text);
        let several = |pasted::Several| "粘贴了不止一个私钥：请只粘贴现在用的 apiclient_key.pem 的内容";
        let Some(section) = pasted::only(&sections, pasted::PRIVATE).map_err(several)? else {
            return Err(match sections.first().map(|section| section.label.as_str()) {
                Some("EC PRIVATE KEY") => EC_PRIVATE,
                Some(pasted::ENCIPHERED) => "这个私钥加了口令：请粘贴没有口令的 apiclient_key.pem（BEGIN PRIVATE KEY）",
                Some("CERTIFICATE") => "这是证书，不是私钥：这里要的是 apiclient_key.pem（BEGIN PRIVATE KEY）",
                Some("CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST") => {
                    "这是证书请求（CSR），不是私钥：这里要的是 apiclient_key.pem（BEGIN PRIVATE KEY）"
                }
                Some("PUBLIC KEY" | "RSA PUBLIC KEY") => {
                    "这是公钥，不是私钥：这里要的是 apiclient_key.pem（BEGIN PRIVATE KEY）"
                }
                _ => "不是 PEM 格式的私钥：请粘贴 apiclient_key.pem 的全部内容，包括 BEGIN 和 END 两行",
            });
        };
        const BROKEN: &str = "私钥读不出来，请重新粘贴 apiclient_key.pem 的全部内容，包括 BEGIN 和 END 两行";
        let der = section.der.as_deref().ok_or(BROKEN)?;
        let pair = match section.label.as_str() {
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(der),
            _ => RsaKeyPair::from_pkcs8(der),
        };
        pair.map(|pair| PrivateKey(Arc::new(pair))).map_err(|e| match e.to_string().as_str() {
            "WrongAlgorithm" => EC_PRIVATE,
            "TooSmall" => "这个私钥太短：微信支付要 2048 位的 RSA 私钥，请用微信证书工具重新生成",
            "TooLarge" => "这个私钥太长：微信支付要 2048 位的 RSA 私钥，请用微信证书工具重新生成",
            _ => BROKEN,
        })
    }

    /// SHA256-RSA2048 over the text; about a millisecond of processor time, so not on a thread that serves requests.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0
            .sign(&RSA_PKCS1_SHA256, &nonce::blinding(), text, &mut signature)
            .expect("the buffer is as long as the key");
        signature
    }

    /// Its public half, as a certificate holds it (PKCS#1).
    pub fn public(&self) -> &[u8] {
        self.0.public().as_ref()
    }
}

const EC_PRIVATE: &str = "这不是 RSA 私钥（例如是 EC 椭圆曲线的）：请粘贴微信证书工具生成的 apiclient_key.pem";

/// WeChat Pay's public key (`pub_key.pem`), which verifies replies and notices.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Vec<u8>);

impl PublicKey {
    /// However it was pasted. `Err` says in words what was pasted instead.
    pub fn read(text: &str) -> Result<PublicKey, &'static str> {
        let sections = pasted::sections(text);
        if pasted::hold_private_key(&sections) {
            return Err("这是私钥，不是公钥，不要把它交给别人：这里要的是微信支付的 pub_key.pem（BEGIN PUBLIC KEY）");
        }
        let several = |pasted::Several| "粘贴了不止一个公钥：请只粘贴与公钥 ID 对应的 pub_key.pem 的内容";
        let Some(section) = pasted::only(&sections, pasted::PUBLIC).map_err(several)? else {
            return Err(match sections.first().map(|section| section.label.as_str()) {
                Some("CERTIFICATE") => {
                    "这是证书，不是公钥：请在商户平台 → API 安全 → 微信支付公钥 下载 pub_key.pem（BEGIN PUBLIC KEY）"
                }
                Some("RSA PUBLIC KEY") => {
                    "这个公钥的格式（BEGIN RSA PUBLIC KEY）不是微信的：请在商户平台重新下载 pub_key.pem"
                }
                _ => "不是 PEM 格式的公钥：请粘贴 pub_key.pem 的全部内容，包括 BEGIN 和 END 两行",
            });
        };
        let der = section.der.as_deref().ok_or(BROKEN_PUBLIC)?;
        let (_, info) = SubjectPublicKeyInfo::from_der(der).map_err(|_| BROKEN_PUBLIC)?;
        match info.parsed() {
            Ok(Parsed::RSA(key)) if key.key_size() >= 2048 => {}
            Ok(Parsed::RSA(_)) => return Err("这个公钥太短，不是微信支付公钥：请在商户平台重新下载 pub_key.pem"),
            Ok(_) => {
                return Err(
                    "这不是 RSA 公钥（例如是 EC 椭圆曲线的），不是微信支付公钥：请在商户平台重新下载 pub_key.pem",
                );
            }
            Err(_) => return Err(BROKEN_PUBLIC),
        }
        // The verifier wants the key that stands inside.
        Ok(PublicKey(info.subject_public_key.data.to_vec()))
    }

    pub fn verifies(&self, text: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.0).verify(text, signature).is_ok()
    }

    /// As a certificate holds it (PKCS#1).
    pub fn from_pkcs1(der: &[u8]) -> PublicKey {
        PublicKey(der.to_vec())
    }

    pub fn pkcs1(&self) -> &[u8] {
        &self.0
    }
}

const BROKEN_PUBLIC: &str = "公钥读不出来，请重新下载 pub_key.pem 并粘贴全部内容";

/// What a certificate says: its serial in WeChat's form (upper-case hexadecimal), and the key that it vouches for.
pub fn certificate(text: &str) -> Result<(String, PublicKey), &'static str> {
    const BROKEN: &str = "证书读不出来，请粘贴 apiclient_cert.pem 的全部内容";
    let sections = pasted::sections(text);
    let several = |pasted::Several| "粘贴了不止一张证书：请只粘贴现在用的 apiclient_cert.pem 的内容";
    let section = pasted::only(&sections, pasted::CERTIFICATE).map_err(several)?.ok_or(BROKEN)?;
    let (_, parsed) = X509Certificate::from_der(section.der.as_deref().ok_or(BROKEN)?).map_err(|_| BROKEN)?;
    Ok((super::super::certificate::serial(&parsed), PublicKey(parsed.public_key().subject_public_key.data.to_vec())))
}

/// The API v3 key: 32 ASCII characters. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct V3Key([u8; 32]);

impl fmt::Debug for V3Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("V3Key")
    }
}

impl std::str::FromStr for V3Key {
    type Err = &'static str;
    fn from_str(text: &str) -> Result<V3Key, &'static str> {
        // WeChat makes them of letters and digits; a shop whose key has another sign and works is not stopped.
        const WANTED: &str = "APIv3 密钥应为 32 个字符，只有字母和数字：在商户平台 → API 安全 → 设置 APIv3 密钥";
        let bytes = text.as_bytes().try_into().map_err(|_| WANTED)?;
        // Ten Chinese characters and two letters are 32 bytes as well.
        if text.bytes().all(|b| b.is_ascii_graphic()) { Ok(V3Key(bytes)) } else { Err(WANTED) }
    }
}

impl V3Key {
    /// AEAD_AES_256_GCM. `None` when the tag is wrong: another key, or something was altered.
    pub fn open(&self, nonce: &[u8], aad: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let nonce: [u8; NONCE_LEN] = nonce.try_into().ok()?;
        let mut bytes = sealed.to_vec();
        let plain = self.key().open_in_place(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut bytes).ok()?;
        Some(plain.to_vec())
    }

    /// What `open` opens: for the simulated WeChat.
    pub fn seal(&self, nonce: [u8; NONCE_LEN], aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut bytes = plain.to_vec();
        self.key()
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(aad), &mut bytes)
            .expect("a notice is shorter than AES-GCM's limit");
        bytes
    }

    fn key(&self) -> LessSafeKey {
        LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &self.0).expect("32 bytes are an AES-256 key"))
    }

    /// For the sealed settings and the simulated WeChat.
    pub fn expose(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_api_v3_key_has_32_characters() {
        for (text, fine) in [
            ("0123456789abcdefGHIJKLMNOPQRSTUV", true),
            ("0123456789abcdefGHIJKLMNOPQRSTU_", true),
            ("0123456789abcdefGHIJKLMNOPQRST U", false),
            ("0123456789abcdefGHIJKLMNOPQRSTU", false),
            ("0123456789abcdefGHIJKLMNOPQRSTUVW", false),
            ("密钥密钥密钥密钥密钥ab", false),
        ] {
            assert_eq!(text.parse::<V3Key>().is_ok(), fine, "{text}");
        }
    }
}
