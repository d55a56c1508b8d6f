/**
 * A neighbour with a shell in a served folder swaps folders and files for links to the outside, as fast as the kernel
 * can, while clients register, read, write, create and delete through the same paths. No byte from outside may be
 * answered, and nothing outside may be made, changed or deleted. Run twice: with openat2(2), and with a walk.
 */
import fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import t, { type Test } from 'tap';
import { NO_NUMPY, PYTHON, pythonProgram } from '../helpers/python.js';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, json } from '../system/calls.js';
import { figure, rounds } from './harness.js';

const SECONDS = rounds(6, 60);
const CLIENTS = 6;
const BYTES = 512;
const INSIDE = 0x11;
const WRITTEN = 0x22;
const SECRET = 0xee;

interface World {
  readonly folder: string;
  readonly root: string;
  readonly outside: string;
  readonly dataDir: string;
}

function makeWorld(): World {
  const folder = temporaryFolder();
  const [root, outside, dataDir] = ['root', 'outside', 'data'].map(name => path.join(folder, name)) as [
    string,
    string,
    string,
  ];
  fs.mkdirSync(path.join(root, 'deep', 'pub'), { recursive: true });
  fs.mkdirSync(path.join(outside, 'pub'), { recursive: true });
  fs.mkdirSync(path.join(dataDir, 'arrays'), { recursive: true });
  const inside = Buffer.alloc(BYTES, INSIDE);
  const secret = Buffer.alloc(BYTES, SECRET);
  fs.writeFileSync(path.join(root, 'deep', 'pub', 'file.raw'), inside);
  fs.writeFileSync(path.join(root, 'deep', 'pub', 'other.raw'), inside);
  fs.writeFileSync(path.join(outside, 'pub', 'file.raw'), secret);
  fs.writeFileSync(path.join(outside, 'pub', 'other.raw'), secret);
  fs.writeFileSync(path.join(outside, 'pub', 'made.raw'), secret);
  fs.writeFileSync(path.join(outside, 'secret.raw'), secret);
  // What stands in the places of a folder, of a folder above it, of a file and of the service's own folder by turns.
  fs.symlinkSync(path.join(outside, 'pub'), path.join(root, 'deep', 'link'));
  fs.symlinkSync(outside, path.join(root, 'link'));
  fs.symlinkSync(path.join(outside, 'secret.raw'), path.join(root, 'deep', 'pub', 'link'));
  for (let client = 0; client < CLIENTS; client++) {
    fs.writeFileSync(path.join(outside, `own${client}.raw`), secret);
  }
  fs.symlinkSync(outside, path.join(dataDir, 'link'));
  return { folder, root, outside, dataDir };
}

/** Names that are exchanged, two by two. */
function pairsOf({ root, dataDir }: World): string[] {
  const below = (...names: string[]): string => path.join(root, ...names);
  return [
    below('deep', 'pub'),
    below('deep', 'link'),
    below('deep'),
    below('link'),
    path.join(dataDir, 'arrays'),
    path.join(dataDir, 'link'),
  ];
}

/** Every file outside with its content: one text to compare. */
function snapshot({ outside }: World): string {
  const names = fs.readdirSync(outside, { recursive: true, withFileTypes: true });
  return names
    .map(entry => {
      const at = path.join(entry.parentPath, entry.name);
      return entry.isFile() ? `${at} ${fs.readFileSync(at).toString('latin1')}` : at;
    })
    .toSorted()
    .join('\n');
}

interface Tally {
  readonly statuses: Map<string, number>;
  served: number;
  leaked: number;
}

