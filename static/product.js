// The product form: SKUs made from their specs, pictures dropped or pasted, and what a buyer will see.
const $ = (selector, from = document) => from.querySelector(selector);
const $$ = (selector, from = document) => [...from.querySelectorAll(selector)];
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

