// The provinces of a freight template as a map: what each of them pays, and a press puts it into the row that is chosen. What is
// sent stays what stands in the table.
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const box = document.querySelector(".freight");
const tiers = box.querySelector(".tiers");
const rows = $$("table.skus tbody tr");
const fixed = rows[0].querySelector("input").matches(":disabled");
const field = (row, name) => row.querySelector(`[name$=".${name}"]`);
const places = (row) => (field(row, "regions")?.value ?? "").split(/[\s,，;；、]+/).filter(Boolean);
// 新疆 is also 新疆维吾尔自治区; a city of it is not all of it.
const same = (written, place) => written === place || (written.startsWith(place) && /^(省|市|(壮族|回族|维吾尔)?自治区|特别行政区)$/.test(written.slice(place.length)));
const has = (row, place) => places(row).some((written) => same(written, place));
const costs = (row) => field(row, "not_sent").checked ? "不送" : field(row, "first_fee").value.trim() && `¥${field(row, "first_fee").value.trim().replace(/\.00$/, "")}`;
const used = (row) => !field(row, "regions") || places(row).length > 0;
const name = (row) => field(row, "regions") ? field(row, "regions").value.trim() || "新的一行" : "其他地区";

const tiles = $$("button", box);
const [left, top] = ["x", "y"].map((way) => Math.min(...tiles.map((tile) => Number(tile.dataset[way]))));
// Of the rows that are kept ready the first is enough to choose.
let chosen = rows.find((row) => field(row, "regions") && !used(row)) ?? rows[0];
const of = (place) => rows.slice(1).find((row) => has(row, place)) ?? rows[0];

const choices = rows.map((row, n) => {
  const label = document.createElement("label");
  label.className = "tier line";
  label.innerHTML = `<input type="radio" name="" aria-label=""><i class="dot t${n % 6}"></i><span class="grow cut"></span><small></small><b></b>`;
  const radio = label.firstElementChild;
  radio.disabled = fixed;
  radio.addEventListener("change", () => ((chosen = row), show()));
  tiers.append(label);
  return label;
});
function show() {
  const shown = new Set([...rows.filter(used), rows.find((row) => !used(row)), chosen]);
  rows.forEach((row, n) => {
    const [radio, , words, count, price] = choices[n].children;
    choices[n].hidden = !shown.has(row) || (fixed && !used(row));
    radio.checked = row === chosen && !fixed;
    words.textContent = name(row);
    radio.setAttribute("aria-label", words.textContent);
    const n_of = tiles.filter((tile) => of(tile.firstChild.textContent) === row).length;
    count.textContent = n_of ? `${n_of} 省` : "";
    price.textContent = used(row) ? costs(row) || "" : "";
  });
  for (const tile of tiles) {
    const place = tile.firstChild.textContent;
    const row = of(place);
    tile.className = `t${rows.indexOf(row) % 6}${row === chosen ? " on" : ""}`;
    tile.lastChild.textContent = costs(row) || "";
    tile.setAttribute("aria-pressed", String(row === chosen));
  }
}
for (const tile of tiles) {
  tile.style.gridColumn = tile.dataset.x - left + 1;
  tile.style.gridRow = tile.dataset.y - top + 1;
  tile.disabled = fixed;
  tile.addEventListener("click", () => {
    const place = tile.firstChild.textContent;
    const there = of(place);
    const without = (row) => places(row).filter((written) => !same(written, place)).join(" ");
    if (field(there, "regions")) field(there, "regions").value = without(there);
    // Pressed once more it is any other place again.
    if (there !== chosen && field(chosen, "regions")) field(chosen, "regions").value = [...places(chosen), place].join(" ");
    for (const row of new Set([there, chosen])) field(row, "regions")?.dispatchEvent(new Event("input", { bubbles: true }));
  });
}
for (const row of rows) {
  row.addEventListener("focusin", () => ((chosen = row), show()));
  row.addEventListener("input", show);
}
box.hidden = false;
show();
