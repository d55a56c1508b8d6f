/** Key texts, the key file, and the look-up. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import { editKeys, readKeys } from '../../src/access/edit-keys.js';
import { hashOf, idOf, keysToText, makeKey, parseKeys, type KeyRecord } from '../../src/access/keys.js';
import { KeyRing } from '../../src/access/key-ring.js';
import { isErrorCode } from '../../src/errors.js';
import { temporaryFolder } from '../helpers/server.js';

const EDIT_KEYS = new URL('../../src/access/edit-keys.js', import.meta.url).href;
/** Says when it has the lock, and never lets go of it. */
const STUCK_EDITOR = `
  import fs from 'node:fs';
  const { editKeys } = await import(process.argv[1]);
  await editKeys(process.argv[2], () => {
    fs.writeSync(1, 'locked');
    for (;;);
  });
`;
const CREATED = '2026-01-02T03:04:05.000Z';
const made = (rest: Partial<KeyRecord> = {}): { text: string; record: KeyRecord } =>
  makeKey({ name: 'a', scopes: ['read'], created: CREATED, ...rest });

t.test('a key holds 256 random bits, and its record only their hash', async t => {
  const keys = Array.from({ length: 100 }, () => made());
  t.equal(new Set(keys.map(({ text }) => text)).size, 100);
  for (const { text, record } of keys) {
    t.match(text, /^hs_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/);
    t.equal(idOf(text), record.id);
    t.equal(record.hash, hashOf(text).toString('hex'));
    t.notOk(JSON.stringify(record).includes(text.slice(-43)));
  }
});

t.test('a file is read back as it was written', async t => {
  const records = [
    made().record,
    made({ scopes: ['write', 'admin'], datasets: ['a*', 'b'], expires: '2030-01-01T00:00:00.000Z' }).record,
  ];
  t.strictSame(parseKeys(keysToText(records)), records);
  t.strictSame(parseKeys(keysToText([])), []);
});

t.test('a file that is not understood in every member is refused, and its hashes are not told', async t => {
  const { record } = made();
  const file = (key: object, more: object = {}): string => JSON.stringify({ version: 1, keys: [key], ...more });
  for (const [text, message] of [
    ['', /not JSON/],
    ['{"version":1,"keys":[', /not JSON/],
    ['[]', /not a JSON object/],
    ['{"keys":[]}', /version/],
    ['{"version":2,"keys":[]}', /version/],
    ['{"version":1}', /keys is not a list/],
    [file(record, { more: 1 }), /unknown member "more"/],
    [file({ ...record, dataset: ['a'] }), /unknown member "dataset"/],
    [file({ ...record, id: 'A' }), /no good id/],
    [file({ ...record, hash: record.hash.slice(1) }), /no good hash/],
    [file({ ...record, hash: record.hash.toUpperCase().replace(/^./, 'G') }), /no good hash/],
    [file({ ...record, scopes: [] }), /no good scopes/],
    [file({ ...record, scopes: 'read' }), /no good scopes/],
    [file({ ...record, scopes: ['root'] }), /no good scopes/],
    [file({ ...record, datasets: [] }), /pattern/],
    [file({ ...record, datasets: 'a*' }), /no good datasets/],
    [file({ ...record, datasets: ['a/b'] }), /pattern/],
    [file({ ...record, expires: 'soon' }), /no good expires/],
    [file({ ...record, expires: 1 }), /no good expires/],
    [file({ ...record, created: undefined }), /no good created/],
    [JSON.stringify({ version: 1, keys: [null] }), /not an object/],
    [JSON.stringify({ version: 1, keys: [record, record] }), /same id/],
  ] as const) {
    t.throws(() => parseKeys(text), { message }, text.slice(0, 60));
    try {
      parseKeys(text);
    } catch (error) {
      t.notMatch((error as Error).message, record.hash.slice(0, 16));
    }
  }
});

t.test('only the whole key is let in, and only until it expires', async t => {
  const good = made({ scopes: ['write'], datasets: ['a*'] });
  const old = made({ expires: new Date(Date.now() - 1).toISOString() });
  const ring = new KeyRing([good.record, old.record]);
  t.match(ring.verify(good.text), { kind: 'key', id: good.record.id, rank: 2 });
  t.equal(ring.verify(good.text).patterns?.matches('b'), false);
  const flipped = good.text.slice(0, -2) + (good.text.at(-2) === 'A' ? 'B' : 'A') + good.text.at(-1)!;
  const unknown = made().text;
  const crossed = `hs_${good.record.id}_${unknown.slice(-43)}`;
  for (const text of [
    flipped,
    unknown,
    crossed,
    `${good.text}A`,
    good.text.slice(0, -1),
    good.record.hash,
    '',
    'hs__',
  ]) {
    try {
      ring.verify(text);
      t.fail(`let in: ${text}`);
    } catch (error) {
      t.ok(isErrorCode(error, 'unauthenticated'));
      t.match((error as Error).message, /not one of this service/);
    }
  }
  t.throws(() => ring.verify(old.text), { code: 'unauthenticated', message: /expired/ });
});

t.test('the file is private, stays whole, and keeps every change of many editors at a time', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'new', 'keys.json');
  t.equal(await readKeys(file), undefined);
  const records = Array.from({ length: 12 }, () => made().record);
  await Promise.all(records.map(record => editKeys(file, keys => [...keys, record])));
  t.equal(fs.statSync(file).mode & 0o777, 0o600);
  const ids = (keys: readonly KeyRecord[] | undefined): string[] => (keys ?? []).map(({ id }) => id).sort();
  t.strictSame(ids(await readKeys(file)), ids(records));
  t.strictSame(fs.readdirSync(path.dirname(file)), ['keys.json'], 'no lock and no temporary file is left');
});

t.test('an edit that throws changes nothing and lets the lock go', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'keys.json');
  await editKeys(file, () => [made().record]);
  const before = fs.readFileSync(file, 'utf8');
  await t.rejects(
    editKeys(file, () => {
      throw new Error('no');
    }),
    /no/,
  );
  fs.appendFileSync(file, '}');
  await t.rejects(
    editKeys(file, () => []),
    /cannot be used: it is not JSON/,
    'a broken file is not written over',
  );
  fs.writeFileSync(file, before);
  await editKeys(file, keys => keys);
  t.equal(fs.readFileSync(file, 'utf8'), before);
});

t.test('an edit waits for another process, and for no longer than that lives', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'keys.json');
  const other = spawn(process.execPath, ['--input-type=module', '-e', STUCK_EDITOR, EDIT_KEYS, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => other.kill('SIGKILL'));
  await once(other.stdout, 'data');
  let isDone = false;
  const edit = editKeys(file, () => []).then(() => (isDone = true));
  await delay(300);
  t.equal(isDone, false);
  t.equal(await readKeys(file), undefined, 'nothing was written meanwhile');
  other.kill('SIGKILL');
  await edit;
  t.strictSame(await readKeys(file), []);
});
