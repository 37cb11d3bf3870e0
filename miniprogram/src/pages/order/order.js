// One order as a receipt: where it stands, what it holds, what can be done now.
const api = require("../../utils/api");
const orders = require("../../utils/orders");
const pay = require("../../utils/pay");
const { freightOff, left, moment, phone, place, state } = require("../../utils/words");
const { open } = require("../../utils/pages");

const STEPS = ["付款", "备货", "在路上", "签收"];
/** Of goods that the buyer fetches himself. */
const FETCH = ["付款", "备货", "来取"];
const DONE = { pending_payment: 0, to_ship: 1, shipped: 2, completed: 4 };

/** The way of an order, as far as it has come. */
function way(order) {
  const done = DONE[order.status];
  if (done === undefined || order.delivery === "none") return [];
  if (order.delivery === "pickup") {
    const come = order.status === "to_ship" ? (order.pickup && order.pickup.readyAt ? 2 : 1) : done && FETCH.length;
    return FETCH.map((name, at) => ({ name, how: at < come ? "way-done" : at === come ? "way-now" : "" }));
  }
  return STEPS.map((name, at) => ({ name, how: at < done ? "way-done" : at === done ? "way-now" : "" }));
}

/** The refunds of an order, the newest first. */
const refunds = (order) => order.refunds.map((refund) => ({ id: refund.id, text: refund.stateText, amountFen: refund.amountFen })).reverse();

/** The code to show at the desk, parted so that it can be read aloud; null when there is none to show. */
function fetch({ pickup }) {
  if (!pickup || !pickup.code) return null;
  return { code: `${pickup.code.slice(0, 4)} ${pickup.code.slice(4)}`, picture: pickup.qrUrl || "", phone: phone(pickup.phone) };
}

/** What has left; what was fetched is no parcel. */
function parcels(order) {
  if (order.delivery === "pickup") return [];
  const name = {};
  for (const line of order.lines) name[line.id] = line.name;
  return order.shipments.concat(order.resends).map((parcel) => ({
    id: `${parcel.reason ? "again" : "first"}-${parcel.id}`,
    company: parcel.companyText,
    number: parcel.trackingNo,
    say: `${parcel.reason ? `${parcel.returnId ? "换货" : "补发"}，` : ""}${moment(parcel.shippedAt)} 发出${parcel.lines.length ? `，里面有：${parcel.lines.map((line) => `${name[line.lineId]} × ${line.quantity}`).join("、")}` : ""}`,
  }));
}

/** Why it is cheaper, a row each: as it was placed, and what the shop has taken off since. Where the shop asked for more
 * since, only what is left. */
function discounts(order) {
  const rows = order.discounts.map((one) => ({ id: one.promotionId, name: one.couponId ? `优惠券 ${one.name}` : one.name, fen: one.amountFen + one.freightFen })).filter((one) => one.fen);
  const offFen = order.discountFen + freightOff(order);
  const agreedFen = offFen - rows.reduce((sum, one) => sum + one.fen, 0);
  if (agreedFen < 0) return offFen ? [{ id: "", name: "优惠", fen: offFen }] : [];
  return agreedFen ? rows.concat({ id: "", name: "优惠", fen: agreedFen }) : rows;
}

