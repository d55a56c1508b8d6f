/** One element as text, for messages. */
import { isNumber, isTime, type LeafDType } from '../dtype/index.js';
import { toNative } from '../native.js';
import { numberDType, withByteOrder } from '../dtype/index.js';
import { shown } from '../shown.js';

/** @param bytes of one little-endian element, at any alignment */
export function shownElement(dtype: LeafDType, bytes: Uint8Array): string {
  if (isNumber(dtype)) return String(toNative(withByteOrder(dtype, '<'), bytes)[0]);
  if (isTime(dtype)) return String(toNative(numberDType('<i8'), bytes)[0]);
  if (dtype.kind === 'c') {
    const parts = toNative(numberDType(dtype.itemsize === 8 ? '<f4' : '<f8'), bytes);
    return `[${parts[0]}, ${parts[1]}]`;
  }
  const text = Buffer.from(bytes.subarray(0, TEXT_BYTES_MAX));
  if (dtype.kind === 'S') return shown(text.toString('latin1').replace(/\0+$/, ''));
  if (dtype.kind === 'U') return shown(codePoints(text));
  return text.toString('base64');
}

const TEXT_BYTES_MAX = 240;

function codePoints(bytes: Buffer): string {
  let text = '';
  for (let at = 0; at + 4 <= bytes.byteLength; at += 4) {
    const code = bytes.readUInt32LE(at);
    text += code > 0x10_ff_ff ? '\uFFFD' : String.fromCodePoint(code);
  }
  return text.replace(/\0+$/, '');
}
