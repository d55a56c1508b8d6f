/**
 * Which bytes of a file each version changed, kept while partials of its statistics are: after a write only the chunks
 * that it touched are read again. Bounded: what is no longer known counts as a change of everything.
 */
import { coveringRuns, unionOf, type Extent } from '../layout/runs.js';
import type { View } from '../layout/view.js';
import { LIMITS } from '../limits.js';

/** A version is the number of writes that had begun (FileState.writesStarted) when this one did, itself included. */
export interface Change extends Extent {
  readonly version: number;
}

const EVERYTHING: Extent = { start: 0, end: Number.MAX_SAFE_INTEGER };

export class ChangeLog {
  readonly #entriesMax: number;
  #changes: Change[] = [];
  /** Changes of this version and of earlier ones may have been dropped, or were never noted. */
  #unknownUntil = 0;
  /** Changes up to this version stand together, as if all of them were its own. */
  #mergedUntil = 0;
  #watchers = 0;

  constructor(entriesMax: number = LIMITS.changesMax) {
    this.#entriesMax = entriesMax;
  }

  /** From now on changes are noted, until the returned function is called. `version` is the latest that has begun. */
  watch(version: number): () => void {
    if (this.#watchers++ === 0) this.#unknownUntil = this.#mergedUntil = version;
    let isWatching = true;
    return () => {
      if (!isWatching) return;
      isWatching = false;
      if (--this.#watchers === 0) this.#changes = [];
    };
  }

  /** Notes what a version is about to change. */
  note(version: number, target: View, itemsize: number): void {
    if (this.#watchers === 0) return;
    const runs = coveringRuns(target, itemsize, EVERYTHING, {
      gapBytesMax: LIMITS.changeGapBytesMax,
      runsMax: LIMITS.changeRunsMax,
    });
    const last = this.#changes.at(-1);
    const [first] = runs;
    // The pieces of a stream follow each other.
    if (last && first && last.version === version && last.end === first.start) {
      this.#changes[this.#changes.length - 1] = { version, start: last.start, end: first.end };
      runs.shift();
    }
    // A version that changes nothing is known to change nothing.
    if (!first) this.#changes.push({ version, start: 0, end: 0 });
    for (const run of runs) this.#changes.push({ version, ...run });
    if (this.#changes.length > this.#entriesMax) this.#condense();
  }

  /** Makes of the older changes one, of few ranges, or forgets them. */
  #condense(): void {
    const older = this.#changes.splice(0, this.#changes.length - (this.#entriesMax >> 1));
    const { version } = older.at(-1)!;
    const isWhole = this.#follow(Math.max(this.#unknownUntil, this.#mergedUntil), older) === version;
    const ranges = unionOf(older);
    if (!isWhole || ranges.length > this.#entriesMax >> 2) {
      this.#unknownUntil = version;
      return;
    }
    this.#mergedUntil = version;
    this.#changes.unshift(...ranges.map(({ start, end }) => ({ version, start, end })));
  }

  /** The latest version that is known when every one after `known` has to be among the changes. */
  #follow(known: number, changes: readonly Change[]): number {
    let latest = known;
    for (const { version } of changes) {
      // A version without a note, such as another file in the place of this one, may have changed anything.
      if (version > latest + 1 && version !== this.#mergedUntil) return latest;
      latest = Math.max(latest, version);
    }
    return latest;
  }

  /** All changes by versions above `after`, up to `until`; undefined when they are not all known. */
  between(after: number, until: number): Change[] | undefined {
    if (until <= after) return [];
    if (after < this.#unknownUntil || (after < this.#mergedUntil && until < this.#mergedUntil)) return undefined;
    const changes = this.#changes.filter(({ version }) => version > after && version <= until);
    return this.#follow(after, changes) === until ? changes : undefined;
  }
}
