// The board of a bridge: a field is taken on one side and put down on the other, by click, drag or key.
"use strict";

const board = () => document.querySelector("[data-board]");
const ENDS = "[data-source], [data-target]";
let taken = null;  // the end that waits for its other end

function take(end) {
  taken?.setAttribute("aria-pressed", "false");
  taken = end;
  end?.setAttribute("aria-pressed", "true");
  board()?.classList.toggle("fl-taking", Boolean(end));
}
function pair(source, target) {
  take(null);
  edit("set", { at: `map/${target}`, value: JSON.stringify(source) }).then(() => {
    document.querySelector(`[data-target="${CSS.escape(target)}"]`)?.focus();
  });
}
function meet(end) {
  const { source, target } = { ...taken?.dataset, ...end.dataset };
  if (taken && taken !== end && source && target) pair(source, target);
  else take(taken === end ? null : end);
}

document.addEventListener("click", (event) => {
  const end = event.target.closest(ENDS);
  if (end) meet(end);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && taken) take(null);
  const end = event.target.closest(ENDS);
  if (!end) return;
  const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
  const side = end.closest(".fl-board-side");
  if (by) {
    const ends = [...side.querySelectorAll(ENDS)];
    ends[(ends.indexOf(end) + by + ends.length) % ends.length].focus();
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    const other = [...document.querySelectorAll(".fl-board-side")].find((each) => each !== side);
    other.querySelector(ENDS)?.focus();
  } else if (event.key === "Delete" && end.closest(".fl-paired")) {
    edit("remove", { at: `map/${end.dataset.target}` });
  } else return;
  event.preventDefault();
});

// --- Dragging
document.addEventListener("dragstart", (event) => {
  const source = event.target.closest?.("[data-source]");
  if (!source) return;
  take(source);
  event.dataTransfer.setData("text/plain", source.dataset.source);
});
document.addEventListener("dragend", () => take(null));
document.addEventListener("dragover", (event) => {
  if (taken && event.target.closest("[data-pair]")) event.preventDefault();
});
document.addEventListener("drop", (event) => {
  const there = event.target.closest("[data-pair]");
  if (!there || !taken) return;
  event.preventDefault();
  pair(taken.dataset.source, there.dataset.pair);
});

// --- Wires: curves from each source to the fields it fills
function draw() {
  const svg = board()?.querySelector("svg");
  if (!svg) return;
  const ground = board().getBoundingClientRect();
  svg.setAttribute("width", ground.width);
  svg.setAttribute("height", ground.height);
  svg.replaceChildren();
  for (const row of board().querySelectorAll("[data-pair]")) {
    for (const path of row.dataset.wires.split(" ").filter(Boolean)) wire(svg, ground, path, row, "fl-wire");
    if (row.dataset.suggested) wire(svg, ground, row.dataset.suggested, row, "fl-wire fl-wire-suggested");
  }
}
function wire(svg, ground, path, row, name) {
  const from = board().querySelector(`[data-source="${CSS.escape(path)}"]`)?.getBoundingClientRect();
  if (!from) return;
  const to = row.getBoundingClientRect();
  const [x1, y1] = [from.right - ground.left, from.top + from.height / 2 - ground.top];
  const [x2, y2] = [to.left - ground.left, to.top + to.height / 2 - ground.top];
  const bend = (x2 - x1) / 2;
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
  line.setAttribute("d", `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`);
  line.setAttribute("class", name);
  svg.append(line);
}
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  if (detail.elt.id !== "studio-canvas") return;
  taken = null;
  draw();
});
addEventListener("resize", draw);
document.fonts.ready.then(draw);
draw();
