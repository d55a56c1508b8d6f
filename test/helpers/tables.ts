/** Bodies of one number in formats that are no text. */
import { parseDType } from '../../src/dtype/index.js';
import { ENCODINGS } from '../../src/formats/index.js';

/** A stream of Arrow with one column of one element, int8. */
export function arrowOf(value: number): Buffer {
  const table = {
    dtype: parseDType('|i1'),
    rows: 1,
    columns: 1,
    names: undefined,
    header: true,
    int64: 'number',
  } as const;
  const encoder = ENCODINGS.arrow(table);
  const target = new Uint8Array(encoder.bytesMax(1));
  const written = encoder.encode(Uint8Array.of(value), 0, target);
  return Buffer.concat([...encoder.head(), target.subarray(0, written), ...encoder.tail()]);
}
