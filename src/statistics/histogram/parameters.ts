/** What a client asks of `histogram`, checked once. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';
import { didYouMean } from '../../near.js';
import { shown } from '../../shown.js';
import type { DType } from '../../dtype/index.js';
import { NATIVE_BYTES, nativeTypeOf } from '../../kernels/native-types.js';

/** Plain data. */
export type HistogramParameters =
  | {
      readonly kind: 'equal';
      readonly bins: number;
      /** undefined: from the smallest to the largest element. */
      readonly range: readonly [first: number, last: number] | undefined;
    }
  | {
      readonly kind: 'edges';
      /** Not falling, at least two; infinities are allowed. */
      readonly edges: readonly number[];
    };

/** numpy's default. */
const BINS = 10;
const EXAMPLE = '{"histogram": {"bins": 100, "range": [0, 1]}} or {"histogram": {"edges": [0, 1, 10]}}';

/** @throws bad_operation, too_large */
export function parseHistogram(given: Readonly<Record<string, unknown>>): HistogramParameters {
  const { bins, range, edges, ...rest } = given;
  const unknown = Object.keys(rest)[0];
  const takes = `it takes bins and range, or edges: ${EXAMPLE}.`;
  if (unknown !== undefined) {
    const near = didYouMean(unknown.slice(0, 60), ['bins', 'range', 'edges']);
    refuse(`histogram has no ${shown(unknown)}; ${takes}${near}`);
  }
  if (edges !== undefined && (bins !== undefined || range !== undefined)) {
    refuse(`histogram is given edges together with ${bins === undefined ? 'range' : 'bins'}; ${takes}`);
  }
  if (edges !== undefined) return { kind: 'edges', edges: parseEdges(edges) };
  return { kind: 'equal', bins: parseBins(bins ?? BINS), range: parseRange(range) };
}

function parseBins(bins: unknown): number {
  if (typeof bins !== 'number' || !Number.isInteger(bins) || bins < 1) {
    return refuse(`bins is ${shown(bins)}; it takes a whole number from 1 to ${LIMITS.histogramBinsMax}.`);
  }
  checkBins(bins);
  return bins;
}

function checkBins(bins: number): void {
  if (bins <= LIMITS.histogramBinsMax) return;
  fail(
    'too_large',
    `The histogram would have ${bins} bins; at most ${LIMITS.histogramBinsMax} are possible. Ask for fewer, or for part of the range.`,
    {
      limit: LIMITS.histogramBinsMax,
      asked: bins,
    },
  );
}

function parseRange(range: unknown): readonly [number, number] | undefined {
  if (range === undefined) return undefined;
  if (!Array.isArray(range) || range.length !== 2) {
    return refuse(`range is ${shown(range)}; it takes two numbers, the first and the last edge: [0, 1].`);
  }
  const [first, last] = range.map(edge => numberOf('range', edge)) as [number, number];
  if (!Number.isFinite(first) || !Number.isFinite(last)) {
    return refuse(`range is ${first} to ${last}; it takes finite numbers. Edges may be infinite.`);
  }
  if (first > last) return refuse(`range falls from ${first} to ${last}; the lower number comes first.`);
  return [first, last];
}

function parseEdges(edges: unknown): readonly number[] {
  if (!Array.isArray(edges) || edges.length < 2) {
    return refuse(`edges is ${shown(edges)}; it takes a list of at least two numbers, such as [0, 1, 10].`);
  }
  checkBins(edges.length - 1);
  const numbers = edges.map(edge => numberOf('edges', edge));
  const falling = numbers.findIndex((edge, i) => i > 0 && !(edge >= numbers[i - 1]!));
  if (falling > 0) refuse(`edges falls: ${numbers[falling]} follows ${numbers[falling - 1]}. Sort them.`);
  return numbers;
}

const INFINITIES: Readonly<Record<string, number>> = {
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** Numbers as JSON bodies have them everywhere: infinities are strings. */
function numberOf(name: string, given: unknown): number {
  const value = typeof given === 'string' ? INFINITIES[given] : given;
  if (typeof value !== 'number' || Number.isNaN(value)) {
    return refuse(
      `${name} has ${shown(given)}; it takes numbers${name === 'edges' ? ', "Infinity" and "-Infinity"' : ''}.`,
    );
  }
  return value;
}

function refuse(detail: string): never {
  return fail('bad_operation', detail, { op: 'histogram' });
}

/** True where the edges depend on the data. */
export function needsRange(parameters: HistogramParameters): boolean {
  return parameters.kind === 'equal' && parameters.range === undefined;
}

/** True where there are so few values that each has a counter. */
export function isCountedByValue(dtype: DType): boolean {
  return NATIVE_BYTES[nativeTypeOf(dtype)] <= 2;
}
