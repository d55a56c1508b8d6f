/**
 * The public keys of an identity provider, fetched from its URL. Keys that were fetched hold while new ones are asked for,
 * and while the provider is away. A token that names another key waits for them alone, and at most once in
 * `COOLDOWN_MS`: strangers can write any name into a token.
 */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';
import { fail } from '../errors.js';

export type KeyFinder = JWTVerifyGetKey;

/** Older keys are asked for anew, beside the requests that they serve. */
const FRESH_MS = 600_000;
/** Between two times that a key which is not there is asked for. */
const COOLDOWN_MS = 30_000;
/** After a failure the provider is left alone for this long. */
const RETRY_MS = 2000;
const TIMEOUT_MS = 5000;
/** Far more than a provider has keys for. */
const TEXT_LENGTH_MAX = 1024 * 1024;

/** Keys from the text of a JWK Set. Throws where it is none. */
export function keysOfText(text: string): KeyFinder {
  return createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
}

/** A set of which no token is signed. */
export const NO_KEYS: KeyFinder = createLocalJWKSet({ keys: [] });

/** Keys from a URL. Finding one throws keys_unavailable where it is not known and the provider does not answer. */
export function keysOfUrl(url: URL): KeyFinder {
  const keys = new ProviderKeys(url);
  return (header, token) => keys.find(header, token);
}

class ProviderKeys {
  readonly #url: URL;
  #known: KeyFinder | undefined;
  #fetchedMs = Number.NEGATIVE_INFINITY;
  #failedMs = Number.NEGATIVE_INFINITY;
  /** One request at a time, whoever asks. */
  #fetching: Promise<void> | undefined;

  constructor(url: URL) {
    this.#url = url;
  }

  async find(...asked: Parameters<KeyFinder>): Promise<Awaited<ReturnType<KeyFinder>>> {
    if (this.#known) {
      const ageMs = performance.now() - this.#fetchedMs;
      if (ageMs > FRESH_MS && this.#mayAsk) void this.#fetch();
      try {
        return await this.#known(...asked);
      } catch (error) {
        if (!(error instanceof errors.JWKSNoMatchingKey) || ageMs < COOLDOWN_MS) throw error;
      }
    }
    if (this.#fetching || this.#mayAsk) await this.#fetch();
    if (!this.#known || this.#failedMs > this.#fetchedMs) return failUnavailable();
    return this.#known(...asked);
  }

  get #mayAsk(): boolean {
    return performance.now() - this.#failedMs > RETRY_MS;
  }

  #fetch(): Promise<void> {
    this.#fetching ??= this.#fetchNow().finally(() => (this.#fetching = undefined));
    return this.#fetching;
  }

  async #fetchNow(): Promise<void> {
    try {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const response = await fetch(this.#url, { signal, redirect: 'error', headers: { accept: 'application/json' } });
      const text = await response.text();
      if (!response.ok || text.length > TEXT_LENGTH_MAX) throw new Error('no keys');
      this.#known = keysOfText(text);
      this.#fetchedMs = performance.now();
    } catch {
      this.#failedMs = performance.now();
    }
  }
}

function failUnavailable(): never {
  return fail('keys_unavailable', 'The keys that tokens are checked against cannot be fetched. Repeat in a moment.');
}
