#!/usr/bin/env bash
# openpyxl 3.1.5 and exceljs 4.4.0 open a workbook with pictures in its cells (Excel 365, "place in cell") and save it without
# them: what stays in the cell is the error #VALUE! that Excel keeps there for older programs. Neither says a word.
#
# Seen: a picture put into B2 by XlsxWriter's embed_image; after load and save there is no xl/richData, which ties the picture to its
# cell, and B2 says #VALUE!. openpyxl drops the file of the picture too; exceljs keeps it in the package, where nothing shows it. So a
# table that "went through a script" has errors where its pictures were.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet openpyxl==3.1.5 XlsxWriter==3.2.5 pillow==11.3.0
npm install --silent --no-audit --no-fund exceljs@4.4.0 >/dev/null 2>&1
venv/bin/python - <<'PY'
import xlsxwriter, openpyxl, warnings
from PIL import Image
Image.new("RGB", (12, 8), (220, 30, 40)).save("red.png")
book = xlsxwriter.Workbook("made.xlsx")
book.add_worksheet().embed_image("B2", "red.png")
book.close()
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    openpyxl.load_workbook("made.xlsx").save("openpyxl.xlsx")
assert not said, [str(one.message) for one in said]
PY
node -e 'const { Workbook } = require("exceljs"); (async () => { const book = new Workbook(); await book.xlsx.readFile("made.xlsx"); await book.xlsx.writeFile("exceljs.xlsx"); })();'
venv/bin/python - <<'PY'
import openpyxl, zipfile
for name, tied, files in [("made.xlsx", True, True), ("openpyxl.xlsx", False, False), ("exceljs.xlsx", False, True)]:
    parts = zipfile.ZipFile(name).namelist()
    media = [part for part in parts if part.startswith("xl/media/")]
    rich = any(part.startswith("xl/richData/") for part in parts)
    value = openpyxl.load_workbook(name).active["B2"].value
    print(f"{name:14} media {len(media)}, richData {rich}, B2 {value!r}")
    assert (bool(media), rich, value) == (files, tied, "#VALUE!"), name
PY
