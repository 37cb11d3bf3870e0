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

// A roll is cut where each slip ends: a page of its own, as long as the slip is. One that were wider than long would be
// turned by the printer.
const roll = { "paper-80": 80, "paper-58": 58 }[document.body.className];
if (roll) {
  const sheet = [...document.styleSheets].at(-1);
  document.querySelectorAll(".slip").forEach((slip, i) => {
    const long = Math.max(roll + 1, Math.ceil(slip.getBoundingClientRect().height * 25.4 / 96) + 1);
    sheet.insertRule(`@page slip${i} { size: ${roll}mm ${long}mm; margin: 0; }`, sheet.cssRules.length);
    slip.style.page = `slip${i}`;
  });
}
