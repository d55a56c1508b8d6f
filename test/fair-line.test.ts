/** The line in which clients take turns. */
import t from 'tap';
import { FairLine, type Client } from '../src/fair-line.js';
import { seededRandom } from './helpers/random.js';

const [ANN, BOB, CID] = ['ann', 'bob', 'cid'].map(id => ({ id, share: 0.75 })) as [Client, Client, Client];

function drain(line: FairLine<string>): string {
  let names = '';
  for (let name = line.take(); name !== undefined; name = line.take()) names += `${name} `;
  return names.trimEnd();
}

t.test('clients take turns, and each of them goes in the order in which it came', async t => {
  const line = new FairLine<string>();
  for (const name of ['a1', 'a2', 'a3', 'a4']) line.push(name, ANN);
  for (const name of ['b1', 'b2']) line.push(name, BOB);
  line.push('n1', undefined);
  t.match(line, { size: 7 });
  t.equal(line.countOf('ann'), 4);
  t.equal(line.first(), 'a1');
  t.equal(drain(line), 'a1 b1 n1 a2 b2 a3 a4');
  t.match(line, { size: 0 });
  t.equal(line.first(), undefined);
});

t.test('a client that comes later waits for one of each', async t => {
  const line = new FairLine<string>();
  for (let i = 0; i < 5; i++) line.push(`a${i}`, ANN);
  line.take();
  line.push('b', BOB);
  line.push('c', CID);
  t.equal(drain(line), 'a1 b c a2 a3 a4');
});

t.test('of those in turn the one goes first who has least under way, and few are looked at', async t => {
  const line = new FairLine<string>();
  for (const client of [ANN, BOB, CID]) line.push(client.id, client);
  for (let i = 0; i < 1000; i++) line.push('x', { id: `x${i}`, share: 1 });
  const underWay = new Map([
    ['ann', 2],
    ['bob', 1],
  ]);
  let looks = 0;
  const next = line.shift(id => {
    looks++;
    return underWay.get(id!) ?? 0;
  });
  t.equal(next, 'cid');
  t.equal(looks, 3);
});

t.test('what is urgent goes before what the same client has in line', async t => {
  const line = new FairLine<string>();
  for (const name of ['a1', 'a2']) line.push(name, ANN);
  for (const name of ['A3', 'A4']) line.push(name, ANN, true);
  line.push('b1', BOB);
  line.unshift(line.shift()!, ANN, true);
  t.equal(drain(line), 'A3 b1 A4 a1 a2');
});

t.test('a client has room for its share, and nobody for more than there is', async t => {
  const line = new FairLine<string>();
  for (let i = 0; i < 3; i++) {
    t.ok(line.hasRoomFor(ANN, 4));
    line.push('a', ANN);
  }
  t.notOk(line.hasRoomFor(ANN, 4));
  t.ok(line.hasRoomFor(BOB, 4));
  t.ok(line.hasRoomFor(undefined, 4));
  line.push('b', BOB);
  t.notOk(line.hasRoomFor(CID, 4));
  t.notOk(line.hasRoomFor(undefined, 4));
});

t.test('what leaves the line, waits no longer; what is not in it, does not leave it', async t => {
  const line = new FairLine<string>();
  for (const name of ['a1', 'a2', 'a3']) line.push(name, ANN);
  line.push('b1', BOB);
  t.equal(line.remove('a2', ANN), true);
  t.equal(line.remove('a2', ANN), false);
  t.equal(line.remove('b1', BOB), true);
  t.equal(line.remove('b1', BOB), false);
  t.strictSame(line.items(), ['a1', 'a3']);
  t.strictSame(line.takeAll(), ['a1', 'a3']);
  t.equal(drain(line), '');
});

t.test('whatever comes and goes, the order is that of a stupid model', async t => {
  const random = seededRandom(7);
  let wrong = 0;
  for (let round = 0; round < 200; round++) {
    const line = new FairLine<string>();
    // Clients in the order of their turns, each with what it has in line.
    const model: { client: Client; names: string[] }[] = [];
    for (let step = 0; step < 80; step++) {
      const client = random.pick([ANN, BOB, CID]);
      const own = model.find(each => each.client === client);
      const kind = random.next();
      if (kind < 0.5) {
        line.push(`${step}`, client);
        if (own) own.names.push(`${step}`);
        else model.push({ client, names: [`${step}`] });
      } else if (kind < 0.6 && own) {
        const name = random.pick(own.names);
        own.names.splice(own.names.indexOf(name), 1);
        if (own.names.length === 0) model.splice(model.indexOf(own), 1);
        line.remove(name, client);
      } else {
        // Looks that are undone, as piscina takes them.
        for (let look = random.integer(0, 2); look > 0 && line.size > 0; look--) {
          line.unshift(line.shift()!, model[0]!.client);
        }
        const next = model.shift();
        const name = next?.names.shift();
        if (next && next.names.length > 0) model.push(next);
        if (line.shift() !== name) wrong++;
      }
      if (line.size !== model.reduce((sum, { names }) => sum + names.length, 0)) wrong++;
    }
  }
  t.equal(wrong, 0);
});
