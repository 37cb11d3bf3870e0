#!/usr/bin/env bash
# XlsxWriter 3.2.5 anchors a picture that is put on a hidden row at the next row that is shown, though it keeps the row's own values there.
#
# Seen: rows `cup` (hidden) and `bowl`, and a picture inserted into B of `cup`: the drawing says row index 2, which is `bowl`; read by
# openpyxl 3.1.5 the picture is bowl's. Hidden after the picture was inserted it is the same, for rows are laid out when the book is closed.
# Only `object_position` 4 leaves it on its own row. A price list that a program writes with filtered rows therefore gives a product the
# picture of the one above, and nothing in the file tells.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet XlsxWriter==3.2.5 openpyxl==3.1.5 pillow==11.3.0
"$work/venv/bin/python" - <<'PY'
import io, openpyxl, xlsxwriter
from PIL import Image

def row_of_the_picture(hidden, position, late=False):
    png, file = io.BytesIO(), io.BytesIO()
    Image.new("RGB", (12, 8), (220, 30, 40)).save(png, "PNG")
    book = xlsxwriter.Workbook(file)
    sheet = book.add_worksheet()
    for at, name in enumerate(["name", "cup", "bowl"]):
        sheet.write(at, 0, name)
    hide = lambda: hidden and sheet.set_row(1, None, None, {"hidden": True})
    late or hide()
    sheet.insert_image(1, 1, "cup.png", {"image_data": png, "object_position": position})
    late and hide()
    book.close()
    sheet = openpyxl.load_workbook(file).active
    return sheet.cell(sheet._images[0].anchor._from.row + 1, 1).value

print("XlsxWriter", xlsxwriter.__version__, "read by openpyxl", openpyxl.__version__)
for hidden, position, late, expected in [(False, 2, False, "cup"), (True, 2, False, "bowl"), (True, 2, True, "bowl"), (True, 1, False, "bowl"), (True, 4, False, "cup")]:
    seen = row_of_the_picture(hidden, position, late)
    print(f"hidden {hidden!s:5} position {position} hidden afterwards {late!s:5}: the picture is on the row of {seen}")
    assert seen == expected, f"{hidden} {position} {late}: {seen} instead of {expected}"
PY
