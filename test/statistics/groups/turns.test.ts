/** Groups of a chunk are combined in turns, so that whoever else is there does not wait for all of them. */
import t from 'tap';
import { packedView } from '../../../src/layout/view.js';
import { numberDType } from '../../../src/dtype/index.js';
import { chunkAt, Computation, newEngine, planQuery, scanChunks, sourceFrom } from '../../../src/statistics/index.js';
import { atOnce } from '../../../src/turns.js';

t.test('a chunk of 20,000 groups is combined in many turns', t => {
  const rows = 20_000;
  const file = new Uint8Array(Float64Array.from({ length: rows }, (_, i) => i).buffer);
  const dtype = numberDType('<f8');
  const self = { name: 'a', dtype, shape: [rows], view: packedView([rows], 8, 'C', 0) };
  const { plan } = atOnce(planQuery({ ops: ['sum', 'first'], group_by: { self: true } }, self, [], () => self));
  const computation = new Computation(plan);
  const pass = atOnce(computation.next())!;
  t.equal(pass.scan.chunkCount, 1);
  const [partials] = scanChunks(newEngine(), pass.specs, [chunkAt(pass.scan, 0)], [sourceFrom(file)]);
  const turns = [...computation.combine(pass, partials!)].length;
  t.ok(turns >= 3 * Math.floor(rows / 4096), `${turns} turns for keys, sums and first elements`);
  while (atOnce(computation.next()));
  t.equal(atOnce(computation.finish()).grouped!.groups, rows);
  t.end();
});
