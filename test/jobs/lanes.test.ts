/** The line before the workers: which task goes next. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { Piscina, queueOptionsSymbol } from 'piscina';
import t from 'tap';
import { Lanes, withMark, type Mark } from '../../src/jobs/lanes.js';
import type { Lane } from '../../src/jobs/turn.js';
import { seededRandom } from '../helpers/random.js';

type Task = NonNullable<ReturnType<Lanes['shift']>>;

interface Named {
  readonly name: string;
}

/** As piscina has it in its queue: the mark is on the wrapper. */
function taskOf(name: string, lane: Lane, more: Omit<Mark, 'lane'> = {}): Task & Named {
  const marked = withMark({ name }, { lane, ...more });
  return { name, [queueOptionsSymbol]: Reflect.get(marked, queueOptionsSymbol) ?? null };
}

function drain(lanes: Lanes): string {
  let names = '';
  for (let task = lanes.shift(); task; task = lanes.shift()) names += (task as Task & Named).name;
  return names;
}

function pushAll(lanes: Lanes, interactive: number, bulk: number): void {
  for (let i = 0; i < bulk; i++) lanes.push(taskOf('B', 'bulk'));
  for (let i = 0; i < interactive; i++) lanes.push(taskOf('i', 'interactive'));
}

t.test('interactive tasks go before bulk ones that came earlier, and bulk ones never wait for ever', async t => {
  const lanes = new Lanes(3);
  pushAll(lanes, 8, 3);
  t.equal(lanes.size, 11);
  t.equal(drain(lanes), 'iiiBiiiBiiB');
  t.equal(lanes.size, 0);
  t.equal(lanes.shift(), null);
});

t.test('turns are counted while a bulk task waits, not before', async t => {
  const lanes = new Lanes(2);
  pushAll(lanes, 5, 0);
  lanes.shift();
  lanes.shift();
  lanes.shift();
  lanes.push(taskOf('B', 'bulk'));
  t.equal(drain(lanes), 'iiB');
});

t.test('within a lane the first to come goes first', async t => {
  const lanes = new Lanes(2);
  for (const name of ['a', 'b', 'c']) lanes.push(taskOf(name, 'interactive'));
  for (const name of ['X', 'Y']) lanes.push(taskOf(name, 'bulk'));
  t.equal(drain(lanes), 'abXcY');
});

t.test('a task that is taken out and put back has had no turn', async t => {
  const lanes = new Lanes(2);
  pushAll(lanes, 6, 2);
  let names = '';
  while (lanes.size > 0) {
    for (let look = 0; look < 5; look++) lanes.unshift(lanes.shift()!);
    names += (lanes.shift() as Task & Named).name;
  }
  t.equal(names, 'iiBiiBii');
});

t.test('a task can leave the line from anywhere', async t => {
  const lanes = new Lanes(2);
  const tasks = [taskOf('a', 'interactive'), taskOf('B', 'bulk'), taskOf('c', 'interactive')];
  for (const task of tasks) lanes.push(task);
  lanes.remove(tasks[1]!);
  lanes.remove(tasks[0]!);
  t.equal(drain(lanes), 'c');
  t.throws(() => lanes.remove(tasks[0]!), /stands in it/);
});

const [ANN, BOB] = ['ann', 'bob'].map(id => ({ id, share: 0.75 }));

t.test('within a lane clients take turns, also where tasks are taken out and put back', async t => {
  const lanes = new Lanes(2);
  for (const name of ['a', 'b', 'c', 'd']) lanes.push(taskOf(name, 'interactive', { client: ANN }));
  for (const name of ['A', 'B']) lanes.push(taskOf(name, 'bulk', { client: ANN }));
  for (const name of ['x', 'y']) lanes.push(taskOf(name, 'interactive', { client: BOB }));
  lanes.push(taskOf('X', 'bulk', { client: BOB }));
  let names = '';
  while (lanes.size > 0) {
    for (let look = 0; look < 3; look++) lanes.unshift(lanes.shift()!);
    names += (lanes.shift() as Task & Named).name;
  }
  t.equal(names, 'axAbyXcdB');
});

t.test('a client goes first of whose tasks the workers have the fewest', async t => {
  const lanes = new Lanes();
  // Two of one client are with the workers, one of the other.
  const done = [ANN, ANN, BOB].map(client => lanes.give(client));
  const push = (name: string, client: Mark['client']): void => {
    lanes.give(client);
    lanes.push(taskOf(name, 'interactive', { client }));
  };
  for (const name of ['a', 'b', 'c']) push(name, ANN);
  for (const name of ['x', 'y']) push(name, BOB);
  const next = (): string => (lanes.shift() as Task & Named).name;
  t.equal(next(), 'x');
  done[0]!();
  done[1]!();
  t.equal(next() + next(), 'ab');
});

t.test('a task that others wait for goes before what the same client has in line, not before others', async t => {
  const lanes = new Lanes();
  for (const name of ['a', 'b']) lanes.push(taskOf(name, 'interactive', { client: ANN }));
  lanes.push(taskOf('x', 'interactive', { client: BOB }));
  lanes.push(taskOf('W', 'interactive', { client: ANN, isUrgent: true }));
  t.equal(drain(lanes), 'Wxab');
});

t.test('whatever comes and goes, the order is that of a stupid model', async t => {
  const random = seededRandom(11);
  let wrong = 0;
  for (let pass = 0; pass < 200; pass++) {
    const turnsMax = random.integer(1, 4);
    const lanes = new Lanes(turnsMax);
    const waiting: (Task & Named & { lane: Lane })[] = [];
    let passed = 0;
    for (let step = 0; step < 60; step++) {
      if (random.next() < 0.55) {
        const lane = random.pick(['interactive', 'bulk'] as const);
        const task = Object.assign(taskOf(`${step}`, lane), { lane });
        waiting.push(task);
        lanes.push(task);
        continue;
      }
      if (random.next() < 0.3 && lanes.size > 0) lanes.unshift(lanes.shift()!);
      const bulk = waiting.find(({ lane }) => lane === 'bulk');
      const interactive = waiting.find(({ lane }) => lane === 'interactive');
      const expected = bulk && (!interactive || passed >= turnsMax) ? bulk : interactive;
      passed = expected === bulk || !bulk ? 0 : passed + 1;
      if (expected) waiting.splice(waiting.indexOf(expected), 1);
      if (lanes.shift() !== (expected ?? null)) wrong++;
    }
  }
  t.equal(wrong, 0);
});

t.test('piscina keeps that order with one thread that is always busy', async t => {
  const filename = new URL('../helpers/echo-worker.js', import.meta.url).href;
  const pool = new Piscina({
    filename,
    minThreads: 1,
    maxThreads: 1,
    taskQueue: new Lanes(3),
    stricterFIFO: true,
    atomics: 'async',
  });
  t.teardown(() => pool.destroy());
  let order = '';
  const give = async (name: string, lane: Lane): Promise<void> => {
    const { name: done } = (await pool.run(withMark({ name }, { lane }))) as Named;
    order += done;
  };
  // The first one finds a free thread.
  const given = [give('-', 'bulk'), ...Array.from({ length: 3 }, () => give('B', 'bulk'))];
  await nextTurn();
  given.push(...Array.from({ length: 8 }, () => give('i', 'interactive')));
  await Promise.all(given);
  t.equal(order.at(0), '-');
  // The thread may have begun on the line before the last of it came; from there on the pattern holds.
  t.match(order, /^-B?(iiiB)+i*B*$/);
  t.equal(order.length, 12);
});
