// A sentence for each step: the narrator's own while all is as recorded, and the same form anew.

const told = new Map(); // "forward 3" or "backward 3" to the narrator's sentences
for (const [phase, step, wire, en, pt] of RUN.sentences) {
  if (step === null) continue;
  const key = `${phase === "fork" ? "backward" : phase} ${step}`;
  if (!told.has(key)) told.set(key, []);
  told.get(key).push({ phase, wire, says: [en, pt] });
}

const senders = [...new Set([...recordedParts.values()].flat().map(([step]) => step))].sort((a, b) => b - a);

const goal = RUN.outs.length === 1 && wires[RUN.outs[0]].maker >= 0 ? RUN.outs[0] : null;
const nameOf = (wire) => {
  if (wire === goal && !wires[wire].name) return /^[A-Za-z_]\w*$/.test(RUN.name) ? RUN.name : "f";
  return wires[wire].operand;
};
const slope = (wire) => `∂${goal === null ? RUN.name : nameOf(goal)}/∂${nameOf(wire)}`;

/** Return the sentences of one step, in the page's language. */
function sentencesOf(phase, k) {
  const found = told.get(`${phase} ${k}`);
  if (found && live === null) return found.map((each) => chosen(each.says));
  return phase === "forward" ? [forwardSentence(steps[k])] : backwardSentences(steps[k]);
}

function forwardSentence(step) {
  const names = step.ins.map(nameOf);
  const left = step.outs.map(nameOf).join(", ");
  const does = fill(chosen(step.gate.does), [...names, "…", "…", "…", "…"]);
  return `${left} = ${step.code}: ${does}: ${step.outs.map((wire) => numbersOf(step, wire)).join("; ")}`;
}

/** Write `−2 + 5 = 3` for a gate on numbers, and the shape of an array. */
function numbersOf(step, wire) {
  const found = valueOf(wire);
  if (!found.scalar) return found.lines.join(", ");
  const figures = step.ins.map(valueOf);
  if (!step.gate.elementwise || !figures.every((each) => each && each.scalar)) return spoken(found.value);
  let text = step.code.replace(/\b(np|nn)\./g, "");
  step.ins.forEach((each, k) => {
    if (wires[each].role !== "constant") text = replaceName(text, wires[each].operand, bracketed(figures[k].value));
  });
  return `${firstBare(text.replaceAll(" * ", " × "))} = ${spoken(found.value)}`;
}

function replaceName(text, name, by) {
  return text.replace(new RegExp(`(?<![\\w.])${name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}(?![\\w(])`, "g"), () => by);
}

function backwardSentences(step) {
  const names = step.ins.map(nameOf);
  const head = `${step.outs.map(nameOf).join(", ")} = ${step.code}`;
  const found = [say("theGate", head, step.gate.symbol, fill(chosen(step.gate.teaches || step.gate.does), [...names, "…", "…", "…", "…"]))];
  step.ins.forEach((wire, position) => {
    for (const part of partsOf(wire)) if (part.step === step.id && part.position === position) found.push(shareSentence(step, wire, position, part.figure));
  });
  for (const wire of new Set(step.ins)) {
    const parts = partsOf(wire);
    if (parts.length > 1 && step.id === Math.min(...parts.map((part) => part.step))) {
      const sum = parts.map((part) => (part.figure.scalar ? bracketed(part.figure.value) : sized(part.figure))).join(" + ");
      found.push(say("parts", nameOf(wire), parts.length, `${slope(wire)} = ${firstBare(sum)} = ${sized(gradientOf(wire))}`));
    }
  }
  return found;
}

function shareSentence(step, wire, position, sent) {
  const [out] = step.outs;
  const above = gradientOf(out);
  const head = partsOf(wire).length > 1 ? say("onePart", slope(wire)) : slope(wire);
  const local = localOf(step.id, position);
  const product = `${slope(out)} · ∂${nameOf(out)}/∂${nameOf(wire)}`;
  if (sent.scalar && above && above.scalar && typeof local === "number") {
    return `${head} = ${product} = ${firstBare(`${bracketed(above.value)} × ${bracketed(local)}`)} = ${spoken(sent.value)}`;
  }
  if (step.gate.elementwise) return `${head} = ${product}, ${say("element_by")}: ${sized(sent)}`;
  return `${head} = ${say("carried", sized(sent), slope(out))}`;
}

// --- where we are: 0 is the beginning, then the forward steps, the seed, the backward steps; the
// last place shows everything

const backwardFrom = steps.length + 1;
const lastPlace = senders.length ? backwardFrom + senders.length + 1 : steps.length + 1;
let place = lastPlace;

/** Say what a place is: {phase, step}. */
function placeAt(at) {
  if (at === 0) return { phase: "intro", step: null };
  if (at >= lastPlace) return { phase: "all", step: null };
  if (at <= steps.length) return { phase: "forward", step: at - 1 };
  if (at === backwardFrom) return { phase: "seed", step: null };
  return { phase: "backward", step: senders[at - backwardFrom - 1] };
}

function sentencesAt(at) {
  const { phase, step } = placeAt(at);
  if (phase === "intro" || phase === "all") return [say("help")];
  if (phase === "seed") {
    const said = RUN.sentences.find(([each, , wire]) => each === "backward" && RUN.outs.includes(wire));
    return [said ? chosen([said[3], said[4]]) : say("seed", RUN.name)];
  }
  return sentencesOf(phase, step);
}

function whereAt(at) {
  const { phase } = placeAt(at);
  if (phase === "all") return say("everything");
  if (phase === "intro" || phase === "forward") return say("forwardOf", at, steps.length);
  return say("backwardOf", at - backwardFrom, senders.length);
}

/** Dim what is not yet known at this place, and mark the box where we are. */
function showPlace() {
  const { phase, step } = placeAt(place);
  picture.svg.classList.toggle("stepping", phase !== "all");
  const forward = phase === "intro" ? -1 : phase === "forward" ? step : steps.length;
  const backward = phase === "backward" ? step : phase === "all" ? -1 : phase === "seed" ? steps.length : steps.length + 1;
  for (const each of picture.svg.querySelectorAll("[data-since]")) {
    const since = Number(each.getAttribute("data-since"));
    const kind = each.getAttribute("data-shows");
    const later = kind === "gradient" || kind === "local" ? since < backward : since > forward;
    each.classList.toggle("later", later);
  }
  for (const box of picture.svg.querySelectorAll(".box")) {
    const [first, last] = [box.getAttribute("data-first"), box.getAttribute("data-last")];
    const here = step !== null && first !== null && Number(first) <= step && step <= Number(last);
    box.classList.toggle("here", here);
    box.classList.toggle("back", here && phase === "backward");
    if (here) centre(Number(box.getAttribute("data-box")));
  }
  document.getElementById("at").value = place;
  document.getElementById("at").setAttribute("aria-valuetext", whereAt(place));
  document.getElementById("where").textContent = whereAt(place);
  const sentence = document.getElementById("sentence");
  sentence.className = phase === "backward" || phase === "seed" ? "backward" : phase === "forward" ? "forward" : "quiet";
  sentence.replaceChildren(...sentencesAt(place).map((text) => element("p", { text })));
  showStep(phase, step);
}
