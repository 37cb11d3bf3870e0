// The product form: SKUs made from their specs and shown as rows by columns, pictures seen at once and put in order, a detail
// made of text and pictures, and what a buyer will see.
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
const product = $("form.product");
// Whoever may only look has a form that is disabled as a whole, which its fields do not say of themselves.
const fixed = product.elements.name.matches(":disabled");
const icon = (name, more = "") => `<svg class="i${more}" aria-hidden="true"><use href="/static/icons.svg#${name}"/></svg>`;
const make = (tag, more) => Object.assign(document.createElement(tag), more);

const body = $("table.skus tbody");
const cell = (row, name) => $(`[name$=".${name}"]`, row);
const rows = () => $$("tr", body);
const used = (row) => cell(row, "known") || cell(row, "specs").value || cell(row, "price").value;
const specs = (row) => cell(row, "specs").value.split(/[;；]/).map((one) => one.split(/[:：]/).map((word) => word.trim())).filter(([, value]) => value);

// What makes rows of specs, and fills whole columns of them.
const columns = [["price", "售价", "decimal"], ["market", "划线价", "decimal"], ["on_hand", "库存", "numeric"], ["cost", "成本", "decimal"], ["limit", "限购", "numeric"], ["weight", "重量(克)", "numeric"]];
const kinds = [["颜色", "红 蓝"], ["尺码", "S M L"], ["口味", "原味 微辣"]];
const kind = ([name, values], i) => `<div class="line"><input class="w-m" data-spec="name" placeholder="${name}" maxlength="10" aria-label="规格 ${i + 1}"><input class="grow" data-spec="values" placeholder="${values}" aria-label="规格 ${i + 1} 的值"></div>`;
const column = ([name, text, mode]) => `<input class="w-s" data-fill="${name}" placeholder="${text}" inputmode="${mode}" aria-label="整列${text.replace("(克)", "")}">`;
const maker = make("div", { className: "maker stack", innerHTML: `<p class="label">批量生成规格 <small>每种规格一行，值用空格或顿号隔开</small></p>${kinds.map(kind).join("")}
<div class="line wrap"><button type="button" class="btn" id="generate">生成</button><span class="grow"></span>${columns.filter(([name]) => cell(body.rows[0], name)).map(column).join("")}<button type="button" class="btn" id="fill">填入</button></div>` });
$(".matrix-box").before(maker);
const fresh = !fixed && !rows().some((row) => cell(row, "known"));
maker.hidden = !fresh;
const more = maker.hidden && !fixed ? make("button", { type: "button", className: "btn sm gap", innerHTML: `${icon("plus", " sm")}批量加规格` }) : null;
if (more) {
  $("table.skus").after(more);
  more.addEventListener("click", () => ((maker.hidden = false), more.remove()));
}
// Rows that wait for more specs come up one at a time.
for (const row of rows()) row.hidden = row.classList.contains("spare") && !used(row);
const spare = make("button", { type: "button", className: "btn sm gap", innerHTML: `${icon("plus", " sm")}加一个规格` });
if (!fixed) $("table.skus").after(spare);
spare.addEventListener("click", () => {
  const row = rows().find((row) => row.hidden) ?? grow();
  row.hidden = false;
  fold.open = true;
  bare();
  cell(row, "specs").focus();
});
// One row without specs is asked for as a form has its fields; of several a table is made.
function bare() {
  const seen = rows().filter((row) => !row.hidden);
  body.classList.toggle("plain", seen.length === 1 && !cell(seen[0], "specs").value && (maker.hidden || !fresh));
}
bare();
// The first question of a new product: most have no specs, and see none of this.
if (fresh) {
  const choice = make("div", { className: "seg has" });
  choice.setAttribute("role", "group");
  choice.setAttribute("aria-label", "有没有规格");
  const answer = (has) => {
    if (!has && rows().some((row) => cell(row, "specs").value)) return complain("下面已经有规格：清空规格那一栏，再改成没有规格");
    maker.hidden = spare.hidden = !has;
    bare();
    [...choice.children].forEach((button, n) => (n === Number(has) ? button.setAttribute("aria-current", "true") : button.removeAttribute("aria-current")));
    if (has && choice.isConnected) $("[data-spec=values]").focus();
  };
  for (const [n, words] of ["没有规格", "有规格：颜色、尺码…"].entries()) {
    const button = make("button", { type: "button", textContent: words });
    button.addEventListener("click", () => answer(n === 1));
    choice.append(button);
  }
  answer(rows().some((row) => cell(row, "specs").value));
  $(".matrix-box").before(choice);
  choice.after(maker);
}
function grow() {
  const row = body.lastElementChild.cloneNode(true);
  const n = rows().length;
  for (const field of $$("[name]", row)) field.name = field.name.replace(/\[\d+\]/, `[${n}]`);
  for (const name of ["specs", "code", "barcode", "price", "market", "cost", "limit", "weight", "on_hand", "image"]) if (cell(row, name)) cell(row, name).value = "";
  $$(".bad", row).forEach((words) => words.remove());
  delete cell(row, "image").dataset.url;
  body.append(row);
  pictured(row);
  return row;
}

