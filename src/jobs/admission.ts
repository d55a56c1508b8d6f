/**
 * What a statistic costs is known before anything is read. Here it is refused when that is too much, told in which lane
 * it runs, and kept waiting while too many large ones run.
 */
import { ByteBudget, type BudgetLine } from '../budget.js';
import { fail, HyperslabError, isErrorCode } from '../errors.js';
import type { Client } from '../fair-line.js';
import { LIMITS } from '../limits.js';
import type { Lane } from './turn.js';
import type { JobSettings } from './settings.js';

/** What a statistic costs, from its plan. */
export interface Cost {
  /** What is read, all passes together. */
  readonly bytes: number;
  readonly passes: number;
  readonly chunks: number;
  /** Cells of the answer, and groups of cells: 1 where none are asked for, a lower bound where the data decides. */
  readonly cells: number;
  readonly groups: number;
}

/** A call keeps its client waiting; a job does not. */
export type Kind = 'call' | 'job';

/** A statistic that may run. */
export interface Admitted {
  readonly kind: Kind;
  readonly cost: Cost;
  /** What the same call has read before: a thousand small statistics are a large one. */
  readonly bytesBefore?: number | undefined;
  /** Fires when nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined;
  /** Who has a share of the places, and of the line for them. */
  readonly client?: Client | undefined;
}

export type AdmissionBounds = Pick<JobSettings, 'statisticsBytesMax' | 'statisticsRunningMax' | 'jobBytesMax'>;

export class Admission {
  readonly #bounds: AdmissionBounds;
  /** Of places, not of bytes. */
  readonly #places: ByteBudget;

  /** @param clientShare what one client may have of the places, from 0 to 1, rounded up */
  constructor(bounds: AdmissionBounds, clientShare = 1, line?: BudgetLine) {
    this.#bounds = bounds;
    this.#places = new ByteBudget(bounds.statisticsRunningMax, line, clientShare);
  }

  /** Large statistics that run while a client waits, and those in line behind them. */
  get running(): number {
    return this.#places.usedBytes;
  }

  get waiting(): number {
    return this.#places.waiting;
  }

  /** @throws too_large */
  check(cost: Cost, kind: Kind): void {
    const cells = cost.cells * Math.max(1, cost.groups);
    if (cells > LIMITS.cellsMax) {
      fail(
        'too_large',
        `The answer would have ${cells} cells in ${cost.groups} groups; at most ${LIMITS.cellsMax} are possible. Reduce more axes, or ask for fewer groups.`,
        { limit: LIMITS.cellsMax, asked: cells },
      );
    }
    const asked = cost.bytes;
    const limit = this.#bytesMax(kind);
    if (asked <= limit) return;
    const instead =
      kind === 'call' && asked <= this.#bytesMax('job')
        ? 'Send it with "Prefer: respond-async" to have it computed as a job, or select less.'
        : 'Select less.';
    fail(
      'too_large',
      `The statistic would read ${asked} bytes in ${cost.passes} ${cost.passes === 1 ? 'pass' : 'passes'}; a ${kind} may read ${limit}. ${instead}`,
      { limit, asked, passes: cost.passes },
    );
  }

  /** The lane of a statistic that its client waits for, after `before` bytes that the same call has asked for. */
  laneOf({ bytes }: Cost, before = 0): Lane {
    return before + bytes <= LIMITS.interactiveBytesMax ? 'interactive' : 'bulk';
  }

  /** Runs a statistic in its lane, a large one that its client waits for when there is a place. @throws busy, cancelled */
  async run<T>({ kind, cost, bytesBefore, signal, client }: Admitted, work: (lane: Lane) => Promise<T>): Promise<T> {
    // Nobody waits for a job, and the number of those that run is bounded where they are started.
    if (kind === 'job') return work('bulk');
    const lane = this.laneOf(cost, bytesBefore);
    if (lane === 'interactive') return work(lane);
    const leave = await this.#enter(client, signal);
    try {
      return await work(lane);
    } finally {
      leave();
    }
  }

  async #enter(client: Client | undefined, signal: AbortSignal | undefined): Promise<() => void> {
    const places = client ? this.#places.of(client.id) : this.#places;
    try {
      return await places.take(1, signal);
    } catch (error) {
      if (!isErrorCode(error, 'busy')) throw error;
      const { running, waiting } = this;
      throw new HyperslabError(
        'busy',
        `${running} large statistics run, and ${waiting} wait. Repeat the request later, or send it with "Prefer: respond-async".`,
        { limit: this.#bounds.statisticsRunningMax, running, waiting },
      );
    }
  }

  #bytesMax(kind: Kind): number {
    const limit = kind === 'call' ? this.#bounds.statisticsBytesMax : this.#bounds.jobBytesMax;
    return limit === 0 ? Number.POSITIVE_INFINITY : limit;
  }
}
