// A demo of its own for each story, and a browser to walk through it. Usage: node STORY.mjs PATH_OF_XIAOPU [FOLDER_FOR_SCREENSHOTS]
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";
import { compare, said as compared } from "../miniprogram/parity.mjs";
import { Stage } from "./stage.mjs";

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

export const phone = { viewport: { width: 375, height: 780 }, deviceScaleFactor: 1, hasTouch: true, locale: "zh-CN" };
const desktop = { viewport: { width: 1200, height: 860 }, locale: "zh-CN" };

/** Waits for what `look` finds, a minute at most. */
export async function until(what, look) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited in vain for ${what}`);
}

/**
 * Runs in the page: what a finger is to hit, and is less than 40 px high. A link is, unless it stands among words; one that
 * covers what it stands in is as high as that.
 */
const narrow = () => {
  const covers = (one) => {
    if (getComputedStyle(one, "::after").position !== "absolute") return one;
    let place = one;
    while (getComputedStyle(place).position === "static") place = place.parentElement;
    return place;
  };
  const amongWords = (one) => [...one.parentElement.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim());
  const links = [...document.querySelectorAll("main a[href]")].filter((one) => !amongWords(one));
  const rest = document.querySelectorAll("button, select, summary, textarea, input:not([type=hidden], [type=checkbox], [type=radio]), .btn, .chip, .tabs a, .seg a");
  return [...new Set([...rest, ...links])]
    .filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1 && covers(one).getBoundingClientRect().height < 39.5)
    .map((one) => `${one.tagName} ${one.className} ${(one.textContent || one.name).trim().slice(0, 20)}`);
};

/** Runs in the page: text that is squeezed into a column of single characters. */
const stacked = () => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const text = node.textContent.trim();
    if (!node.parentElement.checkVisibility()) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    const lines = new Set([...range.getClientRects()].filter((box) => box.width > 0).map((box) => Math.round(box.top))).size;
    if (lines >= 3 && text.length / lines < 2.5) found.push(text.slice(0, 30));
  }
  return found;
};

/** A scanner is taken up when the page stands there: what comes before counts for nothing. */
export async function scan(page, code) {
  const stands = () => performance.getEntriesByType("paint").some(({ startTime }) => performance.now() - startTime > 320);
  await page.waitForFunction(stands);
  await page.keyboard.type(code);
  await page.keyboard.press("Enter");
}

/** From now on each page remembers what it sounded: the pitches in `window.tones`. */
export const listens = (page) => page.addInitScript(() => {
  window.tones = [];
  const make = AudioContext.prototype.createOscillator;
  AudioContext.prototype.createOscillator = function () {
    const one = make.call(this);
    queueMicrotask(() => window.tones.push(one.frequency.value));
    return one;
  };
});

/** The demo: a furnished shop and its simulated WeChat in one program, configured besides as `env` says. */
export const demo = async ({ run, port }, env = {}) => {
  const said = run(["demo", "--fresh"], { ROCKET_PORT: String(port), ...env });
  const [, password] = await until("the demo", () => said().match(/密码 (\S+)/));
  return { password, simulator: said().match(/模拟微信 +(http:\S+)\//)[1] };
};

/** A shop that nobody has set up yet, and a simulated WeChat beside it: `{ link, merchant }`. */
export const unopened = async ({ run, port }) => {
  const wechat = await freePort();
  const merchant = run(["simulate-wechat", "--port", String(wechat), "--sign-type", "HMAC-SHA256"], {});
  await until("the simulated WeChat", () => merchant().includes("sign_type"));
  const here = `http://127.0.0.1:${wechat}`;
  const said = run(["serve"], { ROCKET_PORT: String(port), ROCKET_WECHAT: `{pay_url="${here}",api_url="${here}"}` });
  const [, link] = await until("the link", () => said().match(/(http:\S+\/admin\/setup\/\S+)/));
  return { link, merchant: Object.fromEntries([...merchant().matchAll(/^ {2}(\w+) (\S+)$/gm)].map(([, name, value]) => [name, value])) };
};

/** A buyer by the API: `{ api, place, buy }`. What he places waits for his money; what he buys is paid for. */
export async function buyer({ shop, simulator }, user) {
  const json = { "Content-Type": "application/json" };
  const { code } = await (await fetch(`${simulator}/simulator/login?user=${user}`)).json();
  let key = 0;
  let token;
  const api = async (path, body) => {
    const headers = { ...json, "Idempotency-Key": `${user}-${(key += 1)}-${"0".repeat(8)}`, ...(token && { Authorization: `Bearer ${token}` }) };
    const answer = await fetch(`${shop}/api/v1${path}`, { method: body ? "POST" : "GET", headers, body: body && JSON.stringify(body) });
    const said = await answer.json();
    assert.ok(answer.ok, `${path}: ${JSON.stringify(said)}`);
    return said;
  };
  ({ token } = await api("/login", { code }));
  const address = { receiver: "王小样", phone: "13800000001", province: "浙江省", city: "杭州市", district: "西湖区", detail: "示例路 1 号" };
  const place = async (goods = "大米") => {
    const { id } = (await api(`/products?q=${encodeURIComponent(goods)}`)).items[0];
    const [sku] = (await api(`/products/${id}`)).skus.sort((a, b) => b.available - a.available);
    return api("/prepay", { items: [{ skuId: sku.id, quantity: 1 }], address });
  };
  const buy = async (goods, way = "well") => {
    const { order, payment } = await place(goods);
    const prepayId = payment.package.slice("prepay_id=".length);
    const paid = await fetch(`${simulator}/simulator/pay`, { method: "POST", headers: json, body: JSON.stringify({ prepayId, way }) });
    assert.ok(paid.ok, await paid.text());
    const known = async () => (await api(`/orders/${order.orderNo}`)).status !== "pending_payment";
    if (way === "well") await until("the shop to hear of the money", known);
    return order.orderNo;
  };
  return { api, place, buy };
}