// Enter in what makes rows, or fills a column of them, does that, and what was not made is not saved away.
const unmade = () => $$("[data-spec]", maker).map((field) => field.value.trim()).join("|");
let made = unmade();
maker.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.isComposing || !event.target.matches("input")) return;
  event.preventDefault();
  $(event.target.matches("[data-fill]") ? "#fill" : "#generate").click();
});
product.addEventListener("submit", (event) => {
  const values = !maker.hidden && unmade() !== made && $$("[data-spec=values]").find((field) => field.value.trim());
  const fill = !maker.hidden && $$("[data-fill]").find((field) => field.value.trim() && field.value !== field.dataset.filled);
  if (!values && !fill) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  (values || fill).focus();
  complain(values ? `规格「${values.value.trim()}」还没有生成，没有保存：按“生成”，或清空它` : `${fill.ariaLabel} ${fill.value.trim()} 还没有填入，没有保存：按“填入”，或清空它`);
});
$("#generate").addEventListener("click", () => {
  // Whoever writes values alone means the names that stand there in grey.
  const names = $$("[data-spec=name]").map((field) => field.value.trim() || field.placeholder);
  const values = $$("[data-spec=values]").map((field) => [...new Set(field.value.trim().split(/[\s,，、;；|｜]+/).filter(Boolean))]);
  const chosen = names.map((name, i) => [name, values[i]]).filter(([name, list]) => name && list.length);
  const all = chosen.reduce((made, [name, list]) => made.flatMap((one) => list.map((value) => [...one, `${name}:${value}`])), [[]]);
  if (!chosen.length) return $("[data-spec=values]").focus();
  if (all.length > 200) return complain(`这样有 ${all.length} 个规格，最多 200 个：请少写几个值`);
  const there = new Set(rows().map((row) => cell(row, "specs").value));
  for (const written of all.map((one) => one.join(";")).filter((written) => !there.has(written))) {
    // What was typed before there were specs is the first one's.
    const row = rows().find((row) => !cell(row, "known") && !cell(row, "specs").value) ?? grow();
    row.hidden = false;
    cell(row, "specs").value = written;
  }
  made = unmade();
  matrix();
  show();
});
$("#fill").addEventListener("click", () => {
  for (const fill of $$("[data-fill]").filter((field) => field.value.trim())) {
    fill.dataset.filled = fill.value;
    for (const row of rows().filter((row) => used(row) || row === rows()[0])) { const field = cell(row, fill.dataset.fill); if (field) field.value = fill.value.trim(); }
  }
  matrix();
  show();
});

