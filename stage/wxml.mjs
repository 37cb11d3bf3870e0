// What a phone would refuse or silently ignore in WXML, found before it runs: unknown elements, attributes and events.
import { attributes, events, syntax } from "./src/elements.js";

const directives = new Set(["wx:if", "wx:elif", "wx:else", "wx:for", "wx:for-item", "wx:for-index", "wx:key"]);
const ofSyntax = { template: ["name", "is", "data"], import: ["src"], include: ["src"], slot: ["name"], wxs: ["src", "module"], block: [] };

/** Faults of one file; `components` are the tags that its page or component declares. */
export function faults(text, components) {
  const found = [];
  const bare = text.replace(/<!--[^]*?-->/g, "").replace(/(<wxs\b[^>]*>)[^]*?<\/wxs>/g, "$1</wxs>");
  for (const [, tag, rest] of bare.matchAll(/<([A-Za-z][\w-]*)((?:"[^"]*"|'[^']*'|[^>"'])*)>/g)) {
    const known = attributes[tag];
    if (!known && !syntax.has(tag) && !components.has(tag)) found.push(`<${tag}> is neither built in nor declared`);
    for (const [, name, , value] of rest.matchAll(/([^\s=/"']+)(\s*=\s*("[^"]*"|'[^']*'))?/g)) {
      const fault = of(tag, name, value, known);
      if (fault) found.push(`<${tag} ${name}>: ${fault}`);
    }
  }
  return found;
}

function of(tag, name, value, known) {
  if (name.startsWith("wx:")) return directives.has(name) ? null : "no such directive";
  if (name.startsWith("data-")) return /[A-Z_]/.test(name) ? "write data-a-b" : null;
  if (name.startsWith("mark:")) return null;
  const heard = name.match(/^(?:capture-)?(?:bind|catch|mut-bind):?(\w+)$/);
  if (heard) return !known || events.all.includes(heard[1]) || events[tag]?.includes(heard[1]) ? null : "no such event";
  if (syntax.has(tag)) return ofSyntax[tag].includes(name) ? null : "no such attribute";
  const plain = name.replace(/^model:/, "");
  if (name !== plain && !/^["']\{\{\w+\}\}["']$/.test(value ?? "")) return "model: takes one plain field";
  return !known || known.has(plain) ? null : "no such attribute";
}
