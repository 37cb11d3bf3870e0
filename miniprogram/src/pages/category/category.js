// Categories: the rail on the left, goods on the right, a second level above them.
const api = require("../../utils/api");
const cart = require("../../utils/cart");
const goods = require("../../utils/goods");

const ALL = { id: "", name: "全部", subs: [] };

Page({
  ...goods.shelf,

  asked: 0,
  more: false,

  data: {
    rail: [ALL],
    /** Chosen on the rail, and below it ("" is all of it). */
    main: "",
    sub: "",
    sort: "default",
    inStock: false,
    shelves: [],
    next: "",
    ended: false,
    loading: true,
    empty: false,
    trouble: null,
    pieces: {},
  },

  onLoad() {
    this.again();
  },

  onShow() {
    this.setData({ pieces: cart.pieces() });
    const { globalData } = getApp();
    if (!globalData.categoryId) return;
    const id = globalData.categoryId === "all" ? "" : globalData.categoryId;
    globalData.categoryId = "";
    const parent = this.data.rail.find((one) => one.subs.some((sub) => sub.id === id));
    this.setData({ main: parent ? parent.id : id, sub: parent ? id : "" });
    this.list();
  },

  again() {
    this.setData({ trouble: null });
    api
      .look("/categories")
      .then(({ items }) => {
        const rail = items.map((one) => ({ id: one.id, name: one.name, subs: one.children.map((sub) => ({ id: sub.id, name: sub.name, icon: api.thumb({ image: sub.icon, imageUrl: sub.iconUrl }), mark: sub.name.slice(0, 1) })) }));
        this.setData({ rail: [ALL].concat(rail) });
      })
      .catch(() => {});
    this.list();
  },

  ask(cursor) {
    const { main, sub, sort, inStock } = this.data;
    return goods.list({ categoryId: sub || main, sort, inStock: inStock ? "true" : "", limit: 12, cursor });
  },

  /** The goods of what is chosen now; an answer to an older choice is dropped. */
  list() {
    const mine = (this.asked = (this.asked || 0) + 1);
    this.setData({ loading: true, trouble: null });
    this.ask("").then(
      ({ items, next }) => mine === this.asked && this.setData({ shelves: [{ no: 0, items }], next, ended: !next, empty: !items.length, loading: false }),
      (error) => mine === this.asked && this.setData({ trouble: goods.trouble(error), shelves: [], loading: false }),
    );
  },

  onReachBottom() {
    const { next, shelves } = this.data;
    if (!next || this.more) return;
    const mine = this.asked;
    this.more = true;
    this.ask(next)
      .then((page) => mine === this.asked && this.setData({ [`shelves[${shelves.length}]`]: { no: shelves.length, items: page.items }, next: page.next, ended: !page.next }))
      .catch(({ message }) => wx.showToast({ title: message, icon: "none" }))
      .then(() => {
        this.more = false;
      });
  },

  choose({ currentTarget }) {
    this.setData({ main: currentTarget.dataset.id, sub: "" });
    wx.pageScrollTo({ scrollTop: 0, duration: 0 });
    this.list();
  },

  chooseSub({ currentTarget }) {
    this.setData({ sub: currentTarget.dataset.id });
    this.list();
  },

  sortBy({ currentTarget }) {
    const { by } = currentTarget.dataset;
    const { sort } = this.data;
    this.setData({ sort: by !== "price" ? by : sort === "price_asc" ? "price_desc" : "price_asc" });
    this.list();
  },

  onlyStock() {
    this.setData({ inStock: !this.data.inStock });
    this.list();
  },

  onShareAppMessage() {
    return { title: "店里都有", path: "/pages/category/category" };
  },
});
