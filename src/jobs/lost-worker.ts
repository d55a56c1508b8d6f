/**
 * Tasks whose thread ended under them. A task changes nothing but what it is told to fill or to write, so it is given
 * once more, to another thread; a second loss is told to the client, since the task itself may be what kills threads.
 */
import { HyperslabError, systemErrorCode } from '../errors.js';

const ATTEMPTS = 2;

/** Runs a task, once more if its thread ends. @throws worker_lost */
export async function retryWhenLost<T>(run: () => Promise<T>, onLost: (error: Error) => void): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await run();
    } catch (error) {
      if (!isLost(error)) throw error;
      onLost(error);
      if (attempt === ATTEMPTS) {
        throw new HyperslabError(
          'worker_lost',
          `The worker thread ended while it computed, and so did a second one. Repeat the request later, or ask for less in one call.`,
          { attempts: ATTEMPTS },
          { cause: error },
        );
      }
    }
  }
}

/** piscina's error for a thread that ended has no code; one that ran out of memory has. */
function isLost(error: unknown): error is Error {
  if (!(error instanceof Error)) return false;
  return error.message.startsWith('worker exited with code') || systemErrorCode(error) === 'ERR_WORKER_OUT_OF_MEMORY';
}
