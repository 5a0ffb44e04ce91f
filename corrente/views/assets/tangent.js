// The tangent: how the output goes along one input or two, and the line or the plane that touches.

let along = []; // what it is drawn along: one or two of {wire, k}
const turned = { around: 0.6, above: 0.5 }; // from where the surface is looked at, in radians
let drawnFigures = []; // the figures that are drawn, each told what to do when it is dragged

const ELEMENTS = 12; // the elements of longer arrays are not offered one by one
const OFFERED = 60;
const WORK = 1_500_000; // so many numbers, about, are worked out anew for a surface

const numberAt = (found, k) => (found === null ? null : found.scalar ? found.value : found.data ? found.data[k] : null);
const same = (one, other) => Boolean(one && other) && one.wire === other.wire && one.k === other.k;
const titleOf = ({ wire, k }) => (k === null ? wires[wire].operand : elementName(wire, k));
const pointAt = ({ wire, k }) => (k === null ? inputOf(wire) : inputOf(wire)[k]);

/** Return the slope along an input: a parameter that no gradient reaches moves nothing. */
function slopeAlong({ wire, k }) {
  const found = gradientOf(wire);
  return found === null ? 0 : numberAt(found, k);
}

const countOf = (wire) => shapeOf(wire).reduce((product, length) => product * length, 1);
const goalIsNumber = () => goal !== null && scalar(wires[goal].value) && typeof parsed(wires[goal].value) === "number";
const isReal = (wire) => (scalar(wires[wire].value) ? typeof parsed(wires[wire].value) === "number" : /float/.test(wires[wire].dtype) && RUN.arrays[wires[wire].value.array].data !== undefined);
const hasSlope = (wire) => parameters.has(wire) && isReal(wire);

/** List the numbers among the parameters, and the elements of small arrays. */
function offered() {
  const found = [];
  for (const wire of RUN.ins.filter(hasSlope)) {
    if (scalar(wires[wire].value)) found.push({ wire, k: null });
    else if (countOf(wire) <= ELEMENTS) for (let k = 0; k < countOf(wire); k += 1) found.push({ wire, k });
  }
  const more = [...along, element_at].filter((each) => each && hasSlope(each.wire) && !found.some((other) => same(each, other)));
  return [...found.slice(0, OFFERED - more.length), ...more];
}

/** Draw along an input from now on, and along the other one too where two are looked at. */
function lookAlong(each, draw = true) {
  if (!hasSlope(each.wire) || along.some((other) => same(each, other))) return;
  along = along.length > 1 ? [each, along[0]] : [each];
  if (draw) drawTangentPane();
}

// --- the pane

function drawTangentPane() {
  const pane = document.getElementById("tangent");
  pane.replaceChildren(heading("tangent"));
  const quiet = (text) => pane.append(element("p", { class: "quiet", text }));
  if (!goalIsNumber()) { quiet(say("tangentNoGoal")); return; }
  const choices = offered();
  if (!choices.length) { quiet(say("tangentNoInput")); return; }
  along = along.filter((each) => choices.some((other) => same(each, other)));
  if (!along.length) along = choices.length === 2 ? choices : choices.slice(0, 1);
  pane.append(element("div", { class: "choice" }, chooser("along", choices, 0), ...(choices.length > 1 ? [chooser("and", choices, 1)] : [])));
  if (!moving) quiet(say("tangentRecorded"));
  const box = element("div", { id: "figures" });
  pane.append(box, element("p", { id: "slopes", class: "quiet caption" }), element("p", { id: "cut", class: "quiet" }));
  if (along.length > 1) pane.append(...turners());
  listenToFigures(box);
  drawTangent();
}

function chooser(key, choices, at) {
  const select = element("select", { id: key }, ...(at ? [element("option", { value: "", text: say("aLine") })] : []),
    ...choices.map((each, k) => element("option", { value: k, text: titleOf(each), selected: same(each, along[at]) })));
  select.addEventListener("change", () => {
    const each = choices[select.value];
    const [first, second] = along;
    if (!each) along = [first];
    else if (at === 0) along = same(each, second) ? [second, first] : [each, ...(second ? [second] : [])];
    else along = same(each, first) ? (second ? [second, first] : [first]) : [first, each];
    drawInputs();
    drawTangentPane();
    document.getElementById(key).focus();
  });
  return element("label", {}, element("span", { text: say(key) }), " ", select);
}

