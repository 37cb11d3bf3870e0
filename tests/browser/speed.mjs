// How soon the storefront shows a product, what it loads for that, and how it scrolls: two builds in turns, each with a demo
// of its own. Usage: node speed.mjs OTHER_XIAOPU XIAOPU [ROUNDS]
// The browser is driven by its own pipe: a library that listens to the network and the console makes it collect a stack for each
// request, which costs a large script more than a small one, and no buyer.
import { spawn } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const GOODS = 200;
const running = [];
const pause = (ms) => new Promise((done) => setTimeout(done, ms));
const middle = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** A demo with its own data; the ports of two stand apart, as each takes its neighbours too. */
async function demo(program, port) {
  const cwd = mkdtempSync(join(tmpdir(), "xiaopu-speed-"));
  running.push(spawn(resolve(program), ["demo", "--fresh"], { cwd, env: { ...process.env, ROCKET_PORT: String(port) }, stdio: "ignore" }));
  const shop = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 600; tries += 1) {
    const ready = await fetch(`${shop}/readyz`).then((answer) => answer.ok, () => false);
    const goods = ready && (await (await fetch(`${shop}/api/v1/products?limit=50`)).json()).items;
    if (goods?.length) return { shop, goods };
    await pause(100);
  }
  throw new Error(`${program} does not open`);
}

/** Chromium, and what it is told: `send(method, params, sessionId)`. */
function browser() {
  const args = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--remote-debugging-pipe", `--user-data-dir=${mkdtempSync(join(tmpdir(), "xiaopu-speed-"))}`];
  const child = spawn("/usr/bin/chromium", args, { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] });
  running.push(child);
  const asked = new Map();
  let last = 0;
  let rest = "";
  child.stdio[4].setEncoding("utf8").on("data", (text) => {
    const said = (rest + text).split("\0");
    rest = said.pop();
    for (const { id, result, error } of said.map((one) => JSON.parse(one))) {
      const [done, failed] = asked.get(id) ?? [];
      asked.delete(id);
      if (error) failed?.(new Error(error.message));
      else done?.(result);
    }
  });
  return (method, params = {}, sessionId) => new Promise((...ends) => {
    const id = (last += 1);
    asked.set(id, ends);
    child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  });
}

/** A page of a buyer who was never here: `run(expression)` answers with its value. */
async function visit(send, url, script, slower) {
  const { browserContextId } = await send("Target.createBrowserContext");
  const { targetId } = await send("Target.createTarget", { url: "about:blank", browserContextId, width: 390, height: 844 });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  await send("Emulation.setDeviceMetricsOverride", { width: 390, height: 844, deviceScaleFactor: 2, mobile: false }, sessionId);
  await send("Page.enable", {}, sessionId);
  await send("Page.addScriptToEvaluateOnNewDocument", { source: script }, sessionId);
  await send("Emulation.setCPUThrottlingRate", { rate: slower }, sessionId);
  await send("Page.navigate", { url }, sessionId);
  const run = async (expression) => {
    const { result, exceptionDetails } = await send("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true }, sessionId);
    if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
    return result.value;
  };
  const wheel = (deltaY) => send("Input.dispatchMouseEvent", { type: "mouseWheel", x: 195, y: 500, deltaX: 0, deltaY }, sessionId);
  return { run, wheel, close: () => send("Target.disposeBrowserContext", { browserContextId }) };
}

/** Runs in the page: `__seen` is when a product's name and a picture stand on the screen, in ms since the page was asked for. */
function watch(names) {
  const inSight = (node) => {
    const box = node.getBoundingClientRect();
    return box.width > 40 && box.height > 8 && box.top < innerHeight && box.bottom > 0;
  };
  const leaves = () => [...document.querySelectorAll("b, wx-view, wx-text")].filter((node) => !node.children.length);
  const look = () => {
    const words = leaves().some((node) => names.includes(node.textContent.trim()) && inSight(node));
    if (words && [...document.images].some((one) => one.complete && one.naturalWidth > 0 && inSight(one))) window.__seen = performance.now();
    else requestAnimationFrame(look);
  };
  document.addEventListener("DOMContentLoaded", look);
}

async function opened(send, { shop, goods }, slower) {
  const { run, close } = await visit(send, shop, `(${watch})(${JSON.stringify(goods.map((one) => one.name))})`, slower);
  let seen;
  while (!(seen = await run("window.__seen").catch(() => 0))) await pause(50);
  const bytes = await run(`[...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
    .filter((one) => one.responseEnd && one.responseEnd <= window.__seen).reduce((sum, one) => sum + one.transferSize, 0)`);
  await close();
  return { seen, bytes };
}

/** Runs in the page: a shop of many goods, and `__long`, the tasks that took over 50 ms. */
function crowd(known, most) {
  const real = window.fetch;
  window.fetch = async (where, options) => {
    const { pathname, searchParams } = new URL(where, location.origin);
    if (pathname !== "/api/v1/products" || searchParams.has("sort")) return real(where, options);
    // The shop's own cursor follows the first twelve, which came with the page.
    const from = searchParams.has("cursor") ? Number(searchParams.get("cursor")) || 12 : 0;
    const to = Math.min(from + Number(searchParams.get("limit")), most);
    const items = Array.from({ length: to - from }, (_, n) => ({ ...known[(from + n) % known.length], id: String(from + n + 1) }));
    return Response.json({ items, nextCursor: to < most ? String(to) : null });
  };
  window.__long = [];
  new PerformanceObserver((list) => list.getEntries().forEach((one) => window.__long.push(Math.round(one.duration)))).observe({ type: "longtask" });
}

/** Scrolls from the first product to the last; answers with the long tasks on the way. */
async function scrolled(send, { shop, goods }) {
  const { run, wheel, close } = await visit(send, shop, `(${crowd})(${JSON.stringify(goods)}, ${GOODS})`, 1);
  await pause(4000);
  await run("window.__long.length = 0");
  const count = "document.querySelectorAll('.stage-page:not([hidden]) .grid .goods').length";
  for (let turns = 0; (await run(count)) < GOODS; turns += 1) {
    if (turns > 1000) throw new Error("the end of the goods does not come");
    await wheel(400);
    await pause(50);
  }
  await pause(500);
  const long = await run("window.__long");
  await close();
  return long;
}

const [other, mine, rounds = "11"] = process.argv.slice(2);
try {
  const port = 20_000 + Math.floor(Math.random() * 500) * 20;
  const shops = { old: await demo(other, port), new: await demo(mine, port + 10) };
  const send = browser();
  for (const [how, slower] of [["as it is", 1], ["4 times slower", 4]]) {
    const runs = { old: [], new: [] };
    for (let round = 0; round < Number(rounds); round += 1) {
      for (const [name, shop] of Object.entries(shops)) runs[name].push(await opened(send, shop, slower));
    }
    for (const [what, words] of [["seen", "ms to the first product"], ["bytes", "bytes until then"]]) {
      const [before, now] = [runs.old, runs.new].map((all) => middle(all.map((one) => one[what])));
      console.log(`${how}: ${words} ${before.toFixed(0)} → ${now.toFixed(0)} (${(now / before).toFixed(2)}×)`);
    }
  }
  const long = [];
  for (let round = 0; round < Number(rounds); round += 1) long.push(await scrolled(send, shops.new));
  console.log(`${GOODS} goods scrolled, tasks over 50 ms in each run: ${JSON.stringify(long)}`);
} finally {
  running.forEach((child) => child.kill("SIGTERM"));
}
