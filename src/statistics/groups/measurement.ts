/**
 * The groups measurement: tiles with chosen rows → groups as they appear in a chunk, and what their cells gather.
 * Memory: tables and records for CELLS_MAX cells; where a chunk has more, what it has so far is set aside and the rest
 * begins anew, so that a group may come up twice.
 */
import { sizeOf } from '../../layout/view.js';
import type { Box } from '../axes.js';
import type { Engine } from '../engine.js';
import type { Measurement } from '../measurements.js';
import { NATIVE_BYTES } from '../native-types.js';
import type { Tile } from '../tiles.js';
import type { ChunkTask } from '../walk.js';
import { CellRecords } from './cell-records.js';
import { RECORDS, type GroupsMeasure, type GroupsPartial, type RecordBytes, type RecordName } from './measure.js';
import { BLOCK_ROWS, RowGroups, type BlockRows } from './row-groups.js';

/** Cells that are gathered for at a time: about 15 MiB of records at most. */
const CELLS_MAX = 128 * 1024;

/** What was found until the tables were full. */
interface Segment {
  readonly groups: number;
  readonly keys: BigUint64Array<ArrayBuffer>;
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly records: RecordBytes;
}

export class GroupsMeasurement implements Measurement {
  readonly #engine: Engine;
  readonly #measure: GroupsMeasure;
  readonly #chunk: ChunkTask;
  readonly #groups: RowGroups;
  readonly #records: CellRecords;
  /** Rows of each group, u32. */
  readonly #rows: number;
  readonly #segments: Segment[] = [];
  #places: { readonly box: Box; readonly elements: readonly Element[] } | undefined;

  constructor(engine: Engine, measure: GroupsMeasure, chunk: ChunkTask) {
    this.#engine = engine;
    this.#measure = measure;
    this.#chunk = chunk;
    const rowsMax = chunk.rows!.length;
    const groupsMax = Math.max(1, Math.min(rowsMax, Math.floor(CELLS_MAX / chunk.cellCount)));
    this.#groups = new RowGroups(engine, measure.keys, groupsMax);
    this.#records = new CellRecords(engine, measure, groupsMax * chunk.cellCount);
    this.#rows = engine.scratch.alloc(4 * groupsMax);
  }

  add({ ptr, box, rows }: Tile): void {
    const { columns, count, picked, start } = rows!;
    const elements = this.#elementsOf(box);
    for (let from = 0; from < count;) {
      const block: BlockRows = {
        picked: picked === 0 ? 0 : picked + 4 * from,
        start: start + from,
        count: Math.min(BLOCK_ROWS, count - from),
      };
      const before = this.#groups.known;
      const { ordinals, done } = this.#groups.assign(columns, block);
      this.#begin(before, this.#groups.known);
      if (rows!.isFirstStrip) this.#engine.kernels.countCells(ordinals, done, this.#rows);
      this.#gather(ptr, elements, { ...block, count: done }, ordinals);
      from += done;
      if (done < block.count) this.#setAside();
    }
  }

  partial(): GroupsPartial {
    this.#setAside();
    const segments = this.#segments;
    const groups = segments.reduce((sum, segment) => sum + segment.groups, 0);
    const { parts } = this.#groups;
    const keys = new BigUint64Array(groups * parts);
    const rows = new Uint32Array(groups);
    const records: { [R in RecordName]?: Uint8Array<ArrayBuffer> } = {};
    const { cellStart, cellCount } = this.#chunk;
    for (const name of this.#measure.records) records[name] = new Uint8Array(groups * cellCount * RECORDS[name].bytes);
    let at = 0;
    for (const segment of segments) {
      keys.set(segment.keys, at * parts);
      rows.set(segment.rows, at);
      for (const name of this.#measure.records) {
        records[name]!.set(segment.records[name]!, at * cellCount * RECORDS[name].bytes);
      }
      at += segment.groups;
    }
    return { cellStart, cellCount: groups * cellCount, groups, keys, rows, ...records };
  }

  /** Groups `[from, to)` are new. */
  #begin(from: number, to: number): void {
    if (from === to) return;
    this.#engine.scratch.u32(this.#rows + 4 * from, to - from).fill(0);
    this.#records.clear(from * this.#chunk.cellCount, to * this.#chunk.cellCount);
  }

  #gather(ptr: number, elements: readonly Element[], rows: BlockRows, ordinals: number): void {
    const { count, picked, start } = rows;
    for (const { offset, stride, cell } of elements) {
      const from = ptr + offset + (picked === 0 ? start * stride : 0);
      this.#records.add(from, stride, picked, count, ordinals, this.#chunk.cellCount, cell);
    }
  }

  /** Where the elements of a row stand in a tile, and their cells; the same for most tiles of a chunk. */
  #elementsOf(box: Box): readonly Element[] {
    if (this.#measure.records.length === 0) return [];
    if (!this.#places || !isSameBox(this.#places.box, box)) {
      this.#places = { box, elements: elementsOfRow(box, NATIVE_BYTES[this.#measure.type]) };
    }
    return this.#places.elements;
  }

  #setAside(): void {
    const groups = this.#groups.known;
    if (groups === 0) return;
    const views = this.#records.viewOf(groups * this.#chunk.cellCount);
    const records = Object.fromEntries(Object.entries(views).map(([name, bytes]) => [name, bytes.slice()]));
    const rows = this.#engine.scratch.u32(this.#rows, groups).slice();
    this.#segments.push({ groups, keys: this.#groups.keysOf(), rows, records });
    this.#groups.clear();
  }
}

/** One element of every row: bytes from the tile's start, bytes from row to row, and its cell. */
interface Element {
  readonly offset: number;
  readonly stride: number;
  readonly cell: number;
}

function elementsOfRow({ axes, cell }: Box, itemBytes: number): Element[] {
  const at = axes.findIndex(axis => axis.rows);
  const stride = axes[at]!.stride * itemBytes;
  const others = axes.filter((_, i) => i !== at);
  const elements: Element[] = [];
  for (let number = 0; number < sizeOf(others.map(axis => axis.length)); number++) {
    let rest = number;
    let offset = 0;
    let own = cell;
    for (const axis of others.toReversed()) {
      const position = rest % axis.length;
      rest = Math.floor(rest / axis.length);
      offset += position * axis.stride * itemBytes;
      own += position * axis.cellStep;
    }
    elements.push({ offset, stride, cell: own });
  }
  return elements;
}

function isSameBox(a: Box, b: Box): boolean {
  return (
    a.cell === b.cell &&
    a.axes.length === b.axes.length &&
    a.axes.every(({ stride, length, rows }, i) => {
      const other = b.axes[i]!;
      return stride === other.stride && (rows !== undefined || length === other.length);
    })
  );
}
