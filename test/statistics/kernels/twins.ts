/**
 * Holds WebAssembly kernels to their scalar twins: both get the same memory and the same arguments, and must answer the
 * same and leave the same bytes behind.
 */
import { seededRandom, type Random } from '../../helpers/random.js';
import { IMPLEMENTATIONS } from './implementations.js';
import type { Kernels } from '../../../src/kernels/index.js';

const AREA_BYTES = 32 * 1024;
const NOISE = Uint8Array.from({ length: AREA_BYTES + 256 }, (_, i) => (i * 7) % 256);

/** Memory that a case of a kernel writes its inputs into. */
export interface Area {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  /** Takes memory at any alignment, filled with noise. */
  readonly take: (bytes: number) => number;
  readonly random: Random;
}

/** Runs `work` for many seeds over both implementations; answers a sentence per difference. */
export function differences(seeds: number, work: (kernels: Kernels, area: Area) => unknown): string[] {
  const found: string[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const [scalar, wasm] = IMPLEMENTATIONS.map(({ kernels, bytes, base }) => {
      const area = areaOf(bytes.subarray(base, base + AREA_BYTES), base, seededRandom(seed));
      const answer = work(kernels, area);
      return { answer, bytes: area.bytes };
    }) as [Outcome, Outcome];
    if (Buffer.compare(scalar.bytes, wasm.bytes) !== 0) {
      const at = scalar.bytes.findIndex((byte, i) => byte !== wasm.bytes[i]);
      found.push(`seed ${seed}: byte ${at} is ${wasm.bytes[at]} instead of ${scalar.bytes[at]}`);
    }
    if (!Object.is(scalar.answer, wasm.answer))
      found.push(`seed ${seed}: ${String(wasm.answer)} instead of ${String(scalar.answer)}`);
  }
  return found.slice(0, 10);
}

interface Outcome {
  readonly answer: unknown;
  readonly bytes: Uint8Array;
}

function areaOf(bytes: Uint8Array, base: number, random: Random): Area {
  const noise = random.below(256);
  bytes.set(NOISE.subarray(noise, noise + bytes.length));
  let top = 0;
  return {
    bytes,
    view: new DataView(bytes.buffer),
    random,
    take(wanted) {
      const at = base + top + random.below(9);
      top = at - base + wanted;
      if (top > AREA_BYTES) throw new Error('a case needs a larger area');
      return at;
    },
  };
}

export const SPECIAL_FLOATS = [
  0,
  -0,
  1,
  -1,
  0.5,
  1e-45,
  -1e-45,
  5e-324,
  -5e-324,
  1e300,
  -1e300,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  2 ** 53,
];
