// What is seen and what is folded: boxes that open, the wires between them, and where these fork.

const MOST = 300; // no picture has more boxes than this
const PLAIN = 16; // a circuit of no more gates than this opens gate by gate
const WINDOW = 20; // and any other with no more boxes than this
const BUNDLE = 6; // more wires than this out of one folded box are drawn together
const FEW = 40; // more inputs than this are put together

const open = new Set([0]);
const recent = []; // the boxes that were opened by hand, the latest last
let crowded = false;

const drawnQuiet = steps.length <= PLAIN;
const isDrawn = (step) => drawnQuiet || !steps[step].quiet;

/** List what is seen, in order: a gate, or a folded box. */
function seen() {
  const found = [];
  const waiting = [...folds[0].inside].reverse();
  while (waiting.length) {
    const item = waiting.pop();
    if (item.step !== undefined) {
      if (isDrawn(item.step)) found.push({ start: item.step, stop: item.step + 1, fold: null });
    } else if (open.has(item.fold)) {
      for (let k = folds[item.fold].inside.length - 1; k >= 0; k -= 1) waiting.push(folds[item.fold].inside[k]);
    } else if (shows(folds[item.fold])) {
      found.push({ start: folds[item.fold].start, stop: folds[item.fold].stop, fold: item.fold });
    }
  }
  return found;
}

function shows(fold) {
  for (let k = fold.start; k < fold.stop; k += 1) if (isDrawn(k)) return true;
  return false;
}

/** Open boxes from the outermost on, while all that is seen stays within a number of boxes.

    Boxes of one name at one depth open together or not at all. */
function openWithin(most, functions) {
  let count = seen().length;
  const alike = new Map();
  for (const fold of folds) {
    const key = `${String(depthOf(fold)).padStart(4)} ${fold.kind} ${fold.name}`;
    if (!alike.has(key)) alike.set(key, []);
    alike.get(key).push(fold);
  }
  for (const key of [...alike.keys()].sort()) {
    const those = alike.get(key).filter((fold) => !open.has(fold.id) && open.has(fold.parent));
    if (!those.length || (those[0].kind === "composed" && !functions)) continue;
    const more = those.reduce((sum, fold) => sum + fold.inside.length - 1, 0);
    if (count + more > most) continue;
    those.forEach((fold) => open.add(fold.id));
    if (boxCount() > MOST) those.forEach((fold) => open.delete(fold.id));
    else count += more;
  }
}

/** Count all that would be drawn, with inputs, constants and forks. */
function boxCount() {
  const { parts, forks } = outline();
  return parts.length + forks.size;
}

function depthOf(fold) {
  if (fold.depth === undefined) fold.depth = fold.parent < 0 ? 0 : depthOf(folds[fold.parent]) + 1;
  return fold.depth;
}

/** Open a box; where there is no room, fold what was opened first. */
function openFold(id) {
  open.add(id);
  recent.push(id);
  crowded = false;
  while (boxCount() > MOST) {
    const above = new Set(chain(id));
    const other = recent.find((fold) => open.has(fold) && !above.has(fold)) ?? [...open].find((fold) => !above.has(fold));
    if (other === undefined) break;
    open.delete(other);
    crowded = true;
  }
}

function closeFold(id) {
  for (const fold of [...open]) if (fold !== 0 && chain(fold).includes(id)) open.delete(fold);
  crowded = false;
}

/** Return a fold and all that it is in, the innermost first. */
function chain(id) {
  const found = [];
  for (let fold = id; fold >= 0; fold = folds[fold].parent) found.push(fold);
  return found;
}

/** Open all that a step is in, so that it is seen. */
function reveal(step) {
  const hidden = chain(steps[step].home).filter((fold) => !open.has(fold));
  hidden.reverse().forEach(openFold);
  return hidden.length > 0;
}