// Specs of several values are seen as rows by columns, a third one as a sheet for each of its values: what is looked at just now
// of each pair in its cell, a row, a column or the other sheets filled by what stands here, a picture for each value down the
// side. The fields of the table stay what is sent.
const VIEWS = [
  ["售价 · 库存", [["price", "¥", "售价", "decimal"], ["on_hand", "存", "库存", "numeric"]]],
  ["编码 · 条码", [["code", "编", "编码", "text"], ["barcode", "码", "条码", "text"]]],
  ["划线价 · 成本", [["market", "划", "划线价", "decimal"], ["cost", "本", "成本", "decimal"]]],
];
let view = 0;
// What is wrong is seen where it stands.
const wrong = $(".skus [aria-invalid]");
const faulty = wrong ? VIEWS.findIndex(([, fields]) => fields.some(([name]) => wrong.name.endsWith(`.${name}`))) : 0;
view = Math.max(0, faulty);
// What the sheet shows stands in the rows once more; they are opened for what they alone have.
const fold = make("details", { className: "fold", open: true });
fold.append(make("summary", { textContent: "逐个规格：限购、重量、配送、启用", hidden: true }));
$("table.skus").before(fold);
fold.append($("table.skus"));
function folded(away) {
  const summary = $("summary", fold);
  if (summary.hidden === away) fold.open = !away || faulty < 0;
  summary.hidden = !away;
}
/** Which of the sheets is looked at, by its value. */
let sheet = null;
/** Which specs make a sheet, by their place: all that have several values, and none unless every row has the same specs. */
function axes(known) {
  const names = (row) => specs(row).map(([name]) => name).join(";");
  if (known.some((row) => names(row) !== names(known[0]))) return [];
  return [...specs(known[0]).keys()].filter((n) => new Set(known.map((row) => specs(row)[n][1])).size > 1);
}
const by = (list, n) => {
  const parts = new Map();
  for (const row of list) {
    const [, value] = specs(row)[n];
    parts.set(value, [...(parts.get(value) ?? []), row]);
  }
  return parts;
};
/** Buttons of which one is chosen; what is chosen draws the sheet anew and keeps the cursor. */
function chooser(words, list, chosen, choose) {
  const group = make("div", { className: "seg" });
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", words);
  for (const [n, [value, inside]] of list.entries()) {
    const button = make("button", { type: "button" });
    button.append(...inside);
    if (value === chosen) button.setAttribute("aria-current", "true");
    button.addEventListener("click", () => (choose(value), matrix(), $$(".seg", $(".matrix-box")).find((other) => other.getAttribute("aria-label") === words).children[n].focus()));
    group.append(button);
  }
  return group;
}
function matrix() {
  bare();
  const box = $(".matrix-box");
  // Whoever types while it is drawn anew goes on where he was.
  const places = () => $$("input, button", box);
  const typed = box.contains(document.activeElement) && document.activeElement;
  const [at, from, to] = [places().indexOf(typed), typed.selectionStart, typed.selectionEnd];
  const known = rows().filter(used);
  const [one, two, three] = known.length < 4 ? [] : axes(known);
  box.hidden = two === undefined;
  folded(!box.hidden);
  if (box.hidden) return box.replaceChildren();
  const name = (n) => specs(known[0])[n][0];
  const fields = VIEWS[view][1].filter(([name]) => cell(known[0], name));
  // A code is one SKU's own, so there is nothing to fill others with.
  const fills = view !== 1 && !fixed;
  // What goods there are of a SKU is its own once it is known, too: only its prices are filled.
  const fill = (from, row) => {
    for (const [name] of fields) if (from && !(name === "on_hand" && cell(row, "known"))) cell(row, name).value = cell(from, name).value;
  };
  const stays = view === 0 && known.some((row) => cell(row, "known")) ? "，库存不动" : "";
  const filler = (words, sign, act) => {
    const button = make("button", { type: "button", className: "btn icon bare sm", innerHTML: icon(sign, " sm"), title: words + stays });
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => (act(), touched(), matrix()));
    return button;
  };
  const head = make("div", { className: "line wrap" });
  const sheets = three === undefined ? new Map([[null, known]]) : by(known, three);
  if (!sheets.has(sheet)) sheet = [...sheets].find(([, list]) => list.some((row) => $("[aria-invalid]", row)))?.[0] ?? [...sheets.keys()][0];
  if (three !== undefined) {
    const told = ([value, list]) => {
      const open = value === sheet ? 0 : list.filter((row) => cell(row, "enabled").checked && !cell(row, "price").value.trim()).length;
      const bad = list.some((row) => $("[aria-invalid]", row));
      return [value, [value, ...(bad ? [make("small", { className: "bad", textContent: "要改" })] : open ? [make("small", { className: "warn", textContent: `缺价 ${open}` })] : [])]];
    };
    head.append(make("b", { className: "s", textContent: name(three) }), chooser(name(three), [...sheets].map(told), sheet, (value) => (sheet = value)));
    const words = `其他${name(three)}照 ${sheet} 填`;
    const pair = (row) => [one, two].map((n) => specs(row)[n][1]).join(";");
    if (fills) {
      const all = filler(words, "copy", () => {
        const here = new Map(sheets.get(sheet).map((row) => [pair(row), row]));
        for (const row of known) if (specs(row)[three][1] !== sheet) fill(here.get(pair(row)), row);
      });
      all.className = "btn sm";
      all.append(words);
      head.append(all);
    }
    head.append(make("span", { className: "grow" }));
  }
  head.append(chooser("格子里显示", VIEWS.map(([words], n) => [n, [words]]), view, (n) => (view = n)));
  const here = sheets.get(sheet);
  const table = make("table", { className: "matrix" });
  const top = table.createTHead().insertRow();
  const title = (text) => top.appendChild(make("th", { scope: "col", textContent: text }));
  title(`${name(one)} ＼ ${name(two)}`);
  const across = [...by(known, two).keys()];
  for (const value of across) {
    const list = here.filter((row) => specs(row)[two][1] === value);
    const place = title(value);
    if (fills && list.length > 1) place.append(filler(`整列照 ${value} 的第一格填`, "arrow-down", () => list.forEach((row) => fill(list[0], row))));
  }
  const inside = table.createTBody();
  for (const [value, everywhere] of by(known, one)) {
    const list = everywhere.filter((row) => here.includes(row));
    const line = inside.insertRow();
    const side = make("th", { scope: "row" });
    const words = make("span", { className: "line" });
    // The other sheets have this picture too, unless they have one of their own.
    const image = list.length ? cell(list[0], "image").value : "";
    if (list.length) words.append(picture(everywhere.filter((row) => list.includes(row) || cell(row, "image").value === image), `${value} 的图`, list[0]));
    words.append(make("span", { textContent: value }));
    if (fills && list.length > 1) words.append(filler(`整行照 ${value} 的第一格填`, "arrow-right", () => list.forEach((row) => fill(list[0], row))));
    side.append(words);
    line.append(side);
    for (const other of across) {
      const place = line.insertCell();
      place.dataset.l = other;
      const row = list.find((row) => specs(row)[two][1] === other);
      if (!row || !cell(row, "enabled").checked) {
        Object.assign(place, { className: "off", textContent: "不卖" });
        continue;
      }
      const pair = make("div", { className: "cell" });
      for (const [name, sign, words, mode] of fields) {
        const kept = cell(row, name);
        const label = make("label");
        const field = make("input", { value: kept.value, inputMode: mode, disabled: kept.matches(":disabled") });
        field.setAttribute("aria-label", [value, other, ...(sheet ? [sheet] : []), words].join(" "));
        field.addEventListener("input", () => (kept.value = field.value));
        label.append(make("span", { textContent: sign }), field);
        pair.append(label);
        if (kept.hasAttribute("aria-invalid")) {
          field.setAttribute("aria-invalid", "true");
          pair.append(make("small", { className: "bad", textContent: kept.nextElementSibling?.textContent ?? "" }));
        }
      }
      place.append(pair);
    }
  }
  box.replaceChildren(head, table);
  const again = places()[at];
  again?.focus({ preventScroll: true });
  if (again?.type === "text") again.setSelectionRange(from, to);
}

