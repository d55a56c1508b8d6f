/**
 * float64 and float32 → text: the shortest decimal that reads back as the same float. The method is Raffaello Giulietti's
 * Schubfach ("The Schubfach way to render doubles", 2020), with powers of ten of 128 bits, as Alexander Bolz has them in
 * Drachennest; of 64 bits for float32.
 *
 * A float is c * 2^q, and whatever lies within half a step of it reads back as it. For some k that interval holds at least
 * one multiple of 10^k, and at most one of 10^(k+1), which is taken where it is there. All are compared in quarters of
 * 10^k: the float and both ends of its interval are `4c`, `4c - 2` and `4c + 2` times 2^(q-2), times one power of ten.
 * Example: 0.3 is 5404319552844596 * 2^-54. Here k is -17: the float is 29999999999999998.9 of it, its interval has
 * a multiple of 10^-16, which is 3000000000000000 of them, and the text is `0.3`.
 */
import { POWER_OF_TEN_MIN } from '../src/kernels/constants';

/** Digits with zeros in front: 17 of them, and zeros behind for whole numbers that have more. */
const DIGITS = memory.data<u8>([
  0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
  0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
  0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30,
]);
const DIGITS_MAX: i32 = 17;
const ASCII_ZEROS: u64 = 0x3030303030303030;

const COMMA: u8 = 0x2c;
const MINUS: u8 = 0x2d;
const PLUS: u8 = 0x2b;
const POINT: u8 = 0x2e;
const ZERO: u8 = 0x30;
const LETTER_E: u8 = 0x65;
/** `0.` and `.0` and `0.0`, as they lie in memory. */
const ZERO_POINT: u16 = 0x2e30;
const POINT_ZERO: u16 = 0x302e;

/** Powers of ten from here on are written with an exponent, and those below the other. */
const WHOLE_DIGITS_MAX: i32 = 16;
const LEADING_EXPONENT_MIN: i32 = -6;

const SIGNIFICANT: u64 = 0x000fffffffffffff;
const SIGNIFICANT_SINGLE: u32 = 0x007fffff;

const WORD_BYTES: usize = 16;
/** Where it stands among the words: in place of NaN, of infinity, of minus infinity, and of a comma at the end of a row. */
const NAN: usize = 0;
const INFINITY: usize = 1;
const ROW_END: usize = 3;

/** Where the shortest decimal is `digits * 10^exponent`. */
let exponent: i32 = 0;

/**
 * Writes `count` floats, and a comma behind each, or what ends a row.
 * @param itemsize 4 or 8
 * @param left elements up to the first end of a row
 * @param row elements of a row; where there are no rows, more than there are
 * @param powers of ten from 10^POWER_OF_TEN_MIN: two u64 each, the lower first (src/formats/float-texts.ts)
 * @param words four of 16 bytes each, of which the last is the length
 * @param ends where each text with what is behind it ends, in bytes from `to`, as u32
 * @param to room for 28 bytes an element, and 32 behind
 */
export function floatTexts(
  itemsize: i32,
  from: usize,
  count: usize,
  left: u32,
  row: u32,
  powers: usize,
  words: usize,
  ends: usize,
  to: usize,
): void {
  let at = to;
  for (let i: usize = 0; i < count; i++) {
    at =
      itemsize == 4
        ? Text.ofSingle(load<u32>(from + i * 4), powers, words, at)
        : Text.of(load<u64>(from + i * 8), powers, words, at);
    if (--left) store<u8>(at++, COMMA);
    else {
      at = Text.word(ROW_END, words, at);
      left = row;
    }
    store<u32>(ends + i * 4, u32(at - to));
  }
}

class Text {
  @inline static of(bits: u64, powers: usize, words: usize, at: usize): usize {
    const field = i32(bits >> 52) & 0x7ff;
    const significant = bits & SIGNIFICANT;
    if (field == 0x7ff) return Text.word(significant ? NAN : INFINITY + usize(bits >> 63), words, at);
    store<u8>(at, MINUS);
    at += usize(bits >> 63);
    if (bits << 1 == 0) return Text.zero(at);
    const c = field == 0 ? significant : significant | (SIGNIFICANT + 1);
    return Text.ofParts(c, max(field, 1) - 1075, significant == 0 && field > 1, powers, at);
  }

  @inline static ofSingle(bits: u32, powers: usize, words: usize, at: usize): usize {
    const field = i32(bits >> 23) & 0xff;
    const significant = bits & SIGNIFICANT_SINGLE;
    if (field == 0xff) return Text.word(significant ? NAN : INFINITY + usize(bits >> 31), words, at);
    store<u8>(at, MINUS);
    at += usize(bits >> 31);
    if (bits << 1 == 0) return Text.zero(at);
    const c = field == 0 ? significant : significant | (SIGNIFICANT_SINGLE + 1);
    const q = max(field, 1) - 150;
    const digits = Text.isWhole(c, q, 23) ? wholeOf(c, q) : shortestSingle(c, q, significant == 0 && field > 1, powers);
    const first = u32(digits) / 100_000_000;
    return Text.ofDigits(0, u64(first) << 56, Wide.eight(u32(digits) - first * 100_000_000), at);
  }

