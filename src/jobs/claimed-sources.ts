/**
 * The claimed datasets of a statistic as workers see them, at the generation that was claimed: what they are told of
 * chunks, with the old bytes of what was written since, and which chunks were touched by a write after that.
 */
import type { Extent } from '../layout/runs.js';
import { extentOf, isContiguous } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { chunkAt, hullOf, type ChunkTask, type ColumnView, type Scan } from '../statistics/index.js';
import type { Claim } from './claim.js';
import type { ScanTask } from './scan-task.js';

/** Chunks whose bytes are looked at one by one, where they are not those of whole claims. */
const CHUNKS_DESCRIBED_MAX = 32;

/** The claimed generation was overwritten further than is kept: the computation has to begin anew. */
export class GenerationLost extends Error {}

type Described = Pick<ScanTask, 'sources' | 'saves' | 'savesKnown' | 'end'>;

export class ClaimedSources {
  readonly #claims: readonly Claim[];
  readonly #saves: readonly Int32Array[];
  /** Of whole claims, as long as nothing of them was written. */
  #whole: Omit<Described, 'end'> | undefined;

  constructor(claims: readonly Claim[]) {
    this.#claims = claims;
    this.#saves = claims.map(({ saves }) => saves);
  }

  /** True when more was overwritten than is saved: what is read from now on may be of a later generation. */
  get areCut(): boolean {
    return this.#claims.some(({ isCut }) => isCut);
  }

  /** Runs work of a worker that looks at the files. @throws GenerationLost once a claim is cut: its bytes may be gone */
  async during<T>(work: () => Promise<T>): Promise<T> {
    if (this.areCut) throw new GenerationLost();
    const states = new Set(this.#claims.map(({ file }) => file.state));
    return [...states].reduce((inner, state) => () => state.scans.during(inner), work)();
  }

  /** What a worker needs to read chunks from `first` on, up to `end` at most: few at a time where patches go with them. */
  describe(scan: Scan, first: number, end: number): Described {
    const isUntouched = this.#saves.every(count => count[0] === 0);
    const isNear = this.#claims.every(({ extent }) => extent.end - extent.start <= LIMITS.lentBytesMax);
    if (isUntouched && isNear) {
      this.#whole ??= this.#described(this.#claims.map(({ extent }) => extent));
      return { ...this.#whole, end };
    }
    for (let count = Math.min(end - first, CHUNKS_DESCRIBED_MAX); ; count = Math.ceil(count / 2)) {
      const chunks = Array.from({ length: count }, (_, i) => chunkAt(scan, first + i));
      const extents = extentsOf(chunks, this.#claims.length);
      const patches = extents.reduce((sum, each, i) => sum + (each ? this.#claims[i]!.savedIn(each) : 0), 0);
      if (patches <= LIMITS.patchesPerTaskMax || count === 1) {
        return { ...this.#described(extents), end: first + count };
      }
    }
  }

  #described(extents: readonly (Extent | undefined)[]): Omit<Described, 'end'> {
    const sources = extents.map((extent, i) => extent && this.#claims[i]!.describe(extent));
    return { sources, saves: this.#saves, savesKnown: this.#saves.map(count => count[0]!) };
  }

  /** Whether a write has touched what a chunk reads since this was known of `saves`. */
  areTouched(chunk: ChunkTask, savesKnown: readonly number[]): boolean {
    return viewsOf(chunk).some(({ source, view, dtype }) =>
      this.#claims[source]!.isSavedSince(extentOf(view, dtype.itemsize), savesKnown[source]!),
    );
  }

  /** The pages of chunks that nothing else is among, where a container needs them for something else. */
  giveBack(scan: Scan, numbers: readonly number[]): void {
    if (!this.#claims.some(({ file }) => file.givesBack)) return;
    for (const number of numbers) {
      const { source, view, dtype } = chunkAt(scan, number);
      if (!isContiguous(view, dtype.itemsize)) continue;
      const { start, end } = extentOf(view, dtype.itemsize);
      this.#claims[source]!.file.giveBack(start, end);
    }
  }
}

function viewsOf(chunk: ChunkTask): readonly ColumnView[] {
  return [chunk, ...(chunk.columns ?? [])];
}

/** What chunks read of each dataset, gaps included; undefined for those they do not read. */
function extentsOf(chunks: readonly ChunkTask[], sources: number): (Extent | undefined)[] {
  const extents = Array.from<Extent | undefined>({ length: sources });
  for (const { source, view, dtype } of chunks.flatMap(viewsOf)) {
    const extent = extentOf(view, dtype.itemsize);
    extents[source] = hullOf(extents[source] ?? extent, extent);
  }
  return extents;
}
