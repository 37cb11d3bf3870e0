// WXSS as CSS for the stage: rpx by the width of the phone, a scope for each page and each component.
import path from "node:path";
import postcss from "postcss";
import { attributes } from "./src/elements.js";

/** A sheet with what it imports. */
function whole(name, read) {
  const sheet = postcss.parse(read(name), { from: name });
  sheet.walkAtRules("import", (rule) => {
    const target = rule.params.replace(/^['"]|['"]$/g, "");
    rule.replaceWith(whole(target.startsWith("/") ? target.slice(1) : path.posix.join(path.posix.dirname(name), target), read).nodes);
  });
  return sheet;
}

function selector(text, prefix) {
  return text
    .replace(/(^|[\s>+~,(])([a-z][\w-]*)/g, (all, before, tag) => (attributes[tag] ? `${before}wx-${tag}` : tag === "page" ? `${before}:scope` : all))
    .replace(/:host\b/g, `[wx-host="${prefix}"]`)
    .replace(/\.([A-Za-z_-][\w-]*)/g, (all, name) => (prefix ? `.${prefix}--${name}` : all));
}

/** `around` is the CSS scope of a page's sheet, `prefix` the class prefix of a component's. */
export function css(name, read, { around, prefix = "" }) {
  const sheet = whole(name, read);
  sheet.walkComments((comment) => comment.remove());
  sheet.walkDecls((decl) => {
    decl.value = decl.value.replace(/(-?\d*\.?\d+)rpx/g, "calc($1 * var(--rpx))").replace(/env\(safe-area-inset-bottom\)/g, "var(--stage-safe)");
  });
  sheet.walkRules((rule) => {
    if (!/keyframes$/.test(rule.parent.name ?? "")) rule.selector = selector(rule.selector, prefix);
  });
  // Keyframes have no scope: they stand beside it.
  const frames = [];
  sheet.walkAtRules(/keyframes$/, (rule) => frames.push(String(rule.remove())));
  return `${frames.join("\n")}\n${around ? `@scope (${around}) {\n${sheet}\n}` : sheet}`;
}
