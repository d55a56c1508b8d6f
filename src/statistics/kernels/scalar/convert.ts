/** Bytes of a file → native numbers. */

export interface ConvertKernels {
  /** Any byte but zero becomes 1. `from` and `to` may be the same, but must not overlap otherwise. */
  boolsToBytes(from: number, to: number, count: number): void;
}

export function convertKernels(memory: DataView): ConvertKernels {
  return {
    boolsToBytes(from, to, count) {
      for (let i = 0; i < count; i++) memory.setUint8(to + i, memory.getUint8(from + i) === 0 ? 0 : 1);
    },
  };
}
