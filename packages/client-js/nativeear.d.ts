/** A recording, or what is in one: any format that the service decodes. */
export type Recording = Blob | ArrayBuffer | ArrayBufferView<ArrayBuffer>;

export type Detail = "word" | "phone" | "full";

export interface ClientOptions {
  /** `nek_…`, where the service wants one. */
  key?: string;
  /** How long one answer may take, above 0; 120,000 by default, never less than 1,000. */
  timeoutMs?: number;
  /** How long to go on asking a service that says it is busy; 60,000 by default. */
  patienceMs?: number;
  fetch?: typeof fetch;
  /** For `stream` where there is none, as in Node before 22. */
  WebSocket?: typeof WebSocket;
}

export interface Options {
  signal?: AbortSignal;
  /** How long all of it may take, above 0. */
  timeoutMs?: number;
}

export interface Detailed extends Options {
  /** How much is told: with `word` no phones, with `phone` no evidence. */
  detail?: Detail;
}

export interface Once extends Options {
  /** The same request under the same key is assessed once; a new one by default. */
  idempotencyKey?: string;
}

/** Of a list that comes in pages of `page` items. */
export interface Paged {
  page?: number;
}

export interface Wanted extends Paged {
  learner_id?: string;
  group?: string;
  language?: string;
  index?: string;
  since?: Date | string;
  until?: Date | string;
}

export interface InLanguage extends Options {
  index?: string;
  language?: string;
}

export interface Valid extends Options {
  /** How long the code opens; for ever by default. */
  valid_days?: number;
}

export interface FinishedWord {
  word: WordAssessment;
  /** Which word of the text it is, from 0. */
  place: number;
  /** How much had been heard by then, in seconds. */
  heard_s: number;
  final?: undefined;
}

export interface Finished {
  final: Assessment;
  word?: undefined;
}

/** The service refused or failed. */
export class ProblemError extends Error {
  /** What HTTP calls it; 0 if no answer came. */
  readonly status: number;
  /** Its kind, stable over releases, such as `no-pronunciation`. */
  readonly code: string;
  /** What can be done about it; may be empty. */
  readonly fix: string;
  /** Number of the request, also in the log of the service. */
  readonly requestId: string;
  /** What lies behind it: in words, or the error of the network. */
  readonly cause?: unknown;
}

/** Asks one service; each method may throw `ProblemError`, or the reason of `signal`. */
export class Client {
  constructor(url: string | URL, options?: ClientOptions);

  assess(recording: Recording, fields?: AssessmentFields, options?: Detailed & Once): Promise<Assessment>;
  submit(recording: Recording, fields?: AssessmentFields, options?: Once): Promise<JobAnswer>;
  stream(
    samples: Iterable<ArrayBuffer | ArrayBufferView<ArrayBuffer>> | AsyncIterable<ArrayBuffer | ArrayBufferView<ArrayBuffer>>,
    sampleRate: number,
    fields?: StreamFields,
    options?: { signal?: AbortSignal },
  ): AsyncGenerator<FinishedWord | Finished, void, void>;

  assessments(wanted?: Wanted, options?: Options): AsyncGenerator<AssessmentItem, void, void>;
  assessment(id: string, options?: Detailed): Promise<Assessment>;
  delete(id: string, options?: Options): Promise<void>;
  audio(id: string, options?: Options): Promise<Blob>;
  report(id: string, options?: Options): Promise<string>;
  textgrid(id: string, options?: Options): Promise<string>;
  learners(options?: Options): Promise<LearnerSummary[]>;
  progress(learner: string, options?: Options): Promise<LearnerProgress>;
  today(learner: string, language: string, options?: Options): Promise<Today>;
  deleteLearner(learner: string, options?: Options): Promise<void>;
  exportLearner(learner: string, options?: Options): Promise<Blob>;
  groupSummary(group: string, options?: Options): Promise<GroupSummary>;

  practice(language: string, options?: Options): Promise<Practice>;
  sounds(language: string, options?: Options): Promise<Sound[]>;
  validate(text: string, options?: InLanguage): Promise<TextCheck>;
  pronunciations(text: string, options?: InLanguage): Promise<Pronunciations>;
  languages(options?: Options): Promise<LanguageItem[]>;
  indexes(options?: Options): Promise<IndexItem[]>;
  index(name: string, options?: Options): Promise<IndexDetail>;

