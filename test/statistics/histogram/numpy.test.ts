/** Histograms to the count, with edges to the bit, of numpy's. */
import t from 'tap';
import { HyperslabError } from '../../../src/errors.js';
import { computeInProcess, parseQuery } from '../../../src/statistics/index.js';
import { NO_NUMPY, PYTHON } from '../../helpers/python.js';
import { integerBelow, makeCase, pick, randomOf, type Case, type Random } from '../cases.js';
import { askNumpy, differenceFrom, READ_CASE, type Listed } from '../live-numpy.js';

const NUMPY_HISTOGRAMS = `
import json, sys, warnings
from pathlib import Path
import numpy as np

warnings.simplefilter('ignore')
np.seterr(all='ignore')
folder = Path(sys.argv[1])
${READ_CASE}
answers = []
for number, case in enumerate(json.loads((folder / 'cases.json').read_text())):
    a = read_case(folder, number, case)
    has_nan = a.dtype.kind == 'f' and np.isnan(a).any()
    if has_nan and case['nan'] != 'omit':
        answers.append('nan_found')
        continue
    if has_nan: a = a[~np.isnan(a)]
    edges = case.get('edges')
    try:
        range = case.get('range')
        bins = [float(edge) for edge in edges] if edges else case['bins']
        counts, edges = np.histogram(a, bins, range=tuple(float(edge) for edge in range) if range else None)
        answers.append({'counts': listed(counts), 'edges': listed(edges)})
    except ValueError as error:
        answers.append('bad_operation')
(folder / 'answers.json').write_text(json.dumps(answers))
`;

type Answer = string | { readonly counts: Listed; readonly edges: Listed };

interface HistogramCase extends Case {
  readonly asks: object;
}

/** A finite value of the data, or something near. */
function somewhere(random: Random, { values }: Case): number {
  const value = values.length > 0 ? Number(pick(random, values)) : 0;
  const shift = random() < 0.5 ? 0 : (random() - 0.5) * 4;
  return Number.isFinite(value) ? value + shift : shift;
}

function parametersOf(random: Random, each: Case): object {
  const bins = pick(random, [1, 2, 3, 10, 10, 100, each.dtype.itemsize > 2 ? 500 : 50]);
  const kind = random();
  if (kind < 0.35) return { bins };
  const pair = [somewhere(random, each), somewhere(random, each)].sort((a, b) => a - b);
  if (kind < 0.7) return { bins, range: random() < 0.05 ? [pair[0], pair[0]] : pair };
  const edges = Array.from({ length: 2 + integerBelow(random, 12) }, () => somewhere(random, each));
  if (random() < 0.2) edges.push(edges[0]!);
  const sorted: (number | string)[] = edges.sort((a, b) => a - b);
  if (random() < 0.1) sorted.unshift('-Infinity');
  if (random() < 0.1) sorted.push('Infinity');
  return { edges: sorted };
}

function histogramCase(seed: number, shapes?: readonly (readonly number[])[]): HistogramCase {
  const random = randomOf(seed);
  const each = makeCase(random, { infinite: 0.05, ...(shapes && { shapes }) });
  const parameters = parametersOf(random, each);
  const nan = pick(random, ['omit', 'omit', 'propagate', 'raise']);
  return {
    ...each,
    query: { ops: [...(random() < 0.2 ? ['mean', 'median'] : []), { histogram: parameters }], nan },
    bounds: { ...each.bounds, chunkBytesMax: Math.max(100, each.bounds.chunkBytesMax) },
    asks: { ...parameters, nan },
  };
}

function differenceIn(each: HistogramCase, answer: Answer): string | undefined {
  try {
    const query = parseQuery(each.query, each.view.shape.length);
    const { results } = computeInProcess(query, each.dtype, each.view, each.file, each.bounds);
    if (typeof answer === 'string') return `an answer instead of ${answer}`;
    const result = results.at(-1)!;
    const inEdges = differenceFrom(answer.edges, result.edges!);
    if (inEdges !== undefined) return `edges ${inEdges}`;
    if (result.edges!.dtype.typestr !== answer.edges.dtype) return `edges of ${result.edges!.dtype.typestr}`;
    return differenceFrom(answer.counts, result);
  } catch (error) {
    if (error instanceof HyperslabError && error.code === answer) return undefined;
    return `${String(error)} instead of ${JSON.stringify(answer)}`;
  }
}

const skip = PYTHON === undefined && NO_NUMPY;

for (const [title, count, first, shapes] of [
  ['small arrays have the histograms of numpy', 1500, 110_000, undefined],
  ['longer arrays have them, too', 300, 130_000, [[3000], [40, 90], [5, 700], [20, 6, 30]]],
] as const) {
  t.test(title, { skip }, async t => {
    const cases = Array.from({ length: count }, (_, i) => histogramCase(first + i, shapes));
    const answers = askNumpy<Answer>(t.testdir(), NUMPY_HISTOGRAMS, cases);
    const found = cases.flatMap((each, i) => {
      const difference = differenceIn(each, answers[i]!);
      return difference === undefined
        ? []
        : [`case ${i} of ${each.dtype.typestr}: ${difference}: ${JSON.stringify(each.query)}`];
    });
    t.same(found.slice(0, 5), []);
    const refused = answers.filter(answer => typeof answer === 'string').length;
    t.ok(refused > 0 && refused < count / 2, `${refused} of ${count} are refused`);
  });
}
