/**
 * Holds every stage to its twin: `golden.py` wrote what Python makes of some recordings.
 *
 *     PACK=DIR GOLDEN=DIR node --test web/test/stages.test.mjs
 */

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import * as ort from "../node_modules/onnxruntime-web/dist/ort.node.min.mjs";
import * as stages from "../dist/stages.js";

const { PACK, GOLDEN } = process.env;

const pack = await stages.readPack(async (path) => bytesOf(join(PACK, path)));
const graph = new Uint8Array(pack.part("encoder"));
ort.env.wasm.numThreads = 1;
const session = await ort.InferenceSession.create(graph, { executionProviders: ["wasm"] });
const lexicon = await stages.unzipped(pack.part("lexicon"));
const ear = new stages.Assessor(pack, lexicon, ort, session);

async function bytesOf(path) {
  const held = await readFile(path);
  return held.buffer.slice(held.byteOffset, held.byteOffset + held.byteLength);
}

function goldenOf(name) {
  const held = readFileSync(join(GOLDEN, name, "golden.safetensors"));
  const buffer = held.buffer.slice(held.byteOffset, held.byteOffset + held.byteLength);
  const arrays = stages.readTensors(buffer);
  const told = JSON.parse(readFileSync(join(GOLDEN, name, "golden.json"), "utf8"));
  return { told, of: (array) => arrays.get(array).values, shape: (array) => arrays.get(array).shape };
}

function matrixOf(golden, name) {
  const [rows, columns] = golden.shape(name);
  return { rows, columns, values: golden.of(name) };
}

/** The largest difference of two lists of numbers, of which the same ones are missing. */
function apart(found, wanted) {
  assert.equal(found.length, wanted.length);
  let most = 0;
  for (let i = 0; i < wanted.length; i++) {
    if (Number.isNaN(wanted[i]) || Number.isNaN(found[i])) {
      assert.ok(Number.isNaN(wanted[i]) && Number.isNaN(found[i]), `${i}: ${found[i]}, ${wanted[i]}`);
    } else if (found[i] !== wanted[i]) {
      most = Math.max(most, Math.abs(found[i] - wanted[i]));
    }
  }
  return most;
}

function near(found, wanted, most, what) {
  const distance = apart(found, wanted);
  assert.ok(distance <= most, `${what}: ${distance} apart, ${most} allowed`);
}

/** The same fields and texts throughout, and numbers that are near. */
function alike(found, wanted, most, where) {
  if (typeof wanted === "number" && typeof found === "number") {
    const allowed = most * Math.max(1, Math.abs(wanted));
    assert.ok(Math.abs(found - wanted) <= allowed, `${where}: ${found}, ${wanted}`);
  } else if (wanted !== null && found !== null && typeof wanted === "object") {
    assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort(), where);
    for (const key of Object.keys(wanted)) alike(found[key], wanted[key], most, `${where}.${key}`);
  } else assert.equal(found, wanted, where);
}

/** The frames as Python's encoder gave them, so that later stages are held to their twins alone. */
function framesOf(golden) {
  const { hop_s: hopS, offset_s: offsetS } = ear.index.manifest.encoder;
  const embeddings = matrixOf(golden, "embeddings");
  return { embeddings, logProbs: matrixOf(golden, "log_probs"), hopS, offsetS };
}

