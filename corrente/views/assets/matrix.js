// One wire seen closely: its value and its gradient, arrays as heat that opens to every number.

let picked = null; // the wire looked at
let element_ = 0; // and the element of its arrays

function pickWire(wire) {
  if (wire === undefined || wire === null) return;
  if (wire !== picked) element_ = 0;
  picked = wire;
  drawWire();
  for (const each of picture.svg.querySelectorAll(".picked")) each.classList.remove("picked");
  for (const each of picture.svg.querySelectorAll("[data-wires]")) {
    if (each.getAttribute("data-wires") === String(wire)) each.classList.add("picked");
  }
}

/** Bring the wire that is looked at into sight. */
function centreWire() {
  const at = picked === null ? -1 : boxOf(picked);
  if (at >= 0) centre(at);
}

function drawWire() {
  const pane = document.getElementById("wire");
  pane.replaceChildren(heading("wire"));
  if (picked === null) {
    pane.append(element("p", { class: "quiet", text: say("pickWire") }));
    return;
  }
  const wire = wires[picked];
  const role = wire.maker < 0 ? say(wire.role) : say("made", steps[wire.maker].code);
  pane.append(element("p", { class: "name" }, element("b", { text: nameOf(picked) }), " ", element("span", { class: "quiet", text: `${role} · ${wire.dtype}` })));
  const [value, back] = [valueOf(picked), gradientOf(picked)];
  if (value && value.scalar) {
    pane.append(element("p", { class: "numbers" },
      element("span", { class: "value big", text: inLine(value, wire.whole) }), " ",
      element("span", { class: "gradient big", text: back ? `∂ ${inLine(back)}` : say("unreached") })));
  } else {
    const fields = element("div", { class: "fields" });
    if (value) fields.append(element("div", { class: "field-of" }, ...drawMatrix("value", value)));
    if (back) fields.append(element("div", { class: "field-of" }, ...drawMatrix("gradient", back)));
    pane.append(fields);
    if (!back) pane.append(element("p", { class: "quiet", text: say("unreached") }));
    if (moving && RUN.ins.includes(picked) && value.data) pane.append(element("button", { type: "button", id: "move", text: `${say("moveElement")}: ${elementName(picked, element_)}`, onclick: () => moveElement(picked, element_) }));
  }
  const parts = partsOf(picked);
  if (parts.length > 1) {
    pane.append(element("p", { class: "quiet", text: say("addsUp", parts.length) }), element("ul", { class: "parts" },
      ...parts.slice(0, 12).map((part) => element("li", {}, element("span", { class: "gradient", text: `∂ ${inLine(part.figure)}` }), ` ${say("from", clip(steps[part.step].code, 60))}`))));
  }
  showElement(pane);
  if (wire.maker >= 0 || wire.role !== "constant") {
    const isKept = kept.has(picked);
    pane.append(element("p", { class: isKept ? "why" : "why not", text: `${isKept ? "◆" : "◇"} ${whyKept(picked)}` }));
  }
}

/** Bring the element that is looked at into sight in the tables of numbers. */
function showElement(pane) {
  for (const cell of pane.querySelectorAll("td.at")) {
    const box = cell.closest(".scroll");
    box.scrollTop = cell.offsetTop - (box.clientHeight - cell.offsetHeight) / 2;
    box.scrollLeft = cell.offsetLeft - (box.clientWidth - cell.offsetWidth) / 2;
  }
}

