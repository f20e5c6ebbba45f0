// The outline of a journey: the step whose panel is shown is marked, and on a narrow screen the panel comes into view.
(() => {
  document.addEventListener("htmx:afterSettle", (event) => {
    const panel = document.getElementById("panel");
    if (event.target !== panel) return;
    const source = event.detail.requestConfig?.elt;
    document.querySelectorAll(".tile.is-selected").forEach((tile) => tile.classList.remove("is-selected"));
    document.querySelectorAll(".tile-head[aria-current]").forEach((head) => head.removeAttribute("aria-current"));
    if (source?.matches(".tile-head")) {
      source.closest(".tile").classList.add("is-selected");
      source.setAttribute("aria-current", "true");
    }
    if (panel.getBoundingClientRect().top > innerHeight - 100) panel.scrollIntoView({ block: "start" });
  });
})();
