// Tabs of a form: one part at a time, by click, by arrow keys, and where something is wrong.
"use strict";

const chosenTabs = new Map();  // the place of the last tab, so that a refused save comes back to it

htmx.onLoad((root) => {
  const found = [...(root.parentElement || root).querySelectorAll("[data-fl-tabs]")];
  for (const tabs of found.filter((each) => !each.dataset.flReady)) begin(tabs);
});

function begin(tabs) {
  tabs.dataset.flReady = "1";
  const heads = [...tabs.querySelectorAll('[role="tab"]')];
  heads[0].parentElement.hidden = false;
  const wrong = heads.findIndex((head) => "flWrong" in head.dataset);
  show(heads, wrong >= 0 ? wrong : Math.min(chosenTabs.get(location.pathname) ?? 0, heads.length - 1));
  heads.forEach((head, place) => head.addEventListener("click", () => show(heads, place)));
  heads[0].parentElement.addEventListener("keydown", (event) => {
    const steps = { ArrowRight: 1, ArrowLeft: -1, Home: -heads.length, End: heads.length };
    const here = heads.indexOf(document.activeElement);
    if (!(event.key in steps) || here < 0) return;
    const last = heads.length - 1;
    const far = here + steps[event.key];
    show(heads, Math.abs(steps[event.key]) > 1 ? Math.max(0, Math.min(last, far)) : (far + heads.length) % heads.length);
    heads.find((head) => head.tabIndex === 0).focus();
    event.preventDefault();
  });
}

function show(heads, place) {
  chosenTabs.set(location.pathname, place);
  heads.forEach((head, each) => {
    head.setAttribute("aria-selected", String(each === place));
    head.classList.toggle("fl-current", each === place);
    head.tabIndex = each === place ? 0 : -1;
    document.getElementById(head.getAttribute("aria-controls")).classList.toggle("fl-tab-hidden", each !== place);
  });
}
