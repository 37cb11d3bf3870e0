// Every page of the console, with something on it: axe at both widths, in the light and in the dark, and the smallest phone.
import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { buyer, story, until } from "./shop.mjs";

const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

/** Addresses that are no pages: files, streams, what only answers a script, and what leads on to a page at once. */
const NO_PAGES = /export|\.svg|\.xlsx|\.csv|\/events|\/pulse|\/foreign|\/photos|\/print\/(bars|qr)|\/shipping\/carriers|\/miniprogram\/zip|\/(reveal|code|poster|preview|quick|approve|bulk)$|\/welcome|\/setup|\/invite/;

/** The addresses that the console answers, as its source has them. */
const routes = () => {
  const folder = new URL("../../src/console/", import.meta.url);
  const sources = readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(".rs"));
  const all = sources.flatMap((name) => [...readFileSync(new URL(name, folder), "utf8").matchAll(/#\[get\("([^"?]*)/g)].map(([, path]) => path));
  return [...new Set(all)].filter((path) => !NO_PAGES.test(path));
};

/** Lists as people narrow them: each filter is a chip that can be taken off. */
const NARROWED = [
  "/products?q=T", "/products?tab=sold_out&q=nothing-like-it", "/customers?q=王", "/transactions?q=nothing-like-it",
  "/orders?tab=to_ship&region=杭州&flag=red&unprinted=true&remark=true&from=2026-01-01&to=2027-01-01&q=王",
];

/** Runs in the page: bars and lines that stand out from their ground by less than 3:1. */
const pale = () => {
  const paint = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const light = (colour) => {
    paint.fillStyle = colour;
    paint.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...paint.getImageData(0, 0, 1, 1).data].map((part) => (part / 255 <= 0.03928 ? part / 3294.6 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (one) => {
    const { backgroundColor } = getComputedStyle(one);
    return /\/ 0\)|, 0\)|transparent/.test(backgroundColor) ? ground(one.parentElement) : light(backgroundColor);
  };
  const drawn = document.querySelectorAll(":is(.plot, .day, .lanes) :is(rect, path:not(.area)), .spark path, :is(.bar, .wait, .share) rect");
  const found = [...drawn].filter((one) => one.checkVisibility() && (one.tagName === "path" || one.width.baseVal.value > 0)).map((one) => {
    const { fill, stroke, opacity } = getComputedStyle(one);
    const [a, b] = [light(fill === "none" ? stroke : fill), ground(one.closest("svg"))].sort();
    return [((b + 0.05) / (a + 0.05)) * Number(opacity), one.getAttribute("class") ?? one.tagName];
  });
  // What marks a field is its edge: its ground is the card's.
  for (const field of document.querySelectorAll("main :is(input, select, textarea)")) {
    const { borderTopColor, borderTopWidth } = getComputedStyle(field);
    if (!field.checkVisibility() || borderTopWidth === "0px" || /\/ 0\)|, 0\)|transparent/.test(borderTopColor)) continue;
    const [a, b] = [light(borderTopColor), ground(field.parentElement)].sort();
    found.push([(b + 0.05) / (a + 0.05), `edge of ${field.name || field.type}`]);
  }
  return [...new Set(found.filter(([ratio]) => ratio < 3).map(([ratio, what]) => `${what} ${ratio.toFixed(2)}`))];
};

/** Runs in the page: fields that have no room for the words in them. */
const cut = () => {
  const ruler = document.createElement("canvas").getContext("2d");
  return [...document.querySelectorAll("input[placeholder]")].filter((field) => field.checkVisibility() && !field.value).filter((field) => {
    const { font, paddingLeft, paddingRight } = getComputedStyle(field);
    ruler.font = font;
    return ruler.measureText(field.placeholder).width > field.clientWidth - parseFloat(paddingLeft) - parseFloat(paddingRight) + 1;
  }).map((field) => field.placeholder);
};

