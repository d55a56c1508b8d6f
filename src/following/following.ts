/**
 * Who follows which datasets, and what tells them: counters that move, names that come and go, and files that other
 * programs write, which are looked at now and then while somebody follows them.
 * Hazard: counters move in the middle of commits. A follower is only noted then, and told in a turn of its own.
 */
import type { Dataset } from '../dataset/dataset.js';
import { fail } from '../errors.js';
import type { Generations } from '../file/generations.js';
import { Turnstile } from '../file/turnstile.js';
import { LIMITS } from '../limits.js';
import type { Registry } from '../registry/registry.js';
import { nextTurn } from '../turns.js';

/** One stream, or one call that waits. None of these may throw, or take long. */
export interface Follower {
  /** A dataset that it follows has changed or come, or is gone; what it is now is asked for later. */
  readonly changed: (name: string, isGone: boolean) => void;
  /** Keys were read again: whoever follows may not any more. */
  readonly recheck: () => void;
  /** The service shuts down. */
  readonly close: () => void;
}

/** A name that is followed. */
interface Followed {
  readonly followers: Set<Follower>;
  counterIds: readonly string[];
  /** What was told last, to find out what moved without a word. */
  told: string;
  isLookedAt: boolean;
}

export interface FollowingInit {
  readonly registry: Registry;
  readonly generations: Generations;
  readonly followersMax: number;
}

export class Following {
  readonly #registry: Registry;
  readonly #followersMax: number;
  readonly #followers = new Set<Follower>();
  readonly #byName = new Map<string, Followed>();
  /** Names by the counters that their generations are made of. */
  readonly #byCounter = new Map<string, Set<string>>();
  readonly #looks = new Turnstile(LIMITS.followedLooksMax);
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor({ registry, generations, followersMax }: FollowingInit) {
    this.#registry = registry;
    this.#followersMax = followersMax;
    generations.onMoved = counterId => this.#moved(counterId);
    registry.onChanged = (name, isGone) => this.#changed(name, isGone);
  }

  get size(): number {
    return this.#followers.size;
  }

  get names(): number {
    return this.#byName.size;
  }

  /** Begins to follow; the returned function ends it. @throws busy, shutting_down */
  follow(names: readonly string[], follower: Follower): () => void {
    if (this.#isClosed) fail('shutting_down', 'The service is shutting down. Repeat the request in a moment.');
    if (this.#followers.size >= this.#followersMax) {
      fail(
        'busy',
        `${this.#followers.size} streams and calls that wait follow datasets, and no more are let in. Follow several datasets in one stream, or repeat the request later.`,
        { limit: this.#followersMax },
      );
    }
    this.#followers.add(follower);
    for (const name of names) this.#enter(name, follower);
    this.#timer ??= setInterval(() => void this.#lookAtAll(), LIMITS.followedLookMs).unref();
    return () => {
      if (!this.#followers.delete(follower)) return;
      for (const name of names) this.#leave(name, follower);
      if (this.#followers.size > 0) return;
      clearInterval(this.#timer);
      this.#timer = undefined;
    };
  }

  recheckAll(): void {
    for (const follower of this.#followers) follower.recheck();
  }

  close(): void {
    this.#isClosed = true;
    for (const follower of this.#followers) follower.close();
  }

  #enter(name: string, follower: Follower): void {
    const followed = this.#byName.get(name);
    if (followed) {
      followed.followers.add(follower);
      return;
    }
    const dataset = this.#registry.find(name);
    const entry: Followed = {
      followers: new Set([follower]),
      counterIds: [],
      told: textOf(dataset),
      isLookedAt: false,
    };
    this.#byName.set(name, entry);
    this.#count(name, entry, dataset);
    // What happened before is noticed from now on.
    void this.#look(name, entry);
  }

  #leave(name: string, follower: Follower): void {
    const followed = this.#byName.get(name);
    if (!followed?.followers.delete(follower) || followed.followers.size > 0) return;
    this.#count(name, followed, undefined);
    this.#byName.delete(name);
  }

  /** Notes which counters a name stands for now. */
  #count(name: string, followed: Followed, dataset: Dataset | undefined): void {
    for (const counterId of followed.counterIds) {
      const names = this.#byCounter.get(counterId);
      names?.delete(name);
      if (names?.size === 0) this.#byCounter.delete(counterId);
    }
    followed.counterIds = dataset?.counterIds ?? [];
    for (const counterId of followed.counterIds) {
      const names = this.#byCounter.get(counterId);
      if (names) names.add(name);
      else this.#byCounter.set(counterId, new Set([name]));
    }
  }

  /** Called for each commit: nearly always nobody follows. */
  #moved(counterId: string): void {
    const names = this.#byCounter.get(counterId);
    if (names) for (const name of names) this.#tell(name, this.#byName.get(name)!, false);
  }

  #changed(name: string, isGone: boolean): void {
    const followed = this.#byName.get(name);
    if (!followed) return;
    this.#count(name, followed, isGone ? undefined : this.#registry.find(name));
    this.#tell(name, followed, isGone);
  }

  #tell(name: string, followed: Followed, isGone: boolean): void {
    for (const { changed } of followed.followers) changed(name, isGone);
  }

  /** In turns: many names may be followed. */
  async #lookAtAll(): Promise<void> {
    let count = 0;
    for (const [name, followed] of this.#byName) {
      if (!followed.isLookedAt) void this.#look(name, followed);
      // oxlint-disable-next-line no-await-in-loop
      if (++count % LIMITS.followedNamesPerTurn === 0) await nextTurn();
    }
  }

  /** Notices what other programs did, and what moved without a word. */
  async #look(name: string, followed: Followed): Promise<void> {
    followed.isLookedAt = true;
    try {
      await this.#looks.run(() => this.#registry.look([name]) ?? Promise.resolve());
      const dataset = this.#registry.find(name);
      if (dataset?.record.external) await this.#looks.run(() => dataset.lookAgain());
    } catch {
      // A fault that a call will be told of; this one is repeated.
    } finally {
      followed.isLookedAt = false;
    }
    const text = textOf(this.#registry.find(name));
    if (text === followed.told || this.#byName.get(name) !== followed) return;
    // One that cannot be served at this moment is not gone.
    if (text === '' && this.#registry.knows(name)) return;
    followed.told = text;
    this.#tell(name, followed, text === '');
  }
}

function textOf(dataset: Dataset | undefined): string {
  return dataset ? `${dataset.record.id} ${dataset.generation} ${dataset.record.shape.join()}` : '';
}
