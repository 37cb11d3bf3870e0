// wechatpay-axios-plugin against the simulated WeChat: order, query, refund, close, bill, and a notice. Prints a line each.
import { createRequire } from "node:module";
import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
const require = createRequire(process.env.SDK_NODE + "/");
const { Wechatpay, Formatter, Rsa, Aes } = require("wechatpay-axios-plugin");

const [base, folder, v3Key, serial, publicId, mchId, appId] = process.argv.slice(2);
const merchant = Rsa.from(readFileSync(`${folder}/apiclient_key.pem`));
const platform = Rsa.from(readFileSync(`${folder}/pub_key.pem`), Rsa.KEY_TYPE_PUBLIC);
const pay = new Wechatpay({ mchid: mchId, serial, privateKey: merchant, certs: { [publicId]: platform }, baseURL: `${base}/` });
const say = (what, status) => console.log(`wechatpay-axios-plugin 0.9.6: ${what}: ${status}`);
const steer = (method, path, body) =>
    fetch(`${base}/simulator/${path}`, { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) });

// The door that WeChat knocks at.
const heard = [];
const door = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part)).on("end", () => {
        heard.push([request.headers, Buffer.concat(parts).toString()]);
        response.writeHead(204).end();
    });
});
await new Promise((resolve) => door.listen(0, "127.0.0.1", resolve));
const notifyUrl = `http://127.0.0.1:${door.address().port}/notify`;

// The chain turns capitals of a path into dashes, so numbers are in small letters here.
const number = `js${Formatter.timestamp()}`;
const place = (no, total) => pay.v3.pay.transactions.jsapi.post({
    appid: appId, mchid: mchId, description: "小店-草莓", out_trade_no: no, notify_url: notifyUrl,
    amount: { total, currency: "CNY" }, payer: { openid: "oSdkTester0000000000000000" },
});
const order = await place(number, 100);
say("order", order.status);
const query = async (no) => pay.v3.pay.transactions.outTradeNo[no].get({ params: { mchid: mchId } });
say("query", (await query(number)).data.trade_state);
await query("nosuchorder").then(() => { throw new Error("found what is not there"); }, (e) => say("an order that is not there", e.response.status));
await steer("POST", "pay", { prepayId: order.data.prepay_id, way: "well" });
const paid = (await query(number)).data;
say("query after it was paid", paid.trade_state);
if (paid.trade_state !== "SUCCESS") process.exit(1);
for (let n = 0; n < 100 && heard.length === 0; n += 1) await new Promise((resolve) => setTimeout(resolve, 100));
const [headers, body] = heard[0];
const signed = Formatter.response(headers["wechatpay-timestamp"], headers["wechatpay-nonce"], body);
if (!Rsa.verify(signed, headers["wechatpay-signature"], platform)) throw new Error("the notice is not signed");
const { resource } = JSON.parse(body);
const facts = JSON.parse(Aes.AesGcm.decrypt(resource.ciphertext, v3Key, resource.nonce, resource.associated_data));
if (facts.out_trade_no !== number || facts.amount.total !== 100) throw new Error(JSON.stringify(facts));
say("notice read", facts.trade_state);
const refund = await pay.v3.refund.domestic.refunds.post({
    transaction_id: paid.transaction_id, out_refund_no: `${number}r1`, amount: { refund: 40, total: 100, currency: "CNY" },
});
say("refund", refund.data.status);
say("refund query", (await pay.v3.refund.domestic.refunds[`${number}r1`].get()).data.amount.refund);
await place(`${number}c`, 1);
say("close", (await pay.v3.pay.transactions.outTradeNo[`${number}c`].close.post({ mchid: mchId })).status);
say("query after it was closed", (await query(`${number}c`)).data.trade_state);
const day = new Date(Date.now() - 3 * 86_400_000).toISOString().slice(0, 10);
await fetch(`${base}/simulator/bills/${day}`, { method: "PUT", body: "\ufeff交易时间,商户号\r\n" });
const bill = (await pay.v3.bill.tradebill.get({ params: { bill_date: day, bill_type: "ALL", tar_type: "GZIP" } })).data;
const place2 = new URL(bill.download_url);
const file = await pay.client.v3.get(place2.pathname, { params: Object.fromEntries(place2.searchParams), responseType: "arraybuffer" });
const plain = file.data[0] === 0x1f ? gunzipSync(file.data) : file.data;
if (createHash("sha1").update(plain).digest("hex") !== bill.hash_value) throw new Error("the bill is not what its hash says");
say("bill", file.status);
await fetch(`${base}/simulator/bills/${day}`, { method: "PUT", body: "" });
door.close();
