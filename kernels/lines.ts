/**
 * What kernels over runs and over rows are told, in one place in memory. Fields are 32 bits, the last three float64; the
 * same order stands in src/kernels/lines.ts.
 */
@unmanaged
export class Lines {
  type: i32;
  /** The first element. */
  ptr: usize;
  /** Lines of `length` contiguous elements, `step` bytes apart. */
  step: usize;
  count: usize;
  length: usize;
  /** Blocks of `count` rows; or, of short runs, rows of `count` runs, `blockStep` bytes apart. */
  blocks: usize;
  blockStep: usize;
  /** The first cell; bytes from one of its fields to the next, and from the cell of one run, or block, to that of the next. */
  cells: usize;
  fieldBytes: usize;
  cellStep: usize;
  /** Memory for WORKSPACE_BYTES per column, or per short run. */
  workspace: usize;
  /** NaN are left out. */
  omits: u32;
  /** Moments of floats: with SEEN, MIN and MAX in the same pass. */
  extremes: u32;
  /** Moments of float32: with SUM and SUM_REST, which follow from them. */
  sums: u32;
  /** Positions that are looked for: a sum of WANTS_MIN, WANTS_MAX and WANTS_NAN. */
  wants: u32;
  /** Index of the first element, or row; from one to the next; from one run, or block, to the next. */
  index: f64;
  indexStep: f64;
  outerIndexStep: f64;
}

/** Bytes of a stretch. */
export const STRETCH: usize = 8192;

/**
 * Long runs are read in four stretches at a time, a few bytes of each in turn, since memory answers to four pages sooner
 * than to one after the other (std of 1 GB: 95 instead of 160 ms of two threads' time). With 32 bytes a turn, the bytes
 * from 0, 8192, 16384 and 24576 on are taken, then those from 32, 8224, … on. A loop over `end - ptr` bytes reads
 *
 *     while (ptr < end) {
 *       const reach = Turns.reach(end - ptr);
 *       for (const last = Turns.last(ptr, end); ptr < last; ptr += 32) {
 *         for (let at = ptr; at < ptr + reach; at += STRETCH) …
 *       }
 *       ptr += Turns.skip(reach);
 *     }
 */
export class Turns {
  /** Bytes from the first stretch to the end of the last; 1 where what is left is read as it stands. */
  @inline static reach(left: usize): usize {
    return left >= 4 * STRETCH ? 4 * STRETCH : 1;
  }

  /** The end of the first stretch. */
  @inline static last(ptr: usize, end: usize): usize {
    return end - ptr >= 4 * STRETCH ? ptr + STRETCH : end;
  }

  /** Bytes that other turns than the first have read. */
  @inline static skip(reach: usize): usize {
    return (reach >> 2) * 3;
  }
}

/**
 * The same for kernels that take parts of `n` stretches at once: their parts are `apart` bytes from each other, and side by
 * side where less is left than `n` stretches.
 */
export class Parts {
  @inline static apart(left: usize, n: usize, part: usize): usize {
    return left >= n * STRETCH ? STRETCH : part;
  }

  /** From a part to the next one in the same stretch. */
  @inline static step(apart: usize, n: usize, part: usize): usize {
    return apart == part ? n * part : part;
  }

  /** The end of the first stretch. */
  @inline static last(ptr: usize, end: usize, apart: usize): usize {
    return apart == STRETCH ? ptr + STRETCH : end;
  }

  /** Bytes of the other stretches. */
  @inline static skip(apart: usize, n: usize, part: usize): usize {
    return apart == part ? 0 : (n - 1) * STRETCH;
  }
}