/** Tells a story: `{ shop, step, shot, open, login, fits }` and what `start` knows, in a shop that ends with it. */
export async function story(tell, start = demo) {
  const program = resolve(process.argv[2]);
  const shots = process.argv[3] && resolve(process.argv[3]);
  if (shots) mkdirSync(shots, { recursive: true });
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "xiaopu-browser-"));
  const running = [];
  let said = "";
  const run = (words, env) => {
    const child = spawn(program, words, { cwd: folder, env: { ...process.env, ...env } });
    let mine = "";
    child.stdout.on("data", (bytes) => ((mine += bytes), (said += bytes)));
    child.stderr.on("data", (bytes) => process.stderr.write(bytes));
    running.push(child);
    return () => mine;
  };
  const browser = await chromium.launch({
    executablePath: "/usr/bin/chromium",
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync"],
  });
  const problems = [];
  // The browser names every refused request; the story itself looks at what was said.
  const expected = [/status of (409|422)/];
  const expect = (pattern) => expected.push(pattern);
  let passed = 0;
  const shop = `http://127.0.0.1:${port}`;
  const open = async (options) => {
    const page = await (await browser.newContext(options)).newPage();
    page.setDefaultTimeout(30_000);
    page.on("pageerror", (error) => problems.push(error.stack ?? String(error)));
    page.on("console", (line) => ["error", "warning"].includes(line.type()) && !expected.some((one) => one.test(line.text())) && problems.push(line.text()));
    return page;
  };
  const shot = async (page, name, fullPage = false) => shots && page.screenshot({ path: join(shots, `${name}.png`), fullPage });
  const step = async (name, run) => {
    await run();
    for (const page of browser.contexts().flatMap((context) => context.pages())) await compare(page);
    passed += 1;
    console.log(`ok - ${name}`);
  };
  try {
    const known = await start({ run, port });
    await until("the doors", () => fetch(`${shop}/readyz`).then((answer) => answer.ok, () => false));
    const login = async (path = "") => {
      const desk = await open(desktop);
      await desk.goto(`${shop}/admin${path}`);
      await shot(desk, "console-login");
      await desk.getByLabel("账号").fill("demo");
      await desk.getByLabel("密码").fill(known.password);
      await desk.getByRole("button", { name: "登录" }).click();
      await desk.getByRole("button", { name: "退出" }).waitFor();
      return desk;
    };
    const fits = async (desk, paths) => {
      const small = await open({ ...phone, viewport: { width: 360, height: 740 }, storageState: await desk.context().storageState() });
      for (const path of paths) {
        await small.goto(shop + path);
        const width = await small.evaluate(() => document.documentElement.scrollWidth);
        assert.ok(width <= 360, `${path} is ${width} px wide`);
        // The narrowest phones there are, and larger letters on the others: nothing is to be moved sideways.
        if (path.startsWith("/admin")) {
          await small.setViewportSize({ width: 320, height: 568 });
          const narrowest = await small.evaluate(() => document.documentElement.scrollWidth);
          assert.ok(narrowest <= 320, `${path} is ${narrowest} px wide at 320`);
          await small.setViewportSize({ width: 360, height: 740 });
        }
        assert.deepEqual(await small.evaluate(stacked), [], `${path}: words one character a line`);
        if (path.startsWith("/admin") && !path.startsWith("/admin/print")) assert.deepEqual(await small.evaluate(narrow), [], `${path}: too low for a finger`);
        await shot(small, `phone${path.replaceAll(/[/?=]/g, "-").replaceAll(/\d{8}[0-9A-Z]{10}/g, "order")}`, true);
      }
      await small.close();
    };
    /** The mini-program on its stage, in a buyer's hands. */
    const stage = async (options = phone) => new Stage(await open(options), shop, shot);
    await tell({ shop, step, shot, open, stage, expect, login, fits, ...known });
    await step("no page reported an error", async () => assert.deepEqual(problems, []));
    console.log(compared());
    console.log(`${passed} passed, 0 failed`);
  } catch (error) {
    console.error(error, problems, said);
    for (const [i, page] of browser.contexts().flatMap((context) => context.pages()).entries()) await shot(page, `failed-${i}`);
    console.log(`${passed} passed, 1 failed`);
    process.exitCode = 1;
  } finally {
    await browser.close();
    for (const child of running) child.kill("SIGTERM");
  }
}
