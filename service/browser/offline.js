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
  "pack/pack.json",
];
const NAMED = /\.[0-9a-f]{16}\.[\w.]+$/; // by what is in them: what is kept is as good

const filesOf = async (answer) => Object.values((await answer.json()).files).map(({ path }) => new URL(`pack/${path}`, self.location).href);

async function keepAll() {
  const kept = await caches.open(KEPT);
  await kept.addAll(PAGE.map((path) => new Request(path, { cache: "no-cache" })));
  const files = await filesOf(await kept.match("pack/pack.json"));
  const known = await Promise.all(files.map((file) => kept.match(file)));
  await kept.addAll(files.filter((_, i) => !known[i]).map((file) => new Request(file, { cache: "force-cache" })));
}

/** Let go what an older pack had. */
async function forgetOthers() {
  const kept = await caches.open(KEPT);
  const files = await filesOf(await kept.match("pack/pack.json"));
  for (const { url } of await kept.keys()) if (NAMED.test(url) && !files.includes(url)) await kept.delete(url);
}

self.addEventListener("install", (event) => event.waitUntil(keepAll().then(() => self.skipWaiting())));
self.addEventListener("activate", (event) => event.waitUntil(forgetOthers().then(() => self.clients.claim())));

async function answered(request) {
  const kept = await caches.open(KEPT);
  const known = await kept.match(request);
  if (known && NAMED.test(request.url)) return known;
  try {
    const answer = await fetch(request);
    if (answer.status === 200) await kept.put(request, answer.clone());
    return answer;
  } catch (error) {
    if (known) return known;
    throw error;
  }
}

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
