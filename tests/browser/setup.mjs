// The first hour: the one-time link, six steps, and a shop that can take money.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { story, unopened } from "./shop.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

await story(async ({ shop, link, merchant, step, shot, open, fits }) => {
  // axe comes into the page from outside.
  const desk = await open({ viewport: { width: 1440, height: 900 }, locale: "zh-CN", bypassCSP: true });
  const heading = (text) => desk.getByRole("heading", { name: text }).waitFor();
  const next = () => desk.getByRole("button", { name: "保存，下一步" }).click();
  const clean = async (name) => {
    await desk.addScriptTag({ path: axe });
    const found = await desk.evaluate(() => window.axe.run(document));
    assert.deepEqual(found.violations.map((v) => `${v.id}: ${v.nodes[0].html}`), [], name);
    await shot(desk, `setup-${name}`, true);
  };

  await step("the link makes the owner, who is logged in", async () => {
    await desk.goto(link);
    await desk.getByLabel("账号").fill("老板");
    await desk.getByLabel("密码", { exact: false }).first().fill("packing-table-7");
    assert.equal(await desk.locator("meter").evaluate((meter) => meter.value > 1), true);
    await desk.getByLabel("再输一次密码").fill("packing-table-8");
    await clean("1-account");
    await desk.getByRole("button", { name: "建立店主账号" }).click();
    await desk.getByText("两次输入的密码不一样").waitFor();
    assert.equal(await desk.getByLabel("账号").inputValue(), "老板");
    await desk.getByLabel("密码", { exact: false }).first().fill("packing-table-7");
    await desk.getByLabel("再输一次密码").fill("packing-table-7");
    await desk.getByRole("button", { name: "建立店主账号" }).click();
    await heading("第 2 步");
  });

  await step("shop, address, mini-program and payment are filled in and tried out", async () => {
    await desk.getByLabel("店铺名").fill("转角小店");
    await clean("2-shop");
    await next();
    await heading("第 3 步");
    await desk.getByLabel("对外地址").fill("不是网址");
    await next();
    await desk.getByText("请填 https:// 开头的网址").first().waitFor();
    assert.equal(await desk.getByLabel("对外地址").inputValue(), "不是网址", "what was typed is still there");
    await desk.getByLabel("对外地址").fill(shop);
    await desk.getByRole("button", { name: "保存并测试" }).click();
    await desk.getByText("可达").first().waitFor();
    await clean("3-address");
    await desk.getByRole("link", { name: "以后再说" }).click();
    await heading("第 4 步");
    await desk.getByLabel("小程序 AppID").fill(merchant.app_id);
    await desk.getByLabel("小程序 AppSecret").fill("f".repeat(32));
    await desk.getByRole("button", { name: "保存并测试" }).click();
    await desk.getByText("AppSecret 不对").waitFor();
    await desk.getByLabel("小程序 AppSecret").fill(merchant.app_secret);
    await desk.getByRole("button", { name: "保存并测试" }).click();
    await desk.getByText("✓ AppID 和 AppSecret 正确").waitFor();
    await clean("4-app");
    await next();
    await heading("第 5 步");
    await desk.getByLabel("商户号", { exact: false }).first().fill(merchant.mch_id);
    // What new merchants have is asked for first; the other version's fields come with its choice.
    assert.equal(await desk.locator("[name=wechat-mch_key]").isVisible(), true);
    assert.equal(await desk.locator("[name=wechat-api_key]").isVisible(), false);
    assert.equal(await desk.getByRole("heading", { name: "退款证书" }).isVisible(), false);
    await desk.getByLabel("新订单用的接口").selectOption("v2");
    assert.equal(await desk.locator("[name=wechat-mch_key]").isVisible(), false);
    assert.equal(await desk.getByRole("heading", { name: "退款证书" }).isVisible(), true);
    await desk.locator("[name=wechat-api_key]").fill(merchant.api_key);
    await desk.getByLabel("签名方式").selectOption("HMAC-SHA256");
    await desk.getByRole("button", { name: "保存并测试" }).click();
    await desk.getByText("✓ 密钥正确").waitFor();
    await desk.getByText("与微信的时间一致").waitFor();
    await clean("5-pay");
    await next();
  });

  await step("with sample goods the shop can be looked at, and cleared again", async () => {
    await heading("第 6 步");
    await clean("6-open");
    for (const radio of await desk.getByRole("radio").all()) assert.ok((await radio.boundingBox()).width <= 24, "a radio is as large as a tick");
    await desk.getByRole("button", { name: "完成" }).click();
    await desk.getByText("示例商品已载入").waitFor();
    await shot(desk, "setup-home", true);
    assert.deepEqual(await desk.locator(".todo li").allTextContents(), ["用手机下一个 0.01 元的测试单，走一遍付款、发货和退款"]);
    const { items } = await (await fetch(`${shop}/api/v1/products`)).json();
    assert.ok(items.length > 5);
    await desk.goto(`${shop}/admin/products`);
    await desk.getByRole("link", { name: "清除示例商品" }).click();
    await heading("清除示例商品");
    await desk.getByRole("button", { name: "确认清除" }).click();
    await desk.getByText("个示例商品已移到回收站").waitFor();
    await desk.goto(`${shop}/admin/products?tab=bin`);
    await shot(desk, "desk-admin-products-tab-bin", true);
    await desk.getByRole("button", { name: "还原" }).first().click();
    await desk.getByText("已还原").waitFor();
  });

  await step("the settings are cards of their own, and fit a phone", async () => {
    await desk.goto(`${shop}/admin/settings`);
    await clean("settings");
    await fits(desk, ["/admin/settings", "/admin/welcome/2", "/admin/welcome/5", "/admin/welcome/6"]);
  });
}, unopened);
