/** What a round over groups measures, and what comes back: plain data between threads. */

/**
 * What is kept per cell of a group. Records are those of the kernels (kernels/scalar/groups.ts); `wide` is the sum of
 * 64-bit integers. `present` counts the elements that are not NaN.
 */
export const RECORDS = {
  present: { bytes: 4 },
  nonzero: { bytes: 4 },
  sum: { bytes: 16 },
  wide: { bytes: 16 },
  moments: { bytes: 48 },
  extremes: { bytes: 16 },
  product: { bytes: 24 },
} as const;

export type RecordName = keyof typeof RECORDS;

/** Bytes of the records, as the kernels left them. */
export type RecordBytes = { readonly [R in RecordName]?: Uint8Array<ArrayBuffer> };
