/** Arrays by name, as safetensors keep them. */

import { NativeEarError } from "./errors";

export type Values =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint8Array
  | Uint16Array
  | Uint32Array;

export interface Tensor {
  readonly shape: readonly number[];
  readonly values: Values;
}

export type Tensors = ReadonlyMap<string, Tensor>;

/** Read a whole file; halves become floats. */
export function readTensors(buffer: ArrayBuffer): Tensors {
  const size = Number(new DataView(buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, size)));
  const found = new Map<string, Tensor>();
  for (const [name, entry] of Object.entries<any>(header)) {
    if (name === "__metadata__") continue;
    const [first, past] = entry.data_offsets;
    const bytes = buffer.slice(8 + size + first, 8 + size + past);
    found.set(name, { shape: entry.shape, values: valuesOf(entry.dtype, bytes) });
  }
  return found;
}

function valuesOf(type: string, bytes: ArrayBuffer): Values {
  switch (type) {
    case "F64":
      return new Float64Array(bytes);
    case "F32":
      return new Float32Array(bytes);
    case "F16":
      return floats(new Uint16Array(bytes));
    case "I32":
      return new Int32Array(bytes);
    case "U32":
      return new Uint32Array(bytes);
    case "U16":
      return new Uint16Array(bytes);
    case "U8":
      return new Uint8Array(bytes);
    default:
      throw new NativeEarError(`The pack has numbers of the type ${type}.`, "bad-pack");
  }
}

/** Floats of half precision: a sign, 5 bits of exponent, 10 of fraction. */
function floats(halves: Uint16Array): Float32Array {
  const table = new Float32Array(1 << 16);
  for (let bits = 0; bits < table.length; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    table[bits] =
      sign *
      (exponent === 0
        ? fraction * 2 ** -24
        : exponent === 31
          ? fraction
            ? NaN
            : Infinity
          : (1 + fraction / 1024) * 2 ** (exponent - 15));
  }
  const found = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) found[i] = table[halves[i]];
  return found;
}

/** One array; the pack is damaged where there is none of that name. */
export function tensor(tensors: Tensors, name: string): Tensor {
  const found = tensors.get(name);
  if (!found) throw new NativeEarError(`The pack has no ${name}.`, "bad-pack");
  return found;
}

export function float32(tensors: Tensors, name: string): Float32Array {
  return tensor(tensors, name).values as Float32Array;
}

export function float64(tensors: Tensors, name: string): Float64Array {
  return tensor(tensors, name).values as Float64Array;
}
