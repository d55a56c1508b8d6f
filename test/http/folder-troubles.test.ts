/** Served folders that the kernel tells nothing of, and folders that may not be read. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { noOtherUser, OTHER_USER } from '../helpers/other-user.js';
import { counting, eventually, serveFolder } from '../helpers/served-folder.js';
import { start, temporaryFolder, type TestServer } from '../helpers/server.js';
import { npzOf } from '../helpers/tables.js';

/** Preloaded, it is a kernel that has no watches left. */
const NO_WATCHES = `data:text/javascript,import fs from 'node:fs';
fs.watch = () => { throw Object.assign(new Error('no watches'), { code: 'ENOSPC', errno: -28, syscall: 'watch' }) };`;

t.test('where the kernel gives no watches, folders are looked through, and that is told', async t => {
  let server: TestServer | undefined;
  const { folder, ask, put, names } = await serveFolder(t, {
    begin: async (each, options) => (server = await start(each, { ...options, nodeArgs: ['--import', NO_WATCHES] })),
  });
  t.strictSame(await names(), []);
  t.match(await ask('/readyz'), [200, { folders: [{ folder: 1, state: 'ready', watched: false }] }]);
  const told = (): number => server!.log.filter(line => /is not watched \(ENOSPC\)/.test(line)).length;
  t.equal(told(), 1, 'once');
  put('a/b.npy', counting(1, 2));
  put('box.npz', npzOf(4).subarray(0, 20));
  t.ok(await eventually(async () => (await names()).includes('a.b')));
  t.match(await ask('/v1/datasets/a.b/data'), [200, { data: [1, 2] }]);
  put('box.npz', npzOf(4));
  t.ok(await eventually(async () => (await names()).includes('box.a')), 'a container that is filled in place');
  put('a/b.npy', counting(5, 1));
  t.match(await ask('/v1/datasets/a.b/data'), [200, { data: [5] }], 'a file is asked by each call');
  fs.rmSync(path.join(folder, 'a'), { recursive: true });
  t.match(await ask('/v1/datasets/a.b/data'), [404, { code: 'unknown_dataset' }]);
  t.equal(told(), 1);
});

t.test('a folder inside that may not be read is away, not empty', { skip: noOtherUser }, async t => {
  const folder = temporaryFolder();
  const dataDir = temporaryFolder();
  for (const each of [folder, dataDir]) fs.chownSync(each, OTHER_USER, OTHER_USER);
  const { ask, put, names } = await serveFolder(t, {
    folder,
    begin: (each, options) => start(each, { ...options, dataDir, uid: OTHER_USER }),
  });
  put('a.npy', counting(1, 1));
  put('sub/b.npy', counting(2, 1));
  put('sub/deep/c.npy', counting(3, 1));
  put('secret.npy', counting(4, 1));
  fs.chmodSync(path.join(folder, 'secret.npy'), 0o600);
  put('never/d.npy', counting(5, 1));
  fs.chmodSync(path.join(folder, 'never'), 0o700);
  t.ok(await eventually(async () => (await names()).length === 3));
  const [, { id }] = await ask('/v1/datasets/sub.b');
  fs.chmodSync(path.join(folder, 'sub'), 0o700);
  for (const name of ['sub.b', 'sub.deep.c']) {
    t.match(await ask(`/v1/datasets/${name}/data`), [503, { code: 'folder_away' }], name);
  }
  t.match(await ask('/v1/datasets/never.d'), [503, { code: 'folder_away' }], 'nobody can say that there is none');
  t.match(await ask('/v1/datasets/other.d'), [404, { code: 'unknown_dataset' }]);
  t.strictSame(await names(), ['a']);
  t.match(await ask('/v1/datasets?state=quarantined'), [
    200,
    {
      datasets: [
        { name: 'secret', code: 'file_denied', path: 'secret.npy' },
        { name: 'sub.b', code: 'folder_away', path: 'sub/b.npy' },
        { name: 'sub.deep.c', code: 'folder_away' },
      ],
    },
  ]);
  for (const each of ['sub', 'never']) fs.chmodSync(path.join(folder, each), 0o755);
  fs.chmodSync(path.join(folder, 'secret.npy'), 0o644);
  t.ok(await eventually(async () => (await names()).length === 5));
  t.match(await ask('/v1/datasets/sub.b'), [200, { id }]);
});
