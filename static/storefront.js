// The demo's mini-program. It uses the buyer API like any other client; `wx` stands in for the phone's own functions.
const simulator = document.body.dataset.simulator;
const view = document.getElementById("view");
const yuan = (fen) => (fen / 100).toFixed(2).replace(/\.00$/, "");
const store = {
  get: (name, otherwise) => JSON.parse(localStorage.getItem(name) ?? "null") ?? otherwise,
  set: (name, value) => localStorage.setItem(name, JSON.stringify(value)),
};

// ── what the phone would do ──

const wx = {
  async login() {
    const user = store.get("user", null) ?? crypto.randomUUID();
    store.set("user", user);
    return (await fetch(`${simulator}/simulator/login?user=${user}`)).json();
  },
  requestPayment(payment) {
    const sheet = document.getElementById("sheet");
    const frame = document.createElement("iframe");
    frame.title = "模拟微信收银台";
    frame.src = `${simulator}/cashier?${new URLSearchParams(payment)}`;
    sheet.replaceChildren(frame);
    sheet.hidden = false;
    return new Promise((done) => {
      const finish = (errMsg) => {
        removeEventListener("message", heard);
        sheet.onclick = null;
        sheet.hidden = true;
        sheet.replaceChildren();
        done({ errMsg });
      };
      const heard = (event) => event.origin === simulator && finish(event.data.errMsg);
      addEventListener("message", heard);
      sheet.onclick = (event) => event.target === sheet && finish("requestPayment:fail cancel");
    });
  },
};

// ── the API ──

class Refused extends Error {
  constructor(error) {
    super(error.message);
    Object.assign(this, error);
  }
}

async function login() {
  const { code } = await wx.login();
  const session = await api("POST", "/login", { code }, { anonymous: true });
  store.set("token", session.token);
}

async function api(method, path, body, { key, anonymous, again } = {}) {
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (key) headers["Idempotency-Key"] = key;
  const open = anonymous || /^\/(shop|categories|products)/.test(path);
  if (!open && !store.get("token", null)) await login();
  const token = store.get("token", null);
  if (token && !anonymous) headers.Authorization = `Bearer ${token}`;
  let answer;
  try {
    answer = await fetch(`/api/v1${path}`, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Refused({ code: "offline", message: "网络不通，请检查后重试" });
  }
  if (answer.status === 401 && !anonymous && !again) {
    await login();
    return api(method, path, body, { key, again: true });
  }
  if (answer.status === 204) return null;
  const json = await answer.json();
  if (!answer.ok) throw new Refused(json.error);
  return json;
}

// ── small pieces ──

function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && name !== "list") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return node;
}

const picture = (url, className = "") =>
  url ? el("img", { src: url, alt: "", className, loading: "lazy" }) : el("span", { className: `noimg ${className}` });
const price = (fen) => el("span", { className: "price" }, yuan(fen));
const panel = (...children) => el("section", { className: "panel" }, ...children);

let toastTimer;
function toast(words) {
  const node = document.getElementById("toast");
  node.textContent = words;
  node.hidden = false;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (node.hidden = true), 2200);
}

function show(title, ...children) {
  document.getElementById("title").textContent = title;
  view.replaceChildren(...children.flat(Infinity).filter(Boolean));
  view.scrollTop = 0;
}

const cart = {
  lines: () => store.get("cart", []),
  save(lines) {
    store.set("cart", lines);
    const count = lines.reduce((sum, line) => sum + line.quantity, 0);
    const badge = document.getElementById("cart-count");
    badge.textContent = count;
    badge.hidden = count === 0;
  },
  add(line) {
    const lines = cart.lines();
    const same = lines.find((known) => known.skuId === line.skuId);
    if (same) same.quantity += line.quantity;
    else lines.push(line);
    cart.save(lines);
  },
};

function quantity(value, max, changed) {
  const number = el("output", {}, String(value));
  const step = (by) => () => {
    value = Math.min(Math.max(value + by, 1), max);
    number.textContent = value;
    changed(value);
  };
  return el("span", { className: "qty" }, el("button", { type: "button", ariaLabel: "减少", onclick: step(-1) }, "−"), number,
    el("button", { type: "button", ariaLabel: "增加", onclick: step(1) }, "+"));
}

