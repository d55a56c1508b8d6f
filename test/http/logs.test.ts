/** What the log tells: who was refused and where from, and every change of what is served. No secret is in it. */
import t from 'tap';
import { NPY } from '../helpers/access-calls.js';
import { addKey, bearer } from '../helpers/keys.js';
import { start, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, eventually, json } from '../system/calls.js';

interface Line {
  readonly msg: string;
  readonly level: number;
  readonly [name: string]: unknown;
}

const linesOf = (server: TestServer): Line[] =>
  server.log.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as Line);

/** The first line that has these members, as soon as it is there. */
async function lineWith(server: TestServer, members: Readonly<Record<string, unknown>>): Promise<Line | undefined> {
  const find = (): Line | undefined =>
    linesOf(server).find(line => Object.entries(members).every(([name, value]) => line[name] === value));
  await eventually(async () => find() !== undefined, 3000);
  return find();
}

t.test('a refusal names the address, and the key as far as it is known', async t => {
  const dataDir = temporaryFolder();
  const reader = await addKey(dataDir, ['read']);
  const expired = await addKey(dataDir, ['read'], { expires: '2020-01-01T00:00:00Z' });
  const env = { HYPERSLAB_RATE_LIMIT: '3' };
  const server = await start(t, { dataDir, env });
  const [readerId, expiredId] = [reader, expired].map(key => key.split('_')[1]!);
  for (const [status, init, wanted, path = '/v1/datasets'] of [
    [401, {}, { by: 'nobody' }],
    [401, bearer(expired), { by: 'nobody', claimed_key: expiredId }],
    [401, bearer(`hs_aaaaaaaaaaaa_${'x'.repeat(43)}`), { by: 'nobody', claimed_key: 'aaaaaaaaaaaa' }],
    [403, { method: 'DELETE', ...bearer(reader) }, { by: readerId }, '/v1/datasets/x'],
    [404, bearer(reader), { by: readerId }, '/v1/datasets/x'],
    [200, bearer(reader), undefined],
    [429, bearer(reader), { by: readerId }],
  ] as const) {
    const answer = await server.fetch(path, init);
    t.equal(answer.status, status);
    if (wanted === undefined) continue;
    const line = await lineWith(server, { status, ...wanted });
    t.match(line, { level: 30, client: /127\.0\.0\.1$/, msg: 'request' }, `${status} ${JSON.stringify(wanted)}`);
  }
  const log = server.log.join('\n');
  for (const key of [reader, expired, 'x'.repeat(43)]) t.notOk(log.includes(key.slice(-43)), 'no secret');
});

t.test('each change of what is served is a line with who, name and id', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['admin']);
  const by = key.split('_')[1]!;
  const server = await start(t, { dataDir });
  const made = { name: 'a', dtype: '<f4', shape: [2] };
  for (const [change, dataset, path, init] of [
    ['created', 'a', '/v1/datasets', json('POST', made)],
    ['replaced', 'a', '/v1/datasets', json('POST', { ...made, mode: 'w+', overwrite: true })],
    ['imported', 'b', '/v1/datasets/b', binary('PUT', NPY, 'application/x-npy')],
    ['replaced', 'b', '/v1/datasets/b?overwrite=true', binary('PUT', NPY, 'application/x-npy')],
    ['registered', 'c', '/v1/datasets', json('POST', { name: 'c', path: 'arrays/a.npy' })],
    ['changed', 'a', '/v1/datasets/a', json('PATCH', { attrs: { x: 1 } })],
    ['forgotten', 'c', '/v1/datasets/c', { method: 'DELETE' }],
    ['deleted', 'a', '/v1/datasets/a?data=delete', { method: 'DELETE' }],
  ] as const) {
    const headers = { ...(init as { headers?: Record<string, string> }).headers, ...bearer(key).headers };
    const answer = await server.fetch(path, { ...(init as RequestInit), headers });
    t.ok(answer.ok, `${change} ${dataset}: ${answer.status} ${await answer.text()}`);
    const line = await lineWith(server, { change, dataset });
    t.match(line, { level: 30, by, client: /127\.0\.0\.1$/, id: /^[0-9a-f]{16,}$/, msg: `dataset ${change}` });
  }
});
