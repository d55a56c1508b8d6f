/** Cases for a program that has numpy: arrays as files in a folder, questions and answers as JSON beside them. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sizeOf } from '../../src/layout/view.js';
import { PYTHON } from '../helpers/python.js';
import type { Case } from './cases.js';

/** Python that reads case `number` as the array `s`, after the slices. Expects `folder` and `case`. */
export const READ_CASE = `
def read_case(folder, number, case):
    a = np.memmap(folder / f'{number}.bin', dtype=case['dtype'], mode='r', offset=case['offset'],
                  shape=tuple(case['shape']), order=case['order']) if case['size'] else np.zeros(case['shape'], case['dtype'])
    return np.asarray(np.asarray(a)[tuple(slice(*part) for part in case['slices'])])

def plain(value):
    if isinstance(value, (bool, np.bool_)): return int(value)
    if isinstance(value, (int, np.integer)): return str(int(value))
    return float(value)

def listed(value):
    value = np.asarray(value)
    return {'dtype': value.dtype.newbyteorder('=').str, 'shape': list(value.shape), 'values': [plain(v) for v in value.ravel()]}
`;

/** Runs the program over cases, each with what is asked of it; answers what it wrote to answers.json. */
export function askNumpy<T>(
  folder: string,
  program: string,
  cases: readonly (Case & { readonly asks: object })[],
): T[] {
  const described = cases.map((each, number) => {
    writeFileSync(join(folder, `${number}.bin`), each.file);
    const slices = each.parts.map(({ start, step, length }) => {
      const stop = start + step * length;
      return [start, stop < 0 ? null : stop, step];
    });
    return {
      ...each.asks,
      dtype: each.dtype.typestr,
      offset: each.offset,
      shape: each.wholeShape,
      size: sizeOf(each.wholeShape),
      order: each.order,
      slices,
    };
  });
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(described));
  const child = spawnSync(PYTHON!, ['-c', program, folder], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  // Python writes NaN and infinities as bare words.
  const text = readFileSync(join(folder, 'answers.json'), 'utf8').replaceAll(/(-?Infinity|NaN)/g, '"$1"');
  return JSON.parse(text) as T[];
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
