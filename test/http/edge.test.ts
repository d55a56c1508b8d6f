/** The edge to the network: headers, CORS, rate limit, proxies, methods, TLS. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { named, send } from '../helpers/access-calls.js';
import { addKey, bearer } from '../helpers/keys.js';
import { rawRequest } from '../helpers/raw-request.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, json } from '../system/calls.js';

t.test('every answer says that it is data: not sniffed, not run, not framed', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  const big = { name: 'big', dtype: 'f4', shape: [4 * 1024 * 1024] };
  t.equal((await server.fetch('/v1/datasets', json('POST', big))).status, 201);
  for (const where of [
    '/v1/datasets',
    '/v1/datasets/seattle-weather/rows/0?format=raw',
    // Streamed past the reply.
    '/v1/datasets/big/data?format=raw',
    '/v1/datasets/nowhere',
    '/nowhere',
    '/healthz',
    '/openapi.json',
  ]) {
    const { headers } = await server.fetch(where);
    t.equal(headers.get('x-content-type-options'), 'nosniff', where);
    t.match(headers.get('content-security-policy'), /default-src 'none'.*frame-ancestors 'none'/, where);
    t.equal(headers.get('cross-origin-resource-policy'), 'same-origin', where);
    t.equal(headers.get('strict-transport-security'), null, 'not over plain HTTP');
    t.equal(headers.get('access-control-allow-origin'), null, 'no CORS unless set');
  }
  const policy = (await server.fetch('/docs')).headers.get('content-security-policy') ?? '';
  t.match(policy, /script-src 'self';/);
  t.match(policy, /frame-ancestors 'none'/);
});

const preflight = { origin: 'https://app.example', 'access-control-request-method': 'PUT' };

t.test('pages of the origins that are set may call, preflights need no key, and others may not', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['write']);
  const env = { HYPERSLAB_CORS_ORIGINS: 'https://app.example,http://localhost:3000' };
  const server = await startHere(t, { dataDir, env });
  const url = `${server.url}/v1/datasets`;
  const asked = await rawRequest(`${url}/x/data`, {
    method: 'OPTIONS',
    headers: { ...preflight, 'access-control-request-headers': 'authorization,content-type' },
  });
  t.equal(asked.status, 204);
  t.match(asked.headers, {
    'access-control-allow-origin': 'https://app.example',
    'access-control-allow-methods': /PUT/,
    'access-control-allow-headers': /authorization/,
  });
  t.notOk(asked.headers['access-control-allow-credentials'], 'no cookies');
  t.equal((await send(server, { name: '', path: '/v1/datasets', init: named('x') }, key)).status, 201);
  const read = await rawRequest(`${url}/x/rows/0`, {
    headers: { origin: 'http://localhost:3000', ...bearer(key).headers },
  });
  t.equal(read.status, 200);
  t.equal(read.headers['access-control-allow-origin'], 'http://localhost:3000');
  for (const name of [
    'x-array-shape',
    'x-dataset-generation',
    'etag',
    'content-range',
    'retry-after',
    'x-request-id',
  ]) {
    t.match(read.headers['access-control-expose-headers']?.toLowerCase(), name);
  }
  t.match(read.headers.vary, /^Origin, Accept, Accept-Encoding$/, 'caches keep the answers apart');
  const refused = await rawRequest(url, { headers: { origin: 'https://app.example' } });
  t.equal(refused.status, 401);
  t.equal(refused.headers['access-control-allow-origin'], 'https://app.example', 'a page may read why');
  for (const origin of ['https://evil.example', 'https://app.example.evil', 'null', 'http://app.example']) {
    const other = await rawRequest(`${url}/x/data`, { method: 'OPTIONS', headers: { ...preflight, origin } });
    t.notOk(other.headers['access-control-allow-origin'], origin);
  }
  const any = await startHere(t, { env: { HYPERSLAB_CORS_ORIGINS: '*' } });
  const { headers } = await rawRequest(`${any.url}/v1/datasets`, { headers: { origin: 'https://x.example' } });
  t.match(headers, { 'access-control-allow-origin': '*', 'cross-origin-resource-policy': 'cross-origin' });
});

t.test('too many requests in a minute are 429, counted by key, else by address', async t => {
  const dataDir = temporaryFolder();
  const [first, second] = [await addKey(dataDir, ['read']), await addKey(dataDir, ['read'])];
  const server = await startHere(t, { dataDir, env: { HYPERSLAB_RATE_LIMIT: '5' } });
  const burst = async (count: number, init?: RequestInit, where = '/v1/datasets'): Promise<number[]> => {
    const statuses: number[] = [];
    for (let i = 0; i < count; i++) statuses.push((await server.fetch(where, init)).status);
    return statuses;
  };
  t.strictSame(await burst(7, bearer(first)), [200, 200, 200, 200, 200, 429, 429]);
  t.strictSame(await burst(5, bearer(second)), [200, 200, 200, 200, 200], 'another key has a count of its own');
  t.strictSame(await burst(3, bearer('hs_wrong')), [401, 401, 401]);
  t.strictSame(await burst(3), [401, 401, 429], 'guesses count for the address');
  t.strictSame(await burst(1, bearer('hs_other')), [429], 'and are not looked at any more');
  t.strictSame(await burst(1, {}, '/nowhere'), [429]);
  t.strictSame(
    await burst(9, {}, '/healthz'),
    Array.from({ length: 9 }, () => 200),
    'health does not count',
  );
  const answer = await server.fetch('/v1/datasets', bearer(first));
  const seconds = Number(answer.headers.get('retry-after'));
  t.ok(seconds >= 1 && seconds <= 60);
  t.match(await answer.json(), {
    code: 'too_many_requests',
    limit: 5,
    window_seconds: 60,
    retry_after_seconds: Number,
  });
});

t.test('X-Forwarded-For is believed from the proxies that are set, and from nobody else', async t => {
  const statuses = async (env: Record<string, string>): Promise<number[]> => {
    const server = await startHere(t, { env: { HYPERSLAB_RATE_LIMIT: '1', ...env } });
    const found: number[] = [];
    for (const client of [
      '203.0.113.1',
      '203.0.113.2',
      '203.0.113.1',
      '2001:db8::1',
      '2001:db8::2',
      '2001:db8:0:1::1',
    ]) {
      found.push((await server.fetch('/v1/datasets', { headers: { 'x-forwarded-for': `6.6.6.6, ${client}` } })).status);
    }
    await server.stop();
    return found;
  };
  t.strictSame(await statuses({}), [200, 429, 429, 429, 429, 429], 'one address: the connection');
  t.strictSame(await statuses({ HYPERSLAB_TRUST_PROXY: '192.0.2.0/24' }), [200, 429, 429, 429, 429, 429]);
  t.strictSame(
    await statuses({ HYPERSLAB_TRUST_PROXY: 'loopback' }),
    [200, 200, 429, 200, 429, 200],
    'the last address that is no proxy; IPv6 by /64',
  );
});

t.test('a path that takes other methods says which', async t => {
  const server = await startHere(t);
  for (const [method, where, allow] of [
    ['DELETE', '/v1/datasets', 'GET, HEAD, POST'],
    ['POST', '/v1/datasets/x', 'DELETE, GET, HEAD, PATCH, PUT'],
    ['POST', '/v1/datasets/x/data?slice=0', 'GET, HEAD, PUT'],
    ['PUT', '/healthz', 'GET, HEAD'],
    ['DELETE', '/', 'GET, HEAD'],
    ['OPTIONS', '/v1/statistics', 'POST'],
    ['PROPFIND', '/v1/datasets', 'GET, HEAD, POST'],
  ] as const) {
    const answer = await rawRequest(`${server.url}${where}`, { method });
    t.equal(answer.status, 405, `${method} ${where}`);
    t.equal(answer.headers.allow, allow);
    t.match(JSON.parse(answer.body), { code: 'method_not_allowed', allowed: allow.split(', ') });
  }
  const body = await server.fetch('/v1/datasets/x', binary('POST', Buffer.from('x'), 'application/x-npy'));
  t.equal(body.status, 405, 'whatever the body is');
  for (const where of ['/v1', '/v1/datasets//data', '/v1/datasets/x/y', '/v1/datasets/x/rows/1/2']) {
    t.equal((await server.fetch(where, { method: 'DELETE' })).status, 404, where);
  }
});

const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'openssl, which makes the certificate, is not here';

t.test('with a certificate it speaks HTTPS alone', { skip: noOpenssl }, async t => {
  const dataDir = temporaryFolder();
  const [cert, key] = ['cert.pem', 'key.pem'].map(name => path.join(dataDir, name)) as [string, string];
  const names = 'subjectAltName=DNS:localhost,IP:127.0.0.1';
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  const files = ['-addext', names, '-keyout', key, '-out', cert];
  const made = spawnSync('openssl', [...request.split(' '), ...files]);
  t.equal(made.status, 0, String(made.stderr));
  const token = await addKey(dataDir, ['admin']);
  const server = await startHere(t, { dataDir, env: { HYPERSLAB_TLS_CERT: cert, HYPERSLAB_TLS_KEY: key } });
  t.match(server.url, /^https:/);
  const ca = fs.readFileSync(cert);
  const { headers } = bearer(token);
  const answer = await rawRequest(`${server.url}/v1/datasets`, { ca, headers });
  t.equal(answer.status, 200);
  t.match(answer.headers['strict-transport-security'], /max-age=\d+/);
  t.equal((await rawRequest(`${server.url}/v1/datasets`, { ca })).status, 401);
  await t.rejects(rawRequest(server.url.replace('https:', 'http:')), 'no plain HTTP on the same port');
  const body = JSON.stringify({ name: 'x', path: 'key.pem' });
  const type = { 'content-type': 'application/json' };
  const secret = await rawRequest(`${server.url}/v1/datasets`, {
    ca,
    method: 'POST',
    body,
    headers: { ...headers, ...type },
  });
  t.match(JSON.parse(secret.body), { code: 'path_forbidden' }, 'the private key is no dataset');
});
