// A person buys two things in the storefront, and the staff send them.
import assert from "node:assert/strict";
import { phone, story } from "./shop.mjs";

await story(async ({ shop, step, shot, open, login, fits }) => {
  const page = await open(phone);

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

  let desk;
  await step("the staff log in and find the order with every message", async () => {
    desk = await login(`/orders/${number}`);
    await desk.getByRole("heading", { name: number }).waitFor();
    for (const words of ["草莓奶油蛋糕", "请写“生日快乐”", "收到微信支付通知", "发起支付"]) {
      await desk.getByText(words).filter({ visible: true }).first().waitFor();
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
    await desk.locator("article", { hasText: number }).getByRole("link", { name: "发货", exact: true }).click();
    await desk.getByLabel("快递公司").selectOption("SF");
    await desk.getByLabel("快递单号").fill("SF1234567890");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await desk.getByText("已发货 顺丰速运 SF1234567890").waitFor();
    await page.goto(`${shop}/#/order/${number}`);
    await page.reload();
    await page.getByText("SF1234567890").waitFor();
    await page.getByRole("button", { name: "确认收货" }).click();
    await page.locator("#status", { hasText: "已完成" }).waitFor();
  });

  await step("a product is edited, and the storefront shows the new price", async () => {
    await desk.goto(`${shop}/admin/products?q=挂面`);
    await desk.getByRole("link", { name: "编辑" }).click();
    await desk.getByLabel("售价", { exact: true }).first().fill("17.5");
    await shot(desk, "console-product", true);
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    await page.goto(`${shop}/#/product/16`);
    await page.getByText("17.50").first().waitFor();
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
