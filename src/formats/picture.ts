/**
 * Arrays as pictures: what is one, how its numbers become colours, and lines of pixels as PNG has them. A picture is
 * painted in bands of rows, so that no step of it is long. Hazard: NaN has no colour; a picture with any has four bytes a
 * pixel, for what is transparent.
 */
import { isNumber, numberDType, type DType, type NumberDType } from '../dtype/index.js';
import { toNative } from '../native.js';
import { LIMITS } from '../limits.js';

export interface Picture {
  readonly height: number;
  readonly width: number;
  /** Bytes of a pixel that is its own colour; undefined where numbers have to be painted. */
  readonly channels: 3 | 4 | undefined;
}

/** Undefined where elements are no picture. */
export function pictureOf(dtype: DType, shape: readonly number[]): Picture | undefined {
  const [height = 0, width = 0, channels] = shape;
  if (height === 0 || width === 0 || !isNumber(dtype)) return undefined;
  if (shape.length === 2) return { height, width, channels: undefined };
  const isColour = shape.length === 3 && dtype.name === 'uint8' && (channels === 3 || channels === 4);
  return isColour ? { height, width, channels } : undefined;
}

/**
 * Factors that make a picture small enough, one for each of its axes; undefined where it is. Both sides shrink alike as
 * far as they can.
 */
export function shrinking({ height, width, channels }: Picture): readonly number[] | undefined {
  const sideMax = LIMITS.pictureSideMax;
  if (height * width <= LIMITS.picturePixelsMax && Math.max(height, width) <= sideMax) return undefined;
  const cellsMax = LIMITS.cellsMax / (channels ?? 1);
  let factor = Math.max(1, Math.floor(Math.sqrt((height * width) / cellsMax)));
  for (;;) {
    const [y, x] = [height, width].map(side => Math.min(side, Math.max(factor, Math.ceil(side / sideMax)))) as [
      number,
      number,
    ];
    if (Math.ceil(height / y) * Math.ceil(width / x) <= cellsMax) return channels ? [y, x, 1] : [y, x];
    factor++;
  }
}

/** Rows that are painted in one step. */
export function bandRows({ width }: Picture): number {
  return Math.max(1, Math.floor(BAND_PIXELS / width));
}
const BAND_PIXELS = 256 * 1024;

/** What the numbers of a band are, as far as they are finite. */
export interface Range {
  readonly min: number;
  readonly max: number;
  readonly count: number;
  readonly hasNaN: boolean;
}

/** What a worker does with a band: packed elements in shared memory. */
export type PictureTask = { readonly dtype: string; readonly source: Uint8Array } & (
  | { readonly step: 'range' }
  | { readonly step: 'counts'; readonly low: number; readonly high: number }
  | {
      readonly step: 'paint';
      readonly width: number;
      readonly low: number;
      readonly high: number;
      readonly colours: Uint8Array;
      readonly isClear: boolean;
      readonly target: Uint8Array;
    }
  | { readonly step: 'lines'; readonly width: number; readonly channels: number; readonly target: Uint8Array }
);

export interface PictureFound {
  readonly range?: Range;
  readonly counts?: Uint32Array;
}

/** Bins that numbers are counted in, to find how many are below a limit. */
export const COUNTED_BINS = 4096;

export function doPictureTask(task: PictureTask): PictureFound {
  if (task.step === 'lines') {
    writeLines(task.source, task.width, task.channels, task.target);
    return {};
  }
  const values = numbersOf(numberDType(task.dtype), task.source);
  if (task.step === 'range') return { range: rangeOf(values) };
  if (task.step === 'counts') return { counts: countsOf(values, task.low, task.high) };
  paint(values, task);
  return {};
}

type Numbers = Exclude<ReturnType<typeof toNative>, BigInt64Array | BigUint64Array>;

/** Integers of 64 bits are rounded to doubles: colours have 256 steps. */
function numbersOf(dtype: NumberDType, bytes: Uint8Array): Numbers {
  const values = toNative(dtype, bytes);
  return values instanceof BigInt64Array || values instanceof BigUint64Array
    ? Float64Array.from(values as ArrayLike<unknown> as ArrayLike<bigint>, Number)
    : values;
}

function rangeOf(values: Numbers): Range {
  let min = Number.POSITIVE_INFINITY;
  let max = Number.NEGATIVE_INFINITY;
  let count = 0;
  let hasNaN = false;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      hasNaN ||= Number.isNaN(value);
      continue;
    }
    count++;
    if (value < min) min = value;
    if (value > max) max = value;
  }
  return { min, max, count, hasNaN };
}

/** How many finite numbers are in each bin of [low, high]; those below are in the first, and those above in none. */
function countsOf(values: Numbers, low: number, high: number): Uint32Array {
  const counts = new Uint32Array(COUNTED_BINS + 1);
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value) || value > high) continue;
    if (value < low) counts[0]!++;
    else counts[1 + binOf(value, low, high, COUNTED_BINS)]!++;
  }
  return counts;
}

/** Halves first: the distance of two doubles may be beyond all of them. */
function binOf(value: number, low: number, high: number, bins: number): number {
  const span = high / 2 - low / 2;
  return span > 0 ? Math.min(bins - 1, Math.floor(((value / 2 - low / 2) / span) * bins)) : 0;
}

type PaintTask = Extract<PictureTask, { step: 'paint' }>;

/** Lines of a filter (none), then a byte a pixel, which is a place in the table of colours; or its colour and whether it is there. */
function paint(values: Numbers, { width, low, high, colours, isClear, target }: PaintTask): void {
  let at = 0;
  for (let i = 0; i < values.length; i++) {
    if (i % width === 0) target[at++] = 0;
    const value = values[i]!;
    if (!isClear) {
      target[at++] = colourOf(value, low, high);
    } else if (Number.isNaN(value)) {
      target.fill(0, at, at + 4);
      at += 4;
    } else {
      const colour = 3 * colourOf(value, low, high);
      target[at++] = colours[colour]!;
      target[at++] = colours[colour + 1]!;
      target[at++] = colours[colour + 2]!;
      target[at++] = 255;
    }
  }
}

/** The number of a colour; what is outside the limits has that of an end. */
function colourOf(value: number, low: number, high: number): number {
  if (value <= low) return 0;
  return value >= high ? 255 : binOf(value, low, high, 256);
}

/** Lines of pixels that are colours, each as its distance from the one before (filter Sub), which shrinks better. */
function writeLines(source: Uint8Array, width: number, channels: number, target: Uint8Array): void {
  const lineBytes = width * channels;
  let at = 0;
  for (let start = 0; start < source.byteLength; start += lineBytes) {
    target[at++] = 1;
    for (let i = 0; i < lineBytes; i++) {
      target[at++] = source[start + i]! - (i < channels ? 0 : source[start + i - channels]!);
    }
  }
}
