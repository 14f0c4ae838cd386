// Stands before the first paint: a person who never chose gets the colours of their system.
(function () {
  var page = document.documentElement;
  if (page.dataset.flTheme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches) {
    page.dataset.bsTheme = "dark";
  }
})();
