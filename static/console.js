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

const cards = $$(".order");
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
