/**
 * Decimal digits straight into bytes. Every writer takes the position to write at and returns the one after.
 * Hazard: nothing here checks for room; a caller leaves NUMBER_BYTES_MAX bytes for every value.
 */

/** No number is longer, its quotes included: a 64-bit integer has 20 digits, a float64 24 characters. */
export const NUMBER_BYTES_MAX = 26;

const ZERO = 0x30;
const MINUS = 0x2d;
const POINT = 0x2e;
/** From here on a whole float is written with an exponent, as numpy and orjson do, so that it still reads as a float. */
const WHOLE_DIGITS_MAX = 16;
/** 0.000001 is the smallest power of ten that JavaScript writes without an exponent. */
const LEADING_EXPONENT_MIN = -6;

/** "00" to "99", so that division yields two digits at a time. */
const PAIRS = new Uint8Array(200);
for (let i = 0; i < 100; i++) {
  PAIRS[2 * i] = ZERO + Math.floor(i / 10);
  PAIRS[2 * i + 1] = ZERO + (i % 10);
}

/** 10^0 to 10^22, the powers that a double holds exactly. */
export const EXACT_POWERS = Float64Array.from({ length: 23 }, (_, i) => Number(`1e${i}`));

const INT_POWERS = Int32Array.from({ length: 10 }, (_, i) => 10 ** i);

/** Decimal digits of an integer from 0 to 999,999,999. */
export function countDigits(value: number): number {
  if (value < 10_000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : 4;
  if (value < 1_000_000) return value < 100_000 ? 5 : 6;
  return value < 100_000_000 ? (value < 10_000_000 ? 7 : 8) : 9;
}

/** Writes an integer from 0 to 999,999,999 as exactly `count` digits, with zeros in front. */
export function writeDigits(value: number, count: number, target: Uint8Array, at: number): number {
  let rest = value | 0;
  let end = at + count;
  while (end - at >= 2) {
    const quotient = (rest / 100) | 0;
    const pair = (rest - quotient * 100) << 1;
    target[--end] = PAIRS[pair + 1]!;
    target[--end] = PAIRS[pair]!;
    rest = quotient;
  }
  if (end > at) target[at] = ZERO + rest;
  return at + count;
}

/** Writes an integer of magnitude up to 2^53 with bare digits; -0 is 0. */
export function writeInteger(value: number, target: Uint8Array, at: number): number {
  let rest = value;
  if (rest < 0) {
    target[at++] = MINUS;
    rest = -rest;
  }
  if (rest < 1e9) return writeDigits(rest, countDigits(rest), target, at);
  const high = Math.floor(rest / 1e9);
  at = high < 1e9 ? writeDigits(high, countDigits(high), target, at) : writeText(String(high), target, at);
  return writeDigits(rest - high * 1e9, 9, target, at);
}

/**
 * Writes `digits * 10^exponent` as a float: a point always, as `12.0`, or an exponent, as `1e-7` and `1.5e+16`.
 * `digits` is an integer from 1 to 999,999,999 and does not end in a zero.
 */
export function writeDecimal(digits: number, exponent: number, target: Uint8Array, at: number): number {
  const count = countDigits(digits);
  const leading = count - 1 + exponent;
  if (leading >= WHOLE_DIGITS_MAX || leading < LEADING_EXPONENT_MIN) {
    return writeScientific(digits, count, leading, target, at);
  }
  if (exponent >= 0) {
    at = writeDigits(digits, count, target, at);
    for (let i = 0; i < exponent; i++) target[at++] = ZERO;
    return writePointZero(target, at);
  }
  if (leading < 0) {
    target[at++] = ZERO;
    target[at++] = POINT;
    for (let i = leading + 1; i < 0; i++) target[at++] = ZERO;
    return writeDigits(digits, count, target, at);
  }
  return writeFixed(digits, -exponent, target, at);
}

/**
 * Writes `digits / 10^places` for digits up to 999,999,999 and 1 to 9 places, as `12.345` or `0.0012`. Nine decimals are
 * always written and the end moved: cheaper than a loop of unforeseen length. The room of NUMBER_BYTES_MAX allows it.
 */
export function writeFixed(digits: number, places: number, target: Uint8Array, at: number): number {
  const power = INT_POWERS[places]!;
  const whole = digits < power ? 0 : (digits / power) | 0;
  if (whole < 10) target[at++] = ZERO + whole;
  else at = writeDigits(whole, countDigits(whole), target, at);
  target[at] = POINT;
  const nine = Math.imul(digits - Math.imul(whole, power), INT_POWERS[9 - places]!);
  const high = (nine / 10_000) | 0;
  const low = nine - high * 10_000;
  const first = (high / 10_000) | 0;
  const middle = high - first * 10_000;
  target[at + 1] = ZERO + first;
  writeFour(middle, target, at + 2);
  writeFour(low, target, at + 6);
  return at + 1 + places;
}

function writeFour(value: number, target: Uint8Array, at: number): void {
  const high = (value / 100) | 0;
  const low = value - high * 100;
  target[at] = PAIRS[2 * high]!;
  target[at + 1] = PAIRS[2 * high + 1]!;
  target[at + 2] = PAIRS[2 * low]!;
  target[at + 3] = PAIRS[2 * low + 1]!;
}

/** `.0`, after a whole number. */
export function writePointZero(target: Uint8Array, at: number): number {
  target[at] = POINT;
  target[at + 1] = ZERO;
  return at + 2;
}

/** Writes a text of ASCII characters. */
export function writeText(text: string, target: Uint8Array, at: number): number {
  for (let i = 0; i < text.length; i++) target[at + i] = text.charCodeAt(i);
  return at + text.length;
}

function writeScientific(digits: number, count: number, leading: number, target: Uint8Array, at: number): number {
  const power = INT_POWERS[count - 1]!;
  const first = (digits / power) | 0;
  target[at++] = ZERO + first;
  if (count > 1) {
    target[at++] = POINT;
    at = writeDigits(digits - first * power, count - 1, target, at);
  }
  return writeText(leading < 0 ? `e${leading}` : `e+${leading}`, target, at);
}
