// An owner and his people: who buys, who is told what, and which programs look on.
import assert from "node:assert/strict";
import { story, until } from "./shop.mjs";

await story(async ({ shop, step, shot, stage, expect, login, fits }) => {
  const desk = await login();
  const hear = (words) => desk.locator(".strip", { hasText: words }).waitFor();
  const customers = `${shop}/admin/customers`;

  await step("a customer is found, tagged, and kept from ordering until it is taken back", async () => {
    await desk.goto(customers);
    await shot(desk, "customers");
    await desk.getByRole("searchbox", { name: "找顾客" }).fill("0003");
    await desk.keyboard.press("Enter");
    // A row is pressed anywhere; with Ctrl it opens in a tab of its own.
    const region = desk.locator("#list tbody tr").first().locator("td").nth(3);
    const tab = desk.context().waitForEvent("page");
    await region.click({ modifiers: ["Control"] });
    await (await tab).close();
    assert.equal(new URL(desk.url()).pathname, "/admin/customers");
    await region.click();
    await desk.waitForURL(/customers\/\d+$/);
    await desk.goBack();
    await desk.getByRole("link", { name: "赵*", exact: true }).click();
    const tags = desk.getByLabel("标签", { exact: true });
    await tags.fill("老客户 少糖");
    await desk.locator("form", { has: tags }).getByRole("button", { name: "保存" }).click();
    await hear("标签已保存");
    await desk.getByRole("textbox", { name: "顾客备注" }).fill("放门卫");
    await desk.getByRole("button", { name: "保存备注" }).click();
    await hear("备注已保存");
    await desk.getByRole("button", { name: "停止下单" }).click();
    await hear("他不能再下新订单");
    await shot(desk, "customer");
    await desk.getByRole("button", { name: "撤销" }).click();
    await hear("他又可以下单了");
    await desk.goto(`${customers}?tag=${encodeURIComponent("少糖")}`);
    assert.equal(await desk.locator("tbody tr").count(), 1);
    await desk.locator("tbody").getByRole("link").nth(1).click();
    await desk.getByRole("link", { name: "看这位顾客" }).first().click();
    assert.match(await tags.inputValue(), /老客户/);
  });

  await step("a buyer's data goes when he asks for it, and what he bought stays in the books", async () => {
    const buyer = await stage();
    const number = await buyer.buy("法式乡村面包");
    const order = `${shop}/admin/orders/${number}`;
    await desk.goto(order);
    await desk.getByRole("textbox", { name: "内部备注" }).fill("王小样周末在家");
    await desk.getByRole("button", { name: "记下" }).click();
    await desk.getByText("内部备注：王小样周末在家").waitFor();
    await desk.getByRole("link", { name: "看这位顾客" }).first().click();
    const person = new URL(desk.url()).pathname;
    await desk.getByRole("link", { name: "删除买家资料…" }).click();
    await desk.getByText("还有 1 笔订单没有完成").waitFor();
    await desk.goto(order);
    await desk.locator("input[name=tracking_no]").first().fill("SF1402668877302");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await hear("已发货");
    await buyer.enter(`/pages/order/order?id=${number}`);
    await buyer.button("确认收货").click();
    await buyer.sheet("微信确认收货").getByRole("button", { name: "确认收货" }).click();
    await buyer.says("已签收，慢慢享用");
    await desk.goto(`${shop}${person}/erase`);
    await shot(desk, "customer-erase");
    await desk.getByRole("button", { name: "确认删除" }).click();
    await hear("资料已删除");
    await desk.goto(order);
    await desk.getByText("内部备注：已删除").waitFor();
    await desk.getByText("法式乡村面包").first().waitFor();
    assert.doesNotMatch(await desk.content(), /王小样|王\*/, "nobody is named any more");
    await shot(desk, "order-erased");
    // His phone is told that it is logged out, and comes back as somebody new.
    expect(/status of 401/);
    await buyer.enter("/pages/orders/orders");
    await buyer.says("还没有订单");
  });

  await step("buyers and staff are told, and it stands on one page", async () => {
    await desk.goto(`${shop}/admin/notices/templates`);
    await desk.getByRole("link", { name: "从微信取模板列表" }).click();
    const card = desk.locator("#shipped");
    await card.getByText("订单发货提醒").click();
    await shot(desk, "templates");
    await card.locator("details[open]").getByRole("button", { name: "用这个模板" }).click();
    await hear("发货提醒已保存");
    await desk.getByText("手工曲奇 ×2").first().waitFor();
    await desk.goto(`${shop}/admin/settings#robots`);
    await desk.getByLabel("企业微信机器人地址").fill("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=demo");
    await desk.locator("#robots").getByRole("button", { name: "保存并测试" }).click();
    await hear("✓ 企业微信已发出");
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    await desk.getByRole("link", { name: "发货", exact: true }).first().click();
    await desk.locator("input[name=tracking_no]").first().fill("SF1402668877319");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await hear("已发货");
    await until("the letter", async () => {
      await desk.goto(`${shop}/admin/notices`);
      return (await desk.getByText("发货提醒").count()) > 0;
    });
    await desk.getByText("测试消息").waitFor();
    await shot(desk, "notices");
  });

  await step("a program gets a key of its own, and reads what it may", async () => {
    await desk.goto(`${shop}/admin/programs`);
    await desk.getByLabel("名称").fill("ERP");
    await desk.getByRole("button", { name: "新建密钥" }).click();
    const key = await desk.locator(".card.first code").innerText();
    await shot(desk, "programs");
    const ask = (path) => fetch(`${shop}/api/v1/admin/${path}`, { headers: { Authorization: `Bearer ${key}` } });
    const { items } = await (await ask("orders?status=shipped")).json();
    assert.ok(items.length > 0 && items[0].receiver.masked, "whom it goes to stays masked");
    assert.equal((await ask("stock")).status, 200);
    await desk.goto(`${shop}/admin/programs`);
    assert.ok(!(await desk.content()).includes(key), "shown once");
    await desk.getByRole("button", { name: "停用" }).click();
    await hear("密钥已停用");
    assert.equal((await ask("stock")).status, 401);
  });

  await step("all of it fits a phone", () => fits(desk, [
    "/admin/customers", "/admin/customers/1", "/admin/customers/1/erase", "/admin/notices", "/admin/notices/templates",
    "/admin/notices/templates?fetched=true", "/admin/programs",
  ]));
});
