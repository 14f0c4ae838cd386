// The inbox by keyboard: J and K walk, A approves, Enter opens, X chooses; and how many are chosen. The page of a play.
"use strict";

const tasks = () => [...document.querySelectorAll("[data-fl-task]")];
const here = () => document.querySelector("[data-fl-task].fl-here");

function goTo(task) {
  here()?.classList.remove("fl-here");
  if (!task) return;
  task.classList.add("fl-here");
  task.querySelector("[data-fl-open]")?.focus();
  task.scrollIntoView({ block: "nearest" });
}

document.addEventListener("keydown", (event) => {
  if (!document.querySelector("[data-fl-inbox]") || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
  const all = tasks();
  const place = all.indexOf(here());
  const key = event.key.toLowerCase();
  if (key === "j") goTo(all[Math.min(place + 1, all.length - 1)]);
  else if (key === "k") goTo(all[Math.max(place - 1, 0)]);
  else if (key === "a" && place >= 0) all[place].querySelector("[data-fl-approve]")?.click();
  else if (key === "x" && place >= 0) all[place].querySelector("[name=task]")?.click();
  else return;
  event.preventDefault();
});

// After an approval the list comes anew: stay at the same place in it.
let last = -1;
document.addEventListener("htmx:beforeRequest", () => { last = tasks().indexOf(here()); });
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  if (detail.target?.id !== "inbox" && detail.elt?.id !== "inbox") return;
  const all = tasks();
  if (last >= 0) goTo(all[Math.min(last, all.length - 1)]);
  count();
  tellMenu(document.getElementById("inbox")?.dataset.flWaiting);
});

// The menus stand outside of what was exchanged, but show the same number
function tellMenu(waiting) {
  for (const badge of document.querySelectorAll('a[href="/inbox"] > .fl-urgent')) {
    badge.textContent = waiting;
    badge.hidden = !Number(waiting);
  }
}

function count() {
  const chosen = document.querySelectorAll("[data-fl-task] [name=task]:checked").length;
  const shown = document.querySelector("[data-fl-chosen]");
  if (shown) shown.textContent = chosen || "";
}
document.addEventListener("change", ({ target }) => { if (target.matches("[data-fl-task] [name=task]")) count(); });

// "Copy link" copies the address to pass on; where the browser does not let it, the address is shown
document.addEventListener("click", async (event) => {
  const item = event.target.closest("[data-fl-copy]");
  if (!item) return;
  const link = new URL(item.dataset.flCopy, location.href).href;
  const done = await navigator.clipboard?.writeText(link).then(() => true, () => false);
  const detail = done ? { text: item.dataset.flCopied, kind: "success" } : { text: link, kind: "info" };
  item.closest("details")?.removeAttribute("open");
  item.dispatchEvent(new CustomEvent("fl-toast", { bubbles: true, detail }));
});

// "Cancel" in a dialog closes it; without the dialog the link leads back
document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fl-dismiss]");
  const dialog = link?.closest("dialog[open]");
  if (dialog) { event.preventDefault(); dialog.close(); }
});

// --- A play: whoever types values instead of a record plays these
for (const name of ["input", "click"]) {
  document.addEventListener(name, (event) => {
    const typed = event.target.closest?.("[data-fl-typed]");
    if (!typed || (name === "click" && !event.target.closest("[data-fl-add-line], [data-fl-remove-line]"))) return;
    const chosen = typed.closest("form").elements._record;
    if (chosen) chosen.value = "";
  });
}