// A picture of some SKUs: a click chooses one, which all of them then have; the choice of none takes it away.
function picture(list, words, first = list[0]) {
  const url = cell(first, "image").dataset.url;
  const label = make("label", { className: "thumb s40 choose", title: url ? `${words}：点一下换` : `${words}：点一下选` });
  label.innerHTML = url ? "" : icon("image", " sm");
  if (url) label.append(make("img", { src: url, alt: "" }));
  const file = make("input", { type: "file", accept: "image/*", className: "vh", disabled: fixed });
  file.setAttribute("aria-label", words);
  file.addEventListener("change", () => file.files.length && travels(async () => {
    try {
      const { hash, url } = await send(file.files[0]);
      for (const row of list) {
        cell(row, "image").value = hash;
        cell(row, "image").dataset.url = url;
      }
      touched();
    } catch (error) {
      refused(file.files[0], error);
    }
    matrix();
    pictures();
  }));
  label.append(file);
  return label;
}
// The same beside each row of the table.
function pictured(row) {
  $("[data-picture], .choose", row)?.replaceWith(picture([row], `${cell(row, "specs").value || "这个规格"} 的图`));
}
const pictures = () => rows().forEach(pictured);

// ── pictures ──

const box = $(".pics", product);
const files = $("[name=images]", product);
const bar = $(".upload", product);
const small = async (file) => {
  // A phone's picture of many megapixels is made smaller before it travels.
  const bitmap = file.size > 1_500_000 && (await createImageBitmap(file).catch(() => null));
  if (!bitmap || Math.max(bitmap.width, bitmap.height) <= 2400) return file;
  const scale = 2400 / Math.max(bitmap.width, bitmap.height);
  const canvas = make("canvas", { width: Math.round(bitmap.width * scale), height: Math.round(bitmap.height * scale) });
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob((blob) => done(blob ?? file), "image/jpeg", 0.9));
};
// What is saved has every picture that was chosen: saving waits for those on their way, and is given up when one is refused.
const underway = new Set();
let lost = false;
const travels = (work) => {
  const way = work().finally(() => underway.delete(way));
  underway.add(way);
};
product.addEventListener("submit", async (event) => {
  if (!underway.size) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const button = event.submitter;
  if (product.dataset.waits) return;
  product.dataset.waits = "yes";
  lost = false;
  button?.setAttribute("aria-busy", "true");
  const words = $("[data-changed]");
  if (words) words.textContent = "还在传图片，传完就保存…";
  while (underway.size) await Promise.allSettled(underway);
  delete product.dataset.waits;
  button?.removeAttribute("aria-busy");
  if (lost) touched();
  else product.requestSubmit(button);
});
/** Sends a picture and answers with its hash and address; the bar moves meanwhile. */
const send = async (file) => {
  const form = new FormData();
  form.append("image", await small(file), "picture");
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/admin/products/pictures");
    request.responseType = "json";
    bar.hidden = false;
    request.upload.addEventListener("progress", (event) => event.lengthComputable && (bar.value = (event.loaded / event.total) * 100));
    request.addEventListener("loadend", () => {
      bar.hidden = true;
      if (request.status === 200 && request.response?.hash) return done(request.response);
      const login = request.responseURL.includes("/admin/login") && "登录过期了，请在另一个窗口登录，再选一次";
      const line = request.status === 0 && "网络断了，请再选一次";
      fail(new Error(login || line || request.response?.problem || `请换一张 JPEG、PNG 或 WebP，${box.dataset.mostMb} MB 以内`));
    });
    request.send(form);
  });
};
const complain = (words) => {
  const strip = make("p", { className: "strip red", textContent: words });
  strip.setAttribute("role", "alert");
  box.after(strip);
  strip.scrollIntoView({ block: "nearest" });
  setTimeout(() => strip.remove(), 8000);
};
const refused = (file, error) => {
  lost = true;
  complain(`${file.name} 没有传上去：${error.message}`);
};
/** What of it is a picture; that the rest is none is said. */
const onlyPictures = (chosen) => {
  const [good, bad] = [[], []];
  // Kinds that the browser does not know are named by the shop, with the way out.
  for (const file of chosen) (!file.type || file.type.startsWith("image/") ? good : bad).push(file);
  if (bad.length) complain(`${bad[0].name} 不是图片：请选 JPEG、PNG 或 WebP`);
  return good;
};
async function add(chosen) {
  for (const file of onlyPictures([...chosen])) {
    if ($$("li[draggable]", box).length >= Number(box.dataset.most)) {
      lost = true;
      return complain(`最多 ${box.dataset.most} 张图片，从 ${file.name} 起没有加上`);
    }
    const item = make("li", { draggable: true });
    const image = make("img", { alt: "新图片", src: URL.createObjectURL(file), width: 96, height: 96 });
    item.append(image);
    box.insertBefore(item, box.lastElementChild);
    show();
    try {
      const { hash } = await send(file);
      item.append(make("input", { type: "hidden", name: "keep", value: hash }));
      item.append(remover(item));
      touched();
    } catch (error) {
      item.remove();
      refused(file, error);
    }
    show();
  }
}
const remover = (item) => {
  const off = make("button", { type: "button", className: "off-button", innerHTML: icon("x", " sm") });
  off.setAttribute("aria-label", "去掉这张图片");
  off.addEventListener("click", () => (item.remove(), touched()));
  return off;
};
if (!fixed) {
  // Without this script a tick says whether a picture stays.
  for (const item of $$("li[draggable]", box)) {
    const tick = $("[name=keep]", item);
    tick.type = "hidden";
    item.append(remover(item));
  }
}
files.addEventListener("change", () => {
  const chosen = [...files.files];
  files.value = "";
  travels(() => add(chosen));
});
let moved = null;
box.addEventListener("dragstart", (event) => (moved = event.target.closest("li[draggable]")));
box.addEventListener("dragend", () => ((moved = null), touched()));
box.addEventListener("dragover", (event) => {
  const over = event.target.closest("li[draggable]");
  if (!moved || !over || over === moved) return;
  const after = [...box.children].indexOf(over) > [...box.children].indexOf(moved);
  box.insertBefore(moved, after ? over.nextSibling : over);
});

