// A buyer in trouble: no network in the middle, a login that ended, a price that moved, goods that went, a finger that taps twice,
// a cash desk closed by the back gesture, and a way that leads on and on.
import assert from "node:assert/strict";
import { story, until } from "./shop.mjs";

await story(async ({ shop, step, stage, expect, login }) => {
  const buyer = await stage();
  const { page } = buyer;
  const desk = await login("/products");
  const asked = [];
  page.on("request", (request) => asked.push(`${request.method()} ${new URL(request.url()).pathname}`));
  const times = (what) => asked.filter((one) => one === what).length;

  /** Between these two nothing of the shop's API is reached. */
  const API = /\/api\/v1\//;
  const cut = () => page.route(API, (route) => route.abort());
  const heal = () => page.unroute(API);
  const mine = async (path) => {
    const { v: token } = JSON.parse(await page.evaluate(() => localStorage.getItem("mp:token")));
    return (await fetch(`${shop}/api/v1${path}`, { headers: { Authorization: `Bearer ${token}` } })).json();
  };
  const edit = async (name, change) => {
    await desk.goto(`${shop}/admin/products?q=${encodeURIComponent(name)}`);
    await desk.getByRole("link", { name: "编辑" }).first().click();
    await change();
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
  };
  const toCheckout = async (name) => {
    await buyer.product(name);
    await buyer.button("立即购买").click();
    await buyer.sheet("选择规格").getByRole("button", { name: "立即购买" }).click();
    await buyer.address();
  };

  let number;
  await step("whoever closes the cash desk is back at his order with its clock, and pays later", async () => {
    await buyer.order("手工挂面");
    await buyer.sheet("微信支付").getByRole("button", { name: "关闭" }).click();
    await buyer.says("还没付款，货给你留着");
    await buyer.says("刚才关掉了收银台，钱没有付出去。");
    await buyer.see("timer", "").waitFor();
    number = await buyer.number();
    await buyer.button("付款", { exact: false }).click();
    await buyer.desk.getByRole("button", { name: "确认支付" }).waitFor();
    await page.goBack();
    await buyer.says("还没付款，货给你留着");
    await buyer.button("付款", { exact: false }).click();
    assert.equal(await buyer.pay(), number);
  });

  await step("without the shop each page says so once, has its 重试, and is what it was afterwards", async () => {
    expect(/ERR_FAILED/);
    const address = (await mine("/addresses")).items[0].id;
    const { id } = (await buyer.goods("法式乡村面包"))[0];
    for (const [path, then] of [
      [`product/product?id=${id}`, "立即购买"],
      ["category/category", "只看有货"],
      ["orders/orders", "手工挂面"],
      [`order/order?id=${number}`, number],
      [`refund/refund?id=${number}`, "退哪些"],
      [`invoice/invoice?id=${number}`, "开票金额"],
      ["addresses/addresses", "王小样"],
      [`address/address?id=${address}`, "设为默认地址"],
      ["favourites/favourites", "还没有收藏"],
      ["coupons/coupons", "这里没有优惠券"],
      ["search/search?q=面包", "法式乡村面包"],
    ]) {
      await cut();
      await buyer.enter(`/pages/${path}`);
      await buyer.says("连不上网");
      assert.equal(await buyer.button("重试").count(), 1, path);
      await heal();
      await buyer.button("重试").click();
      await buyer.says(then);
      assert.equal(await buyer.button("重试").count(), 0, path);
    }
  });

  await step("an answer that is lost on its way costs no second order", async () => {
    await toCheckout("手工挂面");
    const before = (await mine("/orders")).items.length;
    await page.route(/\/api\/v1\/prepay/, async (route) => {
      await route.fetch();
      await route.abort();
    });
    await buyer.button("微信支付").click();
    await buyer.answer("知道了");
    await page.unroute(/\/api\/v1\/prepay/);
    await buyer.button("微信支付").click();
    await buyer.pay();
    assert.equal((await mine("/orders")).items.length, before + 1);
  });

  await step("a finger that taps twice places one order", async () => {
    await toCheckout("手工挂面");
    asked.length = 0;
    await buyer.button("微信支付").dblclick();
    await buyer.pay();
    assert.equal(times("POST /api/v1/prepay"), 1);
  });

  await step("a login that ends at the till is renewed, and the order is sent once more", async () => {
    expect(/status of 401/);
    await toCheckout("手工挂面");
    asked.length = 0;
    await page.evaluate(() => localStorage.setItem("mp:token", JSON.stringify({ v: "ended-long-ago" })));
    await buyer.button("微信支付").click();
    await buyer.pay();
    assert.deepEqual([times("POST /api/v1/login"), times("POST /api/v1/prepay")], [1, 2]);
  });

  await step("who is refused even then is told, and nobody asks for ever", async () => {
    const refused = { status: 401, json: { error: { code: "unauthenticated", message: "登录已失效，请重新登录" } } };
    await page.route(/\/api\/v1\/orders\?/, (route) => route.fulfill(refused));
    await buyer.enter("/pages/orders/orders");
    await buyer.says("登录已失效");
    asked.length = 0;
    await page.reload();
    await buyer.says("登录已失效");
    assert.deepEqual([times("GET /api/v1/orders"), times("POST /api/v1/login")], [2, 1]);
    await page.unroute(/\/api\/v1\/orders\?/);
    await buyer.button("重试").click();
    await buyer.says("手工挂面");
  });

  await step("a price that moved between looking and paying is asked about", async () => {
    await buyer.product("法式乡村面包");
    await buyer.button("加入购物车").click();
    await buyer.see("button", /^购物车/).click();
    await buyer.button("去结算").click();
    await buyer.button("微信支付").waitFor();
    await edit("法式乡村面包", () => desk.getByLabel("售价", { exact: true }).first().fill("21.50"));
    await buyer.button("微信支付").click();
    const sheet = buyer.sheet("价格有变化");
    await sheet.filter({ hasText: "¥29.50" }).waitFor();
    await sheet.getByRole("button", { name: "再想想" }).click();
    await buyer.button("微信支付").click();
    await buyer.desk.getByText("¥29.50").waitFor();
    await buyer.pay();
  });

  await step("a line that is short says so and is brought down, one that became cheaper says by how much", async () => {
    await buyer.product("手工挂面");
    await buyer.button("加入购物车").click();
    await buyer.says("已放进购物车");
    await buyer.enter("/pages/cart/cart");
    for (let more = 1; more < 4; more += 1) {
      await buyer.button("增加手工挂面").click();
      await buyer.text(`已选 ${more + 1} 件`).waitFor();
    }
    await edit("手工挂面", async () => {
      await desk.getByLabel("库存", { exact: true }).first().fill("6");
      await desk.getByLabel("售价", { exact: true }).first().fill("16.80");
    });
    await buyer.enter("/pages/cart/cart");
    await buyer.says("只剩 2 件，已替你改成 2");
    await buyer.text("已选 2 件").waitFor();
    await buyer.enter("/pages/cart/cart");
    await buyer.says("比加入时便宜 ¥2");
    await edit("手工挂面", () => desk.getByLabel("库存", { exact: true }).first().fill("50"));
    await buyer.button("管理").click();
    await buyer.button("移除选中的").click();
    await buyer.says("篮子还空着");
  });

  await step("a picture is looked at closely", async () => {
    await buyer.product("手工挂面");
    await buyer.button("看大图 1").click();
    const sheet = buyer.sheet("查看大图");
    const wide = () => sheet.getByRole("img").evaluate((picture) => picture.getBoundingClientRect().width);
    const before = await wide();
    await sheet.getByRole("button", { name: "放大" }).click();
    assert.ok((await wide()) > 2 * before);
    await buyer.clean("picture");
    await sheet.getByRole("button", { name: "缩小" }).click();
    assert.equal(await wide(), before);
    await sheet.getByRole("button", { name: "关闭" }).click();
  });

  await step("what goes off the shelf at the till leads back to the cart, which says so and keeps the rest", async () => {
    expect(/status of 404/);
    for (const name of ["法式乡村面包", "手工挂面"]) {
      await buyer.product(name);
      await buyer.button("加入购物车").click();
      await buyer.says("已放进购物车");
    }
    await buyer.enter("/pages/cart/cart");
    await buyer.says("2 样能买");
    await buyer.button("去结算").click();
    await buyer.button("微信支付").waitFor();
    await desk.goto(`${shop}/admin/products?q=${encodeURIComponent("法式乡村面包")}`);
    await desk.getByRole("button", { name: /下架/ }).first().click();
    await until("the shelf", async () => !(await buyer.goods("法式乡村面包")).length);
    await buyer.button("微信支付").click();
    await buyer.says("没有下成单");
    await buyer.answer("去购物车");
    await buyer.says("买不了的 1 样");
    await buyer.says("已下架");
    await buyer.says("1 样能买");
    await buyer.button("清空").click();
    await buyer.text("买不了的").waitFor({ state: "hidden" });
    await buyer.says("手工挂面");
  });

  await step("goods lead on to goods for as long as one likes, and the till still opens", async () => {
    await buyer.product("手工挂面");
    const title = () => page.locator(".stage-page:not([hidden]) .title").first().textContent();
    for (let turn = 0; turn < 12; turn += 1) {
      const before = await title();
      await page.locator(".stage-page:not([hidden]) .goods").first().click();
      await until("the next product", async () => (await buyer.button("立即购买").or(buyer.button("已售罄")).count()) === 1 && (await title()) !== before);
    }
    await buyer.button("立即购买").click();
    const sheet = buyer.sheet("选择规格");
    for (const spec of await sheet.locator(".spec:has(.chips)").all()) await spec.locator(".chip:not(.chip-out)").first().click();
    await sheet.getByRole("button", { name: "立即购买" }).click();
    await buyer.button("微信支付").waitFor();
    await buyer.text("王小样").click();
    await buyer.button("新地址").click();
    await buyer.field("粘贴整段地址").waitFor();
  });
});
