// From an order with payment parameters to a paid order, or back to it.
const api = require("./api");

/** Asks WeChat to be told of the order. WeChat allows it only in a tap or in the payment's own callback. */
function subscribe(ids) {
  if (!ids.length || !wx.requestSubscribeMessage) return;
  wx.requestSubscribeMessage({ tmplIds: ids.slice(0, 3), fail() {} });
}

/**
 * Opens the cash desk. Answers when it has closed: whether WeChat said that it was paid. Whoever paid is asked about the
 * parcel; whoever did not, about a word before the order's time is over.
 * @param {import("../../types").Payment} payment
 * @param {import("../../types").Shop} shop
 * @returns {Promise<boolean>}
 */
function desk(payment, shop) {
  return new Promise((resolve) => {
    wx.requestPayment(
      Object.assign({}, /** @type {any} */ (payment), {
        success: () => {
          subscribe(shop.subscribeTemplateIds);
          resolve(true);
        },
        fail: () => {
          const { unpaid } = shop.subscribeTemplates;
          subscribe(unpaid ? [unpaid] : []);
          resolve(false);
        },
      }),
    );
  });
}

/** Pays an order that exists, and answers with it as the server then knows it.
 * @returns {Promise<{order: import("../../types").Order, paid: boolean}>} */
async function payOrder(orderNo) {
  const shop = await api.shop();
  const { payment } = await api.post(`/orders/${orderNo}/prepay`);
  const paid = await desk(payment, shop);
  const order = await api.post(`/orders/${orderNo}/check`);
  return { order, paid };
}

module.exports = { desk, payOrder, subscribe };
