/**
 * Asks a NativeEar service; in browsers and in Node 18 or later, without dependencies.
 *
 *     import { Client } from "./nativeear.js";
 *
 *     const client = new Client("http://127.0.0.1:8000", { key: "nek_…" });
 *     const result = await client.assess(recording, { text: "I think so." });
 *
 * Types are in `nativeear.d.ts`. Names with underscores are those of the service's fields.
 */

const TIMEOUT_MS = 120_000;
const PATIENCE_MS = 60_000;
const RETRY_MS = 1000;
const LONGEST_MS = 2 ** 31 - 1; // what is later goes off at once
const POLL_MS = 500;
const RETRIED = [429, 503]; // they say after which time to ask again
const SAFE = ["GET", "HEAD"];
const ENDED = ["done", "failed", "cancelled"];

/** The service refused or failed; `status` and `code` say how, the rest is in its words. */
export class ProblemError extends Error {
  /** @param {Partial<import("./nativeear.js").Problem>} told */
  constructor(told, { error = undefined } = {}) {
    super(told.detail || told.title || `The answer was ${told.status}.`, { cause: told.cause || error });
    this.name = "ProblemError";
    this.status = told.status ?? 0; // 0 if no answer came
    this.code = (told.type ?? "").split(":").pop() ?? "";
    this.fix = told.fix ?? "";
    this.requestId = told.request_id ?? "";
  }

  toString() {
    return [this.message, typeof this.cause === "string" ? this.cause : "", this.fix].filter(Boolean).join(" ");
  }
}

/** Asks one service. */
export class Client {
  #base;
  #key;
  #fetch;
  #WebSocket;
  #timeoutMs;
  #patienceMs;
  #csrf = null; // token of a session
  #cookie = null; // where nobody keeps cookies for us, as in Node

  /**
   * @param {string | URL} url where the service listens, such as `http://127.0.0.1:8000`
   * @param {import("./nativeear.js").ClientOptions} [options]
   */
  constructor(url, options = {}) {
    this.#base = String(url).replace(/\/+$/, "");
    this.#key = options.key ?? null;
    this.#fetch = options.fetch ?? ((...request) => fetch(...request));
    this.#WebSocket = options.WebSocket;
    this.#timeoutMs = spanOf("timeoutMs", options.timeoutMs) ?? TIMEOUT_MS;
    this.#patienceMs = options.patienceMs ?? PATIENCE_MS;
  }

  // Recordings

  /** Assess a recording, and wait for the result; that of a long one is a job, which is waited for. */
  async assess(recording, fields = {}, { detail = "full", idempotencyKey, ...limits } = {}) {
    const until = momentAfter(limits.timeoutMs);
    const response = await this.#send(recording, fields, { detail, idempotencyKey, until, signal: limits.signal });
    if (response.status !== 202) return response.json();
    const { job } = await response.json();
    const { result } = await this.#ended(job.id, detail, until, limits.signal);
    if (!result) throw new ProblemError({ detail: `The job ${job.id} ended without an assessment.` });
    return result;
  }

  /** Hand in a recording to be assessed as a job; see `wait`. */
  async submit(recording, fields = {}, { idempotencyKey, signal, timeoutMs } = {}) {
    const until = momentAfter(timeoutMs);
    const headers = { Prefer: "respond-async" };
    const response = await this.#send(recording, fields, { idempotencyKey, until, signal, headers });
    return (await response.json()).job;
  }

