// A guided tour goes along from page to page: it points at something, says a sentence, and goes on once that is done.
"use strict";

const tour = {
  box: document.getElementById("fl-tour"),
  number: 0,
  over: false,
  ready: true,  // what the step waits for was not there yet, so its coming counts; a page that has it was reached by it

  get steps() { return [...tour.box.querySelectorAll("[data-tour-at]")]; },
  get step() { return tour.steps[tour.number]; },
  get target() {
    return [...document.querySelectorAll(tour.step.dataset.tourAt)].find((each) => each.getClientRects().length);
  },
  get done() { return Boolean(tour.step.dataset.tourUntil && document.querySelector(tour.step.dataset.tourUntil)); },

  // Whether what the whole tour leads to is to be seen: what its last waiting step waits for.
  get reached() {
    const wanted = tour.steps.map((each) => each.dataset.tourUntil).filter(Boolean).at(-1);
    return !wanted || Boolean(document.querySelector(wanted));
  },

  keep(values = {}) {  // also when the page is left at once
    const body = new URLSearchParams({ step: tour.number, page: location.pathname, ...values });
    const headers = JSON.parse(document.body.getAttribute("hx-headers"));
    fetch(tour.box.dataset.url, { method: "POST", keepalive: true, headers, body }).catch(() => {});
  },

  // By one step; what was done already, and can no longer be pointed to, is passed over.
  go(by) {
    do tour.number += by; while (tour.step && tour.done && !tour.target);
    tour.number = Math.min(Math.max(0, tour.number), tour.steps.length - 1);
    tour.keep();
    tour.ready = !tour.done;
    tour.show();
    tour.target?.scrollIntoView({ block: "nearest" });
  },

  end(values) {
    document.querySelector(".fl-tour-target")?.classList.remove("fl-tour-target");
    tour.box.hidden = tour.over = true;
    tour.keep(values);
  },

  show() {
    const { box, target } = tour;
    const last = tour.number === tour.steps.length - 1;
    tour.steps.forEach((each, place) => { each.hidden = place !== tour.number; });
    box.querySelector("[data-tour-count]").textContent = `${tour.number + 1} / ${tour.steps.length}`;
    box.querySelector("[data-tour-away]").hidden = Boolean(target);
    box.querySelector("[data-tour=back]").disabled = tour.number === 0;
    box.querySelector("[data-tour=next]").hidden = last;
    box.querySelector("[data-tour=done]").hidden = !last || !tour.reached;
    box.hidden = Boolean(document.querySelector("dialog[open]"));
    for (const each of document.querySelectorAll(".fl-tour-target")) if (each !== target) each.classList.remove("fl-tour-target");
    target?.classList.add("fl-tour-target");
    tour.place(target && tour.bounds(target));
  },

  // Of what it points to, with the menu that hangs from it.
  bounds(target) {
    const menu = target.closest("details[open]")?.querySelector(".fl-menu");
    const all = [target, menu].filter(Boolean).map((each) => each.getBoundingClientRect());
    const edge = (side, pick) => pick(...all.map((each) => each[side]));
    return { left: edge("left", Math.min), top: edge("top", Math.min), right: edge("right", Math.max), bottom: edge("bottom", Math.max) };
  },

  // Below what it points to, else above, else beside; where there is nothing to point to, in the corner.
  place(there) {
    const { offsetWidth: width, offsetHeight: height } = tour.box;
    const [right, bottom] = [innerWidth - width - 12, innerHeight - height - 12];
    let [left, top] = [right, bottom];
    if (there) {
      left = Math.min(Math.max(12, there.left), right);
      if (there.bottom + 12 <= bottom) top = there.bottom + 12;
      else if (there.top - height - 12 >= 12) top = there.top - height - 12;
      else {
        top = Math.min(Math.max(12, there.top), bottom);
        left = there.left > width + 24 ? there.left - width - 12 : Math.min(there.right + 12, right);
      }
    }
    tour.box.style.left = `${left}px`;
    tour.box.style.top = `${top}px`;
  },

  look() {
    if (tour.over) return;
    if (!tour.done) tour.ready = true;
    if (tour.ready && tour.done) tour.go(1); else tour.show();
  },
};

tour.box.addEventListener("click", ({ target }) => {
  const what = target.closest("[data-tour]")?.dataset.tour;
  if (what === "next") tour.go(1);
  if (what === "back") tour.go(-1);
  if (what === "leave") tour.end({ leave: 1 });
  if (what === "done") { tour.number += 1; tour.end(); }
});
document.addEventListener("keydown", (event) => {
  const inside = tour.box.contains(document.activeElement);
  const free = document.activeElement === document.body && event.key !== "Escape";  // which closes other things there
  if (tour.box.hidden || !(inside || free) || event.ctrlKey || event.metaKey || event.altKey) return;
  const last = tour.number === tour.steps.length - 1;
  const button = { Enter: last ? "done" : "next", ArrowRight: "next", ArrowLeft: "back", Escape: "leave" }[event.key];
  if (!button || (event.key === "Enter" && document.activeElement.matches("a, button"))) return;
  event.preventDefault();
  tour.box.querySelector(`[data-tour=${button}]:not([hidden], [disabled])`)?.click();
});
for (const name of ["htmx:afterSettle", "toggle", "close"]) document.addEventListener(name, tour.look, true);
for (const name of ["resize", "scroll"]) addEventListener(name, () => { if (!tour.over) tour.show(); }, true);

tour.number = Number(tour.box.dataset.number);
tour.look();
if (document.activeElement === document.body && !document.querySelector("[autofocus]")) tour.box.querySelector("[data-tour=next]:not([hidden])")?.focus();
