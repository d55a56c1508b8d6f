/**
 * Answers as PNG. The picture is held whole: its elements, its lines, and what they shrink to. Workers look at it and
 * paint it, a band at a time; zlib's own threads deflate it.
 */
import { createDeflate } from 'node:zlib';
import type { FastifyReply } from 'fastify';
import type { Block } from '../block.js';
import type { Context } from '../context.js';
import { asShared, sharedBytes } from '../dataset/buffers.js';
import { descriptionOf, type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import {
  bandRows,
  COUNTED_BINS,
  pictureOf,
  pngData,
  pngEnd,
  pngHead,
  shrinking,
  type Picture,
  type PictureRange,
  type PictureTask,
} from '../formats/index.js';
import type { Workers } from '../jobs/pool.js';
import type { ArrayAnswer, ArrayQuery } from './array-answer.js';
import { workersOf } from './array-source.js';
import { mediaTypeOf } from './negotiate.js';
import { pictureLook, type PictureLimit, type PictureLook } from './picture-query.js';
import { sendWhole } from './send-whole.js';

/** What is shown, and how. @throws not_tabular, bad_request */
export function checkPicture(dtype: DType, shape: readonly number[], query: ArrayQuery): Picture {
  pictureLook(query);
  const picture = pictureOf(dtype, shape);
  if (picture) return picture;
  return fail(
    'not_tabular',
    'Pictures are of numbers along two axes, or of uint8 along three of which the last is 3 or 4 long, and have a pixel at least. ' +
      'Take an index or a field with slice= or field=, or ask for format=npy, raw or json.',
    { dtype: descriptionOf(dtype), shape },
  );
}

/** Where elements are sent as they are. @throws too_large */
export function checkPictureSize(picture: Picture): void {
  const factors = shrinking(picture);
  if (!factors) return;
  const { height, width } = picture;
  fail(
    'too_large',
    `The picture would be ${height} by ${width} pixels, which is too large for one. Ask GET …/data.png, which coarsens it, or give coarsen=${factors.join(',')}.`,
    { asked: [height, width], coarsen: factors },
  );
}

/** Bytes that a picture takes beside its elements: its lines, and what they become where they do not shrink. */
export function pictureHeldBytes({ height, width, channels }: Picture): number {
  return 2 * height * (1 + width * (channels ?? 4));
}

/** Elements that are held; the headers of state are set. */
export async function sendPicture(context: Context, asked: ArrayAnswer, block: Block): Promise<FastifyReply> {
  const { reply, query } = asked;
  const picture = pictureOf(block.dtype, block.shape)!;
  const painter = new Painter(picture, { ...block, bytes: asShared(block.bytes) }, workersOf({ ...asked, context }));
  const { pixels, lines } = await painter.painted(pictureLook(query));
  reply.type(mediaTypeOf('png'));
  const head = pngHead({ ...picture, pixels });
  return sendWhole(context, asked, [head, ...(await deflated(lines)).map(pngData), pngEnd()]);
}

interface Painted {
  readonly pixels: Uint8Array | 3 | 4;
  /** In bands. */
  readonly lines: readonly Uint8Array[];
}

class Painter {
  readonly #picture: Picture;
  readonly #dtype: DType;
  readonly #bands: readonly Uint8Array[];
  readonly #workers: Workers;

  constructor(picture: Picture, { dtype, bytes }: Block, workers: Workers) {
    this.#picture = picture;
    this.#dtype = dtype;
    this.#workers = workers;
    const bandBytes = bandRows(picture) * picture.width * (picture.channels ?? dtype.itemsize);
    const count = Math.ceil(bytes.byteLength / bandBytes);
    this.#bands = Array.from({ length: count }, (_, i) => bytes.subarray(i * bandBytes, (i + 1) * bandBytes));
  }

  async painted({ colours, limits }: PictureLook): Promise<Painted> {
    const { channels } = this.#picture;
    if (channels) {
      return { pixels: channels, lines: await this.#lines(channels, target => ({ step: 'lines', channels, target })) };
    }
    const range = await this.#range();
    const [low, high] = limits
      ? [await this.#limit(limits[0], range), await this.#limit(limits[1], range)]
      : [range.min, range.max];
    const isClear = range.hasNaN;
    const lines = await this.#lines(isClear ? 4 : 1, target => ({
      step: 'paint',
      low,
      high,
      colours,
      isClear,
      target,
    }));
    return { pixels: isClear ? 4 : colours, lines };
  }

  /** Of all bands; 0 to 1 where nothing is finite. */
  async #range(): Promise<PictureRange> {
    let all: PictureRange = { min: Number.POSITIVE_INFINITY, max: Number.NEGATIVE_INFINITY, count: 0, hasNaN: false };
    for (const source of this.#bands) {
      // oxlint-disable-next-line no-await-in-loop
      const { range } = await this.#do({ step: 'range' }, source);
      all = {
        min: Math.min(all.min, range!.min),
        max: Math.max(all.max, range!.max),
        count: all.count + range!.count,
        hasNaN: all.hasNaN || range!.hasNaN,
      };
    }
    return all.count === 0 ? { ...all, min: 0, max: 1 } : all;
  }

  /** The number that so many percent are below: looked for in bins, in that one of them again, and once more. */
  async #limit(limit: PictureLimit, { min, max, count }: PictureRange): Promise<number> {
    if ('value' in limit) return limit.value;
    if (limit.percent === 0 || count === 0) return min;
    if (limit.percent === 100) return max;
    const rank = (limit.percent / 100) * (count - 1);
    let [low, high] = [min, max];
    for (let round = 0; round < SEARCH_ROUNDS && low < high; round++) {
      // oxlint-disable-next-line no-await-in-loop
      const counts = await this.#counts(low, high);
      let bin = 0;
      for (let below = counts[0]! + counts[1]!; below <= rank && bin < COUNTED_BINS - 1; bin++)
        below += counts[bin + 2]!;
      const step = high / COUNTED_BINS - low / COUNTED_BINS;
      [low, high] = [low + bin * step, Math.min(high, low + (bin + 1) * step)];
    }
    return low;
  }

  async #counts(low: number, high: number): Promise<Uint32Array> {
    const all = new Uint32Array(COUNTED_BINS + 1);
    for (const source of this.#bands) {
      // oxlint-disable-next-line no-await-in-loop
      const { counts } = await this.#do({ step: 'counts', low, high }, source);
      for (let i = 0; i < all.length; i++) all[i]! += counts![i]!;
    }
    return all;
  }

  /** A line begins with the byte of its filter. */
  async #lines(pixelBytes: number, step: (target: Uint8Array) => LinesStep): Promise<Uint8Array[]> {
    const { width, channels } = this.#picture;
    const lines: Uint8Array[] = [];
    for (const source of this.#bands) {
      const rows = source.byteLength / (width * (channels ?? this.#dtype.itemsize));
      const target = sharedBytes(rows * (1 + width * pixelBytes));
      // oxlint-disable-next-line no-await-in-loop
      await this.#do({ ...step(target), width }, source);
      lines.push(target);
    }
    return lines;
  }

  #do(step: Step, source: Uint8Array): ReturnType<Workers['picture']> {
    return this.#workers.picture({ ...step, dtype: this.#dtype.typestr, source });
  }
}

/** Each finds the number to a 4096th of what is left of the range. */
const SEARCH_ROUNDS = 4;

type Without<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;
type Step = Without<PictureTask, 'dtype' | 'source'>;
type LinesStep = Without<Extract<Step, { target: Uint8Array }>, 'width'>;

/** By zlib's threads, a band after the other. */
async function deflated(bands: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const stream = createDeflate();
  const chunks: Uint8Array[] = [];
  stream.on('data', (chunk: Uint8Array) => chunks.push(chunk));
  const ended = new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject));
  for (const band of bands) {
    // oxlint-disable-next-line no-await-in-loop
    await new Promise<void>(resolve => stream.write(band, () => resolve()));
  }
  stream.end();
  await ended;
  return chunks;
}
