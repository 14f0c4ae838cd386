// Lists to choose from: several of many are shown in a box, and what is longer than a glance is searched by typing.
// That box is made when somebody comes to the list: a panel has dozens of them, and is drawn anew after each change.
// After choices.js.
"use strict";

const GLANCE = 12;  // options that are seen at once
const { none, clear } = document.currentScript.dataset;

// Of several of many the box shows what is chosen: it is made once it comes into sight.
const seen = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    if (!target.tomselect && target.isConnected) search(target);
  }
}, { rootMargin: "400px" });

// Not before an arrival has settled: that sets classes anew.
function searched() {
  for (const select of document.querySelectorAll("main select, dialog[open] [data-sentence] [data-fl-choices]")) {
    if (select.dataset.flChoices) choose(select);  // what may be one of very many is searched by the server
    else if (!select.tomselect && select.multiple) seen.observe(select);
  }
  for (const input of document.querySelectorAll("dialog[open] [data-choices-of]")) if (!input.tomselect) severalOf(input);
  returnFocus();
}

const isLong = (each) => each.matches("main select, dialog[open] [data-sentence] [name=field]") && !each.tomselect && !each.disabled && each.options.length > GLANCE;
document.addEventListener("focusin", ({ target }) => {
  if (isLong(target)) setTimeout(() => { if (document.activeElement === target) come(target); });
});
document.addEventListener("keydown", (event) => {  // typed before that: it is searched for
  const { target, key } = event;
  if (!(key.length === 1 || key === "Enter" || key.startsWith("Arrow")) || !target.matches("select") || !isLong(target)) return;
  if (key.length > 1) event.preventDefault();
  come(target);
}, true);
document.addEventListener("mousedown", (event) => {
  if (event.button || !isLong(event.target)) return;
  event.preventDefault();  // its own list would open
  come(event.target);
}, true);
function come(select) {
  search(select);
  select.tomselect.focus();
}

// What is typed is found by its words, as they are shown: without regard to points, quotes, accents and capitals.
const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase().split(/[\s\p{P}]+/u).filter(Boolean);
function score(typed) {
  const words = plain(typed);
  return ({ text }) => {
    const said = plain(text).join(" ");
    if (!words.every((word) => said.includes(word))) return 0;
    return said.startsWith(words.join(" ")) ? 2 : 1;
  };
}

// Several of a list in one input, which is sent as one text.
function severalOf(input) {
  const { choicesOf, beside } = input.dataset;
  const options = JSON.parse(choicesOf).map(([value, text]) => ({ value, text }));
  new TomSelect(input, { options, delimiter: beside, score, plugins: ["remove_button"], maxOptions: null, create: false });
  named(input);
}

function search(select) {
  const empty = [...select.options].find((each) => !each.value);
  const clears = !select.multiple && empty && !select.dataset.add && !select.required;
  const plugins = select.multiple ? ["remove_button"] : clears ? { clear_button: { title: clear } } : [];
  const within = select.closest("dialog") ? null : "body";  // what is behind a dialog cannot be reached
  new TomSelect(select, {
    plugins, score, dropdownParent: within, maxOptions: null, refreshThrottle: 0, placeholder: empty?.text || "", hidePlaceholder: true,
    render: { no_results: () => `<div class="no-results" role="option" aria-disabled="true">${none}</div>` },
  });
  named(select);
  const { wrapper, control_input: input } = select.tomselect;
  input.addEventListener("keydown", (event) => {  // whoever typed what they look for has chosen it when they go on
    const found = select.tomselect.activeOption;
    if (event.key === "Tab" && input.value.trim() && found) select.tomselect.addItem(found.dataset.value);
  });
  wrapper.querySelectorAll(".clear-button").forEach((button) => { button.tabIndex = -1; });  // Delete clears, too
}

// --- Whoever chose by keys stands where they stood once the panel has been drawn anew; its list stays closed
let last = "";
document.addEventListener("focusin", ({ target }) => { last = target.closest(".ts-control") ? target.id : ""; });
function returnFocus() {
  const select = last && document.activeElement === document.body && document.getElementById(last.replace(/-ts-control$/, ""));
  if (!select) return;
  if (!select.tomselect && (isLong(select) || select.multiple)) search(select);
  const box = select.tomselect;
  if (!box) return;
  box.settings.openOnFocus = false;
  box.wrapper.classList.add("preloaded");  // nothing is asked for, which would open it
  box.control_input.focus();
  setTimeout(() => { box.settings.openOnFocus = true; });
}

document.addEventListener("click", ({ target }) => {
  if (!target.closest("[data-comparison-more]")) return;
  searched();  // the new line stands already
});
document.addEventListener("change", ({ target }) => { if (target.closest("[data-comparison]") && target.name === "field") searched(); });
document.addEventListener("htmx:afterSettle", searched);
document.addEventListener("htmx:beforeCleanupElement", ({ target }) => target.tomselect?.dropdown.remove());  // it lies elsewhere
searched();
