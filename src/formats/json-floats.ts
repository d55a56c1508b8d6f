/**
 * Floats as JSON text: the shortest digits that round-trip in the dtype's own precision, so that float32 0.1 is 0.1.
 * Whole values keep a point or an exponent, NaN and infinities are quoted, -0 is -0.0.
 * Hazard: the float32 path works in doubles with a bounded error; whatever lies within it goes to the slow path.
 */
import { toFloat16Bits } from '../float16.js';
import { writeDecimal, writeDigits, writeFixed, writeInteger, writePointZero, writeText } from './json-digits.js';
import { shortestDecimal } from './shortest.js';

const MINUS = 0x2d;
const POINT = 0x2e;

/** Powers of ten from 10^POWER_MIN; those outside 10^0 to 10^22 are off by at most 2^-53 of their size. */
const POWER_MIN = -40;
const POWERS = Float64Array.from({ length: 101 }, (_, i) => Number(`1e${i + POWER_MIN}`));
/** Over the error of a product below 2^31 of a float32 and a power: two roundings of 2^-53 of its size each. */
const GUARD = 2 ** -20;
/** Numbers of decimal places tried for a float32: those that give 6, 7, 8 and 9 significant digits. */
const LEVELS = 4;

/** For each float32 exponent field: the decimal places at which values lie between 100,000 and 2,000,000. */
const FIRST_PLACES = new Int8Array(256);
/** For each exponent field and level: half a unit in the last place, in units of the last decimal place. */
const HALF_UNITS = new Float64Array(256 * LEVELS);
for (let field = 1; field < 255; field++) {
  const places = 5 - Math.floor((field - 127) * Math.log10(2));
  FIRST_PLACES[field] = places;
  for (let level = 0; level < LEVELS; level++) {
    HALF_UNITS[field * LEVELS + level] = 2 ** (field - 127 - 24) * POWERS[places + level - POWER_MIN]!;
  }
}

/**
 * Writes one float32; `bits` are its binary32 bits as an int32, `value` the same as a number.
 *
 * The candidate at each number of places is the integer nearest to `value * 10^places`. It is taken when it lies inside
 * the interval of numbers that round to `value`; the first one taken has the fewest digits, because six digits are
 * too few for two candidates in one interval, and a later level is reached only when no multiple of ten lies inside.
 * What is within GUARD of a boundary or of a tie goes to the slow path, and so do powers of two (whose interval is
 * shorter below) unless the candidate is near.
 */
export function writeFloat32(value: number, bits: number, target: Uint8Array, at: number): number {
  const field = (bits >>> 23) & 0xff;
  if (field === 0xff) return writeNonFinite(value, target, at);
  // No branch on the sign, which is a coin toss in much data: the minus is written, and kept or written over.
  target[at] = MINUS;
  at += bits >>> 31;
  value = Math.abs(value);
  if (value === 0) return writeWhole(0, target, at);
  // Subnormals have fewer digits than six.
  if (field === 0) return writeFloat32Slowly(value, target, at);
  let places = FIRST_PLACES[field]!;
  for (let level = field * LEVELS; level < field * LEVELS + LEVELS; level++, places++) {
    const scaled = value * POWERS[places - POWER_MIN]!;
    const half = HALF_UNITS[level]!;
    const digits = (scaled + 0.5) | 0;
    const distance = Math.abs(digits - scaled) + GUARD;
    if (distance < half) {
      if (distance >= 0.5 || (distance >= half / 2 && (bits & 0x7f_ffff) === 0)) break;
      if (level % LEVELS === 0 && digits % 10 === 0) return writeTrimmed(digits, -places, target, at);
      return places > 0 && places < 10
        ? writeFixed(digits, places, target, at)
        : writeDecimal(digits, -places, target, at);
    }
    if (distance < half + 2 * GUARD) break;
  }
  return writeFloat32Slowly(value, target, at);
}

function writeFloat32Slowly(magnitude: number, target: Uint8Array, at: number): number {
  const { digits, exponent } = shortestDecimal(magnitude, candidate => Math.fround(candidate) === magnitude);
  return writeDecimal(digits, exponent, target, at);
}

/** Slots of 16 bytes, a length and up to 15 characters: the text of every float16 magnitude that was ever written. */
let float16Texts: Uint8Array | undefined;
const SLOT_BYTES = 16;

/** Writes one float16; `bits` are its binary16 bits, `value` the same as a number. */
export function writeFloat16(value: number, bits: number, target: Uint8Array, at: number): number {
  if ((bits & 0x7c00) === 0x7c00) return writeNonFinite(value, target, at);
  if (bits & 0x8000) target[at++] = MINUS;
  const texts = (float16Texts ??= new Uint8Array(0x7c00 * SLOT_BYTES));
  const slot = (bits & 0x7fff) * SLOT_BYTES;
  if (texts[slot] === 0) texts[slot] = writeFloat16Slowly(Math.abs(value), texts, slot + 1) - slot - 1;
  const end = slot + texts[slot]!;
  for (let i = slot + 1; i <= end; i++) target[at++] = texts[i]!;
  return at;
}

function writeFloat16Slowly(magnitude: number, target: Uint8Array, at: number): number {
  if (magnitude === 0) return writeWhole(0, target, at);
  const bits = toFloat16Bits(magnitude);
  const { digits, exponent } = shortestDecimal(magnitude, candidate => toFloat16Bits(candidate) === bits);
  return writeDecimal(digits, exponent, target, at);
}

/** Writes one float64: whole numbers and up to six decimal places by arithmetic, the rest as JavaScript finds it. */
export function writeFloat64(value: number, target: Uint8Array, at: number): number {
  let magnitude = value;
  if (value < 0 || Object.is(value, -0)) {
    if (value === Number.NEGATIVE_INFINITY) return writeNonFinite(value, target, at);
    target[at++] = MINUS;
    magnitude = -value;
  }
  if (magnitude < 1e9) {
    if (magnitude === Math.floor(magnitude)) return writeWhole(magnitude, target, at);
    // Fifteen digits or fewer that read back are the only such decimal, and a division by 10^6 reads them exactly.
    const scaled = Math.round(magnitude * 1e6);
    if (scaled / 1e6 === magnitude) return writeMillionths(scaled, target, at);
  }
  if (magnitude < 1e16) {
    at = writeText(String(magnitude), target, at);
    return magnitude >= 1e9 && magnitude === Math.floor(magnitude) ? writePointZero(target, at) : at;
  }
  return Number.isFinite(magnitude)
    ? writeText(magnitude.toExponential(), target, at)
    : writeNonFinite(value, target, at);
}

/** `digits * 10^exponent` with the zeros at the end of `digits` dropped. */
function writeTrimmed(digits: number, exponent: number, target: Uint8Array, at: number): number {
  while (digits % 10 === 0) {
    digits = (digits / 10) | 0;
    exponent++;
  }
  return writeDecimal(digits, exponent, target, at);
}

function writeMillionths(millionths: number, target: Uint8Array, at: number): number {
  const whole = Math.floor(millionths / 1e6);
  let fraction = (millionths - whole * 1e6) | 0;
  let places = 6;
  while (fraction % 10 === 0) {
    fraction = (fraction / 10) | 0;
    places--;
  }
  at = writeInteger(whole, target, at);
  target[at++] = POINT;
  return writeDigits(fraction, places, target, at);
}

function writeWhole(value: number, target: Uint8Array, at: number): number {
  return writePointZero(target, writeInteger(value, target, at));
}

function writeNonFinite(value: number, target: Uint8Array, at: number): number {
  return writeText(Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"', target, at);
}
