// Written by declarations.py.

/** The accent that was judged by, where the nearest of several was asked for. */
export interface Accent {
  chosen: string;
  candidates: AccentCandidate[];
  sure: boolean;
}

/** An index that was asked how near its natives are. */
export interface AccentCandidate {
  index: string;
  language: string;
  nearness: number | null;
}

/** What a sentence says to a learner, in parts that are put together in any language. */
export interface Advice {
  kind: "substituted" | "close" | "unlike" | "deleted" | "inserted";
  meant: string;
  heard: string | null;
  place: "beginning" | "middle" | "end" | "before" | "after" | "in" | null;
  words: string[];
  more: boolean;
  cues: string[][];
}

/** The whole result of one recording. */
export interface Assessment {
  id: string;
  language: string;
  index: string;
  encoder: string;
  calibration: string;
  false_rejections: FalseRejections | null;
  duration_s: number;
  score: Scores;
  words: WordAssessment[];
  insertions: Insertion[];
  remarks: Remark[];
  fluency: Fluency | null;
  prosody: Prosody | null;
  explanation: string | null;
  level: Level | null;
  transcript: Transcript | null;
  reading: Reading | null;
  accent: Accent | null;
  second_ear: SecondEar | null;
  language_use: LanguageUse | null;
  warnings: string[];
}

/** A pause, or a stop of the text at which there is none, after a word; -1 before the first. */
export interface Break {
  after_word_index: number;
  start_s: number | null;
  end_s: number | null;
  duration_s: number;
  kind: "expected" | "unexpected" | "missing" | null;
  judged_by: "punctuation" | "words" | null;
}

/** Pitch and intensity over time; null where unvoiced. */
export interface Contour {
  t_s: number[];
  f0_hz: (number | null)[];
  intensity_db: (number | null)[];
}

/** A run of the recognised words, what would be right in its place, and why. */
export interface Correction {
  said: string;
  better: string;
  why: string;
}

/** One native exemplar behind a verdict; `exemplar` is its row in the index. */
export interface ExemplarEvidence {
  exemplar: number;
  phone: string;
  similarity: number;
  word: string;
  speaker: string;
}

/** Fundamental frequency of the recording. */
export interface F0 {
  median_hz: number | null;
  range_semitones: number | null;
  final_slope_semitones_per_s: number | null;
  declination_semitones_per_s: number | null;
  voiced_frames: number | null;
}

/** How often faultless phones are flagged. */
export interface FalseRejections {
  asked: number;
  expected: [number, number] | null;
}

/** How it flows, measured from the alignment. */
export interface Fluency {
  syllables_per_s: number | null;
  articulation_rate: number | null;
  words_per_minute: number | null;
  words_correct_per_minute: number | null;
  pauses: Pauses | null;
  npvi_v: number | null;
  percent_v: number | null;
  varco_v: number | null;
  varco_c: number | null;
  rpvi_c: number | null;
  delta_c: number | null;
  filled_pauses: [number, number][];
  restarts: [number, number][];
  repetitions: [number, number][];
  mean_length_of_run: number | null;
  breaks: Break[];
  segments: Segment[];
  grades: MeasureGrade[];
}

/** Goodness of pronunciation without segmentation; null without a phone CTC head. */
export interface GopEvidence {
  sf: number | null;
  sf_sd: number | null;
  margin: number | null;
}

/** Speech that no canonical phone explains; `after_word_index` is -1 before the first word. */
export interface Insertion {
  after_word_index: number;
  phone: string;
  start_s: number;
  end_s: number;
  feedback: string;
}

/** Whether the melody ends as the punctuation asks for. */
export interface Intonation {
  expected: "fall" | "level" | "rise" | null;
  observed: "fall" | "level" | "rise" | null;
  fits: boolean | null;
  judged_by: "natives" | "rule" | null;
}

/** What the neighbours said: see `retriever.evidence.PhoneEvidence`. */
export interface KnnEvidence {
  margin: number | null;
  canonical_share: number | null;
  k: number;
  coverage: number;
}

/** What a language model said of the recognised text; `model` is its name. */
export interface LanguageUse {
  model: string;
  grammar: number | null;
  vocabulary: number | null;
  relevance: number | null;
  corrections: Correction[];
  remarks: string[];
}

/** A band of `CEFR` or `IELTS`, and its probability by the model that told it. */
export interface Level {
  scale: string;
  band: string;
  probability: number;
}

/** A measure beside that of natives who said something of like length, and its grade 0–100. */
export interface MeasureGrade {
  measure: string;
  value: number;
  native_low: number;
  native_median: number;
  native_high: number;
  score: number;
}

