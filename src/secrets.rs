//! Secrets at rest: a key file beside the database seals them, so a stolen database forges nothing.

use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use sha2::{Digest, Sha256};

use crate::nonce::Nonces;

/// Seals and opens the secrets that the database keeps.
pub struct SecretKey(LessSafeKey);

/// Bytes of a key file.
pub const KEY_LENGTH: usize = 32;

/// Writes a new key file that its owner alone may read.
pub fn write_key(path: &Path, key: &[u8]) -> io::Result<()> {
    // `create_new`: two programs starting together must not each keep a key of its own.
    let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(key)?;
    file.sync_all()
}

/// What to do about a key file that is not the right one.
const BACK: &str =
    "请从备份（或 secret.key.before-restore）放回原处；确实找不回来，请运行 xiaopu new-key，之后重新填写微信密钥";

impl SecretKey {
    /// Reads `secret.key` in the data folder, or makes one (mode 600). `sealed` tells whether something is sealed already:
    /// then a missing key is not replaced, since the right one may still be found.
    pub fn load(data_dir: &Path, nonces: &Nonces, sealed: bool) -> io::Result<SecretKey> {
        let path = data_dir.join("secret.key");
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound && sealed => {
                let words = format!("不见了，而数据库里有用它封存的密钥。{BACK}");
                return Err(io::Error::new(io::ErrorKind::NotFound, words));
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                let bytes = nonces.bytes::<KEY_LENGTH>();
                write_key(&path, &bytes)?;
                bytes.to_vec()
            }
            Err(e) => return Err(e),
        };
        if fs::metadata(&path)?.permissions().mode() & 0o077 != 0 {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o600))?;
        }
        UnboundKey::new(&AES_256_GCM, &bytes).map(|key| SecretKey(LessSafeKey::new(key))).map_err(|_| {
            io::Error::new(io::ErrorKind::InvalidData, format!("{} 不是 32 字节的密钥文件。{BACK}", path.display()))
        })
    }

    /// `name` is bound in: a sealed value moved to another setting does not open.
    pub fn seal(&self, name: &str, plain: &str, nonces: &Nonces) -> Vec<u8> {
        let nonce = nonces.bytes::<NONCE_LEN>();
        let mut sealed = plain.as_bytes().to_vec();
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::from(name.as_bytes()), &mut sealed)
            .expect("a short text fits AES-GCM");
        [nonce.as_slice(), &sealed].concat()
    }

    /// `None` when the key file is another one, or the value was altered.
    pub fn open(&self, name: &str, sealed: &[u8]) -> Option<String> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut body = body.to_vec();
        let plain = self.0.open_in_place(nonce, Aad::from(name.as_bytes()), &mut body).ok()?;
        String::from_utf8(plain.to_vec()).ok()
    }
}

/// What the database keeps of a token: whoever reads it cannot log in with it.
pub fn token_hash(token: &str) -> Vec<u8> {
    Sha256::digest(token).to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sealed_value_opens_only_under_its_own_name_and_key() {
        let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let nonces = Nonces::Random;
        let key = SecretKey::load(dir.path(), &nonces, false).unwrap();
        let sealed = key.seal("wechat.api_key", "192006250b4c09247ec02edce69f6a2d", &nonces);
        let again = SecretKey::load(dir.path(), &nonces, false).unwrap();
        assert_eq!(again.open("wechat.api_key", &sealed).as_deref(), Some("192006250b4c09247ec02edce69f6a2d"));
        assert_eq!(again.open("wechat.app_secret", &sealed), None);
        assert_eq!(SecretKey::load(other.path(), &nonces, false).unwrap().open("wechat.api_key", &sealed), None);
        assert_eq!(again.open("wechat.api_key", b"short"), None);
        let lost = tempfile::tempdir().unwrap();
        assert!(SecretKey::load(lost.path(), &nonces, true).is_err(), "something is sealed with another one");
        assert!(!lost.path().join("secret.key").exists());
        let mode = fs::metadata(dir.path().join("secret.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
