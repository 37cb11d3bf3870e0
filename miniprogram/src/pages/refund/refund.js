// Asking for after-sale: money alone, goods back for their money, or for others; which pieces, why, with photographs.
const api = require("../../utils/api");
const orders = require("../../utils/orders");
const pay = require("../../utils/pay");
const { back } = require("../../utils/pages");

const REASONS = ["不想要了", "拍错、多拍", "碎了、坏了", "少发了", "和图不一样", "其他"];
const TITLES = { refund: "退哪些", return: "退哪些", exchange: "换哪些" };

/** What one piece costs more or less than it did; the shop takes and gives nothing for that by itself. */
const compared = ({ differenceFen }) => (differenceFen ? `每件比买的${differenceFen > 0 ? "贵" : "便宜"} ${orders.yuan(Math.abs(differenceFen))}` : "");
const choice = (sku) => [sku.specText, orders.yuan(sku.priceFen), compared(sku), sku.available ? "" : "缺货"].filter(Boolean).join("，");

/** What an exchange comes to in money, in words. */
function swap(ticked) {
  const more = ticked.reduce((sum, { skus, skuId, quantity }) => sum + (skus.find((sku) => sku.id === skuId) || { differenceFen: 0 }).differenceFen * quantity, 0);
  return more > 0 ? `；比买的贵 ${orders.yuan(more)}，要店家同意` : more < 0 ? `；比买的便宜 ${orders.yuan(-more)}，差价不自动退` : "";
}

