/**
 * `hyperslab keys add | list | revoke`: edits the key file, which a running service reads again within a second or two.
 * A key is shown once, on standard output alone, so that it can be piped; the file keeps its hash.
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { keysFileOf } from './access/access.js';
import { editKeys, readKeys } from './access/edit-keys.js';
import { KEY_NAME_LENGTH_MAX, makeKey, type KeyRecord } from './access/keys.js';
import { Patterns } from './access/patterns.js';
import { isScope, SCOPES, type Scope } from './access/scopes.js';
import { SETTINGS } from './config.js';
import { list } from './setting.js';

const USAGE = `hyperslab keys add --name NAME --scope read[,write][,admin] [--datasets 'a*,b'] [--expires 90d]
hyperslab keys list
hyperslab keys revoke ID

The keys are in keys.json of HYPERSLAB_DATA_DIR, or in HYPERSLAB_KEYS_FILE. The service may run meanwhile.
--datasets   names, and patterns with *; default: every dataset
--expires    30d, 12h, or a date such as 2030-01-31 (UTC); default: never
`;

/** A sentence for the person at the terminal. */
class UsageError extends Error {
  override readonly name = 'UsageError';
}

type Env = Readonly<Record<string, string | undefined>>;

/** Runs the command and returns the exit status. */
export async function runKeys(args: readonly string[], env: Env): Promise<number> {
  const [action, ...rest] = args;
  const dataDir = env[SETTINGS.dataDir.name] || SETTINGS.dataDir.default;
  const file = path.resolve(
    keysFileOf({ dataDir, keysFile: SETTINGS.keysFile.parse(env[SETTINGS.keysFile.name] ?? '') }),
  );
  try {
    if (action === 'add') return await add(file, rest);
    if (action === 'list' && rest.length === 0) return await show(file);
    if (action === 'revoke' && rest.length === 1) return await revoke(file, rest[0]!);
  } catch (error) {
    process.stderr.write(`hyperslab keys: ${(error as Error).message}\n`);
    return 1;
  }
  const asked = action === '--help' || action === '-h' || action === 'help';
  (asked ? process.stdout : process.stderr).write(USAGE);
  return asked ? 0 : 2;
}

async function add(file: string, args: string[]): Promise<number> {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({ args, options: { name: text, scope: text, datasets: text, expires: text } });
  const { text: key, record } = makeKey({
    name: nameOf(values.name),
    scopes: scopesOf(values.scope),
    ...(values.datasets !== undefined && { datasets: datasetsOf(values.datasets) }),
    created: new Date().toISOString(),
    ...(values.expires !== undefined && { expires: expiryOf(values.expires, Date.now()) }),
  });
  const before = await editKeys(file, keys => [...keys, record]);
  process.stdout.write(`${key}\n`);
  process.stderr.write(`Added ${summaryOf(record)}.\nThis is the only time that the key is shown: keep it now.\n`);
  if (before === undefined) process.stderr.write('It is the first key: from now on the service asks for one.\n');
  return 0;
}

async function show(file: string): Promise<number> {
  const keys = await readKeys(file);
  if (keys === undefined) process.stderr.write('There is no key file, so no keys.\n');
  for (const key of keys ?? []) process.stdout.write(`${summaryOf(key)}\n`);
  return 0;
}

async function revoke(file: string, id: string): Promise<number> {
  await editKeys(file, keys => {
    if (!keys.some(key => key.id === id))
      throw new UsageError(`no key has the id ${id}; "hyperslab keys list" shows them`);
    return keys.filter(key => key.id !== id);
  });
  process.stderr.write(`Revoked ${id}.\n`);
  return 0;
}

function summaryOf({ id, name, scopes, datasets, created, expires }: KeyRecord): string {
  const ends = expires === undefined ? 'never expires' : `${isPast(expires) ? 'expired' : 'expires'} ${expires}`;
  return [id, name, scopes.join(','), datasets?.join(',') ?? '*', `created ${created}`, ends].join('  ');
}

function isPast(time: string): boolean {
  return Date.parse(time) <= Date.now();
}

function nameOf(name = ''): string {
  // A name stands in lists and logs: no control characters.
  if (name.trim() === '' || name.length > KEY_NAME_LENGTH_MAX || /\p{Cc}/u.test(name)) {
    throw new UsageError(`--name is needed: 1 to ${KEY_NAME_LENGTH_MAX} characters that say whose key it is`);
  }
  return name.trim();
}

function scopesOf(text = ''): Scope[] {
  const scopes = list(text);
  if (scopes.length === 0 || !scopes.every(isScope))
    throw new UsageError(`--scope is needed: some of ${SCOPES.join(',')}`);
  return scopes;
}

function datasetsOf(text: string): string[] {
  const patterns = list(text);
  Patterns.parse(patterns);
  return patterns;
}

const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, d: 86_400_000 };

function expiryOf(text: string, now: number): string {
  const span = /^(\d{1,5})([hd])$/.exec(text);
  const at = span
    ? now + Number(span[1]) * UNIT_MS[span[2]!]!
    : /^\d{4}-\d{2}-\d{2}$/.test(text)
      ? Date.parse(`${text}T00:00:00Z`)
      : Number.NaN;
  if (!(at > now)) throw new UsageError('--expires is a span such as 90d or 12h, or a date to come such as 2030-01-31');
  return new Date(at).toISOString();
}
