/** `hyperslab keys` as people run it: a process of its own, beside a service that runs. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { VERSION } from '../src/version.js';
import { caseStride } from './helpers/cases.js';
import { bearer } from './helpers/keys.js';
import { start, temporaryFolder } from './helpers/server.js';

const COMMAND = fileURLToPath(new URL('../bundle/hyperslab.js', import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function hyperslab(env: Record<string, string>, ...args: string[]): Outcome {
  return spawnSync(process.execPath, [COMMAND, ...args], {
    env: { PATH: process.env['PATH'], ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
}

function folder(t: Test): { dataDir: string; keys: (...args: string[]) => Outcome } {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true, force: true }));
  return { dataDir, keys: (...args) => hyperslab({ HYPERSLAB_DATA_DIR: dataDir }, 'keys', ...args) };
}

t.test('a key is added, shown once, listed without its secret, used, and revoked, while the service runs', async t => {
  const { dataDir, keys } = folder(t);
  const added = keys('add', '--name', 'Ann', '--scope', 'read,write', '--datasets', 'a*, b', '--expires', '90d');
  t.equal(added.status, 0, added.stderr);
  const key = added.stdout.trim();
  t.match(key, /^hs_[a-z0-9]{12}_[A-Za-z0-9_-]{43}$/, 'the key alone is on standard output');
  t.match(added.stderr, /first key/);
  const id = key.split('_')[1]!;
  t.notOk(fs.readFileSync(path.join(dataDir, 'keys.json'), 'utf8').includes(key.slice(-20)), 'only a hash is kept');

  const server = await start(t, { dataDir });
  t.equal((await server.fetch('/v1/datasets', bearer(key))).status, 200);
  const second = keys('add', '--name', 'Bob', '--scope', 'admin');
  t.notMatch(second.stderr, /first key/);
  const becomes = async (token: string, wanted: number): Promise<boolean> => {
    for (let tries = 0; tries < 100; tries++) {
      if ((await server.fetch('/v1/datasets', bearer(token))).status === wanted) return true;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    return false;
  };
  t.ok(await becomes(second.stdout.trim(), 200));

  t.match(JSON.parse(keys('list', '--json').stdout), [
    { id, name: 'Ann', datasets: ['a*', 'b'] },
    { name: 'Bob', expires: null },
  ]);
  const listed = keys('list').stdout;
  const [ann, bob, ...more] = listed.trim().split('\n');
  t.match(ann, new RegExp(`^${id}  Ann  read,write  a\\*,b  created \\S+  expires \\S+$`));
  t.match(bob, /Bob {2}admin {2}\* {2}created \S+ {2}never expires$/);
  t.strictSame(more, []);
  const inDays = (Date.parse(/expires (\S+)$/.exec(ann!)![1]!) - Date.now()) / 86_400_000;
  t.ok(inDays > 89.9 && inDays <= 90);
  t.notOk(listed.includes(key.slice(-20)));

  t.match(keys('revoke', id), { status: 0, stderr: /Revoked/ });
  t.ok(await becomes(key, 401));
  t.equal((await server.fetch('/v1/datasets', bearer(second.stdout.trim()))).status, 200);
  t.match(keys('revoke', id), { status: 1, stderr: /no key has the id/ });
});

const REFUSED: readonly (readonly [args: readonly string[], message: RegExp, status?: number])[] = [
  [['add'], /--name/],
  [['add', '--name', ' ', '--scope', 'read'], /--name/],
  [['add', '--name', 'a\nb', '--scope', 'read'], /--name/],
  [['add', '--name', 'a'], /--scope/],
  [['add', '--name', 'a', '--scope', 'reed'], /--scope.*read,write,admin/],
  [['add', '--name', 'a', '--scope', 'read', '--datasets', ''], /pattern/],
  [['add', '--name', 'a', '--scope', 'read', '--datasets', 'a/b'], /pattern/],
  [['add', '--name', 'a', '--scope', 'read', '--dataset', 'a'], /no flag --dataset.*--datasets/, 2],
  [['add', '--name', 'a', '--scope', 'read', '--expires'], /--expires needs a value/, 2],
  [['add', '--name', 'a', '--scope', 'read', '--expires', '90'], /--expires/],
  [['add', '--name', 'a', '--scope', 'read', '--expires', '2020-01-01'], /--expires/],
  [['add', '--name', 'a', '--scope', 'read', '--expires', '0d'], /--expires/],
  [['add', '--name', 'a', '--scope', 'read', 'more'], /add takes flags alone/, 2],
  [[], /add, list, revoke/, 2],
  [['remove'], /no "remove".*revoke/, 2],
  [['lsit'], /Did you mean list/, 2],
  [['list', 'more'], /list takes flags alone/, 2],
  [['revoke'], /revoke takes the id of one key/, 2],
];
const STRIDE = caseStride(3);

t.test('what cannot be understood adds no key and says what is allowed', async t => {
  const { dataDir, keys } = folder(t);
  for (const [args, message, wanted = 1] of REFUSED.filter((_, i) => i % STRIDE === 0)) {
    const { status, stdout, stderr } = keys(...args);
    t.equal(status, wanted, args.join(' '));
    t.match(stderr, message, args.join(' '));
    t.equal(stdout, '');
    t.notMatch(stderr, /^\s+at /m, 'no stack');
  }
  t.match(keys('--help'), { status: 0, stdout: /keys revoke ID/ });
  t.match(keys('list'), { status: 0, stdout: '', stderr: /no key file/ });
  t.notOk(fs.existsSync(path.join(dataDir, 'keys.json')));
});

t.test('a broken key file is not written over', async t => {
  const { dataDir, keys } = folder(t);
  const file = path.join(dataDir, 'keys.json');
  fs.writeFileSync(file, '{"version":1,');
  t.match(keys('add', '--name', 'a', '--scope', 'read'), { status: 1, stderr: /cannot be used/ });
  t.equal(fs.readFileSync(file, 'utf8'), '{"version":1,');
});

t.test('HYPERSLAB_KEYS_FILE names another file, for the command and for the service', async t => {
  const { dataDir } = folder(t);
  const env = { HYPERSLAB_DATA_DIR: dataDir, HYPERSLAB_KEYS_FILE: path.join(dataDir, 'else', 'k.json') };
  const key = hyperslab(env, 'keys', 'add', '--name', 'a', '--scope', 'read').stdout.trim();
  t.ok(fs.existsSync(env.HYPERSLAB_KEYS_FILE));
  const server = await start(t, { dataDir, env: { HYPERSLAB_KEYS_FILE: env.HYPERSLAB_KEYS_FILE } });
  t.equal((await server.fetch('/v1/datasets')).status, 401);
  t.equal((await server.fetch('/v1/datasets', bearer(key))).status, 200);
});

t.test('the command is what package.json says, knows its version, and refuses what it does not know', async t => {
  const { bin } = JSON.parse(fs.readFileSync(path.join(PACKAGE_ROOT, 'package.json'), 'utf8')) as {
    bin: Record<string, string>;
  };
  t.equal(path.join(PACKAGE_ROOT, bin['hyperslab']!), COMMAND);
  t.match(fs.readFileSync(COMMAND, 'utf8'), /^#!\/usr\/bin\/env node\n/);
  t.match(hyperslab({}, '--version'), { status: 0, stdout: `${VERSION}\n` });
  t.match(hyperslab({}, '--help'), { status: 0, stdout: /hyperslab keys/ });
  t.match(hyperslab({}, 'server'), { status: 2, stderr: /no command "server"\. Did you mean serve\?/ });
  t.match(
    hyperslab({ HYPERSLAB_PORT: 'x' }, 'serve'),
    { status: 1, stderr: /HYPERSLAB_PORT/ },
    'serve starts the service',
  );
});
