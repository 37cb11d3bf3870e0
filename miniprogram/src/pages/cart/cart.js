// The cart: ticked lines, priced by the server; what is short, gone or dearer says so.
const api = require("../../utils/api");
const cart = require("../../utils/cart");
const goods = require("../../utils/goods");
const { yuan } = require("../../utils/words");
const { open } = require("../../utils/pages");

const items = (lines) => lines.map(({ skuId, quantity }) => ({ skuId, quantity }));

/** Prices what can be priced. Answers with the quote's lines by SKU, and why the others cannot be bought. */
async function price(lines) {
  const gone = {};
  for (;;) {
    const asked = lines.filter((line) => !gone[line.skuId]);
    if (!asked.length) return { quote: null, gone };
    try {
      return { quote: await api.post("/quote", { items: items(asked) }), gone };
    } catch (error) {
      const { skuId } = error.details || {};
      if (!skuId || gone[skuId] || (error.code !== "product_off_shelf" && error.code !== "not_found")) throw error;
      gone[skuId] = "已下架";
    }
  }
}

/** What a line has to say, now that the shop was asked. */
function told(line, now, limits) {
  if (line.quantity > now.available) return { say: `只剩 ${now.available} 件，已替你改成 ${now.available}`, good: false, quantity: now.available };
  const limit = limits.find((one) => one.details.skuId === line.skuId || one.details.productId === now.productId);
  if (limit) return { say: limit.message, good: false, quantity: line.quantity };
  if (now.priceFen < line.priceFen) return { say: `比加入时便宜 ${yuan(line.priceFen - now.priceFen)}`, good: true, quantity: line.quantity };
  if (now.priceFen > line.priceFen) return { say: `比加入时贵了 ${yuan(now.priceFen - line.priceFen)}`, good: false, quantity: line.quantity };
  return { say: "", good: false, quantity: line.quantity };
}

