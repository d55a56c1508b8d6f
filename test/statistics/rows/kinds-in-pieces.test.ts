/** Dates and texts, in filters and keys, give the same answer in whatever pieces rows are read. */
import t from 'tap';
import { dtypeOf, type DType } from '../../../src/dtype/index.js';
import { packedView } from '../../../src/layout/view.js';
import {
  computePlan,
  planQuery,
  sourceFrom,
  type PlanBounds,
  type QueryInput,
  type RowSource,
  type StatisticsResult,
} from '../../../src/statistics/index.js';
import { atOnce } from '../../../src/turns.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';

interface Stored extends RowSource {
  readonly file: Uint8Array<ArrayBuffer>;
}

/** Bytes of few values, or of many. */
function store(random: Random, name: string, typestr: string, rows: number, most: number): Stored {
  const dtype: DType = dtypeOf(typestr);
  const { itemsize } = dtype;
  const offset = random.pick([0, 3]);
  const file = new Uint8Array(offset + rows * itemsize);
  const view = new DataView(file.buffer);
  const isLittle = dtype.byteOrder !== '>';
  for (let row = 0; row < rows; row++) {
    const at = offset + row * itemsize;
    const value = random.below(most);
    if (dtype.kind === 'M')
      view.setBigInt64(at, value === 0 ? -(2n ** 63n) : BigInt(value - Math.floor(most / 2)) * 40_000n, isLittle);
    else if (dtype.kind === 'f') view.setFloat64(at, value, isLittle);
    else {
      const unit = dtype.kind === 'S' ? 1 : 4;
      const digits = value.toString(5);
      for (let i = 0; i < Math.min(digits.length, itemsize / unit); i++) {
        if (unit === 1) view.setUint8(at + i, digits.charCodeAt(i) + 150);
        else view.setUint32(at + 4 * i, digits.charCodeAt(i) * 2000, isLittle);
      }
    }
  }
  return { name, dtype, shape: [rows], view: packedView([rows], itemsize, 'C', offset), file };
}

function compute(datasets: readonly Stored[], query: QueryInput, bounds: Partial<PlanBounds>): StatisticsResult {
  const find = (name: string): Stored => datasets.find(each => each.name === name)!;
  const { plan, sources } = atOnce(planQuery(query, datasets[0]!, [], find, { bounds }));
  return computePlan(
    plan,
    sources.map(({ name }) => sourceFrom(find(name).file)),
  );
}

const QUERIES: readonly QueryInput[] = [
  { ops: ['count', 'sum', 'median'], group_by: { dataset: 'tags' } },
  { ops: ['sum'], group_by: [{ dataset: 'days', every: '2W' }, { dataset: 'words' }] },
  { ops: ['sum', 'max'], group_by: [{ rows: 7 }, { dataset: 'days' }] },
  { ops: ['count', 'sum'], where: { dataset: 'tags', in: { dataset: 'codes' } } },
  {
    ops: ['count', 'sum'],
    where: { dataset: 'days', in: { dataset: 'moments' } },
    group_by: { dataset: 'days', every: 'M' },
  },
  {
    ops: ['count', 'sum'],
    where: {
      and: [
        { dataset: 'words', gt: '\u{17318}' },
        { dataset: 'days', lt: '1970' },
      ],
    },
  },
  { ops: ['count'], where: { dataset: 'words', in: { dataset: 'tags', where: { dataset: 'days', is_nan: false } } } },
];

t.test('the pieces of a scan do not show', async t => {
  const found: string[] = [];
  for (let seed = 0; seed < caseCount(20, 150); seed++) {
    const random = seededRandom(900_000 + seed);
    const rows = random.pick([1, 50, 400]);
    const few = random.pick([3, 40, 5000]);
    const datasets = [
      store(random, 'main', '<f8', rows, 10),
      store(random, 'tags', '|S5', rows, few),
      store(random, 'words', random.pick(['<U4', '>U4']), rows, few),
      store(random, 'days', random.pick(['<M8[s]', '>M8[m]', '<M8[7m]']), rows, few),
      store(random, 'codes', random.pick(['|S3', '<U9']), random.below(200), few),
      store(random, 'moments', random.pick(['<M8[h]', '<M8[ms]']), random.below(200), few),
    ];
    const tiny = {
      chunkBytesMax: random.pick([1, 40, 600]),
      tileBytesMax: random.pick([1, 24, 200]),
      chunkSpanBytesMax: random.pick([64, 1e9]),
    };
    for (const query of QUERIES) {
      const [whole, pieces] = [compute(datasets, query, {}), compute(datasets, query, tiny)].map(each =>
        JSON.stringify(each),
      );
      if (whole !== pieces)
        found.push(`${seed} ${JSON.stringify(query)} ${pieces?.slice(0, 300)} ${whole?.slice(0, 300)}`);
    }
  }
  t.same(found.slice(0, 3), []);
});
