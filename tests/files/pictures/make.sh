#!/usr/bin/env bash
# Makes the pictures of this folder again. Five patches each (see README.md), written by real tools:
# libvips 8.14.1, ImageMagick 6.9.11-60 (lcms), Pillow 13.0.0, cjpeg and jpegtran of libjpeg-turbo 2.1.5, exiftool 12.57.
# Needs the profiles of Debian's icc-profiles-free.
set -euo pipefail
cd "$(dirname "$0")"
python=${PYTHON:-python3}
work=$(mktemp -d)
"$python" - "$work" <<'P'
import sys
from PIL import Image
im = Image.new("RGB", (96, 48), (128, 128, 128))
for i, c in enumerate([(220, 30, 40), (40, 180, 60), (30, 60, 200), (225, 180, 150)]):
    im.paste(c, (i * 24, 0, i * 24 + 24, 24))
im.save(sys.argv[1] + "/plain.png"); im.save(sys.argv[1] + "/plain.ppm")
# Lying on its right side, so that orientation 6 sets it up again.
side = im.rotate(90, expand=True)
exif = Image.Exif(); exif[0x112] = 6
side.save("turned.jpg", quality=95, exif=exif)
side.save("turned.png", exif=exif)
side.save("turned.webp", lossless=True, exif=exif)
side.save(sys.argv[1] + "/side.png")
im.quantize(16).save("still.gif")
im.save("moving.gif", save_all=True, append_images=[Image.new("RGB", (96, 48), "black")], duration=100)
# A printing profile small enough to keep: three steps for each ink, made up, read alike by lcms.
def lab(c, m, y, k):
    lin = [max(0, 1 - 0.9 * a) ** 2.2 * (1 - 0.95 * k) ** 2.2 for a in (c, 0.15 * c + 0.8 * m, 0.1 * m + 0.85 * y)]
    X = (0.4361 * lin[0] + 0.3851 * lin[1] + 0.1431 * lin[2]) / 0.9642
    Y = 0.2225 * lin[0] + 0.7169 * lin[1] + 0.0606 * lin[2]
    Z = (0.0139 * lin[0] + 0.0971 * lin[1] + 0.7141 * lin[2]) / 0.8249
    f = lambda t: t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116
    L, a, b = 116 * f(Y) - 16, 500 * (f(X) - f(Y)), 200 * (f(Y) - f(Z))
    return bytes(max(0, min(255, round(v))) for v in (L * 2.55, a + 128, b + 128))
import struct
grid = b"".join(lab(c / 2, m / 2, y / 2, k / 2) for c in range(3) for m in range(3) for y in range(3) for k in range(3))
a2b = b"mft1" + bytes(4) + bytes([4, 3, 3, 0]) + struct.pack(">9i", *[65536 if i % 4 == 0 else 0 for i in range(9)]) + bytes(range(256)) * 4 + grid + bytes(range(256)) * 3
a2b += bytes(-len(a2b) % 4)
text = lambda t: b"text" + bytes(4) + t + bytes(-len(t) % 4 + 4)
desc = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(78); desc += bytes(-len(desc) % 4)
white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
def profile(kind, space, pcs, tags):
    at, body, table = 132 + 12 * len(tags), b"", struct.pack(">I", len(tags))
    for name, data in tags:
        table += name + struct.pack(">II", at + len(body), len(data)); body += data
    head = struct.pack(">I4sI4s4s4s", 128 + len(table) + len(body), b"none", 0x02400000, kind, space, pcs) + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + table + body
