// A packer's morning at the table and an owner on a phone: orders go out one after another, and nothing is in the way.
import assert from "node:assert/strict";
import { buyer, listens, phone, scan, story, until } from "./shop.mjs";

await story(async ({ shop, simulator, step, shot, open, login, password, expect }) => {
  const desk = await login();
  const json = { "Content-Type": "application/json" };
  const { code } = await (await fetch(`${simulator}/simulator/login?user=morning`)).json();
  const session = await (await fetch(`${shop}/api/v1/login`, { method: "POST", headers: json, body: JSON.stringify({ code }) })).json();
  const get = async (path) => (await fetch(`${shop}/api/v1${path}`)).json();
  const rice = (await get("/products?q=%E5%A4%A7%E7%B1%B3")).items[0].id;
  const sku = (await get(`/products/${rice}`)).skus.find((one) => one.available > 30).id;
  let key = 0;
  const buy = async (quantity = 1) => {
    const headers = { ...json, Authorization: `Bearer ${session.token}`, "Idempotency-Key": `packer-${(key += 1)}-${"0".repeat(8)}` };
    const address = { receiver: "林小样", phone: "13800000002", province: "广东省", city: "深圳市", district: "南山区", detail: "示例路 2 号" };
    const made = await (await fetch(`${shop}/api/v1/prepay`, { method: "POST", headers, body: JSON.stringify({ items: [{ skuId: sku, quantity }], address }) })).json();
    const prepayId = made.payment.package.slice("prepay_id=".length);
    await fetch(`${simulator}/simulator/pay`, { method: "POST", headers: json, body: JSON.stringify({ prepayId, way: "well" }) });
    return made.order.orderNo;
  };
  const orders = [];
  const list = "/admin/orders?tab=to_ship&region=%E6%B7%B1%E5%9C%B3";
  const hear = async (words) => desk.locator(".strip", { hasText: words }).waitFor();

  await step("seven orders and more stand on a desk's screen", async () => {
    for (let n = 0; n < 30; n += 1) orders.push(await buy());
    await until("the payments", async () => {
      await desk.goto(shop + list);
      return (await desk.getByText("共 30 单").count()) === 1;
    });
    // The list begins with the one that has waited longest; here that one is the last.
    for (const page of [list, null]) {
      if (page === null) await Promise.all([desk.waitForURL(/after=/), desk.getByRole("link", { name: "下一页" }).click()]);
      const here = await desk.locator("article.order").evaluateAll((all) => all.map((one) => one.ariaLabel.slice(3)));
      orders.unshift(...here.reverse());
    }
    orders.splice(30);
    assert.equal(new Set(orders).size, 30);
    await desk.goto(shop + list);
    await desk.setViewportSize({ width: 1440, height: 900 });
    const boxes = await desk.locator("article.order").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ top, bottom, height }) => ({ top, bottom, height })));
    assert.ok(boxes.every(({ height }) => height <= 96), "an order is 96 px high at most");
    assert.ok(boxes.filter(({ bottom }) => bottom <= 900).length >= 7, `${boxes.filter(({ bottom }) => bottom <= 900).length} whole orders`);
    await shot(desk, "packer-list");
  });

  await step("one tick means all that the filter finds, beyond the page too", async () => {
    assert.equal(await desk.locator(".bulk").isVisible(), false, "no bar for nothing");
    await desk.locator(`input[value="${orders[29]}"][name=order]`).check();
    await desk.getByText("已选 1", { exact: true }).waitFor();
    await desk.getByRole("link", { name: "选全部 30 单" }).click();
    await desk.getByText("已选 30", { exact: true }).waitFor();
    await desk.getByRole("button", { name: "打印发货单" }).click();
    await desk.waitForURL(/print\/slips/);
    assert.equal(await desk.locator(".slip").count(), 30);
  });

  await step("the table goes by the keyboard: ticked ones are printed, the one at the cursor opened", async () => {
    await desk.goto(`${shop}${list}&view=table`);
    for (const key of ["j", "x", "j", "x", "j", "p"]) await desk.keyboard.press(key);
    await desk.waitForURL(/print\/slips/);
    assert.equal(await desk.locator(".slip").count(), 2, "what is ticked, not where the cursor stands");
    await desk.goto(`${shop}${list}&view=table`);
    for (const key of ["j", "Enter"]) await desk.keyboard.press(key);
    await desk.getByRole("heading", { name: orders[29] }).waitFor();
  });

  await step("opened from a list, an order goes on to the next of that list, number in hand", async () => {
    await desk.goto(shop + list);
    await desk.locator("article.order").first().getByRole("link", { name: "发货" }).click();
    await desk.getByText("第 1 / 30 单").waitFor();
    for (const [i, no] of [orders[29], orders[28], orders[27]].entries()) {
      await desk.getByRole("heading", { name: no }).waitFor();
      const cursor = () => until("the cursor", () => desk.evaluate(() => document.activeElement?.name === "tracking_no"));
      await cursor();
      await desk.getByRole("heading", { name: no }).click();
      await cursor();
      await scan(desk, `SF140266887731${i}`);
      await hear(`${no} 已发货`);
    }
    await desk.getByText("第 4 / 30 单").waitFor();
    const seen = await desk.getByText("第 4 / 30 单").boundingBox();
    assert(seen.y >= 0 && seen.y < 900, `whose order it is stands at ${seen.y}`);
    await shot(desk, "packer-next");
  });

  await step("in the walk it is heard what became of an order, and the rest of a label that was cut by the next page is no number", async () => {
    const page = await desk.context().newPage();
    await listens(page);
    // When the page is drawn is said by hand.
    await page.addInitScript(() => {
      window.PerformanceObserver = class {
        static supportedEntryTypes = ["paint"];
        constructor(tell) {
          window.drawn = (startTime) => tell({ getEntries: () => [{ startTime }] });
        }
        observe() {}
      };
      window.scan = () => {
        const field = document.querySelector("[name=tracking_no]");
        const press = (key) => !field.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
        return [..."5678901", "Enter"].map(press);
      };
      // The page has come then, and none of its scripts has run; of one that is still coming the button is not there.
      document.addEventListener("readystatechange", () => {
        if (document.readyState !== "interactive" || !document.querySelector("[name=tracking_no]") || sessionStorage.getItem("first")) return;
        sessionStorage.setItem("first", "yes");
        window.drawn(performance.now() - 1000);
        document.querySelectorAll("#ship-form button").forEach((button) => button.remove());
        window.first = window.scan();
      });
      document.addEventListener("DOMContentLoaded", () => {
        if (!sessionStorage.getItem("second")) return;
        sessionStorage.removeItem("second");
        window.drawn(performance.now() - 1000);
        window.second = window.scan();
      });
    });
    const heard = (pitch) => until(`a tone of ${pitch}`, () => page.evaluate((pitch) => window.tones.includes(pitch) && (window.tones = window.tones.filter((tone) => tone !== pitch)), pitch));
    const held = (takes, why) => page.evaluate(() => window.scan()).then((keys) => assert.deepEqual(keys, Array(8).fill(takes), why));
    await page.goto(shop + list);
    await page.locator("article.order").first().getByRole("link", { name: "发货" }).click();
    const ship = async (number) => {
      await page.getByLabel("快递单号").fill(number);
      await page.keyboard.press("Enter");
    };
    await page.getByText("第 1 / 27 单").waitFor();
    await page.waitForLoadState();
    assert.deepEqual(await page.evaluate(() => window.first.at(-1)), true, "a form that may lack its button is not sent");
    await page.getByText("没有收全").waitFor();
    await heard(180);
    await page.reload();
    await held(true, "of a label that began before the page was drawn nothing counts");
    await heard(180);
    await page.waitForTimeout(400);
    const soon = await page.evaluate(() => (window.drawn(performance.now() - 150), window.scan()));
    assert.deepEqual(soon, Array(8).fill(true), "what comes soon after is the rest of something");
    await page.waitForTimeout(400);
    await held(false, "what is scanned on a page that stands counts");
    // A key that the page has a use for begins nothing, and neither does a copy.
    const number = page.getByLabel("快递单号");
    for (const keys of ["s", "Control+c"]) {
      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press(keys);
      await page.waitForTimeout(20);
      await number.focus();
      await page.keyboard.type("1380");
      assert.equal(await number.inputValue(), "1380", keys);
      await number.fill("");
    }
    // A label past the fields is told once, and the next one counts.
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.type("SF1402668877310");
    await page.keyboard.press("Enter");
    await page.getByText("光标不在框里").waitFor();
    await heard(180);
    await page.waitForTimeout(100);
    await held(false, "the scan after one that went past the field");
    await ship("SF1402668877310");
    await page.locator(".flash.error").waitFor();
    await heard(180);
    await page.evaluate(() => ["missed", "second"].forEach((key) => sessionStorage.setItem(key, Date.now())));
    await ship("SF1402668877319");
    await page.getByText("第 2 / 27 单").waitFor();
    assert.deepEqual(await page.evaluate(() => window.second), Array(8).fill(true), "what the page before has heard of a label ends here");
    await heard(1320);
    await page.getByText("没有收全").waitFor();
    await heard(180);
    await page.locator(".strip").getByRole("button", { name: "撤销" }).click();
    await page.getByText("订单回到待发货").waitFor();
    await page.close();
  });

  await step("beside the list it is heard alike, and a scan finds its field, whatever was pressed before", async () => {
    const page = await desk.context().newPage();
    await listens(page);
    await page.goto(shop + list);
    await page.locator("article.order").first().getByRole("link", { name: "详情" }).click();
    const number = page.locator("#drawer [data-focus]");
    await number.waitFor();
    const told = (tones) => until(`the tones ${tones}`, () => page.evaluate((tones) => window.tones.join() === tones && (window.tones = []), tones));
    // What is scanned before the next one stands there whole is for neither.
    await page.evaluate(() => {
      const { text } = Response.prototype;
      const come = new Promise((comes) => (window.comes = comes));
      Response.prototype.text = async function () {
        const words = await text.call(this);
        await come;
        return words;
      };
    });
    const posted = [];
    page.on("request", (request) => request.method() === "POST" && request.url().endsWith("/ship") && posted.push(request.url()));
    await number.press("ArrowDown");
    await page.waitForTimeout(300);
    await page.keyboard.type("SF1402668877318");
    await page.keyboard.press("Enter");
    await page.getByText("打开时扫的没有收全").waitFor();
    await told("180");
    await page.evaluate(() => window.comes());
    await page.locator("#drawer").getByText(/^2 \/ /).waitFor();
    assert.deepEqual([await number.inputValue(), posted], ["", []]);
    await page.locator("#drawer [data-step='-1']").click();
    await page.locator("#drawer").getByText(/^1 \/ /).waitFor();
    await page.locator("#drawer [data-step='1']").focus();
    await page.keyboard.type("SF1402668877318");
    await page.keyboard.press("Enter");
    await page.locator("#drawer").getByText("现在回到框里了").waitFor();
    assert.ok(await number.evaluate((field) => field === document.activeElement));
    await told("180");
    for (const [typed, tones] of [["123456", "180"], ["SF1402668877319", "1320"]]) {
      await number.fill(typed);
      await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
      await told(tones);
      if (tones === "180") await until("the drawer", () => number.inputValue().then((value) => value === typed, () => false));
    }
    await page.locator(".strip").getByRole("button", { name: "撤销" }).click();
    await page.getByText("订单回到待发货").waitFor();
    await page.close();
  });

  await step("what has just left is taken back where it is told", async () => {
    await desk.locator(".strip").getByRole("button", { name: "撤销" }).click();
    await hear("订单回到待发货");
    await desk.getByRole("heading", { name: orders[27] }).waitFor();
  });

  await step("an address is shown in full where it stands: the number that was typed, and the list, stay", async () => {
    await desk.goto(shop + list);
    await desk.locator("article.order").first().getByRole("link", { name: "发货" }).click();
    const field = desk.getByLabel("快递单号");
    await field.fill("SF14026");
    await desk.getByRole("button", { name: "显示完整信息" }).click();
    await desk.getByText("13800000002").waitFor();
    await desk.getByText("第 1 / 28 单").waitFor();
    assert.deepEqual([await field.inputValue(), await desk.evaluate(() => document.activeElement.name)], ["SF14026", "tracking_no"]);
  });

  await step("an address that is refused stands open as it was typed", async () => {
    await desk.goto(shop + list);
    await desk.locator("article.order").first().getByRole("link", { name: "发货" }).click();
    await desk.getByRole("button", { name: "显示完整信息" }).click();
    await desk.getByText("修改收货信息").click();
    const [name, phone] = ["收货人", "电话"].map((label) => desk.getByLabel(label, { exact: true }));
    await name.fill("林大样");
    await phone.fill("12");
    await desk.locator("form[action$='/address']").getByRole("button", { name: "保存" }).click();
    await desk.locator(".flash", { hasText: "电话应为" }).waitFor();
    await until("the form", () => name.isVisible());
    assert.deepEqual([await name.inputValue(), await phone.inputValue(), await phone.getAttribute("aria-invalid")], ["林大样", "12", "true"]);
    assert.match(await desk.locator("form[action$='/address'] small.bad").innerText(), /电话应为/);
  });

  await step("a press on a card opens its order, and who comes back stands where he was", async () => {
    await desk.goto(shop + list);
    await desk.locator("article.order").nth(3).locator(".o-to").click();
    await desk.locator("#drawer").getByRole("heading", { name: orders[24] }).waitFor();
    await desk.locator("#drawer").getByRole("link", { name: "打开订单" }).click();
    await desk.getByRole("heading", { name: orders[24] }).waitFor();
    await desk.goto(shop + list);
    await desk.locator("article.order").nth(2).getByRole("link", { name: orders[25], exact: true }).click();
    await desk.getByRole("heading", { name: orders[25] }).waitFor();
    await desk.goBack();
    await until("the row", () => desk.evaluate((no) => document.activeElement.ariaLabel === `订单 ${no}`, orders[25]));
  });

  await step("the drawer steps through the list, ships and comes back to it", async () => {
    await desk.goto(shop + list);
    await desk.locator("article.order").first().getByRole("link", { name: "详情" }).click();
    const drawer = desk.locator("#drawer");
    await drawer.getByRole("heading", { name: orders[27] }).waitFor();
    await drawer.getByRole("button", { name: "下一单" }).click();
    await drawer.getByRole("heading", { name: orders[26] }).waitFor();
    await drawer.getByLabel("快递单号").fill("SF1402668877400");
    assert.deepEqual(await desk.locator("article.current").evaluateAll((rows) => rows.map((row) => row.ariaLabel)), [`订单 ${orders[26]}`], "the row that it is about is marked");
    await shot(desk, "packer-drawer");
    await desk.keyboard.press("Escape");
    await drawer.waitFor({ state: "hidden" });
    const row = desk.locator(`article[aria-label="订单 ${orders[26]}"]`);
    for (const again of [() => desk.reload(), () => desk.keyboard.press("Escape")]) {
      await again();
      await row.getByRole("link", { name: "详情" }).click();
      await drawer.getByRole("heading", { name: orders[26] }).waitFor();
      assert.equal(await drawer.getByLabel("快递单号").inputValue(), "SF1402668877400", "a number that was not sent is kept");
    }
    await drawer.getByRole("button", { name: "发货", exact: true }).click();
    await hear(`${orders[26]} 已发货`);
    assert.ok(desk.url().includes("region="), "back at the list");
  });

  await step("what is scanned while the drawer is on its way to another order is sent for neither", async () => {
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    const posts = [];
    const note = (request) => request.method() === "POST" && posts.push(request.url());
    desk.on("request", note);
    await desk.route("**/preview?*", async (route) => {
      await new Promise((then) => setTimeout(then, 400));
      await route.continue();
    });
    await desk.locator("[data-preview]").first().click();
    await desk.locator("dialog[open] #ship-form").waitFor();
    await desk.keyboard.press("ArrowDown");
    await desk.keyboard.type("SF1402668870002", { delay: 40 });
    await desk.keyboard.press("Enter");
    await desk.getByText("打开时扫的没有收全").waitFor();
    assert.equal(await desk.locator("dialog[open] [data-focus]").inputValue(), "");
    await desk.keyboard.type("SF140266887");
    assert.equal(await desk.locator("dialog[open] [data-focus]").inputValue(), "SF140266887");
    await desk.locator("dialog[open] [data-focus]").fill("");
    assert.deepEqual(posts, []);
    // Whoever is quicker than the line stands where he has gone to, and what he has shut stays so.
    await desk.locator("dialog[open]").getByText(/^2 \/ /).waitFor();
    await desk.keyboard.press("ArrowDown");
    await desk.keyboard.press("ArrowDown");
    await desk.locator("dialog[open]").getByText(/^4 \/ /).waitFor();
    await desk.keyboard.press("ArrowUp");
    await desk.keyboard.press("Escape");
    await desk.waitForTimeout(1000);
    assert.equal(await desk.locator("#drawer[open]").count(), 0);
    await desk.locator("[data-preview]").first().click();
    await desk.locator("dialog[open] #ship-form").waitFor();
    desk.off("request", note);
    await desk.unroute("**/preview?*");
    // Without a network the one that is open stays, and it is said.
    expect(/ERR_INTERNET_DISCONNECTED/);
    await desk.context().setOffline(true);
    await desk.keyboard.press("ArrowDown");
    await desk.getByText("没有网络，没有打开").waitFor();
    assert.ok(await desk.locator("dialog[open] #ship-form").isVisible());
    await desk.context().setOffline(false);
    await desk.keyboard.press("Escape");
  });

  await step("scanned ones are listed as they leave", async () => {
    await desk.goto(`${shop}/admin/shipping/scan`);
    for (const [i, no] of [orders[25], orders[24]].entries()) {
      await desk.locator("#code").fill(no);
      await desk.keyboard.press("Enter");
      await desk.getByText("第 2 步").waitFor();
      await desk.locator("#code").fill(`7531234567891${i}`);
      await desk.keyboard.press("Enter");
      await desk.locator("[data-done] li").nth(i).waitFor();
    }
    await desk.getByText("2 单", { exact: true }).waitFor();
    await shot(desk, "packer-scan");
    await scan(desk, orders[22]);
    await desk.getByText("第 2 步").waitFor();
    await scan(desk, "123456");
    await desk.locator(".flash.error").waitFor();
    // The label that is scanned next takes the place of the one that was refused.
    await scan(desk, "75312345678919");
    await desk.getByText("3 单", { exact: true }).waitFor();
  });

  await step("a slip that cannot be scanned goes by its tail, or by the phone's", async () => {
    await desk.goto(`${shop}/admin/shipping/scan`);
    await scan(desk, orders[20].slice(-5));
    await desk.getByText("第 2 步").waitFor();
    assert.ok(desk.url().endsWith(orders[20]));
    await desk.goto(`${shop}/admin/shipping/scan`);
    await scan(desk, "0002");
    await desk.getByRole("heading", { name: "符合「0002」的" }).waitFor();
    await shot(desk, "packer-tail");
    assert.ok((await desk.locator("a[href^='?order=']").count()) > 1);
  });

  await step("what is scanned while a form is on its way is told by the page that takes it whole, and an order that is passed over is heard", async () => {
    const page = await desk.context().newPage();
    await listens(page);
    const no = await buy();
    await until("the payment", async () => {
      await page.goto(`${shop}/admin/shipping/scan?order=${no}`);
      return (await page.getByText("第 2 步：扫快递面单").count()) === 1;
    });
    let go;
    const held = new Promise((then) => (go = then));
    await page.route("**/shipping/scan", async (route) => {
      if (route.request().method() === "POST") await held;
      await route.continue();
    });
    await page.locator("#code:focus").waitFor();
    await scan(page, "75312345678921");
    // An Enter too many is no scan; a second label is one.
    await page.keyboard.press("Enter");
    await page.keyboard.type("75312345678939");
    await page.keyboard.press("Enter");
    go();
    // Whoever heard it before would scan again into the change of pages.
    await page.getByText("没有收全").waitFor();
    await until("both tones", () => page.evaluate(() => window.tones.join() === "1320,180"));
    // One that ends with two of them is whole.
    await page.unroute("**/shipping/scan");
    const next = await buy();
    await until("the next payment", async () => {
      await page.goto(`${shop}/admin/shipping/scan?order=${next}`);
      return (await page.getByText("第 2 步：扫快递面单").count()) === 1;
    });
    await page.locator("#code:focus").waitFor();
    await scan(page, "75312345678947");
    await page.keyboard.press("Enter");
    await page.locator("[data-done] li", { hasText: next.slice(-6) }).first().waitFor();
    await until("the high tone alone", () => page.evaluate(() => window.tones.join() === "1320"));
    await page.waitForTimeout(900);
    assert.equal(await page.getByText("没有收全").count(), 0);
    await scan(page, orders[19]);
    await page.getByText("第 2 步").waitFor();
    await until("the high tone", () => page.evaluate(() => window.tones.join() === "1320"));
    await scan(page, no);
    await page.getByText("没有再发一次。上一单还没有发").waitFor();
    await until("the low tone", () => page.evaluate(() => window.tones.join() === "180"));
    await page.close();
  });

  await step("an order that comes is told over the list, which stays where it is", async () => {
    await desk.goto(`${shop}/admin/orders?tab=to_ship`);
    const memo = desk.locator("article.order").first().getByRole("checkbox");
    await memo.focus();
    const before = await memo.boundingBox();
    const came = [await buy(), await buy()];
    await desk.getByRole("link", { name: "2 个新订单排在最后，点此刷新" }).waitFor();
    await shot(desk, "packer-news");
    assert.deepEqual(await memo.boundingBox(), before);
    assert.ok(await memo.evaluate((one) => document.activeElement === one), "the cursor stays");
    await desk.getByRole("link", { name: "2 个新订单排在最后，点此刷新" }).click();
    await until("no news", async () => (await desk.locator(".news a").count()) === 0);
    await desk.goto(`${shop}/admin/orders?tab=to_ship&sort=newest`);
    for (const no of came) await desk.getByLabel(`勾选 ${no}`).waitFor();
    await until("no news", async () => (await desk.locator(".news a").count()) === 0);
    await desk.goto(`${shop}/admin/orders?tab=completed`);
    assert.equal(await desk.locator("[data-since]").count(), 0, "no new order belongs there");
  });

  await step("a session that ends keeps what was typed", async () => {
    await desk.goto(`${shop}/admin/orders/${orders[23]}#ship`);
    await desk.getByLabel("快递单号").fill("SF1402668877999");
    const cookies = await desk.context().cookies(`${shop}/admin`);
    await desk.context().clearCookies();
    await desk.getByRole("button", { name: "确认发货" }).click();
    await desk.getByLabel("账号").fill("demo");
    await desk.getByLabel("密码").fill(password);
    await desk.getByRole("button", { name: "登录" }).click();
    await desk.waitForURL(new RegExp(orders[23]));
    assert.ok(cookies.length > 0);
    assert.equal(await desk.getByLabel("快递单号").inputValue(), "SF1402668877999");
    await desk.getByText("填的内容还在").waitFor();
    // A memo saves itself, and so may not be lost in silence either.
    await desk.context().clearCookies();
    await desk.getByPlaceholder("写备注，离开就存好").fill("放门口");
    await desk.keyboard.press("Tab");
    await desk.getByText("登录过期了。登录后回到刚才那页").waitFor();
    await desk.getByLabel("账号").fill("demo");
    await desk.getByLabel("密码").fill(password);
    await desk.getByRole("button", { name: "登录" }).click();
    await desk.waitForURL(new RegExp(orders[23]));
    const memo = desk.getByPlaceholder("写备注，离开就存好");
    await until("the memo", async () => (await memo.getAttribute("title")) === "已保存 ✓");
    await desk.reload();
    assert.equal(await memo.inputValue(), "放门口");
    // What a colleague wrote meanwhile stays, is seen, and is what the next words are added to.
    const other = await login();
    await other.goto(desk.url());
    const theirs = other.getByPlaceholder("写备注，离开就存好");
    await theirs.fill("放门口，要发票");
    await other.keyboard.press("Tab");
    await until("his memo", async () => (await theirs.getAttribute("title")) === "已保存 ✓");
    await other.context().close();
    await memo.fill("放门口，周五送");
    await desk.keyboard.press("Tab");
    await desk.getByText("同事刚刚也写了备注").waitFor();
    assert.equal(await memo.inputValue(), "放门口，要发票；周五送");
    // On a slow line the second words know of the first: nobody else has written.
    const line = await desk.context().newCDPSession(desk);
    const slow = (latency) => line.send("Network.emulateNetworkConditions", { offline: false, latency, downloadThroughput: -1, uploadThroughput: -1 });
    await slow(700);
    await memo.fill("放门口，要发票；周五送，轻");
    await desk.keyboard.press("Tab");
    await memo.fill("放门口，要发票；周五送，轻放");
    await desk.keyboard.press("Tab");
    await slow(0);
    await until("both memos", async () => (await desk.goto(desk.url()), await memo.inputValue()) === "放门口，要发票；周五送，轻放");
    // Without a network it is said, kept, and saved as soon as there is one.
    expect(/ERR_INTERNET_DISCONNECTED/);
    await desk.context().setOffline(true);
    await memo.fill("放门口，要发票；周五送，轻放好");
    await desk.keyboard.press("Tab");
    await desk.getByText("没有存上：连不上店铺").waitFor();
    // What posts a page of its own stays as it was typed.
    await desk.getByLabel("快递单号").fill("SF14026688773");
    await desk.keyboard.press("Enter");
    await desk.getByText("没有网络，还没有发出").waitFor();
    assert.equal(await desk.getByLabel("快递单号").inputValue(), "SF14026688773");
    await desk.getByLabel("快递单号").fill("");
    await desk.context().setOffline(false);
    await desk.getByText("没有存上").waitFor({ state: "detached" });
    // Whoever goes back without leaving the field has left it.
    await memo.fill("放门口，要发票；周六送");
    const here = desk.url();
    await desk.goBack();
    await until("the memo as it was last", async () => (await desk.goto(here), await memo.inputValue()) === "放门口，要发票；周六送");
  });

  await step("what the courier wrote into a table goes out in one paste", async () => {
    const table = orders.slice(0, 20).map((no, i) => `${no}\t顺丰\tSF14026688775${String(i).padStart(2, "0")}`);
    await desk.goto(`${shop}/admin/shipping`);
    await desk.getByLabel("从表格复制").fill(["订单号\t快递公司\t快递单号", ...table, `${orders[0]}0\t顺丰\tSF1402668877599`].join("\n"));
    await desk.getByRole("button", { name: "核对" }).first().click();
    await desk.getByRole("button", { name: "只执行可以的 20 行" }).waitFor();
    await shot(desk, "packer-paste");
    // A number that is being mended in its row is not thrown away by what the other rows are ready for.
    await desk.locator("summary", { hasText: "修改" }).first().click();
    const mended = desk.getByLabel("快递单号").first();
    const was = await mended.inputValue();
    await mended.fill("SF1402668877588");
    await desk.getByRole("button", { name: "只执行可以的 20 行" }).click();
    await desk.getByText("还没有保存：「快递单号」里也有改动").waitFor();
    assert.equal(await mended.inputValue(), "SF1402668877588");
    assert.ok(await mended.isVisible());
    await mended.fill(was);
    await desk.getByRole("button", { name: "只执行可以的 20 行" }).click();
    await desk.getByText("整批撤销").waitFor();
    await desk.goto(`${shop}${list}`);
    await desk.getByText("共 6 单").waitFor();
  });

  await step("one buyer gets his money back", async () => {
    await desk.goto(`${shop}/admin/orders/${orders[20]}`);
    await desk.getByRole("link", { name: "退款" }).first().click();
    await desk.getByLabel("退几件").first().fill("1");
    await desk.getByRole("button", { name: /下一步/ }).click();
    await desk.getByRole("button", { name: /^确认退款/ }).click();
    await desk.getByText("退款成功").or(desk.getByText("已退款")).first().waitFor();
    await shot(desk, "packer-refund");
    await desk.goto(`${shop}${list}`);
    await desk.getByText("共 5 单").waitFor();
  });

  await step("three orders stand on a phone, the first of them high up, and every target is a thumb wide", async () => {
    const hand = await open({ ...phone, viewport: { width: 390, height: 844 }, storageState: await desk.context().storageState() });
    await hand.goto(shop + list);
    const seen = await hand.locator("article.order").evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ top, bottom }) => [top, bottom]));
    assert.ok(seen[0][0] < 220, `the first order begins at ${seen[0][0]}`);
    assert.ok(seen.filter(([, bottom]) => bottom <= 844 - 60).length >= 3, `${seen.filter(([, bottom]) => bottom <= 784).length} whole orders above the bar`);
    const small = await hand.evaluate(() => {
      const visible = (one) => one.checkVisibility() && one.getBoundingClientRect().width > 2;
      const targets = [...document.querySelectorAll("main a, main button, main select, main summary, main input:not([type=hidden]), .rail a, .rail summary")].filter(visible);
      // A tick is pressed by its label.
      return targets.map((one) => one.closest("label") ?? one).filter((one) => one.getBoundingClientRect().height < 39.5).map((one) => one.outerHTML.slice(0, 90));
    });
    assert.deepEqual(small, []);
    await shot(hand, "phone-orders");
    await hand.getByText("更多").click();
    await hand.getByRole("link", { name: "对账" }).waitFor();
    await shot(hand, "phone-more");
    const manifest = await (await fetch(`${shop}/static/manifest.json`)).json();
    for (const { src } of manifest.icons) assert.ok((await fetch(shop + src)).ok, src);
    await hand.close();
  });

  await step("a label that is scanned where no number is asked for is heard to go nowhere, and the keys go on from there", async () => {
    const card = await (await buyer({ shop, simulator }, "card")).buy("礼品卡");
    await until("the payment", async () => {
      await desk.goto(`${shop}/admin/orders/${card}?list=tab%3Dto_ship`);
      return (await desk.locator("#ship-form").count()) === 1;
    });
    await desk.keyboard.type("SF1402668877999");
    await desk.keyboard.press("Enter");
    await desk.getByText("SF1402668877999 没有记下").waitFor();
    const on = await desk.locator(".walk [rel]").first();
    const [to, rel] = [await on.getAttribute("href"), await on.getAttribute("rel")];
    await desk.keyboard.press(rel === "prev" ? "Alt+ArrowUp" : "Alt+ArrowDown");
    await desk.waitForURL(shop + to);
  });

  await step("at the desk the next scan takes the place of what was refused", async () => {
    const no = await buy(1);
    await until("the payment", async () => {
      await desk.goto(`${shop}/admin/shipping/scan`);
      for (const code of ["ABCDEF123456", "ABCDEF123457", no]) {
        await desk.locator("#code:focus").waitFor();
        await scan(desk, code);
        await desk.waitForLoadState();
        await desk.locator(".flash.error, h2.no").first().waitFor();
        await desk.waitForTimeout(400);
      }
      return (await desk.getByText("第 2 步").count()) === 1;
    });
  });

  await step("a label that is scanned while the page's pictures still come is whole", async () => {
    const no = await buy(1);
    const page = await desk.context().newPage();
    await page.route("**", async (route) => {
      if (route.request().resourceType() === "image") await new Promise((then) => setTimeout(then, 1000));
      await route.continue();
    });
    await until("the payment", async () => {
      await page.goto(`${shop}/admin/shipping/scan?order=${no}`, { waitUntil: "domcontentloaded" });
      return (await page.locator("h2.no").count()) === 1;
    });
    await page.locator("#code:focus").waitFor();
    // A busy browser draws the page later than the field has its cursor.
    await page.waitForFunction(() => performance.getEntriesByType("paint").some(({ startTime }) => performance.now() - startTime > 100));
    assert.equal(await page.evaluate(() => document.readyState), "interactive");
    for (const key of "SF1402668870001") {
      await page.keyboard.press(key);
      await page.waitForTimeout(100);
    }
    assert.equal(await page.evaluate(() => document.readyState), "complete");
    await page.keyboard.press("Enter");
    await page.getByText("已发货 顺丰速运 SF1402668870001").first().waitFor();
    // Where nothing is scanned into, Enter stays what it is.
    await page.goto(`${shop}/admin/orders/${no}`);
    await page.keyboard.press("x");
    await page.locator(".rail a[href='/admin/orders']").first().focus();
    await page.keyboard.press("Enter");
    await page.waitForURL(`${shop}/admin/orders`);
    await page.close();
  });

  await step("a check of the goods that was begun is ended, or somebody says that it is not to be", async () => {
    await desk.goto(`${shop}/admin/products/${rice}`);
    for (const [i, field] of (await desk.locator("[aria-label=条码]:visible").all()).entries()) await field.fill(`690000000010${i}`);
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.locator(".flash").waitFor();
    const no = await buy(2);
    await until("the payment", async () => {
      await desk.goto(`${shop}/admin/shipping/scan?order=${no}`);
      return (await desk.locator("[data-codes]").count()) === 1;
    });
    const code = (await desk.locator("[data-codes]").getAttribute("data-codes")).split("\n").find((one) => one.startsWith("69"));
    const scan = async (what) => {
      await desk.waitForLoadState();
      await desk.locator("#code").fill(what);
      await desk.keyboard.press("Enter");
    };
    await scan(code);
    await scan("75312345678981");
    await desk.getByText("还差 1 件").waitFor();
    // What is not of this order is called by its name, and what is said of it goes with the next right scan.
    await scan(`690000000010${code.endsWith("0") ? 1 : 0}`);
    const foreign = desk.getByText("不是快递单号");
    await foreign.waitFor();
    // What was ticked off outlives the page, and a piece too many is told.
    await scan(code);
    await desk.locator(".packed").waitFor();
    assert.equal(await foreign.count(), 0);
    await desk.reload();
    await scan(code);
    await desk.getByText("多了一件").waitFor();
    await scan("75312345678981");
    await desk.getByText("多扫了").waitFor();
    await shot(desk, "packer-check");
    assert.equal(await desk.locator(".flash.error").count(), 0);
    // The same label once more is somebody's word.
    await scan("75312345678981");
    await desk.locator("[data-done] li", { hasText: no.slice(-6) }).waitFor();
  });
});
