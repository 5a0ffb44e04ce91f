// Boxes before they have a place: what each one says, how large it is, where its ports are.

const SIZES = { sign: 24, symbol: 16, name: 14, local: 12, count: 12, array: 11 };
const ADVANCE = 0.605, LEADING = 1.25, PAD = 9, RIM = 7, ROOM = 20, PITCH = 28, MARGIN = 8, LIFT = 4, DROP = 4, STUB = 36, TILE = 38;
const LONGEST = 22, TERMS = 4;
const SPARK_WIDE = 84, SPARK_HIGH = 24, SPARK_POINTS = 60;
const REACH = { given: 3, ours: 3, constant: 0, fork: 0 };

const sizeOf = (kind) => SIZES[kind] || 13;
const wideness = (text, kind) => Math.ceil([...text].length * sizeOf(kind) * ADVANCE);
const tallness = (lines, kind) => kind === "spark" ? SPARK_HIGH : Math.ceil(lines * sizeOf(kind) * LEADING);
const clip = (text, most) => (text.length <= most ? text : `${text.slice(0, most - 1)}…`);

/** Turn an outline into drafts of boxes and joints between them; a fork stands behind its wire. */
function draft(view) {
  const drafts = [], joints = [], heads = [], exits = new Map();
  const entering = view.parts.map(() => []);
  view.links.forEach((link, k) => entering[link.head].push(k));
  const leaving = leavingOf(view);
  view.parts.forEach((part, k) => {
    const here = drafts.length;
    heads.push(here);
    drafts.push(draftPart(view, part, entering[k], [...leaving[k].values()]));
    [...leaving[k].values()].forEach(({ wires: those, links }, port) => {
      if (those.length === 1 && view.forks.has(those[0])) {
        joints.push({ tail: here, port, head: drafts.length, slot: 0, wires: those });
        links.forEach((link, slot) => exits.set(link, [drafts.length, slot]));
        drafts.push(draftFork(view, those[0], links));
      } else links.forEach((link) => exits.set(link, [here, port]));
    });
  });
  entering.forEach((links, k) => links.forEach((link, slot) => {
    const [tail, port] = exits.get(link);
    joints.push({ tail, port, head: heads[k], slot, wires: view.links[link].wires });
  }));
  return { drafts, joints };
}

/** Map what leaves each part to its links; what a gate makes leaves it though nothing reads it. */
function leavingOf(view) {
  const found = view.parts.map((part) => {
    const made = part.kind === "given" || part.kind === "ours" ? part.wires : part.kind === "gate" ? steps[part.start].outs : [];
    return new Map(made.map((wire) => [String(wire), { wires: [wire], links: [] }]));
  });
  view.links.forEach((link, k) => {
    const key = link.wires.join(" ");
    const here = found[link.tail];
    if (!here.has(key)) here.set(key, { wires: link.wires, links: [] });
    here.get(key).links.push(k);
  });
  return found;
}

function draftPart(view, part, entering, leaving) {
  const links = entering.map((k) => view.links[k]);
  const outlets = leaving.map(({ wires: those }) => outlet(part, those));
  const base = { kind: part.kind, part, outlets, reach: REACH[part.kind] ?? null, ports: links.map(() => null), links };
  if (part.kind === "gate") {
    const step = steps[part.start];
    const kind = step.quiet ? "deciding" : "gate";
    const ports = links.map((link) => (step.quiet ? null : localInk(link)));
    return { ...base, kind, ports, title: [clip(step.gate.symbol, LONGEST)], label: gateLabel(step) };
  }
  if (part.fold === "inputs" || part.fold === "outputs") {
    const size = say(part.fold === "inputs" ? "foldedInputs" : "foldedOutputs", grouped(part.wires.length));
    return { ...base, kind: "folded", title: ["⋯", size], label: size };
  }
  if (part.fold !== null) {
    const fold = folds[part.fold];
    const name = foldName(fold);
    const spark = sparkOf(fold);
    const norms = spark ? ` ${say("normsGo", number(spark[0], 3), number(spark[spark.length - 1], 3))};` : "";
    return { ...base, spark, title: [clip(name, LONGEST), foldSize(fold)], label: `${name}: ${foldSize(fold)};${norms} ${say("opens")}` };
  }
  const [wire] = part.wires;
  if (part.kind === "out") {
    const name = RUN.outs.length === 1 ? RUN.name : wires[wire].name || RUN.name;
    return { ...base, title: [clip(name, LONGEST)], label: `${say("output", RUN.name)}: ${inLine(valueOf(wire), wires[wire].whole)}` };
  }
  const text = part.kind === "constant" && scalar(wires[wire].value) ? number(parsed(wires[wire].value), 4, wires[wire].whole) : wires[wire].operand;
  return { ...base, title: [clip(text, LONGEST)], label: wireLabel(wire) };
}

