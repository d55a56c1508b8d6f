/**
 * The fewest decimal digits that read back as the same narrow float, for values that the fast paths leave:
 * every prefix of the exact decimal expansion is tried, rounded down and up, the nearer one first.
 */

export interface Decimal {
  /** Without zeros at its end. */
  readonly digits: number;
  readonly exponent: number;
}

/** Digits beyond any that decide: float32 has at most 9 to write, and a tie shows within the 25 after the point. */
const EXPANSION_DIGITS = 60;

/**
 * `value` is positive and finite; `readsBack` says whether a double becomes the same narrow float as `value`.
 * Among the shortest the nearest wins, and of two at the same distance the even one (Steele and White, as numpy).
 */
export function shortestDecimal(value: number, readsBack: (candidate: number) => boolean): Decimal {
  const [mantissa, exponentText] = value.toExponential(EXPANSION_DIGITS).split('e') as [string, string];
  const expansion = mantissa.replace('.', '');
  const leading = Number(exponentText);
  for (let count = 1; ; count++) {
    const below = Number(expansion.slice(0, count));
    const exponent = leading - count + 1;
    const rest = expansion.slice(count);
    const up = isNearerAbove(rest, below);
    for (const digits of up ? [below + 1, below] : [below, below + 1]) {
      if (readsBack(Number(`${digits}e${exponent}`))) return withoutZeros(digits, exponent);
    }
  }
}

/** Whether 0.`rest` rounds up: over a half, or a half above an odd number. */
function isNearerAbove(rest: string, below: number): boolean {
  const isHalf = rest[0] === '5' && /^50*$/.test(rest);
  return isHalf ? below % 2 === 1 : rest[0]! >= '5';
}

function withoutZeros(digits: number, exponent: number): Decimal {
  let short = digits;
  let zeros = 0;
  while (short % 10 === 0) {
    short /= 10;
    zeros++;
  }
  return { digits: short, exponent: exponent + zeros };
}
