/** Long recordings in overlapping windows. Twin of `speech/encoders/windows.py`. */

import type { Matrix32 } from "../matrix";

export interface Window {
  readonly start: number;
  readonly stop: number;
  readonly keepStart: number;
  readonly keepStop: number;
}

export function plan(frames: number, size: number, margin: number): Window[] {
  if (frames <= size) return [{ start: 0, stop: frames, keepStart: 0, keepStop: frames }];
  const last = frames - size;
  const starts: number[] = [];
  for (let start = 0; start < last; start += size - 2 * margin) starts.push(start);
  starts.push(last);
  const edges = [0];
  for (let i = 0; i + 1 < starts.length; i++) {
    edges.push(Math.floor((starts[i] + size + starts[i + 1]) / 2));
  }
  edges.push(frames);
  return starts.map((start, i) => ({
    start,
    stop: start + size,
    keepStart: edges[i],
    keepStop: edges[i + 1],
  }));
}

export function stitch(pieces: readonly Matrix32[], windows: readonly Window[]): Matrix32 {
  const columns = pieces[0].columns;
  const rows = windows[windows.length - 1].keepStop;
  const values = new Float32Array(rows * columns);
  windows.forEach((window, i) => {
    const kept = pieces[i].values.subarray(
      (window.keepStart - window.start) * columns,
      (window.keepStop - window.start) * columns,
    );
    values.set(kept, window.keepStart * columns);
  });
  return { rows, columns, values };
}
