// About the shop, and what it knows of its buyers.
const api = require("../../utils/api");

Page({
  data: { name: "", phone: "", freight: "", contract: "《小程序隐私保护指引》", version: "" },

  onLoad() {
    api.shop().then((shop) => this.setData({ name: shop.name, phone: shop.phone, freight: shop.freightText })).catch(() => {});
    wx.getPrivacySetting({ success: ({ privacyContractName }) => this.setData({ contract: privacyContractName }) });
    this.setData({ version: wx.getAccountInfoSync().miniProgram.version });
  },

  read() {
    wx.openPrivacyContract({ fail: () => wx.showToast({ title: "店家还没有填写隐私保护指引", icon: "none" }) });
  },

  call() {
    wx.makePhoneCall({ phoneNumber: this.data.phone, fail() {} });
  },

  /** What is kept on this phone, and only that: orders stay with the shop. */
  forget() {
    wx.showModal({
      title: "清掉这部手机上的记录",
      content: "搜索记录和头像会清掉；购物车和订单不受影响",
      confirmText: "清掉",
      success: ({ confirm }) => {
        if (!confirm) return;
        ["searches", "face", "home"].forEach((key) => wx.removeStorageSync(key));
        wx.showToast({ title: "清好了", icon: "none" });
      },
    });
  },
});
