/** A query in the parameters of a URL: what they are, and the JSON query that they stand for. */
import { Type } from 'typebox';
import { fail } from '../src/errors.js';
import { parseExactJson } from '../src/formats/index.js';
import { LIMITS } from '../src/limits.js';
import { integerOf, splitList } from '../src/selection.js';
import { shown } from '../src/shown.js';
import { double, FIELD } from './schemas/index.js';
import type { StatisticsInput } from './statistics-answer.js';

const text = (description: string, words: object = {}) => Type.Optional(Type.String({ description, ...words }));

/** The parameters; the examples ask for one operation or for two. */
export const urlQuery = (isOne: boolean) => ({
  ops: text('Operations, comma-separated: mean,std', { example: isOne ? 'mean' : 'mean,std' }),
  slice: text('Basic indexing, applied first.'),
  field: FIELD,
  axis: text('Axes to reduce, by number or by the names that dims gives them, comma-separated; absent reduces all.', {
    example: '0',
  }),
  keepdims: Type.Optional(Type.Boolean({ description: 'Keep reduced axes, with a length of 1.' })),
  ddof: Type.Optional(double({ description: 'Delta degrees of freedom of var and std, and of cov.' })),
  bias: Type.Optional(Type.Boolean({ description: 'false corrects skew and kurtosis for the size of a sample.' })),
  nan: text('What NaN does: propagate, omit or raise.'),
  as: text('Names for the results, comma-separated.'),
  where: text('Which rows are used: the JSON of a filter.'),
  group_by: text('What rows are grouped by: the JSON of a key, or of a list of keys.'),
  q: text('Quantiles from 0 to 1, comma-separated; one number alone has no axis in the answer, 0.5, with a comma has.'),
  bins: text('Number of bins of a histogram; 10 where only range is given.'),
  range: text('Range of a histogram, lo,hi; absent: from the smallest to the largest element.'),
});

export interface UrlQuery extends Record<string, unknown> {
  readonly ops?: string;
  readonly q?: string;
  readonly bins?: string;
  readonly range?: string;
  readonly axis?: string;
  readonly as?: string;
  readonly where?: string;
  readonly group_by?: string;
}

/** The parameters of a URL in the shape of the JSON query. */
export function fromUrl(query: UrlQuery): StatisticsInput {
  const { ops, axis, as, q, bins, range, where, group_by: groupBy, format: _, ...rest } = query;
  // These imply their operation, which stands at the end where it is not named.
  const implied: Record<string, object> = {
    ...(q !== undefined && { quantile: { q: parseFractions(q) } }),
    ...((bins !== undefined || range !== undefined) && {
      histogram: {
        ...(bins !== undefined && { bins: parseNumber('bins', bins) }),
        range: range && splitList(range).map(each => parseNumber('range', each)),
      },
    }),
  };
  const names = ops === undefined ? [] : splitList(ops);
  for (const name of Object.keys(implied)) if (!names.includes(name)) names.push(name);
  const named = names.map(name => (Object.hasOwn(implied, name) ? { [name]: implied[name] } : name));
  if (named.length === 0) fail('bad_request', 'ops is missing: name operations, for example ops=mean,std.');
  return {
    ...rest,
    ops: named,
    ...(axis !== undefined && { axis: parseAxes(axis) }),
    ...(as !== undefined && { as: splitList(as) }),
    ...(where !== undefined && { where: parseText('where', where) }),
    ...(groupBy !== undefined && { group_by: parseText('group_by', groupBy) }),
  };
}

const JSON_EXAMPLES = {
  where: '{"column":3,"gt":0.5}',
  group_by: '{"column":3} or [{"column":3},{"dataset":"other"}]',
} as const;

/** A parameter that is JSON. */
function parseText(name: keyof typeof JSON_EXAMPLES, text: string): unknown {
  try {
    return parseExactJson(text);
  } catch {
    const detail = `${name} is ${shown(text)}, which is no JSON. Write it like ${name}=${JSON_EXAMPLES[name]}, percent-encoded.`;
    return fail('bad_request', detail, { at: name });
  }
}

function parseAxes(axis: string): (number | string)[] | null {
  return axis === '' || axis === 'null' || axis === 'None' ? null : splitList(axis).map(parseAxis);
}

/** A number, or else a name. */
function parseAxis(axis: string): number | string {
  const remedy = 'Axes are integers in ASCII digits, with commas between them: axis=0, axis=-1 or axis=0,1.';
  const value = integerOf(axis);
  if (value === undefined) return axis;
  if (Math.abs(value) < LIMITS.rankMax) return value;
  const detail = `Axis ${axis.slice(0, 60)} does not exist: an array has at most ${LIMITS.rankMax}. ${remedy}`;
  return fail('bad_axis', detail, { axis: axis.slice(0, 60) });
}

/** One number, or a list of them: `0.5`, `0.25,0.75`, and `0.5,` for a list of one. */
function parseFractions(list: string): unknown {
  const fractions = splitList(list).map(each => parseNumber('q', each));
  return list.includes(',') ? fractions : fractions[0];
}

/** Each digit can belong to one part of it only, so that long texts are read in linear time. */
const DECIMAL = /^-?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i;

/** What numbers look like, and what is said of other texts. */
const NUMBERS = {
  q: {
    form: DECIMAL,
    words: 'q has',
    takes: 'numbers from 0 to 1. Percentiles are divided by 100: 0.25 for the 25th.',
  },
  range: { form: DECIMAL, words: 'range has', takes: 'numbers.' },
  bins: { form: /^\d{1,15}$/, words: 'bins is', takes: `a whole number from 1 to ${LIMITS.histogramBinsMax}.` },
} as const;

function parseNumber(name: keyof typeof NUMBERS, text: string): number {
  const { form, words, takes } = NUMBERS[name];
  if (form.test(text)) return Number(text);
  return fail('bad_request', `${words} ${shown(text)}; it takes ${takes}`, { at: name });
}
