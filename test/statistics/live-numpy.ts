/** Cases for a program that has numpy: arrays in one file, questions and answers as JSON beside it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NumberDType } from '../../src/dtype/index.js';
import type { Order } from '../../src/layout/view.js';
import type { OperationResult } from '../../src/statistics/index.js';
import { caseCount } from '../helpers/cases.js';
import { runPython } from '../helpers/python.js';
import type { Case, Value } from './cases.js';
import { differenceOf, type Scale } from './compare.js';

/** How many seeded random cases of each kind numpy is asked for, in the short form and in full: at least 3,000 together. */
export const LIVE_CASES = {
  reductions: [80, 700],
  quantiles: [120, 1200],
  histograms: [150, 1800],
  where: [200, 2000],
  groups: [120, 1000],
  kinds: [100, 1500],
  kindGroups: [50, 700],
} as const;

export function liveCases(kind: keyof typeof LIVE_CASES): number {
  const [short, full] = LIVE_CASES[kind];
  return caseCount(short, full);
}

/** The programs of test/statistics/live. */
export type Program = 'reductions' | 'selections' | 'histograms' | 'where' | 'groups' | 'kinds';

/** An array in a file of its own, which begins at `offset`. */
export interface StoredArray {
  readonly file: Uint8Array;
  readonly offset: number;
  readonly dtype: NumberDType;
  readonly shape: readonly number[];
  readonly order: Order;
}

/** The file that all arrays of a run go into. */
export class ArraysFile {
  readonly #files: Uint8Array[] = [];
  #bytes = 0;

  /** Adds an array; answers what `read_array` reads it by. */
  add({ file, offset, dtype, shape, order }: StoredArray): object {
    const position = this.#bytes + offset;
    this.#files.push(file);
    this.#bytes += file.length;
    return { position, dtype: dtype.typestr, shape, order };
  }

  get bytes(): Uint8Array {
    return Buffer.concat(this.#files);
  }
}

/** Runs a program of test/statistics/live over what describes its cases; answers what it wrote, per case. */
export function runNumpy<T>(
  folder: string,
  program: Program,
  arrays: Pick<ArraysFile, 'bytes'>,
  described: readonly object[],
): T[] {
  writeFileSync(join(folder, 'arrays.bin'), arrays.bytes);
  // Integers of all digits are what Python reads.
  const text = JSON.stringify(described, (_, value: unknown) => (typeof value === 'bigint' ? `int ${value}` : value));
  writeFileSync(join(folder, 'cases.json'), text.replaceAll(/"int (-?\d+)"/g, '$1'));
  runPython(`statistics/live/${program}.py`, [folder]);
  // Python writes NaN and infinities as bare words.
  const answers = readFileSync(join(folder, 'answers.json'), 'utf8').replaceAll(/(-?Infinity|NaN)/g, '"$1"');
  return JSON.parse(answers) as T[];
}

/** Asks about selections of single arrays; each case comes with what is asked of it. */
export function askNumpy<T>(
  folder: string,
  program: Program,
  cases: readonly (Case & { readonly asks: object })[],
): T[] {
  const arrays = new ArraysFile();
  const described = cases.map(each => {
    const slices = each.parts.map(({ start, step, length }) => {
      const stop = start + step * length;
      return [start, stop < 0 ? null : stop, step];
    });
    return { ...each.asks, array: arrays.add({ ...each, shape: each.wholeShape }), slices };
  });
  return runNumpy(folder, program, arrays, described);
}

/** An array that numpy answered with. */
export interface Listed {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: readonly (string | number)[];
}

/** Undefined, or how numbers differ: to the bit, but for the sign of zero. */
export function differenceFrom(
  listed: Listed,
  actual: { readonly shape: readonly number[]; readonly values: ArrayLike<number | bigint> },
): string | undefined {
  if (actual.shape.join() !== listed.shape.join())
    return `shape [${actual.shape.join()}], not [${listed.shape.join()}]`;
  if (actual.values.length !== listed.values.length) return `${actual.values.length} values`;
  for (let i = 0; i < listed.values.length; i++) {
    const found = actual.values[i]!;
    const wanted = listed.values[i]!;
    const agrees =
      typeof found === 'bigint'
        ? found === BigInt(wanted)
        : found === Number(wanted) || (Number.isNaN(found) && Number.isNaN(Number(wanted)));
    if (!agrees) return `[${i}] is ${found}, not ${wanted}`;
  }
  return undefined;
}

/** Undefined, or how the answer of a reduction differs from a reference: within what sums are rounded in. */
export function reductionDifference(listed: Listed, actual: OperationResult, scale: Scale): string | undefined {
  if (actual.shape.join() !== listed.shape.join())
    return `shape [${actual.shape.join()}], not [${listed.shape.join()}]`;
  const values = listed.values.map((value): Value => (actual.dtype.kind === 'f' ? Number(value) : BigInt(value)));
  return differenceOf(actual, values, scale);
}
