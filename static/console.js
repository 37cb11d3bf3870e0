// Comfort on top of pages that work without it: copying, shortcuts, and the sound of a new order.
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const handy = matchMedia("(max-width: 899px)");
// What is typed is read as the shop reads it: wide digits are digits, and what is no amount or no number is NaN.
const narrow = (text) => text.replace(/[！-～]/g, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).replace(/[\u3000\u00a0]/g, " ").trim();
const typedFen = (text) => {
  const bare = narrow(text).replace(/^(RMB|CNY|rmb|cny|人民币|¥|￥)/, "").replace(/(元|圆|块|RMB|CNY|rmb|cny|人民币)$/, "").trim();
  return /^(\d+|\d{1,3}(,\d{3})+)(\.\d{0,2})?$/.test(bare) ? Math.round(Number(bare.replaceAll(",", "")) * 100) : NaN;
};
const typedWhole = (text) => (/^\d+$/.test(narrow(text)) ? Number(narrow(text)) : NaN);
const line = (name) => `<svg class="i" aria-hidden="true"><use href="/static/icons.svg#${name}"/></svg>`;

// The tab that one is on can be seen, however many there are; so can the card of the settings.
const seen = (link) => {
  const [box, at] = [link.parentElement, (one) => one.getBoundingClientRect().left];
  box.scrollLeft += at(link) - at(box) - (box.clientWidth - link.offsetWidth) / 2;
};
$$(".tabs [aria-current]").forEach(seen);
function marked() {
  for (const link of $$(".index a")) {
    link.ariaCurrent = link.hash === location.hash ? "true" : null;
    if (link.ariaCurrent && link.hash) seen(link);
  }
}
marked();
addEventListener("hashchange", marked);

// Of the settings those that a word names: a whole card by its title, a field by its own words.
const sift = $("[data-sift]");
if (sift) {
  const settings = $(".settings");
  sift.parentElement.hidden = false;
  sift.addEventListener("input", () => {
    const words = narrow(sift.value).toLowerCase().split(/\s+/);
    const says = (...all) => words.every((word) => all.some((one) => one.textContent.toLowerCase().includes(word)));
    settings.classList.toggle("sifted", words[0] !== "");
    let found = false;
    for (const card of $$("section.card", settings)) {
      const [title, fields] = [$("h2", card), $$("form label", card)];
      const whole = says(title);
      fields.forEach((field) => (field.hidden = !whole && !says(title, field)));
      $$("form", card).forEach((form) => (form.hidden = !whole && $$("label", form).every((field) => field.hidden)));
      card.hidden = !whole && fields.every((field) => field.hidden);
      found ||= !card.hidden;
    }
    $("[data-none]", settings).hidden = found;
  });
  // What was looked for is still looked for after one of the cards was saved.
  addEventListener("submit", () => sift.value && sessionStorage.setItem("sought", sift.value));
  sift.value = sessionStorage.getItem("sought") ?? "";
  sessionStorage.removeItem("sought");
  if (sift.value) sift.dispatchEvent(new Event("input"));
  // Whoever then takes a card from the list wants that one, as it is.
  addEventListener("hashchange", () => {
    sift.value = "";
    sift.dispatchEvent(new Event("input"));
  });
}

// A page has several forms: what was typed into another one is not lost by sending this one unasked. In the settings, where
// each card is one, whatever was changed counts; elsewhere what somebody has typed, unless it saves itself. The page is not left
// without a word either.
const settingForms = $$(".settings section.card form");
const isChanged = (field) => {
  if (field.matches("[type=hidden], [type=file], [type=search], button, fieldset")) return false;
  if (field.matches("[type=checkbox], [type=radio]")) return field.checked !== field.defaultChecked;
  if (!field.options) return field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(first, 0);
};
const typed = new WeakSet();
const isText = (field) => field.matches("input:not([type=hidden], [type=password], [type=checkbox], [type=radio], [type=file], [type=search]), textarea");
addEventListener("input", ({ isTrusted, target }) => {
  if (!isTrusted || !isText(target)) return;
  typed.add(target);
  // What is written after the question is asked about anew.
  $$("form[data-alone]").forEach((form) => delete form.dataset.alone);
});
// A form that came back as the answer itself, or as a page that marks what was refused, has what was typed in its defaults.
const { at, action } = JSON.parse(sessionStorage.getItem("submitted") ?? "{}");
sessionStorage.removeItem("submitted");
const cameBack = (form) => form.getAttribute("action") === action && ($(".flash.error") ? $("[aria-invalid=true]", form) : at === location.pathname && !$(".flash"));
const returned = "toShip" in document.body.dataset && $$("main form").find(cameBack);
if (returned) [...returned.elements].filter((field) => isText(field) && field.value).forEach((field) => typed.add(field));
addEventListener("submit", ({ target: form, submitter, defaultPrevented }) => {
  const to = new URL(submitter?.hasAttribute("formaction") ? submitter.formAction : form.action).pathname;
  if (form.method === "post" && !defaultPrevented) sessionStorage.setItem("submitted", JSON.stringify({ at: to, action: form.getAttribute("action") }));
});
// The number of a parcel is kept by itself until its order is seen again.
const isKept = (field) => field.matches("#ship-form [data-focus]");
const isTyped = (field) => typed.has(field) && !isKept(field) && (isChanged(field) || field.form === returned);
const isLost = (form) => form.method === "post" && !form.matches("[data-reveal]") && !form.closest("[data-scan]") && ("unsaved" in form.dataset || !$("[data-save]", form));
const forget = (forms) => forms.flatMap((form) => [...form.elements]).forEach((field) => typed.delete(field));
const typedIn = (forms) => forms.filter(isLost).flatMap((form) => [...form.elements]).find(isTyped);
addEventListener("beforeunload", (event) => typedIn($$("main form, dialog[open] form")) && event.preventDefault());
/** What of the page stands typed beside a form, in words. */
function besideOf(form) {
  if (settingForms.includes(form)) {
    const other = settingForms.find((one) => one !== form && [...one.elements].some(isChanged));
    return other && $("h2", other.closest("section"));
  }
  return typedIn($$("main form").filter((one) => one !== form));
}
// A price that is ten times another, or a tenth of it, has mostly a point too few or too many.
const wasOf = (field) => field.dataset.was ?? field.defaultValue;
const isSlip = (field) => {
  const ratio = typedFen(field.value) / typedFen(wasOf(field));
  return ratio >= 10 || ratio <= 0.1;
};
/** What is asked about those of the fields that nobody was asked about yet, in words. */
function slipsOf(fields) {
  const slips = fields.filter((field) => isSlip(field) && field.value !== field.dataset.sure);
  for (const field of slips) field.dataset.sure = field.value;
  slips[0]?.select();
  const words = slips.map((field) => `¥${wasOf(field)} 改成 ¥${field.value.replace(/^[¥￥]/, "")}`);
  return slips.length ? `${words.join("，")}，差十倍以上：没有错就再按一次。` : "";
}
const asking = Object.assign(document.createElement("p"), { className: "flash error", role: "alert" });
addEventListener(
  "submit",
  (event) => {
    const form = event.target;
    const goes = form.method === "post" && !form.closest("dialog:not(#drawer)") && !form.matches("[data-reveal]") && !$("[data-save]", form);
    const hold = (words) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      asking.textContent = words;
      // Who scans does not look, and what he scans next takes the place of this.
      if (gunOf(form)) tone(false), gunOf(form).select();
      // A tick that is sent at once stands as it was, to be made again.
      if (form.matches("[data-sends]")) for (const tick of $$("[type=checkbox]", form)) tick.checked = tick.defaultChecked;
      form.matches(".stack") ? form.append(asking) : $("main").prepend(asking);
      asking.scrollIntoView({ block: "nearest" });
    };
    // Without a network the browser would put a page of its own in the place of what was typed. A button that is pressed once
    // more is meant so; the next scan is not.
    const scans = gunOf(form) === document.activeElement;
    if (goes && !navigator.onLine && (scans || !form.dataset.anyhow)) {
      form.dataset.anyhow = "yes";
      return hold("没有网络，还没有发出：填的都还在这里，连上以后再按一次。");
    }
    // As in a cell of a price.
    const slips = form.dataset.slip ? slipsOf($$(`[name$='${form.dataset.slip}']`, form)) : "";
    if (slips) return hold(slips);
    const other = goes && !form.dataset.alone && besideOf(form);
    // Who presses again has said so, and is not asked once more for leaving.
    if (!other) return forget(form.dataset.alone ? $$("main form") : [form]);
    form.dataset.alone = "yes";
    const named = (other.labels?.[0]?.textContent || other.ariaLabel || other.textContent).trim();
    other.closest("details")?.setAttribute("open", "");
    hold(`还没有保存：「${named}」里也有改动。先去保存那里的，或再按一次，只保存这里的，那里的不要了。`);
  },
  true,
);

