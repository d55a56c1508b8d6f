/**
 * The groups of a query and their cells, merged from partials. Memory grows with the groups that are found: their keys
 * and slots, about 24 bytes each, and the records of their cells.
 */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import type { NativeType } from '../../kernels/native-types.js';
import { mergerOf, newMerged, type MergedRecord } from './combine.js';
import { KeyTable } from './key-table.js';
import type { RecordName } from './records.js';
import type { GroupsPartial } from '../specs.js';

/** Room for so many groups at first; for fewer, where each has many cells. */
const FIRST_GROUPS = 256;
const FIRST_CELLS_MAX = 16 * 1024;

export class GroupStore {
  readonly table: KeyTable;
  /** Cells of each group. */
  readonly cells: number;
  readonly #type: NativeType;
  readonly #valuesPerCell: number;
  /** Rows of each group. */
  rows: Float64Array;
  readonly #records: Map<RecordName, MergedRecord>;

  constructor(parts: number, records: readonly RecordName[], type: NativeType, cells: number, valuesPerCell = 1) {
    this.table = new KeyTable(parts);
    this.cells = cells;
    this.#type = type;
    this.#valuesPerCell = valuesPerCell;
    const room = Math.max(1, Math.min(FIRST_GROUPS, Math.floor(FIRST_CELLS_MAX / Math.max(1, cells))));
    this.rows = new Float64Array(room);
    this.#records = new Map(records.map(name => [name, newMerged(name, room * cells)]));
  }

  /** What it holds. */
  get bytes(): number {
    let bytes = this.table.bytes + this.rows.byteLength;
    for (const record of this.#records.values()) bytes += record.byteLength;
    return bytes;
  }

  /** The records of all cells: cell c of group g is item `g * cells + c`. */
  record(name: RecordName): MergedRecord {
    return this.#records.get(name)!;
  }

  /** The same, undefined where it is not kept. */
  optional(name: RecordName): MergedRecord | undefined {
    return this.#records.get(name);
  }

  /** Keeps a record more. Nothing may have been merged yet. */
  add(name: RecordName): void {
    if (!this.#records.has(name)) this.#records.set(name, newMerged(name, this.rows.length * this.cells));
  }

  /** Ordinals of keys, part by part. @throws too_large */
  ordinalsOf(keys: BigUint64Array<ArrayBuffer>, groups: number): Uint32Array {
    const { words } = this.table;
    const keyWords = new Uint32Array(keys.buffer);
    const ordinals = new Uint32Array(groups);
    for (let i = 0; i < groups; i++) ordinals[i] = this.table.ordinalOf(keyWords, i * words);
    this.#grow();
    return ordinals;
  }

  /** Adds rows to groups, which may be new; answers their ordinals. @throws too_large */
  mergeGroups(keys: BigUint64Array<ArrayBuffer>, rows: Uint32Array, groups: number): Uint32Array {
    const ordinals = this.ordinalsOf(keys, groups);
    for (let i = 0; i < groups; i++) this.rows[ordinals[i]!]! += rows[i]!;
    return ordinals;
  }

  /** @throws too_large */
  merge(partial: GroupsPartial): void {
    const { groups, keys, rows, cellStart, cellCount } = partial;
    const perGroup = groups === 0 ? 0 : cellCount / groups;
    const ordinals = this.mergeGroups(keys, rows, groups);
    for (const [name, into] of this.#records) {
      const bytes = partial[name];
      if (!bytes) continue;
      const merge = mergerOf(name, this.#type, bytes);
      for (let i = 0; i < groups; i++) {
        const to = ordinals[i]! * this.cells + cellStart;
        for (let cell = 0; cell < perGroup; cell++) merge(into, to + cell, i * perGroup + cell);
      }
    }
  }

  #grow(): void {
    const { size } = this.table;
    const perGroup = this.cells * this.#valuesPerCell;
    if (size * perGroup > LIMITS.cellsMax) {
      fail(
        'too_large',
        `There are ${size} groups or more, of ${perGroup} values each; at most ${LIMITS.cellsMax} values are possible. Reduce more axes, or group by fewer keys.`,
        { limit: LIMITS.cellsMax, groups: size },
      );
    }
    if (size <= this.rows.length) return;
    const most = perGroup === 0 ? LIMITS.groupsMax : Math.floor(LIMITS.cellsMax / perGroup);
    const capacity = Math.max(size, Math.min(most, 2 * this.rows.length));
    const larger = new Float64Array(capacity);
    larger.set(this.rows);
    this.rows = larger;
    for (const [name, record] of this.#records) {
      const grown = newMerged(name, capacity * this.cells);
      grown.set(record.subarray(0, record.length));
      this.#records.set(name, grown);
    }
  }
}
