/** From evidence and grades to the result. Twin of `scoring/results.py` and `scoring/reliability.py`. */

import type {
  Assessment,
  ExemplarEvidence,
  Insertion,
  PhoneAssessment,
  Reading,
  ScoredPhone,
  Scores,
  SyllableScore,
  WordAssessment,
} from "../assessment";
import type { PhoneIndex } from "../indexes/phone_index";
import { mean, rounded } from "../matrix";
import type { InsertedPhone } from "../retriever/deviations";
import { soundsLike, type PhoneEvidence } from "../retriever/evidence";
import type { AlignedPhone, Alignment } from "../speech/alignment";
import type { PhoneSequence, Pronunciation } from "../speech/canonical";
import type { PhoneInventory } from "../speech/inventory";
import { graphemes, type Costs } from "../speech/spelling";
import type { Marks } from "./fusion/marks";
import type { ProsodyAssessment } from "./prosody/assessing";
import type { GopMeasurement } from "./gop_evidence";
import { BELOW, DELETED, GOOD_SCORE, UNCERTAIN, combine, isFlagged, type Grade } from "./grading";

const MAX_EVIDENCE = 3;
const MAX_NBEST = 5;
const LEAST_OF_NBEST = 1e-4;
const MOSTLY = 0.5;
const NOTHING: Scores = {
  overall: null,
  pronunciation: null,
  fluency: null,
  prosody: null,
  completeness: null,
};

export class ResultBuilder {
  constructor(
    private readonly index: PhoneIndex,
    private readonly inventory: PhoneInventory,
    private readonly spelling: Costs,
  ) {}

  /** One phone that was found; what it sounds like is left out where it is uncertain. */
  phone(
    phone: AlignedPhone,
    retrieved: PhoneEvidence,
    gop: GopMeasurement,
    i: number,
    grade: Grade,
    boundaryDoubt: number | null,
  ): PhoneAssessment {
    const judged = grade.verdict !== "uncertain";
    const ipa = (symbol: string) => this.inventory.ipa(symbol);
    const measured = !Number.isNaN(gop.sf[i]);
    return {
      phone: phone.phone,
      ipa: ipa(phone.phone),
      grapheme: null,
      boundary_doubt: boundaryDoubt,
      start_s: phone.startS,
      end_s: phone.endS,
      score: grade.score,
      verdict: grade.verdict,
      probability_mispronounced: grade.probability,
      sounds_like: (judged ? soundsLike(this.index, retrieved) : []).map((sound) => ({
        ...sound,
        ipa: ipa(sound.phone),
      })),
      nbest: judged ? this.nbest(retrieved) : [],
      knn: {
        margin: judged ? retrieved.margin : null,
        canonical_share: judged ? retrieved.canonicalShare : null,
        k: retrieved.neighbours.length,
        coverage: retrieved.coverage,
      },
      gop: {
        sf: measured ? gop.sf[i] : null,
        sf_sd: measured ? gop.sfSd[i] : null,
        margin: measured ? gop.margin[i] : null,
      },
      evidence: this.exemplars(retrieved),
      feedback: "",
      advice: null,
    };
  }

  /** One phone of a word that was not read. */
  private unreadPhone(phone: string, grade: Grade): PhoneAssessment {
    const code = this.index.classes.indexOf(phone);
    const { bounds } = this.index.pool;
    return {
      phone,
      ipa: this.inventory.ipa(phone),
      grapheme: null,
      boundary_doubt: null,
      start_s: null,
      end_s: null,
      score: grade.score,
      verdict: grade.verdict,
      probability_mispronounced: grade.probability,
      sounds_like: [],
      nbest: [],
      knn: {
        margin: null,
        canonical_share: null,
        k: 0,
        coverage: code < 0 ? 0 : bounds[code + 1] - bounds[code],
      },
      gop: { sf: null, sf_sd: null, margin: null },
      evidence: [],
      feedback: "",
      advice: null,
    };
  }

