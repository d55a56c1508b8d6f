import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { HyperslabError } from '../../src/errors.js';
import { sizeOf } from '../../src/layout/view.js';
import { computeInProcess, parseQuery, type OperationResult } from '../../src/statistics/index.js';
import { makeCase, randomOf, type Case, type Value } from './cases.js';
import { differenceOf } from './compare.js';
import { NUMPY_PROGRAM } from './numpy-program.js';

const PYTHON = process.env['HYPERSLAB_TEST_PYTHON'] ?? 'python3';

/** numpy's answer for one operation: an array, or the code of the error that it amounts to. */
type Answer = string | { readonly shape: readonly number[]; readonly values: readonly (string | number | boolean)[] };

function numpyVersion(): string | undefined {
  const child = spawnSync(PYTHON, ['-c', 'import numpy; print(numpy.__version__)'], { encoding: 'utf8' });
  return child.status === 0 ? child.stdout.trim() : undefined;
}

function askNumpy(folder: string, cases: readonly Case[]): Record<string, Answer>[] {
  const described = cases.map((each, number) => {
    writeFileSync(join(folder, `${number}.bin`), each.file);
    return {
      ...each.query,
      dtype: each.dtype.typestr,
      offset: each.offset,
      shape: each.wholeShape,
      size: sizeOf(each.wholeShape),
      order: each.order,
      slices: each.parts.map(({ start, step, length }) => {
        const stop = start + step * length;
        return [start, stop < 0 ? null : stop, step];
      }),
    };
  });
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(described));
  const child = spawnSync(PYTHON, ['-c', NUMPY_PROGRAM, folder], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(child.stderr);
  // Python writes NaN and infinities as bare words.
  const text = readFileSync(join(folder, 'answers.json'), 'utf8').replaceAll(/(-?Infinity|NaN)/g, '"$1"');
  return JSON.parse(text) as Record<string, Answer>[];
}

/** Each operation by itself, so that an error of one does not hide the others. */
function differencesIn(each: Case, numpy: Record<string, Answer>): string[] {
  return each.query.ops.flatMap(op => {
    const answer = numpy[String(op)]!;
    const difference = differenceIn({ ...each, query: { ...each.query, ops: [op] } }, answer);
    return difference === undefined ? [] : [`${difference}: ${JSON.stringify({ ...each.query, view: each.view })}`];
  });
}

function differenceIn(each: Case, answer: Answer): string | undefined {
  let result: OperationResult;
  try {
    const query = parseQuery(each.query, each.view.shape.length);
    result = computeInProcess(query, each.dtype, each.view, each.file, each.bounds).results[0]!;
  } catch (error) {
    if (error instanceof HyperslabError && error.code === answer) return undefined;
    return `${String(error)} instead of ${JSON.stringify(answer)}`;
  }
  if (typeof answer === 'string') return `an answer instead of ${answer}`;
  if (result.shape.join() !== answer.shape.join())
    return `shape ${result.shape.join()} instead of ${answer.shape.join()}`;
  return differenceOf(
    result,
    answer.values.map(value => valueOf(result, value)),
    each,
  );
}

function valueOf({ dtype }: OperationResult, value: string | number | boolean): Value {
  return dtype.kind === 'f' || typeof value === 'boolean' ? Number(value) : BigInt(value);
}

const version = numpyVersion();
const skip = version === undefined && `${PYTHON} has no numpy: set HYPERSLAB_TEST_PYTHON to one that has`;

test('numpy answers the same', { skip }, async t => {
  t.comment(`numpy ${version}`);
  const cases = Array.from({ length: 700 }, (_, i) => makeCase(randomOf(50_000 + i)));
  const answers = askNumpy(t.testdir(), cases);
  const found = cases.flatMap((each, i) =>
    differencesIn(each, answers[i]!).map(text => `case ${i} ${each.dtype.typestr} ${text}`),
  );
  t.same(found.slice(0, 5), []);
});
