/**
 * Keeps the page and all that it hears by, so that both are there without a network after the first
 * visit, and lets the page have threads on any static host.
 */

const KEPT = "nativeear-demo";
const PAGE = [
  "./",
  "nativeear/nativeear.js",
  "nativeear/worker.js",
  "nativeear/ort-wasm-simd-threaded.mjs",
  "nativeear/ort-wasm-simd-threaded.wasm",
];
const PACK = new URL("pack/pack.json", self.location).href;
const NAMED = /\.[0-9a-f]{16}\.[\w.]+$/; // by what is in them: what is kept is as good

const filesOf = async (answer) => Object.values((await answer.json()).files).map(({ path }) => new URL(path, PACK).href);

let newest; // what `pack.json` is now, until all that it names is kept: till then the old pack is whole

async function keepAll() {
  const kept = await caches.open(KEPT);
  await kept.addAll(PAGE.map((path) => new Request(path, { cache: "no-cache" })));
  newest = await fetch(PACK, { cache: "no-cache" });
  const files = await filesOf(newest.clone());
  const known = await Promise.all(files.map((file) => kept.match(file)));
  await kept.addAll(files.filter((_, i) => !known[i]));
  await change(kept);
}

/** Take the newest pack for the old one once it is whole, and let go what only the old one had. */
async function change(kept) {
  if (!newest) return;
  const told = newest;
  const files = await filesOf(told.clone());
  const known = await Promise.all(files.map((file) => kept.match(file)));
  if (!known.every(Boolean) || newest !== told) return;
  newest = undefined;
  await kept.put(PACK, told);
  for (const { url } of await kept.keys()) if (NAMED.test(url) && !files.includes(url)) await kept.delete(url);
}

async function keep(request, answer) {
  const kept = await caches.open(KEPT);
  if (request.url === PACK) newest = answer;
  else await kept.put(request, answer);
  await change(kept);
}

async function answered(request) {
  const kept = await caches.open(KEPT);
  const known = await kept.match(request);
  if (known && NAMED.test(request.url) && request.cache !== "reload") return known;
  try {
    const answer = await fetch(request);
    if (answer.status === 200) await keep(request, answer.clone()).catch(() => {}); // where there is room
    return answer;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

/** The same, isolated from other pages: only then has a page threads. */
async function isolated(answer) {
  const { status, statusText, body, headers } = await answer;
  const more = new Headers(headers);
  more.set("Cross-Origin-Opener-Policy", "same-origin");
  more.set("Cross-Origin-Embedder-Policy", "require-corp");
  return new Response(body, { status, statusText, headers: more });
}

self.addEventListener("fetch", (event) => {
  const { method, url } = event.request;
  if (method === "GET" && new URL(url).origin === self.location.origin && !event.request.headers.has("range")) event.respondWith(isolated(answered(event.request)));
});
