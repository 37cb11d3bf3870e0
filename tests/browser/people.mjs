// An owner and his people: who buys, who is told what, and which programs look on.
import assert from "node:assert/strict";
import { story, until } from "./shop.mjs";

await story(async ({ shop, step, shot, login, fits }) => {
  const desk = await login();
  const hear = (words) => desk.locator(".strip", { hasText: words }).waitFor();
  const customers = `${shop}/admin/customers`;

  await step("a customer is found, tagged, and kept from ordering until it is taken back", async () => {
    await desk.goto(customers);
    await shot(desk, "customers");
    await desk.getByRole("searchbox", { name: "找顾客" }).fill("0003");
    await desk.keyboard.press("Enter");
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
    await desk.getByRole("link", { name: "发货", exact: true }).last().click();
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
