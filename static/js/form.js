// Filling in a form: live answers of the server, lines added and removed. Choosing is in choices.js, loaded before.
"use strict";

const debounced = (work, wait) => {
  let timer;
  const later = (...values) => { clearTimeout(timer); timer = setTimeout(() => work(...values), wait); };
  later.cancel = () => clearTimeout(timer);
  return later;
};

htmx.onLoad((root) => {
  if (root === document.body) focusFirst(document.getElementById("record-form"));
});

// Whoever has a keyboard begins to type at once; on a touch screen that would open one over the form.
function focusFirst(form) {
  if (!form || document.activeElement !== document.body || !matchMedia("(pointer: fine)").matches) return;
  const wanted = "input:not([type=hidden]), textarea, select";
  const first = [...form.querySelectorAll(wanted)].find((each) => each.checkVisibility() && each.tabIndex >= 0);
  first?.focus({ preventScroll: true });
}

// --- Lines
let added = 0;
document.addEventListener("click", (event) => {
  const add = event.target.closest("[data-fl-add-line]");
  const remove = event.target.closest("[data-fl-remove-line]");
  if (add) {
    event.preventDefault();
    addLine(add.closest("[data-fl-lines]"));
  } else if (remove) {
    const form = remove.closest("form");
    const line = remove.closest("[data-fl-line]");
    const next = line.nextElementSibling || line.previousElementSibling;
    line.remove();
    (next || form).querySelector("input:not([type=hidden]), select, button")?.focus();
    form.dispatchEvent(new Event("input", { bubbles: true }));
  }
});

function addLine(box) {
  const body = box.querySelector("tbody");
  const index = 1000 + added++;  // above every index the server has written; only the order counts
  const holder = document.createElement("template");
  holder.innerHTML = box.querySelector("template").innerHTML.replaceAll("__i__", index);
  const line = holder.content.firstElementChild;
  body.append(line);
  htmx.process(line);
  line.querySelectorAll("[data-fl-choices]").forEach(choose);
  firstInput(line)?.focus();
}

function firstInput(line) {
  const cell = line.querySelector("td:has(input:not([type=hidden]), select)");
  return cell?.querySelector(".ts-control input") || cell?.querySelector("input:not([type=hidden]), select");
}

// Enter in the last line begins a new one, as in a spreadsheet
document.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || !event.target.matches("[data-fl-line] input") || event.isComposing) return;
  if (event.target.closest(".ts-wrapper")) return;
  event.preventDefault();
  const line = event.target.closest("[data-fl-line]");
  if (!line.nextElementSibling) addLine(line.closest("[data-fl-lines]"));
  else firstInput(line.nextElementSibling)?.focus();
});

// --- Live answers: what formulas and rules make of the values as they are typed
const asked = new WeakMap();
const left = new WeakSet();  // inputs that were left once; only those are told what is wrong with them

let noted = 0;
const waiting = new WeakMap();  // what was changed since the last answer: a fast hand changes two inputs in one pause

function noteChange(form, name) {
  if (!waiting.has(form)) waiting.set(form, new Map());
  if (name) waiting.get(form).set(name, ++noted);
  live(form);
}

const live = debounced(async (form) => {
  const turn = (asked.get(form) || 0) + 1;
  const sent = [...(waiting.get(form) || [])], changed = sent.map(([name]) => name);
  asked.set(form, turn);
  const names = pageNames(form);
  const body = new FormData(form);
  body.set("_changed", changed.map(names.toServer).join(","));
  for (const key of [...body.keys()]) {
    const known = names.toServer(key);
    if (known !== key) { body.getAll(key).forEach((value) => body.append(known, value)); body.delete(key); }
  }
  const answer = await fetch(form.dataset.flLive, { method: "POST", body, headers: JSON.parse(document.body.getAttribute("hx-headers") || "{}") });
  if (!answer.ok || asked.get(form) !== turn || !form.isConnected) return;
  for (const [name, when] of sent) if (waiting.get(form)?.get(name) === when) waiting.get(form).delete(name);
  apply(form, await answer.json(), names);
}, 250);

// The server counts lines from 0, without those in which nothing stands yet; on the page their numbers have gaps.
function pageNames(form) {
  const there = new Map(), back = new Map();
  form.querySelectorAll("[data-fl-lines]").forEach((box) => {
    [...box.querySelectorAll(":scope tbody > [data-fl-line]")].filter(isFilled).forEach((line, index) => {
      const own = line.querySelector("[data-fl-cell]")?.dataset.flCell.split(".")[1];
      there.set(`${box.dataset.flLines}.${own}`, `${box.dataset.flLines}.${index}`);
      back.set(`${box.dataset.flLines}.${index}`, `${box.dataset.flLines}.${own}`);
    });
  });
  const change = (map) => (name) => {
    const [head, index, column] = (name || "").split(".");
    const found = column && map.get(`${head}.${index}`);
    return found ? `${found}.${column}` : name;
  };
  const isTold = (name) => {
    const [head, index, column] = name.split(".");
    return !column || there.has(`${head}.${index}`);
  };
  return { toServer: change(there), toPage: change(back), isTold };
}

