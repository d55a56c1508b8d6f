/** Which regions of a file were read at which version, and which of them writes changed since. */
import type { Change, ChangeLog } from '../file/change-log.js';
import { unionOf, type Extent } from '../layout/runs.js';

const UNREAD = -1;
/** Comparisons between two turns of the event loop: about a millisecond. */
const COMPARISONS_PER_TURN = 100_000;

export class Freshness {
  readonly #log: ChangeLog;
  /** Per region: the last version that was surely in the file when its reading began. */
  readonly #versions: Float64Array;
  readonly #starts: Float64Array;
  readonly #ends: Float64Array;

  constructor(log: ChangeLog, regions: number) {
    this.#log = log;
    this.#versions = new Float64Array(regions).fill(UNREAD);
    this.#starts = new Float64Array(regions);
    this.#ends = new Float64Array(regions);
  }

  /** The region is read, or read again, from now on. */
  read(region: number, version: number, { start, end }: Extent): void {
    this.#versions[region] = version;
    this.#starts[region] = start;
    this.#ends[region] = end;
  }

  /** More of a region is read: it is as old as its oldest part. */
  readMore(region: number, version: number, { start, end }: Extent): void {
    const before = this.#versions[region]!;
    if (before === UNREAD) this.read(region, version, { start, end });
    else {
      this.#versions[region] = Math.min(before, version);
      this.#starts[region] = Math.min(this.#starts[region]!, start);
      this.#ends[region] = Math.max(this.#ends[region]!, end);
    }
  }

  forget(region: number): void {
    this.#versions[region] = UNREAD;
  }

  /** True when a version up to `until` changed the region since it was read, or may have. */
  isStale(region: number, until: number): boolean {
    const version = this.#versions[region]!;
    if (version === UNREAD) return true;
    const changes = this.#log.between(version, until);
    return !changes || changes.some(change => this.#isTouchedBy(region, change));
  }

  /** All regions that are stale, or that were not read yet, in ascending order. In turns. */
  *stale(until: number): Generator<void, number[]> {
    const oldest = this.#versions.reduce((least, each) => (each === UNREAD ? least : Math.min(least, each)), until);
    const changes = this.#log.between(oldest, until);
    const touched = unionOf(changes ?? []);
    const stale: number[] = [];
    let comparisons = 0;
    for (let region = 0; region < this.#versions.length; region++) {
      const version = this.#versions[region]!;
      comparisons++;
      if (version === UNREAD || (!changes && version < until)) stale.push(region);
      else if (changes && version < until && this.#liesIn(touched, region)) {
        comparisons += changes.length;
        if (changes.some(change => change.version > version && this.#isTouchedBy(region, change))) stale.push(region);
      }
      if (comparisons > COMPARISONS_PER_TURN) {
        comparisons = 0;
        yield;
      }
    }
    return stale;
  }

  #isTouchedBy(region: number, { start, end }: Change): boolean {
    return start < this.#ends[region]! && end > this.#starts[region]!;
  }

  /** True when one of the ascending ranges touches the region. */
  #liesIn(ranges: readonly Extent[], region: number): boolean {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ranges[middle]!.end > this.#starts[region]!) high = middle;
      else low = middle + 1;
    }
    return low < ranges.length && ranges[low]!.start < this.#ends[region]!;
  }
}
