/** A pack, as `nativeear web-pack` writes it, opened from a static host. */

import { NativeEarError } from "./errors";
import type { EncoderSettings } from "./speech/compact";
import type { Phone } from "./speech/inventory";
import type { LabelMap } from "./speech/phone_head";
import type { ReadingRules } from "./speech/pronunciation";

export interface JudgeSettings {
  readonly calibration: string;
  readonly false_rejections: number;
  readonly doubted: number;
  readonly columns: readonly string[];
  readonly averages: Readonly<Record<string, number>>;
  readonly measures: readonly string[];
}

export interface PackFile {
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly format_version: number;
  readonly language: string;
  readonly index: string;
  readonly classes: readonly string[];
  readonly bounds: readonly number[];
  readonly pooling: string;
  readonly top_m: number;
  readonly temperature: number;
  readonly inventory: readonly Phone[];
  readonly encoder: EncoderSettings & { readonly name: string; readonly fingerprint: string };
  readonly head: LabelMap;
  readonly judge: JudgeSettings;
  readonly reading: ReadingRules;
  readonly licences: readonly { readonly what: string; readonly licence: string }[];
  readonly files: Readonly<Record<string, PackFile>>;
}

export const FORMAT_VERSION = 3;

/** Told while a pack is fetched: bytes that are there, and that there will be. */
export type Progress = (loaded: number, total: number) => void;

/** Gives the bytes beside `pack.json` by their path; `told` hears of each piece. */
export type Fetch = (path: string, told: (bytes: number) => void) => Promise<ArrayBuffer>;

export interface Pack {
  readonly manifest: Manifest;
  readonly part: (name: string) => ArrayBuffer;
}

/** Read `pack.json` and every file that it names. */
export async function readPack(fetched: Fetch, progress: Progress = () => {}): Promise<Pack> {
  const text = new TextDecoder().decode(await fetched("pack.json", () => {}));
  const manifest: Manifest = JSON.parse(text);
  if (manifest.format_version !== FORMAT_VERSION) {
    throw new NativeEarError(
      `The pack has the format ${manifest.format_version}, and this page reads ${FORMAT_VERSION}.`,
      "bad-pack",
      "",
      "Make it again with the `nativeear web-pack` of this release.",
    );
  }
  const total = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  let loaded = 0;
  const parts = await Promise.all(
    Object.entries(manifest.files).map(async ([name, file]) => {
      const bytes = await fetched(file.path, (more) => progress((loaded += more), total));
      if (bytes.byteLength !== file.bytes) {
        throw new NativeEarError(
          `${file.path} has ${bytes.byteLength} bytes, and should have ${file.bytes}.`,
          "bad-pack",
          "",
          "Copy the pack to the host again, and let it send the files as they are.",
        );
      }
      return [name, bytes] as const;
    }),
  );
  const held = new Map(parts);
  return {
    manifest,
    part: (name) => {
      const bytes = held.get(name);
      if (!bytes) throw new NativeEarError(`The pack has no ${name}.`, "bad-pack");
      held.delete(name); // read once, and not kept
      return bytes;
    },
  };
}

/** Fetch from a folder's address. */
export function fetchedFrom(url: string): Fetch {
  return async (path, told) => {
    // the other files are named by what is in them: a kept one is as good
    const cache = path === "pack.json" ? "no-cache" : "force-cache";
    const response = await fetch(new URL(path, url), { cache });
    if (!response.ok || !response.body) {
      throw new NativeEarError(
        `${path} could not be fetched.`,
        "bad-pack",
        `The host answered ${response.status}.`,
        "Give the folder that `nativeear web-pack` wrote, with a slash at its end.",
      );
    }
    const pieces: Uint8Array<ArrayBuffer>[] = [];
    const reader = response.body.getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      pieces.push(read.value);
      told(read.value.byteLength);
    }
    return new Blob(pieces).arrayBuffer();
  };
}
