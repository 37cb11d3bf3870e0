#!/usr/bin/env bash
# openpyxl 3.1.5 reads a number as a date when its format escapes, fills or pads with a letter that dates are written with.
#
# Seen: 5 under `00000\-d`, which a spreadsheet shows as 00005-d, is read as datetime(1900, 1, 5); so is 5 under `0*d`, where
# the letter only fills the cell. With one sign less between digit and letter (`0\d`) it stays the number 5. A table of codes
# that went through openpyxl (or pandas, which reads by it) therefore holds days in place of codes.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet openpyxl==3.1.5 XlsxWriter==3.2.5
"$work/venv/bin/python" - <<'PY'
import datetime, io, openpyxl, xlsxwriter

def read(code):
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file)
    book.add_worksheet().write_number(0, 0, 5, book.add_format({"num_format": code}))
    book.close()
    return openpyxl.load_workbook(file).active["A1"].value

print("openpyxl", openpyxl.__version__)
for code, expected in [("00000\\-d", datetime.datetime(1900, 1, 5)), ("0*d", datetime.datetime(1900, 1, 5)), ("0\\d", 5), ('0"d"', 5)]:
    seen = read(code)
    print(f"{code:10} {seen!r}")
    assert seen == expected, f"{code}: {seen!r} instead of {expected!r}"
PY
