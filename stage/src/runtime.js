// Runs the mini-program in a browser: its templates on glass-easel, its modules, its pages on the stack of `host.js`.
import * as glassEasel from "glass-easel";
import { MiniProgramEnv } from "glass-easel-miniprogram-adapter";
import { builtins } from "./builtins.js";
import { attributes } from "./elements.js";
import { makeHost } from "./host.js";
import { makeWx } from "./wx.js";

const { app, settings, scopes, pieces } = globalThis.__miniprogram;

// ── the DOM under it: built-in elements get names of their own, and no style attribute is written, which a strict CSP refuses ──

const rpx = (text) => String(text).replace(/(-?\d*\.?\d+)rpx/g, "calc($1 * var(--rpx))");
const AFTER_KEY = new Set(["button", "link", "checkbox", "radio", "tab", "switch", "menuitem", "option"]);

function setAttribute(name, value) {
  if (name === "style") this.style.cssText = rpx(value);
  else if (name === "aria-role") {
    Element.prototype.setAttribute.call(this, "role", value);
    if (AFTER_KEY.has(value)) this.tabIndex = 0;
  } else Element.prototype.setAttribute.call(this, name, name.startsWith("aria-") && value === "" ? "true" : value);
}
function removeAttribute(name) {
  if (name.startsWith("aria-")) Element.prototype.setAttribute.call(this, name, "false");
  else Element.prototype.removeAttribute.call(this, name);
}

const context = new glassEasel.CurrentWindowBackendContext();
context.document = {
  createElement(tag) {
    const node = document.createElement(attributes[tag] ? `wx-${tag}` : tag === "page" ? tag : `wx-x-${tag}`);
    return Object.assign(node, { setAttribute, removeAttribute });
  },
  createTextNode: (text) => document.createTextNode(text),
  createDocumentFragment: () => document.createDocumentFragment(),
};

// ── events ──

function dispatch(target, type, detail, options) {
  const touches = [...(options.originalEvent.touches ?? [])];
  const changedTouches = [...(options.originalEvent.changedTouches ?? [])];
  const event = new glassEasel.Event(type, detail, { ...options, extraFields: { touches, changedTouches } });
  glassEasel.Event.dispatchEvent(target, event);
  return event.getEventBubbleStatus();
}

// A tap is the browser's click: mouse, finger and keyboard alike, and no later click falls on what the tap opened.
// Fields tell of their own input and focus.
const FROM_DOM = /^(touch|longpress|transition|animation)/;
context.onEvent((target, type, detail, options) => (FROM_DOM.test(type) ? dispatch(target, type, detail, options) : 0));
const area = document.querySelector(".stage-pages");
area.addEventListener("click", (event) => {
  let node = event.target;
  while (node && !node.__wxElement) node = node.parentNode;
  if (!node) return;
  const options = { originalEvent: event, bubbles: true, composed: true, capturePhase: true };
  host.inTap(() => dispatch(node.__wxElement, "tap", { x: event.clientX, y: event.clientY }, options));
}, true);
area.addEventListener("keydown", (event) => {
  if ((event.key !== "Enter" && event.key !== " ") || event.target.matches("input, textarea, select") || !event.target.matches("[role]")) return;
  event.preventDefault();
  event.target.click();
});

// A touch is answered by the class that the program names for it.
let pressed;
const release = () => pressed?.classList.remove(pressed.getAttribute("hover-class"));
area.addEventListener("pointerdown", (event) => {
  pressed = event.target.closest("[hover-class]:not([hover-class=none])");
  pressed?.classList.add(pressed.getAttribute("hover-class"));
});
for (const name of ["pointerup", "pointercancel"]) addEventListener(name, release);

// ── pages and components ──

const env = new MiniProgramEnv();
const backend = env.associateBackend(context);
const space = env.createCodeSpace("app", true);

let theApp;
const modules = {};
const loaded = {};
const host = makeHost({
  app, settings, area,
  make(route, holder) {
    const spot = holder.appendChild(document.createElement("div"));
    const root = backend.createRoot("page", space, route);
    root.getComponent().$$.dataset.is = route;
    return { root, instance: root.get(), attach: () => root.attach(holder, spot) };
  },
  ready: (route) => defined.has(route) || rest(),
  appShow: (options) => theApp?.onShow?.call(theApp, options),
  dataOf: (name) => (modules[name] ? load(name) : null),
});
const wx = makeWx(host);
globalThis.wx = wx;

for (const [tag, make] of Object.entries(builtins)) {
  const name = `wx/${tag}`;
  space.addComponentStaticConfig(name, { component: true });
  space.componentEnv(name, ({ Component }) => Component(make(host)));
  space.getComponentSpace().setGlobalUsingComponent(tag, space.getComponentSpace().getComponentByUrl(name, ""));
}

// Whoever calls them, Page, Component and Behavior belong to the page or component that is being loaded.
let tools;


const globals = {
  App: (definition) => (theApp = definition),
  Page: (definition) => tools.Page(definition),
  Component: (definition) => tools.Component(definition),
  Behavior: (definition) => space.componentEnv("", (any) => any.Behavior(definition)),
  getApp: () => theApp,
};

function load(name) {
  if (loaded[name]) return loaded[name].exports;
  if (!modules[name]) throw new Error(`module "${name}" is not found`);
  const module = (loaded[name] = { exports: {} });
  const require = (where) => {
    if (!/^[./]/.test(where)) throw new Error(`require("${where}"): write ./${where}`);
    return load((where.startsWith("/") ? where.slice(1) : new URL(where, `http://x/${name}`).pathname.slice(1)).replace(/\.js$/, ""));
  };
  modules[name](require, module, module.exports, globals.App, globals.Page, globals.Component, globals.Behavior, globals.getApp, host.pages, wx);
  return module.exports;
}

const defined = new Set();
function define({ names, templates, modules: more }) {
  Object.assign(modules, more);
  if (!theApp) load("app");
  for (const name of names) {
    space.addComponentStaticConfig(name, settings[name]);
    space.addCompiledTemplate(name, { content: templates[name], groupList: templates, fallbackListenerOnNativeNode: true });
    if (settings[name].component) space.addStyleSheet(name, undefined, scopes[name]);
    defined.add(name);
  }
  for (const name of names) space.componentEnv(name, (own) => ((tools = own), load(name)));
}

let asked;
/** The second piece of the program: fetched when the first page stands, or when another page is entered. */
function rest() {
  asked ??= new Promise((done, failed) => {
    const script = Object.assign(document.createElement("script"), { src: document.body.dataset.rest, onload: done, onerror: failed });
    document.head.append(script);
  }).then(() => define(pieces.at(-1)));
  return asked;
}

define(pieces[0]);
theApp.onLaunch?.call(theApp, { ...host.entry(), scene: 1001, referrerInfo: {} });
theApp.onShow?.call(theApp, { ...host.entry(), scene: 1001, referrerInfo: {} });
host.start().then(() => setTimeout(rest, 1500));
