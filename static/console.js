// Comfort on top of pages that work without it: copying, shortcuts, and the sound of a new order.
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];

for (const button of $$(".copy")) {
  if (!navigator.clipboard) break;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const words = button.textContent;
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "已复制 ✓";
    setTimeout(() => (button.textContent = words), 1200);
  });
}

// A form is sent once, however often its button is pressed; coming back to the page makes it usable again.
for (const form of $$("form[method=post]:not([data-download])")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}
addEventListener("pageshow", () => $$("form[data-sent]").forEach((form) => delete form.dataset.sent));

// A memo is saved when its field is left.
for (const field of $$("[data-save]")) {
  const form = field.form;
  $("button", form).hidden = true;
  field.addEventListener("change", async () => {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) }).catch(() => null);
    field.classList.toggle("saved", answer?.ok ?? false);
    field.title = answer?.ok ? "已保存 ✓" : "没有保存，请重试";
  });
}

// A column's head sorts the rows that are here: numbers by their size, the rest as Chinese is sorted.
for (const table of $$("table.list")) {
  const body = $("tbody", table);
  if (!body || body.rows.length < 2 || $("[colspan]", body)) continue;
  const order = new Intl.Collator("zh-CN", { numeric: true });
  const cell = (row, n) => row.cells[n].textContent.trim();
  const number = (text) => (/^[−-]?[¥+]?[−-]?[\d,.]+%?$/.test(text) ? Number(text.replace("−", "-").replace(/[¥,+%]/g, "")) : NaN);
  $$("thead th", table).forEach((head, n) => {
    if (!head.textContent.trim() || $(".visually-hidden", head)) return;
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
  const button = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "显示" });
  field.after(button);
  button.addEventListener("click", () => {
    field.type = field.type === "password" ? "text" : "password";
    button.textContent = field.type === "password" ? "显示" : "隐藏";
  });
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

// One tick for all.
for (const all of $$("[data-all]")) {
  all.hidden = false;
  const ticks = () => $$(`input[name=${all.dataset.all}][type=checkbox]`);
  const words = all.nextElementSibling;
  const count = () => {
    const n = ticks().filter((tick) => tick.checked).length;
    words.textContent = n ? `已选 ${n}` : "全选";
  };
  all.addEventListener("change", () => (ticks().forEach((tick) => (tick.checked = all.checked)), count()));
  addEventListener("change", (event) => event.target.name === all.dataset.all && count());
}

// The order opens beside the list; with a key held, or without this, it opens as a page.
const drawer = $("#drawer");
for (const link of $$("[data-preview]")) {
  link.addEventListener("click", async (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey || !drawer) return;
    event.preventDefault();
    const answer = await fetch(link.dataset.preview).catch(() => null);
    if (!answer?.ok) return (location.href = link.href);
    $("div", drawer).innerHTML = await answer.text();
    drawer.showModal();
  });
}
drawer?.addEventListener("click", (event) => event.target === drawer && drawer.close());

for (const button of $$("[data-help]")) {
  button.hidden = false;
  button.addEventListener("click", () => $("#help").showModal());
}

const cards = $$(".order, tr.row");
let current = -1;
let prefix = "";
const go = { o: "/admin/orders", p: "/admin/products", r: "/admin/refunds", t: "/admin/transactions", m: "/admin/money", h: "/admin" };
addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, dialog");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  const key = event.key;
  if (prefix === "g" && go[key]) location.href = go[key];
  prefix = key === "g" ? "g" : "";
  if (key === "/") {
    event.preventDefault();
    $("input[type=search]")?.focus();
  } else if (key === "?") {
    $("#help").showModal();
  } else if ((key === "j" || key === "k") && cards.length) {
    current = Math.min(Math.max(current + (key === "j" ? 1 : -1), 0), cards.length - 1);
    cards.forEach((card, i) => card.classList.toggle("current", i === current));
    cards[current].focus();
  } else if (current >= 0 && key === "x") {
    $("input[type=checkbox]", cards[current])?.click();
  } else if (current >= 0 && key === "m") {
    event.preventDefault();
    $("[name=memo]", cards[current])?.focus();
  } else if (key === "s") {
    const ship = current >= 0 ? $("a[href$='#ship']", cards[current]) : null;
    ship ? (location.href = ship.href) : $("[name=tracking_no]")?.focus();
  } else if (key === "p") {
    const print = current >= 0 ? $("[name=order]", cards[current]) : null;
    if (print) location.href = `/admin/print/slips?order=${print.value}`;
    else if ($("a[href^='/admin/print/slips']")) location.href = $("a[href^='/admin/print/slips']").href;
  } else if (key === "Enter" && current >= 0 && event.target === cards[current]) {
    location.href = $("a", cards[current]).href;
  }
});