const copies = (inside) => {
  for (const button of $$(".copy", inside)) {
    if (!navigator.clipboard) break;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const words = [...button.childNodes];
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = "已复制 ✓";
      setTimeout(() => button.replaceChildren(...words), 1200);
    });
  }
};
copies(document);

// The field that a scanner writes into: at the desks, on an order that was opened out of a list, and on one that is looked at
// beside it.
const gun = $("[data-scan] [name=code]") ?? ($(".walk") && $("#ship-form [data-focus]"));
const gunOf = (form) => (form === gun?.form ? gun : form.matches("#drawer #ship-form") ? $("[data-focus]", form) : null);

// A form is sent once, however often its button is pressed, and its button says that something is going on; coming back to
// the page makes it usable again.
addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || "download" in form.dataset) return;
  const code = gunOf(form)?.value ?? "";
  if (form.dataset.sent) {
    // A scanner that was faster than the network is heard by its signs, and told by the next page. The drawer leaves none to tell it.
    // An Enter or a click too many is no scan.
    if (form !== gun?.form && code !== form.dataset.code) tone(false);
    return event.preventDefault();
  }
  form.dataset.sent = "yes";
  form.dataset.code = code;
  remember(form);
  // Enter presses a button that nobody sees where another one stands before that which is meant.
  const button = event.submitter?.matches(".vh") ? $(".paybar .main", form) : event.submitter;
  if (!button) return;
  // Only after the browser has taken the button's own name and value along.
  setTimeout(() => button.setAttribute("aria-busy", "true"));
});
addEventListener("pageshow", () => {
  $$("form[data-sent]").forEach((form) => delete form.dataset.sent);
  $$("[aria-busy=true]").forEach((button) => button.removeAttribute("aria-busy"));
});

// Of several acts that have a field each, Enter means the one beside it.
addEventListener("keydown", (event) => {
  const beside = event.key === "Enter" && !event.isComposing && event.target.matches(".bulk input") && $("button", event.target.closest(".line"));
  if (beside) event.preventDefault(), beside.click();
});

// A promotion as buyers will see it, while it is written.
for (const form of $$("[data-ticket]")) {
  const [terms, name] = $("[data-ticket-shown]").children;
  const given = (field) => form.elements[field]?.value.trim() ?? "";
  const show = () => {
    const first = (field) => $(`[name=${field}]`, form).value.trim();
    const from = first("from") ? `满 ${first("from")} 元` : "";
    // As the shop reads it: 85 is 8.5, and 15 may be anything.
    const part = narrow(given("percent")).replace(/折$/, "").trim().replace(/^0+(?=[1-9])/, "").replace(/\.0*$/, "");
    const tenths = /^[1-9](\.\d)?$/.test(part) ? part : /^[5-9]\d$/.test(part) ? String(part / 10) : "";
    const words = { reduce: first("off") && `${from}减 ${first("off")} 元`, percent: given("percent") && (tenths ? `${from}打 ${tenths} 折` : "打几折？例如 8.5"), freight: `${from}包邮` };
    terms.textContent = words[given("kind") || $("[name=kind]", form).value] || "填好优惠，这里跟着变";
    name.textContent = given("name") || "优惠名称";
  };
  form.addEventListener("input", show);
  if (!form.action.match(/\d$/)) show();
}

// What an order that staff write comes to, while it is written: goods without a price of their own cost what the shop asks.
for (const form of $$("[data-sum]")) {
  const asked = new Map($$("#goods option").map((option) => [option.value, option.dataset.price]));
  const show = () => {
    const read = (i, name) => form.elements[`lines[${i}].${name}`]?.value.trim() ?? "";
    for (const field of $$("[name$='.price']", form)) field.dataset.was = asked.get(read(parseInt(field.name.slice(6)), "what")) ?? "";
    const lines = $$("[name$='.what']", form).map((_, i) => [read(i, "what"), typedWhole(read(i, "quantity") || "1"), read(i, "price")]).filter(([what]) => what);
    const sums = lines.map(([what, n, price]) => n * typedFen(price || (asked.get(what) ?? "")));
    const known = sums.filter((sum) => !Number.isNaN(sum));
    const [goods, freight] = [known.reduce((a, b) => a + b, 0), typedFen(form.elements.freight.value.trim())];
    const yuan = (n) => `¥${(n / 100).toFixed(2)}`;
    const unknown = known.length < sums.length ? `，${sums.length - known.length} 样没有算进去` : "";
    const whole = Number.isNaN(freight) ? `商品 ${yuan(goods)}，运费按设置` : `共 ${yuan(goods + freight)}`;
    $("[data-sum-shown]").textContent = known.length ? whole + unknown : "";
  };
  form.addEventListener("input", show);
  addEventListener("pageshow", show);
}

// A file that was chosen is named where it lies.
for (const field of $$(".drop.file input")) {
  const place = field.closest(".drop");
  const words = $("b", place);
  const empty = words.textContent;
  const named = () => {
    place.classList.toggle("has", field.files.length > 0);
    words.textContent = [...field.files].map((file) => file.name).join("、") || empty;
  };
  field.addEventListener("change", named);
  addEventListener("pageshow", named);
}

// Rows whose order counts are dragged to their place, each among those beside it.
function ordered(list, rows, dropped) {
  let held;
  list.addEventListener("dragstart", ({ target }) => (held = target.closest?.(rows)));
  list.addEventListener("dragover", (event) => {
    const over = event.target.closest(rows);
    if (!held || !over || over.dataset.beside !== held.dataset.beside) return;
    event.preventDefault();
    const below = event.clientY > over.getBoundingClientRect().top + over.offsetHeight / 2;
    if (over !== held) over[below ? "after" : "before"](held);
  });
  list.addEventListener("drop", (event) => {
    if (!held || !dropped) return;
    event.preventDefault();
    dropped(held);
  });
  list.addEventListener("dragend", () => (held = null));
}
for (const list of $$("[data-ordered]")) ordered(list, "li");

// A category that was dropped: the page comes back in the new order.
for (const tree of $$(".tree")) {
  ordered(tree, "[data-branch]", (held) => {
    const beside = $$("[data-branch]", tree).filter((row) => row.dataset.beside === held.dataset.beside);
    const form = Object.assign(document.createElement("form"), { method: "post", action: `/admin/categories/${held.dataset.branch}/move` });
    form.append(Object.assign(document.createElement("input"), { type: "hidden", name: "after", value: beside.indexOf(held) }));
    document.body.append(form);
    form.requestSubmit();
  });
}

// A field that has no room for what was typed or pasted says so and keeps it, instead of cutting it without a word.
addEventListener("focusin", ({ target: field }) => {
  if (!(field.maxLength > 0)) return;
  field.dataset.most = field.maxLength;
  field.removeAttribute("maxlength");
});
addEventListener("input", ({ target: field }) => {
  if (!field.dataset?.most) return;
  const n = [...field.value].length;
  const was = field.validity.customError;
  field.setCustomValidity(n > field.dataset.most ? `最多 ${field.dataset.most} 个字，现在 ${n} 个` : "");
  if (was !== field.validity.customError) field.reportValidity();
});

