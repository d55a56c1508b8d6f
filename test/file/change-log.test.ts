import t from 'tap';
import { ChangeLog } from '../../src/file/change-log.js';
import { packedView, type View } from '../../src/layout/view.js';
import { seededRandom } from '../helpers/random.js';

function bytes(start: number, end: number): View {
  return packedView([end - start], 1, 'C', start);
}

t.test('changes are told by version, from when somebody watches', async t => {
  const log = new ChangeLog();
  log.note(1, bytes(0, 10), 1);
  const unwatch = log.watch(1);
  t.equal(log.between(0, 1), undefined, 'what came before is not known');
  t.strictSame(log.between(1, 1), []);
  log.note(2, bytes(5, 10), 1);
  log.note(3, bytes(0, 0), 1);
  log.note(4, bytes(10, 20), 1);
  log.note(4, bytes(20, 30), 1);
  t.strictSame(log.between(1, 4), [
    { version: 2, start: 5, end: 10 },
    { version: 3, start: 0, end: 0 },
    { version: 4, start: 10, end: 30 },
  ]);
  t.strictSame(log.between(2, 3), [{ version: 3, start: 0, end: 0 }]);
  t.strictSame(log.between(4, 4), []);
  t.equal(log.between(3, 5), undefined, 'version 5 has begun and is not noted yet');
  const other = log.watch(4);
  unwatch();
  unwatch();
  t.ok(log.between(1, 4), 'another still watches');
  other();
  log.watch(9);
  t.equal(log.between(4, 9), undefined);
});

t.test('a version that nobody noted counts as a change of everything', async t => {
  const log = new ChangeLog();
  log.watch(0);
  log.note(1, bytes(0, 10), 1);
  log.note(3, bytes(0, 10), 1);
  t.equal(log.between(0, 3), undefined);
  t.ok(log.between(0, 1));
  t.ok(log.between(2, 3));
});

t.test('past the bound the oldest changes become one where they are few ranges, else they are unknown', async t => {
  const rows = new ChangeLog(10);
  rows.watch(0);
  for (let version = 1; version <= 11; version++) rows.note(version, bytes(version, version + 1), 1);
  t.strictSame(rows.between(0, 11)?.slice(0, 2), [
    { version: 6, start: 1, end: 7 },
    { version: 7, start: 7, end: 8 },
  ]);
  t.equal(rows.between(6, 11)?.length, 5);
  t.equal(rows.between(0, 4), undefined, 'which of the first were later is not known');
  const scattered = new ChangeLog(10);
  scattered.watch(0);
  for (let version = 1; version <= 11; version++) scattered.note(version, bytes(9 * version, 9 * version + 1), 1);
  t.equal(scattered.between(0, 11), undefined);
  t.equal(scattered.between(5, 11), undefined);
  t.equal(scattered.between(6, 11)?.length, 5);
  const pieces = new ChangeLog(10);
  pieces.watch(0);
  for (let i = 0; i < 11; i++) pieces.note(1, bytes(2 * i, 2 * i + 1), 1);
  t.equal(pieces.between(0, 1), undefined, 'a version of which a part was dropped');
});

t.test('what is known of the changes always holds all of them', async t => {
  const random = seededRandom(9);
  const faults: unknown[] = [];
  let known = 0;
  for (let round = 0; round < 300; round++) {
    const log = new ChangeLog(random.integer(4, 20));
    log.watch(0);
    const all: { version: number; start: number }[] = [];
    let missing = 0;
    for (let version = 1; version <= 60; version++) {
      // Now and then nobody notes what changed.
      if (random.next() < 0.01) {
        missing = version;
        continue;
      }
      const start = random.next() < 0.7 ? version % 7 : random.integer(0, 500);
      all.push({ version, start });
      log.note(version, bytes(start, start + 1), 1);
      const until = random.integer(Math.max(0, version - 3), version);
      const after = random.integer(0, version);
      const changes = log.between(after, until);
      if (!changes) continue;
      known++;
      if (missing > after && missing <= until) faults.push({ round, after, until, missing });
      for (const change of all) {
        if (change.version <= after || change.version > until) continue;
        if (!changes.some(({ start: from, end }) => from <= change.start && end > change.start)) {
          faults.push({ round, after, until, change });
        }
      }
    }
  }
  t.strictSame(faults.slice(0, 3), []);
  t.ok(known > 5000, `${known} known`);
});

t.test('rows far apart are noted apart, many of them together', async t => {
  const log = new ChangeLog();
  log.watch(0);
  const MiB = 1024 * 1024;
  log.note(1, { shape: [3, 100], strides: [MiB, 4], offset: 0 }, 4);
  t.equal(log.between(0, 1)?.length, 3);
  log.note(2, { shape: [1000, 100], strides: [MiB, 4], offset: 0 }, 4);
  t.strictSame(log.between(1, 2), [{ version: 2, start: 0, end: 999 * MiB + 400 }]);
});
