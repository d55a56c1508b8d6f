/** Machines that cannot give what statistics want: WebAssembly, its memory, or a thread at all. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { start, temporaryFolder, type ServerOptions } from '../helpers/server.js';
import { metricOf } from '../helpers/slow-server.js';
import { create, eventually, json, outcome } from '../system/calls.js';

const preload = (name: string): string[] => [
  '--import',
  fileURLToPath(new URL(`../helpers/${name}.js`, import.meta.url)),
];

const MACHINES: [name: string, options: ServerOptions][] = [
  ['its kernels', { nodeArgs: preload('hide-wasm'), env: { HYPERSLAB_TEST_HIDE_WASM: 'module' } }],
  ['its memory', { nodeArgs: preload('hide-wasm'), env: { HYPERSLAB_TEST_HIDE_WASM: 'memory' } }],
  ['WebAssembly', { nodeArgs: ['--jitless'] }],
];

const CALL = '/v1/datasets/floats/statistics?ops=sum,std,median,max';

t.test('without WebAssembly elements are read and written, and statistics are 503, as the log says once', async t => {
  const machines = MACHINES.slice(0, caseCount(1, 3));
  const told = await Promise.all(
    [['nothing', {}] as const, ...machines].map(async ([name, options]) => {
      const server = await start(t, options);
      await create(server, { name: 'floats', dtype: 'f8', shape: [300] });
      const values = Array.from({ length: 300 }, (_, i) => Math.sin(i) * 1e9);
      await server.fetch('/v1/datasets/floats/data', json('PUT', values));
      const statistics = await outcome(server.fetch(CALL));
      const elements = (await (await server.fetch('/v1/datasets/floats/data.json?slice=::-7')).json()) as {
        data: unknown;
      };
      t.strictSame(
        elements.data,
        values.toReversed().filter((_, i) => i % 7 === 0),
        name,
      );
      const { status } = (await (await server.fetch('/readyz')).json()) as { status: string };
      const logged = server.log.join('').match(/WebAssembly cannot be had/g) ?? [];
      return { name, statistics, status, logged: logged.length };
    }),
  );
  t.strictSame(told, [
    { name: 'nothing', statistics: '200', status: 'ready', logged: 0 },
    ...machines.map(([name]) => ({ name, statistics: '503 no_kernels', status: 'ready', logged: 1 })),
  ]);
});

t.test('where no thread starts, calls are told so within seconds, and are served again when one does', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const DOOMED = 200;
  for (let i = 0; i < DOOMED; i++) fs.writeFileSync(path.join(folder, `start-${i}`), '');
  const server = await start(t, {
    nodeArgs: preload('kill-worker'),
    env: { HYPERSLAB_MAPPING: 'positional', HYPERSLAB_TEST_KILL_WORKERS: folder },
  });
  await create(server, { name: 'floats', dtype: 'f8', shape: [300, 3000] });
  const calls = [CALL, `${CALL}&slice=0`, '/v1/datasets/floats/data?format=raw&slice=::2,::2'];
  const outcomes = await Promise.all(calls.map(where => outcome(server.fetch(where))));
  for (const each of outcomes) t.match(each, /^503 (no_workers|worker_lost)$/);
  t.ok(await eventually(async () => (await outcome(server.fetch(CALL))) === '503 no_workers', 20_000), 'and at once');
  t.equal((await server.fetch(CALL)).headers.get('retry-after'), '30');
  t.equal(await metricOf(server, 'hyperslab_tasks_queued'), 0, 'nothing waits');
  const started = DOOMED - fs.readdirSync(folder).length;
  t.ok(started < 60, `${started} starts were tried`);
  t.equal(server.log.join('').match(/no worker thread can be started/g)?.length, 1, 'said once');
  for (const name of fs.readdirSync(folder)) fs.rmSync(path.join(folder, name));
  t.ok(await eventually(async () => (await server.fetch(CALL)).status === 200, 40_000), 'it has recovered');
  t.ok(await eventually(async () => (await metricOf(server, 'hyperslab_workers')) === 2, 40_000));
});
