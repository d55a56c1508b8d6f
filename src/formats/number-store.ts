/** Numbers of a dtype into bytes, in the dtype's own order, at any place. */
import type { NumberDType } from '../dtype/index.js';
import { toFloat16Bits } from '../float16.js';

/** Where numbers go; a place is an index or a byte, as whoever reads has agreed with whoever stores. */
export interface NumberStore {
  /** For integers the value is integral and in range. */
  readonly put: (place: number, value: number) => void;
  /** For 64-bit integers. */
  readonly putExact: (place: number, value: bigint) => void;
}

/** Places are bytes. */
export function storeAt({ name, byteOrder }: NumberDType, view: DataView): NumberStore {
  const isLittle = byteOrder !== '>';
  // An integer of up to 53 bits, in two words; both take what is below zero as its complement.
  const putWide = (offset: number, value: number): void => {
    const low = isLittle ? offset : offset + 4;
    view.setUint32(low, value, isLittle);
    view.setInt32(isLittle ? offset + 4 : offset, Math.floor(value / 2 ** 32), isLittle);
  };
  const put: Readonly<Record<NumberDType['name'], NumberStore['put']>> = {
    bool: (offset, value) => view.setUint8(offset, value),
    int8: (offset, value) => view.setInt8(offset, value),
    int16: (offset, value) => view.setInt16(offset, value, isLittle),
    int32: (offset, value) => view.setInt32(offset, value, isLittle),
    int64: putWide,
    uint8: (offset, value) => view.setUint8(offset, value),
    uint16: (offset, value) => view.setUint16(offset, value, isLittle),
    uint32: (offset, value) => view.setUint32(offset, value, isLittle),
    uint64: putWide,
    float16: (offset, value) => view.setUint16(offset, toFloat16Bits(value), isLittle),
    float32: (offset, value) => view.setFloat32(offset, value, isLittle),
    float64: (offset, value) => view.setFloat64(offset, value, isLittle),
  };
  return {
    put: put[name],
    putExact: (offset, value) => view.setBigInt64(offset, BigInt.asIntN(64, value), isLittle),
  };
}
