// Writes src/regions.js anew from the table of @vant/area-data. Usage: node regions.mjs
import fs from "node:fs";
import { areaList } from "@vant/area-data";

const { province_list: provinces, city_list: cities, county_list: districts } = areaList;
const under = (list, code, digits) => Object.entries(list).filter(([one]) => one.slice(0, digits) === code.slice(0, digits));
const rows = Object.entries(provinces).map(([code, province]) =>
  `  "${province}:${under(cities, code, 2).map(([own, city]) => `${city}=${under(districts, own, 4).map(([, name]) => name).join()}`).join(";")}",`);

const file = new URL("src/regions.js", import.meta.url);
const code = fs.readFileSync(file, "utf8");
fs.writeFileSync(file, code.replace(/const TABLE = \[[^\]]*\];/, () => `const TABLE = [\n${rows.join("\n")}\n];`));
