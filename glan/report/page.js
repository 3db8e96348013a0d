"use strict";
// Draws what the document `data` holds. Text from models is only ever set as text, never read as HTML.
const data = JSON.parse(document.getElementById("data").textContent);
const NS = "http://www.w3.org/2000/svg";
const number = (value) => value.toLocaleString("en");
const money = (value) => "$" + value.toLocaleString("en", { maximumFractionDigits: value < 1 ? 4 : 2 });
const text = (parts) => parts.map((part) => data.texts[part]).join("\n\n");
const sum = (values) => values.reduce((total, value) => total + value, 0);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (typeof value === "function") node.addEventListener(name, value);
    else if (value !== null && value !== undefined) node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}
const make = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const draw = (tag, attributes, ...children) => fill(document.createElementNS(NS, tag), attributes, children);
const isolated = (words) => make("bdi", null, words);
const byId = (id) => document.getElementById(id);
const under = (path, one) => path.every((name, level) => one.path[level] === name);
const sampled = (path) => data.samples.some((sample) => under(path, sample));

// ---- the tree -------------------------------------------------------------------------------------------------

const MEASURES = { rows: ["by rows kept", (leaf) => leaf.kept, number], cost: ["by cost of all calls", (leaf) => leaf.cost, money] };
const tree = { at: [], measure: "rows" };

function nodesBelow(path, value) {
  // Children of a node, largest first. A level without a name, such as a missing sub-field, is passed over.
  const inside = data.tree.filter((leaf) => under(path, leaf));
  if (path.length === 3) {
    const subjects = tree.measure === "rows" ? (inside[0] || { subjects: [] }).subjects : [];
    return subjects.map(([name, rows]) => ({ name, size: rows, path: [...path, name], field: path[0] }));
  }
  const found = new Map();
  for (const leaf of inside) {
    let level = path.length;
    while (level < 2 && !leaf.path[level]) level += 1;
    const below = leaf.path.slice(0, level + 1), key = JSON.stringify(below);
    if (!found.has(key)) found.set(key, { name: below[level], size: 0, path: below, field: below[0], unpriced: 0 });
    found.get(key).size += value(leaf);
    found.get(key).unpriced += leaf.unpriced;
  }
  return [...found.values()].filter((node) => node.size > 0).sort((a, b) => b.size - a.size);
}

function shownBelow(path, value) {
  // The nodes below a node, and whose they are: a level that has only one is passed over, as it shows nothing.
  let at = path, nodes = nodesBelow(at, value);
  while (nodes.length === 1 && nodes[0].path.length < 4) {
    const deeper = nodesBelow(nodes[0].path, value);
    if (!deeper.length) break;
    [at, nodes] = [nodes[0].path, deeper];
  }
  return { at, nodes };
}
function above(path, value) {
  let up = path.slice(0, -1);
  while (up.length && (!up[up.length - 1] || nodesBelow(up, value).length < 2)) up = up.slice(0, -1);
  return up;
}

function squarified(nodes, x, y, width, height) {
  // Bruls, Huizing and van Wijk 2000: rows of cells that are as square as they can be.
  const placed = [];
  let rest = nodes.slice(), left = sum(rest.map((node) => node.size));
  while (rest.length) {
    const scale = (width * height) / left, side = Math.min(width, height);
    const worst = (count) => {
      const sizes = rest.slice(0, count).map((node) => node.size * scale), all = sum(sizes);
      return Math.max((side * side * sizes[0]) / (all * all), (all * all) / (side * side * sizes[count - 1]));
    };
    let count = 1;
    while (count < rest.length && worst(count + 1) <= worst(count)) count += 1;
    const row = rest.slice(0, count), total = sum(row.map((node) => node.size)), thick = (total * scale) / side;
    let along = 0;
    for (const node of row) {
      const long = (node.size / total) * side;
      placed.push(width >= height ? { node, x, y: y + along, width: thick, height: long } : { node, x: x + along, y, width: long, height: thick });
      along += long;
    }
    if (width >= height) { x += thick; width -= thick; } else { y += thick; height -= thick; }
    rest = rest.slice(count);
    left -= total;
  }
  return placed;
}

