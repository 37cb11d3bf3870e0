// Goods come back: a buyer asks with a photograph, sends the parcel and has his money; another has others for them; and
// what was lost goes out once more.
import assert from "node:assert/strict";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buyer as byApi, story, until } from "./shop.mjs";

const ADDRESS = "退货组 0571-88001234 浙江省杭州市西湖区演示路 1 号";

await story(async ({ shop, simulator, step, shot, stage, login, fits }) => {
  const buyer = await stage({ viewport: { width: 390, height: 844 }, deviceScaleFactor: 1, hasTouch: true, locale: "zh-CN" });
  const { page } = buyer;
  const desk = await login();
  await desk.setViewportSize({ width: 1440, height: 900 });
  const becomes = (path, words) => until(words, async () => {
    await desk.goto(shop + path);
    return (await desk.content()).includes(words);
  });
  // A photograph as a phone would have it: a picture of the shop's own.
  const [goods] = await buyer.goods("杯");
  const photo = join(mkdtempSync(join(tmpdir(), "xiaopu-photo-")), "broken.jpg");
  writeFileSync(photo, Buffer.from(await (await fetch(shop + goods.coverUrl)).arrayBuffer()));

  const ship = async (no) => {
    await desk.goto(`${shop}/admin/orders/${no}`);
    await desk.getByLabel("快递公司").first().fill("顺丰");
    await desk.getByLabel("快递单号").first().fill("SF1234567890123");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await desk.getByText("已发货 顺丰速运 SF1234567890123").waitFor();
  };
  /** Opens the one case that waits in this tab. */
  const open = async (tab, words) => {
    await desk.goto(`${shop}/admin/returns?tab=${tab}`);
    await shot(desk, `console-returns-${tab}`);
    await desk.locator("article").first().getByRole("link", { name: words, exact: true }).click();
    await desk.getByRole("heading", { level: 1 }).waitFor();
  };

  await step("where an address to send to is missing, the shop writes it once", async () => {
    await desk.goto(`${shop}/admin/settings`);
    await desk.getByLabel("退货地址").fill(ADDRESS);
    await desk.locator("form", { has: desk.getByLabel("退货地址") }).getByRole("button", { name: "保存" }).first().click();
    await desk.getByText("已保存 1 项设置").waitFor();
  });

  let no;
  await step("a buyer asks to send goods back, with a photograph", async () => {
    no = await buyer.buy("法式乡村面包");
    await ship(no);
    await buyer.enter(`/pages/order/order?id=${no}`);
    await buyer.button("申请售后").click();
    await buyer.see("tab", "退货退款").click();
    await buyer.text("¥22.00").waitFor();
    await buyer.button("碎了或坏了").click();
    await buyer.field("说一说").fill("送到的时候压扁了");
    await buyer.button("加照片").click();
    // Asked for at the moment of use, like every private thing.
    const asks = buyer.button("同意");
    await asks.or(buyer.sheet("选择照片")).first().waitFor();
    if (await asks.isVisible()) await asks.click();
    await buyer.sheet("选择照片").getByLabel("照片文件").setInputFiles(photo);
    await buyer.button("删除照片 1").waitFor();
    await buyer.shot("stage-return");
    await buyer.clean("return");
    await buyer.button("提交申请").click();
    await buyer.says("申请已交给店家");
    await buyer.says("等店家回复");
    await page.getByRole("img", { name: "照片 1" }).waitFor();
    await buyer.shot("stage-return-asked");
    await buyer.clean("return asked");
  });

  await step("staff see the photograph, and agree", async () => {
    await open("requested", "处理");
    await desk.getByText("送到的时候压扁了").waitFor();
    const picture = desk.getByRole("img", { name: "照片 1" });
    assert.ok(await picture.evaluate((one) => one.decode().then(() => one.naturalWidth > 0)), "the photograph is there");
    await shot(desk, "console-return", true);
    assert.equal(await desk.getByLabel("退货地址").inputValue(), ADDRESS, "the shop's own address stands there");
    await desk.getByLabel("给买家的话").fill("不好意思，请用原包装寄回");
    await desk.getByRole("button", { name: "同意退货退款" }).click();
    await desk.getByText("已同意，买家会看到退货地址").waitFor();
    await shot(desk, "console-return-agreed", true);
  });

  await step("the buyer reads where to, and says by which parcel", async () => {
    await page.reload();
    await buyer.says("店家同意了，请寄回商品");
    await buyer.says(ADDRESS);
    await buyer.shot("stage-return-agreed");
    await buyer.clean("return agreed");
    await buyer.button("我寄了").click();
    await buyer.says("填一下快递单号");
    await buyer.field("快递单号").fill("YT8812345678901");
    await buyer.button("我寄了").click();
    await buyer.says("商品在寄回的路上");
    await buyer.says("寄回单号 圆通速递 YT8812345678901");
    await buyer.shot("stage-return-sent");
    await buyer.clean("return sent");
  });

  await step("staff have the goods, and the money goes back", async () => {
    await open("sent_back", "验收");
    await desk.getByText("圆通速递 YT8812345678901").first().waitFor();
    await desk.getByRole("link", { name: /^验收，退款 ¥22.00/ }).click();
    await desk.getByText("将退 ¥22.00").waitFor();
    await desk.getByLabel(/法式乡村面包/).check();
    await shot(desk, "console-return-receive", true);
    await desk.getByRole("button", { name: "收到了，退款 ¥22.00" }).click();
    await desk.getByText("已收到，退款已发出").waitFor();
    await becomes(`/admin/refunds/${no}R01`, "支付用户零钱");
    await page.reload();
    await buyer.says("钱退给你了");
    await buyer.shot("stage-return-done");
    await buyer.enter(`/pages/order/order?id=${no}`);
    await buyer.says("退款 · 已退款");
    await desk.goto(`${shop}/admin/orders/${no}`);
    await desk.getByRole("link", { name: "退货退款" }).waitFor();
    await shot(desk, "console-order-returned", true);
  });

  await step("goods are exchanged: what came is kept, others go out", async () => {
    const no = await buyer.buy("法式乡村面包");
    await ship(no);
    await buyer.enter(`/pages/order/order?id=${no}`);
    await buyer.button("申请售后").click();
    await buyer.see("tab", "换货").click();
    await buyer.button("发错了").click();
    await buyer.shot("stage-exchange");
    await buyer.button("提交申请").click();
    await buyer.says("申请已交给店家");
    await open("requested", "处理");
    await desk.getByRole("button", { name: "同意换货" }).click();
    await page.reload();
    await buyer.field("快递单号").fill("YT8812345678902");
    await buyer.button("我寄了").click();
    await buyer.says("商品在寄回的路上");
    await open("sent_back", "验收");
    await desk.getByRole("link", { name: /^验收，准备换货/ }).click();
    await desk.getByRole("button", { name: "收到了" }).click();
    await desk.getByText("已收到，请把换的商品寄给买家").waitFor();
    await shot(desk, "console-exchange-received", true);
    // The paper has what goes out, and its number leads from the scan desk to the field that waits for the label's.
    await desk.goto(`${shop}/admin/print/slips?order=${no}`);
    await desk.getByRole("row", { name: /换货 法式乡村面包.*×1/ }).waitFor();
    await desk.goto(`${shop}/admin/shipping/scan`);
    await desk.locator("#code").fill(no);
    await desk.keyboard.press("Enter");
    await desk.getByText(/要换出：法式乡村面包.* ×1/).first().waitFor();
    assert.equal(await desk.evaluate(() => document.activeElement.name), "tracking_no");
    await desk.getByLabel("快递单号").fill("SF7777777777777");
    await desk.getByRole("button", { name: "寄出，扣库存" }).click();
    await desk.getByText("换的商品已寄出，库存已扣").waitFor();
    await page.reload();
    await buyer.says("换的商品寄出了");
    await buyer.shot("stage-exchange-sent");
    await buyer.enter(`/pages/order/order?id=${no}`);
    await buyer.says("SF7777777777777");
  });

  await step("a parcel that was lost goes out once more, with a reason", async () => {
    const no = await buyer.buy("手工挂面");
    await ship(no);
    await desk.goto(`${shop}/admin/orders/${no}`);
    await desk.getByText("丢件、破损？补发").click();
    const form = desk.locator("#resend");
    await form.getByLabel("原因").fill("快递丢件");
    await form.getByLabel("快递单号").fill("SF8888888888888");
    await shot(desk, "console-resend", true);
    await form.getByRole("button", { name: "补发，扣库存" }).click();
    await desk.getByText("已补发，库存已扣").waitFor();
    await buyer.enter(`/pages/order/order?id=${no}`);
    await buyer.says("SF8888888888888");
    await buyer.says(/补发，/);
    await buyer.shot("stage-resent");
    await buyer.clean("resent");
  });

  await step("the key that ships opens a refund that stands before it, and says why nothing is to be sent", async () => {
    const other = await byApi({ shop, simulator }, "keys");
    const no = await other.buy("大米");
    await other.api(`/orders/${no}/refunds`, { reason: "不想要了" });
    // A tick by the mouse means that row, too, and leaves the keys as they are.
    const ways = [() => desk.keyboard.press("j"), () => desk.locator("[name=order]").first().check()];
    for (const [view, way] of ["cards", "table"].flatMap((view) => ways.map((way) => [view, way]))) {
      await desk.goto(`${shop}/admin/orders?tab=to_ship&q=${no}&view=${view}`);
      await way();
      await desk.keyboard.press("s");
      await desk.waitForURL(`**/admin/orders/${no}?**`);
    }
    await desk.goto(`${shop}/admin/orders?tab=shipped`);
    await desk.keyboard.press("j");
    await desk.keyboard.press("s");
    await desk.getByText(/待收货：没有要发的/).waitFor();
  });

  await step("no page is wider than the phone it is on", () => fits(desk, ["/admin/refunds", "/admin/returns", "/admin/returns?tab=done",
    "/admin/returns/1", "/admin/returns/1/receive", "/admin/returns/2", `/admin/orders/${no}`, "/admin/settings"]));
});
