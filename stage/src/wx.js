// `wx`, bound to the shop and its simulated WeChat; it refuses what a phone would refuse.
import { makeSheets } from "./sheets.js";

const WECHAT_CONFIRM = "wx1183b055aeec94d1";
const TO_BUYER = { name: "王小样", phone: "13800000000" };
const PRIVATE = { chooseMedia: "chooseMedia", chooseAddress: "chooseAddress", getClipboardData: "getClipboardData", chooseAvatar: "chooseAvatar", nickname: "nickname", album: "saveImageToPhotosAlbum" };

export function makeWx(host) {
  const { simulator } = document.body.dataset;
  const sheets = makeSheets(host.over);
  const { node, press } = sheets;

  // An API of WeChat's: callbacks if there are any, else a promise.
  const api = (name, run) => (options = {}) => {
    const { success, fail, complete } = options ?? {};
    const work = (async () => run(options ?? {}))().then(
      (value) => ({ ...value, errMsg: `${name}:ok` }),
      (error) => {
        throw Object.assign({}, error?.extra, { errMsg: error?.errMsg ?? `${name}:fail ${error?.message ?? error}` });
      },
    );
    if (!success && !fail && !complete) return work;
    work.then((value) => {
      success?.(value);
      complete?.(value);
    }, (error) => {
      fail?.(error);
      complete?.(error);
    });
    return undefined;
  };
  const refused = (name, why, extra) => {
    throw Object.assign(new Error(why), { errMsg: `${name}:fail ${why}`, extra });
  };

  // ── storage ──

  const stored = (key) => `mp:${key}`;
  const storage = {
    getStorageSync(key) {
      const text = localStorage.getItem(stored(key));
      return text === null ? "" : JSON.parse(text).v;
    },
    setStorageSync(key, v) {
      const text = JSON.stringify({ v });
      if (text.length > 1 << 20) refused("setStorageSync", "entry size exceeds limit (1MB)");
      localStorage.setItem(stored(key), text);
    },
    removeStorageSync: (key) => localStorage.removeItem(stored(key)),
  };

  // ── the network ──

  const allowed = () => host.dataOf("config").server;
  function request({ url, method = "GET", data, header = {}, success, fail, complete, timeout = 60_000 }) {
    const finish = (tell, result) => {
      tell?.(result);
      complete?.(result);
    };
    const { origin } = new URL(url);
    if (origin !== new URL(allowed()).origin) {
      setTimeout(() => finish(fail, { errMsg: "request:fail url not in domain list", errno: 600002 }));
      return { abort() {} };
    }
    if (!["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS"].includes(method)) throw new Error(`request: method ${method} is not supported`);
    const brought = method === "GET" && host.brought(url);
    if (brought) {
      queueMicrotask(() => finish(success, { statusCode: 200, data: brought, header: {}, cookies: [], errMsg: "request:ok" }));
      return { abort() {} };
    }
    const abort = new AbortController();
    const headers = { ...header };
    const where = new URL(url);
    let body;
    if (method === "GET") Object.entries(data ?? {}).forEach(([k, v]) => where.searchParams.set(k, v));
    else if (data !== undefined) {
      if (!Object.keys(headers).some((name) => name.toLowerCase() === "content-type")) headers["content-type"] = "application/json";
      body = typeof data === "string" ? data : JSON.stringify(data);
    }
    const timer = setTimeout(() => abort.abort(), timeout);
    fetch(where, { method, headers, body, signal: abort.signal }).then(async (answer) => {
      const text = await answer.text();
      let parsed = text;
      try {
        parsed = JSON.parse(text);
      } catch {
        // Not JSON: WeChat hands the text over as it is.
      }
      return { statusCode: answer.status, data: parsed, header: Object.fromEntries(answer.headers), cookies: [], errMsg: "request:ok" };
    }).then((result) => finish(success, result), (error) => finish(fail, { errMsg: abort.signal.aborted ? "request:fail timeout" : `request:fail ${error.message}` }))
      .finally(() => clearTimeout(timer));
    return { abort: () => abort.abort() };
  }

  // What was chosen, by the address that it has on the phone.
  const taken = new Map();
  const mayCall = (name, url) => {
    if (new URL(url).origin !== new URL(allowed()).origin) refused(name, "url not in domain list");
  };
  const uploadFile = api("uploadFile", async ({ url, filePath, name, header = {}, formData = {} }) => {
    mayCall("uploadFile", url);
    const body = new FormData();
    Object.entries(formData).forEach(([key, value]) => body.append(key, value));
    if (!taken.has(filePath)) refused("uploadFile", "file not found");
    body.append(name, taken.get(filePath), "file");
    const answer = await fetch(url, { method: "POST", headers: header, body });
    // What was answered is handed over as text, whatever it is.
    return { statusCode: answer.status, data: await answer.text() };
  });
  const downloadFile = api("downloadFile", async ({ url, header = {} }) => {
    mayCall("downloadFile", url);
    const answer = await fetch(url, { headers: header });
    return { statusCode: answer.status, tempFilePath: URL.createObjectURL(await answer.blob()) };
  });

  // ── privacy: asked for at the moment of use ──

  let privacyAsked = null;
  const agreed = () => storage.getStorageSync("__privacy") === true;
  async function permitted(name, referrer) {
    if (agreed()) return;
    const { event } = await new Promise((done) => {
      if (privacyAsked) privacyAsked(done, { referrer });
      else sheets.ask({ title: "隐私保护", content: "请先同意小程序的隐私保护指引", confirmText: "同意", cancelText: "拒绝" }).then((a) => done({ event: a?.confirm ? "agree" : "disagree" }));
    });
    if (event !== "agree") refused(name, "privacy permission is not authorized", { errno: 104 });
    storage.setStorageSync("__privacy", true);
  }

  // ── people ──

  const login = api("login", async () => {
    const user = storage.getStorageSync("__user") || crypto.randomUUID();
    storage.setStorageSync("__user", user);
    const answer = await fetch(`${simulator}/simulator/login?user=${user}`);
    return { code: (await answer.json()).code };
  });

  const chooseAddress = api("chooseAddress", async () => {
    if (!host.app.requiredPrivateInfos?.includes("chooseAddress")) {
      refused("chooseAddress", "the api need to be declared in the requiredPrivateInfos field in app.json/ext.json");
    }
    await permitted("chooseAddress", PRIVATE.chooseAddress);
    const sample = { userName: TO_BUYER.name, telNumber: TO_BUYER.phone, provinceName: "浙江省", cityName: "杭州市", countyName: "西湖区", detailInfo: "演示路 1 号", postalCode: "310000", nationalCode: "330106" };
    const chosen = await sheets.choose("选择收货地址", [`${sample.userName} ${sample.telNumber} ${sample.provinceName}${sample.cityName}${sample.countyName}${sample.detailInfo}`]);
    if (chosen === null) refused("chooseAddress", "cancel");
    return sample;
  });

  const chooseMedia = api("chooseMedia", async ({ count = 9, mediaType }) => {
    await permitted("chooseMedia", PRIVATE.chooseMedia);
    const files = await sheets.sheet("选择照片", (finish) => {
      const field = node("input", { type: "file", accept: mediaType?.includes("image") ? "image/*" : "*/*", multiple: true, ariaLabel: "照片文件" });
      field.addEventListener("change", () => finish([...field.files]));
      return [field, press("取消", () => finish(null), "stage-choice stage-choice-last")];
    });
    if (!files?.length) refused("chooseMedia", "cancel");
    const kept = (file) => {
      const tempFilePath = URL.createObjectURL(file);
      taken.set(tempFilePath, file);
      return { tempFilePath, size: file.size, fileType: "image" };
    };
    return { type: "image", tempFiles: files.slice(0, count).map(kept) };
  });

  const chooseInvoiceTitle = api("chooseInvoiceTitle", async () => {
    // A shop whose privacy guide does not name it is refused.
    const declared = storage.getStorageSync("__declared") || [];
    if (!declared.includes("chooseInvoiceTitle")) {
      refused("chooseInvoiceTitle", "api scope is not declared in the privacy agreement", { errno: 112 });
    }
    await permitted("chooseInvoiceTitle", "chooseInvoiceTitle");
    const titles = [
      { type: "0", title: "福州某某有限公司", taxNumber: "91350100M000100Y43", companyAddress: "", telephone: "", bankName: "", bankAccount: "" },
      { type: "1", title: "王小样", taxNumber: "", companyAddress: "", telephone: "", bankName: "", bankAccount: "" },
    ];
    const chosen = await sheets.choose("选择发票抬头", titles.map((one) => one.title));
    if (chosen === null) refused("chooseInvoiceTitle", "cancel");
    return titles[chosen];
  });

  // ── money ──

  const pay = ({ timeStamp, nonceStr, package: pack, signType, paySign, appId }) => sheets.sheet("微信支付", (finish) => {
    if (typeof timeStamp !== "string") throw new Error("parameter error: parameter.timeStamp should be String");
    addEventListener("message", function heard(event) {
      if (event.origin !== simulator) return;
      removeEventListener("message", heard);
      finish(event.data.errMsg);
    });
    const asked = new URLSearchParams({ appId, timeStamp, nonceStr, package: pack, signType, paySign });
    return [press("关闭", () => finish(null), "stage-close"), node("iframe", { title: "模拟微信收银台", src: `${simulator}/cashier?${asked}` })];
  }, "stage-veil-pay");

  function requestPayment(options) {
    // Its callbacks count as a tap: there, and only there, a subscription may be asked for without one.
    const counted = (tell) => tell && ((result) => host.inTap(() => tell(result)));
    return api("requestPayment", async () => {
      const told = await pay(options);
      if (told !== "requestPayment:ok") throw { errMsg: told ?? "requestPayment:fail cancel" };
    })({ success: counted(options.success), fail: options.fail, complete: options.complete });
  }

  // The tap is over when the first await is: this must look before any.
  function requestSubscribeMessage(options) {
    const tapped = host.tapped();
    return api("requestSubscribeMessage", async ({ tmplIds }) => {
      if (!tapped) refused("requestSubscribeMessage", "can only be invoked by user TAP gesture.", { errCode: 10001 });
      if (!Array.isArray(tmplIds) || !tmplIds.length) refused("requestSubscribeMessage", "TmplIds can't be empty", { errCode: 10002 });
      if (tmplIds.length > 3) refused("requestSubscribeMessage", "The number of TmplIds is over limit", { errCode: 10003 });
      const answer = await sheets.ask({ title: "申请发送通知", content: "发货和退款时在微信里告诉你", confirmText: "允许", cancelText: "取消" });
      return Object.fromEntries(tmplIds.map((id) => [id, answer?.confirm ? "accept" : "reject"]));
    })(options);
  }

  const openBusinessView = api("openBusinessView", async ({ businessType, extraData }) => {
    if (businessType !== "weappOrderConfirm") refused("openBusinessView", `invalid businessType ${businessType}`);
    if (!extraData?.transaction_id && !extraData?.merchant_trade_no) refused("openBusinessView", "invalid extraData");
    sheets.ask({ title: "微信确认收货", content: "收到货了吗？确认后款项会结算给商家。（模拟的微信组件）", confirmText: "确认收货" }).then((answer) => {
      const status = answer?.confirm ? "success" : "cancel";
      host.appShow({ scene: 1038, referrerInfo: { appId: WECHAT_CONFIRM, extraData: { status, errormsg: "", req_extradata: extraData } } });
    });
  });

  // ── the screen ──

  const showToast = api("showToast", async ({ title, duration }) => {
    if (title === undefined || title === null) refused("showToast", "parameter.title should be String");
    sheets.toast(title, duration);
  });
  const showModal = api("showModal", async (options) => {
    const answer = await sheets.ask(options);
    return { confirm: answer?.confirm === true, cancel: answer?.confirm !== true, content: answer?.content };
  });
  const showActionSheet = api("showActionSheet", async ({ itemList }) => {
    const tapIndex = await sheets.choose("请选择", itemList);
    if (tapIndex === null) refused("showActionSheet", "cancel");
    return { tapIndex };
  });
  const previewImage = api("previewImage", async ({ urls, current = urls[0] }) => {
    const look = node("img", { src: host.image(current), alt: "大图" });
    let at = Math.max(urls.indexOf(current), 0);
    const turn = (by) => () => {
      at = (at + by + urls.length) % urls.length;
      look.src = host.image(urls[at]);
    };
    // As two fingers or a double tap do on a phone.
    const near = press("放大", () => {
      near.textContent = frame.classList.toggle("stage-near") ? "缩小" : "放大";
    }, "stage-choice stage-zoom");
    look.ondblclick = () => near.click();
    const frame = node("div", { className: "stage-look", tabIndex: 0 }, look);
    sheets.sheet("查看大图", (finish) => [press("关闭", () => finish(null), "stage-close"), frame, near,
      ...(urls.length > 1 ? [node("div", { className: "stage-answers" }, press("上一张", turn(-1)), press("下一张", turn(1)))] : [])], "stage-veil-picture");
  });

  // ── drawing, and the album ──

  /** What canvases were made into, by the path that the program knows. */
  const drawn = new Map();
  const createSelectorQuery = () => {
    const asked = [];
    let within = host.current().instance;
    const query = {
      in(component) {
        within = component;
        return query;
      },
      select: (selector) => ({
        fields({ node }) {
          if (!node) throw new Error("only the node and the size of a canvas are on this stage");
          asked.push(() => {
            const paper = within.selectComponent(selector)?.paper;
            return paper ? { node: paper, width: paper.clientWidth, height: paper.clientHeight } : null;
          });
          return query;
        },
      }),
      exec(told) {
        setTimeout(() => told(asked.map((look) => look())));
      },
    };
    return query;
  };
  const canvasToTempFilePath = api("canvasToTempFilePath", async ({ canvas, fileType = "png" }) => {
    if (!(canvas instanceof HTMLCanvasElement)) refused("canvasToTempFilePath", "canvas is empty");
    const tempFilePath = `wxfile://tmp_${crypto.randomUUID()}.${fileType}`;
    drawn.set(tempFilePath, canvas.toDataURL(`image/${fileType}`));
    return { tempFilePath };
  });
  // WeChat asks once; who said no is not asked again until he has changed his mind in the settings.
  const saveImageToPhotosAlbum = api("saveImageToPhotosAlbum", async ({ filePath }) => {
    if (!drawn.has(filePath)) refused("saveImageToPhotosAlbum", "file doesn't exist");
    await permitted("saveImageToPhotosAlbum", PRIVATE.album);
    if (storage.getStorageSync("__album") === "") {
      const answer = await sheets.ask({ title: "申请写入相册", content: "把图片保存到你的相册", confirmText: "允许", cancelText: "拒绝" });
      storage.setStorageSync("__album", answer?.confirm === true);
    }
    if (storage.getStorageSync("__album") !== true) refused("saveImageToPhotosAlbum", "auth deny");
  });

  const wx = {
    ...storage, chooseInvoiceTitle, createSelectorQuery, canvasToTempFilePath, saveImageToPhotosAlbum, request, uploadFile, downloadFile, login, chooseAddress, chooseMedia, requestPayment, requestSubscribeMessage, openBusinessView, showToast, showModal, showActionSheet, previewImage,
    hideToast: api("hideToast", async () => sheets.clear()),
    showLoading: api("showLoading", async ({ title }) => sheets.toast(title, 0)),
    hideLoading: api("hideLoading", async () => sheets.clear()),
    setNavigationBarTitle: api("setNavigationBarTitle", async ({ title }) => host.title(title)),
    setNavigationBarColor: api("setNavigationBarColor", async ({ frontColor, backgroundColor }) => host.bar({
      navigationBarBackgroundColor: backgroundColor, navigationBarTextStyle: frontColor === "#ffffff" ? "white" : "black" })),
    setTabBarStyle: api("setTabBarStyle", async (style) => host.tabStyle(style)),
    setTabBarBadge: api("setTabBarBadge", async ({ index, text }) => host.badge(index, text)),
    removeTabBarBadge: api("removeTabBarBadge", async ({ index }) => host.badge(index, "")),
    hideTabBar: api("hideTabBar", async () => host.tabBar(true)),
    showTabBar: api("showTabBar", async () => host.tabBar(false)),
    stopPullDownRefresh: api("stopPullDownRefresh", async () => {}),
    pageScrollTo: api("pageScrollTo", async ({ scrollTop }) => host.current().holder.scrollTo({ top: scrollTop })),
    makePhoneCall: api("makePhoneCall", async ({ phoneNumber }) => sheets.toast(`拨打 ${phoneNumber}（模拟）`)),
    setClipboardData: api("setClipboardData", async ({ data }) => {
      storage.setStorageSync("__clipboard", data);
      await navigator.clipboard?.writeText(data).catch(() => {});
      sheets.toast("内容已复制");
    }),
    getClipboardData: api("getClipboardData", async () => {
      await permitted("getClipboardData", PRIVATE.getClipboardData);
      const here = await navigator.clipboard?.readText().catch(() => "");
      return { data: here || storage.getStorageSync("__clipboard") };
    }),
    getPrivacySetting: api("getPrivacySetting", async () => ({ needAuthorization: !agreed(), privacyContractName: "《演示小程序隐私保护指引》" })),
    openPrivacyContract: api("openPrivacyContract", async () => {
      sheets.ask({ title: "演示小程序隐私保护指引", content: "正式的小程序在这里打开微信托管的隐私保护指引。", showCancel: false, confirmText: "知道了" });
    }),
    onNeedPrivacyAuthorization: (listener) => (privacyAsked = listener),
    onNetworkStatusChange: (listener) => ["online", "offline"].forEach((name) => addEventListener(name, () => listener({ isConnected: navigator.onLine, networkType: navigator.onLine ? "wifi" : "none" }))),
    getUpdateManager: () => ({ onCheckForUpdate() {}, onUpdateReady() {}, onUpdateFailed() {}, applyUpdate() {} }),
    getFileSystemManager: () => ({ saveFile: api("saveFile", async ({ tempFilePath }) => ({ savedFilePath: tempFilePath })) }),
    getAccountInfoSync: () => ({ miniProgram: { appId: "wx0000000000000000", envVersion: "develop", version: "" } }),
    canIUse: () => true,
    nextTick: (run) => Promise.resolve().then(run),
  };
  for (const name of ["navigateTo", "redirectTo", "navigateBack", "switchTab", "reLaunch"]) wx[name] = api(name, async (options) => host.go[name](options));

  // ── what built-in components ask of the phone ──

  host.openType = async (type, tell, data) => {
    if (!type) return;
    if (type === "contact") sheets.toast("客服会话（模拟）");
    else if (type === "share") sheets.toast(`转发：${host.current().instance.onShareAppMessage?.({ from: "button", target: {} })?.title ?? host.current().title}（模拟）`);
    else if (type === "agreePrivacyAuthorization") {
      storage.setStorageSync("__privacy", true);
      tell("agreeprivacyauthorization", {});
    } else if (type === "chooseAvatar") {
      await permitted("chooseAvatar", PRIVATE.chooseAvatar).then(() => tell("chooseavatar", { avatarUrl: "/images/face.svg" }), () => {});
    } else if (type === "openSetting") {
      const answer = await sheets.ask({ title: "设置", content: "保存到相册", confirmText: "打开", cancelText: "关闭" });
      storage.setStorageSync("__album", answer?.confirm === true);
      tell("opensetting", { authSetting: { "scope.writePhotosAlbum": answer?.confirm === true } });
    } else throw new Error(`<button open-type="${type}" ${data.sessionFrom}> is not on this stage`);
  };
  host.pick = async ({ mode, range, rangeKey, value, headerText }) => {
    if (mode === "region") {
      const chosen = await sheets.wheels(headerText || "选择地区", Array.isArray(value) ? value : [], globalThis.__regions.under);
      return chosen && { value: chosen, code: [], postcode: "" };
    }
    if (mode !== "selector") throw new Error(`<picker mode="${mode}"> is not on this stage`);
    const chosen = await sheets.choose(headerText || "请选择", range.map((item) => (rangeKey ? item[rangeKey] : item)));
    return chosen === null ? null : { value: String(chosen) };
  };

  return new Proxy(wx, {
    get(own, name) {
      if (name in own || typeof name === "symbol" || name === "then") return own[name];
      throw new Error(`wx.${name} is not on this stage`);
    },
  });
}
