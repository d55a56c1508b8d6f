/** Thousands of datasets: loaded at the start, listed in pages. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';

const COUNT = 3000;
/** A start without datasets takes about a second, most of it loading modules. */
const START_MS_MAX = 60_000;

const random = seededRandom(12);
const ALPHABET = Array.from('abzABZ0129._-');
const names = new Set<string>(['a', 'a.', 'a-', 'a_', 'a0', 'aA', 'aa', '_', 'Z', '0']);
while (names.size < COUNT) {
  const length = random.integer(0, 12);
  names.add(
    `${random.pick(['_', 'a', 'Z', '9', 'pre.'])}${Array.from({ length }, () => random.pick(ALPHABET)).join('')}`,
  );
}
const ordered = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));

const dataDir = temporaryFolder();
let server: TestServer;

t.before(async () => {
  for (const room of ['arrays', 'catalog']) fs.mkdirSync(path.join(dataDir, room));
  fs.writeFileSync(path.join(dataDir, 'arrays', 'shared.raw'), Buffer.alloc(16, 1));
  let number = 0;
  for (const name of names) {
    const manifest = {
      version: 1,
      name,
      id: (++number).toString(16).padStart(24, '0'),
      file_id: 'f'.repeat(24),
      path: 'arrays/shared.raw',
      dtype: '<f4',
      shape: [4],
      order: 'C',
      offset: 0,
      mode: 'r',
      format: 'raw',
      external: true,
      attrs: {},
      dims: null,
    };
    fs.writeFileSync(path.join(dataDir, 'catalog', `${name}.json`), JSON.stringify(manifest));
  }
  const started = performance.now();
  server = await startServer({ dataDir });
  const took = Math.round(performance.now() - started);
  t.ok(took < START_MS_MAX, `${COUNT} datasets were loaded in ${took} ms`);
});

t.teardown(async () => {
  await server.stop();
  fs.rmSync(dataDir, { recursive: true });
});

interface Page {
  readonly datasets: readonly { readonly name: string }[];
  readonly next_cursor: string | null;
}

async function pages(query: string): Promise<string[][]> {
  const found: string[][] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const response = await server.fetch(`/v1/datasets?${query}${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    if (response.status !== 200) throw new Error(await response.text());
    const page = (await response.json()) as Page;
    found.push(page.datasets.map(({ name }) => name));
    cursor = page.next_cursor;
  }
  return found;
}

t.test('the pages are all names in the order of their bytes, none twice', async t => {
  for (const limit of [1000, 999, 100, 7000 / 7]) {
    const found = await pages(`limit=${limit}`);
    t.strictSame(found.flat(), ordered, `limit ${limit}`);
    t.ok(found.slice(0, -1).every(page => page.length === limit));
    t.ok(found.at(-1)!.length > 0, 'no empty page at the end');
  }
  const [first] = await pages('limit=1000');
  t.strictSame(first, ordered.slice(0, 1000));
});

t.test('without a limit a page has 100', async t => {
  const page = (await (await server.fetch('/v1/datasets')).json()) as Page;
  t.strictSame(
    page.datasets.map(({ name }) => name),
    ordered.slice(0, 100),
  );
});

t.test('a prefix selects names, page by page', async t => {
  for (const prefix of ['a', 'pre.', '_', 'Z9', 'a.', 'nothing', 'pre.a', '9-']) {
    const wanted = ordered.filter(name => name.startsWith(prefix));
    t.strictSame((await pages(`prefix=${prefix}&limit=37`)).flat(), wanted, `${prefix}: ${wanted.length}`);
  }
});

t.test('a page goes on after a name that was forgotten meanwhile', async t => {
  const page = (await (await server.fetch('/v1/datasets?limit=10')).json()) as Page;
  const last = page.datasets.at(-1)!.name;
  t.equal((await server.fetch(`/v1/datasets/${last}`, { method: 'DELETE' })).status, 204);
  const next = (await (await server.fetch(`/v1/datasets?limit=5&cursor=${page.next_cursor}`)).json()) as Page;
  t.strictSame(
    next.datasets.map(({ name }) => name),
    ordered.slice(10, 15),
  );
});

t.test('limits and cursors that nobody gave out are refused', async t => {
  for (const query of [
    'limit=0',
    'limit=1001',
    'limit=x',
    'limit=1.5',
    'cursor=',
    'cursor=%21',
    'cursor=Li4v',
    'x=1',
  ]) {
    t.equal((await server.fetch(`/v1/datasets?${query}`)).status, 400, query);
  }
});
