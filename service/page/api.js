/** The service, as this page sees it: JSON in and out, faults in plain words, and the key. */

const BASE = new URL("v1/", document.baseURI);
const KEY = "nativeear-key";
const MAX_PATIENCE_S = 30; // with a service that says it is busy
const POLL_MS = 700;

/** What the service refuses, as RFC 9457 tells it. */
export class Problem extends Error {
  constructor(status, told) {
    super(told.detail || told.title || `The service answered ${status}.`);
    this.status = status;
    this.reason = told.cause || "";
    this.fix = told.fix || "";
  }
}

let askForKey = async () => false;

/** `ask` is called when the service wants a key; it answers whether one was given. */
export function whenKeyIsWanted(ask) {
  askForKey = ask;
}

export function rememberKey(key) {
  if (key) sessionStorage.setItem(KEY, key);
  else sessionStorage.removeItem(KEY);
}

const pause = (ms) => new Promise((done) => { setTimeout(done, ms); });

async function told(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

async function call(path, options = {}, onWait = () => {}) {
  const since = performance.now();
  for (;;) {
    const headers = new Headers(options.headers);
    const key = sessionStorage.getItem(KEY);
    if (key) headers.set("Authorization", `Bearer ${key}`);
    let response;
    try {
      response = await fetch(new URL(path, BASE), { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Problem(0, {
        detail: "The service cannot be reached.",
        fix: "Check the network and that the service is running, then try again.",
      });
    }
    if (response.ok) return response;
    if (response.status === 401 && (await askForKey(Boolean(key)))) continue;
    const waited = (performance.now() - since) / 1000;
    const wait = Number(response.headers.get("Retry-After")) || 2;
    if ([429, 503].includes(response.status) && waited + wait < MAX_PATIENCE_S) {
      onWait(wait);
      await pause(1000 * wait);
      continue;
    }
    throw new Problem(response.status, await told(response));
  }
}

/** GET a JSON document. */
export const get = async (path) => (await call(path)).json();

/** GET something to hear. */
export const bytes = async (path) => (await call(path)).arrayBuffer();

/** GET something to save. */
export const blob = async (path) => (await call(path)).blob();

/** POST a JSON document. */
export const post = async (path, body) =>
  (
    await call(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    })
  ).json();

export const remove = async (path) => {
  await call(path, { method: "DELETE" });
};

/** Every item of a list that comes in pages, up to a number of items. */
export async function all(path, most = 200) {
  const items = [];
  let after = null;
  do {
    const page = await get(after ? `${path}${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(after)}` : path);
    items.push(...page.items);
    after = page.next;
  } while (after && items.length < most);
  return items;
}

/** Send a recording; long ones are waited for. `onWait(text)` tells why it takes time. */
export async function assess(recording, fields, onWait) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.set(name, value);
  form.set("audio", recording, recording.name || "recording.wav");
  const once = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0"));
  const response = await call(
    "assessments",
    { method: "POST", body: form, headers: { "Idempotency-Key": once.join("") } },
    (wait) => onWait(`The service is busy; trying again in ${wait} s.`),
  );
  const answer = await response.json();
  if (response.status !== 202) return answer;
  return finished(answer.job, onWait);
}

async function finished(job, onWait) {
  let now = job;
  while (["queued", "running"].includes(now.state)) {
    onWait("A long recording: the service is working on it.");
    await pause(POLL_MS);
    now = await get(`jobs/${encodeURIComponent(job.id)}`);
  }
  if (now.state === "done") return now.result;
  throw new Problem(now.problem?.status ?? 500, now.problem ?? { detail: "The service gave up on this recording." });
}
