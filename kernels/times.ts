/**
 * Keys that rows are grouped by, beside plain values: dates, stretches of time, and stretches of rows. Codes of dates are
 * counts from 0 on, that of NaT is the largest.
 */
import { at } from './codes';

/** What the block of a date is found with; `src/kernels/time-blocks.ts` writes it. */
@unmanaged
class Blocks {
  /** Dates of `unit` parts each in blocks of `period` parts, of which the first began `shift` parts before 1970. */
  unit: i64;
  period: i64;
  shift: i64;
  /** So many dates have whole blocks, of this number. */
  dates: i64;
  blocks: i64;
  /** Months in a block, where `period` is a day. */
  months: i64;
  /** Where a period is longer than all dates: those before `shift` are of block -1, those from here on of block 1. */
  isLong: i64;
  above: i64;
}

/** Whatever lies further from 1970 is of the last block. */
const FAR: i64 = i64(1) << 62;

function floorDiv(value: i64, divisor: i64): i64 {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1 : quotient;
}

function blockOf(value: i64, blocks: Blocks): i64 {
  if (blocks.isLong) {
    if (value < -blocks.shift) return -1;
    return blocks.isLong == 2 && value >= blocks.above ? 1 : 0;
  }
  const whole = floorDiv(value, blocks.dates);
  const rest = value - whole * blocks.dates;
  // Of one part each, the rest may be anything below a period.
  const part =
    blocks.unit == 1 ? i64(rest >= blocks.period - blocks.shift) : (rest * blocks.unit + blocks.shift) / blocks.period;
  if (blocks.blocks == 1) return whole + part;
  const far = f64(whole) * f64(blocks.blocks);
  if (far >= f64(FAR)) return FAR;
  if (far <= -f64(FAR)) return -FAR;
  return whole * blocks.blocks + part;
}

/** Months from January 1970 to the one of a day (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms"). */
function monthOf(day: i64): i64 {
  const fromMarch = day + 719468;
  const era = floorDiv(fromMarch, 146097);
  const dayOfEra = fromMarch - era * 146097;
  const yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
  const dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
  // From 0 for March.
  const month = (5 * dayOfYear + 2) / 153;
  return (era * 400 + yearOfEra - 1970) * 12 + month + 2;
}

/** Dates, one per row, → codes of the blocks that they lie in; of themselves where `spec` is 0. */
export function timeCodes(from: usize, stride: usize, rows: usize, count: usize, spec: usize, to: usize): void {
  const blocks = changetype<Blocks>(spec);
  for (let i: usize = 0; i < count; i++) {
    const value = load<i64>(at(from, stride, rows, i));
    let block = value;
    if (spec && value != i64.MIN_VALUE) {
      block = blockOf(value, blocks);
      if (blocks.months) block = floorDiv(monthOf(block), blocks.months);
    }
    store<u64>(to + i * 8, u64(block) + u64(i64.MAX_VALUE));
  }
}

/** Rows → the numbers of the stretches of `length` rows that they lie in; row number 0 of the tile is `first`. */
export function rowCodes(first: f64, start: u32, rows: usize, count: usize, length: f64, to: usize): void {
  const from = u64(first);
  const each = u64(length);
  for (let i: usize = 0; i < count; i++) {
    const row = rows ? load<u32>(rows + i * 4) : start + u32(i);
    store<u64>(to + i * 8, (from + u64(row)) / each);
  }
}
