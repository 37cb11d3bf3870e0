// The buyer's addresses: one is chosen for an order, or they are kept in order.
const api = require("../../utils/api");
const { wechatAddress } = require("../../utils/wechat-address");
const { phone, place } = require("../../utils/words");
const { open, back } = require("../../utils/pages");

Page({
  /** @type {import("../../../types").SavedAddress[]} */
  raw: [],

  data: { items: [], chosen: "", choosing: false, wechat: Boolean(wechatAddress), loading: true, trouble: null },

  onLoad({ choose }) {
    this.setData({ choosing: choose === "1", chosen: getApp().globalData.addressId });
  },

  onShow() {
    this.again();
  },

  async again() {
    this.setData({ trouble: null });
    try {
      const { items } = await api.get("/addresses");
      this.raw = items;
      this.setData({ items: items.map((one) => ({ id: one.id, receiver: one.receiver, phone: phone(one.phone), place: place(one), isDefault: one.isDefault })) });
    } catch (error) {
      this.setData({ trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
    this.setData({ loading: false });
  },

  pick({ currentTarget }) {
    if (!this.data.choosing) return;
    getApp().globalData.addressId = currentTarget.dataset.id;
    back();
  },

  edit({ currentTarget }) {
    open(`/pages/address/address?id=${currentTarget.dataset.id}`);
  },

  create() {
    open(`/pages/address/address${this.data.choosing ? "?choose=1&back=2" : ""}`);
  },

  async makeDefault({ currentTarget }) {
    const { id, receiver, phone: number, province, city, district, detail, postcode } = this.raw.find((one) => one.id === currentTarget.dataset.id);
    try {
      await api.put(`/addresses/${id}`, { receiver, phone: number, province, city, district, detail, postcode, isDefault: true });
      await this.again();
    } catch ({ message }) {
      wx.showToast({ title: message, icon: "none" });
    }
  },

  remove({ currentTarget }) {
    const { id, name } = currentTarget.dataset;
    wx.showModal({
      title: "删除这个地址",
      content: `${name} 的地址删掉后不能找回，已下的订单不受影响`,
      confirmText: "删除",
      success: ({ confirm }) => {
        if (!confirm) return;
        api
          .remove(`/addresses/${id}`)
          .then(() => this.again())
          .catch(({ message }) => wx.showToast({ title: message, icon: "none" }));
      },
    });
  },

  fromWechat() {
    wechatAddress({
      success: (given) => {
        api
          .post("/addresses", given)
          .then(({ id }) => {
            getApp().globalData.addressId = id;
            if (this.data.choosing) back();
            else this.again();
          })
          .catch(({ message }) => wx.showModal({ title: "这个地址没能保存", content: message, showCancel: false, confirmText: "知道了" }));
      },
      fail: ({ errMsg }) => {
        if (/cancel|privacy/.test(errMsg)) return;
        wx.showToast({ title: "没能打开微信地址，请手动填写", icon: "none" });
      },
    });
  },
});
