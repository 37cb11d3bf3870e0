// Search: what was looked for before, what comes in, and a way on when there is nothing.
const cart = require("../../utils/cart");
const goods = require("../../utils/goods");
const api = require("../../utils/api");

const HISTORY = "searches";
const MOST = 10;

Page({
  ...goods.shelf,

  asked: 0,
  more: false,

  data: {
    word: "",
    /** What the results below belong to; "" while nothing was looked for. */
    found: "",
    history: [],
    popular: [],
    /** Words that the shop offers. */
    hot: [],
    sort: "default",
    inStock: false,
    shelves: [],
    next: "",
    count: 0,
    loading: false,
    trouble: null,
    pieces: {},
    focused: false,
  },

  onLoad({ q }) {
    this.setData({ history: wx.getStorageSync(HISTORY) || [], focused: !q });
    goods.list({ sort: "sales", inStock: "true", limit: 8 }).then(({ items }) => this.setData({ popular: items })).catch(() => {});
    api.look("/home").then(({ hotWords }) => this.setData({ hot: hotWords })).catch(() => {});
    if (q) this.start(decodeURIComponent(q));
  },

  onShow() {
    this.setData({ pieces: cart.pieces() });
  },

  typed({ detail }) {
    this.setData({ word: detail.value });
    if (!detail.value.trim()) this.setData({ found: "", shelves: [], trouble: null });
  },

  go() {
    const word = this.data.word.trim();
    if (word) this.start(word);
  },

  take({ currentTarget }) {
    this.start(currentTarget.dataset.word);
  },

  start(word) {
    const history = [word].concat(this.data.history.filter((one) => one !== word)).slice(0, MOST);
    wx.setStorageSync(HISTORY, history);
    this.setData({ word, history, found: word });
    this.list();
  },

  clear() {
    this.setData({ word: "", found: "", shelves: [], trouble: null });
  },

  forget() {
    wx.removeStorageSync(HISTORY);
    this.setData({ history: [] });
  },

  ask(cursor) {
    const { found, sort, inStock } = this.data;
    return goods.list({ q: found, sort, inStock: inStock ? "true" : "", limit: 12, cursor });
  },

  list() {
    const mine = (this.asked = (this.asked || 0) + 1);
    this.setData({ loading: true, trouble: null });
    this.ask("").then(
      ({ items, next }) => mine === this.asked && this.setData({ shelves: items.length ? [{ no: 0, items }] : [], count: items.length, next, loading: false }),
      (error) => mine === this.asked && this.setData({ trouble: goods.trouble(error), shelves: [], loading: false }),
    );
  },

  again() {
    this.list();
  },

  onReachBottom() {
    const { next, shelves, count } = this.data;
    if (!next || this.more || !this.data.found) return;
    const mine = this.asked;
    this.more = true;
    this.ask(next)
      .then((page) => mine === this.asked && this.setData({ [`shelves[${shelves.length}]`]: { no: shelves.length, items: page.items }, next: page.next, count: count + page.items.length }))
      .catch(({ message }) => wx.showToast({ title: message, icon: "none" }))
      .then(() => {
        this.more = false;
      });
  },

  sortBy({ currentTarget }) {
    const { by } = currentTarget.dataset;
    this.setData({ sort: by !== "price" ? by : this.data.sort === "price_asc" ? "price_desc" : "price_asc" });
    this.list();
  },

  onlyStock() {
    this.setData({ inStock: !this.data.inStock });
    this.list();
  },

  openAll() {
    getApp().globalData.categoryId = "all";
    wx.switchTab({ url: "/pages/category/category" });
  },
});
