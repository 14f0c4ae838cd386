// The shell in the browser: Chinese input, toasts, questions, dialogs, menus, keys, unsaved changes.
// Texts stand in the page (web/_overlays.html), so this file knows no language.
"use strict";

// --- Chinese input: nobody hears of letters while a word is still being composed.
document.addEventListener("input", (event) => { if (event.isComposing) event.stopImmediatePropagation(); }, true);
document.addEventListener("compositionend", (event) => {
  event.target.dispatchEvent(new Event("input", { bubbles: true }));
}, true);

// --- Toasts
const toasts = {
  seconds: { success: 4, info: 6, warning: 9 },  // a danger stays until it is closed

  show({ text, kind = "info", request = "", retry = null }) {
    const toast = document.getElementById("fl-toast").content.firstElementChild.cloneNode(true);
    toast.dataset.kind = kind;
    toast.querySelector("use").setAttribute("href", toasts.icon(toast, kind));
    toast.querySelector(".fl-toast-text span").textContent = text;
    toast.querySelector("small").textContent = request;
    const again = toast.querySelector("[data-fl-retry]");
    if (retry) {
      again.hidden = false;
      again.addEventListener("click", () => { toast.remove(); retry(); });
    }
    document.getElementById("fl-toasts").append(toast);
    toasts.fade(toast);
  },

  icon(toast, kind) {
    const names = { success: "circle-check", warning: "alert-triangle", danger: "alert-circle" };
    return toast.querySelector("use").getAttribute("href").replace(/#.*/, "#" + (names[kind] || "info-circle"));
  },

  fade(toast) {
    const seconds = toasts.seconds[toast.dataset.kind];
    if (seconds) setTimeout(() => toast.remove(), seconds * 1000);
  },
};

let failed = null;  // the request whose error is being told, so that its toast can offer to try again

function tryAgain(request) {
  const { verb, path, elt, target, headers } = request;
  return () => htmx.ajax(verb, path, { source: elt, target, headers });
}

document.addEventListener("htmx:beforeOnLoad", ({ detail }) => { failed = detail.requestConfig; });
const polls = (element) => element.closest?.("[data-fl-quiet]");  // asks again by itself, so its failures stay silent

document.addEventListener("fl-toast", ({ detail, target }) => {
  if (!polls(target)) toasts.show({ ...detail, retry: detail.retry && failed ? tryAgain(failed) : null });
});
document.addEventListener("htmx:responseError", ({ detail }) => {
  if (!detail.xhr.getResponseHeader("HX-Trigger") && !polls(detail.elt)) {  // not one of our own error answers: a proxy, most likely
    toasts.show({ text: offline(), kind: "danger", request: String(detail.xhr.status), retry: tryAgain(detail.requestConfig) });
  }
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, ({ detail }) => {
    if (!polls(detail.elt)) toasts.show({ text: offline(), kind: "danger", retry: tryAgain(detail.requestConfig) });
  });
}
const offline = () => document.getElementById("fl-offline").content.textContent;

// --- Colours
document.addEventListener("fl-theme", ({ detail }) => {
  const dark = detail.value === "dark" || (detail.value === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.bsTheme = dark ? "dark" : "light";
  document.documentElement.dataset.flTheme = detail.value;
});

// --- "Are you sure?": hx-confirm on what htmx sends, data-fl-confirm on plain forms
function ask(question) {
  const dialog = document.getElementById("fl-confirm");
  dialog.querySelector("#fl-confirm-text").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  dialog.querySelector("[value=yes]").focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true });
  });
}

document.addEventListener("htmx:confirm", async (event) => {
  if (!event.detail.question) return;
  event.preventDefault();
  if (await ask(event.detail.question)) event.detail.issueRequest(true);
});
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const said = event.submitter?.dataset.flConfirm || form.dataset.flConfirm;
  const question = said?.replace(/\{(\w+)\}/g, (name, key) => form.elements[key]?.value ?? name);  // what is typed there
  if (!question || form.dataset.flConfirmed) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  if (!(await ask(question))) return;
  form.dataset.flConfirmed = "yes";
  form.requestSubmit(event.submitter);
  delete form.dataset.flConfirmed;
}, true);

// --- The big dialog opens when something was put into it; anything marked data-fl-close closes what it is in
document.addEventListener("htmx:afterSwap", ({ detail }) => {
  const dialog = document.getElementById("fl-dialog");
  if (detail.target !== dialog) return;
  if (dialog.childElementCount && !dialog.open) dialog.showModal();
  if (!dialog.childElementCount && dialog.open) dialog.close();
});
document.addEventListener("fl-close-dialog", () => document.getElementById("fl-dialog").close());
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-fl-close]")) {
    const box = event.target.closest(".fl-toast, dialog");
    if (box?.matches("dialog")) box.close(); else box?.remove();
  }
  if (event.target.matches("dialog.fl-dialog")) event.target.close("no");  // a click beside it
});

