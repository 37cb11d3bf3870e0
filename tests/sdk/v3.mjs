// wechatpay-axios-plugin against the simulated WeChat: order, query, refund. Prints a line each.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.env.SDK_NODE + "/");
const { Wechatpay, Formatter, Rsa } = require("wechatpay-axios-plugin");

const [base, folder, v3Key, serial, publicId, mchId, appId] = process.argv.slice(2);
const merchant = Rsa.from(readFileSync(`${folder}/apiclient_key.pem`));
const platform = Rsa.from(readFileSync(`${folder}/pub_key.pem`), Rsa.KEY_TYPE_PUBLIC);
const pay = new Wechatpay({ mchid: mchId, serial, privateKey: merchant, certs: { [publicId]: platform }, baseURL: `${base}/` });
const say = (what, status) => console.log(`wechatpay-axios-plugin 0.9.6: ${what}: ${status}`);

// The chain turns capitals of a path into dashes, so numbers are in small letters here.
const number = `js${Formatter.timestamp()}`;
const order = await pay.v3.pay.transactions.jsapi.post({
    appid: appId, mchid: mchId, description: "小店-草莓", out_trade_no: number, notify_url: "http://127.0.0.1:9/notify",
    amount: { total: 100, currency: "CNY" }, payer: { openid: "oSdkTester0000000000000000" },
});
say("order", order.status);
const query = async (no) => pay.v3.pay.transactions.outTradeNo[no].get({ params: { mchid: mchId } });
say("query", (await query(number)).data.trade_state);
await query("nosuchorder").then(() => { throw new Error("found what is not there"); }, (e) => say("an order that is not there", e.response.status));
await fetch(`${base}/simulator/pay`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ prepayId: order.data.prepay_id, way: "no_notice" }) });
const paid = (await query(number)).data;
say("query after it was paid", paid.trade_state);
const refund = await pay.v3.refund.domestic.refunds.post({
    transaction_id: paid.transaction_id, out_refund_no: `${number}r1`, amount: { refund: 40, total: 100, currency: "CNY" },
});
say("refund", refund.data.status);
say("refund query", (await pay.v3.refund.domestic.refunds[`${number}r1`].get()).data.amount.refund);
if (paid.trade_state !== "SUCCESS") process.exit(1);
