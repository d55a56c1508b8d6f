/** Metrics, scraped: that they are there, move with what happens, and are named as Prometheus asks. */
import fs from 'node:fs';
import t from 'tap';
import { VERSION } from '../../src/version.js';
import { updateOrCompare } from '../helpers/documents.js';
import { addKey, bearer } from '../helpers/keys.js';
import { rssAnonBytes } from '../helpers/memory.js';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { create, json } from '../system/calls.js';

interface Metric {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: ReadonlyMap<string, number>;
}

async function scrape(server: Service, init: RequestInit = {}): Promise<Map<string, Metric>> {
  const text = await (await server.fetch('/metrics', init)).text();
  return new Map(
    text
      .split(/^# HELP /m)
      .slice(1)
      .map(block => {
        const [head = '', type = '', ...lines] = block.trim().split('\n');
        const [name, ...help] = head.split(' ');
        const samples = lines
          .filter(Boolean)
          .map(line => [line.replace(/ [^ ]+$/, ''), Number(line.split(' ').at(-1))] as const);
        return [name!, { name: name!, type: type.split(' ').at(-1)!, help: help.join(' '), samples: new Map(samples) }];
      }),
  );
}

t.test('numbers move with what happens', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['admin']);
  const server = await startHere(t, { dataDir });
  const headers = bearer(key).headers;
  const ask = async (where: string, init: RequestInit = {}): Promise<number> => {
    const answer = await server.fetch(where, { ...init, headers: { ...(init.headers as object), ...headers } });
    await answer.arrayBuffer();
    return answer.status;
  };
  const value = async (sample: string): Promise<number | undefined> =>
    (await scrape(server, { headers })).get(sample.split('{')[0]!)?.samples.get(sample);
  t.equal(await value(`hyperslab_build_info{version="${VERSION}",node="${process.versions.node}"}`), 1);
  t.equal(await ask('/v1/datasets', json('POST', { name: 'a', dtype: '<f8', shape: [1000] })), 201);
  t.equal(await ask('/v1/datasets/a/data?slice=:10', json('PUT', 1)), 200);
  for (let i = 0; i < 2; i++) t.equal(await ask('/v1/datasets/a/statistics?ops=mean'), 200);
  t.equal(await ask('/v1/datasets/nowhere'), 404);
  t.equal((await server.fetch('/v1/datasets', bearer('hs_wrong'))).status, 401);
  for (const [sample, wanted] of [
    ['hyperslab_written_bytes_total', 80],
    ['hyperslab_scanned_bytes_total', 8000],
    ['hyperslab_statistics_total{cache="miss"}', 1],
    ['hyperslab_statistics_total{cache="hit"}', 1],
    ['hyperslab_statistics_total{cache="partial"}', 0],
    ['hyperslab_problems_total{code="unknown_dataset"}', 1],
    ['hyperslab_problems_total{code="unauthenticated"}', 1],
    ['hyperslab_refused_credentials_total', 1],
    ['hyperslab_durability_unknown_files', 0],
    ['hyperslab_datasets', 1],
    ['hyperslab_requests_in_flight', 1],
  ] as const) {
    t.equal(await value(sample), wanted, sample);
  }
  const { bavail, bsize } = fs.statfsSync(dataDir);
  const free = (await value('hyperslab_disk_free_bytes'))!;
  t.ok(Math.abs(free - bavail * bsize) < 0.1 * bavail * bsize, `${free} of ${bavail * bsize}`);
  const memory = (await value('hyperslab_memory_anonymous_bytes'))!;
  t.ok(Math.abs(memory - rssAnonBytes(process.pid)) < 64 * 1024 * 1024, String(memory));
});

t.test('a request whose client goes away is in flight no longer', async t => {
  const server = await startHere(t);
  await create(server, { name: 'a', dtype: '<f4', shape: [64 * 1024 * 1024], sparse: true });
  const gone = new AbortController();
  const answer = await server.fetch('/v1/datasets/a/data?format=raw', { signal: gone.signal });
  t.equal((await scrape(server)).get('hyperslab_requests_in_flight')!.samples.get('hyperslab_requests_in_flight'), 2);
  gone.abort();
  await answer.text().catch(() => undefined);
  for (let tries = 0; tries < 50; tries++) {
    const now = (await scrape(server)).get('hyperslab_requests_in_flight')!.samples.get('hyperslab_requests_in_flight');
    if (now === 1) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  t.fail('it is still counted');
});

const UNITS =
  /_(bytes|seconds|info|connections|followers|datasets|files|windows|requests|waiters|jobs|workers|queued|running|waiting|flight|quarantined)$/;

t.test('names, units and labels are as Prometheus asks', async t => {
  const server = await startHere(t);
  const ours = [...(await scrape(server)).values()].filter(({ name }) => name.startsWith('hyperslab_'));
  t.ok(ours.length > 30);
  for (const { name, type, help, samples } of ours) {
    t.match(name, /^[a-z][a-z_]*$/, name);
    t.match(help, /^[A-Z].*\.$|^Always 1/, `${name}: a sentence`);
    t.equal(name.endsWith('_total'), type === 'counter', `${name} is a ${type}`);
    if (type === 'gauge') t.match(name.replace(/^hyperslab_open_/, 'hyperslab_'), UNITS, name);
    for (const sample of samples.keys()) {
      const labels = [...sample.matchAll(/([a-z_]+)="/g)].map(match => match[1]!);
      const known = ['version', 'node', 'code', 'cache', 'lane', 'state', 'method', 'route', 'status', 'le'];
      t.ok(
        labels.every(label => known.includes(label)),
        sample,
      );
    }
  }
});

t.test('the page on operations has the metrics of the code', async t => {
  const server = await startHere(t);
  const ours = [...(await scrape(server)).values()].filter(({ name }) => name.startsWith('hyperslab_'));
  const rows = ours.map(({ name, type, help }) => `- \`${name}\` (${type}): ${help}`);
  updateOrCompare(t, 'docs/operations.md', 'metrics', rows.join('\n'));
});
