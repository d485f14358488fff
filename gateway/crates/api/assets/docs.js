// Draws /openapi.json: every operation with its parameters, bodies, examples and a command.
"use strict";

const METHODS = ["get", "post", "put", "patch", "delete"];

const LANGUAGES = {
  en: {
    find: "Find", findHint: "employees, changes, runs", reading: "Reading the description.",
    failed: (why) => `The description could not be read: ${why}`, none: "No operation has these words.",
    field: "Field", type: "Type", required: "required", always: "always present", meaning: "Meaning",
    parameter: "Parameter", place: "In", body: "Request body", command: "Command", responses: "Responses",
    problems: "Problems", example: "Example", derived: "Example, derived from the schema", link: "Link to this operation",
    oneOf: (names) => `One of: ${names.join(", ")}`, places: { path: "path", query: "query", header: "header" },
  },
  zh: {
    find: "查找", findHint: "employees, changes, runs", reading: "正在读取接口说明。",
    failed: (why) => `无法读取接口说明：${why}`, none: "没有包含这些字词的操作。",
    field: "字段", type: "类型", required: "必填", always: "总是存在", meaning: "含义",
    parameter: "参数", place: "位置", body: "请求体", command: "命令", responses: "应答",
    problems: "错误", example: "示例", derived: "示例（由结构推导）", link: "此操作的链接",
    oneOf: (names) => `以下之一：${names.join("、")}`, places: { path: "路径", query: "查询", header: "请求头" },
  },
};
const LANGUAGE = (navigator.languages || [navigator.language]).map((one) => one.slice(0, 2).toLowerCase())
  .find((one) => LANGUAGES[one]) || "en";
const WORDS = LANGUAGES[LANGUAGE];

function exampleOf(api, content) {
  const given = content.example !== undefined;
  return { value: given ? content.example : sample(api, content.schema), given };
}

function shownExample(example) {
  const text = typeof example.value === "string" ? example.value : JSON.stringify(example.value, null, 2);
  const box = make("figure");
  box.append(make("figcaption", example.given ? WORDS.example : WORDS.derived), make("pre", text));
  return box;
}

// For a POSIX shell.
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function command(api, path, method, described, parameters, body) {
  const value = (one) => encodeURIComponent(String(sample(api, { ...resolve(api, one.schema), ...one })));
  const needed = (place) => parameters.filter((one) => one.in === place && one.required);
  const filled = needed("path").reduce((at, one) => at.replace(`{${one.name}}`, value(one)), path);
  const query = needed("query").map((one) => `${one.name}=${value(one)}`).join("&");
  const lines = [`curl ${method === "get" ? "" : `-X ${method.toUpperCase()} `}${quoted(location.origin + filled + (query && `?${query}`))}`];
  const open = (described.security ?? []).some((way) => Object.keys(way).length === 0);
  if (!open) lines.push('-H "authorization: Bearer $RENMEN_KEY"');
  if (parameters.some((one) => one.in === "header" && one.name === "If-Match")) lines.push(`-H ${quoted('if-match: "1"')}`);
  if (body) lines.push(`-H ${quoted(`content-type: ${body.type}`)}`, `-d ${quoted(JSON.stringify(body.example.value, null, 2))}`);
  return lines.join(" \\\n  ");
}

function requestBody(api, described) {
  const whole = resolve(api, described.requestBody);
  const [type, content] = Object.entries((whole && whole.content) || {})[0] || [];
  return type && { type, schema: content.schema, description: whole.description, example: exampleOf(api, content) };
}

function drawnBody(api, body) {
  const box = shape(api, body.schema, WORDS.required);
  box.open = true;
  const schema = hasParts(resolve(api, body.schema)) ? [box] : [];
  return [make("h3", WORDS.body), ...paragraphs(body.description), ...schema, shownExample(body.example)];
}

function drawnResponses(api, described) {
  const drawn = [make("h3", WORDS.responses)];
  const problems = make("details", "", "shape");
  problems.append(make("summary", WORDS.problems));
  Object.entries(described.responses || {}).forEach(([status, answer]) => {
    const whole = resolve(api, answer);
    const line = make("p");
    const [first, ...others] = paragraphs(whole.description);
    line.append(make("strong", status), " ", ...(first ? first.childNodes : []));
    if (status >= "400") {
      problems.append(line, ...others);
      return;
    }
    drawn.push(line, ...others);
    Object.entries(whole.content || {}).forEach(([type, content]) => {
      if (!content.schema) return;
      drawn.push(make("p", type, "soft"));
      const plain = resolve(api, content.schema);
      if (hasParts(plain)) drawn.push(shape(api, content.schema, WORDS.always));
      if (type.includes("json") || content.example !== undefined) drawn.push(shownExample(exampleOf(api, content)));
    });
  });
  if (problems.childElementCount > 1) drawn.push(problems);
  return drawn;
}

