import t from 'tap';
import { lowerBound } from '../src/lower-bound.js';

t.test('the first index that is reached is found wherever it is, by few questions', async t => {
  const faults: string[] = [];
  for (let count = 0; count <= 67; count++) {
    for (let first = 0; first <= count; first++) {
      const asked: number[] = [];
      const found = lowerBound(count, index => {
        asked.push(index);
        return index >= first;
      });
      if (found !== first) faults.push(`${found} instead of ${first} of ${count}`);
      if (asked.some(index => index < 0 || index >= count)) faults.push(`asked ${asked.join()} of ${count}`);
      if (asked.length > Math.ceil(Math.log2(count + 1))) faults.push(`${asked.length} questions for ${count}`);
    }
  }
  t.strictSame(faults, []);
  t.equal(
    lowerBound(2 ** 31 - 1, index => index >= 1_234_567_890),
    1_234_567_890,
  );
});
