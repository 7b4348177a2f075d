/** Breaks, runs and segments, beside what natives would do. Twin of `scoring/prosody/phrases.py`. */

import type { Break, Segment } from "../../assessment";
import { known, quantile } from "../../matrix";
import { isSilence, type AlignedPhone } from "../../speech/alignment";
import type { PhoneInventory } from "../../speech/inventory";
import {
  MIN_SPEECH_S,
  MIN_SYLLABLES,
  MIN_VOICED_FRAMES,
  type ProsodyMeasurement,
  type Spoken,
} from "../../speech/prosody/measurement";
import {
  Phrasing,
  parts,
  place,
  type PlacedPause,
  type WordSets,
} from "../../speech/prosody/phrasing";
import { RANGE, type NativeProsody, type ProsodyProfile } from "./natives";

const MONOTONE_SEMITONES = 4;

export class Phrases {
  private readonly said: readonly AlignedPhone[];
  private readonly pauses: readonly PlacedPause[];
  private readonly phrasing: Phrasing | null;

  constructor(
    private readonly measured: ProsodyMeasurement,
    private readonly spoken: Spoken,
    private readonly inventory: PhoneInventory,
    sets: WordSets,
  ) {
    this.said = spoken.phones.filter((p) => !isSilence(p) && !spoken.omitted.has(p.wordIndex));
    this.pauses = place(measured.pauses?.spans ?? [], this.said);
    this.phrasing = spoken.text ? Phrasing.of(spoken.text, spoken.words, sets) : null;
  }

  /** Every pause, and every stop at which there is none, in order. */
  breaks(): Break[] {
    const found = this.pauses.map((pause) => this.breakOf(pause));
    if (this.phrasing && this.measured.pauses) {
      const paused = new Set(this.pauses.map((pause) => pause.afterWord));
      const said = new Set(this.said.map((phone) => phone.wordIndex));
      for (const word of this.phrasing.stops) {
        // where a word beside it was left out, or said again, nobody knows
        const known = said.has(word) && said.has(word + 1) && !this.isBeside(word);
        if (paused.has(word) || !known) continue;
        found.push({
          after_word_index: word,
          start_s: null,
          end_s: null,
          duration_s: 0,
          kind: "missing",
          judged_by: "punctuation",
        });
      }
    }
    return found.sort((one, other) => one.after_word_index - other.after_word_index);
  }

  /** Syllables between pauses; null where pauses were not measured. */
  meanLengthOfRun(): number | null {
    return this.measured.pauses && this.syllables(this.said) / (this.pauses.length + 1);
  }

  /** The parts of the text that end at a stop; all of it where the text is not known. */
  segments(natives: NativeProsody, profile: ProsodyProfile): Segment[] {
    if (!this.measured.pauses) return [];
    const said = new Set(this.said.map((phone) => phone.wordIndex));
    const stops = this.phrasing?.stops ?? new Set<number>();
    return parts(this.spoken.words.length, stops, said).map(([first, past]) => {
      const phones = this.said.filter((p) => first <= p.wordIndex && p.wordIndex < past);
      return this.segment([first, past], phones, natives, profile);
    });
  }

  private segment(
    words: [number, number],
    phones: readonly AlignedPhone[],
    natives: NativeProsody,
    profile: ProsodyProfile,
  ): Segment {
    const startS = phones[0].startS;
    const endS = phones[phones.length - 1].endS;
    const inside = this.pauses.filter(({ span }) => startS <= span[0] && span[1] <= endS);
    const pausedS = inside.reduce((sum, { span: [a, b] }) => sum + b - a, 0);
    // what was said beside the text takes none of its time
    const besideS = this.spoken.beside.reduce(
      (sum, [a, b]) => sum + Math.max(0, Math.min(b, endS) - Math.max(a, startS)),
      0,
    );
    const speechS = endS - startS - besideS;
    const syllables = this.syllables(phones);
    const enough = speechS >= MIN_SPEECH_S && syllables >= MIN_SYLLABLES && speechS > pausedS;
    const range = this.range(startS, endS);
    const measures = { ...profile.measures, [RANGE.name]: range };
    return {
      words,
      start_s: startS,
      end_s: endS,
      syllables,
      syllables_per_s: enough ? syllables / speechS : null,
      articulation_rate: enough ? syllables / (speechS - pausedS) : null,
      pauses: inside.length,
      mean_length_of_run: syllables / (inside.length + 1),
      pitch_range: enough ? natives.grade(RANGE, { ...profile, syllables, measures }) : null,
      monotone: range === null || !enough ? null : range < MONOTONE_SEMITONES,
    };
  }

  private breakOf(pause: PlacedPause): Break {
    const [startS, endS] = pause.span;
    const earlier = this.pauses.filter(({ span }) => span[0] < startS).map((p) => p.afterWord);
    let judged = null;
    if (this.phrasing && !this.isBeside(pause.afterWord)) {
      const marks = [...this.phrasing.marks].filter((mark) => mark < pause.afterWord);
      judged = this.phrasing.judged(pause, Math.max(-1, ...earlier, ...marks));
    }
    return {
      after_word_index: pause.afterWord,
      start_s: startS,
      end_s: endS,
      duration_s: endS - startS,
      kind: judged && judged[0],
      judged_by: judged && judged[1],
    };
  }

  /** Whether something was said between a word and the next that the text does not have. */
  private isBeside(word: number): boolean {
    const ends = this.said.filter((p) => p.wordIndex === word).map((p) => p.endS);
    const starts = this.said.filter((p) => p.wordIndex === word + 1).map((p) => p.startS);
    if (!ends.length || !starts.length) return true;
    const [start, end] = [Math.min(...starts), Math.max(...ends)];
    return this.spoken.beside.some(([a, b]) => a < start && b > end);
  }

  private syllables(phones: readonly AlignedPhone[]): number {
    return phones.filter((phone) => this.inventory.isSyllabic(phone.phone)).length;
  }

  /** From the 5th to the 95th percentile of the pitch, semitones; null where unknown. */
  private range(startS: number, endS: number): number | null {
    const { melody, pitch } = this.measured;
    if (!melody) return null;
    const track = known(pitch.semitones.subarray(...pitch.within(startS, endS)));
    if (track.length < MIN_VOICED_FRAMES) return null;
    return quantile(track, 0.95) - quantile(track, 0.05);
  }
}
