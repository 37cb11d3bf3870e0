// Money goes back, comes late, and is matched with WeChat's bill: what buyer and staff see of it.
import assert from "node:assert/strict";
import { story, until } from "./shop.mjs";

await story(async ({ shop, simulator, step, shot, open, stage, login, fits }) => {
  const buyer = await stage();
  const { page } = buyer;
  const desk = await login();
  const panel = await open();
  const state = async () => (await fetch(`${simulator}/simulator/state`)).json();

  /** Looks at a page again and again until it says so. */
  const becomes = (where, path, words) => until(words, async () => {
    await where.goto(shop + path);
    return (await where.content()).includes(words);
  });
  const fault = async (kind, words) => {
    await panel.goto(simulator);
    await panel.getByLabel("接口").selectOption(kind);
    await panel.getByLabel("故障").selectOption({ label: words });
    await panel.getByRole("button", { name: "安排故障" }).click();
    await panel.getByText("故障已安排").waitFor();
  };
  /** Staff refund the whole order; answers with the refund's number. */
  const refund = async (no) => {
    await desk.goto(`${shop}/admin/orders/${no}`);
    await desk.getByRole("link", { name: "退款", exact: true }).click();
    await desk.getByRole("button", { name: "整单退款" }).click();
    await desk.getByText("原路退回微信").waitFor();
    await desk.getByRole("button", { name: "确认退款" }).click();
    await desk.getByText("退款已发出").waitFor();
    return desk.url().split("/").pop();
  };

  await step("a buyer asks for the money back, staff agree, and it arrives", async () => {
    const no = await buyer.buy("法式乡村面包");
    await buyer.button("申请退款").click();
    await buyer.text("¥30.00").waitFor();
    await buyer.see("checkbox", "退法式乡村面包").click();
    await buyer.button("提交申请").click();
    await buyer.says("先勾选要退的东西");
    await buyer.see("checkbox", "退法式乡村面包").click();
    await buyer.text("¥30.00").waitFor();
    await buyer.button("提交申请").click();
    await buyer.says("选一下为什么退");
    await buyer.button("不想要了").click();
    await buyer.field("说一说").fill("临时有事");
    await buyer.shot("stage-refund");
    await buyer.clean("refund");
    await buyer.button("提交申请").click();
    await buyer.says("申请已交给店家");
    await buyer.button("撤回申请").waitFor();
    await buyer.shot("stage-progress");
    await buyer.clean("progress");

    await desk.goto(`${shop}/admin/refunds`);
    await shot(desk, "console-refunds", true);
    await desk.locator("article", { hasText: no }).getByRole("link", { name: "处理" }).click();
    await desk.getByText("临时有事").first().waitFor();
    await shot(desk, "console-refund", true);
    // What it comes to is said while it is typed, unless the shop would refuse it.
    await desk.getByLabel("退运费").fill("");
    for (const [pieces, amount, sum] of [["1", "", "22.00"], ["2", "", ""], ["1.5", "", ""], ["1", "-5", ""], ["1", "1e2", ""], ["1", "12.345", ""], ["１", "１２", "12.00"], ["1", "¥1.5", "1.50"]]) {
      await desk.getByLabel("退几件").fill(pieces);
      await desk.getByLabel("退款金额").fill(amount);
      const said = sum ? `同意，下一步：共约 ¥${sum}` : "同意，下一步";
      assert.equal(await desk.getByRole("button", { name: "同意，下一步" }).innerText(), said, `${pieces} ${amount}`);
    }
    await desk.reload();
    await desk.getByRole("button", { name: "同意，下一步" }).click();
    await desk.getByText("操作人 demo").waitFor();
    await shot(desk, "console-refund-confirm");
    await desk.getByRole("button", { name: "确认退款" }).click();
    await becomes(desk, `/admin/refunds/${no}R01`, "支付用户零钱");
    await shot(desk, "console-refund-done", true);
    await page.reload();
    await buyer.says("钱退给你了");
    await buyer.enter(`/pages/order/order?id=${no}`);
    await buyer.says("钱已经退给你了");
  });

  await step("an answer that gets lost pays once", async () => {
    const no = await buyer.buy("五仁月饼礼盒");
    await fault("refund", "照办，但回答丢失");
    await shot(panel, "simulator", true);
    const refundNo = await refund(no);
    await becomes(desk, `/admin/refunds/${refundNo}`, "支付用户零钱");
    const there = (await state()).refunds.filter((one) => one.outRefundNo === refundNo);
    assert.deepEqual(there.map((one) => one.asked), [1]);
  });

  await step("a refund without funds says what to do, and is sent again under its number", async () => {
    const no = await buyer.buy("长绒棉毛巾");
    await fault("refund", "拒绝 NOTENOUGH 基本账户余额不足");
    const refundNo = await refund(no);
    await becomes(desk, `/admin/refunds/${refundNo}`, "请先在微信商户平台充值");
    await shot(desk, "console-refund-failed", true);
    await desk.getByRole("button", { name: "重试" }).click();
    await becomes(desk, `/admin/refunds/${refundNo}`, "支付用户零钱");
    assert.equal(refundNo, `${no}R01`);
  });

  await step("staff change the price of an order that is not paid yet", async () => {
    await buyer.order("冷榨山茶油");
    const no = await buyer.leaveDesk();
    await desk.goto(`${shop}/admin/orders/${no}/price`);
    await desk.getByLabel("应付").fill("1.00");
    await desk.getByLabel("其中运费").fill("0");
    await desk.getByLabel("原因").fill("老客优惠");
    await shot(desk, "console-price");
    // A tenth and less is asked about before it is in force.
    await desk.getByRole("button", { name: "确认改价" }).click();
    await desk.getByText("差十倍以上").waitFor();
    await desk.getByRole("button", { name: "确认改价" }).click();
    await desk.getByText("¥1.00").first().waitFor();
    await page.reload();
    await buyer.button("付款 ¥1.00").click();
    await page.getByText("之前的支付单正在关闭").waitFor();
    await buyer.shot("stage-closing");
  });

  await step("money that comes after the order was cancelled brings it back", async () => {
    await buyer.order("手工挂面");
    const no = await buyer.leaveDesk();
    await buyer.button("取消订单").click();
    await buyer.answer("取消订单");
    await buyer.says("订单已取消");
    await panel.goto(simulator);
    await panel.locator("tr", { hasText: `${no}01` }).getByRole("button", { name: "现在付款" }).click();
    await until("the order to come back", async () => {
      await page.reload();
      return buyer.text("付好了，店家在备货").waitFor({ timeout: 2000 }).then(() => true, () => false);
    });
    await desk.goto(`${shop}/admin/exceptions`);
    await desk.locator("section", { hasText: no }).getByText("关闭后到账").waitFor();
    await shot(desk, "console-exceptions", true);
  });

  await step("a refund made in WeChat's own console is found out", async () => {
    const no = await buyer.buy("青花汤碗");
    const { transactionId } = (await state()).trades.find((trade) => trade.outTradeNo === `${no}01`);
    await panel.goto(simulator);
    await panel.getByLabel("微信交易号", { exact: true }).fill(transactionId);
    await panel.getByLabel("金额（元）").fill("0.50");
    await panel.getByRole("button", { name: "退款", exact: true }).click();
    await panel.getByText("已在“商户平台”退款").waitFor();
    await becomes(desk, `/admin/orders/${no}`, "商户平台退款");
    await becomes(desk, `/admin/orders/${no}`, "部分退款");
  });

  await step("a day is matched with its bill, and what differs stands side by side", async () => {
    await desk.goto(`${shop}/admin/money`);
    await shot(desk, "console-money", true);
    const day = (await desk.locator(".calendar .ok a").last().getAttribute("href")).split("/").pop();
    const header = "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注";
    // Of the form of our own numbers, and known to nobody here: another form would be another app's money.
    const row = [`${day} 12:00:00`, "wx0000000000000demo", "1900000000", "0", "", "4200000000999999999999999999", `${day.replaceAll("-", "")}7K2M0A1B2C01`, "openid", "JSAPI", "SUCCESS", "OTHERS",
      "CNY", "9.00", "0.00", "0", "0", "0.00", "0.00", "", "", "没有人认识的", "", "0.05000", "0.60%", "9.00", "0.00", ""];
    const total = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额";
    const bill = [header, row.map((value) => `\`${value}`).join(","), total, "`1.0,`9.00,`0.00,`0.00,`0.05000,`9.00,`0.00", ""].join("\r\n");
    const put = (body) => fetch(`${simulator}/simulator/bills/${day}`, { method: "PUT", body });
    assert.ok((await put(bill)).ok);
    await desk.goto(`${shop}/admin/money/${day}`);
    await desk.getByRole("button", { name: "重新对账", exact: true }).click();
    await becomes(desk, `/admin/money/${day}`, "4200000000999999999999999999");
    await desk.getByText("本店有付款，微信没有").first().waitFor();
    await shot(desk, "console-money-day", true);
    assert.ok((await put("")).ok);
    await desk.getByRole("button", { name: "重新对账", exact: true }).click();
    await becomes(desk, `/admin/money/${day}`, "再次对账已一致");
    await desk.locator(".day.ok").waitFor();
    const report = await desk.request.get(`${shop}/admin/money/${day.slice(0, 7)}/report.xlsx`);
    assert.equal(report.headers()["content-type"], "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet");
    assert.equal((await report.body()).subarray(0, 2).toString(), "PK");
    await fits(desk, ["/admin/refunds?tab=succeeded", "/admin/exceptions", "/admin/money", `/admin/money/${day}`, "/admin/jobs"]);
  });

  await step("a certificate that is none is refused in words", async () => {
    await desk.goto(`${shop}/admin/settings`);
    const file = (name) => ({ name, mimeType: "application/x-pem-file", buffer: Buffer.from("not a certificate") });
    await desk.locator("#certificate").getByLabel("证书").setInputFiles(file("apiclient_cert.pem"));
    await desk.locator("#certificate").getByLabel("私钥").setInputFiles(file("apiclient_key.pem"));
    await desk.getByRole("button", { name: "上传并检查" }).click();
    await desk.locator(".flash.error").waitFor();
    await shot(desk, "console-certificate");
  });
});
