// Inputs that move: the generated function works the whole circuit out anew, in the page.

const moving = typeof window.recompute === "function" && RUN.living !== null;
const now = new Map(); // the inputs that were moved: wire to number or array
let element_at = null; // an element of an array that has a slider: {wire, k}
let against = null; // what the tangent is drawn against: {wire, k}

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
  if (element_at) list.append(drawSlider(element_at.wire, element_at.k));
  pane.append(list);
  if (arrays.length) pane.append(element("div", { class: "arrays" }, ...arrays.slice(0, 24).map(drawInputArray)));
  pane.append(element("p", { id: "beyond", role: "status" }),
    element("button", { type: "button", id: "recorded", text: say("recorded"), onclick: asRecorded }), element("div", { id: "tangent" }));
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
  const choose = () => { against = { wire, k }; drawTangent(); };
  range.addEventListener("focus", choose);
  field.addEventListener("focus", choose);
  sliders.push({ wire, k, range, field, gradient });
  return element("div", { class: `slider ${wires[wire].role}${name.length > 8 ? " long" : ""}` }, element("b", { text: name }), range, field, gradient);
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
  against = element_at;
  pickWire(wire);
  drawInputs();
  const last = sliders[sliders.length - 1];
  if (last) last.range.focus();
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
    if (found !== undefined && Boolean(found) !== Boolean(value)) return say("beyond", where || say("aDecision"));
  }
  return "";
}

// --- the tangent

const PLOT = { width: 360, height: 170, left: 50, pad: 14, points: 96 };

function drawTangent() {
  const box = document.getElementById("tangent");
  if (!box || goal === null || !scalar(wires[goal].value)) return;
  const chosenOne = against || (sliders.find(({ wire }) => wires[wire].role === "ours") ?? sliders[0]);
  if (!chosenOne) return;
  const slider = sliders.find(({ wire, k }) => wire === chosenOne.wire && k === chosenOne.k) || sliders[0];
  const { wire, k, range } = slider;
  const [least, most] = [Number(range.min), Number(range.max)];
  const at = k === null ? inputOf(wire) : inputOf(wire)[k];
  const back = gradientOf(wire);
  const slopeAt = back === null ? 0 : back.scalar ? back.value : back.data[k];
  const height = valueOf(goal).value;
  const curve = [];
  for (let n = 0; n <= PLOT.points; n += 1) {
    const x = least + ((most - least) * n) / PLOT.points;
    curve.push([x, work((other) => (other === wire ? withElement(inputOf(wire), k, x) : inputOf(other)))[`value ${goal}`]]);
  }
  box.replaceChildren(...plot(curve, [least, most], [at, height], slopeAt, wire, k));
}

function withElement(value, k, x) {
  if (k === null) return x;
  const array = Float64Array.from(value);
  array[k] = x;
  return array;
}

function plot(curve, [least, most], [at, height], slopeAt, wire, k) {
  const finite = curve.map(([, y]) => y).filter(Number.isFinite).concat(Number.isFinite(height) ? [height] : []);
  if (!finite.length) return [];
  let [low, high] = [Math.min(...finite), Math.max(...finite)];
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  [low, high] = [low - room, high + room];
  const { width, height: tall, pad, left } = PLOT;
  const px = (x) => rounded(left + ((x - least) / (most - least)) * (width - left - pad));
  const py = (y) => rounded(tall - pad - ((y - low) / (high - low)) * (tall - 2 * pad));
  let path = "", pen = "M";
  for (const [x, y] of curve) {
    if (!Number.isFinite(y)) { pen = "M"; continue; }
    path += `${pen}${px(x)} ${py(y)}`;
    pen = "L";
  }
  const name = k === null ? wires[wire].operand : elementName(wire, k);
  const text = say("tangent", nameOf(goal), name, number(slopeAt), number(at), number(height));
  const line = (x) => height + slopeAt * (x - at);
  const svg = svgElement("svg", { viewBox: `0 0 ${width} ${tall}`, role: "img", "aria-label": text, class: "plot" },
    svgElement("defs", {}, svgElement("clipPath", { id: "inside" }, svgElement("rect", { x: left, y: pad, width: width - left - pad, height: tall - 2 * pad }))),
    svgElement("rect", { x: left, y: pad, width: width - left - pad, height: tall - 2 * pad, class: "field" }),
    ...(low < 0 && high > 0 ? [svgElement("path", { d: `M${left} ${py(0)}H${width - pad}`, class: "axis" })] : []),
    ...(least < 0 && most > 0 ? [svgElement("path", { d: `M${px(0)} ${pad}V${tall - pad}`, class: "axis" })] : []),
    svgElement("path", { d: path, class: "curve", "clip-path": "url(#inside)" }),
    ...(Number.isFinite(height) && Number.isFinite(slopeAt) ? [svgElement("path", { d: `M${px(least)} ${py(line(least))}L${px(most)} ${py(line(most))}`, class: "tangent", "clip-path": "url(#inside)" })] : []),
    svgElement("text", { x: left, y: tall - 3 }, number(least, 3)),
    svgElement("text", { x: width - pad, y: tall - 3, "text-anchor": "end" }, number(most, 3)),
    svgElement("text", { x: left - 5, y: pad + 9, "text-anchor": "end" }, number(high, 3)),
    svgElement("text", { x: left - 5, y: tall - pad, "text-anchor": "end" }, number(low, 3)),
    ...(Number.isFinite(height) ? [svgElement("circle", { cx: px(at), cy: py(height), r: 5, class: "at" })] : []));
  svg.addEventListener("pointerdown", (event) => {
    svg.setPointerCapture(event.pointerId);
    svg.dataset.dragged = "1";
  });
  svg.addEventListener("pointermove", (event) => {
    if (!svg.dataset.dragged) return;
    const box = svg.getBoundingClientRect();
    const x = least + (((event.clientX - box.left) / box.width) * width - left) / (width - left - pad) * (most - least);
    moveInput(wire, k, Math.min(most, Math.max(least, x)), true);
  });
  return [svg, element("p", { class: "quiet caption", text })];
}
