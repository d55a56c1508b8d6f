/** What a picture is asked to look like: `cmap` and `limits`. */
import { fail } from '../errors.js';
import { COLOUR_MAPS, coloursOf, DEFAULT_MAP } from '../formats/index.js';
import { listed, shown } from '../shown.js';

/** A number, or so many percent of those that are shown. */
export type PictureLimit = { readonly value: number } | { readonly percent: number };

export interface PictureLook {
  readonly colours: Uint8Array;
  /** Undefined: the least and the greatest number. */
  readonly limits: readonly [PictureLimit, PictureLimit] | undefined;
}

// After the digits comes a point or none: `\d+\.?\d*` would try every way to part a long run of digits.
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;

/** @throws bad_request */
export function pictureLook({ cmap = DEFAULT_MAP, limits }: { cmap?: string; limits?: string }): PictureLook {
  const colours = coloursOf(cmap);
  if (!colours) {
    const known = listed(Object.keys(COLOUR_MAPS), 'and');
    fail('bad_request', `cmap is ${shown(cmap)}; there are ${known}, and each of them backwards with _r behind it.`, {
      at: 'cmap',
    });
  }
  return { colours, limits: limits === undefined ? undefined : parseLimits(limits) };
}

function parseLimits(text: string): readonly [PictureLimit, PictureLimit] {
  // A percent sign that was not encoded leaves the others as they came.
  const parts = text.replaceAll(/%2c/gi, ',').replaceAll('%25', '%').split(',');
  const [low, high] = parts.map(limitOf);
  if (parts.length !== 2 || !low || !high) failLimits(text, 'it takes two numbers, or two percentages from 0% to 100%');
  if ('value' in low && 'value' in high && low.value > high.value) failLimits(text, 'the lower one comes first');
  if ('percent' in low && 'percent' in high && low.percent > high.percent)
    failLimits(text, 'the lower one comes first');
  return [low, high];
}

function limitOf(text: string): PictureLimit | undefined {
  const trimmed = text.trim();
  const digits = trimmed.replace(/%$/, '');
  const value = Number(digits);
  if (!NUMBER.test(digits) || !Number.isFinite(value)) return undefined;
  if (digits === trimmed) return { value };
  return value >= 0 && value <= 100 ? { percent: value } : undefined;
}

function failLimits(text: string, why: string): never {
  return fail('bad_request', `limits is ${shown(text)}; ${why}, such as limits=0,1 or limits=1%,99%.`, {
    at: 'limits',
  });
}
