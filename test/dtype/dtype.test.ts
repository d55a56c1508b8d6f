import { readFileSync } from 'node:fs';
import t from 'tap';
import { NUMBERS, isNativeOrder, parseDType, withByteOrder } from '../../src/dtype/index.js';
import { isErrorCode } from '../../src/errors.js';

const spellings = JSON.parse(readFileSync('test/fixtures/dtype-spellings.json', 'utf8')) as [string, string | null][];

/** The typestr of a spelling, or null where it is refused as it should be. */
function typestrOf(text: string): string | null {
  try {
    return parseDType(text).typestr;
  } catch (error) {
    if (!isErrorCode(error, 'unsupported_dtype')) throw error;
    return null;
  }
}

t.test(
  'a spelling means what it means to numpy, and is refused where numpy or the service has no such dtype',
  async t => {
    const known = new Set(spellings.filter(([, typestr]) => typestr !== null).map(([text]) => text));
    for (const [text, typestr] of spellings) {
      const ours = typestrOf(text);
      // A byte order before a long name is no dtype to numpy (`<float32`); it cannot mean anything else here.
      const isLongName = '<>|='.includes(text[0]!) && known.has(text.slice(1));
      if (ours !== typestr && !(typestr === null && isLongName)) t.equal(ours, typestr, JSON.stringify(text));
    }
    const understood = spellings.filter(([, typestr]) => typestr !== null).length;
    t.ok(understood > 150, `${understood} spellings of ${spellings.length}`);
  },
);

t.test('every typestr that numpy writes is understood', async t => {
  for (const row of NUMBERS) {
    for (const order of row.itemsize === 1 ? ['|'] : ['<', '>']) {
      const typestr = `${order}${row.kind}${row.itemsize}`;
      const dtype = parseDType(typestr);
      t.same(dtype, { name: row.name, kind: row.kind, itemsize: row.itemsize, byteOrder: order, typestr });
    }
  }
});

t.test('dtypes are interned: equal ones are the same object', async t => {
  t.equal(parseDType('<f4'), parseDType('float32'));
  t.equal(parseDType('=f4'), parseDType('f'));
  t.equal(parseDType('>u1'), parseDType('|u1'));
  t.not(parseDType('>f4'), parseDType('<f4'));
});

t.test('the byte order changes where there is one', async t => {
  t.equal(withByteOrder(parseDType('<i8'), '>'), parseDType('>i8'));
  t.equal(withByteOrder(parseDType('>i8'), '>'), parseDType('>i8'));
  t.equal(withByteOrder(parseDType('bool'), '>'), parseDType('bool'));
  t.ok(isNativeOrder(parseDType('<i8')));
  t.ok(isNativeOrder(parseDType('i1')));
  t.notOk(isNativeOrder(parseDType('>i8')));
});

t.test('a refusal names what was asked, shortened, and what there is', async t => {
  const expected = { code: 'unsupported_dtype', message: /object.*float32/, values: { dtype: 'object' } };
  t.throws(() => parseDType('object'), expected);
  for (const text of ['', ' f4', 'f4 ', '<', '<<f4', 'f4\n', 'constructor', '__proto__', 'x'.repeat(10_000)]) {
    try {
      parseDType(text);
      t.fail(`${text} was not refused`);
    } catch (error) {
      t.ok(isErrorCode(error, 'unsupported_dtype') && error.message.length < 500);
    }
  }
});
