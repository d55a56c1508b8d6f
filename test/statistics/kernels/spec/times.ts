/** Codes of dates, of blocks of them, and of stretches of rows: by integers of any size, and by Date's calendar. */
import type { Kernels } from '../../../../src/kernels/index.js';

const NAT = -(2n ** 63n);

export function timeKernels(memory: DataView) {
  const rowAt = (rows: number, i: number): number => (rows ? memory.getUint32(rows + 4 * i, true) : i);
  return {
    timeCodes(from, stride, rows, count, spec, to) {
      for (let i = 0; i < count; i++) {
        const value = memory.getBigInt64(from + stride * rowAt(rows, i), true);
        const block = spec === 0 || value === NAT ? value : blockOf(memory, spec, value);
        memory.setBigUint64(to + 8 * i, BigInt.asUintN(64, block + 2n ** 63n - 1n), true);
      }
    },
    rowCodes(first, start, rows, count, length, to) {
      for (let i = 0; i < count; i++) {
        const row = first + (rows ? rowAt(rows, i) : start + i);
        memory.setBigUint64(to + 8 * i, BigInt(Math.floor(row / length)), true);
      }
    },
  } satisfies Partial<Kernels>;
}

function blockOf(memory: DataView, spec: number, value: bigint): bigint {
  const [unit, period, shift, , , months, isLong, above] = Array.from({ length: 8 }, (_, i) =>
    memory.getBigInt64(spec + 8 * i, true),
  ) as [bigint, bigint, bigint, bigint, bigint, bigint, bigint, bigint];
  const block =
    isLong === 0n
      ? floorDivide(value * unit + shift, period)
      : value < -shift
        ? -1n
        : isLong === 2n && value >= above
          ? 1n
          : 0n;
  return months === 0n ? block : floorDivide(monthOf(block), months);
}

const CYCLE_DAYS = 146_097n;

/** Every 400 years have as many days: the calendar of one such stretch is that of all. */
function monthOf(day: bigint): bigint {
  const cycle = floorDivide(day, CYCLE_DAYS);
  const date = new Date(Number(day - cycle * CYCLE_DAYS) * 86_400_000);
  return cycle * 4800n + BigInt((date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth());
}

function floorDivide(value: bigint, divisor: bigint): bigint {
  const quotient = value / divisor;
  return quotient * divisor > value ? quotient - 1n : quotient;
}
