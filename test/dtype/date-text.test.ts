/** Dates as text against live numpy: every unit, its multiples, all years, and what is no date. */
import t from 'tap';
import {
  dateText,
  isTime,
  NAT,
  parseDType,
  readDate,
  TIME_UNITS,
  type ReadDate,
  type TimeUnit,
} from '../../src/dtype/index.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { seededRandom, type Random } from '../helpers/random.js';

interface Printed {
  readonly texts: readonly string[];
  /** How many of them are numpy's own: of years of four digits at most. */
  readonly compared: number;
}

interface Answer {
  readonly print: readonly Printed[];
  readonly parse: readonly (readonly (string | null)[])[];
}

const unitOf = (text: string): TimeUnit => {
  const dtype = parseDType(`<M8[${text}]`);
  if (!isTime(dtype) || !dtype.unit) throw new Error(`no unit: ${text}`);
  return dtype.unit;
};

const ask = (print: unknown, parse: unknown = []): Answer =>
  JSON.parse(runPython('dtype/dates.py', [], JSON.stringify({ print, parse }))) as Answer;

/** About so many of the unit in 10,000 years; the small ones end with int64. */
const UNITS_IN_10_000_YEARS: Readonly<Record<string, number>> = {
  Y: 1e4,
  M: 1.2e5,
  W: 5.2e5,
  D: 3.65e6,
  h: 8.8e7,
  m: 5.3e9,
  s: 3.16e11,
  ms: 3.16e14,
  us: 3.16e17,
};

const INT64_MAX = 2n ** 63n - 1n;

/** Of years from -9999 to 9999, of those beyond, and of the ends of int64. */
function randomCount(random: Random, name: string): bigint {
  const wide = BigInt.asIntN(64, (BigInt(random.below(2 ** 32)) << 32n) | BigInt(random.below(2 ** 32)));
  const near = BigInt(Math.round((random.next() * 2 - 1) * 2 ** 50));
  const years = UNITS_IN_10_000_YEARS[name];
  switch (random.below(10)) {
    case 0:
      return wide;
    case 1:
      return random.pick([0n, 1n, -1n, INT64_MAX, -INT64_MAX, NAT, near, -(2n ** 51n), 2n ** 53n + 1n]);
    default:
      return years === undefined ? wide : (near * BigInt(Math.round(years))) / 2n ** 50n;
  }
}

t.test(
  '2,000 counts of every unit have the text of numpy, and are read back',
  { skip: !PYTHON && NO_NUMPY },
  async t => {
    const random = seededRandom(81);
    const cases = TIME_UNITS.flatMap(name =>
      ['', '25', String(random.integer(2, 2 ** 31 - 1))].map((multiple, i) => {
        const counts = Array.from({ length: i === 0 ? 2000 : 200 }, () => randomCount(random, name));
        return { unit: `${multiple}${name}`, counts };
      }),
    );
    const { print } = ask(cases.map(({ unit, counts }) => [unit, counts.map(String)]));
    for (const [i, { unit, counts }] of cases.entries()) {
      const { texts, compared } = print[i]!;
      const own = unitOf(unit);
      if (/^\D/.test(unit)) t.ok(compared > 1500, `${unit}: ${compared} by numpy`);
      t.strictSame(
        counts.map(count => dateText(count, own)),
        texts,
        unit,
      );
      const back = texts.map(text => readDate(text, own));
      const expected = counts.map(count => (count === NAT ? 'NaT' : { count, isExact: true }));
      t.strictSame(back, expected, `${unit}, back`);
    }
  },
);

/** Texts of all lengths, with zones, with digits too few or too many; about half of them are no dates. */
function randomText(random: Random): string {
  const digits = (value: number, count = 2): string => String(value).padStart(random.below(40) === 0 ? 1 : count, '0');
  const year = random.pick([1970, 2000, 1900, 2024, random.below(10_000), random.below(200_000)]);
  const parts = [
    `${random.pick(['', '', '', '-', '+'])}${digits(year, 4)}`,
    digits(random.pick([1, 2, 4, 9, 12, random.integer(0, 13)])),
    digits(random.pick([1, 1, 4, 28, 28, random.integer(28, 32), 0])),
  ].slice(0, random.pick([1, 2, 3, 3, 3, 3]));
  const date = parts.join(random.below(30) === 0 ? '' : '-');
  if (parts.length < 3 || random.below(4) === 0) return date;
  const time = [random.below(24), random.below(60), random.below(60)].map(part => digits(part));
  if (random.below(10) === 0) time[random.below(3)] = random.pick(['24', '60', '99']);
  const count = random.integer(1, 3);
  const clock = time.slice(0, count).join(random.below(20) === 0 ? '' : ':');
  const fraction = `.${'0'.repeat(random.below(4))}${random.below(1e9)}${'0'.repeat(random.below(7))}`;
  const zone = random.pick(['', '', '', 'Z', '+01:30', '-0800', '+09', '+23:59', '+24:00', '-01:60', 'z', ' Z', '+1']);
  const isLong = count === 3 && random.below(2) === 0;
  return `${date}${random.pick(['T', 'T', 'T', 'T', ' ', 't'])}${clock}${isLong ? fraction : ''}${zone}`;
}

