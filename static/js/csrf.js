// Sends Django's CSRF token with every htmx request; the token is in a <meta> of the page, so the cookie can stay HttpOnly.
document.addEventListener("htmx:configRequest", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]');
  if (token) event.detail.headers["X-CSRFToken"] = token.content;
});
