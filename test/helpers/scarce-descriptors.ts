/**
 * Preloaded into a server (`--import`): the first HYPERSLAB_TEST_EMFILE reads of a manifest find no descriptor left, as
 * where another program of the same user has them.
 */
import fs from 'node:fs';

let refusals = Number(process.env['HYPERSLAB_TEST_EMFILE'] ?? 0);

const { readFile } = fs.promises;
fs.promises.readFile = (async (...args: Parameters<typeof readFile>) => {
  const [file] = args;
  if (typeof file === 'string' && file.includes('/catalog/') && refusals-- > 0) {
    throw Object.assign(new Error(`EMFILE: too many open files, open '${file}'`), { code: 'EMFILE', errno: -24 });
  }
  return readFile(...args);
}) as typeof readFile;
