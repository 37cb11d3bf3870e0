#!/usr/bin/env bash
# The text `_x0041_` in a cell is not the same text to everybody: OOXML writes characters as _xHHHH_, and programs disagree on
# who escapes and who unescapes it.
#
# Seen with openpyxl 3.1.5, XlsxWriter 3.2.5 and SheetJS (npm xlsx) 0.18.5: XlsxWriter escapes what a person wrote (_x005F_x0041_), so all read
# it back; openpyxl and SheetJS write it bare, and SheetJS reads an A, even out of its own file. openpyxl does not unescape what is no
# escaped underscore: a carriage return that XlsxWriter wrote is read as the seven letters _x000D_. A code of goods like _x0041_ thus
# changes on its way through two tools, or through one.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv venv
venv/bin/pip install --quiet openpyxl==3.1.5 XlsxWriter==3.2.5
npm install --silent --no-audit --no-fund xlsx@0.18.5 >/dev/null 2>&1
venv/bin/python - <<'PY'
import openpyxl, xlsxwriter
book = openpyxl.Workbook(); book.active["A1"] = "_x0041_"; book.save("openpyxl.xlsx")
book = xlsxwriter.Workbook("xlsxwriter.xlsx"); sheet = book.add_worksheet()
sheet.write_string(0, 0, "_x0041_"); sheet.write_string(1, 0, "a\rb"); book.close()
PY
node -e '
const X = require("xlsx");
const book = X.utils.book_new();
X.utils.book_append_sheet(book, X.utils.aoa_to_sheet([["_x0041_"]]), "s");
X.writeFile(book, "sheetjs.xlsx");
const read = (name) => JSON.stringify(X.utils.sheet_to_json(X.readFile(name).Sheets[X.readFile(name).SheetNames[0]], { header: 1 }).flat());
for (const name of ["openpyxl", "xlsxwriter", "sheetjs"]) console.log("SheetJS reads", name, read(name + ".xlsx"));
' | tee sheetjs.txt
venv/bin/python - <<'PY' | tee openpyxl.txt
import openpyxl
for name in ("openpyxl", "xlsxwriter", "sheetjs"):
    print("openpyxl reads", name, [cell.value for cell in openpyxl.load_workbook(name + ".xlsx").active["A"]])
PY
diff - sheetjs.txt <<'SEEN'
SheetJS reads openpyxl ["A"]
SheetJS reads xlsxwriter ["_x0041_","a\rb"]
SheetJS reads sheetjs ["A"]
SEEN
diff - openpyxl.txt <<'SEEN'
openpyxl reads openpyxl ['_x0041_']
openpyxl reads xlsxwriter ['_x0041_', 'a_x000D_b']
openpyxl reads sheetjs ['_x0041_']
SEEN
