import { test } from 'tap';
import { isErrorCode, type ErrorCode } from '../../src/errors.js';
import { OP_NAMES, parseQuery, type QueryInput } from '../../src/statistics/index.js';

test('a query is normalised: axes ascending and not negative, defaults filled in', async t => {
  t.same(parseQuery({ ops: ['mean'] }, 2), { ops: ['mean'], axis: null, keepdims: false, ddof: 0, nan: 'propagate' });
  t.same(parseQuery({ ops: ['mean'], axis: -1 }, 3).axis, [2]);
  t.same(parseQuery({ ops: ['mean'], axis: [2, -3] }, 3).axis, [0, 2]);
  t.same(parseQuery({ ops: ['mean'], axis: [] }, 3).axis, []);
  t.same(parseQuery({ ops: [...OP_NAMES], axis: 0, keepdims: true, ddof: 0.5, nan: 'omit' }, 1), {
    ops: OP_NAMES,
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
  ['median, which comes later', { ops: ['median'] }, 'bad_operation'],
  ['a quantile object, which comes later', { ops: [{ quantile: { q: [0.5] } }] }, 'bad_operation'],
  ['a histogram object, which comes later', { ops: [{ histogram: { bins: 10 } }] }, 'bad_operation'],
  ['where, which comes later', { ops: ['sum'], where: { column: 0, gt: 1 } }, 'bad_operation'],
  ['group_by, which comes later', { ops: ['sum'], group_by: { column: 0 } }, 'bad_operation'],
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

test('what comes later says so, and names what there is', async t => {
  t.throws(() => parseQuery({ ops: ['median'] }, 1), {
    message: /This version does not compute median; .*count_nonzero/,
  });
  t.throws(() => parseQuery({ ops: ['average'] }, 1), { message: /"average" is not an operation.*count_nonzero/ });
});
