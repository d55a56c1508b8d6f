/**
 * The line before the workers, in two lanes: what somebody waits for (slices, writes, small statistics) goes before
 * long scans, yet never so often in a row that scans stand still. In each lane clients take turns, and one goes first of
 * whose tasks the workers have the fewest.
 * Hazard: piscina takes a task out to see whether a worker is free, and puts it back when none is: that is no turn.
 */
import { queueOptionsSymbol, type TaskQueue } from 'piscina';
import { invariant } from '../errors.js';
import { FairLine, type Client } from '../fair-line.js';
import { LIMITS } from '../limits.js';
import { WAITING, type Lane } from './turn.js';

/** Where a task stands. */
export interface Mark {
  readonly lane: Lane;
  /** Undefined: nobody's. */
  readonly client?: Client | undefined;
  /** Others wait for what it holds: it goes before what the same client has in line. */
  readonly isUrgent?: boolean;
}

/** What piscina keeps in a queue. */
type Task = Parameters<TaskQueue['push']>[0];

/** The task with its mark, which does not cross to the thread. */
export function withMark<T extends object>(task: T, mark: Mark): T {
  return { ...task, [queueOptionsSymbol]: mark };
}

const UNMARKED: Mark = { lane: 'interactive' };

export class Lanes implements TaskQueue {
  /** How many wait in each lane, for workers to see: shared. */
  readonly waiting = new Int32Array(new SharedArrayBuffer(8));
  readonly #lines = { interactive: new FairLine<Task>(), bulk: new FairLine<Task>() };
  /** Tasks of each client, those with the workers and those in line. */
  readonly #given = new Map<string | undefined, number>();
  readonly #turnsMax: number;
  /** Interactive tasks that went before a waiting bulk one since the last bulk one went. */
  #turns = 0;
  /** What was taken out last, and the turns before that, so that it can be undone. */
  #taken: { readonly task: Task; readonly turns: number } | undefined;

  /** After `turnsMax` interactive tasks in a row, one bulk task goes first. */
  constructor(turnsMax: number = LIMITS.interactiveTurnsMax) {
    this.#turnsMax = turnsMax;
  }

  get size(): number {
    return this.#lines.interactive.size + this.#lines.bulk.size;
  }

  /** Whether a client may have one more interactive task in line. */
  hasRoomFor(client: Client | undefined): boolean {
    return this.#lines.interactive.hasRoomFor(client, LIMITS.tasksQueuedMax);
  }

  /** Counts a task of a client from now on. Returns what ends that, when a worker has done it. */
  give(client: Client | undefined): () => void {
    const id = client?.id;
    this.#given.set(id, (this.#given.get(id) ?? 0) + 1);
    return () => {
      const left = this.#given.get(id)! - 1;
      if (left > 0) this.#given.set(id, left);
      else this.#given.delete(id);
    };
  }

  push(task: Task): void {
    const { lane, client, isUrgent } = markOf(task);
    this.#lines[lane].push(task, client, isUrgent);
    this.#tell();
  }

  shift(): Task | null {
    const { interactive, bulk } = this.#lines;
    const isBulkWaiting = bulk.size > 0;
    const takesBulk = isBulkWaiting && (interactive.size === 0 || this.#turns >= this.#turnsMax);
    const task = (takesBulk ? bulk : interactive).shift(id => this.#withWorkers(id));
    if (task === undefined) return null;
    this.#tell();
    this.#taken = { task, turns: this.#turns };
    this.#turns = isBulkWaiting && !takesBulk ? this.#turns + 1 : 0;
    return task;
  }

  /** Puts back what was taken out, or puts a new task first in the line of its client. */
  unshift(task: Task): void {
    const { lane, client, isUrgent } = markOf(task);
    this.#lines[lane].unshift(task, client, isUrgent);
    this.#tell();
    if (this.#taken?.task !== task) return;
    this.#turns = this.#taken.turns;
    this.#taken = undefined;
  }

  remove(task: Task): void {
    const { lane, client } = markOf(task);
    invariant(this.#lines[lane].remove(task, client), 'a task that leaves the line stands in it');
    this.#tell();
  }

  /** Takes out what waits and is chosen, and answers it: it waits no longer. */
  takeOut(isChosen: (task: Task) => boolean): Task[] {
    const chosen = Object.values(this.#lines).flatMap(line => line.items().filter(isChosen));
    for (const task of chosen) this.remove(task);
    return chosen;
  }

  #tell(): void {
    for (const lane of ['interactive', 'bulk'] as const)
      Atomics.store(this.waiting, WAITING[lane], this.#lines[lane].size);
  }

  #withWorkers(id: string | undefined): number {
    const { interactive, bulk } = this.#lines;
    return (this.#given.get(id) ?? 0) - interactive.countOf(id) - bulk.countOf(id);
  }
}

function markOf(task: Task): Mark {
  return (Reflect.get(task, queueOptionsSymbol) as Mark | null) ?? UNMARKED;
}
