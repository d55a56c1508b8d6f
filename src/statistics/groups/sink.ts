/**
 * The groups sink: tiles with chosen rows → groups as they appear in a chunk, and what their cells gather.
 * Memory: tables and records for CELLS_MAX cells; where a chunk has more, what it has so far is set aside and the rest
 * begins anew, so that a group may come up twice.
 */
import type { Engine } from '../../kernels/engine.js';
import { NATIVE_BYTES } from '../../kernels/native-types.js';
import type { Tile } from '../scan/tiles.js';
import type { ChunkTask } from '../scan/scan.js';
import { CellRecords } from './cell-records.js';
import { eachBlock, type RowElement, RowElements, valuesAt } from './row-values.js';
import { RowGroups, type BlockRows } from './row-groups.js';
import type { GroupsSegment, PartialOf, SpecOf } from '../specs.js';
import type { Sink } from '../pass.js';

/** Cells that are gathered for at a time: about 15 MiB of records at most. */
const CELLS_MAX = 128 * 1024;

export class GroupsSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: SpecOf<'groups'>;
  readonly #chunk: ChunkTask;
  readonly #groups: RowGroups;
  readonly #records: CellRecords;
  /** Rows of each group, u32. */
  readonly #rows: number;
  /** What was found until the tables were full, and again. */
  readonly #segments: GroupsSegment[] = [];
  readonly #elements: RowElements;

  constructor(engine: Engine, spec: SpecOf<'groups'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#spec = spec;
    this.#chunk = chunk;
    const rowsMax = chunk.rows!.length;
    const groupsMax = Math.max(1, Math.min(rowsMax, Math.floor(CELLS_MAX / chunk.cellCount)));
    this.#groups = new RowGroups(engine, spec.keys, groupsMax);
    this.#records = new CellRecords(engine, spec, chunk.dtype, groupsMax * chunk.cellCount);
    this.#rows = engine.scratch.alloc(4 * groupsMax);
    this.#elements = new RowElements(NATIVE_BYTES[spec.type]);
  }

  add({ ptr, box, rows }: Tile): void {
    const first = this.#chunk.rows!.first + rows!.first;
    const elements = this.#spec.accumulators.length === 0 ? [] : this.#elements.of(box);
    eachBlock(
      this.#groups,
      rows!,
      () => this.#setAside(),
      (block, groupIndices, before) => {
        this.#begin(before, this.#groups.known);
        if (rows!.isFirstStrip) this.#engine.kernels.countRows(groupIndices, block.count, this.#rows);
        this.#gather(ptr, elements, block, groupIndices, first + (block.picked === 0 ? block.start : 0));
      },
    );
  }

  partial(): PartialOf<'groups'> {
    this.#setAside();
    const { cellStart, cellCount } = this.#chunk;
    return { cellStart, cellCount, segments: this.#segments };
  }

  /** Groups `[from, to)` are new. */
  #begin(from: number, to: number): void {
    if (from === to) return;
    this.#engine.scratch.u32(this.#rows + 4 * from, to - from).fill(0);
    this.#records.begin(from * this.#chunk.cellCount, to * this.#chunk.cellCount);
  }

  #gather(ptr: number, elements: readonly RowElement[], rows: BlockRows, groupIndices: number, index: number): void {
    const { cellCount } = this.#chunk;
    for (const element of elements) {
      const from = valuesAt(ptr, element, rows);
      this.#records.add(from, element.stride, rows, groupIndices, cellCount, element.cell, index);
    }
  }

  #setAside(): void {
    const groups = this.#groups.known;
    if (groups === 0) return;
    const fields = this.#records.read(groups * this.#chunk.cellCount);
    const rows = this.#engine.scratch.u32(this.#rows, groups).slice();
    this.#segments.push({ groups, keys: this.#groups.keysOf(), rows, fields });
    this.#groups.clear();
  }
}
