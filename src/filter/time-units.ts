/** Counts of one unit among those of another: what dates and durations of different units have in common. */
import { dateText, readDate, type TimeDType, type TimeUnit } from '../dtype/index.js';
import type { Place } from './places.js';

/** Units of durations in the smallest unit of their family: months, whose days differ, and everything else. */
const SIZES: Readonly<Record<TimeUnit['name'], { readonly family: 'months' | 'seconds'; readonly size: bigint }>> = {
  Y: { family: 'months', size: 12n },
  M: { family: 'months', size: 1n },
  W: { family: 'seconds', size: 604_800n * 10n ** 18n },
  D: { family: 'seconds', size: 86_400n * 10n ** 18n },
  h: { family: 'seconds', size: 3600n * 10n ** 18n },
  m: { family: 'seconds', size: 60n * 10n ** 18n },
  s: { family: 'seconds', size: 10n ** 18n },
  ms: { family: 'seconds', size: 10n ** 15n },
  us: { family: 'seconds', size: 10n ** 12n },
  ns: { family: 'seconds', size: 10n ** 9n },
  ps: { family: 'seconds', size: 10n ** 6n },
  fs: { family: 'seconds', size: 1000n },
  as: { family: 'seconds', size: 1n },
};

/** How many of the smallest unit of its family a unit has. */
export function sizeOfUnit({ name, count }: TimeUnit): bigint {
  return SIZES[name].size * BigInt(count);
}

export function isCalendar({ name }: TimeUnit): boolean {
  return SIZES[name].family === 'months';
}

/** Whether numpy compares the values of two dtypes of one kind. Without a unit a duration is of any; a date is none. */
export function areComparable(a: TimeDType, b: TimeDType): boolean {
  if (!a.unit || !b.unit) return a.kind === 'm' || a.unit === b.unit;
  return a.kind === 'M' || isCalendar(a.unit) === isCalendar(b.unit);
}

/** Where a count of one dtype lies among those of another that it can be compared with. */
export function placeOfCount(from: TimeDType, count: bigint, to: TimeDType): Place {
  if (!from.unit || !to.unit || (from.unit.name === to.unit.name && from.unit.count === to.unit.count)) {
    return { floor: count, ceil: count };
  }
  if (from.kind === 'm') {
    const total = count * sizeOfUnit(from.unit);
    const size = sizeOfUnit(to.unit);
    const floor = floorDivide(total, size);
    return { floor, ceil: floor * size === total ? floor : floor + 1n };
  }
  const text = dateText(count, from.unit);
  // A year of many digits alone could be a date without hyphens.
  const read = readDate(from.unit.name === 'Y' ? `${text}-01` : text, to.unit) as { count: bigint; isExact: boolean };
  return { floor: read.count, ceil: read.isExact ? read.count : read.count + 1n };
}

export function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1n : quotient;
}