/** What numpy cuts, and where it turns over, is told by other tests. */
function isHeld({ count, isExact }: ReadDate): boolean {
  return isExact && count <= INT64_MAX && count > NAT;
}

t.test('what numpy reads is read, and nothing else', { skip: !PYTHON && NO_NUMPY }, async t => {
  const random = seededRandom(82);
  const cases = TIME_UNITS.map(name => [name, Array.from({ length: 600 }, () => randomText(random))] as const);
  const { parse } = ask([], cases);
  let exact = 0;
  let refused = 0;
  const wrong: string[] = [];
  for (const [i, [name, texts]] of cases.entries()) {
    const unit = unitOf(name);
    for (const [j, text] of texts.entries()) {
      const expected = parse[i]![j]!;
      const read = readDate(text, unit);
      const isRight =
        expected === null
          ? read === undefined
          : typeof read === 'object' && (!isHeld(read) || String(read.count) === expected);
      if (!isRight) wrong.push(`${text} as ${name} is ${expected}`);
      else if (expected === null) refused++;
      else if (isHeld(read as ReadDate)) exact++;
    }
  }
  t.strictSame(wrong, []);
  t.ok(exact > 1000 && refused > 1000, `${exact} exact, ${refused} refused`);
});

t.test('a text that lies between two counts is told by the one before it', async t => {
  const cases: readonly (readonly [text: string, unit: string, count: bigint, isExact: boolean])[] = [
    ['1970-01-02T23:59', 'D', 1n, false],
    ['1970-01-02T00:00:00.000', 'D', 1n, true],
    ['1969-12-31T23:59:59.9', 's', -1n, false],
    ['1970-01-01T00:00:00.12345678900000', 'ns', 123_456_789n, true],
    ['1970-01-01T00:00:00.123456789000000001', 'fs', 123_456_789_000_000n, false],
    ['1970-01-01T00:00:00.', 's', 0n, true],
    ['1970-01-05', 'W', 0n, false],
    ['1970-01-08', 'W', 1n, true],
    ['1971-02', 'Y', 1n, false],
    ['1971-01-01T01:00+01:00', 'Y', 1n, true],
    ['1969-12-31T23:30-00:30', 'M', 0n, true],
    ['1970-01-01T00:00:00.000049', '25us', 1n, false],
    ['1970-01-01T00:00:00.000050', '25us', 2n, true],
    ['123401', 'Y', 121_431n, true],
    ['7', 'Y', -1963n, true],
    ['7-02-01', 'Y', -1963n, false],
    ['123401-02', 'M', 121_431n * 12n + 1n, true],
    ['-0001', 'Y', -1971n, true],
    ['-001', 'Y', -1971n, true],
    ['300000-01-01', 'ns', 9_404_918_380_800_000_000_000n, true],
  ];
  for (const [text, unit, count, isExact] of cases) {
    t.strictSame(readDate(text, unitOf(unit)), { count, isExact }, `${text} as ${unit}`);
  }
});

t.test('what is no date', async t => {
  const none = ['', ' ', 'now', 'today', '2024-', '2024-1', '2024-01-1', ' 2024', '2024 ', '2024-02-30', '2023-02-29'];
  none.push('20240102T03', '2024-01-01T', '2024-01-01T24', '2024-01-01T1', '2024-01-01T00:00:60', '2024-01-01Z');
  none.push(
    `${'9'.repeat(31)}-01-01`,
    '2024-01-01T00:00:00,5',
    '2024-01-01T1230',
    '²024',
    'NaTT',
    '--1',
    '2024-01-01T0',
  );
  none.push('2024-01-01T00:00:00.1234567890123456789', '2024-01-01T00:00:00.5+9', '2024-01-01T00:00z', '2024\n');
  for (const text of none) t.equal(readDate(text, unitOf('s')), undefined, text);
  for (const text of ['NaT', 'nat', 'NAT']) t.equal(readDate(text, undefined), 'NaT');
  t.equal(readDate('2024-01-01', undefined), undefined, 'without a unit there are no dates');
});
