/** A job as server-sent events, over real sockets. */
import { once } from 'node:events';
import http from 'node:http';
import t from 'tap';
import { eventsOf, type ServerEvent } from '../helpers/events.js';
import {
  createArrays,
  jobOf,
  metricOf,
  reaches,
  settledReads,
  startJob,
  startSlow,
  SUM_OF_LARGE,
  type JobBody,
  type SlowServer,
} from '../helpers/slow-server.js';
import { get } from '../system/calls.js';

let server: SlowServer;

t.before(async () => {
  server = await startSlow(t, { readMs: 20 });
  await createArrays(server);
});

async function collect(body: AsyncIterable<Uint8Array>): Promise<ServerEvent[]> {
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(body)) events.push(event);
  return events;
}

t.test('progress comes while the job runs, then one end event, then the stream ends', async t => {
  const { id } = await startJob(server, '/v1/datasets/large/statistics?ops=sum&slice=:33554432');
  const response = await server.fetch(`/v1/jobs/${id}/events`);
  t.equal(response.status, 200);
  t.match(response.headers.get('content-type'), /^text\/event-stream/);
  t.equal(response.headers.get('cache-control'), 'no-store, no-transform');
  t.equal(response.headers.get('x-content-type-options'), 'nosniff');
  const started = performance.now();
  const events = await collect(response.body!);
  const elapsed = performance.now() - started;
  const last = events.pop()!;
  t.match(last, { event: 'end', id: 'end' });
  t.ok(events.length >= 2, `${events.length} events`);
  // Four a second, and one at the start; a late timer makes them fewer, never more.
  t.ok(events.length <= elapsed / 250 + 2, `${events.length} events in ${elapsed} ms`);
  const jobs = events.map(({ event, data }) => {
    t.equal(event, 'progress');
    return JSON.parse(data) as JobBody;
  });
  t.ok(jobs.every(job => job.id === id && job.state === 'running'));
  const bytes = jobs.map(({ progress }) => progress.bytes);
  t.strictSame(
    bytes,
    bytes.toSorted((a, b) => a - b),
  );
  const end = JSON.parse(last.data) as JobBody;
  t.match(end, { id, state: 'done', progress: { bytes: 128 * 2 ** 20, bytes_total: 128 * 2 ** 20 } });
  t.notOk('result' in end, 'the result is fetched');
  t.match(await jobOf(server, id), { result: { results: { sum: 0 } } });
});

t.test('a job that has ended says so at once; an EventSource that comes back is told to stay away', async t => {
  const { id } = await startJob(server, '/v1/datasets/small/statistics?ops=sum');
  t.ok(await reaches(server, id, 'done'));
  const where = `/v1/jobs/${id}/events`;
  const events = await collect((await server.fetch(where)).body!);
  t.match(events, [{ event: 'end', data: /"state":"done"/ }]);
  t.equal(events.length, 1);
  const again = await server.fetch(where, { headers: { 'last-event-id': events[0]!.id! } });
  t.equal(again.status, 204, 'no content means: do not reconnect');
  const other = await server.fetch(where, { headers: { 'last-event-id': '\u00ff17; drop' } });
  t.equal((await collect(other.body!)).length, 1, 'any other id means nothing');
  const head = await server.fetch(where, { method: 'HEAD' });
  t.match(head.headers.get('content-type'), /^text\/event-stream/);
});

t.test('the end of a job that is cancelled, and of several watchers', async t => {
  const { id } = await startJob(server, SUM_OF_LARGE);
  const watchers = await Promise.all(
    Array.from({ length: 3 }, async () => collect((await server.fetch(`/v1/jobs/${id}/events`)).body!)).map(
      (watching, i) => (i === 0 ? server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' }).then(() => watching) : watching),
    ),
  );
  for (const events of watchers) {
    t.equal(events.at(-1)?.event, 'end');
    t.match(JSON.parse(events.at(-1)!.data), { state: 'cancelled' });
    t.equal(events.filter(({ event }) => event === 'end').length, 1);
  }
});

t.test('a watcher that goes away, or reads nothing, leaves the job alone', async t => {
  const { id } = await startJob(server, SUM_OF_LARGE);
  const where = `${server.url}/v1/jobs/${id}/events`;
  const stalled = await get(where);
  stalled.pause();
  const gone = await get(where);
  await once(gone, 'data');
  gone.destroy();
  const { progress } = await jobOf(server, id);
  const events = eventsOf((await server.fetch(`/v1/jobs/${id}/events`)).body!);
  for await (const { data } of events) {
    const job = JSON.parse(data) as JobBody;
    if (job.progress.bytes > progress.bytes) break;
    t.equal(job.state, 'running');
  }
  t.match(await jobOf(server, id), { state: 'running' });
  await server.fetch(`/v1/jobs/${id}`, { method: 'DELETE' });
  await settledReads(server, 200);
  const all = await collect(stalled);
  t.equal(all.at(-1)?.event, 'end', 'one that slept through it all is told the end');
});

t.test('a connection that is kept alive is not needed for a stream', async t => {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(() => agent.destroy());
  const { id } = await startJob(server, '/v1/datasets/small/statistics?ops=sum');
  t.ok(await reaches(server, id, 'done'));
  const request = http.get(`${server.url}/v1/jobs/${id}/events`, { agent });
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  t.equal(response.headers.connection, 'close', 'so that it cannot outlive the service');
  await collect(response);
  t.equal(await metricOf(server, 'hyperslab_jobs{state="running"}'), 0);
});
