// The buyer's orders, by what is still to be done. WeChat's order centre opens this page.
const api = require("../../utils/api");
const orders = require("../../utils/orders");
const { left } = require("../../utils/words");
const { open } = require("../../utils/pages");

const TABS = [
  { status: "", name: "全部", count: "", empty: "还没有订单", say: "去挑几样喜欢的吧" },
  { status: "pending_payment", name: "待付款", count: "pendingPayment", empty: "没有等付款的订单", say: "都付清了，真好" },
  { status: "to_ship", name: "待发货", count: "toShip", empty: "没有等发货的订单", say: "付好的都发走了" },
  { status: "shipped", name: "待收货", count: "shipped", empty: "没有在路上的包裹", say: "都收到了" },
  { status: "completed", name: "已完成", count: "", empty: "还没有完成的订单", say: "收到货后会在这里" },
  { status: "refunding", name: "退款", count: "refunding", empty: "没有退款中的订单", say: "一切顺利" },
  { status: "hidden", name: "移走的", count: "", empty: "没有移走的订单", say: "从列表移走的订单在这里，可以放回去" },
];

Page({
  ...orders.actions,

  /** @type {any} */
  ticking: null,
  asked: 0,
  ahead: 0,
  /** @type {Record<string, any>} */
  known: {},
  more: false,

  data: { tabs: TABS.map((tab) => Object.assign({ n: 0 }, tab)), status: "", pages: [], next: "", ended: false, loading: true, empty: null, trouble: null, /** the order that was just moved off the list */ away: "" },

  onLoad({ status }) {
    this.setData({ status: TABS.some((tab) => tab.status === status) ? status : "" });
  },

  onShow() {
    this.again();
    this.ticking = setInterval(() => this.tick(), 1000);
  },

  onHide() {
    clearInterval(this.ticking);
  },

  onUnload() {
    clearInterval(this.ticking);
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
      this.setData({ pages: page.cards.length ? [page.cards] : [], next: page.next, ended: !page.next && page.cards.length > 0, loading: false, empty: page.cards.length ? null : TABS.find((tab) => tab.status === this.data.status) });
      this.tick();
      const { counts } = await api.get("/me");
      this.setData({ tabs: TABS.map((tab) => Object.assign({ n: tab.count ? counts[tab.count] : 0 }, tab)) });
    } catch (error) {
      if (mine === this.asked) this.setData({ loading: false, pages: [], empty: null, trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
  },

  async ask(cursor) {
    const { items, nextCursor } = await api.get(`/orders${api.query({ status: this.data.status, limit: 10, cursor })}`);
    if (items.length) this.ahead = Date.parse(items[0].serverTime) - Date.now();
    this.known = Object.assign(cursor ? this.known : {}, ...items.map((order) => ({ [order.orderNo]: order })));
    return { cards: items.map(orders.card), next: nextCursor || "" };
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

  /** Counts down what waits to be paid, by the server's clock. */
  tick() {
    this.data.pages.forEach((cards, p) =>
      cards.forEach((card, c) => {
        if (card.status !== "pending_payment") return;
        const rest = left(card.expiresAt, this.ahead || 0);
        if (rest.text !== card.left) this.setData({ [`pages[${p}][${c}].left`]: rest.over ? "" : rest.text });
      }),
    );
  },

  choose({ currentTarget }) {
    this.setData({ status: currentTarget.dataset.status, pages: [], loading: true, empty: null, away: "" });
    this.again();
  },

  changed() {
    this.again();
  },

  open({ currentTarget }) {
    open(`/pages/order/order?id=${currentTarget.dataset.id}`);
  },

  pay({ currentTarget }) {
    this.payNow(currentTarget.dataset.id);
  },

  cancel({ currentTarget }) {
    this.cancelOrder(currentTarget.dataset.id);
  },

  confirm({ currentTarget }) {
    this.confirmOrder(this.known[currentTarget.dataset.id]);
  },

  refund({ currentTarget }) {
    open(`/pages/refund/refund?id=${currentTarget.dataset.id}`);
  },

  /** Off this list, and with 撤销 on it again. */
  async hide({ currentTarget }) {
    const { id } = currentTarget.dataset;
    await this.act(() => api.put(`/orders/${id}/hidden`).then((order) => {
      this.setData({ away: id });
      return order;
    }));
  },

  async unhide({ currentTarget }) {
    this.setData({ away: "" });
    await this.act(() => api.remove(`/orders/${currentTarget.dataset.id}/hidden`));
  },

  buyAgain({ currentTarget }) {
    orders.buyAgain(currentTarget.dataset.id).catch(orders.failed);
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },
});