icc = profile(b"prtr", b"CMYK", b"Lab ", [(b"desc", desc), (b"cprt", text(b"none\0")), (b"wtpt", white), (b"A2B0", a2b)])
open(sys.argv[1] + "/inks.icc", "wb").write(icc)
im.convert("CMYK").save("cmyk_inks.jpg", quality=95, icc_profile=icc)
im.convert("CMYK").save("cmyk.jpg", quality=95)
# And a gray one that is darker than sRGB would have it.
curve = b"curv" + bytes(4) + struct.pack(">IH", 1, 0x0300) + bytes(2)
gray = profile(b"mntr", b"GRAY", b"XYZ ", [(b"desc", desc), (b"cprt", text(b"none\0")), (b"wtpt", white), (b"kTRC", curve)])
im.convert("L").save("gray.jpg", quality=95, icc_profile=gray)
# What is drawn in colours onto a gray scan keeps its profile.
im.save("gray_on_colours.jpg", quality=95, subsampling=0, icc_profile=gray)
im.save("gray_on_colours.png", icc_profile=gray)
im.save("gray_on_colours.webp", lossless=True, icc_profile=gray)
clear = im.convert("RGBA"); clear.putalpha(255)
clear.paste((0, 0, 0, 0), (0, 24, 96, 48)); clear.save("see_through.png")
P
vips icc_transform "$work/plain.png" p3.jpg[Q=95,no-subsample] p3 --input-profile srgb
vips icc_transform "$work/plain.png" p3.png p3 --input-profile srgb
vips icc_transform "$work/plain.png" p3.webp[lossless] p3 --input-profile srgb
vips icc_transform "$work/plain.png" "$work/p3.tif" p3 --input-profile srgb
icc=/usr/share/color/icc
convert "$work/plain.png" -profile $icc/sRGB.icc -profile $icc/compatibleWithAdobeRGB1998.icc -quality 95 -sampling-factor 1x1 adobe.jpg
convert "$work/plain.png" -profile $icc/sRGB.icc -profile $icc/compatibleWithAdobeRGB1998.icc -depth 16 adobe16.png
convert "$work/plain.png" -colorspace CMYK -quality 95 ycck.jpg
for s in 2x1 1x2 2x2 4x1 4x2; do cjpeg -quality 95 -sample $s "$work/plain.ppm" > "sampled_$s.jpg"; done
cjpeg -quality 95 -progressive "$work/plain.ppm" > progressive.jpg
cjpeg -quality 95 -grayscale "$work/plain.ppm" > grayscale.jpg
for s in 3x1,1x1,1x1 1x1,2x1,1x1 1x1,2x2,2x2 2x2,2x1,1x2; do cjpeg -quality 95 -sample $s "$work/plain.ppm" > "bad_$(echo $s | tr , _).jpg"; done
cjpeg -quality 95 -arithmetic "$work/plain.ppm" > bad_arithmetic.jpg
# libvips writes the head of a JPEG's EXIF into a WebP, too.
vips copy turned.jpg "turned_vips.webp[lossless]"
# ImageMagick writes EXIF behind the pixels.
convert turned.jpg -define png:exclude-chunks=date turned_late.png
cp ycck.jpg ycck_inks.jpg; exiftool -q -overwrite_original "-icc_profile<=$work/inks.icc" ycck_inks.jpg
# Half of it shines through, and colours that are told in other ways than by a profile.
convert p3.png -alpha set -channel A -evaluate set 50% +channel PNG32:p3_half.png
convert p3.webp -alpha set -channel A -evaluate set 50% +channel -define webp:lossless=true p3_half.webp
"$python" - <<'P'
import struct, zlib
source, chunks, at = open("p3.png", "rb").read(), [], 8
while at < len(source):
    n = struct.unpack(">I", source[at:at + 4])[0]
    chunks.append((source[at + 4:at + 8], source[at + 8:at + 8 + n])); at += 12 + n
plain = [c for c in chunks if c[0] in (b"IHDR", b"IDAT", b"IEND")]
def told(name, extra):
    out = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in plain[:1] + extra + plain[1:])
    open(name, "wb").write(source[:8] + out)
told("p3_cicp.png", [(b"cICP", bytes([12, 13, 0, 1]))])
told("p3_places.png", [(b"gAMA", struct.pack(">I", 45455)), (b"cHRM", struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000))])
P
rm -r "$work"
ls -la
