/** The JavaScript client in Node against a running service; started by test_client_js.py. */

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { test } from "node:test";

import { Client, ProblemError } from "../../../packages/client-js/nativeear.js";

const { NATIVEEAR_URL: url, NATIVEEAR_TEACHER: teacherCode, NATIVEEAR_ARCHIVE: archive } = process.env;
const { NATIVEEAR_KEY: key, NATIVEEAR_PROMPT: prompt, NATIVEEAR_SAMPLES: samples } = process.env;
const TEXT = "Your message has been saved.";
const client = new Client(`${url}/`, { key });
const sound = await readFile(prompt);

const refusedWith = (status, code) => (error) => {
  assert.ok(error instanceof ProblemError, `${error}`);
  assert.deepEqual([error.status, error.code], [status, code]);
  assert.ok(error.message);
  return true;
};

async function all(items) {
  const found = [];
  for await (const item of items) found.push(item);
  return found;
}

/** Something that answers as it is told to, request by request. */
async function answering(answers, use) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request);
    const [status, headers = {}, body = ""] = answers[Math.min(asked.length, answers.length) - 1];
    if (status) response.writeHead(status, headers).end(body);
  });
  await new Promise((listening) => { server.listen(0, "127.0.0.1", listening); });
  try {
    await use(`http://127.0.0.1:${server.address().port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

test("a recording becomes an assessment that is kept until it is deleted", async () => {
  const file = new File([sound], "me.flac");
  const fields = { text: TEXT, learner_id: "ana/b", group: "3b & co", keep_audio: true, l1: "es" };
  const result = await client.assess(file, fields);
  assert.deepEqual(result.words.map((word) => word.word), ["Your", "message", "has", "been", "saved"]);
  assert.deepEqual(await client.assessment(result.id), result);
  assert.equal((await client.assessment(result.id, { detail: "word" })).words[0].phones, undefined);
  assert.deepEqual(new Uint8Array(await (await client.audio(result.id)).arrayBuffer()), new Uint8Array(sound));
  assert.match(await client.report(result.id), /^<!doctype html>/);
  assert.match(await client.textgrid(result.id), /IntervalTier/);
  assert.deepEqual((await all(client.assessments({ learner_id: "ana/b" }))).map((one) => one.id), [result.id]);
  assert.deepEqual((await client.progress("ana/b")).sentences.map((one) => one.id), [result.id]);
  assert.deepEqual((await client.groupSummary("3b & co")).learners.map((one) => one.learner_id), ["ana/b"]);
  assert.ok((await client.learners()).some((one) => one.learner_id === "ana/b"));
  await client.delete(result.id);
  await assert.rejects(client.assessment(result.id), refusedWith(404, "not-found"));
});

test("the same request counts once, and every page of a list is fetched", async () => {
  const once = { idempotencyKey: "ben-1", detail: "word" };
  const given = sound.buffer.slice(sound.byteOffset, sound.byteOffset + sound.byteLength);
  const first = await client.assess(given, { text: TEXT, learner_id: "ben" }, once);
  assert.deepEqual(await client.assess(sound, { text: TEXT, learner_id: "ben" }, once), first);
  await client.assess(sound, { text: TEXT, learner_id: "ben" });
  assert.equal((await all(client.assessments({ learner_id: "ben", page: 1 }))).length, 2);
  assert.equal((await all(client.assessments({ learner_id: "ben", until: new Date(0) }))).length, 0);
  await assert.rejects(client.assess(sound, { text: "Saved." , learner_id: "ben" }, once), refusedWith(422, "idempotency-key-reused"));
  await client.deleteLearner("ben");
  assert.equal((await all(client.assessments({ learner_id: "ben" }))).length, 0);
});

test("a job is waited for, listed and cancelled", async () => {
  const job = await client.submit(sound, { text: TEXT });
  const done = await client.wait(job, { timeoutMs: 240_000, detail: "word" });
  assert.equal(done.result.words.length, 5);
  assert.ok((await all(client.jobs({ state: "done", kind: "assessment" }))).some((one) => one.id === job.id));
  const late = await client.submit(sound, { text: TEXT });
  await assert.rejects(client.wait(late, { timeoutMs: 50 }), /not done in time|did not answer/);
  assert.ok(["cancelled", "running", "done"].includes((await client.cancel(late.id)).state));
});

test("results of a batch come in order, and go on where they were left", async () => {
  const zip = new Blob([await readFile(archive)]);
  const batch = await client.submitBatch(zip, { manifest: `audio,text\na.flac,${TEXT}\nb.flac,${TEXT}\n`, group: "js" });
  const lines = await all(client.batchResults(batch.id, { detail: "word", timeoutMs: 240_000 }));
  assert.deepEqual(lines.map((line) => [line.position, line.state]), [[0, "done"], [1, "done"]]);
  assert.equal(lines[0].assessment.words.length, 5);
  assert.deepEqual((await all(client.batchResults(batch.id, { after: 0 }))).map((line) => line.position), [1]);
  assert.equal((await client.batch(batch.id)).done, 2);
  assert.ok((await all(client.batches())).some((one) => one.id === batch.id));
  assert.equal((await client.cancelBatch(batch.id)).state, "done");
});

test("texts, practice, indexes, usage and webhooks are told", async () => {
  assert.deepEqual((await client.validate("I think so.")).words.map((word) => word.known), [true, true, true]);
  assert.equal((await client.pronunciations("either", { language: "en-US" })).words[0].word, "either");
  assert.ok((await client.practice("en-US")).sets.length);
  assert.ok((await client.languages()).some((one) => one.language === "en-US"));
  const [index] = await client.indexes();
  assert.equal((await client.index(index.name)).exemplars, index.exemplars);
  assert.ok((await client.usage()).items[0].requests > 0);
  assert.deepEqual(await client.webhooks(), []);
  await assert.rejects(client.addWebhook("http://127.0.0.1/"), refusedWith(422, "bad-input"));
});

test("what goes wrong says what and why and what to do", async () => {
  await assert.rejects(client.assess(sound, { phones: "HH QQ L OW", language: "en-US" }), (error) => {
    refusedWith(422, "unknown-phone")(error);
    assert.match(error.message, /QQ/);
    assert.match(error.requestId, /\w/);
    return true;
  });
  await assert.rejects(client.assess(new Blob(["no sound"]), { text: TEXT }), refusedWith(415, "unsupported-media"));
  await assert.rejects(client.assess(sound, { txet: TEXT }), refusedWith(422, "invalid-request"));
  await assert.rejects(new Client(url, { key: "nek_wrong" }).indexes(), refusedWith(401, "not-authenticated"));
  await assert.rejects(new Client(url).indexes(), refusedWith(401, "unauthorised"));
  await assert.rejects(new Client("http://127.0.0.1:1").indexes(), (error) => {
    assert.match(`${error}`, /does not answer.*nativeear serve/s);
    return refusedWith(0, "")(error);
  });
});

test("a busy service is asked again after the time that it says", async () => {
  const busy = [503, { "Retry-After": "1" }, JSON.stringify({ detail: "The service is busy.", type: "urn:nativeear:problem:busy" })];
  const fine = [200, {}, JSON.stringify({ items: [] })];
  await answering([busy, [429], fine], async (address, asked) => {
    const since = performance.now();
    assert.deepEqual(await new Client(address).indexes(), []);
    assert.equal(asked.length, 3);
    assert.ok(performance.now() - since >= 1900);
  });
  await answering([busy], async (address, asked) => {
    await assert.rejects(new Client(address, { patienceMs: 0 }).indexes(), refusedWith(503, "busy"));
    assert.equal(asked.length, 1);
  });
  await answering([[502, {}, "<h1>Bad gateway</h1>"]], async (address) => {
    await assert.rejects(new Client(address).indexes(), (error) => error.status === 502 && /gateway/.test(error.cause));
  });
});

test("nobody can ask for an answer in no time", async () => {
  for (const timeoutMs of [0, -1, NaN, "soon"]) {
    assert.throws(() => new Client(url, { timeoutMs }), RangeError);
    const own = new Client(url);
    await assert.rejects(own.indexes({ timeoutMs }), RangeError);
    await assert.rejects(own.wait("0", { timeoutMs }), RangeError);
    await assert.rejects(all(own.batchResults("0", { timeoutMs })), RangeError);
  }
  await answering([[200, {}, '{"items": []}']], async (address) => {
    assert.deepEqual(await new Client(address, { timeoutMs: Infinity }).indexes(), []);
  });
});

test("nobody waits longer than he wants to", async () => {
  await answering([[0]], async (address) => {
    await assert.rejects(new Client(address, { timeoutMs: 10 }).indexes(), /did not answer within 1 s/);
    const reason = new Error("enough");
    const stop = new AbortController();
    setTimeout(() => stop.abort(reason), 50);
    await assert.rejects(new Client(address).indexes({ signal: stop.signal }), reason);
    await assert.rejects(new Client(address).assess(sound, { text: TEXT }, { signal: AbortSignal.abort(reason) }), reason);
  });
  await answering([[503, { "Retry-After": "30" }]], async (address) => {
    const signal = AbortSignal.timeout(100);
    await assert.rejects(new Client(address).indexes({ signal }), { name: "TimeoutError" });
  });
});

test("words come while a recording is spoken", { skip: !globalThis.WebSocket }, async () => {
  const heard = await readFile(samples);
  const parts = Array.from({ length: Math.ceil(heard.length / 3200) }, (_, at) => heard.subarray(3200 * at, 3200 * (at + 1)));
  const told = await all(client.stream(parts, 16_000, { text: TEXT }));
  assert.equal(told.at(-1).final.words.length, 5);
  assert.ok(told.slice(0, -1).every((one) => one.word && one.heard_s > 0));
  await assert.rejects(all(client.stream(parts, 16_000, { text: "" })), refusedWith(422, "bad-input"));
  const never = { async *[Symbol.asyncIterator]() { await new Promise(() => {}); } };
  await assert.rejects(all(client.stream(never, 16_000, { text: TEXT }, { signal: AbortSignal.timeout(200) })), { name: "TimeoutError" });
});

test("people come in by codes and speak for themselves", async () => {
  const teacher = new Client(url);
  assert.equal((await teacher.join(teacherCode)).role, "teacher");
  const group = await teacher.createGroup("3b");
  const ana = new Client(url);
  const joined = await ana.join((await teacher.groupCode(group.id, { valid_days: 1 })).code, "Ana");
  const result = await ana.assess(sound, { text: TEXT }, { detail: "word" });
  await teacher.comment(result.id, "Well said.");
  assert.deepEqual((await ana.comments(result.id)).map((one) => one.text), ["Well said."]);
  assert.deepEqual((await teacher.people()).map((one) => one.name), ["Ana"]);
  assert.ok((await all(ana.audit())).some((one) => one.action === "comment"));
  const again = new Client(url);
  await again.join(joined.code);
  assert.equal((await again.me()).name, "Ana");
  await again.signOut();
  await assert.rejects(again.me(), refusedWith(401, "unauthorised"));
  if (globalThis.WebSocket) {
    const told = await all(ana.stream([await readFile(samples)], 16_000, { text: TEXT }));
    assert.ok(told.at(-1).final);
  }
  assert.equal((await ana.exportMe()).type, "application/zip");
  const receipt = await ana.eraseMe();
  assert.deepEqual(await teacher.receipt(receipt.id), receipt);
  assert.deepEqual(await all(teacher.assessments()), []);
  await teacher.deleteGroup(group.id);
  assert.deepEqual(await teacher.groups(), []);
});
