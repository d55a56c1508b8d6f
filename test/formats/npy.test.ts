import { readFileSync } from 'node:fs';
import t from 'tap';
import { descriptionOf, dtypeOf, parseDType, withByteOrder } from '../../src/dtype/index.js';
import { HyperslabError, isErrorCode, type ErrorCode } from '../../src/errors.js';
import { npyHeader, parseNpyHeader, type NpyHeader } from '../../src/formats/npy.js';
import type { Order } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { seededRandom } from '../helpers/random.js';

interface HeadRow {
  by: 'save' | 'memmap' | 'version';
  dtype: string;
  shape: number[];
  order: Order;
  version: number;
  head: string;
}
interface StructureRow {
  dtype: unknown;
  itemsize: number;
  big: unknown;
  shape: number[];
  order: Order;
  head: string | null;
}
interface MutationRow {
  head: string;
  accepted: [position: number, byte: number, dtype: string, shape: number[], fortran: boolean, dataOffset: number][];
}

const read = (name: string): unknown => JSON.parse(readFileSync(`test/fixtures/${name}`, 'utf8'));
const heads = read('npy-headers.json') as HeadRow[];
const structures = read('npy-structures.json') as StructureRow[];
const mutated = read('npy-mutations.json') as MutationRow[];

/** A version 1 header around a dict, padded with spaces as little as possible. */
function around(dict: string | Uint8Array, version = 1): Uint8Array {
  const body = typeof dict === 'string' ? Buffer.from(dict, version === 3 ? 'utf8' : 'latin1') : dict;
  const head = Buffer.alloc(version === 1 ? 10 : 12);
  head.write('\x93NUMPY', 'latin1');
  head[6] = version;
  if (version === 1) head.writeUInt16LE(body.length, 8);
  else head.writeUInt32LE(body.length, 8);
  return Buffer.concat([head, body]);
}

function parse(bytes: Uint8Array): NpyHeader {
  const header = parseNpyHeader(bytes);
  if ('needBytes' in header) throw new Error(`needs ${header.needBytes} bytes of ${bytes.length}`);
  return header;
}

const refusal = (code: ErrorCode) => ({ name: 'HyperslabError', code });

t.test('every header that numpy wrote is read to its dtype, shape and order', async t => {
  t.ok(heads.length > 80);
  for (const row of heads) {
    const head = Buffer.from(row.head, 'base64');
    const meaningless = row.shape.length < 2 || (row.by === 'save' && row.shape.includes(1));
    t.same(
      parse(head),
      {
        dtype: parseDType(row.dtype),
        shape: row.shape,
        order: meaningless ? 'C' : row.order,
        dataOffset: head.length,
        version: row.version,
      },
      `${row.by} ${row.dtype} (${row.shape.join(',')}) ${row.order}`,
    );
  }
});

t.test('the header written for a layout is numpy’s, byte for byte', async t => {
  for (const row of heads.filter(row => row.version === 1)) {
    const head = npyHeader({ dtype: parseDType(row.dtype), shape: row.shape, order: row.order });
    t.equal(Buffer.from(head).toString('base64'), row.head, `${row.dtype} (${row.shape.join(',')}) ${row.order}`);
  }
});

t.test(
  'structures are read and written as numpy does, byte for byte; where it has no header there is none',
  async t => {
    let written = 0;
    for (const { dtype: description, itemsize, big, shape, order, head } of structures) {
      const dtype = dtypeOf(description);
      t.strictSame(descriptionOf(dtype), description);
      t.equal(dtype.itemsize, itemsize);
      t.equal(parseDType(dtype.typestr).typestr, dtype.typestr);
      t.match(dtype.typestr, /^[ -~]*$/);
      t.strictSame(descriptionOf(withByteOrder(dtype, '>')), big);
      if (head === null) t.throws(() => npyHeader({ dtype, shape, order }), refusal('no_npy_header'));
      else {
        const bytes = npyHeader({ dtype, shape, order });
        t.ok(Buffer.from(bytes).equals(Buffer.from(head, 'base64')), dtype.typestr.slice(0, 100));
        const header = parse(bytes);
        t.equal(header.dtype.typestr, dtype.typestr);
        t.strictSame([header.shape, header.order, header.dataOffset], [shape, order, bytes.length]);
        written++;
      }
    }
    t.ok(written > 150, `${written} headers`);
  },
);

t.test('order F of one axis or none is written as C, as np.save does', async t => {
  const dtype = parseDType('<f4');
  for (const shape of [[], [3]]) {
    t.same(npyHeader({ dtype, shape, order: 'F' }), npyHeader({ dtype, shape, order: 'C' }));
  }
});

