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
import { checkLength, mixed } from "./speech/sound_checks";
import type { Answer, Asked, Message } from "./worker";

export type * from "./assessment";
export type { Pronunciation } from "./speech/canonical";
export { record, type Recording } from "./recording";
export { NativeEarError };

export const SAMPLE_RATE = 16_000;

export interface LoadOptions {
  /** Hears of the bytes of the pack that are there, and of all that there will be. */
  readonly progress?: Progress;
  /** Threads of the encoder: more than one needs a page that is isolated (COOP and COEP). */
  readonly threads?: number;
  /** Address of `worker.js`; by default beside this module. */
  readonly worker?: string;
  /** Ends the loading, which then fails as the signal says. */
  readonly signal?: AbortSignal;
}

export interface AssessOptions {
  readonly id?: string;
  /** The learner's first language, for the remarks: a tag as `zh`, or its English name. */
  readonly l1?: string;
  /** Of the samples, if they are not at 16 kHz. */
  readonly sampleRate?: number;
  /** Ends the waiting at once; what has not begun is not heard. */
  readonly signal?: AbortSignal;
}

interface Waiting {
  readonly done: (answer: any) => void;
  readonly failed: (error: Error) => void;
}

export class NativeEar {
  private readonly waiting = new Map<number, Waiting>();
  private asked = 0;
  private ended: NativeEarError | undefined;

  private constructor(
    private readonly worker: Worker,
    private readonly progress: Progress,
  ) {
    worker.onmessage = ({ data }: MessageEvent<Answer>) => this.answered(data);
    worker.onerror = ({ message }) =>
      this.end(
        new NativeEarError(
          "The worker could not be started, or stopped.",
          "fault",
          message ?? "",
          "Keep all files of `dist` beside each other, and load the pack again.",
        ),
      );
  }

  /** Open the pack of a folder. */
  static async load(url: string, options: LoadOptions = {}): Promise<NativeEar> {
    const folder = new URL(url, globalThis.location.href);
    if (!folder.pathname.endsWith("/")) folder.pathname += "/";
    const script = options.worker ?? new URL("worker.js", import.meta.url).href;
    const ear = new NativeEar(started(script), options.progress ?? (() => {}));
    const most = globalThis.crossOriginIsolated ? navigator.hardwareConcurrency : 1;
    const threads = Math.max(1, Math.min(options.threads ?? 1, most));
    try {
      await ear.ask({ kind: "load", url: folder.href, threads }, options.signal);
    } catch (error) {
      ear.close();
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
    const { id: name = "", l1 = null, sampleRate: rate = SAMPLE_RATE, signal } = options;
    if (!isMono(samples)) {
      throw new NativeEarError(
        "The samples are no Float32Array.",
        "bad-input",
        "",
        "Give one channel, or what `samplesOf(blob)` makes of a recording.",
      );
    }
    checkLength(samples.length, rate);
    const heard = rate === SAMPLE_RATE ? samples.slice() : await resampled(samples, rate);
    const asked = { kind: "assess", samples: heard, text, name, l1 } as const;
    return this.ask<Assessment>(asked, signal, [heard.buffer as ArrayBuffer]);
  }

  /** Where the native behind a piece of evidence can be heard; null where no clip is kept. */
  clip(exemplar: number): Promise<{ url: string; startS: number; endS: number } | null> {
    return this.ask({ kind: "clip", exemplar });
  }

  /** Let the worker and its memory go; what is still asked fails. */
  close(): void {
    this.end(new NativeEarError("The ear was closed.", "closed"));
  }

  private end(error: NativeEarError): void {
    this.ended ??= error;
    this.worker.terminate();
    for (const { failed } of this.waiting.values()) failed(error);
    this.waiting.clear();
  }

  private async ask<T>(
    asked: Asked,
    signal?: AbortSignal,
    moved: Transferable[] = [],
  ): Promise<T> {
    signal?.throwIfAborted();
    if (this.ended) throw this.ended;
    const number = this.asked++;
    const send = (message: Message) => this.worker.postMessage(message, message.asked ? moved : []);
    let stop = () => {};
    try {
      return await new Promise<T>((done, failed) => {
        stop = () => {
          this.waiting.delete(number);
          send({ number });
          failed(signal!.reason);
        };
        signal?.addEventListener("abort", stop);
        this.waiting.set(number, { done, failed });
        send({ number, asked });
      });
    } finally {
      signal?.removeEventListener("abort", stop);
    }
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

/** A worker may not be started from another host, but one that imports it may. */
function started(script: string): Worker {
  const type = "module";
  const { href, origin } = new URL(script, globalThis.location.href);
  if (origin === globalThis.location.origin) return new Worker(href, { type });
  const start = new Blob([`import ${JSON.stringify(href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(start), { type });
}

const isMono = (samples: unknown) =>
  Object.prototype.toString.call(samples) === "[object Float32Array]";

/** What a browser can decode, as mono samples at 16 kHz: a recording, or an audio file. */
export async function samplesOf(sound: Blob): Promise<Float32Array> {
  const context = new OfflineAudioContext(1, 1, SAMPLE_RATE);
  let decoded: AudioBuffer;
  try {
    decoded = await context.decodeAudioData(await sound.arrayBuffer());
  } catch (error) {
    throw new NativeEarError(
      "This is no sound that the browser can decode.",
      "bad-audio",
      String(error),
      "Take a recording, or an audio file such as WAV, MP3 or M4A.",
    );
  }
  return mixed(Array.from({ length: decoded.numberOfChannels }, (_, i) => decoded.getChannelData(i)));
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
