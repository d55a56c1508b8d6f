/** Seeded random numbers (mulberry32), so that a failing case can be made again from its seed. */
export interface Random {
  /** From 0 to 1, exclusive. */
  next(): number;
  /** An integer from 0 to `limit`, exclusive. */
  below(limit: number): number;
  /** An integer from `low` to `high`, inclusive. */
  integer(low: number, high: number): number;
  pick<T>(choices: readonly T[]): T;
}

export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const integer = (low: number, high: number): number => low + below(high - low + 1);
  return { next, below, integer, pick: choices => choices[below(choices.length)]! };
}