  coverage(name: string, options?: Options): Promise<Record<string, unknown>>;
  exemplar(name: string, row: number, options?: Options): Promise<ExemplarDetail>;
  exemplarAudio(name: string, row: number, options?: Options & { context_s?: number }): Promise<Blob>;
  sentences(name: string, wanted?: Paged, options?: Options): AsyncGenerator<NativeSentence, void, void>;
  nativeAudio(name: string, utterance: string, options?: Options & { corpus?: string }): Promise<Blob>;
  nativeSpeech(name: string, text: string, options?: Options): Promise<TextModel>;
  examples(name: string, phone: string, options?: Options & { word?: string; limit?: number }): Promise<Example[]>;
  encoders(options?: Options): Promise<EncoderItem[]>;
  buildIndex(fields: BuildFields & { archive?: Recording }, options?: Options): Promise<JobAnswer>;

  jobs(wanted?: Paged & Partial<Pick<JobItem, "kind" | "state">>, options?: Options): AsyncGenerator<JobItem, void, void>;
  job(id: string, options?: Detailed): Promise<JobAnswer>;
  cancel(id: string, options?: Options): Promise<JobAnswer>;
  wait(job: JobItem | string, options?: Detailed): Promise<JobAnswer>;

  submitBatch(
    archive: Recording,
    fields?: BatchFields & { manifest?: Recording | string; idempotencyKey?: string },
    options?: Options,
  ): Promise<BatchAnswer>;
  batches(options?: Options): AsyncGenerator<BatchAnswer, void, void>;
  batch(id: string, options?: Options): Promise<BatchAnswer>;
  cancelBatch(id: string, options?: Options): Promise<BatchAnswer>;
  batchResults(id: string, options?: Detailed & { after?: number }): AsyncGenerator<BatchLine, void, void>;

  addWebhook(url: string, options?: Options): Promise<WebhookCreated>;
  webhooks(options?: Options): Promise<WebhookItem[]>;
  deleteWebhook(id: string, options?: Options): Promise<void>;
  usage(month?: string, options?: Options): Promise<UsageList>;

  join(code: string, name?: string, options?: Options): Promise<Joined>;
  me(options?: Options): Promise<Me>;
  signOut(options?: Options): Promise<void>;
  joinGroup(code: string, options?: Options): Promise<Me>;
  exportMe(options?: Options): Promise<Blob>;
  eraseMe(options?: Options): Promise<ReceiptAnswer>;
  receipt(id: string, options?: Options): Promise<ReceiptAnswer>;
  people(options?: Options): Promise<PersonItem[]>;
  createPerson(
    person: { role: PersonItem["role"]; name: string; group?: string; valid_days?: number },
    options?: Options,
  ): Promise<PersonMade>;
  renewCode(person: string, options?: Valid): Promise<Code>;
  exportPerson(person: string, options?: Options): Promise<Blob>;
  erasePerson(person: string, options?: Options): Promise<ReceiptAnswer>;
  disclose(reason: string, options?: Options & { minutes?: number }): Promise<Disclosure>;
  endDisclosure(options?: Options): Promise<void>;
  groups(options?: Options): Promise<GroupItem[]>;
  createGroup(name: string, options?: Options): Promise<GroupItem>;
  deleteGroup(group: string, options?: Options): Promise<void>;
  groupCode(group: string, options?: Valid): Promise<Code>;
  endGroupCode(group: string, options?: Options): Promise<void>;
  removeMember(group: string, person: string, options?: Options): Promise<void>;
  comments(assessment: string, options?: Options): Promise<CommentItem[]>;
  comment(assessment: string, text: string, options?: Options): Promise<CommentItem>;
  deleteComment(assessment: string, comment: string, options?: Options): Promise<void>;
  members(group: string, options?: Options): Promise<MemberItem[]>;
  labels(assessment: string, options?: Options): Promise<LabelItem[]>;
  putLabels(assessment: string, labels: LabelRequest[], options?: Options): Promise<LabelItem[]>;
  exportLabels(options?: Options): Promise<Blob>;
  sets(options?: Options): Promise<SetItem[]>;
  createSet(set: SetRequest, options?: Options): Promise<SetItem>;
  changeSet(id: string, set: SetRequest, options?: Options): Promise<SetItem>;
  deleteSet(id: string, options?: Options): Promise<void>;
  homework(options?: Options): Promise<HomeworkItem[]>;
  setHomework(group: string, set: string, options?: Options & { due?: string }): Promise<HomeworkItem>;
  deleteHomework(group: string, homework: string, options?: Options): Promise<void>;
  audit(wanted?: Paged & { about?: string; action?: string }, options?: Options): AsyncGenerator<AuditItem, void, void>;
}

