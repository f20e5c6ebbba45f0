// Placeholders: a button with data-insert writes its text at the caret of the field marked data-tags that was used last
// in the same form (else the first one).
(() => {
  document.addEventListener("focusin", (event) => {
    if (!event.target.matches("[data-tags]")) return;
    event.target.form.querySelectorAll("[data-last]").forEach((field) => delete field.dataset.last);
    event.target.dataset.last = "";
  });
  document.addEventListener("click", (event) => {
    const form = event.target.closest("[data-insert]")?.closest("form");
    const field = form?.querySelector("[data-tags][data-last]") ?? form?.querySelector("[data-tags]");
    if (!field) return;
    field.focus();
    field.setRangeText(event.target.closest("[data-insert]").dataset.insert, field.selectionStart, field.selectionEnd, "end");
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
})();
