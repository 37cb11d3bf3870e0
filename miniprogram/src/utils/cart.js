// The cart: kept on the phone, priced by the server.
const CART = "cart";
const TAB = 2;
const MOST_LINES = 50;

/** @typedef {{skuId: string, productId: string, name: string, specText: string, imageUrl: string, priceFen: number, quantity: number, ticked: boolean}} CartLine */

/** @returns {CartLine[]} */
const lines = () => wx.getStorageSync(CART) || [];

function badge() {
  const count = lines().reduce((sum, line) => sum + line.quantity, 0);
  const done = { fail() {} };
  if (count) wx.setTabBarBadge(Object.assign({ index: TAB, text: count > 99 ? "99+" : String(count) }, done));
  else wx.removeTabBarBadge(Object.assign({ index: TAB }, done));
}

/** @param {CartLine[]} changed */
function save(changed) {
  wx.setStorageSync(CART, changed);
  badge();
}

module.exports = {
  lines,
  badge,
  save,

  /** Adds pieces; what is there already grows. Answers whether there was room.
   * @param {CartLine} line */
  add(line) {
    const all = lines();
    const same = all.find((one) => one.skuId === line.skuId);
    if (!same && all.length >= MOST_LINES) return false;
    if (same) Object.assign(same, line, { quantity: Math.min(same.quantity + line.quantity, 999) });
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
