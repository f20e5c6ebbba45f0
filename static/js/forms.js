// Forms: a submit button counts once, focus goes to the error summary, and selects marked data-submit send their form.
(() => {
  const focusErrors = (root) => root.querySelector?.("[data-form-errors]")?.focus();
  document.addEventListener("submit", (event) => {
    if (event.defaultPrevented || event.target.method === "dialog") return;
    const { submitter } = event;
    // Disabled after the browser has gathered the fields, so that the button's own value is sent.
    if (submitter && !event.target.matches("[hx-post], [hx-get]")) setTimeout(() => { submitter.disabled = true; submitter.dataset.sent = ""; });
  });
  addEventListener("pageshow", () => {
    document.querySelectorAll("[data-sent]").forEach((button) => { button.disabled = false; }); // back from the next page
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard?.writeText(button.dataset.copy).then(() => {
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: button.dataset.copied, level: "success" } }));
    });
  });
  document.addEventListener("DOMContentLoaded", () => focusErrors(document));
  document.addEventListener("htmx:afterSettle", (event) => focusErrors(event.target));
})();
