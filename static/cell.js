// Price and stock are typed where they stand in the list of products: Enter saves, Esc gives up, Tab goes on to the next.
const make = (tag, props, ...inside) => {
  const made = Object.assign(document.createElement(tag), props);
  made.append(...inside);
  return made;
};
const icon = (name) => `<svg class="i sm" aria-hidden="true"><use href="/static/icons.svg#${name}"/></svg>`;
const REASONS = ["盘点", "进货", "损耗", "更正"];
// A thumb has no Enter: it presses the tick beside the field.
const byThumb = () => handy.matches || matchMedia("(pointer: coarse)").matches;
const HINT = { price: () => (byThumb() ? "点 ✓ 保存" : "Enter 保存 · Esc 放弃"), stock: () => "填数，或 +20、-3" };
const again = (words) => (byThumb() ? words.replace("按一次 Enter", "点一次 ✓").replace("再按 Enter", "再点 ✓") : words);
let reason = REASONS[0];

async function send(link, fields) {
  const body = new URLSearchParams({ sku: link.dataset.sku, ...fields });
  const answer = await fetch(`${link.pathname.replace(/\/stock$/, "")}/cell`, { method: "POST", body }).catch(() => null);
  if (!answer) return { problem: "没有存上：连不上店铺，请检查网络再试" };
  if (answer.redirected) return { problem: "没有存上：登录过期了，请在另一个窗口登录后再按 Enter" };
  return { ok: answer.ok, ...(await answer.json().catch(() => ({ problem: "没有存上，请重试" }))) };
}

// As the cell shows it, and as a field takes it.
const stands = (link) => {
  const column = link.dataset.quick;
  return { column, was: (link.querySelector("b") ?? link).textContent.replace(/[¥,\s]|可售/g, ""), held: link.dataset.held ?? 0 };
};

function show(row, { price, available, on_hand, held, low }) {
  for (const link of row.querySelectorAll("[data-quick]")) {
    if (link.dataset.quick === "price") {
      if (price !== undefined) link.firstElementChild.textContent = `¥${price}`;
    } else if (available !== undefined) {
      link.querySelector("b").textContent = available;
      link.classList.toggle("bad", available <= 0);
      link.classList.toggle("warn", available > 0 && low);
      link.dataset.held = held;
      const of = link.parentElement.querySelector("small");
      if (of) of.textContent = held ? `库存\u00a0${on_hand} 占用\u00a0${held}` : "";
    }
  }
}

// The strip of the page says it, and takes it back without leaving.
function tell(words, back, well = true) {
  document.querySelector(".strip.flash")?.remove();
  const look = { className: `strip ${well ? "green flash success" : "amber flash"} stays`, innerHTML: icon(well ? "circle-check" : "triangle-alert") };
  const strip = make("div", look, make("span", { className: "grow", textContent: words }));
  strip.setAttribute("role", "status");
  if (back) {
    const button = make("button", { type: "button", className: "btn sm", innerHTML: icon("undo-2") }, "撤销");
    button.addEventListener("click", async () => {
      button.setAttribute("aria-busy", "true");
      const told = await back();
      tell(told.ok ? `已撤销：${told.said}` : `没有撤销：${told.problem}`, null, told.ok);
    });
    strip.append(button);
  }
  document.querySelector("main").prepend(strip);
}

