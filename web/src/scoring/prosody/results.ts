/**
 * From what was measured to the models of the result. Twin of `scoring/prosody/results.py` and
 * `scoring/prosody/hesitations.py`.
 */

import type {
  Break,
  Contour,
  F0,
  Fluency,
  Insertion,
  MeasureGrade,
  Reading,
  Segment,
  WordAssessment,
} from "../../assessment";
import { rounded } from "../../matrix";
import type { ProsodyMeasurement } from "../../speech/prosody/measurement";
import type { Span } from "../../speech/prosody/intensity";
import { longCount, totalS } from "../../speech/prosody/pauses";
import { FLAGGED_SCORE } from "../grading";
import { pauseRatio } from "./natives";

/** Fundamental frequency; null where the pitch is not to be trusted. */
export function f0Of({ melody, pitch }: ProsodyMeasurement): F0 | null {
  return (
    melody && {
      median_hz: pitch.medianHz,
      range_semitones: melody.rangeSemitones,
      final_slope_semitones_per_s: melody.finalSlope,
      declination_semitones_per_s: melody.declination,
      voiced_frames: pitch.voicedFrames,
    }
  );
}

/** How the reading of a given text flows. */
export function fluencyOf(
  measured: ProsodyMeasurement,
  words: readonly WordAssessment[],
  insertions: readonly Insertion[],
  reading: Reading,
  grades: MeasureGrade[],
  phrases: { run: number | null; breaks: Break[]; segments: Segment[] },
): Fluency {
  const { pauses } = measured;
  const correct = words.filter(
    (word) => !word.omitted && (word.score === null || word.score >= FLAGGED_SCORE),
  ).length;
  const begun = [...restarts(words, insertions), ...spansOf(reading, ["restart"])];
  return {
    syllables_per_s: measured.syllablesPerS,
    articulation_rate: measured.articulationRate,
    words_per_minute: measured.wordsPerMinute,
    words_correct_per_minute: pauses && words.length ? (60 * correct) / pauses.speechS : null,
    pauses: pauses && {
      count: pauses.spans.length,
      mean_s: pauses.spans.length ? totalS(pauses) / pauses.spans.length : null,
      ratio: pauseRatio(pauses),
      long_count: longCount(pauses),
      between_phrases: measured.pausesBetweenPhrases,
      found_by: pauses.foundBy,
    },
    ...measured.rhythm,
    filled_pauses: measured.filledPauses.map(([a, b]) => [a, b]),
    restarts: distinct(begun),
    repetitions: spansOf(reading, ["repeated"]),
    mean_length_of_run: phrases.run,
    breaks: phrases.breaks,
    segments: phrases.segments,
    grades,
  };
}

/** Pitch and intensity over time; null where the pitch is not to be trusted. */
export function contourOf({ melody, pitch, intensity }: ProsodyMeasurement): Contour | null {
  if (!melody) return null;
  const to = (value: number, digits: number) => rounded(value * 10 ** digits) / 10 ** digits;
  const levels = Array.from(pitch.tS, (at) => intensity.at(at));
  return {
    t_s: Array.from(pitch.tS, (at) => to(at, 4)),
    f0_hz: Array.from(pitch.f0Hz, (hz) => (Number.isNaN(hz) ? null : to(hz, 2))),
    intensity_db: levels.map((db) => (Number.isFinite(db) ? to(db, 2) : null)),
  };
}

/** Where something was said beside the text, by its kind. */
export function spansOf(reading: Reading, kinds: readonly string[]): [number, number][] {
  return reading.events.flatMap(({ kind, start_s, end_s }): [number, number][] =>
    kinds.includes(kind) && start_s !== null && end_s !== null ? [[start_s, end_s]] : [],
  );
}

/** Inserted sounds that begin as the next word does, or as the last one did. */
function restarts(
  words: readonly WordAssessment[],
  insertions: readonly Insertion[],
): [number, number][] {
  const groups: Insertion[][] = [];
  for (const extra of insertions) {
    const group = groups[groups.length - 1];
    if (group?.[0].after_word_index === extra.after_word_index) group.push(extra);
    else groups.push([extra]);
  }
  return groups.flatMap((sounds): [number, number][] => {
    const after = sounds[0].after_word_index;
    const around = words.slice(Math.max(after, 0), after + 2);
    const begins = around.some(({ phones }) => {
      const first = phones.slice(0, sounds.length);
      return first.length === sounds.length && first.every((p, i) => p.phone === sounds[i].phone);
    });
    return begins ? [[sounds[0].start_s, sounds[sounds.length - 1].end_s]] : [];
  });
}

function distinct(spans: readonly Span[]): [number, number][] {
  const found = new Map(spans.map(([a, b]): [string, [number, number]] => [`${a} ${b}`, [a, b]]));
  return [...found.values()].sort((one, other) => one[0] - other[0] || one[1] - other[1]);
}
