// WeChat's built-in elements as far as a shop needs them: every attribute that one may carry. The build refuses any other.
const common = ["id", "class", "style", "slot", "hidden", "hover-class", "hover-stay-time", "hover-stop-propagation",
  "aria-role", "aria-label", "aria-hidden", "aria-checked", "aria-selected", "aria-pressed", "aria-disabled", "aria-live", "aria-modal", "aria-invalid", "aria-orientation"];

const own = {
  view: [],
  text: ["user-select", "decode", "space"],
  image: ["src", "mode", "lazy-load", "show-menu-by-longpress", "webp"],
  button: ["type", "size", "plain", "disabled", "loading", "form-type", "open-type", "session-from", "send-message-title", "send-message-path",
    "send-message-img", "show-message-card"],
  input: ["value", "type", "password", "placeholder", "placeholder-class", "placeholder-style", "disabled", "maxlength", "focus", "confirm-type",
    "cursor-spacing", "adjust-position", "name"],
  textarea: ["value", "placeholder", "placeholder-class", "placeholder-style", "disabled", "maxlength", "focus", "auto-height", "cursor-spacing",
    "show-confirm-bar", "name", "fixed", "disable-default-padding"],
  "scroll-view": ["scroll-x", "scroll-y", "scroll-top", "scroll-left", "scroll-into-view", "scroll-with-animation", "enable-flex", "enhanced",
    "show-scrollbar", "lower-threshold", "enable-passive"],
  swiper: ["indicator-dots", "autoplay", "interval", "duration", "current", "circular", "easing-function"],
  "swiper-item": ["item-id"],
  picker: ["mode", "range", "range-key", "value", "disabled", "level", "header-text", "start", "end"],
  canvas: ["type", "canvas-id", "disable-scroll"],
  "rich-text": ["nodes", "space", "user-select"],
  navigator: ["url", "open-type", "delta", "target"],
  "page-meta": ["page-style", "root-font-size"],
};

export const attributes = Object.fromEntries(Object.entries(own).map(([tag, names]) => [tag, new Set([...common, ...names])]));

/** What the compiler takes away itself. */
export const syntax = new Set(["block", "template", "import", "include", "slot", "wxs"]);

/** Events by the element that sends them; `tap` and its like come from all. */
export const events = {
  all: ["tap", "longpress", "longtap", "touchstart", "touchmove", "touchend", "touchcancel", "transitionend", "animationend"],
  image: ["load", "error"],
  button: ["getphonenumber", "contact", "opensetting", "chooseavatar", "agreeprivacyauthorization"],
  input: ["input", "focus", "blur", "confirm", "nicknamereview"],
  textarea: ["input", "focus", "blur", "confirm", "linechange"],
  "scroll-view": ["scroll", "scrolltolower", "scrolltoupper"],
  swiper: ["change", "transition", "animationfinish"],
  picker: ["change", "cancel", "columnchange"],
  navigator: ["success", "fail", "complete"],
};
