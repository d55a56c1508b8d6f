/**
 * The statistics as a table. A statistic is finished from quantities that merge: each chunk measures the quantities of
 * all operations of a query in one pass. A new statistic is a row here and its formula in finish.ts; a new quantity is
 * a row in FIELDS, a kernel, and its merge.
 */

/** What a pass over the data measures, per cell of the answer. */
export type Quantity = 'sum' | 'm2' | 'prod' | 'min' | 'max' | 'argmin' | 'argmax' | 'nonzero';

interface OpRow {
  readonly quantities: readonly Quantity[];
  /** It has no value without an element, and NaN (which has no order) must be looked for to answer as numpy does. */
  readonly ordered?: true;
  /** Its value is a position, so only one axis, or all of them, make sense. */
  readonly positional?: true;
}

export const OPS = {
  count: { quantities: [] },
  sum: { quantities: ['sum'] },
  prod: { quantities: ['prod'] },
  mean: { quantities: ['sum'] },
  var: { quantities: ['sum', 'm2'] },
  std: { quantities: ['sum', 'm2'] },
  min: { quantities: ['min'], ordered: true },
  max: { quantities: ['max'], ordered: true },
  ptp: { quantities: ['min', 'max'], ordered: true },
  argmin: { quantities: ['min', 'argmin'], ordered: true, positional: true },
  argmax: { quantities: ['max', 'argmax'], ordered: true, positional: true },
  any: { quantities: ['nonzero'] },
  all: { quantities: ['nonzero'] },
  count_nonzero: { quantities: ['nonzero'] },
} as const satisfies Record<string, OpRow>;

export type OpName = keyof typeof OPS;

export const OP_NAMES = Object.keys(OPS) as readonly OpName[];

export function opRow(op: OpName): OpRow {
  return OPS[op];
}