/** Give the keyboard what dragging does: two sliders that turn the surface. */
function turners() {
  const turner = (key, name, min, max) => {
    const range = element("input", { type: "range", id: key, min, max, step: 0.02, value: turned[name], "aria-label": say(key) });
    range.addEventListener("input", () => { turned[name] = Number(range.value); drawTangent(); });
    return element("label", { class: "turner" }, element("span", { text: say(key) }), " ", range);
  };
  return [element("div", { class: "choice turners" }, turner("turnAround", "around", -3.14, 3.14), turner("turnAbove", "above", 0.1, 1.5))];
}

/** Let a figure be dragged although it is drawn anew at every move: the box around them stays. */
function listenToFigures(box) {
  let held = null;
  box.addEventListener("pointerdown", (event) => {
    const svg = event.target.closest && event.target.closest("svg");
    const figure = svg && drawnFigures.find((each) => each.svg === svg);
    if (!figure || !figure.drag) return;
    held = { at: drawnFigures.indexOf(figure), x: event.clientX, y: event.clientY, box: svg.getBoundingClientRect() };
    box.setPointerCapture(event.pointerId);
    event.preventDefault();
  });
  box.addEventListener("pointermove", (event) => {
    if (!held || !drawnFigures[held.at]) return;
    const { box: { left, top, width, height } } = held;
    const by = [event.clientX - held.x, event.clientY - held.y];
    Object.assign(held, { x: event.clientX, y: event.clientY });
    drawnFigures[held.at].drag([(event.clientX - left) / width, (event.clientY - top) / height], by);
  });
  for (const end of ["pointerup", "pointercancel"]) box.addEventListener(end, () => {
    if (held && live !== null) refresh(false);
    held = null;
  });
}

// --- what is drawn

const ALIKE = 4; // two inputs of about the same size are drawn to one scale: then ∇ stands upright

/** Say how far each input is followed: about as its slider goes, around the point where it now is. */
function spansOf(inputs) {
  const starts = inputs.map(({ wire, k }) => (k === null ? recordedInput(wire) : recordedInput(wire)[k]));
  const reaches = starts.map((start) => Math.max(2, Math.abs(start) * 2) || 2);
  const longest = Math.max(...reaches);
  return inputs.map((each, k) => {
    const reach = longest <= ALIKE * Math.min(...reaches) ? longest : reaches[k];
    const at = pointAt(each), middle = Math.abs(at - starts[k]) <= reach ? starts[k] : at;
    return [middle - reach, middle + reach];
  });
}

const shownAt = (wire) => (moving ? RUN.living.findIndex(([kind, other]) => kind === "value" && other === wire) : -1);
const goalPlace = shownAt(goal);
const guardPlaces = RUN.guards.map(([wire, value]) => [shownAt(wire), Boolean(value)]).filter(([at]) => at >= 0);

/** Work out the output alone, with some inputs elsewhere; NaN where the program would take another path. */
function heightAt(others, places, beyond) {
  const result = window.recompute(...RUN.ins.map((wire) => others.reduce((value, each, k) => (each.wire === wire ? withElement(value, each.k, places[k]) : value), inputOf(wire))));
  const found = (at) => (RUN.living.length === 1 ? result.value : result[`value${at + 1}`]);
  const elsewhere = !beyond && guardPlaces.some(([at, value]) => Boolean(found(at)) !== value);
  return elsewhere ? NaN : Number(found(goalPlace));
}

function withElement(value, k, x) {
  if (k === null) return x;
  const array = Float64Array.from(value);
  array[k] = x;
  return array;
}

const load = 1 + wires.reduce((sum, wire) => sum + countOf(wire.id), 0); // numbers on the wires
const sampled = { key: "", grid: null }; // the surface that was last worked out