// A session that ends while somebody types must not take the words along, and neither may a refusal: what was sent is kept
// until the page that it was sent from is seen again. Passwords, files and codes are never kept.
function remember(form) {
  if (!("toShip" in document.body.dataset)) return;
  sessionStorage.setItem("typed", JSON.stringify({ page: location.pathname, to: form.getAttribute("action"), kept: fieldsOf(form), at: Date.now() }));
}
// What stands elsewhere on the page and belongs to it counts as well: the rows that are ticked for a bulk act.
const fieldsOf = (form) => {
  const fields = [...form.elements].filter((field) => field.name && !/^(password|file|hidden|submit|button|fieldset|output)$/.test(field.type));
  return fields.map((field) => (/^(checkbox|radio)$/.test(field.type) ? [field.name, field.checked, field.value] : [field.name, field.value]));
};
// What was refused stands in its form again; the next label that is scanned takes the place of the one that was.
function refill(form, kept) {
  for (const [name, value, of] of kept) {
    const field = of === undefined ? form.elements.namedItem(name) : [...form.elements].find((one) => one.name === name && one.value === of);
    if (!(field instanceof HTMLElement)) continue;
    if (typeof value === "boolean") field.checked = value;
    else if (value !== field.value) {
      field.value = value;
      typed.add(field);
      // It stands behind 更多.
      field.closest("details")?.setAttribute("open", "");
    }
    field.dispatchEvent(new Event("input", { bubbles: true }));
    // What is saved by leaving it has been left.
    if (field.matches("[data-save]")) setTimeout(() => field.dispatchEvent(new Event("change")));
  }
  $("[data-focus]", form)?.select();
}
// A form that stood in the drawer: it is opened again for that. One that stands in the page is the one that is mended.
let refused;
let mended;
const formTo = (to) => $$("form:not(.flash form)").find((form) => form.getAttribute("action") === to);
const isRefused = $(".flash.error");
// Of several rows that were sent one after the other the page itself knows what came of the last.
for (const { strip, to, kept } of JSON.parse(sessionStorage.getItem("said") ?? "[]")) {
  $("main").insertAdjacentHTML("afterbegin", strip);
  if (kept && formTo(to)) refill((mended = formTo(to)), kept);
}
sessionStorage.removeItem("said");
if (location.pathname === "/admin/login" && sessionStorage.getItem("reopened")) {
  sessionStorage.removeItem("reopened");
  $("form").before(Object.assign(document.createElement("p"), { className: "strip green", textContent: "店铺重新开门了，请重新登录。恢复的结果记在操作日志里。" }));
}
if (location.pathname === "/admin/login" && sessionStorage.getItem("typed")) {
  sessionStorage.setItem("interrupted", "yes");
  const words = Object.assign(document.createElement("p"), { className: "strip amber", textContent: "登录过期了。登录后回到刚才那页，填的内容还在。" });
  $("form").before(words);
}
else if (sessionStorage.getItem("typed")) {
  const { page, to, kept, at } = JSON.parse(sessionStorage.getItem("typed"));
  const form = formTo(to);
  const interrupted = sessionStorage.getItem("interrupted");
  // Whoever comes back from a page that never answered finds it as he left it.
  const unheard = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
  if ((interrupted || unheard || isRefused) && page === location.pathname && Date.now() - at < 3_600_000) {
    if (form) refill((mended = form), kept);
    else refused = { to, kept };
    if (form && interrupted) {
      // A second screen has nothing to fill in, and what it was about stands in none of this one's fields.
      const rest = kept.length ? "；填的内容还在，请再点一次。" : "：请在这里再填一次。";
      const words = $("[data-save]", form) ? "登录过期了；刚才写的备注还在，现在补存。" : `登录过期了，刚才的操作没有执行${rest}`;
      const strip = Object.assign(document.createElement("p"), { className: "strip amber", textContent: words });
      strip.setAttribute("role", "status");
      $("main").prepend(strip);
      form.scrollIntoView({ block: "center" });
    }
  }
  if (page === location.pathname || !interrupted) {
    sessionStorage.removeItem("typed");
    sessionStorage.removeItem("interrupted");
  }
}

// What the refusal is about is marked where it was typed, and the cursor stands there.
const wrong = ($(".strip[data-wrong]")?.dataset.wrong ?? "").split(" ").filter(Boolean);
for (const [n, name] of wrong.entries()) {
  const named = (which) => `[name${which}"]:not([type=hidden])`;
  const of = (which) => (mended && $(named(which), mended)) ?? $(`main form:not(.flash form) ${named(which)}`);
  const exact = of(`="${name}`) ?? of(`^="${name}.`);
  // Of several lines it is only known that one of them is meant.
  const field = exact ?? of(`^="${name}[`);
  if (!field) continue;
  if (exact) {
    field.ariaInvalid = "true";
    field.addEventListener("input", () => (field.ariaInvalid = null), { once: true });
  }
  if (n > 0 || field.matches("[data-scan] *")) continue;
  field.focus();
  // Half a number is gone on with at its end.
  if (/^(text|tel|url|textarea)$/.test(field.type)) field.setSelectionRange(field.value.length, field.value.length);
}
// A form that marks its fields itself is brought to the first of them.
if (!wrong.length && $(":is(.strip.red, .flash.error)[role=alert]")) $$("main [aria-invalid=true]").find((field) => field.checkVisibility())?.focus();

// A row that is changed is sent at once, and the strip takes it back. What is changed meanwhile waits until the shop has said what
// came of the one before, so that each has its strip; whoever goes elsewhere takes nothing back by that, and all of it is sent. The
// press that left a field is done first.
const rows = [];
let sending = false;
let pressing = false;
let going = false;
addEventListener("pointerdown", () => (pressing = true), true);
for (const over of ["pointerup", "pointercancel"]) addEventListener(over, () => setTimeout(() => (pressing = false)), true);
addEventListener("click", ({ target }) => (going ||= !!target.closest("a[href]")));
const post = async (form) => {
  const { was, was_visible, name, visible } = form.elements;
  const body = new URLSearchParams(new FormData(form));
  // What is changed once more is changed from this, unless it was never sent.
  const before = was && [was.value, was_visible.value];
  if (was) [was.value, was_visible.value] = [name.value, visible.checked];
  const answer = await fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => null);
  if (was && answer?.type !== "opaqueredirect") [was.value, was_visible.value] = before;
  return answer;
};
const leave = () => rows.splice(0).forEach(post);
addEventListener("pagehide", leave);
async function sendRows() {
  const said = [];
  while (rows.length) {
    const form = rows.shift();
    const answer = await post(form);
    while (pressing) await new Promise((then) => setTimeout(then, 50));
    if (going) return leave();
    const saved = answer?.type === "opaqueredirect" && !lapsed(await fetch("/admin/pulse").catch(() => null));
    if (!saved) return (form.dataset.plain = "yes"), form.requestSubmit();
    if (!rows.length) return remember(form), sessionStorage.setItem("said", JSON.stringify(said)), location.reload();
    const page = await fetch(location.href).then((answer) => answer.text(), () => "");
    const strip = $(".flash", new DOMParser().parseFromString(page, "text/html"));
    if (strip) said.push({ strip: strip.outerHTML, to: form.getAttribute("action"), kept: strip.matches(".error") && fieldsOf(form) });
  }
}
for (const form of $$("[data-sends]")) {
  $("button", form).hidden = true;
  form.addEventListener("change", () => {
    if (!form.dataset.went && ![...form.elements].some(isChanged)) return forget([form]);
    if (form.reportValidity()) form.requestSubmit();
  });
  form.addEventListener("submit", (event) => {
    if (form.dataset.plain) return;
    event.preventDefault();
    // Enter changes the field, and sends besides.
    const fields = JSON.stringify(fieldsOf(form));
    if (form.dataset.went === fields) return;
    form.dataset.went = fields;
    rows.push(form);
    if (going) return leave();
    if (sending) return;
    sending = true;
    sendRows().finally(() => (sending = false));
  });
}

