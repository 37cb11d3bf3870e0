// How far a refund has come.
const api = require("../../utils/api");
const orders = require("../../utils/orders");
const { moment } = require("../../utils/words");

const HEAD = {
  requested: ["申请已交给店家", "店家同意后，钱原路退回微信"],
  approved: ["店家同意了，钱在路上", "一般几分钟到账，最晚 3 个工作日"],
  processing: ["店家同意了，钱在路上", "一般几分钟到账，最晚 3 个工作日"],
  failed: ["店家同意了，正在处理", "比平时慢一点，店家会跟进"],
  abnormal: ["店家同意了，正在处理", "比平时慢一点，店家会跟进"],
  succeeded: ["钱退给你了", "已原路退回微信"],
  rejected: ["店家没有同意", "可以再和店家商量"],
  cancelled: ["申请已撤回", "需要时可以再申请"],
};

/** The steps of a refund: what has happened, what happens now, what is still to come. */
function steps(refund) {
  const asked = { name: "你提交了申请", note: `${moment(refund.createdAt)}　${refund.reason}`, say: refund.description, how: "time-done" };
  const ended = moment(refund.endedAt);
  switch (refund.state) {
    case "requested":
      return [asked, { name: "等店家回复", note: "", say: "", how: "time-now" }, { name: "微信退款到账", note: "", say: "", how: "time-wait" }];
    case "rejected":
      return [asked, { name: "店家没有同意", note: ended, say: refund.answer, how: "time-done" }];
    case "cancelled":
      return [asked, { name: "申请已撤回", note: ended, say: "", how: "time-done" }];
    case "succeeded":
      return [asked, { name: "店家同意", note: "", say: refund.answer, how: "time-done" }, { name: "已到账", note: ended, say: "", how: "time-done" }];
    default:
      return [asked, { name: "店家同意", note: "", say: refund.answer, how: "time-done" }, { name: "微信正在退款", note: `退款单 ${refund.refundNo}`, say: "", how: "time-now" }, { name: "到账", note: "到账后微信会通知你", say: "", how: "time-wait" }];
  }
}

Page({
  data: { id: "", refundId: "", head: "", say: "", refund: null, steps: [], lines: [], loading: true, trouble: null },

  onLoad({ id, refund }) {
    this.setData({ id: id || "", refundId: refund || "" });
  },

  onShow() {
    this.again();
  },

  async again() {
    this.setData({ trouble: null });
    try {
      this.show(await api.get(`/orders/${this.data.id}`));
    } catch (error) {
      this.setData({ loading: false, trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
  },

  show(order) {
    const refund = order.refunds.find((one) => one.id === this.data.refundId) || order.refunds[order.refunds.length - 1];
    if (!refund) {
      wx.navigateBack({ delta: 1 });
      return;
    }
    const [head, say] = HEAD[refund.state];
    const lines = refund.lines.map((part) => {
      const line = order.lines.find((one) => one.id === part.lineId);
      return { id: part.lineId, name: line.name, spec: line.specText, picture: api.media(line.imageUrl), quantity: part.quantity, fen: part.amountFen };
    });
    this.setData({ loading: false, head, say, refund: { id: refund.id, amountFen: refund.amountFen, freightFen: refund.freightFen, cancellable: refund.cancellable }, steps: steps(refund), lines });
  },

  cancel() {
    wx.showModal({
      title: "撤回退款申请",
      content: "撤回后订单照常进行",
      confirmText: "撤回",
      success: ({ confirm }) => {
        if (!confirm) return;
        const { id, refund } = this.data;
        api
          .post(`/orders/${id}/refunds/${refund.id}/cancel`)
          .then(() => this.again())
          .catch(orders.failed);
      },
    });
  },
});
