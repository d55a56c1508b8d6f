/** What groups hold is told while they are found. */
import t from 'tap';
import { packedView } from '../../../src/layout/view.js';
import { numberDType } from '../../../src/dtype/index.js';
import { GroupStore } from '../../../src/statistics/groups/store.js';
import { chunkAt, Computation, scanChunks, newEngine, planQuery, sourceFrom } from '../../../src/statistics/index.js';
import { atOnce } from '../../../src/turns.js';

const engine = newEngine();

/** The bytes that are told after each chunk of 1000 rows, each of which is a group. */
function toldOf(ops: readonly unknown[]): number[] {
  const rows = 20_000;
  const file = new Uint8Array(Float64Array.from({ length: rows }, (_, i) => i).buffer);
  const dtype = numberDType('<f8');
  const self = { name: 'a', dtype, shape: [rows], view: packedView([rows], 8, 'C', 0) };
  const bounds = { chunkBytesMax: 8000, chunkCellsMax: 1000, chunkSpanBytesMax: 1e9, tileBytesMax: 8000 };
  const { plan } = atOnce(planQuery({ ops, group_by: { self: true } }, self, [], () => self, { bounds }));
  const computation = new Computation(plan);
  const told = [computation.heldBytes];
  for (let pass = atOnce(computation.next()); pass; pass = atOnce(computation.next())) {
    for (let number = 0; number < pass.scan.chunkCount; number++) {
      const [partials] = scanChunks(engine, pass.specs, [chunkAt(pass.scan, number)], [sourceFrom(file)]);
      atOnce(computation.combine(pass, partials!));
      told.push(computation.heldBytes);
    }
  }
  return told;
}

t.test('it grows with the groups, with the records of their cells, and with what is searched', t => {
  const [sum, many, median] = [['sum'], ['sum', 'std', 'min', 'prod'], ['median']].map(toldOf) as [
    number[],
    number[],
    number[],
  ];
  t.ok(sum[0]! < 100_000, `${sum[0]} bytes before the first group`);
  for (const told of [sum, many]) t.ok(told.every((bytes, i) => i === 0 || bytes >= told[i - 1]!));
  // Key, row count, record, and the values of the answer; medians have keys for the threads beside.
  t.ok(sum.at(-1)! >= 20_000 * (8 + 8 + 16 + 2 * 8), `${sum.at(-1)} bytes`);
  t.ok(many.at(-1)! >= sum.at(-1)! + 20_000 * (48 + 16 + 24), `${many.at(-1)} bytes`);
  t.ok(Math.max(...median) >= 20_000 * (8 + 8 + 16 + 8 + 8), `${Math.max(...median)} bytes`);
  t.end();
});

t.test('the first group of a million cells has room, and no more', t => {
  const store = new GroupStore(1, ['sum'], numberDType('<f8'), { cells: 1_000_000 });
  t.ok(store.bytes < 20_000_000, `${store.bytes} bytes`);
  t.end();
});