// ── pages ──

let shop;
const listState = { q: "", categoryId: "", sort: "default" };

function card(item) {
  return el("a", { className: `item${item.soldOut ? " soldout" : ""}`, href: `#/product/${item.id}` }, picture(item.coverUrl),
    el("div", {}, el("b", {}, item.name), el("span", { className: "meta" }, item.subtitle), el("br"), price(item.priceFen),
      item.maxPriceFen > item.priceFen && el("span", { className: "meta" }, " 起"),
      item.marketPriceFen > item.priceFen && el("s", {}, `¥${yuan(item.marketPriceFen)}`),
      el("span", { className: "meta" }, ` 已售 ${item.soldCount}`)));
}

async function home() {
  const input = el("input", { type: "search", placeholder: "搜索商品", value: listState.q, ariaLabel: "搜索商品" });
  const search = el("form", { className: "search", onsubmit: (event) => { event.preventDefault(); listState.q = input.value.trim(); home(); } },
    input, el("button", {}, "搜索"));
  const { items: categories } = await api("GET", "/categories");
  const chip = (id, name) => el("button", { type: "button", className: listState.categoryId === id ? "on" : "",
    onclick: () => { listState.categoryId = id; home(); } }, name);
  const chips = el("div", { className: "chips" }, chip("", "全部"), categories.map((c) => chip(c.id, c.name)));
  const sorts = [["default", "综合"], ["sales", "销量"], ["newest", "新品"], ["price_asc", "价格↑"], ["price_desc", "价格↓"]];
  const sortbar = el("div", { className: "chips" }, sorts.map(([word, text]) => el("button", { type: "button",
    className: listState.sort === word ? "on" : "", onclick: () => { listState.sort = word; home(); } }, text)));
  const grid = el("div", { className: "grid", id: "products" });
  const more = el("div", { className: "more" });
  const load = async (cursor) => {
    const query = new URLSearchParams({ ...listState, limit: 12, ...(cursor && { cursor }) });
    const page = await api("GET", `/products?${query}`);
    grid.append(...page.items.map(card));
    more.replaceChildren(page.nextCursor ? el("button", { onclick: () => load(page.nextCursor) }, "加载更多")
      : grid.children.length ? "没有更多了" : `没有找到${listState.q ? `「${listState.q}」` : "商品"}`);
  };
  await load();
  show(shop.name, search, shop.notice && el("p", { className: "notice" }, shop.notice), chips, sortbar, grid, more);
}

async function categories() {
  const { items } = await api("GET", "/categories");
  show("分类", items.map((c) => el("a", { href: "#/", className: "panel row", onclick: () => { listState.categoryId = c.id; listState.q = ""; } },
    el("b", {}, c.name), el("span", { className: "meta" }, `${c.productCount} 件商品 ›`))));
}