/** Work out the output on a grid of places; null where the circuit does not move. */
function surfaceOf(spans) {
  if (!moving) return null;
  const still = RUN.ins.map((wire) => along.reduce((value, each) => (each.wire === wire ? withElement(value, each.k, 0) : value), inputOf(wire)));
  const beyond = broken() !== ""; // then all is drawn as if the recorded path were the only one
  const key = JSON.stringify([along, spans, beyond, still.map((value) => (typeof value === "object" ? Array.from(value) : value))]);
  if (sampled.key === key) return sampled.grid;
  const cells = along.length > 1 ? Math.max(8, Math.min(24, Math.floor(Math.sqrt(WORK / load)))) : Math.max(48, Math.min(96, Math.floor(WORK / load)));
  const [xs, ys] = spans.map(([least, most]) => Array.from({ length: cells + 1 }, (_, n) => least + ((most - least) * n) / cells));
  const line = (rest) => xs.map((x) => heightAt(along, [x, ...rest], beyond));
  const grid = { xs, rows: ys ? ys.map((y) => line([y])) : [line([])] };
  Object.assign(sampled, { key, grid });
  return grid;
}

/** Draw the figures and say the slopes, with the inputs as they are now. */
function drawTangent() {
  const box = document.getElementById("figures");
  if (!box) return;
  const at = along.map(pointAt), slopes = along.map(slopeAlong), height = valueOf(goal).value;
  const caption = document.getElementById("slopes");
  drawnFigures = [];
  if (![...at, ...slopes, height].every(Number.isFinite)) {
    box.replaceChildren();
    caption.textContent = say("tangentNone");
    document.getElementById("cut").textContent = "";
    return;
  }
  const spans = spansOf(along);
  const scene = { names: along.map(titleOf), out: nameOf(goal), spans, at, slopes, height, grid: surfaceOf(spans) };
  drawnFigures = along.length > 1 ? [drawMap(scene), drawSpace(scene)] : [drawLine(scene)];
  box.replaceChildren(...drawnFigures.map(({ svg, text }) => element("figure", {}, svg, ...(text ? [element("figcaption", { class: "quiet", text })] : []))));
  caption.textContent = slopesText(scene);
  const cut = scene.grid && guardPlaces.length && scene.grid.rows.flat().some(Number.isNaN);
  document.getElementById("cut").textContent = cut ? say("tangentCut") : "";
}

function slopesText({ names, out, at, slopes, height }) {
  if (names.length === 1) return say("tangentLine", out, names[0], number(slopes[0]), number(at[0]), number(height));
  return say("tangentPlane", out, names[0], names[1], number(at[0]), number(at[1]), number(height), number(slopes[0]), number(slopes[1]), number(Math.hypot(...slopes)));
}

/** Return the least and the greatest of some heights, but for the few that would hide the others. */
function heightSpan(heights, height) {
  const finite = heights.filter(Number.isFinite).sort((a, b) => a - b);
  const cut = heights.length > 200 ? Math.floor(finite.length * 0.02) : 0;
  const low = Math.min(height, finite[cut] ?? height), high = Math.max(height, finite[finite.length - 1 - cut] ?? height);
  const room = (high - low || Math.abs(high) || 1) * 0.08;
  return [low - room, high + room];
}

/** Move the inputs that are looked at, no further than they are drawn. */
function moveAlong(scene, places) {
  places.forEach((x, k) => moveInput(along[k].wire, along[k].k, Math.min(scene.spans[k][1], Math.max(scene.spans[k][0], x)), true));
}

// --- the line

const LINE = { width: 400, height: 230, left: 58, right: 16, top: 24, foot: 38 };

