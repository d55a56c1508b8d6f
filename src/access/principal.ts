/** Whoever makes a request, as far as the service knows. */
import type { Patterns } from './patterns.js';
import { rankOf, type Rank, type Scope } from './scopes.js';

export interface Principal {
  /** `key` and `token` showed credentials; `open` needs none; `anonymous` is let in by a setting; `nobody` is not. */
  readonly kind: 'open' | 'key' | 'token' | 'anonymous' | 'nobody';
  /** For the log: the id of a key, the beginning of the issuer and the subject of a token. */
  readonly id: string;
  /** Who a caller is: no two have the same. Undefined for a token that does not say; nothing can belong to its caller. */
  readonly owner: string | undefined;
  readonly rank: Rank;
  /** Undefined reaches every dataset. */
  readonly patterns: Patterns | undefined;
}

/** A caller of a service on loopback that has no keys. */
export const OPEN: Principal = {
  kind: 'open',
  id: 'open',
  owner: 'open',
  rank: rankOf(['admin']),
  patterns: undefined,
};

/** A caller without credentials where they are asked for. */
export const NOBODY: Principal = { kind: 'nobody', id: 'nobody', owner: 'nobody', rank: 0, patterns: undefined };

export function anonymous(scope: Scope): Principal {
  return { kind: 'anonymous', id: 'anonymous', owner: 'anonymous', rank: rankOf([scope]), patterns: undefined };
}

/** True for those who showed a key or a token. */
export function hasCredentials({ kind }: Principal): boolean {
  return kind === 'key' || kind === 'token';
}
