/** Following datasets: event streams of one and of several, and calls that wait for a change. */
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventsOf, type ServerEvent } from '../helpers/events.js';
import { temporaryFolder } from '../helpers/server.js';
import { loopClock } from '../helpers/loop-clock.js';
import { startHere, type ServiceHere } from '../helpers/service-here.js';
import { keysToText, makeKey } from '../../src/access/keys.js';
import { header, npy } from '../helpers/npy.js';

interface Change {
  readonly dataset?: string;
  readonly id: string;
  readonly generation: number;
  readonly shape: readonly number[];
}

const JSON_TYPE = { 'content-type': 'application/json' };

async function call(service: ServiceHere, method: string, where: string, body?: unknown): Promise<unknown> {
  const init = body === undefined ? { method } : { method, headers: JSON_TYPE, body: JSON.stringify(body) };
  const response = await service.fetch(where, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${where}: ${response.status} ${text}`);
  return text === '' ? undefined : JSON.parse(text);
}

const make = (service: ServiceHere, name: string): Promise<unknown> =>
  call(service, 'POST', '/v1/datasets', { name, dtype: '<i4', shape: [3] });
const write = (service: ServiceHere, name: string, value: number): Promise<{ generation: number }> =>
  call(service, 'PUT', `/v1/datasets/${name}/data`, value) as Promise<{ generation: number }>;
const describe = (service: ServiceHere, name: string): Promise<Change> =>
  call(service, 'GET', `/v1/datasets/${name}`) as Promise<Change>;

const npyBytes = (descr: string, shape: readonly number[], data: Buffer): Buffer =>
  npy(header(descr, `(${shape.map(length => `${length},`).join(' ')})`), data);

/** The service runs in this process. */
const loop = loopClock(t);
const BURST_MS_MAX = 30_000;

/** A stream that is read while the test goes on. */
class Follower {
  readonly events: (ServerEvent & { readonly atMs: number; readonly atLoopMs: number })[] = [];
  hasEnded = false;
  wasCut = false;
  response!: Response;
  readonly #abort = new AbortController();

  static async open(
    t: Test,
    service: ServiceHere,
    where: string,
    headers: Record<string, string> = {},
  ): Promise<Follower> {
    const follower = new Follower();
    follower.response = await service.fetch(where, { headers, signal: follower.#abort.signal });
    if (follower.response.status === 200) void follower.#read();
    t.teardown(() => follower.leave());
    return follower;
  }

  get changes(): Change[] {
    return this.events.filter(({ event }) => event === 'change').map(({ data }) => JSON.parse(data) as Change);
  }

  /** Waits until something is so, for a few seconds at most. */
  async until(what: (follower: this) => boolean, ms = 6000): Promise<boolean> {
    for (const end = loop.ms + ms; loop.ms < end;) {
      if (what(this)) return true;
      // oxlint-disable-next-line no-await-in-loop
      await sleep(10);
    }
    return false;
  }

  leave(): void {
    this.#abort.abort();
  }

  async #read(): Promise<void> {
    try {
      for await (const event of eventsOf(this.response.body!)) {
        this.events.push({ ...event, atMs: performance.now(), atLoopMs: loop.ms });
      }
    } catch {
      this.wasCut = !this.#abort.signal.aborted;
    }
    this.hasEnded = true;
  }
}

t.test('the state comes first, then each change, uncoded, and nothing may gather it', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const follower = await Follower.open(t, service, '/v1/datasets/a/events', {
    'accept-encoding': 'gzip, br, zstd',
    'last-event-id': '99',
  });
  t.ok(await follower.until(({ events }) => events.length === 1, 1000), 'within a second');
  const { headers } = follower.response;
  t.equal(headers.get('content-type'), 'text/event-stream; charset=utf-8');
  t.equal(headers.get('cache-control'), 'no-store, no-transform');
  t.equal(headers.get('x-accel-buffering'), 'no');
  t.equal(headers.get('content-encoding'), null);
  const { id, generation } = await describe(service, 'a');
  t.match(follower.events[0], { event: 'change', id: String(generation) });
  t.strictSame(follower.changes, [{ id, generation, shape: [3] }]);
  const { generation: next } = await write(service, 'a', 7);
  t.ok(await follower.until(({ events }) => events.length === 2, 1000));
  t.strictSame(follower.changes[1], { id, generation: next, shape: [3] });
  await call(service, 'PATCH', '/v1/datasets/a', { attrs: { x: 1 } });
  await sleep(300);
  t.equal(follower.events.length, 2, 'what is no change is no event');
});

t.test('a burst is at most ten events in any second, ascending, and its last is told within a second', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const follower = await Follower.open(t, service, '/v1/datasets/a/events');
  let last = 0;
  const began = performance.now();
  const spent = (): number => performance.now() - began;
  while (spent() < 2200 || (follower.events.length < 12 && spent() < BURST_MS_MAX)) {
    // oxlint-disable-next-line no-await-in-loop
    last = (await write(service, 'a', 1)).generation;
  }
  const wroteMs = loop.ms;
  t.ok(await follower.until(({ changes }) => changes.at(-1)?.generation === last));
  t.ok(follower.events.at(-1)!.atLoopMs - wroteMs < 1000);
  const generations = follower.changes.map(({ generation }) => generation);
  t.strictSame(
    generations,
    [...new Set(generations)].toSorted((a, b) => a - b),
  );
  const times = follower.events.map(({ atMs }) => atMs);
  t.ok(times.length >= 12, `${times.length} events`);
  for (const from of times) {
    const within = times.filter(each => each >= from && each < from + 1000).length;
    t.ok(within <= 11, `${within} events within a second of their arrival`);
  }
});

t.test('a replaced dataset goes on under its new id, and a deleted one ends the stream', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const follower = await Follower.open(t, service, '/v1/datasets/a/events');
  await follower.until(({ events }) => events.length === 1);
  await service.fetch('/v1/datasets/a?overwrite=true', {
    method: 'PUT',
    headers: { 'content-type': 'application/x-npy' },
    body: npyBytes('<f8', [2, 2], Buffer.alloc(32)),
  });
  t.ok(await follower.until(({ changes }) => changes.length === 2, 2000));
  const [first, second] = follower.changes as [Change, Change];
  t.not(first.id, second.id);
  t.ok(second.generation > first.generation);
  t.strictSame(second, { ...(await pick(service, 'a')) });
  await call(service, 'DELETE', '/v1/datasets/a');
  t.ok(await follower.until(({ hasEnded }) => hasEnded, 2000), 'the stream ends');
  const end = follower.events.at(-1)!;
  t.equal(end.event, 'deleted');
  t.strictSame(JSON.parse(end.data), { id: second.id });
  t.equal((await service.fetch('/v1/datasets/a/events')).status, 404);
});

async function pick(service: ServiceHere, name: string): Promise<Change> {
  const { id, generation, shape } = await describe(service, name);
  return { id, generation, shape };
}

t.test('one stream of several names its datasets, and goes on when one is deleted and comes again', async t => {
  const service = await startHere(t);
  for (const name of ['a', 'b']) await make(service, name);
  const follower = await Follower.open(t, service, '/v1/events?datasets=a,b,a');
  t.ok(await follower.until(({ events }) => events.length === 2));
  t.strictSame(
    follower.changes.map(({ dataset }) => dataset),
    ['a', 'b'],
  );
  await write(service, 'b', 5);
  t.ok(await follower.until(({ events }) => events.length === 3));
  t.match(follower.changes[2], { dataset: 'b', ...(await pick(service, 'b')) });
  await call(service, 'DELETE', '/v1/datasets/a?data=delete');
  t.ok(await follower.until(({ events }) => events.at(-1)?.event === 'deleted'));
  t.strictSame(JSON.parse(follower.events.at(-1)!.data), { dataset: 'a', id: follower.changes[0]!.id });
  await make(service, 'a');
  t.ok(await follower.until(({ changes }) => changes.length === 4));
  t.match(follower.changes[3], { dataset: 'a', ...(await pick(service, 'a')) });
  t.notOk(follower.hasEnded);
  for (const [where, status] of [
    ['datasets=a,nobody', 404],
    ['datasets=', 400],
    ['datasets=a,,b', 400],
    ['', 400],
    [`datasets=${Array.from({ length: 101 }, (_, i) => `n${i}`).join()}`, 413],
  ] as const) {
    t.equal((await service.fetch(`/v1/events?${where}`)).status, status, where.slice(0, 30));
  }
});

t.test('many datasets that change at once are all told within a second', async t => {
  const service = await startHere(t);
  const names = Array.from({ length: 40 }, (_, i) => `d${i}`);
  await Promise.all(names.map(name => make(service, name)));
  const follower = await Follower.open(t, service, `/v1/events?datasets=${names.join()}`);
  t.ok(await follower.until(({ events }) => events.length === 40));
  await Promise.all(names.map(name => write(service, name, 1)));
  const wroteMs = loop.ms;
  t.ok(await follower.until(({ events }) => events.length >= 80));
  t.ok(follower.events.at(-1)!.atLoopMs - wroteMs < 1300);
  t.equal(new Set(follower.changes.slice(40).map(({ dataset }) => dataset)).size, 40);
});

t.test('wait answers at a change, at the end of its time, and at once where there is nothing to wait for', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const { generation, id } = await describe(service, 'a');
  const timed = async (query: string): Promise<{ ms: number; clockMs: number; response: Response }> => {
    const [started, clockStarted] = [loop.ms, performance.now()];
    const response = await service.fetch(`/v1/datasets/a?${query}`);
    return { ms: loop.ms - started, clockMs: performance.now() - clockStarted, response };
  };
  t.ok((await timed(`wait=${generation - 1}`)).ms < 500, 'another one already');
  t.ok((await timed(`wait=${generation + 5}`)).ms < 500, 'whichever it is');
  const idle = await timed(`wait=${generation}&timeout=1`);
  t.ok(idle.clockMs > 900 && idle.ms < 3000, `${idle.clockMs} ms`);
  t.match(await idle.response.json(), { generation, id });
  const waiting = timed(`wait=${generation}`);
  await sleep(200);
  const { generation: next } = await write(service, 'a', 3);
  const woken = await waiting;
  t.ok(woken.ms < 2000);
  t.match(await woken.response.json(), { generation: next, shape: [3] });
  const replaced = timed(`wait=${next}`);
  await sleep(200);
  await service.fetch('/v1/datasets/a?overwrite=true', {
    method: 'PUT',
    headers: { 'content-type': 'application/x-npy' },
    body: npyBytes('<f8', [2], Buffer.alloc(16)),
  });
  const other = (await (await replaced).response.json()) as Change;
  t.not(other.id, id);
  const gone = timed(`wait=${other.generation}`);
  await sleep(200);
  await call(service, 'DELETE', '/v1/datasets/a?data=delete');
  const answer = await gone;
  t.equal(answer.response.status, 404);
  t.ok(answer.ms < 2200);
  await make(service, 'a');
  for (const query of ['wait=x', 'wait=', 'wait=1.5', 'wait=1&timeout=0', 'wait=1&timeout=51', 'wait=1&timeout=x']) {
    t.equal((await service.fetch(`/v1/datasets/a?${query}`)).status, 400, query);
  }
});

t.test('beyond the bound followers are told to come later, and ordinary calls go on', async t => {
  const service = await startHere(t, { env: { HYPERSLAB_FOLLOWERS_MAX: '4' } });
  await make(service, 'a');
  const followers = await Promise.all(
    Array.from({ length: 8 }, () => Follower.open(t, service, '/v1/datasets/a/events')),
  );
  const refused = followers.filter(({ response }) => response.status === 503);
  t.equal(followers.filter(({ response }) => response.status === 200).length, 4);
  t.equal(refused.length, 4);
  t.ok(refused.every(({ response }) => Number(response.headers.get('retry-after')) > 0));
  const { generation } = await describe(service, 'a');
  const waiting = await service.fetch(`/v1/datasets/a?wait=${generation}`);
  t.equal(waiting.status, 503);
  t.equal((await service.fetch(`/v1/datasets/a?wait=0`)).status, 200, 'what needs no waiting has its answer');
  await write(service, 'a', 1);
  followers.find(({ response }) => response.status === 200)!.leave();
  await sleep(300);
  t.equal((await Follower.open(t, service, '/v1/datasets/a/events')).response.status, 200, 'a place is free again');
});

t.test('what another program does to a file is noticed while somebody follows it', async t => {
  const service = await startHere(t);
  const file = path.join(service.dataDir, 'outside.npy');
  fs.writeFileSync(file, npyBytes('<i4', [4], Buffer.alloc(16, 1)));
  await call(service, 'POST', '/v1/datasets', { name: 'outside', path: 'outside.npy' });
  const follower = await Follower.open(t, service, '/v1/datasets/outside/events');
  await follower.until(({ events }) => events.length === 1);
  await sleep(100);
  fs.writeFileSync(file, npyBytes('<i4', [4], Buffer.alloc(16, 2)));
  t.ok(await follower.until(({ changes }) => changes.length >= 2, 5000), 'other bytes');
  fs.writeFileSync(`${file}.new`, npyBytes('<i4', [6], Buffer.alloc(24, 3)));
  fs.renameSync(`${file}.new`, file);
  t.ok(await follower.until(({ changes }) => changes.at(-1)?.shape[0] === 6, 5000), 'another file');
  const generations = follower.changes.map(({ generation }) => generation);
  t.strictSame(
    generations,
    [...new Set(generations)].toSorted((a, b) => a - b),
  );
  const last = follower.changes.at(-1)!;
  const waiting = service.fetch(`/v1/datasets/outside?wait=${last.generation}&timeout=10`);
  await sleep(100);
  fs.writeFileSync(file, npyBytes('<i4', [6], Buffer.alloc(24, 4)));
  const woken = (await (await waiting).json()) as Change;
  t.ok(woken.generation > last.generation);
});

t.test('a description is of what another program did before it was asked for', async t => {
  const service = await startHere(t);
  const file = path.join(service.dataDir, 'outside.raw');
  fs.writeFileSync(file, Buffer.alloc(16));
  await call(service, 'POST', '/v1/datasets', { name: 'o', path: 'outside.raw', dtype: '<i4' });
  let before = (await describe(service, 'o')).generation;
  t.equal((await describe(service, 'o')).generation, before, 'nothing moves by itself');
  for (const read of [false, true, false]) {
    await sleep(30);
    fs.writeFileSync(file, Buffer.alloc(16, 7));
    if (read) await call(service, 'GET', '/v1/datasets/o/data');
    const { generation } = await describe(service, 'o');
    t.ok(generation > before);
    before = generation;
  }
});

t.test('a shape that is expected is asked for when a stream begins, and whenever a wait is answered', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  t.equal((await service.fetch('/v1/datasets/a/events?expected_shape=4')).status, 409);
  t.equal((await Follower.open(t, service, '/v1/datasets/a/events?expected_shape=3')).response.status, 200);
  t.equal((await service.fetch('/v1/datasets/a?wait=1&expected_shape=4')).status, 409);
});

t.test('the streams of the batch are not coded and not kept either', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const response = await service.fetch('/v1/statistics', {
    method: 'POST',
    headers: { ...JSON_TYPE, 'accept-encoding': 'gzip, br, zstd' },
    body: JSON.stringify({ queries: Array.from({ length: 50 }, () => ({ dataset: 'a', ops: ['sum'] })) }),
  });
  t.equal(response.headers.get('content-type'), 'application/x-ndjson');
  t.equal(response.headers.get('content-encoding'), null);
  t.equal(response.headers.get('cache-control'), 'no-store, no-transform');
  t.equal(response.headers.get('x-accel-buffering'), 'no');
  t.equal((await response.text()).trim().split('\n').length, 50);
});

t.test('a stream and a wait end with the key that began them', async t => {
  const dataDir = temporaryFolder();
  const keys = path.join(dataDir, 'keys.json');
  const { text: admin, record } = makeKey({ name: 'admin', scopes: ['admin'], created: new Date().toISOString() });
  const reader = makeKey({ name: 'reader', scopes: ['read'], created: new Date().toISOString() });
  fs.writeFileSync(keys, keysToText([record, reader.record]), { mode: 0o600 });
  const service = await startHere(t, { dataDir, env: { HYPERSLAB_KEYS_FILE: keys } });
  const bearer = (key: string): Record<string, string> => ({ authorization: `Bearer ${key}` });
  const body = JSON.stringify({ name: 'a', dtype: '<i4', shape: [3] });
  await service.fetch('/v1/datasets', { method: 'POST', headers: { ...JSON_TYPE, ...bearer(admin) }, body });
  const ended = await Follower.open(t, service, '/v1/datasets/a/events', bearer(reader.text));
  const lasting = await Follower.open(t, service, '/v1/events?datasets=a', bearer(admin));
  await ended.until(({ changes }) => changes.length === 1);
  const { generation } = ended.changes[0]!;
  const waiting = service.fetch(`/v1/datasets/a?wait=${generation}`, { headers: bearer(reader.text) });
  await sleep(200);
  fs.writeFileSync(keys, keysToText([record]), { mode: 0o600 });
  t.ok(await ended.until(({ hasEnded }) => hasEnded), 'the stream ends');
  t.equal(ended.events.length, 1, 'and tells nothing more');
  t.equal((await waiting).status, 401);
  t.notOk(lasting.hasEnded);
});

t.test('a shutdown ends streams and waits at once', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const { generation } = await describe(service, 'a');
  const follower = await Follower.open(t, service, '/v1/datasets/a/events');
  const waiting = service.fetch(`/v1/datasets/a?wait=${generation}`);
  await sleep(200);
  const started = loop.ms;
  await service.stop();
  t.ok(loop.ms - started < 2400, 'nobody had to be cut');
  t.equal((await waiting).status, 503);
  t.ok(await follower.until(({ hasEnded }) => hasEnded, 1000));
  t.notOk(follower.wasCut, 'nobody had to be cut');
});

t.test('a follower that never reads holds nobody up', async t => {
  const service = await startHere(t);
  await make(service, 'a');
  const agent = new http.Agent();
  const request = http.get(`${service.url}/v1/datasets/a/events`, { agent }, response => response.pause());
  request.on('error', () => undefined);
  t.teardown(() => request.destroy());
  await sleep(200);
  const { generation } = await describe(service, 'a');
  const started = loop.ms;
  for (let i = 0; i < 50; i++) await write(service, 'a', i);
  t.ok(loop.ms - started < 5000);
  t.equal((await describe(service, 'a')).generation, generation + 50);
});
