// Writes the types of the API's answers as JSDoc, from the document that the shop serves. Usage: node types.mjs [--check]
import assert from "node:assert/strict";
import fs from "node:fs";

const from = new URL("../../src/openapi.json", import.meta.url);
const to = new URL("../../miniprogram/types.js", import.meta.url);

function type(schema) {
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  const some = schema.oneOf ?? schema.anyOf;
  if (some && !schema.properties) return some.map(type).join(" | ");
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const kinds = [schema.type].flat();
  return kinds.map((kind) => ofKind(kind, schema)).join(" | ");
}

function ofKind(kind, schema) {
  switch (kind) {
    case "integer":
    case "number":
      return "number";
    case "string":
    case "boolean":
    case "null":
      return kind;
    case "array":
      return `Array<${type(schema.items)}>`;
    case "object":
      if (schema.properties) return shape(schema);
      return schema.additionalProperties?.type ? `Record<string, ${type(schema.additionalProperties)}>` : "any";
    default:
      return "any";
  }
}

function shape({ properties, required = [] }) {
  const fields = Object.entries(properties).map(([name, schema]) => `${name}${required.includes(name) ? "" : "?"}: ${type(schema)}`);
  return `{${fields.join(", ")}}`;
}

/** The whole file. */
export function written() {
  const { components } = JSON.parse(fs.readFileSync(from, "utf8"));
  // What other programs read is none of the mini-program's business.
  const ours = Object.entries(components.schemas).filter(([name]) => !name.startsWith("Admin"));
  const types = ours.map(([name, schema]) => {
    const fields = Object.entries(schema.properties ?? {}).map(([field, one]) => {
      const label = schema.required?.includes(field) ? field : `[${field}]`;
      return ` * @property {${type(one)}} ${label}${one.description ? ` ${one.description}` : ""}`;
    });
    return `/**\n * @typedef {object} ${name}\n${fields.join("\n")}\n */\n`;
  });
  return `// What the API answers, made from its own document by tests/miniprogram/types.mjs. Types only: nothing here runs.\n\n${types.join("\n")}\nmodule.exports = {};\n`;
}

if (process.argv[1] === new URL(import.meta.url).pathname) {
  if (process.argv.includes("--check")) assert.equal(fs.readFileSync(to, "utf8"), written(), "the types are not those of openapi.json: run node types.mjs");
  else fs.writeFileSync(to, written());
}
