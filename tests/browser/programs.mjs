// An owner lets another program in: it reads and ships by a key, and is told what happens by a hook that it can believe.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { createServer } from "node:http";
import { demo, story, until } from "./shop.mjs";

/** The other program: takes what it is told and answers as it is asked to; `0` is not at all. */
const receiver = { heard: [], status: 200 };
const server = createServer((request, answer) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    receiver.heard.push({ head: request.headers, body: Buffer.concat(parts), path: request.url });
    if (receiver.status) answer.writeHead(receiver.status, receiver.status === 302 ? { Location: "/elsewhere" } : {}).end();
  });
}).listen(0, "127.0.0.1");
const url = () => `http://127.0.0.1:${server.address().port}/hook`;
const signedBy = ({ head, body }, secret) =>
  head["x-xiaopu-signature"] === `sha256=${createHmac("sha256", secret).update(`${head["x-xiaopu-timestamp"]}.`).update(body).digest("hex")}`;
/** The next telling, which this secret must have signed. */
const next = async (secret) => {
  const telling = await until("a telling", () => receiver.heard.shift());
  assert.ok(signedBy(telling, secret), "signed, byte for byte");
  return { ...JSON.parse(telling.body), id: telling.head["x-xiaopu-delivery"] };
};

const open = (given) => demo(given, { ROCKET_SHOP: '{hooks_private="yes"}' });
await story(async ({ shop, step, shot, stage, login, fits, expect, open: visit }) => {
  const desk = await login();
  const here = `${shop}/admin/programs`;
  const hear = (words) => desk.locator(".strip", { hasText: words }).waitFor();
  const shownOnce = () => desk.locator(".card.first code").innerText();
  const ask = (key, path, body) => fetch(`${shop}/api/v1/admin/${path}`, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  /** Makes a key with these rights; answers with it. */
  const make = async (name, rights, days) => {
    await desk.goto(here);
    await desk.getByLabel("名称").fill(name);
    for (const box of await desk.locator("input[name=rights]").all()) await box.setChecked(rights.includes(await box.inputValue()));
    await desk.getByLabel("有效期").selectOption(days);
    await desk.getByRole("button", { name: "新建密钥" }).click();
    await desk.getByRole("heading", { name: "新的密钥" }).waitFor();
    return shownOnce();
  };
  const log = desk.locator("section", { has: desk.getByRole("heading", { name: url() }) });
  /** The latest telling in the log. */
  const latest = async () => {
    await desk.goto(here);
    await log.locator("summary", { hasText: "次推送" }).click();
    return log.locator("tbody tr").first();
  };
  let key;
  let secret;
  let number;

  await step("a form that is refused keeps what was typed, and says what is lacking", async () => {
    await desk.goto(here);
    await desk.getByLabel("名称").fill("打单");
    for (const box of await desk.locator("input[name=rights]").all()) await box.uncheck();
    await desk.getByLabel("有效期").selectOption("365 天");
    await desk.getByRole("button", { name: "新建密钥" }).click();
    await hear("请至少选一项权限");
    assert.equal(await desk.getByLabel("名称").inputValue(), "打单");
    assert.equal(await desk.getByLabel("有效期").inputValue(), "365");
  });

  await step("a key with rights and an end is shown once", async () => {
    key = await make("ERP", ["orders", "addresses", "ship"], "30 天");
    const few = await make("看板", ["orders"], "90 天");
    await shot(desk, "programs-key");
    await desk.reload();
    await desk.goto(here);
    assert.ok(!(await desk.content()).includes(key) && !(await desk.content()).includes(few), "shown once");
    const [whole] = (await (await ask(key, "orders?status=to_ship")).json()).items;
    const masked = await (await ask(few, `orders/${whole.orderNo}`)).json();
    assert.ok(!whole.receiver.masked && masked.receiver.masked && masked.receiver.detail === null);
    assert.equal((await ask(few, `orders/${whole.orderNo}/shipments`, { trackingNo: "SF1402668877302" })).status, 403);
    assert.equal((await ask(key, "stock")).status, 403, "nobody gave it that right");
  });

  await step("a hook shows the secret that signs, once", async () => {
    await desk.getByLabel("网址").fill(url());
    for (const box of await desk.locator("input[name=events]").all()) await box.setChecked(/paid|shipped/.test(await box.inputValue()));
    await desk.getByRole("button", { name: "添加" }).click();
    await desk.getByRole("heading", { name: "新的签名密钥" }).waitFor();
    secret = await shownOnce();
    await desk.goto(here);
    assert.ok(!(await desk.content()).includes(secret));
    await log.getByRole("button", { name: "测试" }).click();
    await hear("✓ 已送达");
    assert.equal((await next(secret)).event, "ping");
  });

  const buyer = await stage();
  await step("an order is paid on the phone, and the other program hears of it and can believe it", async () => {
    number = await buyer.buy("法式乡村面包");
    const told = await next(secret);
    assert.deepEqual([told.event, told.order.orderNo, told.order.status], ["order.paid", number, "to_ship"]);
    const row = await latest();
    await row.getByText("已送达").waitFor();
    assert.match(await row.innerText(), new RegExp(`付款[^]*${number}[^]*200 · \\d+ ms`));
    await row.locator("summary").click();
    await row.getByText(`第 ${told.id} 条`).waitFor();
    await shot(desk, "programs-log", true);
  });

  await step("it ships by its key, and the buyer sees the parcel", async () => {
    const parcel = { trackingNo: "SF1402668877319" };
    assert.equal((await ask(key, `orders/${number}/shipments`, parcel)).status, 201);
    assert.equal((await ask(key, `orders/${number}/shipments`, parcel)).status, 200, "nothing twice");
    assert.equal((await next(secret)).event, "order.shipped");
    await buyer.enter(`/pages/order/order?id=${number}`);
    await buyer.says("SF1402668877319");
  });

  await step("while it fails its log says why and when it is tried next, and it is sent again by hand", async () => {
    receiver.status = 503;
    number = await buyer.buy("法式乡村面包");
    const { id } = await next(secret);
    let row = await latest();
    await row.getByText("等待送达").waitFor();
    assert.match(await row.innerText(), /HTTP 503[^]*再试/);
    await log.getByText(/没有送达 .*了/).waitFor();
    await shot(desk, "programs-failing", true);
    for (const [status, words] of [[302, "要求转到别处"], [0, "5 秒内没有回答"], [200, "✓ 已送达"]]) {
      receiver.status = status;
      row = await latest();
      await row.getByRole("button", { name: "再发一次" }).click();
      await hear(words);
    }
    const again = receiver.heard.splice(0);
    assert.ok(again.length >= 3 && again.every((one) => one.head["x-xiaopu-delivery"] === id && one.path === "/hook" && signedBy(one, secret)));
    await (await latest()).getByText("已送达").waitFor();
    await log.getByText("在用").waitFor();
  });

  await step("with another secret the old one signs nothing more", async () => {
    const old = secret;
    await desk.goto(here);
    await log.getByText("换签名密钥").click();
    await log.getByRole("button", { name: "确认换" }).click();
    await desk.getByRole("heading", { name: "新的签名密钥" }).waitFor();
    secret = await shownOnce();
    await desk.goto(here);
    await log.getByRole("button", { name: "测试" }).click();
    await hear("✓ 已送达");
    assert.ok(!signedBy(receiver.heard[0], old));
    await next(secret);
  });

  await step("switched off it hears nothing, nor what happened meanwhile", async () => {
    await log.getByRole("button", { name: "停用" }).click();
    await hear("推送已停用");
    await buyer.buy("法式乡村面包");
    await log.getByRole("button", { name: "打开" }).click();
    await hear("推送已打开");
    number = await buyer.buy("法式乡村面包");
    assert.equal((await next(secret)).order.orderNo, number);
    assert.equal(receiver.heard.length, 0);
  });


  await step("all of it fits a phone, the log too", async () => {
    await fits(desk, ["/admin/programs"]);
    const small = await visit({ viewport: { width: 390, height: 844 }, hasTouch: true, locale: "zh-CN", storageState: await desk.context().storageState() });
    await small.goto(here);
    await small.locator("summary", { hasText: "次推送" }).click();
    await small.locator("tbody summary").first().click();
    assert.ok((await small.evaluate(() => document.documentElement.scrollWidth)) <= 390);
    await shot(small, "programs-phone", true);
  });

  await step("what is no longer wanted goes", async () => {
    await desk.goto(here);
    await log.getByText("删除", { exact: true }).click();
    await log.getByRole("button", { name: "确认删除" }).click();
    await hear("推送地址已删除");
    await desk.getByRole("row", { name: /ERP/ }).getByRole("button", { name: "停用" }).click();
    await hear("密钥已停用");
    assert.equal((await ask(key, "orders")).status, 401);
  });
}, open);
server.closeAllConnections();
server.close();
