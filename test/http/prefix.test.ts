/**
 * Behind a path prefix, every link that the service sends leads back to it: by a proxy that takes the prefix off, by one
 * that leaves it, and by a real nginx.
 */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';

const JSON_TYPE = { 'content-type': 'application/json' };

interface Way {
  readonly title: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Where clients reach the service, without a slash at the end. */
  readonly reach: (t: Test, server: Service) => Promise<string>;
  /** `servers` of the document at openapi.json. */
  readonly servers?: string;
}

const WAYS: readonly Way[] = [
  { title: 'no proxy', reach: async (_t, { url }) => url },
  { title: 'a proxy that takes the prefix off', reach: (t, { url }) => proxy(t, url, rest => ({ path: rest })) },
  {
    title: 'the same, below several folders',
    reach: async (t, { url }) => `${await proxy(t, url, rest => ({ path: rest.slice('/b/c'.length) }))}/b/c`,
  },
  {
    title: 'a proxy that takes the prefix off, says so and is believed',
    env: { HYPERSLAB_TRUST_PROXY: 'loopback' },
    reach: (t, { url }) => proxy(t, url, rest => ({ path: rest, headers: { 'x-forwarded-prefix': '/arrays/' } })),
    servers: '/arrays',
  },
  {
    title: 'a proxy that says so and is not believed',
    reach: (t, { url }) => proxy(t, url, rest => ({ path: rest, headers: { 'x-forwarded-prefix': '/elsewhere' } })),
  },
  {
    title: 'a proxy that says what is no path',
    env: { HYPERSLAB_TRUST_PROXY: 'loopback' },
    reach: (t, { url }) => proxy(t, url, rest => ({ path: rest, headers: { 'x-forwarded-prefix': '//evil.example' } })),
  },
  {
    title: 'a proxy that leaves the prefix on',
    env: { HYPERSLAB_PREFIX: '/arrays/' },
    reach: (t, { url }) => proxy(t, url, rest => ({ path: `/arrays${rest}` })),
    servers: '/arrays',
  },
  {
    title: 'the prefix without a proxy',
    env: { HYPERSLAB_PREFIX: '/a/b' },
    reach: async (_t, { url }) => `${url}/a/b`,
    servers: '/a/b',
  },
  { title: 'without the prefix that is set', env: { HYPERSLAB_PREFIX: '/arrays' }, reach: async (_t, { url }) => url },
];

/** By their settings. */
const running = new Map<string | undefined, Service>();
const suite = t;

for (const { title, env, reach, servers } of WAYS) {
  t.test(`links lead back: ${title}`, async t => {
    const known = JSON.stringify(env);
    const server = running.get(known) ?? (await startHere(suite, env && { env }));
    running.set(known, server);
    await checkLinks(t, await reach(t, server), servers);
  });
}

t.test('a path that only begins like the prefix is another one', async t => {
  const server = await startHere(t, { env: { HYPERSLAB_PREFIX: '/arrays' } });
  t.equal((await server.fetch('/arraysv1/datasets')).status, 404);
  t.equal((await server.fetch('/arrays/v1/datasets?limit=1')).status, 200);
  t.equal((await server.fetch('/arrays/arrays/v1/datasets')).status, 404);
});

const hasNginx = spawnSync('nginx', ['-v']).status === 0;

t.test('behind nginx', { skip: !hasNginx && 'needs nginx: apt-get install nginx-light' }, async t => {
  const server = await startHere(t);
  const base = await nginx(t, `location /arrays/ { proxy_pass ${server.url}/; }`);
  await checkLinks(t, `${base}/arrays`);

  const named = await startHere(t, { env: { HYPERSLAB_PREFIX: '/arrays' } });
  await checkLinks(t, `${await nginx(t, `location /arrays/ { proxy_pass ${named.url}; }`)}/arrays`, '/arrays');
});

