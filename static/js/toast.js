// Toasts: what an action did. From HX-Trigger: {"toast": {"text", "level", "undo"}}, or rendered by the server into #toasts.
(() => {
  const SECONDS = { success: 6, info: 6, warning: 12, error: 0 }; // an error stays until it is closed
  const UNDO_SECONDS = 12;
  const box = () => document.getElementById("toasts");

  const dismissLater = (toast) => {
    const seconds = toast.querySelector("[data-undo], [data-undo-form]") ? UNDO_SECONDS : SECONDS[toast.dataset.level] ?? 6;
    if (!seconds) return;
    let timer;
    const start = () => { timer = setTimeout(() => toast.remove(), seconds * 1000); };
    const stop = () => clearTimeout(timer);
    toast.addEventListener("mouseenter", stop);
    toast.addEventListener("mouseleave", start);
    toast.addEventListener("focusin", stop);
    toast.addEventListener("focusout", start);
    start();
  };

  const show = ({ text, level = "success", undo = "" }) => {
    const toast = document.getElementById("toast-template").content.firstElementChild.cloneNode(true);
    toast.dataset.level = level;
    toast.classList.add(`toast-${level}`);
    if (level === "error") toast.setAttribute("role", "alert");
    toast.querySelector("span").textContent = text;
    const button = toast.querySelector("[data-undo]");
    if (undo) button.dataset.undo = undo;
    else button.remove();
    box().append(toast);
    dismissLater(toast);
  };

  document.addEventListener("toast", (event) => show(event.detail));
  document.addEventListener("htmx:responseError", (event) => {
    const messages = document.getElementById("toast-template").dataset;
    const forbidden = event.detail.xhr.status === 403;
    show({ text: forbidden ? messages.forbidden : messages.failed, level: "error" });
  });
  document.addEventListener("htmx:sendError", () => {
    show({ text: document.getElementById("toast-template").dataset.offline, level: "error" });
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest("#toasts [data-close]")) event.target.closest(".toast").remove();
    const undo = event.target.closest("#toasts [data-undo]");
    if (!undo) return;
    undo.disabled = true;
    htmx.ajax("POST", undo.dataset.undo, { swap: "none" }).then(() => location.reload());
  });
  document.addEventListener("DOMContentLoaded", () => box()?.querySelectorAll(".toast").forEach(dismissLater));
})();
