/** The list of datasets: what a page has, which names are in it, and that it looks at no file unless it is asked to. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { addKey, bearer } from '../helpers/keys.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';

const LARGE = 'x'.repeat(60_000);
/** Enough of them for a page of several pieces, each sent when the one before is. */
const LARGE_COUNT = 60;

const dataDir = temporaryFolder();
const arrays = path.join(dataDir, 'arrays');
const names = ['Gone', 'cut', 'kept', 'linked'].concat(
  Array.from({ length: LARGE_COUNT }, (_, i) => `large-${String(i).padStart(2, '0')}`),
);
/** Manifests that cannot be used, one with a name that no dataset can have. */
const BROKEN = { broken: '{', 'large-05a': '{}', 'zwei Wörter': '[]' };

let server: TestServer;
/** Keys: of all datasets, and of some. */
let all: string;
let some: string;

t.before(async () => {
  for (const room of [arrays, path.join(dataDir, 'catalog')]) fs.mkdirSync(room);
  for (const [i, name] of names.entries()) {
    fs.writeFileSync(path.join(arrays, `${name}.raw`), Buffer.alloc(name === 'cut' ? 8 : 16));
    writeManifest(name, {
      version: 1,
      name,
      id: `${i}`.padStart(24, '0'),
      file_id: `${i}`.padStart(24, 'f'),
      path: `arrays/${name}.raw`,
      dtype: '<f4',
      shape: [2, 2],
      order: 'C',
      offset: 0,
      mode: 'r',
      format: 'raw',
      external: true,
      attrs: name.startsWith('large') ? { text: LARGE } : { unit: 'K' },
      dims: null,
    });
  }
  for (const [name, text] of Object.entries(BROKEN)) {
    fs.writeFileSync(path.join(dataDir, 'catalog', `${name}.json`), text);
  }
  all = await addKey(dataDir, ['admin']);
  some = await addKey(dataDir, ['read'], { datasets: ['large-0*', '*-*9', '*o*'] });
  server = await startServer({ dataDir });
  fs.rmSync(path.join(arrays, 'Gone.raw'));
  fs.rmSync(path.join(arrays, 'linked.raw'));
  fs.symlinkSync('kept.raw', path.join(arrays, 'linked.raw'));
});

t.teardown(async () => {
  await server.stop();
  fs.rmSync(dataDir, { recursive: true });
});

function writeManifest(name: string, manifest: object): void {
  fs.writeFileSync(path.join(dataDir, 'catalog', `${name}.json`), JSON.stringify(manifest));
}

interface Entry {
  readonly [member: string]: unknown;
  readonly name: string;
}

interface Page {
  readonly datasets: readonly Entry[];
  readonly next_cursor: string | null;
}

async function list(query: string, key = all): Promise<Page> {
  const response = await server.fetch(`/v1/datasets?${query}`, bearer(key));
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return (await response.json()) as Page;
}

/** All names of a list, page by page. */
async function namesOf(query: string, key = all): Promise<string[]> {
  const found: string[] = [];
  for (let cursor = ''; ;) {
    const page = await list(`${query}${cursor && `&cursor=${cursor}`}`, key);
    found.push(...page.datasets.map(({ name }) => name));
    if (page.next_cursor === null) return found;
    cursor = page.next_cursor;
  }
}

const byBytes = (...of: string[]): string[] => of.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
const everything = byBytes(...names, ...Object.keys(BROKEN));

t.test('a plain list has every name, tells what memory knows of each, and looks at no file', async t => {
  const { datasets, next_cursor: next } = await list('limit=1000');
  t.strictSame(
    datasets.map(({ name }) => name),
    everything,
  );
  t.equal(next, null);
  for (const { name, state } of datasets) {
    // The files of some are gone: a list that had looked would say so.
    t.equal(state, name in BROKEN ? 'quarantined' : 'ready', name);
  }
});

t.test('with state=true each file is looked at', async t => {
  const { datasets } = await list('limit=1000&state=true');
  const found = Object.fromEntries(datasets.map(({ name, state }) => [name, state]));
  const wanted: Record<string, string> = { Gone: 'missing', linked: 'missing', cut: 'truncated' };
  for (const name of everything) t.equal(found[name], wanted[name] ?? (name in BROKEN ? 'quarantined' : 'ready'), name);
});

