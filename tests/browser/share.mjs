// A buyer comes back: favourites, an old order bought again, a cart that two phones share, an order moved off the list;
// a poster saved to the album, and an invoice asked for and written.
import assert from "node:assert/strict";
import { phone, story, until } from "./shop.mjs";

await story(async ({ shop, step, shot, stage, expect, login, fits }) => {
  const buyer = await stage({ ...phone, viewport: { width: 390, height: 844 } });
  const { page } = buyer;
  const desk = await login("/products");

  /** What this phone knows the buyer by; another phone is given it. */
  const known = () => page.evaluate(() => Object.fromEntries(["mp:token", "mp:buyer", "mp:__user"].map((key) => [key, localStorage.getItem(key)])));
  /** What the shop holds, whether or not the phone reaches it. */
  const cart = async () => {
    const { v: token } = JSON.parse(await page.evaluate(() => localStorage.getItem("mp:token")));
    return (await fetch(`${shop}/api/v1/cart`, { headers: { Authorization: `Bearer ${token}` } })).json();
  };
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
    expect(/ERR_INTERNET_DISCONNECTED/);
    await page.context().setOffline(true);
    await buyer.button("增加手工挂面").click();
    await buyer.text("已选 3 件").waitFor();
    await buyer.says("连不上网");
    assert.equal((await cart()).items[0].quantity, 2);
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

  await step("a poster is drawn and saved, once the album is allowed", async () => {
    await buyer.product("手工挂面");
    await buyer.button("分享").click();
    const sheet = buyer.sheet("分享");
    await sheet.getByRole("button", { name: "生成海报" }).click();
    await sheet.getByRole("button", { name: "存到相册" }).waitFor();
    await buyer.shot("stage-poster");
    await buyer.clean("poster");
    const ink = await page.locator("canvas").evaluate((canvas) => {
      const seen = new Set(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 === 0));
      return { colours: seen.size, width: canvas.width };
    });
    assert.ok(ink.width === 750 && ink.colours > 30, JSON.stringify(ink));
    await sheet.getByRole("button", { name: "存到相册" }).click();
    await buyer.button("同意").click();
    await buyer.answer("拒绝");
    await buyer.says("没有得到写相册的允许");
    await sheet.getByRole("button", { name: "去设置" }).click();
    await buyer.answer("打开");
    await sheet.getByRole("button", { name: "去设置" }).waitFor({ state: "hidden" });
    await sheet.getByRole("button", { name: "存到相册" }).click();
    await buyer.says("存到相册了");
    // Whoever scans the code comes to the same product.
    const { id } = (await buyer.goods("手工挂面"))[0];
    await buyer.enter(`/pages/product/product?scene=${encodeURIComponent(`id=${id}`)}`);
    await buyer.says("石磨小麦");
  });

  await step("the desk has the code and the same poster", async () => {
    const { id } = (await buyer.goods("手工挂面"))[0];
    await desk.goto(`${shop}/admin/products/${id}`);
    await desk.getByRole("link", { name: "推广" }).click();
    const poster = desk.getByRole("img", { name: /^海报/ });
    await poster.evaluate((image) => image.decode());
    assert.equal(await poster.evaluate((image) => image.naturalWidth), 750);
    const [saved] = await Promise.all([desk.waitForEvent("download"), desk.getByRole("button", { name: "存成图片" }).click()]);
    assert.match(saved.suggestedFilename(), /^海报-手工挂面\.png$/);
    await shot(desk, "console-share", true);
  });

  await step("an invoice is asked for with a title that is checked, and written", async () => {
    await buyer.enter(`/pages/order/order?id=${number}`);
    await buyer.see("link", "发票").click();
    await buyer.see("tab", "企业").click();
    await buyer.button("用微信里的发票抬头").click();
    await buyer.says("微信没有给抬头，请直接填写");
    await buyer.field("发票抬头").fill("福州某某有限公司");
    await buyer.field("税号").fill("91350100M000100Y44");
    await buyer.button("申请发票").click();
    await buyer.says("校验位不对");
    await buyer.shot("stage-invoice");
    await buyer.clean("invoice");
    await buyer.field("税号").fill("91350100M000100Y43");
    await buyer.button("申请发票").click();
    await buyer.says("等店家开票");
    await desk.goto(`${shop}/admin/invoices`);
    await desk.getByText("福州某某有限公司").waitFor();
    await shot(desk, "console-invoices", true);
    await desk.getByLabel("发票号码").fill("24352000000123456789");
    await desk.getByRole("button", { name: /^已开/ }).click();
    await desk.getByText("已记下").waitFor();
    await buyer.enter(`/pages/invoice/invoice?id=${number}`);
    await buyer.says("24352000000123456789");
    await buyer.shot("stage-invoice-issued");
    await buyer.clean("invoice issued");
  });

  await step("no page is wider than the phone it is on", () => fits(desk, ["/admin/invoices?state=issued", `/admin/products/1/share`]));
});
