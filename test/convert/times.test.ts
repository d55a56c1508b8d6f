/** Counts of one unit → another at the ends of 64 bits, where numpy overflows: against arithmetic of integers of any size. */
import t from 'tap';
import { conversionOf, type Loss } from '../../src/convert/index.js';
import { parseDType } from '../../src/dtype/index.js';
import { isErrorCode } from '../../src/errors.js';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';

/** What a unit is in attoseconds; of years and months, which have no such number, in months. */
const SIZES: Readonly<Record<string, bigint>> = {
  Y: 12n,
  M: 1n,
  W: 604_800n * 10n ** 18n,
  D: 86_400n * 10n ** 18n,
  h: 3600n * 10n ** 18n,
  m: 60n * 10n ** 18n,
  s: 10n ** 18n,
  ms: 10n ** 15n,
  us: 10n ** 12n,
  ns: 10n ** 9n,
  ps: 10n ** 6n,
  fs: 10n ** 3n,
  as: 1n,
};
const NAT = -(2n ** 63n);
const MAX = 2n ** 63n - 1n;

interface Case {
  readonly count: bigint;
  readonly from: bigint;
  readonly to: bigint;
}

/** Rounded down; undefined where it is refused. */
function model({ count, from, to }: Case, loss: Loss): bigint | undefined {
  if (count === NAT) return NAT;
  const whole = count * from;
  const rest = ((whole % to) + to) % to;
  const converted = (whole - rest) / to;
  if (loss === 'refuse' && rest !== 0n) return undefined;
  if (loss !== 'wrap' && (converted > MAX || converted <= NAT)) return undefined;
  return BigInt.asIntN(64, converted);
}

t.test('counts are exact or refused, at any size', async t => {
  const random = seededRandom(41);
  const families = [['Y', 'M'], Object.keys(SIZES).slice(2)];
  const wrong: string[] = [];
  for (let i = 0; i < caseCount(3000, 40_000); i++) {
    const units = random.pick(families);
    const [a, b] = [random.pick(units), random.pick(units)];
    const [m, n] = [random.pick([1, 1, 1, 7, 25, 1000, 2 ** 31 - 1]), random.pick([1, 1, 1, 3, 25, 86_400])];
    const sizes = { from: SIZES[a]! * BigInt(m), to: SIZES[b]! * BigInt(n) };
    const limit = (MAX * sizes.to) / sizes.from;
    const wild = BigInt(random.below(2 ** 31)) * BigInt(random.below(2 ** 32)) - BigInt(random.below(2 ** 32));
    const near = random.pick([limit, -limit, limit + 1n, -limit - 1n, limit - 1n, MAX, NAT, NAT + 1n, 0n, 1n, -1n]);
    const count = BigInt.asIntN(64, random.pick([near, wild, -wild, wild >> BigInt(random.below(60))]));
    const kind = random.pick(['M8', 'm8']);
    const loss = random.pick<Loss>(['refuse', 'numpy', 'wrap']);
    const wanted = model({ count, ...sizes }, loss);
    const title = `${count} of ${kind}[${m}${a}] in [${n}${b}], ${loss}`;
    const found = convert(`${kind}[${m}${a}]`, `${kind}[${n}${b}]`, count, loss);
    if (found !== wanted) wrong.push(`${title}: ${found} instead of ${wanted}`);
  }
  t.strictSame(wrong.slice(0, 10), []);
});

t.test('days and months go by the calendar', async t => {
  const random = seededRandom(42);
  for (let i = 0; i < caseCount(500, 5000); i++) {
    const months = random.integer(-100_000, 100_000);
    const year = 1970 + Math.floor(months / 12);
    const start = new Date(0);
    start.setUTCFullYear(year, ((months % 12) + 12) % 12, 1);
    const day = BigInt(start.getTime() / 86_400_000);
    t.equal(convert('M8[M]', 'M8[D]', BigInt(months), 'refuse'), day);
    t.equal(convert('M8[D]', 'M8[M]', day + BigInt(random.below(28)), 'numpy'), BigInt(months));
    t.equal(convert('M8[D]', 'M8[M]', day + 1n, 'refuse'), undefined, 'the second day of a month is no month');
    t.equal(convert('M8[s]', 'M8[Y]', day * 86_400n, 'numpy'), BigInt(year - 1970));
  }
});

function convert(from: string, to: string, count: bigint, loss: Loss): bigint | undefined {
  const target = new Uint8Array(8);
  try {
    conversionOf(parseDType(from), parseDType(to), loss).run(new Uint8Array(BigInt64Array.of(count).buffer), target);
  } catch (error) {
    if (!isErrorCode(error, 'would_lose')) throw error;
    return undefined;
  }
  return new BigInt64Array(target.buffer)[0]!;
}
