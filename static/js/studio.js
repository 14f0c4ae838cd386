// The designers: clicking, dragging, typing and keys become edits that the server makes, one after the other.
"use strict";

const studio = document.getElementById("studio");
const bar = () => document.getElementById("studio-bar");
const canvas = () => document.getElementById("studio-canvas");
const panel = () => document.getElementById("studio-props");
const selected = () => canvas().dataset.selected;
const ground = () => selected().startsWith("x-list") ? "x-list" : "";  // what shows while nothing of the step is selected
let waiting = Promise.resolve();

// --- One edit at a time: each knows the revision that the one before has made
function edit(act, values = {}) {
  waiting = waiting.then(() => htmx.ajax("POST", studio.dataset.url.replace("ACT", act), {
    source: studio, target: "#studio-canvas", swap: "outerHTML",
    values: { revision: bar().dataset.revision, at: selected(), ...read(values) },
  })).catch(() => {});
  return waiting;
}
const read = (values) => typeof values === "function" ? values() : values;

function select(at) {
  waiting = waiting.then(() => htmx.ajax("GET", `${studio.dataset.at}?at=${encodeURIComponent(at)}`, {
    source: studio, target: "#studio-canvas", swap: "outerHTML",
  })).catch(() => {});
}

// --- Clicks
document.addEventListener("click", (event) => {
  const act = event.target.closest("[data-act]");
  const chosen = event.target.closest("[data-select]");
  const type = event.target.closest("[data-type]");
  if (act) {
    const { act: name, ...values } = act.dataset;
    if (panel()?.contains(act)) values.shown = panel().dataset.at;
    edit(name, values).then(() => begin(name)).then(() => follow(act.id));
  } else if (type) {
    addField(type.dataset.type);
  } else if (chosen) {
    select(chosen.dataset.select);
  } else if (event.target.matches("[data-ground], #studio-canvas") && selected() !== ground()) {
    select(ground());
  }
});

// Whoever adds something types its name next.
function begin(act) {
  if (!["field-add", "field-duplicate", "add", "step-add"].includes(act)) return;
  const first = panel()?.querySelector("[data-section] input:not([type=hidden]), [data-section] textarea");
  first?.focus();
  first?.select?.();
}

// Whoever moves something stays with it, also with a member of a list, which is known by its place.
function follow(id) {
  if (id && document.activeElement === document.body) document.getElementById(id)?.focus();
  const [, start, place, way] = /^(m-.*-)(\d+)-(earlier|later)$/.exec(id) ?? [];
  if (way) document.getElementById(`${start}${Number(place) + (way === "later" ? 1 : -1)}-${way}`)?.focus();
}

// A formula that says nothing yet is typed over.
document.addEventListener("focusin", ({ target }) => {
  if (target.matches("#studio-props textarea, #studio-props input") && ["0", "true"].includes(target.value)) target.select();
});

function addField(type) {
  edit("field-add", () => {  // known only once the edit before is done: a label may have given a new key
    const [place, name = ""] = selected().split("/");
    const key = place === "x-layout" ? `@${name}` : name;
    const into = key && !type.startsWith("@") && document.querySelector(`[data-columns="${CSS.escape(key)}"]`) ? key : "";
    return { type, into, after: into ? "" : key };
  }).then(() => begin("field-add"));
}

