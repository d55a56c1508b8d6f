/** Histograms to the count, with edges to the bit, of numpy's. */
import t from 'tap';
import { HyperslabError } from '../../../src/errors.js';
import { computeInProcess, parseQuery } from '../../../src/statistics/index.js';
import { caseCount } from '../../helpers/cases.js';
import { NO_NUMPY, PYTHON } from '../../helpers/python.js';
import { seededRandom } from '../../helpers/random.js';
import { makeCase, type Case } from '../cases.js';
import { askNumpy, differenceFrom, liveCases, type Listed } from '../live-numpy.js';
import { randomParameters } from './random-parameters.js';

type Answer = string | { readonly counts: Listed; readonly edges: Listed };

interface HistogramCase extends Case {
  readonly asks: object;
}

function histogramCase(seed: number, shapes?: readonly (readonly number[])[]): HistogramCase {
  const random = seededRandom(seed);
  const each = makeCase(random, { infinite: 0.05, ...(shapes && { shapes }) });
  const parameters = randomParameters(random, each);
  const nan = random.pick(['omit', 'omit', 'propagate', 'raise']);
  return {
    ...each,
    query: { ops: [...(random.next() < 0.2 ? ['mean', 'median'] : []), { histogram: parameters }], nan },
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

/** Cases of arrays that many tasks share. */
const LONG = caseCount(30, 300);

const skip = PYTHON === undefined && NO_NUMPY;

for (const [title, count, first, shapes] of [
  ['small arrays have the histograms of numpy', liveCases('histograms') - LONG, 110_000, undefined],
  ['longer arrays have them, too', LONG, 130_000, [[3000], [40, 90], [5, 700], [20, 6, 30]]],
] as const) {
  t.test(title, { skip }, async t => {
    const cases = Array.from({ length: count }, (_, i) => histogramCase(first + i, shapes));
    const answers = askNumpy<Answer>(t.testdir(), 'histograms', cases);
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
