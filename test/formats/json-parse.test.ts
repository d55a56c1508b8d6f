import t from 'tap';
import type { Block } from '../../src/block.js';
import { NUMBERS, numberDType, type NumberDType } from '../../src/dtype/index.js';
import { HyperslabError, isErrorCode, type ErrorCode } from '../../src/errors.js';
import { encodeJsonDataNow, parseJsonData, parseJsonDataNow, parseJsonScalar } from '../../src/formats/index.js';
import { sizeOf } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { toNative } from '../../src/native.js';
import { seededRandom } from '../helpers/random.js';

const parse = (dtype: string, text: string): Block => parseJsonDataNow(numberDType(dtype), Buffer.from(text));
const values = (block: Block): (number | bigint)[] => [...toNative(block.dtype as NumberDType, block.bytes)];

t.test('scalars and nested lists become packed blocks', async t => {
  const table: [text: string, shape: number[], values: number[]][] = [
    ['7', [], [7]],
    [' \t\r\n7 \n', [], [7]],
    ['[1]', [1], [1]],
    ['[[1,2,3],[4,5,6]]', [2, 3], [1, 2, 3, 4, 5, 6]],
    [' [ [ 1 , 2 ] , [ 3 , 4 ] ] ', [2, 2], [1, 2, 3, 4]],
    ['[[[1]],[[2]]]', [2, 1, 1], [1, 2]],
    ['[]', [0], []],
    ['[ ]', [0], []],
    ['[[],[]]', [2, 0], []],
    ['[[[],[]]]', [1, 2, 0], []],
    [`${'['.repeat(64)}5${']'.repeat(64)}`, Array<number>(64).fill(1), [5]],
  ];
  for (const [text, shape, expected] of table) {
    for (const dtype of ['<i4', '>f8', '<u8', '<f2']) {
      const block = parse(dtype, text);
      t.same(block.shape, shape, `${text} ${dtype}`);
      t.equal(block.bytes.length, sizeOf(shape) * block.dtype.itemsize);
      t.same(values(block).map(Number), expected);
    }
  }
});

t.test('what is no JSON list of values is bad_json at its position', async t => {
  const table: [text: string, position: number][] = [
    ['', 0],
    ['  ', 2],
    ['[', 1],
    ['[1', 2],
    ['[1,', 3],
    ['[1,]', 3],
    ['[,1]', 1],
    ['[1 2]', 3],
    ['[1]]', 3],
    ['1 2', 2],
    [']', 0],
    ['[1}', 2],
    ['01', 1],
    ['-01', 2],
    ['-', 1],
    ['+1', 0],
    ['.5', 0],
    ['1.', 2],
    ['1.e3', 2],
    ['1e', 2],
    ['1e+', 3],
    ['0x10', 1],
    ['1_000', 1],
    ['NaN', 0],
    ['Infinity', 0],
    ['-Infinity', 1],
    ['tru', 0],
    ['nul', 0],
    ['nan', 0],
    ['truex', 4],
    ['"abc', 4],
    ['"a\nb"', 2],
    ['\u{feff}1', 0],
    ['[1]\0', 3],
    ['{"data": [1]}', 0],
    ['[{}]', 1],
    ["['1']", 1],
    ['[1/**/]', 2],
  ];
  for (const [text, position] of table) {
    t.throws(() => parse('<f8', text), { code: 'bad_json', values: { position } }, JSON.stringify(text));
  }
  t.throws(() => parse('<f8', '{"data": 1}'), { message: /never wrapped/ });
});

t.test('ragged lists are shape_mismatch, and nesting has a limit', async t => {
  for (const text of [
    '[[1,2],[3]]',
    '[1,[2]]',
    '[[1],2]',
    '[[],[1]]',
    '[[1],[]]',
    '[[],[[]]]',
    '[[[]],[]]',
    '[[[1]],[[1,2]]]',
    '[[],1]',
  ]) {
    t.throws(() => parse('<i4', text), { code: 'shape_mismatch', message: /ragged/ }, text);
  }
  t.throws(() => parse('<i4', `${'['.repeat(65)}1${']'.repeat(65)}`), { code: 'bad_shape' });
  t.throws(() => parse('<i4', '['.repeat(4_000_000)), { code: 'bad_shape' }, 'without a stack overflow');
});