Page({
  key: "",
  asked: 0,
  /** @type {?import("../../../types").Order} */
  order: null,
  /** @type {?import("../../../types").ReturnOptions} */
  offer: null,
  /** @type {string[]} */
  remind: [],

  data: { id: "", kinds: [], kind: "refund", title: "", lines: [], reasons: [], reason: "", description: "", photos: [], mostPhotos: 9, quote: null, note: "", couponText: "", busy: false, loading: true, trouble: null, gone: "" },

  onLoad({ id }) {
    this.setData({ id: id || "" });
    this.key = api.key();
    this.again();
    api.shop().then(({ subscribeTemplates }) => (this.remind = [subscribeTemplates.afterSale, subscribeTemplates.refunded].filter(Boolean)), () => {});
  },

  async again() {
    this.setData({ trouble: null });
    try {
      const order = await api.get(`/orders/${this.data.id}`);
      this.order = order;
      this.offer = order.returnable ? await api.get(`/orders/${this.data.id}/returns/options`) : null;
      const kinds = (order.actions.refund ? [{ kind: "refund", text: "只退款" }] : []).concat(this.offer ? this.offer.kinds : []);
      if (!kinds.length) {
        this.setData({ loading: false, gone: "这个订单现在不能申请售后，有事请找店家" });
        return;
      }
      this.setData({ loading: false, kinds });
      this.turn(kinds[0].kind);
    } catch (error) {
      this.setData({ loading: false, trouble: { offline: error.code === "offline", message: error.message, requestId: error.requestId } });
    }
  },

  /** The lines and reasons of one kind of wish. */
  turn(kind) {
    const { refunds, lines } = this.order;
    const taken = (id) => refunds.filter((one) => !["rejected", "cancelled"].includes(one.state)).reduce((sum, one) => sum + one.lines.filter((part) => part.lineId === id).reduce((n, part) => n + part.quantity, 0), 0);
    const offered = (id) => (this.offer && this.offer.lines.find((one) => one.lineId === id)) || { quantity: 0, skus: [], specText: "" };
    const shown = lines
      .map((line) => {
        const { quantity, skus, specText } = offered(line.id);
        // After an exchange that is what was sent for it, not what was bought first.
        const spec = (kind !== "refund" && specText) || line.specText;
        const most = kind === "refund" ? line.quantity - taken(line.id) : quantity;
        const others = kind === "exchange" && skus.length > 1 ? skus : [];
        return { id: line.id, name: spec ? `${line.name} · ${spec}` : line.name, picture: api.thumb(line), fen: line.priceFen, most, quantity: most, ticked: true, skuId: (others.find((sku) => sku.specText === spec) || { id: line.skuId }).id, skus: others, specs: others.map(choice), spec, compared: "" };
      })
      .filter((line) => line.most > 0);
    const reasons = kind === "refund" ? REASONS : this.offer.reasons.concat("其他");
    this.setData({ kind, title: TITLES[kind], lines: shown, reasons, reason: reasons.includes(this.data.reason) ? this.data.reason : "" });
    this.changed();
  },

  pickKind({ currentTarget }) {
    if (currentTarget.dataset.kind !== this.data.kind) this.turn(currentTarget.dataset.kind);
  },

  changed() {
    this.key = api.key();
    this.price();
  },

  /** The pieces as the server takes them; for money alone, the whole order is none. */
  pieces() {
    const { lines, kind } = this.data;
    const part = ({ id, quantity, skuId, skus }) => Object.assign({ lineId: id, quantity }, kind === "exchange" && skus.length ? { skuId } : {});
    return lines.filter((line) => line.ticked).map(part);
  },

  wish() {
    const { lines, kind } = this.data;
    const whole = kind === "refund" && lines.every((line) => line.ticked && line.quantity === line.most);
    return whole ? {} : { lines: this.pieces() };
  },

  /** How much that would be: the server's figure, not the phone's. */
  async price() {
    const mine = (this.asked = (this.asked || 0) + 1);
    const ticked = this.data.lines.filter((line) => line.ticked);
    const count = ticked.reduce((sum, line) => sum + line.quantity, 0);
    if (!ticked.length || this.data.kind === "exchange") {
      this.setData({ quote: null, note: ticked.length ? `${count} 件，店家收到后寄新的给你${swap(ticked)}` : "", couponText: "" });
      return;
    }
    try {
      const quote = await api.post(`/orders/${this.data.id}/refunds/quote`, this.wish());
      if (mine !== this.asked) return;
      const listFen = ticked.reduce((sum, line) => sum + line.fen * line.quantity, 0);
      const less = listFen + quote.freightFen - quote.amountFen;
      const parts = [`${count} 件 ${orders.yuan(listFen)}`];
      if (quote.freightFen) parts.push(`含运费 ${orders.yuan(quote.freightFen)}`);
      if (less > 0) parts.push(`减去分摊到的优惠 ${orders.yuan(less)}`);
      this.setData({ quote, note: parts.join("，"), couponText: quote.couponText || "" });
    } catch ({ message }) {
      if (mine === this.asked) this.setData({ quote: null, note: message });
    }
  },

  change(id, changes) {
    this.setData({ lines: this.data.lines.map((line) => (line.id === id ? Object.assign({}, line, changes(line)) : line)) });
    this.changed();
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

  instead({ currentTarget, detail }) {
    this.change(currentTarget.dataset.id, (line) => ({ skuId: line.skus[detail.value].id, spec: line.skus[detail.value].specText, compared: compared(line.skus[detail.value]) }));
  },

  because({ currentTarget }) {
    this.setData({ reason: currentTarget.dataset.reason });
    this.key = api.key();
  },

  described({ detail }) {
    this.setData({ description: detail.value });
    this.key = api.key();
  },

  async addPhotos() {
    if (this.data.busy) return;
    try {
      const { tempFiles } = await wx.chooseMedia({ count: this.data.mostPhotos - this.data.photos.length, mediaType: ["image"], sizeType: ["compressed"] });
      this.setData({ busy: true });
      for (const { tempFilePath } of tempFiles) {
        const { id } = await api.upload(tempFilePath);
        this.setData({ photos: this.data.photos.concat({ id, path: tempFilePath }) });
      }
      this.key = api.key();
    } catch (error) {
      if (error.code) orders.failed(error);
    }
    this.setData({ busy: false });
  },

  dropPhoto({ currentTarget }) {
    this.setData({ photos: this.data.photos.filter((one) => one.id !== currentTarget.dataset.id) });
    this.key = api.key();
  },

  async submit() {
    const { quote, kind, reason, description, photos, busy, id } = this.data;
    if (busy) return;
    const words = description.trim();
    const missing = kind === "exchange" ? !this.pieces().length : !quote;
    if (missing || !reason || (reason === "其他" && kind !== "refund" && !words)) {
      wx.showToast({ title: missing ? this.data.note || `先勾选要${kind === "exchange" ? "换" : "退"}的东西` : reason ? "说一说是什么原因" : `选一下为什么${kind === "exchange" ? "换" : "退"}`, icon: "none" });
      return;
    }
    pay.subscribe(this.remind);
    this.setData({ busy: true });
    const body = Object.assign(kind === "refund" ? this.wish() : { kind, lines: this.pieces() }, { reason, photos: photos.map((one) => one.id) }, words ? { description: words } : {});
    try {
      const made = await api.post(`/orders/${id}/${kind === "refund" ? "refunds" : "returns"}`, body, this.key);
      wx.redirectTo({ url: `/pages/progress/progress?id=${id}&${kind === "refund" ? "refund" : "case"}=${made.id}` });
    } catch (error) {
      this.setData({ busy: false });
      orders.failed(error);
    }
  },

  back() {
    back();
  },
});