function drawLine(scene) {
  const { spans: [[least, most]], at: [x0], slopes: [rate], height, grid, names: [name], out } = scene;
  const { width, height: tall, left, right, top, foot } = LINE;
  const line = (x) => height + rate * (x - x0);
  const [low, high] = heightSpan(grid ? grid.rows[0] : [line(least), line(most)], height);
  const px = (x) => rounded(left + ((x - least) / (most - least)) * (width - left - right));
  const py = (y) => rounded(Math.max(-9999, Math.min(9999, tall - foot - ((y - low) / (high - low)) * (tall - top - foot))));
  let path = "", pen = "M";
  (grid ? grid.rows[0] : []).forEach((y, n) => {
    if (!Number.isFinite(y)) { pen = "M"; return; }
    path += `${pen}${px(grid.xs[n])} ${py(y)}`;
    pen = "L";
  });
  const svg = frame("line", LINE, slopesText(scene),
    ...(low < 0 && high > 0 ? [svgElement("path", { d: `M${left} ${py(0)}H${width - right}`, class: "axis" })] : []),
    ...(least < 0 && most > 0 ? [svgElement("path", { d: `M${px(0)} ${top}V${tall - foot}`, class: "axis" })] : []),
    svgElement("path", { d: `M${px(x0)} ${tall - foot}V${py(height)}H${left}`, class: "guide" }),
    ...(path ? [svgElement("path", { d: path, class: "curve", "clip-path": "url(#inside-line)" })] : []),
    svgElement("path", { d: `M${px(least)} ${py(line(least))}L${px(most)} ${py(line(most))}`, class: "tangent", "clip-path": "url(#inside-line)" }),
    ...ticks(LINE, name, out, [least, most], [low, high]),
    svgElement("circle", { cx: px(x0), cy: py(height), r: 5, class: "at" }));
  return { svg, text: grid ? say("lineKey", out) : "", drag: moving && (([u]) => moveAlong(scene, [least + ((u * width - left) / (width - left - right)) * (most - least)])) };
}

/** Draw the field of a figure, with a name for those who do not see it. */
function frame(kind, { width, height, left, right, top, foot }, label, ...children) {
  const field = () => svgElement("rect", { x: left, y: top, width: width - left - right, height: height - top - foot });
  const ground = field();
  ground.setAttribute("class", "field");
  return svgElement("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label, class: `plot ${kind}${moving ? " moves" : ""}` },
    svgElement("defs", {}, svgElement("clipPath", { id: `inside-${kind}` }, field())), ground, ...children);
}

/** Write the names of both axes, and how far they go. */
function ticks({ width, height, left, right, top, foot }, name, out, [least, most], [low, high]) {
  const text = (x, y, anchor, kind, words) => svgElement("text", { x, y, "text-anchor": anchor, class: kind }, words);
  return [
    text(left, height - foot + 14, "start", "tick", number(least, 3)),
    text(width - right, height - foot + 14, "end", "tick", number(most, 3)),
    text((left + width - right) / 2, height - foot + 26, "middle", "axis-name", clip(name, 24)),
    text(left - 6, top + 8, "end", "tick", number(high, 3)),
    text(left - 6, height - foot, "end", "tick", number(low, 3)),
    text(left, top - 9, "start", "axis-name", clip(out, 24)),
  ];
}

// --- the plane from above: heat and lines of equal height

const MAP = { width: 330, height: 320, left: 52, right: 18, top: 24, foot: 38 };
const EITHER_SIDE = 4; // lines of equal height on either side of the point

