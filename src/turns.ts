/** Long work on the event loop, in turns: a generator does a few milliseconds of it between two yields. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Runs a generator to its end, letting everything else go first between its steps. */
export async function runTurns<T>(steps: Generator<unknown, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
}

/** The same, keeping what was yielded. */
export async function collectTurns<T>(steps: Generator<T, void>): Promise<T[]> {
  const collected: T[] = [];
  for (;;) {
    const step = steps.next();
    if (step.done) return collected;
    collected.push(step.value);
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
}
