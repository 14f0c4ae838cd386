// Lists: choosing rows for a change of many at once.
"use strict";

function countChosen(form) {
  const chosen = form.querySelectorAll('input[name="id"]:checked').length;
  const bar = form.querySelector("[data-fl-batch]");
  if (!bar) return;
  bar.hidden = chosen === 0;
  bar.querySelector("[data-fl-batch-count]").textContent = chosen;
  if (chosen) htmx.trigger(bar.querySelector(".fl-batch-tools"), "fl-chosen");
}

document.addEventListener("change", (event) => {
  const form = event.target.closest("#batch");
  if (!form) return;
  if (event.target.name === "id") countChosen(form);
  if (event.target.matches("[data-fl-batch-field]")) {
    const place = form.querySelector(`[data-fl-batch-value="${CSS.escape(event.target.value)}"]`);
    if (place) showField(form, place, true);
    event.target.value = "";
  }
});

// A field counts while it is shown: several can be changed in one go
function showField(form, place, shown) {
  place.hidden = !shown;
  place.querySelector('[name="_set"]').disabled = !shown;
  form.querySelector("[data-fl-batch-set]").hidden = !form.querySelector("[data-fl-batch-value]:not([hidden])");
  if (shown) place.querySelector(".ts-control input, input:not([type=hidden]), select, textarea")?.focus();
}

document.addEventListener("click", (event) => {
  const leave = event.target.closest("[data-fl-batch-leave]");
  if (leave) showField(leave.closest("form"), leave.closest("[data-fl-batch-value]"), false);
});

// Shift+click chooses a range
let last = null;
document.addEventListener("click", (event) => {
  if (!event.target.matches('#batch input[name="id"]')) return;
  const all = [...document.querySelectorAll('#batch input[name="id"]')];
  if (event.shiftKey && last && all.includes(last)) {
    const [from, to] = [all.indexOf(last), all.indexOf(event.target)].sort((a, b) => a - b);
    all.slice(from, to + 1).forEach((box) => { box.checked = event.target.checked; });
    countChosen(event.target.form);
  }
  last = event.target;
});
