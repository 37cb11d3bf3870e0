#!/usr/bin/env bash
# ImageMagick 6.9.11-60 takes `-orient RightTop` without a word and keeps it in TIFF alone: a JPEG, a PNG or a WebP made with it has no
# orientation at all, neither for ImageMagick itself nor for anybody else. Whoever makes pictures to try an upload with, or turns
# a photograph by it, has pictures that lie on their side. All three can hold one: exiftool writes it into each, and it is read.
#
# Seen, by `identify` and by exiftool 12.57 as a number: TIFF RightTop and 6, the others Undefined and nothing; after exiftool has
# written it, 6 in each of them.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
for kind in tiff jpg png webp; do
  convert -size 40x20 xc:red -orient RightTop "a.$kind"
  before=$(identify -format '%[orientation]' "a.$kind"),$(exiftool -s3 -n -Orientation "a.$kind" 2>/dev/null)
  exiftool -q -overwrite_original -n -Orientation=6 "a.$kind" 2>/dev/null
  echo "$kind $before then $(exiftool -s3 -n -Orientation "a.$kind")"
done | tee seen.txt
diff - seen.txt <<'SEEN'
tiff RightTop,6 then 6
jpg Undefined, then 6
png Undefined, then 6
webp Undefined, then 6
SEEN
