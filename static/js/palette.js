// Search and commands (Ctrl K): the server renders the options, this file moves through them as an ARIA combobox.
(() => {
  const dialog = () => document.getElementById("palette");
  const input = () => dialog().querySelector("input");
  const options = () => [...dialog().querySelectorAll("[role=option]")];

  const select = (option) => {
    options().forEach((other) => other.setAttribute("aria-selected", String(other === option)));
    if (option) input().setAttribute("aria-activedescendant", option.id);
    else input().removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  };
  const move = (step) => {
    const all = options();
    if (!all.length) return;
    const now = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
    select(all[(now + step + all.length) % all.length]);
  };
  const open = () => {
    if (dialog().open) return;
    dialog().showModal();
    input().select();
    htmx.trigger(input(), "palette");
  };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-palette]") && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      open();
    } else if (event.target === dialog()) dialog().close();
  });
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k" && dialog()) {
      event.preventDefault();
      open();
    } else if (event.target.matches?.("#palette input")) {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        move(event.key === "ArrowDown" ? 1 : -1);
      } else if (event.key === "Enter") {
        event.preventDefault();
        dialog().querySelector("[aria-selected=true]")?.click();
      }
    }
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.target.id === "palette-results") select(options()[0]);
  });
})();
