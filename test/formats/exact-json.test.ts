/** JSON whose integers keep all their digits, at once and in turns: whatever is written is read again as it was. */
import t from 'tap';
import { parseExactJson, parseExactTurns, stringifyExactJson, stringifyExactTurns } from '../../src/formats/index.js';
import { atOnce } from '../../src/turns.js';

const LONG = 2n ** 63n - 1n;

const ROWS: readonly (readonly [text: string, value: unknown])[] = [
  ['9223372036854775807', LONG],
  ['[1,-9223372036854775808,"9223372036854775807"]', [1, -(2n ** 63n), String(LONG)]],
  ['{"a":{"b":[[9223372036854775807]],"c":null},"d":true}', { a: { b: [[LONG]], c: null }, d: true }],
  ['{"\\"9223372036854775807":9223372036854775807}', { '"9223372036854775807': LONG }],
  [`[${'1,'.repeat(10_000)}9223372036854775807]`, [...Array.from({ length: 10_000 }, () => 1), LONG]],
  [`[${'[9223372036854775807],'.repeat(9000)}0.5]`, [...Array.from({ length: 9000 }, () => [LONG]), 0.5]],
  ['[-0,1e999]', [-0, Number.POSITIVE_INFINITY]],
];

t.test('text and value stand for each other', async t => {
  for (const [text, value] of ROWS) {
    const title = text.slice(0, 60);
    t.strictSame(parseExactJson(text), value, title);
    t.strictSame(parseExactJson(stringifyExactJson(value)), value, title);
    t.equal(atOnce(stringifyExactTurns(value)), stringifyExactJson(value), title);
  }
});

t.test('a member named __proto__ is a member', async t => {
  const parsed = parseExactJson('{"__proto__":9223372036854775807}') as object;
  t.strictSame(Object.entries(parsed), [['__proto__', LONG]]);
});

t.test('members that are undefined are left out, as JSON.stringify does', async t => {
  t.equal(atOnce(stringifyExactTurns({ a: undefined, b: [1, LONG] })), '{"b":[1,9223372036854775807]}');
});

t.test('long lists are gone through in many steps', async t => {
  const values = Array.from({ length: 50_000 }, (_, i) => LONG - BigInt(i));
  const text = stringifyExactJson(values);
  for (const steps of [parseExactTurns(text), stringifyExactTurns(values)]) {
    t.ok([...(steps as Iterable<unknown>)].length >= 10);
  }
});
