// The circuit as SVG: drawn from an outline, with data attributes that say what each thing is.

const SVG = "http://www.w3.org/2000/svg";
const HEAD = 8, EDGE = 16, LEVELS = 4;
const FRAMED = 32; // a frame around more boxes than this would be the ground of everything

function svgElement(tag, attributes = {}, ...children) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== undefined) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") made.textContent = value;
    else if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

const rounded = (x) => Math.round(x * 10) / 10;

let picture = null; // what is drawn now: {view, drafts, shapes, placed, svg}

/** Draw what the open boxes show; `still` keeps everything where it is. */
function drawCircuit(still = false) {
  const view = still && picture ? picture.view : outline();
  noteForks(view);
  const { drafts, joints } = draft(view);
  const shapes = drafts.map(measure);
  const placed = still && picture ? picture.placed : arrange(shapes.map((shape) => shape.node), joints);
  const layers = { frames: svgElement("g"), wires: svgElement("g"), boxes: svgElement("g"), labels: svgElement("g") };
  const boxes = shapes.map((shape, k) => ({ x: placed.x[k], y: placed.y[k] + shape.box.top, width: shape.box.width, height: shape.box.height }));
  drawArrows(layers.wires, drafts, shapes, joints, placed, boxes);
  drafts.forEach((made, k) => drawBox(layers, made, shapes[k], boxes[k], [placed.x[k], placed.y[k]], k));
  const lift = drawFrames(layers.frames, view, drafts, boxes);
  const camera = svgElement("g", { id: "camera" }, layers.frames, layers.wires, layers.labels, layers.boxes);
  const svg = svgElement("svg", { id: "drawing", role: "group", "aria-label": RUN.description, "data-boxes": drafts.length }, camera);
  picture = { view, drafts, shapes, placed, boxes, svg, camera, lift, width: placed.width, height: placed.height + lift };
  document.getElementById("stage").replaceChildren(svg);
}

function drawBox(layers, made, shape, box, corner, k) {
  const { part } = made;
  const g = svgElement("g", {
    class: `box ${made.kind}`, "data-box": k, "data-kind": made.kind,
    "data-step": part.kind === "gate" ? part.start : null,
    "data-fold": typeof part.fold === "number" ? part.fold : null,
    "data-first": part.stop > part.start ? part.start : null, "data-last": part.stop > part.start ? part.stop - 1 : null,
    "data-wires": (part.wires.length ? part.wires : made.outlets.flatMap((each) => each.wires)).join(" "),
  });
  // what is pressed holds no text: its name tells more than what is written on it, in good order
  g.append(svgElement("g", { class: "knob", role: "button", tabindex: -1, "aria-label": made.label }, svgElement("title", {}, made.label), ...outlineOf(made.kind, box)));
  for (const label of shape.labels) {
    if (label.inside) g.append(...(label.kind === "spark" ? drawSpark(made.spark, label, corner) : textsOf(label, corner, made.kind)));
  }
  layers.boxes.append(g);
  for (const tile of shape.tiles) {
    layers.labels.append(svgElement("g", { class: `tile ${tile.kind}`, "data-wires": tile.wires.join(" "), "data-shows": tile.kind, "data-since": sinceOf(made, tile) }, ...drawTile(tile, corner)));
  }
  for (const label of shape.labels) {
    if (label.inside) continue;
    layers.labels.append(svgElement("g", { class: `label ${label.kind}`, "data-wires": label.wires.join(" "), "data-shows": label.kind, "data-since": sinceOf(made, label) }, ...textsOf(label, corner, made.kind)));
  }
}

/** Draw how the gradient's norm goes from turn to turn of a loop, on a logarithmic scale. */
function drawSpark(norms, label, [left, top]) {
  const logs = norms.map((x) => Math.log10(Math.max(x, 1e-300)));
  const [low, high] = [Math.min(...logs), Math.max(...logs)];
  const x = (k) => rounded(left + label.x + (label.width * k) / (logs.length - 1));
  const y = (log) => rounded(top + label.y + SPARK_HIGH - 4 - ((log - low) / (high - low || 1)) * (SPARK_HIGH - 7));
  const path = logs.map((log, k) => `${k ? "L" : "M"}${x(k)} ${y(log)}`).join("");
  return [svgElement("path", { d: path, class: "spark" })];
}

/** Say from which step on a number is known: forward from its maker, backward down to its last reader. */
function sinceOf(made, { kind, wires: those }) {
  const [wire] = those;
  if (kind === "gradient") return lastSender(wire);
  return wires[wire].maker;
}

const lastSender = (wire) => (recordedParts.get(wire) || []).reduce((least, [step]) => Math.min(least, step), steps.length);

function outlineOf(kind, { x, y, width, height }) {
  const corner = { given: 2, ours: Math.min(width, height) / 2, gate: Math.min(12, height / 2), deciding: Math.min(12, height / 2), fork: width / 2 }[kind] ?? 4;
  const rect = (left, top, wide, high) => svgElement("rect", { x: rounded(left), y: rounded(top), width: rounded(wide), height: rounded(high), rx: rounded(corner), class: `corrente-${kind}` });
  if (kind !== "folded") return [rect(x, y, width, height)];
  return [rect(x + 4, y - 4, width - 4, height), rect(x, y, width - 4, height)];
}