  /** The words of a text from their aligned phones; those of words left out are deleted. */
  words(
    pronunciation: Pronunciation,
    alignment: Alignment,
    aligned: readonly AlignedPhone[],
    phones: readonly PhoneAssessment[],
    omitted: ReadonlySet<number>,
  ): WordAssessment[] {
    return pronunciation.words.map((word, i) => {
      const form = word.variants[alignment.variants[i] ?? 0];
      if (omitted.has(i)) {
        const own = form.phones.map((phone) => this.unreadPhone(phone, DELETED));
        return wordAssessment(word.word, form, this.written(word.word, form, own), null, true);
      }
      const own = phones.filter((_, n) => aligned[n].wordIndex === i);
      const written = this.written(word.word, form, own);
      return wordAssessment(word.word, form, written, alignment.variants[i] ?? 0, false);
    });
  }

  /** The words of a text that the recording is not of. */
  unjudgedWords(pronunciation: Pronunciation): WordAssessment[] {
    return pronunciation.words.map(({ word, variants: [form] }) => {
      const own = form.phones.map((phone) => this.unreadPhone(phone, UNCERTAIN));
      return wordAssessment(word, form, this.written(word, form, own), null, false);
    });
  }

  /** The phones of a word with the letters that write each, where these are known. */
  private written(
    word: string,
    form: PhoneSequence,
    phones: readonly PhoneAssessment[],
  ): PhoneAssessment[] {
    const letters = graphemes(word, form, this.inventory, this.spelling);
    return phones.map((phone, i) => ({ ...phone, grapheme: letters && letters[i] }));
  }

  /** The whole result, without remarks. */
  assessment(
    id: string,
    durationS: number,
    words: readonly WordAssessment[],
    insertions: Insertion[],
    warnings: readonly string[],
    reading: Reading,
    judged: { readonly prosody: ProsodyAssessment; readonly marks: Marks } | null,
  ): Assessment {
    const { manifest } = this.index;
    const sure = words
      .filter((word) => reading.matches && !word.omitted)
      .flatMap((word) => word.phones);
    const { unknown, told } = reliability(sure);
    const score = unknown > MOSTLY * sure.length ? NOTHING : scoresOf(words, judged);
    return {
      id,
      language: manifest.language,
      index: manifest.index,
      encoder: manifest.encoder.name,
      calibration: manifest.judge.calibration,
      false_rejections: { asked: manifest.judge.false_rejections, expected: null },
      duration_s: durationS,
      score,
      words: judged ? marked(words, judged.marks) : [...words],
      insertions,
      remarks: [],
      fluency: judged && judged.prosody.fluency,
      prosody: judged && judged.prosody.prosody,
      explanation: null,
      second_ear: null,
      language_use: null,
      level: null,
      transcript: null,
      reading,
      accent: null,
      warnings: [...new Set([...warnings, ...told].filter(Boolean))],
    };
  }

  /** The likeliest phones, however unlikely the last of them is. */
  private nbest(retrieved: PhoneEvidence): ScoredPhone[] {
    const likeliest = soundsLike(this.index, retrieved, MAX_NBEST, LEAST_OF_NBEST);
    return likeliest.map(({ phone, probability }) => ({
      phone,
      ipa: this.inventory.ipa(phone),
      score: rounded(1e4 * probability) / 100,
    }));
  }

  /** The exemplars that the sound resembles most, then how natives say what was meant. */
  private exemplars(retrieved: PhoneEvidence): ExemplarEvidence[] {
    const rows = new Map<number, number>();
    const { neighbours, similarities, models, modelSimilarities } = retrieved;
    neighbours.slice(0, MAX_EVIDENCE).forEach((row, i) => rows.set(row, similarities[i]));
    models.forEach((row, i) => rows.set(row, modelSimilarities[i]));
    return [...rows].map(([exemplar, similarity]) => ({
      exemplar,
      phone: this.index.classes[this.index.classOf(exemplar)],
      similarity,
      word: this.index.wordOf(exemplar),
      speaker: this.index.speakerOf(exemplar),
    }));
  }
}

