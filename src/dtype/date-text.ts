/**
 * Counts of datetime64 ⇄ the ISO text that numpy prints for their unit: exact for every count of every unit, in the
 * proleptic Gregorian calendar, where a year 0 stands before the year 1. Hazard: counts of small units, and of units times
 * their own count, are beyond 2^53; they go by BigInt, the others by doubles, which are several times as fast.
 */
import type { TimeUnit } from './types.js';

/** Not a time: the least int64. */
export const NAT = -(2n ** 63n);

/** A text as the count of a unit. */
export interface ReadDate {
  /** The last count that is not after the text. It may be beyond int64. */
  readonly count: bigint;
  /** Whether the text names that very moment: 23:59 as days does not. */
  readonly isExact: boolean;
}

/** What a day, or a second, has of the units that are parts of it. */
type ClockName = Exclude<TimeUnit['name'], 'Y' | 'M' | 'W' | 'D'>;
const CLOCK: Readonly<Record<ClockName, { readonly seconds: number } | { readonly digits: number }>> = {
  h: { seconds: 3600 },
  m: { seconds: 60 },
  s: { seconds: 1 },
  ms: { digits: 3 },
  us: { digits: 6 },
  ns: { digits: 9 },
  ps: { digits: 12 },
  fs: { digits: 15 },
  as: { digits: 18 },
};

const DAY_SECONDS = 86_400;
/** Quotients of smaller doubles round to no other integer. */
const SMALL = 2 ** 51;
/** 400 years of the Gregorian calendar, and the days from 0000-03-01 to 1970-01-01. */
const ERA_DAYS = 146_097;
const EPOCH_DAYS = 719_468;

/** `2024-05-01T12` for 476,484 of the unit h; `NaT` for the least int64. */
export function dateText(count: bigint, unit: TimeUnit): string {
  if (count === NAT) return 'NaT';
  const total = unit.count === 1 ? count : count * BigInt(unit.count);
  const { name } = unit;
  if (name === 'Y') return yearText(1970n + total);
  if (name === 'M') {
    const [year, month] = divide(total, 12);
    return `${yearText(typeof year === 'number' ? 1970 + year : 1970n + year)}-${two(month + 1)}`;
  }
  if (name === 'D') return dayText(smallOf(total) ?? total);
  if (name === 'W') return dayText(total * 7n);
  return clockText(total, CLOCK[name]);
}

function clockText(total: bigint, clock: (typeof CLOCK)[ClockName]): string {
  if ('digits' in clock) {
    const perSecond = POWERS[clock.digits]!;
    const seconds = floorDivide(total, perSecond);
    const fraction = String(total - seconds * perSecond).padStart(clock.digits, '0');
    const [days, second] = divide(seconds, DAY_SECONDS);
    return `${dayText(days)}T${timeText(second)}.${fraction}`;
  }
  const [days, part] = divide(total, DAY_SECONDS / clock.seconds);
  const time = timeText(part * clock.seconds);
  return `${dayText(days)}T${clock.seconds === 1 ? time : clock.seconds === 60 ? time.slice(0, 5) : time.slice(0, 2)}`;
}

