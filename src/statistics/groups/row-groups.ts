/**
 * Rows → group indices of their groups. Keys that fit into 64 bits are one code; where there are more, group indices of the parts
 * are paired until one is left. Blocks of rows are small enough for the first-level cache.
 */
import type { GroupKey } from '../../grouping/keys.js';
import { valueTypeOf, type RowColumn } from '../../filter/filter.js';
import type { Kernels } from '../../kernels/declarations.js';
import type { Engine } from '../../kernels/engine.js';
import { GroupIndexTable, packedCodes, type KernelValues } from '../../kernels/group-index.js';
import { putTimeBlocks, TIME_BLOCKS_BYTES, type TimeBlocks } from '../../kernels/time-blocks.js';
import type { RowColumns } from '../../scan/columns.js';
import { partsOf } from '../../grouping/key-table.js';

/** Rows that are looked at together. */
export const BLOCK_ROWS = 4096;

/** Used rows of a tile: numbers at `picked`, or `start` and on where that is 0. */
export interface BlockRows {
  readonly picked: number;
  readonly start: number;
  readonly count: number;
}

export class RowGroups {
  readonly #engine: Engine;
  readonly #parts: readonly { readonly keys: readonly PlacedKey[]; readonly table: GroupIndexTable }[];
  /** Of pairs of group indices: of the first two parts, of that and the third, … */
  readonly #pairs: readonly GroupIndexTable[];
  readonly #codes: number;
  readonly #more: number;
  readonly #groupIndices: number;
  readonly #others: number;

