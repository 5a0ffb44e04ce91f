// The page put together: what is drawn where, what is pressed, and which keys do it.

const byId = (id) => document.getElementById(id);

function drawWords() {
  document.documentElement.lang = language === "pt" ? "pt-BR" : "en";
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", say(each.dataset.label));
  for (const each of document.querySelectorAll("[data-hint]")) each.setAttribute("placeholder", say(each.dataset.hint));
  for (const each of document.querySelectorAll("[data-tip]")) each.setAttribute("title", say(each.dataset.tip));
  for (const each of document.querySelectorAll("[data-lang]")) each.setAttribute("aria-pressed", String(each.dataset.lang === language));
  byId("title").textContent = language === RUN.lang ? RUN.title : language === "pt" ? `Circuito de ${RUN.name}` : `Circuit of ${RUN.name}`;
  document.title = byId("title").textContent;
  byId("foot").textContent = say("foot");
  drawSummary();
}

function drawAll() {
  drawWords();
  drawPicture(false);
  chooseForm();
  fitLook();
  drawSource();
  drawCode();
  drawStory();
  drawTangentPane();
  drawInputs();
  drawWire();
  showPlace();
}

/** Say in the head what came out of it. */
function drawSummary() {
  const outs = RUN.outs.slice(0, 3).map((wire) => element("b", { text: `${RUN.outs.length === 1 ? RUN.name : nameOf(wire)} = ${inLine(valueOf(wire), wires[wire].whole)}` }));
  byId("summary").replaceChildren(...outs.flatMap((each) => [each, " · "]), steps.length === 1 ? say("oneGate") : say("gates", grouped(steps.length)));
}

/** Choose where things stand: a long circuit above everything, a short one beside its source. */
function chooseForm() {
  const main = byId("main");
  const wide = picture.width > 0.66 * Math.min(1900, document.documentElement.clientWidth);
  main.classList.toggle("wide", wide);
  main.classList.toggle("beside", !wide);
}

/** Draw the circuit and what is said of it; `fit` shows it whole. */
function drawPicture(fit) {
  drawCircuit();
  if (fit) fitLook();
  else applyLook();
  drawNotes();
  drawOpened();
  drawLegend();
  byId("unfold").parentElement.hidden = folds.length === 1;
  byId("unfold").disabled = !folds.some((fold) => !open.has(fold.id));
  byId("fold").disabled = open.size === 1;
  markFirst();
}

function drawNotes() {
  const folded = picture.view.groups.filter((group) => group.fold !== null);
  const gates = folded.reduce((sum, group) => sum + group.stop - group.start, 0);
  const quiet = drawnQuiet ? 0 : steps.filter((step) => step.quiet).length;
  const notes = [];
  if (gates) notes.push(say(folded.length === 1 ? "noteFoldedOne" : "noteFolded", grouped(gates), grouped(steps.length), folded.length));
  if (quiet) notes.push(say(quiet === 1 ? "noteQuietOne" : "noteQuiet", quiet));
  if (picture.view.absorbed) notes.push(say("noteInputs", grouped(picture.view.absorbed)));
  if (crowded) notes.push(say("noteRoom", MOST));
  if (RUN.arrays.length) notes.push(say("noteArrays"));
  byId("notes").replaceChildren(...notes.map((text) => element("p", { text })));
}

/** List the boxes that are open, each a button that folds it. */
function drawOpened() {
  const shown = [...open].filter((id) => id !== 0 && chain(id).every((fold) => open.has(fold))).sort((a, b) => a - b);
  const named = (id) => chain(id).slice(0, -1).reverse().map((fold) => foldName(folds[fold])).join(" › ");
  byId("open").replaceChildren(...shown.slice(0, 6).map((id) => element("button", { type: "button", class: "chip", title: say("folds", named(id)), "aria-label": say("folds", named(id)), text: `▾ ${clip(foldName(folds[id]), 26)}`, onclick: () => foldAgain(id) })),
    ...(shown.length > 6 ? [element("span", { class: "quiet", text: `+ ${shown.length - 6}` })] : []));
}

