#!/usr/bin/env bash
# tenpay 2.1.18: downloadBill takes tar_type: 'GZIP' (a documented parameter of the interface) and gives back a string from
# which the bill cannot be had again: the bytes were read as UTF-8 text, and each that is none became U+FFFD.
# Exits non-zero if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit tenpay@2.1.18
cat >try.cjs <<'JS'
const http = require("node:http");
const zlib = require("node:zlib");
const Tenpay = require("tenpay");
const bill = "\ufeff交易时间,商户号\r\n`2026-10-08 13:00:00,`1900000109\r\n总交易单数\r\n`1.0\r\n";
const server = http.createServer((_, response) => response.end(zlib.gzipSync(bill)));
server.listen(0, "127.0.0.1", async () => {
    const pay = new Tenpay({ appid: "wx", mchid: "1900000109", partnerKey: "k".repeat(32) });
    pay.urls.downloadbill = `http://127.0.0.1:${server.address().port}/`;
    const got = await pay.downloadBill({ bill_date: "20261008", tar_type: "GZIP" });
    const opens = (encoding) => { try { return zlib.gunzipSync(Buffer.from(got, encoding)).toString() === bill; } catch { return false; } };
    const lost = typeof got === "string" && got.includes("\ufffd") && !["utf8", "latin1", "binary", "base64"].some(opens);
    console.log(`tenpay 2.1.18: a gzip bill comes back as a ${typeof got} of ${got.length} characters; ${lost ? "it opens in no encoding" : "it opens"}`);
    server.close();
    process.exit(lost ? 0 : 1);
});
JS
node try.cjs
