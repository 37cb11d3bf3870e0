// A buyer comes back: favourites, an old order bought again, a cart that two phones share, and an order moved off the list.
import assert from "node:assert/strict";
import { phone, story, until } from "./shop.mjs";

await story(async ({ shop, step, stage, login }) => {
  const buyer = await stage({ ...phone, viewport: { width: 390, height: 844 } });
  const { page } = buyer;
  const desk = await login("/products");

  /** What this phone knows the buyer by; another phone is given it. */
  const known = () => page.evaluate(() => Object.fromEntries(["mp:token", "mp:buyer", "mp:__user"].map((key) => [key, localStorage.getItem(key)])));
  const cart = () => page.evaluate(async (at) => {
    const { v: token } = JSON.parse(localStorage.getItem("mp:token"));
    return (await fetch(`${at}/api/v1/cart`, { headers: { Authorization: `Bearer ${token}` } })).json();
  }, shop);
  /** Sets the price of a product with one SKU at the desk. */
  const reprice = async (name, yuan) => {
    const { id } = (await buyer.goods(name)).find((item) => item.name === name);
    await desk.goto(`${shop}/admin/products/${id}`);
    await desk.locator('input[name$=".price"]').first().fill(yuan);
    await desk.getByRole("button", { name: "保存" }).first().click();
    await until("the price", async () => (await buyer.goods(name))[0].priceFen === Math.round(Number(yuan) * 100));
  };

  await step("a product is marked, and its page remembers", async () => {
    await buyer.product("手工挂面");
    await buyer.button("收藏").click();
    await buyer.says("收藏好了");
    await buyer.product("手工挂面");
    await buyer.button("已收藏").waitFor();
    await buyer.shot("stage-product-marked");
  });

  await step("favourites say what it costs now", async () => {
    await reprice("手工挂面", "16.80");
    await buyer.enter("/pages/me/me");
    await buyer.see("link", "我的收藏").click();
    await buyer.says("比收藏时便宜了 ¥2.00");
    await buyer.shot("stage-favourites");
    await buyer.clean("favourites");
  });

  await step("what is put into the cart here is in the cart of another phone, and a change there comes back", async () => {
    await buyer.product("手工挂面");
    await buyer.button("加入购物车").click();
    await until("the shop's cart", async () => (await cart()).items.length === 1);
    const other = await stage();
    await other.page.goto(shop);
    await other.page.evaluate((all) => Object.entries(all).forEach(([key, value]) => localStorage.setItem(key, value)), await known());
    await other.enter("/pages/cart/cart");
    await other.button("增加手工挂面").click();
    await until("the change", async () => (await cart()).items[0].quantity === 2);
    await buyer.enter("/pages/cart/cart");
    await buyer.text("已选 2 件").waitFor();
  });

  await step("without a network the cart works on, and tells the shop when it is back", async () => {
    await page.context().setOffline(true);
    await buyer.button("增加手工挂面").click();
    await buyer.text("已选 3 件").waitFor();
    await buyer.says("连不上网");
    assert.equal((await cart().catch(() => null)), null);
    await page.context().setOffline(false);
    await buyer.enter("/pages/cart/cart");
    await until("the change", async () => (await cart()).items[0].quantity === 3);
    await buyer.shot("stage-cart-shared");
  });

  let number;
  await step("an order is paid, sent and received; then it is moved off the list, and back", async () => {
    number = await buyer.buy("手工挂面");
    await desk.goto(`${shop}/admin/orders/${number}`);
    await desk.getByLabel("快递单号").first().fill("SF1234567890123");
    await desk.getByRole("button", { name: /^发货/ }).first().click();
    await buyer.enter(`/pages/order/order?id=${number}`);
    await buyer.button("确认收货").click();
    await buyer.answer("确认收货");
    await buyer.says("已签收");
    await buyer.enter("/pages/orders/orders?status=completed");
    const first = page.locator(".card").filter({ visible: true }).first();
    await first.getByRole("button", { name: "移走" }).click();
    await buyer.says("已从列表移走");
    await buyer.shot("stage-order-away");
    await buyer.clean("orders");
    await buyer.button("撤销").click();
    await first.getByRole("button", { name: "移走" }).waitFor();
    await first.getByRole("button", { name: "移走" }).click();
    await buyer.see("tab", "移走的").click();
    await buyer.button("放回列表").click();
    await buyer.says("没有移走的订单");
    // Staff have it all the while.
    await desk.goto(`${shop}/admin/orders?q=${number}`);
    await desk.getByText(number.slice(-6)).first().waitFor();
  });

  await step("bought again, the buyer is told what is different", async () => {
    await reprice("手工挂面", "19.80");
    await buyer.enter(`/pages/order/order?id=${number}`);
    await buyer.button("再来一单").click();
    await buyer.says("手工挂面：贵了 ¥3.00");
    await buyer.shot("stage-again");
    await buyer.answer("去购物车");
    await buyer.text(/样能买/).waitFor();
  });
});
