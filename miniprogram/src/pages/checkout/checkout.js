// Checkout: where to, what for, how much; the sum is the server's, and a sum that moved is asked about.
const api = require("../../utils/api");
const cart = require("../../utils/cart");
const pay = require("../../utils/pay");
const { byDay, freightOff, phone, place } = require("../../utils/words");
const { open } = require("../../utils/pages");

const KEPT = "checkout";
/** The phone number that was left for the last order to fetch. */
const PHONE = "pickup-phone";

/** What stands beside 优惠券: the one in use, how many there are, or nothing at all. */
function couponText(coupons) {
  const used = coupons.find((one) => one.used);
  if (used) return used.text;
  const usable = coupons.filter((one) => one.usable).length;
  return usable ? `${usable} 张可用` : "没有可用的";
}

Page({
  /** @type {{skuId: string, quantity: number}[]} */
  items: [],
  key: "",
  addressId: "",
  /** The coupon that the buyer chose; empty for the best one, `none` for none. */
  couponId: "",
  /** The wish that the key belongs to. */
  sent: "",

  data: {
    to: null,
    needsAddress: true,
    lines: [],
    quote: null,
    discounts: [],
    coupons: [],
    couponText: "",
    choosing: false,
    count: 0,
    deliveryText: "",
    remark: "",
    needsPhone: false,
    /** Times that can be booked, by day; the day in view and the time that was chosen. */
    days: [],
    day: "",
    slotId: "",
    where: "",
    tel: "",
    telProblem: "",
    /** What keeps the order from being placed, in the server's words. */
    stop: "",
    /** Goods that go different ways cannot go in one order: what can be paid for first. */
    groups: [],
    busy: false,
    loading: true,
    trouble: null,
    /** The sum moved between looking and paying: `{oldFen, newFen}`. */
    moved: null,
  },

  onLoad() {
    const { globalData } = getApp();
    if (globalData.checkout.length) wx.setStorageSync(KEPT, globalData.checkout);
    this.items = (wx.getStorageSync(KEPT) || []).map(({ skuId, quantity }) => ({ skuId, quantity }));
    globalData.addressId = "";
    // One key for one intent: the same order, however often it is sent.
    this.key = api.key();
    this.setData({ tel: wx.getStorageSync(PHONE) || "" });
  },

  onShow() {
    if (!this.items.length) {
      wx.switchTab({ url: "/pages/cart/cart" });
      return;
    }
    api.shop().then(({ pickup }) => this.setData({ where: [pickup.address, pickup.hoursText].filter(Boolean).join("，") })).catch(() => {});
    if (!this.data.busy) this.again();
  },

  async again() {
    this.setData({ trouble: null });
    try {
      await this.address();
      await this.price();
    } catch (error) {
      this.setData({ trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
    this.setData({ loading: false });
  },

  /** The address chosen for this order, else the buyer's own first one. */
  async address() {
    const { items } = await api.get("/addresses");
    const wanted = getApp().globalData.addressId;
    const found = items.find((one) => one.id === wanted) || items.find((one) => one.isDefault) || items[0];
    this.addressId = found ? found.id : "";
    this.setData({ to: found ? { receiver: found.receiver, phone: phone(found.phone), place: place(found) } : null });
  },

  wish() {
    return Object.assign({ items: this.items }, this.addressId ? { addressId: this.addressId } : {}, this.couponId ? { couponId: this.couponId } : {}, this.data.slotId ? { slotId: this.data.slotId } : {});
  },

  async price() {
    const quote = await api.post("/quote", this.wish());
    // One that is gone meanwhile is let go; the server chooses again.
    if (this.couponId && quote.warnings.some((one) => one.code === "coupon_unavailable")) {
      this.couponId = "";
      this.show(await api.post("/quote", this.wish()));
      return;
    }
    this.show(quote);
  },

  /** The times of a quote by their days; what was chosen and is gone is let go. */
  times(quote) {
    const days = byDay(quote.slots);
    const chosen = quote.slots.find((one) => one.id === quote.slotId);
    const day = chosen ? chosen.dayText : days.some((one) => one.name === this.data.day) ? this.data.day : days.length ? days[0].name : "";
    this.setData({ days, day, slotId: quote.slotId || "" });
  },

  pickDay({ currentTarget }) {
    this.setData({ day: currentTarget.dataset.day });
  },

  pickSlot({ currentTarget }) {
    const { id, full } = currentTarget.dataset;
    if (full) return;
    this.setData({ slotId: id });
    this.price().catch(({ message }) => wx.showToast({ title: message, icon: "none" }));
  },

  show(quote) {
    this.times(quote);
    const needs = quote.delivery === "express" || quote.delivery === "local";
    const stop = quote.warnings.find((one) => one.code !== "address_required" && one.code !== "slot_required");
    this.setData({
      quote: { goodsFen: quote.goodsFen, freightFen: quote.freightFen + freightOff(quote), discountFen: quote.discountFen, totalFen: quote.totalFen },
      lines: quote.lines.map((line) => ({ skuId: line.skuId, name: line.name, spec: line.specText, picture: api.thumb(line), quantity: line.quantity, fen: line.priceFen })),
      count: quote.lines.reduce((sum, line) => sum + line.quantity, 0),
      needsAddress: needs,
      needsPhone: quote.needsPhone,
      deliveryText: quote.deliveryText,
      discounts: quote.discounts.map((one) => ({ id: one.promotionId, name: one.couponId ? `优惠券 ${one.name}` : one.name, text: one.text, fen: one.amountFen + one.freightFen })),
      coupons: quote.coupons.map(({ id, name, text, usable, used, reason }) => ({ id, name, text, usable, used, reason: reason || "" })),
      couponText: couponText(quote.coupons),
      stop: stop ? stop.message : "",
      groups: ((stop && stop.details && stop.details.groups) || []).map((one) => ({ way: one.delivery, text: `先结算${one.deliveryText}的 ${one.pieces} 件`, skuIds: one.skuIds })),
    });
  },

  /** These goods first; the others stay in the cart. */
  part({ currentTarget }) {
    const { skuIds } = this.data.groups.find((one) => one.way === currentTarget.dataset.way);
    this.items = this.items.filter((item) => skuIds.includes(item.skuId));
    wx.setStorageSync(KEPT, this.items);
    this.setData({ slotId: "" });
    this.price().catch(({ message }) => wx.showToast({ title: message, icon: "none" }));
  },

  chooseAddress() {
    open(this.data.to ? "/pages/addresses/addresses?choose=1" : "/pages/address/address?choose=1");
  },

  openCoupons() {
    this.setData({ choosing: true });
  },

  closeCoupons() {
    this.setData({ choosing: false });
  },

  useCoupon({ currentTarget }) {
    this.couponId = currentTarget.dataset.id;
    this.setData({ choosing: false });
    this.price().catch(({ message }) => wx.showToast({ title: message, icon: "none" }));
  },

  dialled({ detail }) {
    this.setData({ tel: detail.value, telProblem: "" });
  },

  remarked({ detail }) {
    this.setData({ remark: detail.value });
  },

  submit() {
    const { data } = this;
    if (data.busy || !data.quote) return;
    if (data.needsAddress && !data.to) {
      this.chooseAddress();
      return;
    }
    if (data.needsPhone && data.tel.replace(/\D/g, "").length < 5) {
      this.setData({ telProblem: "填个电话，备好了店家好找你" });
      return;
    }
    if (data.days.length && !data.slotId) {
      wx.showToast({ title: "选一个时间", icon: "none" });
      return;
    }
    if (data.stop) {
      wx.showModal({ title: "现在还不能下单", content: data.stop, showCancel: false, confirmText: "知道了" });
      return;
    }
    this.place(data.quote.totalFen);
  },

  /** Places the order at the sum that the buyer has seen, and opens the cash desk. */
  async place(seenFen) {
    this.setData({ busy: true, moved: null });
    const { remark, needsPhone, tel } = this.data;
    const body = Object.assign(this.wish(), { expectedTotalFen: seenFen }, remark.trim() ? { remark: remark.trim() } : {}, needsPhone ? { pickupPhone: tel.trim() } : {});
    if (needsPhone) wx.setStorageSync(PHONE, tel.trim());
    const written = JSON.stringify(body);
    if (this.sent && this.sent !== written) this.key = api.key();
    this.sent = written;
    try {
      const shop = await api.shop();
      const { order, payment } = await api.post("/prepay", body, this.key);
      cart.remove(this.items.map((item) => item.skuId));
      wx.removeStorageSync(KEPT);
      // An order that costs nothing is placed, and there is nothing to pay.
      const paid = !payment || (await pay.desk(payment, shop));
      this.leave(order.orderNo, paid ? "paid" : "closed");
    } catch (error) {
      this.refused(error, seenFen);
    }
  },

  leave(orderNo, how) {
    wx.redirectTo({ url: `/pages/order/order?id=${orderNo}&how=${how}` });
  },

  refused(error, seenFen) {
    const { code, details, message } = error;
    if (details && details.orderNo) {
      // The order stands, only WeChat was not reached.
      cart.remove(this.items.map((item) => item.skuId));
      this.leave(details.orderNo, "closed");
      return;
    }
    this.setData({ busy: false });
    if (code === "price_changed" && details && details.totalFen !== undefined) {
      this.show(details);
      this.setData({ moved: { oldFen: seenFen, newFen: details.totalFen } });
      return;
    }
    const back = code === "product_off_shelf" || code === "out_of_stock" || code === "purchase_limit" || code === "not_found";
    wx.showModal({
      title: code === "offline" ? "连不上网" : "没有下成单",
      content: message,
      showCancel: back,
      confirmText: back ? "去购物车" : "知道了",
      cancelText: "留在这里",
      success: ({ confirm }) => {
        if (back && confirm) wx.switchTab({ url: "/pages/cart/cart" });
        else this.price().catch(() => {});
      },
    });
  },

  accept() {
    this.place(this.data.moved.newFen);
  },

  think() {
    this.setData({ moved: null });
  },
});