Page({
  ...goods.shelf,

  /** What the shop said of each line, by SKU.
   * @type {Record<string, any>} */
  known: {},
  asked: 0,
  /** @type {any} */
  soon: null,
  /** @type {any} the line whose SKU is being changed */
  changing: null,

  data: {
    lines: [],
    dead: [],
    editing: false,
    allTicked: false,
    count: 0,
    sum: null,
    note: "",
    trouble: "",
    empty: false,
    popular: [],
    pieces: {},
  },

  onShow() {
    this.draw();
    this.refresh();
    // What another phone put in or took out.
    cart.sync().then((differs) => differs && this.changed(), () => {});
  },

  /** What is known without asking. */
  draw() {
    const all = cart.lines();
    const known = this.known || {};
    const shown = all.map((line) => Object.assign({}, line, { picture: api.media(line.imageUrl), say: "", good: false, available: 999 }, known[line.skuId]));
    const lines = shown.filter((line) => !line.dead);
    const ticked = lines.filter((line) => line.ticked);
    this.setData({
      lines,
      dead: shown.filter((line) => line.dead),
      empty: !all.length,
      allTicked: lines.length > 0 && ticked.length === lines.length,
      count: ticked.reduce((sum, line) => sum + line.quantity, 0),
      pieces: cart.pieces(),
    });
    if (!ticked.length) this.setData({ sum: null });
    if (!all.length && !this.data.popular.length) this.suggest();
  },

  suggest() {
    goods.list({ sort: "sales", inStock: "true", limit: 4 }).then((page) => this.setData({ popular: page.items })).catch(() => {});
  },

  /** Asks the shop what the lines cost, and whether they can be had. */
  async refresh() {
    const lines = cart.lines();
    if (!lines.length) return;
    const mine = (this.asked = (this.asked || 0) + 1);
    try {
      const { quote, gone } = await price(lines);
      if (mine !== this.asked) return;
      this.known = {};
      const limits = quote ? quote.warnings.filter((one) => one.code === "purchase_limit") : [];
      for (const line of lines) {
        const now = quote && quote.lines.find((one) => one.skuId === line.skuId);
        if (!now) this.known[line.skuId] = { dead: gone[line.skuId] || "已下架" };
        else if (now.available === 0) this.known[line.skuId] = { dead: "已售罄" };
        else {
          const { say, good, quantity } = told(line, now, limits);
          this.known[line.skuId] = { say, good, nowFen: now.priceFen, available: now.available };
          if (quantity !== line.quantity) cart.change(line.skuId, { quantity });
        }
      }
      this.setData({ trouble: "" });
      this.draw();
      await this.total(mine);
    } catch (error) {
      if (mine === this.asked) this.setData({ trouble: error.message, sum: null });
    }
  },

  /** What is ticked, together. */
  async total(mine) {
    const ticked = this.data.lines.filter((line) => line.ticked);
    if (!ticked.length) return;
    const quote = await api.post("/quote", { items: items(ticked) });
    if (mine !== this.asked) return;
    const stops = quote.warnings.filter((one) => one.code === "purchase_limit" || one.code === "shop_closed" || one.code === "not_deliverable");
    this.setData({ sum: { totalFen: quote.totalFen, freightFen: quote.freightFen, discountFen: quote.discountFen }, note: stops.length ? stops[0].message : quote.hints[0] || "" });
  },

  /** After a change: drawn at once, asked about when the finger rests. */
  changed() {
    this.draw();
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.refresh(), 300);
  },

  tick({ currentTarget }) {
    const { id } = currentTarget.dataset;
    const line = this.data.lines.find((one) => one.skuId === id);
    cart.change(id, { ticked: !line.ticked });
    this.changed();
  },

  tickAll() {
    const ticked = !this.data.allTicked;
    const alive = this.data.lines.map((line) => line.skuId);
    cart.save(cart.lines().map((line) => (alive.includes(line.skuId) ? Object.assign(line, { ticked }) : line)));
    this.changed();
  },

  less({ currentTarget }) {
    this.step(currentTarget.dataset.id, -1);
  },

  more({ currentTarget }) {
    this.step(currentTarget.dataset.id, 1);
  },

  step(id, by) {
    const line = this.data.lines.find((one) => one.skuId === id);
    const quantity = line.quantity + by;
    if (quantity > line.available) {
      wx.showToast({ title: `只剩 ${line.available} 件`, icon: "none" });
      return;
    }
    if (quantity > 0) {
      cart.change(id, { quantity });
      this.changed();
      return;
    }
    wx.showModal({
      title: "不要了吗",
      content: `把“${line.name}”从购物车拿出来`,
      confirmText: "拿出来",
      success: ({ confirm }) => {
        if (!confirm) return;
        cart.remove([id]);
        this.changed();
      },
    });
  },

  respec({ currentTarget }) {
    const { id, product } = currentTarget.dataset;
    const line = this.data.lines.find((one) => one.skuId === id);
    this.changing = line;
    api
      .look(`/products/${product}`)
      .then((found) => this.selectComponent("#sku").begin(found, "change", { skuId: id, quantity: line.quantity }))
      .catch(({ message }) => wx.showToast({ title: message, icon: "none" }));
  },

  respecified({ detail }) {
    const { line } = detail;
    const rest = cart.lines().filter((one) => one.skuId !== line.skuId || one.skuId === this.changing.skuId);
    cart.save(rest.map((one) => (one.skuId === this.changing.skuId ? Object.assign({}, line, { ticked: one.ticked }) : one)));
    this.changed();
  },

  openProduct({ currentTarget }) {
    open(`/pages/product/product?id=${currentTarget.dataset.id}`);
  },

  edit() {
    this.setData({ editing: !this.data.editing });
  },

  removeTicked() {
    const ticked = this.data.lines.filter((line) => line.ticked).map((line) => line.skuId);
    if (!ticked.length) return;
    cart.remove(ticked);
    this.setData({ editing: false });
    this.changed();
  },

  clearDead() {
    cart.remove(this.data.dead.map((line) => line.skuId));
    this.changed();
  },

  added() {
    this.changed();
  },

  again() {
    this.refresh();
  },

  checkout() {
    const ticked = this.data.lines.filter((line) => line.ticked);
    if (!ticked.length) {
      wx.showToast({ title: "先勾选要买的东西", icon: "none" });
      return;
    }
    getApp().globalData.checkout = ticked.map(({ skuId, quantity }) => ({ skuId, quantity }));
    open("/pages/checkout/checkout");
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },
});
