// How far a refund, or what is sent back, has come.
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

const OF_CASE = {
  requested: ["申请已交给店家", "等店家同意"],
  agreed: ["店家同意了，请寄回商品", "寄出后把快递单号填在下面"],
  sent_back: ["商品在寄回的路上", "店家收到后会验收"],
  received: ["店家收到了", "正在准备换给你的商品"],
  done: ["办好了", ""],
  rejected: ["店家没有同意", "可以再和店家商量"],
  cancelled: ["申请已撤回", "需要时可以再申请"],
  lapsed: ["没有按时寄回，已关闭", "需要时可以再申请"],
};
const DONE = { requested: "你提交了申请", agreed: "店家同意", sent_back: "你寄出了商品", received: "店家收到了商品", done: "店家办好了", rejected: "店家没有同意", cancelled: "你撤回了申请", lapsed: "超时关闭" };
const NEXT = { requested: ["等店家回复", "寄回商品"], agreed: ["寄回商品", "店家验收"], sent_back: ["等店家验收"], received: ["等店家寄出新的"] };

/** The steps of what is sent back, with what comes next. */
function stepsOf(one) {
  const done = one.steps.map(({ state, at, note }, i) => ({ name: DONE[state], note: moment(at), say: i ? note : [one.reason, one.description].filter(Boolean).join("："), how: "time-done" }));
  const next = (NEXT[one.state] || []).map((name, i) => ({ name, note: !i && one.state === "agreed" ? `请在 ${moment(one.dueAt)} 前寄出` : "", say: "", how: i ? "time-wait" : "time-now" }));
  return done.concat(next).map((step, i) => Object.assign(step, { id: i }));
}

Page({
  company: "",

  data: { cancellable: false, id: "", refundId: "", caseId: "", head: "", say: "", refund: null, back: null, steps: [], lines: [], photos: [], number: "", busy: false, loading: true, trouble: null },

  onLoad(given) {
    this.setData({ id: given.id || "", refundId: given.refund || "", caseId: given.case || "" });
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
    const { caseId, refundId } = this.data;
    const one = caseId ? order.returns.find(({ id }) => id === caseId) : null;
    const refund = one ? order.refunds.find(({ id }) => id === one.refundId) : order.refunds.find(({ id }) => id === refundId) || order.refunds[order.refunds.length - 1];
    if (!one && !refund) {
      wx.navigateBack({ delta: 1 });
      return;
    }
    const goods = (part) => {
      const line = order.lines.find(({ id }) => id === part.lineId);
      return { id: part.lineId, name: line.name, spec: line.specText, picture: api.thumb(line), quantity: part.quantity, fen: part.amountFen === undefined ? line.priceFen * part.quantity : part.amountFen };
    };
    const [head, say] = refund ? HEAD[refund.state] : OF_CASE[one.state];
    const sent = one && order.resends.find(({ id }) => id === one.resendId);
    const shown = one || refund;
    this.setData({
      loading: false,
      head: sent ? "换的商品寄出了" : head,
      say: sent ? `${sent.companyText} ${sent.trackingNo}` : say,
      refund: refund ? { id: refund.id, amountFen: refund.amountFen, freightFen: refund.freightFen } : null,
      back: one ? { id: one.id, kind: one.kindText, address: one.address, send: one.actions.send, number: one.parcel ? `${one.parcel.companyText} ${one.parcel.trackingNo}` : "" } : null,
      cancellable: one ? one.actions.cancel : refund.cancellable,
      steps: one ? stepsOf(one).concat(refund ? steps(refund).slice(2).map((step, i) => Object.assign(step, { id: `r${i}` })) : []) : steps(refund).map((step, i) => Object.assign(step, { id: i })),
      lines: (refund || one).lines.map(goods),
    });
    if (shown.photos.length !== this.data.photos.length) this.fetchPhotos(shown.photos);
  },

  async fetchPhotos(photos) {
    try {
      this.setData({ photos: await Promise.all(photos.map(async ({ id, thumbUrl }) => ({ id, path: await api.download(thumbUrl) }))) });
    } catch (error) {
      this.setData({ photos: [] });
    }
  },

  typed({ detail }) {
    this.setData({ number: detail.value });
  },

  async send() {
    const { id, back, number, busy } = this.data;
    if (busy) return;
    if (!number.trim()) {
      wx.showToast({ title: "填一下快递单号", icon: "none" });
      return;
    }
    this.setData({ busy: true });
    const company = this.company;
    try {
      await api.post(`/orders/${id}/returns/${back.id}/parcel`, { trackingNo: number, company });
      this.company = "";
      this.setData({ number: "" });
      await this.again();
    } catch (error) {
      if (error.fields.company) this.askCompany(error.message);
      else orders.failed(error);
    }
    this.setData({ busy: false });
  },

  /** The number does not tell who carries it. */
  askCompany(title) {
    wx.showModal({
      title: "哪家快递",
      content: "",
      editable: true,
      placeholderText: title,
      success: ({ confirm, content }) => {
        if (!confirm || !content) return;
        this.company = content.trim();
        this.send();
      },
    });
  },

  copy({ currentTarget }) {
    wx.setClipboardData({ data: currentTarget.dataset.text });
  },

  cancel() {
    wx.showModal({
      title: "撤回申请",
      content: "撤回后订单照常进行",
      confirmText: "撤回",
      success: ({ confirm }) => {
        if (!confirm) return;
        const { id, refund, back } = this.data;
        api
          .post(`/orders/${id}/${back ? `returns/${back.id}` : `refunds/${refund.id}`}/cancel`)
          .then(() => this.again())
          .catch(orders.failed);
      },
    });
  },
});
