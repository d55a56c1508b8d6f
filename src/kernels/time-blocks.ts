/** What a kernel finds the blocks of dates with (kernels/times.ts). Plain data, which may cross threads. */
export interface TimeBlocks {
  /** A date is so many parts; */
  readonly unit: bigint;
  /** a block has so many, and began so many before 1970-01-01. */
  readonly period: bigint;
  readonly shift: bigint;
  /** Months in a block, where a period is a day; else 0. */
  readonly months: bigint;
}

export const TIME_BLOCKS_BYTES = 64;

const INT64_MAX = 2n ** 63n - 1n;

/** Whether a kernel can count with them. */
export function fitsKernel({ unit, period, shift }: TimeBlocks): boolean {
  const { dates } = wholeOf({ unit, period });
  return unit === 1n || dates * unit + shift <= INT64_MAX;
}

/** The numbers in the order of the kernel's struct. */
export function putTimeBlocks(view: DataView, at: number, { unit, period, shift, months }: TimeBlocks): void {
  const { dates, blocks } = wholeOf({ unit, period });
  // Of one part each, no date may lie outside two blocks.
  const isLong = unit === 1n && period > INT64_MAX;
  const above = period - shift;
  const numbers = isLong
    ? [unit, 0n, shift > INT64_MAX ? INT64_MAX : shift, 0n, 0n, months, above > INT64_MAX ? 1n : 2n, above]
    : [unit, period, shift, dates, blocks, months, 0n, 0n];
  for (const [i, number] of numbers.entries()) view.setBigInt64(at + 8 * i, number, true);
}

/** The fewest dates that have whole blocks, and how many. */
function wholeOf({ unit, period }: Pick<TimeBlocks, 'unit' | 'period'>): { dates: bigint; blocks: bigint } {
  const common = greatestCommonDivisor(unit, period);
  return { dates: period / common, blocks: unit / common };
}

export function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b);
}