/** A sound that speakers of a first language do not know, and whether they know the other. */
export interface NewSound {
  language: string;
  has_heard: boolean;
}

/** Silences inside the speech of 250 ms or more; long ones exceed 400 ms. */
export interface Pauses {
  count: number;
  mean_s: number | null;
  ratio: number;
  long_count: number;
  between_phrases: number | null;
  found_by: string | null;
}

/** One canonical phone. Times and scores are null where it could not be found or judged. */
export interface PhoneAssessment {
  phone: string;
  ipa: string;
  grapheme: string | null;
  start_s: number | null;
  end_s: number | null;
  score: number | null;
  verdict: "correct" | "accented" | "substituted" | "deleted" | "uncertain";
  probability_mispronounced: number | null;
  sounds_like: SoundsLike[];
  nbest: ScoredPhone[];
  knn: KnnEvidence;
  gop: GopEvidence;
  boundary_doubt: number | null;
  evidence: ExemplarEvidence[];
  feedback: string;
  advice: Advice | null;
}

/** Melody and stress. */
export interface Prosody {
  f0: F0 | null;
  contour: Contour | null;
  stress_accuracy: number | null;
  sentence_type: string | null;
  intonation: Intonation | null;
  prominent_word: number | null;
  native_prominent_word: number | null;
  native_contour_distance_semitones: number | null;
  native_contour_semitones: number[];
  grades: MeasureGrade[];
}

/** Whether the recording is of the text at all, how likely that is, and where it departs. */
export interface Reading {
  matches: boolean;
  likelihood: number;
  events: ReadingEvent[];
}

/** One departure from the text. */
export interface ReadingEvent {
  kind: "omitted" | "repeated" | "restart" | "extra";
  word_index: number;
  heard: string | null;
  start_s: number | null;
  end_s: number | null;
}

/** One thing to work on; `places` are the word and the phone in it, as indices. */
export interface Remark {
  text: string;
  phone: string;
  ipa: string;
  heard: string | null;
  heard_ipa: string | null;
  places: [number, number][];
  minimal_pairs: [string, string][];
  l1_note: string | null;
  advice: Advice | null;
  new_sound: NewSound | null;
}

/** A phone that a sound may be, and its posterior probability by the natives, as 0–100. */
export interface ScoredPhone {
  phone: string;
  ipa: string;
  score: number;
}

/** Scores of the whole recording, 0–100. */
export interface Scores {
  overall: number | null;
  pronunciation: number | null;
  fluency: number | null;
  prosody: number | null;
  completeness: number | null;
}

/** What a model that hears audio said of a recording; `model` is its name. */
export interface SecondEar {
  model: string;
  score: SecondScores;
  words: SecondWord[];
  remarks: string[];
}

/** Scores of the whole recording, 0–100; null where the model did not tell. */
export interface SecondScores {
  overall: number | null;
  pronunciation: number | null;
  fluency: number | null;
  prosody: number | null;
  completeness: number | null;
}

/** A word, and its sounds in the order of ours, each 0–100; below 50 is mispronounced. */
export interface SecondWord {
  word: string;
  score: number | null;
  phones: (number | null)[];
}

/** A part of the text that ends at a stop: its words as a half-open range, and how it flows. */
export interface Segment {
  words: [number, number];
  start_s: number;
  end_s: number;
  syllables: number;
  syllables_per_s: number | null;
  articulation_rate: number | null;
  pauses: number;
  mean_length_of_run: number;
  pitch_range: MeasureGrade | null;
  monotone: boolean | null;
}

/** A phone that the learner's sound resembles, with its posterior probability. */
export interface SoundsLike {
  phone: string;
  ipa: string;
  probability: number;
}

/** Expected and observed place of the main stress, as syllable indices. */
export interface StressAssessment {
  expected: number;
  observed: number | null;
  score: number | null;
}

/** A syllable as the half-open range of its phones in the word, and the letters of these. */
export interface SyllableScore {
  phones: [number, number];
  grapheme: string | null;
  score: number | null;
}

/** A stretch of a transcript and how sure its source is of it, 0–1. */
export interface TranscribedWord {
  word: string;
  start_s: number;
  end_s: number;
  confidence: number;
}

/** What was said, where no text was given. */
export interface Transcript {
  source: "recognised" | "phones";
  recogniser: string | null;
  text: string;
  words: TranscribedWord[];
}

/** One word of the reference. */
export interface WordAssessment {
  word: string;
  start_s: number | null;
  end_s: number | null;
  score: number | null;
  stress: StressAssessment | null;
  omitted: boolean;
  variant: number | null;
  syllables: SyllableScore[];
  phones: PhoneAssessment[];
}
