// What no tidy person would type: words without an end, empty hands, numbers beyond counting, a session that has run out. No page breaks,
// no form falls over, nothing that was typed is lost, and nobody is led to what he may not open.
import assert from "node:assert/strict";
import { buyer, story, until } from "./shop.mjs";

const word = (n) => "W".repeat(n);
const confetti = (n) => "🎉".repeat(n);
const HUGE = "9223372036854775807";
/** What each field of each form is sent in turn. */
const VALUES = ["", "-1", HUGE, confetti(3), `<b>"'&`];
/** Forms whose work would end the story, or reach beyond the shop. */
const LEFT_OUT = /logout|log-out|restore|erase|backups|diagnostics|import|certificate|clear|hooks|totp|templates|account|disable|settings\/test/;

/** Runs in the page: its forms, with what they would send. */
const formsHere = () =>
  [...document.querySelectorAll("main form")].filter((form) => form.enctype !== "multipart/form-data").map((form) => ({
    post: form.method === "post",
    action: new URL(form.action).pathname + new URL(form.action).search,
    fields: [...new FormData(form)],
    names: [...new Set([...form.elements].filter((one) => one.name && !one.disabled).map((one) => one.name))],
  }));

await story(async ({ shop, simulator, step, shot, open, expect, login, stage, password }) => {
  // Much is asked for here that is not there, or not allowed.
  expect(/status of 4\d\d/);
  const desk = await login();
  const many = await buyer({ shop, simulator }, "many");
  /** A form, as a page would send it. */
  const send = (page, path, fields, options = {}) => page.request.post(`${shop}${path}`, {
    headers: { "Content-Type": "application/x-www-form-urlencoded" }, data: new URLSearchParams(fields).toString(), ...options,
  });
  const put = async (path, fields) => {
    const answer = await send(desk, `/admin${path}`, fields);
    const text = await answer.text();
    assert.ok(answer.ok() && !/class="strip red"/.test(text), `${path}: ${answer.status()} ${text.match(/class="strip red"[^]*?grow">([^<]*)/)?.[1]}`);
    return text;
  };
  const bought = await many.buy("大米");
  const sent = await many.buy("面包");

  await step("words without an end are taken wherever people write", async () => {
    for (const no of [bought, sent]) await until("the payment", async () => (await many.api(`/orders/${no}`)).status === "to_ship");
    await put(`/orders/${sent}/ship`, { tracking_no: "SF1402668877319" });
    const [line] = (await many.api(`/orders/${sent}`)).lines;
    await many.api(`/orders/${sent}/returns`, { kind: "return", lines: [{ lineId: line.id, quantity: 1 }], reason: "碎了或坏了", description: word(150) + confetti(20) });
    await put("/returns/1/agree", { address: word(150), words: word(100) });
    await many.api(`/orders/${bought}/invoice`, { titleKind: "personal", title: word(60), email: `${word(40)}@example.com` });
    await many.api(`/orders/${bought}/refunds`, { reason: word(40), description: word(200) });
    await put(`/orders/${bought}/memo`, { memo: word(200) });
    const tiers = ["0.02", "99999.99", "9999999.98"].flatMap((yuan) => [["from", yuan], ["off", (yuan - 0.01).toFixed(2)]]);
    await put("/promotions", [["name", confetti(20)], ["kind", "reduce"], ["given", "everybody"], ...tiers]);
    await put("/promotions", [["name", word(20)], ["kind", "percent"], ["given", "link"], ["from", "9999999.99"], ["percent", "1"], ["cap", "9999999.99"],
      ["code", word(20)], ["total", "10000000"], ["per_buyer", "100"], ["listed", "true"], ["days", "365"]]);
    await put("/drafts", { "lines[0].what": "五常大米 5 斤", "lines[0].quantity": "99", "lines[0].price": "9999.99", remark: word(190) });
    await put("/freight", { name: confetti(20), by: "weight", "elsewhere.first": "1000", "elsewhere.first_fee": "9999999.99", "elsewhere.more": "0.001", "elsewhere.more_fee": "9999999.99" });
    await put("/programs/keys", [["name", confetti(20)], ["rights", "orders"], ["days", "30"]]);
    await put("/programs/hooks", [["url", `https://erp.example.com/${"x".repeat(470)}`], ["events", "order.paid"], ["events", "refund.succeeded"]]);
    await put("/customers/1/note", { note: word(300) });
  });

  const pages = [
    "", "/orders?tab=all", `/orders/${bought}`, `/orders/${sent}`, "/refunds", `/refunds/${bought}R01`, "/returns", "/returns/1", "/invoices", "/customers", "/customers/1", "/pickup",
    "/promotions", "/promotions/1", "/promotions/2", "/promotions/new", "/drafts", "/drafts/1", "/drafts/new", "/freight", "/freight/1", "/freight/new", "/programs", "/notices", "/settings",
    "/products", "/products/1/stock", "/categories", "/shipping",
  ].map((path) => `/admin${path}`);

  await step("no page of the console is widened by them, on a desk and on a phone", async () => {
    const wide = [];
    for (const [width, height] of [[1440, 900], [390, 844]]) {
      const page = await open({ viewport: { width, height }, locale: "zh-CN", storageState: await desk.context().storageState() });
      for (const path of pages) {
        await page.goto(shop + path);
        const real = await page.evaluate(() => document.documentElement.scrollWidth);
        if (real > width) wide.push(`${path} at ${width}: ${real}`);
        await shot(page, `hostile-${width}${path.replaceAll(/[/?=]/g, "-").replaceAll(/\d{8}[0-9A-Z]{10}/g, "order")}`, true);
      }
      await page.context().close();
    }
    assert.deepEqual(wide, []);
  });

  await step("a session that has run out loses nothing that was typed", async () => {
    for (const [path, field, button] of [["/promotions/new", "name", "保存"], ["/drafts/new", "remark", "生成订单码"], ["/freight/new", "name", "保存"], ["/customers/1", "note", "保存备注"]]) {
      const page = await open({ locale: "zh-CN", storageState: await desk.context().storageState() });
      await page.goto(`${shop}/admin${path}`);
      const typed = page.locator(`main [name="${field}"]`).first();
      await typed.fill("写了很久");
      for (const needed of await page.locator("main [required]").all()) if (!(await needed.inputValue())) await needed.fill("1");
      await page.context().clearCookies();
      await page.getByRole("button", { name: button, exact: true }).first().click();
      await page.getByLabel("账号").fill("demo");
      await page.getByLabel("密码").fill(password);
      await page.getByRole("button", { name: "登录" }).click();
      await page.waitForURL(`${shop}/admin${path}`);
      await until(`what was typed on ${path}`, async () => (await typed.inputValue()) === "写了很久");
      await page.context().close();
    }
  });

  await step("a page where words stand typed is not left without a question, and ticks ask nothing", async () => {
    const page = await open({ locale: "zh-CN", viewport: { width: 1440, height: 900 }, storageState: await desk.context().storageState() });
    const asked = [];
    let stays = true;
    page.on("dialog", (dialog) => (asked.push(dialog.type()), stays ? dialog.dismiss() : dialog.accept()));
    const leaves = async (to) => {
      asked.length = 0;
      await page.locator(`nav a[href="/admin/${to}"]`).first().click();
      await until("an answer", () => asked.length > 0 || page.url().endsWith(`/admin/${to}`));
      return asked.length === 0;
    };
    await page.goto(`${shop}/admin/promotions/new`);
    await page.locator("main [name=name]").click();
    await page.keyboard.type("开业满减");
    assert.equal(await leaves("orders"), false);
    // The refusal is the answer itself: what was typed is its form's from the beginning.
    await page.getByRole("button", { name: "保存", exact: true }).click();
    await page.locator(".strip.red").waitFor();
    await page.locator("main [name=name]").click();
    assert.equal(await leaves("orders"), false);
    // Nor where a refusal leads back to the page, and marks what was refused.
    stays = false;
    await page.goto(`${shop}/admin/settings`);
    await page.locator("[name=shop-phone]").fill("没有");
    await page.keyboard.press("Enter");
    await page.locator("[name=shop-phone][aria-invalid=true]").click();
    stays = true;
    assert.equal(await leaves("orders"), false);
    stays = false;
    await page.goto(`${shop}/admin/orders?tab=to_ship`);
    await page.locator("article.order input[type=checkbox]").first().click();
    assert.equal(await leaves("products"), true);
    // What a dialog has saved is not asked about when it shows the list anew.
    await page.locator("[data-quick=price]:not([data-sku])").first().click();
    const price = page.locator("dialog[open] [name$='.price']").first();
    await price.fill("50");
    asked.length = 0;
    await Promise.all([page.waitForEvent("load"), page.locator("dialog[open] .btn.main").click()]);
    assert.deepEqual(asked, []);
    // A point too few there is asked about as in a cell.
    await page.locator("[data-quick=price]:not([data-sku])").first().click();
    await price.fill("5");
    await page.locator("dialog[open] .btn.main").click();
    await page.getByText("¥50.00 改成 ¥5，差十倍以上").waitFor();
    await Promise.all([page.waitForEvent("load"), page.locator("dialog[open] .btn.main").click()]);
    await page.getByText("¥5.00").first().waitFor();
    // So it is on the product's own page.
    await page.getByRole("link", { name: "编辑" }).last().click();
    const own = page.locator(".product [name$='.price']").first();
    const dear = await own.inputValue();
    await own.fill(dear.replace(".", ""));
    await page.getByRole("button", { name: "保存", exact: true }).click();
    await page.getByText(`¥${dear} 改成`).waitFor();
    await page.getByRole("button", { name: "保存", exact: true }).click();
    await page.locator(".flash").waitFor();
    // A tick that is sent at once stands as it was when it is asked about, and is then sent as it was meant.
    await page.goto(`${shop}/admin/categories`);
    await page.locator("main [name=name]").last().click();
    await page.keyboard.type("新来的");
    const shown = page.locator("form[data-sends] input[type=checkbox]").first();
    const was = await shown.isChecked();
    await shown.click();
    await page.getByText("还没有保存：").waitFor();
    assert.equal(await shown.isChecked(), was);
    await shown.click();
    await page.locator(".strip.green").waitFor();
    assert.equal(await shown.isChecked(), !was);
    await page.context().close();
  });

  await step("a button that is pressed twice does its work once", async () => {
    for (const [path, fields, button, list] of [
      ["/promotions/new", { name: "双击满减", from: "100", off: "10" }, "保存", "/promotions"],
      ["/freight/new", { name: "双击运费", "elsewhere.first_fee": "8", "elsewhere.more_fee": "2" }, "保存", "/freight"],
    ]) {
      await desk.goto(`${shop}/admin${path}`);
      for (const [name, value] of Object.entries(fields)) await desk.locator(`main [name="${name}"]`).first().fill(value);
      await desk.getByRole("button", { name: button, exact: true }).first().dblclick();
      await desk.waitForURL((url) => !url.pathname.endsWith("/new"));
      await desk.goto(`${shop}/admin${list}`);
      assert.equal(await desk.getByText(fields.name, { exact: true }).count(), 1, path);
    }
  });

  await step("a buyer's pages stand it too", async () => {
    const phone = await stage();
    const wide = [];
    const look = async (name) => {
      await phone.page.waitForTimeout(400);
      const width = await phone.page.evaluate(() => document.documentElement.scrollWidth);
      if (width > 375) wide.push(`${name}: ${width}`);
      await phone.shot(`hostile-stage-${name}`);
    };
    await phone.enter(`/pages/coupons/coupons?code=${word(20)}`);
    await phone.says(word(20));
    await look("coupons");
    await phone.field("优惠码").fill(confetti(10));
    await phone.button("领取").last().click();
    await phone.answer("知道了");
    const number = await phone.buy("法式乡村面包");
    await look("order");
    await phone.enter(`/pages/refund/refund?id=${number}`);
    await phone.button("不想要了").click();
    for (const field of await phone.page.getByRole("textbox").filter({ visible: true }).all()) await field.fill(word(150) + confetti(20));
    await look("refund");
    for (const [path, name] of [[`/pages/draft/draft?code=${word(200)}`, "draft"], ["/pages/order/order?id=🎉<b>", "no-order"], [`/pages/search/search?q=${word(60)}`, "search"], ["/pages/cart/cart", "cart"]]) {
      await phone.enter(path);
      await look(name);
    }
    assert.deepEqual(wide, []);
  });

  // Last, for these leave nothing as it was.
  await step("nobody is led to a page or an act that is not his", async () => {
    // The packing table would beep, had anybody pressed a key.
    expect(/AudioContext/);
    const wrong = [];
    for (const role of ["packer", "clerk", "manager"]) {
      const link = (await put("/staff/invite", { name: `同事${role}`, role })).match(/\/admin\/invite\/[\w-]+/)[0];
      const page = await open({ viewport: { width: 390, height: 844 }, locale: "zh-CN" });
      await page.goto(shop + link);
      for (const field of await page.locator("input[type=password]").all()) await field.fill("a long Passw0rd");
      await page.getByRole("button", { name: "建立账号" }).click();
      await page.waitForURL(`${shop}/admin`);
      const [seen, next] = [new Set(), ["/admin"]];
      const anew = (what) => {
        const kind = what.replaceAll(/\d{8}[0-9A-Z]{10}/g, "no").replaceAll(/\d+/g, "#");
        return seen.size < 120 && !seen.has(kind) && seen.add(kind);
      };
      for (let path = next.shift(); path; path = next.shift()) {
        if (!anew(path)) continue;
        const answer = await page.goto(shop + path);
        if (answer.status() === 403 || answer.status() >= 500) wrong.push(`${role}: ${path} ${answer.status()}`);
        const { links, acts } = await page.evaluate(() => ({
          links: [...document.querySelectorAll("a[href^='/admin']:not([download])")].map((one) => one.getAttribute("href").split("#")[0]),
          acts: [...document.querySelectorAll("form")].filter((one) => one.method === "post" && [...one.elements].some((part) => part.type === "submit" && !part.disabled)).map((one) => new URL(one.action).pathname),
        }));
        next.push(...links.filter((one) => !/logout|export|poster|\/code|\.xlsx|\.csv|\.svg|\.zip|\/print\//.test(one)));
        for (const act of acts.filter((one) => !/log-?out/.test(one) && anew(`POST ${one}`))) {
          const status = (await send(page, act, { nothing: "sensible" }, { maxRedirects: 0 })).status();
          if (status === 403 || status >= 500) wrong.push(`${role}: POST ${act} on ${path} ${status}`);
        }
      }
      await page.context().close();
    }
    assert.deepEqual(wrong, []);
  });

  await step("no form falls over whatever it is sent", async () => {
    const [fallen, seen] = [[], new Set()];
    for (const path of pages) {
      await desk.goto(shop + path);
      for (const { post, action, fields, names } of await desk.evaluate(formsHere)) {
        const kind = `${post} ${action.replaceAll(/\d+/g, "#")} ${names}`;
        if (seen.has(kind) || LEFT_OUT.test(action)) continue;
        seen.add(kind);
        for (const name of names.slice(0, 12)) for (const value of VALUES) {
          const filled = fields.filter(([other]) => other !== name).concat([[name, value]]);
          const answer = post ? await send(desk, action, filled) : await desk.request.get(`${shop}${action.split("?")[0]}?${new URLSearchParams(filled)}`);
          if (answer.status() >= 500) fallen.push(`${action} ${name}=${value}: ${answer.status()}`);
        }
      }
    }
    assert.deepEqual(fallen, []);
    assert.ok(seen.size > 30, `${seen.size} forms`);
  });
});
