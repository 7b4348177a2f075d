/**
 * The face of the package: a page opens a pack once, and has recordings assessed in a worker.
 *
 *     const ear = await NativeEar.load("/packs/en-US/");
 *     const result = await ear.assess(samples, "I think so");
 */

import type { Assessment } from "./assessment";
import { NativeEarError } from "./errors";
import type { Progress } from "./pack";
import type { Pronunciation } from "./speech/canonical";
import type { Answer, Asked } from "./worker";

export type * from "./assessment";
export type { Pronunciation } from "./speech/canonical";
export { NativeEarError };

export const SAMPLE_RATE = 16_000;

export interface LoadOptions {
  /** Hears of the bytes of the pack that are there, and of all that there will be. */
  readonly progress?: Progress;
  /** Threads of the encoder: more than one needs a page that is isolated (COOP and COEP). */
  readonly threads?: number;
  /** Address of `worker.js`; by default beside this module. */
  readonly worker?: string;
}

export interface AssessOptions {
  readonly id?: string;
  /** The learner's first language, for the remarks: a tag as `zh`, or its English name. */
  readonly l1?: string;
  /** Of the samples, if they are not at 16 kHz. */
  readonly sampleRate?: number;
}

interface Waiting {
  readonly done: (answer: any) => void;
  readonly failed: (error: Error) => void;
}

export class NativeEar {
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;

  private constructor(
    private readonly worker: Worker,
    private readonly progress: Progress,
  ) {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.answered(data);
    worker.onerror = (event) => {
      const error = new NativeEarError(`The worker stopped: ${event.message}`, "bad-pack");
      for (const { failed } of this.waiting.values()) failed(error);
      this.waiting.clear();
    };
  }

  /** Open the pack of a folder, which ends in a slash. */
  static async load(url: string, options: LoadOptions = {}): Promise<NativeEar> {
    const page = globalThis.location.href;
    const script = options.worker ?? new URL("worker.js", import.meta.url).href;
    const worker = new Worker(script, { type: "module" });
    const ear = new NativeEar(worker, options.progress ?? (() => {}));
    const threads = globalThis.crossOriginIsolated ? (options.threads ?? 1) : 1;
    try {
      await ear.ask({ kind: "load", url: new URL(url, page).href, threads });
    } catch (error) {
      worker.terminate();
      throw error;
    }
    return ear;
  }

  /** Assess mono samples, -1 to 1, against a text or what a service says of its pronunciation. */
  async assess(
    samples: Float32Array,
    text: string | Pronunciation,
    options: AssessOptions = {},
  ): Promise<Assessment> {
    const rate = options.sampleRate ?? SAMPLE_RATE;
    const heard = rate === SAMPLE_RATE ? samples.slice() : await resampled(samples, rate);
    const { id: name = "", l1 = null } = options;
    const asked = { kind: "assess", samples: heard, text, name, l1 } as const;
    return this.ask<Assessment>(asked, [heard.buffer as ArrayBuffer]);
  }

  /** Where the native behind a piece of evidence can be heard; null where no clip is kept. */
  clip(exemplar: number): Promise<{ url: string; startS: number; endS: number } | null> {
    return this.ask({ kind: "clip", exemplar });
  }

  /** Let the worker and its memory go. */
  close(): void {
    this.worker.terminate();
  }

  private ask<T>(asked: Asked, moved: Transferable[] = []): Promise<T> {
    const number = this.asked++;
    return new Promise((done, failed) => {
      this.waiting.set(number, { done, failed });
      this.worker.postMessage({ number, asked }, moved);
    });
  }

  private answered(answer: Answer): void {
    if (answer.kind === "progress") {
      this.progress(answer.loaded, answer.total);
      return;
    }
    const waiting = this.waiting.get(answer.number);
    this.waiting.delete(answer.number);
    if (answer.kind === "done") waiting?.done(answer.value);
    else {
      const { message, code, reason, fix } = answer;
      waiting?.failed(new NativeEarError(message, code, reason, fix));
    }
  }
}

/** What a browser can decode, as mono samples at 16 kHz: a recording, or an audio file. */
export async function samplesOf(sound: Blob): Promise<Float32Array> {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  const decoded = await context.decodeAudioData(await sound.arrayBuffer());
  const mixed = new Float32Array(decoded.length);
  for (let channel = 0; channel < decoded.numberOfChannels; channel++) {
    const own = decoded.getChannelData(channel);
    for (let i = 0; i < mixed.length; i++) mixed[i] += own[i] / decoded.numberOfChannels;
  }
  return mixed;
}

async function resampled(samples: Float32Array, rate: number): Promise<Float32Array> {
  const length = Math.max(1, Math.round((samples.length * SAMPLE_RATE) / rate));
  const context = new OfflineAudioContext(1, length, SAMPLE_RATE);
  const buffer = context.createBuffer(1, samples.length, rate);
  buffer.copyToChannel(new Float32Array(samples), 0);
  const source = context.createBufferSource();
  source.buffer = buffer;
  source.connect(context.destination);
  source.start();
  return (await context.startRendering()).getChannelData(0);
}