export function begin(link) {
  const row = link.closest("tr");
  const place = link.parentElement;
  const { column, ...seen } = stands(link);
  let { was, held } = seen;
  let sure = "";
  const field = make("input", { value: was, className: "num", inputMode: column === "price" ? "decimal" : "text", autocomplete: "off", enterKeyHint: "done" });
  field.setAttribute("aria-label", `${column === "price" ? "售价" : "可售"} ${row.querySelector(".name").textContent}`);
  const why = make("select", { value: reason }, ...REASONS.map((word) => make("option", { textContent: word, selected: word === reason })));
  why.setAttribute("aria-label", "库存变动原因");
  const save = make("button", { className: "btn main icon", title: "保存（Enter）", innerHTML: icon("check") });
  save.setAttribute("aria-label", "保存");
  const off = make("button", { type: "button", className: "btn bare icon", title: "放弃（Esc）", innerHTML: icon("x") });
  off.setAttribute("aria-label", "放弃");
  const hint = make("small", { textContent: HINT[column]() });
  hint.setAttribute("role", "status");
  const form = make("form", { className: "incell" }, field, ...(column === "stock" ? [why] : []), save, off, hint);
  const hidden = [...place.children];
  hidden.forEach((child) => (child.hidden = true));
  place.append(form);
  field.select();
  form.scrollIntoView({ block: "nearest" });

  let closed = false;
  const close = () => {
    closed = true;
    form.remove();
    hidden.forEach((child) => (child.hidden = false));
  };
  let asks = false;
  const wrong = ({ problem, now }) => {
    asks = !!now;
    if (now) ({ was, held = held, sure = "" } = now);
    hint.textContent = again(now && !sure ? `${problem}，再按一次 Enter 就用您填的` : problem);
    hint.className = "bad";
    field.setAttribute("aria-invalid", "true");
    field.select();
    form.scrollIntoView({ block: "nearest" });
  };
  let busy = false;
  async function commit(then) {
    if (busy) return;
    const same = field.value.trim() === was || (column === "price" && typedFen(field.value) === typedFen(was));
    if (same && !field.hasAttribute("aria-invalid")) return close(), then?.();
    busy = true;
    form.setAttribute("aria-busy", "true");
    reason = why.value;
    const told = await send(link, { column, value: field.value, was, held, reason, sure });
    busy = false;
    form.removeAttribute("aria-busy");
    if (!told.ok) return wrong(told);
    close();
    show(row, told);
    const now = column === "price" ? told.price : told.available;
    const back = async () => {
      const undone = await send(link, { column, value: was, was: String(now).replaceAll(",", ""), held: told.held, reason: "更正", sure: was });
      // Refused, because somebody was here since: what stands there now is shown all the same.
      if (undone.ok || undone.now) show(row, undone.now ?? undone);
      return undone;
    };
    tell(told.said, back);
    then?.();
  }
  // The next cell that can be typed into; of a product with several specs, its link.
  const next = (step) => {
    const all = [...document.querySelectorAll("[data-quick]")];
    const to = all[all.indexOf(link) + step];
    if (!to) return link.focus();
    to.dataset.sku ? begin(to) : to.focus();
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopPropagation();
    commit(() => link.focus());
  });
  off.addEventListener("click", () => (close(), link.focus()));
  form.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Escape") close(), link.focus();
    else if (event.key === "Tab" && event.target === field) {
      event.preventDefault();
      commit(() => next(event.shiftKey ? -1 : 1));
    } else if (event.key === "Enter" && event.target === why) {
      event.preventDefault();
      commit(() => link.focus());
    } else if (event.key === "ArrowDown" && event.target === field && why.isConnected) why.focus();
  });
  // Whoever goes on elsewhere on the page has typed it for a reason, and sees what came of it; who goes to what leads away from
  // it is asked when he leaves, and what the cell has asked is answered by a key or its button.
  form.addEventListener("focusout", ({ relatedTarget }) => !closed && !form.contains(relatedTarget) && !leads && !asks && document.hasFocus() && commit());
  opened.push(() => !closed && field.value.trim() !== was && field);
}

const opened = [];
let leads = false;
addEventListener("pointerdown", ({ target }) => (leads = !!target.closest("a[href]:not([data-quick]), form:not(.incell)")), true);
addEventListener("keydown", () => (leads = false), true);
addEventListener("beforeunload", (event) => {
  const field = opened.map((typed) => typed()).find(Boolean);
  if (!field) return;
  event.preventDefault();
  // Whoever stays goes on writing.
  setTimeout(() => field.focus());
});