function textsOf(label, [left, top], box) {
  const line = label.size * LEADING;
  let paint = label.kind;
  if (label.title && paint !== "count") paint = { out: "inverse", fork: "gradient", ours: "name" }[box] || "symbol";
  const x = label.title ? left + label.x + label.width / 2 : left + label.x;
  return label.lines.map((text, k) => svgElement("text", {
    x: rounded(x), y: rounded(top + label.y + line * (k + 0.5) + label.size * 0.36), "font-size": label.size,
    "text-anchor": label.title ? "middle" : null, class: `corrente-${paint}${label.alarm ? " alarm" : ""}`,
    "aria-hidden": label.inside ? "true" : null, "data-shows": label.kind === "local" ? "local" : null, "data-since": label.kind === "local" ? label.step : null,
  }, text));
}

function drawTile(tile, [left, top]) {
  const wide = tile.width / tile.grid[0].length, high = tile.height / tile.grid.length;
  const cells = new Map();
  tile.grid.forEach((row, r) => row.forEach((cell, c) => {
    const key = cell === null ? `nothing ${LEVELS}` : `${cell > 0 ? "plus" : "minus"} ${Math.round(Math.abs(cell) * LEVELS)}`;
    const square = `M${rounded(left + tile.x + c * wide)} ${rounded(top + tile.y + r * high)}h${rounded(wide)}v${rounded(high)}h${rounded(-wide)}z`;
    cells.set(key, (cells.get(key) || "") + square);
  }));
  const frame = { x: rounded(left + tile.x), y: rounded(top + tile.y), width: tile.width, height: tile.height };
  const found = [svgElement("rect", { ...frame, class: "paper" })];
  for (const [key, path] of cells) {
    const [paint, level] = key.split(" ");
    if (Number(level)) found.push(svgElement("path", { d: path, class: `corrente-${paint}`, "fill-opacity": Number(level) / LEVELS }));
  }
  found.push(svgElement("rect", { ...frame, class: "corrente-frame" }));
  return found;
}

function drawArrows(layer, drafts, shapes, joints, placed, boxes) {
  const read = new Set();
  const lines = joints.map((joint, k) => {
    read.add(`${joint.tail} ${joint.port}`);
    const points = placed.routes[k];
    const start = [boxes[joint.tail].x + boxes[joint.tail].width, points[0][1]];
    const rest = points.length > 1 && points[1][1] === start[1] ? points.slice(1) : points;
    return { points: [start, ...rest], wires: joint.wires, head: drafts[joint.head].kind };
  });
  drafts.forEach((made, k) => made.outlets.forEach((each, port) => {
    if (read.has(`${k} ${port}`)) return;
    const level = placed.y[k] + shapes[k].node.outs[port];
    lines.push({ points: [[boxes[k].x + boxes[k].width, level], [placed.x[k] + shapes[k].node.width, level]], wires: each.wires, head: null });
  }));
  const flagged = new Set();
  for (const { points, wires: those, head } of lines) {
    const g = svgElement("g", { class: "wire", "data-wires": those.join(" "), "data-since": wires[those[0]].maker });
    const tip = those.length === 1 ? wireLabel(those[0]) : say("wires", grouped(those.length));
    const end = points[points.length - 1];
    const shaft = head ? [...points.slice(0, -1), [end[0] - HEAD + 1, end[1]]] : points;
    const paint = head === "deciding" ? "aside" : those.length > 1 ? "bundle" : "wire";
    g.append(svgElement("title", {}, tip), svgElement("path", { d: pathOf(shaft), class: "reach" }), svgElement("path", { d: pathOf(shaft), class: `corrente-${paint}` }));
    if (head) g.append(svgElement("path", { d: `M${rounded(end[0])} ${rounded(end[1])}l${-HEAD} -4.5v9z`, class: "corrente-head" }));
    const [x, y] = points[0];
    if (those.length === 1 && kept.has(those[0]) && !flagged.has(`${those[0]} ${x} ${y}`) && wires[those[0]].role !== "constant") {
      flagged.add(`${those[0]} ${x} ${y}`);
      g.append(svgElement("path", { d: `M${rounded(x + 5)} ${rounded(y - 4.5)}l4.5 4.5l-4.5 4.5l-4.5 -4.5z`, class: "kept-flag" }));
    }
    layer.append(g);
  }
}

/** Draw level segments straight, and others as curves with level ends. */
function pathOf([[x, y], ...rest]) {
  let text = `M${rounded(x)} ${rounded(y)}`;
  for (const [px, py] of rest) {
    const middle = rounded((x + px) / 2);
    text += py === y ? `H${rounded(px)}` : `C${middle} ${rounded(y)} ${middle} ${rounded(py)} ${rounded(px)} ${rounded(py)}`;
    [x, y] = [px, py];
  }
  return text;
}

