import { test } from 'tap';
import { isErrorCode, type ErrorCode } from '../../src/errors.js';
import { OP_NAMES, parseQuery, type QueryInput } from '../../src/statistics/index.js';

test('a query is normalised: axes ascending and not negative, defaults filled in', async t => {
  t.same(parseQuery({ ops: ['mean'] }, 2), { ops: ['mean'], axis: null, keepdims: false, ddof: 0, nan: 'propagate' });
  t.same(parseQuery({ ops: ['mean'], axis: -1 }, 3).axis, [2]);
  t.same(parseQuery({ ops: ['mean'], axis: [2, -3] }, 3).axis, [0, 2]);
  t.same(parseQuery({ ops: ['mean'], axis: [] }, 3).axis, []);
  const bare = OP_NAMES.filter(op => !['quantile', 'histogram', 'unique', 'cov'].includes(op));
  t.same(parseQuery({ ops: bare, axis: 0, keepdims: true, ddof: 0.5, nan: 'omit' }, 1), {
    ops: bare,
    axis: [0],
    keepdims: true,
    ddof: 0.5,
    nan: 'omit',
  });
});

const REFUSED: readonly [string, QueryInput, ErrorCode][] = [
  ['no operation', { ops: [] }, 'bad_operation'],
  ['an unknown operation', { ops: ['average'] }, 'bad_operation'],
  ['a name from the prototype', { ops: ['toString'] }, 'bad_operation'],
  ['an operation that is no text', { ops: [7] }, 'bad_operation'],
  ['null as an operation', { ops: [null] }, 'bad_operation'],
  ['the same operation twice', { ops: ['sum', 'mean', 'sum'] }, 'bad_operation'],
  ['quantile without q', { ops: ['quantile'] }, 'bad_operation'],
  ['quantile of nothing', { ops: [{ quantile: { q: [] } }] }, 'bad_operation'],
  ['a percentile', { ops: [{ quantile: { q: 50 } }] }, 'bad_operation'],
  ['a quantile below 0', { ops: [{ quantile: { q: [-0.1] } }] }, 'bad_operation'],
  ['a quantile that is NaN', { ops: [{ quantile: { q: Number.NaN } }] }, 'bad_operation'],
  ['a quantile as text', { ops: [{ quantile: { q: ['0.5'] } }] }, 'bad_operation'],
  ['an unknown method', { ops: [{ quantile: { q: 0.5, method: 'toString' } }] }, 'bad_operation'],
  ['an unknown parameter of quantile', { ops: [{ quantile: { q: 0.5, axis: 0 } }] }, 'bad_operation'],
  ['too many quantiles', { ops: [{ quantile: { q: Array.from({ length: 1001 }, () => 0.5) } }] }, 'too_large'],
  ['parameters that are no object', { ops: [{ quantile: [0.5] }] }, 'bad_operation'],
  ['two operations in one object', { ops: [{ quantile: { q: 0.5 }, histogram: {} }] }, 'bad_operation'],
  ['parameters of median', { ops: [{ median: { q: 0.5 } }] }, 'bad_operation'],
  ['no bins', { ops: [{ histogram: { bins: 0 } }] }, 'bad_operation'],
  ['half a bin', { ops: [{ histogram: { bins: 1.5 } }] }, 'bad_operation'],
  ['too many bins', { ops: [{ histogram: { bins: 2 ** 20 + 1 } }] }, 'too_large'],
  ['a range that falls', { ops: [{ histogram: { range: [1, 0] } }] }, 'bad_operation'],
  ['an infinite range', { ops: [{ histogram: { range: [0, 'Infinity'] } }] }, 'bad_operation'],
  ['a range of one number', { ops: [{ histogram: { range: [0] } }] }, 'bad_operation'],
  ['one edge', { ops: [{ histogram: { edges: [0] } }] }, 'bad_operation'],
  ['edges that fall', { ops: [{ histogram: { edges: [0, 2, 1] } }] }, 'bad_operation'],
  ['an edge that is NaN', { ops: [{ histogram: { edges: [0, 'NaN'] } }] }, 'bad_operation'],
  ['edges and bins', { ops: [{ histogram: { edges: [0, 1], bins: 3 } }] }, 'bad_operation'],
  ['distinct elements along an axis', { ops: ['unique'], axis: 0 }, 'bad_operation'],
  ['distinct elements by groups', { ops: ['unique'], group_by: { column: 0 } }, 'bad_operation'],
  ['a histogram along an axis', { ops: ['histogram'], axis: [0, 1] }, 'bad_operation'],
  ['a filter without a comparison', { ops: ['sum'], where: { column: 0 } }, 'bad_request'],
  ['a key that is a number', { ops: ['sum'], group_by: 0 }, 'bad_request'],
  ['groups of another axis than that of rows', { ops: ['sum'], axis: 1, group_by: { column: 0 } }, 'bad_operation'],
  ['positions by group', { ops: ['argmin'], group_by: { column: 0 } }, 'bad_operation'],
  ['parameters where there are none', { ops: [{ sum: {} }] }, 'bad_operation'],
  ['an axis past the last', { ops: ['sum'], axis: 2 }, 'bad_axis'],
  ['an axis before the first', { ops: ['sum'], axis: -3 }, 'bad_axis'],
  ['an axis that is no integer', { ops: ['sum'], axis: 0.5 }, 'bad_axis'],
  ['an axis twice, once from the end', { ops: ['sum'], axis: [1, -1] }, 'bad_axis'],
  ['argmin of two axes', { ops: ['argmin'], axis: [0, 1] }, 'bad_operation'],
  ['argmax of no axis', { ops: ['argmax'], axis: [] }, 'bad_operation'],
  ['an infinite ddof', { ops: ['var'], ddof: Number.POSITIVE_INFINITY }, 'bad_request'],
  ['an unknown nan mode', { ops: ['sum'], nan: 'skip' }, 'bad_request'],
];

for (const [title, input, code] of REFUSED) {
  test(`${title} is refused as ${code}`, async t => {
    try {
      parseQuery(input, 2);
      t.fail('was taken');
    } catch (error) {
      t.ok(isErrorCode(error, code), String(error));
    }
  });
}

test('what is no operation is refused with the names of those that are', async t => {
  t.throws(() => parseQuery({ ops: ['average'] }, 1), { message: /"average" is not an operation.*count_nonzero/ });
});

test('operations with parameters keep them under their names, with defaults filled in', async t => {
  t.same(parseQuery({ ops: ['sum', { quantile: { q: 0.5 } }, 'histogram'] }, 1), {
    ops: ['sum', 'quantile', 'histogram'],
    parameters: {
      quantile: { q: [0.5], isSingle: true, method: 'linear' },
      histogram: { kind: 'equal', bins: 10, range: undefined },
    },
    axis: null,
    keepdims: false,
    ddof: 0,
    nan: 'propagate',
  });
  const of = (op: unknown): unknown => parseQuery({ ops: [op] }, 1).parameters;
  t.same(of({ quantile: { q: [0, 1], method: 'nearest' } }), {
    quantile: { q: [0, 1], isSingle: false, method: 'nearest' },
  });
  t.same(of({ histogram: { bins: 3, range: [0, 0] } }), { histogram: { kind: 'equal', bins: 3, range: [0, 0] } });
  t.same(of({ histogram: { edges: ['-Infinity', 0, 0, 'Infinity'] } }), {
    histogram: { kind: 'edges', edges: [Number.NEGATIVE_INFINITY, 0, 0, Number.POSITIVE_INFINITY] },
  });
});
