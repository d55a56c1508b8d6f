/** What a query says of `cov`, and what is known of it when columns are planned. */
import { fail } from '../errors.js';
import { didYouMean } from '../near.js';
import { shown } from '../shown.js';

export interface CovParameters {
  /** The products are divided by rows - ddof. */
  readonly ddof?: number;
}

/** As numpy's, where nothing is said: of a sample. */
const DEFAULT_DDOF = 1;

/** @throws bad_operation */
export function parseCov(given: Readonly<Record<string, unknown>>): CovParameters {
  const { ddof, ...rest } = given;
  const [unknown] = Object.keys(rest);
  if (unknown !== undefined) {
    const detail = `cov has no ${shown(unknown)}; it takes ddof: {"cov": {"ddof": 1}}.${didYouMean(unknown.slice(0, 60), ['ddof'])}`;
    fail('bad_operation', detail, { op: 'cov', unsupported: unknown.slice(0, 60) });
  }
  return ddof === undefined ? {} : { ddof: checkedDdof(ddof) };
}

/** The query's own ddof, where it has one, is that of a cov without. @throws bad_operation */
export function settledCov({ ddof }: CovParameters, ofQuery: number | undefined): Required<CovParameters> {
  return { ddof: ddof ?? (ofQuery === undefined ? DEFAULT_DDOF : checkedDdof(ofQuery)) };
}

function checkedDdof(ddof: unknown): number {
  if (Number.isSafeInteger(ddof)) return ddof as number;
  return fail(
    'bad_operation',
    `The ddof of cov is ${shown(ddof)}; as in numpy it is a whole number: {"cov": {"ddof": 1}}.`,
    {
      op: 'cov',
    },
  );
}
