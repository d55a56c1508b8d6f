/** Texts: places among others, and which are different. */
import type { Kernels } from '../../../../src/kernels/index.js';

export function textKernels(memory: DataView) {
  const bytes = new Uint8Array(memory.buffer);
  const unitsOf = (form: number, at: number, length: number): number[] =>
    Array.from({ length }, (_, i) => (form === 0 ? memory.getUint8(at + i) : memory.getUint32(at + 4 * i, form === 1)));
  const itemOf = (at: number, length: number): string => bytes.subarray(at, at + length).join();
  return {
    textPlaces(form, from, stride, count, length, entries, units, n, to) {
      const unitBytes = form === 0 ? 1 : 4;
      const all = Array.from({ length: n }, (_, i) =>
        unitsOf(Math.min(form, 1), entries + i * units * unitBytes, units),
      );
      for (let i = 0; i < count; i++) {
        const own = unitsOf(form, from + i * stride, length);
        const orders = all.map(entry => order(own, entry));
        const below = orders.filter(each => each > 0).length;
        memory.setUint32(to + 4 * i, 2 * below + (orders.includes(0) ? 1 : 0), true);
      }
    },
    distinctItems(from, stride, rows, count, length, slots, bits, entries, counts, knownMax, state) {
      const known = memory.getUint32(state, true);
      const seen = new Map(
        Array.from({ length: known }, (_, i) => [itemOf(entries + i * length, length), counts + 4 * i]),
      );
      let done = 0;
      for (; done < count; done++) {
        const at = from + stride * (rows ? memory.getUint32(rows + 4 * done, true) : done);
        const item = itemOf(at, length);
        const met = seen.get(item);
        if (met !== undefined) {
          memory.setUint32(met, memory.getUint32(met, true) + 1, true);
          continue;
        }
        if (seen.size === knownMax) break;
        bytes.copyWithin(entries + seen.size * length, at, at + length);
        let slot = hashOf(memory, at, length) & (2 ** bits - 1);
        while (memory.getUint32(slots + 4 * slot, true) !== 0) slot = (slot + 1) % 2 ** bits;
        memory.setUint32(counts + 4 * seen.size, 1, true);
        seen.set(item, counts + 4 * seen.size);
        memory.setUint32(slots + 4 * slot, seen.size, true);
      }
      memory.setUint32(state, seen.size, true);
      return done;
    },
  } satisfies Partial<Kernels>;
}

/** Padded with zeros; an entry whose last unit is 1 goes on. */
function order(text: readonly number[], entry: readonly number[]): number {
  const isCut = entry.at(-1) !== 0;
  for (let i = 0; i < Math.max(text.length, entry.length - 1); i++) {
    const difference = (text[i] ?? 0) - (i < entry.length - 1 ? entry[i]! : 0);
    if (difference !== 0) return difference;
  }
  return isCut ? -1 : 0;
}

function hashOf(memory: DataView, at: number, length: number): number {
  let hash = 0x811c_9dc5;
  let i = 0;
  for (; i + 4 <= length; i += 4) {
    hash = Math.imul(hash ^ memory.getUint32(at + i, true), 0x0100_0193);
    hash ^= hash >>> 15;
  }
  for (; i < length; i++) hash = Math.imul(hash ^ memory.getUint8(at + i), 0x0100_0193);
  return (hash ^ (hash >>> 16)) >>> 0;
}
