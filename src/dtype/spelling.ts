/** Every dtype that is written as one word: what `np.dtype(text)` takes, but for objects and text of no length. */
import { LIMITS } from '../limits.js';
import { numberOf } from './numbers.js';
import { unitNamed } from './time-unit.js';
import type { ByteOrder, DType, TimeUnit } from './types.js';

/** A family of dtypes: how it is spelled without byte order, and what it is then. Undefined where that is none. */
interface Family {
  readonly pattern: RegExp;
  readonly make: (match: RegExpExecArray, byteOrder: '<' | '>') => DType | undefined;
}

const FAMILIES: readonly Family[] = [
  {
    pattern: /^(?:(c8|F|complex64|csingle)|c16|D|complex128|complex|cdouble)$/,
    make: ([, single], byteOrder) => {
      const itemsize = single === undefined ? 16 : 8;
      return { kind: 'c', itemsize, byteOrder, typestr: `${byteOrder}c${itemsize}`, name: `complex${8 * itemsize}` };
    },
  },
  {
    pattern: /^(?:(f16|g|longdouble|float128)|c32|G|clongdouble|complex256)$/,
    make: ([, real], byteOrder) =>
      real === undefined
        ? { kind: 'G', itemsize: 32, byteOrder, typestr: `${byteOrder}c32`, name: 'complex256' }
        : { kind: 'g', itemsize: 16, byteOrder, typestr: `${byteOrder}f16`, name: 'float128' },
  },
  {
    pattern: /^(?:M8|datetime64|m8|timedelta64)(?:\[([^\]]*)\])?$|^[Mm]$/,
    make: ([text, unitText], byteOrder) => {
      const unit = unitText === undefined ? undefined : unitNamed(unitText);
      return unit === 'none' ? undefined : timeDType(/^[Md]/.test(text) ? 'M' : 'm', unit, byteOrder);
    },
  },
  {
    // `c` is numpy's char for one byte of text, `a` its old letter for `S`.
    pattern: /^(?:([aSUV])([1-9][0-9]{0,9})|c)$/,
    make: ([, letter = 'S', digits = '1'], byteOrder) => {
      const length = Number(digits);
      const kind = letter === 'a' ? 'S' : (letter as 'S' | 'U' | 'V');
      const itemsize = kind === 'U' ? 4 * length : length;
      if (itemsize > LIMITS.itemsizeMax) return undefined;
      if (kind === 'U') {
        return { kind, length, itemsize, byteOrder, typestr: `${byteOrder}U${length}`, name: `str${8 * itemsize}` };
      }
      const common = { itemsize, byteOrder: '|', typestr: `|${kind}${length}` } as const;
      return kind === 'S'
        ? { kind, length, ...common, name: `bytes${8 * length}` }
        : { kind, ...common, name: `void${8 * length}` };
    },
  },
];

/** Undefined where the word is no dtype that is served. Without a byte order it is little-endian. */
export function dtypeSpelled(word: string): DType | undefined {
  const match = /^([<>|=]?)([A-Za-z?][A-Za-z0-9_]{0,15}(?:\[[^\]]{0,30}\])?)$/.exec(word);
  if (!match) return undefined;
  const byteOrder = match[1] === '>' ? '>' : '<';
  const spelling = match[2]!;
  const number = numberOf(spelling, byteOrder);
  if (number) return number;
  for (const { pattern, make } of FAMILIES) {
    const found = pattern.exec(spelling);
    if (found) return make(found, byteOrder);
  }
  return undefined;
}

/** datetime64 or timedelta64 of a unit. */
export function timeDType(
  kind: 'M' | 'm',
  unit: TimeUnit | undefined,
  byteOrder: ByteOrder,
): DType & { kind: 'M' | 'm' } {
  const brackets = unit ? `[${unit.count === 1 ? '' : unit.count}${unit.name}]` : '';
  const name = `${kind === 'M' ? 'datetime64' : 'timedelta64'}${brackets}`;
  return { kind, unit, itemsize: 8, byteOrder, typestr: `${byteOrder}${kind}8${brackets}`, name };
}
