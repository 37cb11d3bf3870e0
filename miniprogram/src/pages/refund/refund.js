// Asking for a refund: which pieces, why, and how much it comes to before it is sent.
const api = require("../../utils/api");
const orders = require("../../utils/orders");

const REASONS = ["不想要了", "拍错、多拍", "碎了、坏了", "少发了", "和图不一样", "其他"];

Page({
  key: "",
  asked: 0,

  data: { id: "", lines: [], reasons: REASONS, reason: "", description: "", quote: null, note: "", couponText: "", askFreight: false, busy: false, loading: true, trouble: null, gone: "" },

  onLoad({ id }) {
    this.setData({ id: id || "" });
    this.key = api.key();
    this.again();
  },

  async again() {
    this.setData({ trouble: null });
    try {
      const order = await api.get(`/orders/${this.data.id}`);
      if (!order.actions.refund) {
        this.setData({ loading: false, gone: "这个订单现在不能申请退款，有事请找店家" });
        return;
      }
      const lines = order.lines
        .map((line) => {
          const taken = order.refunds.filter((one) => !["rejected", "cancelled"].includes(one.state)).reduce((sum, one) => sum + one.lines.filter((part) => part.lineId === line.id).reduce((n, part) => n + part.quantity, 0), 0);
          const most = line.quantity - taken;
          return { id: line.id, name: line.specText ? `${line.name} · ${line.specText}` : line.name, picture: api.media(line.imageUrl), fen: line.priceFen, most, quantity: most, ticked: true };
        })
        .filter((line) => line.most > 0);
      this.setData({ loading: false, lines });
      this.price();
    } catch (error) {
      this.setData({ loading: false, trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
  },

  /** The wish as the server takes it: the whole order, or some pieces. */
  wish() {
    const { lines } = this.data;
    const whole = lines.every((line) => line.ticked && line.quantity === line.most);
    return whole ? {} : { lines: lines.filter((line) => line.ticked).map((line) => ({ lineId: line.id, quantity: line.quantity })) };
  },

  /** How much that would be: the server's figure, not the phone's. */
  async price() {
    const mine = (this.asked = (this.asked || 0) + 1);
    if (!this.data.lines.some((line) => line.ticked)) {
      this.setData({ quote: null, note: "" });
      return;
    }
    try {
      const quote = await api.post(`/orders/${this.data.id}/refunds/quote`, this.wish());
      if (mine !== this.asked) return;
      const pieces = this.data.lines.filter((line) => line.ticked);
      const listFen = pieces.reduce((sum, line) => sum + line.fen * line.quantity, 0);
      const less = listFen + quote.freightFen - quote.amountFen;
      const parts = [`${pieces.reduce((sum, line) => sum + line.quantity, 0)} 件 ${orders.yuan(listFen)}`];
      if (quote.freightFen) parts.push(`含运费 ${orders.yuan(quote.freightFen)}`);
      if (less > 0) parts.push(`减去分摊到的优惠 ${orders.yuan(less)}`);
      this.setData({ quote, note: parts.join("，"), couponText: quote.couponText || "" });
    } catch ({ message }) {
      if (mine === this.asked) this.setData({ quote: null, note: message });
    }
  },

  change(id, changes) {
    this.setData({ lines: this.data.lines.map((line) => (line.id === id ? Object.assign({}, line, changes(line)) : line)) });
    this.key = api.key();
    this.price();
  },

  tick({ currentTarget }) {
    this.change(currentTarget.dataset.id, (line) => ({ ticked: !line.ticked }));
  },

  less({ currentTarget }) {
    this.change(currentTarget.dataset.id, (line) => ({ quantity: Math.max(line.quantity - 1, 1) }));
  },

  more({ currentTarget }) {
    this.change(currentTarget.dataset.id, (line) => ({ quantity: Math.min(line.quantity + 1, line.most) }));
  },

  because({ currentTarget }) {
    this.setData({ reason: currentTarget.dataset.reason });
    this.key = api.key();
  },

  described({ detail }) {
    this.setData({ description: detail.value });
    this.key = api.key();
  },

  async submit() {
    const { quote, reason, description, busy, id } = this.data;
    if (busy) return;
    if (!quote || !reason) {
      wx.showToast({ title: !quote ? this.data.note || "先勾选要退的东西" : "选一下为什么退", icon: "none" });
      return;
    }
    this.setData({ busy: true });
    const body = Object.assign(this.wish(), { reason }, description.trim() ? { description: description.trim() } : {});
    try {
      const refund = await api.post(`/orders/${id}/refunds`, body, this.key);
      wx.redirectTo({ url: `/pages/progress/progress?id=${id}&refund=${refund.id}` });
    } catch (error) {
      this.setData({ busy: false });
      orders.failed(error);
    }
  },

  back() {
    wx.navigateBack({ delta: 1 });
  },
});