/** Runs in the page: how wide it is, and what may be pressed that stands outside of the window or of its own card, or in the bar under something else. */
const outside = () => {
  const over = (one) => {
    const { right } = one.getBoundingClientRect();
    const card = one.closest(".card")?.getBoundingClientRect().right ?? innerWidth;
    return right > Math.min(innerWidth, card) + 1;
  };
  const acts = [...document.querySelectorAll("main :is(.btn, button), .top :is(.btn, button, a)")];
  const under = (one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    const seen = document.elementFromPoint(x + width / 2, y + height / 2);
    return one.closest(".top") && !one.contains(seen) && !seen?.contains(one);
  };
  const found = acts.filter((one) => one.checkVisibility() && one.getBoundingClientRect().width > 1 && !one.closest(".tabs") && (over(one) || under(one)));
  return [document.documentElement.scrollWidth, ...found.slice(0, 3).map((one) => `${one.textContent.trim()} ${one.getAttribute("aria-label") ?? ""}`)];
};

await story(async ({ shop, simulator, step, shot, open, expect, login, fits }) => {
  const desk = await login();
  // One of the pages is that of an address that leads nowhere.
  expect(/status of 404/);
  const many = await buyer({ shop, simulator }, "many");
  const becomes = (path, words) => until(words, async () => {
    await desk.goto(shop + path);
    return (await desk.content()).includes(words);
  });
  /** A form, as a page would send it. */
  const send = async (path, fields) => {
    const answer = await desk.request.post(`${shop}/admin${path}`, { headers: { "Content-Type": "application/x-www-form-urlencoded" }, data: new URLSearchParams(fields).toString() });
    assert.ok(answer.ok(), `${path}: ${answer.status()} ${(await answer.text()).slice(0, 300)}`);
  };

  let sent, bought, unpaid, refund, stray, backup;
  await step("a shop has something on each of its pages", async () => {
    sent = await many.buy("面包");
    bought = await many.buy("大米");
    unpaid = (await many.place("大米")).order.orderNo;
    await becomes("/admin/orders?tab=to_ship", sent);
    await becomes("/admin/orders?tab=to_ship", bought);
    await many.buy("大米", "other_amount");
    await desk.goto(`${shop}/admin/orders/${sent}`);
    await desk.getByLabel("快递单号").first().fill("SF1402668877319");
    await desk.getByRole("button", { name: "确认发货" }).click();
    await desk.getByText("已发货 顺丰速运").first().waitFor();
    const { lines } = await many.api(`/orders/${sent}`);
    await many.api(`/orders/${sent}/returns`, { kind: "return", lines: [{ lineId: lines[0].id, quantity: 1 }], reason: "碎了或坏了", description: "送到的时候压扁了" });
    await send("/returns/1/agree", { address: "退货组 0571-88001234 浙江省杭州市西湖区演示路 1 号", words: "" });
    await many.api(`/orders/${bought}/invoice`, { titleKind: "personal", title: "王小样", email: "wang@example.com" });
    refund = (await many.api(`/orders/${bought}/refunds`, { reason: "不想要了" })).refundNo;
    await send("/promotions", [["name", "满减"], ["kind", "reduce"], ["given", "everybody"], ["from", "9999"], ["off", "10"]]);
    await send("/promotions", [["name", "老客户专享券"], ["kind", "percent"], ["given", "link"], ["from", "9999"], ["percent", "8.8"], ["cap", "20"], ["code", "LAOKE"]]);
    await send("/drafts", { "lines[0].what": "五常大米 5 斤", "lines[0].quantity": "2", "lines[0].price": "50", remark: "老客户，送一只袋子" });
    await send("/freight", { name: "重货", by: "weight", "elsewhere.first": "1", "elsewhere.first_fee": "8", "elsewhere.more": "1", "elsewhere.more_fee": "3", "rows[0].regions": "新疆 西藏", "rows[0].not_sent": "true" });
    await send("/programs/keys", [["name", "ERP"], ["rights", "orders"], ["rights", "stock"], ["days", "90"]]);
    await send("/programs/hooks", [["url", "https://erp.example.com/hook"], ["events", "order.paid"]]);
    await send("/staff/invite", { name: "小李", role: "packer" });
    await desk.goto(`${shop}/admin/settings#robots`);
    await desk.getByLabel("企业微信机器人地址").fill("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=demo");
    await desk.locator("#robots").getByRole("button", { name: "保存并测试" }).click();
    await desk.locator(".strip", { hasText: "企业微信已发出" }).waitFor();
    await desk.goto(`${shop}/admin/shipping`);
    await desk.getByLabel("从表格复制").fill(`订单号\t快递公司\t快递单号\n${bought}\t顺丰\tSF1234567890123\n随便写的一行`);
    await desk.getByRole("button", { name: "核对" }).first().click();
    await desk.getByText("随便写的一行").waitFor();
    await desk.goto(`${shop}/admin/products/import`);
    const lines_of = ["商品名称,副标题,规格,商家编码,售价,库存", "蓝莓杯子蛋糕,换了一个比较长的副标题看看它站不站得下,,,38.5,", "很长很长的新商品名字看看它会不会被挤成一列,,颜色:红,LONG-1,19.9,5", "坏行,,红色,,abc,-1"];
    await desk.setInputFiles("input[type=file]", { name: "价目.csv", mimeType: "text/csv", buffer: Buffer.from(lines_of.join("\n")) });
    await desk.getByRole("button", { name: "读入，先核对" }).click();
    await desk.getByText("新增 1", { exact: true }).waitFor();
    await becomes("/admin/exceptions", "/refund\"");
    stray = new URL(await desk.locator("a[href^='/admin/exceptions/']").first().getAttribute("href"), shop).pathname.replace("/admin", "");
  });

  const yesterday = new Date(Date.now() + 8 * 3_600_000 - 86_400_000).toISOString().slice(0, 10);
  const pages = () => [
    "", "/insights", "/orders", "/orders?view=table", "/orders?panel=filter", "/orders?view=table&panel=columns", "/orders?q=nothing-like-it",
    `/orders/${bought}`, `/orders/${sent}`, `/orders/${unpaid}`, `/orders/${unpaid}/cancel`, `/orders/${unpaid}/price`, `/orders/${unpaid}/offline`, `/orders/${sent}/refund`,
    "/shipping", "/shipping/batches/1", "/shipping/scan", `/shipping/scan?order=${bought}`, "/pickup", `/print/slips?order=${bought}`, `/print/picking?order=${bought}`,
    "/drafts", "/drafts/1", "/drafts/new", "/refunds", `/refunds/${refund}`, "/refunds?tab=trouble", "/returns", "/returns?tab=agreed", "/returns/1", "/returns/1/receive", "/returns/1/pay-instead",
    "/products", "/products?view=table&panel=columns", "/products/1", "/products/new", "/products/1/stock", "/products/1/share", "/products/import", "/products/imports/1",
    "/products/samples/clear", "/products/held", "/categories", "/categories/1/delete", "/showcase", "/promotions", "/promotions?phase=ended", "/promotions/1", "/promotions/2", "/promotions/new",
    "/freight", "/freight/1", "/freight/new", "/customers", "/customers/1", "/customers/1/erase", "/transactions", "/transactions/1", "/money", `/money/${yesterday}`, "/exceptions", stray,
    "/invoices", "/invoices?state=issued", "/settings", "/miniprogram", "/staff", "/account", "/account/totp", "/audit", "/audit?q=nothing-like-it", "/programs", "/notices", "/notices/templates",
    "/notices/templates?fetched=true", "/jobs", "/jobs?tab=done", "/backups", "/diagnostics", "/login", "/nothing-like-it",
  ].map((path) => `/admin${path}`);

  await step("no page of the console is left out", async () => {
    await desk.goto(`${shop}/admin/backups`);
    backup = new URL(await desk.getByRole("link", { name: "恢复…" }).first().getAttribute("href"), shop).pathname;
    const seen = [...pages(), backup].map((path) => path.replace(/\?.*/, "").replace(/^\/admin/, "") || "/");
    const missing = routes().filter((path) => {
      const like = new RegExp(`^${path.replaceAll(/<[^>]*>/g, "[^/]+")}$`);
      return !seen.some((one) => like.test(one));
    });
    assert.deepEqual(missing, []);
  });

  await step("Enter in a field presses what its form is for", async () => {
    const found = [];
    for (const path of pages().filter((path) => path !== "/admin/login")) {
      await desk.goto(shop + path);
      // A browser takes the first button. One that stands before the main one, or is one of several acts, would be done unasked.
      found.push(...await desk.evaluate((path) => [...document.forms].flatMap((form) => {
        const all = [...form.elements];
        const buttons = all.filter((one) => one.matches("button:not([type=button])"));
        if (form.method !== "post" || buttons.length < 2 || !all.some((one) => one.matches("input:not([type=hidden], [type=checkbox], [type=radio], [type=file])"))) return [];
        const [first] = buttons;
        const main = buttons.find((one) => one.matches(".main"));
        const right = first.matches(".vh") ? (main ? main.textContent === first.textContent && main.name === first.name : first.value === "") : first.matches(".main");
        return right ? [] : [`${path} ${form.action}: ${first.textContent.trim()}`];
      }), path));
    }
    assert.deepEqual(found, []);
    // Goods that are ticked are not put on sale by a figure that is typed for them.
    await desk.goto(`${shop}/admin/products`);
    await desk.locator("[name=product]").first().check();
    await desk.locator(".bulk summary").click();
    await desk.getByLabel("改价百分比").fill("-10");
    await desk.getByLabel("改价百分比").press("Enter");
    await desk.getByRole("button", { name: /确认/ }).waitFor();
    // A price that is asked about is answered by Enter, too.
    await desk.goto(`${shop}/admin/drafts/new`);
    await desk.getByLabel("第 1 样商品").fill("五常大米 5 斤");
    const price = desk.getByLabel("第 1 样单价（元）");
    await price.fill("4.9");
    await price.press("Enter");
    await desk.getByText("没有错就再按一次").waitFor();
    await price.press("Enter");
    await desk.getByRole("heading", { name: "发给买家" }).waitFor();
  });

  await step("after a refusal the cursor stands in the field that it is about", async () => {
    const page = await open({ viewport: { width: 1440, height: 900 }, locale: "zh-CN", storageState: await desk.context().storageState() });
    const rows = [
      ["/products/new", { name: "鸡蛋", "skus[0].price": "12.5", "skus[0].on_hand": "3O" }, "skus[0].on_hand"],
      ["/products/1", { "skus[0].weight": "x" }, "skus[0].weight"],
      ["/products/1", { limit: "x" }, "limit"],
      ["/drafts/new", { "lines[0].what": "五常大米 5 斤", phone: "12", receiver: "王", province: "浙江省", city: "杭州市", district: "西湖区", detail: "示例路 1 号" }, "phone"],
      ["/promotions/new", { name: "满减", from: "10", off: "20" }, "off"],
      ["/freight/new", { name: "轻货", "elsewhere.first_fee": "x" }, "elsewhere.first_fee"],
      ["/showcase", { pinned: "没有这样的商品" }, "pinned"],
      [`/orders/${sent}/refund`, { freight: "x" }, "freight"],
      [`/orders/${unpaid}/price`, { total: "x" }, "total"],
      ["/staff", { name: "a b" }, "name"],
      ["/account", { new: "short", again: "short" }, "new"],
      ["/settings", { "shop-pay_minutes": "x" }, "shop-pay_minutes"],
      ["/exceptions", { order_no: "20261201AAAAAAAAAA" }, "order_no"],
    ];
    const found = [];
    for (const [path, fields, right] of rows) {
      await page.goto(`${shop}/admin${path}`);
      const answer = page.waitForEvent("load");
      await page.evaluate((fields) => {
        const form = [...document.querySelectorAll("main form")].find((form) => Object.keys(fields).every((name) => form.elements[name]) && form.method === "post" && !form.action.endsWith("/withdraw"));
        for (const [name, value] of Object.entries(fields)) (form.elements[name].length ? form.elements[name][0] : form.elements[name]).value = value;
        form.noValidate = true;
        form.requestSubmit();
      }, fields);
      await answer;
      await page.waitForTimeout(100);
      const at = await page.evaluate(() => document.activeElement.name);
      if (at !== right) found.push(`${path}: ${at} instead of ${right}`);
    }
    await page.close();
    assert.deepEqual(found, []);
  });

  await step("axe finds nothing on any of them, on a desk and on a phone, in the light and in the dark", async () => {
    const found = [];
    const state = await desk.context().storageState();
    const look = async (name, viewport) => {
      const looking = await open({ viewport, hasTouch: name === "handset", locale: "zh-CN", bypassCSP: true, storageState: state });
      for (const path of pages()) {
        await looking.goto(shop + path);
        await looking.addScriptTag({ path: axe });
        // With something ticked, where there is something to tick: the bar of what may be done with it is looked at as well.
        const tick = looking.locator(".picking input[type=checkbox]:not([data-all])").first();
        if (await tick.isVisible().catch(() => false)) await tick.check();
        await shot(looking, `${name}${path.replaceAll(/[/?=&]/g, "-").replaceAll(/\d{8}[0-9A-Z]{10}/g, "order")}`, true);
        // In the dark only colours change.
        for (const [colorScheme, rules] of [["light", null], ["dark", ["color-contrast"]]]) {
          await looking.emulateMedia({ colorScheme });
          const { violations } = await looking.evaluate((rules) => window.axe.run(document, rules ? { runOnly: rules } : {}), rules);
          for (const what of await looking.evaluate(pale)) found.push(`${name} ${colorScheme} ${path}: drawn too pale: ${what}`);
          for (const one of violations) found.push(`${name} ${colorScheme} ${path}: ${one.id} ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(" | ")}`);
        }
        if (name === "handset") for (const words of await looking.evaluate(cut)) found.push(`${path}: no room for 「${words}」`);
        if (name === "desk") await shot(looking, `dark${path.replaceAll(/[/?=&]/g, "-").replaceAll(/\d{8}[0-9A-Z]{10}/g, "order")}`, true);
        await looking.emulateMedia({ colorScheme: null });
      }
      await looking.close();
    };
    await Promise.all([look("desk", { width: 1440, height: 900 }), look("handset", { width: 390, height: 844 })]);
    assert.deepEqual(found, []);
  });

  await step("an address that leads nowhere leaves the way on in sight", async () => {
    await desk.goto(`${shop}/admin/nothing-like-it`);
    await desk.getByRole("navigation", { name: "主导航" }).getByRole("link", { name: "订单" }).click();
    await desk.getByRole("heading", { name: "订单" }).waitFor();
  });

  await step("of rows that are kept ready a phone shows one, and the next when that is filled", async () => {
    const hand = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, locale: "zh-CN", storageState: await desk.context().storageState() });
    for (const [path, field] of [["/drafts/new", "[name$='.what']"], ["/freight/new", "[name$='.regions']"], ["/showcase", "[name=pinned]"]]) {
      await hand.goto(`${shop}/admin${path}`);
      const seen = () => hand.locator(field).filter({ visible: true }).evaluateAll((fields) => fields.filter((one) => !one.value).length);
      assert.equal(await seen(), 1, path);
      await hand.locator(field).filter({ visible: true }).last().fill("新疆");
      assert.equal(await seen(), 1, path);
    }
    await hand.close();
  });

  await step("none is wider than the smallest phone, squeezes words or is too low for a finger", () =>
    fits(desk, [...pages(), backup, ...NARROWED.map((path) => `/admin${path}`)]));

  await step("on a small desk each page fits, and what may be pressed stands in its card, with a name of sixty characters", async () => {
    const long = "新疆阿克苏冰糖心苹果礼盒装十二枚产地直发顺丰包邮坏果包赔送礼自用两相宜家庭实惠装甄选大果脆甜多汁当季现摘新鲜水果";
    await desk.goto(`${shop}/admin/products/2`);
    await desk.getByLabel("名称", { exact: true }).fill(long);
    await desk.getByRole("button", { name: "保存", exact: true }).click();
    await desk.locator("h1", { hasText: long.slice(0, 20) }).waitFor();
    const named = ["/products?q=阿克苏", "/products/2", "/products/2/share", "/products/2/stock", "/orders?view=table"].map((path) => `/admin${path}`);
    const found = [];
    for (const width of [1024, 1280]) {
      await desk.setViewportSize({ width, height: 800 });
      for (const path of [...pages(), ...named]) {
        await desk.goto(shop + path);
        const [wide, ...acts] = await desk.evaluate(outside);
        if (wide > width) found.push(`${path} is ${wide} px wide at ${width}`);
        for (const act of acts) found.push(`${path} at ${width}: 「${act}」 is out of sight`);
      }
    }
    assert.deepEqual(found, []);
  });

  await step("what stands in an order's bar can be pressed, however wide the desk is and whatever may be done", async () => {
    const found = [];
    for (const width of [900, 1024, 1200, 1280, 1366, 1440, 1920]) {
      await desk.setViewportSize({ width, height: 800 });
      for (const path of [`${bought}?list=`, `${sent}?list=`, `${unpaid}?list=`, unpaid]) {
        await desk.goto(`${shop}/admin/orders/${path}`);
        await desk.locator(".live").getByText("实时").waitFor({ state: "attached" });
        const [wide, ...acts] = await desk.evaluate(outside);
        if (wide > width) found.push(`${path} is ${wide} px wide at ${width}`);
        for (const act of acts) found.push(`${path} at ${width}: 「${act}」 cannot be pressed`);
      }
    }
    assert.deepEqual(found, []);
  });

  await step("a page comes out of the printer as wide as its sheet, dark on white, and under its name", async () => {
    await desk.setViewportSize({ width: 1123, height: 794 });
    await desk.emulateMedia({ media: "print", colorScheme: "dark" });
    for (const path of [`/orders/${bought}`, "/money", `/money/${yesterday}`, "/transactions"]) {
      await desk.goto(`${shop}/admin${path}`);
      const { wide, ground, ink, named, rest } = await desk.evaluate(() => {
        const of = (selector, what) => getComputedStyle(document.querySelector(selector))[what];
        const [wide, named, rest] = [document.querySelector("main").offsetWidth, document.querySelector("h1").checkVisibility(), document.querySelector(".skip").checkVisibility()];
        return { wide, named, rest, ground: of("main .card", "backgroundColor"), ink: of("main .card", "color") };
      });
      const shade = (colour) => colour.match(/\d+/g).slice(0, 3).reduce((sum, part) => sum + Number(part), 0);
      assert.ok(wide > 1000 && shade(ground) === 765 && shade(ink) < 200 && named && !rest, `${path}: ${JSON.stringify({ wide, ground, ink, named, rest })}`);
    }
    await desk.emulateMedia({ media: null, colorScheme: null });
  });

  await step("whatever picture the shop has, each slip keeps its code on the paper", async () => {
    const wide = new URL("wide.png", `file://${tmpdir()}/`);
    const canvas = await desk.evaluate(() => Object.assign(document.createElement("canvas"), { width: 800, height: 160 }).toDataURL().split(",")[1]);
    writeFileSync(wide, Buffer.from(canvas, "base64"));
    await desk.goto(`${shop}/admin/settings#shop`);
    await desk.locator("form[action$='/logo'] input[type=file]").setInputFiles(wide.pathname);
    await desk.locator("form[action$='/logo'] button").first().click();
    await desk.locator(".strip, .flash").first().waitFor();
    const found = [];
    for (const paper of ["a4", "100", "80", "58"]) {
      await desk.goto(`${shop}/admin/print/slips?order=${bought}&paper=${paper}&chosen=true&extra=logo`);
      await desk.locator("img.logo").waitFor();
      found.push(...await desk.evaluate((paper) => [...document.querySelectorAll(".slip img")].filter((img) => {
        const [slip, { paddingRight, paddingLeft }, box] = [img.closest(".slip").getBoundingClientRect(), getComputedStyle(img.closest(".slip")), img.getBoundingClientRect()];
        return box.right > slip.right - parseFloat(paddingRight) + 1 || box.left < slip.left + parseFloat(paddingLeft) - 1;
      }).map((img) => `${paper}: ${img.className}`), paper));
    }
    assert.deepEqual(found, []);
    // On sheets, as many as fit share one where that was asked for.
    const sheets = async (extra) => {
      await desk.goto(`${shop}/admin/print/slips?order=${bought}&order=${sent}&paper=a4&chosen=true&extra=${extra}`);
      return (await desk.pdf({ preferCSSPageSize: true })).toString("latin1").match(/\/Type\s*\/Page\b/g).length;
    };
    assert.deepEqual([await sheets("number"), await sheets("shared")], [2, 1]);
  });

  await step("a form is saved at the bottom of the window, the tab that one is on is in sight, and settings come by the card", async () => {
    await desk.setViewportSize({ width: 1440, height: 900 });
    for (const path of ["/showcase", "/promotions/new", "/freight/new", "/drafts/new", "/products/1"]) {
      await desk.goto(`${shop}/admin${path}`);
      const { y, height } = await desk.locator(".paybar").boundingBox();
      assert.equal(Math.round(y + height), 900, path);
    }
    await desk.goto(`${shop}/admin`);
    await desk.getByRole("link", { name: "设置" }).click();
    const cards = desk.locator(".settings .card");
    const shown = async () => (await cards.evaluateAll((all) => all.filter((card) => card.checkVisibility()).map((card) => card.id))).join(" ");
    assert.equal(await shown(), "shop");
    await desk.getByRole("link", { name: "运费与配送" }).click();
    assert.equal(await shown(), "freight");
    // The mark follows when the address has changed.
    await desk.locator(".index [aria-current]", { hasText: "运费与配送" }).waitFor();
    assert.equal(await desk.locator(".index [aria-current]").innerText(), "运费与配送");
    await desk.getByRole("link", { name: "全部" }).click();
    assert.equal((await shown()).split(" ").length, await cards.count());
    // A word finds the field, whichever card it stands in; a card that is taken from the list is shown as it is.
    const sift = desk.getByLabel("找设置");
    const fields = async () => (await desk.locator(".settings form label").evaluateAll((all) => all.filter((one) => one.checkVisibility()).map((one) => one.textContent.trim().split(/\s/)[0]))).join(" ");
    await sift.fill("Ａppid");
    assert.equal(await shown(), "app");
    assert.equal(await fields(), "小程序");
    await sift.fill("退款证书");
    assert.equal(await shown(), "certificate");
    // Several words: the card's title and the field's may share them; what of the card has none of them is not shown. It is still
    // looked for when the card was saved.
    await sift.fill("客服电话 店铺");
    assert.equal(await shown(), "shop");
    assert.equal(await desk.getByRole("button", { name: "上传店标" }).isVisible(), false);
    await desk.locator("#shop button.main").click();
    await desk.locator("#shop .flash").waitFor();
    assert.equal(await sift.inputValue(), "客服电话 店铺");
    assert.equal(await shown(), "shop");
    await sift.fill("没有这样的词");
    assert.equal(await shown(), "");
    await desk.getByText("这一页的设置里没有这个词").waitFor();
    await desk.getByRole("link", { name: "运费与配送" }).click();
    assert.equal(await sift.inputValue(), "");
    assert.equal(await shown(), "freight");
    // What stands typed in another card is not lost by saving this one unasked.
    await desk.goto(`${shop}/admin/settings`);
    await desk.locator("[name='shop-pay_minutes']").fill("45");
    const from = desk.locator("[name='shop-free_freight_from']");
    await from.fill("77");
    await from.press("Enter");
    await desk.getByText("还没有保存：「交易与售后」里也有改动").waitFor();
    assert.equal(await desk.locator("[name='shop-pay_minutes']").inputValue(), "45");
    await desk.setViewportSize({ width: 390, height: 844 });
    await desk.goto(`${shop}/admin/settings?at=freight`);
    const { x: left, width: wide } = await sift.boundingBox();
    assert.ok(left >= 0 && left + wide <= 390, `the search stands at ${left}`);
    for (const path of ["/jobs", "/diagnostics", "/drafts", "/products/import"]) {
      await desk.goto(`${shop}/admin${path}`);
      const { x, width } = await desk.locator(".tabs [aria-current]").first().boundingBox();
      assert.ok(x >= 0 && x + width <= 390, `${path}: ${x}`);
    }
  });
});