/** Return the norms of the gradient behind each turn of a loop, of at most so many; or null. */
function sparkOf(fold) {
  if (fold.kind !== "loop" && fold.kind !== "piece") return null;
  const stops = [];
  const waiting = [fold.id];
  while (waiting.length) {
    const next = folds[waiting.pop()];
    if (next.kind === "turn") stops.push(next.stop - 1);
    else for (let k = next.inside.length - 1; k >= 0; k -= 1) {
      const { step, fold: within } = next.inside[k];
      const whole = step === undefined && folds[within].kind === "loop"; // a turn that is a loop has no box
      if (step !== undefined || whole) { if (fold.kind === "loop") stops.push(whole ? folds[within].stop - 1 : step); }
      else if (folds[within].kind !== "function") waiting.push(within);
    }
  }
  const chosenStops = stops.length <= SPARK_POINTS ? stops : Array.from({ length: SPARK_POINTS }, (_, k) => stops[Math.floor((k * (stops.length - 1)) / (SPARK_POINTS - 1))]);
  const norms = chosenStops.map((step) => gradientOf(steps[step].outs[0])).map((found) => (found === null ? NaN : found.scalar ? Math.abs(found.value) : found.norm === null ? NaN : parsed(found.norm)));
  return norms.length > 2 && norms.every(Number.isFinite) ? norms : null;
}

function localInk(link) {
  if (link.readers.length !== 1 || wires[link.wires[0]].gradient === null) return null;
  const [step, position] = link.readers[0];
  const local = step < steps.length ? localOf(step, position) : null;
  return local === null ? null : { kind: "local", lines: [`·${spanned(parsed(local))}`], step, position };
}

/** Say everything about a wire in one sentence, for those who hear the page. */
function wireLabel(wire) {
  const back = gradientOf(wire);
  const role = wires[wire].maker < 0 ? say(wires[wire].role) : say("value");
  const gradient = back ? `${say("gradient")} ${inLine(back)}` : say("unreached");
  return `${called(wire)}: ${role}, ${inLine(valueOf(wire), wires[wire].whole)}; ${gradient}`;
}

function gateLabel(step) {
  const names = step.outs.map((wire) => wires[wire].name).filter(Boolean).join(", ");
  const told = step.outs.map((wire) => `${inLine(valueOf(wire))}; ${gradientOf(wire) ? `${say("gradient")} ${inLine(gradientOf(wire))}` : say("unreached")}`);
  return `${say("gate", step.gate.symbol)}: ${names ? `${names} = ` : ""}${step.code} = ${told.join("; ")}`;
}

function outlet(part, those) {
  if (those.length > 1) return { wires: those, above: [{ kind: "fold", lines: [say("wires", grouped(those.length))] }], below: [] };
  const [wire] = those;
  const above = [];
  const name = wires[wire].name;
  if ((part.kind === "gate" || part.kind === "folded") && name && name !== RUN.name) above.push({ kind: "name", lines: [clip(name, LONGEST)] });
  if (!(part.kind === "constant" && scalar(wires[wire].value))) above.push(ink("value", valueOf(wire), "", wires[wire].whole));
  return { wires: those, above, below: gradientInks(wire) };
}

