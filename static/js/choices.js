// Choosing among many: the select asks the server for what fits the typed text.
"use strict";

function choose(select) {
  if (select.tomselect || select.closest("template")) return;
  new TomSelect(select, {
    valueField: "value", labelField: "text", searchField: ["text", "hint"], maxOptions: 30, preload: "focus",
    allowEmptyOption: false, maxItems: select.multiple ? null : 1, plugins: [select.multiple ? "remove_button" : "clear_button"],
    dropdownParent: select.closest("dialog") ? null : "body",  // what is behind a dialog cannot be reached
    load(text, done) {
      const { flChoices: at } = select.dataset, more = new URLSearchParams({ q: text, ...ownValues(select) });
      fetch(`${at}${at.includes("?") ? "&" : "?"}${more}`)
        .then((answer) => answer.ok ? answer.json() : [])
        .then((found) => {
          if (this.control_input.value.trim() !== text.trim()) return done();  // typed on meanwhile
          this.clearOptions();  // what earlier letters found must not be chosen by Enter
          this.answered = text.trim();
          done(found);
        }, () => done());
    },
    create: select.dataset.flMake ? (text, done) => make(select, text.trim(), done) : false,
    createFilter(text) {  // what may be there already is looked for first
      return this.answered === text.trim() && !Object.values(this.options).some((each) => each.text === text.trim());
    },
    score: () => () => 1,
    onType() { this.clearOptions(); },
    onFocus() { if (select.dataset.flOwn) { this.clearOptions(); this.load(""); } },  // what it hangs on may have changed
    render: {
      option: (each, escape) => `<div>${escape(each.text)}${each.hint ? `<small>${escape(each.hint)}</small>` : ""}</div>`,
      option_create: (typed, escape) => `<div class="create">${escape(select.dataset.flMake)}: <strong>${escape(typed.input)}</strong></div>`,
      no_results: () => null,
    },
  });
  named(select);
  const { wrapper, control_input: input } = select.tomselect;
  wrapper.querySelectorAll(".clear-button").forEach((button) => { button.tabIndex = -1; });  // Delete clears, too
  input.addEventListener("keydown", (event) => {
    const found = select.tomselect.activeOption;
    if (event.key === "Tab" && input.value.trim() && found) select.tomselect.addItem(found.dataset.value);
  });
}

// What is not there yet is made by those who may, and chosen.
async function make(select, text, done) {
  const body = new URLSearchParams({ q: text, ...ownValues(select) });
  const headers = JSON.parse(document.body.getAttribute("hx-headers") || "{}");
  const answer = await fetch(select.dataset.flMakeAt, { method: "POST", body, headers }).catch(() => null);
  const said = answer?.headers.get("content-type")?.includes("json") ? await answer.json() : {};
  done(answer?.ok ? said : false);
  const cell = select.closest("[data-fl-cell]");
  if (!cell) return;
  cell.querySelector(".fl-problem")?.setAttribute("role", "alert");  // whoever typed it waits for it
  tell(cell, select, answer?.ok ? "" : said.message || select.dataset.flMakeFailed);
}

function named(select) {
  select.setAttribute("aria-hidden", "true");  // its label now names the box that took its place
  for (const name of ["aria-label", "aria-describedby", "aria-invalid"]) {
    if (select.hasAttribute(name)) select.tomselect.control_input.setAttribute(name, select.getAttribute(name));
  }
}

// What the condition of a choice reads of the record: as typed, in its own line before the rest; else as the page has it.
function ownValues(select) {
  const own = JSON.parse(select.dataset.flOwn || "{}"), form = select.closest("form");
  if (!form || !Object.keys(own).length) return {};
  const typed = new FormData(form), line = select.name.slice(0, select.name.lastIndexOf(".") + 1);
  return Object.fromEntries(Object.entries(own).map(([key, shown]) => {
    const name = typed.has(line + key) ? line + key : key;
    return [`this.${key}`, typed.has(name) ? typed.getAll(name).pop() : shown];  // a hidden input stands before a check box
  }));
}
htmx.onLoad((root) => {
  if (root.matches("[data-fl-choices]")) choose(root);
  root.querySelectorAll("[data-fl-choices]").forEach(choose);
});
