/** Units of dates and durations as numpy writes them: `s`, `25us`, and `s/10`, which is `100ms`. */
import { TIME_UNITS, type TimeUnit } from './types.js';

type UnitName = TimeUnit['name'];

/** What a unit is in smaller ones, as numpy divides it: a year is 12 months, 52 weeks or 365 days. */
const SMALLER: Readonly<Record<UnitName, readonly (readonly [count: number, name: UnitName])[]>> = {
  Y: [
    [12, 'M'],
    [52, 'W'],
    [365, 'D'],
  ],
  M: [
    [4, 'W'],
    [30, 'D'],
    [720, 'h'],
  ],
  W: [
    [7, 'D'],
    [168, 'h'],
    [10_080, 'm'],
  ],
  D: [
    [24, 'h'],
    [1440, 'm'],
    [86_400, 's'],
  ],
  h: [
    [60, 'm'],
    [3600, 's'],
  ],
  m: [
    [60, 's'],
    [60_000, 'ms'],
  ],
  s: [
    [1000, 'ms'],
    [1_000_000, 'us'],
  ],
  ms: [
    [1000, 'us'],
    [1_000_000, 'ns'],
  ],
  us: [
    [1000, 'ns'],
    [1_000_000, 'ps'],
  ],
  ns: [
    [1000, 'ps'],
    [1_000_000, 'fs'],
  ],
  ps: [
    [1000, 'fs'],
    [1_000_000, 'as'],
  ],
  fs: [[1000, 'as']],
  as: [],
};

/** numpy keeps the count as a C int. */
const COUNT_MAX = 2 ** 31 - 1;

/** The unit between the brackets of a dtype: undefined for `generic`, 'none' where numpy knows no such unit. */
export function unitNamed(text: string): TimeUnit | undefined | 'none' {
  if (text === 'generic') return undefined;
  const match = /^(?:0*([1-9][0-9]{0,9}))?([A-Za-zμ]{1,2})(?:\/([1-9][0-9]{0,9}))?$/u.exec(text);
  const name = match && TIME_UNITS.find(each => each === (match[2] === 'μs' ? 'us' : match[2]));
  if (!match || !name) return 'none';
  const count = Number(match[1] ?? 1);
  if (count > COUNT_MAX) return 'none';
  const divisor = Number(match[3] ?? 1);
  if (divisor === 1) return { name, count };
  const part = SMALLER[name].find(([parts]) => parts % divisor === 0);
  const divided = part && { name: part[1], count: (count * part[0]) / divisor };
  return divided && divided.count <= COUNT_MAX ? divided : 'none';
}
