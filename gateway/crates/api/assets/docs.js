// Draws /openapi.json. Texts are set as text, never as markup: nothing in the document can become a script.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function resolve(api, value) {
  if (!value || !value.$ref) return value;
  return value.$ref.slice(2).split("/").reduce((at, part) => at && at[part], api);
}

function typeName(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const several = schema.anyOf || schema.oneOf || schema.allOf;
  if (several) return several.map(typeName).join(schema.allOf ? " & " : " | ");
  if (schema.type === "array") return typeName(schema.items) + "[]";
  const type = Array.isArray(schema.type) ? schema.type.join(" | ") : schema.type || "any";
  return schema.format ? `${type} (${schema.format})` : type;
}

function table(heads, rows) {
  const box = make("div", "", "scroll");
  const grid = make("table");
  const head = make("tr");
  heads.forEach((text) => head.append(make("th", text)));
  grid.append(head);
  rows.forEach((cells) => {
    const row = make("tr");
    cells.forEach((text) => row.append(make("td", text)));
    grid.append(row);
  });
  box.append(grid);
  return box;
}

// Drawn when it is opened: schemas refer to each other, some in circles.
function shape(api, schema) {
  const box = make("details");
  box.append(make("summary", typeName(schema)));
  box.addEventListener("toggle", () => {
    if (box.childElementCount > 1) return;
    const whole = resolve(api, schema);
    const parts = [whole, ...(whole.allOf || []).map((part) => resolve(api, part))];
    if (whole.description) box.append(make("p", whole.description, "soft"));
    if (whole.enum) box.append(make("p", whole.enum.join(", ")));
    const rows = [];
    const deeper = new Map();
    parts.forEach((part) => Object.entries(part.properties || {}).forEach(([name, property]) => {
      const needed = (part.required || []).includes(name) ? "yes" : "";
      rows.push([name, typeName(property), needed, property.description || ""]);
      const inner = property.items || (property.anyOf || property.oneOf || [property]).find((one) => one.$ref) || property;
      if (inner.$ref) deeper.set(inner.$ref, inner);
    }));
    if (rows.length) box.append(table(["Field", "Type", "Always", "Meaning"], rows));
    [...deeper.values(), ...(whole.anyOf || whole.oneOf || []).filter((one) => one.$ref)]
      .forEach((inner) => box.append(shape(api, inner)));
  });
  return box;
}

function operation(api, path, method, described) {
  const box = make("details");
  const line = make("summary");
  line.append(make("span", method.toUpperCase(), "method"), make("code", path));
  box.append(line);
  box.dataset.find = `${method} ${path} ${described.summary || ""}`.toLowerCase();
  box.append(make("p", described.summary || ""));
  if (described.description) box.append(make("p", described.description, "soft"));
  const parameters = (described.parameters || []).map((one) => resolve(api, one));
  if (parameters.length) {
    box.append(table(["Parameter", "In", "Type", "Meaning"], parameters.map((one) =>
      [one.name + (one.required ? " *" : ""), one.in, typeName(one.schema), one.description || ""])));
  }
  const open = (described.security ?? []).some((way) => Object.keys(way).length === 0);
  const key = open ? "" : " -H 'authorization: Bearer rk_…'";
  box.append(make("pre", `curl${method === "get" ? "" : " -X " + method.toUpperCase()}${key} ${location.origin}${path}`));
  Object.entries(described.responses || {}).forEach(([status, answer]) => {
    const whole = resolve(api, answer);
    box.append(make("p", `${status}  ${whole.description || ""}`));
    Object.values(whole.content || {}).forEach((content) => {
      if (content.schema && status < "400") box.append(shape(api, content.schema));
    });
  });
  return box;
}

function draw(api) {
  document.getElementById("title").textContent = `${api.info.title} API ${api.info.version}`;
  const about = document.getElementById("about");
  (api.info.description || "").split("\n\n").forEach((text) => about.append(make("p", text)));
  const groups = new Map((api.tags || []).map((tag) => [tag.name, { tag, boxes: [] }]));
  Object.entries(api.paths).forEach(([path, item]) => METHODS.filter((method) => item[method]).forEach((method) => {
    const name = (item[method].tags || ["other"])[0];
    if (!groups.has(name)) groups.set(name, { tag: { name }, boxes: [] });
    groups.get(name).boxes.push(operation(api, path, method, item[method]));
  }));
  const all = document.getElementById("operations");
  all.replaceChildren();
  groups.forEach(({ tag, boxes }) => {
    const section = make("section");
    section.append(make("h2", tag.name), make("p", tag.description || "", "soft"), ...boxes);
    all.append(section);
  });
  document.getElementById("find").addEventListener("input", (event) => {
    const text = event.target.value.trim().toLowerCase();
    all.querySelectorAll(":scope > section").forEach((section) => {
      const boxes = [...section.querySelectorAll(":scope > details")];
      boxes.forEach((box) => { box.hidden = !box.dataset.find.includes(text); });
      section.hidden = boxes.every((box) => box.hidden);
    });
  });
}

fetch("/openapi.json")
  .then((answer) => answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`)))
  .then(draw)
  .catch((error) => {
    document.getElementById("operations").replaceChildren(make("p", `The description could not be read: ${error.message}`));
  });
