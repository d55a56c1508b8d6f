/**
 * Partials of chunks that were read before, so that after a write only the chunks that it touched are read again, and so
 * that row ranges made of whole chunks cost nothing. Bounded in bytes; what was not used for longest goes first.
 * Hazard: a partial holds for a version of its file only as long as every later change is known.
 */
import { LRUCache } from 'lru-cache';
import type { FileState } from '../file/file-state.js';
import { touchesPages } from '../file/page-table.js';
import { unionOf, type Extent } from '../layout/runs.js';
import { extentOf } from '../layout/view.js';
import { lowerBound } from '../lower-bound.js';
import type { ChunkTask, PartialOf, SinkPartial, SinkSpec } from '../statistics/index.js';
import type { Claim } from './claim.js';

interface Entry {
  readonly partial: PartialOf<'reduce'>;
  readonly state: FileState;
  readonly extent: Extent;
  /** The latest version of the file (FileState.writesStarted) that the partial is known to hold for. */
  version: number;
}

/** What an entry takes beside its arrays, and an array beside its items. */
const ENTRY_BYTES = 600;
const ARRAY_BYTES = 200;

/** Partials of one pass, for one claim. */
export interface KeptPartials {
  get(chunk: ChunkTask): SinkPartial | undefined;
  put(chunk: ChunkTask, partial: SinkPartial): void;
}

export class PartialCache {
  readonly #entries: LRUCache<string, Entry> | undefined;
  readonly #bytesMax: number;
  /** Files with entries, how many, and how to stop noting their changes. */
  readonly #watched = new Map<FileState, { entries: number; readonly unwatch: () => void }>();

  /** @param bytesMax 0 keeps nothing */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
    if (bytesMax > 0) {
      this.#entries = new LRUCache({
        maxSize: bytesMax,
        sizeCalculation: ({ partial }) => ENTRY_BYTES + bytesOf(partial),
        dispose: ({ state }) => this.#unwatch(state),
      });
    }
  }

  /**
   * The kept partials of a spec; undefined where there can be none: only the service's own writes are known. Where
   * it `isFresh` they are made, and not used.
   */
  of(claim: Claim, spec: SinkSpec, isFresh = false): KeptPartials | undefined {
    const entries = this.#entries;
    if (!entries || spec.kind !== 'reduce' || claim.dataset.record.external) return undefined;
    const { state, pages } = claim.file;
    // What is private to a dataset is no state of its file.
    const isPrivate = ({ start, end }: Extent): boolean => touchesPages(pages, start, end);
    const prefix = `${state.fileId}|${JSON.stringify(spec)}`;
    const changes = new Changes(state, claim.version);
    return {
      get: chunk => {
        if (isFresh) return undefined;
        const entry = entries.get(keyOf(prefix, chunk));
        if (!entry || isPrivate(entry.extent) || entry.state !== state || !changes.leave(entry.extent, entry.version))
          return undefined;
        entry.version = Math.max(entry.version, claim.version);
        return { ...entry.partial, cellStart: chunk.cellStart };
      },
      put: (chunk, found) => {
        // The spec is that of accumulators.
        const partial = found as PartialOf<'reduce'>;
        // Larger than the cache allows: dropped without a word to `dispose`.
        if (bytesOf(partial) > this.#bytesMax / 4) return;
        const extent = extentOf(chunk.view, chunk.dtype.itemsize);
        if (isPrivate(extent)) return;
        this.#watch(state);
        entries.set(keyOf(prefix, chunk), { partial: ownCopy(partial), state, extent, version: claim.version });
      },
    };
  }

  #watch(state: FileState): void {
    const watched = this.#watched.get(state);
    if (watched) watched.entries++;
    else this.#watched.set(state, { entries: 1, unwatch: state.changes.watch(state.writesStarted) });
  }

  #unwatch(state: FileState): void {
    const watched = this.#watched.get(state)!;
    if (--watched.entries > 0) return;
    watched.unwatch();
    this.#watched.delete(state);
  }
}

/** What changed up to a version, asked for once for each version that partials hold for. */
class Changes {
  readonly #state: FileState;
  readonly #until: number;
  readonly #since = new Map<number, readonly Extent[] | undefined>();

  constructor(state: FileState, until: number) {
    this.#state = state;
    this.#until = until;
  }

  /** True when no write after `version` touched the extent, as far as is known for sure. */
  leave(extent: Extent, version: number): boolean {
    if (version === this.#until) return true;
    // Of a later generation than the claimed one.
    if (version > this.#until) return false;
    if (!this.#since.has(version)) {
      const changes = this.#state.changes.between(version, this.#until);
      this.#since.set(version, changes && unionOf(changes));
    }
    const touched = this.#since.get(version);
    if (!touched) return false;
    const first = touched[lowerBound(touched.length, i => touched[i]!.end > extent.start)];
    return first === undefined || first.start >= extent.end;
  }
}

/** Where a chunk's elements stand in the file, and which of them share a cell: cells are counted from its own first. */
function keyOf(prefix: string, { dtype, box }: ChunkTask): string {
  const axes = box.axes.map(({ length, stride, kept, cellStep, indexStep, blocks }) =>
    [length, stride, kept ? cellStep : '', indexStep, ...(blocks ? [blocks.length, blocks.phase] : [])].join(','),
  );
  return `${prefix}|${dtype.typestr}|${box.offset}|${box.index}|${axes.join(';')}`;
}

/** In memory of its own, all in one buffer: where the partial is now, the next task's will be put. */
function ownCopy({ fields, ...rest }: PartialOf<'reduce'>): PartialOf<'reduce'> {
  const arrays = Object.entries(fields) as [string, Float64Array][];
  const own = new Float64Array(arrays.reduce((length, [, array]) => length + array.length, 0));
  const copies: Record<string, Float64Array> = {};
  let at = 0;
  for (const [name, array] of arrays) {
    own.set(array, at);
    copies[name] = own.subarray(at, (at += array.length));
  }
  return { ...rest, fields: copies };
}

function bytesOf({ fields }: PartialOf<'reduce'>): number {
  return Object.values(fields).reduce((bytes, array) => bytes + ARRAY_BYTES + array!.byteLength, 0);
}
