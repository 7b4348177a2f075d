/** One pass over a learner's recording. Twin of `scoring/assessor.py`. */

import type { InferenceSession } from "onnxruntime-web";

import type { Assessment, Reading as ToldReading } from "../assessment";
import type { NativeMargins } from "../indexes/native_margins";
import { PhoneIndex, matrix32, type Names } from "../indexes/phone_index";
import { transformed } from "../indexes/transform";
import type { UnheardNatives } from "../indexes/unheard";
import type { Matrix } from "../matrix";
import type { Pack } from "../pack";
import { Deviations } from "../retriever/deviations";
import { VowelFullness } from "../retriever/vowel_fullness";
import { float32, float64, readTensors, tensor, type Tensors } from "../safetensors";
import { isSilence, spoken as spokenOf, type Alignment } from "../speech/alignment";
import { checkPronunciation, type Pronunciation } from "../speech/canonical";
import { ShippedEncoder, type Runtime } from "../speech/compact";
import { acceptedPhones } from "../speech/forms";
import type { Frames } from "../speech/frames";
import { PhoneInventory } from "../speech/inventory";
import { SAMPLE_RATE } from "../speech/log_mel";
import type { LabelMap } from "../speech/phone_head";
import { Pronouncer } from "../speech/pronunciation";
import { HeardWords } from "../speech/reading/heard";
import { asideS, omittedWords, type Reading, type ReadingEvent } from "../speech/reading/reading";
import { checkedSpeech } from "../speech/sound_checks";
import type { Spoken } from "../speech/prosody/measurement";
import { steadied } from "../speech/steadying";
import { boundaryDoubts } from "./boundaries";
import { EvidenceGatherer } from "./evidence";
import { Feedback } from "./feedback/remarks";
import { ExpertCalibration } from "./fusion/expert";
import { MarkModel } from "./fusion/marks";
import { NativeReference } from "./fusion/natives";
import { measureGop } from "./gop_evidence";
import { gradesOfForms } from "./other_forms";
import { placed } from "./placing";
import { ProsodyAssessor } from "./prosody/assessing";
import { NativeProsody } from "./prosody/natives";
import { spansOf } from "./prosody/results";
import { TextReader, attended } from "./reading";
import { ResultBuilder, expectedOfWords, insertion } from "./results";

const NOT_OF_THIS_TEXT = "The recording is not of this text, so that nothing in it is judged.";

export class Assessor {
  readonly index: PhoneIndex;
  readonly head: LabelMap;
  readonly inventory: PhoneInventory;
  readonly pronouncer: Pronouncer;
  readonly encoder: ShippedEncoder;
  readonly heard: HeardWords;
  readonly reader: TextReader;
  readonly gatherer: EvidenceGatherer;
  readonly calibration: ExpertCalibration;
  private readonly marks: MarkModel;
  private readonly results: ResultBuilder;
  private readonly feedback: Feedback;
  private readonly prosody: ProsodyAssessor;