// ── the detail: blocks of text and pictures, kept in the one field that is sent ──

const detail = product.elements.detail;
const list = $(".blocks", product);
const PICTURE = /^图片[:：]\s*([0-9a-f]{64})$/;
const write = () => {
  detail.value = $$(":scope > li", list).map((item) => item.dataset.hash ? `图片:${item.dataset.hash}` : $("textarea", item).value.trim()).filter(Boolean).join("\n");
  touched();
};
const block = (content, hash) => {
  const item = make("li", { draggable: false });
  item.innerHTML = icon("grip-vertical");
  if (hash) item.dataset.hash = hash;
  const text = make("textarea", { rows: Math.max(2, content.split("\n").length), value: content, placeholder: "一行一段" });
  text.setAttribute("aria-label", "详情文字");
  text.addEventListener("input", write);
  const middle = hash ? make("img", { src: `/media/${hash}.jpg`, alt: "详情图片", loading: "lazy" }) : text;
  const side = make("span", { className: "line" });
  for (const [name, words, act] of [["arrow-up", "上移", () => item.previousElementSibling?.before(item)], ["arrow-down", "下移", () => item.nextElementSibling?.after(item)], ["trash-2", "删除这一块", () => item.remove()]]) {
    const button = make("button", { type: "button", className: "btn icon bare sm", innerHTML: icon(name, " sm") });
    button.setAttribute("aria-label", words);
    button.addEventListener("click", () => (act(), write()));
    side.append(button);
  }
  item.append(middle, side);
  return item;
};
function blocks() {
  list.replaceChildren();
  let text = [];
  const flush = () => text.length && (list.append(block(text.join("\n"))), (text = []));
  for (const line of detail.value.split("\n")) {
    const hash = line.trim().match(PICTURE)?.[1];
    if (!hash) text.push(line);
    else (flush(), list.append(block("", hash)));
  }
  flush();
  if (!list.children.length) list.append(block(""));
}
async function addDetail(chosen) {
  for (const file of onlyPictures([...chosen])) {
    try {
      list.append(block("", (await send(file)).hash));
      write();
    } catch (error) {
      refused(file, error);
    }
  }
}
if (!fixed) {
  blocks();
  detail.closest("label").hidden = true;
  list.hidden = $(".detail-tools").hidden = false;
  $("[data-add=text]").addEventListener("click", () => {
    list.append(block(""));
    $("textarea", list.lastElementChild).focus();
  });
  const chosen = $("[data-add=images]");
  chosen.addEventListener("change", () => {
    const picked = [...chosen.files];
    chosen.value = "";
    travels(() => addDetail(picked));
  });
}