  static word(which: usize, words: usize, at: usize): usize {
    const word = words + which * WORD_BYTES;
    v128.store(at, v128.load(word));
    return at + load<u8>(word + WORD_BYTES - 1);
  }

  static zero(at: usize): usize {
    store<u8>(at, ZERO);
    store<u16>(at + 1, POINT_ZERO);
    return at + 3;
  }

  /** Of c * 2^q. `isPower`: the neighbour below is half as far as the one above. */
  static ofParts(c: u64, q: i32, isPower: bool, powers: usize, at: usize): usize {
    const digits = Text.isWhole(c, q, 52) ? wholeOf(c, q) : shortest(c, q, isPower, powers);
    const high = digits / 100_000_000;
    const low = Wide.eight(u32(digits - high * 100_000_000));
    const first = u32(high / 100_000_000);
    return Text.ofDigits(first, Wide.eight(u32(high) - first * 100_000_000), low, at);
  }

  /** Whole numbers that a float of so many bits has all of: every digit counts. */
  @inline static isWhole(c: u64, q: i32, bits: i32): bool {
    return q <= 0 && q >= -bits && (c & ((u64(1) << -q) - 1)) == 0;
  }

  /** `digits * 10^exponent`, where the digits are the first of 17, the eight behind it, and eight more. */
  @inline static ofDigits(first: u32, middle: u64, low: u64, at: usize): usize {
    store<u8>(DIGITS, ZERO + u8(first));
    store<u64>(DIGITS + 1, middle | ASCII_ZEROS);
    store<u64>(DIGITS + 9, low | ASCII_ZEROS);
    const zeros = first ? 0 : middle ? 1 + (i32(ctz(middle)) >> 3) : 9 + (i32(ctz(low)) >> 3);
    const zerosBehind = low ? i32(clz(low)) >> 3 : middle ? 8 + (i32(clz(middle)) >> 3) : 16;
    const count = DIGITS_MAX - zeros - zerosBehind;
    const leading = DIGITS_MAX - 1 - zeros + exponent;
    const from = DIGITS + zeros;
    if (leading >= WHOLE_DIGITS_MAX || leading < LEADING_EXPONENT_MIN) return Text.scientific(from, count, leading, at);
    if (leading < 0) {
      store<u16>(at, ZERO_POINT);
      store<u64>(at + 2, ASCII_ZEROS);
      at += 1 - leading;
      Wide.copyDigits(from, at);
      return at + count;
    }
    Wide.copyDigits(from, at);
    at += leading + 1;
    if (count <= leading + 1) {
      store<u16>(at, POINT_ZERO);
      return at + 2;
    }
    Wide.copyDigits(from + leading + 1, at + 1);
    store<u8>(at, POINT);
    return at + count - leading;
  }

  /** `1.5e+16`. */
  static scientific(from: usize, count: i32, leading: i32, at: usize): usize {
    store<u8>(at, load<u8>(from));
    store<u8>(at + 1, POINT);
    Wide.copyDigits(from + 1, at + 2);
    at += count == 1 ? 1 : count + 1;
    store<u8>(at, LETTER_E);
    store<u8>(at + 1, leading < 0 ? MINUS : PLUS);
    at += 2;
    const size = abs(leading);
    if (size >= 100) store<u8>(at++, ZERO + u8(size / 100));
    if (size >= 10) store<u8>(at++, ZERO + u8((size / 10) % 10));
    store<u8>(at, ZERO + u8(size % 10));
    return at + 1;
  }
}

