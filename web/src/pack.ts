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
export type Fetch = (
  path: string,
  told: (bytes: number) => void,
  cache?: RequestCache,
) => Promise<ArrayBuffer>;

export interface Pack {
  readonly manifest: Manifest;
  readonly part: (name: string) => ArrayBuffer;
}

const FOLDER = "Give the address of the folder that `nativeear web-pack` wrote.";

/** Read `pack.json` and every file that it names. */
export async function readPack(fetched: Fetch, progress: Progress = () => {}): Promise<Pack> {
  const manifest = manifestOf(await fetched("pack.json", () => {}, "no-cache"));
  const total = Object.values(manifest.files).reduce((sum, file) => sum + file.bytes, 0);
  let loaded = 0;
  const parts = await Promise.all(
    Object.entries(manifest.files).map(async ([name, file]) => {
      const told = (more: number) => progress(Math.min((loaded += more), total), total);
      // named by what is in it, a file that was kept is as good, unless it was kept cut off
      const kept = await fetched(file.path, told, "force-cache").catch(() => new ArrayBuffer(0));
      if (await isWhole(kept, file)) return [name, kept] as const;
      const bytes = await fetched(file.path, () => {}, "reload");
      if (!(await isWhole(bytes, file))) {
        throw new NativeEarError(
          `${file.path} is not the file that belongs to this pack.`,
          "bad-pack",
          `It has ${bytes.byteLength} bytes, and should have ${file.bytes}.`,
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

function manifestOf(bytes: ArrayBuffer): Manifest {
  let manifest: Manifest | null = null;
  try {
    manifest = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    // told below
  }
  if (typeof manifest?.format_version !== "number") {
    throw new NativeEarError("What was fetched as pack.json is none.", "bad-pack", "", FOLDER);
  }
  if (manifest.format_version !== FORMAT_VERSION) {
    throw new NativeEarError(
      `The pack has the format ${manifest.format_version}, and this page reads ${FORMAT_VERSION}.`,
      "bad-pack",
      "",
      "Make it again with the `nativeear web-pack` of this release.",
    );
  }
  return manifest;
}

/** Whether nothing was cut off or changed; its hash is asked where a page may work out one. */
async function isWhole(bytes: ArrayBuffer, file: PackFile): Promise<boolean> {
  if (bytes.byteLength !== file.bytes) return false;
  if (!globalThis.crypto?.subtle) return true;
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("") === file.sha256;
}

/** Fetch from a folder's address. */
export function fetchedFrom(url: string): Fetch {
  return async (path, told, cache) => {
    const refused = (reason: string) =>
      new NativeEarError(`${path} could not be fetched.`, "bad-pack", reason, FOLDER);
    try {
      const response = await fetch(new URL(path, url), { cache });
      if (!response.ok || !response.body) throw refused(`The host answered ${response.status}.`);
      const pieces: Uint8Array<ArrayBuffer>[] = [];
      const reader = response.body.getReader();
      for (let read = await reader.read(); !read.done; read = await reader.read()) {
        pieces.push(read.value);
        told(read.value.byteLength);
      }
      return await new Blob(pieces).arrayBuffer();
    } catch (error) {
      if (error instanceof NativeEarError) throw error;
      throw refused(`${url} cannot be reached, or does not let this page read it (${error}).`);
    }
  };
}
