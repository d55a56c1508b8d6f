/**
 * Long work on the event loop, in turns: a generator does a few milliseconds of it between two yields. Whoever wants a
 * turn waits in one line, of which one goes at a time: a hundred long answers hold up others no longer than one does.
 */

/** A line in which one goes at a time: between two of them everything else that was to be done is done. */
export function newLine(): () => Promise<void> {
  const line: (() => void)[] = [];
  // What is called runs before the loop goes on, and may stand in line again.
  const callNext = (): void => {
    line.shift()!();
    if (line.length > 0) setImmediate(callNext);
  };
  return () =>
    new Promise(resolve => {
      if (line.push(resolve) === 1) setImmediate(callNext);
    });
}

/** Resolves when everything else that was to be done has been, and those before it have had their turn. */
export const nextTurn = newLine();

/** Runs a generator to its end, letting everything else go first between its steps. */
export async function runTurns<T>(steps: Generator<unknown, T>): Promise<T> {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    // oxlint-disable-next-line no-await-in-loop
    await nextTurn();
  }
}

/** The same where nobody else is there. */
export function atOnce<T>(steps: Generator<unknown, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

/** As runTurns, keeping what was yielded. */
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

/** For long work that awaits anyway: what it calls now and then lets everything else go first, every few milliseconds. */
export function givingTurns(turnMs = 4): () => Promise<void> | undefined {
  let since = performance.now();
  const next = async (): Promise<void> => {
    await nextTurn();
    since = performance.now();
  };
  return () => (performance.now() - since < turnMs ? undefined : next());
}

/** What `map` makes of each item, where that takes a few microseconds: everything else goes first every few milliseconds. */
export async function mapGivingTurns<T, R>(items: readonly T[], map: (item: T) => R): Promise<R[]> {
  const turn = givingTurns();
  const mapped: R[] = [];
  for (const item of items) {
    mapped.push(map(item));
    // oxlint-disable-next-line no-await-in-loop
    if (isTurnOver(mapped.length, 64)) await turn();
  }
  return mapped;
}

/** Items of something cheap, a microsecond or so each, that are gone through in one turn. */
export const ITEMS_PER_TURN = 4096;

/** True where others should have a turn after the item of this number. */
export function isTurnOver(index: number, perTurn = ITEMS_PER_TURN): boolean {
  return index % perTurn === perTurn - 1;
}

/** What `map` makes of each item, in turns. */
export function* mapTurns<T, R>(items: readonly T[], map: (item: T, index: number) => R): Generator<void, R[]> {
  const mapped: R[] = [];
  for (let i = 0; i < items.length; i++) {
    mapped.push(map(items[i]!, i));
    if (isTurnOver(i)) yield;
  }
  return mapped;
}

/** Ascending order, in turns: pieces are sorted, then merged. */
export function* sortTurns<T extends string>(items: readonly T[]): Generator<void, T[]> {
  let runs: T[][] = [];
  for (let from = 0; from < items.length; from += ITEMS_PER_TURN) {
    runs.push(items.slice(from, from + ITEMS_PER_TURN).sort(byUnits));
    yield;
  }
  while (runs.length > 1) {
    const merged: T[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      merged.push(runs[i + 1] ? yield* mergeTurns(runs[i]!, runs[i + 1]!) : runs[i]!);
    }
    runs = merged;
  }
  return runs[0] ?? [];
}

function* mergeTurns<T extends string>(a: readonly T[], b: readonly T[]): Generator<void, T[]> {
  const merged: T[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    merged.push(j === b.length || (i < a.length && a[i]! <= b[j]!) ? a[i++]! : b[j++]!);
    if (isTurnOver(merged.length)) yield;
  }
  return merged;
}

function byUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
