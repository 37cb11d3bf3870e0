// Home: what the shop wants to show first, then everything that is there.
const api = require("../../utils/api");
const cart = require("../../utils/cart");
const goods = require("../../utils/goods");
const { open } = require("../../utils/pages");

const KEPT = "home";
/** Pictures high up are on the screen at once. */
const AT_ONCE = 4;

Page({
  ...goods.shelf,

  /** @type {any} goods of the last visit */
  kept: null,
  more: false,

  data: {
    notice: "",
    hint: "搜一搜店里的东西",
    /** The shop's own, or what sells best. */
    banners: [],
    at: 0,
    categories: [],
    pinned: [],
    fresh: [],
    /** One array for each page of goods: a new one is added without touching those before. */
    shelves: [],
    next: "",
    ended: false,
    loading: true,
    /** What stands above the goods is still being asked for: its places are kept. */
    waiting: true,
    offline: false,
    trouble: null,
    pieces: {},
    atOnce: AT_ONCE,
  },

  onLoad() {
    const kept = wx.getStorageSync(KEPT);
    if (kept) this.kept = kept;
    wx.onNetworkStatusChange(({ isConnected }) => {
      if (isConnected && (this.data.offline || this.data.trouble)) this.again();
    });
    this.again();
  },

  onShow() {
    this.setData({ pieces: cart.pieces() });
  },

  onPullDownRefresh() {
    this.again().then(() => wx.stopPullDownRefresh());
  },

  /** Everything anew. What is known stays until the new has come. */
  again() {
    if (this.data.trouble) this.setData({ trouble: null, loading: true });
    return goods
      .list({ limit: 12 })
      .then(({ items, next }) => {
        const shown = { loading: false, offline: false, trouble: null };
        const all = { shelves: [{ no: 0, items }], next, ended: !next };
        const rest = () => {
          wx.setStorageSync(KEPT, { items });
          const done = () => this.setData({ waiting: false });
          return this.ask().then(done, done);
        };
        // What the first screen shows comes first: what stands below it and above it must not make it wait.
        if (this.data.shelves.length || items.length <= AT_ONCE) return this.setData(Object.assign(all, shown), rest);
        this.setData(Object.assign({ shelves: [{ no: 0, items: items.slice(0, AT_ONCE) }] }, shown), () => setTimeout(() => this.setData(all, rest), 20));
      })
      .catch((error) => this.failed(error));
  },

  /** What stands above the goods. Each part is drawn when it comes, and left out when it does not. */
  ask() {
    const shop = api.shop().then(({ name, notice }) => {
      wx.setNavigationBarTitle({ title: name });
      this.setData({ notice });
    });
    const categories = api.look("/categories").then(({ items }) => {
      const shown = items.filter((one) => one.productCount > 0);
      this.setData({
        categories: shown.map((one) => ({ id: one.id, name: one.name, icon: api.thumb({ image: one.icon, imageUrl: one.iconUrl }), mark: one.name.slice(0, 1) })),
        hint: shown.length ? `搜${shown.slice(0, 3).map((one) => one.name).join("、")}` : this.data.hint,
      });
    });
    const best = () => goods.list({ sort: "sales", inStock: "true", limit: 3 }).then(({ items }) => this.setData({ banners: items }));
    // A shop whose server is older than its program has arranged nothing.
    const home = api.look("/home").catch(() => ({ banners: [], pinned: [] }));
    const arranged = home.then(({ banners, pinned }) => {
      this.setData({ pinned: pinned.map(goods.card) });
      if (!banners.length) return best();
      const own = banners.map(({ image, productId, categoryId }, n) => ({ id: `own${n}`, own: api.media(image.full), productId, categoryId }));
      this.setData({ banners: own });
    });
    const fresh = goods.list({ sort: "newest", inStock: "true", limit: 6 }).then(({ items }) => this.setData({ fresh: items }));
    return Promise.all([shop, categories, arranged, fresh]);
  },

  failed(error) {
    const known = this.data.shelves.length ? this.data.shelves : this.kept ? [{ no: 0, items: this.kept.items }] : [];
    if (known.length) this.setData({ shelves: known, pinned: [], offline: true, loading: false });
    else this.setData({ trouble: goods.trouble(error), loading: false });
  },

  onReachBottom() {
    const { next, shelves } = this.data;
    if (!next || this.more) return;
    this.more = true;
    goods
      .list({ limit: 12, cursor: next })
      .then((page) => this.setData({ [`shelves[${shelves.length}]`]: { no: shelves.length, items: page.items }, next: page.next, ended: !page.next }))
      .catch(({ message }) => wx.showToast({ title: message, icon: "none" }))
      .then(() => {
        this.more = false;
      });
  },

  turned({ detail }) {
    this.setData({ at: detail.current });
  },

  openBanner({ currentTarget }) {
    const { productId, categoryId } = this.data.banners[currentTarget.dataset.index];
    if (productId) open(`/pages/product/product?id=${productId}`);
    else if (categoryId) this.openCategory({ currentTarget: { dataset: { id: categoryId } } });
  },

  openCategory({ currentTarget }) {
    getApp().globalData.categoryId = currentTarget.dataset.id;
    wx.switchTab({ url: "/pages/category/category" });
  },

  openAll() {
    getApp().globalData.categoryId = "all";
    wx.switchTab({ url: "/pages/category/category" });
  },

  readNotice() {
    wx.showModal({ title: "店家公告", content: this.data.notice, showCancel: false, confirmText: "知道了" });
  },

  onShareAppMessage() {
    return { title: "来店里逛逛", path: "/pages/home/home" };
  },

  onShareTimeline() {
    return { title: "来店里逛逛" };
  },
});
