/** What comes back from a worker: a value, or an error as plain data, since classes do not cross threads. */
import { HyperslabError, type ErrorCode, type ErrorValues } from '../errors.js';
import { fromSystemError } from '../file/system-errors.js';

/** What a thread says when it is ready for tasks. */
export interface ThreadReady {
  readonly threadId: number;
  /** Why it cannot compute statistics. */
  readonly lacking?: string;
}

/** What an error says that may be anything. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : 'no error told why';
}

export type Outcome<T> = { readonly value: T } | { readonly failure: Failure };

interface Failure {
  readonly code: ErrorCode;
  readonly detail: string;
  readonly values: ErrorValues;
}

/** Runs a task and packs what it throws. Errors that are not ours come from file calls. */
export function outcomeOf<T>(work: () => T): Outcome<T> {
  try {
    return { value: work() };
  } catch (error) {
    // A system error has a code and a number; anything else is a fault of ours, and piscina reports it whole.
    if (!(error instanceof HyperslabError) && !(error instanceof Error && 'errno' in error)) throw error;
    const { code, message, values } = fromSystemError(error);
    return { failure: { code, detail: message, values } };
  }
}

/** The value, or the error thrown again on this side. */
export function valueOf<T>(outcome: Outcome<T>): T {
  if ('value' in outcome) return outcome.value;
  throw new HyperslabError(outcome.failure.code, outcome.failure.detail, outcome.failure.values);
}
