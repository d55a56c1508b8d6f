/** Dataset patterns against a stupid model, on seeded random cases. */
import t from 'tap';
import { Patterns, PATTERNS_MAX } from '../../src/access/patterns.js';
import { seededRandom } from '../helpers/random.js';

/** Tries every length that a star may take. */
function model(pattern: string, name: string): boolean {
  if (pattern === '') return name === '';
  if (pattern[0] === '*') {
    return Array.from({ length: name.length + 1 }, (_, i) => i).some(i => model(pattern.slice(1), name.slice(i)));
  }
  return name[0] === pattern[0] && model(pattern.slice(1), name.slice(1));
}

const matches = (pattern: string, name: string): boolean => Patterns.parse([pattern])?.matches(name) ?? true;

t.test('a star stands for any characters, and every other character for itself', async t => {
  for (const [pattern, name, wanted] of [
    ['a', 'a', true],
    ['a', 'aa', false],
    ['a*', 'a', true],
    ['a*', 'ba', false],
    ['*a', 'ba', true],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['a*b*c', 'a-c-b-c', true],
    ['a*bc*c', 'abc', false],
    ['a.c', 'abc', false],
    ['a.c', 'a.c', true],
    ['a**b', 'ab', true],
    ['A*', 'a1', false],
  ] as const) {
    t.equal(matches(pattern, name), wanted, `${pattern} ${name}`);
  }
});

t.test('it agrees with a model that tries everything', async t => {
  const random = seededRandom(20261121);
  const word = (letters: readonly string[], length: number): string =>
    Array.from({ length }, () => random.pick(letters)).join('');
  let positives = 0;
  for (let i = 0; i < 5000; i++) {
    const pattern = word(['a', 'b', '*'], random.integer(1, 6));
    const name = word(['a', 'b'], random.integer(1, 7));
    const wanted = model(pattern, name);
    positives += Number(wanted);
    if (matches(pattern, name) !== wanted) t.fail(`${pattern} ${name} should be ${wanted}`);
  }
  t.ok(positives > 500 && positives < 4500, 'both outcomes were tried');
});

t.test('any of several patterns is enough', async t => {
  const patterns = Patterns.parse(['x', 'run-*'])!;
  t.strictSame(
    ['x', 'run-7', 'y', 'xrun-7'].map(name => patterns.matches(name)),
    [true, true, false, false],
  );
  t.strictSame(patterns.prefixes, ['x', 'run-']);
});

t.test('a star alone reaches everything', async t => {
  t.equal(Patterns.parse(['*']), undefined);
  t.equal(Patterns.parse(['a', '**']), undefined);
});

t.test('what is no pattern is refused, and never means everything', async t => {
  const many = Array.from({ length: PATTERNS_MAX + 1 }, (_, i) => `a${i}`);
  for (const texts of [
    [],
    [''],
    ['a/b'],
    ['a b'],
    ['a?'],
    ['[a]'],
    ['é'],
    ['a'.repeat(129)],
    [1],
    [null],
    [['*']],
    many,
  ]) {
    t.throws(() => Patterns.parse(texts), /expected/, JSON.stringify(texts).slice(0, 40));
  }
});

t.test('no pattern is slow', async t => {
  const pattern = Patterns.parse([`${'*a'.repeat(63)}*b`])!;
  const started = performance.now();
  for (let i = 0; i < 1000; i++) pattern.matches('a'.repeat(128));
  // Trying every length would take longer than the universe has.
  t.ok(performance.now() - started < 5000);
});
