/**
 * Generations that follow from the times of files, which are only read: nothing is stored, and the next start finds the same.
 * Hazard: times stand still and go back; these counters do neither.
 */

/** A file whose generation is its change time. */
interface Counter {
  generation: number;
  stamp: ChangeStamp;
  /** The counter that it moves with. */
  tiedTo?: string;
}

/** When a file was changed last, and which it is. */
export interface ChangeStamp {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly ctimeNs: bigint;
  readonly size: bigint;
}

export class FollowedCounters {
  readonly #counters = new Map<string, Counter>();
  /** Those of them that move with another counter, too, by that. */
  readonly #tied = new Map<string, Set<string>>();
  readonly #onMoved: (counterId: string) => void;

  constructor(onMoved: (counterId: string) => void) {
    this.#onMoved = onMoved;
  }

  current(fileId: string): number | undefined {
    return this.#counters.get(fileId)?.generation;
  }

  /**
   * The generation of a file that is only read, and is told apart by its times: its change time in microseconds, or one more
   * than the last where that stands still and the file `hasChanged` all the same.
   */
  follow(fileId: string, { dev, ino, ctimeNs, size }: ChangeStamp, hasChanged = false): void {
    const stamp = { dev, ino, ctimeNs, size };
    const micros = Number(ctimeNs / 1000n);
    const known = this.#counters.get(fileId);
    if (!known) this.#counters.set(fileId, { generation: micros, stamp });
    else if (hasChanged || !isSameChange(known.stamp, stamp)) {
      known.generation = Math.max(micros, known.generation + 1);
      known.stamp = stamp;
      this.#onMoved(fileId);
    }
  }

  has(fileId: string): boolean {
    return this.#counters.has(fileId);
  }

  /** The file of a followed counter has another one, too, by which writes are counted: it moves with that, or with none. */
  tie(fileId: string, counterId: string | undefined): void {
    const followed = this.#counters.get(fileId);
    if (!followed || followed.tiedTo === counterId) return;
    if (followed.tiedTo !== undefined) this.#untie(fileId, followed.tiedTo);
    delete followed.tiedTo;
    if (counterId === undefined) return;
    followed.tiedTo = counterId;
    const tied = this.#tied.get(counterId);
    if (tied) tied.add(fileId);
    else this.#tied.set(counterId, new Set([fileId]));
  }

  #untie(fileId: string, counterId: string): void {
    const tied = this.#tied.get(counterId);
    tied?.delete(fileId);
    if (tied?.size === 0) this.#tied.delete(counterId);
  }

  /** Another counter has moved. */
  moveTied(counterId: string): void {
    for (const fileId of this.#tied.get(counterId) ?? []) {
      this.#counters.get(fileId)!.generation++;
      this.#onMoved(fileId);
    }
  }

  delete(fileId: string): void {
    this.tie(fileId, undefined);
    this.#counters.delete(fileId);
  }
}

function isSameChange(a: ChangeStamp, b: ChangeStamp): boolean {
  return a.ctimeNs === b.ctimeNs && a.size === b.size && a.ino === b.ino && a.dev === b.dev;
}
