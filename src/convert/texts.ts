/** Text and void of one length → another: cut or filled up with zeros. Between bytes and code points only ASCII goes over. */
import type { TextDType } from '../dtype/index.js';
import { lowHalves, NONE, type Kernel, type Loss } from './kernel.js';

/** The same characters, or bytes, in items of another length. */
export function resized(fromBytes: number, toBytes: number, loss: Loss): Kernel {
  const kept = Math.min(fromBytes, toBytes);
  return (source, target) => {
    const count = target.length / toBytes;
    if (toBytes > fromBytes) target.fill(0);
    for (let i = 0; i < count; i++) {
      const start = i * fromBytes;
      if (loss === 'refuse' && !isZero(source, start + kept, start + fromBytes)) return i;
      target.set(source.subarray(start, start + kept), i * toBytes);
    }
    return NONE;
  };
}

/** Between `S` and `U`. */
export function recoded(from: TextDType, to: TextDType, loss: Loss): Kernel {
  const kept = Math.min(from.length, to.length);
  return (source, target) => {
    const codes = from.kind === 'U' ? lowHalves(source) : source;
    const out = to.kind === 'U' ? lowHalves(target) : target;
    const count = out.length / to.length;
    out.fill(0);
    for (let i = 0; i < count; i++) {
      for (let k = 0; k < from.length; k++) {
        const code = codes[i * from.length + k]!;
        if (code > 127 || (k >= kept && code !== 0 && loss === 'refuse')) return i;
        if (k < kept) out[i * to.length + k] = code;
      }
    }
    return NONE;
  };
}

function isZero(bytes: Uint8Array, start: number, end: number): boolean {
  for (let i = start; i < end; i++) if (bytes[i] !== 0) return false;
  return true;
}