t.test('an entry is the description without attrs', async t => {
  const [entry] = (await list('prefix=kept')).datasets;
  const { attrs, ...rest } = (await (await server.fetch('/v1/datasets/kept', bearer(all))).json()) as Entry;
  t.strictSame(entry, rest);
  t.strictSame((await list('prefix=kept&fields=attrs')).datasets, [{ attrs }]);
  t.strictSame((await list('prefix=broken')).datasets, [
    {
      name: 'broken',
      state: 'quarantined',
      code: 'quarantined',
      reason: 'its manifest (catalog/broken.json in the data folder) is not JSON',
    },
  ]);
});

t.test('fields leaves the members that it names', async t => {
  const rows: readonly (readonly [string, object, object])[] = [
    ['name,shape,dtype', { name: 'kept', dtype: '<f4', shape: [2, 2] }, { name: 'broken' }],
    ['shape', { shape: [2, 2] }, {}],
    ['attrs,name,name', { name: 'kept', attrs: { unit: 'K' } }, { name: 'broken' }],
    [
      'reason,state',
      { state: 'ready' },
      { state: 'quarantined', reason: 'its manifest (catalog/broken.json in the data folder) is not JSON' },
    ],
  ];
  for (const [fields, kept, broken] of rows) {
    t.strictSame((await list(`prefix=kept&fields=${fields}`)).datasets, [kept], fields);
    t.strictSame((await list(`prefix=broken&fields=${fields}`)).datasets, [broken], fields);
  }
});

t.test('a page with large attrs comes whole', async t => {
  const { datasets } = await list('limit=1000&fields=name,attrs');
  t.equal(datasets.length, everything.length);
  for (const { name, attrs } of datasets) {
    if (name.startsWith('large') && !(name in BROKEN)) t.ok((attrs as { text: string }).text === LARGE, name);
  }
});

t.test('states and parts of names keep what they say, page by page, for each key what it reaches', async t => {
  const broken = Object.keys(BROKEN);
  const rows: readonly (readonly [string, (name: string) => boolean])[] = [
    ['', () => true],
    ['state=true', () => true],
    ['state=ready', name => !broken.includes(name)],
    ['state=quarantined', name => broken.includes(name)],
    ['state=quarantined&prefix=large', name => name === 'large-05a'],
    ['q=GE-0', name => name.includes('ge-0')],
    ['q=gone', name => name === 'Gone'],
    ['q=o&state=ready', name => ['Gone'].includes(name)],
    ['q=nothing', () => false],
    ['prefix=large-1&q=9', name => name === 'large-19'],
  ];
  for (const [query, keeps] of rows) {
    for (const limit of [1, 7, 1000]) {
      const wanted = everything.filter(keeps);
      t.strictSame(await namesOf(`${query}&limit=${limit}`), wanted, `${query}, ${limit} a page`);
      const reached = wanted.filter(name => name.startsWith('large-0') || /-.*9$|o/.test(name));
      t.strictSame(await namesOf(`${query}&limit=${limit}`, some), reached, `${query}, ${limit} a page, some`);
    }
  }
});

t.test('what is not known is refused, with what is', async t => {
  for (const query of [
    'state=false',
    'state=',
    'state=missing',
    'fields=',
    'fields=name,x',
    'fields=residency',
    'q=',
  ]) {
    const response = await server.fetch(`/v1/datasets?${query}`, bearer(all));
    t.equal(response.status, 400, query);
    const { detail } = (await response.json()) as { detail: string };
    if (query.startsWith('fields=n')) t.match(detail, /"x" is no member.*name, id, dtype.*attrs.*reason/);
  }
});

t.test('a forgotten manifest leaves the list, and readiness counts what is left', async t => {
  const ready = async (): Promise<Entry> => (await (await server.fetch('/readyz', bearer(all))).json()) as Entry;
  t.match(await ready(), { datasets: names.length, quarantined_count: 3, durability_unknown_count: 0 });
  t.equal((await server.fetch('/v1/datasets/broken', { method: 'DELETE', ...bearer(all) })).status, 204);
  t.strictSame(await namesOf('state=quarantined'), ['large-05a', 'zwei Wörter']);
  t.match(await ready(), { datasets: names.length, quarantined_count: 2 });
});
