// The button of a sheet that is to be printed.
"use strict";

const button = document.querySelector("[data-fl-print]");
button.hidden = false;
button.addEventListener("click", () => window.print());
