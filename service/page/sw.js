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

/** As the service has it now; what was kept, where it does not answer. */
async function fresh(request) {
  const kept = await caches.open(KEPT);
  try {
    const answer = await fetch(request);
    if (answer.status === 200) await kept.put(request, answer.clone());
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
