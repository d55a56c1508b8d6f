/**
 * Partials of many chunks on their way to another thread: where all their fields lie in one shared buffer, four numbers
 * a chunk say where, since a view of the buffer for each field of each chunk takes longer to send than to combine.
 */
import type { PartialOf, SinkPartial } from '../statistics/index.js';

/** What one sink found in each of some chunks. */
export type PackedPartials =
  | { readonly partials: readonly (SinkPartial | undefined)[] }
  | {
      readonly buffer: SharedArrayBuffer;
      /** The fields of a partial lie one behind the other in this order. */
      readonly names: readonly string[];
      /** For each chunk: the position of its first field in the buffer, cellStart, cellCount, cellSize. */
      readonly heads: Float64Array;
    };

const HEAD_LENGTH = 4;

/** @param isReduced they are partials of reduce sinks */
export function packPartials(
  partials: readonly (SinkPartial | undefined)[],
  isReduced: boolean,
  buffer: SharedArrayBuffer | undefined,
): PackedPartials {
  if (!isReduced || !buffer || partials.length === 0) return { partials };
  const names = Object.keys((partials[0] as PartialOf<'reduce'>).fields);
  const heads = new Float64Array(HEAD_LENGTH * partials.length);
  for (const [i, partial] of (partials as readonly PartialOf<'reduce'>[]).entries()) {
    const first = partial.fields[names[0]!];
    if (first?.buffer !== buffer) return { partials };
    heads.set([first.byteOffset, partial.cellStart, partial.cellCount, partial.cellSize], HEAD_LENGTH * i);
  }
  return { buffer, names, heads };
}

/** The partial of one of the chunks. */
export function unpackPartial(packed: PackedPartials, i: number): SinkPartial | undefined {
  if ('partials' in packed) return packed.partials[i];
  const { buffer, names, heads } = packed;
  const at = HEAD_LENGTH * i;
  const cellCount = heads[at + 2]!;
  const fields: PartialOf<'reduce'>['fields'] = {};
  for (let n = 0; n < names.length; n++) {
    fields[names[n]!] = new Float64Array(buffer, heads[at]! + 8 * n * cellCount, cellCount);
  }
  return { cellStart: heads[at + 1]!, cellCount, cellSize: heads[at + 3]!, fields } satisfies PartialOf<'reduce'>;
}