t.test('each dtype takes what it can hold exactly', async t => {
  const table: [dtype: string, text: string, expected: number | bigint][] = [
    ['|i1', '-128', -128],
    ['|u1', '255', 255],
    ['<i4', '1.0', 1],
    ['<i4', '1e3', 1000],
    ['<i4', '-2.50E1', -25],
    ['<i4', '0.0e5', 0],
    ['<i4', '-0', 0],
    ['<i4', '0e999999999999', 0],
    ['<i4', '12000e-3', 12],
    ['<i4', '1000000000000000000000e-20', 10],
    ['<i2', 'true', 1],
    ['<i8', '9223372036854775807', 2n ** 63n - 1n],
    ['>i8', '-9223372036854775808', -(2n ** 63n)],
    ['<i8', '9007199254740993', 2n ** 53n + 1n],
    ['<i8', '9007199254740993.0', 2n ** 53n + 1n],
    ['<i8', '9.223372036854775807e18', 2n ** 63n - 1n],
    ['<i8', '"-9007199254740993"', -(2n ** 53n) - 1n],
    ['<i8', '-123456789012345', -123456789012345n],
    ['<u8', '18446744073709551615', 2n ** 64n - 1n],
    ['<u8', '"18446744073709551615"', 2n ** 64n - 1n],
    ['>u8', '999999999999999', 999999999999999n],
    ['<u8', 'false', 0n],
    ['|b1', 'true', 1],
    ['|b1', 'false', 0],
    ['<f8', '0.1', 0.1],
    ['<f8', '-0', -0],
    ['<f8', '-0.0', -0],
    ['<f8', '1e23', 1e23],
    ['<f8', '123456789012345678901234567890', 1.2345678901234568e29],
    ['<f8', '1.7976931348623157e308', Number.MAX_VALUE],
    ['<f8', '5e-324', 5e-324],
    ['<f8', '1e-999', 0],
    ['<f8', '"NaN"', NaN],
    ['<f8', '"-Infinity"', -Infinity],
    ['>f4', '"Infinity"', Infinity],
    ['<f4', '0.1', Math.fround(0.1)],
    ['>f4', '3.4028235e38', 3.4028234663852886e38],
    ['<f4', '16777217', 16777216],
    ['<f4', 'true', 1],
    ['<f2', '65519.9', 65504],
    ['>f2', '"NaN"', NaN],
  ];
  for (const [dtype, text, expected] of table) t.same(values(parse(dtype, text)), [expected], `${text} as ${dtype}`);
  t.ok(Object.is(values(parse('<f8', '-0'))[0], -0));
  t.ok(Object.is(values(parse('<f4', '-0.0'))[0], -0));
});

t.test('what the dtype cannot hold is would_lose, with where and what', async t => {
  const table: [dtype: string, text: string][] = [
    ['|i1', '128'],
    ['|u1', '-1'],
    ['|u1', '256.0'],
    ['<i4', '1.5'],
    ['<i4', '1e-1'],
    ['<i4', '1.00000000000000000001'],
    ['<i4', '1e999999999999999999999'],
    ['<i4', '1e-999999999999999999999'],
    ['<i4', '"5"'],
    ['<i4', '"NaN"'],
    ['<i8', '9223372036854775808'],
    ['<i8', '-9223372036854775809'],
    ['<i8', '0.5'],
    ['<i8', '"1.0"'],
    ['<i8', '"NaN"'],
    ['<i8', '""'],
    ['<u8', '18446744073709551616'],
    ['<u8', '-1'],
    ['|b1', '1'],
    ['|b1', '0'],
    ['|b1', '"true"'],
    ['<f4', '1e39'],
    ['<f4', '-3.4028236e38'],
    ['<f8', '1e999'],
    ['<f2', '65520'],
    ['<f8', '"nan"'],
    ['<f8', '"1.5"'],
    ['<f8', 'null'],
    ['|b1', 'null'],
  ];
  for (const [dtype, text] of table) {
    const position = 6;
    const rest = dtype === '|b1' ? 'true' : '1   ';
    const code = 'would_lose';
    const expected = { code, values: { index: 1, position, dtype, value: text } };
    t.throws(() => parse(dtype, `[${rest},${text}]`), expected, `${text} as ${dtype}`);
  }
});

t.test('a refused value is shown shortened, and costs no more for its length', async t => {
  const digits = '9'.repeat(4_000_000);
  const started = performance.now();
  for (const text of [digits, `1e${digits}`, `"${digits}"`, `0.${digits}`]) {
    try {
      parse('<i8', text);
      t.fail('was not refused');
    } catch (error) {
      t.ok(isErrorCode(error, 'would_lose') && error.message.length < 300);
    }
  }
  t.ok(performance.now() - started < 5000, 'a BigInt of so many digits would take minutes');
});

