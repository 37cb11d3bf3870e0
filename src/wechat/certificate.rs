//! The client certificate that refunds need: WeChat's `apiclient_cert.pem` and `apiclient_key.pem`, checked as a pair.

use std::fmt;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use sha2::{Digest, Sha256};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::v3::pasted::pem;
use crate::clock::SECOND;

/// Until when a certificate is good (epoch milliseconds); `None` when it is not one.
pub(super) fn good_until(der: &[u8]) -> Option<i64> {
    let (_, parsed) = X509Certificate::from_der(der).ok()?;
    Some(parsed.validity().not_after.timestamp().saturating_mul(SECOND))
}

/// A certificate's serial as WeChat writes it: upper-case hexadecimal, without the zero that DER puts before a number whose
/// first bit is set.
pub(super) fn serial(certificate: &X509Certificate<'_>) -> String {
    certificate.raw_serial().iter().skip_while(|byte| **byte == 0).map(|byte| format!("{byte:02X}")).collect()
}

/// A certificate and the key that belongs to it. Never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientIdentity {
    cert_pem: String,
    key_pem: String,
    pub facts: Facts,
}

/// What a certificate says, for the page that shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The merchant number: WeChat writes it as the common name.
    pub mch_id: String,
    /// The merchant's name.
    pub name: String,
    pub serial: String,
    /// Epoch milliseconds.
    pub not_before: i64,
    pub not_after: i64,
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.facts.fmt(f)
    }
}

impl ClientIdentity {
    /// Reads a PEM pair. `Err` says in words what is wrong with it and what to do.
    pub fn read(cert_pem: &str, key_pem: &str) -> Result<ClientIdentity, &'static str> {
        let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(cert_pem.as_bytes())
            .collect::<Result<_, _>>()
            .map_err(|_| "证书文件读不出来，请上传微信下载包里的 apiclient_cert.pem")?;
        let first = chain.first().ok_or("这不是证书文件，请上传微信下载包里的 apiclient_cert.pem（不是 .p12）")?;
        let (_, parsed) = X509Certificate::from_der(first).map_err(|_| "证书内容不是有效的 X.509 证书")?;
        let name = |mut names: Box<dyn Iterator<Item = &str> + '_>| names.next().unwrap_or_default().to_owned();
        let facts = Facts {
            mch_id: name(Box::new(parsed.subject().iter_common_name().filter_map(|n| n.as_str().ok()))),
            name: name(Box::new(parsed.subject().iter_organizational_unit().filter_map(|n| n.as_str().ok()))),
            serial: serial(&parsed),
            not_before: parsed.validity().not_before.timestamp().saturating_mul(SECOND),
            not_after: parsed.validity().not_after.timestamp().saturating_mul(SECOND),
        };
        let key = PrivateKeyDer::from_pem_slice(key_pem.as_bytes())
            .map_err(|_| "私钥文件读不出来，请上传微信下载包里的 apiclient_key.pem")?;
        // Its file may hold the key as well, and it is not kept sealed.
        let cert_pem = chain.iter().map(|der| pem("CERTIFICATE", der)).collect::<Vec<_>>().join("\n");
        match CertifiedKey::from_der(chain, key, &ring::default_provider()) {
            Ok(_) => Ok(ClientIdentity { cert_pem, key_pem: key_pem.to_owned(), facts }),
            Err(rustls::Error::InconsistentKeys(_)) => {
                Err("证书和私钥不是一对，请上传同一次下载的 apiclient_cert.pem 和 apiclient_key.pem")
            }
            Err(_) => Err("私钥不能使用，请上传微信下载包里的 apiclient_key.pem"),
        }
    }

    /// The certificate alone; it is no secret.
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// For the sealed settings.
    pub fn expose_key(&self) -> &str {
        &self.key_pem
    }

    /// Both, as an HTTP client takes them.
    pub(super) fn pem(&self) -> String {
        format!("{}\n{}", self.cert_pem, self.key_pem)
    }

    /// Tells identities apart.
    pub(super) fn fingerprint(&self) -> Vec<u8> {
        Sha256::digest(self.pem()).to_vec()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_beside_the_certificate_is_not_kept_with_it() {
        let pair = rcgen::generate_simple_self_signed(["1900000109".to_owned()]).unwrap();
        let (cert, key) = (pair.cert.pem(), pair.signing_key.serialize_pem());
        for both in [format!("{cert}{key}"), format!("{key}\n{cert}"), cert.replace('\n', "\r\n"), cert.clone()] {
            let identity = ClientIdentity::read(&both, &key).unwrap();
            assert_eq!(identity.cert_pem().trim(), cert.replace('\r', "").trim());
        }
    }
}
