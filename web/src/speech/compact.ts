/** The encoder that ships, in onnxruntime-web. Twin of `speech/encoders/compact.py`. */

import type { InferenceSession, Tensor } from "onnxruntime-web";

import type { Matrix32 } from "../matrix";
import type { Frames } from "./frames";
import { logMel } from "./log_mel";
import { plan, stitch } from "./windows";

const WINDOW_FRAMES = 500;
const MARGIN_FRAMES = 100;

export interface EncoderSettings {
  /** The output that is searched. */
  readonly embeddings: string;
  readonly hop_s: number;
  readonly offset_s: number;
}

/** What is needed of onnxruntime-web: pages, workers and Node load it differently. */
export interface Runtime {
  readonly Tensor: typeof Tensor;
  readonly InferenceSession: { create: typeof InferenceSession.create };
}

export class ShippedEncoder {
  constructor(
    private readonly runtime: Runtime,
    private readonly session: InferenceSession,
    private readonly settings: EncoderSettings,
  ) {}

  /** Encode samples at 16 kHz; beyond 10 s in overlapping windows. */
  async encode(samples: Float32Array): Promise<Frames> {
    const mel = logMel(samples);
    const windows = plan(Math.floor((mel.columns + 1) / 2), WINDOW_FRAMES, MARGIN_FRAMES);
    const embeddings: Matrix32[] = [];
    const logProbs: Matrix32[] = [];
    for (const window of windows) {
      const outputs = await this.run(mel, 2 * window.start, Math.min(2 * window.stop, mel.columns));
      embeddings.push(outputs[0]);
      logProbs.push(outputs[1]);
    }
    return {
      embeddings: stitch(embeddings, windows),
      logProbs: stitch(logProbs, windows),
      hopS: this.settings.hop_s,
      offsetS: this.settings.offset_s,
    };
  }

  private async run(mel: Matrix32, first: number, past: number): Promise<[Matrix32, Matrix32]> {
    const length = past - first;
    const values = new Float32Array(mel.rows * length);
    for (let m = 0; m < mel.rows; m++) {
      const from = m * mel.columns;
      values.set(mel.values.subarray(from + first, from + past), m * length);
    }
    const input = new this.runtime.Tensor("float32", values, [1, mel.rows, length]);
    const wanted = [this.settings.embeddings, "log_probs"];
    const outputs = await this.session.run({ log_mel: input }, wanted);
    const found = wanted.map((name) => {
      const output = outputs[name];
      const [, rows, columns] = output.dims;
      const copied = new Float32Array(output.data as Float32Array);
      output.dispose();
      return { rows, columns, values: copied };
    });
    input.dispose();
    return found as [Matrix32, Matrix32];
  }
}
