/** Memory for partials: nobody is given what another one still has, and what waits is bounded. */
import t from 'tap';
import { Rooms } from '../../src/jobs/rooms.js';
import { LIMITS } from '../../src/limits.js';
import { Room } from '../../src/statistics/index.js';

t.test('a room is given to one at a time, and again when it is given back', async t => {
  const rooms = new Rooms();
  const first = rooms.take(1000);
  const second = rooms.take(1000);
  t.ok(first.byteLength >= 1000);
  t.not(first, second);
  rooms.giveBack(first);
  t.equal(rooms.take(500), first, 'a smaller one is not made');
  t.not(rooms.take(500), first);
  rooms.giveBack(second);
  t.ok(rooms.take(2000).byteLength >= 2000, 'one that is too small is left');
});

t.test('what waits to be used is bounded', async t => {
  const rooms = new Rooms();
  const bytes = LIMITS.roomBytesMax;
  const taken = Array.from({ length: LIMITS.roomsBytes / bytes + 3 }, () => rooms.take(bytes));
  for (const room of taken) rooms.giveBack(room);
  const again = new Set(taken.map(() => rooms.take(bytes)));
  t.equal(taken.filter(room => again.has(room)).length, LIMITS.roomsBytes / bytes);
});

t.test('what does not fit into a room has memory of its own', async t => {
  const buffer = new SharedArrayBuffer(32);
  const room = new Room(buffer);
  const arrays = [room.f64(3), room.f64(2), room.f64(1), room.f64(1)];
  t.same(
    arrays.map(array => array.buffer === buffer),
    [true, false, true, false],
  );
  for (const [i, array] of arrays.entries()) array.fill(i);
  t.same(
    arrays.map(array => Array.from(array)),
    [[0, 0, 0], [1, 1], [2], [3]],
  );
});