function drawLegend() {
  const kinds = new Set(picture.drafts.map((made) => made.kind));
  const entry = (key, ...signs) => element("span", { class: "key" }, ...signs, element("span", { text: say(key) }));
  const swatch = (kind) => svgElement("svg", { width: kind === "fork" ? 14 : 26, height: 16, "aria-hidden": "true" }, ...outlineOf(kind, { x: 1, y: kind === "folded" ? 5 : 2, width: kind === "fork" ? 12 : 24, height: kind === "folded" ? 10 : 12 }));
  const sign = (kind, text) => element("span", { class: `sign ${kind}`, "aria-hidden": "true", text });
  const found = [];
  for (const [kind, key] of [["given", "legendGiven"], ["ours", "legendOurs"], ["gate", "legendGate"], ["folded", "legendFolded"]]) if (kinds.has(kind)) found.push(entry(key, swatch(kind)));
  found.push(entry("legendValue", sign("value", "3")));
  if (parameters.size) found.push(entry("legendGradient", sign("gradient", "∂ 4")), entry("legendLocal", sign("local", "·2")));
  if (kinds.has("fork")) found.push(entry("legendFork", swatch("fork")));
  if (picture.drafts.some((made) => made.spark)) found.push(entry("legendSpark", svgElement("svg", { width: 26, height: 14, "aria-hidden": "true" }, svgElement("path", { d: "M1 3L7 5L13 9L19 10L25 12", class: "spark" }))));
  if (kept.size) found.push(entry("legendKept", sign("kept", "◆")));
  byId("legend").replaceChildren(...found);
}

// --- stepping

let playing = null;

function goTo(at) {
  place = Math.max(0, Math.min(lastPlace, at));
  showPlace();
}

const forth = () => goTo(place >= lastPlace ? 1 : place + 1);
const backTo = () => goTo(place >= lastPlace ? lastPlace - 1 : place - 1);

function play() {
  if (playing !== null) {
    clearInterval(playing);
    playing = null;
  } else {
    if (place >= lastPlace) goTo(0);
    playing = setInterval(() => { if (place >= lastPlace) play(); else goTo(place + 1); }, 1600);
  }
  byId("play").setAttribute("aria-pressed", String(playing !== null));
}

// --- folding and finding

/** Draw after boxes were opened or folded, and keep a step in sight. */
function redrawAt(step) {
  drawPicture(false);
  fitStage();
  const at = picture.drafts.findIndex(({ part }) => part.start <= step && step < part.stop);
  if (at >= 0) centre(at);
  showPlace();
}

function unfold(id) {
  openFold(id);
  redrawAt(folds[id].start);
}

function foldAgain(id) {
  closeFold(id);
  redrawAt(folds[id].start);
}

function unfoldMore() {
  const before = open.size;
  for (let most = Math.max(WINDOW, seen().length * 2); open.size === before && most <= MOST - 60; most *= 2) openWithin(Math.min(most, MOST - 60), true);
  if (open.size === before) {
    const next = folds.find((fold) => !open.has(fold.id) && open.has(fold.parent));
    if (next) openFold(next.id);
  }
  drawPicture(true);
  showPlace();
}

function foldAll() {
  open.clear();
  open.add(0);
  recent.length = 0;
  crowded = false;
  drawPicture(true);
  showPlace();
}

/** Find wires, gates and lines by what they are called, and light them. */
function find(text, jump) {
  const wanted = text.trim().toLowerCase();
  byId("found").textContent = "";
  if (!wanted) { dark(); return; }
  const inGate = (step) => step.gate.name.toLowerCase().includes(wanted) || step.code.toLowerCase().includes(wanted);
  const hits = wires.filter((wire) => wire.name.toLowerCase().includes(wanted) || (wire.maker >= 0 && inGate(steps[wire.maker]))).map((wire) => wire.id);
  const exact = wires.filter((wire) => wire.name.toLowerCase() === wanted).map((wire) => wire.id);
  const lit = rows.map((_, k) => k).filter((k) => rows[k].element.textContent.toLowerCase().includes(wanted));
  const count = hits.length || lit.length;
  byId("found").textContent = say("found", grouped(count));
  const [first] = exact.length ? exact : hits;
  if (jump && first !== undefined) {
    if (wires[first].maker >= 0 && reveal(wires[first].maker)) drawPicture(true);
    showPlace();
    pickWire(first);
    const at = boxOf(first);
    if (at >= 0) centre(at);
  }
  light({ wires: exact.length && !jump ? [...new Set([...exact, ...hits])] : hits, rows: lit });
}

