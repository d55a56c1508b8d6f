/** What numpy wrote of quantiles, medians and edges: the formulas give the same to the bit. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { numberDType } from '../../../src/dtype/index.js';
import { packedView } from '../../../src/layout/view.js';
import { PACKAGE_ROOT } from '../../../src/package-root.js';
import { edgesOverData, edgesOverRange } from '../../../src/statistics/histogram/edges.js';
import { computeInProcess, parseQuery } from '../../../src/statistics/index.js';
import { QUANTILE_METHODS } from '../cases.js';

function fixture<T>(name: string): T[] {
  return JSON.parse(fs.readFileSync(path.join(PACKAGE_ROOT, 'test/fixtures', name), 'utf8')) as T[];
}

interface QuantileRow {
  readonly dtype: string;
  readonly method: string;
  readonly q: number | readonly number[];
  readonly values: string;
  readonly answer: readonly number[];
  readonly answerDType: string;
  readonly median: number;
  readonly medianDType: string;
}

interface EdgesRow {
  readonly dtype: string;
  readonly bins: number;
  readonly ends: readonly [number, number];
  readonly given: boolean;
  readonly edges: readonly number[];
  readonly edgesDType: string;
}

t.test('quantiles and medians are what numpy wrote, of the dtype that it wrote', async t => {
  const rows = fixture<QuantileRow>('quantiles.json');
  t.equal(new Set(rows.map(row => row.method)).size, QUANTILE_METHODS.length);
  const wrong = rows.filter(({ dtype: typestr, method, q, values, ...expected }) => {
    const dtype = numberDType(typestr);
    const file = new Uint8Array(Buffer.from(values, 'base64'));
    const view = packedView([file.length / dtype.itemsize], dtype.itemsize, 'C', 0);
    const query = parseQuery({ ops: [{ quantile: { q, method } }, 'median'] }, 1);
    const [quantile, median] = computeInProcess(query, dtype, view, file).results;
    return (
      Array.from(quantile!.values, Number).join() !== expected.answer.join() ||
      quantile!.dtype.typestr !== expected.answerDType ||
      Number(median!.values[0]) !== expected.median ||
      median!.dtype.typestr !== expected.medianDType
    );
  });
  t.same(wrong.slice(0, 3), []);
});

t.test('edges are what numpy wrote, from the data and over a range', async t => {
  const rows = fixture<EdgesRow>('histogram-edges.json');
  t.ok(rows.length > 100);
  const wrong = rows.filter(({ dtype: typestr, bins, ends, given, edges, edgesDType }) => {
    const dtype = numberDType(typestr);
    const found = given ? edgesOverRange(dtype, bins, ends) : edgesOverData(dtype, bins, ...ends);
    return found.values.join() !== edges.join() || found.dtype.typestr !== edgesDType;
  });
  t.same(wrong.slice(0, 3), []);
});

t.test('every method stays within the sample, and its ends are the ends', async t => {
  const q = Array.from({ length: 101 }, (_, i) => i / 100);
  for (const method of QUANTILE_METHODS) {
    for (let count = 1; count < 40; count++) {
      const sample = Float64Array.from({ length: count }, (_, i) => i);
      const query = parseQuery({ ops: [{ quantile: { q, method } }] }, 1);
      const file = new Uint8Array(sample.buffer);
      const [quantile] = computeInProcess(query, numberDType('<f8'), packedView([count], 8, 'C', 0), file).results;
      const found = Array.from(quantile!.values, Number);
      if (!found.every(each => each >= 0 && each < count)) t.fail(`${method} of ${count}: ${found.join(', ')}`);
      if (found.at(-1) !== count - 1) t.fail(`${method} of ${count} ends at ${found.at(-1)}`);
    }
  }
});
