// Compiles the mini-program and the stage around it into the files that the demo serves. Usage: node build.mjs [FOLDER]
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import esbuild from "esbuild";
import { css } from "./wxss.mjs";
import { faults } from "./wxml.mjs";

// Its ES module entry expects a browser.
const { TmplGroup } = createRequire(import.meta.url)("glass-easel-template-compiler");
const here = path.dirname(fileURLToPath(import.meta.url));
const root = path.join(here, "../miniprogram/src");
const out = path.resolve(process.argv[2] ?? path.join(here, "../static/stage"));

const read = (name) => fs.readFileSync(path.join(root, name), "utf8");
const has = (name) => fs.existsSync(path.join(root, name));
const bare = (name) => name.replace(/\.[^./]+$/, "");
const beside = (name, where) => (where.startsWith("/") ? where.slice(1) : path.posix.join(path.posix.dirname(name), where));
const problems = [];

const app = JSON.parse(read("app.json"));
const settings = {};
function visit(name, isPage) {
  if (settings[name]) return;
  if (!has(`${name}.js`) || !has(`${name}.wxml`)) problems.push(`${name}: no .js or no .wxml`);
  const own = has(`${name}.json`) ? JSON.parse(read(`${name}.json`)) : {};
  settings[name] = { ...own, component: !isPage, usingComponents: {} };
  for (const [tag, where] of Object.entries({ ...app.usingComponents, ...own.usingComponents })) {
    settings[name].usingComponents[tag] = `/${beside(name, where)}`;
    visit(beside(name, where), false);
  }
}
app.pages.forEach((name) => visit(name, true));

/** What a file pulls in, itself included: `pattern` names its references. */
function closure(names, pattern, ending) {
  const found = new Set();
  const add = (name) => {
    const file = name.endsWith(ending) ? name : name + ending;
    if (found.has(file) || !has(file)) return;
    found.add(file);
    for (const [, where] of read(file).matchAll(pattern)) add(beside(file, where));
  };
  names.forEach(add);
  return [...found].sort();
}

const NULL = "var Y=function(a){return a==null?'':String(a)}";
// Phones that draw with the older engine print null, and so must we, or nobody would ever see it here.
const PHONE_NULL = "var Y=function(a){return a===undefined?'':String(a)}";

function templates(names) {
  const group = new TmplGroup();
  group.setExtraRuntimeScript("var getRegExp=function(p,f){return new RegExp(p,f)};var getDate=function(){return arguments.length?new Date(...arguments):new Date()};");
  const files = closure(names, /<(?:import|include)\s+src="([^"]+)"/g, ".wxml");
  const scripts = closure(files.flatMap((file) => [...read(file).matchAll(/<wxs\s[^>]*src="([^"]+)"/g)].map(([, where]) => beside(file, where))), /require\("([^"]+)"\)/g, ".wxs");
  // `src` drops the ending, `require` inside a script keeps it.
  for (const name of scripts) for (const as of [bare(name), name]) group.addScript(as, read(name));
  for (const name of files) {
    const components = new Set(Object.keys(settings[bare(name)]?.usingComponents ?? {}));
    for (const one of faults(read(name), components)) problems.push(`${name}: ${one}`);
    for (const one of group.addTmpl(bare(name), read(name)) ?? []) problems.push(`${name}: ${one.message ?? JSON.stringify(one)}`);
  }
  const made = group.getTmplGenObjectGroups();
  if (!made.includes(NULL)) problems.push("the compiler's text helper has changed: null would be shown as nothing");
  return made.replace(NULL, PHONE_NULL);
}

const modulesOf = (files) => files.map((name) => {
  let source = read(name);
  if (name === "config.js") {
    // The one difference from what is uploaded: the demo's program asks whoever served it.
    const changed = source.replace(/server: "[^"]*"/, "server: location.origin");
    if (changed === source) problems.push("config.js: no server to replace");
    source = changed;
  }
  return `${JSON.stringify(bare(name))}(require, module, exports, App, Page, Component, Behavior, getApp, getCurrentPages, wx) {\n${source}\n},`;
});

// Nearly all of it runs at once: browsers that know this line compile it while it arrives, beside the page and not in its way.
const AT_ONCE = "//# allFunctionsCalledOnLoad\n";
const minified = (text, loader) => esbuild.transformSync(text, { loader, minify: true, target: "es2022", charset: "utf8" }).code;
const write = (name, text) => fs.writeFileSync(path.join(out, name), text);

// What the first page needs comes first, the rest when that page stands: as `lazyCodeLoading` does on a phone.
const all = Object.keys(settings);
const reached = (names) => [...new Set(names.flatMap((name) => [name, ...reached(Object.values(settings[name].usingComponents).map((where) => where.slice(1)))]))];
const early = reached([app.pages[0]]);
const late = all.filter((name) => !early.includes(name));
const scripts = (names) => closure(names, /require\("([^"]+)"\)/g, ".js");
const earlyScripts = scripts(["app", ...early]);
const lateScripts = scripts(late).filter((name) => !earlyScripts.includes(name));
const scopes = Object.fromEntries(all.filter((name) => settings[name].component).map((name, i) => [name, `c${i}`]));

/** The table behind the region wheels, which no first page has. */
function regions() {
  const entry = path.join(here, "src/regions.js");
  return esbuild.buildSync({ entryPoints: [entry], bundle: true, format: "iife", globalName: "__regions", charset: "utf8", write: false }).outputFiles[0].text;
}

fs.mkdirSync(path.join(out, "images"), { recursive: true });
const pick = (names, table) => Object.fromEntries(names.filter((name) => table[name]).map((name) => [name, table[name]]));
write("app.js", AT_ONCE + minified(`globalThis.__miniprogram = { app: ${JSON.stringify(app)}, settings: ${JSON.stringify(settings)}, scopes: ${JSON.stringify(scopes)},
  pieces: [{ names: ${JSON.stringify(early)}, templates: ${templates(early)}, modules: {\n${modulesOf(earlyScripts).join("\n")}\n} }] };`, "js"));
write("rest.js", minified(`globalThis.__miniprogram.pieces.push({ names: ${JSON.stringify(late)}, templates: ${templates(late)}, modules: {\n${modulesOf(lateScripts).join("\n")}\n} });\n${regions()}`, "js"));

const sheets = [css("app.wxss", read, { around: "page" })];
for (const name of all) {
  if (!has(`${name}.wxss`)) continue;
  sheets.push(css(`${name}.wxss`, read, settings[name].component ? { prefix: scopes[name] } : { around: `page[data-is="${name}"]` }));
}
write("stage.css", minified(fs.readFileSync(path.join(here, "src/stage.css"), "utf8") + sheets.join("\n"), "css"));

for (const name of fs.readdirSync(path.join(root, "images")).sort()) fs.copyFileSync(path.join(root, "images", name), path.join(out, "images", name));
fs.copyFileSync(path.join(here, "LICENSES"), path.join(out, "LICENSES.txt"));
await esbuild.build({
  entryPoints: [path.join(here, "src/runtime.js")], outfile: path.join(out, "runtime.js"), bundle: true, minify: true, format: "iife", target: "es2022",
  charset: "utf8", legalComments: "none", banner: { js: `${AT_ONCE}/* glass-easel, MIT: LICENSES.txt */` }, define: { "process.env.NODE_ENV": '"production"' }, logLevel: "warning",
});
if (problems.length) {
  console.error(problems.join("\n"));
  process.exitCode = 1;
}
