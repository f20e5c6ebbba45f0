/* Tells the page's own server that somebody is looking at it: once, when the page is visible. */
(() => {
  const beacon = document.querySelector("[data-visit]");
  if (!beacon) return;
  const tell = () => {
    if (document.visibilityState !== "visible") return;
    document.removeEventListener("visibilitychange", tell);
    const fields = new URLSearchParams({ url: location.href, referrer: document.referrer, o: beacon.dataset.o });
    navigator.sendBeacon(beacon.dataset.visit, fields);
  };
  document.addEventListener("visibilitychange", tell);
  tell();
})();