// What follows is written by declarations.py.

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
  heard?: string | null;
  place?: "beginning" | "middle" | "end" | "before" | "after" | "in" | null;
  words?: string[];
  more?: boolean;
  cues: string[][];
}

/** The whole result of one recording. */
export interface Assessment {
  id: string;
  language: string;
  index: string;
  encoder: string;
  calibration: string;
  false_rejections?: FalseRejections | null;
  duration_s: number;
  score: Scores;
  words: WordAssessment[];
  insertions?: Insertion[];
  remarks?: Remark[];
  fluency?: Fluency | null;
  prosody?: Prosody | null;
  explanation?: string | null;
  level?: Level | null;
  transcript?: Transcript | null;
  reading?: Reading | null;
  accent?: Accent | null;
  second_ear?: SecondEar | null;
  language_use?: LanguageUse | null;
  warnings?: string[];
}

/** Fields of `POST /v1/assessments`. */
export interface AssessmentFields {
  /** What was meant to be said. */
  text?: string;
  /** Canonical phones instead, ARPAbet or IPA, ` | ` between words. */
  phones?: string;
  /** No text is known: assess what is heard. Goes without `text`, `phones` and `accent`. */
  free?: boolean;
  /** BCP 47 tag. */
  language?: string;
  /** Name of an index. */
  index?: string;
  /** With `language`: judge by the nearest of all indexes of that language, and tell how near each is. */
  accent?: "auto";
  /** The learner's first language; of one that is not known, a warning tells. */
  l1?: string;
  /** Whose history it belongs to. */
  learner_id?: string;
  /** Whose summary it counts in. */
  group?: string;
  /** How to grade. */
  calibration?: "auto" | "expert" | "training-free";
  /** Keep the recording, to be heard again. */
  keep_audio?: boolean;
  /** Whether the model elsewhere hears it, too, where there is one. */
  second_ear?: boolean;
  /** Of free speech: whether the language model elsewhere reads the recognised words, where there is one. */
  language_use?: boolean;
  /** What was to be spoken of, for the relevance in `language_use`. */
  topic?: string;
}

/** One line of the list of assessments. */
export interface AssessmentItem {
  id: string;
  created_at: string;
  learner_id?: string | null;
  group?: string | null;
  language: string;
  index: string;
  /** What was meant, as it was sent. */
  text?: string | null;
  /** What was heard, where nothing was meant. */
  transcript?: string | null;
  duration_s: number;
  overall?: number | null;
  pronunciation?: number | null;
  fluency?: number | null;
  prosody?: number | null;
  completeness?: number | null;
  has_audio?: boolean;
  /** How many there are. */
  comments?: number;
  expires_at?: string | null;
}

/** Who did what to whose data: ids of people and keys. */
export interface AuditItem {
  id: string;
  at: string;
  actor: string;
  role: string;
  action: string;
  what: string;
  subject: string | null;
  detail: string;
}

/** Recordings that were sent together, counted by the states of their jobs. */
export interface BatchAnswer {
  id: string;
  state: "running" | "done";
  created_at: string;
  total: number;
  queued?: number;
  running?: number;
  done?: number;
  failed?: number;
  cancelled?: number;
  deleted?: number;
}

/** Fields of `POST /v1/batches`. */
export interface BatchFields {
  /** What was meant in all that have no text. */
  text?: string;
  /** No text of them is known. */
  free?: boolean;
  language?: string;
  index?: string;
  l1?: string;
  learner_id?: string;
  group?: string;
  calibration?: "auto" | "expert" | "training-free";
  keep_audio?: boolean;
  /** Whether the model elsewhere hears it, too, where there is one. */
  second_ear?: boolean;
  /** Of free speech: whether the language model elsewhere reads the recognised words, where there is one. */
  language_use?: boolean;
  /** What was to be spoken of, for the relevance in `language_use`. */
  topic?: string;
}

/** What came of one recording; `id` is that of the manifest. */
export interface BatchLine {
  position: number;
  id: string;
  state: string;
  assessment?: Assessment | null;
  problem?: Problem | null;
}

