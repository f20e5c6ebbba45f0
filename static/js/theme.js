// Light or dark before the first paint (this file alone is loaded without `defer`), and at a click on the switch.
(() => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const show = () => {
    const wanted = root.dataset.theme;
    root.dataset.bsTheme = wanted === "auto" ? (dark.matches ? "dark" : "light") : wanted;
  };
  show();
  dark.addEventListener("change", show);
  // The server has stored the choice and says so: HX-Trigger: {"theme": {"value": "dark"}}
  document.addEventListener("theme", (event) => {
    root.dataset.theme = event.detail.value;
    show();
  });
  // The switch asks for the opposite of what is seen, which only the browser knows when the choice is "auto".
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.detail.elt.matches("[data-theme-switch]"))
      event.detail.parameters.set("theme", root.dataset.bsTheme === "dark" ? "light" : "dark");
  });
})();
