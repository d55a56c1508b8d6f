/** The table of conversions: from what kind to what kind of elements, and how. */
import {
  isNumber,
  numberDType,
  type DType,
  type LeafDType,
  type NumberDType,
  type TextDType,
  type TimeDType,
} from '../dtype/index.js';
import { lossesOf } from './losses.js';
import { bigItems, copy, doublesOf, highHalves, lowHalves, NONE, putWide, type Kernel, type Loss } from './kernel.js';
import { numberKernel } from './numbers.js';
import { recoded, resized } from './texts.js';
import { timeKernel } from './times.js';

type Make = (from: DType, to: DType, loss: Loss) => Kernel;

/** Numbers of whole digits and floats are `n`, complex ones `c`, long doubles `g`; the others are numpy's kinds. */
type Class = 'n' | 'c' | 'M' | 'm' | 'S' | 'U' | 'V' | 'g';

/** Pairs without a row cannot be converted. */
const TABLE: Readonly<Partial<Record<`${Class}${Class}`, Make>>> = {
  nn: (from, to, loss) => numbers(from as NumberDType, to as NumberDType, loss),
  nc: (from, to, loss) => withZeros(numbers(from as NumberDType, partOf(to), loss), from.itemsize, to.itemsize / 2),
  cc: (from, to, loss) => pairs(numbers(partOf(from), partOf(to), loss)),
  cn: (from, to) =>
    to.kind === 'b'
      ? pairsToBools(partOf(from))
      : realParts(numberKernel(partOf(from), to as NumberDType), from.itemsize / 2),
  nm: (from, _to, loss) => counts(from as NumberDType, loss),
  nM: (from, _to, loss) => counts(from as NumberDType, loss),
  cm: from => realParts(counts(partOf(from), 'wrap'), from.itemsize / 2),
  cM: from => realParts(counts(partOf(from), 'wrap'), from.itemsize / 2),
  mn: (_from, to) => numberKernel(INT64, to as NumberDType),
  Mn: (_from, to) => numberKernel(INT64, to as NumberDType),
  mc: (_from, to) => withZeros(numberKernel(INT64, partOf(to)), 8, to.itemsize / 2),
  Mc: (_from, to) => withZeros(numberKernel(INT64, partOf(to)), 8, to.itemsize / 2),
  mm: (from, to, loss) => timeKernel(from as TimeDType, to as TimeDType, loss),
  MM: (from, to, loss) => timeKernel(from as TimeDType, to as TimeDType, loss),
  // As numpy: the count, whatever the units.
  mM: () => copy,
  Mm: () => copy,
  SS: (from, to, loss) => resized(from.itemsize, to.itemsize, loss),
  UU: (from, to, loss) => resized(from.itemsize, to.itemsize, loss),
  SU: (from, to, loss) => recoded(from as TextDType, to as TextDType, loss),
  US: (from, to, loss) => recoded(from as TextDType, to as TextDType, loss),
  VV: (from, to, loss) => resized(from.itemsize, to.itemsize, loss),
  ...toVoid('n'),
  ...toVoid('c'),
  ...toVoid('M'),
  ...toVoid('m'),
  ...toVoid('S'),
  ...toVoid('U'),
  ...toVoid('g'),
};

/** The bytes of the little-endian element. */
function toVoid(from: Class): Partial<Record<string, Make>> {
  return { [`${from}V`]: ({ itemsize }: DType, to: DType, loss: Loss) => resized(itemsize, to.itemsize, loss) };
}

/** Undefined where elements of the one do not become elements of the other. The byte orders do not matter. */
export function kernelOf(from: LeafDType, to: LeafDType, loss: Loss): Kernel | undefined {
  if (from.kind === to.kind && from.name === to.name && from.kind !== 'b') return copy;
  return TABLE[`${classOf(from)}${classOf(to)}`]?.(from, to, loss);
}

function classOf(dtype: LeafDType): Class {
  if (isNumber(dtype)) return 'n';
  return dtype.kind === 'g' || dtype.kind === 'G' ? 'g' : dtype.kind;
}

const INT64 = numberDType('<i8');

/** What both parts of a complex number are. */
function partOf({ itemsize }: DType): NumberDType {
  return numberDType(itemsize === 8 ? '<f4' : '<f8');
}

function numbers(from: NumberDType, to: NumberDType, loss: Loss): Kernel {
  const convert = numberKernel(from, to);
  const check = loss === 'refuse' ? lossesOf(from, to) : undefined;
  return check ? checked(check, from.name === to.name ? copy : convert) : convert;
}

function checked(check: (source: Uint8Array) => number, convert: Kernel): Kernel {
  return (source, target) => {
    const lost = check(source);
    return lost === NONE ? convert(source, target) : lost;
  };
}

/** Numbers of half as many bytes each, in pairs: an element is lost where one of both is. */
function pairs(convert: Kernel): Kernel {
  return (source, target) => {
    const lost = convert(source, target);
    return lost === NONE ? NONE : Math.floor(lost / 2);
  };
}

/** Real numbers → the real parts of complex ones, of `bytes` each. */
function withZeros(convert: Kernel, fromBytes: number, bytes: number): Kernel {
  return (source, target) => {
    const reals = new Uint8Array((source.length / fromBytes) * bytes);
    const lost = convert(source, reals);
    target.fill(0);
    copyParts(lowHalves(reals), lowHalves(target), bytes / 4, { from: 1, to: 2 });
    return lost;
  };
}

/** The real parts, of `bytes` each, go on. */
function realParts(convert: Kernel, bytes: number): Kernel {
  return (source, target) => {
    const reals = new Uint8Array(source.length / 2);
    copyParts(lowHalves(source), lowHalves(reals), bytes / 4, { from: 2, to: 1 });
    return convert(reals, target);
  };
}

/** Copies parts of so many words, of which `from` and `to` make an element. */
function copyParts(source: Uint32Array, target: Uint32Array, words: number, each: { from: number; to: number }): void {
  const count = source.length / words / each.from;
  for (let i = 0; i < count; i++) {
    for (let k = 0; k < words; k++) target[i * each.to * words + k] = source[i * each.from * words + k]!;
  }
}

function pairsToBools(part: NumberDType): Kernel {
  return (source, target) => {
    const values = doublesOf(part, source);
    for (let i = 0; i < target.length; i++) target[i] = values[2 * i] === 0 && values[2 * i + 1] === 0 ? 0 : 1;
    return NONE;
  };
}

/** Numbers → counts of a unit. What is no number, or beyond 64 bits, becomes NaT, as C makes it. */
function counts(from: NumberDType, loss: Loss): Kernel {
  if (from.kind !== 'f') return numbers(from, INT64, loss);
  return (source, target) => {
    const values = doublesOf(from, source);
    const halves = highHalves(target);
    const items = bigItems(target);
    for (let i = 0; i < values.length; i++) {
      const value = Math.trunc(values[i]!);
      if (Math.abs(value) < 2 ** 53) putWide(halves, i, value);
      else items[i] = Math.abs(value) < 2 ** 63 ? BigInt(value) : NAT;
    }
    return NONE;
  };
}

const NAT = -(2n ** 63n);