// The product form: SKUs made from their specs, pictures dropped or pasted, and what a buyer will see.
const product = $("form.product");
if (product) {
  const body = $("table.skus tbody");
  const cell = (row, name) => $(`[name$=".${name}"]`, row);
  const rows = () => $$("tr", body);
  $(".matrix").hidden = false;
  $("#generate").addEventListener("click", () => {
    const names = $$("[data-spec=name]").map((field) => field.value.trim());
    const values = $$("[data-spec=values]").map((field) => field.value.trim().split(/[\s,，]+/).filter(Boolean));
    const chosen = names.map((name, i) => [name, values[i]]).filter(([name, list]) => name && list.length);
    const all = chosen.reduce((made, [name, list]) => made.flatMap((one) => list.map((value) => [...one, `${name}:${value}`])), [[]]);
    if (!chosen.length || all.length > 200) return;
    const there = new Set(rows().map((row) => cell(row, "specs").value));
    for (const specs of all.map((one) => one.join(";")).filter((specs) => !there.has(specs))) {
      let row = rows().find((row) => !cell(row, "known") && !cell(row, "specs").value && !cell(row, "price").value);
      if (!row) {
        row = body.lastElementChild.cloneNode(true);
        const n = rows().length;
        for (const field of $$("[name]", row)) field.name = field.name.replace(/\[\d+\]/, `[${n}]`);
        for (const name of ["code", "price", "market", "limit"]) cell(row, name).value = "";
        body.append(row);
      }
      cell(row, "specs").value = specs;
    }
  });
  $("#fill").addEventListener("click", () => {
    for (const fill of $$("[data-fill]").filter((field) => field.value.trim()))
      for (const row of rows().filter((row) => cell(row, "known") || cell(row, "specs").value || row === rows()[0]))
        cell(row, fill.dataset.fill).value = fill.value.trim();
    show();
  });

  const files = $("[name=images]", product);
  const box = $(".pictures", product);
  const add = (more) => {
    const all = new DataTransfer();
    for (const file of [...files.files, ...more].filter((file) => file.type.startsWith("image/"))) all.items.add(file);
    files.files = all.files;
    preview();
  };
  const preview = () => {
    $$(".fresh", box).forEach((old) => old.remove());
    for (const file of files.files) {
      const image = new Image(88, 88);
      image.className = "fresh";
      image.alt = "新图片";
      image.src = URL.createObjectURL(file);
      box.append(image);
    }
    show();
  };
  files.addEventListener("change", preview);
  product.addEventListener("dragover", (event) => (event.preventDefault(), box.classList.add("drop")));
  product.addEventListener("dragleave", () => box.classList.remove("drop"));
  product.addEventListener("drop", (event) => (event.preventDefault(), box.classList.remove("drop"), add(event.dataTransfer.files)));
  addEventListener("paste", (event) => event.clipboardData.files.length && add(event.clipboardData.files));
  // Which picture comes first is told by moving it there.
  for (const label of $$("label", box)) {
    const first = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "设为封面" });
    first.addEventListener("click", (event) => (event.preventDefault(), box.prepend(label), show()));
    label.append(first);
  }

  const screen = $(".phone");
  const show = () => {
    const prices = rows().filter((row) => cell(row, "enabled").checked).map((row) => Number(cell(row, "price").value)).filter((n) => n > 0);
    $("img", screen).src = $("img", box)?.src ?? "/static/icon.svg";
    $(".price", screen).textContent = prices.length ? `¥${Math.min(...prices).toFixed(2)}${new Set(prices).size > 1 ? " 起" : ""}` : "¥—";
    $("h2", screen).textContent = product.elements.name.value || "商品名称";
    $(".faint", screen).textContent = product.elements.subtitle.value;
    $(".text", screen).textContent = product.elements.detail.value;
  };
  screen.hidden = false;
  product.addEventListener("input", show);
  show();
}

// Only where somebody is logged in is there anything to hear.
const inside = "toShip" in document.body.dataset;
let known = Number(document.body.dataset.toShip);
const title = document.title;
const live = $("#live");
const sound = $("#sound");
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

let heard = 0;
function tell({ counts, at }) {
  heard = Date.now();
  if (live) live.textContent = `实时 · ${at.slice(11)}`;
  if (!counts) return;
  const waiting = counts.to_ship ?? 0;
  if (waiting > known && !muted()) ring();
  known = waiting;
  $$("[data-count=to_ship]").forEach((place) => (place.textContent = waiting));
  document.title = waiting ? `(${waiting}) ${title}` : title;
}

async function pulse() {
  try {
    const answer = await fetch("/admin/pulse", { redirect: "error" });
    tell(await answer.json());
  } catch {
    if (live) live.textContent = "连接断开，正在重试…";
  }
}

// Told at once while the page is looked at; asked for now and then when it is not, or when nothing was heard. A browser
// keeps only a few connections open, so pages in the background must not hold one each.
let events;
function listen() {
  events?.close();
  events = null;
  if (!inside || !window.EventSource || document.hidden) return;
  events = new EventSource("/admin/events");
  events.onmessage = (event) => tell(JSON.parse(event.data));
}
listen();
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => events?.close());
addEventListener("pageshow", (event) => event.persisted && listen());

if (sound) {
  const show = () => {
    sound.setAttribute("aria-pressed", String(!muted()));
    sound.title = muted() ? "新订单不响，点一下打开提示音" : "新订单会响，点一下关闭提示音";
  };
  sound.hidden = false;
  show();
  sound.addEventListener("click", () => {
    localStorage.setItem("sound", muted() ? "on" : "off");
    if (!muted()) ring();
    show();
  });
}
setInterval(() => inside && Date.now() - heard > 25_000 && pulse(), 10_000);
