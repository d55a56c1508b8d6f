/** Elements, those that are zero, and the first NaN; count, any, all and count_nonzero. */
import { numberDType } from '../../dtype/index.js';
import { usedIn, type Accumulator, type Cells, type Statistic } from './accumulator.js';

const INT64 = numberDType('<i8');
const BOOL = numberDType('|b1');

function adding(field: string): Accumulator {
  return {
    fields: () => ({ [field]: 0 }),
    combine({ [field]: into }, to, { [field]: from }, at, count) {
      for (let i = 0; i < count; i++) into![to + i]! += from![at + i]!;
    },
  };
}

/** Elements that are not NaN. */
export const COUNT = adding('count');

export const ZEROS = adding('zeros');

export const NAN_INDEX: Accumulator = {
  fields: () => ({ nanIndex: Number.POSITIVE_INFINITY }),
  combine({ nanIndex: into }, to, { nanIndex: from }, at, count) {
    for (let i = 0; i < count; i++) into![to + i] = Math.min(into![to + i]!, from![at + i]!);
  },
};

/** NaN is not zero. */
function nonzeroIn(cells: Cells, cell: number): number {
  return usedIn(cells, cell) - cells.fields['zeros']![cell]!;
}

export const COUNT_STATISTICS = {
  count: { needs: [], dtype: () => INT64, value: usedIn, showsNan: false },
  any: {
    needs: ['zeros'],
    dtype: () => BOOL,
    value: (cells, cell) => Number(nonzeroIn(cells, cell) > 0),
    showsNan: false,
  },
  all: {
    needs: ['zeros'],
    dtype: () => BOOL,
    value: ({ fields }, cell) => Number(fields['zeros']![cell] === 0),
    showsNan: false,
  },
  count_nonzero: { needs: ['zeros'], dtype: () => INT64, value: nonzeroIn, showsNan: false },
} as const satisfies Record<string, Statistic>;