const lapsed = (answer) => answer?.redirected && new URL(answer.url).pathname === "/admin/login";
const TOGETHER = "同事刚刚也写了备注：两个人的都留下了，请看一眼。";
/** What saving a memo came to: why it was refused, or what stands there now. */
async function outcome(answer) {
  const page = answer?.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
  if (!page) return { refusal: answer ? "店铺没有答应" : "连不上店铺" };
  return { refusal: $(".flash.error", page)?.textContent.trim(), kept: $("[name=memo]", page)?.value };
}
// A memo is saved when its field is left.
for (const field of $$("[data-save]")) {
  const form = field.form;
  $("button", form).hidden = true;
  // Enter leaves it, and the list stays.
  form.addEventListener("submit", (event) => (event.preventDefault(), field.blur()));
  // What the shop has as far as is known, what is on its way there, and what was sent last.
  let [base, flying, sent, last] = [field.defaultValue, null, field.value, Promise.resolve()];
  const send = () => {
    const body = new URLSearchParams(new FormData(form));
    // Whoever leaves while the one before is still on its way does not know which of them gets there first.
    for (const was of [base, flying]) if (was !== null) body.append("was", was);
    flying = sent = field.value;
    return fetch(form.action, { method: "POST", body, keepalive: true }).catch(() => null);
  };
  // The key that goes back leaves no field first.
  addEventListener("pagehide", () => field.value !== sent && field.checkValidity() && send());
  const words = document.createElement("p");
  words.setAttribute("role", "alert");
  const tell = (kind, text) => {
    Object.assign(words, { className: `strip ${kind}`, textContent: text });
    text ? form.before(words) : words.remove();
  };
  const save = async () => {
    if (!field.reportValidity()) return;
    const answer = await send();
    // Whoever is led to the login has saved nothing; he goes there, and what he wrote comes back with him.
    if (lapsed(answer)) return remember(form), (location.href = answer.url);
    const { refusal, kept = sent } = await outcome(answer);
    flying = null;
    const saved = refusal === undefined;
    tell("red", saved ? "" : `没有存上：${refusal}。写的还在这里，连上了自动再存。`);
    if (saved) {
      // What a colleague wrote meanwhile stands before it, and is seen from now on.
      const both = kept.trim() !== sent.trim();
      if (both) tell("amber", TOGETHER);
      if (both && field.value === sent) field.value = kept;
      field.defaultValue = base = kept;
      if (both) sent = field.value;
    }
    else {
      sent = null;
      typed.add(field);
    }
    form.toggleAttribute("data-unsaved", !saved);
    field.classList.toggle("saved", saved);
    field.ariaInvalid = saved ? null : "true";
    field.title = saved ? "已保存 ✓" : "没有保存，请重试";
  };
  // One after the other: each knows what the one before it has left there.
  const next = () => (last = last.then(save));
  field.addEventListener("change", next);
  addEventListener("online", () => "unsaved" in form.dataset && next());
}

// A column's head sorts the rows that are here: numbers by their size, the rest as Chinese is sorted.
for (const table of $$("table.list, table[data-sorts]")) {
  const body = $("tbody", table);
  if (!body || body.rows.length < 2 || $("[colspan]", body)) continue;
  const order = new Intl.Collator("zh-CN", { numeric: true });
  const cell = (row, n) => row.cells[n].dataset.v ?? row.cells[n].textContent.trim();
  const number = (text) => (/^[−-]?[¥+]?[−-]?[\d,.]+%?$/.test(text) ? Number(text.replace("−", "-").replace(/[¥,+%]/g, "")) : NaN);
  $$("thead th", table).forEach((head, n) => {
    if (!head.textContent.trim() || $(".visually-hidden, .vh, input", head)) return;
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: head.textContent, title: "给这一页排序" });
    head.replaceChildren(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      $$("th[aria-sort]", table).forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const rows = [...body.rows].sort((a, b) => {
        const [x, y] = [cell(a, n), cell(b, n)];
        const [i, j] = [number(x), number(y)];
        return Number.isNaN(i) || Number.isNaN(j) ? order.compare(x, y) : i - j;
      });
      body.append(...(down ? rows.reverse() : rows));
    });
  });
}

// A password can be looked at while it is typed.
for (const field of $$("input[type=password][data-peek]")) {
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn icon bare" });
  button.innerHTML = line("eye");
  const show = () => button.setAttribute("aria-label", field.type === "password" ? "显示" : "隐藏");
  show();
  field.after(button);
  button.addEventListener("click", () => {
    field.type = field.type === "password" ? "text" : "password";
    show();
  });
}

// The shop closes for a moment while a backup takes its place; when it is open again, the login is next.
if ($("[data-reopens]")) {
  let closed = false;
  setInterval(async () => {
    const open = await fetch("/readyz").then((answer) => answer.ok, () => false);
    if (!open) closed = true;
    else if (closed || performance.now() > 15_000) sessionStorage.setItem("reopened", "yes"), (location.href = "/admin/login");
  }, 700);
}

// A time that nobody has set says what that means, instead of empty places for digits.
for (const field of $$("input[data-unset]")) {
  const show = () => field.classList.toggle("unset", !field.value);
  field.addEventListener("input", show);
  show();
}

// What a refund comes to, while it is typed.
for (const form of $$("[data-refund]")) {
  const button = $("button", form);
  const words = button.textContent;
  // What cannot be, or is more than is left, is marked where it is typed.
  const bound = (field, words) => {
    field.setCustomValidity(words);
    field.ariaInvalid = words ? "true" : null;
    const said = field.nextElementSibling?.matches(".bad") ? field.nextElementSibling : null;
    if (said) said.textContent = words;
    else if (words) field.after(Object.assign(document.createElement("small"), { className: "bad", textContent: words }));
  };
  const wrong = (field, read, most, unread, over) => {
    const typed = field.value.trim();
    if (!typed) return "";
    return Number.isNaN(read(typed)) ? unread : read(typed) > most ? over : "";
  };
  const mark = () => {
    for (const field of $$("[data-pieces]", form)) bound(field, wrong(field, typedWhole, Number(field.dataset.pieces), "请填整数", `最多还能退 ${field.dataset.pieces} 件`));
    for (const field of $$("[name$='.amount'], [name=freight]", form)) bound(field, wrong(field, typedFen, typedFen(field.dataset.bound), "请填金额，例如 8.50", `最多还能退 ¥${field.dataset.bound}`));
  };
  form.addEventListener("input", mark);
  setTimeout(mark);
  // Of what would be refused there is no sum.
  const sum = () => {
    const lines = $$("[data-price]", form).map((field) => {
      const typed = field.closest("tr").querySelector("[name$='.amount']").value.trim();
      const pieces = Number(field.dataset.pieces) || 1;
      return typed ? typedFen(typed) : Math.round((typedFen(field.dataset.price) * typedWhole(field.value.trim() || "0")) / pieces);
    });
    const all = lines.reduce((a, b) => a + b, 0) + typedFen(form.elements.freight?.value.trim() || "0");
    const may = all > 0 && all <= typedFen($("[data-left]", form).textContent) && !$("[aria-invalid=true]", form);
    button.textContent = may ? `${words}：共约 ¥${(all / 100).toFixed(2)}` : words;
  };
  form.addEventListener("input", sum);
}

// How hard a password is to guess, roughly: its length, and how many kinds of characters it mixes.
for (const field of $$("[data-strength]")) {
  const meter = $("meter", field.form);
  meter.hidden = false;
  field.addEventListener("input", () => {
    const kinds = [/[a-z]/, /[A-Z]/, /\d/, /[^a-zA-Z\d]/].filter((kind) => kind.test(field.value)).length;
    meter.value = field.value.length < 10 ? Math.min(1, field.value.length) : Math.min(4, kinds + (field.value.length >= 14));
  });
}

// One tick for all of the page; the bar says how many are meant, those of other pages too.
for (const all of $$("[data-all]")) {
  all.hidden = false;
  const ticks = () => $$(`input[name=${all.dataset.all}][type=checkbox]`);
  const beyond = $$(`input[name=${all.dataset.all}][type=hidden]:is(#bulk *, [form=bulk])`);
  const count = () => {
    const n = ticks().filter((tick) => tick.checked).length;
    all.checked = n > 0 && n === ticks().length;
    all.indeterminate = n > 0 && !all.checked;
    if (n === 0) beyond.forEach((one) => one.remove());
    const words = $("[data-picked]");
    if (words) words.textContent = `已选 ${n + (n ? beyond.length : 0)}`;
  };
  all.addEventListener("change", () => (ticks().forEach((tick) => (tick.checked = all.checked)), count()));
  addEventListener("change", (event) => event.target.name === all.dataset.all && count());
  for (const off of $$("[data-untick]")) {
    off.hidden = false;
    off.addEventListener("click", () => (ticks().forEach((tick) => (tick.checked = false)), count()));
  }
  addEventListener("pageshow", count);
}

