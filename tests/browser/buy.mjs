// A person buys two things in the storefront, and the staff find the order. Usage: node buy.mjs PATH_OF_XIAOPU [FOLDER_FOR_SCREENSHOTS]
import { spawn } from "node:child_process";
import { mkdtempSync, mkdirSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const program = resolve(process.argv[2]);
const shots = process.argv[3] && resolve(process.argv[3]);
if (shots) mkdirSync(shots, { recursive: true });
const folder = mkdtempSync(join(tmpdir(), "xiaopu-browser-"));

const freePort = () => new Promise((done) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => done(port));
  });
});

const port = await freePort();
const demo = spawn(program, ["demo", "--fresh"], { cwd: folder, env: { ...process.env, ROCKET_PORT: String(port) } });
let said = "";
demo.stdout.on("data", (bytes) => (said += bytes));
demo.stderr.on("data", (bytes) => process.stderr.write(bytes));

async function until(what, look) {
  for (let i = 0; i < 1200; i++) {
    const found = await look();
    if (found) return found;
    await new Promise((done) => setTimeout(done, 50));
  }
  throw new Error(`waited in vain for ${what}\n${said}`);
}

const browser = await chromium.launch({
  executablePath: "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
const problems = [];
const watch = (page) => {
  page.on("pageerror", (error) => problems.push(String(error)));
  page.on("console", (line) => line.type() === "error" && problems.push(line.text()));
  return page;
};

let passed = 0;
const step = async (name, run) => {
  await run();
  passed += 1;
  console.log(`ok - ${name}`);
};
const phone = { viewport: { width: 375, height: 780 }, deviceScaleFactor: 1, hasTouch: true, locale: "zh-CN" };
const shot = async (page, name, full = false) => shots && page.screenshot({ path: join(shots, `${name}.png`), fullPage: full });

try {
  const shop = `http://127.0.0.1:${port}`;
  const [, password] = await until("the demo", () => said.match(/密码 (\S+)/));
  await until("the doors", () => fetch(`${shop}/readyz`).then((answer) => answer.ok, () => false));
  const page = watch(await (await browser.newContext(phone)).newPage());
  page.setDefaultTimeout(30_000);

  await step("the storefront shows the goods, and a search finds two characters", async () => {
    await page.goto(shop);
    await page.locator(".item").first().waitFor();
    assert.ok((await page.locator(".item").count()) >= 12);
    await shot(page, "storefront-home");
    await page.getByPlaceholder("搜索商品").fill("蛋糕");
    await page.getByRole("button", { name: "搜索" }).click();
    await page.waitForFunction(() => document.querySelectorAll(".item").length === 2);
  });

  await step("a SKU is chosen and put into the cart, then another", async () => {
    await page.getByText("草莓奶油蛋糕").click();
    await page.getByRole("button", { name: "加入购物车" }).click();
    await page.getByText("请选择尺寸").waitFor();
    await page.getByRole("button", { name: "8 寸" }).click();
    await shot(page, "storefront-product");
    await page.getByRole("button", { name: "加入购物车" }).click();
    await page.getByText("已加入购物车").waitFor();
    await page.goBack();
    await page.getByPlaceholder("搜索商品").fill("挂面");
    await page.getByRole("button", { name: "搜索" }).click();
    await page.getByText("手工挂面").click();
    await page.getByRole("button", { name: "增加" }).click();
    await page.getByRole("button", { name: "加入购物车" }).click();
    await page.locator(".dock a", { hasText: "购物车" }).click();
    await page.getByRole("button", { name: "去结算" }).waitFor();
    await shot(page, "storefront-cart");
  });

  let number;
  await step("the order is placed and paid in the cash desk", async () => {
    await page.getByRole("button", { name: "去结算" }).click();
    await page.getByRole("button", { name: "填入示例地址" }).click();
    await page.getByPlaceholder("给商家留言").fill("请写“生日快乐”");
    await shot(page, "storefront-checkout");
    await page.locator("#submit").click();
    const desk = page.frameLocator("#sheet iframe");
    await desk.getByText("¥165.60").waitFor();
    await shot(page, "storefront-cashier");
    await desk.getByRole("button", { name: "确认支付" }).click();
    await page.locator("#status", { hasText: "待发货" }).waitFor();
    number = await page.locator("#order-no").textContent();
    await shot(page, "storefront-order");
  });

  await step("a payment that fails leaves the order unpaid, and it can be cancelled", async () => {
    await page.goto(`${shop}/#/product/4`);
    await page.getByRole("button", { name: "立即购买" }).click();
    await page.locator("#submit").click();
    const desk = page.frameLocator("#sheet iframe");
    await desk.getByText("试试各种情况").click();
    await shot(page, "storefront-cashier-ways");
    await desk.getByRole("button", { name: "支付失败" }).click();
    await desk.getByRole("button", { name: "返回商家" }).click();
    await page.locator("#status", { hasText: "待付款" }).waitFor();
    await page.getByRole("button", { name: "取消订单" }).click();
    await page.locator("#status", { hasText: "已关闭" }).waitFor();
  });

  const desk = watch(await (await browser.newContext({ viewport: { width: 1200, height: 860 }, locale: "zh-CN" })).newPage());
  desk.setDefaultTimeout(30_000);
  await step("the staff log in and find the order with every message", async () => {
    await desk.goto(`${shop}/admin/orders/${number}`);
    await shot(desk, "console-login");
    await desk.getByLabel("账号").fill("demo");
    await desk.getByLabel("密码").fill(password);
    await desk.getByRole("button", { name: "登录" }).click();
    await desk.getByRole("heading", { name: number }).waitFor();
    for (const words of ["草莓奶油蛋糕", "请写“生日快乐”", "收到微信支付通知", "发起支付"]) {
      await desk.getByText(words).first().waitFor();
    }
    await shot(desk, "console-order", true);
    await desk.getByRole("link", { name: "查看与微信的全部消息" }).click();
    await desk.getByRole("cell", { name: "支付通知" }).waitFor();
    await shot(desk, "console-transactions");
    await desk.locator("tr", { hasText: "支付通知" }).getByRole("link").first().click();
    await desk.getByText("检查表").waitFor();
    assert.ok(!(await desk.content()).includes("<sign><"));
    await shot(desk, "console-transaction", true);
  });

  await step("the parcel is sent, and the buyer confirms", async () => {
    await desk.goto(`${shop}/admin`);
    await shot(desk, "console-home", true);
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    await shot(desk, "console-orders");
    await desk.getByRole("link", { name: "发货", exact: true }).click();
    await desk.getByLabel("快递公司").selectOption("SF");
    await desk.getByLabel("快递单号").fill("SF1234567890");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await desk.getByText("已发货", { exact: true }).waitFor();
    await page.goto(`${shop}/#/order/${number}`);
    await page.reload();
    await page.getByText("SF1234567890").waitFor();
    await page.getByRole("button", { name: "确认收货" }).click();
    await page.locator("#status", { hasText: "已完成" }).waitFor();
  });

  await step("a product is edited, and the storefront shows the new price", async () => {
    await desk.goto(`${shop}/admin/products?q=挂面`);
    await desk.getByRole("link", { name: "编辑" }).click();
    await desk.getByLabel("售价").first().fill("17.5");
    await shot(desk, "console-product", true);
    await desk.getByRole("button", { name: "保存" }).click();
    await desk.getByText("已保存").waitFor();
    await page.goto(`${shop}/#/product/16`);
    await page.getByText("17.50").first().waitFor();
    for (const path of ["products", "exceptions", "diagnostics", "settings"]) {
      await desk.goto(`${shop}/admin/${path}`);
      await shot(desk, `console-${path}`, true);
    }
    await desk.goto(`${shop}/api/docs`);
    await shot(desk, "api-docs");
  });

  await step("no page is wider than the phone it is on", async () => {
    const context = await browser.newContext({ ...phone, viewport: { width: 360, height: 740 }, storageState: await desk.context().storageState() });
    const small = watch(await context.newPage());
    for (const path of ["/admin", "/admin/orders", `/admin/orders/${number}`, "/admin/transactions", "/admin/products", "/admin/products/1", "/admin/settings", "/admin/diagnostics", "/admin/exceptions", "/"]) {
      await small.goto(shop + path);
      const width = await small.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(width <= 360, `${path} is ${width} px wide`);
      await shot(small, `phone${path.replaceAll("/", "-").replace(number, "order")}`);
    }
  });

  await step("no page reported an error", async () => assert.deepEqual(problems, []));
  console.log(`${passed} passed, 0 failed`);
} catch (error) {
  console.error(error, problems);
  for (const [i, open] of browser.contexts().flatMap((context) => context.pages()).entries()) await shot(open, `failed-${i}`);
  console.log(`${passed} passed, 1 failed`);
  process.exitCode = 1;
} finally {
  await browser.close();
  demo.kill("SIGTERM");
}