/** A pause, or a stop of the text at which there is none, after a word; -1 before the first. */
export interface Break {
  after_word_index: number;
  start_s?: number | null;
  end_s?: number | null;
  duration_s: number;
  kind?: "expected" | "unexpected" | "missing" | null;
  judged_by?: "punctuation" | "words" | null;
}

/** Fields of `POST /v1/indexes`. */
export interface BuildFields {
  /** Name of the new index. */
  name: string;
  /** BCP 47 tag. */
  language: string;
  /** Folder of a mounted corpus, relative to --corpora. */
  corpus?: string;
  /** Licence of the corpus. */
  licence?: string;
  /** Kind of corpus; found out by default. */
  reader?: string;
  /** A name of /v1/encoders. */
  encoder?: string;
  aligner?: string;
  /** Keep the recordings, to be heard. */
  clips?: "flac" | "opus";
}

/** What came of building an index. */
export interface BuildResult {
  index: string;
  utterances: number;
  exemplars: number;
  /** How many of the exemplars are silences. */
  silences?: number;
  set_aside?: [string, string][];
  audio_s: number;
  seconds: number;
  native_accuracy: number;
  judged_phones?: number | null;
  inventory_phones?: number | null;
}

/** A code, told this once: typed in on the page, or as a link `…/#join=CODE`. */
export interface Code {
  code: string;
  expires_at?: string | null;
}

/** What a teacher says of an assessment. */
export interface CommentItem {
  id: string;
  author_id: string;
  author: string;
  text: string;
  created_at: string;
}

/** Pitch and intensity over time; null where unvoiced. */
export interface Contour {
  t_s?: number[];
  f0_hz?: (number | null)[];
  intensity_db?: (number | null)[];
}

/** A corpus whose speech is in an index; not `native` where it is of rated learners. */
export interface CorpusItem {
  name: string;
  licence: string;
  utterances: number;
  audio_s: number;
  native: boolean;
}

/** A run of the recognised words, what would be right in its place, and why. */
export interface Correction {
  said: string;
  better: string;
  why?: string;
}

/** As `PhoneFigures`, of one day in UTC. */
export interface DayFigures {
  day: string;
  count: number;
  mean_score: number | null;
  flagged_share: number | null;
}

/** The mean overall score of a day in UTC. */
export interface DayItem {
  day: string;
  mean_score: number;
}

/** What was asked on one day, in UTC; speech in seconds. */
export interface DayUsage {
  day: string;
  requests: number;
  assessments: number;
  audio_s: number;
}

/** Until when an operator sees what people say. */
export interface Disclosure {
  until: string;
}

/** A sound to practise: words that have it, and pairs that it alone keeps apart. */
export interface Drill {
  phone: string;
  ipa: string;
  flagged_share: number;
  count: number;
  last_day: string;
  words: string[];
  pairs: [string, string][];
  native: string[];
}

/** An encoder that indexes can be built with. */
export interface EncoderItem {
  name: string;
  dim: number | null;
  layers: number | null;
  licence: string;
  phones: boolean | null;
  local: boolean;
  note: string;
}

/** A sound in a native's word; `start_s` and `end_s` are the sound's. */
export interface Example {
  exemplar: number;
  phone: string;
  start_s: number;
  end_s: number;
  within: SpokenWord;
}

/** One phone of an index; not `native` where it is a rated learner's, said without a flaw. */
export interface ExemplarDetail {
  exemplar: number;
  phone: string;
  ipa: string;
  left: string;
  right: string;
  stress: number | null;
  word: string;
  speaker: string;
  utterance: string;
  corpus: string;
  start_s: number;
  end_s: number;
  playable: boolean;
  native: boolean;
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
  median_hz?: number | null;
  range_semitones?: number | null;
  final_slope_semitones_per_s?: number | null;
  declination_semitones_per_s?: number | null;
  voiced_frames?: number | null;
}

/** How often faultless phones are flagged. */
export interface FalseRejections {
  asked: number;
  expected?: [number, number] | null;
}

/** How it flows, measured from the alignment. */
export interface Fluency {
  syllables_per_s?: number | null;
  articulation_rate?: number | null;
  words_per_minute?: number | null;
  words_correct_per_minute?: number | null;
  pauses?: Pauses | null;
  npvi_v?: number | null;
  percent_v?: number | null;
  varco_v?: number | null;
  varco_c?: number | null;
  rpvi_c?: number | null;
  delta_c?: number | null;
  filled_pauses?: [number, number][];
  restarts?: [number, number][];
  repetitions?: [number, number][];
  mean_length_of_run?: number | null;
  breaks?: Break[];
  segments?: Segment[];
  grades?: MeasureGrade[];
}

