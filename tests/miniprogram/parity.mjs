// What stands on the stage is what a phone's older engine would draw of the same data, and says nothing that nobody meant.
import assert from "node:assert/strict";
import { present, renderer } from "./wcc.mjs";

/** Of the page in front and of each component in it: its name, its data, its own text. */
function standing() {
  const own = (node) => [...node.childNodes].map((child) => {
    if (child.nodeType === Node.TEXT_NODE) return child.data;
    return child.localName?.startsWith("wx-x-") ? "" : own(child);
  }).join("");
  const page = document.querySelector(".stage-page:not([hidden]) > page");
  if (!page) return [];
  const components = [...page.querySelectorAll("*")].filter((node) => node.localName.startsWith("wx-x-"));
  return [page, ...components].map((node) => ({ name: node.__wxElement.is, data: JSON.stringify(node.__wxElement.data), text: own(node) }));
}

const bare = (text) => text.replace(/\s+/g, "");
const UNMEANT = /null|undefined|NaN|\[object/;

let render;
let compared = 0;

/** Compares the page in front of a browser's page; does nothing where there is no stage. */
export async function compare(page) {
  if (!present()) return;
  render ??= renderer();
  const there = await page.evaluate(standing).catch(() => []);
  for (const { name, data, text } of there) {
    assert.ok(!UNMEANT.test(text), `${name} says ${text.match(UNMEANT)?.[0]}: ${text}`);
    assert.equal(bare(text), bare(render(name, JSON.parse(data))), `${name} looks different on a phone`);
    compared += 1;
  }
}

export const said = () => (present() ? `${compared} pages and components compared with WeChat's own compiler` : "WeChat's own compiler is not here: nothing compared");
