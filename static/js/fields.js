// Inputs that need the browser: files, signatures, positions, codes, options level by level, formatted text.
"use strict";

const ownHeaders = () => JSON.parse(document.body.getAttribute("hx-headers") || "{}");
const changedByHand = (element) => element.dispatchEvent(new Event("input", { bubbles: true }));

// --- Files: uploaded when chosen; the record keeps their keys
async function upload(box, files) {
  const place = box.querySelector(".fl-file-problem");
  place.textContent = "";
  box.setAttribute("aria-busy", "true");
  for (const file of files) {
    const body = new FormData();
    body.append("file", file, file.name);
    const answer = await fetch(box.dataset.flFiles, { method: "POST", body, headers: ownHeaders() }).catch(() => null);
    const said = answer && await answer.json().catch(() => null);
    if (answer?.ok && said) said.files.forEach((each) => addFile(box, each));
    else place.textContent = said?.message || answer?.statusText || "—";
  }
  box.removeAttribute("aria-busy");
  changedByHand(box);
}

function addFile(box, { key, name }) {
  const item = document.createElement("li");
  const input = Object.assign(document.createElement("input"), { type: "hidden", name: box.dataset.flName, value: key });
  const link = Object.assign(document.createElement("a"), { href: box.dataset.flFileUrl.replace("KEY", key), download: "" });
  if (box.dataset.flPicture) link.append(Object.assign(document.createElement("img"), { src: link.href, alt: name }));
  else link.textContent = name;
  const word = box.dataset.flRemoveWord;
  const remove = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-icon btn-ghost-secondary btn-sm", textContent: "×", title: word });
  remove.setAttribute("aria-label", `${word} ${name}`);
  remove.dataset.flRemoveFile = "";
  item.append(input, link, remove);
  box.querySelector("ul").append(item);
  const pad = box.querySelector("[data-fl-pad]");
  if (pad) pad.hidden = true;
}

document.addEventListener("change", (event) => {
  const box = event.target.type === "file" && event.target.closest("[data-fl-files]");
  if (!box) return;
  upload(box, [...event.target.files]);
  event.target.value = "";
});
for (const name of ["dragover", "drop"]) {
  document.addEventListener(name, (event) => {
    const box = event.target.closest?.("[data-fl-files]:has(input[type=file])");
    if (!box) return;
    event.preventDefault();
    if (name === "drop") upload(box, [...event.dataTransfer.files]);
  });
}
document.addEventListener("click", (event) => {
  const remove = event.target.closest("[data-fl-remove-file]");
  if (!remove) return;
  const box = remove.closest("[data-fl-files]");
  remove.closest("li").remove();
  const pad = box.querySelector("[data-fl-pad]");
  if (pad) pad.hidden = false;
  changedByHand(box);
});

// --- Signatures
const pads = new WeakMap();
function padOf(box) {
  const canvas = box.querySelector("canvas");
  if (!pads.has(canvas)) {
    const pad = new SignaturePad(canvas, { minWidth: 0.8, maxWidth: 2.4, penColor: "#14213d" });
    pad.addEventListener("beginStroke", () => box.querySelector(".fl-pad-hint").hidden = true);
    canvas.addEventListener("pointerdown", () => fit(canvas, pad), true);
    pads.set(canvas, pad);
  }
  return pads.get(canvas);
}
// As many points as the screen shows there, so that the line runs under the finger; known only once it is seen
function fit(canvas, pad) {
  const ratio = Math.max(devicePixelRatio, 1), width = Math.round(canvas.offsetWidth * ratio);
  if (!width || width === canvas.width || !pad.isEmpty()) return;
  canvas.width = width;
  canvas.height = Math.round(canvas.offsetHeight * ratio);
  canvas.getContext("2d").scale(ratio, ratio);
  pad.clear();
}
document.addEventListener("click", (event) => {
  const keep = event.target.closest("[data-fl-pad-keep]"), clear = event.target.closest("[data-fl-pad-clear]");
  const box = (keep || clear)?.closest("[data-fl-files]");
  if (!box) return;
  const pad = padOf(box);
  if (keep && !pad.isEmpty()) keepSignature(box);
  if (clear) {
    pad.clear();
    box.querySelectorAll("li").forEach((each) => each.remove());
    box.querySelector("[data-fl-pad]").hidden = false;
    box.querySelector(".fl-pad-hint").hidden = false;
    changedByHand(box);
  }
});
async function keepSignature(box) {
  const blob = await new Promise((done) => box.querySelector("canvas").toBlob(done));
  box.querySelectorAll("li").forEach((each) => each.remove());
  await upload(box, [new File([blob], "signature.png", { type: "image/png" })]);
}
// A signature that was drawn and not yet kept goes along with whatever is sent; where that fails nothing is sent
const drawnIn = (form) => [...form.querySelectorAll("[data-fl-pad]:not([hidden])")]
  .map((each) => each.closest("[data-fl-files]")).filter((box) => pads.has(box.querySelector("canvas")) && !padOf(box).isEmpty());
