// The list of products as a sheet: price and stock are typed where they stand, and what was done is taken back by its strip.
import assert from "node:assert/strict";
import { phone, story, until } from "./shop.mjs";

await story(async ({ shop, step, shot, open, login }) => {
  const desk = await login("/products");
  const row = (name, page = desk) => page.locator("tr", { has: page.getByRole("link", { name, exact: true }) });
  const cell = (name, column, page = desk) => row(name, page).locator(`[data-quick=${column}]`);
  const field = (page = desk) => page.locator("form.incell input");
  const strip = (words, page = desk) => page.locator(".strip.flash", { hasText: words }).waitFor();
  const focused = (words, page = desk) => until(words, () => page.evaluate((words) => document.activeElement?.getAttribute("aria-label")?.includes(words), words));

  await step("Enter saves a price where it stands, and the strip takes it back without leaving the page", async () => {
    await desk.setViewportSize({ width: 1440, height: 900 });
    const tall = (await row("自动晴雨伞").boundingBox()).height;
    await desk.evaluate(() => (window.stayed = true));
    await cell("自动晴雨伞", "price").click();
    assert.equal(await field().inputValue(), "65.00");
    assert.equal((await row("自动晴雨伞").boundingBox()).height, tall, "the row stays as high as it was");
    await shot(desk, "cell-price");
    await desk.keyboard.type("66.5");
    await desk.keyboard.press("Enter");
    await strip("「自动晴雨伞」售价 ¥65.00 → ¥66.50");
    assert.equal(await cell("自动晴雨伞", "price").innerText(), "¥66.50");
    await shot(desk, "cell-saved");
    await desk.locator(".strip.flash").getByRole("button", { name: "撤销" }).click();
    await strip("已撤销");
    assert.equal(await cell("自动晴雨伞", "price").innerText(), "¥65.00");
    assert.equal(await desk.evaluate(() => window.stayed), true, "the page is never left");
  });

  await step("Esc gives up, Tab saves and goes on, and what is wrong is said at the cell", async () => {
    await cell("自动晴雨伞", "price").click();
    await field().waitFor();
    await desk.keyboard.type("1");
    await desk.keyboard.press("Escape");
    assert.equal(await cell("自动晴雨伞", "price").innerText(), "¥65.00");
    await cell("自动晴雨伞", "price").click();
    await field().waitFor();
    await desk.keyboard.type("65.5");
    await desk.keyboard.press("Tab");
    await strip("¥65.00 → ¥65.50");
    await focused("可售 自动晴雨伞");
    await desk.keyboard.type("+7");
    await desk.getByLabel("库存变动原因").selectOption("进货");
    await field().focus();
    await desk.keyboard.press("Enter");
    await strip("可售 53 → 60");
    await cell("自动晴雨伞", "price").click();
    await field().waitFor();
    await desk.keyboard.type("十元");
    await desk.keyboard.press("Enter");
    await row("自动晴雨伞").getByText("售价请填金额").waitFor();
    assert.equal(await field().inputValue(), "十元", "what was typed is not lost");
    await shot(desk, "cell-wrong");
    await desk.keyboard.press("Escape");
  });

  await step("half a price is not put on sale by whoever leaves the page", async () => {
    await cell("自动晴雨伞", "price").click();
    await field().waitFor();
    await desk.keyboard.type("7");
    // By a link, by the search of the page, by what a list is shown with: whatever leads away asks alike.
    const search = desk.getByRole("searchbox", { name: "搜索商品" });
    const ways = {
      "a link": () => desk.locator(".rail").getByRole("link", { name: "订单" }).first().click({ noWaitAfter: true }),
      "the search": async () => (await search.click(), await search.pressSequentially("T恤"), await search.press("Enter", { noWaitAfter: true })),
      "rows a page": () => desk.locator(".page-size button").first().click({ noWaitAfter: true }),
      "another order of the rows": () => desk.locator("thead a").first().click({ noWaitAfter: true }),
    };
    for (const [way, leave] of Object.entries(ways)) {
      let asked = 0;
      desk.once("dialog", (dialog) => ((asked += 1), dialog.dismiss()));
      await leave();
      await until(`the question after ${way}`, () => asked);
      assert.equal(await field().inputValue(), "7", way);
      assert.equal(await desk.locator(".strip.flash", { hasText: "¥7.00" }).count(), 0, way);
    }
    await field().focus();
    // What the cell itself asks is answered by a key, and by no press beside it.
    await field().fill("0.5");
    for (let i = 0; i < 2; i += 1) {
      await desk.mouse.click(700, 880);
      await row("自动晴雨伞").getByText("差十倍以上").waitFor();
      await field().focus();
    }
    await desk.keyboard.press("Escape");
    assert.equal(await cell("自动晴雨伞", "price").innerText(), "¥65.50");
  });

  await step("a category that is renamed by a thumb keeps its new name, whatever is tapped next", async () => {
    const hand = await open({ ...phone, viewport: { width: 390, height: 844 }, storageState: await desk.context().storageState() });
    await hand.goto(`${shop}/admin/categories`);
    const name = hand.locator("form[data-sends] [name=name]").first();
    const before = await name.inputValue();
    for (const to of [`${before}铺`, before]) {
      await name.fill(to);
      await hand.getByRole("link", { name: "商品列表" }).tap();
      await hand.waitForURL(/admin\/products/);
      await until("the name", async () => (await hand.goto(`${shop}/admin/categories`), await name.inputValue()) === to);
    }
    await hand.close();
  });

  await step("a category's name that another has stays in its row, and of several rows each is told", async () => {
    await desk.goto(`${shop}/admin/categories`);
    const rows = desk.locator("form[data-sends]:has([name=name])");
    const name = (n) => rows.nth(n).locator("[name=name]");
    const [first, second, , fourth] = await desk.locator("form[data-sends] [name=name]").evaluateAll((all) => all.map((one) => one.value));
    await name(1).fill(first);
    await name(1).press("Enter");
    await desk.locator(".flash.error", { hasText: `已经有分类「${first}」` }).waitFor();
    assert.deepEqual(await name(1).evaluate((one) => [one.value, one.ariaInvalid, one === document.activeElement, one.selectionStart]), [first, "true", true, first.length]);
    // As it was it is sent to nobody; another name is.
    await name(1).fill(second);
    await name(1).press("Tab");
    await name(1).fill(`${second}铺`);
    await name(1).press("Enter");
    await strip(`分类「${second}」改名为「${second}铺」`);
    assert.equal(await desk.locator(".flash").count(), 1);
    // On a slow line two rows and a third that is refused are under way together.
    await desk.route("**/admin/categories/*", async (route) => {
      await new Promise((then) => setTimeout(then, route.request().method() === "POST" ? 400 : 0));
      await route.continue();
    });
    await name(0).fill(`${first}店`);
    await rows.nth(2).getByRole("switch").uncheck();
    await name(3).fill(`${second}铺`);
    await name(3).press("Enter");
    for (const words of [`「${first}」改名为「${first}店」`, "改为隐藏", `已经有分类「${second}铺」`]) await strip(words);
    assert.deepEqual(await name(3).evaluate((one) => [one.value, one === document.activeElement]), [`${second}铺`, true]);
    await desk.unroute("**/admin/categories/*");
    // Each strip takes back its own; what is given up is as it was, and nobody is asked about it.
    await name(3).fill(fourth);
    await name(3).press("Tab");
    await desk.locator(".strip.flash", { hasText: "改为隐藏" }).getByRole("button", { name: "撤销" }).click();
    await strip("改为显示");
    for (const [n, to] of [first, second].entries()) {
      await name(n).fill(to);
      await name(n).press("Enter");
      await strip(`改名为「${to}」`);
    }
    await desk.goto(`${shop}/admin/products`);
  });

  await step("a colleague was quicker: said at the cell, and typed over only knowingly", async () => {
    const other = await open({ viewport: { width: 1440, height: 900 }, storageState: await desk.context().storageState() });
    await other.goto(`${shop}/admin/products`);
    await cell("自动晴雨伞", "price", other).click();
    await field(other).waitFor();
    await other.keyboard.type("70");
    await other.keyboard.press("Enter");
    await strip("¥65.50 → ¥70.00", other);
    await cell("自动晴雨伞", "price").click();
    await field().waitFor();
    await desk.keyboard.type("68");
    await desk.keyboard.press("Enter");
    await row("自动晴雨伞").getByText("刚被改成 ¥70.00，再按一次 Enter 就用您填的").waitFor();
    await desk.keyboard.type("68");
    await desk.keyboard.press("Enter");
    await strip("¥70.00 → ¥68.00");
    // The other one's undo is refused in words that need no field, and shows what stands there now.
    await other.getByRole("button", { name: "撤销" }).click();
    await other.getByText("没有撤销：刚被改成 ¥68.00", { exact: true }).waitFor();
    assert.equal(await cell("自动晴雨伞", "price", other).innerText(), "¥68.00");
    await other.close();
  });

  await step("of several specs the fields open, and say why", async () => {
    await cell("五常大米", "price").click();
    await desk.getByRole("dialog").getByText("一格填不下").waitFor();
    await shot(desk, "cell-specs");
    await desk.getByRole("button", { name: "取消" }).click();
  });

  await step("a thumb does the same", async () => {
    const hand = await open({ ...phone, viewport: { width: 390, height: 844 }, storageState: await desk.context().storageState() });
    await hand.goto(`${shop}/admin/products`);
    await cell("自动晴雨伞", "stock", hand).click();
    await field(hand).waitFor();
    await hand.keyboard.type("61");
    const low = await hand.locator("form.incell :is(input, select, button)").evaluateAll((all) => all.filter((one) => one.getBoundingClientRect().height < 39.5).map((one) => one.outerHTML));
    assert.deepEqual(low, []);
    assert.equal(await hand.evaluate(() => document.documentElement.scrollWidth), 390);
    await shot(hand, "cell-phone");
    await hand.getByRole("button", { name: "保存" }).click();
    await strip("可售 60 → 61", hand);
    await hand.close();
  });

  await step("a shelf is counted row by row and saved by one press, and what is refused stands as it was typed", async () => {
    await desk.goto(`${shop}/admin/products?q=五常大米`);
    const [, id] = (await row("五常大米").getByRole("link").first().getAttribute("href")).match(/products\/(\d+)/);
    await desk.goto(`${shop}/admin/products/${id}/stock`);
    const counted = desk.getByLabel(/新的在库数$/);
    await counted.nth(0).fill("+2");
    await counted.nth(1).fill("-9999");
    await counted.nth(1).press("Enter");
    await desk.getByText("没有改任何一格").waitFor();
    assert.deepEqual(await counted.evaluateAll((all) => all.map((one) => one.value)), ["+2", "-9999"]);
    assert.equal(await counted.nth(1).evaluate((one) => one.ariaInvalid && one === document.activeElement), true);
    await counted.nth(1).fill("-1");
    await desk.getByLabel("说明").fill("货架三");
    await desk.getByRole("button", { name: "保存" }).click();
    await strip(/库存 5 斤 \d+ → \d+，10 斤 \d+ → \d+/);
    assert.equal(await desk.getByRole("cell", { name: "盘点：货架三" }).count(), 2);
    await desk.locator(".strip.flash").getByRole("button", { name: "撤销" }).click();
    await strip("已撤销");
  });

  await step("a batch that was taken off the shelf comes back by one press", async () => {
    await desk.goto(`${shop}/admin/products`);
    for (const name of ["自动晴雨伞", "罗口中筒袜"]) await row(name).getByRole("checkbox").check();
    await desk.locator(".bulk").getByRole("button", { name: "下架" }).click();
    await strip("2 个商品已下架");
    assert.equal(await row("自动晴雨伞").count(), 0);
    await shot(desk, "bulk-undo");
    await desk.locator(".strip.flash").getByRole("button", { name: "撤销" }).click();
    await strip("已撤销：2 个商品已下架");
    await desk.goto(`${shop}/admin/products`);
    assert.equal(await row("自动晴雨伞").count() + (await row("罗口中筒袜").count()), 2);
  });

  await step("a price that is nothing is asked about once, and comes back by one press", async () => {
    await cell("自动晴雨伞", "price").click();
    await field().waitFor();
    await desk.keyboard.type("0");
    await desk.keyboard.press("Enter");
    await row("自动晴雨伞").getByText("售价是 0 元，再按一次 Enter 就用它").waitFor();
    await desk.keyboard.press("Enter");
    await strip("¥68.00 → ¥0.00");
    await desk.locator(".strip.flash").getByRole("button", { name: "撤销" }).click();
    await strip("已撤销");
    assert.equal(await cell("自动晴雨伞", "price").innerText(), "¥68.00");
  });

  await step("a batch that is refused keeps its ticks and what was typed", async () => {
    await desk.goto(`${shop}/admin/products`);
    for (const name of ["自动晴雨伞", "罗口中筒袜"]) await row(name).getByRole("checkbox").check();
    await desk.locator(".bulk summary").click();
    await desk.getByLabel("改价百分比").fill("一成");
    await desk.getByRole("button", { name: "改价 ±%" }).click();
    await desk.locator(".strip.red").waitFor();
    assert.deepEqual(await desk.locator("[name=product]:checked").count(), 2);
    assert.equal(await desk.getByLabel("改价百分比").inputValue(), "一成");
    assert.equal(await desk.getByLabel("改价百分比").isVisible(), true);
    assert.match(await desk.locator("[data-picked]").innerText(), /2/);
  });

  await step("a province is put into a row of a freight template by its tile, and taken out by another press", async () => {
    await desk.goto(`${shop}/admin/freight/new`);
    const tile = (name) => desk.getByRole("group", { name: "省份" }).getByRole("button", { name });
    const regions = (n) => desk.getByLabel(`第 ${n} 行的地区`);
    await tile("新疆").click();
    await tile("西藏").click();
    assert.equal(await regions(1).inputValue(), "新疆 西藏");
    await desk.getByLabel("第 1 行不发货").check();
    await tile("西藏").getByText("不送").waitFor();
    await regions(2).focus();
    await tile("西藏").click();
    assert.deepEqual([await regions(1).inputValue(), await regions(2).inputValue()], ["新疆", "西藏"], "a province stands in one row");
    await tile("西藏").click();
    assert.equal(await regions(2).inputValue(), "");
    await desk.getByLabel("其他地区首件或首重的运费").fill("8");
    await tile("浙江").getByText("¥8").waitFor();
    await shot(desk, "freight-map");
  });
});