// Rows of one verdict alone: what is folded opens, and what is ticked elsewhere is not forgotten.
for (const pick of $$(".pick")) {
  const said = $("[data-ticked]");
  // Of rows that are not listed their places are sent, as `3-5,9`.
  const rows = (tick) => (tick.name === "row" ? 1 : tick.value.split(",").reduce((n, span) => ((span = span.split("-")), n + (span.at(-1) - span[0] + 1)), 0));
  const count = (ticks) => ticks.reduce((n, tick) => n + rows(tick), 0);
  const tell = () => {
    const ticks = $$(".verdict :is([name=row], [name=rest]):checked");
    const away = count(ticks.filter((tick) => !tick.checkVisibility()));
    said.textContent = ticks.length ? `已勾选 ${count(ticks)} 行${away ? `，其中 ${away} 行现在没有显示，也会导入` : ""}` : "";
  };
  pick.addEventListener("change", () => {
    const only = $(`details.of-${$(":checked", pick).value}`);
    if (only) only.open = true;
  });
  if (said) {
    addEventListener("change", tell);
    addEventListener("pageshow", tell);
  }
}

// Whom a parcel goes to is shown in full where it stands: the number that was typed beside it, and the list, stay.
addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-reveal]");
  const place = form?.closest(".to");
  if (!place) return;
  event.preventDefault();
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
  const whole = answer?.ok && !answer.redirected && $("#ship .to", new DOMParser().parseFromString(await answer.text(), "text/html"));
  if (!whole) return form.submit();
  place.replaceWith(whole);
  copies(whole);
  const again = refused && $$("form", whole).find((form) => form.getAttribute("action") === refused.to);
  if (!again) return $("[data-focus]")?.focus();
  refill(again, refused.kept);
  for (const name of wrong) again.elements[name].ariaInvalid = "true";
  const first = again.elements[wrong[0]];
  first?.closest("label").after(Object.assign(document.createElement("small"), { className: "bad", textContent: $(".flash.error .grow")?.textContent ?? "" }));
  first?.focus();
  again.scrollIntoView({ block: "center" });
});

// Stock is counted row by row: what was typed into the others is there again when one of them has been saved, and the cursor is
// in the next.
const counted = $$("form[action$='/stock']:has([name=on_hand])");
addEventListener("submit", ({ target }) => {
  if (!counted.includes(target)) return;
  const others = counted.map((form) => (form === target ? "" : form.elements.on_hand.value));
  sessionStorage.setItem("counted", JSON.stringify({ page: location.pathname, row: counted.indexOf(target), others }));
});
if (counted.length && sessionStorage.getItem("counted")) {
  const { page, row, others } = JSON.parse(sessionStorage.getItem("counted"));
  sessionStorage.removeItem("counted");
  if (page === location.pathname && others.length === counted.length) {
    counted.forEach((form, n) => others[n] && (form.elements.on_hand.value = others[n]));
    if (!$(".flash.error")) counted[row + 1]?.elements.on_hand.focus();
  }
}

// The camera reads into a field; what it needs is loaded when somebody asks for it.
for (const button of $$("[data-camera]")) {
  if (!navigator.mediaDevices) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { scan } = await import("/static/camera.js");
    laid();
    const found = await scan();
    await lifted();
    const field = document.getElementById(button.dataset.camera);
    if (!found || !field) return;
    field.value = found;
    tone(true);
    const form = field.form;
    field.closest("[data-scan]") ? form.requestSubmit() : field.focus();
  });
}

// At the packing table nobody looks at the screen: what went well and what did not is heard, and what was sent stays listed.
function tone(well) {
  const audio = new AudioContext();
  const sound = audio.createOscillator();
  const volume = audio.createGain();
  sound.type = well ? "sine" : "square";
  sound.frequency.value = well ? 1320 : 180;
  volume.gain.setValueAtTime(0.2, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + (well ? 0.15 : 0.6));
  sound.connect(volume).connect(audio.destination);
  sound.start();
  sound.stop(audio.currentTime + (well ? 0.15 : 0.6));
}
// A label that is scanned while one page goes and the next one comes arrives in two parts, and the rest of a number may be
// another one: such a scan counts for nothing, to its end, and what the page that went has heard of it is told by this one.
const PAUSE = 300;
window.early?.end();
const halved = Date.now() - Number(sessionStorage.getItem("missed") ?? 0) < 200 * PAUSE;
sessionStorage.removeItem("missed");
const tellLost = () => (tone(false), brief("换页时扫的没有收全，没有记下：请再扫一次"));
// A page that nothing is scanned into tells it as well: the one that went has not.
if (!gun && halved) setTimeout(tellLost, 2 * PAUSE);
if (gun) {
  let last = early.last;
  let missed = early.ended || halved;
  let cut = (early.keys > 0 || missed) && !early.ended;
  const lost = () => {
    missed = false;
    tellLost();
  };
  if (early.keys || early.ended) gun.value = gun.defaultValue;
  if (gun.autofocus) gun.focus({ preventScroll: true });
  // At a desk the next scan takes the place of what was refused and stands there again; what has begun to come is left alone.
  if (gun.closest("[data-scan]")) {
    if (!early.typed) gun.select();
    addEventListener("pageshow", ({ persisted }) => persisted && gun.select());
  }
  // After the tone of what went well before it, and once with the end that may come yet.
  setTimeout(() => missed && lost(), 2 * PAUSE);
  // What is left of a label that is cut may halt, and is no beginning then.
  let halts = 4 * PAUSE;
  addEventListener("keydown", (event) => {
    const ends = event.key === "Enter";
    if (event.ctrlKey || event.metaKey || event.altKey || (event.key.length > 1 && !ends)) return;
    // The field has no cursor before the page is first drawn: what went past it is the beginning of something, unless the page itself has
    // a use for it.
    if (!event.target.matches("input, textarea, select")) {
      const was = cut;
      // What ends outside a field is over: it is told here, or by whoever says that the cursor was not in the field.
      if (ends) return (cut = false), was && event.timeStamp - last < halts && setTimeout(() => event.defaultPrevented || lost());
      setTimeout(() => event.defaultPrevented && (cut = was));
      [cut, halts, last] = [true, PAUSE, event.timeStamp];
      return;
    }
    if (event.timeStamp - last > (cut ? halts : PAUSE)) [cut, halts] = [!ends && (missed || early.isRest(event)), 4 * PAUSE];
    last = event.timeStamp;
    if (gun.form.dataset.sent) return ends || sessionStorage.setItem("missed", Date.now());
    if (!cut) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    if (!ends) return;
    cut = false;
    lost();
  }, true);
  // A click on nothing does not take the scanner's cursor away; on an order's page in the hand it would bring the keyboard up.
  const stays = !gun.closest("[data-scan]") && handy.matches;
  const takes = "a, button, input, select, textarea, label, summary, dialog";
  addEventListener("click", ({ target }) => stays || target.closest(takes) || String(getSelection()) || gun.focus());
}
// Whoever scans hears what became of it: through a list, beside it, and at the desk where codes are checked, which keeps none.
const walked = sessionStorage.getItem("walked");
sessionStorage.removeItem("walked");
const bench = $("[data-done]") && $("[data-scan]");
const refusal = $(".flash.error, main .strip.red[role=alert]");
if (walked && (refusal || (!bench && $(".flash, [data-found]")))) tone(!refusal);
addEventListener("submit", ({ target: form, defaultPrevented }) => {
  const heard = gunOf(form) || form.matches("[data-found] form, #drawer #ship-form") || ($(".walk") && form.matches("#ship-form"));
  if (heard && !defaultPrevented) sessionStorage.setItem("walked", "yes");
});
if (bench) {
  const field = $("[name=code]", bench);
  const done = JSON.parse(sessionStorage.getItem("sent") ?? "[]");
  const said = $(".flash");
  // Another order's slip while this one waits for its label: who does not look hears that something was left out.
  const passed = said?.textContent.includes("上一单还没有发");
  if (said && !(walked && refusal)) tone(!passed && !said.classList.contains("error"));
  const sent = said?.textContent.match(/✓ (\w{18}) (.+)/);
  if (sent && !done.some(([no, words]) => no === sent[1] && words === sent[2])) {
    done.unshift([sent[1], sent[2].replace(/撤销\s*$/, "").trim()]);
    sessionStorage.setItem("sent", JSON.stringify(done.slice(0, 200)));
  }
  $("[data-done-count]").textContent = done.length ? `${done.length} 单` : "";
  $("[data-done-empty]").hidden = done.length > 0;
  for (const [no, words] of done.slice(0, 12)) {
    const item = document.createElement("li");
    const link = Object.assign(document.createElement("a"), { href: `/admin/orders/${no}`, textContent: no.slice(-6), className: "mono" });
    item.append(link, Object.assign(document.createElement("span"), { className: "grow s cut", textContent: words.replace(/^已发货 /, "") }));
    $("[data-done]").append(item);
  }
  // A barcode of the goods ticks them off; anything else is the parcel's number.
  const goods = $$("[data-codes]", bench).filter((item) => item.dataset.codes);
  const carries = (item, code) => item.dataset.codes.toUpperCase().split("\n").includes(code);
  $$("[data-goods-hint]").forEach((hint) => (hint.hidden = !goods.length));
  // What was ticked off outlives whatever else is scanned before the order is sent.
  const of = $("h2.no", bench)?.textContent;
  const kept = JSON.parse(sessionStorage.getItem("packed") ?? "{}");
  const packed = of && kept.of === of ? kept : { of, left: goods.map((item) => Number(item.dataset.left)), over: [] };
  const name = (item) => $(".grow", item).textContent.trim().replace(/\s+/g, " ");
  const show = () => goods.forEach((item, i) => item.classList.toggle("packed", packed.left[i] === 0));
  const hint = document.createElement("p");
  hint.role = "alert";
  const tell = (words) => Object.assign(hint, { className: "strip amber", textContent: words }) && $(".goods-list", bench).before(hint);
  let asked;
  show();
  field.form.addEventListener("submit", (event) => {
    const code = field.value.trim().toUpperCase();
    const at = [...goods.keys()].filter((i) => carries(goods[i], code)).sort((a, b) => packed.left[b] - packed.left[a])[0];
    if (at === undefined) {
      // A check that was begun is ended, or somebody says that it is not to be; what no parcel's number can be, the shop says.
      const missing = goods.flatMap((item, i) => (packed.left[i] ? `${name(item)} 还差 ${packed.left[i]} 件` : []));
      const begun = packed.over.length || goods.some((item, i) => packed.left[i] < Number(item.dataset.left));
      const wrong = [...missing, ...packed.over.map((one) => `${one} 多扫了`)];
      if (!begun || !wrong.length || asked === code || /^(20\d{6}[0-9A-Z]{10}|69\d{11})$/.test(code)) return;
      event.preventDefault();
      asked = code;
      tone(false);
      tell(`商品没有核对完：${wrong.join("，")}。核对好再扫面单；就这样发，再扫一次面单。`);
      return field.select();
    }
    event.preventDefault();
    for (const before of [said, hint]) before?.remove();
    tone(packed.left[at] > 0);
    if (packed.left[at] > 0) packed.left[at] -= 1;
    else {
      packed.over = [...new Set([...packed.over, name(goods[at])])];
      tell(`「${name(goods[at])}」多了一件，请从包裹里拿出来。`);
    }
    sessionStorage.setItem("packed", JSON.stringify(packed));
    show();
    field.value = "";
  });
  field.focus();
}

