/** A JSON text that is parsed in turns has the value that JSON.parse gives it, or is refused as by JSON.parse. */
import t from 'tap';
import { parseInTurns } from '../../src/formats/index.js';
import { atOnce } from '../../src/turns.js';
import { seededRandom, type Random } from '../helpers/random.js';

const LEAVES = [0, -1.5e300, 1234567890123456, '', 'a,b', '"', '\\', '\\"[{', ':', '}]', true, false, null];

function randomValue(random: Random, depth: number): unknown {
  const kind = depth === 0 ? 0 : random.integer(0, 2);
  if (kind === 0) return random.pick(LEAVES);
  const values = Array.from({ length: random.integer(0, 6) }, () => randomValue(random, depth - 1));
  if (kind === 1) return values;
  const names = ['a', 'b', '1', 'x:y', '"', 'constructor', ''];
  return Object.fromEntries(values.map(value => [random.pick(names), value]));
}

function outcome(parse: () => unknown): string {
  try {
    return JSON.stringify(parse());
  } catch {
    return 'refused';
  }
}

t.test('whatever is in it, and wherever it is cut', async t => {
  const random = seededRandom(71);
  const differing: string[] = [];
  let refused = 0;
  for (let i = 0; i < 4000; i++) {
    let text = JSON.stringify(randomValue(random, 4), null, random.pick([0, 0, 1]));
    if (random.next() < 0.5) {
      const at = random.integer(0, text.length);
      text =
        text.slice(0, at) +
        random.pick(['', ',', ']', '}', '[', '{', '"', ':', ' ', '\\']) +
        text.slice(at + random.integer(0, 1));
    }
    const expected = outcome(() => JSON.parse(text));
    if (expected === 'refused') refused++;
    for (const length of [1, 4, 20]) {
      if (outcome(() => atOnce(parseInTurns(text, JSON.parse, length))) !== expected) differing.push(text);
    }
  }
  t.strictSame(differing, []);
  t.ok(refused > 500 && refused < 3500, `${refused} were no JSON`);
});

t.test('a megabyte has many turns', async t => {
  for (const text of [
    JSON.stringify(Array.from({ length: 100_000 }, (_, i) => `a${i}`)),
    JSON.stringify({ where: { or: [{ in: Array.from({ length: 50_000 }, (_, i) => i / 7) }] } }),
    `{"attrs":{${Array.from({ length: 60_000 }, (_, i) => `"k${i}":${i}`).join(',')}}}`,
  ]) {
    let longest = 0;
    const steps = parseInTurns(text, part => {
      longest = Math.max(longest, part.length);
      return JSON.parse(part) as unknown;
    });
    t.strictSame(atOnce(steps), JSON.parse(text));
    t.ok(longest < 64 * 1024, `${longest} characters at once`);
  }
});
