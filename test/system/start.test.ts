/** Starts that are refused, with a sentence that says what to do: a folder in use, a folder that cannot be written. */
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { startRefused } from '../helpers/refused-start.js';
import { start, startServer, temporaryFolder } from '../helpers/server.js';

/** Nobody's account on most systems; any number but ours would do. */
const OTHER_USER = 65_534;
const isRoot = process.geteuid?.() === 0;

t.test('a second service on a data folder is refused, and starts when the first was killed', async t => {
  const first = await startServer();
  const { dataDir } = first;
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  // By another name of the folder, too.
  const link = `${dataDir}-link`;
  fs.symlinkSync(dataDir, link);
  t.teardown(() => fs.rmSync(link));
  for (const name of [dataDir, link]) {
    const { status, stderr } = await startRefused(name);
    t.equal(status, 1);
    t.match(stderr, /data folder .* is in use by another Hyperslab \(process \d+\)/);
    t.match(stderr, `process ${first.pid})`);
    t.notMatch(stderr, /\n\s+at /, 'no stack');
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
  t.equal((await startRefused(first.dataDir)).status, 1);
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
    const { status, stderr } = await startRefused(dataDir, {}, OTHER_USER);
    t.equal(status, 1);
    t.match(stderr, `cannot be written by user ${OTHER_USER} (EACCES)`);
    t.notMatch(stderr, /\n\s+at /, 'no stack');
  },
);
