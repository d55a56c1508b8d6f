/** Bodies of one number in formats that are no text. */
import { parseDType } from '../../src/dtype/index.js';
import { header, npy } from './npy.js';
import { ENCODINGS, ZipWriter } from '../../src/formats/index.js';

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

/** A .npz as it is sent, with one element, int8. */
export function npzOf(value: number): Buffer {
  const bytes = npy(header('|i1', '(1,)'), Buffer.of(value));
  const zip = new ZipWriter();
  const begun = zip.begin({ name: 'a.npy', bytes: bytes.byteLength });
  zip.add(bytes);
  return Buffer.concat([begun, bytes, zip.finish(), zip.end()]);
}
