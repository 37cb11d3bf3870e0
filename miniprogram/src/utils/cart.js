// The cart: kept on the phone, so that it is there without a network, and with the shop, so that every phone has it.
// What was changed here and has not reached the shop yet is marked, and sent when it can be.
const api = require("./api");

const CART = "cart";
const DIRTY = "cart-changed";
const OWNER = "cart-of";
const TAB = 2;
const MOST_LINES = 50;
/** How long the finger rests before a change is sent, in ms. */
const REST = 800;

/** @typedef {{skuId: string, productId: string, name: string, specText: string, imageUrl: string, priceFen: number, quantity: number, ticked: boolean}} CartLine */

/** @returns {CartLine[]} */
const lines = () => wx.getStorageSync(CART) || [];

/** @returns {string[]} SKUs of which the shop does not know yet how they stand here */
const changed = () => wx.getStorageSync(DIRTY) || [];

function badge() {
  const count = lines().reduce((sum, line) => sum + line.quantity, 0);
  const done = { fail() {} };
  if (count) wx.setTabBarBadge(Object.assign({ index: TAB, text: count > 99 ? "99+" : String(count) }, done));
  else wx.removeTabBarBadge(Object.assign({ index: TAB }, done));
}

/** @param {CartLine[]} all */
function keep(all) {
  wx.setStorageSync(CART, all);
  badge();
}

/** How a line stands here: what the shop is told of it. */
function told(all, skuId) {
  const line = all.find((one) => one.skuId === skuId);
  return line ? { skuId, quantity: line.quantity, ticked: line.ticked } : { skuId, quantity: 0, ticked: false };
}

const same = (a, b) => a.quantity === b.quantity && a.ticked === b.ticked;

/** Keeps the lines as they are now, and which of them the shop is still to hear of.
 * @param {CartLine[]} now */
function save(now) {
  const before = lines();
  const all = before.concat(now).map((line) => line.skuId);
  const differ = all.filter((skuId) => !same(told(before, skuId), told(now, skuId)));
  wx.setStorageSync(DIRTY, [...new Set(changed().concat(differ))]);
  keep(now);
  clearTimeout(soon);
  soon = setTimeout(() => sync().catch(() => {}), REST);
}

/** @type {any} */
let soon = null;
/** @type {?Promise<boolean>} */
let running = null;

/** Brings phone and shop together. Answers whether the lines here have changed by it; without a login nothing happens.
 * @returns {Promise<boolean>} */
function sync() {
  if (!api.hasToken()) return Promise.resolve(false);
  if (!running) {
    const over = () => {
      running = null;
    };
    running = exchange();
    running.then(over, over);
  }
  return running;
}

/** @returns {Promise<boolean>} */
async function exchange() {
  const owner = api.buyer();
  // What was put in before this phone knew whose cart it is comes to what that buyer has already.
  const merge = wx.getStorageSync(OWNER) !== owner;
  const sent = (merge ? lines().map((line) => line.skuId) : changed()).map((skuId) => told(lines(), skuId));
  const cart = sent.length ? await api.put("/cart", { items: sent, merge }) : await api.get("/cart");
  // The login was renewed meanwhile, and somebody else came out of it: all of it is still to be told.
  if (api.buyer() !== owner) return exchange();
  wx.setStorageSync(OWNER, owner);
  const left = cart.leftOut.map((one) => one.skuId);
  const now = lines();
  const arrived = (skuId) => sent.some((one) => one.skuId === skuId && same(one, told(now, skuId))) && !left.includes(skuId);
  const still = changed().filter((skuId) => !arrived(skuId)).concat(merge ? left : []);
  wx.setStorageSync(DIRTY, [...new Set(still)]);
  return take(cart, now, still);
}

/** The shop's lines in the place of those here, but for what it has not heard of yet. */
function take(cart, now, still) {
  /** @type {Record<string, {quantity: number, ticked: boolean}>} */
  const shared = {};
  for (const line of cart.items) shared[line.skuId] = { quantity: line.quantity, ticked: line.ticked };
  const kept = now
    .filter((line) => still.includes(line.skuId) || shared[line.skuId])
    .map((line) => (still.includes(line.skuId) ? line : Object.assign({}, line, shared[line.skuId])));
  const come = cart.items.filter((line) => !still.includes(line.skuId) && !now.some((one) => one.skuId === line.skuId)).map(fromShop);
  const all = come.concat(kept);
  const differs = JSON.stringify(all) !== JSON.stringify(now);
  if (differs) keep(all);
  return differs;
}

/** @returns {CartLine} */
const fromShop = (line) => ({
  skuId: line.skuId,
  productId: line.productId,
  name: line.name,
  specText: line.specText,
  imageUrl: line.image ? line.image.thumb : line.imageUrl || "",
  priceFen: line.thenFen,
  quantity: line.quantity,
  ticked: line.ticked,
});

module.exports = {
  lines,
  badge,
  save,
  sync,

  /** Adds pieces; what is there already grows. Answers whether there was room.
   * @param {CartLine} line */
  add(line) {
    const all = lines();
    const there = all.find((one) => one.skuId === line.skuId);
    if (!there && all.length >= MOST_LINES) return false;
    if (there) Object.assign(there, line, { quantity: Math.min(there.quantity + line.quantity, 999) });
    else all.unshift(line);
    save(all);
    return true;
  },

  /** Changes one line; with no pieces left it goes. */
  change(skuId, changes) {
    save(lines().map((line) => (line.skuId === skuId ? Object.assign(line, changes) : line)).filter((line) => line.quantity > 0));
  },

  remove(skuIds) {
    save(lines().filter((line) => !skuIds.includes(line.skuId)));
  },

  count: () => lines().reduce((sum, line) => sum + line.quantity, 0),

  /** Pieces by product.
   * @returns {Record<string, number>} */
  pieces() {
    const sums = {};
    for (const line of lines()) sums[line.productId] = (sums[line.productId] || 0) + line.quantity;
    return sums;
  },
};
