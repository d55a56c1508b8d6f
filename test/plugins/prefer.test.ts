/** The Prefer header (RFC 7240). */
import t from 'tap';
import { parsePrefer } from '../../src/plugins/prefer.js';

t.test('what a client prefers', t => {
  const cases: [header: string | string[] | undefined, respondAsync: boolean, waitSeconds: number][] = [
    [undefined, false, 0],
    ['', false, 0],
    ['respond-async', true, 0],
    ['Respond-Async', true, 0],
    ['respond-async, wait=10', true, 10],
    ['wait=10,respond-async', true, 10],
    ['wait=10', false, 10],
    ['respond-async,wait = "7"', true, 7],
    ['respond-async; foo="a,b", wait=3', true, 3],
    ['return=minimal, handling=lenient', false, 0],
    ['foo="respond-async, wait=3"', false, 0],
    ['wait=3, wait=5, respond-async', true, 3],
    ['respond-async, wait=-1', true, 0],
    ['respond-async, wait=1.5', true, 0],
    ['respond-async, wait', true, 0],
    ['respond-async, wait=999999999', true, 50],
    ['respond-async, wait=9999999999', true, 50],
    ['respond-async, wait=' + '9'.repeat(400), true, 50],
    ['respond-asynchronously', false, 0],
    [', ,respond-async,,', true, 0],
    ['"', false, 0],
    ['respond-async please', false, 0],
    ['respond-async, wait="1" 0', true, 0],
    ['respond-async ; wait=3', true, 0],
    [['respond-async', 'wait=4'], true, 4],
  ];
  for (const [header, respondAsync, waitSeconds] of cases) {
    t.strictSame(parsePrefer(header), { respondAsync, waitSeconds }, JSON.stringify(header));
  }
  t.end();
});

t.test('a long header takes no time', t => {
  const started = performance.now();
  parsePrefer('a'.repeat(15_000));
  parsePrefer(' ='.repeat(7000));
  parsePrefer(',"'.repeat(7000));
  parsePrefer(`a=${' '.repeat(15_000)}"`);
  parsePrefer('a;'.repeat(7000));
  parsePrefer(`a${' '.repeat(100_000)}?`);
  parsePrefer(`a =${' '.repeat(100_000)}(x y`);
  // Milliseconds; a pattern that goes back and forth would take a minute.
  t.ok(performance.now() - started < 5000);
  t.end();
});