Page({
  ...orders.actions,

  /** @type {any} the order as the server told it */
  order: null,
  /** @type {string[]} */
  subscribeIds: [],
  /** @type {any} */
  ticking: null,
  checked: false,
  /** How far the server's clock is ahead, in ms. */
  ahead: 0,
  late: false,
  beats: 0,

  data: { id: "", order: null, how: "", clock: null, where: "", shopName: "", phone: "", remind: false, loading: true, gone: false, trouble: null },

  onLoad({ id, how }) {
    this.setData({ id: id || "", how: how || "" });
    api.shop().then((shop) => {
      this.subscribeIds = shop.subscribeTemplateIds;
      this.setData({ where: [shop.pickup.address, shop.pickup.hoursText].filter(Boolean).join("，"), shopName: shop.name, phone: shop.phone, remind: shop.subscribeTemplateIds.length > 0 });
    }).catch(() => {});
  },

  onShow() {
    this.again();
    this.ticking = setInterval(() => {
      this.tick();
      this.watch();
    }, 1000);
  },

  onHide() {
    clearInterval(this.ticking);
  },

  onUnload() {
    clearInterval(this.ticking);
  },

  /** Looks at the order; coming from the cash desk, WeChat is asked at once. */
  async again() {
    const { id, how } = this.data;
    const ask = how && !this.checked;
    this.checked = true;
    try {
      this.show(ask ? await api.post(`/orders/${id}/check`) : await api.get(`/orders/${id}`));
    } catch (error) {
      const gone = error.code === "not_found";
      this.setData({ loading: false, gone, trouble: gone ? null : { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
  },

  show(order) {
    this.order = order;
    this.ahead = Date.parse(order.serverTime) - Date.now();
    const { how } = this.data;
    const words = state(order, { closedDesk: how === "closed" });
    const paid = order.status !== "pending_payment" && order.status !== "closed";
    this.setData({
      loading: false,
      gone: false,
      trouble: null,
      order: {
        orderNo: order.orderNo,
        status: order.status,
        title: words.title,
        say: words.say,
        time: moment(order.createdAt),
        paidTime: moment(order.paidAt),
        way: way(order),
        fetch: fetch(order),
        pickup: order.delivery === "pickup",
        slot: order.slotText || "",
        parcels: parcels(order),
        resent: order.resends.length > 0,
        refunds: refunds(order),
        returns: order.returns.filter((one) => !one.refundId).reverse(),
        lines: orders.card(order).lines,
        goodsFen: order.goodsFen,
        freightFen: order.freightFen + freightOff(order),
        discounts: discounts(order),
        totalFen: order.totalFen,
        refundedFen: order.refundedFen,
        paid,
        stamp: order.status === "completed" ? "已签收" : order.status === "to_ship" ? "已付款" : "",
        remark: order.remark,
        to: order.address ? { receiver: order.address.receiver, phone: phone(order.address.phone), place: place(order.address) } : null,
        actions: order.actions,
        returnable: order.returnable,
      },
    });
    this.tick();
  },

  /** Looks again while somebody stands at the desk with the code. */
  watch() {
    this.beats = (this.beats + 1) % 5;
    if (!this.beats && this.data.order && this.data.order.fetch) this.again();
  },

  tick() {
    const { order } = this;
    if (!order || order.status !== "pending_payment") {
      if (this.data.clock) this.setData({ clock: null });
      return;
    }
    const clock = left(order.expiresAt, this.ahead);
    if (!this.data.clock || this.data.clock.text !== clock.text) this.setData({ clock });
    if (clock.over && !this.late) {
      this.late = true;
      setTimeout(() => {
        this.late = false;
        this.again();
      }, 3000);
    }
  },

  changed(order, how) {
    this.setData({ how });
    this.show(order);
  },

  pay() {
    this.payNow(this.data.id);
  },

  cancel() {
    this.cancelOrder(this.data.id);
  },

  confirm() {
    this.confirmOrder(this.order);
  },

  refund() {
    open(`/pages/refund/refund?id=${this.order.orderNo}`);
  },

  openRefund({ currentTarget }) {
    open(`/pages/progress/progress?id=${this.order.orderNo}&refund=${currentTarget.dataset.id}`);
  },

  openReturn({ currentTarget }) {
    open(`/pages/progress/progress?id=${this.order.orderNo}&case=${currentTarget.dataset.id}`);
  },

  openInvoice() {
    open(`/pages/invoice/invoice?id=${this.order.orderNo}`);
  },

  openLine({ currentTarget }) {
    const line = this.order.lines.find((one) => one.id === currentTarget.dataset.id);
    open(`/pages/product/product?id=${line.productId}`);
  },

  subscribe() {
    pay.subscribe(this.subscribeIds);
    this.setData({ remind: false });
  },

  buyAgain() {
    orders.buyAgain(this.order.orderNo).catch(orders.failed);
  },

  call() {
    wx.makePhoneCall({ phoneNumber: this.data.phone, fail() {} });
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },
});