document.addEventListener("submit", async (event) => {
  const form = event.target, drawn = drawnIn(form);
  if (!drawn.length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  for (const box of drawn) await keepSignature(box);
  if (!drawnIn(form).length) form.requestSubmit(event.submitter);
}, true);

// --- Position of the device
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fl-locate]");
  if (!button || !navigator.geolocation) return;
  button.disabled = true;
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    const [latitude, longitude] = button.closest("[data-fl-location]").querySelectorAll("input");
    latitude.value = coords.latitude.toFixed(6);
    longitude.value = coords.longitude.toFixed(6);
    button.disabled = false;
    changedByHand(longitude);
  }, () => { button.disabled = false; }, { enableHighAccuracy: true, timeout: 15000 });
});

// --- Cascade: one select a level, filling the select of whole paths
function cascade(whole) {
  if (whole.dataset.flReady || whole.closest("template")) return;
  whole.dataset.flReady = "1";
  const tree = [...whole.options].map((each) => each.value).filter(Boolean).map((each) => each.split(" / "));
  const box = document.createElement("div");
  box.className = "fl-cascade";
  whole.after(box);
  whole.classList.add("visually-hidden");
  whole.tabIndex = -1;
  const draw = (chosen) => {
    box.replaceChildren();
    for (let level = 0; ; level++) {
      const below = tree.filter((path) => chosen.slice(0, level).every((part, i) => path[i] === part));
      const names = [...new Set(below.map((path) => path[level]).filter(Boolean))];
      if (!names.length || level > chosen.length) break;
      const select = document.createElement("select");
      select.className = "form-select";
      select.setAttribute("aria-label", `${whole.getAttribute("aria-label") || ""} ${level + 1}`);
      select.append(new Option("", ""), ...names.map((name) => new Option(name, name, false, chosen[level] === name)));
      select.addEventListener("change", () => {
        const now = [...box.children].slice(0, level + 1).map((each) => each.value).filter(Boolean);
        whole.value = now.join(" / ");
        if (whole.selectedIndex < 0) whole.value = "";
        draw(now);
        box.children[Math.min(level + 1, box.children.length - 1)].focus();
        whole.dispatchEvent(new Event("change", { bubbles: true }));
      });
      box.append(select);
    }
  };
  draw(whole.value ? whole.value.split(" / ") : []);
}

// --- Several options in one select
function several(select) {
  if (select.tomselect || select.closest("template")) return;
  new TomSelect(select, { plugins: ["remove_button"], dropdownParent: select.closest("dialog") || "body", maxOptions: 500 });
  select.setAttribute("aria-hidden", "true");  // its label now names the box that took its place
}

// --- Formatted text: marks around what is selected
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-fl-mark]");
  if (!button) return;
  const area = button.closest(".fl-rich").querySelector("textarea");
  const { selectionStart: start, selectionEnd: end, value } = area;
  const chosen = value.slice(start, end);
  const mark = button.dataset.flMark;
  const made = mark === "li"
    ? `<ul>\n${(chosen || " ").split("\n").map((line) => `<li>${line}</li>`).join("\n")}\n</ul>`
    : mark === "a" ? `<a href="${/^https?:/.test(chosen) ? chosen : "https://"}">${chosen}</a>` : `<${mark}>${chosen}</${mark}>`;
  area.setRangeText(made, start, end, "end");
  area.focus();
  changedByHand(area);
});