/** Goodness of pronunciation without segmentation; null without a phone CTC head. */
export interface GopEvidence {
  sf?: number | null;
  sf_sd?: number | null;
  margin?: number | null;
}

/** A group; `id` is what assessments and summaries call it. */
export interface GroupItem {
  id: string;
  name: string;
  created_at: string;
  members: number;
}

/** A learner of a group with the phones that were said in it. */
export interface GroupLearner {
  learner_id: string;
  count: number;
  mean_score: number | null;
  first_at: string;
  last_at: string;
  phones: PhoneFigures[];
  name?: string | null;
}

/** Who of a group says which phones how well; `phones` are those of all of them together. */
export interface GroupSummary {
  group: string;
  count: number;
  learners: GroupLearner[];
  phones: PhoneFigures[];
}

/** What a group is to say; a learner sees himself alone in `learners`. */
export interface HomeworkItem {
  id: string;
  group: string;
  group_name: string;
  set: string;
  title: string;
  language: string;
  sentences: string[];
  due: string | null;
  created_at: string;
  learners: HomeworkLearner[];
}

/** How far a learner is: the positions of the sentences that he has said since he was to. */
export interface HomeworkLearner {
  id: string;
  name: string;
  said: number[];
}

/** What an index is made of. */
export interface IndexDetail {
  name: string;
  language: string;
  encoder: string;
  exemplars: number;
  /** How many of the exemplars are silences. */
  silences: number;
  speakers: number;
  minutes: number;
  /** Whether it is meant where none is named. */
  default: boolean;
  /** Whether it is open; others take seconds at first. */
  loaded: boolean;
  problem?: string;
  revision: number;
  utterances: number;
  aligner: string;
  /** Whether native recordings can be heard. */
  clips: boolean;
  calibrations: ("auto" | "expert" | "training-free")[];
  native_accuracy: number;
  corpora: CorpusItem[];
  phones: IndexPhone[];
}

/** An index that is offered; a damaged one has a `problem` and no figures. */
export interface IndexItem {
  name: string;
  language: string;
  encoder: string;
  exemplars: number;
  /** How many of the exemplars are silences. */
  silences: number;
  speakers: number;
  minutes: number;
  /** Whether it is meant where none is named. */
  default: boolean;
  /** Whether it is open; others take seconds at first. */
  loaded: boolean;
  problem?: string;
}

/** A phone of an index. */
export interface IndexPhone {
  phone: string;
  ipa: string;
  kind: string;
  exemplars: number;
}

/** Speech that no canonical phone explains; `after_word_index` is -1 before the first word. */
export interface Insertion {
  after_word_index: number;
  phone: string;
  start_s: number;
  end_s: number;
  feedback?: string;
}

/** Whether the melody ends as the punctuation asks for. */
export interface Intonation {
  expected?: "fall" | "level" | "rise" | null;
  observed?: "fall" | "level" | "rise" | null;
  fits?: boolean | null;
  judged_by?: "natives" | "rule" | null;
}

/** Work that outlasts a request; `result` is the Assessment, or what came of a build. */
export interface JobAnswer {
  id: string;
  kind: "assessment" | "index";
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  stage?: string;
  done?: number;
  total?: number;
  created_at: string;
  updated_at: string;
  assessment_id?: string | null;
  problem?: Problem | null;
  result?: Assessment | BuildResult | null;
}

/** One line of the list of jobs. */
export interface JobItem {
  id: string;
  kind: "assessment" | "index";
  state: "queued" | "running" | "done" | "failed" | "cancelled";
  stage?: string;
  done?: number;
  total?: number;
  created_at: string;
  updated_at: string;
  assessment_id?: string | null;
  problem?: Problem | null;
}

/** Somebody who has come in; `code` lets a new learner come back, and is told this once. */
export interface Joined {
  /** `program` with a key; `open` where nobody has to sign in. */
  role: "operator" | "teacher" | "learner" | "program" | "open";
  id?: string | null;
  name?: string | null;
  scopes?: string[];
  /** Those he is in, or teaches. */
  groups?: GroupItem[];
  /** To be sent in X-CSRF-Token with every change. */
  csrf?: string | null;
  /** Until when he is signed in. */
  expires_at?: string | null;
  /** Until when an operator sees what people say. */
  disclosed_until?: string | null;
  /** Where recordings are sent to be heard by another model, too. */
  second_ear?: string | null;
  /** Where the recognised words of free speech are sent, to a language model. */
  language_use?: string | null;
  code?: string | null;
}