function ink(kind, found, prefix = "", whole = false) {
  const [first, ...rest] = found.scalar ? [`${found.alarm ? "! " : ""}${number(found.value, 4, whole)}`] : found.lines;
  return { kind, lines: [prefix + first, ...rest], tile: found.tile || null, alarm: Boolean(found.alarm) };
}

function gradientInks(wire) {
  const found = gradientOf(wire);
  if (found === null) return [];
  const made = ink("gradient", found, "∂ ");
  const parts = currentForks.has(wire) ? currentForks.get(wire) : null;
  if (parts && found.scalar && parts.length > 1) made.lines = [`∂ ${summed(parts)} = ${made.lines[0].slice(2)}`];
  return [made];
}

function summed(parts) {
  const texts = parts.map((part) => number(part.value));
  const shown = texts.slice(0, TERMS).map((text, k) => (k && text.startsWith("-") ? `(${text})` : text));
  if (texts.length > TERMS) shown[TERMS - 1] = `… (${texts.length})`;
  return shown.join(" + ");
}

const isNumber = (found) => Boolean(found.scalar) && typeof found.value === "number"; // not complex

/** Add up what some readers of a wire sent back; null where that is not known. */
function sentBy(wire, readers) {
  const keys = new Set(readers.map(([step, position]) => `${step} ${position}`));
  const parts = partsOf(wire).filter((part) => keys.has(`${part.step} ${part.position}`));
  if (!parts.length) {
    const seed = readers.some(([step]) => step >= steps.length) && gradientOf(wire);
    if (!seed || !isNumber(seed) || !partsOf(wire).every((part) => isNumber(part.figure))) return null;
    const rest = partsOf(wire).reduce((sum, part) => sum + part.figure.value, 0);
    return { scalar: true, value: Number((seed.value - rest).toPrecision(12)) };
  }
  if (parts.length === 1) return parts[0].figure;
  if (parts.every((part) => isNumber(part.figure))) return { scalar: true, value: parts.reduce((sum, part) => sum + part.figure.value, 0) };
  if (!parts.every((part) => part.figure.data)) return null;
  const total = new Float64Array(parts[0].figure.data.length);
  for (const part of parts) part.figure.data.forEach((x, k) => { total[k] += x; });
  return summarise(total, parts[0].figure.shape);
}

function draftFork(view, wire, links) {
  const outlets = links.map((k) => {
    const found = valueOf(wire);
    const sent = sentBy(wire, view.links[k].readers);
    const above = found.scalar || found.lines.length === 1 ? [ink("value", found, "", wires[wire].whole)] : [];
    return { wires: [wire], above, below: sent ? [ink("gradient", sent, "∂ ")] : [] };
  });
  const part = { kind: "fork", wires: [wire], start: 0, stop: 0, fold: null };
  return { kind: "fork", part, outlets, ports: [null], title: ["Σ"], reach: 0, label: say("fork", called(wire)), links: [] };
}

let currentForks = new Map();

/** Note the parts of each forked wire's gradient, for the sums beside the wires. */
function noteForks(view) {
  currentForks = new Map();
  for (const [wire, links] of view.forks) {
    const parts = links.map((k) => sentBy(wire, view.links[k].readers)).filter((part) => part && part.scalar);
    currentForks.set(wire, parts);
  }
}

// --- sizes

const inkScale = (made) => (made.lines.length > 1 ? "array" : made.kind);

function tileSize(tile) {
  if (!tile) return [0, 0];
  const cell = TILE / Math.max(tile.length, tile[0].length), thin = Math.floor(TILE / 3);
  return [Math.max(Math.round(cell * tile[0].length), thin), Math.max(Math.round(cell * tile.length), thin)];
}

function inkSize(made) {
  const scale = inkScale(made);
  const [tileWide, tileHigh] = tileSize(made.tile);
  const wide = Math.max(...made.lines.map((line) => wideness(line, scale)));
  return [wide + (tileWide ? tileWide + MARGIN : 0), Math.max(tallness(made.lines.length, scale), tileHigh)];
}