async function product(id) {
  const p = await api("GET", `/products/${id}`);
  const chosen = {};
  let count = 1;
  const fits = (sku, picks) => Object.entries(picks).every(([name, value]) => sku.specs[name] === value);
  const draw = () => {
    const picked = p.specs.every((spec) => chosen[spec.name]) ? p.skus.find((sku) => fits(sku, chosen)) : null;
    const sku = picked ?? (p.specs.length ? null : p.skus[0]);
    count = Math.min(count, Math.max(sku?.available ?? 1, 1));
    const choose = () => {
      if (!sku) return toast(`请选择${p.specs.filter((s) => !chosen[s.name]).map((s) => s.name).join("、")}`);
      if (sku.available < 1) return toast("这个规格已售罄");
      return { skuId: sku.id, productId: p.id, name: p.name, imageUrl: sku.imageUrl ?? p.coverUrl, priceFen: sku.priceFen,
        specText: Object.values(sku.specs).join(" / "), quantity: count };
    };
    const top = view.scrollTop;
    show(p.name, picture(p.images[0], "hero"),
      el("section", { className: "panel big" }, el("div", {}, price(sku?.priceFen ?? p.priceFen),
        !sku && p.maxPriceFen > p.priceFen && el("span", { className: "meta" }, ` – ¥${yuan(p.maxPriceFen)}`),
        p.marketPriceFen > p.priceFen && el("s", {}, `¥${yuan(p.marketPriceFen)}`)),
        el("h2", {}, p.name), el("span", { className: "meta" }, `${p.subtitle}　已售 ${p.soldCount}　${shop.freightText}`)),
      panel(p.specs.map((spec) => [el("p", { className: "spec" }, spec.name), el("div", { className: "values" },
        spec.values.map((value) => el("button", { type: "button", className: chosen[spec.name] === value ? "on" : "",
          disabled: !p.skus.some((s) => s.available > 0 && fits(s, { ...chosen, [spec.name]: value })),
          onclick: () => { chosen[spec.name] = chosen[spec.name] === value ? undefined : value; if (!chosen[spec.name]) delete chosen[spec.name]; draw(); } }, value)))]),
        el("div", { className: "row" }, el("span", {}, "数量", sku && el("span", { className: "meta" },
          `　${sku.available >= 999 ? "库存充足" : `剩 ${sku.available} 件`}${sku.limitPerOrder ? `，每单限购 ${sku.limitPerOrder}` : ""}`)),
          quantity(count, Math.max(sku?.available ?? 999, 1), (n) => (count = n)))),
      p.detailHtml && el("section", { className: "panel detail-html", innerHTML: p.detailHtml }),
      el("div", { className: "buybar" },
        el("button", { className: "cta alt", disabled: p.soldOut, onclick: () => { const line = choose(); if (line) { cart.add(line); toast("已加入购物车"); } } }, "加入购物车"),
        el("button", { className: "cta", disabled: p.soldOut, onclick: () => { const line = choose(); if (line) { store.set("checkout", [line]); location.hash = "#/checkout"; } } }, p.soldOut ? "已售罄" : "立即购买")));
    view.scrollTop = top;
  };
  draw();
}

function cartPage() {
  const lines = cart.lines();
  if (!lines.length) return show("购物车", el("p", { className: "empty" }, "购物车是空的，", el("a", { href: "#/", className: "link" }, "去逛逛")));
  const total = lines.reduce((sum, line) => sum + line.priceFen * line.quantity, 0);
  show("购物车", panel(lines.map((line, i) => el("div", { className: "line" }, picture(line.imageUrl),
    el("div", {}, el("b", {}, line.name), el("div", { className: "meta" }, line.specText), el("div", { className: "row" }, price(line.priceFen),
      el("span", {}, quantity(line.quantity, 999, (n) => { lines[i].quantity = n; cart.save(lines); cartPage(); }),
        el("button", { className: "link", onclick: () => { lines.splice(i, 1); cart.save(lines); cartPage(); } }, "删除"))))))),
    el("div", { className: "buybar" }, el("span", {}, "合计 ", price(total)),
      el("button", { className: "cta", onclick: () => { store.set("checkout", lines); location.hash = "#/checkout"; } }, "去结算")));
}

const fields = [["receiver", "收货人"], ["phone", "手机号"], ["province", "省"], ["city", "市"], ["district", "区县"], ["detail", "详细地址"]];

