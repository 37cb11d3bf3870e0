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
for (const form of $$("form[method=post]")) {
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

async function pulse() {
  try {
    const answer = await fetch("/admin/pulse", { redirect: "error" });
    const { counts, at } = await answer.json();
    const waiting = counts.to_ship ?? 0;
    if (waiting > known && !muted()) ring();
    known = waiting;
    $$("[data-count=to_ship]").forEach((place) => (place.textContent = waiting));
    document.title = waiting ? `(${waiting}) ${title}` : title;
    if (live) live.textContent = `实时 · ${at.slice(11)}`;
  } catch {
    if (live) live.textContent = "连接断开，正在重试…";
  }
}

if (sound) {
  const show = () => (sound.textContent = muted() ? "打开" : "关闭");
  sound.hidden = false;
  show();
  sound.addEventListener("click", () => {
    localStorage.setItem("sound", muted() ? "on" : "off");
    if (!muted()) ring();
    show();
  });
}
pulse();
setInterval(pulse, 10_000);
