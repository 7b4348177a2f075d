/** The worker in which everything is heard, so that the page never waits. */

import * as ort from "onnxruntime-web/wasm";

import { NativeEarError } from "./errors";
import { fetchedFrom, readPack } from "./pack";
import { Assessor } from "./scoring/assessor";
import type { Pronunciation } from "./speech/canonical";
import { unzipped } from "./unzipped";

export type Asked =
  | { readonly kind: "load"; readonly url: string; readonly threads: number }
  | {
      readonly kind: "assess";
      readonly samples: Float32Array;
      readonly text: string | Pronunciation;
      readonly name: string;
      readonly l1: string | null;
    }
  | { readonly kind: "clip"; readonly exemplar: number };

/** What is asked, by its number; a number alone is asked no more. */
export interface Message {
  readonly number: number;
  readonly asked?: Asked;
}

export type Answer =
  | { readonly kind: "progress"; readonly loaded: number; readonly total: number }
  | { readonly kind: "done"; readonly number: number; readonly value: unknown }
  | {
      readonly kind: "failed";
      readonly number: number;
      readonly message: string;
      readonly code: NativeEarError["code"];
      readonly reason: string;
      readonly fix: string;
    };

const OPTIONS: ort.InferenceSession.SessionOptions = { executionProviders: ["wasm"] };

const tell = (answer: Answer) => globalThis.postMessage(answer);

let assessor: Assessor | undefined;
let folder = "";
/** One recording after the other: the graph is run once at a time. */
let before: Promise<unknown> = Promise.resolve();

const waiting = new Set<number>();

globalThis.onmessage = ({ data: { number, asked } }: MessageEvent<Message>) => {
  if (!asked) waiting.delete(number);
  else {
    waiting.add(number);
    before = before.then(() => answer(number, asked));
  }
};

async function answer(number: number, asked: Asked): Promise<void> {
  await new Promise((done) => setTimeout(done)); // until it is known what is asked no more
  if (!waiting.delete(number)) return;
  try {
    tell({ kind: "done", number, value: await answered(asked) });
  } catch (error) {
    const known = error instanceof NativeEarError ? error : undefined;
    tell({
      kind: "failed",
      number,
      message: known?.message ?? `The page has a fault: ${error}`,
      code: known?.code ?? "fault",
      reason: known?.reason ?? "",
      fix: known?.fix ?? "",
    });
  }
}

async function answered(asked: Asked): Promise<unknown> {
  if (asked.kind === "load") {
    assessor = await loaded(asked.url, asked.threads);
    folder = asked.url;
    return null;
  }
  if (!assessor) throw new NativeEarError("No pack is open.", "fault");
  if (asked.kind === "assess") {
    return assessor.assess(asked.samples, asked.text, asked.name, asked.l1);
  }
  const clip = assessor.index.clipOf(asked.exemplar);
  return clip && { ...clip, url: new URL(clip.path, folder).href };
}

async function loaded(url: string, threads: number): Promise<Assessor> {
  ort.env.wasm.numThreads = threads;
  ort.env.wasm.wasmPaths = new URL("./", import.meta.url).href;
  // no graph, but the runtime is compiled for it while the pack is fetched
  ort.InferenceSession.create(new Uint8Array(0), OPTIONS).catch(() => {});
  const pack = await readPack(fetchedFrom(url), (loaded, total) =>
    tell({ kind: "progress", loaded, total }),
  );
  const [lexicon, session] = await Promise.all([
    unzipped(pack.part("lexicon")),
    ort.InferenceSession.create(new Uint8Array(pack.part("encoder")), OPTIONS).catch(notStarted),
  ]);
  return new Assessor(pack, lexicon, ort, session);
}

function notStarted(error: unknown): never {
  throw new NativeEarError(
    "The encoder could not be started.",
    "fault",
    String(error),
    "Keep all files of `dist` beside each other, and let the page's policy allow WebAssembly.",
  );
}
