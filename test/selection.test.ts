import t from 'tap';
import { HyperslabError } from '../src/errors.js';
import { normalise, parseSlice, rangePart, rowPart } from '../src/selection.js';

/** Python's range(*slice(start, stop, step).indices(length)) by counting, for small lengths. */
function pythonIndices(start: number | undefined, stop: number | undefined, step: number, length: number): number[] {
  const picked: number[] = [];
  const wrap = (bound: number): number => (bound < 0 ? bound + length : bound);
  if (step > 0) {
    for (
      let i = Math.max(start === undefined ? 0 : wrap(start), 0);
      i < Math.min(stop === undefined ? length : wrap(stop), length);
      i += step
    ) {
      picked.push(i);
    }
  } else {
    const first = Math.min(start === undefined ? length - 1 : wrap(start), length - 1);
    const last = stop === undefined ? -1 : Math.max(wrap(stop), -1);
    for (let i = first; i > last; i += step) picked.push(i);
  }
  return picked;
}

t.test('every small start, stop and step picks what Python picks', async t => {
  const bounds = [undefined, -7, -6, -5, -3, -1, 0, 1, 2, 4, 5, 6, 9];
  for (const length of [0, 1, 2, 5, 6]) {
    for (const start of bounds) {
      for (const stop of bounds) {
        for (const step of [-7, -3, -2, -1, 1, 2, 3, 7]) {
          const text = `${start ?? ''}:${stop ?? ''}:${step}`;
          const [pick] = normalise(parseSlice(text), [length]).picks;
          if (pick?.kind !== 'range') throw new Error('expected a range');
          const picked = Array.from({ length: pick.length }, (_, i) => pick.start + i * pick.step);
          t.strictSame(picked, pythonIndices(start, stop, step, length), `[${text}] of ${length}`);
        }
      }
    }
  }
});

t.test('bounds of any magnitude clip, and steps of any magnitude are taken', async t => {
  const huge = '9'.repeat(40);
  const shapeOf = (text: string, shape: number[]): readonly number[] => normalise(parseSlice(text), shape).shape;
  t.strictSame(shapeOf(`-${huge}:${huge}`, [7]), [7]);
  t.strictSame(shapeOf(`::${huge}`, [7]), [1]);
  t.strictSame(shapeOf(`::-${huge}`, [7]), [1]);
  t.strictSame(shapeOf(`${huge}:`, [7]), [0]);
  t.strictSame(shapeOf('::2', [Number.MAX_SAFE_INTEGER]), [(Number.MAX_SAFE_INTEGER + 1) / 2]);
});

t.test('ellipsis, new axes and missing parts shape the result as in numpy', async t => {
  const cases: [string, number[], number[]][] = [
    ['...', [2, 3], [2, 3]],
    ['0', [2, 3], [3]],
    ['..., 0', [2, 3, 4], [2, 3]],
    ['newaxis', [2], [1, 2]],
    ['0, None, ...', [2, 3], [1, 3]],
    [' 1 : 2 , : ', [2, 3], [1, 3]],
    ['...', [], []],
    ['...,None', [], [1]],
    ['0,...,0', [2, 3], []],
    ['-2, -3', [2, 3], []],
    ['1,', [2, 3], [3]],
    ['1 , ', [2, 3], [3]],
    [':,', [2], [2]],
    ['...,', [2, 3], [2, 3]],
    ['None,', [2], [1, 2]],
  ];
  for (const [text, shape, expected] of cases) {
    t.strictSame(normalise(parseSlice(text), shape).shape, expected, `${text} of [${shape.join()}]`);
  }
});

t.test('what is not the grammar is bad_slice', async t => {
  const refused = [
    '',
    ' ',
    ',',
    ' , ',
    '1,,',
    ',1',
    '1,,2',
    '1.0',
    'a',
    '0x1',
    '1e3',
    '+1',
    '- 1',
    '::0',
    '1:2:3:4',
    '....',
    '...,...',
    '١',
    '1_0',
    '[0]',
    '0\t',
    'none',
    '1 2',
  ];
  for (const text of refused) {
    t.throws(() => parseSlice(text), { code: 'bad_slice' }, JSON.stringify(text));
  }
  t.throws(() => parseSlice('0,'.repeat(5000)), { code: 'bad_slice' });
});

t.test('what does not fit the shape says so with its values', async t => {
  t.throws(() => normalise(parseSlice('5'), [5]), {
    code: 'index_out_of_bounds',
    values: { index: 5, axis: 0, length: 5 },
  });
  t.throws(() => normalise(parseSlice('-6'), [5]), { code: 'index_out_of_bounds' });
  const digits = '9'.repeat(30);
  t.throws(() => normalise(parseSlice(digits), [5]), { code: 'index_out_of_bounds', values: { index: digits } });
  t.throws(() => normalise(parseSlice('0'), []), { code: 'too_many_indices' });
  t.throws(() => normalise(parseSlice('0,0,...'), [5]), { code: 'too_many_indices' });
  t.throws(() => normalise(parseSlice(Array(65).fill('None').join(',')), []), { code: 'result_rank' });
});

t.test('rows take an integer or separate bounds, blank for the default', async t => {
  t.same(rowPart('-1'), { kind: 'index', index: -1 });
  t.throws(() => rowPart('1.5'), HyperslabError);
  t.strictSame(rangePart('1', '', undefined), { kind: 'range', start: 1 });
  t.strictSame(rangePart(), { kind: 'range' });
  t.throws(() => rangePart('1:2'), { code: 'bad_slice' });
});
