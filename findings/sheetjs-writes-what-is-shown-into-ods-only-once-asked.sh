#!/usr/bin/env bash
# SheetJS (xlsx) 0.18.5 writes numbers into .ods without their formats, and what they look like beside them only where something has asked for
# that before: the same book gives two different files. Codes that a workbook shows as 012 become 12, 85% becomes 0.85, and there is no word of
# it. In .xlsx and .xls the formats are kept.
#
# Seen, of 12 in the format 000 and 0.85 in 0%: written as .ods (here its flat form, .fods) the texts beside the values are 12 and 0.85, and
# neither cell has a style; once `sheet_to_csv` has looked at the sheet, the same call writes 012 and 85%.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund xlsx@0.18.5 >/dev/null 2>&1
node -e '
const X = require("xlsx");
const sheet = X.utils.aoa_to_sheet([[12], [0.85]]);
sheet.A1.z = "000";
sheet.A2.z = "0%";
const book = X.utils.book_new();
X.utils.book_append_sheet(book, sheet, "S");
const cells = () => X.write(book, { type: "string", bookType: "fods" }).match(/<table:table-cell.*?<\/table:table-cell>/g);
cells().forEach((cell) => console.log(cell));
X.utils.sheet_to_csv(sheet);
cells().forEach((cell) => console.log(cell));
' | tee seen.txt
diff - seen.txt <<'SEEN'
<table:table-cell office:value-type="float" office:value="12"><text:p>12</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="0.85"><text:p>0.85</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="12"><text:p>012</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="0.85"><text:p>85%</text:p></table:table-cell>
SEEN
