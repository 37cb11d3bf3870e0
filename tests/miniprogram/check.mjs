// What guards the mini-program: two compilers, types, the committed stage, size. Usage: node check.mjs
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { written } from "./types.mjs";
import { compile, files, present, sources } from "./wcc.mjs";

const root = path.resolve(import.meta.dirname, "../..");
const MOST_BYTES = 300 * 1024;
const checks = {
  "the stage compiles it without a warning, and what is committed is what that makes"() {
    const fresh = fs.mkdtempSync(path.join(os.tmpdir(), "xiaopu-stage-"));
    const { status, stderr } = spawnSync(process.execPath, ["build.mjs", fresh], { cwd: path.join(root, "stage"), encoding: "utf8" });
    assert.equal(stderr, "");
    assert.equal(status, 0);
    const kept = path.join(root, "static/stage");
    const names = (folder) => fs.readdirSync(folder, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => path.relative(folder, path.join(one.parentPath, one.name))).sort();
    assert.deepEqual(names(kept), names(fresh));
    for (const name of names(fresh)) assert.ok(fs.readFileSync(path.join(kept, name)).equals(fs.readFileSync(path.join(fresh, name))), `static/stage/${name} is old: run node stage/build.mjs`);
    fs.rmSync(fresh, { recursive: true });
  },
  "WeChat's own older compilers take all of it"() {
    if (!present()) return "skipped: they run on Linux x86-64 only";
    compile("wcc", files(".wxml", ".wxs"));
    compile("wcsc", ["-lc", ...files(".wxss")]);
  },
  "its types are those of the API's document, and hold"() {
    assert.equal(fs.readFileSync(path.join(sources, "../types.js"), "utf8"), written(), "run node tests/miniprogram/types.mjs");
    execFileSync(process.execPath, ["node_modules/typescript/lib/tsc.js", "-p", "tsconfig.json"], { cwd: import.meta.dirname, stdio: "inherit" });
  },
  "it is small, and asks nobody but the shop"() {
    const all = fs.readdirSync(sources, { recursive: true, withFileTypes: true }).filter((one) => one.isFile()).map((one) => path.join(one.parentPath, one.name));
    const bytes = all.reduce((sum, file) => sum + fs.statSync(file).size, 0);
    assert.ok(bytes <= MOST_BYTES, `${bytes} bytes`);
    for (const file of all.filter((name) => /\.(js|wxml|wxss|json)$/.test(name))) {
      const far = fs.readFileSync(file, "utf8").match(/https?:\/\/(?!shop\.example\.com|www\.w3\.org)[^\s"')]+/);
      assert.equal(far, null, `${file} names ${far?.[0]}`);
    }
    return `${Math.round(bytes / 1024)} KB`;
  },
  "each page is listed with its files, and none lies about"() {
    const { pages } = JSON.parse(fs.readFileSync(path.join(sources, "app.json"), "utf8"));
    const there = files(".wxml").filter((name) => name.startsWith("pages/")).map((name) => name.replace(/\.wxml$/, ""));
    assert.deepEqual([...pages].sort(), there);
  },
};

let failed = 0;
for (const [name, check] of Object.entries(checks)) {
  try {
    const note = check();
    console.log(`ok - ${name}${note ? ` (${note})` : ""}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${name}\n${error.stderr || error.message}`);
  }
}
process.exitCode = failed ? 1 : 0;