const hues = new Map();
function colour(field) {
  if (!hues.has(field)) hues.set(field, (hues.size * 137) % 360);
  return `hsl(${hues.get(field)} 35% var(--light))`;
}

function cell({ node, x, y, width, height }, shown, at) {
  const [, value, spelled] = MEASURES[tree.measure];
  const unknown = tree.measure === "cost" && node.unpriced ? `, and ${number(node.unpriced)} calls of unknown cost` : "";
  const label = `${node.path.join(" › ")}: ${spelled(node.size)}${tree.measure === "rows" ? " rows" : ""}${unknown}`;
  const go = () => (node.path.length === 4 ? show(node.path) : enter(node.path));
  const rect = draw("rect", { x, y, width, height });
  rect.style.fill = colour(node.field);
  const group = draw("g", {
    role: "button", tabindex: shown === 0 ? 0 : -1, "aria-label": label, click: go,
    keydown: (event) => {
      const cells = [...group.parentNode.querySelectorAll("g")], here = cells.indexOf(group);
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (step) focusOn(cells[(here + step + cells.length) % cells.length]);
      else if (event.key === "Home") focusOn(cells[0]);
      else if (event.key === "End") focusOn(cells[cells.length - 1]);
      else if (event.key === "Enter" || event.key === " ") go();
      else if (event.key === "Backspace" || event.key === "Escape") enter(above(at, value));
      else return;
      event.preventDefault();
    },
  }, rect, draw("title", null, label));
  const letters = Math.floor((width - 8) / 6.6);
  const lines = height > 18 && letters > 3 ? [node.name, ...(height > 34 ? [spelled(node.size)] : [])] : [];
  lines.forEach((line, index) => group.append(draw("text", { x: x + 4, y: y + 14 + 15 * index }, line.length > letters ? line.slice(0, letters - 1) + "…" : line)));
  return group;
}
function focusOn(group) {
  group.parentNode.querySelectorAll("g").forEach((one) => one.setAttribute("tabindex", one === group ? 0 : -1));
  group.focus();
}
function enter(path) {
  tree.at = path;
  drawTree();
  const first = byId("treemap").querySelector("g");
  (first || byId("treemap").querySelector("button")).focus();
}
function show(path) {
  // Not every node has samples: those of the nearest one above are shown instead.
  let near = path;
  while (near.length && !(near[near.length - 1] && sampled(near))) near = near.slice(0, -1);
  browser.node.value = near.length ? JSON.stringify(near) : "";
  list();
  byId("samples").scrollIntoView();
  browser.search.focus({ preventScroll: true });
}

function drawTree() {
  const place = byId("treemap"), width = place.clientWidth || 800, height = Math.max(260, Math.min(520, Math.round(width * 0.55)));
  const [, value] = MEASURES[tree.measure], { at, nodes } = shownBelow(tree.at, value);
  const steps = [["All fields", []], ...at.map((name, level) => [name, at.slice(0, level + 1)]).filter(([name]) => name)];
  const nothing = tree.measure === "rows" ? "No rows here yet." : at.length === 3 ? "Costs are not known by subject." : "No cost is known here.";
  const picture = draw("svg", { class: "tree", height, viewBox: `0 0 ${width} ${height}`, role: "group", "aria-label": `Treemap ${MEASURES[tree.measure][0]}` });
  squarified(nodes, 0, 0, width, height).forEach((one, index) => picture.append(cell(one, index, at)));
  place.replaceChildren(
    make("div", { class: "bar" }, ...Object.entries(MEASURES).map(([name, [words]]) => make("button", {
      type: "button", "aria-pressed": tree.measure === name, click: () => { tree.measure = name; drawTree(); place.querySelectorAll(".bar button")[Object.keys(MEASURES).indexOf(name)].focus(); },
    }, words))),
    make("div", { class: "bar crumbs" }, ...steps.map(([name, path]) => make("button", { type: "button", click: () => enter(path) }, isolated(name))),
      at.length && sampled(at) ? make("button", { type: "button", click: () => show(at) }, "samples of it") : null),
    nodes.length ? picture : make("p", null, nothing),
  );
}

