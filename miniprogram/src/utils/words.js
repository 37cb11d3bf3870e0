// Times, amounts and states in the words of a shopkeeper.

const two = (n) => (n < 10 ? `0${n}` : String(n));

/** `2026-11-28T09:26:14+08:00` as `11-28 09:26`: the server writes the shop's own time. */
const moment = (text) => (text ? `${text.slice(5, 10)} ${text.slice(11, 16)}` : "");

/** `¥88` or `¥29.9`. */
function yuan(fen) {
  const rest = fen % 100;
  const tail = rest === 0 ? "" : rest % 10 === 0 ? `.${rest / 10}` : `.${two(rest)}`;
  return `¥${Math.floor(fen / 100)}${tail}`;
}

/** `138 0013 8000` */
const phone = (text) => (/^1\d{10}$/.test(text) ? `${text.slice(0, 3)} ${text.slice(3, 7)} ${text.slice(7)}` : text);

/** An address in one line. */
const place = (address) => [address.province, address.city === address.province ? "" : address.city, address.district, address.detail].filter(Boolean).join(" ");

/** What is left until `expiresAt`, by the server's clock: `{over, minutes, seconds, text}`.
 * @param {string} expiresAt
 * @param {number} ahead how many ms the server's clock is ahead of the phone's */
function left(expiresAt, ahead) {
  const ms = Math.max(Date.parse(expiresAt) - Date.now() - ahead, 0);
  const minutes = two(Math.floor(ms / 60000));
  const seconds = two(Math.floor(ms / 1000) % 60);
  return { over: ms <= 0, minutes, seconds, text: `${minutes}:${seconds}` };
}

/** What an order's state means to who waits for it.
 * @param {import("../../types").Order} order
 * @param {{closedDesk?: boolean}} [how] */
function state(order, how = {}) {
  const refunding = order.refunds.some((refund) => refund.state === "requested");
  const pickup = order.delivery === "pickup";
  switch (order.status) {
    case "pending_payment":
      return { title: "还没付款，货给你留着", say: how.closedDesk ? "刚才关掉了收银台，钱没有付出去。" : "付款后店家马上备货。" };
    case "to_ship":
      if (refunding) return { title: "退款申请已交给店家", say: "店家同意后，钱原路退回微信" };
      if (pickup && order.pickup && order.pickup.readyAt) return { title: "备好了，随时来拿", say: "到店给店员看取货码" };
      return { title: "付好了，店家在备货", say: pickup ? "备好了就能来拿，给店员看取货码" : "发货前可以直接申请退款" };
    case "shipped":
      if (pickup) return { title: "取到了，慢慢享用", say: order.shippedAt ? `${moment(order.shippedAt)} 取走，有事随时找店家` : "有事随时找店家" };
      return { title: "包裹在路上", say: "收到再点“确认收货”，有事随时找店家" };
    case "completed":
      if (pickup) return { title: "取走了，慢慢享用", say: order.shippedAt ? `${moment(order.shippedAt)} 取走` : "谢谢光临" };
      return { title: "已签收，慢慢享用", say: order.completedAt ? `${moment(order.completedAt)} 签收` : "谢谢光临" };
    default:
      if (order.closedReason === "refunded") return { title: "钱已经退给你了", say: "原路退回微信，到账以微信通知为准" };
      return { title: "订单已取消", say: order.closedReasonText || "没有扣款，货已放回架上" };
  }
}

/** Times that can be booked, by their days.
 * @param {import("../../types").Slot[]} slots */
function byDay(slots) {
  const days = [];
  for (const slot of slots) {
    let day = days.find((one) => one.name === slot.dayText);
    if (!day) days.push((day = { name: slot.dayText, slots: [] }));
    day.slots.push({ id: slot.id, text: slot.text, full: slot.full });
  }
  return days;
}

/** What promotions take off the freight, which stands there without it: a receipt that names them shows the whole of it.
 * @param {{discounts: {freightFen: number}[]}} of */
const freightOff = ({ discounts }) => discounts.reduce((sum, one) => sum + one.freightFen, 0);

module.exports = { byDay, freightOff, moment, yuan, phone, place, left, state };
