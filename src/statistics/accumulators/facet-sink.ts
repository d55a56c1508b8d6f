/**
 * The reduce sink of elements that are no numbers: their facets go through sinks of numbers, one after the other.
 * Memory in the engine: that of a sink for each facet, and one tile of numbers.
 */
import { sizeOf } from '../../layout/view.js';
import type { Engine } from '../../kernels/engine.js';
import { nativeBytesOf, nativeTypeOf } from '../../kernels/native-types.js';
import type { ChunkTask } from '../../scan/scan.js';
import type { Tile } from '../../scan/tiles.js';
import type { PartialOf, SpecOf } from '../specs.js';
import { PartialBuffer, type Sink } from '../pass.js';
import type { Fields } from './accumulator.js';
import { type Facet, type Facets, facetsOf } from './facets.js';
import { fieldsOf } from './index.js';
import { ReduceSink } from './sink.js';

/** What a spec asks of the elements of a chunk, whatever they are. */
export function openReduce(engine: Engine, spec: SpecOf<'reduce'>, chunk: ChunkTask): Sink {
  const facets = facetsOf(chunk.dtype, { ...spec, isUneven: chunk.box.axes.some(axis => axis.blocks) });
  return facets ? new FacetSink(engine, spec, chunk, facets) : new ReduceSink(engine, spec, chunk);
}

/** The numbers of a facet of a tile, whose elements stand one after the other, in scratch memory. */
export function facetTile(engine: Engine, { dtype, fill }: Facet, tile: Pick<Tile, 'ptr' | 'box'>): number {
  if (!fill) return tile.ptr;
  const count = sizeOf(tile.box.axes.map(axis => axis.length));
  const ptr = engine.scratch.alloc(count * nativeBytesOf(dtype));
  fill(engine, tile.ptr, count, ptr);
  return ptr;
}

class FacetSink implements Sink {
  readonly #engine: Engine;
  /** Fields of the elements' accumulators. */
  readonly #names: readonly string[];
  readonly #facets: Facets;
  readonly #sinks: readonly ReduceSink[];

  constructor(engine: Engine, spec: SpecOf<'reduce'>, chunk: ChunkTask, facets: Facets) {
    this.#engine = engine;
    this.#names = Object.keys(fieldsOf(spec.accumulators, chunk.dtype));
    this.#facets = facets;
    this.#sinks = facets.facets.map(
      ({ dtype, accumulators, countsNan, omitsNan }) =>
        new ReduceSink(engine, { ...spec, accumulators, countsNan, omitsNan }, { ...chunk, dtype }),
    );
  }

  add(tile: Tile): void {
    for (const [i, facet] of this.#facets.facets.entries()) {
      const mark = this.#engine.scratch.mark();
      const ptr = facetTile(this.#engine, facet, tile);
      this.#sinks[i]!.add({ type: nativeTypeOf(facet.dtype), ptr, box: tile.box });
      this.#engine.scratch.release(mark);
    }
  }

  partial(buffer: PartialBuffer): PartialOf<'reduce'> {
    const partials = this.#sinks.map(sink => sink.partial(new PartialBuffer()));
    const found = this.#facets.merge(partials.map(({ fields }) => fields));
    const { cellCount } = partials[0]!;
    // One behind the other, as those of numbers.
    const values = buffer.f64(this.#names.length * cellCount);
    const fields: Fields = {};
    for (const [i, name] of this.#names.entries()) {
      fields[name] = values.subarray(i * cellCount, (i + 1) * cellCount);
      fields[name].set(found[name]!);
    }
    return { ...partials[0]!, fields };
  }
}
