const api = require("./utils/api");
const cart = require("./utils/cart");
const receipt = require("./utils/receipt");

App({
  /** What one page leaves for another: a tab page cannot be given a query. */
  globalData: {
    /** @type {string} the category to open next */
    categoryId: "",
    /** @type {{skuId: string, quantity: number}[]} what is being bought */
    checkout: [],
    /** @type {string} the address chosen for the order at hand */
    addressId: "",
    /** @type {?{agree: () => void, disagree: () => void}} */
    privacy: null,
  },

  onLaunch() {
    cart.badge();
    api.whenIn(() => cart.sync().catch(() => {}));
    cart.sync().catch(() => {});
    const update = wx.getUpdateManager();
    update.onUpdateReady(() => {
      wx.showModal({
        title: "有新版本",
        content: "店铺更新了，重新打开就能用",
        success: ({ confirm }) => confirm && update.applyUpdate(),
      });
    });
  },

  onShow(options) {
    receipt.returned(options.referrerInfo);
  },
});
