// One dialog for what cannot be undone. `hx-confirm="Delete 3 contacts?"` on an htmx element, `data-confirm` on a plain form.
(() => {
  const ask = (question, label) =>
    new Promise((answered) => {
      const dialog = document.getElementById("confirm");
      dialog.querySelector("[data-question]").textContent = question;
      const yes = dialog.querySelector("[value=yes]");
      yes.textContent = label || yes.dataset.label;
      dialog.returnValue = "";
      dialog.addEventListener("close", () => answered(dialog.returnValue === "yes"), { once: true });
      dialog.showModal();
      dialog.querySelector("[value=no]").focus();
    });

  document.addEventListener("htmx:confirm", (event) => {
    if (!event.detail.question) return;
    event.preventDefault();
    ask(event.detail.question, event.detail.elt.dataset.confirmLabel).then((yes) => yes && event.detail.issueRequest(true));
  });
  document.addEventListener("submit", (event) => {
    const { confirm, confirmLabel, confirmed } = event.target.dataset;
    if (!confirm || confirmed) return;
    event.preventDefault();
    const { target: form, submitter } = event;
    ask(confirm, confirmLabel).then((yes) => {
      if (!yes) return;
      form.dataset.confirmed = "yes";
      form.requestSubmit(submitter);
      delete form.dataset.confirmed;
    });
  });
})();
