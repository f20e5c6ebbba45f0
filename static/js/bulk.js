// Ticked rows: <form data-bulk> with [name=ids] boxes, one [data-bulk-all], a [data-bulk-bar] that shows while any is
// ticked, and [data-bulk-count] saying how many. A button with data-question asks before the form is sent.
(() => {
  const boxes = (form) => [...form.querySelectorAll("[name=ids]")];
  const show = (form) => {
    const all = boxes(form), count = all.filter((box) => box.checked).length;
    const bar = form.querySelector("[data-bulk-bar]"), text = form.querySelector("[data-bulk-count]"), every = form.querySelector("[data-bulk-all]");
    if (bar) bar.hidden = count === 0;
    if (text) text.textContent = count === 1 ? text.dataset.one : text.dataset.many.replace("{n}", count);
    if (every) { every.checked = count > 0 && count === all.length; every.indeterminate = count > 0 && count < all.length; }
  };
  const showAll = () => document.querySelectorAll("[data-bulk]").forEach(show);
  document.addEventListener("change", (event) => {
    const form = event.target.closest("[data-bulk]");
    if (!form) return;
    if (event.target.matches("[data-bulk-all]")) boxes(form).forEach((box) => { box.checked = event.target.checked; });
    show(form);
  });
  // Before the dialog's own listener: the question belongs to the button, the dialog asks what the form says.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("[data-bulk]") || event.target.dataset.confirmed) return;
    const question = event.submitter?.dataset.question;
    if (question) event.target.dataset.confirm = question; else delete event.target.dataset.confirm;
  }, true);
  document.addEventListener("DOMContentLoaded", showAll);
  document.addEventListener("htmx:afterSettle", showAll);
  addEventListener("pageshow", showAll);
})();