// --- Panels: a section is sent when one of its inputs has changed
document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.closest(".ts-control")) return;  // what a list was searched for
  const section = target.closest("form[data-section]");
  if (target.matches("[data-add]")) {
    const { add: at, value: fresh } = target.dataset;  // with a value of its own, what is chosen is the name
    const given = target.selectedOptions[0].dataset.name;  // what stands ready brings its name along
    const what = given ? { name: given, value: target.value } : fresh ? { name: target.value, value: fresh } : { value: target.value };
    if (target.value) edit("add", { at, ...what, shown: panel().dataset.at });
  } else if (target.matches("[data-retype]")) {
    edit("field-type", { at: panel().dataset.at, type: target.value });
  } else if (target.matches("[data-choose]")) {
    const { choose: at, name } = target.dataset;
    edit(target.value ? "set" : "remove", { at: `${at}/${name}`, value: target.selectedOptions[0].dataset.json || "null", keep: 1, shown: panel().dataset.at });
  } else if (section && !target.closest("[data-picture]")) {
    edit("fill", () => ({ ...fields(section), at: section.dataset.at, shown: panel()?.dataset.at ?? "", keep: target.matches("select") || target.closest("[data-rows], .fl-pick-pair") || section.querySelector("[aria-invalid=true]") ? "" : 1 }));
  }
});
// A row changes places with the one above it: what was typed moves, names and numbers stay.
document.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-row-up]");
  if (!button) return;
  const row = button.parentElement;
  const [here, above] = [row, row.previousElementSibling].map((each) => [...each.querySelectorAll("input, select")]);
  here.forEach((each, place) => { [each.value, above[place].value] = [above[place].value, each.value]; });
  here[0].dispatchEvent(new Event("change", { bubbles: true }));
});

// --- Pictures: made small enough to stand in a definition, then sent as text like any other setting
async function pictured(file) {
  const image = await createImageBitmap(file);
  for (let width = Math.min(image.width, 480); width >= 30; width = Math.floor(width / 1.5)) {
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = Math.max(1, Math.round((image.height * width) / image.width));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    const text = canvas.toDataURL("image/png");
    if (text.length <= 90000) return text;
  }
  throw new Error("too large");
}
document.addEventListener("change", ({ target }) => {
  const box = target.matches("input[type=file]") && target.closest("[data-picture]");
  if (box && target.files.length) pictured(target.files[0]).then((text) => setPicture(box, text), () => { target.value = ""; });
});
document.addEventListener("click", ({ target }) => {
  if (target.closest("[data-picture-gone]")) setPicture(target.closest("[data-picture]"), "");
});
function setPicture(box, text) {
  const section = box.closest("form[data-section]");
  box.querySelector("[type=hidden]").value = text;
  edit("fill", () => ({ ...fields(section), at: section.dataset.at, shown: panel()?.dataset.at ?? "" }));
}
function fields(section) {
  const found = {};
  for (const name of new Set(new FormData(section).keys())) {
    const all = new FormData(section).getAll(name);
    found[name] = all.length > 1 ? all : all[0];
  }
  return found;
}
document.addEventListener("submit", (event) => {
  const { target } = event;
  if (target.matches("[data-section], [data-named], [data-sentence]")) event.preventDefault();
  if (target.matches("[data-sentence]")) useSentence(target);
  if (target.matches("[data-named]") && target.name.value.trim()) {
    edit("add-named", { at: target.dataset.named, value: target.dataset.value, title: target.name.value, shown: panel().dataset.at });
  }
});
document.addEventListener("fl-moved", ({ detail: { from, to } }) => {  // a new label has given a new key
  for (const each of document.querySelectorAll("#studio-props[data-at], #studio-props :is([data-at], [data-choose], [data-formula], [data-numbering])")) {
    for (const name of ["at", "choose", "formula", "numbering"]) {
      const at = each.dataset[name];
      if (at === from || at?.startsWith(`${from}/`)) each.dataset[name] = to + at.slice(from.length);
    }
  }
});

// --- Whoever has unfolded the rarely used settings, or an order, finds them unfolded after the next edit too
const unfolded = new Set();
const foldName = (fold) => fold.id || "more";
document.addEventListener("click", ({ target }) => {
  const fold = target.closest(":is([data-more], [data-order]) > summary")?.parentElement;
  if (fold) unfolded[fold.open ? "delete" : "add"](foldName(fold));
});
let stood = { at: null, top: 0 };  // a panel that is drawn anew stays where it was scrolled to
document.addEventListener("htmx:beforeSwap", () => {
  if (panel()) stood = { at: panel().dataset.at, top: panel().scrollTop };
});
document.addEventListener("htmx:afterSwap", () => {
  if (stood.top && panel()?.dataset.at === stood.at) panel().scrollTop = stood.top;  // which lays out the page at once
  for (const each of document.querySelectorAll("[data-more], [data-order]")) {
    if (unfolded.has(foldName(each))) each.open = true;
  }
});

