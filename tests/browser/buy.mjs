// A person buys two things in the mini-program on its stage, and the staff send them.
import assert from "node:assert/strict";
import { phone, story } from "./shop.mjs";

await story(async ({ shop, step, shot, stage, expect, login, fits }) => {
  const buyer = await stage();
  const { page } = buyer;

  await step("home shows the goods, more come at the bottom, and axe has nothing to say", async () => {
    const asked = [];
    page.on("request", (request) => asked.push(request.url().replace(shop, "")));
    await page.goto(shop);
    await buyer.says("店里都有");
    assert.ok(!asked.includes("/api/v1/products?limit=12"), "the first goods came with the page");
    const cards = () => page.locator(".goods").filter({ visible: true }).count();
    const first = await cards();
    assert.ok(first >= 12);
    await buyer.shot("stage-home");
    await buyer.clean("home");
    await page.locator(".stage-page:not([hidden])").evaluate((holder) => holder.scrollTo(0, holder.scrollHeight));
    await page.waitForFunction((before) => document.querySelectorAll(".goods").length > before, first);
  });

  await step("a search finds two characters, remembers them, and says when there is nothing", async () => {
    await buyer.see("link", /^搜/).click();
    await buyer.field("搜索商品").fill("蛋糕");
    await buyer.button("搜索").click();
    await buyer.says(`${(await buyer.goods("蛋糕")).length} 件和“蛋糕”有关的商品`);
    await buyer.clean("search");
    await buyer.field("搜索商品").fill("榴莲千层");
    await page.keyboard.press("Enter");
    await buyer.says("货架上没有“榴莲千层”");
    await buyer.shot("stage-search-empty");
    await buyer.button("清空").click();
    await buyer.button("蛋糕").click();
    await buyer.see("link", "草莓奶油蛋糕").waitFor();
    await buyer.shot("stage-search");
  });

  await step("a SKU is chosen and put into the cart; a keyboard does as well", async () => {
    await buyer.see("link", "草莓奶油蛋糕").click();
    await buyer.button("加入购物车").waitFor();
    await buyer.shot("stage-product");
    await buyer.clean("product");
    await buyer.button("加入购物车").press("Enter");
    const sheet = buyer.sheet("选择规格");
    await sheet.getByRole("button", { name: "加入购物车" }).click();
    await buyer.says("请选择尺寸");
    await sheet.getByRole("button", { name: "8 寸" }).press("Enter");
    await sheet.getByText("已选 8 寸").waitFor();
    await buyer.shot("stage-sku");
    await buyer.clean("sku");
    await sheet.getByRole("button", { name: "加入购物车" }).click();
    await buyer.says("已放进购物车");
  });

  await step("a category is opened, and one SKU goes into the cart at once, twice", async () => {
    await buyer.enter("/pages/category/category");
    await buyer.see("tab", "粮油").click();
    await buyer.button("把手工挂面加入购物车").click();
    await buyer.says("已放进购物车");
    await buyer.button("把手工挂面加入购物车，已有 1 件").click();
    await buyer.button("把手工挂面加入购物车，已有 2 件").waitFor();
    await buyer.shot("stage-category");
    await buyer.clean("category");
  });

  await step("the cart adds up, counts, and lets a line be counted down again", async () => {
    await buyer.tab("购物车").click();
    await buyer.says("2 样能买");
    await buyer.text("¥165.60").waitFor();
    await buyer.button("增加手工挂面").click();
    await buyer.text("¥184.40").waitFor();
    await buyer.button("减少手工挂面").click();
    await buyer.text("¥165.60").waitFor();
    await buyer.shot("stage-cart");
    await buyer.clean("cart");
  });

  let number;
  await step("a pasted address is read, what is wrong stands under its field, and the region can be picked", async () => {
    await buyer.button("去结算").click();
    await buyer.text("填写收货地址").click();
    await buyer.field("粘贴整段地址").fill("陈建国 1390000002 江苏省苏州市姑苏区平江路66号");
    await buyer.says("少 1 位：手机号要 11 位");
    await buyer.shot("stage-address");
    await buyer.clean("address");
    await buyer.button("保存").click();
    await buyer.field("手机号").fill("13900000002");
    await buyer.see("button", /^地区/).click();
    const wheels = buyer.sheet("选择地区");
    await wheels.getByLabel("区").selectOption("虎丘区");
    await buyer.shot("stage-region");
    await wheels.getByRole("button", { name: "确定" }).click();
    await buyer.button("保存").click();
    await buyer.says("江苏省 苏州市 虎丘区 平江路66号");
  });

  await step("WeChat's address is asked for only after the privacy guide was agreed to", async () => {
    await buyer.text("虎丘区").click();
    await buyer.button("用微信地址").click();
    await buyer.says("先说清楚");
    await buyer.shot("stage-privacy");
    await buyer.clean("privacy");
    await buyer.button("不同意").click();
    await buyer.button("用微信地址").click();
    await buyer.button("同意").click();
    await buyer.sheet("选择收货地址").getByRole("button", { name: /王小样/ }).click();
    await buyer.says("浙江省 杭州市 西湖区 演示路 1 号");
  });

  await step("the order is placed and paid in the cash desk", async () => {
    await buyer.field("留言").fill("请写“生日快乐”");
    await buyer.shot("stage-checkout");
    await buyer.clean("checkout");
    await buyer.button("微信支付").click();
    await buyer.desk.getByText("¥165.60").waitFor();
    await buyer.shot("stage-cashier");
    number = await buyer.pay();
    await buyer.shot("stage-order-paid");
    await buyer.clean("order");
  });

  await step("a payment that fails leaves the order unpaid with a clock, and it can be cancelled", async () => {
    await buyer.order("法式乡村面包");
    await buyer.desk.getByText("试试各种情况").click();
    await buyer.shot("stage-cashier-ways");
    await buyer.leaveDesk("支付失败");
    await buyer.see("timer", "").waitFor();
    await buyer.shot("stage-order-unpaid");
    await buyer.button("取消订单").click();
    await buyer.answer("取消订单");
    await buyer.says("订单已取消");
  });

  await step("a product that is off the shelf says so, and leads back", async () => {
    expect(/status of 404/);
    await buyer.enter("/pages/product/product?id=999");
    await buyer.says("这件商品下架了");
    await buyer.shot("stage-shut");
    await buyer.button("看看别的").click();
    await buyer.says("店里都有");
  });

  await step("without a network the goods stay, a page says 重试, and the cart is kept", async () => {
    const phone2 = await stage();
    await phone2.product("法式乡村面包");
    await phone2.button("加入购物车").click();
    await phone2.says("已放进购物车");
    expect(/ERR_INTERNET_DISCONNECTED/);
    await phone2.page.context().setOffline(true);
    await phone2.button("店铺").click();
    await phone2.says("连不上网");
    await phone2.shot("stage-offline");
    await phone2.page.context().setOffline(false);
    await phone2.says("店里都有");
    await phone2.tab("购物车").click();
    await phone2.says("法式乡村面包");
    await phone2.page.context().close();
  });

  await step("a token that has ended is renewed, and the request repeated once", async () => {
    expect(/status of 401/);
    await page.evaluate(() => localStorage.setItem("mp:token", JSON.stringify({ v: "ended-long-ago" })));
    await buyer.enter("/pages/orders/orders");
    await buyer.button("再来一单").first().waitFor();
    await buyer.shot("stage-orders");
    await buyer.clean("orders");
    await buyer.enter("/pages/me/me");
    await buyer.says("付好了，店家在备货");
    await buyer.shot("stage-me");
    await buyer.clean("me");
  });

  let desk;
  await step("the staff log in and find the order with every message", async () => {
    desk = await login(`/orders/${number}`);
    await desk.getByRole("heading", { name: number }).waitFor();
    for (const words of ["草莓奶油蛋糕", "请写“生日快乐”", "收到微信支付通知", "发起支付"]) {
      await desk.getByText(words).filter({ visible: true }).first().waitFor();
    }
    await shot(desk, "console-order", true);
    await desk.getByRole("link", { name: "查看与微信的全部消息" }).click();
    await desk.getByRole("cell", { name: "支付通知", exact: true }).waitFor();
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
    await desk.locator("article", { hasText: number }).getByRole("link", { name: "发货", exact: true }).click();
    await desk.getByLabel("快递公司").fill("顺丰");
    await desk.getByLabel("快递单号").fill("SF1234567890123");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await desk.getByText("已发货 顺丰速运 SF1234567890123").waitFor();
    await buyer.enter(`/pages/order/order?id=${number}`);
    await buyer.says("SF1234567890123");
    await buyer.shot("stage-order-shipped");
    await buyer.button("确认收货").click();
    await buyer.sheet("微信确认收货").getByRole("button", { name: "确认收货" }).click();
    await buyer.says("已签收，慢慢享用");
    await buyer.shot("stage-order-done");
    await buyer.clean("order done");
  });

  await step("a product is edited, and the mini-program shows the new price", async () => {
    await desk.goto(`${shop}/admin/products?q=挂面`);
    await desk.getByRole("link", { name: "编辑" }).click();
    await desk.getByLabel("售价", { exact: true }).first().fill("17.5");
    await shot(desk, "console-product", true);
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    await buyer.product("手工挂面");
    await buyer.text("¥17.5", { exact: true }).waitFor();
    for (const path of ["products", "diagnostics", "settings"]) {
      await desk.goto(`${shop}/admin/${path}`);
      await shot(desk, `console-${path}`, true);
    }
    await desk.goto(`${shop}/api/docs`);
    await shot(desk, "api-docs");
  });

  await step("no page is wider than the phone it is on", () => fits(desk, ["/admin", "/admin/orders", `/admin/orders/${number}`,
    "/admin/transactions", "/admin/products", "/admin/products/1", "/admin/settings", "/admin/diagnostics", "/"]));
});