  constructor(engine: Engine, keys: readonly GroupKey[], groupsMax: number) {
    this.#engine = engine;
    const { scratch } = engine;
    this.#parts = partsOf(keys).map(part => ({
      keys: part.map(key => placeKey(engine, key)),
      table: new GroupIndexTable(engine, groupsMax, liesClose(part)),
    }));
    this.#pairs = this.#parts.slice(1).map(() => new GroupIndexTable(engine, groupsMax, false));
    this.#codes = scratch.alloc(8 * BLOCK_ROWS);
    this.#more = scratch.alloc(8 * BLOCK_ROWS);
    this.#groupIndices = scratch.alloc(4 * BLOCK_ROWS);
    this.#others = scratch.alloc(4 * BLOCK_ROWS);
  }

  get parts(): number {
    return this.#parts.length;
  }

  get known(): number {
    return (this.#pairs.at(-1) ?? this.#parts[0]!.table).known;
  }

  clear(): void {
    for (const { table } of this.#parts) table.clear();
    for (const table of this.#pairs) table.clear();
  }

  /** Begins with known groups, ascending and all different, whose group indices are their positions. */
  preload(known: BigUint64Array): void {
    const { scratch } = this.#engine;
    const { parts } = this;
    if (parts === 1) {
      this.#parts[0]!.table.preload(known);
      return;
    }
    this.clear();
    const groups = known.length / parts;
    for (let from = 0; from < groups; from += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, groups - from);
      for (let part = 0; part < parts; part++) {
        const codes = scratch.u64(this.#codes, count);
        for (let i = 0; i < count; i++) codes[i] = known[(from + i) * parts + part]!;
        this.#parts[part]!.table.assign(
          packedCodes(this.#codes),
          count,
          part === 0 ? this.#groupIndices : this.#others,
        );
        if (part > 0) this.#pair(part - 1, count);
      }
    }
  }

  /**
   * Group indices of a block of rows at an address that holds until the next call; of fewer rows where the table is full.
   */
  assign(columns: RowColumns, rows: BlockRows): { groupIndices: number; done: number } {
    let done = this.#assignPart(0, columns, rows, this.#groupIndices);
    for (let i = 0; i < this.#pairs.length; i++) {
      done = this.#assignPart(i + 1, columns, { ...rows, count: done }, this.#others);
      done = this.#pair(i, done);
    }
    return { groupIndices: this.#groupIndices, done };
  }

  /** The group indices so far and those of the next part become one. */
  #pair(number: number, count: number): number {
    this.#engine.kernels.pairGroupIndices(this.#groupIndices, this.#others, count, this.#codes);
    return this.#pairs[number]!.assign(packedCodes(this.#codes), count, this.#groupIndices);
  }

  #assignPart(number: number, columns: RowColumns, rows: BlockRows, groupIndices: number): number {
    const { keys, table } = this.#parts[number]!;
    const [sole, another] = keys;
    const plain = another === undefined ? plainValues(sole!, columns, rows) : undefined;
    const values = plain ?? this.#joined(keys, columns, rows);
    return table.assign(values, rows.count, groupIndices);
  }

  /** One code of all keys of a part. */
  #joined(keys: readonly PlacedKey[], columns: RowColumns, rows: BlockRows): KernelValues {
    const { kernels } = this.#engine;
    for (const [i, key] of keys.entries()) {
      const into = i === 0 ? this.#codes : this.#more;
      putCodes(kernels, key, columns, rows, into);
      if (key.bins) kernels.binCodes(into, rows.count, key.bins.ptr, key.bins.count);
      if (i > 0) kernels.joinCodes(this.#codes, into, key.bits, rows.count);
    }
    return packedCodes(this.#codes);
  }

  /** The codes of all known groups, part by part, in memory of their own. */
  keysOf(): BigUint64Array<ArrayBuffer> {
    const { scratch } = this.#engine;
    const groups = this.known;
    const { parts } = this;
    const keys = new BigUint64Array(groups * parts);
    const codesOf = (table: GroupIndexTable): BigUint64Array => scratch.u64(table.entries, table.known);
    if (parts === 1) {
      keys.set(codesOf(this.#parts[0]!.table));
      return keys;
    }
    // From the last pair inwards: its second group index is of the last part, its first of the pair before.
    const groupIndices = Uint32Array.from({ length: groups }, (_, i) => i);
    for (let pair = this.#pairs.length - 1; pair >= 0; pair--) {
      const { entries, known } = this.#pairs[pair]!;
      const halves = scratch.u32(entries, 2 * known);
      const codes = codesOf(this.#parts[pair + 1]!.table);
      for (let i = 0; i < groups; i++) {
        const at = 2 * groupIndices[i]!;
        keys[i * parts + pair + 1] = codes[halves[at]!]!;
        groupIndices[i] = halves[at + 1]!;
      }
    }
    const codes = codesOf(this.#parts[0]!.table);
    for (let i = 0; i < groups; i++) keys[i * parts] = codes[groupIndices[i]!]!;
    return keys;
  }
}

function keyValues(column: RowColumn, columns: RowColumns, { picked, start }: BlockRows): KernelValues {
  const { typeNumber, ptr, stride } = columns.get(column);
  return { typeNumber, from: picked === 0 ? ptr + start * stride : ptr, stride, picked };
}

/** Values that kernels tell apart as they are. */
function plainValues({ key, bins }: PlacedKey, columns: RowColumns, rows: BlockRows): KernelValues | undefined {
  if (bins || !key.column || valueTypeOf(key.column) === 'time') return undefined;
  return keyValues(key.column, columns, rows);
}

/** The codes of a key, before bins. */
function putCodes(
  kernels: Kernels,
  { key, blocks }: PlacedKey,
  columns: RowColumns,
  rows: BlockRows,
  to: number,
): void {
  if (!key.column) {
    kernels.rowCodes(columns.first, rows.start, rows.picked, rows.count, key.rows, to);
    return;
  }
  const { typeNumber, from, stride, picked } = keyValues(key.column, columns, rows);
  if (valueTypeOf(key.column) === 'time') kernels.timeCodes(from, stride, picked, rows.count, blocks, to);
  else kernels.codes(typeNumber, from, stride, picked, rows.count, to);
}

/** Whether codes are likely to lie close together: those of floats do not. */
function liesClose(keys: readonly GroupKey[]): boolean {
  return keys.every(key => !key.column || key.bins !== undefined || key.column.dtype.kind !== 'f');
}

interface PlacedKey {
  readonly key: GroupKey;
  readonly bits: number;
  readonly bins: { readonly ptr: number; readonly count: number } | undefined;
  /** Where kernels are told of blocks of time; 0 where there are none. */
  readonly blocks: number;
}

function placeKey(engine: Engine, key: GroupKey): PlacedKey {
  const { bits } = key;
  if (!key.column) return { key, bits, bins: undefined, blocks: 0 };
  return {
    key,
    bits,
    bins: key.bins && placeBins(engine, key.bins),
    blocks: key.blocks ? placeBlocks(engine, key.blocks) : 0,
  };
}

function placeBins({ scratch }: Engine, bins: BigUint64Array): PlacedKey['bins'] {
  const ptr = scratch.alloc(8 * bins.length);
  scratch.u64(ptr, bins.length).set(bins);
  return { ptr, count: bins.length };
}

function placeBlocks({ scratch, memory }: Engine, blocks: TimeBlocks): number {
  const ptr = scratch.alloc(TIME_BLOCKS_BYTES);
  putTimeBlocks(new DataView(memory.buffer), ptr, blocks);
  return ptr;
}