t.test('every truncation of a header asks for bytes, never too many, until it is whole', async t => {
  for (const row of [heads[0]!, heads.at(-1)!]) {
    const whole = Buffer.concat([Buffer.from(row.head, 'base64'), Buffer.from('data')]);
    const headBytes = whole.length - 4;
    for (let length = 0; length < headBytes; length++) {
      const answer = parseNpyHeader(whole.subarray(0, length));
      t.ok('needBytes' in answer && answer.needBytes > length && answer.needBytes <= headBytes, `${length} bytes`);
    }
    t.equal(parse(whole).dataOffset, headBytes);
  }
});

t.test('a header with one byte changed is refused, or read as numpy reads it', async t => {
  for (const { head, accepted } of mutated) {
    const byChange = new Map(accepted.map(row => [row[0] * 256 + row[1], row]));
    const base = Buffer.from(head, 'base64');
    let agreed = 0;
    for (let change = 0; change < base.length * 256; change++) {
      const position = change >> 8;
      const bytes = Buffer.from(base);
      bytes[position] = change & 0xff;
      if (bytes.equals(base)) continue;
      let header: ReturnType<typeof parseNpyHeader>;
      try {
        header = parseNpyHeader(bytes);
      } catch (error) {
        if (error instanceof HyperslabError) continue;
        throw error;
      }
      if ('needBytes' in header) continue;
      const expected = byChange.get(change);
      if (!expected) {
        t.fail(`byte ${position} = ${change & 0xff}: numpy refuses what was read`, {
          header: bytes.toString('latin1'),
        });
        continue;
      }
      const order = expected[4] && expected[3].length > 1 ? 'F' : 'C';
      const agrees =
        header.dtype.typestr === expected[2] &&
        header.shape.join() === expected[3].join() &&
        header.order === order &&
        header.dataOffset === expected[5];
      if (agrees) agreed++;
      else t.fail(`byte ${position} = ${change & 0xff} is read otherwise than by numpy`);
    }
    t.ok(agreed > 20, `${agreed} changed headers mean the same to both`);
  }
});

