// The shop that this program belongs to. The address must stand under “request 合法域名” in WeChat's console.
module.exports = {
  server: "https://shop.example.com",
  /** Whether WeChat has admitted wx.chooseAddress (开发管理 → 接口设置). If not, take it out of app.json's requiredPrivateInfos too. */
  wechatAddress: true,
};
