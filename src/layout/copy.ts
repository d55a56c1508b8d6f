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
  const inner = loops.at(-1);
  if (inner && inner.from === itemsize && inner.to === itemsize && inner.length * itemsize >= SET_BYTES_MIN) {
    const bytes = inner.length * itemsize;
    forEachOuter(loops, sourceStart, targetStart, (from, to) => {
      target.set(source.subarray(from, from + bytes), to);
    });
    return;
  }
  const unit = unitOf(source, sourceStart, target, targetStart, loops, itemsize);
  const from = asUnits(source, unit);
  const to = asUnits(target, unit);
  const copyRow = rowCopier(itemsize, unit) as RowCopier<Units>;
  const length = inner?.length ?? 1;
  // Both arrays are windows or pieces, so positions in units fit 31 bits; `| 0` keeps the loops below in integers.
  const fromStep = ((inner?.from ?? 0) / unit) | 0;
  const toStep = ((inner?.to ?? 0) / unit) | 0;
  forEachOuter(
    loops,
    sourceStart / unit,
    targetStart / unit,
    (a, b) => {
      copyRow(from, a | 0, fromStep, to, b | 0, toStep, length, itemsize / unit);
    },
    unit,
  );
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

/** Calls back for every combination of all loops but the innermost, with both positions in units. */
function forEachOuter(
  loops: readonly Loop[],
  from: number,
  to: number,
  visit: (from: number, to: number) => void,
  unit = 1,
): void {
  const depth = loops.length - 1;
  if (depth <= 0) {
    visit(from, to);
    return;
  }
  const walk = (level: number, a: number, b: number): void => {
    const loop = loops[level]!;
    const fromStep = loop.from / unit;
    const toStep = loop.to / unit;
    for (let i = 0; i < loop.length; i++) {
      if (level === depth - 1) visit(a, b);
      else walk(level + 1, a, b);
      a += fromStep;
      b += toStep;
    }
  };
  walk(0, from, to);
}

type RowCopier<T extends Units> = (
  from: T,
  a: number,
  aStep: number,
  to: T,
  b: number,
  bStep: number,
  length: number,
  units: number,
) => void;

/** The loop for an item of so many units. One function per array type: a loop that sees several is five times slower. */
function rowCopier(itemsize: number, unit: number): RowCopier<never> {
  if (itemsize === 8 && unit === 4) return copyPairs32;
  if (itemsize === 4 && unit === 4) return copyOnes32;
  if (itemsize === 2 && unit === 2) return copyOnes16;
  if (itemsize === 1) return copyOnes8;
  return copyUnaligned;
}

const copyPairs32: RowCopier<Uint32Array> = (from, a, aStep, to, b, bStep, length) => {
  for (let i = 0; i < length; i++) {
    to[b] = from[a]!;
    to[b + 1] = from[a + 1]!;
    a = (a + aStep) | 0;
    b = (b + bStep) | 0;
  }
};

const copyOnes32: RowCopier<Uint32Array> = (from, a, aStep, to, b, bStep, length) => {
  for (let i = 0; i < length; i++) {
    to[b] = from[a]!;
    a = (a + aStep) | 0;
    b = (b + bStep) | 0;
  }
};

const copyOnes16: RowCopier<Uint16Array> = (from, a, aStep, to, b, bStep, length) => {
  for (let i = 0; i < length; i++) {
    to[b] = from[a]!;
    a = (a + aStep) | 0;
    b = (b + bStep) | 0;
  }
};

const copyOnes8: RowCopier<Uint8Array> = (from, a, aStep, to, b, bStep, length) => {
  for (let i = 0; i < length; i++) {
    to[b] = from[a]!;
    a = (a + aStep) | 0;
    b = (b + bStep) | 0;
  }
};

/** Items wider than the unit that both sides are aligned to: files whose data starts at an odd offset. */
const copyUnaligned: RowCopier<Units> = (from, a, aStep, to, b, bStep, length, units) => {
  for (let i = 0; i < length; i++) {
    for (let unit = 0; unit < units; unit++) to[b + unit] = from[a + unit]!;
    a = (a + aStep) | 0;
    b = (b + bStep) | 0;
  }
};
