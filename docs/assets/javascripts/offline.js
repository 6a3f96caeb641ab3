/* Asks the browser to keep a copy of the site, for reading it without a network. Not
   for readers who asked to save data, and only once this page is there. */
(() => {
  const worker = new URL("../../service-worker.js", document.currentScript.src);
  if (!("serviceWorker" in navigator) || !location.protocol.startsWith("http")) return;
  if (navigator.connection?.saveData) return;
  // Without it, in a private window for example, the site works as well.
  const register = () => navigator.serviceWorker.register(worker).catch(() => {});
  if (document.readyState === "complete") register();
  else addEventListener("load", register);
})();