/** Draw an array as a field of heat, and the numbers around the element that is looked at. */
function drawMatrix(kind, found) {
  const name = say(kind === "value" ? "valueOf" : "gradientOf", nameOf(picked));
  const head = element("p", { class: kind }, `${kind === "gradient" ? "∂ " : ""}${found.lines.join("  ")}`);
  const grid = found.data ? { data: found.data, wide: found.shape[found.shape.length - 1] } : blocks(found);
  if (!grid || !grid.data.length) return [head];
  const high = grid.data.length / grid.wide;
  const peak = grid.data.reduce((most, x) => (Number.isFinite(x) ? Math.max(most, Math.abs(x)) : most), 0);
  const canvas = element("canvas", { class: "heat", role: "img", tabindex: 0, "aria-label": `${say("matrix", name, high, grid.wide)}; ${found.lines.join(" ")}; ${say("scale", number(peak))}` });
  const cell = Math.max(1, Math.min(18, Math.floor(Math.min(400 / grid.wide, 240 / high))));
  [canvas.width, canvas.height] = [grid.wide * cell, high * cell];
  paint(canvas, grid, cell, peak);
  const made = [head, canvas];
  if (!found.data) return [...made, element("p", { class: "quiet", text: say("notWhole") })];
  canvas.addEventListener("click", (event) => {
    const box = canvas.getBoundingClientRect();
    const column = Math.min(grid.wide - 1, Math.floor(((event.clientX - box.left) / box.width) * grid.wide));
    const row = Math.min(high - 1, Math.floor(((event.clientY - box.top) / box.height) * high));
    element_ = Math.max(0, row * grid.wide + column);
    drawWire();
  });
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: grid.wide, ArrowUp: -grid.wide }[event.key];
    if (by === undefined || element_ + by < 0 || element_ + by >= grid.data.length) return;
    event.preventDefault();
    event.stopPropagation();
    element_ += by;
    drawWire();
    document.querySelector(`#wire canvas[data-kind="${kind}"]`).focus();
  });
  canvas.dataset.kind = kind;
  return [...made, numbersAround(kind, grid, high, name)];
}

function blocks(found) {
  const grid = found.blocks || found.tile;
  return grid ? { data: grid.flat().map((x) => (x === null ? NaN : x)), wide: grid[0].length } : null;
}

function paint(canvas, { data, wide }, cell, peak) {
  const ink = canvas.getContext("2d");
  const style = getComputedStyle(document.body);
  const [plus, minus, nothing] = ["--plus", "--minus", "--nothing"].map((name) => style.getPropertyValue(name));
  data.forEach((x, k) => {
    ink.globalAlpha = Number.isFinite(x) ? (peak ? Math.abs(x) / peak : 0) : 1;
    ink.fillStyle = !Number.isFinite(x) ? nothing : x > 0 ? plus : minus;
    ink.fillRect((k % wide) * cell, Math.floor(k / wide) * cell, cell, cell);
  });
  if (element_ < data.length && cell > 2) {
    ink.globalAlpha = 1;
    ink.strokeStyle = style.getPropertyValue("--ink");
    ink.lineWidth = 1.5;
    ink.strokeRect((element_ % wide) * cell + 0.75, Math.floor(element_ / wide) * cell + 0.75, cell - 1.5, cell - 1.5);
  }
}

const ROWS = 8, COLUMNS = 6; // of a large array, so much at a time; the heat beside goes anywhere
const WHOLE = 1024; // and all the numbers of an array of no more elements than this

function numbersAround(kind, { data, wide }, high, name) {
  const at = Math.min(element_, data.length - 1);
  const [most, across] = data.length <= WHOLE ? [high, wide] : [ROWS, COLUMNS];
  const top = Math.max(0, Math.min(high - most, Math.floor(at / wide) - Math.floor(most / 2)));
  const left = Math.max(0, Math.min(wide - across, (at % wide) - Math.floor(across / 2)));
  const columns = Array.from({ length: Math.min(across, wide - left) }, (_, k) => left + k);
  const lines = Array.from({ length: Math.min(most, high - top) }, (_, k) => top + k);
  const head = element("tr", {}, element("td", {}), ...columns.map((c) => element("th", { scope: "col", text: c })));
  const body = lines.map((r) => element("tr", {}, element("th", { scope: "row", text: r }), ...columns.map((c) => {
    const k = r * wide + c;
    return element("td", { class: `${kind}${k === at ? " at" : ""}`, text: number(data[k]), onclick: () => { element_ = k; drawWire(); } });
  })));
  const table = element("table", { class: "matrix", "aria-label": name }, element("thead", {}, head), element("tbody", {}, ...body));
  return element("div", { class: "scroll", tabindex: 0, role: "group", "aria-label": name }, table);
}
