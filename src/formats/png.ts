/** PNG (W3C, third edition): the chunks around lines of pixels that were deflated as zlib does. */
import { crc32 } from 'node:zlib';

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

export interface PngLook {
  readonly width: number;
  readonly height: number;
  /** Of a byte a pixel, three bytes for each colour; else how many bytes a pixel has: 3, or 4 with transparency. */
  readonly pixels: Uint8Array | 3 | 4;
}

/** What stands before the data. */
export function pngHead({ width, height, pixels }: PngLook): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  header[9] = pixels === 3 ? 2 : pixels === 4 ? 6 : 3;
  const palette = typeof pixels === 'number' ? [] : [chunk('PLTE', pixels)];
  return Buffer.concat([SIGNATURE, chunk('IHDR', header), ...palette]);
}

export function pngData(deflated: Uint8Array): Uint8Array {
  return chunk('IDAT', deflated);
}

export function pngEnd(): Uint8Array {
  return chunk('IEND', new Uint8Array(0));
}

function chunk(name: string, data: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(data.byteLength + 12);
  bytes.writeUInt32BE(data.byteLength, 0);
  bytes.write(name, 4, 'latin1');
  bytes.set(data, 8);
  bytes.writeUInt32BE(crc32(bytes.subarray(4, 8 + data.byteLength)), 8 + data.byteLength);
  return bytes;
}