// What is dropped or pasted goes to where the pointer or the cursor is.
const toDetail = (target) => target.closest?.("section")?.contains(list) ?? false;
product.addEventListener("dragover", (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
product.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  const dropped = [...event.dataTransfer.files];
  travels(() => (toDetail(event.target) ? addDetail : add)(dropped));
});
addEventListener("paste", (event) => {
  const pasted = [...event.clipboardData.files];
  if (pasted.length) travels(() => (toDetail(document.activeElement) ? addDetail : add)(pasted));
});

// ── what a buyer sees ──

const screen = $(".phone");
const show = () => {
  const prices = rows().filter((row) => cell(row, "enabled").checked).map((row) => Number(cell(row, "price").value)).filter((n) => n > 0);
  const cover = $("img", box)?.src;
  $("img", screen).src = cover ?? "/static/art/shelf.svg";
  $("img", screen).classList.toggle("none", !cover);
  $(".price", screen).textContent = prices.length ? `¥${Math.min(...prices).toFixed(2)}${new Set(prices).size > 1 ? " 起" : ""}` : "¥—";
  $("h2", screen).textContent = product.elements.name.value || "商品名称";
  $("h2 + .faint", screen).textContent = product.elements.subtitle.value;
  const values = new Map();
  for (const row of rows().filter((row) => cell(row, "enabled").checked))
    for (const [name, value] of specs(row)) values.set(name, new Set([...(values.get(name) ?? []), value]));
  $(".choices", screen).replaceChildren(...[...values].flatMap(([name, list]) => {
    const line = make("p", { className: "line wrap" });
    line.append(...[...list].map((value, n) => make("span", { className: n ? "chip still" : "chip still on", textContent: value })));
    return [make("p", { className: "faint s", textContent: name }), line];
  }));
  // That of the cheapest, as the shop does.
  const cheapest = rows().filter((row) => cell(row, "enabled").checked && Number(cell(row, "price").value) === Math.min(...prices));
  const market = cheapest.map((row) => Number(cell(row, "market").value)).find((n) => n > 0);
  $(".market", screen).textContent = market ? `¥${market.toFixed(2)}` : "";
  $(".text", screen).replaceChildren(...detail.value.split("\n").filter((line) => line.trim()).map((line) => {
    const hash = line.trim().match(PICTURE)?.[1];
    return hash ? make("img", { src: `/media/${hash}.jpg`, alt: "" }) : make("p", { textContent: line });
  }));
};
screen.hidden = false;
// What was typed is not lost by leaving without a word.
let changed = false;
function touched() {
  changed = true;
  const words = $("[data-changed]");
  if (words) words.textContent = "有改动，还没有保存";
  show();
}
product.addEventListener("input", touched);
product.addEventListener("submit", () => (changed = false));
addEventListener("beforeunload", (event) => changed && event.preventDefault());
if ($(".strip.red[role=alert]")) touched();
matrix();
pictures();
show();
// What was refused may have been moved or drawn anew since the page put the cursor there.
const refusedAt = $$("[aria-invalid=true]", product).find((field) => field.checkVisibility());
refusedAt?.focus({ preventScroll: true });
if (refusedAt?.type === "text") refusedAt.select();
refusedAt?.scrollIntoView({ block: "center" });