  constructor(pack: Pack, lexicon: string, runtime: Runtime, session: InferenceSession) {
    const { manifest } = pack;
    const reference = readTensors(pack.part("reference"));
    const judge = readTensors(pack.part("judge"));
    const names: Names = told(pack, "names");
    this.index = new PhoneIndex(manifest, readTensors(pack.part("exemplars")), reference, names);
    this.head = manifest.head;
    const distances = matrixOf(reference, "distances");
    this.inventory = new PhoneInventory(manifest.inventory, manifest.head.columns, distances);
    this.pronouncer = new Pronouncer(lexicon, manifest.reading, (phone) =>
      this.inventory.isSyllabic(phone),
    );
    this.heard = new HeardWords(this.inventory, this.pronouncer, told(pack, "common"));
    this.encoder = new ShippedEncoder(runtime, session, manifest.encoder);
    const deviations = new Deviations(this.index, {
      means: matrix32(reference, "class_means"),
      shortestS: float64(reference, "shortest_s"),
      medianS: float64(reference, "median_s"),
    });
    const judges = new NativeReference(
      this.index.classes,
      byClass(reference, "margins"),
      byClass(reference, "log_posteriors"),
      float64(reference, "median_s"),
      tensor(reference, "judged").values,
    );
    this.reader = new TextReader({ head: this.head, distances }, deviations, (frames) =>
      transformed(this.index.transform, frames.embeddings),
    );
    this.gatherer = new EvidenceGatherer(this.index, this.inventory, judges, deviations);
    this.calibration = new ExpertCalibration(judge, manifest.judge, {
      withHead: unheard(reference, "with_head"),
      alone: unheard(reference, "alone"),
    });
    this.marks = new MarkModel(judge, manifest.judge);
    this.results = new ResultBuilder(this.index, this.inventory, told(pack, "spelling"));
    const natives = readTensors(pack.part("prosody"));
    const [full] = tensor(natives, "vowels.full").values;
    this.prosody = new ProsodyAssessor(
      this.index,
      this.inventory,
      new NativeProsody(natives, told(pack, "texts")),
      new VowelFullness(this.index, tensor(natives, "vowels").values, full),
      manifest.reading.word_sets,
    );
    this.feedback = new Feedback(this.inventory, told(pack, "advice"));
  }

  /** Assess samples at 16 kHz against a text, or what a service says of its pronunciation. */
  async assess(
    samples: Float32Array,
    text: string | Pronunciation,
    id = "",
    l1: string | null = null,
  ): Promise<Assessment> {
    const pronunciation = typeof text === "string" ? this.pronouncer.pronounce(text) : text;
    checkPronunciation(pronunciation, (phone) => this.inventory.has(phone));
    const { samples: clear, warnings } = checkedSpeech(samples);
    const heard = steadied(clear);
    const frames = await this.encoder.encode(heard.samples);
    const read = typeof text === "string" ? text : (text.text ?? "");
    const result = this.judged(heard.samples, frames, pronunciation, read, id, l1);
    const told = { ...result, warnings: [...warnings, ...result.warnings] };
    return placed(told, heard.startS, samples.length / SAMPLE_RATE);
  }

  /** Judge what was encoded of a recording that was steadied. */
  judged(
    samples: Float32Array,
    frames: Frames,
    pronunciation: Pronunciation,
    text: string,
    id: string,
    l1: string | null = null,
  ): Assessment {
    const durationS = samples.length / SAMPLE_RATE;
    const read = this.reader.read(pronunciation, frames, samples);
    const reading = this.told(read, pronunciation);
    if (!reading.matches) {
      const words = this.results.unjudgedWords(pronunciation);
      const warnings = [NOT_OF_THIS_TEXT, ...pronunciation.warnings];
      return this.results.assessment(id, durationS, words, [], warnings, reading, null);
    }
    const aside = asideS(read);
    const attendedFrames = attended(samples, frames, aside).frames;
    const { alignment } = read;
    const aligned = spokenOf(alignment);
    const canonical = aligned.map((phone) => phone.phone);
    const gop = measureGop(attendedFrames, this.head, canonical);
    const evidence = this.gatherer.gather(attendedFrames, alignment, gop);
    const omitted = omittedWords(read);
    const said = {
      ...pronunciation,
      words: pronunciation.words.filter((_, i) => !omitted.has(i)),
    };
    const variants = alignment.variants.filter((_, i) => !omitted.has(i));
    const others = acceptedPhones(said, variants, this.index.manifest.reading.mergers);
    const grades = gradesOfForms(this, evidence, others);
    const doubts = boundaryDoubts(attendedFrames, aligned, gop);
    const phones = aligned.map((phone, i) =>
      this.results.phone(phone, evidence.retrieval[i], gop, i, grades[i], doubts[i]),
    );
    const words = this.results.words(pronunciation, alignment, aligned, phones, omitted);
    const insertions = evidence.insertions
      .filter((found) => !within(aside, found.startS, found.endS))
      .map((found) => insertion(alignment, found));
    const spoken: Spoken = {
      samples,
      phones: alignment.phones,
      stress: stressOf(alignment, pronunciation),
      words: pronunciation.words.map(({ word }) => word),
      text,
      omitted,
      beside: spansOf(reading, ["repeated", "restart", "extra"]),
    };
    const prosody = this.prosody.assess(spoken, attendedFrames, words, insertions, reading);
    const { expected, wordOf } = expectedOfWords(prosody.words, aligned, grades);
    const marks = this.marks.marks(
      expected,
      wordOf,
      prosody.words,
      prosody.fluency,
      prosody.prosody,
      reading,
      durationS,
    );
    const warnings = [...pronunciation.warnings, gop.reason, ...prosody.reasons];
    const result = this.results.assessment(
      id,
      durationS,
      prosody.words,
      insertions,
      warnings,
      reading,
      { prosody, marks },
    );
    return this.feedback.of(result, l1);
  }

