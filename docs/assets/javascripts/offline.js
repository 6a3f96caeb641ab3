/* Asks the browser to keep a copy of the site, for reading it without a network. Not
   for readers who asked to save data, and only once this page is there. */
(() => {
  const worker = new URL("../../service-worker.js", document.currentScript.src);
  if (!("serviceWorker" in navigator) || !location.protocol.startsWith("http")) return;
  if (navigator.connection?.saveData) return;
  addEventListener("load", () => {
    // Without it, in a private window for example, the site works as well.
    navigator.serviceWorker.register(worker).catch(() => {});
  });
})();