/** What was asked with a key; null is without any. */
export interface KeyUsage {
  key_id?: string | null;
  name?: string | null;
  requests: number;
  assessments: number;
  audio_s: number;
  quota?: QuotaAnswer | null;
  days?: DayUsage[];
}

/** What the neighbours said: see `retriever.evidence.PhoneEvidence`. */
export interface KnnEvidence {
  margin?: number | null;
  canonical_share?: number | null;
  k?: number;
  coverage?: number;
}

/** What a teacher heard of a phone; `judged` is the verdict that was shown. */
export interface LabelItem {
  position: number;
  word: string;
  phone: string;
  ipa: string;
  judged: string;
  verdict: "correct" | "accented" | "substituted" | "deleted";
  heard: string | null;
  author_id: string;
  author: string;
  created_at: string;
}

/** What was heard of the phone at a position, counted through all words. */
export interface LabelRequest {
  position: number;
  verdict: "correct" | "accented" | "substituted" | "deleted";
  /** The phone that was heard instead, where one is told. */
  heard?: string | null;
}

/** A language that can be assessed. */
export interface LanguageItem {
  language: string;
  indexes: string[];
}

/** What a language model said of the recognised text; `model` is its name. */
export interface LanguageUse {
  model: string;
  grammar: number | null;
  vocabulary: number | null;
  relevance: number | null;
  corrections?: Correction[];
  remarks?: string[];
}

/** Learners by name. */
export interface LearnerList {
  items: LearnerSummary[];
  next?: null;
}

/** A learner's sentences, the oldest first, and phones by name. */
export interface LearnerProgress {
  learner_id: string;
  sentences: Sentence[];
  phones: PhoneProgress[];
}

/** How much a learner has said, and its mean overall score. */
export interface LearnerSummary {
  learner_id: string;
  count: number;
  mean_score: number | null;
  first_at: string;
  last_at: string;
  name?: string | null;
}

/** A band of `CEFR` or `IELTS`, and its probability by the model that told it. */
export interface Level {
  scale: string;
  band: string;
  probability: number;
}

