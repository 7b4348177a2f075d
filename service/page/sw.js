/** Keeps the page and what is to be said, so that both are there while the service is away. */

const KEPT = "nativeear-1";
const language = new URL(location.href).searchParams.get("language") ?? "en";
const SHELL = [
  "./",
  "colours.css",
  "page.css",
  "icon.svg",
  "manifest.webmanifest",
  `advice/${language}.json`,
  `texts/${language}.json`,
  "advice.js",
  "api.js",
  "app.js",
  "assignments.js",
  "chooser.js",
  "device.js",
  "dom.js",
  "endpoint.js",
  "group.js",
  "homework.js",
  "invites.js",
  "labelling.js",
  "learner.js",
  "listening.js",
  "melody.js",
  "members.js",
  "model.js",
  "mouth.js",
  "numbers.js",
  "opinions.js",
  "outbox.js",
  "own.js",
  "people.js",
  "phones.js",
  "player.js",
  "practice.js",
  "printing.js",
  "progress.js",
  "pupil.js",
  "recorder-worklet.js",
  "recorder.js",
  "remarks.js",
  "remembered.js",
  "result.js",
  "scale.js",
  "sentence.js",
  "sentences.js",
  "session.js",
  "sets.js",
  "spectrogram.js",
  "stage.js",
  "store.js",
  "stream.js",
  "takes.js",
  "teaching.css",
  "teaching.js",
  "texts.js",
  "timeline.js",
  "today.js",
  "word.js",
];

// What is said and how natives say it; nothing of what somebody said, or of who he is.
const SAYINGS = /\/v1\/(?:practice|indexes$|indexes\/[^/]+\/(?:sentences|model|utterances|phones)\b)/;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((kept) => kept.addAll(SHELL)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = caches.keys().then((names) => Promise.all(names.filter((name) => name !== KEPT).map((name) => caches.delete(name))));
  event.waitUntil(old.then(() => self.clients.claim()));
});

/** Let go packs that are offered no more: each lies in a folder of its own. */
async function forgetPacks(kept, offered) {
  const place = new URL("in-browser/", location.href);
  const { packs } = await offered.json();
  const folders = Object.values(packs).map((pack) => new URL(pack, place).href);
  for (const { url } of await kept.keys()) {
    if (url.startsWith(`${place}packs/`) && !folders.some((folder) => url.startsWith(folder))) await kept.delete(url, { ignoreVary: true });
  }
}

async function keep(kept, request, answer) {
  if (request.url.endsWith("/in-browser/offer.json")) await forgetPacks(kept, answer.clone());
  await kept.put(request, answer);
}

/** As the service has it now; what was kept, where it does not answer. */
async function fresh(request) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.status === 200) await keep(kept, request, answer.clone()).catch(() => {}); // where there is room
    return answer;
  } catch (error) {
    const known = await kept.match(request, { ignoreVary: true });
    if (known) return known;
    throw error;
  }
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.includes("/v1/") ? SAYINGS.test(pathname) : !/\/(?:healthz|readyz|metrics|openapi\.json)$/.test(pathname)) event.respondWith(fresh(request));
});
