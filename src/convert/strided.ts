/** Copies elements that lie at equal distances: 8, 4 or 2 bytes at a time, at any alignment. */

export interface Strided {
  readonly from: number;
  readonly fromStride: number;
  readonly to: number;
  readonly toStride: number;
  /** Of an element. */
  readonly bytes: number;
  readonly count: number;
}

export function copyStrided(source: Uint8Array, target: Uint8Array, places: Strided): void {
  const { from, fromStride, to, toStride, bytes, count } = places;
  if (fromStride === bytes && toStride === bytes) target.set(source.subarray(from, from + bytes * count), to);
  else if (bytes === 1) copyBytes(source, target, places);
  else if (bytes === 2 || bytes === 4 || bytes === 8) copyWords(source, target, places);
  else if (bytes > SHORT_BYTES) {
    for (let i = 0, a = from, b = to; i < count; i++, a += fromStride, b += toStride) {
      target.set(source.subarray(a, a + bytes), b);
    }
  } else {
    for (let k = 0; k < bytes; k++) copyBytes(source, target, { ...places, from: from + k, to: to + k, bytes: 1 });
  }
}

/** Up to here elements go byte by byte: a view of each would cost more. */
const SHORT_BYTES = 24;

function copyBytes(source: Uint8Array, target: Uint8Array, { from, fromStride, to, toStride, count }: Strided): void {
  for (let i = 0, a = from, b = to; i < count; i++, a += fromStride, b += toStride) target[b] = source[a]!;
}

function copyWords(source: Uint8Array, target: Uint8Array, places: Strided): void {
  const { from, fromStride, to, toStride, bytes, count } = places;
  const input = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const output = new DataView(target.buffer, target.byteOffset, target.byteLength);
  if (bytes === 2) {
    for (let i = 0, a = from, b = to; i < count; i++, a += fromStride, b += toStride) {
      output.setUint16(b, input.getUint16(a, true), true);
    }
  } else {
    for (let i = 0, a = from, b = to; i < count; i++, a += fromStride, b += toStride) {
      output.setUint32(b, input.getUint32(a, true), true);
      if (bytes === 8) output.setUint32(b + 4, input.getUint32(a + 4, true), true);
    }
  }
}
