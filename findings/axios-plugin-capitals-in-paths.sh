#!/usr/bin/env bash
# wechatpay-axios-plugin 0.9.6: an order number with capital letters, used as a step of the chain, is asked about as
# another number: each capital becomes a dash and a small letter, for the plugin turns camelCase into the words of a path.
# Both numbers are valid out_trade_no's; the request is rightly signed, so WeChat answers about the wrong one (mostly: 404).
# The template {out_trade_no} leaves the number as it is. Exits non-zero if this changes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-fund --no-audit wechatpay-axios-plugin@0.9.6
cat >try.cjs <<'JS'
const http = require("node:http");
const { generateKeyPairSync } = require("node:crypto");
const { Wechatpay } = require("wechatpay-axios-plugin");
const asked = [];
const server = http.createServer((request, response) => {
    asked.push(request.url.split("?")[0].split("/").pop());
    response.writeHead(404, { "content-type": "application/json" }).end('{"code":"ORDER_NOT_EXIST"}');
});
server.listen(0, "127.0.0.1", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const pay = new Wechatpay({
        mchid: "1900000109", serial: "AA", privateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
        certs: { PUB_KEY_ID_01: publicKey.export({ type: "spki", format: "pem" }) }, baseURL: `http://127.0.0.1:${server.address().port}/`,
    });
    const params = { mchid: "1900000109" };
    await pay.v3.pay.transactions.outTradeNo["20261008ABC"].get({ params }).catch(() => {});
    await pay.v3.pay.transactions.outTradeNo["{out_trade_no}"].get({ params, out_trade_no: "20261008ABC" }).catch(() => {});
    console.log(`wechatpay-axios-plugin 0.9.6: 20261008ABC in the chain is asked about as ${asked[0]}, by template as ${asked[1]}`);
    server.close();
    process.exit(asked[0] === "20261008-a-b-c" && asked[1] === "20261008ABC" ? 0 : 1);
});
JS
node try.cjs