async function checkout() {
  const lines = store.get("checkout", []);
  if (!lines.length) return (location.hash = "#/cart");
  const items = lines.map(({ skuId, quantity }) => ({ skuId, quantity }));
  const { items: saved } = await api("GET", "/addresses");
  const key = crypto.randomUUID();
  const quoted = await api("POST", "/quote", { items, ...(saved[0] && { addressId: saved[0].id }) });
  const brought = ["express", "local"].includes(quoted.delivery);
  const inputs = Object.fromEntries(fields.map(([name, label]) => [name, el("input", { name, required: true, placeholder: label, autocomplete: "off" })]));
  const remark = el("textarea", { rows: 2, maxLength: 200, placeholder: "给商家留言（可不填）" });
  const field = (name) => el("label", {}, fields.find(([n]) => n === name)[1], inputs[name]);
  const a = saved[0];
  const address = !brought ? panel(el("b", {}, quoted.deliveryText), el("p", { className: "meta" }, "不需要收货地址"))
    : a ? panel(el("b", {}, `${a.receiver} ${a.phone}`), el("div", {}, `${a.province}${a.city}${a.district} ${a.detail}`),
      el("button", { className: "link", onclick: async () => { await api("DELETE", `/addresses/${a.id}`); checkout(); } }, "换一个地址"))
      : panel(el("h2", {}, "收货地址"), field("receiver"), field("phone"), el("div", { className: "fields" }, field("province"), field("city"), field("district")), field("detail"),
        el("button", { className: "link", type: "button", onclick: () => Object.entries({ receiver: "王小样", phone: "13800000000", province: "浙江省", city: "杭州市", district: "西湖区", detail: "演示路 1 号" }).forEach(([n, v]) => (inputs[n].value = v)) }, "填入示例地址"));
  const button = el("button", { className: "cta", id: "submit", onclick: submit }, `提交订单 ¥${yuan(quoted.totalFen)}`);
  async function submit() {
    button.disabled = true;
    try {
      let addressId = a?.id;
      if (brought && !addressId) {
        const typed = Object.fromEntries(fields.map(([name]) => [name, inputs[name].value]));
        addressId = (await api("POST", "/addresses", typed)).id;
      }
      const form = { items, remark: remark.value, expectedTotalFen: quoted.totalFen, ...(brought && { addressId }) };
      const { order, payment } = await api("POST", "/prepay", form, { key });
      const bought = new Set(items.map((item) => item.skuId));
      cart.save(cart.lines().filter((line) => !bought.has(line.skuId)));
      store.set("checkout", []);
      await payAndCheck(order.orderNo, payment);
    } catch (error) {
      toast(error.message);
      if (error.details?.orderNo) location.hash = `#/order/${error.details.orderNo}`;
      else if (error.code === "price_changed") checkout();
      button.disabled = false;
    }
  }
  const blocking = quoted.warnings.filter((w) => w.code !== "address_required");
  show("确认订单", address, blocking.map((w) => el("p", { className: "warn" }, w.message)),
    panel(quoted.lines.map((line) => el("div", { className: "line" }, picture(line.imageUrl), el("div", {}, el("b", {}, line.name),
      el("div", { className: "meta" }, line.specText), el("div", { className: "row" }, price(line.priceFen), el("span", {}, `×${line.quantity}`)))))),
    panel(el("label", {}, "留言", remark), el("div", { className: "row" }, "商品", price(quoted.goodsFen)), el("div", { className: "row" }, "运费", price(quoted.freightFen)),
      el("div", { className: "row" }, el("b", {}, "应付"), price(quoted.totalFen))),
    el("div", { className: "buybar" }, button));
}

async function payAndCheck(orderNo, payment) {
  const { errMsg } = await wx.requestPayment(payment);
  // The phone's word is no proof, either way: the server asks WeChat.
  if (errMsg === "requestPayment:ok") toast("支付处理中…");
  try {
    await api("POST", `/orders/${orderNo}/check`);
    document.getElementById("toast").hidden = true;
  } catch (error) {
    toast(error.message);
  }
  if (location.hash === `#/order/${orderNo}`) route();
  else location.hash = `#/order/${orderNo}`;
}

const tabs = [["", "全部"], ["pending_payment", "待付款"], ["to_ship", "待发货"], ["shipped", "待收货"], ["completed", "已完成"], ["closed", "已关闭"], ["refunding", "退款中"]];
let ordersTab = "";
const chips = (order) => order.chips.map((chip) => el("span", { className: `chip ${chip.word}` }, chip.text));
const minute = (time) => time.slice(0, 16).replace("T", " ");

