// tenpay or wechatpay-axios-plugin against the simulated WeChat: order, query, notice, refund and its notice, close, bill.
// Prints a line each.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
const require = createRequire(process.env.SDK_NODE + "/");

const [which, base, folder, key, mchId, appId] = process.argv.slice(2);
const wait = (look) => new Promise((resolve, reject) => {
    const end = Date.now() + 10_000;
    const again = () => (look() ? resolve(look()) : Date.now() > end ? reject(new Error("waited in vain")) : setTimeout(again, 100));
    again();
});

// The door that WeChat knocks at.
const heard = {};
const door = createServer((request, response) => {
    const parts = [];
    request.on("data", (part) => parts.push(part)).on("end", () => {
        heard[request.url] = Buffer.concat(parts).toString();
        response.end("<xml><return_code><![CDATA[SUCCESS]]></return_code><return_msg><![CDATA[OK]]></return_msg></xml>");
    });
});
await new Promise((resolve) => door.listen(0, "127.0.0.1", resolve));
const notify = `http://127.0.0.1:${door.address().port}`;

/** tenpay knows its addresses by heart: each is led here. */
function tenpay() {
    const Tenpay = require("tenpay");
    const pay = new Tenpay({ appid: appId, mchid: mchId, partnerKey: key, pfx: readFileSync(`${folder}/apiclient_cert.p12`) });
    const bare = new Tenpay({ appid: appId, mchid: mchId, partnerKey: key });
    for (const one of [pay, bare]) {
        for (const name of Object.keys(one.urls)) one.urls[name] = one.urls[name].replace("https://api.mch.weixin.qq.com", base);
    }
    return {
        name: "tenpay 2.1.18",
        order: (no, fen) => pay.unifiedOrder({ out_trade_no: no, body: "小店-草莓", total_fee: fen, openid: "oSdkTester0000000000000000", notify_url: `${notify}/pay` }),
        query: (no) => pay.orderQuery({ out_trade_no: no }),
        refund: (fields, shown) => (shown ? pay : bare).refund(fields),
        refundQuery: (no) => pay.refundQuery({ out_refund_no: no }),
        close: (no) => pay.closeOrder({ out_trade_no: no }),
        bill: async (day, kind) => (await pay.downloadBill({ bill_date: day, bill_type: kind }, true)).list_title,
        read: (xml) => pay._parse(xml, "middleware_pay"),
        readRefund: async (xml) => (await pay._parse(xml, "middleware_refund")).req_info,
        code: (e) => e.message,
    };
}

function axios() {
    const { Wechatpay, Formatter, Hash, Transformer, Aes } = require("wechatpay-axios-plugin");
    const made = (merchant) => new Wechatpay({
        mchid: mchId, serial: "none", privateKey: readFileSync(`${folder}/apiclient_key.pem`),
        certs: { none_of_v2: readFileSync(`${folder}/apiclient_cert.pem`) }, secret: key, merchant, baseURL: `${base}/`,
    });
    const pay = made({ cert: readFileSync(`${folder}/apiclient_cert.pem`), key: readFileSync(`${folder}/apiclient_key.pem`), ca: readFileSync(`${folder}/ca.pem`) });
    const bare = made(undefined);
    const ours = { appid: appId, mch_id: mchId };
    const data = async (call) => (await call).data;
    return {
        name: "wechatpay-axios-plugin 0.9.6",
        order: (no, fen) => data(pay.v2.pay.unifiedorder({ ...ours, out_trade_no: no, body: "小店-草莓", total_fee: fen, openid: "oSdkTester0000000000000000", notify_url: `${notify}/pay`, trade_type: "JSAPI", spbill_create_ip: "127.0.0.1" })),
        query: (no) => data(pay.v2.pay.orderquery({ ...ours, out_trade_no: no })),
        refund: (fields, shown) => data((shown ? pay : bare).v2.secapi.pay.refund.post({ ...ours, ...fields }, { security: shown })),
        refundQuery: (no) => data(pay.v2.pay.refundquery({ ...ours, out_refund_no: no })),
        close: (no) => data(pay.v2.pay.closeorder({ ...ours, out_trade_no: no })),
        bill: async (day, kind) => {
            const text = await data(pay.v2.pay.downloadbill({ ...ours, bill_date: day, bill_type: kind }, { transformResponse: [] }));
            return Object.keys(Formatter.castCsvBill(Buffer.from(text.replace(/^\ufeff/, ""))).rows[0]);
        },
        read: (xml) => {
            const told = Transformer.toObject(xml);
            if (!Hash.equals(Hash.sign("MD5", told, key), told.sign)) throw new Error("the notice is not signed");
            return told;
        },
        readRefund: (xml) => Transformer.toObject(Aes.AesEcb.decrypt(Transformer.toObject(xml).req_info, Hash.md5(key))),
        code: (e) => e.response?.data?.err_code ?? e.response?.data?.return_msg ?? e.message,
    };
}

const sdk = which === "tenpay" ? tenpay() : axios();
const say = (what, word) => console.log(`${sdk.name}: ${what}: ${word}`);
const refused = (call) => call.then(() => { throw new Error("it was not refused"); }, (e) => sdk.code(e));
const number = `${which === "tenpay" ? "TP" : "AX"}${Math.floor(Date.now() / 1000)}`;
const placed = await sdk.order(number, 100);
say("order", placed.result_code);
say("query", (await sdk.query(number)).trade_state);
say("an order that is not there", await refused(sdk.query("NOSUCHORDER")));
await fetch(`${base}/simulator/pay`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ prepayId: placed.prepay_id, way: "well" }) });
const told = await sdk.read(await wait(() => heard["/pay"]));
if (told.out_trade_no !== number || told.total_fee !== "100") throw new Error(JSON.stringify(told));
say("notice read", told.result_code);
const paid = await sdk.query(number);
say("query after it was paid", paid.trade_state);
if (paid.trade_state !== "SUCCESS") process.exit(1);
const asked = { transaction_id: paid.transaction_id, out_refund_no: `${number}R1`, total_fee: 100, refund_fee: 40, notify_url: `${notify}/refund` };
say("refund without the certificate", await refused(sdk.refund(asked, false)));
say("refund", (await sdk.refund(asked, true)).result_code);
say("refund query", (await sdk.refundQuery(`${number}R1`)).refund_status_0);
say("refund notice read", (await sdk.readRefund(await wait(() => heard["/refund"]))).refund_status);
await sdk.order(`${number}C`, 1);
say("close", (await sdk.close(`${number}C`)).result_code);
say("query after it was closed", (await sdk.query(`${number}C`)).trade_state);
const day = new Date(Date.now() + 8 * 3_600_000).toISOString().slice(0, 10).replaceAll("-", "");
for (const [kind, columns] of [["ALL", 27], ["SUCCESS", 20], ["REFUND", 29]]) {
    const titles = await sdk.bill(day, kind);
    if (titles.length !== columns) throw new Error(`${kind}: ${titles}`);
    say(`bill ${kind}`, `${columns} columns`);
}
door.close();
