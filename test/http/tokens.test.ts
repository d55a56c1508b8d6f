/** JWTs: only what the identity provider signed, for this service, that has not expired. */
import { createHmac, createPublicKey } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, type JWTPayload } from 'jose';
import t from 'tap';
import { named } from '../helpers/access-calls.js';
import { addKey, bearer } from '../helpers/keys.js';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { json, outcome } from '../system/calls.js';

const AUDIENCE = 'hyperslab';
const ISSUER = 'https://id.example';
const CLAIMS: JWTPayload = { aud: AUDIENCE, iss: ISSUER, sub: 'ann', scope: 'openid read' };

interface Signer {
  readonly kid: string;
  readonly alg: string;
  readonly jwk: object;
  readonly pem: string;
  readonly sign: (claims?: JWTPayload, expires?: number | string, header?: object) => Promise<string>;
}

async function signer(kid: string, alg = 'ES256'): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return {
    kid,
    alg,
    jwk: { ...(await exportJWK(publicKey)), kid, alg },
    pem: await exportSPKI(publicKey),
    sign(claims = CLAIMS, expires = '5m', header = {}) {
      return new SignJWT(claims)
        .setProtectedHeader({ alg, kid, ...header })
        .setExpirationTime(expires)
        .sign(privateKey);
    },
  };
}

const settings = (jwks: string): Record<string, string> => ({
  HYPERSLAB_JWKS: jwks,
  HYPERSLAB_JWT_AUDIENCE: AUDIENCE,
  HYPERSLAB_JWT_ISSUER: ISSUER,
});

const ask = (server: Service, token: string, init: RequestInit = {}): Promise<string> =>
  outcome(
    server.fetch('/v1/datasets', { ...init, headers: { ...(init.headers as object), ...bearer(token).headers } }),
  );

const REFUSED = '401 unauthenticated invalid_token';

