// Keyboard shortcuts: an element with data-shortcut="n" (or a sequence, "g c") is clicked when its keys are pressed.
// `?` lists them all; they can be switched off there (WCAG 2.1.4). Ctrl K is the palette's own.
(() => {
  const OFF = "onward-shortcuts-off";
  const PAUSE = 900; // milliseconds between the keys of a sequence
  let typed = "";
  let timer;

  const isTyping = (target) => target.closest?.("input, textarea, select, [contenteditable], dialog[open]");
  const targets = () => [...document.querySelectorAll("[data-shortcut]")];
  const help = () => document.getElementById("shortcuts");

  const list = () => {
    const rows = targets().map((element) => {
      const row = document.getElementById("shortcut-template").content.firstElementChild.cloneNode(true);
      row.querySelector("kbd").textContent = element.dataset.shortcut;
      row.querySelector("span").textContent = element.dataset.label || element.getAttribute("aria-label") || element.textContent.trim();
      return row;
    });
    help().querySelector("[data-list]").replaceChildren(...rows);
    help().querySelector("[data-shortcuts-switch]").checked = !localStorage.getItem(OFF);
    help().showModal();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length > 1 || isTyping(event.target)) return;
    if (localStorage.getItem(OFF) || !help()) return;
    clearTimeout(timer);
    timer = setTimeout(() => { typed = ""; }, PAUSE);
    typed = typed ? `${typed} ${event.key}` : event.key;
    if (typed === "?") {
      typed = "";
      return list();
    }
    const found = targets().find((element) => element.dataset.shortcut === typed);
    if (found) {
      event.preventDefault();
      typed = "";
      found.click();
    } else if (!targets().some((element) => element.dataset.shortcut.startsWith(`${typed} `))) typed = "";
  });
  document.addEventListener("change", (event) => {
    if (!event.target.matches("[data-shortcuts-switch]")) return;
    if (event.target.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-shortcuts]")) list();
    if (event.target.closest("[data-close-dialog]")) event.target.closest("dialog").close();
  });
})();
