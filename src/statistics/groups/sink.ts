/**
 * The groups sink: tiles with chosen rows → groups as they appear in a chunk, and what their cells gather.
 * Memory: tables and records for CELLS_MAX cells; where a chunk has more, what it has so far is set aside and the rest
 * begins anew, so that a group may come up twice.
 */
import type { DType } from '../../dtype/index.js';
import type { Engine } from '../../kernels/engine.js';
import { nativeBytesOf, nativeTypeOf } from '../../kernels/native-types.js';
import { facetsOf, type Facet, type Facets } from '../accumulators/facets.js';
import { facetTile } from '../accumulators/facet-sink.js';
import type { Tile } from '../../scan/tiles.js';
import type { ChunkTask } from '../../scan/scan.js';
import { CellRecords } from './cell-records.js';
import { eachBlock, type RowElement, RowElements, valuesAt } from './row-values.js';
import { RowGroups, type BlockRows } from './row-groups.js';
import type { GroupsSegment, PartialOf, SpecOf } from '../specs.js';
import type { Sink } from '../pass.js';

/** What cells gather of the elements, or of one facet of them. */
interface Gathered {
  readonly facet: Facet | undefined;
  readonly records: CellRecords;
  readonly elements: RowElements;
}

/** Cells that are gathered for at a time: about 15 MiB of records at most. */
const CELLS_MAX = 128 * 1024;

/** The elements of a tile as numbers. */
interface GatheredTile {
  readonly records: CellRecords;
  readonly ptr: number;
  readonly elements: readonly RowElement[];
}

function gathering(
  engine: Engine,
  spec: SpecOf<'groups'>,
  dtype: DType,
  cellsMax: number,
  facet: Facet | undefined,
): Gathered {
  const records = new CellRecords(engine, spec, dtype, cellsMax);
  return { facet, records, elements: new RowElements(nativeBytesOf(dtype)) };
}

export class GroupsSink implements Sink {
  readonly #engine: Engine;
  readonly #spec: SpecOf<'groups'>;
  readonly #chunk: ChunkTask;
  readonly #groups: RowGroups;
  readonly #facets: Facets | undefined;
  readonly #gathered: readonly Gathered[];
  /** Rows of each group, u32. */
  readonly #rows: number;
  /** What was found until the tables were full, and again. */
  readonly #segments: GroupsSegment[] = [];

  constructor(engine: Engine, spec: SpecOf<'groups'>, chunk: ChunkTask) {
    this.#engine = engine;
    this.#spec = spec;
    this.#chunk = chunk;
    const rowsMax = chunk.rows!.length;
    const groupsMax = Math.max(1, Math.min(rowsMax, Math.floor(CELLS_MAX / chunk.cellCount)));
    this.#groups = new RowGroups(engine, spec.keys, groupsMax);
    const cellsMax = groupsMax * chunk.cellCount;
    this.#facets = facetsOf(chunk.dtype, { ...spec, countsNan: spec.dropsNan });
    this.#gathered = this.#facets?.facets.map(facet => {
      const { accumulators, omitsNan, dtype } = facet;
      const own = { ...spec, accumulators, omitsNan, type: nativeTypeOf(dtype) };
      return gathering(engine, own, dtype, cellsMax, facet);
    }) ?? [gathering(engine, spec, chunk.dtype, cellsMax, undefined)];
    this.#rows = engine.scratch.alloc(4 * groupsMax);
  }

  add(tile: Tile): void {
    const { box, rows } = tile;
    const first = this.#chunk.rows!.first + rows!.first;
    const mark = this.#engine.scratch.mark();
    const found = this.#spec.accumulators.length === 0 ? [] : this.#gathered;
    const tiles = found.map(({ facet, records, elements }) => ({
      records,
      ptr: facet ? facetTile(this.#engine, facet, tile) : tile.ptr,
      elements: elements.of(box),
    }));
    eachBlock(
      this.#groups,
      rows!,
      () => this.#setAside(),
      (block, groupIndices, before) => {
        this.#begin(before, this.#groups.known);
        if (rows!.isFirstStrip) this.#engine.kernels.countRows(groupIndices, block.count, this.#rows);
        const index = first + (block.picked === 0 ? block.start : 0);
        for (const each of tiles) this.#gather(each, block, groupIndices, index);
      },
    );
    this.#engine.scratch.release(mark);
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
    const { cellCount } = this.#chunk;
    for (const { records } of this.#gathered) records.begin(from * cellCount, to * cellCount);
  }

  #gather({ records, ptr, elements }: GatheredTile, rows: BlockRows, groupIndices: number, index: number): void {
    const { cellCount } = this.#chunk;
    for (const element of elements) {
      const from = valuesAt(ptr, element, rows);
      records.add(from, element.stride, rows, groupIndices, cellCount, element.cell, index);
    }
  }

  #setAside(): void {
    const groups = this.#groups.known;
    if (groups === 0) return;
    const found = this.#gathered.map(({ records }) => records.read(groups * this.#chunk.cellCount));
    const fields = this.#facets?.merge(found) ?? found[0]!;
    const rows = this.#engine.scratch.u32(this.#rows, groups).slice();
    this.#segments.push({ groups, keys: this.#groups.keysOf(), rows, fields });
    this.#groups.clear();
  }
}