for (const name of readdirSync(GOLDEN)) {
  const golden = goldenOf(name);
  const { told } = golden;
  const frames = framesOf(golden);
  /** What was read, and the frames of nothing else. */
  const laid = () => {
    const read = ear.reader.read(told.pronunciation, frames, golden.of("heard"));
    return { read, frames: stages.attended(golden.of("heard"), frames, stages.asideS(read)).frames };
  };

  test(`${name}: pronunciation`, () => {
    const found = ear.pronouncer.pronounce(told.text);
    const plain = (words) =>
      words.map(({ word, variants }) => ({
        word,
        variants: variants.map(({ phones, stress, syllables }) => ({ phones, stress, syllables })),
      }));
    assert.deepEqual(plain(found.words), plain(told.pronunciation.words));
  });

  test(`${name}: what is heard, and its spectra`, () => {
    const { samples } = stages.steadied(golden.of("samples"));
    near(samples, golden.of("heard"), 1e-7, "heard");
    near(stages.logMel(samples).values, golden.of("log_mel"), 1e-5, "log_mel");
  });

  test(`${name}: encoder`, async () => {
    const found = await ear.encoder.encode(golden.of("heard"));
    // The graph's arithmetic differs: Python's runtime rounds what goes into products to 8 bits.
    const error = (values, wanted) =>
      Math.sqrt(values.reduce((sum, value, i) => sum + (value - wanted[i]) ** 2, 0) / values.length);
    assert.ok(error(found.embeddings.values, golden.of("embeddings")) < 0.05);
    assert.ok(error(found.logProbs.values, golden.of("log_probs")) < 0.1);
  });

  test(`${name}: phone posteriors`, () => {
    const found = stages.pooledPosteriors(ear.head, frames.logProbs);
    near(found.values, golden.of("posteriors"), 1e-9, "posteriors");
  });

  test(`${name}: reading`, () => {
    const read = ear.reader.read(told.pronunciation, frames, golden.of("heard"));
    near([read.likelihood], [told.likelihood], 1e-4, "likelihood");
    assert.deepEqual(read.events.map((e) => [e.kind, e.wordIndex]), told.events);
    assert.deepEqual(read.alignment.variants, told.variants);
    const phones = stages.spoken(read.alignment);
    assert.deepEqual(phones.map((phone) => [phone.phone, phone.wordIndex]), told.phones);
    near(phones.flatMap((phone) => [phone.startS, phone.endS]), golden.of("spans_s"), 1e-9, "spans");
  });

  test(`${name}: pooling and retrieval`, () => {
    const spans = matrixOf(golden, "spans_s");
    const spansS = told.phones.map((_, i) => [spans.values[2 * i], spans.values[2 * i + 1]]);
    const pooled = stages.pool(frames, spansS, ear.index.manifest.pooling);
    near(pooled.values, golden.of("pooled"), 1e-5, "pooled");
    const queries = stages.transformed(ear.index.transform, pooled);
    const similar = stages.classSimilarities(queries, ear.index.pool, ear.index.topM);
    near(similar.values, golden.of("similar"), 2e-4, "similar");
  });

  test(`${name}: goodness of pronunciation`, () => {
    const canonical = told.phones.map(([phone]) => phone);
    const gop = stages.measureGop(laid().frames, ear.head, canonical);
    const found = canonical.flatMap((_, i) => [gop.sf[i], gop.sfSd[i], gop.margin[i]]);
    near(found, golden.of("gop"), 1e-6, "gop");
  });

  test(`${name}: features and judge`, () => {
    const { read, frames } = laid();
    const canonical = told.phones.map(([phone]) => phone);
    const gop = stages.measureGop(frames, ear.head, canonical);
    const evidence = ear.gatherer.gather(frames, read.alignment, gop);
    const wanted = matrixOf(golden, "features");
    told.columns.forEach((column, c) => {
      const own = canonical.map((_, i) => wanted.values[i * wanted.columns + c]);
      const loose = /quantile|margin|share/.test(column);
      near(evidence.features.get(column), own, loose ? 0.15 : 5e-3, column);
    });
    near(evidence.deleted.map(Number), golden.of("deleted"), 0, "deleted");
    const table = new Map(
      told.columns.map((column, c) => [
        column,
        Float64Array.from(canonical, (_, i) => wanted.values[i * wanted.columns + c]),
      ]),
    );
    const words = told.phones.map(([, word]) => word);
    const expected = ear.calibration.phones.expected(table, canonical, words);
    near(expected, golden.of("expected"), 1e-5, "expected");
  });

  test(`${name}: pitch and intensity`, () => {
    const pitch = stages.trackPitch(golden.of("heard"));
    near(pitch.tS, golden.of("pitch_s"), 1e-9, "pitch_s");
    near(pitch.f0Hz, golden.of("f0_hz"), 2, "f0_hz"); // and in all but a frame or two
    const far = pitch.f0Hz.filter((hz, i) => Math.abs(hz - golden.of("f0_hz")[i]) > 0.1);
    assert.ok(far.length <= 0.05 * pitch.voicedFrames, `${far.length} frames`);
    const intensity = stages.trackIntensity(golden.of("heard"));
    near(intensity.tS, golden.of("intensity_s"), 1e-9, "intensity_s");
    near(intensity.db, golden.of("intensity_db"), 1e-4, "intensity_db");
  });

  test(`${name}: judgement of the same frames`, () => {
    const { startS } = stages.steadied(golden.of("samples"));
    const found = stages.placed(
      ear.judged(golden.of("heard"), frames, told.pronunciation, told.text, name, told.l1),
      startS,
      told.assessment.duration_s,
    );
    const wanted = told.assessment.words.flatMap((word) => word.phones);
    const ours = found.words.flatMap((word) => word.phones);
    const numbers = (phones, of) => phones.map((phone) => of(phone) ?? NaN);
    near(numbers(ours, (p) => p.score), numbers(wanted, (p) => p.score), 0.5, "scores");
    const doubt = (phone) => phone.boundary_doubt;
    near(numbers(ours, doubt), numbers(wanted, doubt), 1e-6, "boundary_doubt");
    const letters = (words) =>
      words.map(({ phones, syllables }) => [phones, syllables].map((of) => of.map((p) => p.grapheme)));
    assert.deepEqual(letters(found.words), letters(told.assessment.words));
    assert.deepEqual(ours.map((p) => p.feedback), wanted.map((p) => p.feedback));
    const sentences = (insertions) => insertions.map((extra) => extra.feedback);
    assert.deepEqual(sentences(found.insertions), sentences(told.assessment.insertions));
    assert.deepEqual(found.remarks, told.assessment.remarks);
    const heard = ({ reading }) => reading.events.map((event) => [event.kind, event.heard]);
    assert.deepEqual(heard(found), heard(told.assessment));
    alike(found.fluency, told.assessment.fluency, 1e-3, "fluency");
    alike(found.prosody, told.assessment.prosody, 0.1, "prosody");
    alike(found.score, told.assessment.score, 0.5, "score");
    const stress = (words) => words.map((word) => word.stress);
    alike(stress(found.words), stress(told.assessment.words), 0.5, "stress");
    assert.deepEqual(found.warnings, told.assessment.warnings);
    const cosines = (phones) => phones.flatMap((p) => p.evidence.map((each) => each.similarity));
    near(cosines(ours), cosines(wanted), 1e-3, "similarities of exemplars");
  });

  test(`${name}: whole result`, async () => {
    const found = await ear.assess(golden.of("samples"), told.text, name);
    const wanted = told.assessment;
    assert.deepEqual(Object.keys(found).sort(), Object.keys(wanted).sort());
    const phones = (result) => result.words.flatMap((word) => word.phones);
    const [ours, theirs] = [phones(found), phones(wanted)];
    assert.deepEqual(Object.keys(ours[0]).sort(), Object.keys(theirs[0]).sort());
    assert.deepEqual(ours.map((phone) => phone.verdict), theirs.map((phone) => phone.verdict));
    assert.equal(found.insertions.length, wanted.insertions.length);
  });
}