  /** How the text was read; no events of a recording that is of another text. */
  private told(read: Reading, pronunciation: Pronunciation): ToldReading {
    const matches = read.likelihood >= 0.5;
    const sounds = (phones: readonly string[]) =>
      `/${phones.map((phone) => this.inventory.ipa(phone)).join("")}/`;
    const heard = ({ kind, wordIndex, phones }: ReadingEvent) => {
      if (kind === "omitted") return null;
      if (kind === "repeated") return pronunciation.words[wordIndex].word;
      const word = kind === "extra" ? this.heard.word(phones, pronunciation) : null;
      return word ?? sounds(phones);
    };
    return {
      matches,
      likelihood: read.likelihood,
      events: (matches ? read.events : []).map((event) => ({
        kind: event.kind,
        word_index: event.wordIndex,
        heard: heard(event),
        start_s: event.startS,
        end_s: event.endS,
      })),
    };
  }
}

/** Lexical stress of every phone, silences among them; null where there is none. */
function stressOf({ phones, variants }: Alignment, { words }: Pronunciation): (number | null)[] {
  const seen = new Map<number, number>();
  return phones.map((phone) => {
    if (isSilence(phone)) return null;
    const word = phone.wordIndex;
    const place = seen.get(word) ?? 0;
    seen.set(word, place + 1);
    return words[word].variants[variants[word] ?? 0].stress[place] ?? null;
  });
}

/** A part of the pack that is JSON. */
function told(pack: Pack, name: string) {
  return JSON.parse(new TextDecoder().decode(pack.part(name)));
}

/** Whether the middle of a span lies in one of others. */
function within(
  spansS: readonly (readonly [number, number])[],
  startS: number,
  endS: number,
): boolean {
  const middle = (startS + endS) / 2;
  return spansS.some(([from, past]) => from <= middle && middle < past);
}

function matrixOf(tensors: Tensors, name: string): Matrix {
  const { shape, values } = tensor(tensors, name);
  return { rows: shape[0], columns: shape[1], values: values as Float64Array };
}

/** Distributions of natives by class, one behind the other in the pack. */
function byClass(tensors: Tensors, name: string): NativeMargins[] {
  const ordered = float32(tensors, `${name}.ordered`);
  const bounds = tensor(tensors, `${name}.bounds`).values;
  const tails = float64(tensors, `${name}.tails`);
  return Array.from({ length: bounds.length - 1 }, (_, p) => ({
    ordered: ordered.subarray(bounds[p], bounds[p + 1]),
    threshold: tails[3 * p],
    scale: tails[3 * p + 1],
    tail: tails[3 * p + 2],
  }));
}

function unheard(tensors: Tensors, name: string): UnheardNatives {
  const [threshold, scale, tail, shift] = float64(tensors, `${name}.tails`);
  const ordered = float32(tensors, `${name}.ordered`);
  return { known: { ordered, threshold, scale, tail }, shift };
}
