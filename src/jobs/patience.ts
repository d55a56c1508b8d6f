/** Memory for work that nobody waits for: it takes its turn in the budget's line as often as it has to. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Budget, Release } from '../budget.js';
import { isErrorCode } from '../errors.js';

const PAUSE_MS = 250;

/** @throws too_large, cancelled */
export async function takePatiently(budget: Budget, bytes: number, signal: AbortSignal): Promise<Release> {
  for (;;) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await budget.take(bytes, signal);
    } catch (error) {
      if (!isErrorCode(error, 'busy')) throw error;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(PAUSE_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}
