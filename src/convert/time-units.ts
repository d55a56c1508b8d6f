/** Units of dates and durations against each other: exact ratios, and the calendar between months and days. */
import { TIME_UNITS, type TimeUnit } from '../dtype/index.js';

type UnitName = TimeUnit['name'];

/** How many of the next finer unit one is, from weeks on. */
const IN_FINER: Readonly<Partial<Record<UnitName, bigint>>> = {
  W: 7n,
  D: 24n,
  h: 60n,
  m: 60n,
  s: 1000n,
  ms: 1000n,
  us: 1000n,
  ns: 1000n,
  ps: 1000n,
  fs: 1000n,
};

/** Of 400 years, after which the calendar repeats. */
export const CYCLE_DAYS = 146_097;
export const CYCLE_MONTHS = 4800;

export function isCalendar({ name }: TimeUnit): boolean {
  return name === 'Y' || name === 'M';
}

/** How many of a finer unit one is, of the same family: years and months, or weeks and what is below. */
export function unitsIn(coarse: UnitName, fine: UnitName): bigint {
  if (coarse === 'Y') return fine === 'M' ? 12n : 1n;
  let count = 1n;
  for (const name of TIME_UNITS.slice(TIME_UNITS.indexOf(coarse), TIME_UNITS.indexOf(fine))) count *= IN_FINER[name]!;
  return count;
}

/** numpy gives up beyond this; such units do not divide each other safely. */
const FACTOR_MAX = 2n ** 56n;

/** Whether each count of `from` is a count of `to`, which is as fine at least. */
export function divides(from: TimeUnit, to: TimeUnit): 'yes' | 'no' | 'nonlinear' {
  if (isCalendar(from) !== isCalendar(to)) return 'nonlinear';
  if (TIME_UNITS.indexOf(from.name) > TIME_UNITS.indexOf(to.name)) return 'no';
  const factor = unitsIn(from.name, to.name);
  const counts = BigInt(from.count) * factor;
  return factor < FACTOR_MAX && counts < FACTOR_MAX && counts % BigInt(to.count) === 0n ? 'yes' : 'no';
}

/** `from` in counts of `to`, as a fraction. Between months and days the mean of 400 years, as numpy takes it for durations. */
export function ratioOf(from: TimeUnit, to: TimeUnit): { num: bigint; den: bigint } {
  const counts = { num: BigInt(from.count), den: BigInt(to.count) };
  if (isCalendar(from) === isCalendar(to)) {
    const isFiner = TIME_UNITS.indexOf(from.name) <= TIME_UNITS.indexOf(to.name);
    if (isFiner) counts.num *= unitsIn(from.name, to.name);
    else counts.den *= unitsIn(to.name, from.name);
  } else if (isCalendar(from)) {
    counts.num *= BigInt(CYCLE_DAYS) * unitsIn(from.name, 'M');
    counts.den *= BigInt(CYCLE_MONTHS);
    if (to.name === 'W') counts.den *= 7n;
    else counts.num *= unitsIn('D', to.name);
  } else {
    const { num, den } = ratioOf(to, from);
    return { num: den, den: num };
  }
  const common = gcd(counts.num, counts.den);
  return { num: counts.num / common, den: counts.den / common };
}

function gcd(a: bigint, b: bigint): bigint {
  return b === 0n ? a : gcd(b, a % b);
}

/** The day on which each month of a cycle begins, from 1970-01-01. */
const MONTH_STARTS = monthStarts();

function monthStarts(): Int32Array {
  const starts = new Int32Array(CYCLE_MONTHS + 1);
  let day = 0;
  for (let month = 0; month <= CYCLE_MONTHS; month++) {
    starts[month] = day;
    const year = 1970 + Math.floor(month / 12);
    const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
    day += [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month % 12]!;
  }
  return starts;
}

/** Months of a cycle → the day that the month begins on. */
export function dayOfMonth(month: number): number {
  return MONTH_STARTS[month]!;
}

/** A day of a cycle → the month that it is in. */
export function monthOfDay(day: number): number {
  let month = Math.floor((day * CYCLE_MONTHS) / CYCLE_DAYS);
  while (MONTH_STARTS[month]! > day) month--;
  while (MONTH_STARTS[month + 1]! <= day) month++;
  return month;
}