// --- Keys
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("input, textarea, select");
  const control = event.ctrlKey || event.metaKey;
  if (control && event.key.toLowerCase() === "z" && !typing) {
    event.preventDefault();
    edit(event.shiftKey ? "redo" : "undo");
  }
  if (event.key === "Escape" && !event.defaultPrevented && !document.querySelector("dialog[open]")) {
    if (typing) event.target.blur();  // what was typed is kept first
    waiting = waiting.then(() => { if (selected() !== ground()) select(ground()); });  // also what a click is still about to select
  }
  const brick = event.target.closest("[data-brick]");
  if (!brick) return;
  const at = brick.dataset.select;
  const verb = studio.classList.contains("fl-studio-form") ? "field-" : "step-";
  const steps = { ArrowUp: -1, ArrowLeft: -1, ArrowDown: 1, ArrowRight: 1 };
  if (event.key === "Delete" || event.key === "Backspace") edit(`${verb}remove`, { at });
  else if (control && event.key.toLowerCase() === "d") edit(`${verb}duplicate`, { at }).then(() => begin("field-duplicate"));
  else if (event.altKey && event.key in steps) edit(`${verb}shift`, { at, by: steps[event.key] });
  else if (event.key in steps) walk(brick, steps[event.key]);
  else return;
  event.preventDefault();
});
function walk(brick, by) {
  const all = [...document.querySelectorAll("[data-brick]")];
  all[(all.indexOf(brick) + by + all.length) % all.length].focus();
}

// --- What opens in the big dialog is about a place that is known once the edits before are done
function openDialog(what, opener) {
  waiting = waiting.then(() => htmx.ajax("GET", `${studio.dataset.at}/${what}?at=${encodeURIComponent(opener.dataset[what])}`, { target: "#fl-dialog", swap: "innerHTML" })).catch(() => {});
}

// --- The builder of numbers, in the big dialog: the server draws it anew after each choice
document.addEventListener("click", ({ target }) => {
  const opened = target.closest("[data-numbering]");
  const used = target.closest("[data-numbering-use]");
  if (opened) {
    openDialog("numbering", opened);
  } else if (used) {
    const { at, pattern, restart } = document.getElementById("fl-numbering").dataset;
    used.closest("dialog").close();
    edit("numbering", { at, pattern, restart, shown: panel()?.dataset.at ?? "" });
  }
});

