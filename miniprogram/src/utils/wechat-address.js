// WeChat's own address book. A shop that WeChat has not admitted to it uploads without this call, or is stopped at submission.
module.exports = {
  /** @type {((options: WechatMiniprogram.ChooseAddressOption) => void) | null} */
  wechatAddress: (options) => wx.chooseAddress(options),
};
