/** Starts that are refused, with a sentence that says what to do: a folder in use, a folder that cannot be written. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { start, startServer, temporaryFolder, withoutLoaders } from '../helpers/server.js';

const SERVER = fileURLToPath(new URL('../../src/server.js', import.meta.url));
/** Nobody's account on most systems; any number but ours would do. */
const OTHER_USER = 65_534;
const isRoot = process.geteuid?.() === 0;

/** What a start that should fail says, and how it ends. */
async function refusedStart(dataDir: string, uid?: number): Promise<{ code: number | null; said: string }> {
  const [command, ...args] = withoutLoaders(process.execPath, SERVER);
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir },
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 30_000,
    ...(uid !== undefined && { uid, gid: uid }),
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, said };
}

t.test('a second service on a data folder is refused, and starts when the first was killed', async t => {
  const first = await startServer();
  const { dataDir } = first;
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  // By another name of the folder, too.
  const link = `${dataDir}-link`;
  fs.symlinkSync(dataDir, link);
  t.teardown(() => fs.rmSync(link));
  for (const name of [dataDir, link]) {
    const { code, said } = await refusedStart(name);
    t.equal(code, 1);
    t.match(said, /data folder .* is in use by another Hyperslab \(process \d+\)/);
    t.match(said, `process ${first.pid})`);
    t.notMatch(said, /\n\s+at /, 'no stack');
  }
  t.equal((await first.fetch('/healthz')).status, 200, 'the first goes on');
  await first.stop('SIGKILL');
  const second = await startServer({ dataDir });
  t.equal((await second.fetch('/readyz')).status, 200);
  await second.stop();
});

t.test('a service that the addon for locks is missing from is still alone', async t => {
  const hide = fileURLToPath(new URL('../helpers/hide-packages.js', import.meta.url));
  const first = await start(t, { nodeArgs: ['--import', hide], env: { HYPERSLAB_TEST_HIDE: 'koffi' } });
  t.equal((await refusedStart(first.dataDir)).code, 1);
});

t.test(
  'a data folder of another user is refused, and the message names who asked',
  { skip: isRoot ? false : 'needs root, to become somebody else' },
  async t => {
    const parent = temporaryFolder();
    t.teardown(() => fs.rmSync(parent, { recursive: true }));
    fs.chmodSync(parent, 0o755);
    const dataDir = path.join(parent, 'data');
    fs.mkdirSync(dataDir, { mode: 0o755 });
    const { code, said } = await refusedStart(dataDir, OTHER_USER);
    t.equal(code, 1);
    t.match(said, `cannot be written by user ${OTHER_USER} (EACCES)`);
    t.notMatch(said, /\n\s+at /, 'no stack');
  },
);
