import t from 'tap';
import { descriptorLimit, shareDescriptors, withDescriptors } from '../../src/file/descriptors.js';

const asked = { workers: 2, connectionsMax: 2048, openFiles: undefined };

t.test('what is open stays below the limit of the process, and each kind has its share', t => {
  const rows = [
    { limit: 256, files: 42, connections: 84 },
    { limit: 300, files: 53, connections: 106 },
    { limit: 1024, files: 234, connections: 468 },
    { limit: 1_048_576, files: 512, connections: 2048 },
    { limit: Infinity, files: 512, connections: 2048 },
    { limit: 64, files: 8, connections: 16 },
  ];
  for (const { limit, files, connections } of rows) {
    const shares = shareDescriptors(asked, limit);
    t.strictSame(shares, { openFilesMax: files, connectionsMax: connections }, `of ${limit}`);
  }
  t.strictSame(shareDescriptors({ ...asked, openFiles: 20 }, 256), { openFilesMax: 20, connectionsMax: 128 });
  t.ok(descriptorLimit() > 0);
  t.end();
});

t.test('what finds no descriptor is tried again, and other faults are not', async t => {
  for (const code of ['EMFILE', 'ENFILE', 'ENOENT']) {
    let attempts = 0;
    const work = async (): Promise<number> => {
      if (++attempts < 3) throw Object.assign(new Error(code), { code });
      return attempts;
    };
    if (code === 'ENOENT') await t.rejects(withDescriptors(work), { code });
    else t.equal(await withDescriptors(work), 3, code);
  }
});