function isFilled(line) {
  return [...line.querySelectorAll("input[name], select[name], textarea[name]")].some((each) => each.matches("[type=checkbox], [type=radio]") ? each.checked : each.value !== "");
}

// --- What is being filled in is kept two seconds after the last change, but not beside a save: that drops the draft
let keeping = null;  // ends a keep that is under way
const keep = debounced(async () => {
  const form = document.getElementById("record-form");  // a refused save puts another in its place
  if (!form?.dataset.flFill || form.matches(".htmx-request")) return;
  const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
  keeping = new AbortController();
  const sent = { method: "POST", body: new FormData(form), headers, signal: keeping.signal };
  const answer = await fetch(form.dataset.flFill, sent).catch(() => null);
  const told = form.querySelector("[data-fl-kept]");
  if (told) told.hidden = !answer?.ok;
}, 2000);
document.addEventListener("submit", ({ target }) => {
  if (target.id !== "record-form") return;
  keep.cancel();
  keeping?.abort();
});
document.addEventListener("htmx:afterRequest", ({ detail }) => {  // not saved: what was typed last is not lost
  if (detail.elt.id === "record-form" && !(detail.xhr.status >= 200 && detail.xhr.status < 400)) keep();
});

function apply(form, answer, names) {
  for (const [name, { input, text }] of Object.entries(answer.values)) {
    const place = names.toPage(name);
    const output = form.querySelector(`[data-fl-output="${CSS.escape(place)}"]`);
    if (output) {
      output.textContent = text || "—";
      output.closest(".fl-fact")?.classList.toggle("fl-blank", !text);
      continue;
    }
    const element = form.elements[place];
    if (waiting.get(form)?.has(place)) continue;  // typed since the question was asked: that answer is on its way
    if (element?.tomselect) { element.tomselect.addOption({ value: input, text }); element.tomselect.setValue(input, true); }
    else if (element && (element !== document.activeElement || untouched(form, element))) element.value = input;
  }
  for (const [name, text] of Object.entries(answer.notes || {})) {
    const place = form.querySelector(`[data-fl-note="${CSS.escape(names.toPage(name))}"]`);
    if (place) place.textContent = text;
  }
  const hidden = new Set(answer.hidden.map(names.toPage));
  const required = new Set(answer.required.map(names.toPage)), later = new Set((answer.later || []).map(names.toPage));
  form.querySelectorAll("[data-fl-cell]").forEach((cell) => {
    const name = cell.dataset.flCell;
    if (!names.isTold(name)) return;  // a line in which nothing stands yet stays as it came
    cell.toggleAttribute("data-fl-hidden", hidden.has(name));
    const label = cell.querySelector(":scope > .fl-field > .form-label");
    if (label) mark(label, required.has(name));
    else cell.toggleAttribute("data-required", required.has(name));  // in lines, which have no labels of their own
    const hint = cell.querySelector(":scope > [data-fl-later]");
    if (hint) hint.textContent = later.has(name) ? hint.dataset.flLater : "";
    const element = cell.querySelector(`[name="${CSS.escape(name)}"]:not([type=hidden])`);
    if (element && left.has(element)) tell(cell, element, problemOf(answer, names, name));
  });
  form.querySelectorAll(".fl-line-table").forEach(markColumns);
}

// A column that no line shows is not shown.
function markColumns(table) {
  const lines = [...table.querySelectorAll("tbody > tr")];
  table.querySelectorAll("thead th[scope]").forEach((head, place) => {
    const out = lines.length > 0 && lines.every((line) => line.cells[place]?.hasAttribute("data-fl-hidden"));
    [head, ...lines.map((line) => line.cells[place])].forEach((cell) => cell?.toggleAttribute("data-fl-out", out));
  });
}

// Whoever was faster than the answer stands in an empty input; nothing was typed there that it could take away.
function untouched(form, element) {
  return element.value === "" && !waiting.get(form)?.has(element.name);
}

function problemOf(answer, names, place) {
  return Object.entries(answer.problems).find(([name]) => names.toPage(name) === place)?.[1] || "";
}

function mark(label, required) {
  const star = label.querySelector(".fl-required");
  if (required && !star) label.insertAdjacentHTML("beforeend", ' <span class="fl-required">*</span>');
  if (!required && star) star.remove();
}

function tell(cell, element, text) {
  const place = cell.querySelector(".fl-problem");
  if (!place || place.textContent.trim() === text) return;
  place.textContent = text;
  cell.classList.toggle("fl-wrong", Boolean(text));
  const seen = element.tomselect?.control_input || element;  // the box that took its place
  if (text) seen.setAttribute("aria-invalid", "true");
  else seen.removeAttribute("aria-invalid");
}

for (const name of ["input", "change"]) {
  document.addEventListener(name, (event) => {
    const form = event.target.closest?.("form[data-fl-live]") || (event.target.matches?.("form[data-fl-live]") && event.target);
    if (form) { noteChange(form, event.target.name || ""); keep(); }
  });
}
document.addEventListener("focusout", (event) => {
  const form = event.target.form;
  if (!form?.dataset.flLive || !event.target.name) return;
  left.add(event.target);
  noteChange(form, "");
});