function drawMap(scene) {
  const { spans: [[xl, xm], [yl, ym]], at, slopes, height, grid, names, out } = scene;
  const { width, height: tall, left, right, top, foot } = MAP;
  const [wide, deep] = [width - left - right, tall - top - foot];
  const px = (u) => rounded(left + u * wide), py = (v) => rounded(tall - foot - v * deep);
  const here = [(at[0] - xl) / (xm - xl), (at[1] - yl) / (ym - yl)];
  const rates = [slopes[0] * (xm - xl), slopes[1] * (ym - yl)]; // along the sides of the field
  const flat = ([u, v]) => height + rates[0] * (u - here[0]) + rates[1] * (v - here[1]);
  const corners = [[0, 0], [0, 1], [1, 0], [1, 1]].map(flat);
  const [low, high] = heightSpan(grid ? grid.rows.flat() : corners, height);
  const step = (high - low) / (2 * EITHER_SIDE + 1);
  const levels = Array.from({ length: 4 * EITHER_SIDE + 1 }, (_, k) => k - 2 * EITHER_SIDE);
  const heat = [], lines = [];
  if (grid) {
    heat.push(...heatOf(grid, height, Math.max(high - height, height - low), px, py));
    for (const k of levels) {
      const d = equalHeight(grid, height + k * step, px, py);
      if (d) lines.push(svgElement("path", { d, class: k ? "curve" : "curve here" }));
    }
  }
  for (const k of levels) {
    const d = planeLine(here, rates, k * step, px, py);
    if (d) lines.push(svgElement("path", { d, class: k ? "tangent" : "tangent here" }));
  }
  const svg = frame("map", MAP, slopesText(scene), svgElement("g", { "clip-path": "url(#inside-map)" }, ...heat, ...lines),
    ...ticks(MAP, names[0], names[1], [xl, xm], [yl, ym]), ...gradientArrow([px(here[0]), py(here[1])], [slopes[0] / (xm - xl), -slopes[1] / (ym - yl)]),
    svgElement("circle", { cx: px(here[0]), cy: py(here[1]), r: 5, class: "at" }));
  const drag = ([u, v]) => moveAlong(scene, [xl + ((u * width - left) / wide) * (xm - xl), yl + ((tall - foot - v * tall) / deep) * (ym - yl)]);
  return { svg, text: say(grid ? "mapKey" : "mapKeyRecorded", out, number(height)), drag: moving && drag };
}

/** Paint each cell: above the point's height orange, below it blue, far from it strong. */
function heatOf(grid, height, most, px, py) {
  const found = [], cells = grid.xs.length - 1;
  for (let r = 0; r < cells; r += 1) for (let c = 0; c < cells; c += 1) {
    const mean = (grid.rows[r][c] + grid.rows[r][c + 1] + grid.rows[r + 1][c] + grid.rows[r + 1][c + 1]) / 4 - height;
    if (!Number.isFinite(mean)) continue;
    const [x, y] = [px(c / cells), py((r + 1) / cells)];
    found.push(svgElement("rect", { x, y, width: rounded(px((c + 1) / cells) - x), height: rounded(py(r / cells) - y), class: mean > 0 ? "corrente-plus" : "corrente-minus", "fill-opacity": (0.6 * Math.min(1, Math.abs(mean) / most)).toFixed(3) }));
  }
  return found;
}

/** Trace the places of one height through a grid, cell by cell, as a path. */
function equalHeight({ xs, rows: heights }, level, px, py) {
  const cells = xs.length - 1;
  let path = "";
  for (let r = 0; r < cells; r += 1) for (let c = 0; c < cells; c += 1) {
    const corners = [[c, r], [c + 1, r], [c + 1, r + 1], [c, r + 1]];
    const points = [];
    corners.forEach(([i, j], k) => {
      const [m, n] = corners[(k + 1) % 4];
      const [a, b] = [heights[j][i] - level, heights[n][m] - level];
      if (!Number.isFinite(a) || !Number.isFinite(b) || a < 0 === b < 0) return;
      const t = a / (a - b);
      points.push(`${px((i + t * (m - i)) / cells)} ${py((j + t * (n - j)) / cells)}`);
    });
    for (let k = 0; k + 1 < points.length; k += 2) path += `M${points[k]}L${points[k + 1]}`;
  }
  return path;
}

/** Draw where the tangent plane is so much higher than at the point: a straight line. */
function planeLine([u, v], [gu, gv], rise, px, py) {
  const squared = gu * gu + gv * gv;
  if (!squared) return "";
  const far = [(rise * gu) / squared, (rise * gv) / squared], long = 2 / Math.sqrt(squared);
  if (Math.hypot(...far) > 1.5) return "";
  const end = (sign) => `${px(u + far[0] - sign * gv * long)} ${py(v + far[1] + sign * gu * long)}`;
  return `M${end(-1)}L${end(1)}`;
}

