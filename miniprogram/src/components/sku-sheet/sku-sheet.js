// The sheet in which a SKU is chosen: picture, price and stock follow the choice; what is out of stock stays in sight.
const api = require("../../utils/api");
const cart = require("../../utils/cart");
const { cover } = require("../../utils/goods");

/** @typedef {import("../../../types").Product} Product */

const PLENTY = 999;

/** Does a SKU have the values chosen so far? */
const fits = (sku, chosen) => Object.keys(chosen).every((name) => sku.specs[name] === chosen[name]);

Component({
  data: {
    open: false,
    name: "",
    picture: "",
    priceFen: 0,
    wasFen: 0,
    from: false,
    stock: "",
    limit: "",
    specs: [],
    quantity: 1,
    most: 1,
    /** Which buttons stand below: both, add, buy, or change for a line of the cart. */
    mode: "both",
    ready: false,
  },

  lifetimes: {
    detached() {
      this.close();
    },
  },

  methods: {
    /** Opens it for a product; with nothing to choose, `add` acts at once.
     * @this {any}
     * @param {Product} product
     * @param {"both" | "add" | "buy" | "change"} mode
     * @param {{skuId?: string, quantity?: number}} [start] */
    begin(product, mode, start = {}) {
      this.product = product;
      const sku = product.skus.find((one) => one.id === start.skuId);
      this.chosen = sku ? Object.assign({}, sku.specs) : {};
      // A spec with one value is no choice.
      for (const spec of product.specs) if (spec.values.length === 1) this.chosen[spec.name] = spec.values[0];
      this.setData({ mode, quantity: start.quantity || 1 });
      if (mode === "add" && !product.specs.length) {
        this.draw();
        this.finish("add");
        return;
      }
      this.setData({ open: true });
      wx.hideTabBar({ fail() {} });
      this.draw();
    },

    /** The SKU that is fully chosen, or null.
     * @this {any} */
    sku() {
      const { product, chosen } = this;
      if (!product.specs.every((spec) => chosen[spec.name])) return null;
      return product.skus.find((one) => fits(one, chosen)) || null;
    },

    /** @this {any} */
    draw() {
      const { product, chosen } = this;
      const sku = this.sku();
      const specs = product.specs.map((spec) => ({
        name: spec.name,
        values: spec.values.map((value) => {
          const fitting = product.skus.filter((one) => fits(one, Object.assign({}, chosen, { [spec.name]: value })));
          return { value, on: chosen[spec.name] === value, out: !fitting.some((one) => one.available > 0) };
        }),
      }));
      const picked = Object.keys(chosen).map((name) => chosen[name]);
      const missing = product.specs.filter((spec) => !chosen[spec.name]).map((spec) => spec.name);
      const most = sku ? Math.min(sku.available, sku.limitPerOrder || PLENTY) : PLENTY;
      const stock = !sku ? "" : sku.available === 0 ? "这个规格卖完了 · " : sku.available < PLENTY ? `库存 ${sku.available} 件 · ` : "库存充足 · ";
      const priceFen = sku ? sku.priceFen : product.priceFen;
      const wasFen = (sku ? sku.marketPriceFen : product.marketPriceFen) || 0;
      this.setData({
        name: product.name,
        picture: (sku && (sku.image ? api.media(sku.image.card) : api.media(sku.imageUrl))) || cover(product, "card"),
        priceFen,
        wasFen: wasFen > priceFen ? wasFen : 0,
        from: !sku && product.maxPriceFen > product.priceFen,
        stock: stock + (missing.length ? `请选择${missing.join("、")}` : picked.length ? `已选 ${picked.join("，")}` : "").trim(),
        limit: sku && sku.limitPerOrder ? `每单最多 ${sku.limitPerOrder} 件` : "",
        specs,
        most,
        quantity: Math.max(Math.min(this.data.quantity, Math.max(most, 1)), 1),
        ready: Boolean(sku && sku.available > 0),
      });
    },

    /** @this {any} */
    pick(event) {
      const { name, value } = event.currentTarget.dataset;
      if (this.chosen[name] === value) delete this.chosen[name];
      else this.chosen[name] = value;
      this.draw();
    },

    less() {
      if (this.data.quantity > 1) this.setData({ quantity: this.data.quantity - 1 });
    },

    more() {
      const { quantity, most } = this.data;
      if (quantity < most) this.setData({ quantity: quantity + 1 });
      else wx.showToast({ title: this.data.limit || `最多 ${most} 件`, icon: "none" });
    },

    add() {
      this.finish("add");
    },

    buy() {
      this.finish("buy");
    },

    change() {
      this.finish("change");
    },

    /** @this {any} */
    finish(kind) {
      const { product } = this;
      const sku = this.sku();
      if (!sku) {
        const missing = product.specs.filter((spec) => !this.chosen[spec.name]).map((spec) => spec.name);
        wx.showToast({ title: `请选择${missing.join("、")}`, icon: "none" });
        return;
      }
      if (sku.available < 1) {
        wx.showToast({ title: "这个规格卖完了，换一个看看", icon: "none" });
        return;
      }
      const line = {
        skuId: sku.id,
        productId: product.id,
        name: product.name,
        specText: Object.keys(sku.specs).map((name) => sku.specs[name]).join(" / "),
        imageUrl: api.thumb(sku) || cover(product, "thumb"),
        priceFen: sku.priceFen,
        quantity: this.data.quantity,
        ticked: true,
      };
      if (kind === "add") {
        const room = cart.add(line);
        wx.showToast({ title: room ? "已放进购物车" : "购物车满了，先结算几样", icon: "none" });
      }
      this.close();
      this.triggerEvent(kind === "add" ? "added" : kind === "buy" ? "bought" : "changed", { line });
    },

    close() {
      if (!this.data.open) return;
      this.setData({ open: false });
      wx.showTabBar({ fail() {} });
    },
  },
});
