// One button prints and then notes that it was printed.
const print = document.querySelector("#print");
print.hidden = false;
print.addEventListener("click", () => {
  addEventListener("afterprint", () => {
    const form = document.querySelector("#printed");
    if (location.pathname.endsWith("/slips")) fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
  }, { once: true });
  window.print();
});

// Another paper, or more on it, is shown at once.
const again = document.querySelector("[data-again]");
again.querySelector(".again").hidden = true;
again.addEventListener("change", () => again.requestSubmit());

// A slip that is longer than its sheet goes on in articles of their own, so that each sheet can say which of how many it is.
// What belongs to an order lies on several sheets then, and one that gets lost has to be missed.
const cut = (slip, most) => {
  const table = slip.querySelector("table");
  const full = (sheet) => sheet.getBoundingClientRect().height > most;
  if (!table || !full(slip)) return;
  const sheets = [slip];
  const further = () => {
    const goods = table.cloneNode(false);
    goods.append(table.tHead.cloneNode(true), document.createElement("tbody"));
    const sheet = slip.cloneNode(false);
    sheet.append(goods);
    sheets.at(-1).after(sheet);
    sheets.push(sheet);
    return goods.tBodies[0];
  };
  let body = table.tBodies[0];
  const rows = [...body.rows];
  const behind = [];
  while (table.nextElementSibling) behind.push(slip.removeChild(table.nextElementSibling));
  rows.forEach((row) => row.remove());
  for (const row of rows) {
    body.append(row);
    if (full(sheets.at(-1)) && (sheets.length === 1 || body.rows.length > 1)) (body = further()).append(row);
  }
  for (const piece of behind) {
    sheets.at(-1).append(piece);
    if (!full(sheets.at(-1))) continue;
    further();
    sheets.at(-1).append(piece);
  }
  sheets.forEach((sheet, i) => sheet.querySelectorAll(".sheet").forEach((mark) => {
    mark.textContent = ` · 第 ${i + 1} / ${sheets.length} 页`;
  }));
};

// Pictures have their sizes once they are here.
addEventListener("load", () => {
  const mm = 96 / 25.4;
  const [wide, long] = { "paper-a4": [210, 297], "paper-100": [100, 150] }[document.body.className] ?? [];
  if (long) {
    // As wide as on paper, however wide the screen is.
    document.querySelectorAll(".slip").forEach((slip) => {
      slip.style.cssText = `width: ${wide}mm; max-width: none`;
      cut(slip, (long - 1) * mm);
    });
    document.querySelectorAll(".slip").forEach((slip) => { slip.style.cssText = ""; });
  }

  // A roll is cut where each slip ends: a page of its own, as long as the slip is. One that were wider than long would be
  // turned by the printer.
  const roll = { "paper-80": 80, "paper-58": 58 }[document.body.className];
  if (roll) {
    const sheet = [...document.styleSheets].at(-1);
    document.querySelectorAll(".slip").forEach((slip, i) => {
      const high = Math.max(roll + 1, Math.ceil(slip.getBoundingClientRect().height / mm) + 1);
      sheet.insertRule(`@page slip${i} { size: ${roll}mm ${high}mm; margin: 0; }`, sheet.cssRules.length);
      slip.style.page = `slip${i}`;
    });
  }
});
