/** Who may be let in is decided at the start: open on loopback alone, and there for its own names alone. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { addKey, bearer } from '../helpers/keys.js';
import { rawRequest } from '../helpers/raw-request.js';
import { startRefused } from '../helpers/refused-start.js';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { json, outcome } from '../system/calls.js';

const hasIpv6 = Object.values(os.networkInterfaces()).some(each => each?.some(({ address }) => address === '::1'));
const created = json('POST', { name: 'x', dtype: 'f4', shape: [1] });

t.test('beyond loopback it starts with keys, or when told to let everybody in, and else says what to do', async t => {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true, force: true }));
  const addresses = ['0.0.0.0', ...(hasIpv6 ? ['::'] : [])];
  const [own] = Object.values(os.networkInterfaces()).flatMap(each => (each ?? []).filter(({ internal }) => !internal));
  if (own && own.family === 'IPv4') addresses.push(own.address);
  for (const host of addresses.slice(0, caseCount(1, 3))) {
    const { status, stderr } = await startRefused(dataDir, { HYPERSLAB_HOST: host });
    t.equal(status, 1, host);
    t.match(stderr, /keys add .* HYPERSLAB_JWKS.* HYPERSLAB_ANONYMOUS/s, host);
    t.notMatch(stderr, /^\s+at /m, 'no stack');
  }
  const key = await addKey(dataDir, ['read']);
  const server = await startHere(t, { dataDir, env: { HYPERSLAB_HOST: '0.0.0.0' } });
  t.equal((await server.fetch('/v1/datasets')).status, 401);
  t.equal((await server.fetch('/v1/datasets', bearer(key))).status, 200);
});

t.test('a key file that cannot be used, or is not where it was said to be, is no start', async t => {
  const dataDir = temporaryFolder();
  t.teardown(() => fs.rmSync(dataDir, { recursive: true, force: true }));
  const file = path.join(dataDir, 'keys.json');
  fs.writeFileSync(file, '{"version":1,"keys":[{"id":"x"}]}');
  t.match(await startRefused(dataDir), { status: 1, stderr: /key file .* is refused/ });
  fs.rmSync(file);
  const other = path.join(dataDir, 'other.json');
  t.match(await startRefused(dataDir, { HYPERSLAB_KEYS_FILE: other }), { status: 1, stderr: /is not there/ });
  t.match(await startRefused(dataDir, { HYPERSLAB_JWKS: file }), { status: 1, stderr: /HYPERSLAB_JWKS/ });
});

const anonymousMay = async (server: Service): Promise<string[]> => [
  await outcome(server.fetch('/v1/datasets')),
  await outcome(server.fetch('/v1/datasets', created)),
  await outcome(server.fetch('/v1/datasets/x', { method: 'DELETE' })),
];

t.test('HYPERSLAB_ANONYMOUS lets everybody read, or write, and nobody administer without a key', async t => {
  const asked = '401 unauthenticated missing';
  for (const [anonymous, wanted] of [
    ['read', ['200', asked, asked]],
    ['write', ['200', '201', asked]],
  ] as const) {
    const dataDir = temporaryFolder();
    const env = { HYPERSLAB_ANONYMOUS: anonymous, HYPERSLAB_HOST: '0.0.0.0' };
    const server = await startHere(t, { dataDir, env });
    t.strictSame(await anonymousMay(server), wanted, anonymous);
    await server.stop();
    const key = await addKey(dataDir, ['admin']);
    const keyed = await startHere(t, { dataDir, env: { ...env, HYPERSLAB_HOST: '127.0.0.1' } });
    t.strictSame((await anonymousMay(keyed))[0], '200', `${anonymous}, beside keys`);
    t.equal(await outcome(keyed.fetch('/v1/datasets/x', { method: 'DELETE' })), asked);
    t.equal(await outcome(keyed.fetch('/v1/datasets', bearer('hs_wrong'))), '401 unauthenticated invalid_token');
    const answer = await keyed.fetch('/v1/datasets/x', { method: 'DELETE', ...bearer(key) });
    t.equal(answer.status, anonymous === 'read' ? 404 : 204);
    await keyed.stop();
  }
});

t.test('an open service answers to the names of this machine alone', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_ALLOWED_HOSTS: 'data.example.org' } });
  const { port } = new URL(server.url);
  const ask = async (host: string): Promise<string> => {
    const { status, body } = await rawRequest(`${server.url}/v1/datasets`, { headers: { host } });
    return status === 200 ? '200' : `${status} ${(JSON.parse(body) as { code: string }).code}`;
  };
  for (const host of [
    'localhost',
    `localhost:${port}`,
    `127.0.0.1:${port}`,
    '[::1]:1',
    'data.example.org',
    '127.1.2.3',
  ]) {
    t.equal(await ask(host), '200', host);
  }
  for (const host of ['evil.example', `evil.example:${port}`, 'localhost.evil.example', '0.0.0.0', '10.0.0.1']) {
    t.equal(await ask(host), '421 forbidden_host', host);
  }
  const health = await rawRequest(`${server.url}/healthz`, { headers: { host: 'balancer.example' } });
  t.equal(health.status, 200, 'health is no secret');
});

t.test('the Host header is checked where no key is needed: not where only keys let in', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['read']);
  const host = 'data.example.org';
  const server = await startHere(t, { dataDir });
  t.equal((await rawRequest(`${server.url}/v1/datasets`, { headers: { host, ...bearer(key).headers } })).status, 200);
  const anonymous = await startHere(t, { env: { HYPERSLAB_ANONYMOUS: 'read' } });
  t.equal((await rawRequest(`${anonymous.url}/v1/datasets`, { headers: { host } })).status, 421);
});

t.test('a page of another site changes nothing on an open service', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_CORS_ORIGINS: 'https://app.example' } });
  const host = server.url.slice('http://'.length);
  const flush = async (origin: string): Promise<number> =>
    (await rawRequest(`${server.url}/v1/datasets/x/flush`, { method: 'POST', headers: { host, origin } })).status;
  for (const origin of ['https://evil.example', 'null', `http://${host}.evil.example`, 'http://localhost:1']) {
    t.equal(await flush(origin), 403, origin);
  }
  for (const origin of [`http://${host}`, `https://${host}`, 'https://app.example']) {
    t.equal(await flush(origin), 404, `${origin} gets as far as the dataset`);
  }
  // What a form or a plain fetch of a page may send unasked.
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
    const body = JSON.stringify({ name: 'y', dtype: 'f4', shape: [1] });
    const answer = await rawRequest(`${server.url}/v1/datasets`, {
      method: 'POST',
      body,
      headers: { 'content-type': type },
    });
    t.equal(answer.status, 415, type);
  }
});

t.test('IPv6 works', { skip: !hasIpv6 && 'this machine has no ::1' }, async t => {
  const open = await startHere(t, { env: { HYPERSLAB_HOST: '::1' } });
  t.match(open.url, /^http:\/\/\[::1\]:\d+$/);
  t.equal((await open.fetch('/v1/datasets')).status, 200);
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['read']);
  const everywhere = await startHere(t, { dataDir, env: { HYPERSLAB_HOST: '::' } });
  const { port } = new URL(everywhere.url);
  for (const host of ['[::1]', '127.0.0.1']) {
    t.equal((await fetch(`http://${host}:${port}/v1/datasets`)).status, 401, host);
    t.equal((await fetch(`http://${host}:${port}/v1/datasets`, bearer(key))).status, 200, host);
  }
});

t.test('localhost is loopback', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_HOST: 'localhost' } });
  t.equal((await server.fetch('/v1/datasets')).status, 200);
});
