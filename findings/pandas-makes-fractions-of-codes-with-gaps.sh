#!/usr/bin/env bash
# pandas 3.1.1 makes fractions of whole numbers in a column that has a gap: bar codes come back as 69000000011.0.
#
# Seen: a CSV with two columns of codes, 1001 and 69000000011, and a row without them. read_csv holds the columns as floats,
# for a float has a way to say that nothing is there, and to_csv writes 1001.0 and 69000000011.0; without the gap both stay
# as they were. So a table of goods that somebody filtered or joined with pandas names goods that nobody has.
# Exits with an error as soon as that is no longer so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet pandas==3.1.1
"$work/venv/bin/python" - <<'PY'
import io, pandas

def through(text):
    return pandas.read_csv(io.StringIO(text)).to_csv(index=False).split("\n")[1]

print("pandas", pandas.__version__)
whole = through("name,code,barcode\ntea,1001,69000000011\nwine,1002,69000000028\n")
gap = through("name,code,barcode\ntea,1001,69000000011\nwine,,\n")
print(whole, gap, sep="\n")
assert whole == "tea,1001,69000000011", whole
assert gap == "tea,1001.0,69000000011.0", gap
PY