// What is opened over the page closes when somebody goes on elsewhere. On a phone that is all that such a tap does: what lies
// under it was not meant.
addEventListener("click", (event) => {
  const left = $$("details.pop[open], .rail details[open]").filter((box) => !(box.closest(".rest") ?? box).contains(event.target));
  left.forEach((box) => (box.open = false));
  if (left.length && handy.matches) event.preventDefault(), event.stopImmediatePropagation();
}, true);
addEventListener("keydown", (event) => event.key === "Escape" && $$("details.pop[open]").forEach((box) => (box.open = false)));

// Whoever came to ship types the number at once.
const aim = () => {
  const field = { "#ship": $("[data-focus]"), "#memo": $("textarea[name=memo]") }[location.hash];
  field?.focus();
  if (field?.matches("input")) field.select();
};
// A browser that goes to a place in the page takes the cursor away, so it is set once all that is done.
addEventListener("load", () => setTimeout(aim));
addEventListener("hashchange", aim);

// Carriers are offered to whoever begins to write one.
addEventListener("focusin", async ({ target }) => {
  const list = target.matches?.("input[list=carriers]") && $("[data-carriers]:empty");
  if (!list) return;
  const names = await fetch("/admin/shipping/carriers").then((answer) => (answer.ok ? answer.json() : []), () => []);
  list.replaceChildren(...names.map((value) => Object.assign(document.createElement("option"), { value })));
});

// What only this script opens is made by it.
const dialog = (id, html) => {
  const made = Object.assign(document.createElement("dialog"), { id, innerHTML: html });
  if ("toShip" in document.body.dataset) document.body.append(made);
  return made;
};
const KEYS = ["/ 搜索", "g h 首页", "g o 订单", "g p 商品", "g r 售后", "g t 交易流水", "g m 对账", "j / k 下一个 / 上一个", "Enter 打开", "Alt+↑↓ 上一单 / 下一单", "x 勾选", "s 发货", "p 打印", "m 写备注", "? 这个帮助"];
const keys = KEYS.map((line) => line.match(/^(j \/ k|g \w|\S+) (.+)$/)).map(([, key, what]) => `<dt>${key}</dt><dd>${what}</dd>`);
const help = dialog("help", `<h2>键盘快捷键</h2><dl class="keys">${keys.join("")}</dl><form method="dialog"><button class="btn">知道了</button></form>`);
help.setAttribute("aria-label", "键盘快捷键");

// The order opens beside the list, and the arrows go on to the next; with a key held, or without this, it opens as a page.
const drawer = dialog("drawer", '<div></div><form method="dialog"><button class="btn">关闭</button></form>');
drawer.setAttribute("aria-label", "订单预览");
const previews = $$("[data-preview]");
let shown = -1;
let turns = 0;
// A number that was typed and not sent is there again when its order is, beside the list or on its page; the next scan takes its
// place.
const unsent = JSON.parse(sessionStorage.getItem("unsent") ?? "{}");
const begun = (form, words) => {
  unsent[form.getAttribute("action")] = words;
  sessionStorage.setItem("unsent", JSON.stringify(unsent));
};
const begins = (inside) => {
  const field = $("#ship-form [data-focus]", inside);
  if (!field) return;
  field.value ||= unsent[field.form.getAttribute("action")] ?? "";
  field.addEventListener("input", () => begun(field.form, field.value));
  field.form.addEventListener("submit", () => begun(field.form));
  if (field === document.activeElement) field.select();
  else field.addEventListener("focus", () => field.select(), { once: true });
};
begins(document);
// What is scanned while the drawer is on its way has lost its beginning when that opens: to its end it counts for nothing.
function awaited() {
  let [keys, last, open] = [0, 0, false];
  const hear = (event) => {
    if (event.key.length > 1 && event.key !== "Enter") return;
    const goesOn = keys && event.timeStamp - last < PAUSE;
    if (open && !goesOn) return removeEventListener("keydown", hear, true);
    if (event.key === "Enter" && keys < 3) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    [keys, last] = [keys + 1, event.timeStamp];
    if (event.key !== "Enter") return;
    keys = 0;
    tone(false);
    brief("打开时扫的没有收全，没有记下：请再扫一次");
  };
  addEventListener("keydown", hear, true);
  return { opened: () => (keys ? (open = true) : removeEventListener("keydown", hear, true)) };
}
async function peek(n) {
  const link = previews[n];
  if (!link) return;
  const scan = awaited();
  const turn = (turns += 1);
  const before = shown;
  shown = n;
  const answer = await fetch(`${link.pathname}/preview${link.search}`).catch(() => null);
  const preview = await answer?.text().catch(() => null);
  // Who has gone on meanwhile, or has shut the drawer, looks at something else.
  if (turn !== turns) return scan.opened();
  if (!answer && !navigator.onLine) {
    shown = before;
    scan.opened();
    return brief("没有网络，没有打开：连上以后再按一次");
  }
  if (!answer?.ok || answer.redirected) return (location.href = link.href);
  $("div", drawer).innerHTML = preview;
  begins(drawer);
  $$("[data-here]", drawer).forEach((field) => (field.value = location.pathname + location.search));
  $$("[data-step]", drawer).forEach((button) => {
    const to = n + Number(button.dataset.step);
    button.disabled = !previews[to];
    button.addEventListener("click", () => peek(to));
    if (to > n && previews.length > 1) button.before(Object.assign(document.createElement("small"), { textContent: `${n + 1} / ${previews.length}` }));
  });
  if (!drawer.open) drawer.showModal(), laid();
  drawer.scrollTop = 0;
  const row = link.closest(".order, tr");
  // The keys go on from the row that is looked at, and the eye finds it again when the drawer is shut.
  mark(row);
  row?.scrollIntoView({ block: "nearest" });
  $("[data-focus]", drawer)?.focus({ preventScroll: true });
  scan.opened();
}
previews.forEach((link, n) =>
  link.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    peek(n);
  }),
);
if (refused?.to.endsWith("/address")) $("form[data-reveal]")?.requestSubmit();
if (refused) {
  const n = previews.findIndex((link) => `${link.pathname}/ship` === refused.to);
  const again = () => {
    const form = $("form[action$='/ship']", drawer);
    if (form) refill(form, refused.kept), $("div", drawer).prepend($(".flash.error").cloneNode(true));
  };
  if (n >= 0) peek(n).then(again);
}
// On a phone whatever lies over the page goes away by the way back, and the page stays. Who came from there to another page finds
// what lay over it gone, and one step back is one.
function laid() {
  if (handy.matches) history.pushState({ ...history.state, over: true }, "");
}
const lifted = () => {
  if (!history.state?.over) return;
  history.back();
  return new Promise((done) => addEventListener("popstate", done, { once: true }));
};
const sheets = $$("details.pop:not([open]), .rest details");
sheets.forEach((sheet) => sheet.addEventListener("toggle", () => (sheet.open ? laid() : lifted())));
// Whoever corrects a row types its number.
$$(".t-ship details").forEach((row) => row.addEventListener("toggle", () => row.open && $("[name=tracking_no]", row).select()));
addEventListener("popstate", () => {
  if (!handy.matches) return;
  $$("dialog[open]").forEach((one) => one.close());
  sheets.forEach((sheet) => (sheet.open = false));
});
addEventListener("pageshow", lifted);
drawer.addEventListener("close", () => ((turns += 1), lifted()));
drawer.addEventListener("click", (event) => event.target === drawer && drawer.close());
drawer.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step && !event.target.closest("select, textarea, [type=number]")) (event.preventDefault(), peek(shown + step));
});

