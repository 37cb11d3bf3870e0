// WeChat's own older compilers, as they come with its unit-test kit: Linux on x86-64 only.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";

export const sources = path.resolve(import.meta.dirname, "../../miniprogram/src");
const bin = path.join(import.meta.dirname, "node_modules/miniprogram-compiler/bin/linux");

/** Whether they are installed, and run on this machine. */
export const present = () => process.platform === "linux" && process.arch === "x64" && fs.existsSync(path.join(bin, "wcc"));

export const files = (...endings) =>
  fs.readdirSync(sources, { recursive: true }).map(String).filter((name) => endings.some((ending) => name.endsWith(ending))).sort();

/** Runs one of them over files; what it refuses, it refuses by throwing. */
export function compile(program, names) {
  const file = path.join(bin, program);
  fs.chmodSync(file, 0o755);
  return execFileSync(file, names, { cwd: sources, encoding: "utf8", maxBuffer: 1 << 28, stdio: ["ignore", "pipe", "pipe"] });
}

/** `render(page or component, data)`: the text that a phone's older engine would show. */
export function renderer() {
  const world = vm.createContext({ console: { log: (error) => { throw error; }, warn() {}, error() {} } });
  vm.runInContext("var window = this, global = this, __wxAppCode__ = {};", world);
  vm.runInContext(compile("wcc", files(".wxml", ".wxs")), world);
  const flat = (node) => (node && typeof node === "object" ? (node.children ?? []).map(flat).join("") : String(node));
  return (name, data) => {
    world.given = JSON.stringify(data);
    return flat(JSON.parse(vm.runInContext(`JSON.stringify($gwx(${JSON.stringify(`${name}.wxml`)})(JSON.parse(given), {}, {}))`, world)));
  };
}