// ---- charts ---------------------------------------------------------------------------------------------------

function chart(title, series, labels, spelled, classes) {
  // Stacked bars: `series` by name, a value for each label.
  const names = Object.keys(series).filter((name) => series[name].some((value) => value));
  const columns = labels.map((_, index) => names.map((name) => series[name][index]));
  const most = Math.max(...columns.map(sum), 0), width = 480, height = 190, base = 160, top = 18;
  if (!most) return make("figure", null, make("figcaption", null, title), make("p", { class: "soft" }, "Nothing on record."));
  const picture = draw("svg", { class: "chart", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}: ${names.map((name) => `${name} ${spelled(sum(series[name]))}`).join(", ")} in all` });
  const step = (width - 4) / labels.length;
  columns.forEach((values, index) => {
    let y = base;
    const bar = draw("g", null, draw("title", null, `${labels[index]}: ${names.map((name, nth) => `${name} ${spelled(values[nth])}`).join(", ")}`));
    values.forEach((value, nth) => {
      const size = (value / most) * (base - top);
      y -= size;
      if (size) bar.append(draw("rect", { class: classes(names[nth], nth), x: 2 + index * step, y, width: Math.max(1, step - (step > 4 ? 1 : 0)), height: size }));
    });
    picture.append(bar);
  });
  picture.append(draw("line", { x1: 0, x2: width, y1: base, y2: base }), draw("text", { class: "axis", x: 2, y: 12 }, `at most ${spelled(most)}`),
    draw("text", { class: "axis", x: 2, y: base + 15 }, labels[0]), draw("text", { class: "axis figure", x: width - 2, y: base + 15 }, labels[labels.length - 1]));
  const legend = make("p", { class: "legend" }, ...names.map((name, nth) => make("span", null,
    draw("svg", { width: 10, height: 10, "aria-hidden": "true" }, draw("rect", { class: classes(name, nth), width: 10, height: 10 })), " ", isolated(name), `: ${spelled(sum(series[name]))}`)));
  return make("figure", null, make("figcaption", null, title), picture, legend);
}
const nth = (name, index) => `s${index % 8}`;

function drawCharts() {
  const { start, step, steps, series } = data.time;
  const moments = Array.from({ length: steps }, (_, index) => new Date((start + index * step) * 3600000).toISOString().slice(0, 16).replace("T", " "));
  const every = step === 1 ? "an hour" : step % 24 ? `${step} hours` : step === 24 ? "a day" : `${step / 24} days`;
  const charts = steps ? [
    chart(`Rows, a bar for ${every} (UTC)`, series.rows, moments, number, (name) => name),
    chart(`Tokens by stage, a bar for ${every}`, series.tokens, moments, number, nth),
    chart(`Cost by stage, a bar for ${every}`, series.cost, moments, money, nth),
  ] : [make("p", null, "Nothing yet.")];
  byId("charts").append(...charts);
  const models = [...new Set(data.spent.map((one) => one.model))], stages = [...new Set(data.spent.map((one) => one.stage))];
  const of = (what) => Object.fromEntries(models.map((model) => [model, stages.map((stage) => sum(data.spent.filter((one) => one.model === model && one.stage === stage).map((one) => one[what])))]));
  if (stages.length) byId("money").append(chart(`Tokens by model: ${stages.join(", ")}`, of("tokens"), stages, number, nth), chart(`Cost by model: ${stages.join(", ")}`, of("cost"), stages, money, nth));
  for (const [name, { edges, counts }] of Object.entries(data.bars)) {
    const labels = counts.map((_, index) => `${number(edges[index])} to ${number(edges[index + 1])}`);
    byId("lengths").append(chart(`Length of each ${name} in characters`, { [name]: counts }, labels, number, nth));
  }
}

// ---- samples --------------------------------------------------------------------------------------------------

const PAGE = 25;
const browser = {};
const verdict = (sample) => (sample.kept ? "kept" : "rejected: " + sample.reasons.join(", ")) + (sample.flags.length ? "; flagged: " + sample.flags.join(", ") : "");
const block = (words, raw) => make("pre", { class: raw ? "raw" : null, dir: "auto" }, words);

function later(summary, body, open) {
  // A section whose content is made when it is opened for the first time.
  const section = make("details", { toggle: () => { if (section.open && section.children.length === 1) fill(section, null, body()); } }, make("summary", null, ...summary));
  if (open) section.open = true;
  return section;
}

function exchanges(some, what) {
  if (!some.length) return [make("p", { class: "soft" }, `The calls of ${what} are not on record.`)];
  return some.flatMap((one) => [
    later([`Prompt of ${what}`, one.prompt ? ` (${one.prompt})` : ""], () => [
      ...(one.messages.length ? one.messages.flatMap(([role, parts]) => [make("h4", null, role), block(text(parts), true)])
        : [make("p", { class: "soft" }, "The prompt cannot be made again exactly: what it was made from has changed, or is gone.")]),
      make("p", { class: "soft" }, `request ${one.key}`),
    ]),
    ...one.attempts.map((call) => later([`Raw reply of ${what}`, call.error ? `, not usable: ${call.error}` : ""], () => [
      block(text(call.reply), true),
      make("p", { class: "soft" }, isolated(call.model), `, ${call.at}; ${call.sent === null ? "?" : number(call.sent)} tokens sent, ${call.received === null ? "?" : number(call.received)} received, ${call.cost === null ? "cost unknown" : money(call.cost)}; ended by ${call.finish || "nothing known"}`),
    ])),
    one.attempts.length ? null : make("p", { class: "soft" }, `The reply to ${one.key.slice(0, 16)} is not on record.`),
  ]);
}

function evidence(sample) {
  const found = [];
  const hit = sample.contamination;
  if (hit) found.push(make("h3", null, "Benchmark"), make("p", null, "Holds ", isolated(`${hit.benchmark}, item ${hit.item}`), `: ${hit.match} in the ${hit.part}, ${Math.round(100 * hit.overlap)} % of the item`), ...hit.ngrams.map((words) => block(words)));
  if (sample.duplicate) {
    found.push(make("h3", null, "Duplicate"));
    if (sample.instead) found.push(make("p", { class: "soft" }, "Kept instead: ", isolated(sample.instead.place), `; ${sample.duplicate}`), block(text(sample.instead.question)));
    else found.push(make("p", { class: "soft" }, `Kept instead: ${sample.duplicate}, which is not in this snapshot.`));
  }
  const scores = Object.entries(sample.scores);
  if (scores.length) found.push(make("p", null, "Scores: ", isolated(scores.map(([name, value]) => `${name} ${value}`).join("; "))));
  return found;
}

function wayBack(sample) {
  const syllabus = data.syllabi[sample.syllabus], subject = data.subjects[sample.of];
  const titles = sample.sessions.map((index) => (syllabus && syllabus.sessions[index] ? syllabus.sessions[index][0] : `session ${index + 1}`));
  const session = ([title, description, concepts], heading) => make("div", null, make("h4", null, ...heading, isolated(title)), make("p", null, isolated(description)), make("p", { class: "soft" }, isolated(concepts.join("; "))));
  return [
    make("h3", null, "The way back"),
    make("p", null, "Concepts: ", isolated(sample.concepts.join("; ")), make("br"), "Sessions: ", isolated(titles.join("; ")), make("br"),
      "Node: ", isolated(sample.path.filter(Boolean).join(" › "))),
    ...exchanges(sample.asked, "the question"),
    ...exchanges(sample.answered, "the answer"),
    ...(sample.turns.length ? exchanges(sample.continued, "further turns") : []),
    syllabus ? later(["Syllabus"], () => [
      ...syllabus.sessions.map((one, index) => session(one, [sample.sessions.includes(index) ? "▸ " : "", `${index + 1}. `])),
      later(["Text of the syllabus"], () => [block(text(syllabus.text))]),
      ...exchanges(syllabus.asked, "the syllabus"),
    ]) : make("p", { class: "soft" }, "The syllabus is not in this snapshot any more."),
    ...(sample.other ? [later(["Together with: ", isolated(sample.other.subject)], () => sample.other.sessions.map((one) => session(one, ["▸ "])))] : []),
    subject ? later(["Subject: ", isolated(subject.name)], () => [
      make("p", null, isolated(subject.introduction)), make("p", { class: "soft" }, isolated(subject.subtopics.join("; "))),
      make("p", { class: "soft" }, isolated(subject.level), `; named by ${subject.lists === null ? "?" : subject.lists} of the lists`),
      ...exchanges(subject.asked, "the list of subjects"),
    ]) : make("p", { class: "soft" }, "The subject is not in this snapshot any more."),
  ];
}

function kindOf(sample) {
  const known = [sample.difficulty, sample.question_type.replace("_", " "), sample.correct_option && `key ${sample.correct_option}`];
  return known.filter(Boolean).map((one) => `, ${one}`).join("");
}

function shown(sample, open) {
  const question = text(sample.question);
  return later([isolated(question.length > 160 ? question.slice(0, 160) + "…" : question), make("br"),
    make("span", { class: "soft" }, make("span", { class: "mark" }, verdict(sample)), " ", isolated(sample.path[2]), " · ", isolated(sample.path[3]))], () => [
    make("h3", null, "Question"), block(question), make("h3", null, "Answer"), block(text(sample.answer)),
    ...sample.turns.flatMap(([asked, said], nth) => [make("h3", null, `Turn ${nth + 2}: question`), block(text(asked)), make("h3", null, `Turn ${nth + 2}: answer`), block(text(said))]),
    ...evidence(sample), ...wayBack(sample),
    make("p", { class: "soft" }, `${sample.strategy}, sample ${sample.index}; level `, isolated(sample.level || "–"), `; asked for in ${sample.language}${kindOf(sample)}`, "; question by ", isolated(sample.question_model), ", answer by ", isolated(sample.answer_model), `; ${sample.at}; run ${sample.run_id}; ${sample.id}`),
  ], open);
}

function choices(label, values) {
  const box = make("select", { "aria-label": label, change: () => list() }, make("option", { value: "" }, label));
  values.forEach(([value, words]) => box.append(make("option", { value }, words)));
  return box;
}
const distinct = (values) => [...new Set(values)].filter((value) => value !== "").sort();

function list(more) {
  browser.shown = more ? browser.shown + PAGE : PAGE;
  const words = browser.search.value.toLowerCase().split(/\s+/).filter(Boolean);
  const node = browser.node.value ? JSON.parse(browser.node.value) : [];
  const wanted = browser.verdict.value;
  const found = data.samples.filter((sample) =>
    under(node, sample)
    && (!browser.strategy.value || sample.strategy === browser.strategy.value)
    && (!browser.level.value || sample.level === browser.level.value)
    && (!browser.difficulty.value || sample.difficulty === browser.difficulty.value)
    && (!browser.type.value || sample.question_type === browser.type.value)
    && (!browser.language.value || sample.language === browser.language.value)
    && (!wanted || (wanted === "kept" ? sample.kept : wanted === "rejected" ? !sample.kept : wanted.startsWith("flag:") ? sample.flags.includes(wanted.slice(5)) : sample.reasons.includes(wanted.slice(7))))
    && words.every((word) => sample.haystack.includes(word)));
  browser.count.textContent = `${number(found.length)} of ${number(data.samples.length)} samples`;
  const rows = found.slice(more ? browser.shown - PAGE : 0, browser.shown).map((sample) => shown(sample));
  if (more) browser.list.append(...rows); else browser.list.replaceChildren(...rows);
  if (more && rows.length) rows[0].firstChild.focus();
  browser.more.hidden = found.length <= browser.shown;
}

function drawBrowser() {
  if (!data.samples.length) { byId("browser").append(make("p", null, "No rows yet.")); return; }
  for (const sample of data.samples) sample.haystack = [text(sample.question), text(sample.answer), ...sample.turns.flat().map(text), ...sample.path, ...sample.concepts, ...sample.reasons, ...sample.flags, sample.id].join("\n").toLowerCase();
  const paths = new Map();
  for (const { path } of data.samples) for (let level = 1; level <= 4; level += 1) if (path[level - 1]) paths.set(JSON.stringify(path.slice(0, level)), path.slice(0, level));
  const nodes = [...paths].sort(([, a], [, b]) => (a.join("\n") < b.join("\n") ? -1 : 1)).map(([value, path]) => [value, "\u2003".repeat(path.length - 1) + path[path.length - 1]]);
  const reasons = distinct(data.samples.flatMap((sample) => sample.reasons));
  const languages = distinct(data.samples.map((sample) => sample.language));
  const difficulties = distinct(data.samples.map((sample) => sample.difficulty)), types = distinct(data.samples.map((sample) => sample.question_type));
  const flags = distinct(data.samples.flatMap((sample) => sample.flags));
  Object.assign(browser, {
    search: make("input", { type: "search", placeholder: "Search in questions, answers, concepts", "aria-label": "Search", input: () => list() }),
    node: choices("any node", nodes),
    strategy: choices("any strategy", distinct(data.samples.map((sample) => sample.strategy)).map((one) => [one, one])),
    level: choices("any level", distinct(data.samples.map((sample) => sample.level)).map((one) => [one, one])),
    difficulty: choices("any difficulty", difficulties.map((one) => [one, one])),
    type: choices("any type", types.map((one) => [one, one.replace("_", " ")])),
    language: choices("any language", languages.map((one) => [one, one])),
    verdict: choices("any verdict", [["kept", "kept"], ["rejected", "rejected"], ...reasons.map((one) => ["reason:" + one, "rejected: " + one]), ...flags.map((one) => ["flag:" + one, "flagged: " + one])]),
    count: make("p", { class: "soft", role: "status" }),
    list: make("div", { id: "list" }),
    more: make("button", { type: "button", click: () => list(true) }, "More"),
  });
  byId("browser").append(make("div", { class: "bar", role: "search" }, browser.search, browser.node, browser.strategy, browser.level, ...(difficulties.length ? [browser.difficulty] : []), ...(types.length ? [browser.type] : []), ...(languages.length > 1 ? [browser.language] : []), browser.verdict), browser.count, browser.list, browser.more);
  list();
}

function drawExamples() {
  const duplicates = data.samples.filter((sample) => sample.duplicate), contaminated = data.samples.filter((sample) => sample.contamination);
  const pair = (sample) => later([isolated(text(sample.question).slice(0, 160))], () => [
    make("div", { class: "pair" }, make("div", null, make("h4", null, "Rejected"), block(text(sample.question)), block(text(sample.answer))),
      make("div", null, make("h4", null, "Kept instead"), ...(sample.instead ? [block(text(sample.instead.question)), block(text(sample.instead.answer))] : [make("p", { class: "soft" }, sample.duplicate)]))),
  ]);
  const section = (title, rows) => [make("h3", null, title), ...(rows.length ? rows : [make("p", { class: "soft" }, "None among the samples.")])];
  byId("examples").append(
    ...section("Duplicates", duplicates.slice(0, PAGE).map(pair)),
    ...section("Holding an item of a benchmark", contaminated.slice(0, PAGE).map((sample) => shown(sample))),
    ...section("In quarantine", data.failures.map((one) => later([`${one.stage}, ${one.kind}: `, isolated(one.node)], () => [make("p", null, isolated(one.message)), block(text(one.raw), true)]))),
  );
}

drawBrowser();
drawTree();
drawCharts();
drawExamples();
let width = window.innerWidth;
window.addEventListener("resize", () => { if (window.innerWidth !== width) { width = window.innerWidth; drawTree(); } });
document.addEventListener("keydown", (event) => {
  if (event.key === "/" && browser.search && !/^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement.tagName)) { event.preventDefault(); browser.search.focus(); }
});
document.body.dataset.ready = "yes";