// Price and stock are changed in the list, each in its cell; of a product with several specs no cell holds all of them, so
// their fields open over it, and what is wrong is said beside them.
const over = document.createElement("dialog");
over.setAttribute("aria-label", "改价和库存");
// What was typed and not saved is there again; only who gives it up loses it.
const halves = new Map();
const quick = async (link, first) => {
  const answer = await fetch(`${link.pathname.replace(/\/stock$/, "")}/quick`).catch(() => null);
  if (!answer?.ok || answer.redirected) return (location.href = link.href);
  fill(await answer.text());
  const form = $("form", over);
  const typed = halves.get(form.action) ?? [];
  typed.forEach(([name, value]) => form.elements[name] && (form.elements[name].value = value));
  over.showModal();
  laid();
  $(`[name$='${first}']`, over)?.select();
};
const fill = (html) => {
  over.innerHTML = html;
  $("[data-here]", over).value = location.pathname + location.search;
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn", textContent: "取消" });
  close.addEventListener("click", () => (halves.delete($("form", over).action), over.close()));
  $("form > p:last-child .main", over).after(close);
  ($("[aria-invalid]", over) ?? over).focus();
};
over.addEventListener("close", lifted);
over.addEventListener("input", ({ target }) => {
  const { action } = target.form;
  halves.set(action, [...(halves.get(action) ?? []), [target.name, target.value]]);
});
over.addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  const form = event.target;
  const slips = slipsOf($$("[name$='.price']", form));
  if (slips) {
    $(".strip", over)?.remove();
    return form.before(Object.assign(document.createElement("p"), { className: "strip amber", role: "alert", textContent: slips }));
  }
  const fields = new URLSearchParams(new FormData(form));
  fields.set("over", "true");
  $("button", form).setAttribute("aria-busy", "true");
  const answer = await fetch(form.action, { method: "POST", body: fields, redirect: "manual" }).catch(() => null);
  // Where it leads to it does not tell: back to the list, or to the login.
  const saved = answer?.type === "opaqueredirect";
  if (saved && !lapsed(await fetch(form.action).catch(() => null))) return location.reload();
  $("button", form).removeAttribute("aria-busy");
  if (answer && !saved && answer.status < 500) return fill(await answer.text());
  $(".strip", over)?.remove();
  const problem = saved ? "没有保存：登录过期了。在另一个窗口登录后再点保存" : answer ? "没有保存，请重试" : "没有保存：连不上店铺，请检查网络再试";
  form.before(Object.assign(document.createElement("p"), { className: "strip red", role: "alert", textContent: problem }));
});
const cells = $("[data-sku]") && import("/static/cell.js");
for (const link of $$("[data-quick]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (link.dataset.sku) return (await cells).begin(link);
    document.body.append(over);
    quick(link, link.dataset.quick === "stock" ? ".on_hand" : ".price");
  });
}

// What only a script can do is put there by it.
const helper = document.createElement("button");
Object.assign(helper, { type: "button", className: "foot", innerHTML: `${line("keyboard")}快捷键` });
helper.addEventListener("click", () => help.showModal());
$(".rail")?.append(helper);

// A row of the table has no field for its memo: one opens over it, and the list stays as it does with the cards.
function memo(row) {
  const field = $("[name=memo]", row);
  const no = $("[name=order]", row)?.value;
  if (field) return field.focus(), field.setSelectionRange(field.value.length, field.value.length);
  if (!no) return;
  const box = document.createElement("dialog");
  box.innerHTML = `<form class="stack" method="post" action="/admin/orders/${no}/memo"><label>备注 <span class="mono">${no.slice(-6)}</span><textarea name="memo" rows="3" maxlength="500"></textarea></label><p class="line"><button class="btn main">保存</button><button type="button" class="btn">取消</button></p></form>`;
  const [form, words, cancel] = [$("form", box), $("textarea", box), $("[type=button]", box)];
  words.value = row.dataset.memo ?? "";
  words.setSelectionRange(words.value.length, words.value.length);
  words.addEventListener("input", () => words.setCustomValidity(""));
  words.addEventListener("keydown", (event) => event.key === "Enter" && !event.shiftKey && (event.preventDefault(), form.requestSubmit()));
  cancel.addEventListener("click", () => box.close());
  box.addEventListener("close", () => (box.remove(), row.focus()));
  let asked = false;
  box.addEventListener("cancel", (event) => {
    if (asked || words.value.trim() === (row.dataset.memo ?? "")) return;
    event.preventDefault();
    asked = true;
    words.setCustomValidity("还没有保存：按 Enter 保存，再按一次 Esc 就不要了");
    words.reportValidity();
  });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (words.readOnly) return;
    const body = new URLSearchParams(new FormData(form));
    body.set("was", row.dataset.memo ?? "");
    words.readOnly = true;
    $(".main", form).setAttribute("aria-busy", "true");
    const answer = await fetch(form.action, { method: "POST", body }).catch(() => null);
    const { refusal, kept = words.value.trim() } = lapsed(answer) ? { refusal: "登录过期了，在另一个窗口登录后再点保存" } : await outcome(answer);
    words.readOnly = false;
    $(".main", form).removeAttribute("aria-busy");
    words.setCustomValidity(refusal ? `没有存上：${refusal}。写的还在这里` : "");
    if (refusal) return typed.add(words), words.reportValidity();
    if (kept.trim() !== words.value.trim()) brief(TOGETHER);
    row.dataset.memo = kept;
    const shown = $("[data-memo]", row);
    if (shown) shown.textContent = row.dataset.memo;
    box.close();
  });
  document.body.append(box);
  box.showModal();
}