/** The shortest decimal of c * 2^q, the nearest of several, the even of two as near; its exponent goes to `exponent`. */
function shortest(c: u64, q: i32, isPower: bool, powers: usize): u64 {
  // floor(log10(2^q)), or of 3/4 of it.
  const k = (q * 1_262_611 - (isPower ? 524_031 : 0)) >> 22;
  // Bits by which 4c is shifted so that its product with the power has its point behind the upper 64 of 192 bits.
  const h = u64(q + ((-k * 1_741_647) >> 19) + 1);
  const power = powers + ((-k - POWER_OF_TEN_MIN) << 4);
  const g0 = load<u64>(power);
  const g1 = load<u64>(power + 8);

  // The product, of three words.
  const x = (c << 2) << h;
  const p0 = g0 * x;
  const carried = Wide.highWord(g0, x);
  const p1 = g1 * x + carried;
  const p2 = Wide.highWord(g1, x) + u64(p1 < carried);
  // Half a step above, and below: half of that beside a power of two.
  const s = h + 1;
  const up0 = g0 << s;
  const up1 = (g1 << s) | (g0 >> (64 - s));
  const up2 = g1 >> (64 - s);
  const t = isPower ? h : s;
  const down0 = g0 << t;
  const down1 = (g1 << t) | (g0 >> (64 - t));
  const down2 = g1 >> (64 - t);
  const value = Wide.rounded(p1, p2);
  const a1 = p1 + up1;
  const b1 = a1 + u64(p0 + up0 < p0);
  const above = Wide.rounded(b1, p2 + up2 + u64(a1 < p1) + u64(b1 < a1));
  const borrow = u64(p0 < down0);
  const d1 = p1 - down1;
  const below = Wide.rounded(d1 - borrow, p2 - down2 - u64(p1 < down1) - u64(d1 < borrow));

  return Wide.nearest<u64>(below, value, above, c & 1, k);
}

/**
 * The same of a significand of 24 bits, for which powers of 64 bits do. They are rounded up: the product with the power has
 * its point behind the upper 32 of 96 bits.
 */
function shortestSingle(c: u32, q: i32, isPower: bool, powers: usize): u32 {
  const k = (q * 1_262_611 - (isPower ? 524_031 : 0)) >> 22;
  const h = u32(q + ((-k * 1_741_647) >> 19) + 1);
  const power = powers + ((-k - POWER_OF_TEN_MIN) << 4);
  const g = load<u64>(power + 8) + u64(load<u64>(power) != 0);
  const value = Wide.product(g, (c << 2) << h);
  const above = Wide.product(g, ((c << 2) + 2) << h);
  const below = Wide.product(g, ((c << 2) - (isPower ? 1 : 2)) << h);
  return Wide.nearest<u32>(below, value, above, c & 1, k);
}

function wholeOf(c: u64, q: i32): u64 {
  exponent = 0;
  return c >> -q;
}

/** Arithmetic, and copies, in words of 64 bits. */
class Wide {
  /** In quarters of 10^k: the decimal between both ends that has the fewest digits, the nearest of several. */
  @inline static nearest<T>(below: T, value: T, above: T, odd: T, k: i32): T {
    // An odd float does not own the ends of its interval.
    const lower = below + odd;
    const upper = above - odd;
    const whole: T = value >> 2;
    if (whole >= 10) {
      const tens: T = whole / 10;
      const isLow: bool = lower <= tens * 40;
      const isHigh: bool = upper >= tens * 40 + 40;
      if (isLow != isHigh) {
        exponent = k + 1;
        return select<T>(tens + 1, tens, isHigh);
      }
    }
    exponent = k;
    const isLow: bool = lower <= whole * 4;
    const isHigh: bool = upper >= whole * 4 + 4;
    if (isLow != isHigh) return select<T>(whole + 1, whole, isHigh);
    const middle: T = whole * 4 + 2;
    return select<T>(whole + 1, whole, value > middle || (value == middle && (whole & 1) != 0));
  }

  /** The upper word of a product whose middle one is `middle`: odd where something lies behind the point. */
  @inline static rounded(middle: u64, upper: u64): u64 {
    return upper | u64(middle > 1);
  }

  /** The upper word of a product of 96 bits: odd where something lies behind the point. */
  @inline static product(g: u64, x: u32): u32 {
    const high = (g >> 32) * u64(x) + (((g & 0xffffffff) * u64(x)) >> 32);
    return u32(high >> 32) | u32(u32(high) > 1);
  }

  /** The upper 64 bits of a product of 128. */
  @inline static highWord(a: u64, b: u64): u64 {
    const a0 = a & 0xffffffff;
    const a1 = a >> 32;
    const b0 = b & 0xffffffff;
    const b1 = b >> 32;
    const m = a1 * b0 + ((a0 * b0) >> 32);
    return a1 * b1 + (m >> 32) + ((a0 * b1 + (m & 0xffffffff)) >> 32);
  }

  /** Eight digits, a byte each, the first one lowest: halves of four, then of two, then of one. */
  @inline static eight(value: u32): u64 {
    const high = value / 10_000;
    const fours = u64(high) | (u64(value - high * 10_000) << 32);
    const hundreds = ((fours * 10_486) >> 20) & 0x0000007f0000007f;
    const twos = hundreds | ((fours - hundreds * 100) << 16);
    const tens = ((twos * 103) >> 10) & 0x000f000f000f000f;
    return tens | ((twos - tens * 10) << 8);
  }

  /** More than there are, as one is as fast as the other. */
  @inline static copyDigits(from: usize, to: usize): void {
    v128.store(to, v128.load(from));
    store<u8>(to + 16, load<u8>(from + 16));
  }
}
