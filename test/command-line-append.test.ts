/** `hyperslab append` where answers are lost, and where others append at the same time: rows are there once. */
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { npyOf } from './helpers/bytes.js';
import { start, temporaryFolder, type TestServer } from './helpers/server.js';

const COMMAND = fileURLToPath(new URL('../bundle/hyperslab.js', import.meta.url));

/** What becomes of the next append: its answer is lost; or it is lost itself, while somebody else appends. */
type Fate = 'answer' | 'request' | undefined;

interface Proxy {
  readonly url: string;
  fate: Fate;
}

interface Outcome {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A proxy before a server; `others` is what somebody else does. */
async function startProxy(t: Test, server: TestServer, others: () => Promise<unknown>): Promise<Proxy> {
  const proxy: { url: string; fate: Fate } = { url: '', fate: undefined };
  const listener = http.createServer((request, response) => {
    const fate = request.url!.includes('/append') ? proxy.fate : undefined;
    if (fate) proxy.fate = undefined;
    if (fate === 'request') {
      void others().then(() => response.destroy());
      return;
    }
    const { method, headers, url } = request;
    const passed = http.request(`${server.url}${url}`, {
      method,
      headers: { ...headers, host: new URL(server.url).host },
    });
    passed.on('response', answer => {
      if (fate === 'answer') return response.destroy();
      response.writeHead(answer.statusCode!, answer.headers);
      return answer.pipe(response);
    });
    request.pipe(passed);
  });
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve));
  t.teardown(() => listener.closeAllConnections());
  t.teardown(() => listener.close());
  proxy.url = `http://127.0.0.1:${(listener.address() as AddressInfo).port}`;
  return proxy;
}

function run(url: string, ...args: string[]): Promise<Outcome> {
  return new Promise(resolve => {
    const env = { PATH: process.env['PATH'], HYPERSLAB_URL: url };
    execFile(process.execPath, [COMMAND, 'append', ...args], { env, timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ status: typeof error?.code === 'number' ? error.code : error ? -1 : 0, stdout, stderr }),
    );
  });
}

t.test('rows are appended once, whatever is lost on the way', async t => {
  const server = await start(t);
  const files = temporaryFolder();
  t.teardown(() => fs.rmSync(files, { recursive: true, force: true }));
  const headers = { 'content-type': 'application/json' };
  const append = (body: string): Promise<Response> =>
    server.fetch('/v1/datasets/log/append', { method: 'POST', headers, body });
  const proxy = await startProxy(t, server, () => append('[[7, 7]]'));
  const body = JSON.stringify({ name: 'log', dtype: '<i4', shape: [0, 2] });
  await server.fetch('/v1/datasets', { method: 'POST', headers, body });
  const npy = path.join(files, 'log.npy');
  fs.writeFileSync(npy, npyOf('<i4', [2, 2], new Uint8Array(Int32Array.of(1, 2, 3, 4).buffer)));
  const csv = path.join(files, 'log.csv');
  fs.writeFileSync(csv, 'a,b\n5,6\n');
  const rows = async (): Promise<unknown> =>
    ((await (await server.fetch('/v1/datasets/log/data')).json()) as { data: unknown }).data;

  t.match(await run(proxy.url, npy), { status: 0, stdout: 'log has the shape (2, 2).\n', stderr: '' });

  proxy.fate = 'answer';
  const lost = await run(proxy.url, npy, '--json');
  t.match(lost, { status: 0, stderr: /Trying again with at=2\.\n.*stand where they belong/s });
  t.match(JSON.parse(lost.stdout), { shape: [4, 2] });

  proxy.fate = 'request';
  t.match(await run(proxy.url, npy), { status: 0, stdout: 'log has the shape (7, 2).\n' }, 'behind the rows of others');

  proxy.fate = 'request';
  t.match(await run(proxy.url, npy, '--at', '7'), { status: 1, stderr: /grown by other rows: nothing of .* appended/ });
  t.match(await run(proxy.url, npy, '--at', '7'), { status: 1, stderr: /409 moved/ });

  proxy.fate = 'answer';
  t.match(await run(proxy.url, csv), { status: 1, stderr: /cannot be told from csv\. Look at its rows from 8 on/ });
  const block = [
    [1, 2],
    [3, 4],
  ];
  t.strictSame(await rows(), [...block, ...block, [7, 7], ...block, [7, 7], [5, 6]]);

  t.match(await run(proxy.url, npy, '--retries', 'x'), { status: 2, stderr: /whole number/ });
  t.match(await run('http://127.0.0.1:1', npy, '--retries', '0'), { status: 1, stderr: /cannot be reached/ });
});

t.test('rows that were converted, and may be there, are not appended again', async t => {
  const server = await start(t);
  const files = temporaryFolder();
  t.teardown(() => fs.rmSync(files, { recursive: true, force: true }));
  const headers = { 'content-type': 'application/json' };
  const body = JSON.stringify({ name: 'short', dtype: '<f4', shape: [0, 2] });
  await server.fetch('/v1/datasets', { method: 'POST', headers, body });
  const npy = path.join(files, 'short.npy');
  fs.writeFileSync(npy, npyOf('<f8', [1, 2], new Uint8Array(Float64Array.of(0.1, 0.2).buffer)));
  const proxy = await startProxy(t, server, () => Promise.resolve());
  proxy.fate = 'answer';
  t.match(await run(proxy.url, npy), { status: 1, stderr: /cannot be told from npy\. Look at its rows from 0 on/ });
  t.match(await (await server.fetch('/v1/datasets/short')).json(), { shape: [1, 2] });
});
