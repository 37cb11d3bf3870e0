// The shop's API. Logs in by itself; a token that has ended is renewed once, and the request repeated.
const { server } = require("../config");

const TOKEN = "token";
const BUYER = "buyer";
const WORDS = { offline: "连不上网，看看飞行模式或无线网", broken: "店里出了点小状况，请稍后再试" };

/**
 * What the server refused, or why it was not reached (`code` is `offline` then). `message` may be shown as it is.
 * @typedef {{code: string, message: string, requestId: string, details: any, fields: Record<string, string>}} Refusal
 */

/** @returns {Refusal} */
function refusal(body) {
  const given = (body && body.error) || {};
  return {
    code: given.code || "internal",
    message: given.message || WORDS.broken,
    requestId: given.requestId || "",
    details: given.details || {},
    fields: given.fields || {},
  };
}

/**
 * @param {"GET" | "POST" | "PUT" | "DELETE"} method
 * @param {string} path
 * @param {any} [data]
 * @param {Record<string, string>} [header]
 * @returns {Promise<any>}
 */
function send(method, path, data, header) {
  return new Promise((resolve, reject) => {
    wx.request({
      url: `${server}/api/v1${path}`,
      method,
      data,
      header: Object.assign({ "content-type": "application/json" }, header),
      timeout: 20000,
      success: ({ statusCode, data: body }) => {
        if (statusCode >= 200 && statusCode < 300) resolve(body);
        else reject(Object.assign(refusal(body), { statusCode }));
      },
      fail: () => reject(Object.assign(refusal({ error: { code: "offline", message: WORDS.offline } }), { statusCode: 0 })),
    });
  });
}

/** @type {?Promise<string>} */
let entering = null;
/** What is done after each login.
 * @type {(() => void)[]} */
const welcome = [];

/** One login for all who wait for it. */
function login() {
  if (!entering) {
    const entered = new Promise((resolve, reject) => {
      wx.login({ success: ({ code }) => resolve(code), fail: () => reject(refusal({ error: { code: "offline", message: WORDS.offline } })) });
    });
    entering = entered
      .then((code) => send("POST", "/login", { code }))
      .then(({ token, buyer }) => {
        wx.setStorageSync(TOKEN, token);
        wx.setStorageSync(BUYER, buyer.id);
        for (const run of welcome) run();
        return token;
      });
    const over = () => {
      entering = null;
    };
    entering.then(over, over);
  }
  return entering;
}

/**
 * In the name of the buyer: a token that has ended is renewed once.
 * @param {(token: string) => Promise<any>} attempt
 * @returns {Promise<any>}
 */
function renewed(attempt) {
  const known = wx.getStorageSync(TOKEN);
  const first = known ? attempt(known) : login().then(attempt);
  return first.catch((error) => {
    if (error.statusCode !== 401 || error.code !== "unauthenticated") throw error;
    if (wx.getStorageSync(TOKEN) === known) wx.removeStorageSync(TOKEN);
    return login().then(attempt);
  });
}

/** @returns {Promise<any>} */
const asBuyer = (method, path, data, header) => renewed((token) => send(method, path, data, Object.assign({ Authorization: `Bearer ${token}` }, header)));

/** What a text says, or nothing where it is no JSON: a server in front may answer in its own way. */
function read(text) {
  try {
    return JSON.parse(text);
  } catch (error) {
    return null;
  }
}

/** A file there or back. What refuses a file that was to come back says so by its status alone. */
function file(ask) {
  return renewed(
    (token) =>
      new Promise((resolve, reject) => {
        const done = ({ statusCode, data, tempFilePath }) => {
          const body = read(data);
          const got = tempFilePath || body;
          if (statusCode < 300 && got) resolve(got);
          else reject(Object.assign(refusal(body || (statusCode === 401 && { error: { code: "unauthenticated" } })), { statusCode }));
        };
        const fail = () => reject(Object.assign(refusal({ error: { code: "offline", message: WORDS.offline } }), { statusCode: 0 }));
        ask({ header: { Authorization: `Bearer ${token}` }, success: done, fail });
      }),
  );
}

/** A query string of what is there. */
function query(given) {
  const pairs = Object.keys(given)
    .filter((name) => given[name])
    .map((name) => `${name}=${encodeURIComponent(given[name])}`);
  return pairs.length ? `?${pairs.join("&")}` : "";
}

/** The address of a picture; the server names its own by path alone. */
const media = (url) => (url && url.charAt(0) === "/" ? server + url : url || "");

/** @type {?import("../../types").Shop} */
let known = null;

module.exports = {
  query,
  /** The shop's own words; asked for once.
   * @returns {Promise<import("../../types").Shop>} */
  shop() {
    if (known) return Promise.resolve(known);
    return send("GET", "/shop").then((shop) => {
      known = shop;
      return shop;
    });
  },
  /** What goods cost, for whoever asks; nobody has to log in for it. */
  quote: (wish) => (wx.getStorageSync(TOKEN) ? asBuyer : send)("POST", "/quote", wish),
  /** What anybody may see. */
  look: (path) => send("GET", path),
  get: (path) => asBuyer("GET", path),
  post: (path, data = {}, key = "") => asBuyer("POST", path, data, key ? { "Idempotency-Key": key } : {}),
  put: (path, data) => asBuyer("PUT", path, data),
  remove: (path) => asBuyer("DELETE", path),
  /** Brings a photograph; answers with what the server calls it. */
  upload: (filePath) => file((options) => wx.uploadFile(Object.assign({ url: `${server}/api/v1/photos`, filePath, name: "photo" }, options))),
  /** Fetches a picture that only this buyer may see; answers with where it is on the phone. */
  download: (url) => file((options) => wx.downloadFile(Object.assign({ url: server + url }, options))),
  hasToken: () => Boolean(wx.getStorageSync(TOKEN)),
  /** Who is logged in, or was; empty when nobody ever was. */
  buyer: () => wx.getStorageSync(BUYER),
  whenIn: (run) => welcome.push(run),
  /** A key for one intent: sent again with the same intent, it brings the same answer. */
  key: () => `${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 14)}`,
  media,
  /** The picture of a line, as small as a list shows it; older servers know one width. */
  thumb: (line) => media(line.image ? line.image.thumb : line.imageUrl),
};
