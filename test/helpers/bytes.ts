/** Bytes of arrays: how they are made, and what is the same in all of them. */
import { parseDType } from '../../src/dtype/index.js';
import { npyHeader } from '../../src/formats/index.js';

/** A whole .npy file, in C order. */
export function npyOf(typestr: string, shape: readonly number[], data: Uint8Array): Buffer {
  return Buffer.concat([npyHeader({ dtype: parseDType(typestr), shape, order: 'C' }), data]);
}

/** Every byte the same? Then that byte; undefined for a mixture. */
export function constantOf(bytes: Uint8Array): number | undefined {
  return Buffer.from(bytes).equals(Buffer.alloc(bytes.byteLength, bytes[0])) ? bytes[0] : undefined;
}
