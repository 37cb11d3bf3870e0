// A buyer's hands on the stage: what one can see and tap there, by role and text.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** Runs in the page: what a finger is to hit and has less than 38 px to hit it in, from top to bottom. */
const narrow = () => {
  const low = (node) => {
    const box = node.getBoundingClientRect();
    const [x, middle] = [box.x + box.width / 2, box.y + box.height / 2];
    const mine = (y) => node.contains(document.elementFromPoint(x, y));
    // What lies under something else is not to be hit now.
    if (!mine(middle)) return false;
    let [top, bottom] = [middle, middle];
    while (top > middle - 20 && mine(top - 1)) top -= 1;
    while (bottom < middle + 20 && mine(bottom + 1)) bottom += 1;
    return bottom - top < 38 && ![top - 1, bottom + 1].some((y) => cut(document.elementFromPoint(x, y), node));
  };
  // Scrolled out of the window, or under what stays where it is: the title's bar, the bar at the bottom.
  const cut = (over, node) => {
    if (!over?.closest(".stage-page")) return true;
    for (let one = over; one && !one.contains(node); one = one.parentElement) {
      if (["fixed", "sticky"].includes(getComputedStyle(one).position)) return true;
    }
    return false;
  };
  const all = ["button", "tab", "switch", "checkbox"].map((role) => `.stage-page:not([hidden]) [role=${role}]`).join(", ");
  return [...document.querySelectorAll(all)].filter((node) => node.checkVisibility() && low(node)).map((node) => `${node.className} ${node.textContent.trim().slice(0, 12)}`);
};

export class Stage {
  constructor(page, shop, shot) {
    Object.assign(this, { page, shop, shot: (name) => shot(page, name), desk: page.frameLocator("iframe") });
  }

  /** Enters at a page, as a shared link does. */
  async enter(path = "/pages/home/home") {
    // Loaded once, wherever one was before: what a page says once is not said to a load that nobody sees.
    await this.page.goto("about:blank");
    await this.page.goto(`${this.shop}/#${path}`);
  }

  /** What is shown now, by role and name. */
  see = (role, name, options = {}) => this.page.getByRole(role, { name, ...options }).filter({ visible: true });
  button = (name, options = { exact: true }) => this.see("button", name, options);
  text = (words, options) => this.page.getByText(words, options).filter({ visible: true }).first();
  field = (name) => this.see("textbox", name, { exact: true });
  sheet = (name) => this.page.getByRole("dialog", { name });
  tab = (name) => this.page.getByRole("navigation", { name: "标签栏" }).getByRole("button", { name });
  says = (words) => this.text(words).waitFor();

  /** What the shop has under a word, as anybody may ask. */
  async goods(word) {
    const answer = await fetch(`${this.shop}/api/v1/products?q=${encodeURIComponent(word)}`);
    return (await answer.json()).items;
  }

  async product(name) {
    const { id } = (await this.goods(name)).find((item) => item.name === name);
    await this.enter(`/pages/product/product?id=${id}`);
    await this.button("立即购买").waitFor();
  }

  /** From a product with one SKU to the open cash desk; answers with nothing, the order has its number when the desk closes. */
  async order(name) {
    await this.product(name);
    await this.button("立即购买").click();
    const sheet = this.sheet("选择规格");
    await sheet.getByRole("button", { name: "立即购买" }).click();
    await this.address();
    await this.button("微信支付").click();
    await this.desk.getByRole("button", { name: "确认支付" }).waitFor();
  }

  /** Fills in an address by pasting it, unless the buyer has one. */
  async address() {
    await this.button("微信支付").waitFor();
    const empty = this.text("填写收货地址");
    if (!(await empty.isVisible())) return;
    await empty.click();
    await this.field("粘贴整段地址").fill("王小样 13800000000 浙江省杭州市西湖区演示路 1 号");
    await this.says("认出 4 项");
    await this.button("保存").click();
    await this.says("浙江省 杭州市 西湖区 演示路 1 号");
  }

  async pay() {
    await this.desk.getByRole("button", { name: "确认支付" }).click();
    await this.says("付好了，店家在备货");
    return this.number();
  }

  async leaveDesk(way = "取消") {
    await this.desk.getByRole("button", { name: way }).click();
    await this.desk.getByRole("button", { name: "返回商家" }).click();
    await this.says("还没付款，货给你留着");
    return this.number();
  }

  async buy(name) {
    await this.order(name);
    return this.pay();
  }

  /** The number of the order that is shown. */
  async number() {
    const text = this.page.getByText(/^\d{8}[0-9A-Z]{10}$/).filter({ visible: true });
    return (await text.first().textContent()).trim();
  }

  /** Says yes or no to a question of the phone's. */
  answer = (words) => this.page.locator(".stage-over").getByRole("button", { name: words, exact: true }).click();

  /** axe has nothing to say about what is shown, and a finger hits it. */
  async clean(what) {
    // A word that passes by covers what it lies on.
    await this.page.locator(".stage-toast").waitFor({ state: "detached" });
    assert.deepEqual(await this.page.evaluate(narrow), [], `${what}: too low for a finger`);
    // Brought in by the browser's own hand: the page's policy stands.
    await this.page.evaluate(axe);
    // Half-way through a movement a colour is not what it will be.
    await this.page.evaluate(() => Promise.all(document.getAnimations()
      .filter((one) => one.effect.getComputedTiming().iterations !== Infinity)
      .map((one) => one.finished.catch(() => null))));
    const { violations } = await this.page.evaluate(() => window.axe.run(document));
    assert.deepEqual(violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`), []);
  }
}
