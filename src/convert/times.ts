/**
 * Dates and durations from one unit to another: exact, rounded down where the unit is coarser, as numpy. Counts below
 * 2^51 go by doubles, all others by bigints. NaT stays NaT.
 */
import type { TimeDType, TimeUnit } from '../dtype/index.js';
import { bigItems, copy, highHalves, lowHalves, NONE, putWide, type Kernel, type Loss } from './kernel.js';
import { multiplied } from './multiplied.js';
import { CYCLE_DAYS, CYCLE_MONTHS, dayOfMonth, isCalendar, monthOfDay, ratioOf } from './time-units.js';

/** One step from counts to counts, rounded down. */
interface Step {
  /** NaN where doubles do not suffice. */
  fast(count: number): number;
  exact(count: bigint): bigint;
}

const NAT = -(2n ** 63n);
const COUNT_MAX = 2n ** 63n - 1n;
/** Quotients of counts below it are right when they are rounded down. */
const FAST_MAX = 2 ** 51;

export function timeKernel(from: TimeDType, to: TimeDType, loss: Loss): Kernel {
  const steps = stepsOf(from, to);
  if (steps.length === 0) return copy;
  const factor = factorBetween(from, to);
  const quick = factor && multiplied(factor, loss);
  if (quick) return quick;
  const back = loss === 'refuse' ? stepsOf(to, from) : [];
  return (source, target) => {
    const lows = lowHalves(source);
    const highs = highHalves(source);
    const halves = highHalves(target);
    const items = bigItems(target);
    for (let i = 0; i < items.length; i++) {
      const high = highs[2 * i + 1]!;
      if (high >= -(2 ** 19) && high < 2 ** 19) {
        const count = high * 2 ** 32 + lows[2 * i]!;
        const converted = fastly(steps, count);
        if (Number.isSafeInteger(converted)) {
          if (back.length > 0 && exactly(back, BigInt(converted)) !== BigInt(count)) return i;
          putWide(halves, i, converted);
          continue;
        }
      }
      const count = bigItems(source)[i]!;
      if (count === NAT) items[i] = NAT;
      else {
        const converted = exactly(steps, count);
        if (loss !== 'wrap' && (converted <= NAT || converted > COUNT_MAX)) return i;
        if (back.length > 0 && exactly(back, converted) !== count) return i;
        items[i] = BigInt.asIntN(64, converted);
      }
    }
    return NONE;
  };
}

function fastly(steps: readonly Step[], count: number): number {
  let converted = count;
  for (const step of steps) converted = step.fast(converted);
  return converted;
}

function exactly(steps: readonly Step[], count: bigint): bigint {
  let converted = count;
  for (const step of steps) converted = step.exact(converted);
  return converted;
}

/** None where the counts are the same: without a unit they are taken as they are. */
function stepsOf({ unit: from, kind }: TimeDType, { unit: to }: TimeDType): readonly Step[] {
  if (!from || !to) return [];
  if (kind === 'm' || isCalendar(from) === isCalendar(to)) return linear(from, to);
  return isCalendar(from)
    ? [...linear(from, MONTH), daysOfMonths, ...linear(DAY, to)]
    : [...linear(from, DAY), monthsOfDays, ...linear(MONTH, to)];
}

/** How many counts each one becomes; undefined where that is no number, or not always the same. */
function factorBetween({ unit: from, kind }: TimeDType, { unit: to }: TimeDType): bigint | undefined {
  if (!from || !to || (kind === 'M' && isCalendar(from) !== isCalendar(to))) return undefined;
  const { num, den } = ratioOf(from, to);
  return den === 1n ? num : undefined;
}

const MONTH: TimeUnit = { name: 'M', count: 1 };
const DAY: TimeUnit = { name: 'D', count: 1 };

function linear(from: TimeUnit, to: TimeUnit): readonly Step[] {
  const { num, den } = ratioOf(from, to);
  if (num === den) return [];
  const [factor, divisor] = [Number(num), Number(den)];
  const isSmall = num < 2n ** 51n && den < 2n ** 51n;
  return [
    {
      fast(count) {
        const product = count * factor;
        return isSmall && Math.abs(product) < FAST_MAX ? Math.floor(product / divisor) : Number.NaN;
      },
      exact: count => floorDiv(count * num, den),
    },
  ];
}

const daysOfMonths: Step = {
  fast(months) {
    const cycle = Math.floor(months / CYCLE_MONTHS);
    return cycle * CYCLE_DAYS + (Number.isNaN(months) ? months : dayOfMonth(months - cycle * CYCLE_MONTHS));
  },
  exact(months) {
    const cycle = floorDiv(months, BigInt(CYCLE_MONTHS));
    return cycle * BigInt(CYCLE_DAYS) + BigInt(dayOfMonth(Number(months - cycle * BigInt(CYCLE_MONTHS))));
  },
};

const monthsOfDays: Step = {
  fast(days) {
    const cycle = Math.floor(days / CYCLE_DAYS);
    return cycle * CYCLE_MONTHS + (Number.isNaN(days) ? days : monthOfDay(days - cycle * CYCLE_DAYS));
  },
  exact(days) {
    const cycle = floorDiv(days, BigInt(CYCLE_DAYS));
    return cycle * BigInt(CYCLE_MONTHS) + BigInt(monthOfDay(Number(days - cycle * BigInt(CYCLE_DAYS))));
  },
};

function floorDiv(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return a % b < 0n ? quotient - 1n : quotient;
}
