// What WeChat lays over a page: toasts, questions, lists to choose from, the cash desk.

export function makeSheets(over) {
  const node = (tag, props = {}, ...children) => {
    const made = Object.assign(document.createElement(tag), props);
    made.append(...children);
    return made;
  };
  const press = (text, onclick, className = "stage-choice") => node("button", { type: "button", textContent: text, onclick, className });

  let timer;
  function toast(title, duration = 1500) {
    clear();
    over.append(node("div", { className: "stage-toast", role: "status", textContent: title }));
    if (duration) timer = setTimeout(clear, duration);
  }
  function clear() {
    clearTimeout(timer);
    over.querySelector(".stage-toast")?.remove();
  }

  /** Opens a sheet, and waits for what `fill` finishes with; Escape and the veil mean `null`. */
  function sheet(label, fill, kind = "") {
    return new Promise((done) => {
      const before = document.activeElement;
      const veil = node("div", { className: `stage-veil ${kind}` });
      const finish = (value) => {
        veil.remove();
        before?.focus?.({ preventScroll: true });
        done(value);
      };
      const body = node("div", { className: "stage-sheet", role: "dialog", ariaModal: "true", ariaLabel: label, tabIndex: -1 });
      body.append(...fill(finish));
      veil.addEventListener("click", (event) => event.target === veil && !kind && finish(null));
      veil.addEventListener("keydown", (event) => event.key === "Escape" && finish(null));
      veil.append(body);
      over.append(veil);
      (body.querySelector("select, button, input") ?? body).focus({ preventScroll: true });
    });
  }

  const choose = (label, items) => sheet(label, (finish) => [
    ...items.map((text, i) => press(text, () => finish(i))), press("取消", () => finish(null), "stage-choice stage-choice-last"),
  ]);

  const ask = ({ title, content, confirmText = "确定", cancelText = "取消", showCancel = true, editable, placeholderText = "" }) => sheet(title || content, (finish) => {
    const input = editable && node("input", { className: "stage-answer", placeholder: placeholderText, value: content ?? "", ariaLabel: title });
    return [
      ...(title ? [node("h2", { className: "stage-question", textContent: title })] : []),
      ...(editable ? [input] : content ? [node("p", { className: "stage-saying", textContent: content })] : []),
      node("div", { className: "stage-answers" }, ...(showCancel ? [press(cancelText, () => finish({ confirm: false }))] : []),
        press(confirmText, () => finish({ confirm: true, ...(editable && { content: input.value }) }), "stage-choice stage-choice-yes")),
    ];
  }, "stage-veil-middle");

  /** Three lists beside each other, each made from what is chosen in those before it. */
  const wheels = (label, start, listOf) => sheet(label, (finish) => {
    const chosen = [...start];
    const lists = [0, 1, 2].map((level) => node("select", { size: 7, ariaLabel: ["省", "市", "区"][level], onchange: (event) => fill(level, event.target.value) }));
    function fill(level, value) {
      chosen[level] = value;
      for (let next = level + 1; next < 3; next += 1) {
        const items = listOf(chosen.slice(0, next));
        if (!items.includes(chosen[next])) [chosen[next]] = items;
        lists[next].replaceChildren(...items.map((text) => node("option", { textContent: text, value: text })));
        lists[next].value = chosen[next];
      }
    }
    const provinces = listOf([]);
    lists[0].replaceChildren(...provinces.map((text) => node("option", { textContent: text, value: text })));
    lists[0].value = provinces.includes(chosen[0]) ? chosen[0] : provinces[0];
    fill(0, lists[0].value);
    return [
      node("div", { className: "stage-answers" }, press("取消", () => finish(null)), press("确定", () => finish([...chosen]), "stage-choice stage-choice-yes")),
      node("div", { className: "stage-wheels" }, ...lists),
    ];
  });

  return { node, press, toast, clear, sheet, choose, ask, wheels };
}