// --- Menus made of <details>: one open at a time, closed by a click elsewhere and by Escape
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.fl-dropdown[open]")) {
    if (!menu.contains(event.target) || event.target.closest(".fl-menu-item")) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  const menu = document.querySelector("details.fl-dropdown[open]");
  if (!menu) return;
  if (event.key === "Escape") {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const items = [...menu.querySelectorAll(".fl-menu-item")];
    const step = event.key === "ArrowDown" ? 1 : -1;
    items[(items.indexOf(document.activeElement) + step + items.length) % items.length]?.focus();
    event.preventDefault();
  }
});

// --- Keys: data-fl-key="a" is clicked, data-fl-focus-key="/" is focused; "?" lists what there is
const typing = (element) => element.isContentEditable || element.matches("input, textarea, select");

function listKeys(dialog) {
  const list = dialog.querySelector("dl");
  list.querySelectorAll("[data-of-page]").forEach((row) => row.remove());
  for (const told of document.querySelectorAll("[data-fl-keys-too] > *")) {  // of pages that walk by keys
    const copy = told.cloneNode(true);
    copy.dataset.ofPage = "";
    list.append(copy);
  }
  for (const element of document.querySelectorAll("[data-fl-key], [data-fl-focus-key]")) {
    const key = document.createElement("dt");
    const what = document.createElement("dd");
    key.dataset.ofPage = what.dataset.ofPage = "";
    key.append(Object.assign(document.createElement("kbd"), { textContent: element.dataset.flKey || element.dataset.flFocusKey }));
    what.textContent = element.getAttribute("aria-label") || element.title || element.textContent.trim();
    list.append(key, what);
  }
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (event.key === "?") {
    const dialog = document.getElementById("fl-keys");
    listKeys(dialog);
    dialog.showModal();
    return;
  }
  const name = CSS.escape(event.key.toLowerCase());
  const focused = document.querySelector(`[data-fl-focus-key="${name}"]`);
  const clicked = document.querySelector(`[data-fl-key="${name}"]`);
  if (focused || clicked) event.preventDefault();
  if (focused) focused.focus(); else clicked?.click();
});

// --- Unsaved changes: forms with data-fl-guard
const changed = new Set();
document.addEventListener("input", ({ target }) => {
  const form = target.closest?.("form[data-fl-guard]");
  if (form) changed.add(form);
});
document.addEventListener("submit", ({ target }) => changed.delete(target));
document.addEventListener("htmx:afterRequest", ({ detail }) => {  // refused or lost: what was typed is still unsaved
  const form = detail.elt.closest?.("form[data-fl-guard]");
  if (form && !(detail.xhr.status >= 200 && detail.xhr.status < 400) && detail.requestConfig.verb !== "get") changed.add(form);
});
document.addEventListener("fl-saved", ({ target }) => changed.delete(target.closest?.("form") || target));
addEventListener("beforeunload", (event) => {
  if ([...changed].some((form) => form.isConnected)) event.preventDefault();
});

// --- After each arrival: the first wrong field gets the focus, toasts of the page fade
function settle(root) {
  const wrong = root.querySelector?.("[aria-invalid=true]");
  if (!wrong?.closest("#studio")) wrong?.focus();  // a draft may be wrong for long: there people stay where they are
}
document.addEventListener("htmx:afterSettle", ({ detail }) => {
  settle(detail.elt);
  if (![409, 422].includes(detail.xhr?.status)) return;
  const guarded = "form[data-fl-guard]";
  const form = detail.elt.closest(guarded) || detail.elt.querySelector(guarded);
  if (form) changed.add(form);  // the server put a new form in its place, with what was typed
});
// The menu is scrolled by hand: scrollIntoView would let the next Tab go on from its entry, not from the top of the page.
function showCurrent() {
  const side = document.querySelector(".fl-side");
  const current = side?.querySelector(".fl-current");
  if (current) side.scrollTop += Math.max(0, current.getBoundingClientRect().bottom - side.getBoundingClientRect().bottom + 12);
}

// Whoever arrives from something they did goes on from its heading, unless a form or a tour asks for the focus.
function arrive() {
  if (document.activeElement !== document.body || document.querySelector("#record-form, #studio")) return;
  const heading = document.querySelector("#fl-toasts .fl-toast") && document.querySelector("#content h1");
  if (!heading) return;
  heading.tabIndex = -1;
  heading.focus({ preventScroll: true });
}
document.addEventListener("DOMContentLoaded", () => {
  settle(document);
  showCurrent();
  arrive();
  document.querySelectorAll("#fl-toasts .fl-toast").forEach(toasts.fade);
  document.documentElement.dataset.ready = "";
});
