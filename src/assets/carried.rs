//! The files that the program carries: packed by `build.rs` in a release, read from disk while developing.

use std::borrow::Cow;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use flate2::read::GzDecoder;

mod packed {
    include!(concat!(env!("OUT_DIR"), "/packed.rs"));
}

pub static TEMPLATES: Folder = Folder { name: "templates", packed: packed::TEMPLATES };
pub static STATIC: Folder = Folder { name: "static", packed: packed::STATIC };
pub static MINIPROGRAM: Folder = Folder { name: "miniprogram", packed: packed::MINIPROGRAM };

/// A folder of the repository, with the paths of its files below it. No file that is packed: read from disk.
pub struct Folder {
    name: &'static str,
    packed: &'static [(&'static str, &'static [u8])],
}

impl Folder {
    pub fn file(&self, path: &str) -> Option<File> {
        if self.packed.is_empty() {
            return fs::read(self.on_disk().join(path)).ok().map(|bytes| File { kept: bytes.into() });
        }
        let at = self.packed.binary_search_by_key(&path, |(known, _)| known).ok()?;
        Some(File { kept: Cow::Borrowed(self.packed[at].1) })
    }

    /// The paths of all files, in order.
    pub fn paths(&self) -> Vec<String> {
        if self.packed.is_empty() {
            let mut found = Vec::new();
            walk(&self.on_disk(), "", &mut found);
            found.sort();
            return found;
        }
        self.packed.iter().map(|(path, _)| (*path).to_owned()).collect()
    }

    fn on_disk(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.name)
    }
}

fn walk(folder: &Path, before: &str, found: &mut Vec<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = format!("{before}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            walk(&entry.path(), &format!("{path}/"), found);
        } else {
            found.push(path);
        }
    }
}

/// One file, as it is kept.
pub struct File {
    kept: Cow<'static, [u8]>,
}

impl File {
    /// As it is kept: as gzip, or as it is.
    pub fn kept(self) -> Cow<'static, [u8]> {
        self.kept
    }

    pub fn is_gzip(&self) -> bool {
        self.kept.starts_with(b"\x1f\x8b")
    }

    /// The file itself. Errors: only what is packed wrongly.
    pub fn bytes(self) -> io::Result<Cow<'static, [u8]>> {
        if !self.is_gzip() {
            return Ok(self.kept);
        }
        let mut bytes = Vec::new();
        GzDecoder::new(&*self.kept).read_to_end(&mut bytes)?;
        Ok(bytes.into())
    }

    pub fn text(self) -> io::Result<String> {
        String::from_utf8(self.bytes()?.into_owned()).map_err(io::Error::other)
    }

    /// Differs from that of any other content.
    pub fn tag(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.kept.hash(&mut hasher);
        hasher.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RELEASED: Folder = Folder {
        name: "templates",
        packed: &[("a.css", b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x4b\x04\0\x43\xbe\xb7\xe8\x01\0\0\0"), ("b.png", b"b")],
    };

    #[test]
    fn what_is_packed_comes_out_as_it_went_in() {
        assert_eq!(RELEASED.paths(), ["a.css", "b.png"]);
        for (path, text, gzip) in [("a.css", "a", true), ("b.png", "b", false)] {
            let file = || RELEASED.file(path).unwrap();
            assert_eq!((file().text().unwrap(), file().is_gzip()), (text.to_owned(), gzip), "{path}");
        }
        assert_ne!(RELEASED.file("a.css").unwrap().tag(), RELEASED.file("b.png").unwrap().tag());
        assert!(RELEASED.file("a").is_none() && RELEASED.file("layout.html").is_none());
    }

    #[test]
    fn every_folder_is_found_while_developing() {
        for folder in [&TEMPLATES, &STATIC, &MINIPROGRAM] {
            let paths = folder.paths();
            assert!(paths.len() > 20 && paths.is_sorted());
            assert!(paths.iter().all(|path| folder.file(path).is_some_and(|file| !file.bytes().unwrap().is_empty())));
        }
    }
}
