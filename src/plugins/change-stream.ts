/**
 * Datasets as server-sent events: what each is now, and again when it has changed. States, not a log: a follower that is
 * slow gets the last of them, and what is kept of it is one flag per dataset.
 * Hazard: changes are noted in the middle of commits; all else happens in turns of its own.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Datasets } from '../access/datasets.js';
import type { Dataset } from '../dataset/dataset.js';
import type { Follower, Following } from '../following/following.js';
import { LIMITS } from '../limits.js';
import { EventConnection, eventText } from './event-stream.js';

export interface ChangeOrder {
  readonly names: readonly string[];
  /** The stream names its datasets, and goes on when one of them is gone. */
  readonly isOfMany: boolean;
}

/** Takes the reply over. @throws busy, shutting_down, unknown_dataset, quarantined, not_acceptable */
export async function streamChanges(
  following: Following,
  request: FastifyRequest,
  reply: FastifyReply,
  order: ChangeOrder,
): Promise<void> {
  for (const name of order.names) request.datasets.get(name);
  // A shape that is expected is asked for when the stream begins; another one later is a change like any.
  const datasets = await request.datasetsNow();
  if (reply.raw.destroyed) void reply.hijack();
  else new ChangeStream(request, datasets, order).start(following, reply);
}

/** What was told of a dataset last. */
interface Told {
  readonly id: string;
  readonly data: string;
}

class ChangeStream implements Follower {
  readonly #request: FastifyRequest;
  readonly #order: ChangeOrder;
  /** How many datasets are told of at a time. */
  readonly #perTurn: number;
  #datasets: Datasets;
  #connection: EventConnection | undefined;
  #leave = (): void => {};
  readonly #told = new Map<string, Told>();
  /** Names that something is to be told of, the one that waits longest first, and whether they were gone meanwhile. */
  readonly #waiting = new Map<string, boolean>();
  #toldMs = Number.NEGATIVE_INFINITY;
  #next: NodeJS.Timeout | undefined;
  #hasEnded = false;

  constructor(request: FastifyRequest, datasets: Datasets, order: ChangeOrder) {
    this.#request = request;
    this.#order = order;
    this.#datasets = datasets;
    this.#perTurn = Math.ceil(order.names.length / LIMITS.changeGapsMax);
  }

  start(following: Following, reply: FastifyReply): void {
    this.#leave = following.follow(this.#order.names, this);
    try {
      this.#connection = new EventConnection(reply, {
        onClose: () => this.#stop(),
        onBeat: () => this.recheck(),
      });
    } catch (error) {
      this.#stop();
      throw error;
    }
    for (const name of this.#order.names) this.#tell(name, false);
    this.#toldMs = performance.now();
  }

  readonly changed = (name: string, isGone: boolean): void => {
    if (this.#hasEnded) return;
    this.#waiting.set(name, isGone || this.#waiting.get(name) === true);
    const waitMs = this.#toldMs + LIMITS.changeGapMs - performance.now();
    this.#next ??= setTimeout(() => this.#turn(), Math.max(0, Math.ceil(waitMs)));
  };

  readonly recheck = (): void => {
    void this.#askAgain();
  };

  readonly close = (): void => {
    this.#stop();
    this.#connection?.end();
  };

  /** The stream ends with its key, and where the key does not reach a dataset any more. */
  async #askAgain(): Promise<void> {
    try {
      const datasets = await this.#request.datasetsNow();
      this.#datasets = datasets;
      const isLost = (name: string): boolean => !datasets.has(name) && !this.#waiting.has(name);
      if ([...this.#told.keys()].some(isLost)) this.close();
    } catch {
      this.close();
    }
  }

  #turn(): void {
    this.#next = undefined;
    if (this.#hasEnded) return;
    if (!this.#connection!.isFull) {
      this.#toldMs = performance.now();
      for (const [name, isGone] of [...this.#waiting].slice(0, this.#perTurn)) {
        this.#waiting.delete(name);
        this.#tell(name, isGone);
        if (this.#hasEnded) return;
      }
    }
    if (this.#waiting.size > 0) this.#next = setTimeout(() => this.#turn(), LIMITS.changeGapMs);
  }

  #tell(name: string, isGone: boolean): void {
    const { isOfMany } = this.#order;
    const dataset = this.#find(name);
    const told = this.#told.get(name);
    const of = isOfMany ? { dataset: name } : {};
    if (isGone || !dataset) {
      this.#told.delete(name);
      const deleted = told ? eventText('deleted', JSON.stringify({ ...of, id: told.id })) : '';
      if (!isOfMany) {
        this.#stop();
        this.#connection!.end(deleted);
        return;
      }
      this.#connection!.send(deleted);
      if (!dataset) return;
    }
    const {
      generation,
      record: { id, shape },
    } = dataset;
    const data = JSON.stringify({ ...of, id, generation, shape });
    if (data === told?.data) return;
    this.#told.set(name, { id, data });
    this.#connection!.send(eventText('change', data, generation));
  }

  #find(name: string): Dataset | undefined {
    try {
      return this.#datasets.get(name);
    } catch {
      return undefined;
    }
  }

  #stop(): void {
    this.#hasEnded = true;
    this.#waiting.clear();
    clearTimeout(this.#next);
    this.#leave();
  }
}
