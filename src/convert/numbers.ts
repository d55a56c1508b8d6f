/**
 * Numbers → numbers, as C and numpy convert them: integers modulo 2^n, floats rounded once, half to even. Floats become
 * integers by truncation, modulo 2^n, and NaN and infinities 0, which C leaves undefined.
 */
import { isWide, type NumberDType } from '../dtype/index.js';
import { float16ToFloat32, toFloat16Bits } from '../float16.js';
import { bigItems, copy, doublesOf, highHalves, lanesOf, lowHalves, NONE, putWide, type Kernel } from './kernel.js';

/** A kernel that takes everything over, whatever is lost. */
export function numberKernel(from: NumberDType, to: NumberDType): Kernel {
  if (to.kind === 'b') return isWide(from) ? wideToBool : toBool(from);
  if (from.name === to.name) return copy;
  if (from.kind === 'b') return fromBool(to);
  if (isWide(from)) return fromWide(from, to);
  if (isWide(to)) return from.kind === 'f' ? floatToWide(from) : integerToWide(from);
  if (to.name === 'float16') return toHalf(from);
  const values = from.name === 'float16' ? halvesOf : (source: Uint8Array) => lanesOf(from.name, source);
  // The engine has a loop of its own for each pair of types; truncation and modulo 2^n are ECMAScript's.
  return (source, target) => {
    lanesOf(to.name, target).set(values(source));
    return NONE;
  };
}

const halvesOf = (source: Uint8Array): Float32Array => float16ToFloat32(lanesOf('float16', source) as Uint16Array);

function toBool(from: NumberDType): Kernel {
  return (source, target) => {
    const values = doublesOf(from, source);
    for (let i = 0; i < values.length; i++) target[i] = values[i] === 0 ? 0 : 1;
    return NONE;
  };
}

const wideToBool: Kernel = (source, target) => {
  const halves = lowHalves(source);
  for (let i = 0; i < target.length; i++) target[i] = (halves[2 * i]! | halves[2 * i + 1]!) === 0 ? 0 : 1;
  return NONE;
};

/** Any byte but 0 is true. */
function fromBool(to: NumberDType): Kernel {
  if (!isWide(to) && to.name !== 'float16') {
    return (source, target) => {
      const bits = new Uint8Array(source.length);
      for (let i = 0; i < bits.length; i++) bits[i] = source[i] === 0 ? 0 : 1;
      lanesOf(to.name, target).set(bits);
      return NONE;
    };
  }
  const one = to.name === 'float16' ? 0x3c00 : 1;
  const lanes = isWide(to) ? 2 : 1;
  return (source, target) => {
    const values = isWide(to) ? lowHalves(target) : (lanesOf(to.name, target) as Uint16Array);
    values.fill(0);
    for (let i = 0; i < source.length; i++) if (source[i] !== 0) values[lanes * i] = one;
    return NONE;
  };
}

function toHalf(from: NumberDType): Kernel {
  return (source, target) => {
    const values = doublesOf(from, source);
    const halves = lanesOf('float16', target);
    const words = new Uint32Array(values.buffer, values.byteOffset, 2 * values.length);
    for (let i = 0; i < halves.length; i++) halves[i] = halfOf(words[2 * i + 1]!, words[2 * i]!);
    return NONE;
  };
}

/** The float16 nearest to the double of these halves, ties to even. */
function halfOf(high: number, low: number): number {
  const sign = (high >>> 16) & 0x8000;
  const exponent = ((high >>> 20) & 0x7ff) - 1008;
  const fraction = high & 0xf_ffff;
  if (exponent >= 31) return sign | (exponent === 1039 && (fraction | low) !== 0 ? 0x7e00 : 0x7c00);
  // Below 2^-25 everything is zero.
  if (exponent < -10) return sign;
  const isNormal = exponent > 0;
  const digits = isNormal ? fraction : fraction | 0x10_0000;
  const dropped = isNormal ? 10 : 11 - exponent;
  const kept = (isNormal ? exponent << 10 : 0) | (digits >>> dropped);
  const rest = digits & ((1 << dropped) - 1);
  const half = 1 << (dropped - 1);
  // A carry out of the fraction moves into the exponent by itself.
  const isUp = rest > half || (rest === half && (low !== 0 || (kept & 1) === 1));
  return sign | (kept + (isUp ? 1 : 0));
}

/** From int64 or uint64. */
function fromWide(from: NumberDType, to: NumberDType): Kernel {
  if (isWide(to)) return copy;
  if (to.kind === 'f') return wideToFloat(from, to);
  return (source, target) => {
    const values = lanesOf(to.name, target);
    const halves = lowHalves(source);
    for (let i = 0; i < values.length; i++) values[i] = halves[2 * i]!;
    return NONE;
  };
}

/**
 * Rounds once: a double is right by itself, as the sum of its halves. For the narrower floats the low twelve bits of large
 * values become one sticky bit first, so that the double is exact.
 */
function wideToFloat(from: NumberDType, to: NumberDType): Kernel {
  const isHalf = to.name === 'float16';
  const isNarrow = to.itemsize < 8;
  return (source, target) => {
    const lows = lowHalves(source);
    const highs = from.kind === 'i' ? highHalves(source) : lows;
    const values = new Float64Array(lows.length / 2);
    for (let i = 0; i < values.length; i++) {
      const high = highs[2 * i + 1]!;
      let low = lows[2 * i]!;
      if (isNarrow && (high >= 2 ** 21 || high < -(2 ** 21))) {
        low = ((low & 0xffff_f000) >>> 0) + ((low & 0xfff) === 0 ? 0 : 0x800);
      }
      values[i] = high * 2 ** 32 + low;
    }
    const floats = lanesOf(to.name, target);
    if (isHalf) for (let i = 0; i < values.length; i++) floats[i] = toFloat16Bits(values[i]!);
    else floats.set(values);
    return NONE;
  };
}

function integerToWide(from: NumberDType): Kernel {
  return (source, target) => {
    const values = doublesOf(from, source);
    const halves = highHalves(target);
    for (let i = 0; i < values.length; i++) {
      halves[2 * i] = values[i]!;
      halves[2 * i + 1] = values[i]! < 0 ? -1 : 0;
    }
    return NONE;
  };
}

function floatToWide(from: NumberDType): Kernel {
  return (source, target) => {
    const values = doublesOf(from, source);
    const halves = highHalves(target);
    const items = bigItems(target);
    for (let i = 0; i < values.length; i++) {
      const value = Math.trunc(values[i]!);
      if (Math.abs(value) < 2 ** 53) putWide(halves, i, value);
      else items[i] = Number.isFinite(value) ? BigInt.asIntN(64, BigInt(value)) : 0n;
    }
    return NONE;
  };
}
