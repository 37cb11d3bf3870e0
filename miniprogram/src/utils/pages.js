// From page to page. WeChat stacks ten: from there on the page in front gives way to the next.
const MOST = 10;
/** Goods lead on to goods without end: what comes after them, to the address of an order, still finds room. */
const MOST_WITH_GOODS = 5;

let going = false;

/** Opens a page over this one; a finger that taps twice opens one.
 * @param {string} url */
function open(url) {
  if (going) return;
  going = true;
  const most = url.startsWith("/pages/product/") ? MOST_WITH_GOODS : MOST;
  const complete = () => {
    going = false;
  };
  if (getCurrentPages().length < most) wx.navigateTo({ url, complete });
  else wx.redirectTo({ url, complete });
}

/** Goes back; who came by a link, and has nothing to go back to, sees the shop. */
function back(delta = 1) {
  wx.navigateBack({ delta, fail: () => wx.switchTab({ url: "/pages/home/home" }) });
}

module.exports = { open, back };
