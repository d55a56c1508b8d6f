/** The elements with the lowest and with the highest index; first and last. */
import { withByteOrder } from '../../dtype/index.js';
import { type Accumulator, exactInteger, type Statistic } from './accumulator.js';

/** `sign` is 1 for the lowest index, -1 for the highest. */
function end(name: 'first' | 'last', sign: 1 | -1): Accumulator {
  const [low, index] = [`${name}Low`, `${name}Index`];
  const start = { [name]: 0, [index]: sign * Number.POSITIVE_INFINITY };
  return {
    fields: isWide => ({ ...start, ...(isWide && { [low]: 0 }) }),
    elements: { name: sign === 1 ? 'addFirst' : 'addLast', state: start },
    combine(into, to, from, at, count) {
      for (let i = 0; i < count; i++) {
        if (sign * (from[index]![at + i]! - into[index]![to + i]!) >= 0) continue;
        for (const field of [name, low, index]) if (into[field]) into[field][to + i] = from[field]![at + i]!;
      }
    },
  };
}

export const FIRST = end('first', 1);
export const LAST = end('last', -1);

/** NaN where nothing but NaN was seen. */
function statistic(name: 'first' | 'last') {
  return {
    needs: [name],
    dtype: dtype => withByteOrder(dtype, '<'),
    value({ fields }, cell) {
      const { [name]: value, [`${name}Low`]: low, [`${name}Index`]: index } = fields;
      if (!Number.isFinite(index![cell])) return Number.NaN;
      return low ? exactInteger(low[cell]!, 0, value![cell]) : value![cell]!;
    },
    showsNan: false,
    positional: true,
  } as const satisfies Statistic;
}

export const END_STATISTICS = { first: statistic('first'), last: statistic('last') };
