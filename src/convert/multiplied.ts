/**
 * Counts of a unit → counts of one that divides it, such as seconds → nanoseconds: 64-bit products of doubles, which cost
 * a tenth of those of bigints.
 */
import { bigItems, highHalves, lowHalves, NONE, type Kernel, type Loss } from './kernel.js';

const COUNT_MAX = 2n ** 63n - 1n;
const NAT = -(2n ** 63n);
const LIMB = 2 ** 24;

/** Undefined where the factor is so small that the largest counts would not fit a double, or does not fit one itself. */
export function multiplied(factor: bigint, loss: Loss): Kernel | undefined {
  if (factor <= 2n ** 11n || factor >= 2n ** 53n) return undefined;
  const countMax = Number(COUNT_MAX / factor);
  const factorHigh = Math.floor(Number(factor) / LIMB);
  const factorLow = Number(factor) - factorHigh * LIMB;
  return (source, target) => {
    const lows = lowHalves(source);
    const highs = highHalves(source);
    const halves = highHalves(target);
    for (let i = 0; i < halves.length; i += 2) {
      const count = highs[i + 1]! * 2 ** 32 + lows[i]!;
      const size = Math.abs(count);
      if (size > countMax) {
        const isNat = lows[i] === 0 && highs[i + 1] === -(2 ** 31);
        if (!isNat && loss !== 'wrap') return i / 2;
        const exact = isNat ? NAT : bigItems(source)[i / 2]! * factor;
        bigItems(target)[i / 2] = BigInt.asIntN(64, exact);
        continue;
      }
      // Limbs of 24 bits: no partial product is as large as 2^53, since the whole one is below 2^63.
      const high = Math.floor(size / LIMB);
      const low = size - high * LIMB;
      const middle = high * factorLow + low * factorHigh;
      const middleHigh = Math.floor(middle / 256);
      const bottom = low * factorLow + (middle - middleHigh * 256) * LIMB;
      const carried = Math.floor(bottom / 2 ** 32);
      const top = high * factorHigh * 65_536 + middleHigh + carried;
      const rest = bottom - carried * 2 ** 32;
      halves[i] = count < 0 ? -rest : rest;
      halves[i + 1] = count < 0 ? ~top + (rest === 0 ? 1 : 0) : top;
    }
    return NONE;
  };
}
