// Forms: a submit button counts once, focus goes to the error summary, selects marked data-submit send their form, and
// parts marked data-shown-when (JSON: field -> values) are hidden while other answers make them pointless.
(() => {
  const focusErrors = (root) => root.querySelector?.("[data-form-errors]")?.focus();
  const answer = (field) => (field instanceof RadioNodeList ? field.value : field?.type === "checkbox" ? String(field.checked) : field?.value);
  const showWhatCounts = (root) => root.querySelectorAll?.("[data-shown-when]").forEach((part) => {
    const { elements } = part.closest("form, fieldset");
    part.hidden = !Object.entries(JSON.parse(part.dataset.shownWhen)).every(([name, values]) => values.includes(answer(elements[name])));
  });
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
    if (event.target.form) showWhatCounts(event.target.form);
  });
  // A choice in a rule builder speaks for those before it: an answer still on its way would put them back.
  document.addEventListener("change", (event) => {
    event.target.closest(".rule-rows")?.querySelectorAll("select.htmx-request").forEach((select) => htmx.trigger(select, "htmx:abort"));
  }, true);
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    navigator.clipboard?.writeText(button.dataset.copy).then(() => {
      document.dispatchEvent(new CustomEvent("toast", { detail: { text: button.dataset.copied, level: "success" } }));
    });
  });
  document.addEventListener("DOMContentLoaded", () => { showWhatCounts(document); focusErrors(document); });
  document.addEventListener("htmx:load", (event) => showWhatCounts(event.target));
  document.addEventListener("htmx:afterSettle", (event) => focusErrors(event.target));
})();
