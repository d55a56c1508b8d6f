/** What a client asks of `quantile`, checked once. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { didYouMean } from '../../near.js';
import { listed, shown } from '../../shown.js';
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
    fail(
      'bad_operation',
      `quantile has no ${shown(unknown)}; it takes q and method: ${EXAMPLE}.${didYouMean(unknown.slice(0, 60), ['q', 'method'])}`,
      { op: 'quantile', unsupported: unknown },
    );
  }
  if (q === undefined) fail('bad_operation', `quantile needs q, a number or a list: ${EXAMPLE}.`, { op: 'quantile' });
  if (typeof method !== 'string' || !isMethod(method)) {
    const near = typeof method === 'string' ? didYouMean(method.slice(0, 60), METHOD_NAMES) : '';
    const detail = `method is ${shown(method)}; it takes ${listed(METHOD_NAMES)}.${near}`;
    return fail('bad_operation', detail, { op: 'quantile', supported: METHOD_NAMES });
  }
  const list: readonly unknown[] = Array.isArray(q) ? q : [q];
  if (list.length === 0)
    fail('bad_operation', 'q is an empty list; it takes a number from 0 to 1, or a list of them.', { op: 'quantile' });
  if (list.length > LIMITS.quantilesMax) {
    fail(
      'too_large',
      `q has ${list.length} quantiles; at most ${LIMITS.quantilesMax} are computed at once. Ask for the others in another query.`,
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
  return fail(
    'bad_operation',
    `q has ${shown(q)}; it takes numbers from 0 to 1. Percentiles are divided by 100: 0.25 for the 25th.`,
    { op: 'quantile' },
  );
}
