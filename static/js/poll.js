// Polling without trigger filters (they need eval): <div hx-get="…" hx-trigger="poll" data-poll="5"> gets a `poll` event every
// 5 seconds while it is on screen and the window is visible. An answer of 286 ends it (htmx removes the trigger).
(() => {
  const last = new WeakMap();
  setInterval(() => {
    if (document.visibilityState !== "visible") return;
    const now = Date.now();
    document.querySelectorAll("[data-poll]").forEach((element) => {
      const seconds = Number(element.dataset.poll);
      if (!last.has(element)) last.set(element, now);
      if (now - last.get(element) < seconds * 1000 || !element.checkVisibility()) return;
      last.set(element, now);
      htmx.trigger(element, "poll");
    });
  }, 1000);
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status === 286) event.target.closest("[data-poll]")?.removeAttribute("data-poll");
  });
})();