function drawnOperation(api, path, method, described) {
  const drawn = paragraphs(described.description, "soft");
  const parameters = (described.parameters || []).map((one) => resolve(api, one));
  if (parameters.length) {
    drawn.push(table([WORDS.parameter, WORDS.place, WORDS.type, WORDS.meaning], parameters.map((one) =>
      [make("code", one.name), WORDS.places[one.in] || one.in, typed(fieldType(api, one.schema), one.required && WORDS.required),
        meaning(api, { ...one.schema, description: one.description })])));
  }
  const body = requestBody(api, described);
  if (body) drawn.push(...drawnBody(api, body));
  drawn.push(make("h3", WORDS.command), make("pre", command(api, path, method, described, parameters, body)));
  return [...drawn, ...drawnResponses(api, described)];
}

function operation(api, path, method, described) {
  const box = make("details", "", "operation");
  box.id = described.operationId || `${method} ${path}`;
  const link = make("a", "#", "link");
  link.href = `#${box.id}`;
  link.setAttribute("aria-label", WORDS.link);
  const line = make("summary");
  line.append(make("span", method.toUpperCase(), "method"), make("code", path), " ", rich("span", described.summary, "soft"), " ", link);
  box.append(line);
  box.dataset.find = `${method} ${path} ${described.summary || ""} ${box.id}`.toLowerCase();
  box.addEventListener("toggle", () => {
    if (box.childElementCount === 1) box.append(...drawnOperation(api, path, method, described));
  });
  return box;
}

// The operation that the address names is opened and shown.
function openNamed() {
  const box = document.getElementById(location.hash.slice(1));
  if (!box || !box.classList.contains("operation")) return;
  box.open = true;
  box.scrollIntoView();
}

function find(all, none, text) {
  all.querySelectorAll(":scope > section").forEach((section) => {
    const boxes = [...section.querySelectorAll(":scope > details")];
    boxes.forEach((box) => { box.hidden = !box.dataset.find.includes(text); });
    section.hidden = boxes.every((box) => box.hidden);
  });
  none.hidden = [...all.querySelectorAll(":scope > section")].some((section) => !section.hidden);
}

function draw(api) {
  document.getElementById("title").textContent = `${api.info.title} API ${api.info.version}`;
  document.getElementById("about").append(...paragraphs(api.info.description));
  const groups = new Map((api.tags || []).map((tag) => [tag.name, { tag, boxes: [] }]));
  Object.entries(api.paths).forEach(([path, item]) => METHODS.filter((method) => item[method]).forEach((method) => {
    const name = (item[method].tags || ["other"])[0];
    if (!groups.has(name)) groups.set(name, { tag: { name }, boxes: [] });
    groups.get(name).boxes.push(operation(api, path, method, item[method]));
  }));
  const all = document.getElementById("operations");
  const none = make("p", WORDS.none);
  none.hidden = true;
  all.replaceChildren(none);
  groups.forEach(({ tag, boxes }) => {
    const section = make("section");
    section.append(make("h2", tag.name), rich("p", tag.description, "soft"), ...boxes);
    all.append(section);
  });
  document.getElementById("find").addEventListener("input", (event) => find(all, none, event.target.value.trim().toLowerCase()));
  window.addEventListener("hashchange", openNamed);
  openNamed();
}

function begin() {
  document.documentElement.lang = LANGUAGE === "zh" ? "zh-CN" : "en";
  document.getElementById("find-word").textContent = WORDS.find;
  document.getElementById("find").placeholder = WORDS.findHint;
  const told = (text) => document.getElementById("operations").replaceChildren(make("p", text));
  told(WORDS.reading);
  fetch("/openapi.json")
    .then((answer) => answer.ok ? answer.json() : Promise.reject(new Error(`status ${answer.status}`)))
    .then(draw)
    .catch((error) => told(WORDS.failed(error.message)));
}

begin();
