// The formula editor: its text in colours, its lists searched, names of fields turned into their keys.
"use strict";

const PARTS = /(?<text>"(?:[^"\\]|\\.)*"?|'(?:[^'\\]|\\.)*'?)|(?<number>\b\d[\d.]*)|(?<call>[\p{L}_][\p{L}\p{N}_]*(?=\s*\())|(?<word>\b(?:AND|OR|NOT|IN|TRUE|FALSE|true|false)\b)|(?<field>[\p{L}_][\p{L}\p{N}_.]*)/gu;

// The colours lie behind the text, which is seen through; without this script it is plain.
function paint(box) {
  const painted = box.closest(".fl-code-box")?.querySelector(".fl-code-paint");
  if (!painted) return;
  painted.replaceChildren();
  let done = 0;
  for (const found of box.value.matchAll(PARTS)) {
    const [kind] = Object.entries(found.groups).find(([, text]) => text !== undefined);
    painted.append(box.value.slice(done, found.index), Object.assign(document.createElement("span"), { className: `fl-code-${kind}`, textContent: found[0] }));
    done = found.index + found[0].length;
  }
  painted.append(`${box.value.slice(done)}\n`);
  painted.scrollTop = box.scrollTop;
  box.parentElement.classList.add("fl-painted");
}
document.addEventListener("input", ({ target }) => {
  if (target.id === "fl-formula") paint(target);
  if (!target.matches("[data-fl-narrow]")) return;
  const wanted = target.value.trim().toLowerCase();
  for (const each of target.closest("section").querySelectorAll("[data-insert]")) each.hidden = !each.textContent.toLowerCase().includes(wanted);
});
document.addEventListener("scroll", ({ target }) => {
  if (target.id === "fl-formula") target.parentElement.querySelector(".fl-code-paint").scrollTop = target.scrollTop;
}, true);
// Whoever searches among the values to try with goes on searching: the list is drawn anew once one is chosen.
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const typed = document.activeElement.closest("#fl-verdict .ts-control") && document.activeElement.value;
  if (detail.target.id === "fl-verdict" && typed) detail.shouldSwap = false;
});
document.addEventListener("htmx:afterSettle", () => {
  const box = document.getElementById("fl-formula");
  if (box) paint(box);
});
document.addEventListener("click", ({ target }) => {
  const reworded = target.closest("[data-formula-reword]");
  if (!reworded) return;
  const box = document.getElementById("fl-formula");
  box.value = reworded.dataset.formulaReword;
  box.focus();
  box.dispatchEvent(new Event("input", { bubbles: true }));
});
