/** Keys over HTTP: what each scope may do, and how refusals look. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import type { Scope } from '../../src/access/scopes.js';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { CALLS, named, send } from '../helpers/access-calls.js';
import { addKey, bearer } from '../helpers/keys.js';
import { start, temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { binary, outcome } from '../system/calls.js';

t.test('every scope may do what it says, and no more', async t => {
  const dataDir = temporaryFolder();
  const admin = await addKey(dataDir, ['admin']);
  const keys = { read: await addKey(dataDir, ['read']), write: await addKey(dataDir, ['write']), admin };
  const server = await startHere(t, { dataDir });
  const ranks: Record<Scope, number> = { read: 1, write: 2, admin: 3 };
  for (const granted of ['read', 'write', 'admin'] as const) {
    await send(server, { name: '', path: '/v1/datasets', init: named('a1') }, admin);
    for (const call of CALLS) {
      const isHead = call.init?.method === 'HEAD';
      const bare = await send(server, call);
      t.equal(bare.status, 401, `${call.name} without a key`);
      t.equal(bare.headers.get('www-authenticate'), 'Bearer realm="hyperslab"');
      const answer = await send(server, call, keys[granted]);
      if (ranks[granted] >= ranks[call.scope])
        t.ok(
          call.status === undefined ? answer.status < 300 : answer.status === call.status,
          `${call.name} with ${granted}: ${answer.status}`,
        );
      else {
        t.equal(answer.status, 403, `${call.name} with ${granted}`);
        // A route is asked before a member of its body, which may need more.
        const scope = new RegExp(`^(${call.scope}|write)$`);
        t.match(answer.headers.get('www-authenticate'), /error="insufficient_scope", scope="(write|admin)"$/);
        if (!isHead) t.match(await answer.json(), { code: 'forbidden', scope, granted });
      }
    }
    for (const name of ['a4', 'a1', 'a2', 'a3']) {
      const path = `/v1/datasets/${name}?data=${name === 'a4' ? 'keep' : 'delete'}`;
      await send(server, { name, path, init: { method: 'DELETE' } }, admin);
    }
  }
});

t.test('every call of the API document is tried above, and says the scope that it needs', async t => {
  const document = JSON.parse(fs.readFileSync(path.join(PACKAGE_ROOT, 'openapi/openapi.json'), 'utf8')) as {
    paths: Record<string, Record<string, { security?: { bearer: string[] }[] }>>;
  };
  const open: string[] = [];
  for (const [url, methods] of Object.entries(document.paths)) {
    for (const [method, { security }] of Object.entries(methods)) {
      const call = `${method.toUpperCase()} ${url}`;
      if (security?.length === 0) {
        open.push(call);
        continue;
      }
      const filled = url
        .replace('{name}', 'a\\d')
        .replace(/\{(?:row|chunk)\}/, '0')
        .replace('{id}', 'x');
      const pattern = new RegExp(`^${filled}$`);
      const tried = CALLS.filter(
        each =>
          pattern.test(each.path.split('?')[0]!) &&
          (each.init?.method ?? 'GET').replace('HEAD', 'GET') === method.toUpperCase(),
      ).map(({ scope }) => scope);
      t.ok(tried.includes(security![0]!.bearer[0] as Scope), `${call} is tried with its scope`);
    }
  }
  t.strictSame(open.sort(), ['GET /', 'GET /healthz', 'GET /readyz'], 'these alone ask for nothing');
});

t.test(
  'health, the API document and its pages ask for nothing; readiness tells strangers its status alone',
  async t => {
    const dataDir = temporaryFolder();
    const key = await addKey(dataDir, ['read']);
    const server = await startHere(t, { dataDir });
    for (const where of ['/healthz', '/openapi.json', '/docs', '/docs/static/swagger-ui.css']) {
      t.equal((await server.fetch(where)).status, 200, where);
      t.equal((await server.fetch(where, bearer('wrong'))).status, 200, `${where} with a wrong key`);
    }
    t.strictSame(await (await server.fetch('/readyz')).json(), { status: 'ready' });
    t.strictSame(await (await server.fetch('/readyz', bearer('wrong'))).json(), { status: 'ready' });
    t.match(await (await server.fetch('/readyz', bearer(key))).json(), {
      status: 'ready',
      datasets: 0,
      quarantined: [],
    });
    t.equal((await server.fetch('/nowhere')).status, 404);
  },
);

t.test('credentials that do not hold are told apart from none', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['admin']);
  const old = await addKey(dataDir, ['admin'], { expires: new Date(Date.now() - 1000).toISOString() });
  const server = await start(t, { dataDir });
  for (const authorization of [
    'Bearer x',
    `Bearer ${key}x`,
    `Bearer ${old}`,
    `Basic ${btoa(`user:${key}`)}`,
    key,
    'Bearer',
    `Bearer ${key} ${key}`,
    `Bearer ${btoa('{"alg":"none"}')}.${btoa('{"scope":"admin"}')}.`,
  ]) {
    const answer = await server.fetch('/v1/datasets', { headers: { authorization } });
    t.equal(answer.status, 401, authorization.slice(0, 12));
    t.equal(answer.headers.get('www-authenticate'), 'Bearer realm="hyperslab", error="invalid_token"');
    const body = await answer.text();
    t.match(JSON.parse(body), { code: 'unauthenticated', reason: 'invalid_token' });
    t.notOk(body.includes(key), 'a key is not echoed');
  }
  t.equal((await server.fetch('/v1/datasets', { headers: { authorization: `bearer  ${key}` } })).status, 200);
  t.notOk(server.log.join('\n').includes(key.slice(-20)), 'a key is not logged');
});

t.test('the body of a refused request is read within bounds, and the connection goes on', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['read']);
  const server = await startHere(t, { dataDir });
  for (const token of ['wrong', key]) {
    const init = binary('PUT', Buffer.alloc(8 * 1024 * 1024));
    const call = { name: '', path: '/v1/datasets/x/data', init };
    t.match(await outcome(send(server, call, token)), token === key ? '403 forbidden' : '401 unauthenticated');
  }
});
