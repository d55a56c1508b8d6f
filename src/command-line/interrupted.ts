/** Ctrl-C: what is under way is given up and tidied, and a second one ends the process as it is. */
import { constants } from 'node:os';
import { ToldError } from './told.js';

const controller = new AbortController();
let status = 0;

/** Of all that a command waits for. */
export const INTERRUPTED = controller.signal;

/** From now on the first SIGINT or SIGTERM is a wish. */
export function takeInterrupts(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => {
      status = 128 + constants.signals[signal];
      controller.abort();
    });
  }
}

/** What a shell takes for the end by that signal. */
export function interruptedStatus(): number {
  return status;
}

/** Between two steps of a long work. @throws ToldError */
export function checkInterrupted(): void {
  if (INTERRUPTED.aborted) throw new ToldError('Interrupted.');
}
