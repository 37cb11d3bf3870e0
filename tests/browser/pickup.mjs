// A shop that brings and hands over: hours and a freight template are written, a buyer books a time and shows a code, and
// staff check it on a phone.
import assert from "node:assert/strict";
import { listens, phone, scan, story, until } from "./shop.mjs";

await story(async ({ shop, step, shot, open, stage, login, fits }) => {
  const desk = await login();
  const hear = (page, words) => page.locator(".strip", { hasText: words }).first().waitFor();
  const id = async (name) => {
    const answer = await fetch(`${shop}/api/v1/products?q=${encodeURIComponent(name)}`);
    return (await answer.json()).items.find((item) => item.name === name).id;
  };

  await step("the owner says when the shop is there, and what it takes to book", async () => {
    await desk.goto(`${shop}/admin/settings#hours`);
    const card = desk.locator("#hours");
    await card.getByLabel("营业时间").fill("早九晚五");
    await card.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("不认识「早九晚五」").first().waitFor();
    await card.getByLabel("营业时间").fill("每天 0:00-24:00");
    await card.getByLabel("自提地点").fill("文三路 12 号");
    await card.getByLabel("买家选时间").selectOption({ label: "同城配送和自提" });
    await card.getByLabel("每个时段最多几单").fill("1");
    await card.getByRole("button", { name: "保存", exact: true }).click();
    await hear(desk, "已保存");
    await desk.setViewportSize({ width: 1440, height: 900 });
    await desk.locator("#hours").scrollIntoViewIfNeeded();
    await shot(desk, "settings-hours");
  });

  await step("a freight template is written row by row, and a product goes by it", async () => {
    await desk.goto(`${shop}/admin/freight`);
    await desk.getByRole("link", { name: "新建模板" }).click();
    await desk.getByLabel("名称").fill("重货");
    await desk.getByLabel("按什么收").selectOption({ label: "按重量" });
    for (const [label, value] of [["其他地区首件或首重", "1"], ["其他地区首件或首重的运费", "8"], ["其他地区续件或续重", "0.5"], ["其他地区续件或续重的运费", "2"]]) {
      await desk.getByLabel(label, { exact: true }).fill(value);
    }
    await desk.getByLabel("第 1 行的地区").fill("新疆 西藏");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await hear(desk, "第 1 行：首重的运费没有填");
    await desk.getByLabel("第 1 行首件或首重的运费", { exact: true }).fill("25");
    await desk.getByLabel("第 1 行续件或续重的运费", { exact: true }).fill("15");
    await shot(desk, "freight-template");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await hear(desk, "运费模板已保存");
    await shot(desk, "freight-templates");
    await desk.goto(`${shop}/admin/products/${await id("冷榨山茶油")}`);
    await desk.getByLabel("重量(克)").first().fill("2600");
    await desk.locator("select[name=freight]").selectOption({ label: "重货" });
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    await shot(desk, "product-freight");
    await fits(desk, ["/admin/freight", "/admin/freight/1", "/admin/pickup"]);
  });

  await step("a product is to be fetched", async () => {
    await desk.goto(`${shop}/admin/products/${await id("蓝莓杯子蛋糕")}`);
    await desk.getByLabel("配送").first().selectOption("pickup");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
  });

  const buyer = await stage({ ...phone, viewport: { width: 390, height: 844 } });
  let number, code;
  await step("a buyer books a time, leaves a phone number and pays", async () => {
    await buyer.product("蓝莓杯子蛋糕");
    await buyer.button("立即购买").click();
    await buyer.sheet("选择规格").getByRole("button", { name: "立即购买" }).click();
    await buyer.says("什么时候来拿");
    await buyer.button("微信支付").click();
    await buyer.says("填个电话，备好了店家好找你");
    await buyer.field("取货电话").fill("13900005678");
    await buyer.button("明天").click();
    await buyer.button("10:00–11:00").click();
    await buyer.says("文三路 12 号");
    await buyer.shot("stage-checkout-pickup");
    await buyer.clean("checkout of what is fetched");
    await buyer.button("微信支付").click();
    await buyer.desk.getByRole("button", { name: "确认支付" }).waitFor();
    number = await buyer.pay();
    code = (await buyer.page.locator(".code").filter({ visible: true }).first().textContent()).replace(/\s/g, "");
    assert.match(code, /^\d{8}$/);
    await buyer.page.locator("image.qr img, .qr").filter({ visible: true }).first().waitFor();
    await buyer.shot("stage-order-pickup");
    await buyer.clean("the code");
  });

  const hand = await open({ ...phone, viewport: { width: 390, height: 844 }, storageState: await desk.context().storageState() });
  await step("staff mark it ready, and the buyer sees it", async () => {
    await desk.goto(`${shop}/admin/orders/${number}`);
    await desk.getByRole("button", { name: "备好了，通知来取" }).filter({ visible: true }).first().click();
    await hear(desk, "已标记备好");
    await desk.locator(".life").getByText("备好").waitFor();
    assert.ok(!(await desk.locator("main").innerText()).includes("确认发货"), "nothing of it is sent");
    await shot(desk, "order-pickup");
    await buyer.says("备好了，随时来拿");
  });

  await step("on a phone a wrong code says what is the matter, and the right one shows the goods", async () => {
    await hand.goto(`${shop}/admin/pickup`);
    await shot(hand, "phone-pickup");
    for (const [typed, words] of [[number, "是订单号，不是取货码"], ["1234", "不是本店的取货码"], [String((Number(code) + 1) % 1e8).padStart(8, "0"), "没有取货码"]]) {
      await hand.locator("#code").fill(typed);
      await hand.getByRole("button", { name: "核对" }).click();
      await hear(hand, words);
    }
    await shot(hand, "phone-pickup-wrong");
    await hand.locator("#code").fill(`${code.slice(0, 4)} ${code.slice(4)}`);
    await hand.getByRole("button", { name: "核对" }).click();
    await hand.getByText("对上了").waitFor();
    await hand.getByText("139****5678").waitFor();
    await shot(hand, "phone-pickup-found");
    await hand.getByRole("button", { name: "核销，交给买家" }).click();
    await hear(hand, "已交给买家");
    await buyer.says("取到了，慢慢享用");
    await buyer.shot("stage-order-fetched");
  });

  await step("the same code a second time is told when it was used, and heard", async () => {
    const page = await desk.context().newPage();
    await listens(page);
    await page.goto(`${shop}/admin/pickup`);
    await scan(page, code);
    await hear(page, "这个取货码用过了");
    await until("the low tone", () => page.evaluate(() => window.tones.join() === "180"));
    await shot(page, "pickup-used");
    // Of a page that is only looked at nothing is heard.
    await page.goto(`${shop}/admin/pickup`);
    await page.locator(".live").getByText("实时").waitFor({ state: "attached" });
    assert.deepEqual(await page.evaluate(() => window.tones), []);
    await page.close();
  });

  await step("what was booked by one is full for the next", async () => {
    const next = await stage({ ...phone, viewport: { width: 390, height: 844 } });
    await next.product("蓝莓杯子蛋糕");
    await next.button("立即购买").click();
    await next.sheet("选择规格").getByRole("button", { name: "立即购买" }).click();
    await next.button("明天").click();
    await next.button("10:00–11:00 满").waitFor();
    await until("the other times", async () => (await next.button("11:00–12:00").count()) === 1);
  });

  await step("what was agreed on in a chat is fetched when its buyer wants to come", async () => {
    await desk.goto(`${shop}/admin/drafts/new`);
    await desk.getByLabel("第 1 样商品").fill("蓝莓杯子蛋糕");
    await desk.getByRole("button", { name: "生成订单码" }).click();
    await desk.getByRole("heading", { name: "发给买家" }).waitFor();
    const draft = (await desk.getByRole("heading", { level: 1 }).textContent()).trim();
    await buyer.enter(`/pages/draft/draft?code=${draft}`);
    await buyer.says("什么时候来拿");
    await buyer.button("确认并付款").click();
    await buyer.says("选一下什么时候来拿");
    await buyer.button("明天").click();
    await buyer.button("10:00–11:00 满").waitFor();
    await buyer.button("11:00–12:00").click();
    await buyer.shot("stage-draft-pickup");
    await buyer.clean("a draft of what is fetched");
    await buyer.button("确认并付款").click();
    number = await buyer.pay();
    await desk.goto(`${shop}/admin/orders/${number}`);
    await desk.getByText("11:00–12:00").first().waitFor();
  });

  await step("goods to fetch and goods to send are paid for one group after the other", async () => {
    const both = await stage({ ...phone, viewport: { width: 390, height: 844 } });
    await both.product("冷榨山茶油");
    await both.says("运费 ¥16（2.6 kg：");
    await both.shot("stage-product-freight");
    for (const name of ["冷榨山茶油", "蓝莓杯子蛋糕"]) {
      await both.product(name);
      await both.button("加入购物车").click();
      await both.says("已放进购物车");
    }
    await both.see("button", /^购物车/).click();
    await both.button("去结算").click();
    await both.says("不能放在一单里，请分开结算");
    await both.says("「蓝莓杯子蛋糕」要自提");
    await both.shot("stage-checkout-parted");
    await both.clean("goods that go different ways");
    await both.button("先结算快递的 1 件").click();
    await both.says("填写收货地址");
    await both.address();
    await both.says("运费");
    assert.equal(await both.text("要自提").count(), 0);
    await both.button("微信支付").click();
    await both.desk.getByRole("button", { name: "确认支付" }).waitFor();
    await both.pay();
    await both.enter("/pages/cart/cart");
    await both.says("蓝莓杯子蛋糕");
    assert.equal(await both.text("冷榨山茶油").count(), 0, "what was paid for is out of the cart, and nothing else");
  });
  await hand.close();
});
