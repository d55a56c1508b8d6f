/**
 * `{"every": "1d"}`: dates in blocks of a calendar or of a clock, counted from 1970-01-01. Weeks begin on Monday, months and
 * years are those of the calendar. A key is the first moment of a block, in the unit of the field.
 */
import { dateText, daysOf, type TimeDType, type TimeUnit } from '../dtype/index.js';
import { fail } from '../errors.js';
import { floorDivide, isCalendar, sizeOfUnit } from '../filter/time-units.js';
import { refuse } from '../filter/parse.js';
import { fitsKernel, greatestCommonDivisor, type TimeBlocks } from '../kernels/time-blocks.js';
import { listed, shown } from '../shown.js';

/** A length of time: of months where `isMonths`, else of attoseconds. */
export interface Every {
  readonly isMonths: boolean;
  readonly length: bigint;
  /** What the first block began before 1970-01-01, in attoseconds: that was a Thursday. */
  readonly shift: bigint;
  readonly text: string;
}

const UNITS: Readonly<Record<string, TimeUnit['name']>> = {
  s: 's',
  m: 'm',
  h: 'h',
  d: 'D',
  D: 'D',
  W: 'W',
  M: 'M',
  Y: 'Y',
};

const DAY = sizeOfUnit({ name: 'D', count: 1 });

/** @throws bad_request */
export function parseEvery(value: unknown, at: string): Every {
  const match = typeof value === 'string' ? /^([1-9][0-9]{0,8})?([smhdDWMY])$/.exec(value) : null;
  if (!match) {
    return refuse(
      at,
      `a count and one of ${listed(Object.keys(UNITS))}, such as "1d", should stand there, not ${shown(value)}`,
    );
  }
  const unit = { name: UNITS[match[2]!]!, count: Number(match[1] ?? 1) };
  return {
    isMonths: isCalendar(unit),
    length: sizeOfUnit(unit),
    shift: unit.name === 'W' ? 3n * DAY : 0n,
    text: match[0],
  };
}

/** How the dates of a field are put into blocks. */
export interface PlannedEvery {
  readonly blocks: TimeBlocks;
  /** The text of the first moment of a block, by its number. */
  readonly textOf: (block: bigint) => string;
}

/** @throws bad_operation where blocks do not begin at counts of the field's unit */
export function planEvery(every: Every, dtype: TimeDType, at: string): PlannedEvery {
  const { unit } = dtype;
  if (dtype.kind !== 'M' || !unit) {
    return fail(
      'bad_operation',
      `${at}: elements of ${dtype.name} are no dates. Name a field of datetime64, or group by bins.`,
      { at, dtype: dtype.typestr },
    );
  }
  const planned = isCalendar(unit)
    ? ofMonths(every, unit)
    : every.isMonths
      ? ofCalendar(every, unit)
      : ofClock(every, unit);
  if (planned && fitsKernel(planned.blocks)) return planned;
  return fail(
    'bad_operation',
    `${at}: blocks of ${every.text} do not begin at dates of ${dtype.name}. Use a length that is a multiple of its unit, or group by the field itself, without every.`,
    { at, dtype: dtype.typestr, every: every.text },
  );
}

/** What dates are written in: weeks are written as days. */
function printed({ name }: TimeUnit): TimeUnit {
  return { name: name === 'W' ? 'D' : name, count: 1 };
}

function ofClock({ isMonths, length, shift }: Every, unit: TimeUnit): PlannedEvery | undefined {
  if (isMonths) return undefined;
  const size = sizeOfUnit(unit);
  const part = sizeOfUnit(printed(unit));
  // Where whole blocks lie between two dates, each date has one of its own.
  const isOwn = size % length === 0n;
  if (!isOwn && (length < size || length % part !== 0n)) return undefined;
  const step = isOwn ? size : length;
  const blocks = isOwn ? ITSELF : reduced({ unit: size, period: step, shift, months: 0n });
  return { blocks, textOf: block => dateText((block * step - shift) / part, printed(unit)) };
}

/** Each date is a block. */
const ITSELF: TimeBlocks = { unit: 1n, period: 1n, shift: 0n, months: 0n };

/** Months and years of dates that have days. */
function ofCalendar({ length }: Every, unit: TimeUnit): PlannedEvery | undefined {
  const size = sizeOfUnit(unit);
  // Dates further apart than the shortest month would leave some out.
  if (size > 28n * DAY) return undefined;
  const part = sizeOfUnit(printed(unit));
  const blocks = { ...reduced({ unit: size, period: DAY, shift: 0n, months: 0n }), months: length };
  return {
    blocks,
    textOf(block) {
      const months = block * length;
      const year = floorDivide(months, 12n);
      const day = daysOf({ year: 1970n + year, month: Number(months - 12n * year) + 1, day: 1 });
      return dateText((day * DAY) / part, printed(unit));
    },
  };
}

/** Of dates that are months or years themselves. */
function ofMonths({ isMonths, length }: Every, unit: TimeUnit): PlannedEvery | undefined {
  const size = sizeOfUnit(unit);
  const part = sizeOfUnit(printed(unit));
  if (!isMonths) {
    // The first of a month begins a block of a day, or of what divides it, and no other block has two of them.
    if (DAY % length !== 0n) return undefined;
    return { blocks: ITSELF, textOf: block => dateText(block, unit) };
  }
  const isOwn = size % length === 0n;
  if (!isOwn && (length < size || length % part !== 0n)) return undefined;
  const step = isOwn ? size : length;
  const blocks = isOwn ? ITSELF : reduced({ unit: size, period: step, shift: 0n, months: 0n });
  return { blocks, textOf: block => dateText((block * step) / part, printed(unit)) };
}

function reduced({ unit, period, shift, months }: TimeBlocks): TimeBlocks {
  const common = greatestCommonDivisor(greatestCommonDivisor(unit, period), shift);
  return { unit: unit / common, period: period / common, shift: shift / common, months };
}
