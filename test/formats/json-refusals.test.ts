/** JSON that is no value of a dtype is refused, with the element, the field and the position of what is wrong. */
import t from 'tap';
import { parseDType } from '../../src/dtype/index.js';
import { HyperslabError, type ErrorCode } from '../../src/errors.js';
import { jsonBlockBytesMax, parseJsonData, parseJsonDataNow, parseJsonScalar } from '../../src/formats/index.js';
import { LIMITS } from '../../src/limits.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';

const refusalOf = (dtype: string, text: string | Uint8Array): HyperslabError | undefined => {
  try {
    parseJsonDataNow(parseDType(dtype), Buffer.from(text));
    return undefined;
  } catch (error) {
    if (!(error instanceof HyperslabError)) throw error;
    return error;
  }
};

/** `field` is that of a structure; the index is that of the element. */
type Row = readonly [dtype: string, text: string, code: ErrorCode | undefined, values?: Record<string, unknown>];

const POINT = '[["x","<f4"],["p",[["y","<i2",[2]],["d","<M8[D]"]]],["é","|S2"]]';
const point = (y = '[1,2]', d = '"2024-01-01"', é = '"ab"'): string => `{"x":1.5,"p":{"y":${y},"d":${d}},"é":${é}}`;

const ROWS: readonly Row[] = [
  // Complex numbers.
  ['<c8', '[1,2]', undefined],
  ['<c8', '[[1,"NaN"],["-Infinity",1e-3]]', undefined],
  ['<c8', '[[],[]]', undefined],
  ['<c8', '1', 'bad_value', { index: 0, position: 0 }],
  ['<c8', '[[1,2],3]', 'bad_value', { index: 1, position: 7 }],
  ['<c8', '[[1,2],[3]]', 'bad_value', { index: 1, position: 9 }],
  ['<c8', '[[1,2,3]]', 'bad_value', { index: 0, position: 5 }],
  ['<c8', '[1,[2]]', 'bad_value', { index: 0, position: 3 }],
  ['<c8', '[1,1e39]', 'would_lose', { index: 0, position: 3, value: '1e39' }],
  ['<c8', '[1,null]', 'would_lose'],
  ['<c8', '[[1,2],[1,2]', 'bad_json'],
  // Dates.
  ['<M8[D]', '["2024-01-01",19000,"NaT","-0001-12-31"]', undefined],
  ['<M8[D]', '"2024-01-01T23:59"', 'would_lose', { index: 0, position: 0, value: '"2024-01-01T23:59"' }],
  ['<M8[D]', '"2024-01-01T23:59-00:01"', undefined],
  ['<M8[s]', '["2024-01-01","2024-01-01T00:00:00.000000001"]', 'would_lose', { index: 1, position: 14 }],
  ['<M8[25us]', '"2024-01-01T00:00:00.000049"', 'would_lose'],
  ['<M8[W]', '"2024-01-01"', 'would_lose'],
  ['<M8[ns]', '"2263-01-01"', 'would_lose'],
  ['<M8[ns]', '"1600-01-01"', 'would_lose'],
  ['<M8[s]', '9223372036854775807', undefined],
  ['<M8[s]', '9223372036854775808', 'would_lose'],
  ['<M8[s]', '-9223372036854775808', 'would_lose'],
  ['<M8[s]', '1.5', 'would_lose'],
  ['<M8[s]', '1.50e1', undefined],
  ['<M8[s]', '1e400', 'would_lose'],
  ['<M8[D]', '"20\\u00324-01-01"', undefined],
  ['<M8', '["NaT","12",-3]', undefined],
  ['<M8', '"2024-01-01"', 'bad_value'],
  ['<m8[s]', '["NaT","-12",3]', undefined],
  ['<m8[s]', '"2024-01-01"', 'bad_value'],
  ['<m8[s]', '"1.5"', 'bad_value'],
  ...['now', 'today', '', ' ', '2024-1-1', '2024-13-01', 'x', '2024-01-01 ', '2'.repeat(200), 'N\\u0000T'].map(
    (text): Row => ['<M8[s]', `["2024-01-01","${text}"]`, 'bad_value', { index: 1, position: 14 }],
  ),
  ...['true', 'null', '[]x', '{"a":1}'].map((text): Row => [
    '<M8[s]',
    `[1,${text}]`,
    text === '[]x' ? 'shape_mismatch' : 'bad_value',
  ]),
  // Text.
  ['|S3', '["","abc","é\\u00ff","a\\u0000c","abc\\u0000\\u0000"]', undefined],
  ['|S3', '["abc","abcd"]', 'would_lose', { index: 1, position: 7, value: '"abcd' }],
  ['|S3', '"abc\\u0000d"', 'would_lose'],
  ['|S3', '"ł"', 'bad_value', { index: 0, position: 0 }],
  ['|S3', '"\\ud800"', 'bad_value'],
  ['<U3', '["","a\\ud83d\\ude00c","\\u0000\\u0000b","😀😀😀"]', undefined],
  ['<U3', '"😀😀😀a"', 'would_lose'],
  ['<U3', '"a\\ud83d"', 'bad_value'],
  ['<U3', '"\\ud83da"', 'bad_value'],
  ['<U3', '"\\ude00"', 'bad_value'],
  ['<U3', '"\\ud83d\\ud83d\\ude00"', 'bad_value'],
  ['<U3', '"\\ude00\\ud83d"', 'bad_value'],
  ['<U3', '["a",5]', 'bad_value', { index: 1, position: 5, value: '5' }],
  ['<U3', 'null', 'bad_value'],
  ['<U3', '{}', 'bad_value'],
  ['<U3', '["a\\x"]', 'bad_json'],
  ['<U3', '"\\u12g4"', 'bad_json'],
  ['<U3', '"a', 'bad_json'],
  ['<U3', '"a\\', 'bad_json'],
  ['<U3', '"a\nb"', 'bad_json'],
  ['<U3', '["a",]', 'bad_value'],
  ['<U3', '["a"', 'bad_json'],
  ['<U3', '', 'bad_json'],
  // Void.
  ['|V3', '["AAAA","/+8=","","AA==","\\/\\/\\/\\/"]', undefined],
  ['|V3', '"AAAAAA=="', 'would_lose'],
  ...['A', 'AA', 'AAA', 'AA=', 'A===', '====', 'AA=A', 'AA-_', 'AA A', 'é', 'AAAA='].map((text): Row => [
    '|V3',
    `"${text}"`,
    'bad_value',
  ]),
  ['|V3', '7', 'bad_value'],
  // Structures.
  [POINT, point(), undefined],
  [POINT, `[${point()},{"é":"","p":{"d":1,"y":[3,4]},"x":"NaN"}]`, undefined],
  [POINT, `[${point()},${point('[1,70000]')}]`, 'would_lose', { index: 1, field: 'p.y', value: '70000' }],
  [POINT, `[${point()},${point('[1,2]', '"2024-01-01T01"')}]`, 'would_lose', { index: 1, field: 'p.d' }],
  [POINT, point('[1,2]', '"soon"'), 'bad_value', { index: 0, field: 'p.d', position: 28, value: '"soon"' }],
  [POINT, point('[1,2]', '1', '"abc"'), 'would_lose', { index: 0, field: 'é' }],
  [POINT, point('1'), 'shape_mismatch', { field: 'p.y', expected: [2] }],
  [POINT, point('[1]'), 'shape_mismatch', { field: 'p.y' }],
  [POINT, point('[1,2,3]'), 'shape_mismatch', { field: 'p.y' }],
  [POINT, point('[[1,2]]'), 'bad_value', { field: 'p.y' }],
  [POINT, point('[1,{}]'), 'bad_value', { field: 'p.y' }],
  [POINT, '{}', 'bad_value', { index: 0, missing: 'x' }],
  [POINT, '{"x":1,"é":""}', 'bad_value', { index: 0, missing: 'p' }],
  [POINT, point().replace('"d"', '"e"'), 'unknown_field', { index: 0, inside: 'p', field: 'e', fields: ['y', 'd'] }],
  [POINT, `[${point()},{"x":1,"z":2}]`, 'unknown_field', { index: 1, field: 'z' }],
  [POINT, `{"${'x'.repeat(1000)}":1}`, 'unknown_field'],
  [POINT, '{"x":1,"\\u0078":1}', 'bad_value', { index: 0 }],
  [POINT, '[1.5]', 'bad_value', { index: 0, position: 1 }],
  [POINT, '[[1.5,2]]', 'bad_value'],
  [POINT, '{"x" 1}', 'bad_json'],
  [POINT, '{"x":1,}', 'bad_json'],
  [POINT, '{"x":}', 'bad_json'],
  [POINT, '{x:1}', 'bad_json'],
  [POINT, '{"x":1', 'bad_json'],
  ['[["v","<f4"]]', '[{"v":1},[{"v":1}]]', 'shape_mismatch'],
  ['[["v","<u8"]]', '{"v":18446744073709551615}', undefined],
  ['[["v","<u8"]]', '{"v":"18446744073709551615"}', undefined],
  ['[["v","<u8"]]', '{"v":18446744073709551616}', 'would_lose', { field: 'v' }],
  ['[["v","|b1"]]', '{"v":1}', 'would_lose', { field: 'v' }],
  // Long doubles.
  ['<f16', '1', 'unsupported_dtype'],
  ['[["a","<c32"]]', '{}', 'unsupported_dtype', { field: 'a' }],
];

