// WeChat's own 确认收货: money that WeChat holds back goes to the shop only after it.
const api = require("./api");

const WECHAT = "wx1183b055aeec94d1";

/** Who waits for the answer of WeChat's component.
 * @type {?{orderNo: string, done: (order: any) => void, failed: (error: any) => void}} */
let waiting = null;

const confirm = (orderNo) => api.post(`/orders/${orderNo}/confirm`);

/** Without WeChat's component, a question of our own. */
function ask(orderNo) {
  return new Promise((resolve, reject) => {
    wx.showModal({
      title: "收到货了吗",
      content: "确认后订单就完成了",
      confirmText: "收到了",
      cancelText: "还没有",
      success: ({ confirm: yes }) => (yes ? confirm(orderNo).then(resolve, reject) : resolve(null)),
    });
  });
}

module.exports = {
  /** Answers with the completed order, or null when the buyer thought better of it.
   * @param {any} order */
  confirmReceipt(order) {
    const view = /** @type {any} */ (wx).openBusinessView;
    if (!order.transactionId || !view) return ask(order.orderNo);
    return new Promise((resolve, reject) => {
      waiting = { orderNo: order.orderNo, done: resolve, failed: reject };
      view({
        businessType: "weappOrderConfirm",
        extraData: { transaction_id: order.transactionId },
        fail: () => {
          waiting = null;
          ask(order.orderNo).then(resolve, reject);
        },
      });
    });
  },

  /** The program is shown again, perhaps by WeChat's component. */
  returned(referrer) {
    if (!waiting || !referrer || referrer.appId !== WECHAT) return;
    const { orderNo, done, failed } = waiting;
    waiting = null;
    if (referrer.extraData && referrer.extraData.status === "success") confirm(orderNo).then(done, failed);
    else done(null);
  },
};
