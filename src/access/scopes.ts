/** Scopes, from the least to the most: each allows what those before it allow. */

export const SCOPES = ['read', 'write', 'admin'] as const;

export type Scope = (typeof SCOPES)[number];

/** What a route asks for: a scope, or `open` for everybody. */
export type NeededScope = Scope | 'open';

/** 0 for no scope at all, then the place in SCOPES from 1. */
export type Rank = 0 | 1 | 2 | 3;

export function rankOf(scopes: readonly Scope[]): Rank {
  return Math.max(0, ...scopes.map(scope => SCOPES.indexOf(scope) + 1)) as Rank;
}

export function rankNeeded(scope: NeededScope): Rank {
  return scope === 'open' ? 0 : rankOf([scope]);
}

/** The highest scope of a rank, as text for messages. */
export function nameOfRank(rank: Rank): string {
  return SCOPES[rank - 1] ?? 'none';
}

export function isScope(text: unknown): text is Scope {
  return SCOPES.some(scope => scope === text);
}
