/** The builds that are broken on purpose can still be made: their texts occur in what is built now. */
import t from 'tap';
import { changedFiles } from './faults/broken-builds.js';
import { BROKEN_BUILDS } from './faults/broken-table.js';

t.test('every broken build finds the text that it takes away, exactly once', async t => {
  for (const build of BROKEN_BUILDS) {
    t.doesNotThrow(() => changedFiles(build), build.name);
  }
});

t.test('their names are different', async t => {
  t.equal(new Set(BROKEN_BUILDS.map(({ name }) => name)).size, BROKEN_BUILDS.length);
});
