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
    form.querySelectorAll("[data-fl-batch-value]").forEach((place) => {
      place.hidden = place.dataset.flBatchValue !== event.target.value;
    });
    form.querySelector("[data-fl-batch-set]").hidden = !event.target.value;
  }
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
