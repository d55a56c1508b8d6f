/** Two services on one data folder would write over each other: the second refuses, and takes over from a killed first. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startServer, temporaryFolder, withoutLoaders } from '../helpers/server.js';
import { create, json, outcome, readRaw } from '../system/calls.js';

const SERVER = process.env['HYPERSLAB_TEST_SERVER'] ?? fileURLToPath(new URL('../../src/server.js', import.meta.url));
const REFUSED_MS_MAX = 30_000;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Starts a service that is expected to end by itself; one that does not is killed. */
async function startRefused(dataDir: string): Promise<Ended> {
  const [command, ...args] = withoutLoaders(process.execPath, SERVER);
  const env = { ...process.env, HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir };
  const child: ChildProcess = spawn(command, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), REFUSED_MS_MAX);
  let output = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('hyperslab listens at')) child.kill('SIGKILL');
    });
  }
  const [code] = (await once(child, 'close')) as [number | null];
  clearTimeout(timer);
  return { code, output };
}

t.test('a second service on a data folder', async t => {
  const dataDir = temporaryFolder();
  const link = `${dataDir}-link`;
  fs.symlinkSync(dataDir, link);
  const first = await startServer({ dataDir });
  t.teardown(async () => {
    await first.stop('SIGKILL');
    fs.rmSync(link);
    fs.rmSync(dataDir, { recursive: true });
  });
  await create(first, { name: 'array', dtype: '|u1', shape: [1000] });
  t.equal(await outcome(first.fetch('/v1/datasets/array/data', json('PUT', 5))), '200');

  const refused = [
    { title: 'by its path', folder: dataDir },
    { title: 'by another path to it', folder: path.join(dataDir, 'arrays', '..') },
    { title: 'by a symbolic link', folder: link },
  ];
  const ends = await Promise.all(refused.map(({ folder }) => startRefused(folder)));
  for (const [i, { title }] of refused.entries()) {
    await t.test(`is refused ${title}, with a sentence that says why`, async t => {
      const { code, output } = ends[i]!;
      t.ok(code !== null && code !== 0, `it ended by itself with ${code}`);
      t.match(output, /data folder/);
      t.match(output, /in use/);
      t.match(output, String(first.pid), 'names the process that has it');
      t.notMatch(output, /\n\s+at /, 'no stack');
    });
  }

  await t.test('does not disturb the first', async t => {
    t.ok((await readRaw(first, 'array')).equals(Buffer.alloc(1000, 5)));
    t.equal(await outcome(first.fetch('/v1/datasets/array/data', json('PUT', 6))), '200');
  });

  await t.test('takes over when the one before is killed, and when it is stopped', async t => {
    let server = first;
    for (const [signal, value] of [
      ['SIGKILL', 7],
      ['SIGTERM', 8],
    ] as const) {
      t.equal(await outcome(server.fetch('/v1/datasets/array/data', json('PUT', value))), '200');
      await server.stop(signal);
      server = await startServer({ dataDir });
      t.ok((await readRaw(server, 'array')).equals(Buffer.alloc(1000, value)), 'with everything that was confirmed');
    }
    await server.stop('SIGKILL');
  });
});

t.test('of many that start at once on a new folder, one serves', async t => {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  const starts = await Promise.allSettled(Array.from({ length: 3 }, () => startServer({ dataDir })));
  const served = starts.flatMap(start => (start.status === 'fulfilled' ? [start.value] : []));
  const refusals = starts.flatMap(start => (start.status === 'rejected' ? [String(start.reason)] : []));
  for (const server of served) await server.stop('SIGKILL');
  t.equal(served.length, 1);
  t.ok(refusals.length === 2 && refusals.every(each => each.includes('in use')), 'the others are told');
});
