// Goods as the pages show them, and what every page with goods can do: open, add, choose.
const api = require("./api");
const cart = require("./cart");
const { open } = require("./pages");

/** @typedef {(this: any, event: any) => void} Method */

/** The picture of an item in the width that is needed; older servers know one width.
 * @param {any} item
 * @param {"thumb" | "card" | "full"} width */
const cover = (item, width) => api.media((item.cover && item.cover[width]) || item.coverUrl);

/** @param {import("../../types").ProductItem} item */
const card = (item) => ({
  id: item.id,
  name: item.name,
  subtitle: item.subtitle,
  thumb: cover(item, "thumb"),
  picture: cover(item, "card"),
  priceFen: item.priceFen,
  from: item.maxPriceFen > item.priceFen,
  wasFen: item.marketPriceFen !== null && item.marketPriceFen > item.priceFen ? item.marketPriceFen : 0,
  sold: item.soldCount,
  soldOut: item.soldOut,
});

/** One page of goods. */
function list(asked) {
  return api.look(`/products${api.query(asked)}`).then(({ items, nextCursor }) => ({ items: items.map(card), next: nextCursor || "" }));
}

/** Names what a page says when something failed; `again` is what 重试 calls. */
const trouble = (error) => ({ offline: error.code === "offline", message: error.message, requestId: error.requestId });

/** Methods for pages that show goods and hold a `<sku-sheet id="sku">`.
 * @type {{openProduct: Method, pickProduct: Method, added: (this: any) => void}} */
const shelf = {
  openProduct(event) {
    open(`/pages/product/product?id=${event.currentTarget.dataset.id}`);
  },

  /** The plus on a card: one SKU goes in at once, several are chosen from. */
  pickProduct(event) {
    const { id } = event.currentTarget.dataset;
    if (this.picking) return;
    this.picking = true;
    api
      .look(`/products/${id}`)
      .then((product) => this.selectComponent("#sku").begin(product, "add"))
      .catch((error) => wx.showToast({ title: error.message, icon: "none" }))
      .then(() => {
        this.picking = false;
      });
  },

  /** Something went into the cart: the figures on the cards follow. */
  added() {
    this.setData({ pieces: cart.pieces() });
  },
};

module.exports = { card, cover, list, trouble, shelf };