function timeText(secondOfDay: number): string {
  const minute = Math.floor(secondOfDay / 60);
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}:${two(secondOfDay % 60)}`;
}

/** Times come in order more often than not: the last day is kept. */
let lastDays: number | bigint = Number.NaN;
let lastText = '';

function dayText(days: number | bigint): string {
  if (days !== lastDays) {
    const { year, month, day } = civilOf(days);
    lastDays = days;
    lastText = `${yearText(year)}-${two(month)}-${two(day)}`;
  }
  return lastText;
}

/** As C prints `%04d`: the minus takes one of the four places. */
function yearText(year: number | bigint): string {
  return year < 0 ? `-${String(-year).padStart(3, '0')}` : String(year).padStart(4, '0');
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

const POWERS: readonly bigint[] = Array.from({ length: 19 }, (_, i) => 10n ** BigInt(i));

interface CivilDay<Year = number | bigint> {
  readonly year: Year;
  readonly month: number;
  readonly day: number;
}

/**
 * The date of a number of days since 1970-01-01, counted in eras of 400 years that begin on the first of March, so that
 * leap days come last (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
 */
export function civilOf(days: number | bigint): CivilDay {
  const [era, dayOfEra] = divide(typeof days === 'number' ? days + EPOCH_DAYS : days + BigInt(EPOCH_DAYS), ERA_DAYS);
  const leapDays = floor(dayOfEra / 1460) - floor(dayOfEra / 36_524) + floor(dayOfEra / 146_096);
  const yearOfEra = floor((dayOfEra - leapDays) / 365);
  const dayOfYear = dayOfEra - (365 * yearOfEra + floor(yearOfEra / 4) - floor(yearOfEra / 100));
  const marchMonth = floor((5 * dayOfYear + 2) / 153);
  const month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9;
  const years = yearOfEra + (month <= 2 ? 1 : 0);
  return {
    year: typeof era === 'number' ? era * 400 + years : era * 400n + BigInt(years),
    month,
    day: dayOfYear - floor((153 * marchMonth + 2) / 5) + 1,
  };
}

/** The days from 1970-01-01 to a date: what civilOf undoes. */
export function daysOf({ year, month, day }: CivilDay<bigint>): bigint {
  const marchYear = month <= 2 ? year - 1n : year;
  const era = floorDivide(marchYear, 400n);
  const yearOfEra = Number(marchYear - era * 400n);
  const dayOfYear = floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + floor(yearOfEra / 4) - floor(yearOfEra / 100) + dayOfYear;
  return era * BigInt(ERA_DAYS) + BigInt(dayOfEra - EPOCH_DAYS);
}

/** Years of more digits are no years of any count. */
const DATE = /^([+-]?\d{1,30})(?:-(\d\d)(?:-(\d\d)(?:[T ](.+))?)?)?$/;
const TIME = /^(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d{0,18}))?)?)?(?:Z|([+-])(\d\d)(?::?(\d\d))?)?$/;
const NOT_A_TIME = /^nat$/i;

/**
 * Reads what numpy reads as a date, but for `now`, `today` and blanks. Years have any number of digits, all else has two; a
 * zone is taken off: the moment is that of UTC.
 * @param unit undefined for numpy's generic unit, which has no dates but NaT
 * @returns undefined where the text is no date
 */
export function readDate(text: string, unit: TimeUnit | undefined): ReadDate | 'NaT' | undefined {
  if (NOT_A_TIME.test(text)) return 'NaT';
  if (!unit) return undefined;
  const [, yearDigits, monthDigits, dayDigits, time] = DATE.exec(text) ?? [];
  if (yearDigits === undefined) return undefined;
  const civil = { year: BigInt(yearDigits), month: Number(monthDigits ?? 1), day: Number(dayDigits ?? 1) };
  if (civil.month < 1 || civil.month > 12 || civil.day < 1 || civil.day > monthDays(civil)) return undefined;
  const clock = time === undefined ? MIDNIGHT : readTime(time);
  return clock && countOf(civil, clock, unit);
}

interface Clock {
  /** From midnight of the date: below zero, or a day and more, where there is a zone. */
  readonly seconds: number;
  readonly fraction: string;
}

const MIDNIGHT: Clock = { seconds: 0, fraction: '' };

function readTime(text: string): Clock | undefined {
  const match = TIME.exec(text);
  if (!match) return undefined;
  const part = (index: number): number => Number(match[index] ?? 0);
  const hour = part(1);
  const minute = part(2);
  const second = part(3);
  const zoneHour = part(6);
  const zoneMinute = part(7);
  if (hour > 23 || minute > 59 || second > 59 || zoneHour > 23 || zoneMinute > 59) return undefined;
  const zone = (match[5] === '-' ? -60 : 60) * (60 * zoneHour + zoneMinute);
  return { seconds: 3600 * hour + 60 * minute + second - zone, fraction: match[4] ?? '' };
}

function countOf(civil: CivilDay<bigint>, { seconds, fraction }: Clock, unit: TimeUnit): ReadDate {
  const total = daysOf(civil) * BigInt(DAY_SECONDS) + BigInt(seconds);
  const [units, isWhole] = unitsOf(total, fraction, unit.name);
  const count = floorDivide(units, BigInt(unit.count));
  return { count, isExact: isWhole && count * BigInt(unit.count) === units };
}

/** Seconds since 1970 and the digits behind them, in whole units; and whether nothing is left over. */
function unitsOf(seconds: bigint, fraction: string, name: TimeUnit['name']): [units: bigint, isWhole: boolean] {
  if (name === 'Y' || name === 'M') {
    const days = floorDivide(seconds, BigInt(DAY_SECONDS));
    const { year, month, day } = civilOf(days);
    const isMidnight = days * BigInt(DAY_SECONDS) === seconds && isZero(fraction);
    const years = BigInt(year) - 1970n;
    return name === 'Y'
      ? [years, isMidnight && day === 1 && month === 1]
      : [years * 12n + BigInt(month - 1), isMidnight && day === 1];
  }
  const clock = name === 'D' ? DAY : name === 'W' ? WEEK : CLOCK[name];
  if ('seconds' in clock) {
    const units = floorDivide(seconds, BigInt(clock.seconds));
    return [units, units * BigInt(clock.seconds) === seconds && isZero(fraction)];
  }
  const { digits } = clock;
  const held = BigInt(fraction.slice(0, digits).padEnd(digits, '0'));
  return [seconds * POWERS[digits]! + held, isZero(fraction.slice(digits))];
}

const DAY = { seconds: DAY_SECONDS };
const WEEK = { seconds: 7 * DAY_SECONDS };

function isZero(digits: string): boolean {
  return !/[^0]/.test(digits);
}

function monthDays({ year, month }: CivilDay<bigint>): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4n === 0n && (year % 100n !== 0n || year % 400n === 0n) ? 29 : 28;
}

/** As a double, where all arithmetic with it is exact. */
function smallOf(value: bigint): number | undefined {
  const double = Number(value);
  return double < SMALL && double > -SMALL ? double : undefined;
}

/** Quotient, rounded down, and remainder; the quotient is a double where it is small. */
function divide(value: number | bigint, divisor: number): [quotient: number | bigint, remainder: number] {
  const small = typeof value === 'number' && value < SMALL && value > -SMALL ? value : smallOf(BigInt(value));
  if (small !== undefined) {
    const quotient = Math.floor(small / divisor);
    return [quotient, small - quotient * divisor];
  }
  const quotient = floorDivide(BigInt(value), BigInt(divisor));
  return [quotient, Number(BigInt(value) - quotient * BigInt(divisor))];
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1n : quotient;
}

/** Of what is not negative. */
function floor(value: number): number {
  return value | 0;
}
