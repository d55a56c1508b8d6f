/** What a client asks of `quantile`, checked once. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { isMethod, METHOD_NAMES, type Method } from './methods.js';

/** Plain data. */
export interface QuantileParameters {
  /** Each from 0 to 1, at least one. */
  readonly q: readonly number[];
  /** True where one number was given instead of a list: the answer then has no axis for it. */
  readonly isSingle: boolean;
  readonly method: Method;
}

const EXAMPLE = '{"quantile": {"q": [0.1, 0.5], "method": "linear"}}';

/** @throws bad_operation, too_large */
export function parseQuantile(given: Readonly<Record<string, unknown>>): QuantileParameters {
  const { q, method = 'linear', ...rest } = given;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) {
    fail('bad_operation', `quantile takes q and method: ${EXAMPLE}.`, { op: 'quantile', unsupported: unknown });
  }
  if (q === undefined) fail('bad_operation', `quantile needs q, a number or a list: ${EXAMPLE}.`, { op: 'quantile' });
  if (typeof method !== 'string' || !isMethod(method)) {
    return fail('bad_operation', `method is one of ${METHOD_NAMES.join(', ')}.`, {
      op: 'quantile',
      supported: METHOD_NAMES,
    });
  }
  const list: readonly unknown[] = Array.isArray(q) ? q : [q];
  if (list.length === 0) fail('bad_operation', 'q holds at least one number from 0 to 1.', { op: 'quantile' });
  if (list.length > LIMITS.quantilesMax) {
    fail(
      'too_large',
      `At most ${LIMITS.quantilesMax} quantiles are computed at once, and ${list.length} were asked for.`,
      {
        limit: LIMITS.quantilesMax,
        asked: list.length,
      },
    );
  }
  return { q: list.map(checkedFraction), isSingle: !Array.isArray(q), method };
}

function checkedFraction(q: unknown): number {
  if (typeof q === 'number' && q >= 0 && q <= 1) return q;
  return fail('bad_operation', 'q holds numbers from 0 to 1; percentiles are divided by 100.', { op: 'quantile' });
}
