/** The keys that hold at present. A look-up costs one hash; the comparison takes the same time wherever it fails. */
import { timingSafeEqual } from 'node:crypto';
import { hashOf, idOf, type KeyRecord } from './keys.js';
import { Patterns } from './patterns.js';
import type { Principal } from './principal.js';
import { unauthenticated } from './refusals.js';
import { rankOf } from './scopes.js';

interface Entry {
  readonly hash: Buffer;
  /** Milliseconds since 1970; Infinity for a key without an end. */
  readonly expiresAt: number;
  readonly principal: Principal;
}

/** Compared with where an id is unknown, so that it costs as much as one that is known. */
const NO_HASH = Buffer.alloc(32);

export class KeyRing {
  readonly #byId: ReadonlyMap<string, Entry>;

  constructor(keys: readonly KeyRecord[]) {
    this.#byId = new Map(keys.map(key => [key.id, entryOf(key)]));
  }

  get size(): number {
    return this.#byId.size;
  }

  /** @throws unauthenticated */
  verify(text: string): Principal {
    const entry = this.#byId.get(idOf(text) ?? '');
    const isEqual = timingSafeEqual(hashOf(text), entry?.hash ?? NO_HASH);
    if (!entry || !isEqual) {
      throw unauthenticated(
        'invalid_token',
        'The key is not one of this service, or was revoked. Ask for another one.',
      );
    }
    if (Date.now() >= entry.expiresAt) {
      throw unauthenticated('invalid_token', 'The key has expired. Ask for another one.');
    }
    return entry.principal;
  }
}

function entryOf({ id, hash, scopes, datasets, expires }: KeyRecord): Entry {
  return {
    hash: Buffer.from(hash, 'hex'),
    expiresAt: expires === undefined ? Number.POSITIVE_INFINITY : Date.parse(expires),
    principal: {
      kind: 'key',
      id,
      owner: id,
      rank: rankOf(scopes),
      patterns: datasets && Patterns.parse(datasets),
    },
  };
}
