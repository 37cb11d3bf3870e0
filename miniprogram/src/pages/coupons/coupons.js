// The buyer's coupons: fetched by a code, by a link that carries one, or from what the shop offers.
const api = require("../../utils/api");
const { moment } = require("../../utils/words");
const { open } = require("../../utils/pages");

const TABS = [
  { status: "usable", name: "可使用" },
  { status: "used", name: "用过的" },
  { status: "expired", name: "失效的" },
];

const until = (endsAt) => (endsAt ? `${moment(endsAt)} 前有效` : "一直有效");

Page({
  asked: 0,

  data: { tabs: TABS, status: "usable", items: [], offers: [], code: "", busy: false, loading: true, trouble: null },

  onLoad({ code }) {
    // Whoever opens his link once more has what it brings: that is no failure.
    if (code) this.fetch(code, true);
    else this.again();
  },

  async again() {
    const mine = (this.asked = (this.asked || 0) + 1);
    this.setData({ trouble: null });
    try {
      const { items } = await api.get(`/coupons?status=${this.data.status}`);
      const offers = await api.get("/promotions");
      if (mine !== this.asked) return;
      this.setData({
        items: items.map((one) => ({ id: one.id, name: one.name, text: one.text, scope: one.scopeText, say: one.state === "usable" ? until(one.endsAt) : one.stateText, orderNo: one.orderNo || "", usable: one.state === "usable" })),
        offers: offers.items.filter((one) => one.claimable).map((one) => ({ code: one.code, name: one.name, text: one.text, scope: one.scopeText, say: until(one.endsAt) })),
      });
    } catch (error) {
      if (mine === this.asked) this.setData({ trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
    if (mine === this.asked) this.setData({ loading: false });
  },

  choose({ currentTarget }) {
    this.setData({ status: currentTarget.dataset.status, items: [], loading: true });
    this.again();
  },

  typed({ detail }) {
    this.setData({ code: detail.value });
  },

  take() {
    const code = this.data.code.trim();
    if (code) this.fetch(code);
    else wx.showToast({ title: "先填优惠码", icon: "none" });
  },

  takeOffer({ currentTarget }) {
    this.fetch(currentTarget.dataset.code);
  },

  /**
   * @param {string} code
   * @param {boolean} [quietly]
   */
  async fetch(code, quietly) {
    if (this.data.busy) return;
    this.setData({ busy: true });
    try {
      const coupon = await api.post("/coupons", { code });
      wx.showToast({ title: `领到了：${coupon.text}`, icon: "none" });
      this.setData({ code: "", status: "usable" });
    } catch ({ message }) {
      if (quietly) wx.showToast({ title: message, icon: "none" });
      else wx.showModal({ title: "没有领到", content: message, showCancel: false, confirmText: "知道了" });
    }
    this.setData({ busy: false });
    this.again();
  },

  openOrder({ currentTarget }) {
    open(`/pages/order/order?id=${currentTarget.dataset.id}`);
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },
});
