/** Conversions of bytes into native numbers, by both implementations. */
import t from 'tap';
import { IMPLEMENTATIONS } from './implementations.js';

for (const { name, kernels, bytes, base } of IMPLEMENTATIONS) {
  t.test(`${name}: any byte but zero is true, whatever the length and the alignment`, async t => {
    const wrong: string[] = [];
    for (let length = 0; length <= 67; length++) {
      for (let shift = 0; shift < 16; shift++) {
        const from = base + shift;
        const to = base + 1024 + ((shift * 7) % 16);
        for (let i = 0; i < length; i++) bytes[from + i] = i % 3 === 0 ? 0 : (i * 37) % 256 || 255;
        bytes.fill(9, to - 1, to + length + 1);
        kernels.boolsToBytes(from, to, length);
        const wanted = [9, ...Array.from({ length }, (_, i) => (i % 3 === 0 ? 0 : 1)), 9];
        const found = [...bytes.subarray(to - 1, to + length + 1)];
        if (found.some((byte, i) => byte !== wanted[i]))
          wrong.push(`${length} bytes, shifted by ${shift}: ${found.join(' ')}`);
      }
    }
    t.strictSame(wrong, []);
  });
}
