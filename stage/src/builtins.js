// WeChat's built-in components that need more than an element; `view` and `text` are plain elements.
// `this._$` is glass-easel's node, `this._$.$$` the DOM's.

const dom = (self) => self._$.$$;
const tell = (self, name, detail = {}) => self._$.triggerEvent(name, detail, {});

const spoken = { ariaRole: "aria-role", ariaLabel: "aria-label", ariaHidden: "aria-hidden", ariaChecked: "aria-checked", ariaSelected: "aria-selected",
  ariaPressed: "aria-pressed", ariaDisabled: "aria-disabled", ariaLive: "aria-live", ariaModal: "aria-modal", ariaInvalid: "aria-invalid",
  ariaOrientation: "aria-orientation", hidden: "hidden", hoverClass: "hover-class" };

function put(node, name, value) {
  if (value === undefined || value === "") return;
  if (value === false) node.removeAttribute(name);
  else node.setAttribute(name, value === true ? "" : String(value));
}

/** A component that carries what every element may carry. */
const element = ({ properties = {}, observers = {}, ...more } = {}) => ({
  properties: { ...Object.fromEntries(Object.keys(spoken).map((name) => [name, { type: null }])), hoverStayTime: Number, hoverStopPropagation: Boolean, ...properties },
  observers: {
    [Object.keys(spoken).join(", ")](...values) {
      Object.values(spoken).forEach((name, i) => values[i] !== null && put(dom(this), name, values[i]));
    },
    ...observers,
  },
  ...more,
});

const reflected = (...names) => Object.fromEntries(names.map((name) => [name, function reflect(value) {
  put(dom(this), name, value || false);
}]));

const field = (tag) => () => element({
  properties: { value: String, type: String, password: Boolean, name: String, placeholder: String, placeholderClass: String, placeholderStyle: String, disabled: Boolean,
    maxlength: { type: Number, value: 140 }, focus: Boolean, confirmType: String, autoHeight: Boolean, cursorSpacing: Number, adjustPosition: Boolean,
    showConfirmBar: Boolean, fixed: Boolean, disableDefaultPadding: Boolean },
  observers: {
    value(value) {
      if (this.field.value !== value) this.field.value = value ?? "";
    },
    "placeholder, disabled, maxlength, ariaLabel"(placeholder, disabled, maxlength, label) {
      Object.assign(this.field, { placeholder, disabled });
      if (maxlength >= 0) this.field.maxLength = maxlength;
      else this.field.removeAttribute("maxlength");
      if (label) this.field.ariaLabel = label;
      dom(this).removeAttribute("aria-label");
    },
    "type, password"(type, password) {
      if (tag === "textarea") return;
      this.field.type = password ? "password" : "text";
      this.field.inputMode = { number: "numeric", digit: "decimal" }[type] ?? "text";
    },
    placeholderClass(name) {
      // The hint is no element here, so it borrows the colour of one that has the class.
      requestAnimationFrame(() => {
        const node = dom(this);
        if (!node) return; // Its page was left meanwhile.
        const like = node.appendChild(Object.assign(document.createElement("span"), { className: name }));
        node.style.setProperty("--stage-hint", getComputedStyle(like).color);
        like.remove();
      });
    },
    ariaInvalid(is) {
      if (is !== null) this.field.ariaInvalid = String(is);
    },
    focus(is) {
      if (is) requestAnimationFrame(() => this.field.focus());
    },
    ...reflected("autoHeight"),
  },
  lifetimes: {
    created() {
      const node = (this.field = document.createElement(tag));
      Object.assign(node, { maxLength: 140, autocomplete: "off", spellcheck: false });
      node.addEventListener("input", () => {
        this.setData({ value: node.value });
        tell(this, "input", { value: node.value, cursor: node.selectionStart });
      });
      node.addEventListener("focus", () => tell(this, "focus", { value: node.value }));
      node.addEventListener("blur", () => tell(this, "blur", { value: node.value }));
      node.addEventListener("keydown", (event) => {
        if (tag === "input" && event.key === "Enter" && !event.isComposing) tell(this, "confirm", { value: node.value });
      });
      dom(this).append(node);
      dom(this).addEventListener("click", () => node.focus());
    },
  },
});

const button = (host) => element({
  properties: { type: String, size: String, plain: Boolean, disabled: Boolean, loading: Boolean, formType: String, openType: String, sessionFrom: String,
    sendMessageTitle: String, sendMessagePath: String, sendMessageImg: String, showMessageCard: Boolean },
  observers: {
    ...reflected("type", "size", "plain", "loading"),
    disabled(is) {
      put(dom(this), "disabled", is);
      dom(this).ariaDisabled = is ? "true" : null;
    },
  },
  lifetimes: {
    attached() {
      const node = dom(this);
      if (!node.hasAttribute("role")) node.setAttribute("role", "button");
      node.tabIndex = 0;
      // A disabled button hears nothing, whoever listens.
      node.addEventListener("click", (event) => this.data.disabled && event.stopImmediatePropagation(), true);
      this._$.addListener("tap", () => !this.data.disabled && host.openType(this.data.openType, (name, detail) => tell(this, name, detail), this.data));
    },
  },
});