/** Return the picture's parts and links: {parts, links, forks, absorbed}. */
function outline() {
  const groups = seen();
  const groupOf = new Int32Array(steps.length).fill(-1);
  groups.forEach((group, g) => { for (let k = group.start; k < group.stop; k += 1) groupOf[k] = g; });
  const { sources, absorbed } = findSources(groups, groupOf);
  const parts = [...sources, ...groups.map((group) => ({ kind: group.fold === null ? "gate" : "folded", wires: [], ...group }))];
  const owner = new Map();
  sources.forEach((part, k) => part.wires.forEach((wire) => owner.set(wire, k)));
  steps.forEach((step, k) => { if (groupOf[k] >= 0) step.outs.forEach((wire) => owner.set(wire, sources.length + groupOf[k])); });
  const readings = [];
  steps.forEach((step, k) => {
    if (groupOf[k] < 0 || !isDrawn(k)) return;
    const head = sources.length + groupOf[k];
    step.ins.forEach((wire, position) => {
      if (owner.has(wire) && owner.get(wire) !== head) readings.push([wire, head, k, position]);
    });
  });
  for (const positions of cut(RUN.outs.map((_, k) => k), 12)) {
    const those = positions.map((k) => RUN.outs[k]);
    positions.forEach((k) => readings.push([RUN.outs[k], parts.length, steps.length, k]));
    parts.push({ kind: "out", wires: those, start: 0, stop: 0, fold: positions.length > 1 ? "outputs" : null });
  }
  const links = findLinks(parts, owner, readings.filter(([wire]) => owner.has(wire)));
  return { parts, links, forks: findForks(links), absorbed, groups };
}

function findSources(groups, groupOf) {
  const readBy = new Map(RUN.ins.map((wire) => [wire, new Set()]));
  steps.forEach((step, k) => {
    if (groupOf[k] < 0 || !isDrawn(k)) return;
    step.ins.forEach((wire) => {
      if (wires[wire].maker >= 0) return;
      if (!readBy.has(wire)) readBy.set(wire, new Set());
      readBy.get(wire).add(groupOf[k]);
    });
  });
  RUN.outs.forEach((wire) => { if (wires[wire].maker < 0 && !readBy.has(wire)) readBy.set(wire, new Set()); });
  let absorbed = 0;
  const shown = [...readBy.keys()].filter((wire) => {
    const readers = [...readBy.get(wire)];
    const inside = wires[wire].role === "constant" && readers.length === 1 && groups[readers[0]].fold !== null && !outputs.has(wire);
    absorbed += inside;
    return !inside;
  });
  // a constant stands beside the gate that reads it; of inputs there may be too many
  const constants = shown.filter((wire) => wires[wire].role === "constant").map((wire) => [wire]);
  const inputs = cut(shown.filter((wire) => wires[wire].role !== "constant"), FEW);
  const sources = [...inputs, ...constants].map((those) => ({
    kind: those.length > 1 ? "folded" : wires[those[0]].role,
    wires: those, start: 0, stop: 0, fold: those.length > 1 ? "inputs" : null,
  }));
  for (const part of sources) if (part.fold) absorbed += part.wires.length;
  return { sources, absorbed };
}

/** Keep the first and the last items one by one, and put those between together. */
function cut(items, few) {
  if (items.length <= few) return items.map((item) => [item]);
  const first = Math.floor(few / 4), last = Math.floor(few / 8);
  return [
    ...items.slice(0, first).map((item) => [item]),
    items.slice(first, items.length - last),
    ...items.slice(items.length - last).map((item) => [item]),
  ];
}

function findLinks(parts, owner, readings) {
  const leaving = new Map();
  for (const [wire] of readings) {
    const tail = owner.get(wire);
    if (!leaving.has(tail)) leaving.set(tail, new Set());
    leaving.get(tail).add(wire);
  }
  const found = new Map();
  for (const [wire, head, step, position] of readings) {
    const tail = owner.get(wire);
    const wide = parts[tail].fold !== null && leaving.get(tail).size > BUNDLE;
    const key = wide ? `${tail} ${head}` : parts[head].fold !== null ? `${tail} ${head} ${wire}` : `${tail} ${head} ${wire} ${step} ${position}`;
    if (!found.has(key)) found.set(key, { tail, head, wires: new Set(), readers: [] });
    found.get(key).wires.add(wire);
    found.get(key).readers.push([step, position]);
  }
  return [...found.values()].map((link) => ({ ...link, wires: [...link.wires] }));
}

/** Map each wire whose gradient is a sum to its links: these are drawn as forks. */
function findForks(links) {
  const found = new Map();
  links.forEach((link, k) => {
    if (link.wires.length !== 1) return;
    const [wire] = link.wires;
    if (!found.has(wire)) found.set(wire, []);
    found.get(wire).push(k);
  });
  for (const [wire, those] of [...found]) {
    const sent = new Set((recordedParts.get(wire) || []).map(([step, position]) => `${step} ${position}`));
    const seed = wires[wire].gradient === null ? -1 : steps.length;
    const terms = those.filter((k) => links[k].readers.some(([step, position]) => sent.has(`${step} ${position}`) || step === seed));
    if (those.length < 2 || terms.length < 2) found.delete(wire);
  }
  return found;
}
