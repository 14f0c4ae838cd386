// Writing definitions: problems lead to their line, the place of the cursor is told, and leaving asks first.
"use strict";

const text = document.getElementById("text");
const place = document.querySelector("[data-fl-place]");
const first = text.value;
let sent = false;

function goTo(line, column) {
  const lines = text.value.split("\n");
  const before = lines.slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
  const start = before + Math.min(column - 1, (lines[line - 1] || "").length);
  text.focus();
  text.setSelectionRange(start, before + (lines[line - 1] || "").length);
  const height = parseFloat(getComputedStyle(text).lineHeight);
  text.scrollTop = Math.max(0, (line - 6) * height);
  text.scrollIntoView({ block: "nearest" });
}

function tellPlace() {
  const before = text.value.slice(0, text.selectionStart).split("\n");
  place.textContent = place.dataset.flSays.replace("{line}", before.length).replace("{column}", before.at(-1).length + 1);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-fl-line]");
  if (!link) return;
  event.preventDefault();
  goTo(Number(link.dataset.flLine), Number(link.dataset.flColumn));
});
for (const kind of ["input", "click", "keyup", "select"]) text.addEventListener(kind, tellPlace);
text.form.addEventListener("submit", () => { sent = true; });
window.addEventListener("beforeunload", (event) => { if (!sent && text.value !== first) event.preventDefault(); });
tellPlace();
