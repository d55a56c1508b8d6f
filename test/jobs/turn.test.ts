/** When a worker leaves a pass to others. */
import t from 'tap';
import { Turn, WAITING } from '../../src/jobs/turn.js';

/** Longer than a turn while others wait, and shorter than one while nobody does. */
const A_TURN_MS = 12;

let nowMs = 1000;
t.intercept(performance, 'now', { value: () => nowMs });

function line({ interactive = 0, bulk = 0 } = {}): Int32Array {
  const waiting = new Int32Array(2);
  waiting[WAITING.interactive] = interactive;
  waiting[WAITING.bulk] = bulk;
  return waiting;
}

t.test('a scan makes way for a small question at once, one worker for each', t => {
  const waiting = line();
  const [one, other] = [new Turn(waiting, 'bulk'), new Turn(waiting, 'bulk')];
  t.notOk(one.isOver(false));
  waiting[WAITING.interactive] = 1;
  t.ok(one.isOver(false));
  t.notOk(other.isOver(false));
  t.end();
});

t.test('who waited before has let it go first, and small questions do not make way', t => {
  const [earned, small] = [new Turn(line({ interactive: 3 }), 'bulk'), new Turn(line({ bulk: 1 }), 'interactive')];
  t.notOk(earned.isOver(false));
  t.notOk(small.isOver(false));
  nowMs += A_TURN_MS;
  t.ok(earned.isOver(false));
  t.ok(small.isOver(false));
  t.end();
});

t.test('a turn is short while others wait, or where what it finds grows', t => {
  const turns = [new Turn(line(), 'bulk'), new Turn(line({ bulk: 1 }), 'bulk')] as const;
  t.notOk(turns.some(turn => turn.isOver(true)));
  nowMs += A_TURN_MS;
  t.strictSame(
    turns.map(turn => [turn.isOver(false), turn.isOver(true)]),
    [
      [false, true],
      [true, true],
    ],
  );
  nowMs += 100;
  t.ok(turns[0].isOver(false), 'and the main thread hears of it now and then');
  t.end();
});
