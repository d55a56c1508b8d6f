/** Bytes of a file → native numbers. */

/** Any byte but zero becomes 1. `from` and `to` may be the same, but must not overlap otherwise. */
export function boolsToBytes(from: usize, to: usize, count: usize): void {
  const one = i8x16.splat(1);
  let i: usize = 0;
  for (; i + 16 <= count; i += 16) v128.store(to + i, i8x16.min_u(v128.load(from + i), one));
  for (; i < count; i++) store<u8>(to + i, u8(load<u8>(from + i) != 0));
}
