/** Ending the process: killed while it writes, again and again, and stopped while it sends. */
import fs from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { loopClock } from '../helpers/loop-clock.js';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, create, describe, eventually, get, MiB, readRaw, rest, sparseFile } from './calls.js';

// Tests that mostly wait run beside each other. Each has options of its own: the runner keeps what it knows of a test in them.
t.jobs = 2;

const KILLS = caseCount(3, 20);

const clock = loopClock(t);

/** Whether the service takes no new connections. */
async function isRefused(url: string): Promise<boolean> {
  return fetch(`${url}/healthz`).then(
    () => false,
    () => true,
  );
}

t.test(
  `a generation never comes again: ${KILLS} times killed while writing, then stopped properly`,
  { buffered: true },
  async t => {
    const random = seededRandom(9);
    const dataDir = temporaryFolder();
    const start = (): Promise<TestServer> => startServer({ dataDir, env: { HYPERSLAB_WORKERS: '1' } });
    let server = await start();
    t.teardown(async () => {
      await server.stop('SIGKILL');
      fs.rmSync(dataDir, { recursive: true });
    });
    await create(server, { name: 'counter', dtype: '<u4', shape: [4] });
    let highest = 0;
    let acknowledged = 0;
    /** Writes constants, each one higher, until the server dies. */
    const writeOn = async (): Promise<void> => {
      for (let value = acknowledged + 1; ; value++) {
        const body = Buffer.from(Uint32Array.of(value, value, value, value).buffer);
        const response = await server.fetch('/v1/datasets/counter/data', binary('PUT', body));
        const { generation } = (await response.json()) as { generation: number };
        if (generation <= highest) t.fail(`generation ${generation} came after ${highest}`);
        highest = generation;
        acknowledged = value;
      }
    };
    for (let round = 1; round <= KILLS; round++) {
      const { generation } = await describe(server, 'counter');
      t.ok(generation > highest, `round ${round}: ${generation} is above ${highest}`);
      highest = generation;
      const found = new Uint32Array(new Uint8Array(await readRaw(server, 'counter')).buffer);
      t.equal(new Set(found).size, 1, 'no torn value');
      t.ok(found[0] === acknowledged || found[0] === acknowledged + 1, `${found[0]} after ${acknowledged}`);
      acknowledged = found[0]!;
      const before = acknowledged;
      const writing = writeOn().catch(() => undefined);
      await eventually(() => acknowledged > before);
      await sleep(random.integer(0, 40));
      await server.stop('SIGKILL');
      await writing;
      server = await start();
    }
    const { generation } = await describe(server, 'counter');
    t.ok(generation > highest, 'after the last kill');
    const first = await server.fetch('/v1/datasets/counter/data', binary('PUT', Buffer.alloc(16)));
    t.equal(((await first.json()) as { generation: number }).generation, generation + 1);
    await server.stop();
    server = await start();
    t.equal((await describe(server, 'counter')).generation, generation + 1, 'no gap after a clean stop');
    const second = await server.fetch('/v1/datasets/counter/data', binary('PUT', Buffer.alloc(16)));
    t.equal(((await second.json()) as { generation: number }).generation, generation + 2);
  },
);

t.test(
  'SIGTERM lets a download finish, and does not wait longer than the grace time for one that hangs',
  { buffered: true },
  async t => {
    const dataDir = temporaryFolder();
    sparseFile(path.join(dataDir, 'file.raw'), 64 * MiB, []);
    const [patient, hanging] = await Promise.all([startServer({ dataDir }), startServer()]);
    t.teardown(async () => {
      await Promise.all([patient.stop('SIGKILL'), hanging.stop('SIGKILL')]);
      fs.rmSync(dataDir, { recursive: true });
      fs.rmSync(hanging.dataDir, { recursive: true });
    });
    await create(patient, { name: 'file', path: 'file.raw' });
    await create(hanging, { name: 'file', dtype: '|u1', shape: [64 * MiB], sparse: true });
    const [finishes, hangs] = await Promise.all(
      [patient, hanging].map(server => get(`${server.url}/v1/datasets/file/data?format=raw`)),
    );
    const started = clock.ms;
    const ends = [patient, hanging].map(server => server.stop().then(() => clock.ms - started));
    t.ok(await eventually(() => isRefused(patient.url)), 'nobody new is let in');
    const { bytes, whole } = await rest(finishes!);
    t.ok(whole && bytes.byteLength === 64 * MiB, 'the download came whole');
    // The client of the other service keeps its connection open and reads nothing for as long as this test runs.
    t.ok((await ends[0]!) < 5000, 'and the process ended behind it');
    t.equal(patient.child.exitCode, 0);
    const took = await ends[1]!;
    t.ok(took < 5000, `the other ended after ${Math.round(took)} ms`);
    hangs!.on('error', () => undefined);
    hangs!.destroy();
  },
);
