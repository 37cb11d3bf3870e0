#!/usr/bin/env bash
# exceljs 4.4.0 makes numbers, days and truths of what a CSV says in text, and there is no word of it: codes of goods lose their zeros,
# numbers of parcels their last digits, and some codes become numbers that nobody would take them for.
#
# Seen, read by `workbook.csv.readFile` as it is: 00123 is 123, 12345678901234567890 is 12345678901234567000, 2026-03-04 is a Date, 1E5 is
# 100000, 0x10 is 16 and true is true; 3-4 and 03/04/2026 stay text. Quotation marks around the cell change nothing. Whoever wants the text
# must hand over a `map` of his own.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
npm install --silent --no-audit --no-fund exceljs@4.4.0 >/dev/null 2>&1
printf '%s\n' 00123 '"00123"' 12345678901234567890 2026-03-04 1E5 0x10 true 3-4 03/04/2026 >codes.csv
node -e '
const { Workbook } = require("exceljs");
const read = async (options) => {
  const sheet = await new Workbook().csv.readFile("codes.csv", options);
  const cells = [];
  sheet.eachRow((row) => cells.push(row.getCell(1).value));
  return cells;
};
(async () => {
  console.log(JSON.stringify(await read()));
  console.log(JSON.stringify(await read({ map: (text) => text })));
})();
' | tee seen.txt
diff - seen.txt <<'SEEN'
[123,123,12345678901234567000,"2026-03-04T00:00:00.000Z",100000,16,true,"3-4","03/04/2026"]
["00123","00123","12345678901234567890","2026-03-04","1E5","0x10","true","3-4","03/04/2026"]
SEEN
