/** Kernels that count into bins, against a twin that compares every element with the edges. */
import t from 'tap';
import { binSpec, closedEdges } from '../../../src/statistics/histogram/spec.js';
import type { NativeType } from '../../../src/kernels/native-types.js';
import { PAIR_ELEMENTS_MAX } from '../../../src/kernels/constants.js';
import { caseCount } from '../../helpers/cases.js';
import { seededRandom, type Random } from '../../helpers/random.js';
import { compareTables, rowsCase, type Bench } from './digits.js';
import { randomValue } from './values.js';
import { startsOf } from '../../../src/statistics/histogram/edges.js';
import { type Counting, writeBinRows, writeBinSpec } from '../../../src/kernels/bins.js';

const TYPES = ['f32', 'f64', 'i32', 'u32', 'i64', 'u64'] as const;
const WIDTH_MAX = 128;

function equalEdges(random: Random, type: NativeType, bins: number): Float64Array {
  const first = type.startsWith('u') ? random.below(20) : Math.round((random.next() - 0.5) * 40);
  const last = first + random.pick([1, 10, 100, 0.1, 1e4, 3.7]);
  const narrow = type === 'f32' ? Math.fround : (value: number) => value;
  return Float64Array.from({ length: bins + 1 }, (_, i) =>
    narrow(i === bins ? last : first + (i * (last - first)) / bins),
  );
}

/** Values around and on edges mostly. */
function valueMaker(random: Random, type: NativeType, edges: Float64Array): () => number | bigint {
  const span = edges.at(-1)! - edges[0]!;
  return () => {
    if (random.next() < 0.1) return randomValue(random, type, 50);
    const value = random.next() < 0.4 ? random.pick([...edges]) : edges[0]! + (random.next() * 1.2 - 0.1) * span;
    if (type.startsWith('f')) return value;
    const whole = BigInt(Math.round(value));
    return type.startsWith('u') && whole < 0n ? 0n : whole;
  };
}

function putEdges({ memory, spec }: Bench, edges: Float64Array): number {
  const at = spec + 1024;
  for (const [i, edge] of closedEdges(edges).entries()) memory.setFloat64(at + 8 * i, edge, true);
  return at;
}

t.test('bins are counted as their twins count them, by whichever arithmetic', async t => {
  const wrong: string[] = [];
  const seen = new Set<Counting>();
  for (let seed = 0; seed < caseCount(200, 1500); seed++) {
    const random = seededRandom(seed);
    const type = random.pick(TYPES);
    const bins = random.pick([1, 2, 3, 10, 100, 126, 127, 200, 1000]);
    const edges = equalEdges(random, type, bins);
    // Long enough, now and then, for four stretches at a time.
    const length = seed % 40 === 0 ? 9000 + random.below(9000) : seed % 5 < 2 ? seed % 68 : random.below(400);
    const each = rowsCase(type, 1 + random.below(3), length, valueMaker(random, type, edges));
    const spec = binSpec(edges, type === 'f32');
    const counting = random.pick([spec.counting, spec.counting, 'exactly'] as const);
    seen.add(counting);
    const difference = compareTables(seed, each, 2048, bench => {
      const { kernels, memory, at, table } = bench;
      const pairs = table + 64 * 1024;
      new Uint8Array(memory.buffer, pairs, 2 * WIDTH_MAX ** 2).fill(0);
      const places = { type: each.number, counters: table, edges: putEdges(bench, edges), pairs };
      writeBinSpec(memory, bench.spec, spec, places);
      writeBinRows(memory, bench.spec, at);
      if (counting !== 'pairs') return kernels[counting === 'bins' ? 'countBins' : 'countExactly'](bench.spec);
      const nans = kernels.countPairs(bench.spec);
      kernels.addPairs(pairs, spec.width, table);
      return nans;
    });
    if (difference !== undefined)
      wrong.push(`seed ${seed}: ${bins} bins of ${length} ${type}, ${counting}: ${difference}`);
  }
  t.same(wrong.slice(0, 5), []);
  t.same([...seen].sort(), ['bins', 'exactly', 'pairs']);
});

t.test('any ascending edges are found', async t => {
  const wrong: string[] = [];
  for (let seed = 0; seed < caseCount(80, 600); seed++) {
    const random = seededRandom(seed);
    const type = random.pick(TYPES);
    const count = 2 + random.below(20);
    const edges = Float64Array.from({ length: count }, () => Number(randomValue(random, type, 50))).map(edge =>
      Number.isNaN(edge) ? 0 : edge,
    );
    edges.sort();
    const each = rowsCase(type, 1 + random.below(3), random.below(68), () =>
      random.next() < 0.5 ? randomValue(random, type, 50) : type.startsWith('f') ? random.pick([...edges]) : 1n,
    );
    const starts = startsOf(closedEdges(edges));
    const difference = compareTables(seed, each, count + 1, bench => {
      const { kernels, memory, at, table } = bench;
      const startsAt = bench.spec + 1024 * 1024;
      new Uint32Array(memory.buffer, startsAt, starts.length).set(starts);
      const places = { type: each.number, counters: table, edges: putEdges(bench, edges), starts: startsAt };
      writeBinSpec(memory, bench.spec, undefined, places);
      writeBinRows(memory, bench.spec, at);
      return kernels.seekBins(bench.spec);
    });
    if (difference !== undefined) wrong.push(`seed ${seed}: ${count} edges of ${type}: ${difference}`);
  }
  t.same(wrong.slice(0, 5), []);
});

t.test('as many pairs as may be counted do not overflow', async t => {
  const edges = Float64Array.of(0, 1, 2);
  const spec = binSpec(edges, true);
  const each = rowsCase('f32', 1, 67, () => 0.5);
  const difference = compareTables(1, each, 8, bench => {
    const { kernels, memory, at, table } = bench;
    const pairs = table + 64 * 1024;
    writeBinSpec(memory, bench.spec, spec, { type: 0, counters: table, edges: putEdges(bench, edges), pairs });
    new Uint8Array(memory.buffer, pairs, 2 * WIDTH_MAX ** 2).fill(0);
    for (let done = 0; done < PAIR_ELEMENTS_MAX; done += 8) {
      writeBinRows(memory, bench.spec, [at[0], 1, 0, 8]);
      kernels.countPairs(bench.spec);
    }
    kernels.addPairs(pairs, spec.width, table);
    t.equal(memory.getUint32(table + 4, true), PAIR_ELEMENTS_MAX);
  });
  t.equal(difference, undefined);
});