/** Find the size of a box, its ports, and where its texts stand relative to its corner. */
function measure(made) {
  const labels = [], tiles = [];
  const first = made.part.kind === "gate" && [...made.title[0]].length === 1 ? "sign" : "symbol";
  const lines = made.title.map((line, k) => [k ? "count" : first, line]);
  if (made.spark) lines.push(["spark", ""]);
  const wide = Math.max(...lines.map(([kind, line]) => wideness(line, kind)), made.spark ? SPARK_WIDE : 0);
  const local = Math.max(0, ...made.ports.map((port) => (port ? wideness(port.lines[0], "local") : 0)));
  const tall = lines.reduce((sum, [kind]) => sum + tallness(1, kind), 0);
  const pad = made.kind === "fork" ? (PAD + 1) >> 1 : made.kind === "folded" ? PAD + (PAD >> 1) : PAD;
  const start = pad + (local ? local + PAD : 0);
  const width = start + wide + pad;
  const { levels, above, below } = stack(made.outlets);
  const span = levels.length ? levels[levels.length - 1] : 0;
  const portsHigh = Math.max(0, made.ports.length - 1) * PITCH + ROOM;
  const height = Math.max(Math.max(portsHigh, tall) + 2 * RIM, span + 2 * RIM + ROOM);
  const middle = Math.floor(height / 2);
  const firstOut = Math.floor((height - span) / 2);
  const outs = levels.map((level) => firstOut + level);
  const top = Math.max(0, above - firstOut);
  let reached = width;
  made.outlets.forEach((each, k) => { reached = Math.max(reached, placeInks(each, width, top + outs[k], labels, tiles)); });
  const foot = Math.max(top + height, outs.length ? top + outs[outs.length - 1] + below : 0);
  const count = made.ports.length;
  const begin = middle - Math.floor(((count - 1) * PITCH) / 2);
  const ins = made.ports.map((_, k) => top + begin + k * PITCH);
  made.ports.forEach((port, k) => {
    if (port) labels.push({ ...port, x: PAD - 3, y: ins[k] - tallness(1, "local") / 2, width: wideness(port.lines[0], "local"), size: SIZES.local, inside: true });
  });
  let y = top + Math.floor((height - tall) / 2);
  for (const [kind, line] of lines) {
    labels.push({ kind, lines: [line], x: start, y, width: wide, size: sizeOf(kind), inside: true, title: true });
    y += tallness(1, kind);
  }
  const node = { width: reached, height: foot, ins, outs: outs.map((level) => top + level), reach: made.reach };
  return { node, box: { top, width, height }, labels, tiles };
}

function stack(outlets) {
  const levels = [];
  let first = 0, last = 0;
  for (const each of outlets) {
    let above = Math.max(0, ...each.above.map((made) => inkSize(made)[1]));
    let below = Math.max(0, ...each.below.map((made) => inkSize(made)[1]));
    above += above ? LIFT : 0;
    below += below ? DROP : 0;
    if (levels.length) levels.push(levels[levels.length - 1] + Math.max(last + above + 6, PITCH));
    else {
      levels.push(0);
      first = above;
    }
    last = below;
  }
  return { levels, above: first, below: last };
}

function placeInks(each, x, level, labels, tiles) {
  let reached = x + STUB;
  for (const [inks, over] of [[each.above, true], [each.below, false]]) {
    let at = x + MARGIN;
    for (const made of inks) {
      const [wide, high] = inkSize(made);
      const y = over ? level - LIFT - high : level + DROP;
      const [tileWide, tileHigh] = tileSize(made.tile);
      let rest = wide;
      if (tileWide) {
        tiles.push({ kind: made.kind, grid: made.tile, x: at, y: over ? y + high - tileHigh : y, width: tileWide, height: tileHigh, wires: each.wires });
        at += tileWide + MARGIN;
        rest -= tileWide + MARGIN;
      }
      const scale = inkScale(made), text = tallness(made.lines.length, scale);
      labels.push({ ...made, x: at, y: over ? y + high - text : y, width: rest, size: sizeOf(scale), inside: false, wires: each.wires });
      at += rest + MARGIN;
    }
    if (inks.length) reached = Math.max(reached, at);
  }
  return reached;
}
