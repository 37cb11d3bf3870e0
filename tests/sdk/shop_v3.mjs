// wechatpay-axios-plugin over every request of API v3 that a shop signed: the signature holds, and the SDK signs the same.
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
const require = createRequire(process.env.SDK_NODE + "/");
const { Formatter, Rsa } = require("wechatpay-axios-plugin");
const { createPublicKey } = require("node:crypto");

const [record, folder] = process.argv.slice(2);
const pem = readFileSync(`${folder}/apiclient_key.pem`);
const merchant = Rsa.from(pem);
let seen = 0;
for (const line of readFileSync(record, "utf8").trim().split("\n")) {
    const { method, path, headers, body } = JSON.parse(line);
    if (!path.startsWith("/v3/")) continue;
    const authorization = headers.find(([name]) => name.toLowerCase() === "authorization")[1];
    const field = (name) => authorization.match(new RegExp(`${name}="([^"]*)"`))[1];
    const text = Formatter.request(method, path, field("timestamp"), field("nonce_str"), Buffer.from(body, "base64").toString());
    if (!Rsa.verify(text, field("signature"), createPublicKey(pem))) throw new Error(`${method} ${path}: not signed`);
    if (Rsa.sign(text, merchant) !== field("signature")) throw new Error(`${method} ${path}: signed otherwise`);
    // The same five attributes, in whatever order.
    const parts = (header) => header.slice(header.indexOf(" ") + 1).split(",").sort().join();
    const same = Formatter.authorization(field("mchid"), field("nonce_str"), field("signature"), field("timestamp"), field("serial_no"));
    if (parts(same) !== parts(authorization)) throw new Error(`${same}\n${authorization}`);
    seen += 1;
}
if (seen < 6) throw new Error(`only ${seen} requests were recorded`);
console.log(`wechatpay-axios-plugin 0.9.6 over the shop: ${seen} requests, each verified and signed the same`);
