// What the buyer marked, with what it costs today; what is off the shelf says so and can be taken off the list.
const api = require("../../utils/api");
const goods = require("../../utils/goods");
const { moment } = require("../../utils/words");
const { open } = require("../../utils/pages");

const card = (one) => ({
  id: one.productId,
  name: one.name,
  subtitle: one.subtitle,
  thumb: goods.cover(one, "thumb"),
  priceFen: one.priceFen,
  from: one.maxPriceFen > one.priceFen,
  gone: one.state === "off_shelf",
  state: one.stateText,
  say: one.priceText ? `比收藏时${one.priceText}` : "",
  cheaper: one.priceFen < one.thenFen,
  since: `${moment(one.addedAt)} 收藏`,
});

Page({
  asked: 0,
  more: false,

  data: { pages: [], next: "", ended: false, loading: true, empty: false, trouble: null },

  onShow() {
    this.again();
  },

  onPullDownRefresh() {
    this.again().then(() => wx.stopPullDownRefresh());
  },

  async again() {
    const mine = (this.asked = (this.asked || 0) + 1);
    this.setData({ trouble: null });
    try {
      const page = await this.ask("");
      if (mine !== this.asked) return;
      this.setData({ pages: page.cards.length ? [page.cards] : [], next: page.next, ended: !page.next && page.cards.length > 0, empty: !page.cards.length, loading: false });
    } catch (error) {
      if (mine === this.asked) this.setData({ loading: false, pages: [], empty: false, trouble: goods.trouble(error) });
    }
  },

  async ask(cursor) {
    const { items, nextCursor } = await api.get(`/favourites${api.query({ limit: 20, cursor })}`);
    return { cards: items.map(card), next: nextCursor || "" };
  },

  async onReachBottom() {
    const { next, pages } = this.data;
    if (!next || this.more) return;
    const mine = this.asked;
    this.more = true;
    try {
      const page = await this.ask(next);
      if (mine === this.asked) this.setData({ [`pages[${pages.length}]`]: page.cards, next: page.next, ended: !page.next });
    } catch ({ message }) {
      wx.showToast({ title: message, icon: "none" });
    }
    this.more = false;
  },

  open({ currentTarget }) {
    open(`/pages/product/product?id=${currentTarget.dataset.id}`);
  },

  async forget({ currentTarget }) {
    try {
      await api.remove(`/favourites/${currentTarget.dataset.id}`);
      await this.again();
    } catch ({ message }) {
      wx.showToast({ title: message, icon: "none" });
    }
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },
});
