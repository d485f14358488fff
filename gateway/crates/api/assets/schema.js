// What schemas say: names of types, tables of fields, and examples made from them. Texts are set as text, never as markup: nothing in
// the document can become a script.
"use strict";

// Schemas refer to each other, some in circles.
const DEPTH_MAX = 7;
// Texts that patterns of the document ask for.
const SAMPLES = ["hr", "9500", "CNY", "2026-03-02", "2026-03-02T01:00:00.000Z", "whsec_…", "4711", "000000000000004711",
  "0123456789abcdef", "rk_" + "0123456789abcdef".repeat(4)];
const FORMATS = { "date-time": "2026-03-02T01:00:00.000Z", date: "2026-03-02", uuid: "01980a5c-3d00-7a10-8000-0000000003f9" };

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}

// A text of the document, which is English: what stands in backticks is code.
function rich(tag, text, className) {
  const element = make(tag, "", className);
  element.lang = "en";
  (text || "").split("`").forEach((piece, at) => {
    if (piece) element.append(at % 2 ? make("code", piece) : piece);
  });
  return element;
}

function paragraphs(text, className) {
  return (text || "").split("\n\n").filter(Boolean).map((part) => rich("p", part, className));
}

function resolve(api, value) {
  if (!value || !value.$ref) return value;
  return value.$ref.slice(2).split("/").reduce((at, part) => at && at[part], api);
}

function isNull(schema) {
  return schema.type === "null";
}

function variants(schema) {
  return (schema.anyOf || schema.oneOf || []).filter((one) => !isNull(one));
}

// Made of something, or one of several words: worth a box of its own.
function hasParts(schema) {
  return Boolean(schema.properties || schema.items || schema.allOf || schema.oneOf || schema.anyOf || schema.additionalProperties);
}

// The type of a field. A name that stands for a plain text or number says less than what it stands for.
function fieldType(api, schema) {
  const named = [schema, ...variants(schema)].find((one) => one.$ref);
  const whole = named && resolve(api, named);
  return whole && !hasParts(whole) && !whole.enum ? typeName(whole) : typeName(schema);
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const several = schema.allOf || variants(schema);
  if (several.length && !schema.properties) return several.map(typeName).join(schema.allOf ? " & " : " | ");
  if ([].concat(schema.type).includes("array")) return typeName(schema.items) + "[]";
  const type = [].concat(schema.type || "any").filter((one) => one !== "null").join(" | ");
  return schema.format ? `${type} (${schema.format})` : type;
}

// What tells a variant without a name from the others: `role = owner`.
function variantName(schema) {
  if (schema.$ref) return typeName(schema);
  const [name, only] = Object.entries(schema.properties || {}).find(([, one]) => one.enum && one.enum.length === 1) || [];
  return name ? `${name} = ${only.enum[0]}` : (schema.required || []).join(", ") || typeName(schema);
}

// Cells are texts or elements.
function table(heads, rows) {
  const grid = make("table");
  const head = make("thead");
  const titles = make("tr");
  heads.forEach((text) => titles.append(make("th", text)));
  head.append(titles);
  const body = make("tbody");
  rows.forEach((cells) => {
    const row = make("tr");
    cells.forEach((cell) => {
      const element = make("td");
      element.append(cell);
      row.append(element);
    });
    body.append(row);
  });
  grid.append(head, body);
  return grid;
}

// A type, and whether it must or will be there.
function typed(type, needed) {
  const cell = make("span", type);
  if (needed) cell.append(" ", make("strong", needed, "needed"));
  return cell;
}

function meaning(api, schema) {
  const whole = resolve(api, schema) || {};
  const parts = [schema, ...variants(schema), schema.items].filter(Boolean);
  const said = parts.find((one) => one.description) || whole;
  const text = rich("span", said.description || "");
  const values = parts.map((one) => (resolve(api, one) || {}).enum).find(Boolean);
  if (values && values.length < 30) {
    if (said.description) text.append(make("br"));
    values.forEach((value, at) => text.append(at ? ", " : "", make("code", String(value))));
  }
  return text;
}

// The fields of a schema, and below them what they are made of. Drawn when it is opened.
function shape(api, schema, always, name) {
  const box = make("details", "", "shape");
  box.append(make("summary", name || typeName(schema)));
  box.addEventListener("toggle", () => {
    if (box.childElementCount === 1) box.append(...fields(api, schema, always));
  });
  return box;
}

function fields(api, schema, always) {
  const whole = resolve(api, schema);
  if (whole.type === "array") return fields(api, whole.items, always);
  const parts = [whole, ...(whole.allOf || []).map((part) => resolve(api, part))];
  const drawn = paragraphs(whole.description, "soft");
  if (whole.enum) drawn.push(make("p", whole.enum.join(", ")));
  const rows = [];
  const deeper = new Map();
  parts.forEach((part) => Object.entries(part.properties || {}).forEach(([name, property]) => {
    rows.push([make("code", name), typed(fieldType(api, property), (part.required || []).includes(name) && always), meaning(api, property)]);
    [property, property.items, property.additionalProperties, ...variants(property)]
      .filter((one) => one && one.$ref && hasParts(resolve(api, one) || {})).forEach((one) => deeper.set(one.$ref, one));
  }));
  if (rows.length) drawn.push(table([WORDS.field, WORDS.type, WORDS.meaning], rows));
  const choices = parts.flatMap(variants);
  if (choices.length) drawn.push(make("p", WORDS.oneOf(choices.map(variantName))));
  choices.filter((one) => one.$ref || one.type).forEach((one) => drawn.push(shape(api, one, always, variantName(one))));
  deeper.forEach((one) => drawn.push(shape(api, one, always)));
  return drawn;
}

function sampleText(schema) {
  if (FORMATS[schema.format]) return FORMATS[schema.format];
  const fits = (text) => {
    try {
      return new RegExp(schema.pattern, "u").test(text);
    } catch {
      return false;
    }
  };
  // What only leaves characters out is prose.
  return (schema.pattern && !schema.pattern.startsWith("^[^") && SAMPLES.find(fits)) || "text";
}

function sampleObject(api, schema, depth) {
  const all = Object.entries(schema.properties || {});
  const needed = all.filter(([name]) => (schema.required || []).includes(name));
  const shown = needed.length ? needed : all.slice(0, 1);
  return Object.fromEntries(shown.map(([name, one]) => [name, sample(api, one, depth + 1)]));
}

// An example made from a schema: the members that are always there, down to a depth.
function sample(api, schema, depth = 0) {
  const whole = resolve(api, schema);
  if (!whole || (depth > DEPTH_MAX && hasParts(whole))) return {};
  for (const given of [schema.example, whole.example, whole.const, whole.default, (whole.enum || [])[0]]) {
    if (given !== undefined) return given;
  }
  const choice = variants(whole)[0];
  if (whole.allOf) return Object.assign({}, ...whole.allOf.map((part) => sample(api, part, depth)));
  if (choice) return whole.properties ? { ...sampleObject(api, whole, depth), ...sample(api, choice, depth + 1) } : sample(api, choice, depth + 1);
  const types = [].concat(whole.type || (whole.properties ? "object" : "string"));
  switch (types.find((type) => type !== "null")) {
    case "object": return sampleObject(api, whole, depth);
    case "array": return depth > DEPTH_MAX - 2 ? [] : [sample(api, whole.items || {}, depth + 1)];
    case "integer": case "number": return whole.minimum || 1;
    case "boolean": return true;
    default: return sampleText(whole);
  }
}
