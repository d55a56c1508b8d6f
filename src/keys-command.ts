/**
 * `hyperslab keys add | list | revoke`: edits the key file, which a running service reads again within a second or two.
 * A key is shown once, on standard output alone, so that it can be piped; the file keeps its hash.
 */
import path from 'node:path';
import { keysFileOf } from './access/access.js';
import { editKeys, readKeys } from './access/edit-keys.js';
import { KEY_NAME_LENGTH_MAX, makeKey, type KeyRecord } from './access/keys.js';
import { Patterns } from './access/patterns.js';
import { isScope, SCOPES, type Scope } from './access/scopes.js';
import { readConfig, SETTINGS } from './config.js';
import { readFlags, UsageError } from './process/flags.js';
import { didYouMean } from './near.js';
import { statusOf } from './process/say.js';
import { list } from './setting.js';

const USAGE = `hyperslab keys add --name NAME --scope read[,write][,admin]
                   [--datasets 'a*,b'] [--expires 90d] [--json]
hyperslab keys list [--json]
hyperslab keys revoke ID [--json]

The keys are in keys.json of HYPERSLAB_DATA_DIR, or in HYPERSLAB_KEYS_FILE. The
service may run meanwhile.

--datasets   names, and patterns with *; default: every dataset
--expires    30d, 12h, or a date such as 2030-01-31 (UTC); default: never
--data-dir   the data folder, in place of HYPERSLAB_DATA_DIR
--keys-file  the file, in place of HYPERSLAB_KEYS_FILE
--json       as JSON, for programs

Examples:
  hyperslab keys add --name ann --scope read,write --datasets 'run-*'
  hyperslab keys add --name ci --scope read --expires 90d --json | jq -r .key
  hyperslab keys list --data-dir /srv/hyperslab
`;

const ACTIONS = ['add', 'list', 'revoke'];

type Env = Readonly<Record<string, string | undefined>>;

/** Runs the command and returns the exit status. */
export async function runKeys(args: readonly string[], env: Env): Promise<number> {
  try {
    const json = args.includes('--json');
    const { words, settings, others, asksHelp } = readFlags(
      args.filter(arg => arg !== '--json'),
      ['name', 'scope', 'datasets', 'expires'],
    );
    const [action, ...rest] = words;
    if (asksHelp || action === 'help') {
      process.stdout.write(USAGE);
      return 0;
    }
    const { dataDir, keysFile } = readConfig({}, onlyPlaces({ ...env, ...settings }));
    const file = path.resolve(keysFileOf({ dataDir, keysFile }));
    if (action === 'add' && rest.length === 0) return await add(file, others, json);
    if (action === 'list' && rest.length === 0) return await show(file, json);
    if (action === 'revoke' && rest.length === 1) return await revoke(file, rest[0]!, json);
    return failUsage(action, rest);
  } catch (error) {
    process.stderr.write(`hyperslab keys: ${(error as Error).message}\n`);
    return statusOf(error);
  }
}

/** The settings that say where the keys are; faults of others are not this command's. */
function onlyPlaces(texts: Env): Record<string, string> {
  const names = [SETTINGS.dataDir.name, SETTINGS.keysFile.name];
  return Object.fromEntries(names.map(name => [name, texts[name] ?? '']));
}

function failUsage(action: string | undefined, rest: readonly string[]): never {
  if (action === undefined)
    throw new UsageError(`say what to do: ${ACTIONS.join(', ')}. "hyperslab keys --help" explains.`);
  const isKnown = ACTIONS.includes(action);
  throw new UsageError(
    isKnown
      ? `${action} takes ${action === 'revoke' ? 'the id of one key' : 'flags alone'}, not ${rest.length} words. "hyperslab keys --help" explains.`
      : `there is no ${JSON.stringify(action)}: say ${ACTIONS.join(', ')}.${didYouMean(action, ACTIONS)} "hyperslab keys --help" explains.`,
  );
}

async function add(file: string, flags: Readonly<Record<string, string>>, json: boolean): Promise<number> {
  const { name, scope, datasets, expires } = flags;
  const { text: key, record } = makeKey({
    name: nameOf(name),
    scopes: scopesOf(scope),
    ...(datasets !== undefined && { datasets: datasetsOf(datasets) }),
    created: new Date().toISOString(),
    ...(expires !== undefined && { expires: expiryOf(expires, Date.now()) }),
  });
  const before = await editKeys(file, keys => [...keys, record]);
  process.stdout.write(json ? `${JSON.stringify({ key, ...toldOf(record) })}\n` : `${key}\n`);
  process.stderr.write(`Added ${summaryOf(record)}.\nThis is the only time that the key is shown: keep it now.\n`);
  if (before === undefined) process.stderr.write('It is the first key: from now on the service asks for one.\n');
  return 0;
}

async function show(file: string, json: boolean): Promise<number> {
  const keys = await readKeys(file);
  if (json) {
    process.stdout.write(`${JSON.stringify((keys ?? []).map(toldOf))}\n`);
    return 0;
  }
  if (keys === undefined) process.stderr.write('There is no key file, so no keys.\n');
  for (const key of keys ?? []) process.stdout.write(`${summaryOf(key)}\n`);
  return 0;
}

async function revoke(file: string, id: string, json: boolean): Promise<number> {
  await editKeys(file, keys => {
    if (!keys.some(key => key.id === id)) throw new Error(`no key has the id ${id}; "hyperslab keys list" shows them`);
    return keys.filter(key => key.id !== id);
  });
  if (json) process.stdout.write(`${JSON.stringify({ revoked: id })}\n`);
  else process.stderr.write(`Revoked ${id}.\n`);
  return 0;
}

/** A key for programs, without its hash. */
function toldOf({ id, name, scopes, datasets, created, expires }: KeyRecord): Record<string, unknown> {
  return { id, name, scopes, datasets: datasets ?? ['*'], created, expires: expires ?? null };
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
    throw new Error(`--name is needed: 1 to ${KEY_NAME_LENGTH_MAX} characters that say whose key it is`);
  }
  return name.trim();
}

function scopesOf(text = ''): Scope[] {
  const scopes = list(text);
  if (scopes.length === 0 || !scopes.every(isScope)) throw new Error(`--scope is needed: some of ${SCOPES.join(',')}`);
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
  if (!(at > now)) throw new Error('--expires is a span such as 90d or 12h, or a date to come such as 2030-01-31');
  return new Date(at).toISOString();
}