// --- Codes by the camera; a scanner that types needs none of this
let scanner;
const loadScanner = (url) => scanner ||= new Promise((done, fail) => {
  const script = Object.assign(document.createElement("script"), { src: url, onload: done, onerror: fail });
  document.head.append(script);
});
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-fl-scan]");
  if (!button) return;
  await loadScanner(button.dataset.flScan);
  const dialog = document.createElement("dialog");
  dialog.className = "fl-scan";
  const video = Object.assign(document.createElement("video"), { playsInline: true, muted: true });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-close", textContent: "" });
  close.setAttribute("aria-label", "Esc");
  close.addEventListener("click", () => dialog.close());
  dialog.append(video, close);
  document.body.append(dialog);
  dialog.showModal();
  let controls;
  dialog.addEventListener("close", () => { controls?.stop(); dialog.remove(); });
  try {
    controls = await new ZXingBrowser.BrowserMultiFormatReader().decodeFromVideoDevice(undefined, video, (result) => {
      if (!result) return;
      dialog.close();
      take(button.parentElement.querySelector("input[name], select"), result.getText());
    });
  } catch { dialog.close(); }
});
function take(element, text) {
  if (element.tomselect) {
    element.tomselect.focus();
    element.tomselect.setTextboxValue(text);
    element.tomselect.load(text);
  } else {
    element.value = text;
    changedByHand(element);
  }
}

// --- Cards of records: below a select that chose one, and over a link to one
async function cardBelow(select) {
  const place = select.closest(".fl-with-tool");
  const box = place.nextElementSibling?.matches(".fl-card-below") ? place.nextElementSibling
    : place.insertAdjacentElement("afterend", Object.assign(document.createElement("div"), { className: "fl-card-below" }));
  if (!select.value) { box.replaceChildren(); return; }
  const answer = await fetch(select.dataset.flCardBelow.replace(/\/0$/, `/${select.value}`));
  if (answer.ok) box.innerHTML = await answer.text(); else box.replaceChildren();
}
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-fl-card-below]")) cardBelow(event.target);
});
for (const name of ["pointerover", "focusin"]) {
  document.addEventListener(name, async (event) => {
    const link = event.target.closest?.("[data-fl-card]");
    if (!link || link.dataset.flAsked) return;
    link.dataset.flAsked = "1";
    const answer = await fetch(link.dataset.flCard);
    if (!answer.ok) return;
    const box = Object.assign(document.createElement("span"), { className: "fl-card-over" });
    box.innerHTML = await answer.text();
    link.append(box);
  });
}

htmx.onLoad((root) => {
  root.querySelectorAll("[data-fl-cascade]").forEach(cascade);
  root.querySelectorAll("[data-fl-several]").forEach(several);
  root.querySelectorAll("[data-fl-card-below]").forEach((each) => { if (each.value && !each.closest("template")) cardBelow(each); });
  root.querySelectorAll("[data-fl-pad]").forEach((each) => { if (!each.closest("template")) padOf(each.closest("[data-fl-files]")); });
  root.querySelectorAll(".fl-rich-bar").forEach((each) => { each.hidden = false; });
  if (navigator.mediaDevices) root.querySelectorAll("[data-fl-scan]").forEach((each) => { each.hidden = false; });
});
// a line added later is not announced by htmx when its template is copied by hand
new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach((node) => {
  if (!node.querySelectorAll || !node.matches("[data-fl-line]")) return;
  node.querySelectorAll("[data-fl-cascade]").forEach(cascade);
  node.querySelectorAll("[data-fl-several]").forEach(several);
  node.querySelectorAll("[data-fl-pad]").forEach((each) => padOf(each.closest("[data-fl-files]")));
  if (navigator.mediaDevices) node.querySelectorAll("[data-fl-scan]").forEach((each) => { each.hidden = false; });
}))).observe(document.body, { childList: true, subtree: true });
