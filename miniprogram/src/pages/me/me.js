// Me: orders at a glance, addresses, service. It can be looked at without logging in.
const api = require("../../utils/api");
const orders = require("../../utils/orders");
const { state } = require("../../utils/words");
const { open } = require("../../utils/pages");

const FACE = "face";
const JOBS = [
  { status: "pending_payment", count: "pendingPayment", name: "待付款", icon: "i-wallet" },
  { status: "to_ship", count: "toShip", name: "待发货", icon: "i-package" },
  { status: "shipped", count: "shipped", name: "待收货", icon: "i-truck" },
  { status: "refunding", count: "refunding", name: "退款", icon: "i-rotate-ccw" },
];

Page({
  /** @type {?import("../../../types").Me} */
  me: null,

  data: { nickname: "", face: "/images/face.svg", jobs: JOBS.map((job) => Object.assign({ n: 0 }, job)), newest: null, shopName: "", phone: "", trouble: "" },

  onLoad() {
    api.shop().then((shop) => this.setData({ shopName: shop.name, phone: shop.phone })).catch(() => {});
    const face = wx.getStorageSync(FACE);
    if (face) this.setData({ face });
  },

  onShow() {
    if (api.hasToken()) this.again();
  },

  async again() {
    try {
      const me = await api.get("/me");
      this.me = me;
      this.setData({ nickname: me.nickname, trouble: "", jobs: JOBS.map((job) => Object.assign({ n: me.counts[job.count] }, job)) });
      const { items } = await api.get("/orders?limit=5");
      this.waitedFor(items.find((order) => order.status !== "closed" && order.status !== "completed"));
    } catch ({ message }) {
      this.setData({ trouble: message });
    }
  },

  /** The newest order that something is still to come of. */
  waitedFor(order) {
    if (!order) {
      this.setData({ newest: null });
      return;
    }
    const { lines, parcel } = orders.card(order);
    const name = lines.length > 1 ? `${lines[0].name} 等 ${lines.length} 样` : lines[0].name;
    this.setData({ newest: { orderNo: order.orderNo, picture: lines[0].picture, title: state(order).title, say: parcel ? `${name} · ${parcel}` : name } });
  },

  /** The picture stays on this phone: the shop has no use for it. */
  faceChosen({ detail }) {
    wx.getFileSystemManager().saveFile({
      tempFilePath: detail.avatarUrl,
      success: ({ savedFilePath }) => {
        wx.setStorageSync(FACE, savedFilePath);
        this.setData({ face: savedFilePath });
      },
      fail: () => wx.showToast({ title: "头像没有保存，请换一张", icon: "none" }),
    });
  },

  async named({ detail }) {
    const nickname = detail.value.trim();
    if (nickname === this.data.nickname) return;
    try {
      if (!this.me) this.me = await api.get("/me");
      const me = await api.put("/me", { nickname, avatarUrl: this.me.avatarUrl });
      this.setData({ nickname: me.nickname });
    } catch ({ message }) {
      wx.showToast({ title: message, icon: "none" });
      this.setData({ nickname: this.data.nickname });
    }
  },

  openOrders({ currentTarget }) {
    open(`/pages/orders/orders?status=${currentTarget.dataset.status || ""}`);
  },

  openOrder({ currentTarget }) {
    open(`/pages/order/order?id=${currentTarget.dataset.id}`);
  },

  openAddresses() {
    open("/pages/addresses/addresses");
  },

  openFavourites() {
    open("/pages/favourites/favourites");
  },

  openCoupons() {
    open("/pages/coupons/coupons");
  },

  openDraft() {
    open("/pages/draft/draft");
  },

  openAbout() {
    open("/pages/about/about");
  },

  call() {
    wx.makePhoneCall({ phoneNumber: this.data.phone, fail() {} });
  },
});
