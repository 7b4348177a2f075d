/** The service, as this page sees it: JSON in and out, faults in plain words, and the key. */

import { visit } from "./remembered.js";
import { language, t } from "./texts.js";

const BASE = new URL("v1/", import.meta.url);
const KEY = "nativeear-key";
const MAX_PATIENCE_S = 30; // with a service that says it is busy
const POLL_MS = 700;

/** What the service refuses, as RFC 9457 tells it. */
export class Problem extends Error {
  constructor(status, told) {
    const said = told.detail || told.title;
    super(said || t("fault.answered", { status }));
    this.lang = said ? told.lang ?? "en" : language; // the service tells its faults in English
    this.status = status;
    this.reason = told.cause || "";
    this.fix = told.fix || "";
  }
}

/** The service does not answer at all. */
export const unreachable = () => new Problem(0, { detail: t("fault.unreachable"), fix: t("fault.unreachable.fix"), lang: language });

/** What the page says by itself, where the service speaks to programs. */
const PLAINLY = { 401: "fault.signIn", 404: "fault.gone" };

const SAFE = ["GET", "HEAD"];

let askForKey = async () => false;
let token = null; // of the session of whoever is signed in

/** `ask` is called when the service wants a key; it answers whether one was given. */
export function whenKeyIsWanted(ask) {
  askForKey = ask;
}

export function rememberKey(key) {
  if (key) visit.setItem(KEY, key);
  else visit.removeItem(KEY);
}

/** What every change carries while somebody is signed in. */
export function rememberToken(csrf) {
  token = csrf ?? null;
}

/** What a stream needs in its first message: a browser sends it no header. */
export function credentials() {
  const key = visit.getItem(KEY);
  return { ...(key ? { key } : {}), ...(token ? { csrf: token } : {}) };
}

export function streamAddress() {
  const address = new URL("stream", BASE);
  address.protocol = address.protocol.replace("http", "ws");
  return address;
}

function pause(ms, signal) {
  return new Promise((done, fail) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      fail(signal.reason);
    }, { once: true });
  });
}

async function told(response) {
  try {
    return await response.json();
  } catch {
    return {};
  }
}

/** `quietly` asks nobody for a key or a code. */
export async function call(path, { quietly = false, ...options } = {}, onWait = () => {}) {
  const since = performance.now();
  for (;;) {
    const headers = new Headers(options.headers);
    const key = visit.getItem(KEY);
    if (key) headers.set("Authorization", `Bearer ${key}`);
    if (token && !SAFE.includes(options.method ?? "GET")) headers.set("X-CSRF-Token", token);
    let response;
    try {
      response = await fetch(new URL(path, BASE), { ...options, headers });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw unreachable();
    }
    if (response.ok) return response;
    if (response.status === 401 && !quietly && (await askForKey(Boolean(key)))) continue;
    const waited = (performance.now() - since) / 1000;
    const wait = Number(response.headers.get("Retry-After")) || 2;
    if ([429, 503].includes(response.status) && waited + wait < MAX_PATIENCE_S) {
      onWait(wait);
      await pause(1000 * wait, options.signal);
      continue;
    }
    const plainly = quietly ? undefined : PLAINLY[response.status];
    throw new Problem(response.status, plainly ? { detail: t(plainly), lang: language } : await told(response));
  }
}

/** GET a JSON document. */
export const get = async (path, options = {}) => (await call(path, options)).json();

/** GET something to hear. */
export const bytes = async (path) => (await call(path)).arrayBuffer();

/** GET something to save. */
export const blob = async (path) => (await call(path)).blob();

const answered = async (response) => (response.status === 204 ? null : response.json());

const sent = (method) => async (path, body, options = {}) =>
  answered(
    await call(path, {
      ...options,
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    }),
  );

/** POST a JSON document. */
export const post = sent("POST");

/** PUT a JSON document in the place of another. */
export const put = sent("PUT");

/** DELETE something; what is told of it, if anything is. */
export const remove = async (path) => answered(await call(path, { method: "DELETE" }));

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

/** A name for one wish, under which it is worked at once however often it is sent. */
export const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/** Send a recording; long ones are waited for. `onWait(text)` tells why it takes time. */
export async function assess(recording, fields, onWait, { signal, once = newKey() } = {}) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) if (value) form.set(name, value);
  form.set("audio", recording, recording.name || "recording.wav");
  const response = await call(
    "assessments",
    { method: "POST", body: form, signal, headers: { "Idempotency-Key": once } },
    (wait) => onWait(t("wait.busy", { seconds: wait })),
  );
  const answer = await response.json();
  if (response.status !== 202) return answer;
  return finished(answer.job, onWait, signal);
}

async function finished(job, onWait, signal) {
  let now = job;
  while (["queued", "running"].includes(now.state)) {
    onWait(t("wait.long"));
    await pause(POLL_MS, signal);
    now = await get(`jobs/${encodeURIComponent(job.id)}`, { signal });
  }
  if (now.state === "done") return now.result;
  throw new Problem(now.problem?.status ?? 500, now.problem ?? { detail: t("fault.gaveUp"), lang: language });
}
