/* Keeps the site readable without a network after the first visit.

   Online, every answer comes from the network, so no page is ever stale. The copies
   that are kept here answer only when the network does not. */
"use strict";

// Each file by its path below the scope, with a digest of its content.
// Written by tools/offline.py.
const FILES = new Map(Object.entries({}));

const SCOPE = registration.scope;
const CACHE = `site below ${SCOPE}`; // one origin may hold several sites
const AT_ONCE = 8;

// A file whose content is new has a new key; one that is as before is not fetched again.
const keyOf = (path) => new URL(`${path}?version=${FILES.get(path)}`, SCOPE).href;

async function keep(cache, path) {
  const key = keyOf(path);
  if (await cache.match(key)) return;
  const answer = await fetch(new URL(path, SCOPE), { cache: "no-cache" });
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  await cache.put(key, answer);
}

async function keepAll() {
  const cache = await caches.open(CACHE);
  const paths = [...FILES.keys()];
  while (paths.length) {
    await Promise.all(paths.splice(0, AT_ONCE).map((path) => keep(cache, path)));
  }
}

async function forgetOldVersions() {
  const cache = await caches.open(CACHE);
  const current = new Set([...FILES.keys()].map(keyOf));
  const old = (await cache.keys()).filter(({ url }) => !current.has(url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

async function fromNetworkOrCopy(request, path) {
  try {
    return await fetch(request);
  } catch (error) {
    const cache = await caches.open(CACHE);
    const copy = await cache.match(keyOf(path));
    if (copy) return copy;
    throw error;
  }
}

// Instant navigation asks the sitemap which links are pages. One that was built without
// knowing the site's address is empty; the worker knows where it is.
function sitemap() {
  const pages = [...FILES.keys()].filter((path) => !path || path.endsWith("/"));
  const urls = pages.map((path) => `<url><loc>${new URL(path, SCOPE)}</loc></url>`);
  const headers = { "Content-Type": "application/xml" };
  return new Response(`<urlset>${urls.join("")}</urlset>`, { headers });
}

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(keepAll());
});

addEventListener("activate", (event) => {
  event.waitUntil(forgetOldVersions().then(() => clients.claim()));
});

addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  const address = url.split(/[?#]/)[0];
  if (method !== "GET" || !address.startsWith(SCOPE)) return;
  const path = decodeURI(address.slice(SCOPE.length));
  if (path === "sitemap.xml") event.respondWith(sitemap());
  else if (FILES.has(path)) event.respondWith(fromNetworkOrCopy(event.request, path));
});