t.test('tokens that the keys of a file signed are let in, with the scopes and datasets of their claims', async t => {
  const dataDir = temporaryFolder();
  const signers = await Promise.all(['ES256', 'RS256', 'PS384', 'EdDSA'].map((alg, i) => signer(`k${i}`, alg)));
  const file = path.join(dataDir, 'jwks.json');
  fs.writeFileSync(file, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  const key = await addKey(dataDir, ['admin']);
  const server = await startHere(t, { dataDir, env: settings(file) });
  for (const each of signers) t.equal(await ask(server, await each.sign()), '200', each.alg);
  t.equal(await ask(server, key, named('a1')), '201', 'keys hold beside tokens');
  t.equal(await ask(server, key, named('b1')), '201');

  const [{ sign }] = signers as [Signer];
  for (const [scope, wanted] of [
    ['read', '403 forbidden'],
    ['write', '201'],
    ['hyperslab:write other', '201'],
    [['read', 'hyperslab:admin'], '201'],
    ['Write', '403 forbidden'],
    ['', '403 forbidden'],
    [7, '403 forbidden'],
    [{ write: true }, '403 forbidden'],
    [undefined, '403 forbidden'],
  ] as const) {
    const token = await sign({ ...CLAIMS, scope });
    t.equal(await ask(server, token, named(`c${Math.random()}`.slice(0, 9))), wanted, JSON.stringify(scope));
  }

  const reader = await sign({ ...CLAIMS, datasets: ['a*'] });
  const { datasets } = (await (await server.fetch('/v1/datasets', bearer(reader))).json()) as { datasets: object[] };
  t.match(datasets, [{ name: 'a1' }]);
  t.equal(datasets.length, 1);
  t.equal((await server.fetch('/v1/datasets/b1', bearer(reader))).status, 404);
  for (const datasets of [[], 'a*', ['a/b'], [1], null, {}]) {
    t.equal(await ask(server, await sign({ ...CLAIMS, datasets })), REFUSED, JSON.stringify(datasets));
  }
  const jwks = json('POST', { name: 'jwks', path: 'jwks.json', mode: 'r+' });
  t.equal(await ask(server, key, jwks), '403 path_forbidden', 'the keys of the provider are no dataset');
});

t.test(
  'tokens that are not for this service, not yet or no longer good, or not signed by a known key are refused',
  async t => {
    const dataDir = temporaryFolder();
    const [good, stranger] = await Promise.all([signer('k'), signer('k')]);
    const file = path.join(dataDir, 'jwks.json');
    fs.writeFileSync(file, JSON.stringify({ keys: [good.jwk] }));
    const server = await startHere(t, { dataDir, env: settings(file) });
    const now = Math.floor(Date.now() / 1000);
    const { sign } = good;
    const token = await sign();
    t.equal(await ask(server, token), '200');
    t.equal(await ask(server, await sign(CLAIMS, now - 10)), '200', 'clocks may differ by half a minute');
    const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
    const claims = part({ ...CLAIMS, exp: now + 300, scope: 'admin' });
    const hmac = (secret: string | Buffer): string => {
      const text = `${part({ alg: 'HS256', kid: 'k', typ: 'JWT' })}.${claims}`;
      return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
    };
    const [head, , signature] = token.split('.');
    for (const [what, bad] of Object.entries({
      expired: await sign(CLAIMS, now - 60),
      'not yet good': await sign({ ...CLAIMS, nbf: now + 120 }),
      'of another audience': await sign({ ...CLAIMS, aud: 'other' }),
      'of no audience': await sign({ iss: ISSUER, scope: 'read' }),
      'of another issuer': await sign({ ...CLAIMS, iss: 'https://evil.example' }),
      'of a stranger with the same key id': await stranger.sign(),
      'of an unknown key id': await sign(CLAIMS, '5m', { kid: 'other' }),
      'with other claims under its signature': `${head}.${claims}.${signature}`,
      'without a signature': `${part({ alg: 'none' })}.${claims}.`,
      'with alg none and a signature': `${part({ alg: 'none', kid: 'k' })}.${claims}.${signature}`,
      'signed with the public key as a secret': hmac(good.pem),
      'signed with the DER of the public key': hmac(createPublicKey(good.pem).export({ type: 'spki', format: 'der' })),
      'with a key of its own': await stranger.sign(CLAIMS, '5m', { jwk: stranger.jwk }),
      'with a URL of its own': await stranger.sign(CLAIMS, '5m', { jku: 'https://evil.example/jwks' }),
      'of two parts': `${head}.${claims}`,
      'of nothing': '..',
    })) {
      t.equal(await ask(server, bad), REFUSED, what);
    }
  },
);

t.test('a token without an end is refused though its signature is good', async t => {
  const dataDir = temporaryFolder();
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const file = path.join(dataDir, 'jwks.json');
  fs.writeFileSync(file, JSON.stringify({ keys: [await exportJWK(publicKey)] }));
  const server = await startHere(t, { dataDir, env: settings(file) });
  const made = new SignJWT(CLAIMS).setProtectedHeader({ alg: 'ES256' });
  t.equal(await ask(server, await made.sign(privateKey)), REFUSED);
  t.equal(await ask(server, await made.setExpirationTime('1m').sign(privateKey)), '200');
});

t.test('the file of keys is read again when it changes, and what it no longer holds is forgotten', async t => {
  const dataDir = temporaryFolder();
  const [first, second] = await Promise.all([signer('one'), signer('two')]);
  const file = path.join(dataDir, 'jwks.json');
  const write = (...signers: Signer[]): void =>
    fs.writeFileSync(file, JSON.stringify({ keys: signers.map(({ jwk }) => jwk) }));
  write(first);
  const server = await startHere(t, { dataDir, env: settings(file) });
  const [a, b] = [await first.sign(), await second.sign()];
  const becomes = async (token: string, wanted: string): Promise<boolean> => {
    for (let tries = 0; tries < 100; tries++) {
      if ((await ask(server, token)) === wanted) return true;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    return false;
  };
  t.equal(await ask(server, a), '200');
  t.equal(await ask(server, b), REFUSED);
  write(second);
  t.ok(await becomes(b, '200'));
  t.equal(await ask(server, a), REFUSED, 'though it was remembered');
  fs.writeFileSync(file, '{');
  t.ok(await becomes(b, REFUSED), 'a broken file lets nobody in');
  t.equal((await server.fetch('/v1/datasets')).status, 401, 'and nobody without a token');
  write(first, second);
  t.ok(await becomes(a, '200'));
});

t.test('the keys of a URL are fetched and kept; while they cannot be had the answer is 503, never open', async t => {
  const good = await signer('k');
  let mode: 'good' | 'fails' | 'nonsense' = 'fails';
  let fetches = 0;
  const provider = http.createServer((_request, response) => {
    fetches++;
    if (mode === 'fails') response.writeHead(500).end();
    else response.end(mode === 'good' ? JSON.stringify({ keys: [good.jwk] }) : '<html>');
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  t.teardown(() => provider.close());
  const { port } = provider.address() as AddressInfo;
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['read']);
  const server = await startHere(t, { dataDir, env: settings(`http://127.0.0.1:${port}/jwks`) });
  const token = await good.sign();
  const becomes = async (wanted: string): Promise<boolean> => {
    for (let tries = 0; tries < 100; tries++) {
      if ((await ask(server, token)) === wanted) return true;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    return false;
  };
  const down = await server.fetch('/v1/datasets', bearer(token));
  t.equal(down.status, 503);
  t.ok(Number(down.headers.get('retry-after')) > 0);
  t.match(await down.json(), { code: 'keys_unavailable' });
  t.equal(await ask(server, key), '200', 'API keys hold meanwhile');
  t.equal((await server.fetch('/readyz', bearer(token))).status, 200, 'what is open stays open');
  for (let i = 0; i < 20; i++) await ask(server, `${token.slice(0, -4)}${1000 + i}`);
  t.ok(fetches <= 10, `the provider is not asked for every token: ${fetches} times`);
  mode = 'nonsense';
  t.equal(await ask(server, token), '503 keys_unavailable');
  mode = 'good';
  t.ok(await becomes('200'), 'let in as soon as the keys are there');
  const asked = fetches;
  for (let i = 0; i < 20; i++) await ask(server, await good.sign({ ...CLAIMS, jti: String(i) }));
  t.equal(fetches, asked, 'the keys are kept');
  mode = 'fails';
  t.equal(await ask(server, token), '200', 'what was fetched holds while the provider is away');

  const stranger = await signer('another');
  const other = await good.sign({ ...CLAIMS, sub: 'bob' });
  const [unknown, known] = await Promise.all([ask(server, await stranger.sign()), ask(server, other)]);
  t.match(unknown, /^401|^503 keys_unavailable/, 'a key that is not known cannot be asked for');
  t.equal(known, '200', 'and who does not need it does not wait');
});

t.test('a provider that does not answer holds up nobody whose key is known', async t => {
  const good = await signer('k');
  let isSilent = false;
  const provider = http.createServer((_request, response) => {
    if (!isSilent) response.end(JSON.stringify({ keys: [good.jwk] }));
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  t.teardown(() => provider.close().closeAllConnections());
  const { port } = provider.address() as AddressInfo;
  const server = await startHere(t, { env: settings(`http://127.0.0.1:${port}/jwks`) });
  t.equal(await ask(server, await good.sign()), '200');
  isSilent = true;
  const strangers = Array.from({ length: 20 }, async (_, i) => ask(server, await (await signer(`x${i}`)).sign()));
  for (let i = 0; i < 20; i++) t.equal(await ask(server, await good.sign({ ...CLAIMS, jti: String(i) })), '200');
  t.strictSame([...new Set(await Promise.all(strangers))], [REFUSED], 'soon after keys were fetched nobody asks again');
});

t.test('keys that were fetched hold while the provider is away, however old they are', async t => {
  const [good, stranger] = await Promise.all(['k', 'other'].map(kid => signer(kid)));
  let isAway = false;
  const provider = http.createServer((_request, response) => {
    if (isAway) response.writeHead(500).end();
    else response.end(JSON.stringify({ keys: [good!.jwk] }));
  });
  provider.listen(0, '127.0.0.1');
  await once(provider, 'listening');
  t.teardown(() => provider.close());
  const { port } = provider.address() as AddressInfo;
  const server = await startHere(t, { env: settings(`http://127.0.0.1:${port}/jwks`) });
  t.equal(await ask(server, await good!.sign()), '200');
  isAway = true;
  // An hour later, by the clock of the service.
  const now = performance.now.bind(performance);
  performance.now = () => now() + 3_600_000;
  t.teardown(() => (performance.now = now));
  for (let i = 0; i < 3; i++) {
    t.equal(await ask(server, await good!.sign({ ...CLAIMS, jti: String(i) })), '200');
    t.equal(await ask(server, await stranger!.sign()), '503 keys_unavailable', 'who needs another key is told so');
  }
});

t.test('a job belongs to one issuer and subject, compared in full', async t => {
  const dataDir = temporaryFolder();
  const { sign, jwk } = await signer('k');
  const file = path.join(dataDir, 'jwks.json');
  fs.writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  const { HYPERSLAB_JWT_ISSUER: _any, ...env } = settings(file);
  const server = await startHere(t, { dataDir, env });
  const token = (claims: JWTPayload): Promise<string> => sign({ aud: AUDIENCE, scope: 'write', ...claims });
  await ask(server, await token({ iss: 'a', sub: 'maker' }), named('a1'));
  const long = 'x'.repeat(100);
  const pairs: readonly (readonly [JWTPayload, JWTPayload])[] = [
    [
      { iss: 'i', sub: `${long}1` },
      { iss: 'i', sub: `${long}2` },
    ],
    [
      { iss: `${long}1`, sub: 's' },
      { iss: `${long}2`, sub: 's' },
    ],
    [
      { iss: 'i', sub: 'a:b' },
      { iss: 'i:a', sub: 'b' },
    ],
    [
      { iss: 'i', sub: 'ann' },
      { iss: 'i', client_id: 'ann' },
    ],
    [
      { iss: 'i', client_id: 'ann' },
      { iss: 'i', jti: 'ann' },
    ],
    [
      { iss: 'i', jti: 'one' },
      { iss: 'i', jti: 'two' },
    ],
    [{ iss: 'i', sub: 'ann' }, { sub: 'ann' }],
  ];
  const order = json('POST', { dataset: 'a1', ops: ['sum'] });
  for (const [mine, theirs] of pairs) {
    const title = JSON.stringify([mine, theirs]).replaceAll(long, '…');
    const [own, other] = await Promise.all([token(mine), token(theirs)]);
    const made = await server.fetch('/v1/jobs', {
      ...order,
      headers: { ...(order.headers as object), ...bearer(own).headers },
    });
    t.equal(made.status, 202, title);
    const { id } = (await made.json()) as { id: string };
    const statusFor = async (who: string, init: RequestInit = {}): Promise<number> =>
      (await server.fetch(`/v1/jobs/${id}`, { ...init, ...bearer(who) })).status;
    t.strictSame([await statusFor(other), await statusFor(other, { method: 'DELETE' })], [404, 404], title);
    const list = (await (await server.fetch('/v1/jobs', bearer(other))).json()) as { jobs: { id: string }[] };
    t.notOk(
      list.jobs.some(job => job.id === id),
      'it is in no list of theirs',
    );
    t.equal(await statusFor(own), 200);
  }
  const nobody = await token({ iss: 'i', sub: '' });
  t.equal(await ask(server, nobody), '200');
  const refused = await outcome(
    server.fetch('/v1/jobs', { ...order, headers: { ...(order.headers as object), ...bearer(nobody).headers } }),
  );
  t.match(refused, /^403 forbidden/, 'a token that names nobody owns nothing');
  t.equal((await server.fetch('/v1/datasets/a1/statistics?ops=sum', bearer(nobody))).status, 200);
});
