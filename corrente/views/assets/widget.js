// The page as a widget: it stands in a frame of its own, and what is done in it comes back.

const LEAST = 240; // pixels
const STRIDE = 40;
const GRIP = ["Height: drag, or press ↑ and ↓", "Altura: arraste, ou aperte ↑ e ↓"];

const node = (kind, properties) => Object.assign(document.createElement(kind), properties);

/** Put the page where a notebook wants it; return what takes it away again. */
function render({ model, el }) {
  const frame = node("iframe", { className: "corrente-frame", srcdoc: model.get("_page") });
  const grip = node("div", { className: "corrente-grip", tabIndex: 0 });
  grip.setAttribute("role", "separator");
  grip.setAttribute("aria-orientation", "horizontal");
  grip.setAttribute("aria-valuemin", LEAST);
  const follow = { lang: () => speak(model, frame, grip), theme: () => paint(model, frame), height: () => stretch(model, frame, grip) };
  for (const [trait, action] of Object.entries(follow)) model.on(`change:${trait}`, action);
  const host = new MutationObserver(follow.theme);
  host.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light"] });
  let page = null;
  frame.addEventListener("load", () => {
    page?.disconnect();
    frame.classList.toggle("corrente-ready", !loaded(frame)); // without its program it is still a picture
    if (!loaded(frame)) return;
    for (const action of Object.values(follow)) action();
    page = watch(model, frame);
    frame.classList.add("corrente-ready");
  });
  holdGrip(model, frame, grip);
  stretch(model, frame, grip);
  el.append(node("div", { className: "corrente-widget" }));
  el.lastChild.append(frame, grip);
  return () => {
    host.disconnect();
    page?.disconnect();
    for (const [trait, action] of Object.entries(follow)) model.off(`change:${trait}`, action);
  };
}

const inside = (frame) => frame.contentDocument;
const loaded = (frame) => Boolean(frame.contentWindow?.corrente);

function tell(model, told) {
  for (const [trait, value] of Object.entries(told)) model.set(trait, value);
  model.save_changes();
}

// --- language, colours, height

const languageOf = (frame) => (inside(frame).documentElement.lang.startsWith("pt") ? "pt" : "en");

function speak(model, frame, grip) {
  if (!loaded(frame)) return;
  if (languageOf(frame) !== model.get("lang")) inside(frame).querySelector(`#languages [data-lang="${model.get("lang")}"]`).click();
  frame.title = inside(frame).title;
  grip.setAttribute("aria-label", GRIP[model.get("lang") === "pt" ? 1 : 0]);
  grip.title = grip.getAttribute("aria-label");
}

/** Follow what was asked for, or the notebook's own theme; where it has none, the system's stays. */
function paint(model, frame) {
  if (!loaded(frame)) return;
  const host = { true: "light", false: "dark" }[document.body.dataset.jpThemeLight];
  const system = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  const wanted = model.get("theme") === "auto" ? (host ?? system) : model.get("theme");
  if ((inside(frame).documentElement.dataset.theme ?? system) !== wanted) inside(frame).getElementById("theme").click();
}

function stretch(model, frame, grip) {
  frame.style.height = `${model.get("height")}px`;
  grip.setAttribute("aria-valuenow", model.get("height"));
}

function holdGrip(model, frame, grip) {
  let held = null;
  grip.addEventListener("pointerdown", (event) => {
    event.preventDefault();
    grip.setPointerCapture(event.pointerId); // or the frame would swallow what moves over it
    grip.focus();
    held = event.clientY - frame.offsetHeight;
  });
  grip.addEventListener("pointermove", (event) => {
    if (held !== null) frame.style.height = `${Math.max(LEAST, event.clientY - held)}px`;
  });
  const drop = () => {
    if (held === null) return;
    held = null;
    tell(model, { height: frame.offsetHeight });
  };
  grip.addEventListener("pointerup", drop);
  grip.addEventListener("pointercancel", drop);
  grip.addEventListener("keydown", (event) => {
    const by = { ArrowDown: STRIDE, ArrowUp: -STRIDE }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    tell(model, { height: Math.max(LEAST, frame.offsetHeight + by) });
  });
}

// --- what is done in the page

/** Tell the program of the language, the wire looked at and the inputs, whenever they change. */
function watch(model, frame) {
  const { wires, valueOf } = frame.contentWindow.corrente;
  const inputs = wires.filter(({ role }) => role === "ours" || role === "given");
  const recorded = new Map(inputs.map(({ id }) => [id, valueOf(id)]));
  const pane = inside(frame).getElementById("wire");
  const report = () => tell(model, {
    lang: languageOf(frame),
    wire: pickedIn(pane, wires),
    moved: Object.fromEntries(inputs.filter(({ id }) => differ(valueOf(id), recorded.get(id))).map((wire) => [wire.name || wire.operand, plain(valueOf(wire.id))])),
  });
  const observer = new MutationObserver(report);
  // the page draws this pane anew after everything that is done to a wire or an input
  observer.observe(pane, { childList: true });
  report(); // a page that was put elsewhere begins anew
  return observer;
}

/** Return the variable the page looks at, and which of that name it is: the key that reads it. */
function pickedIn(pane, wires) {
  const shown = pane.querySelector(".name b")?.textContent;
  const wire = wires.find(({ name, operand }) => name && operand === shown);
  return wire ? [wire.name, wires.filter(({ id, name }) => name === wire.name && id < wire.id).length] : null;
}

const differ = (one, other) =>
  one.scalar ? one.value !== other.value : Boolean(one.data) && one.data.some((x, k) => !Object.is(x, other.data[k]));

const safe = (x) => (Number.isFinite(x) ? x : String(x)); // JSON has no NaN

function plain(found) {
  if (found.scalar) return safe(found.value);
  let rows = Array.from(found.data, safe);
  for (const length of found.shape.slice(1).reverse()) {
    rows = Array.from({ length: rows.length / length }, (_, k) => rows.slice(k * length, (k + 1) * length));
  }
  return rows;
}

export default { render };
