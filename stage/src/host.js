// The phone around the pages: the stack of ten, the tabs, the title bar, and what lies above them.

const $ = (selector) => document.querySelector(selector);
const MOST_PAGES = 10;
const MOST_DATA = 1 << 20;

export function makeHost({ app, settings, area, make, ready, appShow, dataOf }) {
  const tabs = (app.tabBar?.list ?? []).map((tab) => ({ ...tab, badge: "" }));
  const isTab = (route) => tabs.some((tab) => tab.pagePath === route);
  const look = { tabsHidden: false, tabStyle: { color: app.tabBar.color, selectedColor: app.tabBar.selectedColor, backgroundColor: app.tabBar.backgroundColor } };
  const kept = new Map();
  let stack = [];
  let lastKey = 0;

  const image = (src) => (/^(https?:|data:|blob:|\/media\/)/.test(src) ? src : new URL(src.replace(/^\/?/, "static/stage/"), location.origin).href);

  function parse(url) {
    if (typeof url !== "string" || !url) throw new Error("parameter.url should be String");
    const from = stack.at(-1)?.route ?? "";
    const [where, query = ""] = url.split("?");
    const route = where.startsWith("/") ? where.slice(1) : new URL(where, `http://x/${from}`).pathname.slice(1);
    if (!app.pages.includes(route)) throw new Error(`page "${route}" is not found`);
    return { route, options: Object.fromEntries(query.split("&").filter(Boolean).map((pair) => pair.split("=").map(decodeURIComponent))), url: `/${route}${query ? `?${query}` : ""}` };
  }

  const call = (page, name, ...args) => page.instance[name]?.(...args);

  function open({ route, options, url }) {
    const holder = document.createElement("div");
    holder.className = `stage-page${isTab(route) ? " stage-page-tab" : ""}`;
    holder.tabIndex = 0;
    area.append(holder);
    const page = { route, options, url, holder, key: (lastKey += 1), ...make(route, holder), bar: { ...app.window, ...settings[route] } };
    Object.assign(page.instance, { route, options, setData: strict(page.instance) });
    page.title = page.bar.navigationBarTitleText;
    holder.addEventListener("scroll", () => scrolled(page), { passive: true });
    return page;
  }

  /** The page stands on the stack: it may speak of itself from now on. */
  function begin(page) {
    page.attach();
    call(page, "onLoad", page.options);
  }

  /** What phones warn of or refuse: a field that is undefined, more than a megabyte at once. */
  function strict(instance) {
    const set = instance.setData.bind(instance);
    return (data, callback) => {
      for (const [name, value] of Object.entries(data)) if (value === undefined) throw new Error(`setData: "${name}" is undefined`);
      if (JSON.stringify(data).length > MOST_DATA) throw new Error("setData: more than 1 MB");
      set(data, callback);
    };
  }

  function scrolled(page) {
    const { scrollTop, clientHeight, scrollHeight } = page.holder;
    call(page, "onPageScroll", { scrollTop });
    const end = scrollTop + clientHeight >= scrollHeight - (page.bar.onReachBottomDistance ?? 50);
    if (end && !page.ended) call(page, "onReachBottom");
    page.ended = end;
  }

  /** What lies on top is shown; `how` is what becomes of the browser's history. */
  function front(how = "replaceState") {
    const page = stack.at(-1);
    for (const other of new Set([...kept.values(), ...stack])) other.holder.hidden = other !== page;
    history[how]({ key: page.key, depth: stack.length - 1 }, "", `#${page.url}`);
    draw();
    if (!page.shown) {
      page.shown = true;
      call(page, "onShow");
    }
    if (!page.ready) {
      page.ready = true;
      requestAnimationFrame(() => call(page, "onReady"));
    }
  }

  function hide(page) {
    if (!page?.shown) return;
    page.shown = false;
    page.ended = false;
    call(page, "onHide");
  }

  function close(page) {
    page.shown = false;
    call(page, "onUnload");
    // An answer that comes to a page which was left changes nothing, as on phones.
    page.instance.setData = () => {};
    page.root.release();
    page.holder.remove();
  }

  function draw() {
    const page = stack.at(-1);
    if (!page) return;
    const home = stack.length < 2 && !isTab(page.route);
    $(".stage-title").textContent = page.title;
    document.title = page.title;
    const top = $(".stage-top");
    top.style.background = page.bar.navigationBarBackgroundColor;
    top.style.color = page.bar.navigationBarTextStyle === "white" ? "#fff" : "#000";
    const back = $(".stage-back");
    back.hidden = stack.length < 2 && !home;
    back.ariaLabel = home ? "回首页" : "返回";
    back.classList.toggle("stage-back-home", home);
    const bar = $(".stage-tabs");
    bar.hidden = !isTab(page.route) || look.tabsHidden;
    bar.style.background = look.tabStyle.backgroundColor;
    page.holder.classList.toggle("stage-page-bare", bar.hidden);
    tabs.forEach((tab, i) => {
      const on = tab.pagePath === page.route;
      const button = bar.children[i] ?? bar.appendChild(tabButton(tab));
      button.style.color = on ? look.tabStyle.selectedColor : look.tabStyle.color;
      button.ariaCurrent = on ? "page" : null;
      button.querySelector("img").src = image(on ? tab.selectedIconPath : tab.iconPath);
      button.querySelector(".stage-badge").textContent = tab.badge;
      button.querySelector(".stage-badge").hidden = !tab.badge;
    });
  }

  function tabButton(tab) {
    const button = document.createElement("button");
    button.append(Object.assign(document.createElement("img"), { alt: "" }), document.createTextNode(tab.text), Object.assign(document.createElement("i"), { className: "stage-badge" }));
    button.onclick = () => go.switchTab({ url: `/${tab.pagePath}` });
    return button;
  }

  // The program may move on before a page's script has come: only the last move counts.
  let move = 0;
  async function turn(url, refuse, act) {
    const to = parse(url);
    refuse?.(to);
    if (ready(to.route) !== true) {
      const mine = (move += 1);
      await ready(to.route);
      if (mine !== move) return;
    }
    act(to);
  }

  const noTab = (name) => ({ route }) => {
    if (isTab(route)) throw new Error(`can not ${name} a tabbar page`);
  };

  const go = {
    navigateTo: ({ url }) => turn(url, (to) => {
      noTab("navigateTo")(to);
      if (stack.length >= MOST_PAGES) throw new Error(`webview count limit exceed ${MOST_PAGES}`);
    }, (to) => {
      hide(stack.at(-1));
      stack.push(open(to));
      begin(stack.at(-1));
      front("pushState");
    }),
    redirectTo: ({ url }) => turn(url, noTab("redirectTo"), (to) => {
      const old = stack.pop();
      if (isTab(old.route)) hide(old);
      else close(old);
      stack.push(open(to));
      begin(stack.at(-1));
      front();
    }),
    async navigateBack({ delta = 1 } = {}) {
      if (stack.length < 2) throw new Error("cannot navigate back at first page");
      for (let left = Math.min(delta, stack.length - 1); left > 0; left -= 1) close(stack.pop());
      front();
    },
    switchTab: ({ url }) => turn(url, ({ route }) => {
      if (!isTab(route)) throw new Error("can not switch to no-tabBar page");
    }, (to) => {
      const [bottom] = stack;
      while (stack.length > 1) close(stack.pop());
      if (bottom && bottom.route !== to.route) (isTab(bottom.route) ? hide : close)(bottom);
      const fresh = !kept.has(to.route);
      if (fresh) kept.set(to.route, open({ route: to.route, options: {}, url: `/${to.route}` }));
      stack = [kept.get(to.route)];
      if (fresh) begin(stack[0]);
      front();
    }),
    reLaunch: ({ url }) => turn(url, null, (to) => {
      for (const page of new Set([...stack, ...kept.values()])) close(page);
      kept.clear();
      stack = [];
      const page = open(to);
      if (isTab(to.route)) kept.set(to.route, page);
      stack = [page];
      begin(page);
      front();
    }),
  };

  $(".stage-back").onclick = () => {
    if (stack.length > 1) history.back();
    else go.switchTab({ url: `/${tabs[0].pagePath}` });
  };
  addEventListener("popstate", ({ state }) => {
    // What lies over the page goes first, as by the back gesture of a phone; an address that was typed has no state of ours.
    const veil = [...$(".stage-over").querySelectorAll(".stage-veil")].at(-1);
    if (veil && state) {
      const page = stack.at(-1);
      history.pushState({ key: page.key, depth: stack.length - 1 }, "", `#${page.url}`);
      veil.dispatchEvent(new KeyboardEvent("keydown", { key: "Escape" }));
      return;
    }
    const depth = state?.depth ?? -1;
    if (stack[depth] && stack[depth].key === state.key) {
      if (depth < stack.length - 1) go.navigateBack({ delta: stack.length - 1 - depth });
    } else go.reLaunch({ url: entryUrl() }).catch(() => go.reLaunch({ url: `/${app.pages[0]}` }));
  });

  const entryUrl = () => (location.hash.startsWith("#/") && location.hash.length > 2 ? location.hash.slice(1) : `/${app.pages[0]}`);

  // What WeChat allows only in a tap, or in a payment's callback, is allowed while this is set.
  let taps = 0;
  const inTap = (run) => {
    taps += 1;
    try {
      return run();
    } finally {
      taps -= 1;
    }
  };

  const answers = () => $("template[data-answers]");

  return {
    app, go, image, over: $(".stage-over"), dataOf, appShow, inTap,
    tapped: () => taps > 0,
    pages: () => stack.map((page) => page.instance),
    current: () => stack.at(-1),
    entry() {
      try {
        const { route, options } = parse(entryUrl());
        return { path: route, query: options };
      } catch {
        return { path: app.pages[0], query: {} };
      }
    },
    async start() {
      await go.reLaunch({ url: entryUrl() }).catch(() => go.reLaunch({ url: `/${app.pages[0]}` }));
      answers()?.remove();
      // Each icon costs as much as a page of its own: the first goods do not wait for them.
      requestIdleCallback(() => $(".stage").classList.remove("stage-opening"), { timeout: 300 });
    },
    /** The answer that came with the document: to the question that a program's first page asks when it is opened. */
    brought(url) {
      const answer = answers();
      if (!answer || new URL(answer.dataset.answers, location.origin).href !== url) return null;
      answer.remove();
      return JSON.parse(answer.content.textContent);
    },
    title(text) {
      stack.at(-1).title = text;
      draw();
    },
    bar(colors) {
      Object.assign(stack.at(-1).bar, colors);
      draw();
    },
    badge(index, text) {
      if (!tabs[index]) throw new Error("tabbar item not found");
      tabs[index].badge = text;
      draw();
    },
    tabBar(hidden) {
      if (!isTab(stack.at(-1).route)) throw new Error("not TabBar page");
      look.tabsHidden = hidden;
      draw();
    },
    tabStyle(style) {
      Object.assign(look.tabStyle, style);
      draw();
    },
  };
}
