// What stands beside the circuit: the user's source with its numbers, the generated code, a wire.

const rows = []; // of the source, in order: {element, wires, steps}
const codeLines = []; // of the generated code: {element, of, gradients, needs, back}
const rowsOfStep = steps.map((step) => step.rows);
const stepsOfRow = new Map();
for (const step of steps) step.rows.forEach((row) => {
  if (!stepsOfRow.has(row)) stepsOfRow.set(row, []);
  stepsOfRow.get(row).push(step.id);
});

function heading(key) {
  return element("h2", { text: say(key) });
}

// --- source

function drawSource() {
  const pane = document.getElementById("source");
  rows.length = 0;
  pane.replaceChildren(heading("source"));
  for (const block of RUN.source) {
    const table = element("div", { class: "code", role: "list", "aria-label": block.title || say("noSource") });
    if (block.title && RUN.source.length > 1) pane.append(element("h3", { text: block.title }));
    block.rows.forEach(([text, notes], k) => table.append(drawRow(text, notes, block.first ? block.first + k : "")));
    pane.append(table);
  }
}

function drawRow(text, notes, line) {
  const row = rows.length;
  const those = notes.map(([, wire]) => wire);
  const margin = element("span", { class: "margin" });
  const made = element("div", { class: "row", role: "listitem", tabindex: -1, "data-row": row },
    element("span", { class: "nr", "aria-hidden": "true", text: line }), element("code", { text }), margin);
  rows.push({ element: made, notes, margin, wires: those });
  fillMargin(rows[row]);
  if (those.length || stepsOfRow.has(row)) point(made, () => lightRow(row), () => pickWire(wiresOfRow(row)[0]));
  return made;
}

function fillMargin({ margin, notes }) {
  margin.replaceChildren(...notes.slice(0, 12).map(([name, wire, times]) => {
    const back = gradientOf(wire);
    const note = element("span", { class: "note" });
    const value = valueOf(wire);
    note.append(element("span", { class: "value", text: `${name} = ${value ? value.scalar ? inLine(value, wires[wire].whole) : value.lines.slice(0, 2).join(" ") : ""}` }));
    if (back) note.append(element("span", { class: "gradient", text: `∂ ${back.scalar ? inLine(back) : back.norm === null ? inLine(back) : say("norm", number(parsed(back.norm)))}` }));
    else if (wires[wire].role === "given" && parameters.size) note.append(element("span", { class: "quiet", text: say("data") }));
    if (times > 1) note.append(element("span", { class: "quiet", text: say("times", times) }));
    return note;
  }));
}

const wiresOfRow = (row) => (rows[row].wires.length ? rows[row].wires : (stepsOfRow.get(row) || []).flatMap((k) => steps[k].outs));

// --- generated code

function drawCode() {
  const pane = document.getElementById("code");
  codeLines.length = 0;
  pane.replaceChildren(heading("code"));
  const lines = RUN.code[language] || RUN.code.en;
  if (!lines) {
    pane.append(element("p", { class: "quiet", text: chosen(RUN.whyNoCode) }));
    return;
  }
  const table = element("div", { class: "code", role: "list", "aria-label": say("code") });
  lines.forEach(([text, of, gradients, needs, back], k) => {
    const quiet = /^\s*#/.test(text) ? "comment" : "";
    const made = element("div", { class: `row ${back ? "back" : ""} ${quiet}`, role: "listitem", tabindex: -1, "data-line": k + 1 },
      element("span", { class: "nr", "aria-hidden": "true", text: k + 1 }), element("code", { text }));
    codeLines.push({ element: made, text, of, gradients, needs, back });
    if (of.length || gradients.length || needs.length) point(made, () => lightLine(k), () => pickWire(gradients[0] ?? of[0] ?? needs[0]));
    table.append(made);
  });
  pane.append(table);
}

/** Return the lines of the backward pass, from 1, that read a kept wire, but not where it is unpacked. */
function linesThatNeed(wire) {
  const found = [];
  codeLines.forEach((line, k) => { if (line.back && line.needs.includes(wire) && (line.of.length || line.gradients.length)) found.push(k + 1); });
  return found;
}

function whyKept(wire) {
  const lines = linesThatNeed(wire);
  if (!kept.has(wire) && !lines.length) return say("notKept");
  if (!lines.length) return say("keptPlain");
  return lines.length === 1 ? say("keptBecause", lines[0]) : say("keptBecauseMany", lines.slice(0, 8).join(", "));
}

// --- light: one of line, wire and backward line, and the other two

function point(made, lit, pick) {
  const picked = () => { pick(); centreWire(); };
  made.classList.add("live");
  made.addEventListener("pointerenter", lit);
  made.addEventListener("pointerleave", dark);
  made.addEventListener("focus", lit);
  made.addEventListener("blur", dark);
  made.addEventListener("click", picked);
  made.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { picked(); event.preventDefault(); }
  });
}

