// An order that the shop wrote down after a chat: looked at by its code, and taken by whoever confirms it first.
const api = require("../../utils/api");
const pay = require("../../utils/pay");
const { byDay, moment, phone, place } = require("../../utils/words");
const { open } = require("../../utils/pages");

Page({
  addressId: "",

  data: { code: "", typed: "", tel: "", days: [], day: "", slotId: "", draft: null, to: null, busy: false, loading: false, trouble: null },

  onLoad({ code }) {
    getApp().globalData.addressId = "";
    if (code) this.open(code);
    this.setData({ tel: wx.getStorageSync("pickup-phone") || "" });
  },

  dialled({ detail }) {
    this.setData({ tel: detail.value });
  },

  onShow() {
    if (this.data.draft && this.data.draft.needsAddress) this.address().catch(() => {});
  },

  type({ detail }) {
    this.setData({ typed: detail.value });
  },

  look() {
    const code = this.data.typed.trim();
    if (code) this.open(code);
    else wx.showToast({ title: "先填订单码", icon: "none" });
  },

  again() {
    this.open(this.data.code);
  },

  async open(code) {
    this.setData({ code, loading: true, trouble: null });
    try {
      this.show(await api.get(`/drafts/${encodeURIComponent(code)}`));
      if (this.data.draft && this.data.draft.needsAddress) await this.address();
    } catch (error) {
      if (error.code === "not_found") wx.showModal({ title: "没有找到", content: error.message, showCancel: false, confirmText: "知道了" });
      else this.setData({ trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
    this.setData({ loading: false });
  },

  show(draft) {
    // It was this buyer's already: on to the order.
    if (draft.orderNo) {
      wx.redirectTo({ url: `/pages/order/order?id=${draft.orderNo}` });
      return;
    }
    const days = byDay(draft.slots);
    const free = (id) => draft.slots.some((one) => one.id === id && !one.full);
    this.setData({
      code: draft.code,
      days,
      day: days.some((one) => one.name === this.data.day) ? this.data.day : days.length ? days[0].name : "",
      slotId: free(this.data.slotId) ? this.data.slotId : "",
      draft: {
        open: draft.state === "open",
        state: draft.stateText,
        lines: draft.lines.map((line) => ({ skuId: line.skuId, name: line.name, spec: line.specText, picture: api.thumb(line), quantity: line.quantity, fen: line.priceFen })),
        goodsFen: draft.goodsFen,
        freightFen: draft.freightFen,
        totalFen: draft.totalFen,
        delivery: draft.deliveryText,
        needsAddress: draft.needsAddress,
        needsPhone: draft.needsPhone,
        receiver: draft.receiver || "",
        place: draft.place || "",
        remark: draft.remark,
        problem: draft.problem || "",
        until: moment(draft.expiresAt),
      },
    });
  },

  pickDay({ currentTarget }) {
    this.setData({ day: currentTarget.dataset.day });
  },

  pickSlot({ currentTarget }) {
    const { id, full } = currentTarget.dataset;
    if (!full) this.setData({ slotId: id });
  },

  async address() {
    const { items } = await api.get("/addresses");
    const wanted = getApp().globalData.addressId;
    const found = items.find((one) => one.id === wanted) || items.find((one) => one.isDefault) || items[0];
    this.addressId = found ? found.id : "";
    this.setData({ to: found ? { receiver: found.receiver, phone: phone(found.phone), place: place(found) } : null });
    // What it costs to bring it there, or that it does not go there at all.
    if (found) this.show(await api.get(`/drafts/${encodeURIComponent(this.data.code)}?addressId=${found.id}`));
  },

  chooseAddress() {
    open(this.data.to ? "/pages/addresses/addresses?choose=1" : "/pages/address/address?choose=1");
  },

  async take() {
    const { draft, code, busy, to, tel, days, slotId } = this.data;
    if (busy) return;
    if (draft.needsAddress && !to) {
      this.chooseAddress();
      return;
    }
    if (draft.problem) {
      wx.showModal({ title: "寄不到这里", content: draft.problem, showCancel: false, confirmText: "换个地址", success: () => this.chooseAddress() });
      return;
    }
    if (draft.needsPhone && tel.replace(/\D/g, "").length < 5) {
      wx.showToast({ title: "填个取货电话，备好了店家好找你", icon: "none" });
      return;
    }
    if (days.length && !slotId) {
      wx.showToast({ title: draft.needsPhone ? "选一下什么时候来拿" : "选一下什么时候送到", icon: "none" });
      return;
    }
    this.setData({ busy: true });
    const said = Object.assign({ expectedTotalFen: draft.totalFen }, draft.needsAddress ? { addressId: this.addressId } : {}, draft.needsPhone ? { pickupPhone: tel.trim() } : {}, slotId ? { slotId } : {});
    let orderNo = "";
    try {
      const order = await api.post(`/drafts/${encodeURIComponent(code)}`, said);
      orderNo = order.orderNo;
      const { paid } = await pay.payOrder(orderNo);
      wx.redirectTo({ url: `/pages/order/order?id=${orderNo}&how=${paid ? "paid" : "closed"}` });
    } catch ({ message }) {
      // Taken it is, only the cash desk did not open: the order's own page has it.
      if (orderNo) {
        wx.redirectTo({ url: `/pages/order/order?id=${orderNo}` });
        return;
      }
      this.setData({ busy: false });
      wx.showModal({ title: "没有下成单", content: message, showCancel: false, confirmText: "知道了", success: () => this.again() });
    }
  },

  toShop() {
    wx.switchTab({ url: "/pages/home/home" });
  },
});