function wordAssessment(
  word: string,
  form: PhoneSequence,
  phones: readonly PhoneAssessment[],
  variant: number | null,
  omitted: boolean,
): WordAssessment {
  const starts = phones.map((phone) => phone.start_s).filter((at) => at !== null);
  const ends = phones.map((phone) => phone.end_s).filter((at) => at !== null);
  const combined = (part: readonly PhoneAssessment[]) =>
    combine(
      part.map((phone) => phone.score),
      part.some((phone) => isFlagged(phone.verdict)),
    );
  return {
    word,
    start_s: starts.length ? Math.min(...starts) : null,
    end_s: ends.length ? Math.max(...ends) : null,
    score: combined(phones),
    stress: null,
    omitted,
    variant,
    syllables: form.syllables.map(
      ([first, past]): SyllableScore => ({
        phones: [first, past],
        grapheme: joinedGraphemes(phones.slice(first, past)),
        score: combined(phones.slice(first, past)),
      }),
    ),
    phones: [...phones],
  };
}

/** The letters that write several phones; null where they are not known of all. */
function joinedGraphemes(phones: readonly PhoneAssessment[]): string | null {
  const letters = phones.map((phone) => phone.grapheme);
  return letters.includes(null) ? null : letters.join("");
}

/** An inserted phone, after the word that was said before it. */
export function insertion(alignment: Alignment, found: InsertedPhone): Insertion {
  const before = alignment.phones.slice(0, found.after + 1).map((phone) => phone.wordIndex);
  return {
    after_word_index: Math.max(-1, ...before),
    phone: found.phone,
    start_s: found.startS,
    end_s: found.endS,
    feedback: "",
  };
}

/** What experts would give every phone of a text, 0–2, and its word; NaN where it is not known. */
export function expectedOfWords(
  words: readonly WordAssessment[],
  aligned: readonly AlignedPhone[],
  grades: readonly Grade[],
): { expected: Float64Array; wordOf: number[] } {
  const found = words.map((word) => (word.omitted ? word.phones.map(() => 0) : []));
  grades.forEach((grade, i) => found[aligned[i].wordIndex].push(grade.expected ?? NaN));
  return {
    expected: Float64Array.from(found.flat()),
    wordOf: found.flatMap((own, word) => own.map(() => word)),
  };
}

/** Words with the marks that experts would give; one with a flagged phone is not all good. */
function marked(words: readonly WordAssessment[], marks: Marks): WordAssessment[] {
  return words.map((word, i) => {
    const total = marks.words[i];
    const stress = word.stress && { ...word.stress, score: marks.stress[i] ?? word.stress.score };
    if (total === null || word.score === null || word.omitted) return { ...word, stress };
    const flagged = word.phones.some((phone) => isFlagged(phone.verdict));
    return { ...word, stress, score: flagged ? Math.min(total, GOOD_SCORE - BELOW) : total };
  });
}

/** Scores of a whole recording; none where no sound of it could be judged. */
function scoresOf(
  words: readonly WordAssessment[],
  found: { readonly prosody: ProsodyAssessment; readonly marks: Marks } | null,
): Scores {
  const read = words.map((word) => (word.omitted ? null : word.score));
  const judged = read.filter((score) => score !== null);
  if (!found || Number.isNaN(mean(judged))) return NOTHING;
  const { prosody, marks } = found;
  return {
    overall: marks.total,
    pronunciation: marks.accuracy,
    fluency: prosody.fluencyGraded ? marks.fluency : null,
    prosody: prosody.prosodyGraded ? marks.prosody : null,
    completeness: marks.completeness,
  };
}

/** How many of some phones cannot be judged, and what is said of that. */
function reliability(phones: readonly PhoneAssessment[]): { unknown: number; told: string[] } {
  const unknown = phones.filter((phone) => phone.verdict === "uncertain");
  const told: string[] = [];
  if (phones.length && unknown.length === phones.length) {
    told.push("The index can judge no sound of this recording, so that nothing is scored.");
  } else if (unknown.length > MOSTLY * phones.length) {
    told.push(
      `The index cannot judge ${unknown.length} of the ${phones.length} sounds of this ` +
        "recording, so that the whole is not scored.",
    );
  }
  if (unknown.length) {
    const named = [...new Set(unknown.map((phone) => phone.ipa))].sort().join(", ");
    told.push(
      `The index cannot judge ${named}: it has too few exemplars, or mishears its own.`,
    );
  }
  return { unknown: unknown.length, told };
}