/** Light wires, source rows and lines of code, and the kept values that these lines need. */
function light({ wires: those = [], rows: lit = [], lines = [], needs = [] }) {
  dark();
  const hot = new Set(those), cached = new Set(needs);
  for (const each of picture.svg.querySelectorAll("[data-wires]")) {
    const has = each.getAttribute("data-wires").split(" ").map(Number);
    each.classList.toggle("hot", has.some((wire) => hot.has(wire)));
    each.classList.toggle("cached", has.some((wire) => cached.has(wire) && !hot.has(wire)));
  }
  const makers = those.map((wire) => wires[wire].maker).filter((step) => step >= 0);
  for (const box of picture.svg.querySelectorAll(".box[data-first]")) {
    const [first, last] = [Number(box.getAttribute("data-first")), Number(box.getAttribute("data-last"))];
    if (makers.some((step) => first <= step && step <= last)) box.classList.add("hot");
  }
  lit.forEach((row) => rows[row] && rows[row].element.classList.add("hot"));
  lines.forEach((k) => codeLines[k].element.classList.add("hot"));
  for (const wire of cached) rowsOfWire(wire).forEach((row) => rows[row].element.classList.add("cached"));
}

function dark() {
  for (const each of document.querySelectorAll(".hot, .cached")) each.classList.remove("hot", "cached");
}

function rowsOfWire(wire) {
  const { maker } = wires[wire];
  if (maker >= 0) return rowsOfStep[maker].slice(0, 1);
  const found = rows.findIndex((row) => row.wires.includes(wire));
  return found < 0 ? [] : [found];
}

/** Return the lines of code, from 0, that belong to some wires: their gates', and their gradients'. */
function linesOfWires(those) {
  const found = [];
  codeLines.forEach((line, k) => {
    if (line.of.some((wire) => those.includes(wire)) || line.gradients.some((wire) => those.includes(wire) && wires[wire].maker < 0)) found.push(k);
  });
  return found;
}

const neededBy = (lines) => lines.filter((k) => codeLines[k].back).flatMap((k) => codeLines[k].needs);

function lightWires(those) {
  const lines = linesOfWires(those);
  light({ wires: those, rows: those.flatMap(rowsOfWire), lines, needs: neededBy(lines) });
}

function lightRow(row) {
  const those = [...new Set([...rows[row].wires, ...(stepsOfRow.get(row) || []).filter((k) => steps[k].rows[0] === row).flatMap((k) => steps[k].outs)])];
  const lines = linesOfWires(those);
  light({ wires: those, rows: [row], lines, needs: neededBy(lines) });
}

function lightLine(k) {
  const { of, gradients, needs } = codeLines[k];
  const those = gradients.length ? gradients : of.slice(0, 1);
  light({ wires: those, rows: (of.length ? of.slice(0, 1) : those).flatMap(rowsOfWire), lines: [k], needs });
}

/** Mark the source row and the lines of code of the step where we are. */
function showStep(phase, step) {
  for (const each of document.querySelectorAll(".row.here")) each.classList.remove("here");
  if (step === null) return;
  const row = rowsOfStep[step][0];
  const marked = [];
  if (row !== undefined) marked.push(rows[row].element);
  codeLines.forEach((line) => {
    if (line.back === (phase === "backward") && line.of.some((wire) => steps[step].outs.includes(wire))) marked.push(line.element);
  });
  for (const each of marked) each.classList.add("here");
  const seenIn = new Set();
  for (const each of marked) {
    if (!seenIn.has(each.parentElement)) within(each);
    seenIn.add(each.parentElement);
  }
}

/** Scroll a row into sight inside its own pane, leaving the page where it is. */
function within(row) {
  const pane = row.closest(".code");
  if (row.offsetTop < pane.scrollTop || row.offsetTop + row.offsetHeight > pane.scrollTop + pane.clientHeight) {
    pane.scrollTop = row.offsetTop - pane.clientHeight / 3;
  }
}

// --- the whole story, for print and for those who read in order

function drawStory() {
  const pane = document.getElementById("story");
  const details = element("details", {}, element("summary", {}, element("h2", { text: say("story") }), " ", element("span", { class: "quiet", text: say("storyHint") })));
  let list = null, heard = "";
  for (const [phase, , wire, en, pt] of RUN.sentences) {
    const title = phase === "fork" ? "backward" : phase;
    if (title !== heard || list === null) {
      if (WORDS[title]) details.append(element("h3", { text: say(title) }));
      list = element("ol", {});
      details.append(list);
      heard = title;
    }
    list.append(element("li", { class: wire === null || phase === "forward" ? "" : "inner", text: chosen([en, pt]) }));
  }
  pane.replaceChildren(details);
}