const cards = $$(".order, article.card, #list tbody tr");
cards.forEach((card) => (card.tabIndex = -1));
let current = -1;
// Whoever comes back to a list goes on at the row that he went away from.
const mark = (row) => {
  current = cards.indexOf(row);
  cards.forEach((card) => card.classList.toggle("current", card === row));
};
addEventListener("click", ({ target }) => {
  const row = target.closest("a[href]")?.closest(".order, article.card, #list tbody tr");
  if (row) history.replaceState({ row: cards.indexOf(row) }, "");
});
addEventListener("pageshow", () => {
  // What was shipped from the drawer led back here: the next one stands where it stood.
  const { page, row: at } = JSON.parse(sessionStorage.getItem("drawn") ?? "{}");
  sessionStorage.removeItem("drawn");
  const row = page === location.pathname + location.search ? cards[Math.min(at, cards.length - 1)] : cards[history.state?.row];
  if (!row || drawer.open || document.activeElement !== document.body) return;
  mark(row);
  row.focus({ preventScroll: true });
  if (page) row.scrollIntoView({ block: "center" });
});
drawer.addEventListener("submit", () => sessionStorage.setItem("drawn", JSON.stringify({ page: location.pathname + location.search, row: current })));
// Whoever presses on a card means the order: on a desk it opens beside the list, on a phone as a page. A row of a table is its link,
// as it is on a phone; who leaves a cell that he was writing in means that alone.
let writing = false;
addEventListener("pointerdown", () => (writing = !!$(".incell")), true);
const pressed = ({ target, button, defaultPrevented, ctrlKey, metaKey }) => {
  const row = target.closest(".order, .tbl tbody tr");
  const to = row && $(row.matches(".order") ? "a" : ".ka a, :is(.t-log, .t-days) td:first-child a", row);
  if (!to || button > 1 || writing || defaultPrevented || target.closest("a, button, input, label, form:not(#bulk), select, summary, dialog") || String(getSelection())) return;
  if (button || ctrlKey || metaKey) return open(to.href);
  const link = $("[data-preview]", row);
  if (link && !handy.matches) return peek(previews.indexOf(link));
  history.replaceState({ row: cards.indexOf(row) }, "");
  location.href = to.href;
};
addEventListener("click", pressed);
addEventListener("auxclick", pressed);
let prefix = "";
const go = { o: "/admin/orders", p: "/admin/products", r: "/admin/refunds", t: "/admin/transactions", m: "/admin/money", h: "/admin" };
let scanned = "";
addEventListener("keydown", (event) => {
  // Through the list from order to order, wherever the cursor is.
  const walks = event.altKey && !event.target.closest("select") && $(`.walk [rel=${{ ArrowUp: "prev", ArrowDown: "next" }[event.key]}]`);
  // What is saved when one leaves its field is left first.
  if (walks) return event.preventDefault(), document.activeElement.blur(), walks.click();
  // A box that was ticked by the mouse takes no letters.
  const typing = event.target.closest("input:not([type=checkbox], [type=radio]), textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key;
  const at = cards.indexOf(event.target.closest(".order, tr"));
  if (at >= 0 && at !== current) mark(cards[at]);
  // A label that is scanned where no parcel's number is asked for went nowhere, and that is heard. Keys that mean something are
  // small letters.
  if (/^[0-9A-Z-]$/.test(key)) scanned += key;
  else if (key.length === 1) scanned = "";
  else if (key === "Enter") {
    const number = scanned;
    scanned = "";
    if (number.length > 5) {
      event.preventDefault();
      tone(false);
      const form = gun?.form ?? $(".page:has(.walk) #ship-form, #drawer[open] #ship-form");
      const field = form && gunOf(form);
      if (field) return field.focus(), field.select(), brief("光标不在框里，没有记下；现在回到框里了，请再扫一次");
      if (!form) return brief(`扫到的 ${number} 没有记下：请到扫码台，或打开要发的那一单再扫`);
      const told = $(":scope > .strip.red", form) ?? document.createElement("p");
      Object.assign(told, { className: "strip red", role: "alert", textContent: `这一单不用快递单号，${number} 没有记下。` });
      return form.prepend(told);
    }
  }
  if (event.target.closest("dialog")) return;
  if (prefix === "g" && go[key]) location.href = go[key];
  prefix = key === "g" ? "g" : "";
  if (key === "/") {
    event.preventDefault();
    $("input[type=search]")?.focus();
  } else if (key === "?") {
    help.isConnected && help.showModal();
  } else if ((key === "j" || key === "k") && cards.length) {
    current = Math.min(Math.max(current + (key === "j" ? 1 : -1), 0), cards.length - 1);
    mark(cards[current]);
    cards[current].focus({ preventScroll: true });
    cards[current].scrollIntoView({ block: "nearest" });
  } else if (current >= 0 && key === "x") {
    $("input[type=checkbox]", cards[current])?.click();
  } else if (current >= 0 && key === "m") {
    event.preventDefault();
    memo(cards[current]);
  } else if (key === "s") {
    const row = cards[current];
    const ship = row && $("a[href$='#ship'], a[data-do]", row);
    event.preventDefault();
    if (ship) location.href = ship.href;
    else if (row && $("[name=order]", row)) brief(`${$("[name=order]", row).value.slice(-6)} ${$(".status", row)?.textContent.trim() ?? ""}：没有要发的`);
    else $("[name=tracking_no]")?.focus();
  } else if (key === "p") {
    const print = current >= 0 ? $("[name=order]", cards[current]) : null;
    if ($("[name=order]:checked")) $("[formaction='/admin/print/slips']")?.click();
    else if (print) location.href = `/admin/print/slips?order=${print.value}`;
    else if ($("a[href^='/admin/print/slips']")) location.href = $("a[href^='/admin/print/slips']").href;
  } else if (key === "Enter" && current >= 0 && event.target === cards[current]) {
    history.replaceState({ row: current }, "");
    location.href = $("a", cards[current]).href;
  }
});

// Only where somebody is logged in is there anything to hear.
const inside = "toShip" in document.body.dataset;
let known = Number(document.body.dataset.toShip);
const title = document.title;
const live = document.createElement("span");
const sound = document.createElement("button");
live.className = "live only-l";
Object.assign(sound, { type: "button", className: "btn icon bare", ariaLabel: "新订单提示音", innerHTML: line("bell") });
$(".top > .who")?.before(live, sound);
const muted = () => localStorage.getItem("sound") !== "on";

function ring() {
  const audio = new AudioContext();
  [880, 1175].forEach((pitch, i) => {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, audio.currentTime + i * 0.18);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + i * 0.18 + 0.35);
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + i * 0.18);
    tone.stop(audio.currentTime + i * 0.18 + 0.4);
  });
}

// Orders that came after the list was made are told beside it: nothing moves under the hand that is about to press.
const list = $("[data-since]");
const since = list ? `?since=${list.dataset.since}` : "";
const news = Object.assign(document.createElement("p"), { className: "news" });
news.setAttribute("role", "status");
list?.before(news);
function announce(n) {
  const words = n ? `${n} 个新订单${"behind" in (list?.dataset ?? {}) ? "排在最后" : ""}，点此刷新` : "";
  if (!list || news.textContent === words) return;
  news.replaceChildren();
  if (n) news.append(Object.assign(document.createElement("a"), { className: "btn main", href: location.pathname + location.search, textContent: words }));
}

// A word about what was pressed, for a moment; over whatever lies over the page.
function brief(words) {
  $(".news.brief")?.remove();
  const said = Object.assign(document.createElement("p"), { className: "news brief", role: "status" });
  ($("dialog[open]") ?? $("main")).prepend(said);
  said.append(Object.assign(document.createElement("span"), { className: "btn", textContent: words }));
  setTimeout(() => said.remove(), 4000);
}

let heard = 0;
function tell({ counts, at, new: fresh }) {
  heard = Date.now();
  live.textContent = `实时 · ${at.slice(11)}`;
  if (!counts) return;
  const waiting = counts.to_ship ?? 0;
  if (waiting > known && !muted()) ring();
  known = waiting;
  $$("[data-count=to_ship]").forEach((place) => (place.textContent = waiting));
  announce(fresh);
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

async function pulse() {
  try {
    const answer = await fetch(`/admin/pulse${since}`, { redirect: "error" });
    tell(await answer.json());
  } catch {
    live.textContent = "连接断开，正在重试…";
  }
}

// Told at once while the page is looked at; asked for now and then when it is not, or when nothing was heard. A browser
// keeps only a few connections open, so pages in the background must not hold one each.
let events;
function listen() {
  events?.close();
  events = null;
  if (!inside || !window.EventSource || document.hidden) return;
  events = new EventSource(`/admin/events${since}`);
  events.onmessage = (event) => tell(JSON.parse(event.data));
}
listen();
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => events?.close());
addEventListener("pageshow", (event) => event.persisted && listen());

function labelled() {
  sound.ariaPressed = String(!muted());
  sound.title = muted() ? "新订单不响，点一下打开提示音" : "新订单会响，点一下关闭提示音";
}
labelled();
sound.addEventListener("click", () => {
  localStorage.setItem("sound", muted() ? "on" : "off");
  if (!muted()) ring();
  labelled();
});
setInterval(() => inside && Date.now() - heard > 25_000 && pulse(), 10_000);
