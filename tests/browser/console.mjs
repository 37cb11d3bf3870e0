// A day at the console: shipping, goods, staff, backups.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { buyer, phone, scan, story, until } from "./shop.mjs";

await story(async ({ shop, simulator, step, shot, open, expect, login, password }) => {
  const desk = await login();

  const { api, buy } = await buyer({ shop, simulator }, "many");

  const orders = [];
  await step("twenty orders are shipped by pasting a table", async () => {
    for (let n = 0; n < 22; n += 1) orders.push(await buy());
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    await desk.getByRole("button", { name: "50", exact: true }).click();
    await until("the payments", async () => {
      await desk.goto(`${shop}/admin/orders?tab=to_ship`);
      const page = await desk.content();
      return orders.every((no) => page.includes(no)) && (await desk.locator("article").count()) >= 22;
    });
    await shot(desk, "orders", true);
    const rows = orders.slice(0, 20).map((no, n) => `${no}\t顺丰\tSF12345678901${String(n).padStart(2, "0")}`);
    await desk.goto(`${shop}/admin/shipping`);
    await shot(desk, "shipping");
    await desk.getByLabel("从表格复制").fill(["订单号\t快递公司\t快递单号", ...rows, `${orders[20]}\t中通\t7.73E+14`].join("\n"));
    await desk.getByRole("button", { name: "核对" }).first().click();
    await desk.getByText("20 行可执行").waitFor();
    await desk.getByRole("radio", { name: "1 行有问题" }).check();
    assert.deepEqual(await desk.locator(".verdict").evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => one.className.match(/of-(\w+)/)[1])), ["wrong"]);
    await desk.getByRole("radio", { name: "行全部" }).check();
    await desk.getByText("科学计数").waitFor();
    await shot(desk, "shipping-check", true);
    await desk.getByRole("button", { name: "只执行可以的 20 行" }).click();
    await desk.getByText("20 行已执行").waitFor();
    await desk.goto(`${shop}/admin/orders/${orders[19]}`);
    await desk.getByText("顺丰速运 SF1234567890119").first().waitFor();
  });

  await step("each paper comes out in its own size", async () => {
    const mm = (points) => Math.round((points * 25.4) / 72);
    for (const [paper, wide, long] of [["a4", 210, 297], ["100", 100, 150], ["80", 80], ["58", 58]]) {
      for (const kind of ["slips", "picking"]) {
        await desk.goto(`${shop}/admin/print/${kind}?paper=${paper}&order=${orders[21]}&order=${orders[20]}`);
        const pdf = (await desk.pdf({ preferCSSPageSize: true })).toString("latin1");
        const pages = [...pdf.matchAll(/\/MediaBox\s*\[\s*0 0 ([\d.]+) ([\d.]+)/g)].map(([, w, h]) => [mm(w), mm(h)]);
        assert.equal(pages.length, kind === "slips" ? 2 : 1, `${kind} on ${paper}: ${pages}`);
        for (const [w, h] of pages) {
          assert.ok(w === wide && (long ? h === long : h > wide && h < 210), `${kind} on ${paper}: ${w}×${h} mm`);
        }
        const beyond = await desk.evaluate(() => {
          const name = document.querySelector(".slip td");
          name.textContent = "W".repeat(60);
          return name.closest(".slip").scrollWidth - name.closest(".slip").clientWidth;
        });
        assert.equal(beyond, 0, `a long word pushes the count off ${kind} on ${paper}`);
        const margins = await desk.evaluate(() => getComputedStyle(document.querySelector(".slip")).boxDecorationBreak);
        assert.equal(margins, "clone", "the next sheet of a long slip begins where the printer cannot reach");
      }
    }
    await desk.goto(`${shop}/admin/print/slips?paper=a4&order=${orders[21]}`);
  });

  await step("an order that is longer than its sheet says on each which of them it is", async () => {
    for (const [paper, wide, long] of [["100", 100, 150], ["a4", 210, 297]]) {
      await desk.route("**/admin/print/slips?**", async (route) => {
        const answer = await route.fetch();
        const html = await answer.text();
        const [row] = html.match(/<tr>\s*<td>[^]*?<\/tr>/);
        await route.fulfill({ response: answer, body: html.replace(row, Array.from({ length: 61 }, (_, n) => row.replace("×1", `×${n + 1}`)).join("")) });
      });
      await desk.goto(`${shop}/admin/print/slips?paper=${paper}&chosen=true&extra=bars&order=${orders[21]}&order=${orders[20]}`);
      await desk.unroute("**/admin/print/slips?**");
      const sheets = await desk.evaluate(() => [...document.querySelectorAll(".slip")].map((slip) => [
        slip.querySelector(".again").textContent.match(/[0-9A-Z]{18}/)[0], slip.querySelector(".sheet").textContent,
        [...slip.querySelectorAll("td:nth-child(2)")].map((cell) => Number(cell.textContent.slice(1))),
      ]));
      const first = sheets.filter(([no]) => no === orders[21]);
      assert.ok(first.length > 1, `${paper}: ${sheets.length} sheets`);
      assert.deepEqual(first.map(([, said]) => said), first.map((_, i) => ` · 第 ${i + 1} / ${first.length} 页`));
      assert.deepEqual(first.flatMap(([, , pieces]) => pieces), Array.from({ length: 61 }, (_, n) => n + 1), "each row once, in its order");
      assert.deepEqual(sheets.slice(first.length).map(([no, said]) => [no, said]), [[orders[20], ""]], "one that fits says nothing");
      const pdf = (await desk.pdf({ preferCSSPageSize: true })).toString("latin1");
      assert.equal([...pdf.matchAll(/\/MediaBox/g)].length, sheets.length, `${paper}: a sheet of paper each`);
    }
  });

  await step("a scanner ships one, and it is taken back", async () => {
    await desk.goto(`${shop}/admin/shipping/scan`);
    await scan(desk, orders[20]);
    await desk.getByText("第 2 步").waitFor();
    await shot(desk, "scan");
    await scan(desk, "75312345678901");
    await desk.getByText("已发货 中通快递 75312345678901").waitFor();
    await desk.goto(`${shop}/admin/orders/${orders[20]}`);
    await desk.getByRole("button", { name: "撤销发货" }).click();
    await desk.getByText("订单回到待发货").waitFor();
    await shot(desk, "order", true);
  });

  await step("a table of goods is looked at before it changes anything", async () => {
    await desk.goto(`${shop}/admin/products/import`);
    const lines = ["商品名称,副标题,规格,商家编码,售价,库存,产地", "蓝莓杯子蛋糕,换了一个比较长的副标题看看它在手机上站不站得下,,,38.5,,9",
      "很长很长的新商品名字看看它在手机上会不会被挤成一列,,颜色:红;尺码:L,LONG-CODE-0001,19.9,5,9", "坏行,,红色,,abc,-1,"];
    await desk.setInputFiles("input[type=file]", { name: "价目.csv", mimeType: "text/csv", buffer: Buffer.from(lines.join("\n")) });
    await desk.getByRole("button", { name: "读入，先核对" }).click();
    await desk.getByText("没有用到的列：产地").waitFor();
    for (const words of ["修改 1", "新增 1", "有问题 1"]) await desk.getByText(words, { exact: true }).waitFor();
    await shot(desk, "import-check", true);
    // Rows of one verdict alone; ticks that are out of sight are not forgotten.
    const shown = () => desk.locator(".verdict").evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => one.className.match(/of-(\w+)/)[1]));
    assert.deepEqual(await shown(), ["refused", "changed", "added"]);
    await desk.getByText("已勾选 2 行", { exact: true }).waitFor();
    await desk.getByRole("radio", { name: "1 行新增" }).check();
    assert.deepEqual(await shown(), ["added"]);
    await desk.getByText("已勾选 2 行，其中 1 行现在没有显示，也会导入").waitFor();
    await desk.getByRole("radio", { name: "行全部" }).check();
    assert.equal((await shown()).length, 3);
  });

  await step("the list is marked, noted, previewed and filtered in place", async () => {
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    const card = desk.locator("article", { hasText: orders[21] });
    await card.getByLabel(`备注 ${orders[21]}`).fill("放门口");
    await card.getByLabel(`备注 ${orders[21]}`).press("Tab");
    await card.locator(".saved").waitFor();
    await card.getByLabel(`勾选 ${orders[21]}`).check();
    await desk.getByText("已选 1").waitFor();
    await desk.getByLabel("旗标", { exact: true }).last().selectOption("blue");
    await desk.getByRole("button", { name: "标记" }).click();
    await desk.getByText("1 单已标记蓝旗").waitFor();
    await card.getByRole("link", { name: "详情" }).click();
    await desk.locator("#drawer").getByText("放门口").waitFor();
    await shot(desk, "drawer");
    await desk.locator("#drawer").getByRole("button", { name: "关闭" }).click();
    await desk.goto(`${shop}/admin/orders?flag=blue`);
    assert.equal(await desk.locator("article").count(), 1);
  });

  await step("a new order is told while the page is open", async () => {
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    await desk.goto(`${shop}/admin`);
    const tile = desk.locator(".tile [data-count=to_ship]");
    const before = Number(await tile.textContent());
    await buy();
    await until("the tile", async () => Number(await tile.textContent()) === before + 1);
    await until("the title", async () => (await desk.title()).startsWith(`(${before + 1})`));
  });

  await step("two kinds of specs make a sheet, whatever number of rows the form began with", async () => {
    await desk.goto(`${shop}/admin/products/new`);
    assert.equal(await desk.locator("[data-spec=values]").first().isVisible(), false, "a product without specs is asked for none");
    await desk.getByRole("button", { name: "有规格" }).last().click();
    await desk.getByRole("button", { name: "生成" }).click();
    assert.equal(await desk.evaluate(() => document.activeElement.dataset.spec), "values", "the field to be filled in is shown");
    // The names that stand there in grey are meant.
    await desk.locator("[data-spec=values]").nth(0).fill("红、蓝 白");
    await desk.locator("[data-spec=values]").nth(1).fill("S M L");
    await desk.getByRole("button", { name: "生成" }).click();
    const written = () => desk.locator("table.skus [name$='.specs']").evaluateAll((fields) => fields.map((field) => field.value).filter(Boolean));
    assert.deepEqual((await written()).slice(0, 2).concat((await written()).slice(-1)), ["颜色:红;尺码:S", "颜色:红;尺码:M", "颜色:白;尺码:L"]);
    assert.equal((await written()).length, 9);
    assert.equal(await desk.locator(".matrix .cell").count(), 9);
    const widths = await desk.locator(".matrix tbody tr:first-child td input").evaluateAll((fields) => fields.map((field) => field.getBoundingClientRect().width));
    assert.ok(Math.min(...widths) > 60, `one can type in every cell: ${widths}`);
    assert.equal(await desk.locator("table.skus").isVisible(), false, "nothing stands there twice");
    const seen = async () => desk.locator("table.skus tbody tr:not([hidden])").count();
    const before = await seen();
    await desk.getByRole("button", { name: "加一个规格" }).click();
    assert.equal(await seen(), before + 1);
    assert.ok(await desk.locator("table.skus").isVisible(), "the new row is written in its table");
    await shot(desk, "sheet", true);
  });

  await step("a third kind of specs has a sheet for each of its values, and one is filled like another", async () => {
    await desk.goto(`${shop}/admin/products/new`);
    await desk.getByLabel("名称", { exact: true }).fill("亲子卫衣");
    await desk.getByRole("button", { name: "有规格" }).last().click();
    await desk.locator("[data-spec=name]").nth(2).fill("版本");
    for (const [n, values] of ["红 蓝", "S M L", "薄款 加绒"].entries()) await desk.locator("[data-spec=values]").nth(n).fill(values);
    await desk.getByRole("button", { name: "生成" }).click();
    const sheets = desk.getByRole("group", { name: "版本" });
    const kept = () => desk.locator("table.skus tbody tr").evaluateAll((rows) =>
      Object.fromEntries(rows.map((row) => ["specs", "price", "on_hand"].map((name) => row.querySelector(`[name$='.${name}']`).value)).filter(([specs]) => specs).map(([specs, ...rest]) => [specs.replaceAll(/..:/g, ""), rest.join("/")])));
    assert.equal(await desk.locator(".matrix .cell").count(), 6);
    await desk.getByLabel("红 S 薄款 售价").fill("99");
    await desk.getByLabel("红 S 薄款 库存").fill("4");
    await desk.getByRole("button", { name: "整行照 红 的第一格填" }).click();
    await desk.getByRole("button", { name: "整列照 S 的第一格填" }).click();
    assert.deepEqual(await kept(), { "红;S;薄款": "99/4", "红;S;加绒": "/", "红;M;薄款": "99/4", "红;M;加绒": "/", "红;L;薄款": "99/4", "红;L;加绒": "/",
      "蓝;S;薄款": "99/4", "蓝;S;加绒": "/", "蓝;M;薄款": "/", "蓝;M;加绒": "/", "蓝;L;薄款": "/", "蓝;L;加绒": "/" });
    await sheets.getByRole("button", { name: "加绒 缺价 6" }).click();
    await desk.getByLabel("蓝 L 加绒 售价").fill("129");
    await sheets.getByRole("button", { name: "薄款 缺价 2" }).click();
    for (const size of ["M", "L"]) await desk.getByRole("button", { name: `整列照 ${size} 的第一格填` }).click();
    await desk.getByRole("button", { name: "其他版本照 薄款 填" }).click();
    assert.deepEqual([...new Set(Object.values(await kept()))], ["99/4"]);
    await sheets.getByRole("button", { name: "加绒" }).click();
    await desk.getByLabel("蓝 L 加绒 售价").fill("一百");
    await sheets.getByRole("button", { name: "薄款" }).click();
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.locator(".strip.red").waitFor();
    await sheets.getByRole("button", { name: "加绒 要改" }).waitFor();
    assert.equal(await desk.getByLabel("蓝 L 加绒 售价").inputValue(), "一百", "what is wrong is seen, on whatever sheet it stands");
    await desk.getByLabel("蓝 L 加绒 售价").fill("129");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    // Goods that are known keep their stock when a row is filled.
    await desk.getByLabel("红 S 薄款 售价").fill("109");
    await desk.getByLabel("红 S 薄款 库存").fill("40");
    await desk.getByRole("button", { name: "整行照 红 的第一格填" }).click();
    await shot(desk, "sheets", true);
    assert.equal((await kept())["红;L;薄款"], "109/4");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    assert.equal((await kept())["蓝;L;加绒"], "129.00/4");
  });

  await step("SKUs are made from their specs, and a colleague's change is shown", async () => {
    await desk.goto(`${shop}/admin/products/new`);
    await desk.getByLabel("名称", { exact: true }).fill("羊毛围巾");
    // What was typed before there were specs is the first one's, and no goods of their own beside them.
    await desk.locator("table.skus [name='skus[0].price']").fill("99");
    await desk.getByRole("button", { name: "有规格" }).last().click();
    await desk.locator("[data-spec=name]").first().fill("颜色");
    await desk.locator("[data-spec=values]").first().fill("红 蓝 驼色");
    // What was not made yet is not saved away, and Enter makes it.
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("规格「红 蓝 驼色」还没有生成，没有保存").waitFor();
    assert.equal(await desk.evaluate(() => document.activeElement.value), "红 蓝 驼色");
    await desk.keyboard.press("Enter");
    assert.deepEqual(await desk.locator("table.skus tbody tr").evaluateAll((rows) => rows.filter((row) => !row.hidden).map((row) => ["specs", "price"].map((name) => row.querySelector(`[name$='.${name}']`).value).join(" "))),
      ["颜色:红 99", "颜色:蓝 ", "颜色:驼色 "]);
    await desk.getByLabel("整列售价").fill("129");
    await desk.getByLabel("整列库存").fill("8");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("整列售价 129 还没有填入，没有保存").waitFor();
    await desk.keyboard.press("Enter");
    await desk.locator(".phone .price", { hasText: "¥129.00" }).waitFor();
    await desk.getByLabel("下架时间").fill("2099-12-31T20:00");
    await desk.getByLabel("添加图片").setInputFiles(new URL("../../static/demo/apple.jpg", import.meta.url).pathname);
    await until("the chosen picture", () => desk.locator(".pics img").first().evaluate((picture) => picture.naturalWidth > 0));
    await shot(desk, "product", true);
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    assert.equal(await desk.locator("table.skus [name$='.known']").count(), 3);
    assert.equal(await desk.getByLabel("下架时间").inputValue(), "2099-12-31T20:00");
    // Who saves while pictures are on their way has them.
    const pictures = desk.locator(".pics [name=keep]");
    const kept = await pictures.count();
    await desk.route("**/admin/products/pictures", async (route) => (await new Promise((done) => setTimeout(done, 700)), route.continue()));
    await desk.getByLabel("添加图片").setInputFiles(["berrybox", "honey"].map((name) => new URL(`../../static/demo/${name}.jpg`, import.meta.url).pathname));
    await desk.waitForLoadState();
    const saved = desk.waitForEvent("load");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("还在传图片").waitFor();
    await saved;
    await until("both pictures", async () => (await desk.getByText("还在传图片").count()) === 0 && (await pictures.count()) === kept + 2);
    await desk.reload();
    assert.equal(await pictures.count(), kept + 2);
    await desk.unroute("**/admin/products/pictures");
    const other = await open({ storageState: await desk.context().storageState() });
    await other.goto(desk.url());
    await other.getByLabel("卖点").fill("加厚");
    await other.getByRole("button", { name: "保存", exact: true }).click();
    await other.getByText("商品已保存").waitFor();
    await desk.getByLabel("卖点").fill("新款");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("同事刚刚修改过这个商品").waitFor();
    await desk.getByRole("cell", { name: "加厚" }).waitFor();
    assert.equal(await desk.getByLabel("卖点").inputValue(), "新款");
    await other.close();
    await shot(desk, "conflict");
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.getByText("商品已保存").waitFor();
    await desk.getByRole("link", { name: "库存与流水" }).click();
    await desk.getByLabel("新的在库数").first().fill("+4");
    await desk.getByRole("button", { name: "保存" }).first().click();
    await desk.getByText(/库存 .+ 8 → 12/).first().waitFor();
  });

  await step("everything of a working day goes without JavaScript", async () => {
    const plain = await open({ ...phone, javaScriptEnabled: false, storageState: await desk.context().storageState() });
    await plain.goto(`${shop}/admin/orders/${orders[20]}`);
    await plain.getByLabel("快递单号").fill("SF9999999999999");
    await plain.getByRole("button", { name: "确认发货" }).click();
    await plain.getByText("已发货 顺丰速运").first().waitFor();
    await plain.goto(`${shop}/admin/orders?tab=to_ship`);
    await plain.getByLabel(`备注 ${orders[21]}`).fill("改约周五");
    await plain.locator("article", { hasText: orders[21] }).getByRole("button", { name: "存" }).click();
    await plain.getByText("备注已保存").waitFor();
    await plain.goto(`${shop}/admin/products/1`);
    await plain.getByLabel("卖点").fill("当日现做");
    await plain.getByRole("button", { name: "保存", exact: true }).click();
    await plain.getByText("商品已保存").waitFor();
  });

  const account = { name: "demo", password };
  await step("a second factor is set up and asked for", async () => {
    await desk.goto(`${shop}/admin/account/totp`);
    const secret = (await desk.locator(".totp .mono").textContent()).replaceAll(" ", "");
    const bits = [...secret].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
    const bytes = Buffer.from(bits.match(/.{8}/g).map((byte) => parseInt(byte, 2)));
    const code = (step) => {
      const counter = Buffer.alloc(8);
      counter.writeBigUInt64BE(BigInt(step));
      const hash = createHmac("sha1", bytes).update(counter).digest();
      return String((hash.readUInt32BE(hash[19] & 15) & 0x7fffffff) % 1_000_000).padStart(6, "0");
    };
    const now = () => Math.floor(Date.now() / 30_000);
    await shot(desk, "totp");
    await desk.getByLabel("动态码").fill(code(now()));
    await desk.getByRole("button", { name: "开启" }).click();
    await desk.getByText("两步验证已开启，下次登录要填动态码").waitFor();
    const fresh = await open();
    const enter = async (given) => {
      await fresh.goto(`${shop}/admin/login`);
      await fresh.getByLabel("账号").fill(account.name);
      await fresh.getByLabel("密码").fill(account.password);
      await fresh.getByLabel("动态码").fill(given);
      await fresh.getByRole("button", { name: "登录" }).click();
    };
    await enter("");
    await fresh.getByText("账号、密码或动态码不正确").waitFor();
    // One step ahead of the one that was used to set it up.
    await enter(code(now() + 1));
    await fresh.getByRole("button", { name: "退出" }).waitFor();
    await fresh.close();
    await desk.goto(`${shop}/admin/account`);
    await desk.getByLabel("输入密码以关闭").fill(account.password);
    await desk.getByRole("button", { name: "关闭两步验证" }).click();
    await desk.getByText("两步验证已关闭").waitFor();
  });

  await step("the shop goes back to a backup", async () => {
    await desk.goto(`${shop}/admin/backups`);
    await desk.getByRole("button", { name: "立即备份" }).click();
    await desk.getByText("已备份并演练恢复").waitFor();
    await shot(desk, "backups", true);
    await desk.goto(`${shop}/admin/settings`);
    await desk.getByLabel("店铺名").fill("改错了的店");
    await desk.getByRole("button", { name: "保存", exact: true }).first().click();
    await desk.getByText("已保存 1 项设置").waitFor();
    const lost = await buy();
    await desk.goto(`${shop}/admin/backups`);
    await desk.getByRole("link", { name: "恢复…" }).first().click();
    await desk.getByText("1 笔会丢失").waitFor();
    await shot(desk, "restore");
    await desk.getByLabel("输入店铺名").fill("改错了的店");
    // The page asks again and again while the doors are closed.
    expect(/ERR_CONNECTION_REFUSED/);
    await desk.getByRole("button", { name: "确认恢复" }).click();
    await desk.getByText("正在恢复到").waitFor();
    // Nobody has to press anything: when the doors are open again, the page goes on to the login and says why.
    await desk.waitForURL(/\/admin\/login/);
    await desk.getByText("店铺重新开门了，请重新登录").waitFor();
    assert.equal((await api("/shop")).name, "杂货小铺");
    // Going back ends every session: whoever was shut out since must not be let in by an old one.
    await desk.goto(`${shop}/admin/orders?q=${lost}`);
    await desk.getByLabel("账号").fill("demo");
    await desk.getByLabel("密码").fill(password);
    await desk.getByRole("button", { name: "登录" }).click();
    await desk.getByText("没有找到").waitFor();
    await desk.locator(".brand", { hasText: "杂货小铺" }).waitFor();
    // The log is the old one as well: that somebody went back to it, and who, is its first new entry.
    await desk.goto(`${shop}/admin/audit?q=恢复到备份`);
    await desk.locator("tr", { hasText: "恢复到备份 xiaopu-" }).getByText("demo").first().waitFor();
  });
});
