/** The fluency, prosody and word stress of one recording. Twin of `scoring/prosody/assessing.py`. */

import type {
  Fluency,
  Insertion,
  Prosody,
  Reading,
  StressAssessment,
  WordAssessment,
} from "../../assessment";
import { transformed } from "../../indexes/transform";
import type { PhoneIndex } from "../../indexes/phone_index";
import { mean } from "../../matrix";
import type { VowelFullness } from "../../retriever/vowel_fullness";
import { isSilence } from "../../speech/alignment";
import type { Frames } from "../../speech/frames";
import type { PhoneInventory } from "../../speech/inventory";
import { pool } from "../../speech/pooling";
import { measureProsody, type Spoken } from "../../speech/prosody/measurement";
import type { WordSets } from "../../speech/prosody/phrasing";
import type { Syllable } from "../../speech/prosody/stress";
import { scoreOf } from "../grading";
import { judgeEnding } from "./intonation";
import {
  FLUENCY_MEASURES,
  MELODY_MEASURES,
  RHYTHM_MEASURES,
  profileOf,
  type NativeProsody,
} from "./natives";
import { Phrases } from "./phrases";
import { contourOf, f0Of, fluencyOf } from "./results";
import { polysyllables, prominentWord } from "./stress";

const NO_DISTRIBUTION =
  "Fluency and prosody are numbers without a grade: the index keeps no native prosody. " +
  "Build it again to have them graded.";
const FEW_COMPARABLE =
  "Fluency or prosody has no grade: too few natives of the index said anything of this length.";

export interface ProsodyAssessment {
  readonly fluency: Fluency;
  readonly prosody: Prosody;
  /** The assessed words, with stress. */
  readonly words: readonly WordAssessment[];
  /** Whether enough was measured for a score of either. */
  readonly fluencyGraded: boolean;
  readonly prosodyGraded: boolean;
  readonly reasons: readonly string[];
}

export class ProsodyAssessor {
  constructor(
    private readonly index: PhoneIndex,
    private readonly inventory: PhoneInventory,
    private readonly natives: NativeProsody,
    private readonly vowels: VowelFullness,
    private readonly sets: WordSets,
  ) {}

  /** Measure and grade one recording. */
  assess(
    spoken: Spoken,
    frames: Frames,
    words: readonly WordAssessment[],
    insertions: readonly Insertion[],
    reading: Reading,
  ): ProsodyAssessment {
    const { natives } = this;
    const plain = measureProsody(spoken, this.inventory, this.sets);
    const measured = { ...plain, nuclei: this.withFullness(plain.nuclei, spoken, frames) };
    const profile = profileOf(measured);
    const contour = measured.melody?.stylised ?? [];
    const phrases = new Phrases(measured, spoken, this.inventory, this.sets);
    const flow = natives.grades(FLUENCY_MEASURES, profile);
    const rhythm = natives.grades(RHYTHM_MEASURES, profile);
    const melody = natives.grades(MELODY_MEASURES, profile);
    const ungraded = (measured.pauses && !flow.length) || (measured.melody && !melody.length);
    const missing = !natives.available ? NO_DISTRIBUTION : ungraded ? FEW_COMPARABLE : "";
    const native = natives.nearestReading(contour, spoken.words);
    const finalSlope = measured.melody && measured.melody.finalSlope;
    const stresses = this.stresses(measured.nuclei, spoken.omitted);
    const judged = [...stresses.values()];
    const right = judged.map(({ expected, observed }) => 100 * Number(observed === expected));
    return {
      fluency: fluencyOf(measured, words, insertions, reading, flow, {
        run: phrases.meanLengthOfRun(),
        breaks: phrases.breaks(),
        segments: phrases.segments(natives, profile),
      }),
      prosody: {
        f0: f0Of(measured),
        contour: contourOf(measured),
        stress_accuracy: right.length ? mean(right) : null,
        sentence_type: measured.sentence,
        intonation: judgeEnding(finalSlope, contour, spoken.text, measured.sentence, natives),
        prominent_word: prominentWord(measured.nuclei.filter((n) => !spoken.omitted.has(n.word))),
        native_prominent_word: native && native.prominentWord,
        native_contour_distance_semitones: native && native.distance,
        native_contour_semitones: native ? [...native.contour] : [],
        grades: [...rhythm, ...melody],
      },
      words: words.map((word, i) => ({ ...word, stress: stresses.get(i) ?? null })),
      fluencyGraded: flow.length > 0,
      prosodyGraded: judged.length + rhythm.length + melody.length > 0,
      reasons: [...measured.reasons, missing],
    };
  }

  /** The nuclei with how full their vowels are beside the natives', where their stress is known. */
  private withFullness(
    nuclei: readonly Syllable[],
    { phones, stress, words }: Spoken,
    frames: Frames,
  ): readonly Syllable[] {
    const vowels = phones.filter(
      (phone, i) => !isSilence(phone) && this.inventory.isSyllabic(phone.phone) && stress[i] !== null,
    );
    const known = nuclei.filter((nucleus) => nucleus.stress >= 0).length;
    if (!vowels.length || known !== vowels.length) return nuclei;
    const spansS = vowels.map(({ startS, endS }) => [startS, endS] as const);
    const pooled = pool(frames, spansS, this.index.manifest.pooling);
    const spokenIn = vowels.map((vowel) => words[vowel.wordIndex]);
    const fullness = this.vowels.of(transformed(this.index.transform, pooled), spokenIn);
    let next = 0;
    return nuclei.map((nucleus) =>
      nucleus.stress >= 0 ? { ...nucleus, fullness: fullness[next++] } : nucleus,
    );
  }

  /** Stress of every word of several syllables, by word index. */
  private stresses(
    nuclei: readonly Syllable[],
    omitted: ReadonlySet<number>,
  ): Map<number, StressAssessment> {
    const found = new Map<number, StressAssessment>();
    const model = this.natives.stress;
    for (const word of model ? polysyllables(nuclei) : []) {
      if (omitted.has(word[0].word)) continue;
      const { expected, observed, logShare } = model!.observe(word);
      found.set(word[0].word, { expected, observed, score: scoreOf(logShare) });
    }
    return found;
  }
}
