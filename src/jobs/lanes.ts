/**
 * The line before the workers, in two lanes: what somebody waits for (slices, writes, small statistics) goes before
 * long scans, yet never so often in a row that scans stand still.
 * Hazard: piscina takes a task out to see whether a worker is free, and puts it back when none is: that is no turn.
 */
import { queueOptionsSymbol, type TaskQueue } from 'piscina';
import { invariant } from '../errors.js';
import { LIMITS } from '../limits.js';

export type Lane = 'interactive' | 'bulk';

/** What piscina keeps in a queue. */
type Task = Parameters<TaskQueue['push']>[0];

/** The task, marked for its lane; what bears no mark is interactive. The mark does not cross to the thread. */
export function inLane<T extends object>(task: T, lane: Lane): T {
  return lane === 'bulk' ? { ...task, [queueOptionsSymbol]: BULK } : task;
}

const BULK = { lane: 'bulk' } as const;

export class Lanes implements TaskQueue {
  readonly #interactive: Task[] = [];
  readonly #bulk: Task[] = [];
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
    return this.#interactive.length + this.#bulk.length;
  }

  get interactiveCount(): number {
    return this.#interactive.length;
  }

  push(task: Task): void {
    this.#laneOf(task).push(task);
  }

  shift(): Task | null {
    const isBulkWaiting = this.#bulk.length > 0;
    const takesBulk = isBulkWaiting && (this.#interactive.length === 0 || this.#turns >= this.#turnsMax);
    const task = (takesBulk ? this.#bulk : this.#interactive).shift();
    if (task === undefined) return null;
    this.#taken = { task, turns: this.#turns };
    this.#turns = isBulkWaiting && !takesBulk ? this.#turns + 1 : 0;
    return task;
  }

  /** Puts back what was taken out, or puts a new task first in its lane. */
  unshift(task: Task): void {
    this.#laneOf(task).unshift(task);
    if (this.#taken?.task !== task) return;
    this.#turns = this.#taken.turns;
    this.#taken = undefined;
  }

  remove(task: Task): void {
    const lane = this.#laneOf(task);
    const index = lane.indexOf(task);
    invariant(index >= 0, 'a task that leaves the line stands in it');
    lane.splice(index, 1);
  }

  /** Takes out what waits and is chosen, and answers it: it waits no longer. */
  takeOut(isChosen: (task: Task) => boolean): Task[] {
    const chosen = [...this.#interactive, ...this.#bulk].filter(isChosen);
    for (const task of chosen) this.remove(task);
    return chosen;
  }

  #laneOf(task: Task): Task[] {
    return Reflect.get(task, queueOptionsSymbol) === BULK ? this.#bulk : this.#interactive;
  }
}