t.test('blocks of every dtype survive the way out and in', async t => {
  const random = seededRandom(3);
  for (const row of NUMBERS) {
    for (const order of ['<', '>']) {
      const dtype = numberDType(row.itemsize === 1 ? row.name : `${order}${row.kind}${row.itemsize}`);
      for (const shape of [[], [257], [16, 3, 5], [3, 0]]) {
        const bytes = Uint8Array.from({ length: sizeOf(shape) * row.itemsize }, () => random.below(256));
        if (row.kind === 'b') for (const i of bytes.keys()) bytes[i]! &= 1;
        const block = { dtype, shape, bytes };
        for (const int64 of ['number', 'string'] as const) {
          const back = parseJsonDataNow(dtype, encodeJsonDataNow(block, { int64 }));
          t.same(back.shape, shape);
          t.same(values(back), values(block), `${dtype.typestr} (${shape.join()})`);
        }
      }
    }
  }
});

t.test('valid JSON parses as JSON.parse does, and mutations of it never do worse than a HyperslabError', async t => {
  const random = seededRandom(11);
  const base = '[[1, -2.5e3, 0.25], [3E-2, 4, 123456789012345678]]';
  const alphabet = '[]{},:"0123456789.-+eEtrufalsn \\\n\x01é';
  let accepted = 0;
  for (let round = 0; round < 20_000; round++) {
    const position = random.below(base.length);
    const text =
      base.slice(0, position) + alphabet[random.below(alphabet.length)] + base.slice(position + random.below(3));
    let expected: unknown;
    try {
      expected = JSON.parse(text);
    } catch {
      expected = undefined;
    }
    try {
      const block = parse('<f8', text);
      accepted++;
      const flat = (expected as unknown[]).flat(2).map(Number);
      if (values(block).some((value, i) => value !== flat[i])) t.fail(text);
    } catch (error) {
      if (!(error instanceof HyperslabError)) throw error;
      if (expected === undefined && error.code === 'would_lose') continue;
      const isRefusedValue = error.code !== 'bad_json' || /[{]/.test(text);
      if (expected !== undefined && !isRefusedValue) t.fail(`${text} is JSON, but ${error.message}`);
    }
  }
  t.ok(accepted > 2000, `${accepted} accepted`);
});

t.test('long texts are read in turns', async t => {
  const count = 5 * LIMITS.jsonElementsPerTurn;
  const text = Buffer.from(`[${Array.from({ length: count }, (_, i) => i % 1000).join(', ')}]`);
  const steps = parseJsonData(numberDType('<i2'), text);
  let turns = 1;
  let step = steps.next();
  for (; !step.done; step = steps.next()) turns++;
  t.ok(turns >= 3 && turns <= count, `${turns} turns`);
  t.same(step.value.shape, [count]);
  t.equal(values(step.value)[count - 1], (count - 1) % 1000);
});

t.test('empty lists and spaces take turns too', async t => {
  for (const text of [`[${'[],'.repeat(200_000)}[]]`, `[1,${' '.repeat(300_000)}2,3]`]) {
    const turns = [...parseJsonData(numberDType('<i2'), Buffer.from(text))].length;
    t.ok(turns >= 1, `${turns} yields`);
  }
});

t.test('scalars that were parsed before become one item', async t => {
  const item = (value: unknown, dtype: string): number[] => [...parseJsonScalar(value, numberDType(dtype))];
  t.same(item(1, '<i4'), [1, 0, 0, 0]);
  t.same(item(258, '>i2'), [1, 2]);
  t.same(item(true, '|b1'), [1]);
  t.same(item(-0, '<f4'), [0, 0, 0, 0x80]);
  t.same(item(1.5, '>f2'), [0x3e, 0]);
  t.same(item('Infinity', '>f4'), [0x7f, 0x80, 0, 0]);
  t.same(item('9007199254740993', '>i8'), [0, 0x20, 0, 0, 0, 0, 0, 1]);
  t.same(item(2 ** 53 - 1, '>u8'), [0, 0x1f, 255, 255, 255, 255, 255, 255]);
  const refused: [unknown, string, ErrorCode][] = [
    [2 ** 53, '<i8', 'would_lose'],
    [-(2 ** 60), '<i8', 'would_lose'],
    [Infinity, '<f8', 'would_lose'],
    [1e39, '<f4', 'would_lose'],
    [0.5, '<i4', 'would_lose'],
    [1, '|b1', 'would_lose'],
    ['x', '<f8', 'would_lose'],
    ['5', '<i4', 'would_lose'],
    [null, '<f8', 'bad_json'],
    [undefined, '<f8', 'bad_json'],
    [[1], '<f8', 'bad_json'],
    [{}, '<f8', 'bad_json'],
  ];
  for (const [value, dtype, code] of refused) t.throws(() => item(value, dtype), { code }, `${String(value)} ${dtype}`);
  t.throws(() => item(2 ** 53, '<i8'), { message: /Write it as a string/ });
});
