#!/usr/bin/env bash
# A WebP that sharp 0.33.5 (libvips 8.15.3) writes with an orientation lies on its side in Rust's image 0.25.10, while a JPEG of the same
# picture stands: libvips puts JPEG's "Exif" and two noughts before the data in the EXIF chunk, and the image crate reads a chunk that
# begins with the data. sharp itself and Pillow 12.0.0 read 6 in both.
#
# Seen, of a picture of 4 × 2 with orientation 6: the chunk begins Exif..II; Pillow says 6 of both; the image crate says Rotate90 of the
# JPEG and NoTransforms of the WebP.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund sharp@0.33.5 >/dev/null 2>&1
node --input-type=module -e '
import { writeFileSync } from "node:fs";
import sharp from "sharp";
const picture = () => sharp({ create: { width: 4, height: 2, channels: 3, background: "red" } }).withMetadata({ orientation: 6 });
const webp = await picture().webp().toBuffer();
writeFileSync("a.webp", webp);
writeFileSync("a.jpg", await picture().jpeg().toBuffer());
const at = webp.indexOf("EXIF") + 8;
console.log("chunk", webp.subarray(at, at + 8).toString("latin1").replace(/[^ -~]/g, "."));
' | tee seen.txt
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check pillow==12.0.0
python/bin/python -c '
from PIL import Image
print("Pillow", *(Image.open(name).getexif().get(274) for name in ["a.jpg", "a.webp"]))
' | tee -a seen.txt
mkdir -p rust/src
cat >rust/Cargo.toml <<'TOML'
[package]
name = "seen"
version = "0.0.0"
edition = "2021"
[dependencies]
image = { version = "=0.25.10", default-features = false, features = ["jpeg", "webp"] }
TOML
cat >rust/src/main.rs <<'RUST'
use image::{ImageDecoder, ImageReader};
fn main() {
    for name in ["a.jpg", "a.webp"] {
        let mut decoder = ImageReader::open(name).unwrap().into_decoder().unwrap();
        println!("image {name} {:?}", decoder.orientation().unwrap());
    }
}
RUST
cargo run --quiet --manifest-path rust/Cargo.toml 2>/dev/null | tee -a seen.txt
diff - seen.txt <<'SEEN'
chunk Exif..II
Pillow 6 6
image a.jpg Rotate90
image a.webp NoTransforms
SEEN
