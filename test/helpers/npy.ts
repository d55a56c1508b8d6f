/** The bytes of .npy files, also of those that numpy would not write. */

/** A file with this dict as its header, and data behind it: bytes, or how many zeros. */
export function npy(dict: string, data: Buffer | number = 0, version = 1): Buffer {
  const text = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  const head = Buffer.from(`\x93NUMPY${String.fromCharCode(version)}\0`, 'latin1');
  return Buffer.concat([
    head,
    Buffer.of(text.length & 255, text.length >> 8),
    Buffer.from(text),
    typeof data === 'number' ? Buffer.alloc(data) : data,
  ]);
}

/** The dict that numpy writes for an array in C order. */
export function header(descr: string, shape: string): string {
  return `{'descr': '${descr}', 'fortran_order': False, 'shape': ${shape}, }`;
}