async function orders() {
  const { items } = await api("GET", `/orders?status=${ordersTab}`);
  show("我的订单", el("div", { className: "chips" }, tabs.map(([word, text]) => el("button", { className: ordersTab === word ? "on" : "", onclick: () => { ordersTab = word; orders(); } }, text))),
    items.length ? items.map((order) => el("a", { href: `#/order/${order.orderNo}`, className: "panel order" },
      el("div", { className: "row" }, el("span", { className: "meta" }, minute(order.createdAt)),
        el("span", {}, chips(order), el("b", {}, order.statusText))),
      order.lines.map((line) => el("div", { className: "line" }, picture(line.imageUrl), el("div", {}, line.name, el("div", { className: "meta" }, `${line.specText} ×${line.quantity}`)))),
      el("div", { className: "row" }, el("span"), el("span", {}, "实付 ", price(order.totalFen))))) : el("p", { className: "empty" }, "还没有订单"));
}

let ticking;
async function orderPage(orderNo) {
  const order = await api("GET", `/orders/${orderNo}`);
  const act = (path) => async () => {
    try {
      await api("POST", `/orders/${orderNo}/${path}`);
    } catch (error) {
      toast(error.message);
    }
    route();
  };
  const payNow = async () => {
    try {
      const { payment } = await api("POST", `/orders/${orderNo}/prepay`);
      await payAndCheck(orderNo, payment);
    } catch (error) {
      toast(error.message);
      route();
    }
  };
  const hint = el("p", {}, order.closedReasonText ?? "");
  const { pay, cancel, confirm, refund } = order.actions;
  const a = order.address;
  show("订单详情", el("section", { className: `state ${order.status}` }, el("h2", { id: "status" }, order.statusText), hint, order.chips.length > 0 && el("p", {}, chips(order))),
    order.refunds.map((r) => panel(el("div", { className: "row" }, el("b", { className: "refund-state" }, r.stateText), price(r.amountFen)),
      el("div", { className: "meta" }, `${minute(r.createdAt)}　${r.reason}`), r.answer && el("p", { className: "meta" }, `商家说明：${r.answer}`),
      r.cancellable && el("div", { className: "actions" }, el("button", { onclick: act(`refunds/${r.id}/cancel`) }, "撤回申请")))),
    a && panel(el("b", {}, `${a.receiver} ${a.phone}`), el("div", {}, `${a.province}${a.city}${a.district} ${a.detail}`)),
    order.shipments.map((s) => panel(el("b", {}, `${s.companyText} ${s.trackingNo}`), el("div", { className: "meta" }, minute(s.shippedAt)))),
    panel(order.lines.map((line) => el("div", { className: "line" }, picture(line.imageUrl), el("div", {}, el("b", {}, line.name), el("div", { className: "meta" }, line.specText),
      el("div", { className: "row" }, price(line.priceFen), el("span", {}, `×${line.quantity}`))))),
      el("div", { className: "row" }, "运费", price(order.freightFen)),
      order.discountFen > 0 && el("div", { className: "row" }, "优惠", el("span", { className: "price off" }, yuan(order.discountFen))),
      el("div", { className: "row" }, el("b", {}, order.paidFen ? "实付" : "应付"), price(order.totalFen)),
      order.refundedFen > 0 && el("div", { className: "row" }, "已退款", price(order.refundedFen))),
    panel(el("div", { className: "row meta" }, "订单号", el("span", { id: "order-no" }, order.orderNo)), order.remark && el("div", { className: "row meta" }, "留言", el("span", {}, order.remark))),
    el("div", { className: "actions" }, cancel && el("button", { onclick: act("cancel") }, "取消订单"), pay && el("button", { className: "main", id: "pay", onclick: payNow }, "去支付"),
      refund && el("button", { onclick: () => (location.hash = `#/refund/${orderNo}`) }, "申请退款"),
      confirm && el("button", { className: "main", onclick: act("confirm") }, "确认收货")));
  const skew = Date.parse(order.serverTime) - Date.now();
  clearInterval(ticking);
  if (order.status !== "pending_payment") return;
  ticking = setInterval(() => {
    const left = Math.floor((Date.parse(order.expiresAt) - Date.now() - skew) / 1000);
    if (left < 0) hint.textContent = "付款时间已过，正在确认…";
    else hint.textContent = `请在 ${Math.floor(left / 60)} 分 ${String(left % 60).padStart(2, "0")} 秒内付款`;
  }, 500);
}