function boxOf(wire) {
  const step = wires[wire].maker;
  return picture.drafts.findIndex(({ part }) => part.wires.includes(wire) || (step >= 0 && part.start <= step && step < part.stop));
}

// --- pointing at the circuit

const wiresAt = (target) => {
  const found = target.closest && target.closest("[data-wires]");
  const text = found && found.getAttribute("data-wires");
  return text ? text.split(" ").map(Number) : null;
};

function pressed(target) {
  const frame = target.closest("[data-close]");
  if (frame) { foldAgain(Number(frame.getAttribute("data-close"))); return; }
  const box = target.closest("[data-fold]");
  if (box) { unfold(Number(box.getAttribute("data-fold"))); return; }
  const those = wiresAt(target);
  if (those) pickWire(those[0]);
}

/** Give the keyboard one way into the circuit: one box can be reached, the others from it. */
function markFirst() {
  const first = picture.svg.querySelector(".knob");
  if (first) first.setAttribute("tabindex", 0);
}

function moveFocus(by) {
  const boxes = [...picture.svg.querySelectorAll(".knob")];
  const at = boxes.indexOf(document.activeElement);
  const next = boxes[Math.max(0, Math.min(boxes.length - 1, at + by))];
  boxes.forEach((box) => box.setAttribute("tabindex", box === next ? 0 : -1));
  next.focus({ preventScroll: true });
  centre(Number(next.closest(".box").getAttribute("data-box")));
}

/** Put the keyboard on the box that a step is in, after the picture was drawn anew. */
function focusStep(step) {
  if (step === null) return;
  const boxes = [...picture.svg.querySelectorAll(".box[data-first]")];
  const box = boxes.find((each) => Number(each.getAttribute("data-first")) <= Number(step) && Number(step) <= Number(each.getAttribute("data-last")));
  const knob = box && box.querySelector(".knob");
  if (!knob) return;
  picture.svg.querySelectorAll(".knob").forEach((each) => each.setAttribute("tabindex", each === knob ? 0 : -1));
  knob.focus({ preventScroll: true });
}

function listenToStage() {
  const stage = byId("stage");
  let held = null;
  stage.addEventListener("wheel", (event) => {
    event.preventDefault();
    const box = stage.getBoundingClientRect();
    zoomLook(Math.exp(-event.deltaY * 0.0015), [event.clientX - box.left, event.clientY - box.top]);
  }, { passive: false });
  stage.addEventListener("pointerdown", (event) => { held = { x: event.clientX, y: event.clientY, moved: false, target: event.target }; });
  window.addEventListener("pointermove", (event) => {
    if (!held) return;
    const [dx, dy] = [event.clientX - held.x, event.clientY - held.y];
    if (!held.moved && Math.hypot(dx, dy) < 4) return;
    Object.assign(held, { moved: true, x: event.clientX, y: event.clientY });
    stage.classList.add("held");
    look.x += dx;
    look.y += dy;
    applyLook();
  });
  window.addEventListener("pointerup", () => {
    stage.classList.remove("held");
    const was = held;
    held = null;
    if (was && !was.moved) pressed(was.target);
  });
  stage.addEventListener("pointerover", (event) => { const those = wiresAt(event.target); if (those && !held) lightWires(those); else dark(); });
  stage.addEventListener("pointerleave", dark);
  stage.addEventListener("focusin", (event) => { const those = wiresAt(event.target); if (those) lightWires(those); });
  stage.addEventListener("focusout", dark);
  stage.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by && !event.shiftKey) { moveFocus(by); event.preventDefault(); event.stopPropagation(); }
    if (event.key === "Enter" || event.key === " ") {
      const box = event.target.closest(".box");
      pressed(event.target);
      event.preventDefault();
      event.stopPropagation();
      focusStep(box && box.getAttribute("data-first"));
    }
  });
}

const KEYS = {
  ArrowRight: forth, ArrowLeft: backTo, Home: () => goTo(0), End: () => goTo(lastPlace),
  "+": () => zoomLook(1.25), "=": () => zoomLook(1.25), "-": () => zoomLook(0.8), 0: () => fitLook(true),
  "/": () => byId("search").focus(), Escape: () => { dark(); document.activeElement.blur(); },
};
const PANS = { ArrowRight: [-60, 0], ArrowLeft: [60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };

function listenToKeys() {
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName) && event.target.id !== "at";
    if (event.ctrlKey || event.metaKey || event.altKey || (typing && event.key !== "Escape") || event.target.tagName === "CANVAS") return;
    const pan = event.shiftKey && PANS[event.key];
    if (pan) {
      look.x += pan[0];
      look.y += pan[1];
      applyLook();
    } else if (KEYS[event.key]) KEYS[event.key]();
    else if (event.key.startsWith("Arrow") && rowFocus(event)) { /* the next line of the same pane */ }
    else return;
    event.preventDefault();
  });
}

