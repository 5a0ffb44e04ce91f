"use strict";
(() => {
// The workbook: blanks are filled on the wires of a circuit, checked here, and explained.

const TASK = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const values = TASK.blanks.filter((blank) => blank.kind === "value").length;
const blanks = TASK.blanks.map((told) => ({ ...told, field: byId(`blank-${told.number}`), state: "open", tried: "", clean: true }));
let language = TASK.lang;
let message = []; // what was said last: pairs, English and Portuguese
let mood = ""; // and whether it was good or bad

const chosen = (pair) => pair[language === "pt" ? 1 : 0];
const fill = (text, things) => text.replace(/\{(\d+)\}/g, (_, k) => String(things[k]));
const pair = (key, ...things) => TASK.words[key].map((text, k) => fill(text, things.map((thing) => (Array.isArray(thing) ? thing[k] : thing))));
const say = (key, ...things) => chosen(pair(key, ...things));

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

// --- answers: numbers as people type them, as the terminal reads them too

const DECIMAL = "[0-9]{1,12}(?:[.,][0-9]{1,12})?|[.,][0-9]{1,12}";
const NUMBER = new RegExp(`^([+-]?)(${DECIMAL})(?:/([+-]?)(${DECIMAL}))?$`);

/** Read one number or fraction; null if it is none. */
function readNumber(text) {
  const found = NUMBER.exec(text);
  if (!found) return null;
  const [, sign, above, signBelow, below] = found;
  const bottom = below ? Number(below.replace(",", ".")) : 1;
  if (!bottom) return null;
  const value = Number(above.replace(",", ".")) / bottom;
  return (sign === "-") !== (signBelow === "-") ? -value : value;
}

/** Read an answer as a flat list of numbers; null if it is none. */
function read(text, { array, count }) {
  const plain = text.replace(/[−–—]/g, "-").replace(/[⁄∕]/g, "/").trim().replace(/\s*\/\s*/g, "/");
  if (!array) {
    const value = readNumber(plain);
    return value === null ? null : [value];
  }
  const flat = plain.replace(/[,;](?=\s)/g, " ").replace(/[[\]();\s]+/g, " ").trim();
  for (const parts of [flat.split(/\s+/), flat.replace(/,/g, " ").split(/\s+/)]) {
    const numbers = parts.map(readNumber);
    if (numbers.length === count && !numbers.includes(null)) return numbers;
  }
  return null;
}

const isRight = (given, { answer }) => answer.every((x, k) => Math.abs(given[k] - x) <= TASK.near + (TASK.rounded ? TASK.apart * Math.abs(x) : 0));

// --- what happens to a blank

const isOpen = (blank) => blank.state === "open" || blank.state === "wrong";
const nextOpen = () => blanks.find(isOpen);
const valuesAreThere = () => !blanks.slice(0, values).some(isOpen);
const explained = (blank, working) => [blank.teaches, working].filter((each) => chosen(each));

/** Check what was typed into a blank, and say how it is. */
function check(blank) {
  const typed = blank.field.value.trim();
  blank.tried = typed;
  if (!typed || !isOpen(blank)) return;
  if (typed === "?") {
    blank.field.value = "";
    hint(blank);
    return;
  }
  const given = read(typed, blank);
  if (given === null) {
    tell("wrong", pair("noNumber", blank.form));
    mark(blank, "wrong");
  } else if (isRight(given, blank)) {
    blank.first = blank.clean;
    close(blank, "right", [pair("right")]);
  } else {
    blank.clean = false;
    tell("wrong", pair("wrong"), ...explained(blank, blank.hint));
    mark(blank, "wrong");
  }
}

/** Fill a blank for good, say so, and open the way back when all the values are there. */
function close(blank, state, said) {
  const closedValues = valuesAreThere();
  blank.field.value = state === "right" ? blank.field.value.trim() : blank.written;
  blank.field.readOnly = true;
  mark(blank, state);
  if (!nextOpen()) said.push(pair("score", blanks.filter((each) => each.first).length, blanks.length));
  else if (valuesAreThere() && !closedValues) said.push(pair("back"));
  tell("right", ...said);
}

function hint(blank = current()) {
  if (!blank || !isOpen(blank)) return;
  blank.clean = false;
  tell("", blank.asks.map((text) => `(${blank.number}) ${text}`), ...explained(blank, blank.hint));
}

/** Work out the next blank that is open, and go on to the one behind it. */
function reveal() {
  const blank = nextOpen();
  if (!blank) return;
  close(blank, "shown", [pair("told", blank.number, blank.exact), ...explained(blank, blank.working)]);
  const at = nextOpen();
  if (at) at.field.scrollIntoView({ block: "nearest", inline: "nearest" });
  else byId("again").focus();
}

function startAgain() {
  for (const blank of blanks) {
    Object.assign(blank, { state: "open", tried: "", clean: true, first: false });
    blank.field.value = "";
    blank.field.readOnly = false;
  }
  message = [];
  mood = "";
  draw();
  blanks[0].field.focus();
}

/** Return the blank that is being filled: the one with the keyboard, or the next. */
function current() {
  const here = blanks.find((blank) => blank === lastHere);
  return here && isOpen(here) && !here.field.disabled ? here : nextOpen();
}

let lastHere = null;

function mark(blank, state) {
  blank.state = state;
  draw();
}

function tell(kind, ...said) {
  message = said;
  mood = kind;
  drawTold();
}

// --- what is seen

function drawTold() {
  const told = byId("told");
  told.className = mood;
  told.replaceChildren(...message.map((each) => element("p", {}, chosen(each))));
}

function draw() {
  document.documentElement.lang = language === "pt" ? "pt-BR" : "en";
  document.title = byId("title").textContent = chosen(TASK.title);
  for (const each of document.querySelectorAll("[data-say]")) each.textContent = say(each.dataset.say);
  for (const each of document.querySelectorAll("[data-label]")) each.setAttribute("aria-label", say(each.dataset.label));
  for (const each of document.querySelectorAll("[data-lang]")) each.setAttribute("aria-pressed", String(each.dataset.lang === language));
  byId("instructions").replaceChildren(...TASK.instructions.map((each) => element("p", {}, chosen(each))));
  const filled = blanks.filter((blank) => !isOpen(blank)).length;
  byId("score").textContent = say("progress", filled, blanks.length, blanks.filter((blank) => blank.first).length);
  byId("later").hidden = valuesAreThere();
  byId("hint").disabled = byId("reveal").disabled = filled === blanks.length;
  blanks.forEach(drawField);
  drawLists();
  drawTold();
}

const SIGNS = { open: ["", "open"], right: ["✓", "isRight"], wrong: ["✗", "isWrong"], shown: ["→", "isTold"] };

function drawField(blank) {
  const { field, number, state } = blank;
  const [sign, word] = SIGNS[state];
  for (const each of ["right", "wrong", "shown"]) field.classList.toggle(each, each === state);
  field.setAttribute("aria-invalid", String(state === "wrong"));
  field.setAttribute("aria-label", `(${number}) ${chosen(blank.asks)}${sign ? `: ${say(word)}` : ""}`);
  field.disabled = blank.kind !== "value" && !valuesAreThere();
  const again = isOpen(blank) ? `(${number})` : field.value;
  for (const each of document.querySelectorAll(`[data-again="${number}"]`)) each.textContent = again;
}

function drawLists() {
  byId("values").replaceChildren();
  byId("gradients").replaceChildren();
  let rule = "";
  for (const blank of blanks) {
    const [sign, word] = SIGNS[blank.state];
    const asks = chosen(blank.asks);
    const item = element("li", {}, element("span", { class: "nr" }, `(${blank.number})`), asks[0].toUpperCase() + asks.slice(1), ": ");
    if (isOpen(blank)) item.append(element("span", { class: "line" }));
    if (sign) item.append(element("span", { class: `state ${word}` }, `${sign} ${isOpen(blank) ? "" : blank.field.value} (${say(word)})`));
    if (!isOpen(blank)) {
      const teaches = chosen(blank.teaches);
      item.append(element("div", { class: "working" }, ...(teaches && teaches !== rule ? [element("p", { class: "quiet" }, teaches)] : []), chosen(blank.working)));
      rule = teaches;
    }
    byId(blank.kind === "value" ? "values" : "gradients").append(item);
  }
}

// --- hands

for (const blank of blanks) {
  blank.field.addEventListener("focus", () => { lastHere = blank; });
  blank.field.addEventListener("input", () => {
    if (blank.state === "wrong") mark(blank, "open");
  });
  blank.field.addEventListener("change", () => { if (blank.field.value.trim() !== blank.tried) check(blank); });
  blank.field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault();
    check(blank);
    const next = nextOpen();
    if (!isOpen(blank) && next) next.field.focus();
    else if (!isOpen(blank)) byId("again").focus();
  });
}
byId("hint").addEventListener("click", () => hint());
byId("reveal").addEventListener("click", reveal);
byId("again").addEventListener("click", startAgain);
byId("print").addEventListener("click", () => window.print());
byId("languages").addEventListener("click", (event) => {
  const button = event.target.closest("[data-lang]");
  if (!button) return;
  language = button.dataset.lang;
  draw();
});
byId("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : window.matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
});
draw();
window.workbook = { read, isRight, blanks };
})();
