#!/usr/bin/env bash
# LibreOffice 7.4.7 writes a cell of yuan and one of yen alike into .ods: both have office:currency="¥", no code of ISO 4217, the same
# value and the same text. Only the language and country of the symbol in the cell's number format tell them apart, and that stands
# elsewhere in the file. Whoever reads value and currency of a price list takes one money for the other, at a twentieth of it.
#
# Seen, of a workbook by openpyxl 3.1.5 with 12.5 in the formats [$¥-804]#,##0.00 and [$¥-411]#,##0.00, converted by soffice.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv python
python/bin/pip install --quiet --disable-pip-version-check openpyxl==3.1.5
python/bin/python -c '
from openpyxl import Workbook
book = Workbook()
for row, form in enumerate(["[$¥-804]#,##0.00", "[$¥-411]#,##0.00"], 1):
    book.active.cell(row, 1, 12.5).number_format = form
book.save("prices.xlsx")
'
soffice "-env:UserInstallation=file://$work/profile" --headless --convert-to ods prices.xlsx >/dev/null 2>&1
python/bin/python -c '
import re, zipfile
book = zipfile.ZipFile("prices.ods")
content, styles = (book.read(name).decode() for name in ["content.xml", "styles.xml"])
cell = r"<table:table-cell table:style-name=\"(\w+)\" ([^>]*office:value=\"12.5\"[^>]*)><text:p>([^<]*)"
for style, attributes, text in re.findall(cell, content):
    currency = re.search(r"office:currency=\"([^\"]*)", attributes)[1]
    form = re.search(rf"style:name=\"{style}\"[^>]*style:data-style-name=\"(\w+)\"", content)[1]
    of = re.search(rf"<number:currency-style style:name=\"{form}\".*?number:country=\"(\w+)\"", content + styles)[1]
    print(currency, text, "of", of)
' | tee seen.txt
diff - seen.txt <<'SEEN'
¥ ¥12.50 of CN
¥ ¥12.50 of JP
SEEN
