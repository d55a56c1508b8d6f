/** Elements of a native type that stand a step apart, as the scalar kernels read them. */
import { NATIVE_TYPES, type NativeType } from '../../../../src/kernels/native-types.js';
import { readerOf } from './native.js';

export interface Elements {
  readonly type: NativeType;
  readonly isFloat: boolean;
  /** 64-bit integers do not fit a float64. */
  readonly isWide: boolean;
  readonly isSigned: boolean;
  readonly length: number;
  /** Element `i` as it is: bigint for 64-bit integers. */
  exact(i: number): number | bigint;
  /** The nearest float64. */
  value(i: number): number;
  /** From element `start` on, `length` of them. */
  slice(start: number, length: number): Elements;
}

export function elementsOf(memory: DataView, type: number, ptr: number, step: number, length: number): Elements {
  const name = NATIVE_TYPES[type]!;
  const read = readerOf(type);
  return {
    type: name,
    isFloat: name.startsWith('f'),
    isWide: name.endsWith('64') && !name.startsWith('f'),
    isSigned: name.startsWith('i'),
    length,
    exact: i => read(memory, ptr + i * step),
    value: i => Number(read(memory, ptr + i * step)),
    slice: (start, count) => elementsOf(memory, type, ptr + start * step, step, count),
  };
}

/** Consecutive blocks of at most `length` elements. */
export function* blocksOf(elements: Elements, length: number): Generator<Elements, void> {
  for (let start = 0; start < elements.length; start += length) {
    yield elements.slice(start, Math.min(length, elements.length - start));
  }
}
