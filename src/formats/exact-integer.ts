/**
 * The exact value of a decimal text that may be an integer: `12.50e1` is 125. Hazard: `1e999999999` must not become
 * a number of a billion digits, so magnitudes are bounded before any digit becomes a BigInt.
 */

/** Beyond every 64-bit integer: what larger values become. */
const SATURATED = 10n ** 20n;
const DIGITS_MAX = 20;

/**
 * `text` is a JSON number. Returns undefined where it has a fraction; magnitudes of more than 20 digits come back as
 * plus or minus 10^20.
 */
export function exactInteger(text: string): bigint | undefined {
  const [mantissa, exponentText] = text.toLowerCase().split('e') as [string, string | undefined];
  const isNegative = mantissa.startsWith('-');
  const [whole, fraction = ''] = (isNegative ? mantissa.slice(1) : mantissa).split('.') as [string, string | undefined];
  const all = whole + fraction;
  const first = skipZeros(all, 0, 1);
  if (first === all.length) return 0n;
  const last = skipZeros(all, all.length - 1, -1);
  const digits = all.slice(first, last + 1);
  // Digits of an exponent beyond 2^53 are lost here, and it is as far out of reach without them.
  const zeros = Number(exponentText ?? 0) - fraction.length + (all.length - 1 - last);
  if (zeros < 0) return undefined;
  const magnitude = digits.length + zeros > DIGITS_MAX ? SATURATED : BigInt(digits) * 10n ** BigInt(zeros);
  return isNegative ? -magnitude : magnitude;
}

/** The first position from `at`, going by `step`, that is not a zero; one past the end where there is none. */
function skipZeros(digits: string, at: number, step: 1 | -1): number {
  while (digits[at] === '0') at += step;
  return at;
}
