/**
 * API keys: `hs_<id>_<secret>`, 256 random bits of secret. Only the SHA-256 of a key is kept, which is enough for random
 * secrets of this size. Hazard: a key file that cannot be understood must let nobody in, so unknown members are faults:
 * a misspelt `datasets` would open everything.
 */
import { hash, randomBytes } from 'node:crypto';
import { Patterns } from './patterns.js';
import { isScope, type Scope } from './scopes.js';

/** One key of the file. */
export interface KeyRecord {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the whole key text, in hex. */
  readonly hash: string;
  readonly scopes: readonly Scope[];
  /** Absent reaches every dataset. */
  readonly datasets?: readonly string[];
  /** Times are ISO 8601 in UTC. */
  readonly created: string;
  readonly expires?: string;
}

const KEY = /^hs_([a-z0-9]{12})_[A-Za-z0-9_-]{43}$/;
export const KEYS_MAX = 10_000;
export const KEY_NAME_LENGTH_MAX = 100;

/** A new key: the text for its owner, and what the file keeps. */
export function makeKey(rest: Omit<KeyRecord, 'id' | 'hash'>): { text: string; record: KeyRecord } {
  const id = randomBytes(6).toString('hex');
  const text = `hs_${id}_${randomBytes(32).toString('base64url')}`;
  return { text, record: { id, ...rest, hash: hashOf(text).toString('hex') } };
}

/** The id in a key text, or undefined for a text that is no key. */
export function idOf(text: string): string | undefined {
  return KEY.exec(text)?.[1];
}

/** The id of the key in an Authorization header, whether the key holds or not: no secret, and what a log may name. */
export function claimedKey(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : idOf(authorization.replace(/^bearer +/i, '').trim());
}

export function hashOf(text: string): Buffer {
  return hash('sha256', text, 'buffer');
}

export function keysToText(keys: readonly KeyRecord[]): string {
  return `${JSON.stringify({ version: 1, keys }, null, 2)}\n`;
}

/** Throws a sentence that says what is wrong; it never holds a hash. */
export function parseKeys(text: string): KeyRecord[] {
  const document = parseJson(text);
  checkMembers(document, ['version', 'keys'], 'the file');
  if (document['version'] !== 1) throw new Error('its version is not 1');
  const { keys } = document as { keys: unknown };
  if (!Array.isArray(keys)) throw new Error('keys is not a list');
  if (keys.length > KEYS_MAX) throw new Error(`it holds more than ${KEYS_MAX} keys`);
  const records = keys.map((key: unknown, i) => parseKey(key, `key ${i + 1}`));
  if (new Set(records.map(({ id }) => id)).size < records.length) throw new Error('two keys have the same id');
  return records;
}

type Members = Readonly<Record<string, unknown>>;

const MEMBERS = ['id', 'name', 'hash', 'scopes', 'datasets', 'created', 'expires'];

function parseKey(value: unknown, which: string): KeyRecord {
  if (!isObject(value)) throw new Error(`${which} is not an object`);
  checkMembers(value, MEMBERS, which);
  const { id, name, hash, scopes, datasets, created, expires } = value;
  const check = (isGood: boolean, what: string): void => {
    if (!isGood) throw new Error(`${which} has no good ${what}`);
  };
  check(typeof id === 'string' && /^[a-z0-9]{12}$/.test(id), 'id');
  check(typeof name === 'string' && name.length <= KEY_NAME_LENGTH_MAX, 'name');
  check(typeof hash === 'string' && /^[0-9a-f]{64}$/.test(hash), 'hash');
  check(Array.isArray(scopes) && scopes.length > 0 && scopes.every(isScope), 'scopes');
  check(isTime(created), 'created');
  check(expires === undefined || isTime(expires), 'expires');
  check(datasets === undefined || Array.isArray(datasets), 'datasets');
  // Throws when a pattern is none.
  if (datasets !== undefined) Patterns.parse(datasets as unknown[]);
  return value as unknown as KeyRecord;
}

function parseJson(text: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error('it is not JSON');
  }
  if (!isObject(value)) throw new Error('it is not a JSON object');
  return value;
}

function checkMembers(value: Members, known: readonly string[], which: string): void {
  const unknown = Object.keys(value).find(member => !known.includes(member));
  if (unknown !== undefined) throw new Error(`${which} has the unknown member ${JSON.stringify(unknown.slice(0, 40))}`);
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T/.test(value) && !Number.isNaN(Date.parse(value));
}
