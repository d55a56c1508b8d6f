/** What the answers must be, from reference.py, and whether an answer is one. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { say } from '../frame.js';
import type { Rule } from './cases.js';
import type { Data } from './data.js';

export type Reference = Readonly<Record<string, unknown>>;

/** Computed once per data, and kept beside it. */
export function prepareReference(python: string, { folder, stamp }: Data): Reference {
  const file = `${stamp}.reference.json`;
  if (!fs.existsSync(file)) {
    say('computing the reference answers, which takes a minute');
    const script = path.join(PACKAGE_ROOT, 'bench/statistics/reference.py');
    const { status, stderr } = spawnSync(python, [script, folder, `${file}.part`], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`reference.py failed: ${stderr}`);
    fs.renameSync(`${file}.part`, file);
  }
  return JSON.parse(fs.readFileSync(file, 'utf8')) as Reference;
}

const WITHIN: Readonly<Record<Rule, (value: number, wanted: number) => boolean>> = {
  nearly: (value, wanted) => Math.abs(value - wanted) <= 1e-9 * Math.abs(wanted),
  exact: (value, wanted) => value === wanted,
  // Half a unit in the last place of a float32, and the rounding of that bound itself. JSON of a float32 has as many
  // digits as it takes to read that back, which are another float64.
  'to-float32': (value, wanted) => Math.abs(Math.fround(value) - wanted) <= 2 ** -24 * Math.abs(wanted) * (1 + 1e-9),
};

/** True for a number or list of numbers that agrees with the reference in length and in every element. */
export function isRight(value: unknown, wanted: unknown, rule: Rule): boolean {
  const [values, references] = [[value].flat(), [wanted].flat() as number[]];
  const within = WITHIN[rule];
  return (
    values.length === references.length &&
    values.every((each, i) => typeof each === 'number' && within(each, references[i]!))
  );
}
