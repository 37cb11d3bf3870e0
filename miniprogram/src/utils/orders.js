// What orders show and what can be done with them, on their list and on their own page.
const api = require("./api");
const cart = require("./cart");
const pay = require("./pay");
const { confirmReceipt } = require("./receipt");
const { moment, yuan } = require("./words");

/** @typedef {import("../../types").Order} Order */
/** @typedef {(this: any, given: any) => any} Method */

/** An order's state in one word, with its chip if it has one. */
function word(order) {
  const chip = order.chips[0];
  if (chip) return chip.text;
  return order.status === "shipped" && order.delivery !== "pickup" ? "待收货" : order.statusText;
}

/** An order on the list.
 * @param {Order} order */
const card = (order) => ({
  orderNo: order.orderNo,
  status: order.status,
  time: moment(order.createdAt),
  word: word(order),
  tone: order.status === "pending_payment" ? "brand" : order.status === "completed" ? "leaf" : "ink",
  lines: order.lines.map((line) => ({ id: line.id, name: line.name, spec: line.specText, picture: api.thumb(line), quantity: line.quantity, fen: line.priceFen })),
  count: order.lines.reduce((sum, line) => sum + line.quantity, 0),
  totalFen: order.totalFen,
  parcel: order.shipments.length ? `${order.shipments[0].companyText} ${order.shipments[0].trackingNo}`.trim() : "",
  trackingNo: order.shipments.length ? order.shipments[0].trackingNo : "",
  expiresAt: order.expiresAt,
  transactionId: order.transactionId || "",
  left: "",
  actions: order.actions,
  again: order.status !== "pending_payment",
  hideable: order.hideable && !order.hidden,
  hidden: order.hidden,
});

/** Puts into the cart what of an order can be had today, and says what is different from last time.
 * @param {string} orderNo */
async function buyAgain(orderNo) {
  const { items } = await api.get(`/orders/${orderNo}/again`);
  const had = items.filter((line) => line.buyableQuantity > 0);
  const full = had.filter((line) => !cart.add({ skuId: line.skuId, productId: line.productId, name: line.name, specText: line.specText, imageUrl: line.image ? line.image.thumb : line.imageUrl || "", priceFen: line.priceFen, quantity: line.buyableQuantity, ticked: true }));
  const said = items.map(different).concat(full.map((line) => `${line.name}：购物车满了`)).filter(Boolean);
  const go = () => wx.switchTab({ url: "/pages/cart/cart" });
  if (!had.length) wx.showModal({ title: "现在买不到", content: said.join("\n"), showCancel: false, confirmText: "知道了" });
  else if (said.length) wx.showModal({ title: "和上次不一样", content: said.join("\n"), showCancel: false, confirmText: "去购物车", success: go });
  else go();
}

/** What of a line is not as it was. */
function different(line) {
  const said = [line.state === "ready" ? "" : line.stateText, line.buyableQuantity ? line.priceText : ""].filter(Boolean);
  return said.length ? `${line.name}${line.specText ? ` ${line.specText}` : ""}：${said.join("，")}` : "";
}

const failed = (error) => wx.showModal({ title: "没有办成", content: error.message, showCancel: false, confirmText: "知道了" });

/** Methods for pages with orders; `changed(order)` is the page's own.
 * @type {{payNow: Method, cancelOrder: Method, confirmOrder: Method, act: Method, copy: Method}} */
const actions = {
  async payNow(orderNo) {
    if (this.busy) return;
    this.busy = true;
    try {
      const { order, paid } = await pay.payOrder(orderNo);
      this.changed(order, paid ? "paid" : "closed");
    } catch (error) {
      failed(error);
      if (error.details && error.details.order) this.changed(error.details.order, "");
    }
    this.busy = false;
  },

  cancelOrder(orderNo) {
    wx.showModal({
      title: "取消这个订单",
      content: "取消后货会放回架上，想要还可以再下单",
      confirmText: "取消订单",
      cancelText: "再想想",
      success: ({ confirm }) => confirm && this.act(() => api.post(`/orders/${orderNo}/cancel`)),
    });
  },

  confirmOrder(order) {
    this.act(() => confirmReceipt(order));
  },

  async act(run) {
    try {
      const order = await run();
      if (order) this.changed(order, "");
    } catch (error) {
      failed(error);
      if (error.details && error.details.order) this.changed(error.details.order, "");
    }
  },

  copy({ currentTarget }) {
    wx.setClipboardData({ data: currentTarget.dataset.text });
  },
};

module.exports = { card, word, buyAgain, actions, failed, yuan };
