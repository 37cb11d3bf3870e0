#!/usr/bin/env bash
# SheetJS (xlsx) 0.18.5 moves every day by four years and a day when it writes a workbook that counts from 1904, as those of old Macs do:
# it sets the flag in the file and counts from 1900 all the same. Read back by itself, the same cell is two different days.
#
# Seen: 2026-03-04 is written as 46085, with date1904="true" beside it. openpyxl 3.1.5 reads 2030-03-05, as every spreadsheet shows it;
# SheetJS shows 3/5/30 for it (`w`) and holds the 4th of March 2026 (`v`). Without the flag all say 2026-03-04.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund xlsx@0.18.5 >/dev/null 2>&1
python3 -m venv python >/dev/null
python/bin/pip install --quiet openpyxl==3.1.5 >/dev/null 2>&1
TZ=UTC node -e '
const X = require("xlsx");
for (const flag of [false, true]) {
  const book = X.utils.book_new();
  X.utils.book_append_sheet(book, X.utils.aoa_to_sheet([[new Date(2026, 2, 4)]], { cellDates: true }), "S");
  book.Workbook = { WBProps: { date1904: flag } };
  const file = X.write(book, { type: "buffer", bookType: "xlsx" });
  require("fs").writeFileSync(`${flag}.xlsx`, file);
  const { v, w } = X.read(file, { cellDates: true }).Sheets.S.A1;
  console.log(flag, X.read(file).Sheets.S.A1.v, v.toISOString().slice(0, 10), w);
}
' | tee seen.txt
for flag in false true; do
  python/bin/python -c "import openpyxl; print(openpyxl.load_workbook('$flag.xlsx').active['A1'].value.date())"
done | tee -a seen.txt
diff - seen.txt <<'SEEN'
false 46085 2026-03-04 3/4/26
true 46085 2026-03-04 3/5/30
2026-03-04
2030-03-05
SEEN
