/** What a client asks of `histogram`, checked once. */
import { fail } from '../../errors.js';
import { LIMITS } from '../../limits.js';

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
  if (unknown !== undefined || (edges !== undefined && (bins !== undefined || range !== undefined))) {
    refuse(`histogram takes bins and range, or edges: ${EXAMPLE}.`);
  }
  if (edges !== undefined) return { kind: 'edges', edges: parseEdges(edges) };
  return { kind: 'equal', bins: parseBins(bins ?? BINS), range: parseRange(range) };
}

function parseBins(bins: unknown): number {
  if (typeof bins !== 'number' || !Number.isInteger(bins) || bins < 1) return refuse('bins is a whole number from 1.');
  checkBins(bins);
  return bins;
}

function checkBins(bins: number): void {
  if (bins <= LIMITS.histogramBinsMax) return;
  fail('too_large', `A histogram has at most ${LIMITS.histogramBinsMax} bins, and ${bins} were asked for.`, {
    limit: LIMITS.histogramBinsMax,
    asked: bins,
  });
}

function parseRange(range: unknown): readonly [number, number] | undefined {
  if (range === undefined) return undefined;
  if (!Array.isArray(range) || range.length !== 2) return refuse('range holds the first and the last edge: [0, 1].');
  const [first, last] = range.map(numberOf) as [number, number];
  if (!Number.isFinite(first) || !Number.isFinite(last)) return refuse('The range of a histogram is finite.');
  if (first > last) return refuse(`The range of a histogram does not fall: ${first} is above ${last}.`);
  return [first, last];
}

function parseEdges(edges: unknown): readonly number[] {
  if (!Array.isArray(edges) || edges.length < 2) return refuse('edges holds at least two numbers.');
  checkBins(edges.length - 1);
  const numbers = edges.map(numberOf);
  const falling = numbers.findIndex((edge, i) => i > 0 && !(edge >= numbers[i - 1]!));
  if (falling > 0) refuse(`Edges do not fall: ${numbers[falling]} follows ${numbers[falling - 1]}.`);
  return numbers;
}

const INFINITIES: Readonly<Record<string, number>> = {
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
};

/** Numbers as JSON bodies have them everywhere: infinities are strings. */
function numberOf(given: unknown): number {
  const value = typeof given === 'string' ? INFINITIES[given] : given;
  if (typeof value !== 'number' || Number.isNaN(value)) return refuse('Edges and ranges are numbers.');
  return value;
}

function refuse(detail: string): never {
  return fail('bad_operation', detail, { op: 'histogram' });
}
