/**
 * JWT bearer tokens, checked against the public keys of an identity provider. Only asymmetric signatures are taken: with
 * HS256, whoever knows a public key could sign. When the keys cannot be fetched, nobody is let in: 503, never open.
 */
import { createHash } from 'node:crypto';
import { errors, jwtVerify, type JWTPayload } from 'jose';
import { HyperslabError } from '../errors.js';
import { Patterns } from './patterns.js';
import type { Principal } from './principal.js';
import type { KeyFinder } from './provider-keys.js';
import { unauthenticated } from './refusals.js';
import { isScope, rankOf, type Scope } from './scopes.js';

export interface TokenRules {
  readonly issuer: string | undefined;
  readonly audience: string;
  readonly scopeClaim: string;
  readonly datasetsClaim: string;
}

const ALGORITHMS = 'RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519'.split(' ');
const CLOCK_TOLERANCE_S = 30;
/** Tokens that were found good, so that a client pays for its signature once. */
const REMEMBERED_MAX = 1000;
/** A key that the provider gives up must not live on in what is remembered. */
const REMEMBERED_MS = 5 * 60_000;

export class TokenVerifier {
  readonly #rules: TokenRules;
  #findKey: KeyFinder;
  readonly #remembered = new Map<string, { principal: Principal; until: number }>();

  constructor(findKey: KeyFinder, rules: TokenRules) {
    this.#findKey = findKey;
    this.#rules = rules;
  }

  /** Takes other keys from now on. */
  replaceKeys(findKey: KeyFinder): void {
    this.#findKey = findKey;
    this.#remembered.clear();
  }

  /** A principal at once for a token that is remembered. @throws unauthenticated, keys_unavailable */
  verify(token: string): Principal | Promise<Principal> {
    const digest = createHash('sha256').update(token).digest('base64');
    const known = this.#remembered.get(digest);
    if (known && Date.now() < known.until) {
      // Last in, last out: the map keeps the order of use.
      this.#remembered.delete(digest);
      this.#remembered.set(digest, known);
      return known.principal;
    }
    return this.#check(token, digest);
  }

  async #check(token: string, digest: string): Promise<Principal> {
    const findKey = this.#findKey;
    const { issuer, audience } = this.#rules;
    const { payload } = await jwtVerify(token, findKey, {
      algorithms: ALGORITHMS,
      audience,
      ...(issuer !== undefined && { issuer }),
      requiredClaims: ['exp'],
      clockTolerance: CLOCK_TOLERANCE_S,
    }).catch(refuse);
    const principal = principalOf(payload, this.#rules);
    // The keys may have been replaced while the signature was checked.
    if (findKey === this.#findKey) this.#remember(digest, principal, payload.exp!);
    return principal;
  }

  #remember(digest: string, principal: Principal, expSeconds: number): void {
    const until = Math.min(Date.now() + REMEMBERED_MS, (expSeconds + CLOCK_TOLERANCE_S) * 1000);
    this.#remembered.delete(digest);
    this.#remembered.set(digest, { principal, until });
    if (this.#remembered.size > REMEMBERED_MAX) {
      const [oldest] = this.#remembered.keys();
      this.#remembered.delete(oldest!);
    }
  }
}

function refuse(error: unknown): never {
  if (error instanceof HyperslabError) throw error;
  if (error instanceof errors.JWTExpired)
    throw unauthenticated('invalid_token', 'The token has expired. Get a new one.');
  if (error instanceof errors.JWTClaimValidationFailed) {
    throw unauthenticated(
      'invalid_token',
      `The claim ${error.claim} of the token is missing, or not what this service wants. Get a token that was issued for it.`,
    );
  }
  if (error instanceof errors.JWSInvalid || error instanceof errors.JWTInvalid) {
    throw unauthenticated(
      'invalid_token',
      'What stands behind Bearer is neither a key (hs_…) nor a JWT. Send it whole.',
    );
  }
  throw unauthenticated(
    'invalid_token',
    'The token is not signed by a key that this service trusts. Get one from its identity provider.',
  );
}

function principalOf(payload: JWTPayload, { scopeClaim, datasetsClaim }: TokenRules): Principal {
  return {
    kind: 'token',
    id: `token:${shortText(payload.iss)}:${shortText(payload.sub)}`,
    owner: ownerOf(payload),
    rank: rankOf(scopesOf(claim(payload, scopeClaim))),
    patterns: patternsOf(claim(payload, datasetsClaim), datasetsClaim),
  };
}

/**
 * Exact, so that no two callers are taken for one: the issuer with the subject; without one, with the client or the token
 * itself. A token with none of them could be anybody's.
 */
function ownerOf({ iss, sub, client_id: client, azp, jti }: JWTPayload): string | undefined {
  const [kind, name] = Object.entries({ sub, client_id: client ?? azp, jti }).find(([, value]) => isName(value)) ?? [];
  return kind === undefined ? undefined : JSON.stringify([iss ?? null, kind, name]);
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

/** Claims are what somebody else wrote: of any type and length. */
function shortText(value: unknown): string {
  return typeof value === 'string' ? value.slice(0, 100) : '';
}

function claim(payload: JWTPayload, name: string): unknown {
  return Object.hasOwn(payload, name) ? payload[name] : undefined;
}

/** Words that are no scopes belong to somebody else. */
function scopesOf(value: unknown): Scope[] {
  const words: unknown[] = typeof value === 'string' ? value.split(' ') : Array.isArray(value) ? value : [];
  return words.map(word => (typeof word === 'string' ? word.replace(/^hyperslab:/, '') : word)).filter(isScope);
}

function patternsOf(value: unknown, name: string): Patterns | undefined {
  if (value === undefined) return undefined;
  try {
    if (!Array.isArray(value)) throw new Error('expected a list');
    return Patterns.parse(value);
  } catch (error) {
    throw unauthenticated(
      'invalid_token',
      `The claim ${name} of the token cannot be read: ${(error as Error).message}. Get a token with a list of patterns, or without this claim.`,
    );
  }
}
