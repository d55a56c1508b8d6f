/** A generation is a number that a name, or a file, has once: whatever happens to either between two registrations. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { npyOf } from '../helpers/bytes.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, describe, json, outcome } from './calls.js';

const root = temporaryFolder();
const npy = npyOf('|u1', [4], Buffer.alloc(4));
const env = { HYPERSLAB_ROOTS: root, HYPERSLAB_WORKERS: '1' };

let server: TestServer;
t.before(async () => {
  server = await startServer({ env });
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true });
});

/** Stops the service, changes what it left, and starts it again. */
async function restart(signal: NodeJS.Signals, meanwhile = (): void => undefined): Promise<void> {
  await server.stop(signal);
  meanwhile();
  server = await startServer({ dataDir: server.dataDir, env });
}

/** Whatever has the name gives it up, with its file where that is ours. */
async function forget(name: string): Promise<void> {
  for (const data of ['delete', 'keep']) {
    // oxlint-disable-next-line no-await-in-loop
    await server.fetch(`/v1/datasets/${name}?data=${data}`, { method: 'DELETE' });
  }
}

async function write(name: string): Promise<void> {
  t.equal(await outcome(server.fetch(`/v1/datasets/${name}/data`, json('PUT', 1))), '200');
}

const array = (name: string): Record<string, unknown> => ({ name, dtype: '|u1', shape: [4] });
const onFile = (name: string): Record<string, unknown> => ({ name, path: `${name}.npy`, mode: 'r+' });

interface Row {
  readonly title: string;
  readonly first: typeof array;
  /** What is damaged while the service is stopped. */
  readonly damaged?: 'catalog' | 'journal';
  /** Another thing comes under the name, or onto the file. */
  readonly again: (name: string) => Promise<unknown>;
}

const ROWS: readonly Row[] = [
  {
    title: 'a file that grew is registered again',
    first: onFile,
    async again(name) {
      await forget(name);
      fs.writeFileSync(path.join(root, `${name}.npy`), npyOf('|u1', [8], Buffer.alloc(8)));
      await create(server, onFile(name));
    },
  },
  {
    title: 'an array is deleted and made again',
    first: array,
    async again(name) {
      await forget(name);
      await create(server, array(name));
    },
  },
  {
    title: 'the name goes from an array to a file',
    first: array,
    async again(name) {
      await forget(name);
      await create(server, onFile(name));
    },
  },
  {
    title: 'the name goes to a file that another dataset is on',
    first: array,
    async again(name) {
      await forget(name);
      await forget(`${name}-other`);
      await create(server, { ...onFile(name), name: `${name}-other`, mode: 'r' });
      await create(server, onFile(name));
    },
  },
  {
    title: 'the name is forgotten while another dataset stays on its file',
    first: onFile,
    async again(name) {
      await forget(`${name}-other`);
      await create(server, { ...onFile(name), name: `${name}-other`, mode: 'r' });
      await forget(name);
      await create(server, onFile(name));
    },
  },
  {
    title: 'the array is overwritten',
    first: array,
    again: name => create(server, { ...array(name), mode: 'w+', overwrite: true }),
  },
  {
    title: 'an import takes its place',
    first: array,
    again: name =>
      outcome(server.fetch(`/v1/datasets/${name}?overwrite=true`, binary('PUT', npy, 'application/x-npy'))),
  },
  {
    title: 'a manifest that was damaged is given up',
    first: onFile,
    damaged: 'catalog',
    async again(name) {
      await forget(name);
      await create(server, onFile(name));
    },
  },
  {
    title: 'a file takes the place of a manifest that was damaged',
    first: onFile,
    damaged: 'catalog',
    again: name => create(server, onFile(name)),
  },
  {
    title: 'the counter was damaged',
    first: onFile,
    damaged: 'journal',
    async again(name) {
      await forget(name);
      await create(server, onFile(name));
    },
  },
];

function damage(name: string, folder: string): void {
  const manifest = path.join(server.dataDir, 'catalog', `${name}.json`);
  const { file_id: id } = JSON.parse(fs.readFileSync(manifest, 'utf8')) as Record<string, string>;
  const counter = path.join(server.dataDir, 'journal', `${id}.generation.json`);
  fs.writeFileSync(folder === 'catalog' ? manifest : counter, '{');
}

t.test('a new array begins at one, whatever failed before', async t => {
  t.match(await outcome(server.fetch('/v1/datasets', json('POST', onFile('none')))), '404');
  for (const name of ['x', 'y']) {
    t.equal((await create(server, array(name))).generation, 1);
    await write(name);
  }
  await restart('SIGTERM');
  for (const name of ['x', 'y']) t.equal((await describe(server, name)).generation, 2);
});

t.test('no generation comes again', async t => {
  const rows = ROWS.map((row, i) => Object.assign({ name: `n${i}`, last: 0 }, row));
  for (const [index, { name, first }] of rows.entries()) {
    fs.writeFileSync(path.join(root, `${name}.npy`), npy);
    await create(server, first(name));
    // Some are written, some never were.
    for (let i = 0; i < index % 3; i++) await write(name);
  }
  for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
    for (const row of rows) row.last = (await describe(server, row.name)).generation;
    await restart(signal, () => {
      // A counter that is lost lifts all others above the clock: only when the others have been looked at.
      const damageable = signal === 'SIGKILL' ? ['catalog'] : ['catalog', 'journal'];
      for (const { name, damaged = '' } of rows) if (damageable.includes(damaged)) damage(name, damaged);
    });
    for (const row of rows) {
      await row.again(row.name);
      const { generation } = await describe(server, row.name);
      t.ok(generation > row.last, `${row.title}: ${generation} is above ${row.last}`);
      row.last = generation;
    }
    await restart(signal);
    for (const { name, last, title } of rows) {
      t.ok((await describe(server, name)).generation >= last, `${title}, and the service was stopped by ${signal}`);
    }
  }
});
