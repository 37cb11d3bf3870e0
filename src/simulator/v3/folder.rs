//! The keys of the simulated API v3 in a folder, made once: the files that a merchant would have, and what belongs to them.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::Keys;
use crate::nonce::Nonces;

/// What the simulated WeChat keeps for itself, so that it is the same one when it starts again.
const KEPT: &str = "simulated-wechat.json";
pub const PRIVATE: &str = "apiclient_key.pem";
pub const PUBLIC: &str = "pub_key.pem";

impl Keys {
    /// Those that were made in this folder before, or fresh ones. Whatever else lies there stays as it is: under the same
    /// names a merchant keeps keys that move real money. `Err` says in words what is in the way.
    pub fn kept_in(folder: &Path, nonces: &Nonces) -> Result<Keys, String> {
        fs::create_dir_all(folder).map_err(|e| format!("{} 建不起来：{e}", folder.display()))?;
        let keys = match read(&folder.join(KEPT))? {
            Some(text) => serde_json::from_str(&text)
                .map_err(|e| format!("{} 读不懂（{e}）：请换一个空目录", folder.join(KEPT).display()))?,
            None => Keys::made_in(folder, nonces)?,
        };
        for (name, text) in [(PRIVATE, &keys.merchant.private), (PUBLIC, &keys.platform.public)] {
            let file = folder.join(name);
            match read(&file)? {
                Some(there) if there == *text => {}
                Some(_) => return Err(in_the_way(&file)),
                None => write(&file, text)?,
            }
        }
        Ok(keys)
    }

    fn made_in(folder: &Path, nonces: &Nonces) -> Result<Keys, String> {
        for name in [PRIVATE, PUBLIC] {
            let file = folder.join(name);
            if fs::symlink_metadata(&file).is_ok() {
                return Err(in_the_way(&file));
            }
        }
        let keys = Keys::make(nonces);
        let text = serde_json::to_string_pretty(&keys).map_err(|e| e.to_string())?;
        write(&folder.join(KEPT), &text)?;
        Ok(keys)
    }
}

fn in_the_way(file: &Path) -> String {
    format!("{} 不是模拟微信做的，没有动它：请换一个空目录", file.display())
}

fn read(file: &Path) -> Result<Option<String>, String> {
    match fs::read_to_string(file) {
        Ok(text) => Ok(Some(text)),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) if e.kind() == ErrorKind::InvalidData => Err(in_the_way(file)),
        Err(e) => Err(format!("{} 读不出来：{e}", file.display())),
    }
}

fn write(file: &Path, text: &str) -> Result<(), String> {
    let made = fs::OpenOptions::new().write(true).create_new(true).open(file);
    made.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|e| format!("{} 写不进去：{e}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What lies in a folder, by name.
    fn all(folder: &Path) -> Vec<(String, String)> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut all: Vec<_> = entries
            .map(|entry| {
                (entry.file_name().into_string().unwrap(), fs::read_to_string(entry.path()).unwrap_or_default())
            })
            .collect();
        all.sort();
        all
    }

    #[test]
    fn keys_are_made_once_and_nobody_elses_are_touched() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("own");
        let made = Keys::kept_in(&own, &Nonces::Random).unwrap();
        let before = all(&own);
        assert_eq!(before.len(), 3);
        let again = Keys::kept_in(&own, &Nonces::Random).unwrap();
        assert_eq!((again.serial, again.v3_key, again.public_id), (made.serial, made.v3_key, made.public_id));
        fs::remove_file(own.join(PUBLIC)).unwrap();
        Keys::kept_in(&own, &Nonces::Random).unwrap();
        assert_eq!(all(&own), before, "what is missing is written once more");
        // A merchant's own, beside ours and alone.
        let row = |folder: &Path, name: &str, bytes: &[u8]| {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join(name), bytes).unwrap();
            let before = all(folder);
            let words = Keys::kept_in(folder, &Nonces::Random).err().unwrap();
            assert!(words.contains(name) && words.contains("换一个空目录"), "{words}");
            assert_eq!(all(folder), before, "{name}");
        };
        row(&own, PRIVATE, b"-----BEGIN PRIVATE KEY-----\nreal\n");
        row(&folder.path().join("a"), PRIVATE, b"-----BEGIN PRIVATE KEY-----\nreal\n");
        row(&folder.path().join("b"), PUBLIC, b"\x30\x82\xff");
        row(&folder.path().join("c"), KEPT, b"{}");
    }
}