/** Who asks, and what he may ask for. */
export interface Me {
  /** `program` with a key; `open` where nobody has to sign in. */
  role: "operator" | "teacher" | "learner" | "program" | "open";
  id?: string | null;
  name?: string | null;
  scopes?: string[];
  /** Those he is in, or teaches. */
  groups?: GroupItem[];
  /** To be sent in X-CSRF-Token with every change. */
  csrf?: string | null;
  /** Until when he is signed in. */
  expires_at?: string | null;
  /** Until when an operator sees what people say. */
  disclosed_until?: string | null;
  /** Where recordings are sent to be heard by another model, too. */
  second_ear?: string | null;
  /** Where the recognised words of free speech are sent, to a language model. */
  language_use?: string | null;
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

/** A learner of a group; `costly` are the sounds that cost him most, `days` is his trend. */
export interface MemberItem {
  id: string;
  name: string;
  joined_at: string;
  count: number;
  last_at: string | null;
  mean_score: number | null;
  days: DayItem[];
  costly: PhoneFigures[];
}

/** How a sound is made: a consonant by place and manner, a vowel by where it begins and ends. */
export interface Mouth {
  voiced: boolean;
  nasal: boolean;
  place?: string | null;
  manner?: string | null;
  vowels?: Vowel[];
}

/** A native recording that can be heard whole. */
export interface NativeSentence {
  utterance: string;
  text: string;
  speaker: string;
  corpus: string;
  audio_s: number;
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
  between_phrases?: number | null;
  found_by?: string | null;
}

/** Somebody with a role. */
export interface PersonItem {
  id: string;
  role: "operator" | "teacher" | "learner";
  name: string;
  created_at: string;
}

/** Somebody who was made, and the code by which he comes in. */
export interface PersonMade {
  person: PersonItem;
  code: Code;
}

/** One canonical phone. Times and scores are null where it could not be found or judged. */
export interface PhoneAssessment {
  phone: string;
  ipa: string;
  grapheme?: string | null;
  start_s: number | null;
  end_s: number | null;
  score: number | null;
  verdict: "correct" | "accented" | "substituted" | "deleted" | "uncertain";
  probability_mispronounced: number | null;
  sounds_like?: SoundsLike[];
  nbest?: ScoredPhone[];
  knn?: KnnEvidence;
  gop?: GopEvidence;
  boundary_doubt?: number | null;
  evidence?: ExemplarEvidence[];
  feedback?: string;
  advice?: Advice | null;
}

/** How a phone is pronounced. */
export interface PhoneFigures {
  language: string;
  phone: string;
  ipa: string;
  count: number;
  mean_score: number | null;
  flagged_share: number | null;
}

/** A phone over the days on which it was said. */
export interface PhoneProgress {
  language: string;
  phone: string;
  ipa: string;
  count: number;
  mean_score: number | null;
  flagged_share: number | null;
  days: DayFigures[];
}

/** The sets of one language, by its primary subtag. */
export interface Practice {
  language: string;
  sets?: PracticeSet[];
}

/** Sentences that train one thing; `title` and `about` are in English. */
export interface PracticeSet {
  id: string;
  title: string;
  about: string;
  sentences: string[];
}

/** A problem in the shape of RFC 9457, with what lies behind it and what to do about it. */
export interface Problem {
  /** Kind of problem, stable over releases. */
  type: string;
  /** The kind in a few words. */
  title: string;
  /** The HTTP status. */
  status: number;
  /** What went wrong, in one plain sentence. */
  detail: string;
  /** What lies behind it; may be empty. */
  cause?: string;
  /** What can be done about it; may be empty. */
  fix?: string;
  /** The path that was asked. */
  instance?: string;
  /** Number of the request, also in the log. */
  request_id?: string;
}

/** The words of a text with their pronunciations. */
export interface Pronunciations {
  language: string;
  index: string;
  words: WordVariants[];
  warnings?: string[];
}

/** Melody and stress. */
export interface Prosody {
  f0?: F0 | null;
  contour?: Contour | null;
  stress_accuracy?: number | null;
  sentence_type?: string | null;
  intonation?: Intonation | null;
  prominent_word?: number | null;
  native_prominent_word?: number | null;
  native_contour_distance_semitones?: number | null;
  native_contour_semitones?: number[];
  grades?: MeasureGrade[];
}

/** What a key may have; null is any amount. */
export interface QuotaAnswer {
  requests_per_day?: number | null;
  requests_per_month?: number | null;
  audio_s_per_day?: number | null;
  audio_s_per_month?: number | null;
}

/** Whether the recording is of the text at all, how likely that is, and where it departs. */
export interface Reading {
  matches: boolean;
  likelihood: number;
  events?: ReadingEvent[];
}

/** One departure from the text. */
export interface ReadingEvent {
  kind: "omitted" | "repeated" | "restart" | "extra";
  word_index: number;
  heard?: string | null;
  start_s?: number | null;
  end_s?: number | null;
}

/** That somebody's data were erased: SHA-256 of his id, and how many rows of what. */
export interface ReceiptAnswer {
  id: string;
  at: string;
  actor: string;
  subject_sha256: string;
  deleted: Record<string, number>;
}

/** One thing to work on; `places` are the word and the phone in it, as indices. */
export interface Remark {
  text: string;
  phone: string;
  ipa: string;
  heard?: string | null;
  heard_ipa?: string | null;
  places: [number, number][];
  minimal_pairs?: [string, string][];
  l1_note?: string | null;
  advice?: Advice | null;
  new_sound?: NewSound | null;
}

/** A phone that a sound may be, and its posterior probability by the natives, as 0–100. */
export interface ScoredPhone {
  phone: string;
  ipa: string;
  score: number;
}

/** Scores of the whole recording, 0–100. */
export interface Scores {
  overall?: number | null;
  pronunciation?: number | null;
  fluency?: number | null;
  prosody?: number | null;
  completeness?: number | null;
}

/** What a model that hears audio said of a recording; `model` is its name. */
export interface SecondEar {
  model: string;
  score: SecondScores;
  words: SecondWord[];
  remarks?: string[];
}

/** Scores of the whole recording, 0–100; null where the model did not tell. */
export interface SecondScores {
  overall?: number | null;
  pronunciation?: number | null;
  fluency?: number | null;
  prosody?: number | null;
  completeness?: number | null;
}

/** A word, and its sounds in the order of ours, each 0–100; below 50 is mispronounced. */
export interface SecondWord {
  word: string;
  score?: number | null;
  phones?: (number | null)[];
}

/** A part of the text that ends at a stop: its words as a half-open range, and how it flows. */
export interface Segment {
  words: [number, number];
  start_s: number;
  end_s: number;
  syllables: number;
  syllables_per_s?: number | null;
  articulation_rate?: number | null;
  pauses: number;
  mean_length_of_run: number;
  pitch_range?: MeasureGrade | null;
  monotone?: boolean | null;
}

/** An assessment on a learner's way; scores are 0–100, null where not measured. */
export interface Sentence {
  id: string;
  created_at: string;
  language: string;
  text: string | null;
  transcript: string | null;
  overall: number | null;
  pronunciation: number | null;
  fluency: number | null;
  prosody: number | null;
  completeness: number | null;
}

/** A set of sentences. */
export interface SetItem {
  id: string;
  title: string;
  language: string;
  sentences: string[];
  created_at: string;
}

/** Sentences that a teacher wants to have said. */
export interface SetRequest {
  title: string;
  language: string;
  sentences: string[];
}

/** A phone for learners; `letters` are those of `example` that write it. */
export interface Sound {
  phone: string;
  ipa: string;
  kind: string;
  respelling?: string | null;
  example?: string | null;
  letters?: string | null;
  mouth?: Mouth | null;
}

/** A phone that the learner's sound resembles, with its posterior probability. */
export interface SoundsLike {
  phone: string;
  ipa: string;
  probability: number;
}

/** A word as a native says it: where it lies in the recording of an utterance, in seconds. */
export interface SpokenWord {
  word: string;
  corpus: string;
  utterance: string;
  speaker: string;
  start_s: number;
  end_s: number;
}

/** Fields of `WS /v1/stream`. */
export interface StreamFields {
  text?: string | null;
  phones?: string | null;
  language?: string | null;
  index?: string | null;
  l1?: string | null;
  learner_id?: string | null;
  group?: string | null;
  calibration?: "auto" | "expert" | "training-free";
  partial?: boolean;
  keep_audio?: boolean;
  second_ear?: boolean | null;
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
  grapheme?: string | null;
  score: number | null;
}

/** The words of a text in reading order. */
export interface TextCheck {
  language: string;
  index: string;
  words: WordCheck[];
  warnings?: string[];
}

/** How natives say a text: whole, where it was recorded, and the words that were. */
export interface TextModel {
  sentence: SpokenWord | null;
  words: SpokenWord[];
}

/** What is due; `next_day` is when more will be, where nothing is. */
export interface Today {
  day: string;
  sentences: number;
  streak_days: number;
  drills: Drill[];
  next_day: string | null;
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
  recogniser?: string | null;
  text: string;
  words?: TranscribedWord[];
}

/** What was asked in a month, by key. */
export interface UsageList {
  month: string;
  items: KeyUsage[];
  next?: null;
}

/** One way to pronounce a word; `syllables` are half-open ranges of its phones. */
export interface Variant {
  phones: string[];
  ipa: string[];
  stress: (number | null)[];
  syllables: [number, number][];
  source: string;
  graphemes?: string[];
}

/** Where a vowel lies on the IPA chart. */
export interface Vowel {
  height: string;
  backness: string;
  rounded: boolean;
}

/** An address that is told from now on; `secret` proves what comes, and is shown this once. */
export interface WebhookCreated {
  id: string;
  url: string;
  created_at: string;
  last_problem?: string | null;
  secret: string;
}

/** An address that is told; `last_problem` is why it was not told something in the end. */
export interface WebhookItem {
  id: string;
  url: string;
  created_at: string;
  last_problem?: string | null;
}

/** One word of the reference. */
export interface WordAssessment {
  word: string;
  start_s: number | null;
  end_s: number | null;
  score: number | null;
  stress?: StressAssessment | null;
  omitted?: boolean;
  variant?: number | null;
  syllables?: SyllableScore[];
  phones?: PhoneAssessment[];
}

/** A word of a text, and how it is pronounced if that is known, and says what. */
export interface WordCheck {
  word: string;
  known: boolean;
  source?: string | null;
  phones?: string[];
  ipa?: string[];
}

/** A word and every way to pronounce it, the commonest first. */
export interface WordVariants {
  word: string;
  variants: Variant[];
}
