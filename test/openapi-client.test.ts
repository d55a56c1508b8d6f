/** A TypeScript client generated from the committed document compiles, and works against a live service. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { generateApi } from 'swagger-typescript-api';
import t from 'tap';
import { DOCUMENT_PATH } from '../src/openapi-document.js';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { start, temporaryFolder, withoutLoaders } from './helpers/server.js';

/** A program as a user would write it. It is compiled against the generated types, so they are part of the test. */
const PROGRAM = `
import { Api, type Dataset, type Problem } from './client.js';

export async function session(baseUrl: string) {
  const { v1, readyz } = new Api({ baseUrl });
  const made: Dataset = (
    await v1.createDataset({ name: 'grid', dtype: '<f8', shape: [4, 3], attrs: { unit: 'K' }, dims: ['y', 'x'] })
  ).data;
  const written = (await v1.writeData('grid', [[1, 2, 3], [4, 5, 6]], { slice: '1:3' })).data;
  await v1.writeData('grid', 0.5, { slice: '-1', durability: 'none' });
  const flushed = (await v1.flushDataset('grid')).data;
  const block = (await v1.readData('grid', { slice: '1:,::2' })).data;
  const row = (await v1.readRow('grid', '-1')).data;
  const rows = (await v1.readRows('grid', { start: '1', stop: '3' })).data;
  const raw = (await v1.readData('grid', { slice: '1', format: 'raw' }, { format: 'arrayBuffer' })) as unknown as {
    data: ArrayBuffer;
  };
  const mean = (await v1.getStatistics('grid', { ops: 'mean,max', axis: '0' })).data;
  const total = (await v1.queryStatistics('grid', { ops: ['sum'], slice: '1', as: ['total'] })).data;
  const lines = (await v1.batchStatistics({ queries: [{ dataset: 'grid', ops: ['min'] }] }, { format: 'text' })).data;
  const patched = (await v1.patchDataset('grid', { attrs: { unit: null, place: 'here' } })).data;
  const listed = (await v1.listDatasets({ limit: 10, prefix: 'g' })).data;
  const described = (await v1.describeDataset('grid', { residency: true })).data;
  const ready = (await readyz.readiness()).data;
  await v1.forgetDataset('grid', { data: 'delete' });
  const problem: Problem = await v1.describeDataset('grid').then(
    () => { throw new Error('still there'); },
    (response: { error: Problem }) => response.error,
  );
  // @ts-expect-error: a name is required
  const nameless: Parameters<typeof v1.createDataset>[0] = { dtype: '<f8' };
  // @ts-expect-error: not a mode
  const modeless: Parameters<typeof v1.createDataset>[0] = { name: 'x', mode: 'w' };
  void [nameless, modeless];
  return {
    id: made.id,
    shape: made.shape,
    generations: [made.generation, written.generation, flushed.generation],
    written: [written.elements, written.bytes, written.durability],
    block: block.data,
    row: row.data,
    rows: rows.shape,
    raw: [...new Float64Array(raw.data)],
    mean: mean.results['mean'],
    max: mean.results['max'],
    total: total.results['total'],
    line: JSON.parse(lines) as { index: number; results: { min: number } },
    attrs: patched.attrs,
    names: listed.datasets.map(({ name }) => name),
    cursor: listed.next_cursor,
    pages: described.residency === null || (described.residency?.pages ?? 0) > 0,
    ready: ready.status,
    problem: [problem.status, problem.code, problem['dataset']],
  };
}
`;

const TSCONFIG = {
  compilerOptions: {
    target: 'es2022',
    lib: ['es2023', 'dom', 'dom.iterable'],
    module: 'nodenext',
    moduleResolution: 'nodenext',
    strict: true,
    types: [],
    rootDir: '.',
    outDir: 'out',
  },
  files: ['client.ts', 'program.ts'],
};

t.test('a generated client compiles, and does what its types say', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  await generateApi({
    input: DOCUMENT_PATH,
    output: folder,
    fileName: 'client.ts',
    httpClientType: 'fetch',
    silent: true,
  });
  const client = path.join(folder, 'client.ts');
  // The generator tells compilers not to look; here they shall.
  fs.writeFileSync(client, fs.readFileSync(client, 'utf8').replace('// @ts-nocheck', ''));
  fs.writeFileSync(path.join(folder, 'program.ts'), PROGRAM);
  fs.writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(TSCONFIG));
  fs.writeFileSync(path.join(folder, 'package.json'), '{"type": "module"}');
  const tsc = path.join(PACKAGE_ROOT, 'node_modules', '.bin', 'tsc');
  const [command, ...args] = withoutLoaders(tsc, '-p', folder);
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  t.equal(status, 0, stdout + stderr || 'compiled');

  const server = await start(t);
  const { session } = (await import(pathToFileURL(path.join(folder, 'out', 'program.js')).href)) as {
    session: (baseUrl: string) => Promise<Record<string, unknown>>;
  };
  const { id, ...results } = await session(server.url);
  t.match(id, /^[0-9a-f]+$/);
  t.match(results, {
    shape: [4, 3],
    generations: [1, 2, 3],
    written: [6, 48, 'commit'],
    block: [
      [1, 3],
      [4, 6],
      [0.5, 0.5],
    ],
    row: [0.5, 0.5, 0.5],
    rows: [2, 3],
    raw: [1, 2, 3],
    mean: [1.375, 1.875, 2.375],
    max: [4, 5, 6],
    total: 6,
    line: { index: 0, results: { min: 0 } },
    attrs: { place: 'here' },
    names: ['grid'],
    cursor: null,
    pages: true,
    ready: 'ready',
    problem: [404, 'unknown_dataset', 'grid'],
  });
});