t.test('nginx that compresses weakens tags, and the 412 says so', { skip: !hasNginx && 'needs nginx' }, async t => {
  const server = await startHere(t);
  const compress = 'gzip on; gzip_types application/json; gzip_min_length 1;';
  const base = await nginx(t, `${compress} location / { proxy_pass ${server.url}; }`);
  const where = await make(`${base}/v1/datasets`);
  const read = await fetch(`${where}/data`, { headers: { 'accept-encoding': 'gzip' } });
  const tag = read.headers.get('etag')!;
  t.match(tag, /^W\//);
  const write = (ifMatch: string): Promise<Response> =>
    fetch(`${where}/data`, { method: 'PUT', headers: { ...JSON_TYPE, 'if-match': ifMatch }, body: '1' });
  const refused = await write(tag);
  t.equal(refused.status, 412);
  t.match(await refused.json(), { reason: 'weak', detail: /gzip off/ });
  t.equal((await write(tag.slice(2))).status, 200, 'the remedy that it names');
  const again = await fetch(`${where}/data`, { headers: { 'accept-encoding': 'gzip', 'if-none-match': tag } });
  t.equal(again.status, 200);
});

let names = 0;

/** Everything that sends a link, followed as a client follows it. */
async function checkLinks(t: Test, base: string, servers = '.'): Promise<void> {
  const name = `made${names++}`;
  const follow = async (response: Response): Promise<string> => {
    const location = response.headers.get('location')!;
    t.notMatch(location, /^\/|:/, 'the link is relative');
    const target = new URL(location, response.url).href;
    t.equal((await fetch(target)).status, 200, `${response.url} → ${target}`);
    return target;
  };
  const post = (url: string, body: object, headers = {}): Promise<Response> =>
    fetch(`${base}${url}`, { method: 'POST', headers: { ...JSON_TYPE, ...headers }, body: JSON.stringify(body) });

  const made = await post('/v1/datasets', { name, dtype: 'u1', shape: [2] });
  t.equal(await follow(made), `${base}/v1/datasets/${name}`);
  const npy = new Uint8Array(await (await fetch(`${base}/v1/datasets/${name}/data?format=npy`)).arrayBuffer());
  for (const query of ['', '?overwrite=true']) {
    const headers = { 'content-type': 'application/x-npy' };
    const put = await fetch(`${base}/v1/datasets/${name}p${query}`, { method: 'PUT', headers, body: npy });
    t.equal(await follow(put), `${base}/v1/datasets/${name}p`);
  }
  const prefer = { prefer: 'respond-async' };
  for (const response of [
    await fetch(`${base}/v1/datasets/${name}/statistics?ops=sum`, { headers: prefer }),
    await post(`/v1/datasets/${name}/statistics`, { ops: ['sum'] }, prefer),
    await post('/v1/statistics', { queries: [{ dataset: name, ops: ['sum'] }] }, prefer),
  ]) {
    t.equal(response.status, 202);
    t.match(await follow(response), `${base}/v1/jobs/`);
  }

  for (const [document, expected] of [
    ['openapi.json', servers],
    ['docs/json', servers === '.' ? '..' : servers],
  ] as const) {
    const url = `${base}/${document}`;
    const {
      servers: [named],
    } = (await (await fetch(url)).json()) as { servers: [{ url: string }] };
    t.equal(named.url, expected, document);
    t.equal(new URL(named.url, url).href.replace(/\/$/, ''), base, document);
  }
  for (const page of ['docs', 'docs/', 'docs/static/index.html']) {
    const response = await fetch(`${base}/${page}`);
    t.equal(response.url, `${base}/docs/`, page);
    const links = [...(await response.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(match => match[1]!);
    t.ok(links.length > 4);
    for (const link of page === 'docs' ? links : []) {
      t.equal((await fetch(new URL(link, response.url), { method: 'HEAD' })).status, 200, link);
    }
  }
}

async function make(url: string): Promise<string> {
  const body = JSON.stringify({ name: 'x', dtype: '<f8', shape: [100] });
  const response = await fetch(url, { method: 'POST', headers: JSON_TYPE, body });
  return new URL(response.headers.get('location')!, response.url).href;
}

interface Passed {
  readonly path: string;
  readonly headers?: http.OutgoingHttpHeaders;
}

/** A proxy for what is under `/arrays`; `pass` says how the rest of the path goes on. */
async function proxy(t: Test, target: string, pass: (rest: string) => Passed): Promise<string> {
  const agent = new http.Agent({ keepAlive: true });
  const server = http.createServer((request, response) => {
    const { path: where, headers } = pass(request.url!.slice('/arrays'.length));
    const options = { agent, method: request.method, path: where, headers: Object.assign(request.headers, headers) };
    const onward = http.request(target, options, answer => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    request.pipe(onward);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    agent.destroy();
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/arrays`;
}

/** A real nginx over a folder of its own, with these directives in its server block. */
async function nginx(t: Test, directives: string): Promise<string> {
  const folder = temporaryFolder();
  const port = await freePort();
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map(name => `${name}_temp_path ${path.join(folder, name)};`)
    .join(' ');
  fs.writeFileSync(
    path.join(folder, 'nginx.conf'),
    `daemon off; worker_processes 1; pid ${path.join(folder, 'pid')}; error_log stderr; ${process.getuid?.() === 0 ? 'user root;' : ''}
    events {}
    http { access_log off; ${temporary} server { listen 127.0.0.1:${port}; proxy_http_version 1.1; ${directives} } }`,
  );
  const child = spawn('nginx', ['-p', folder, '-c', path.join(folder, 'nginx.conf')], { stdio: 'ignore' });
  const ended = new Promise<void>(resolve => child.once('exit', () => resolve()));
  t.teardown(async () => {
    child.kill('SIGTERM');
    await ended;
    fs.rmSync(folder, { recursive: true });
  });
  const url = `http://127.0.0.1:${port}`;
  for (let tries = 0; tries < 100; tries++) {
    // oxlint-disable-next-line no-await-in-loop
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return url;
    // oxlint-disable-next-line no-await-in-loop
    await sleep(50);
  }
  throw new Error('nginx did not start');
}

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}