t.test('each refusal has its code and its place', async t => {
  for (const [dtype, text, code, values] of ROWS) {
    const refusal = refusalOf(dtype, text);
    const name = `${dtype} ${text.slice(0, 80)}`;
    t.equal(refusal?.code, code, `${name}: ${refusal?.message}`);
    if (values) t.match(refusal?.values, values, name);
    if (!refusal) continue;
    t.ok(refusal.message.length < 700 && /[.?]$/.test(refusal.message), refusal.message);
    if (code === 'bad_value' || code === 'would_lose') {
      t.type(refusal.values['index'], 'number', name);
      t.type(refusal.values['position'], 'number', name);
    }
  }
});

t.test('bytes that are no UTF-8 are no JSON', async t => {
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80]]) {
    const text = Buffer.concat([Buffer.from('["'), Buffer.from(bytes), Buffer.from('"]')]);
    t.equal(refusalOf('<U3', text)?.code, 'bad_json');
  }
});

t.test('a value that was parsed before becomes one item of any dtype', async t => {
  const item = (value: unknown, dtype: string): string =>
    Buffer.from(parseJsonScalar(value, parseDType(dtype))).toString('hex');
  t.equal(item([1, 'NaN'], '>c8'), '3f8000007fc00000');
  t.equal(item('1970-01-02', '<M8[h]'), '1800000000000000');
  t.equal(item('é', '|S2'), 'e900');
  t.equal(item('AQI=', '|V2'), '0102');
  t.equal(item({ b: 2 ** 40, a: [true, false] }, '[["a","|b1",[2]],["","|V1"],["b",">i8"]]'), '0100000000010000000000');
  t.equal(item({ b: 2n ** 63n }, '[["b",">u8"]]'), '8000000000000000');
  const refused: readonly (readonly [unknown, string, ErrorCode])[] = [
    [null, '<M8[s]', 'bad_json'],
    [undefined, '<U3', 'bad_json'],
    [['a'], '<U3', 'bad_json'],
    [[[1, 2]], '<c8', 'bad_json'],
    [[{ b: 1 }], '[["b","<f4"]]', 'bad_json'],
    ['abcd', '<U3', 'would_lose'],
    ['\ud800', '<U3', 'bad_value'],
    [{}, '[["b","<f4"]]', 'bad_value'],
    [1, '<f16', 'unsupported_dtype'],
  ];
  for (const [value, dtype, code] of refused) t.throws(() => item(value, dtype), { code }, `${dtype} ${code}`);
});

