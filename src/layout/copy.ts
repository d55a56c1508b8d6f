/**
 * The strided copy that gathers and scatters are made of. Both sides are given as the same loops over two byte
 * offsets. Hazard: 8-byte items move as two 32-bit halves, because a float register may change a NaN's payload.
 */

/** A loop over elements of two arrays at once: `length` steps of `from` and `to` bytes. */
export interface Loop {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

/** Runs shorter than this are copied by a loop; a call to set() costs about as much. */
const SET_BYTES_MIN = 256;

/**
 * Orders loops so that memory is walked forwards on the `from` side (outermost the largest stride), merges those that
 * continue each other on both sides, and moves the starts so that no `from` step is negative.
 */
export function arrangeLoops(
  loops: readonly Loop[],
  fromStart: number,
  toStart: number,
): { loops: Loop[]; fromStart: number; toStart: number } {
  const forward = loops
    .filter(loop => loop.length !== 1)
    .map(loop => {
      if (loop.from >= 0) return loop;
      fromStart += loop.from * (loop.length - 1);
      toStart += loop.to * (loop.length - 1);
      return { length: loop.length, from: -loop.from, to: -loop.to };
    })
    .sort((a, b) => b.from - a.from || Math.abs(b.to) - Math.abs(a.to));
  const merged: Loop[] = [];
  for (const loop of forward) {
    const outer = merged.at(-1);
    if (outer && outer.from === loop.from * loop.length && outer.to === loop.to * loop.length) {
      merged[merged.length - 1] = { length: outer.length * loop.length, from: loop.from, to: loop.to };
    } else merged.push(loop);
  }
  return { loops: merged, fromStart, toStart };
}

/** Copies `loops` of items from one buffer to another. All offsets are bytes from the start of each array. */
export function copyStrided(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  loops: readonly Loop[],
  itemsize: number,
): void {
  const inner = loops.at(-1) ?? ONCE;
  const outer = loops.at(-2) ?? ONCE;
  const further = loops.slice(0, -2);
  if (inner.from === itemsize && inner.to === itemsize && inner.length * itemsize >= SET_BYTES_MIN) {
    const bytes = inner.length * itemsize;
    forEach(further, sourceStart, targetStart, (from, to) => {
      for (let i = 0; i < outer.length; i++) {
        const start = from + i * outer.from;
        target.set(source.subarray(start, start + bytes), to + i * outer.to);
      }
    });
    return;
  }
  const unit = unitOf(source, sourceStart, target, targetStart, loops, itemsize);
  const from = asUnits(source, unit);
  const to = asUnits(target, unit);
  const copy = copierOf(itemsize, unit) as Copier<Units>;
  const inUnits = ({ length, from: a, to: b }: Loop): Loop => ({ length, from: a / unit, to: b / unit });
  const [outerUnits, innerUnits] = [inUnits(outer), inUnits(inner)];
  forEach(further, sourceStart, targetStart, (a, b) =>
    copy(from, a / unit, to, b / unit, outerUnits, innerUnits, itemsize / unit),
  );
}

const ONCE: Loop = { length: 1, from: 0, to: 0 };

/** Calls back for every combination of loops, with both positions in bytes. */
function forEach(loops: readonly Loop[], from: number, to: number, visit: (from: number, to: number) => void): void {
  const [outer, ...inner] = loops;
  if (!outer) {
    visit(from, to);
    return;
  }
  for (let i = 0; i < outer.length; i++) forEach(inner, from + i * outer.from, to + i * outer.to, visit);
}

type Units = Uint8Array | Uint16Array | Uint32Array;

/** The widest unit of at most 4 bytes that both sides and every step are aligned to. */
function unitOf(
  source: Uint8Array,
  sourceStart: number,
  target: Uint8Array,
  targetStart: number,
  loops: readonly Loop[],
  itemsize: number,
): 1 | 2 | 4 {
  const aligned = (unit: number): boolean =>
    itemsize % unit === 0 &&
    source.byteOffset % unit === 0 &&
    sourceStart % unit === 0 &&
    target.byteOffset % unit === 0 &&
    targetStart % unit === 0 &&
    loops.every(loop => loop.from % unit === 0 && loop.to % unit === 0);
  return aligned(4) ? 4 : aligned(2) ? 2 : 1;
}

function asUnits(bytes: Uint8Array, unit: 1 | 2 | 4): Units {
  if (unit === 1) return bytes;
  const length = Math.floor(bytes.byteLength / unit);
  return unit === 4
    ? new Uint32Array(bytes.buffer, bytes.byteOffset, length)
    : new Uint16Array(bytes.buffer, bytes.byteOffset, length);
}

/** Two nested loops over items; positions and steps are in units and fit 31 bits, which `| 0` tells the compiler. */
type Copier<T extends Units> = (
  from: T,
  aStart: number,
  to: T,
  bStart: number,
  outer: Loop,
  inner: Loop,
  units: number,
) => void;

/** The loops for an item of so many units. One function per array type: a loop that sees several is five times slower. */
function copierOf(itemsize: number, unit: number): Copier<never> {
  if (itemsize === 8 && unit === 4) return copyPairs32;
  if (itemsize === 4 && unit === 4) return copyOnes32;
  if (itemsize === 2 && unit === 2) return copyOnes16;
  if (itemsize === 1) return copyOnes8;
  return copyUnaligned;
}

const copyPairs32: Copier<Uint32Array> = (from, aStart, to, bStart, outer, inner) => {
  for (let i = 0; i < outer.length; i++) {
    let a = (aStart + i * outer.from) | 0;
    let b = (bStart + i * outer.to) | 0;
    for (let j = 0; j < inner.length; j++) {
      to[b] = from[a]!;
      to[b + 1] = from[a + 1]!;
      a = (a + inner.from) | 0;
      b = (b + inner.to) | 0;
    }
  }
};

const copyOnes32: Copier<Uint32Array> = (from, aStart, to, bStart, outer, inner) => {
  for (let i = 0; i < outer.length; i++) {
    let a = (aStart + i * outer.from) | 0;
    let b = (bStart + i * outer.to) | 0;
    for (let j = 0; j < inner.length; j++) {
      to[b] = from[a]!;
      a = (a + inner.from) | 0;
      b = (b + inner.to) | 0;
    }
  }
};

const copyOnes16: Copier<Uint16Array> = (from, aStart, to, bStart, outer, inner) => {
  for (let i = 0; i < outer.length; i++) {
    let a = (aStart + i * outer.from) | 0;
    let b = (bStart + i * outer.to) | 0;
    for (let j = 0; j < inner.length; j++) {
      to[b] = from[a]!;
      a = (a + inner.from) | 0;
      b = (b + inner.to) | 0;
    }
  }
};

const copyOnes8: Copier<Uint8Array> = (from, aStart, to, bStart, outer, inner) => {
  for (let i = 0; i < outer.length; i++) {
    let a = (aStart + i * outer.from) | 0;
    let b = (bStart + i * outer.to) | 0;
    for (let j = 0; j < inner.length; j++) {
      to[b] = from[a]!;
      a = (a + inner.from) | 0;
      b = (b + inner.to) | 0;
    }
  }
};

/** Items wider than the unit that both sides are aligned to: files whose data starts at an odd offset. */
const copyUnaligned: Copier<Units> = (from, aStart, to, bStart, outer, inner, units) => {
  for (let i = 0; i < outer.length; i++) {
    let a = (aStart + i * outer.from) | 0;
    let b = (bStart + i * outer.to) | 0;
    for (let j = 0; j < inner.length; j++) {
      for (let unit = 0; unit < units; unit++) to[b + unit] = from[a + unit]!;
      a = (a + inner.from) | 0;
      b = (b + inner.to) | 0;
    }
  }
};
