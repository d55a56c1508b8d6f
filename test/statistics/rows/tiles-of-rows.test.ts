/** Rows of chosen rows that are too long for a tile. */
import t from 'tap';
import { numberDType } from '../../../src/dtype/index.js';
import { packedView } from '../../../src/layout/view.js';
import { computePlan, PLAN_BOUNDS, planQuery, sourceFrom } from '../../../src/statistics/index.js';
import { atOnce } from '../../../src/turns.js';

t.test(
  'rows that are counted several at once are cut into tiles row by row, so that their cells stay apart',
  async t => {
    const shape = [9, 4];
    const dtype = numberDType('<i2');
    const data = Int16Array.from({ length: 36 }, (_, i) => i + 1);
    const self = { name: 'self', dtype, shape, view: packedView(shape, 2, 'C', 0) };
    const none = (): never => t.fail('reads no other dataset') as never;
    for (const tileBytesMax of [1, 2, 4, 6, 8, 24, 1000]) {
      const bounds = { ...PLAN_BOUNDS, tileBytesMax };
      const query = { ops: ['sum', 'max'], axis: [], where: { column: 0, ne: 5 } };
      const { plan } = atOnce(planQuery(query, self, [], none, { bounds }));
      const { results } = computePlan(plan, [sourceFrom(new Uint8Array(data.buffer))]);
      const kept = Array.from(data).filter((_, i) => Math.floor(i / 4) !== 1);
      for (const { op, values } of results)
        t.same(Array.from(values, Number), kept, `${op} in tiles of ${tileBytesMax}`);
    }
  },
);