/** Draw a frame around what an opened box holds, where nothing else stands between. */
function drawFrames(layer, view, drafts, boxes) {
  const readers = new Map(view.parts.map((part) => [part, []]));
  for (const link of view.links) readers.get(view.parts[link.tail]).push(...link.readers.map(([step]) => step));
  const own = drafts.map((made, k) => (made.part.stop > made.part.start ? k : -1)).filter((k) => k >= 0);
  const shown = [...open].filter((fold) => fold !== 0 && chain(fold).every((other) => open.has(other))).sort((a, b) => b - a);
  const levels = new Map(); // how many frames are inside of one another
  for (const id of shown) {
    const level = levels.get(id) || 0;
    const above = folds[id].parent;
    levels.set(above, Math.max(levels.get(above) || 0, level + 1));
  }
  let lift = 0; // how far the frames reach above everything else
  for (const id of shown.reverse()) {
    const fold = folds[id];
    const within = (step) => fold.start <= step && step < fold.stop;
    const inside = own.filter((k) => within(drafts[k].part.start) && within(drafts[k].part.stop - 1));
    if (!inside.length || inside.length > FRAMED) continue;
    const level = levels.get(id) || 0, pad = 9 + 5 * level;
    const left = Math.min(...inside.map((k) => boxes[k].x)) - pad, right = Math.max(...inside.map((k) => boxes[k].x + boxes[k].width)) + pad;
    const top = Math.min(...inside.map((k) => boxes[k].y)) - pad - 15 * (level + 1), bottom = Math.max(...inside.map((k) => boxes[k].y + boxes[k].height)) + pad;
    // a constant that is read in here alone may stand in here
    const welcome = ({ kind, part }) => kind === "fork" || (kind === "constant" && readers.get(part).every(within));
    const foreign = boxes.some((box, k) => !welcome(drafts[k]) && !inside.includes(k) && box.x < right && box.x + box.width > left && box.y < bottom && box.y + box.height > top);
    if (foreign) continue;
    lift = Math.max(lift, -top);
    const name = foldName(fold);
    layer.append(
      svgElement("g", { class: "frame", "data-close": id },
        svgElement("rect", { x: rounded(left), y: rounded(top), width: rounded(right - left), height: rounded(bottom - top), rx: 10 }),
        svgElement("text", { x: rounded(left + 9), y: rounded(top + 14), "font-size": 12 }, `▾ ${clip(name, 40)}`),
        svgElement("title", {}, say("folds", name))),
    );
  }
  return lift;
}

// --- looking at it: pan, zoom

const look = { x: 0, y: 0, scale: 1 };

function applyLook() {
  picture.camera.setAttribute("transform", `translate(${rounded(look.x)} ${rounded(look.y)}) scale(${look.scale.toFixed(4)})`);
}

/** Give the circuit the height it needs, within reason. */
function fitStage() {
  const stage = document.getElementById("stage");
  const wide = stage.getBoundingClientRect().width || 800;
  const scale = Math.min(1.5, Math.max(0.74, wide / (picture.width + 2 * EDGE)));
  const most = Math.max(320, window.innerHeight * 0.56);
  stage.style.height = `${Math.round(Math.min(most, Math.max(270, (picture.height + 4 * EDGE) * scale)))}px`;
}

/** Show the whole circuit, or its beginning where it would be too small to read. */
function fitLook(whole = false) {
  fitStage();
  const stage = document.getElementById("stage").getBoundingClientRect();
  const [wide, high] = [picture.width + 2 * EDGE, picture.height + 2 * EDGE];
  const all = Math.min(stage.width / wide, stage.height / high);
  look.scale = Math.min(1.5, Math.max(all, whole ? 0.05 : 0.74));
  look.x = wide * look.scale > stage.width ? EDGE * look.scale : (stage.width - picture.width * look.scale) / 2;
  look.y = high * look.scale > stage.height ? EDGE * look.scale : (stage.height - picture.height * look.scale) / 2;
  look.y += picture.lift * look.scale;
  applyLook();
}

function zoomLook(factor, at = null) {
  const stage = document.getElementById("stage").getBoundingClientRect();
  const [x, y] = at || [stage.width / 2, stage.height / 2];
  const scale = Math.min(6, Math.max(0.05, look.scale * factor));
  look.x = x - ((x - look.x) * scale) / look.scale;
  look.y = y - ((y - look.y) * scale) / look.scale;
  look.scale = scale;
  applyLook();
}

/** Move a box into sight, if it is not. */
function centre(k) {
  const stage = document.getElementById("stage").getBoundingClientRect();
  const box = picture.boxes[k];
  const [x, y] = [look.x + (box.x + box.width / 2) * look.scale, look.y + (box.y + box.height / 2) * look.scale];
  if (x > 60 && y > 40 && x < stage.width - 60 && y < stage.height - 40) return;
  look.x += stage.width / 2 - x;
  look.y += stage.height / 2 - y;
  applyLook();
}
