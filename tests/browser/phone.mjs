// An owner on a phone, away from the shop: what needs a hand, a refund, a price, the day's money, and the door shut for today.
import assert from "node:assert/strict";
import { buyer, phone, story, until } from "./shop.mjs";

await story(async ({ shop, simulator, step, shot, open, password }) => {
  const hand = await open({ ...phone, viewport: { width: 390, height: 844 } });
  const li = await buyer({ shop, simulator }, "li");
  const bar = (name) => hand.getByRole("navigation", { name: "主导航" }).getByRole("link", { name });
  const more = () => hand.locator(".rail summary").tap();
  const wide = async () => assert.equal(await hand.evaluate(() => document.documentElement.scrollWidth), 390, hand.url());

  await step("what has to be done stands on the first screen", async () => {
    const no = await li.buy("大米");
    await until("the payment", async () => (await li.api(`/orders/${no}`)).status === "to_ship");
    await li.api(`/orders/${no}/refunds`, { reason: "不想要了" });
    await hand.goto(`${shop}/admin/login`);
    await hand.getByLabel("账号").fill("demo");
    await hand.getByLabel("密码").fill(password);
    await hand.getByRole("button", { name: "登录" }).tap();
    const next = hand.locator(".card.first", { hasText: "接下来" });
    await next.waitFor();
    const { y, height } = await next.getByRole("link").first().boundingBox();
    assert.ok(y + height < 784, `its button is at ${y}`);
    await wide();
    await shot(hand, "owner-home");
  });

  await step("a refund is looked at and agreed to with a thumb", async () => {
    await more();
    await hand.getByRole("link", { name: "售后" }).tap();
    await hand.getByRole("link", { name: "处理", exact: true }).first().tap();
    await hand.getByRole("button", { name: "同意，下一步" }).waitFor();
    await wide();
    await shot(hand, "owner-refund");
    await hand.getByRole("button", { name: "同意，下一步" }).tap();
    await hand.getByRole("button", { name: /^确认退款/ }).tap();
    await hand.getByText("退款成功").or(hand.getByText("已退款")).first().waitFor();
  });

  await step("a price and a stock are typed where they stand", async () => {
    await bar("商品").tap();
    const row = hand.locator("tr", { has: hand.getByRole("link", { name: "罗口中筒袜", exact: true }) });
    await row.locator("[data-quick=price]").tap();
    await hand.getByLabel("售价 罗口中筒袜").waitFor();
    await hand.keyboard.type("28.8");
    await hand.getByRole("button", { name: "保存" }).tap();
    await hand.locator(".strip", { hasText: "¥29.90 → ¥28.80" }).waitFor();
    await wide();
  });

  await step("what lies over a page goes away by the way back, and by a tap beside it that does nothing else", async () => {
    await bar("订单").tap();
    await hand.locator("article.order").first().waitFor();
    const list = hand.url();
    const [dots, drawer] = [hand.locator("[data-preview]").first(), hand.locator("#drawer[open]")];
    for (const shut of [() => hand.goBack(), () => drawer.getByRole("button", { name: "关闭" }).tap()]) {
      await dots.tap();
      await drawer.waitFor();
      await shut();
      await drawer.waitFor({ state: "detached" });
      assert.equal(hand.url(), list);
    }
    for (const shut of [() => hand.goBack(), () => hand.touchscreen.tap(200, 300)]) {
      await more();
      await hand.locator(".rail details[open]").waitFor();
      await shut();
      await hand.locator(".rail details[open]").waitFor({ state: "detached" });
      assert.equal(hand.url(), list);
    }
    await dots.tap();
    await drawer.getByRole("link", { name: "打开订单" }).tap();
    await hand.waitForURL(/orders\/2/);
    await hand.goBack();
    await hand.waitForURL(list);
    await until("one page for one step back", () => hand.evaluate(() => !history.state?.over));
    await hand.goBack();
    await hand.waitForURL(/products/);
  });

  await step("what was typed into a sheet that was put away is there again, unless it was given up", async () => {
    const price = hand.locator("dialog[open] [name$='.price']").first();
    const sheet = () => hand.locator("[data-quick=stock]:not([data-sku])").first().tap();
    await sheet();
    await price.fill("77");
    await hand.goBack();
    await price.waitFor({ state: "detached" });
    await sheet();
    assert.equal(await price.inputValue(), "77");
    await hand.locator("dialog[open]").getByRole("button", { name: "取消" }).tap();
    await sheet();
    assert.notEqual(await price.inputValue(), "77");
    await hand.goBack();
    await price.waitFor({ state: "detached" });
  });

  await step("the day's money can be read", async () => {
    await more();
    await hand.getByRole("link", { name: "对账" }).tap();
    await hand.locator(".calendar").waitFor();
    await wide();
    await shot(hand, "owner-money");
  });

  await step("the shop is shut for today, and opened again", async () => {
    await more();
    await hand.getByRole("link", { name: "设置" }).tap();
    const shut = async (words) => {
      await hand.locator("#shop").getByLabel("营业").selectOption({ label: words });
      await hand.locator("#shop").getByRole("button", { name: "保存" }).tap();
      await hand.locator(".strip.green").waitFor();
    };
    await shut("休息中");
    assert.equal((await li.api("/shop")).open, false);
    await shut("营业中");
    assert.equal((await li.api("/shop")).open, true);
    await wide();
  });
});
