// Inputs that move: the generated function works the whole circuit out anew, in the page.

const moving = typeof window.recompute === "function" && RUN.living !== null;
const now = new Map(); // the inputs that were moved: wire to number or array
let element_at = null; // an element of an array that has a slider: {wire, k}

const recordedInput = (wire) => {
  const entry = wires[wire].value;
  return scalar(entry) ? Number(parsed(entry)) : arrayOf(entry.array).data;
};
const inputOf = (wire) => (now.has(wire) ? now.get(wire) : recordedInput(wire));

/** Work the circuit out for some inputs: an object from "kind wire step position" to numbers. */
function work(inputs) {
  const result = window.recompute(...RUN.ins.map(inputs));
  const found = {};
  RUN.living.forEach(([kind, wire, step, position], k) => {
    const value = RUN.living.length === 1 ? result.value : result[`value${k + 1}`];
    found[step < 0 ? `${kind} ${wire}` : `${kind} ${wire} ${step} ${position}`] = typeof value === "bigint" ? Number(value) : value;
  });
  return found;
}

function moveInput(wire, k, value, still) {
  if (!Number.isFinite(value)) return;
  if (k === null) now.set(wire, value);
  else {
    const array = Float64Array.from(inputOf(wire));
    array[k] = value;
    now.set(wire, array);
  }
  live = work(inputOf);
  refresh(still);
}

function asRecorded() {
  now.clear();
  live = null;
  refresh(false);
  drawInputs();
}

/** Draw everything that holds numbers once more. */
function refresh(still) {
  drawCircuit(still);
  applyLook();
  drawSummary();
  showPlace();
  rows.forEach(fillMargin);
  drawWire();
  updateInputs();
  if (picked !== null) pickWire(picked);
}

// --- the pane

const sliders = []; // {wire, k, range, field, gradient}

function drawInputs() {
  const pane = document.getElementById("inputs");
  sliders.length = 0;
  pane.replaceChildren(heading("inputs"));
  if (!moving) {
    pane.append(element("p", { class: "quiet", text: `${say("recordedOnly")} ${chosen(RUN.whyNotLiving)}`.trim() }));
    return;
  }
  const numbers = RUN.ins.filter((wire) => scalar(wires[wire].value) && typeof parsed(wires[wire].value) === "number");
  const arrays = RUN.ins.filter((wire) => !scalar(wires[wire].value));
  pane.append(element("p", { class: "quiet", text: `${say("moveInputs")}${arrays.length ? ` ${say("elementHint")}` : ""}` }));
  const list = element("div", { class: "sliders" });
  numbers.slice(0, 24).forEach((wire) => list.append(drawSlider(wire, null)));
  const elements = [element_at, ...along].filter((each, k, all) => each && each.k !== null && all.findIndex((other) => same(each, other)) === k);
  elements.forEach(({ wire, k }) => list.append(drawSlider(wire, k)));
  pane.append(list);
  if (arrays.length) pane.append(element("div", { class: "arrays" }, ...arrays.slice(0, 24).map(drawInputArray)));
  pane.append(element("p", { id: "beyond", role: "status" }),
    element("button", { type: "button", id: "recorded", text: say("recorded"), onclick: asRecorded }));
  updateInputs();
}

function drawSlider(wire, k) {
  const name = k === null ? wires[wire].operand : elementName(wire, k);
  const start = k === null ? recordedInput(wire) : recordedInput(wire)[k];
  const reach = Math.max(2, Math.abs(start) * 2);
  const range = element("input", { type: "range", min: start - reach, max: start + reach, step: 10 ** (Math.floor(Math.log10(reach)) - 2), "aria-label": say("slider", name), "data-input": name });
  const field = element("input", { type: "number", step: "any", "aria-label": say("numberOf", name) });
  const gradient = element("span", { class: "gradient" });
  range.addEventListener("input", () => moveInput(wire, k, Number(range.value), true));
  range.addEventListener("change", () => moveInput(wire, k, Number(range.value), false));
  field.addEventListener("change", () => moveInput(wire, k, Number(field.value), false));
  const choose = () => lookAlong({ wire, k });
  range.addEventListener("focus", choose);
  field.addEventListener("focus", choose);
  sliders.push({ wire, k, range, field, gradient });
  return element("div", { class: `slider ${wires[wire].role}${name.length > 6 ? " long" : ""}` }, element("b", { text: name }), range, field, gradient);
}

function indexOf(wire, k) {
  const found = [];
  for (const length of [...shapeOf(wire)].reverse()) {
    found.unshift(k % length);
    k = Math.floor(k / length);
  }
  return found;
}

/** Draw an input array: the elements of a small one, and for a larger one what opens it. */
function drawInputArray(wire) {
  const found = valueOf(wire);
  const name = wires[wire].operand;
  if (!found.data || found.data.length > 12) {
    return element("div", { class: "array" }, element("button", { type: "button", class: "chip", text: `${name} ${shapeText(found.shape)}`, onclick: () => pickWire(wire) }));
  }
  const cells = element("div", { class: "cells" });
  const across = found.shape[found.shape.length - 1];
  if (across > 1 && found.shape.length > 1) {
    cells.style.display = "grid";
    cells.style.gridTemplateColumns = `repeat(${across}, auto)`;
  }
  found.data.forEach((x, k) => cells.append(element("button", { type: "button", "data-element": k, "aria-label": `${elementName(wire, k)} = ${number(x, 3)}`, text: number(x, 3), onclick: () => moveElement(wire, k) })));
  return element("div", { class: "array" }, element("b", { text: name }), " ", element("span", { class: "quiet", text: shapeText(found.shape) }), cells);
}

const elementName = (wire, k) => `${wires[wire].operand}[${indexOf(wire, k).join(", ")}]`;

/** Give an element of an array a slider of its own. */
function moveElement(wire, k) {
  element_at = { wire, k };
  lookAlong(element_at, false);
  pickWire(wire);
  drawInputs();
  drawTangentPane();
  const slider = sliders.find((each) => same(each, element_at));
  if (slider) slider.range.focus();
}

function updateInputs() {
  for (const { wire, k, range, field, gradient } of sliders) {
    const value = k === null ? inputOf(wire) : inputOf(wire)[k];
    range.value = value;
    if (document.activeElement !== field) field.value = Number(value.toPrecision(6));
    const back = gradientOf(wire);
    const found = back === null ? null : back.scalar ? back.value : back.data ? back.data[k] : null;
    gradient.textContent = found === null ? "" : `∂ ${number(found)}`;
  }
  const button = document.getElementById("recorded");
  if (!button) return;
  button.hidden = live === null;
  document.getElementById("beyond").textContent = broken();
  drawTangent();
}

/** Say which decision of the program would now fall otherwise. */
function broken() {
  if (live === null) return "";
  for (const [wire, value, where] of RUN.guards) {
    const found = live[`value ${wire}`];
    if (found !== undefined && Boolean(found) !== Boolean(value)) return say("beyond", where.length ? chosen(where) : say("aDecision"));
  }
  return "";
}
