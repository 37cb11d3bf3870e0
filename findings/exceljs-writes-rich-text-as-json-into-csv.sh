#!/usr/bin/env bash
# exceljs 4.4.0 writes into a CSV what its own object for a cell is, not what the cell shows: a name of which one letter is bold becomes
# JSON, a code with a link behind it becomes the link, and a formula that nobody has reckoned becomes nothing.
#
# Seen: 红杯 with a bold first letter is {"richText":[…]}, J1 with a link is https://example.com/ and J1 is nowhere, a day is
# 2026-03-04T00:00:00+00:00 whatever its format says, and 0.1 + 0.2 has all its digits. Each of them opens well as a workbook.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund exceljs@4.4.0 >/dev/null 2>&1
TZ=UTC node -e '
const { Workbook } = require("exceljs");
(async () => {
  const book = new Workbook();
  const row = book.addWorksheet("S").addRow([
    { richText: [{ font: { bold: true }, text: "红" }, { text: "杯" }] },
    { text: "J1", hyperlink: "https://example.com/" },
    { formula: "1+1" },
    new Date(Date.UTC(2026, 2, 4)),
    0.1 + 0.2,
  ]);
  row.getCell(4).numFmt = "yyyy-mm-dd";
  const read = new Workbook();
  await read.xlsx.load(await book.xlsx.writeBuffer());
  console.log((await read.csv.writeBuffer()).toString());
})();
' | tee seen.txt
diff - seen.txt <<'SEEN'
"{""richText"":[{""font"":{""bold"":true},""text"":""红""},{""text"":""杯""}]}",https://example.com/,,2026-03-04T00:00:00+00:00,0.30000000000000004
SEEN