function gradientArrow([x, y], [dx, dy], long = 46) {
  const size = Math.hypot(dx, dy);
  if (!size) return [];
  const [ux, uy] = [dx / size, dy / size];
  const [ex, ey] = [x + ux * long, y + uy * long];
  const side = (sign) => `${rounded(ex - 9 * ux + sign * 4.5 * uy)} ${rounded(ey - 9 * uy - sign * 4.5 * ux)}`;
  return [svgElement("path", { d: `M${x} ${y}L${rounded(ex - 6 * ux)} ${rounded(ey - 6 * uy)}`, class: "uphill" }), svgElement("path", { d: `M${rounded(ex)} ${rounded(ey)}L${side(1)}L${side(-1)}z`, class: "uphill-head" }),
    svgElement("text", { x: rounded(ex + 9 * ux), y: rounded(ey + 9 * uy + 4), "text-anchor": "middle", class: "uphill-name" }, "∇")];
}

// --- the plane in space: a surface of small facets, looked at from afar

const SPACE = { width: 380, height: 320, scale: 104 }, HEADROOM = 1.3;

function drawSpace(scene) {
  const { spans: [[xl, xm], [yl, ym]], at, slopes, height, grid, names, out } = scene;
  const here = [(2 * (at[0] - xl)) / (xm - xl) - 1, (2 * (at[1] - yl)) / (ym - yl) - 1];
  const rates = [(slopes[0] * (xm - xl)) / 2, (slopes[1] * (ym - yl)) / 2];
  const flat = (u, v) => height + rates[0] * (u - here[0]) + rates[1] * (v - here[1]);
  const heights = grid ? grid.rows.flat() : [-1, 1].flatMap((u) => [-1, 1].map((v) => flat(u, v)));
  const [low, high] = heightSpan(heights, height);
  const lifted = (z) => (2 * (z - low)) / (high - low) - 1;
  const facets = [...(grid ? facetsOf(grid.xs.length - 1, [-1, 1], [-1, 1], (u, v, r, c) => lifted(grid.rows[r][c]), "surface") : [])];
  const patch = (x) => [Math.max(-1, x - 0.6), Math.min(1, x + 0.6)];
  facets.push(...facetsOf(6, patch(here[0]), patch(here[1]), (u, v) => lifted(flat(u, v)), "touching"));
  const slanted = facets.map(({ corners, kind }) => ({ kind, points: below(below(corners, 1), -1).map(seenAt) })).filter(({ points }) => points.length > 2);
  const away = (points) => points.reduce((sum, [, , far]) => sum + far, 0) / points.length;
  slanted.sort((a, b) => away(b.points) - away(a.points));
  const drawn = slanted.map(({ kind, points }) => svgElement("path", { d: `M${points.map(([x, y]) => `${rounded(x)} ${rounded(y)}`).join("L")}z`, class: kind }));
  const [x, y] = seenAt([...here, lifted(height)]);
  const uphill = [slopes[0] / (xm - xl), slopes[1] / (ym - yl)].map((each, _, [a, b]) => (0.5 * each) / (Math.hypot(a, b) || 1));
  const [ex, ey] = seenAt([here[0] + uphill[0], here[1] + uphill[1], lifted(flat(here[0] + uphill[0], here[1] + uphill[1]))]);
  const { floor, labels } = cage(names, out, [xl, xm], [yl, ym], [low, high]);
  const arrow = gradientArrow([rounded(x), rounded(y)], [ex - x, ey - y], Math.max(14, Math.min(70, Math.hypot(ex - x, ey - y))));
  const svg = svgElement("svg", { viewBox: `0 0 ${SPACE.width} ${SPACE.height}`, role: "img", "aria-label": slopesText(scene), class: "plot space" },
    ...floor, ...drawn, ...labels, ...arrow, svgElement("circle", { cx: rounded(x), cy: rounded(y), r: 4.5, class: "at" }));
  const drag = (_, [dx, dy]) => {
    turned.around = ((turned.around - dx / 110 + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
    turned.above = Math.max(0.1, Math.min(1.5, turned.above + dy / 110));
    for (const [id, name] of [["turnAround", "around"], ["turnAbove", "above"]]) document.getElementById(id).value = turned[name];
    drawTangent();
  };
  return { svg, text: say(grid ? "spaceKey" : "spaceKeyRecorded", out), drag };
}

function facetsOf(cells, [ul, um], [vl, vm], lift, kind) {
  const found = [];
  const corner = (c, r) => { const [u, v] = [ul + ((um - ul) * c) / cells, vl + ((vm - vl) * r) / cells]; return [u, v, lift(u, v, r, c)]; };
  for (let r = 0; r < cells; r += 1) for (let c = 0; c < cells; c += 1) found.push({ kind, corners: [corner(c, r), corner(c + 1, r), corner(c + 1, r + 1), corner(c, r + 1)] });
  return found;
}

/** Cut off what rises above the cage, or with the sign −1 what hangs below it. */
function below(corners, sign) {
  const room = ([, , w]) => HEADROOM - sign * w;
  return corners.flatMap((one, n) => {
    const next = corners[(n + 1) % corners.length], [a, b] = [room(one), room(next)];
    const kept = a >= 0 ? [one] : [];
    return a * b < 0 ? [...kept, one.map((x, k) => x + ((next[k] - x) * a) / (a - b))] : kept;
  });
}

/** Look at a place from afar: where it is seen, and how far away it is. */
function seenAt([u, v, w]) {
  const { around, above } = turned;
  const aside = u * Math.cos(around) - v * Math.sin(around), away = u * Math.sin(around) + v * Math.cos(around);
  const up = 0.8 * w * Math.cos(above) + away * Math.sin(above);
  return [SPACE.width / 2 + SPACE.scale * aside, SPACE.height / 2 - SPACE.scale * up, away * Math.cos(above) - 0.8 * w * Math.sin(above)];
}

/** Draw the floor and one upright edge, and the names of the axes on the sides that are nearest. */
function cage(names, out, xs, ys, heights) {
  const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]];
  const path = (places) => `M${places.map(seenAt).map(([x, y]) => `${rounded(x)} ${rounded(y)}`).join("L")}`;
  const near = (ends) => (seenAt(ends(-1))[2] < seenAt(ends(1))[2] ? -1 : 1);
  const [front, side] = [near((v) => [0, v, -1]), near((u) => [u, 0, -1])];
  const [u, v] = corners.reduce((least, each) => (seenAt([...each, -1])[0] < seenAt([...least, -1])[0] ? each : least));
  const label = ([x0, y0], words, kind, anchor = "middle") => svgElement("text", { x: rounded(x0), y: rounded(y0 + 4), "text-anchor": anchor, class: kind }, words);
  const beside = ([x0, y0], by) => [x0 - 8, y0 + by];
  return {
    floor: [svgElement("path", { d: `${path(corners.map((each) => [...each, -1]))}z`, class: "field" }), svgElement("path", { d: path([[u, v, -1], [u, v, 1]]), class: "axis" })],
    labels: [
      label(seenAt([0, 1.25 * front, -1]), clip(names[0], 16), "axis-name"), label(seenAt([-0.8, 1.2 * front, -1]), number(xs[0], 3), "tick"), label(seenAt([0.8, 1.2 * front, -1]), number(xs[1], 3), "tick"),
      label(seenAt([1.25 * side, 0, -1]), clip(names[1], 16), "axis-name"), label(seenAt([1.2 * side, -0.8, -1]), number(ys[0], 3), "tick"), label(seenAt([1.2 * side, 0.8, -1]), number(ys[1], 3), "tick"),
      label(seenAt([u, v, 1.2]), clip(out, 16), "axis-name"), label(beside(seenAt([u, v, 1]), 4), number(heights[1], 3), "tick", "end"), label(beside(seenAt([u, v, -1]), -4), number(heights[0], 3), "tick", "end"),
    ],
  };
}