async function attack(server: TestServer, client: number, until: number, tally: Tally): Promise<void> {
  const random = seededRandom(client + 1);
  const call = async (what: string, where: string, init?: RequestInit): Promise<Response> => {
    const response = await server.fetch(where, init);
    const key = `${what} ${response.status}`;
    tally.statuses.set(key, (tally.statuses.get(key) ?? 0) + 1);
    return response;
  };
  const read = async (name: string): Promise<void> => {
    const response = await call('read', `/v1/datasets/${name}/data?format=raw`);
    const bytes = Buffer.from(await response.arrayBuffer());
    if (response.status !== 200) return;
    tally.served++;
    if (bytes.includes(SECRET)) tally.leaked++;
  };
  const drop = async (name: string, how: string): Promise<void> => {
    await (await call('forget', `/v1/datasets/${name}?data=${how}`, { method: 'DELETE' })).arrayBuffer();
  };
  while (performance.now() < until) {
    const name = `own${client}`;
    const mode = random.pick(['r', 'r+', 'w+', 'new']);
    const file = random.pick(['deep/pub/file.raw', 'deep/pub/other.raw', 'deep/pub/link']);
    const request =
      mode === 'new'
        ? { name, dtype: 'u1', shape: [BYTES], fill: INSIDE, format: 'raw' }
        : mode === 'w+'
          ? { name, path: random.pick(['deep/pub/made.raw', `deep/pub/${name}.raw`]), mode, overwrite: true, dtype: 'u1', shape: [BYTES], fill: INSIDE } // prettier-ignore
          : { name, path: file, mode, dtype: 'u1', shape: [BYTES] };
    const made = await call(`create ${mode}`, '/v1/datasets', json('POST', request));
    await made.arrayBuffer();
    if (made.status !== 201 && made.status !== 409) continue;
    for (let i = 0; i < 3; i++) await read(name);
    if (mode !== 'r') {
      const body = binary('PUT', Buffer.alloc(BYTES, WRITTEN));
      await (await call('write', `/v1/datasets/${name}/data`, body)).arrayBuffer();
    }
    await (await call('describe', `/v1/datasets/${name}`)).arrayBuffer();
    await drop(name, mode === 'new' ? 'delete' : 'keep');
    // Where deleting was refused, the name must not stay taken.
    if (mode === 'new') await drop(name, 'keep');
  }
}

async function race(t: Test, hidden: string): Promise<void> {
  const world = makeWorld();
  const server = await startServer({
    dataDir: world.dataDir,
    env: { HYPERSLAB_ROOTS: world.root, HYPERSLAB_TEST_HIDE: hidden },
    nodeArgs: hidden === '' ? [] : ['--import', new URL('../helpers/hide-packages.js', import.meta.url).href],
  });
  const before = snapshot(world);
  const swapper = spawn(PYTHON!, [pythonProgram('faults/swapper.py'), ...pairsOf(world)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let swapperSaid = '';
  swapper.stderr.on('data', (chunk: Buffer) => (swapperSaid += chunk.toString()));
  t.teardown(async () => {
    swapper.kill('SIGKILL');
    await server.stop();
    fs.rmSync(world.folder, { recursive: true });
  });
  const tally: Tally = { statuses: new Map(), served: 0, leaked: 0 };
  const until = performance.now() + (SECONDS / 2) * 1000;
  await Promise.all(Array.from({ length: CLIENTS }, (_, client) => attack(server, client, until, tally)));

  t.equal(swapperSaid, '', 'the neighbour swapped to the end');
  t.ok(tally.served > 0, 'some reads were answered');
  t.equal(tally.leaked, 0, 'no byte from outside was answered');
  t.equal(snapshot(world) === before, true, 'nothing outside was made, changed or deleted');
  const faults = [...tally.statuses].filter(([key]) => /50[0-24-9]$/.test(key) && !key.endsWith('507'));
  t.strictSame(faults, [], 'no swap is a fault of the service');
  figure(t, `path race${hidden && ' without koffi'}: reads answered`, tally.served);
  t.comment(
    `answers: ${[...tally.statuses]
      .map(([key, count]) => `${key}: ${count}`)
      .toSorted()
      .join(', ')}`,
  );
}

const skip = PYTHON === undefined ? NO_NUMPY : process.platform === 'linux' ? false : 'needs renameat2(2)';
t.test('links that are swapped in lead nowhere, with openat2', { skip }, t => race(t, ''));
t.test('links that are swapped in lead nowhere, with a walk', { skip }, t => race(t, 'koffi'));
