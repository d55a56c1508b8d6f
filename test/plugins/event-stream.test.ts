/** Event streams over real sockets: their pace, their heartbeat, and clients that read nothing. */
import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import fastify from 'fastify';
import t, { type Test } from 'tap';
import { streamEvents, type EventStreamBounds } from '../../src/plugins/event-stream.js';
import { eventsOf, type ServerEvent } from '../helpers/events.js';
import { eventually, get } from '../system/calls.js';

/** Something that changes when it is told to. */
class Scripted {
  readonly watchers = new Set<() => void>();
  text = '0';
  ended = false;

  change(text: string, ended = false): void {
    this.text = text;
    this.ended = ended;
    for (const watcher of this.watchers) watcher();
  }
}

interface Served {
  readonly source: Scripted;
  readonly url: string;
  /** The response of the service, once there is one. */
  readonly raw: () => ServerResponse | undefined;
}

async function serve(t: Test, bounds: EventStreamBounds): Promise<Served> {
  const source = new Scripted();
  let raw: ServerResponse | undefined;
  const app = fastify();
  app.get('/', (_request, reply) => {
    raw = reply.raw;
    const watch = (onChange: () => void): (() => void) => {
      source.watchers.add(onChange);
      return () => source.watchers.delete(onChange);
    };
    streamEvents(reply, { state: () => source.text, hasEnded: () => source.ended, watch }, bounds);
  });
  await app.listen({ port: 0 });
  t.teardown(() => app.close());
  return { source, url: `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`, raw: () => raw };
}

async function next(events: AsyncGenerator<ServerEvent, void>): Promise<ServerEvent | undefined> {
  return (await events.next()).value ?? undefined;
}

t.test('changes that come too fast become one event, with the latest state', async t => {
  const { source, url } = await serve(t, { gapMs: 100, heartbeatMs: 60_000 });
  const events = eventsOf(await get(url));
  t.match(await next(events), { event: 'progress', data: '0' });
  for (let i = 1; i <= 50; i++) source.change(`${i}`);
  t.match(await next(events), { event: 'progress', data: '50' });
  source.change('51');
  source.change('last', true);
  t.match(await next(events), { event: 'end', data: 'last' }, 'the end waits for nothing');
  t.equal(await next(events), undefined);
  t.equal(source.watchers.size, 0);
});

t.test('a quiet stream sends comments, and a client that goes away is not written to', async t => {
  const { source, url } = await serve(t, { gapMs: 1, heartbeatMs: 30 });
  const response = await get(url);
  const events = eventsOf(response);
  await next(events);
  for (let i = 0; i < 3; i++) t.match(await next(events), { event: undefined, data: 'still here' });
  t.equal(source.watchers.size, 1);
  response.destroy();
  t.ok(await eventually(() => source.watchers.size === 0), 'nobody watches any more');
});

t.test('a client that reads nothing holds a buffer, and finds the latest state and the end in it', async t => {
  const { source, url, raw } = await serve(t, { gapMs: 1, heartbeatMs: 5 });
  const response: IncomingMessage = await get(url);
  response.pause();
  const large = 'x'.repeat(64 * 1024);
  let most = 0;
  for (let i = 0; i < 400; i++) {
    source.change(`${i} ${large}`);
    // oxlint-disable-next-line no-await-in-loop
    await new Promise(resolve => setTimeout(resolve, 2));
    most = Math.max(most, raw()!.writableLength);
  }
  t.ok(raw()!.writableNeedDrain, 'the client is behind');
  t.ok(most < 4 * large.length, `${most} bytes`);
  source.change('the end', true);
  let last: ServerEvent | undefined;
  let count = 0;
  for await (const event of eventsOf(response)) {
    last = event;
    count++;
  }
  t.match(last, { event: 'end', data: 'the end' });
  t.ok(count < 400, `${count} of 400 events`);
});

t.test('a client that has gone before the stream begins is noticed', async t => {
  const source = new Scripted();
  const app = fastify();
  t.teardown(() => app.close());
  app.get('/', async (request, reply) => {
    request.raw.socket.destroy();
    await once(reply.raw, 'close');
    streamEvents(reply, {
      state: () => '',
      hasEnded: () => false,
      watch: onChange => {
        source.watchers.add(onChange);
        return () => source.watchers.delete(onChange);
      },
    });
    return reply;
  });
  await app.listen({ port: 0 });
  await t.rejects(get(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}/`));
  t.equal(source.watchers.size, 0);
});
