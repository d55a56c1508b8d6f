/**
 * Killed at random moments while four clients append with `at`, four follow by events, and another program opens the files
 * with np.load all the time: whole rows only, every confirmed append is there once, and the files can be opened at every
 * instant, also before anything was mended.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { NO_NUMPY, PYTHON, pythonProgram } from '../helpers/python.js';
import { seededRandom } from '../helpers/random.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { eventually } from '../system/calls.js';
import { AppendOracle, COMMIT_BYTES_MAX, runAppends } from './append-load.js';
import { figure, rounds } from './harness.js';

const ROUNDS = rounds(4, 50);
const CLIENTS = 4;
const SEED = 1;
const LOAD_MS_MAX = 400;
/** Before a kill may come. A slow machine takes its time. */
const ACKS_PER_ROUND = 8;
const ACKS_MS_MAX = 15_000;
const ANSWER_MS_MAX = 30_000;

const dataDir = temporaryFolder();
const start = () => startServer({ dataDir, env: { HYPERSLAB_COMMIT_BYTES_MAX: String(COMMIT_BYTES_MAX) } });
let server = await start();
const confirmedFile = path.join(dataDir, 'confirmed');
const oracle = new AppendOracle(CLIENTS, confirmedFile);
await oracle.make(server);
const watch = PYTHON === undefined ? undefined : watchFiles(PYTHON);
t.teardown(async () => {
  watch?.end();
  await server.stop('SIGKILL');
  fs.rmSync(dataDir, { recursive: true });
});

t.test('another program opens the files meanwhile', { skip: !watch && NO_NUMPY }, async t => {
  t.ok((await watch!.check()) >= 0);
});

t.test(`${ROUNDS} times killed while clients append, nothing is lost, torn or there twice`, async t => {
  const random = seededRandom(SEED);
  for (let round = 1; round <= ROUNDS; round++) {
    const clients = runAppends(server, oracle, round);
    const enough = oracle.acks + ACKS_PER_ROUND;
    await eventually(() => oracle.acks >= enough, ACKS_MS_MAX);
    await sleep(random.integer(0, LOAD_MS_MAX));
    await server.stop('SIGKILL');
    await Promise.all(clients);
    // Before anything is mended.
    await watch?.check();
    server = await start();
    await oracle.check(server, `round ${round}`);
    await watch?.check();
    const faults = [...oracle.faults.splice(0), ...(watch?.faults.splice(0) ?? [])];
    t.strictSame(faults.slice(0, 5), [], `round ${round}: ${faults.length} faults`);
  }
  t.ok(oracle.acks >= ACKS_PER_ROUND * ROUNDS, `${oracle.acks} confirmed`);
  t.ok(oracle.events >= CLIENTS * ROUNDS, `${oracle.events} events`);
  figure(t, 'kill -9 rounds', ROUNDS);
  figure(t, 'confirmed appends, each there once', oracle.acks);
  figure(t, 'lost answers of appends that had been taken, found by `at`', oracle.lost.taken);
  figure(t, 'lost answers of appends that had not', oracle.lost.untaken);
  figure(t, 'events that followers read the end at', oracle.events);
});

t.test('np.load succeeded each time', { skip: !watch && NO_NUMPY }, async t => {
  const loads = await watch!.check();
  t.strictSame(watch!.faults, []);
  t.ok(loads > 20 * ROUNDS, `${loads} times`);
  figure(t, 'np.load at random moments, each valid', loads);
});

interface Watch {
  readonly faults: string[];
  /** Looks at all of each file; how often files were opened by then. */
  check(): Promise<number>;
  end(): void;
}

function watchFiles(python: string): Watch {
  const files = oracle.arrays
    .filter(({ format }) => format === 'npy')
    .flatMap(({ name, order }) => [order, path.join(dataDir, 'arrays', `${name}.npy`)]);
  const child = spawn(python, ['-B', pythonProgram('faults/append_watch.py'), confirmedFile, ...files], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const faults: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', line => {
    if (!line.startsWith('checked ')) faults.push(line);
  });
  return {
    faults,
    async check() {
      child.stdin.write('\n');
      for (const signal = AbortSignal.timeout(ANSWER_MS_MAX); ;) {
        const [line] = (await once(lines, 'line', { signal })) as [string];
        if (line.startsWith('checked ')) return Number(line.slice('checked '.length));
      }
    },
    end: () => child.stdin.end(),
  };
}