t.test('other spellings of the same dict are read', async t => {
  for (const dict of [
    `{'shape': (3, 4), 'fortran_order': False, 'descr': '<f4'}`,
    `{"descr":"<f4","fortran_order":False,"shape":(3,4)}`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4,), }\n`,
    `{'descr': '<f4', 'fortran_order': False, 'shape': (3L, 4L), }   \n`,
    ` {\n'descr' : 'float32' ,\t'fortran_order':False , 'shape' : ( 3 , 4 ) }`,
  ]) {
    const header = parse(around(dict));
    t.equal(header.dtype, parseDType('<f4'), dict);
    t.same(header.shape, [3, 4]);
  }
});

t.test('order F of one axis or none is read as C', async t => {
  for (const shape of ['()', '(3,)']) {
    t.equal(parse(around(`{'descr': '<f4', 'fortran_order': True, 'shape': ${shape}, }`)).order, 'C', shape);
  }
  t.equal(parse(around(`{'descr': '<f4', 'fortran_order': True, 'shape': (3, 1), }`)).order, 'F');
});

t.test('malformed headers are refused with a code', async t => {
  const full = `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`;
  const table: [dict: string, code: ErrorCode][] = [
    ['  ', 'bad_npy'],
    ['{}', 'bad_npy'],
    ['[]', 'bad_npy'],
    [`${full} x`, 'bad_npy'],
    [`${full}\n  `, 'bad_npy'],
    [`\n ${full}`, 'bad_npy'],
    [`${full}${full}`, 'bad_npy'],
    [`${full}\0`, 'bad_npy'],
    [full.slice(0, -1), 'bad_npy'],
    [full.replace(`'descr': '<f4'`, `'descr': '<f4', 'descr': '<f4'`), 'bad_npy'],
    [full.replace(`'descr': '<f4', `, ''), 'bad_npy'],
    [full.replace(`'descr'`, `'other'`), 'bad_npy'],
    [full.replace(`'shape'`, `'__proto__'`), 'bad_npy'],
    [full.replace(`, }`, `, 'more': 1, }`), 'bad_npy'],
    [full.replace(`, }`, `,, }`), 'bad_npy'],
    [full.replace(`'<f4'`, `b'<f4'`), 'bad_npy'],
    [full.replace(`'<f4'`, `'<\\xg4'`), 'bad_npy'],
    [full.replace(`'<f4'`, `"<f4'`), 'bad_npy'],
    [full.replace(`'<f4'`, `4`), 'bad_npy'],
    [full.replace('False', 'false'), 'bad_npy'],
    [full.replace('False', 'Falsehood'), 'bad_npy'],
    [full.replace('False', '0'), 'bad_npy'],
    [full.replace('(3, 4)', '(3)'), 'bad_npy'],
    [full.replace('(3, 4)', '(,)'), 'bad_npy'],
    [full.replace('(3, 4)', '(3 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '[3, 4]'), 'bad_npy'],
    [full.replace('(3, 4)', '3'), 'bad_npy'],
    [full.replace('(3, 4)', '(-3, 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '(03, 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '(3.0, 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '(0x3, 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '(1_0, 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '(True, 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '((3,), 4)'), 'bad_npy'],
    [full.replace('(3, 4)', '(9007199254740993, 0)'), 'bad_shape'],
    [full.replace('(3, 4)', `(${'9'.repeat(400)},)`), 'bad_shape'],
    [full.replace('(3, 4)', `(${'1, '.repeat(65)})`), 'bad_shape'],
    [full.replace('(3, 4)', '(9007199254740991, 2)'), 'too_large'],
    [full.replace(`'<f4'`, `[('a', '<f4'), ('a', '<i2')]`), 'unsupported_dtype'],
    [full.replace(`'<f4'`, `[(('title', 'a'), '<f4')]`), 'unsupported_dtype'],
    [full.replace(`'<f4'`, `[('a', '|O')]`), 'unsupported_dtype'],
    [full.replace(`'<f4'`, `[('a', '<f4', (-1,))]`), 'bad_npy'],
    [full.replace(`'<f4'`, '[]'), 'unsupported_dtype'],
    [full.replace(`'<f4'`, '['.repeat(5000)), 'bad_npy'],
    [full.replace(`'<f4'`, `${`[('a', `.repeat(20)}'<f4'${')]'.repeat(20)}`), 'unsupported_dtype'],
    [full.replace(`'<f4'`, `('<f4', (2,))`), 'unsupported_dtype'],
    ...['|O', '|S0', '<U0', '<M8[x]', '|V0', '', '<f4,<f4'].map((descr): [string, ErrorCode] => [
      full.replace('<f4', descr),
      'unsupported_dtype',
    ]),
  ];
  for (const [dict, code] of table) t.throws(() => parseNpyHeader(around(dict)), refusal(code), dict.slice(0, 100));
  t.throws(() => parseNpyHeader(around(full.replace('3, 4', '3L, 4L'), 3)), refusal('bad_npy'), 'L in version 3');
});

t.test('prefixes that are no .npy, and versions that do not exist, are refused at once', async t => {
  t.throws(() => parseNpyHeader(Buffer.from('P')), refusal('bad_npy'), 'a zip');
  t.throws(() => parseNpyHeader(Buffer.from('\x93NUMPX', 'latin1')), refusal('bad_npy'));
  for (const [major, minor] of [
    [0, 0],
    [4, 0],
    [1, 1],
    [2, 1],
  ] as const) {
    const head = around('{}');
    head[6] = major;
    head[7] = minor;
    t.throws(() => parseNpyHeader(head), refusal('bad_npy'), `version ${major}.${minor}`);
  }
});

t.test('a header length over the limit is refused before its bytes come', async t => {
  const head = around('{}', 2);
  new DataView(head.buffer, head.byteOffset).setUint32(8, LIMITS.npyHeaderBytesMax + 1, true);
  t.throws(() => parseNpyHeader(head), refusal('bad_npy'));
  new DataView(head.buffer, head.byteOffset).setUint32(8, LIMITS.npyHeaderBytesMax, true);
  t.same(parseNpyHeader(head), { needBytes: 12 + LIMITS.npyHeaderBytesMax });
});

t.test('version 3 is UTF-8, and what is not is refused', async t => {
  const dict = `{'descr': 'ü', 'fortran_order': False, 'shape': (), }`;
  t.throws(() => parseNpyHeader(around(dict, 3)), refusal('unsupported_dtype'));
  t.throws(() => parseNpyHeader(around(Buffer.from(dict, 'latin1'), 3)), refusal('bad_npy'));
});

t.test('random bytes after the magic never do worse than a HyperslabError', async t => {
  const random = seededRandom(1);
  const alphabet = `{}()[],:'" \n0123456789LTrueFalsedescrfortran_ordershape<f4\\\0`;
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const text = Array.from({ length: random.below(60) }, () => alphabet[random.below(alphabet.length)]).join('');
    try {
      parseNpyHeader(around(`{'descr': '<f4', ${text}`));
    } catch (error) {
      if (!isErrorCode(error, 'bad_npy')) throw error;
      refused++;
    }
  }
  t.ok(refused > 2900);
});
