// What is cheaper, and what was agreed on in a chat: staff write it at the desk, a buyer pays it on the phone.
import assert from "node:assert/strict";
import { story, until } from "./shop.mjs";

await story(async ({ shop, step, shot, stage, login, fits }) => {
  const buyer = await stage();
  const desk = await login();
  const yuan = (fen) => (fen / 100).toFixed(2);

  /** Writes a promotion; the form shows only what belongs to its kind. */
  const promote = async (fill) => {
    await desk.goto(`${shop}/admin/promotions/new`);
    for (const [name, value] of Object.entries(fill)) {
      const field = desk.locator(`form.promo [name="${name}"]`).first();
      if (name === "kind" || name === "given") await field.selectOption({ label: value });
      else await field.fill(value);
    }
    await desk.getByRole("button", { name: "保存" }).click();
    await desk.getByText("效果").waitFor();
  };

  await step("staff make a sum off in tiers, and a coupon with a code", async () => {
    await promote({ kind: "满减", given: "所有买家自动享受", name: "满三十减五", from: "30", off: "5" });
    await shot(desk, "promotion", true);
    await promote({ kind: "满减", given: "领取：链接或优惠码", name: "朋友券", off: "3", code: "PENGYOU" });
    await desk.getByText("pages/coupons/coupons?code=PENGYOU").waitFor();
    await shot(desk, "promotion-coupon", true);
  });

  await step("a buyer takes the coupon by its link, and a second time is told that he has it", async () => {
    await buyer.enter("/pages/coupons/coupons?code=PENGYOU");
    await buyer.says("朋友券");
    await buyer.shot("stage-coupons");
    await buyer.clean("coupons");
    await buyer.field("优惠码").fill("pengyou");
    await buyer.button("领取").click();
    await buyer.says("已经领过了");
    await buyer.answer("知道了");
  });

  let number;
  let order;
  const ask = async () => {
    const { v: token } = JSON.parse(await buyer.page.evaluate(() => localStorage.getItem("mp:token")));
    return (await fetch(`${shop}/api/v1/orders/${number}`, { headers: { Authorization: `Bearer ${token}` } })).json();
  };
  await step("both are off the price, and the reasons stand on the order", async () => {
    await buyer.product("法式乡村面包");
    await buyer.button("立即购买").click();
    const sheet = buyer.sheet("选择规格");
    await sheet.getByRole("button", { name: "增加" }).click();
    await sheet.getByRole("button", { name: "立即购买" }).click();
    await buyer.address();
    await buyer.says("满三十减五");
    await buyer.says("朋友券");
    await buyer.shot("stage-checkout-cheaper");
    await buyer.button("微信支付").click();
    number = await buyer.pay();
    order = await ask();
    assert.equal(order.discountFen, 800);
    assert.equal(order.paidFen, order.goodsFen + order.freightFen - 800);
    await buyer.says("优惠券 朋友券");
  });

  await step("a part that goes back is what was paid for it", async () => {
    await desk.goto(`${shop}/admin/orders/${number}`);
    await desk.getByRole("link", { name: "退款", exact: true }).click();
    const [line] = order.lines;
    const part = Math.round((line.priceFen * line.quantity - line.discountFen) / line.quantity);
    await desk.locator('input[name="lines[0].quantity"]').fill("1");
    await desk.getByRole("button", { name: /下一步|退款/ }).first().click();
    await desk.getByText(`¥${yuan(part)}`).first().waitFor();
    await shot(desk, "promotion-refund", true);
    await desk.getByRole("button", { name: "确认退款" }).click();
    await desk.getByText("退款已发出").waitFor();
    await until("the refund", async () => (await ask()).refundedFen === part);
    // The page follows it by itself, and would do so while the next one is opened.
    await desk.getByText("已退款", { exact: true }).first().waitFor();
    await desk.waitForLoadState();
  });

  await step("staff write down what was agreed on in a chat", async () => {
    await desk.goto(`${shop}/admin/drafts/new`);
    const comes = (words) => desk.getByText(words, { exact: true }).waitFor();
    await desk.getByLabel("第 1 样商品").fill("手工挂面");
    await desk.getByLabel("第 1 样数量").fill("2");
    await comes("商品 ¥37.60，运费按设置");
    // A tenth of what the shop asks has mostly a point too many.
    await desk.getByLabel("第 1 样单价（元）").fill("1.88");
    await desk.getByRole("button", { name: "生成订单码" }).click();
    await desk.getByText("¥18.80 改成 ¥1.88，差十倍以上：没有错就再按一次。").waitFor();
    await desk.getByLabel("第 1 样单价（元）").fill("15.5");
    await comes("商品 ¥31.00，运费按设置");
    assert.equal(await desk.getByLabel("第 3 样商品").isVisible(), false, "one row that is empty");
    await desk.getByLabel("粘贴聊天里的地址").fill("陈建国 13900000002 江苏省苏州市姑苏区平江路66号");
    await desk.getByRole("button", { name: "认出来填好" }).click();
    assert.equal(await desk.getByLabel("收货人", { exact: true }).inputValue(), "陈建国");
    await desk.getByLabel(/^运费/).fill("0");
    await comes("共 ¥31.00");
    await shot(desk, "draft-new", true);
    await desk.getByRole("button", { name: "生成订单码" }).click();
    await desk.getByRole("heading", { name: "发给买家" }).waitFor();
    await shot(desk, "draft", true);
  });

  await step("whoever opens it pays what was agreed on, and another comes too late", async () => {
    const code = (await desk.getByRole("heading", { level: 1 }).textContent()).trim();
    await buyer.enter(`/pages/draft/draft?code=${code}`);
    await buyer.says("店家给您开好了单");
    await buyer.shot("stage-draft");
    await buyer.clean("draft");
    await buyer.button("确认并付款").click();
    await buyer.desk.getByText("¥31.00").waitFor();
    number = await buyer.pay();
    assert.equal((await ask()).totalFen, 3100);
    await desk.goto(`${shop}/admin/orders/${number}`);
    await desk.getByText("代客下单").first().waitFor();
    const late = await stage();
    await late.enter(`/pages/draft/draft?code=${code}`);
    await late.says("已被领走");
  });

  await step("the rows of a receipt sum where a coupon takes the freight off", async () => {
    await promote({ kind: "包邮", given: "领取：链接或优惠码", name: "包邮券", code: "BAOYOU8" });
    const other = await stage();
    await other.enter("/pages/coupons/coupons?code=BAOYOU8");
    await other.says("包邮券");
    await other.product("法式乡村面包");
    await other.button("立即购买").click();
    await other.sheet("选择规格").getByRole("button", { name: "立即购买" }).click();
    await other.address();
    await other.says("优惠券 包邮券");
    /** What the rows of the receipt that is shown come to, and what is to be paid. */
    const rows = async (last) => {
      const texts = (await other.page.locator(".sum, .ends").filter({ visible: true }).allInnerTexts()).map((text) => text.replace(/\s+/g, " "));
      const fen = (text) => Math.round(Number(/([−-]?)\s*¥?\s*([−-]?)\s*([\d.]+)$/.exec(text.replace(/ /g, ""))[3]) * 100) * (/[−-]/.test(text) ? -1 : 1);
      const [end] = texts.filter((text) => text.startsWith(last));
      return { sum: texts.filter((text) => /^(商品|运费|优惠券|满)/.test(text)).reduce((sum, text) => sum + fen(text), 0), end: fen(end), texts };
    };
    const before = await rows("要付");
    assert.ok(before.texts.some((text) => /运费.*8/.test(text)), before.texts.join(" | "));
    assert.equal(before.sum, before.end, before.texts.join(" | "));
    await other.shot("stage-checkout-free-freight");
    await other.button("微信支付").click();
    await other.desk.getByRole("button", { name: "确认支付" }).waitFor();
    await other.pay();
    await other.says("优惠券 包邮券");
    const after = await rows("实付");
    assert.equal(after.sum, after.end, after.texts.join(" | "));
    await other.shot("stage-order-free-freight");
  });

  await step("no page is wider than the phone it is on", () => fits(desk, ["/admin/promotions", "/admin/drafts", "/admin/drafts/new"]));
});
