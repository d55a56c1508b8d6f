/** Other libraries open what a live service sends: arrays, tables of every dtype that they have, and pictures. */
import fs from 'node:fs';
import t from 'tap';
import { runPythonBeside, withoutModule } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';

for (const library of ['numpy', 'pandas', 'pyarrow', 'polars', 'duckdb', 'PIL']) {
  t.test(library, { skip: withoutModule(library) }, async t => {
    const root = temporaryFolder();
    t.teardown(() => fs.rmSync(root, { recursive: true }));
    const server = await startHere(t, { env: { HYPERSLAB_ROOTS: root } });
    t.equal(await runPythonBeside('tables/libraries.py', [server.url, root, library]), '');
  });
}
