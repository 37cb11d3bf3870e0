// The invoice of an order: asked for, looked at, taken back. What it is about is the shop's to say.
const api = require("../../utils/api");
const { trouble } = require("../../utils/goods");
const { moment } = require("../../utils/words");

const KINDS = [
  { kind: "personal", name: "个人" },
  { kind: "company", name: "企业" },
];
/** What was typed last, to be offered again. */
const LAST = "invoice-title";

Page({
  data: {
    id: "",
    kinds: KINDS,
    /** @type {any} as the shop has it */
    invoice: null,
    asking: false,
    titleKind: "personal",
    title: "个人",
    taxNo: "",
    email: "",
    bad: {},
    busy: false,
    loading: true,
    trouble: null,
  },

  onLoad({ id }) {
    this.setData(Object.assign({ id: id || "" }, wx.getStorageSync(LAST) || {}));
    this.again();
  },

  async again() {
    this.setData({ trouble: null });
    try {
      this.show(await api.get(`/orders/${this.data.id}/invoice`));
    } catch (error) {
      this.setData({ loading: false, trouble: trouble(error) });
    }
  },

  show(invoice) {
    const typed = invoice.state === "none" ? {} : { titleKind: invoice.titleKind, title: invoice.title, taxNo: invoice.taxNo, email: invoice.email };
    const time = invoice.state === "asked" ? `${moment(invoice.askedAt)} 申请` : invoice.decidedAt ? `${moment(invoice.decidedAt)} 处理` : "";
    this.setData(Object.assign({ loading: false, asking: invoice.state === "none" && invoice.askable, bad: {}, invoice: Object.assign({ time }, invoice) }, typed));
  },

  choose({ currentTarget }) {
    const titleKind = currentTarget.dataset.kind;
    const { title } = this.data;
    const plain = titleKind === "company" ? (title === "个人" ? "" : title) : title || "个人";
    this.setData({ titleKind, title: plain, taxNo: titleKind === "personal" ? "" : this.data.taxNo, bad: {} });
  },

  typed({ currentTarget, detail }) {
    const { field } = currentTarget.dataset;
    this.setData({ [field]: detail.value, [`bad.${field}`]: "" });
  },

  /** WeChat's own titles; a shop that has not declared them gets none, and the buyer types. */
  fromWechat() {
    wx.chooseInvoiceTitle({
      success: ({ type, title, taxNumber }) => this.setData({ titleKind: String(type) === "0" ? "company" : "personal", title, taxNo: String(type) === "0" ? taxNumber : "", bad: {} }),
      fail: ({ errMsg }) => {
        if (!/cancel/.test(errMsg)) wx.showToast({ title: "微信没有给抬头，请直接填写", icon: "none" });
      },
    });
  },

  change() {
    this.setData({ asking: true });
  },

  async send() {
    if (this.data.busy) return;
    const { id, titleKind, title, taxNo, email } = this.data;
    this.setData({ busy: true, bad: {} });
    try {
      this.show(await api.post(`/orders/${id}/invoice`, { titleKind, title, taxNo, email }));
      wx.setStorageSync(LAST, { titleKind, title, taxNo, email });
      wx.showToast({ title: "申请好了，等店家开票", icon: "none" });
    } catch ({ message, fields }) {
      if (fields && Object.keys(fields).length) this.setData({ bad: fields });
      else wx.showModal({ title: "没有申请成", content: message, showCancel: false, confirmText: "知道了" });
    }
    this.setData({ busy: false });
  },

  async withdraw() {
    try {
      this.show(await api.remove(`/orders/${this.data.id}/invoice`));
      wx.showToast({ title: "撤回了", icon: "none" });
    } catch ({ message }) {
      wx.showModal({ title: "没有撤回", content: message, showCancel: false, confirmText: "知道了" });
      this.again();
    }
  },

  copy({ currentTarget }) {
    wx.setClipboardData({ data: currentTarget.dataset.text });
  },
});
