// WeChat's own compiler of today over the whole program, without a network; before a release. Usage: node official.mjs [FOLDER with miniprogram-ci]
// [FOLDER of the program, as a merchant unpacks it]
// npm install --ignore-scripts miniprogram-ci@2.1.42 brings it (275 MB), in a folder of its own.
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";

const need = createRequire(path.join(path.resolve(process.argv[2] ?? import.meta.dirname), "x.js"));
let ci;
try {
  ci = need("miniprogram-ci");
} catch {
  console.log("skipped: miniprogram-ci is not installed");
  process.exit(0);
}
const { DefaultProjectAttr } = need("miniprogram-ci/dist/config/config.js");
const program = path.resolve(process.argv[3] ?? path.join(import.meta.dirname, "../../miniprogram"));
const written = JSON.parse(fs.readFileSync(path.join(program, "project.config.json"), "utf8")).appid;
const appid = written === "touristappid" ? "wx0123456789abcdef" : written;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "xiaopu-official-"));
const key = path.join(folder, "key");
fs.writeFileSync(key, "none");
const project = new ci.Project({ appid, type: "miniProgram", projectPath: program, privateKeyPath: key, ignores: [] });
// Its server would be asked for these; the package's own stand in, so that no network is needed.
project.attr = async () => ({ ...DefaultProjectAttr, appid });
const zip = path.join(folder, "compiled.zip");
const setting = { es6: true, es7: true, minifyJS: true, minifyWXML: true, minifyWXSS: true };
await ci.getCompiledResult({ project, version: "1.0.0", setting, onProgressUpdate() {} }, zip);
console.log(`ok - it compiles (${Math.round(fs.statSync(zip).size / 1024)} KB)`);
const wrong = (await ci.checkCodeQuality(project)).filter((rule) => !rule.success);
for (const { name, text, detail } of wrong) console.log(`not ok - ${name}: ${text} ${JSON.stringify(detail ?? "")}`);
if (!wrong.length) console.log("ok - its own rules find nothing");
fs.rmSync(folder, { recursive: true });
process.exit(wrong.length ? 1 : 0);