  async #send(recording, fields, { detail = "full", idempotencyKey = newKey(), headers = {}, ...limits }) {
    const form = formOf(fields);
    form.set("audio", blobOf(recording), recording.name ?? "recording");
    const sent = { method: "POST", body: form, query: { detail }, ...limits };
    return this.#ask("assessments", { ...sent, headers: { "Idempotency-Key": idempotencyKey, ...headers } });
  }

  /**
   * Have a recording assessed while it is spoken: yields `{word, place, heard_s}` for each word that is
   * finished, and at last `{final}`, the Assessment of the whole.
   *
   * `samples` are 16-bit little-endian samples of one channel, about a tenth of a second at a time.
   */
  async *stream(samples, sampleRate, fields = {}, { signal } = {}) {
    const socket = this.#socket();
    const heard = new Inbox(socket, signal);
    try {
      await heard.opened;
      const asked = { ...fields, sample_rate: sampleRate, key: this.#key, csrf: this.#csrf };
      socket.send(JSON.stringify(asked));
      speak(socket, samples).catch((error) => heard.fail(error));
      for await (const text of heard) {
        const message = JSON.parse(text);
        if (message.problem) throw new ProblemError(message.problem);
        if (message.word || message.final) yield message;
        if (message.final) return;
      }
      throw new ProblemError({ detail: "The stream ended before its result." });
    } finally {
      heard.end();
      socket.close();
    }
  }

  #socket() {
    const WebSocketOf = this.#WebSocket ?? globalThis.WebSocket;
    if (!WebSocketOf) {
      throw new ProblemError({
        detail: "There is no WebSocket here.",
        fix: "Use Node 22 or later, or give the client one: new Client(url, { WebSocket }).",
      });
    }
    const address = `${this.#base.replace(/^http/, "ws")}/v1/stream`;
    // Browsers send the cookie by themselves, and take no headers.
    return this.#cookie ? new WebSocketOf(address, { headers: { Cookie: this.#cookie } }) : new WebSocketOf(address);
  }

  // Results

  /** Kept assessments, the newest first; fetched a page at a time as they are asked for. */
  assessments(narrowed = {}, options) {
    return this.#all("assessments", narrowed, options);
  }

  assessment(id, { detail = "full", ...options } = {}) {
    return this.#json(["assessments", id], { query: { detail }, ...options });
  }

  async delete(id, options) {
    await this.#ask(["assessments", id], { method: "DELETE", ...options });
  }

  /** The recording of an assessment as it was sent, if it was kept. */
  async audio(id, options) {
    return (await this.#ask(["assessments", id, "audio"], options)).blob();
  }

  /** An assessment as one HTML file; its recording must have been kept. */
  async report(id, options) {
    return (await this.#ask(["assessments", id, "report.html"], options)).text();
  }

  async textgrid(id, options) {
    return (await this.#ask(["assessments", id, "textgrid"], options)).text();
  }

  async learners(options) {
    return (await this.#json("learners", options)).items;
  }

  progress(learner, options) {
    return this.#json(["learners", learner, "progress"], options);
  }

  /** What a learner is to practise today: the sounds that are due, with words to say. */
  today(learner, language, options) {
    return this.#json(["learners", learner, "today"], { query: { language }, ...options });
  }

  async deleteLearner(learner, options) {
    await this.#ask(["learners", learner], { method: "DELETE", ...options });
  }

  /** All that is kept of a learner, as a zip. */
  async exportLearner(learner, options) {
    return (await this.#ask(["learners", learner, "export"], options)).blob();
  }

  /** What a teacher sees of a group. */
  groupSummary(group, options) {
    return this.#json(["groups", group, "summary"], options);
  }

  // Texts and indexes

  /** Sentences to practise, by what they train. */
  practice(language, options) {
    return this.#json("practice", { query: { language }, ...options });
  }

  /** The sounds of a language for learners: a word with each, and the mouth. */
  async sounds(language, options) {
    return (await this.#json(["practice", "sounds"], { query: { language }, ...options })).items;
  }

  /** Which words of a text can be pronounced, and how. */
  validate(text, { index, language, ...options } = {}) {
    return this.#post("validate", { text, index, language }, options);
  }

  pronunciations(text, { index, language, ...options } = {}) {
    return this.#post("pronunciations", { text, index, language }, options);
  }

  async languages(options) {
    return (await this.#json("languages", options)).items;
  }

  async indexes(options) {
    return (await this.#json("indexes", options)).items;
  }

  index(name, options) {
    return this.#json(["indexes", name], options);
  }

  /** What an index holds of each phone. */
  coverage(name, options) {
    return this.#json(["indexes", name, "coverage"], options);
  }

  /** One native phone, by its row in the index. */
  exemplar(name, row, options) {
    return this.#json(["indexes", name, "exemplars", row], options);
  }

  /** A native phone with as much around it as is asked for, as WAV. */
  async exemplarAudio(name, row, { context_s, ...options } = {}) {
    const path = ["indexes", name, "exemplars", row, "audio"];
    return (await this.#ask(path, { query: { context_s }, ...options })).blob();
  }

  /** Native recordings that can be heard whole. */
  sentences(name, { page = 500 } = {}, options) {
    return this.#all(["indexes", name, "sentences"], { page }, options);
  }

  /** A native recording as WAV. */
  async nativeAudio(name, utterance, { corpus, ...options } = {}) {
    const path = ["indexes", name, "utterances", utterance, "audio"];
    return (await this.#ask(path, { query: { corpus }, ...options })).blob();
  }

  /** Native recordings of a text and of its words, as far as an index keeps any. */
  nativeSpeech(name, text, options) {
    return this.#json(["indexes", name, "model"], { query: { text }, ...options });
  }

  /** A sound in natives' words, the most typical first; those of `word` before others. */
  async examples(name, phone, { word, limit, ...options } = {}) {
    const path = ["indexes", name, "phones", phone, "examples"];
    return (await this.#json(path, { query: { word, limit }, ...options })).items;
  }

  async encoders(options) {
    return (await this.#json("encoders", options)).items;
  }

  /** Have an index built of native speech, as a job; needs the scope `admin`. */
  async buildIndex({ archive, ...fields }, options) {
    const form = formOf(fields);
    if (archive !== undefined) form.set("archive", blobOf(archive), "archive.zip");
    return (await this.#json("indexes", { method: "POST", body: form, ...options })).job;
  }

  // Jobs

  /** Jobs without their results, the newest first, by `state` and `kind`. */
  jobs(narrowed = {}, options) {
    return this.#all("jobs", narrowed, options);
  }

  job(id, { detail = "full", ...options } = {}) {
    return this.#json(["jobs", id], { query: { detail }, ...options });
  }

  cancel(id, options) {
    return this.#json(["jobs", id, "cancel"], { method: "POST", ...options });
  }

  /** Wait until a job is done. */
  async wait(job, { detail = "full", timeoutMs, signal } = {}) {
    return this.#ended(job.id ?? job, detail, momentAfter(timeoutMs), signal);
  }

  async #ended(id, detail, until, signal) {
    for (;;) {
      const job = await this.#json(["jobs", id], { query: { detail }, until, signal });
      if (job.problem) throw new ProblemError(job.problem);
      if (job.state === "cancelled") throw new ProblemError({ detail: `The job ${id} was cancelled.` });
      if (ENDED.includes(job.state)) return job;
      await this.#pause(POLL_MS, until, signal, `The job ${id} is not done in time: it is ${job.state}.`);
    }
  }

  // Batches

  /** Hand in many recordings in a zip archive; see `batchResults`. */
  async submitBatch(archive, { manifest, idempotencyKey = newKey(), ...fields } = {}, options = {}) {
    const form = formOf(fields);
    form.set("archive", blobOf(archive), "archive.zip");
    if (manifest !== undefined) form.set("manifest", blobOf(manifest), "manifest");
    const headers = { "Idempotency-Key": idempotencyKey };
    return (await this.#json("batches", { method: "POST", body: form, headers, ...options })).batch;
  }

  batches(options) {
    return this.#all("batches", {}, options);
  }

  batch(id, options) {
    return this.#json(["batches", id], options);
  }

  /** Cancel what waits of a batch; what has begun is finished. */
  cancelBatch(id, options) {
    return this.#json(["batches", id, "cancel"], { method: "POST", ...options });
  }

  /** What came of each recording of a batch, in order, as they end; from behind `after` on. */
  async *batchResults(id, { after = -1, detail = "full", timeoutMs, signal } = {}) {
    const until = momentAfter(timeoutMs);
    for (let last = after; ; ) {
      const isDone = (await this.#json(["batches", id], { until, signal })).state === "done";
      const query = { after: last, detail };
      const response = await this.#ask(["batches", id, "results"], { query, until, signal });
      for (const line of (await response.text()).split("\n").filter(Boolean)) {
        const found = JSON.parse(line);
        last = found.position;
        yield found;
      }
      if (isDone) return;
      await this.#pause(POLL_MS, until, signal, `The batch ${id} is not done in time.`);
    }
  }

  // What is told and counted

  /** Have an address told when jobs and batches end; its `secret` is told once. */
  addWebhook(url, options) {
    return this.#post("webhooks", { url }, options);
  }

  async webhooks(options) {
    return (await this.#json("webhooks", options)).items;
  }

  async deleteWebhook(id, options) {
    await this.#ask(["webhooks", id], { method: "DELETE", ...options });
  }

  /** What was asked in a month, such as `2026-01`; this month by default. */
  usage(month, options) {
    return this.#json("usage", { query: { month }, ...options });
  }

  // People

  /** Come in by a code; a group's goes with a name. From then on the client asks as that person. */
  async join(code, name, options) {
    return this.#signedIn(await this.#post("join", { code, name }, options));
  }

  /** Who asks; where the browser has a session already, the client goes on with it. */
  async me(options) {
    return this.#signedIn(await this.#json("me", options));
  }

  #signedIn(me) {
    this.#csrf = me.csrf ?? null;
    return me;
  }

  async signOut(options) {
    await this.#ask(["me", "sign-out"], { method: "POST", ...options });
    this.#csrf = this.#cookie = null;
  }

  joinGroup(code, options) {
    return this.#post(["me", "groups"], { code }, options);
  }

  /** All that is kept of oneself, as a zip. */
  async exportMe(options) {
    return (await this.#ask(["me", "export"], options)).blob();
  }

  /** Delete all that is kept of oneself, for good; answers with the receipt. */
  async eraseMe(options) {
    const receipt = await this.#json("me", { method: "DELETE", ...options });
    this.#csrf = this.#cookie = null;
    return receipt;
  }

  receipt(id, options) {
    return this.#json(["receipts", id], options);
  }

  async people(options) {
    return (await this.#json("people", options)).items;
  }

  createPerson(person, options) {
    return this.#post("people", person, options);
  }

  /** Give somebody a new code in the place of a lost one. */
  renewCode(person, { valid_days, ...options } = {}) {
    return this.#post(["people", person, "code"], { valid_days }, options);
  }

  /** All that is kept of somebody, as a zip, for an operator. */
  async exportPerson(person, options) {
    return (await this.#ask(["people", person, "export"], options)).blob();
  }

  erasePerson(person, options) {
    return this.#json(["people", person], { method: "DELETE", ...options });
  }

  /** Ask, as an operator, to see what people say; it is written down. */
  disclose(reason, { minutes, ...options } = {}) {
    return this.#post("disclosure", { reason, minutes }, options);
  }

  async endDisclosure(options) {
    await this.#ask("disclosure", { method: "DELETE", ...options });
  }

  async groups(options) {
    return (await this.#json("groups", options)).items;
  }

  createGroup(name, options) {
    return this.#post("groups", { name }, options);
  }

  async deleteGroup(group, options) {
    await this.#ask(["groups", group], { method: "DELETE", ...options });
  }

  /** A new code by which learners join a group. */
  groupCode(group, { valid_days, ...options } = {}) {
    return this.#post(["groups", group, "code"], { valid_days }, options);
  }

  async endGroupCode(group, options) {
    await this.#ask(["groups", group, "code"], { method: "DELETE", ...options });
  }

  /** Take a learner out of a group, or leave it. */
  async removeMember(group, person, options) {
    await this.#ask(["groups", group, "members", person], { method: "DELETE", ...options });
  }

  async comments(assessment, options) {
    return (await this.#json(["assessments", assessment, "comments"], options)).items;
  }

  comment(assessment, text, options) {
    return this.#post(["assessments", assessment, "comments"], { text }, options);
  }

  async deleteComment(assessment, comment, options) {
    await this.#ask(["assessments", assessment, "comments", comment], { method: "DELETE", ...options });
  }

  // Teaching

  /** The learners of a group, and how each gets on. */
  async members(group, options) {
    return (await this.#json(["groups", group, "members"], options)).items;
  }

  /** What a teacher heard of the phones of an assessment. */
  async labels(assessment, options) {
    return (await this.#json(["assessments", assessment, "labels"], options)).items;
  }

  /** Tell what was heard, each `{position, verdict, heard?}`, in the place of what was told before. */
  async putLabels(assessment, labels, options) {
    return (await this.#put(["assessments", assessment, "labels"], { labels }, options)).items;
  }

  /** Every labelled recording, as a zip that `nativeear eval manifest` reads. */
  async exportLabels(options) {
    return (await this.#ask(["labels", "export"], options)).blob();
  }

  /** The sentences that one wrote as a teacher. */
  async sets(options) {
    return (await this.#json("sets", options)).items;
  }

  createSet(set, options) {
    return this.#post("sets", set, options);
  }

  changeSet(id, set, options) {
    return this.#put(["sets", id], set, options);
  }

  /** Delete a set with its homework. */
  async deleteSet(id, options) {
    await this.#ask(["sets", id], { method: "DELETE", ...options });
  }

  /** What one is to say and has said, or the groups that one teaches. */
  async homework(options) {
    return (await this.#json("homework", options)).items;
  }

  /** Let a group say a set, until the day `due` where there is one. */
  setHomework(group, set, { due, ...options } = {}) {
    return this.#post(["groups", group, "homework"], { set, due }, options);
  }

  async deleteHomework(group, homework, options) {
    await this.#ask(["groups", group, "homework", homework], { method: "DELETE", ...options });
  }

  /** Who did what, the newest first. */
  audit(narrowed = {}, options) {
    return this.#all("audit", narrowed, options);
  }

  // Requests

  /** Every item of a list that comes in pages. */
  async *#all(path, { page = 50, ...narrowed } = {}, options = {}) {
    for (let after; ; ) {
      const query = { ...narrowed, limit: page, after };
      const found = await this.#json(path, { ...options, query });
      yield* found.items;
      if (!found.next) return;
      after = found.next;
    }
  }

  async #json(path, options) {
    return (await this.#ask(path, options)).json();
  }

  #post(path, body, options = {}) {
    return this.#sendJson("POST", path, body, options);
  }

  #put(path, body, options = {}) {
    return this.#sendJson("PUT", path, body, options);
  }

  #sendJson(method, path, body, options) {
    const headers = { "Content-Type": "application/json" };
    return this.#json(path, { ...options, method, headers, body: JSON.stringify(body) });
  }

  /**
   * Send a request, again while the service says that it may be; the answer has come whole.
   *
   * `until`, by `performance.now()`, bounds all of it; `timeoutMs` is the same from now on.
   */
  async #ask(path, { query = {}, timeoutMs, until = momentAfter(timeoutMs), signal, ...sent } = {}) {
    const url = `${this.#base}/v1/${[path].flat().map(encodeURIComponent).join("/")}${queryOf(query)}`;
    const patientUntil = Math.min(until, performance.now() + this.#patienceMs);
    for (;;) {
      const response = await this.#once(url, sent, until, signal);
      if (response.ok) return response;
      const pause = pauseOf(response);
      if (pause === null || performance.now() + pause > patientUntil) throw await problemOf(response);
      await slept(pause, signal);
    }
  }

  async #once(url, { method = "GET", headers = {}, body }, until, signal) {
    const most = Math.max(RETRY_MS, Math.min(this.#timeoutMs, until - performance.now(), LONGEST_MS));
    const limit = new AbortController();
    const stop = () => limit.abort(signal.reason);
    if (signal?.aborted) throw signal.reason;
    signal?.addEventListener("abort", stop);
    const timer = setTimeout(() => limit.abort(), most);
    try {
      const all = { ...headers, ...this.#shown(method) };
      const response = await this.#fetch(url, { method, headers: all, body, signal: limit.signal });
      this.#keepCookie(response);
      const answered = await response.arrayBuffer(); // whole, so that it is bounded, too
      const { status, statusText } = response;
      return new Response([204, 205].includes(status) ? null : answered, { status, statusText, headers: response.headers });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      if (limit.signal.aborted) {
        throw new ProblemError({
          detail: `The service at ${this.#base} did not answer within ${Math.round(most / 100) / 10} s.`,
          fix: "Ask again later, or wait longer: timeoutMs.",
        });
      }
      throw new ProblemError(
        {
          detail: `The service at ${this.#base} does not answer.`,
          fix: "Start it with `nativeear serve`, or give the address where it listens.",
        },
        { error },
      );
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stop);
    }
  }

  /** What shows who asks. */
  #shown(method) {
    const headers = {};
    if (this.#key) headers.Authorization = `Bearer ${this.#key}`;
    if (this.#cookie) headers.Cookie = this.#cookie;
    if (this.#csrf && !SAFE.includes(method)) headers["X-CSRF-Token"] = this.#csrf;
    return headers;
  }

  /** Browsers keep cookies, and show them to no script: nothing is found there. */
  #keepCookie(response) {
    const [first] = response.headers.getSetCookie?.() ?? [];
    if (first) this.#cookie = first.split(";")[0];
  }

  async #pause(ms, until, signal, late) {
    if (performance.now() + ms > until) throw new ProblemError({ detail: late, fix: "Wait for it again." });
    await slept(ms, signal);
  }
}

/** What comes from a socket, one text after another. */
class Inbox {
  #texts = [];
  #ended = false;
  #error = null;
  #wake = () => {};

  constructor(socket, signal) {
    const unreachable = () => new ProblemError({ detail: "The stream broke off, or nothing answers there." });
    this.opened = new Promise((opened, failed) => {
      socket.addEventListener("open", () => opened());
      socket.addEventListener("error", () => { this.fail(unreachable()); failed(this.#error); });
      signal?.addEventListener("abort", () => { this.fail(signal.reason); failed(signal.reason); });
      if (signal?.aborted) failed(signal.reason);
    });
    socket.addEventListener("message", ({ data }) => { this.#texts.push(data); this.#wake(); });
    socket.addEventListener("close", () => this.end());
  }

  fail(error) {
    this.#error ??= error;
    this.#wake();
  }

  end() {
    this.#ended = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator]() {
    for (;;) {
      if (this.#texts.length) yield this.#texts.shift();
      else if (this.#error) throw this.#error;
      else if (this.#ended) return;
      else await new Promise((wake) => { this.#wake = wake; });
    }
  }
}

/** Send samples as they come, and the end; nothing more once the socket has closed. */
async function speak(socket, samples) {
  for await (const part of samples) {
    if (socket.readyState !== 1) return;
    socket.send(part);
  }
  if (socket.readyState === 1) socket.send(JSON.stringify({ end: true }));
}

const momentAfter = (ms) => performance.now() + (spanOf("timeoutMs", ms) ?? Infinity);

/** A span that somebody gave, if it is one: of 0 or of NaN nothing could ever come. */
const spanOf = (name, ms) => {
  if (ms === undefined || ms === null || ms > 0) return ms;
  throw new RangeError(`${name} is a number of milliseconds above 0, not ${ms}.`);
};

const blobOf = (given) => (given instanceof Blob ? given : new Blob([given]));

const isSaid = ([, value]) => value !== undefined && value !== null;

const textOf = (value) => (value instanceof Date ? value.toISOString() : String(value));

function formOf(fields) {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields).filter(isSaid)) form.set(name, textOf(value));
  return form;
}

function queryOf(query) {
  const said = Object.entries(query).filter(isSaid).map(([name, value]) => [name, textOf(value)]);
  return said.length ? `?${new URLSearchParams(said)}` : "";
}

function newKey() {
  const bytes = globalThis.crypto?.getRandomValues(new Uint8Array(16)) ?? Uint8Array.from({ length: 16 }, () => Math.random() * 256);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** How long to wait before asking again, in ms; null where that is of no use. */
function pauseOf(response) {
  const told = response.headers.get("Retry-After");
  if (told === null) return RETRIED.includes(response.status) ? RETRY_MS : null;
  if (/^\d+$/.test(told)) return 1000 * Number(told);
  return Math.max(0, Date.parse(told) - Date.now()) || RETRY_MS;
}

async function problemOf(response) {
  const text = await response.text();
  try {
    const told = JSON.parse(text);
    if (typeof told.detail === "string") return new ProblemError({ status: response.status, ...told });
  } catch {
    // Something else answers, such as a proxy.
  }
  const detail = `The answer was ${response.status} ${response.statusText}.`;
  return new ProblemError({ status: response.status, detail, cause: text.slice(0, 200) });
}

function slept(ms, signal) {
  return new Promise((done, failed) => {
    if (signal?.aborted) return failed(signal.reason);
    const stop = () => { clearTimeout(timer); failed(signal.reason); };
    const timer = setTimeout(() => { signal?.removeEventListener("abort", stop); done(); }, ms);
    return signal?.addEventListener("abort", stop, { once: true });
  });
}