t.test('few bytes of text do not become many of memory', async t => {
  const text = `["a"${',""'.repeat(20_000)}]`;
  t.equal(refusalOf('|S100000', text)?.code, 'too_large');
  t.equal(jsonBlockBytesMax(parseDType('|S100000'), text.length), LIMITS.jsonBlockBytesMax);
  t.equal(jsonBlockBytesMax(parseDType('|S8'), 30), 8 * 11);
  t.equal(parseJsonDataNow(parseDType('|S3000'), Buffer.from(text)).bytes.length, 3000 * 20_001);
});

t.test('long texts of any dtype are read in turns, and a turn reads a bounded stretch of them', async t => {
  const many = (item: string, count: number): string => `[${Array.from({ length: count }, () => item).join()}]`;
  const cases: readonly (readonly [dtype: string, text: string])[] = [
    ['<M8[ns]', many('"2024-01-01T12:34:56.123456789"', 50_000)],
    ['<U9', many('"abc\\n\\ud83d\\ude00"', 50_000)],
    ['<c16', many('[1.5, -2.5e-3]', 50_000)],
    ['<U1000000', `"${'é'.repeat(1_000_000)}"`],
    ['|V1000000', `"${Buffer.alloc(1_000_000, 7).toString('base64')}"`],
    ['[["v","<f4",[1000,300]]]', `{"v":${many(many('1.25', 300), 1000)}}`],
    ['[["a","<M8[s]"],["b","|S4"],["c","<f8",[2]]]', many('{"a":"2024-01-01","c":[1,2],"b":"x"}', 30_000)],
    ['[["v",[["a","|S1"],["b","<i8"]],[20000]]]', `{"v":${many('{"b":"12345678901","a":"x"}', 20_000)}}`],
  ];
  for (const [dtype, text] of cases) {
    const steps = parseJsonData(parseDType(dtype), Buffer.from(text));
    let turns = 1;
    while (!steps.next().done) turns++;
    const least = text.length / (3 * 8 * LIMITS.jsonElementsPerTurn);
    t.ok(turns > least, `${dtype.slice(0, 60)}: ${turns} turns of about ${Math.round(text.length / turns)} bytes`);
  }
});

t.test('mutations of valid JSON never do worse than a HyperslabError', async t => {
  const random = seededRandom(31);
  const base = `[${point()},${point('[-3, 4]', '"NaT"', '"\\u00e9"')}]`;
  const alphabet = Array.from('[]{},:"0123456789.-eTZnulxpyd \\u\n\x01é😀');
  let accepted = 0;
  const rounds = caseCount(2000, 20_000);
  for (let round = 0; round < rounds; round++) {
    const position = random.below(base.length);
    const put = random.pick(alphabet);
    const text = base.slice(0, position) + put + base.slice(position + random.below(3));
    let isJson = true;
    try {
      JSON.parse(text);
    } catch {
      isJson = false;
    }
    const refusal = refusalOf(POINT, text);
    if (!refusal) accepted++;
    if (!refusal && !isJson) t.fail(`${text} is no JSON`);
    if (refusal?.code === 'bad_json' && isJson) t.fail(`${text} is JSON: ${refusal.message}`);
  }
  t.ok(accepted > rounds / 20, `${accepted} accepted`);
});
