// The run: what was recorded, and what the page works out anew when an input moves.

const RUN = JSON.parse(document.getElementById("data").textContent);

const wires = RUN.wires.map(([name, operand, role, value, gradient, dtype], id) => ({
  id, name, operand, role, value, gradient, dtype, whole: /int/.test(dtype), maker: -1, readers: [],
}));
const steps = RUN.steps.map(([gate, ins, outs, code, locals, rows, home, quiet], id) => ({
  id, gate: RUN.gates[gate], ins, outs, code, locals, rows, home, quiet: Boolean(quiet),
}));
const folds = RUN.folds.map(([parent, kind, name, start, stop, count], id) => ({
  id, parent, kind, name, start, stop, count, inside: [],
}));
const kept = new Set(RUN.kept);
const outputs = new Set(RUN.outs);
const parameters = new Set(RUN.parameters);

for (const step of steps) {
  step.outs.forEach((wire) => { wires[wire].maker = step.id; });
  step.ins.forEach((wire, position) => wires[wire].readers.push([step.id, position]));
}
for (const fold of folds) if (fold.parent >= 0) folds[fold.parent].inside.push({ fold: fold.id, at: fold.start });
for (const step of steps) folds[step.home].inside.push({ step: step.id, at: step.id });
for (const fold of folds) fold.inside.sort((a, b) => a.at - b.at);

/** What was worked out anew: values, gradients and their parts by name; null while as recorded. */
let live = null;

const scalar = (entry) => entry !== null && typeof entry !== "object";
const parsed = (value) => (value === "nan" ? NaN : value === "inf" ? Infinity : value === "-inf" ? -Infinity : value);

/** Return what is known of an array that was recorded, its numbers unpacked once. */
function arrayOf(place) {
  const found = RUN.arrays[place];
  if (typeof found.data === "string") found.data = unpacked(found.data);
  if (found.norm === undefined) found.norm = null;
  return found;
}

function figure(entry) {
  if (entry === null || entry === undefined) return null;
  if (!scalar(entry)) return arrayOf(entry.array);
  const value = parsed(entry);
  return { scalar: true, value, alarm: typeof value === "number" && !Number.isFinite(value) };
}

function anew(key, shape) {
  const value = live[key];
  if (value === undefined) return undefined;
  if (typeof value === "object") return summarise(value, shape);
  return { scalar: true, value, alarm: typeof value === "number" && !Number.isFinite(value) };
}

const shapeOf = (wire) => (scalar(wires[wire].value) ? [] : RUN.arrays[wires[wire].value.array].shape);
const valueOf = (wire) => (live && anew(`value ${wire}`, shapeOf(wire))) || figure(wires[wire].value);
const gradientOf = (wire) => (live && anew(`gradient ${wire}`, shapeOf(wire))) || figure(wires[wire].gradient);

const recordedParts = new Map(Object.entries(RUN.sent).map(([wire, parts]) => [Number(wire), parts]));

/** Return what each reader of a wire sent back: {step, position, figure}. */
function partsOf(wire) {
  return (recordedParts.get(wire) || []).map(([step, position, entry]) => ({
    step, position,
    figure: (live && anew(`sent ${wire} ${step} ${position}`, shapeOf(wire))) || figure(entry),
  }));
}

function localOf(step, position) {
  const found = live && live[`local ${steps[step].ins[position]} ${step} ${position}`];
  if (found !== undefined && found !== null) return found;
  const local = steps[step].locals[position];
  return local === undefined ? null : local;
}

/** Write a figure in one line. */
const inLine = (found, whole = false) =>
  found === null ? "" : found.scalar ? `${found.alarm ? "! " : ""}${number(found.value, 4, whole)}` : found.lines.join(" ");

const sized = (found) =>
  found.scalar ? spoken(found.value) : found.norm === null ? say("shape", shapeText(found.shape)) : say("shapeNorm", shapeText(found.shape), spoken(found.norm));

/** Name a wire: as the user did, or the code that made it. */
const called = (wire) => wires[wire].name || (wires[wire].maker >= 0 ? steps[wires[wire].maker].code : wires[wire].operand);

/** Name a fold in the page's language. */
function foldName(fold) {
  if (fold.kind === "turn") return `${say("turn", fold.count + 1)}${fold.name ? ` · ${fold.name}` : ""}`;
  if (fold.kind === "piece") {
    const inside = fold.inside.filter((item) => item.fold !== undefined).map((item) => folds[item.fold]);
    const [first, last] = [ends(inside[0], 0), ends(inside[inside.length - 1], -1)];
    if (first && last && first.kind === "turn" && last.kind === "turn") return say("turns", first.count + 1, last.count + 1);
    return say("piece", fold.start + 1, fold.stop);
  }
  return fold.name;
}

function ends(fold, at) {
  while (fold && fold.kind === "piece") {
    const inside = fold.inside.filter((item) => item.fold !== undefined);
    fold = inside.length ? folds[inside.at(at).fold] : null;
  }
  return fold;
}

/** Say how much is in a fold. */
function foldSize(fold) {
  const count = fold.stop - fold.start;
  const gates = count === 1 ? say("oneGate") : say("gates", grouped(count));
  return fold.kind === "loop" ? `${say("times", grouped(fold.count))}, ${gates}` : gates;
}

const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, "\u00a0");