/** Go to the next line of a pane of code that can be lit. */
function rowFocus(event) {
  const row = event.target.closest && event.target.closest(".row");
  const pane = event.target.closest && event.target.closest(".code");
  if (!pane) return false;
  const those = [...pane.querySelectorAll(".row.live")];
  const at = those.indexOf(row);
  const next = those[Math.max(0, Math.min(those.length - 1, at + (event.key === "ArrowDown" ? 1 : -1)))];
  if (!next) return false;
  those.forEach((each) => each.setAttribute("tabindex", each === next ? 0 : -1));
  next.focus();
  return true;
}

/** Give the keyboard one way into each pane of code. */
function markRows() {
  for (const pane of document.querySelectorAll(".code")) {
    const first = pane.querySelector(".row.live");
    if (first) first.setAttribute("tabindex", 0);
    else pane.setAttribute("tabindex", 0);
  }
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  drawWire();
}

const STRIP = 1250; // a wide circuit is printed in strips of this width, one below the other

function beginPrint() {
  endPrint();
  picture.camera.removeAttribute("transform");
  const [wide, high] = [picture.width + 2 * EDGE, picture.height + 2 * EDGE];
  const count = Math.ceil(wide / STRIP);
  const strips = Array.from({ length: count }, (_, k) => svgElement("svg", { class: "strip", viewBox: `${-EDGE + (wide * k) / count} ${-EDGE - picture.lift} ${wide / count + (k + 1 < count ? 90 : 0)} ${high}`, "aria-hidden": "true" }, svgElement("use", { href: "#camera" })));
  byId("stage").classList.add("printing");
  byId("stage").append(...strips);
  document.querySelectorAll("details").forEach((each) => { each.open = true; });
}

function endPrint() {
  byId("stage").classList.remove("printing");
  document.querySelectorAll(".strip").forEach((each) => each.remove());
  applyLook();
}

function listen() {
  byId("languages").addEventListener("click", (event) => {
    const button = event.target.closest("[data-lang]");
    if (!button) return;
    language = button.dataset.lang;
    drawAll();
    markRows();
    if (picked !== null) pickWire(picked);
  });
  byId("theme").addEventListener("click", () => {
    const dark_ = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
    setTheme(dark_ ? "light" : "dark");
  });
  const actions = { unfold: unfoldMore, fold: foldAll, in: () => zoomLook(1.25), out: () => zoomLook(0.8), fit: () => fitLook(true), first: () => goTo(0), back: backTo, play, next: forth, last: () => goTo(lastPlace) };
  for (const [id, action] of Object.entries(actions)) byId(id).addEventListener("click", action);
  byId("at").max = lastPlace;
  byId("at").addEventListener("input", () => goTo(Number(byId("at").value)));
  byId("search").addEventListener("input", () => find(byId("search").value, false));
  byId("search").addEventListener("keydown", (event) => { if (event.key === "Enter") find(byId("search").value, true); });
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return; // a bar that comes and goes moves nothing
    width = window.innerWidth;
    chooseForm();
    fitLook();
  });
  window.addEventListener("beforeprint", beginPrint);
  window.addEventListener("afterprint", endPrint);
  listenToStage();
  listenToKeys();
}

language = RUN.lang === "pt" ? "pt" : "en";
openWithin(RUN.fold === "none" ? MOST - 60 : WINDOW, RUN.fold === "none" || (RUN.fold === "auto" && steps.length <= PLAIN));
document.documentElement.classList.add("living");
listen();
drawAll();
markRows();
pickWire(steps.flatMap((step) => step.outs).find((wire) => wires[wire].name) ?? RUN.outs[0]);
byId("code").querySelectorAll(".code .row").forEach((row) => { if (/^def backward/.test(row.textContent.replace(/^\d+/, ""))) row.parentElement.scrollTop = row.offsetTop; });
window.corrente = { arrange, number, look, open, folds, steps, wires, valueOf, gradientOf };