// --- Formulas and conditions, in the big dialog of the shell
document.addEventListener("click", ({ target }) => {
  const opened = target.closest("[data-formula]");
  const insert = target.closest("[data-insert]");
  if (opened) {
    openDialog("formula", opened);
  } else if (insert) {
    put(document.getElementById("fl-formula"), insert.dataset.insert);
  } else if (target.closest("[data-formula-use]")) {
    const sentence = document.querySelector("[data-sentence]");
    if (sentence) useSentence(sentence); else useFormula();
  }
});
// What a field can be compared with stands ready; the server only says what the sentence comes to.
document.addEventListener("change", ({ target }) => {
  const row = target.closest("[data-comparison]");
  if (!row) return;
  const sentence = row.closest("[data-sentence]");
  if (target.name === "field") {
    const like = CSS.escape(target.selectedOptions[0].dataset.like);
    const fresh = sentence.querySelector(`template[data-compared="${like}"]`).content.cloneNode(true);
    row.querySelector(".fl-sentence-rest").replaceWith(fresh);
  }
  const bare = sentence.dataset.bare.split(" ").includes(row.querySelector("[name=operator]").value);
  const other = row.querySelector("[name=other]");
  other.hidden = bare;
  row.querySelector("[data-value]").hidden = bare || Boolean(other.value);
}, true);
document.addEventListener("click", ({ target }) => {
  const sentence = target.closest("[data-sentence]");
  if (target.closest("[data-comparison-more]")) {
    const last = [...sentence.querySelectorAll("[data-comparison]")].pop();
    last.after(sentence.querySelector("[data-comparison-new]").content.cloneNode(true));
    last.nextElementSibling.querySelector("select").focus();
  } else if (target.closest("[data-comparison-gone]")) {
    target.closest("[data-comparison]").remove();
    sentence.dispatchEvent(new Event("change"));
  }
});
function useSentence(sentence) {  // the server makes the expression of what is chosen here
  const unsaid = [...sentence.querySelectorAll("[name=field]")].find((each) => !each.value);
  if (unsaid) return (unsaid.tomselect ?? unsaid).focus();
  const values = { ...fields(sentence), at: sentence.dataset.conditionAt, shown: panel()?.dataset.at ?? "" };
  sentence.closest("dialog").close();
  edit("condition", values);
}
function useFormula() {
  const box = document.getElementById("fl-formula");
  const at = document.querySelector("[data-formula-at]").dataset.formulaAt;
  const text = box.value.trim();
  if (!box.closest("dialog").open) return;  // given up meanwhile
  box.closest("dialog").close();
  edit(text ? "set" : "remove", { at, value: JSON.stringify(text), shown: panel()?.dataset.at ?? "" });
}
function put(box, text) {
  const untouched = box.value.trim() === box.dataset.beginning;  // what a new one holds is nobody's formula
  const [start, end] = untouched ? [0, box.value.length] : [box.selectionStart, box.selectionEnd];
  box.setRangeText(text, start, end, "end");
  box.focus();
  if (text.endsWith("()")) box.setSelectionRange(box.selectionStart - 1, box.selectionStart - 1);
  box.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- Searching the palette
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-fl-find]")) return;
  const wanted = event.target.value.trim().toLowerCase();
  for (const each of document.querySelectorAll("[data-type]")) each.hidden = !each.textContent.toLowerCase().includes(wanted);
  for (const each of document.querySelectorAll(".fl-palette section")) each.hidden = !each.querySelector("[data-type]:not([hidden])");
});

// --- Dragging: from the palette, within the form, among columns
function sortable() {
  const bricks = document.querySelector("[data-bricks]");
  if (!bricks) return;
  new Sortable(bricks, { group: "fields", draggable: ".fl-brick", filter: ".fl-columns, .fl-brick-tools", preventOnFilter: false, animation: 120, onEnd: dropped, onAdd: dropped });
  for (const columns of document.querySelectorAll("[data-columns]")) {
    new Sortable(columns, { group: { name: "columns", put: ["fields"] }, draggable: ".fl-column", animation: 120, onAdd: dropped, onEnd: dropped });
  }
}
for (const group of document.querySelectorAll("[data-palette]")) {
  new Sortable(group, { group: { name: "fields", pull: "clone", put: false }, sort: false });
}
function dropped({ item, from, to, type }) {
  const fresh = item.dataset.type;
  if (type === "end" && (fresh || from !== to)) return;
  const { after, before, below } = neighbours(item);
  const into = to.dataset.columns || "";
  if (fresh) {
    item.remove();
    edit("field-add", { type: fresh, into, after: into ? "" : after, before: into ? "" : before }).then(() => begin("field-add"));
  } else if (into && from === to) {
    edit("move", { at: `properties/${into}/items/properties/${item.dataset.key}`, before: item.nextElementSibling?.dataset.key || "" });
  } else if (from === to) {
    edit("field-place", { at: item.querySelector("[data-brick]").dataset.select, after, before, below });
  } else {
    select(selected());  // nothing came of it: draw again what is
  }
}
// A brick dropped right beside another one joins its row; behind the end of a row it begins one.
function neighbours(item) {
  const [last, next] = [item.previousElementSibling, item.nextElementSibling];
  if (last?.dataset.key) return { after: last.dataset.key, before: "", below: "" };
  if (next?.dataset.key) return { after: "", before: next.dataset.key, below: "" };
  return { after: last?.previousElementSibling?.dataset.key || "", before: "", below: 1 };
}
document.addEventListener("htmx:afterSettle", ({ detail }) => { if (detail.elt.id === "studio-canvas") sortable(); });
sortable();
