//! Packs what travels inside a release: text as gzip, the way browsers take it, and pictures as they are.

use std::env;
use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

/// The folders that the program carries, each a table of its files.
const FOLDERS: [(&str, &str); 3] = [("TEMPLATES", "templates"), ("STATIC", "static"), ("MINIPROGRAM", "miniprogram")];

fn main() -> io::Result<()> {
    println!("cargo:rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo names no OUT_DIR"))?);
    // While developing, files are read from disk: whoever changes one has nothing to build.
    let released = env::var("PROFILE").is_ok_and(|profile| profile == "release");
    let mut tables = String::new();
    for (name, folder) in FOLDERS {
        let mut rows = String::new();
        if released {
            println!("cargo:rerun-if-changed={folder}");
            for path in files(Path::new(folder))? {
                let packed = pack(&path, &out.join(&path))?;
                let known = path.strip_prefix(folder).map_err(io::Error::other)?;
                writeln!(rows, "({known:?}, include_bytes!({packed:?})),").map_err(io::Error::other)?;
            }
        }
        writeln!(tables, "pub static {name}: &[(&str, &[u8])] = &[{rows}];").map_err(io::Error::other)?;
    }
    fs::write(out.join("packed.rs"), tables)
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else {
            found.push(path);
        }
    }
    // As text: that is how they are looked for.
    found.sort_by(|a, b| a.as_os_str().cmp(b.as_os_str()));
    Ok(found)
}

/// The file that is to be taken in instead of `path`.
fn pack(path: &Path, to: &Path) -> io::Result<PathBuf> {
    if path.extension().is_some_and(|kind| kind == "jpg" || kind == "png") {
        return path.canonicalize();
    }
    if let Some(folder) = to.parent() {
        fs::create_dir_all(folder)?;
    }
    let mut packed = GzEncoder::new(File::create(to)?, Compression::best());
    packed.write_all(&unremarked(path, fs::read(path)?))?;
    packed.finish()?;
    to.canonicalize()
}

/// Our own sheets and scripts without the remarks between their lines, an eighth of what a browser is sent of them. What others wrote
/// keeps its licence where it stands.
fn unremarked(path: &Path, bytes: Vec<u8>) -> Vec<u8> {
    let kind = path.extension().and_then(|kind| kind.to_str()).filter(|_| path.parent() == Some(Path::new("static")));
    let Ok(text) = std::str::from_utf8(&bytes) else { return bytes };
    match kind {
        Some("css") => {
            let parts = text.split("*/").map(|part| part.split("/*").next().unwrap_or_default());
            parts.collect::<String>().into_bytes()
        }
        Some("js") => {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            lines.flat_map(|line| [line, "\n"]).collect::<String>().into_bytes()
        }
        _ => bytes,
    }
}