const image = (host) => element({
  properties: { src: String, mode: { type: String, value: "scaleToFill" }, lazyLoad: Boolean, showMenuByLongpress: Boolean, webp: Boolean },
  observers: {
    lazyLoad(is) {
      this.picture.loading = is ? "lazy" : "eager";
    },
    src(src) {
      if (src === "null" || src === "undefined") throw new Error(`<image src="${src}">`);
      if (src) this.picture.src = host.image(src);
      else this.picture.removeAttribute("src");
    },
    mode(mode) {
      this.picture.style.objectFit = { aspectFit: "contain", aspectFill: "cover" }[mode] ?? "fill";
      dom(this).classList.toggle("wx-image-tall", mode === "widthFix");
    },
    ariaLabel(label) {
      this.picture.alt = label ?? "";
      dom(this).removeAttribute("aria-label");
    },
  },
  lifetimes: {
    created() {
      this.picture = Object.assign(document.createElement("img"), { alt: "", decoding: "async" });
      this.picture.addEventListener("load", () => tell(this, "load", { width: this.picture.naturalWidth, height: this.picture.naturalHeight }));
      this.picture.addEventListener("error", () => tell(this, "error", { errMsg: "GET failed" }));
      dom(this).append(this.picture);
    },
  },
});

const scrollView = () => element({
  properties: { scrollX: Boolean, scrollY: Boolean, scrollTop: Number, scrollLeft: Number, scrollIntoView: String, scrollWithAnimation: Boolean, enableFlex: Boolean,
    enhanced: Boolean, showScrollbar: Boolean, lowerThreshold: { type: Number, value: 50 }, enablePassive: Boolean },
  observers: {
    "scrollX, scrollY"(x, y) {
      Object.assign(dom(this).style, { overflowX: x ? "auto" : "hidden", overflowY: y ? "auto" : "hidden" });
    },
    scrollTop(value) {
      dom(this).scrollTop = value;
    },
    scrollLeft(value) {
      dom(this).scrollLeft = value;
    },
  },
  lifetimes: {
    attached() {
      const node = dom(this);
      node.tabIndex = 0;
      node.addEventListener("scroll", () => {
        tell(this, "scroll", { scrollTop: node.scrollTop, scrollLeft: node.scrollLeft });
        const end = this.data.scrollY && node.scrollTop + node.clientHeight >= node.scrollHeight - this.data.lowerThreshold;
        if (end && !this.ended) tell(this, "scrolltolower");
        this.ended = end;
      }, { passive: true });
    },
  },
});

const swiper = () => element({
  properties: { indicatorDots: Boolean, circular: Boolean, autoplay: Boolean, interval: { type: Number, value: 5000 }, current: Number, duration: Number, easingFunction: String },
  observers: {
    current(current) {
      const node = dom(this);
      if (current !== this.at) node.scrollTo({ left: (this.at = current) * node.clientWidth });
    },
    "autoplay, interval"(autoplay, interval) {
      clearInterval(this.turning);
      if (autoplay && !matchMedia("(prefers-reduced-motion: reduce)").matches) this.turning = setInterval(() => this.next(), interval);
    },
  },
  lifetimes: {
    attached() {
      const node = dom(this);
      this.at = this.data.current;
      node.tabIndex = 0;
      node.addEventListener("scroll", () => {
        const current = node.clientWidth ? Math.round(node.scrollLeft / node.clientWidth) : this.at;
        if (current !== this.at) tell(this, "change", { current: (this.at = current), source: "touch" });
      }, { passive: true });
    },
    detached() {
      clearInterval(this.turning);
    },
  },
  methods: {
    next() {
      const node = dom(this);
      if (!node.clientWidth) return;
      node.scrollTo({ left: ((this.at + 1) % node.children.length) * node.clientWidth, behavior: "smooth" });
    },
  },
});

const picker = (host) => element({
  properties: { mode: { type: String, value: "selector" }, range: Array, rangeKey: String, value: { type: null }, disabled: Boolean, level: String, headerText: String, start: String, end: String },
  lifetimes: {
    attached() {
      this._$.addListener("tap", async () => {
        if (this.data.disabled) return;
        const chosen = await host.pick(this.data);
        if (chosen) tell(this, "change", chosen);
        else tell(this, "cancel");
      });
    },
  },
});

const richText = () => element({
  properties: { nodes: { type: null }, space: String, userSelect: Boolean },
  observers: {
    nodes(nodes) {
      if (typeof nodes === "string") dom(this).innerHTML = nodes;
    },
  },
});

/** The canvas that a program draws on itself: `type="2d"`. */
const canvas = () => element({
  properties: { type: String, canvasId: String, disableScroll: Boolean },
  lifetimes: {
    created() {
      this.paper = Object.assign(document.createElement("canvas"), { createImage: () => new Image() });
      dom(this).append(this.paper);
    },
  },
});

const WAYS = { navigate: "navigateTo", redirect: "redirectTo", switchTab: "switchTab", reLaunch: "reLaunch", navigateBack: "navigateBack" };
const navigator = (host) => element({
  properties: { url: String, openType: { type: String, value: "navigate" }, delta: { type: Number, value: 1 }, target: String },
  lifetimes: {
    attached() {
      const node = dom(this);
      if (!node.hasAttribute("role")) node.setAttribute("role", "link");
      node.tabIndex = 0;
      this._$.addListener("tap", () => {
        const { url, delta } = this.data;
        host.go[WAYS[this.data.openType]]({ url, delta }).then(() => tell(this, "success"), (error) => tell(this, "fail", { errMsg: error.message }));
      });
    },
  },
});

export const builtins = {
  image, button, input: field("input"), textarea: field("textarea"), "scroll-view": scrollView, swiper, "swiper-item": () => element({ properties: { itemId: String } }),
  picker, "rich-text": richText, navigator, canvas,
};
