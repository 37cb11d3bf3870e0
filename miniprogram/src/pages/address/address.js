// One address: typed, or pasted whole and read; what is wrong stands under its field.
const api = require("../../utils/api");
const { trouble } = require("../../utils/goods");
const { back } = require("../../utils/pages");
const { wechatAddress } = require("../../utils/wechat-address");

const NAMES = { receiver: "receiver", phone: "phone", province: "region", city: "region", district: "region", detail: "detail" };

/** What is wrong with the fields, by field. The server has the last word. */
function faults({ receiver, phone, region, detail }) {
  const found = {};
  const digits = phone.replace(/[ -]/g, "");
  if (!receiver.trim()) found.receiver = "写上收件人的名字，快递要喊";
  if (!digits) found.phone = "写上电话，快递要打";
  else if (/^1\d*$/.test(digits) && digits.length !== 11) found.phone = digits.length < 11 ? `少 ${11 - digits.length} 位：手机号要 11 位` : `多 ${digits.length - 11} 位：手机号要 11 位`;
  else if (!/^[0-9+ -]{5,20}$/.test(phone.trim())) found.phone = "电话只能是数字，例如 13800138000 或 057188001234";
  if (!region[0]) found.region = "选一下省、市、区";
  if (!detail.trim()) found.detail = "写上街道、门牌和房号";
  return found;
}

Page({
  choosing: false,
  back: 1,
  postcode: "",
  waits: 0,

  data: {
    id: "",
    receiver: "",
    phone: "",
    region: [],
    regionText: "",
    detail: "",
    isDefault: false,
    pasted: "",
    /** Which fields the pasted text filled. */
    found: {},
    foundCount: 0,
    bad: {},
    focus: "",
    busy: false,
    wechat: Boolean(wechatAddress),
    trouble: null,
  },

  onLoad({ id, choose, back }) {
    this.choosing = choose === "1";
    this.back = Number(back) || 1;
    if (!id) {
      wx.setNavigationBarTitle({ title: "新地址" });
      return;
    }
    this.setData({ id });
    this.again();
  },

  /** The address that is to be changed; one that is gone is written anew. */
  async again() {
    this.setData({ trouble: null });
    try {
      const { items } = await api.get("/addresses");
      const one = items.find((item) => item.id === this.data.id);
      if (!one) {
        this.setData({ id: "" });
        return;
      }
      this.postcode = one.postcode;
      this.setData({ receiver: one.receiver, phone: one.phone, detail: one.detail, isDefault: one.isDefault });
      this.region([one.province, one.city, one.district]);
    } catch (error) {
      this.setData({ trouble: trouble(error) });
    }
  },

  region(region) {
    const parts = region.filter((part, at) => part && !(at === 1 && part === region[0]));
    this.setData({ region, regionText: parts.join(" ") });
  },

  typed({ currentTarget, detail }) {
    const { field } = currentTarget.dataset;
    // An address is one line, however it is typed.
    this.setData({ [field]: detail.value.replace(/\n/g, " "), [`bad.${field}`]: "", [`found.${field}`]: false });
  },

  picked({ detail }) {
    this.region(detail.value);
    this.setData({ "bad.region": "", "found.region": false });
  },

  /** Read when nobody has typed for a moment: a paste comes in one piece. */
  pastedText({ detail }) {
    this.setData({ pasted: detail.value });
    clearTimeout(this.waits);
    this.waits = setTimeout(() => this.read(), 200);
  },

  fromClipboard() {
    wx.getClipboardData({
      success: ({ data }) => {
        if (!data) {
          wx.showToast({ title: "剪贴板里没有文字", icon: "none" });
          return;
        }
        this.setData({ pasted: data.slice(0, 200) });
        this.read();
      },
      fail: ({ errMsg }) => {
        if (!/privacy/.test(errMsg)) wx.showToast({ title: "读不到剪贴板，长按输入框粘贴也可以", icon: "none" });
      },
    });
  },

  /** The shop reads it, and what was recognised fills its field; a field that was not found keeps what is there. */
  async read() {
    const { pasted } = this.data;
    /** @type {import("../../../types").PastedAddress} */
    let read;
    try {
      read = await api.post("/addresses/read", { text: pasted });
    } catch ({ message }) {
      wx.showToast({ title: message, icon: "none" });
      return;
    }
    // Something else stands there by now.
    if (pasted !== this.data.pasted) return;
    const found = {};
    for (const field of ["receiver", "phone", "detail"]) {
      if (!read[field]) continue;
      found[field] = true;
      this.setData({ [field]: read[field] });
    }
    if (read.province) {
      found.region = true;
      this.region([read.province, read.city, read.district]);
    }
    const bad = faults(this.data);
    const shown = {};
    for (const field of Object.keys(found)) {
      if (!bad[field]) continue;
      shown[field] = bad[field];
      found[field] = false;
    }
    this.setData({ found, foundCount: Object.keys(found).length, bad: shown });
  },

  flip() {
    this.setData({ isDefault: !this.data.isDefault });
  },

  async save() {
    const { data } = this;
    if (data.busy) return;
    const bad = faults(data);
    const [first] = Object.keys(bad);
    if (first) {
      this.setData({ bad, focus: first });
      return;
    }
    this.setData({ busy: true, focus: "" });
    const [province, city, district] = data.region;
    const body = { receiver: data.receiver.trim(), phone: data.phone.trim(), province, city: city || "", district: district || "", detail: data.detail.trim(), postcode: this.postcode || "", isDefault: data.isDefault };
    try {
      const saved = data.id ? await api.put(`/addresses/${data.id}`, body) : await api.post("/addresses", body);
      if (this.choosing) getApp().globalData.addressId = saved.id;
      back(this.back);
    } catch (error) {
      const told = {};
      for (const name of Object.keys(error.fields)) if (NAMES[name]) told[NAMES[name]] = error.fields[name];
      this.setData({ busy: false, bad: told });
      if (!Object.keys(told).length) wx.showModal({ title: "没有保存", content: error.message, showCancel: false, confirmText: "知道了" });
    }
  },

  fromWechat() {
    wechatAddress({
      success: (given) => {
        this.setData({ receiver: given.userName, phone: given.telNumber, detail: given.detailInfo, bad: {} });
        this.region([given.provinceName, given.cityName, given.countyName]);
      },
      fail: ({ errMsg }) => {
        if (!/cancel|privacy/.test(errMsg)) wx.showToast({ title: "没能打开微信地址，请手动填写", icon: "none" });
      },
    });
  },
});
