// One product: pictures to swipe and to look at closely, what it costs, how it comes, and what there is to read.
const api = require("../../utils/api");
const cart = require("../../utils/cart");
const goods = require("../../utils/goods");
const { open } = require("../../utils/pages");
const { yuan } = require("../../utils/words");

const NAMED = { "&amp;": "&", "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&#x27;": "'" };
const text = (html) => html.replace(/&(amp|lt|gt|quot|#39|#x27);/g, (all) => NAMED[all]);

/** The server's detail as pieces that a phone can show lazily and enlarge: `{text}` or `{picture}`. */
function pieces(html) {
  return (html.match(/<p>[^]*?<\/p>/g) || []).map((part, no) => {
    const picture = part.match(/<img src="([^"]+)"/);
    return { no, picture: picture ? api.media(text(picture[1])) : "", text: picture ? "" : text(part.slice(3, -4)) };
  });
}

/** The pictures of a product in a width; older servers know one. */
const pictures = (product, width) => {
  const all = product.pictures ? product.pictures.map((one) => one[width]) : product.images;
  return (all.length ? all : product.coverUrl ? [product.coverUrl] : []).map(api.media);
};

Page({
  ...goods.shelf,

  /** @type {any} */
  product: null,

  data: {
    id: "",
    product: null,
    pictures: [],
    at: 1,
    choice: "",
    delivery: "",
    freight: "",
    /** What makes it cheaper, and whether a coupon can be fetched. */
    deals: [],
    claimable: false,
    detail: [],
    others: [],
    soldOut: false,
    loading: true,
    gone: false,
    trouble: null,
    inCart: 0,
    pieces: {},
    favourite: false,
  },

  /** Opened by a link with `id`, or by a scanned code, which has its words in `scene`. */
  onLoad({ id, scene }) {
    const [, scanned] = decodeURIComponent(scene || "").match(/^id=(\d+)$/) || ["", ""];
    this.setData({ id: id || scanned });
    this.again();
  },

  onShow() {
    this.counted();
  },

  counted() {
    this.setData({ inCart: cart.count(), pieces: cart.pieces() });
  },

  again() {
    this.setData({ trouble: null, loading: true });
    return api.look(`/products/${this.data.id}`).then(
      (product) => this.show(product),
      (error) => {
        const gone = error.code === "product_off_shelf" || error.code === "not_found";
        this.setData({ loading: false, gone, trouble: gone ? null : goods.trouble(error) });
        if (gone) this.beside("");
      },
    );
  },

  show(product) {
    this.product = product;
    const [sku] = product.skus;
    const limit = sku && !product.specs.length && sku.limitPerOrder ? `每单最多 ${sku.limitPerOrder} 件` : "";
    this.setData({
      loading: false,
      gone: false,
      product: Object.assign(goods.card(product), { specs: product.specs.length }),
      pictures: pictures(product, "full"),
      choice: product.specs.map((spec) => `${spec.name}：${spec.values.join(" / ")}`).join("；") || limit,
      delivery: sku ? sku.deliveryText : "",
      detail: pieces(product.detailHtml),
      soldOut: product.soldOut,
    });
    this.carry(sku);
    this.beside(product.categoryId || "");
    if (api.hasToken()) api.get(`/favourites/${product.id}`).then(({ favourite }) => this.setData({ favourite })).catch(() => {});
    api
      .look(`/promotions?productId=${product.id}`)
      .then(({ items }) => this.setData({ deals: items.slice(0, 4).map(({ id, text }) => ({ id, text })), claimable: items.some((one) => one.claimable) }))
      .catch(() => {});
  },

  /** What sending one piece costs: by the goods' own rule as the quote reckons it, else in the shop's own words. */
  async carry(sku) {
    this.setData({ freight: "" });
    if (!sku || sku.delivery !== "express") return;
    try {
      const [shop, { freights, deliveryText }] = await Promise.all([api.shop(), api.quote({ items: [{ skuId: sku.id, quantity: 1 }] })]);
      const [own] = freights.filter((one) => one.name !== deliveryText);
      this.setData({ freight: own ? `${own.feeFen ? `运费 ${yuan(own.feeFen)}` : "包邮"}（${own.text}）` : freights.length ? shop.freightText : "" });
    } catch (error) {
      // Checkout says it in any case.
    }
  },

  /** Other goods of the same kind. */
  beside(categoryId) {
    goods
      .list({ categoryId, inStock: "true", sort: "sales", limit: 5 })
      .then(({ items }) => this.setData({ others: items.filter((item) => item.id !== this.data.id).slice(0, 4) }))
      .catch(() => {});
  },

  turned({ detail }) {
    this.setData({ at: detail.current + 1 });
  },

  look({ currentTarget }) {
    wx.previewImage({ urls: this.data.pictures, current: currentTarget.dataset.url });
  },

  lookDetail({ currentTarget }) {
    wx.previewImage({ urls: this.data.detail.filter((one) => one.picture).map((one) => one.picture), current: currentTarget.dataset.url });
  },

  choose() {
    this.selectComponent("#sku").begin(this.product, "both");
  },

  add() {
    this.selectComponent("#sku").begin(this.product, "add");
  },

  buy() {
    this.selectComponent("#sku").begin(this.product, "buy");
  },

  added() {
    this.counted();
  },

  bought({ detail }) {
    getApp().globalData.checkout = [detail.line];
    open("/pages/checkout/checkout");
  },

  openCoupons() {
    open("/pages/coupons/coupons");
  },

  share() {
    this.selectComponent("#poster").begin(this.data.id);
  },

  async favour() {
    const path = `/favourites/${this.data.id}`;
    try {
      const { favourite } = await (this.data.favourite ? api.remove(path) : api.put(path));
      this.setData({ favourite });
      wx.showToast({ title: favourite ? "收藏好了，在“我的”里能找到" : "不再收藏", icon: "none" });
    } catch ({ message }) {
      wx.showToast({ title: message, icon: "none" });
    }
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },

  toCart() {
    wx.switchTab({ url: "/pages/cart/cart" });
  },

  onShareAppMessage() {
    const { product, id, pictures: all } = this.data;
    return { title: product ? product.name : "来店里逛逛", path: `/pages/product/product?id=${id}`, imageUrl: all[0] };
  },

  onShareTimeline() {
    const { product, id } = this.data;
    return { title: product ? product.name : "来店里逛逛", query: `id=${id}` };
  },
});
