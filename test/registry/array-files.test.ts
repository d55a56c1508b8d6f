/** Room for a new array: a request that cannot be met takes none of it. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { reserve } from '../../src/registry/array-files.js';
import { temporaryFolder } from '../helpers/server.js';

t.test('what cannot fit is refused before a block is reserved', async t => {
  const folder = temporaryFolder();
  const target = path.join(folder, 'array.npy');
  const fd = fs.openSync(target, 'wx+');
  t.teardown(() => {
    fs.closeSync(fd);
    fs.rmSync(folder, { recursive: true });
  });
  const { bavail, bsize } = fs.statfsSync(folder);
  await t.rejects(reserve(fd, target, 2 * bavail * bsize), { code: 'ENOSPC' });
  t.match(fs.fstatSync(fd), { size: 0, blocks: 0 });
  if (await reserve(fd, target, 10_000)) t.match(fs.fstatSync(fd), { size: 10_000 });
});