const reasons = ["不想要了", "拍错或多拍", "商品与描述不符", "质量问题", "未按时发货", "其他"];

async function refundPage(orderNo) {
  const order = await api("GET", `/orders/${orderNo}`);
  // The key stays the same until the request has been heard, so that a second tap asks for nothing twice.
  const key = crypto.randomUUID();
  const lines = order.lines.map((line) => ({ line, left: line.quantity - line.refundedQuantity, wanted: 0 })).filter(({ left }) => left > 0);
  let whole = true;
  const reason = el("select", { ariaLabel: "退款原因" }, reasons.map((words) => el("option", {}, words)));
  const description = el("textarea", { rows: 2, maxLength: 200, placeholder: "补充说明（可不填）" });
  const pieces = el("div", { hidden: true }, lines.map((entry) => {
    const number = el("output", {}, "0");
    const step = (by) => () => (number.textContent = entry.wanted = Math.min(Math.max(entry.wanted + by, 0), entry.left));
    return el("div", { className: "line" }, picture(entry.line.imageUrl), el("div", {}, el("b", {}, entry.line.name),
      el("div", { className: "meta" }, `${entry.line.specText} 可退 ${entry.left} 件`),
      el("span", { className: "qty" }, el("button", { type: "button", ariaLabel: "减少", onclick: step(-1) }, "−"), number,
        el("button", { type: "button", ariaLabel: "增加", onclick: step(1) }, "+"))));
  }));
  const choice = (text, value) => el("button", { type: "button", className: whole === value ? "on" : "", onclick: (event) => {
    whole = value;
    pieces.hidden = value;
    for (const button of event.target.parentNode.children) button.classList.toggle("on", button === event.target);
  } }, text);
  const submit = async (event) => {
    const wanted = lines.filter((entry) => entry.wanted > 0).map((entry) => ({ lineId: entry.line.id, quantity: entry.wanted }));
    if (!whole && !wanted.length) return toast("请选择要退的商品");
    const button = event.target;
    button.disabled = true;
    const form = { reason: reason.value, description: description.value, ...(!whole && { lines: wanted }) };
    try {
      await api("POST", `/orders/${orderNo}/refunds`, form, { key });
      location.replace(`#/order/${orderNo}`);
    } catch (error) {
      toast(error.message);
      button.disabled = false;
    }
  };
  show("申请退款", panel(el("div", { className: "values" }, choice("整单退款", true), choice("退部分商品", false)), pieces),
    panel(el("label", {}, "退款原因", reason), el("label", {}, "补充说明", description)),
    el("p", { className: "more" }, "商家同意后，钱按原路退回"),
    el("div", { className: "buybar" }, el("button", { className: "cta", onclick: submit }, "提交申请")));
}

// ── the way ──

async function route() {
  clearInterval(ticking);
  const [, page = "", id] = location.hash.split("/");
  const pages = { "": home, categories, cart: cartPage, checkout, orders, product: () => product(id), order: () => orderPage(id), refund: () => refundPage(id) };
  document.getElementById("back").hidden = ["", "categories", "cart", "orders"].includes(page);
  const on = { product: "home", checkout: "cart", order: "orders", refund: "orders" }[page] ?? (page || "home");
  document.querySelectorAll(".dock a").forEach((link) => link.classList.toggle("on", link.dataset.tab === on));
  try {
    shop ??= await api("GET", "/shop");
    await (pages[page] ?? home)();
  } catch (error) {
    show("出错了", el("p", { className: "empty" }, error.message, el("br"), el("button", { className: "link", onclick: route }, "重试")));
  }
}

document.getElementById("back").addEventListener("click", () => (history.length > 1 ? history.back() : (location.hash = "#/")));
addEventListener("hashchange", route);
cart.save(cart.lines());
route();
