/** How a running service ends, and what a signal does that is not to end it. */
import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { caseStride } from '../helpers/cases.js';
import { addKey, bearer } from '../helpers/keys.js';
import { SERVER } from '../../src/package-root.js';
import { start, temporaryFolder } from '../helpers/server.js';
import { eventually } from './calls.js';

const COMMAND = fileURLToPath(new URL('../../src/hyperslab.js', import.meta.url));

interface Ended {
  readonly status: number | null;
  readonly stderr: string;
}

/** The end of a service, whatever brought it about. */
async function endOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  return child.exitCode;
}

/** One SIGTERM ends the services of most tests. */
const SIGNALS = [
  ['SIGTERM twice', ['SIGTERM', 'SIGTERM'], 0],
  ['SIGINT', ['SIGINT'], 0],
  ['SIGINT twice at once, as a terminal and npm send it', ['SIGINT', 'SIGINT'], 0],
  ['SIGHUP, then SIGTERM', ['SIGHUP', 'SIGTERM'], 0],
] as const;
const STRIDE = caseStride(2);

for (const [name, signals, wanted] of SIGNALS.filter((_, i) => i % STRIDE === 0)) {
  t.test(`${name}: it ends with ${wanted}`, async t => {
    const server = await start(t, { env: { HYPERSLAB_WORKERS: '1' } });
    for (const signal of signals) server.child.kill(signal);
    t.equal(await endOf(server.child), wanted);
  });
}

t.test('an exception that nobody expected is one sentence, and status 1', async t => {
  const bomb = `data:text/javascript,process.on('SIGUSR1', () => { throw new Error('planted\\nfault'); });`;
  const server = await start(t, { nodeArgs: ['--import', bomb] });
  const before = server.log.length;
  server.child.kill('SIGUSR1');
  t.equal(await endOf(server.child), 1);
  const said = server.log.slice(before).filter(line => !line.startsWith('{'));
  t.strictSame(said, [
    'Hyperslab ends after an error that it did not expect: planted fault. Please report it, with the log.\n',
  ]);
});

t.test('a second SIGINT of somebody who insists ends it at once, and says what was cut', async t => {
  const never = `data:text/javascript,const real = process.exit; globalThis.setTimeout(() => {}, 1);
    import http from 'node:http'; const close = http.Server.prototype.close;
    http.Server.prototype.close = function () { return this; };`;
  const server = await start(t, { nodeArgs: ['--import', never] });
  server.child.kill('SIGINT');
  await new Promise(resolve => setTimeout(resolve, 1100));
  server.child.kill('SIGINT');
  t.equal(await endOf(server.child), 1);
  t.match(server.log.join(''), /Ended at once, as a second SIGINT asks: 0 requests were cut\./);
});

const noOpenssl = spawnSync('openssl', ['version']).status !== 0 && 'openssl, which makes the certificate, is not here';

t.test('SIGHUP reads keys and the certificate again', { skip: noOpenssl }, async t => {
  const dataDir = temporaryFolder();
  const [cert, key] = ['cert.pem', 'key.pem'].map(name => path.join(dataDir, name)) as [string, string];
  const certify = (name: string): void => {
    const request = `req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=${name}`;
    t.equal(spawnSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert]).status, 0);
  };
  certify('first');
  const server = await start(t, { dataDir, env: { HYPERSLAB_TLS_CERT: cert, HYPERSLAB_TLS_KEY: key } });
  const shown = async (): Promise<string> => {
    const socket = tls.connect({
      port: Number(new URL(server.url).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
    });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  };
  const said = (text: string): Promise<boolean> => eventually(() => server.log.join('\n').includes(text));
  t.equal(await shown(), 'first');
  certify('second');
  server.child.kill('SIGHUP');
  t.ok(await said('the certificate was read again'));
  t.equal(await shown(), 'second');
  fs.writeFileSync(cert, 'broken');
  server.child.kill('SIGHUP');
  t.ok(await said('the certificate cannot be used: the old one stays'));
  t.equal(await shown(), 'second');
});

t.test('SIGHUP does not close an open service, and takes a first key at once', async t => {
  const server = await start(t);
  server.child.kill('SIGHUP');
  t.ok(await eventually(() => server.log.join('\n').includes('looked at again')));
  t.equal((await server.fetch('/v1/datasets')).status, 200);
  const key = await addKey(server.dataDir, ['read']);
  server.child.kill('SIGHUP');
  t.ok(await eventually(async () => (await server.fetch('/v1/datasets')).status === 401));
  t.equal((await server.fetch('/v1/datasets', bearer(key))).status, 200);
});

/** Runs the command, which supervises a server, until it ends. */
function supervise(
  t: Test,
  env: Readonly<Record<string, string>>,
  ...flags: string[]
): { child: ChildProcess; ended: Promise<Ended>; text: () => string } {
  const folder = temporaryFolder();
  const script = 'export NODE_OPTIONS="$HYPERSLAB_TEST_PRELOAD"; exec "$0" "$@"';
  const [command, ...args] = ['sh', '-c', script, process.execPath, COMMAND, ...flags] as const;
  const child = spawn(command, args, {
    env: { PATH: process.env['PATH'], HYPERSLAB_PORT: '0', HYPERSLAB_WORKERS: '1', HYPERSLAB_DATA_DIR: folder, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  t.teardown(async () => {
    child.kill('SIGTERM');
    await endOf(child);
    fs.rmSync(folder, { recursive: true, force: true });
  });
  const ended = once(child, 'close').then(([status]) => ({ status: status as number | null, stderr: text }));
  return { child, ended, text: () => text };
}

t.test('the command serves demo arrays, brings back a server that was killed, and ends with it', async t => {
  const { child, ended, text } = supervise(t, {});
  const urls = (): string[] => [...text().matchAll(/hyperslab listens at (\S+?)"/g)].map(match => match[1]!);
  t.ok(await eventually(() => urls().length === 1, 60_000), text());
  t.equal((await fetch(`${urls()[0]}/v1/datasets/seattle-weather/rows/0`)).status, 200);
  const pid = Number(/"pid":(\d+)/.exec(text())![1]);
  process.kill(pid, 'SIGKILL');
  t.ok(await eventually(() => urls().length === 2, 60_000), text());
  t.match(text(), /the server died of SIGKILL; starting it again in 0\.1 s/);
  child.kill('SIGHUP');
  t.ok(await eventually(() => text().includes('as SIGHUP asks')), 'SIGHUP is passed on and ends nothing');
  child.kill('SIGTERM');
  t.match(await ended, { status: 0 });
});

t.test('the command passes on a status, and gives up what dies before it serves', async t => {
  const refused = supervise(t, { HYPERSLAB_PORT: 'x' }, 'serve');
  t.match(await refused.ended, { status: 1, stderr: /^HYPERSLAB_PORT=x is not allowed/ });
  const mistyped = supervise(t, {}, 'serve', '--prot', '1');
  t.match(await mistyped.ended, { status: 2, stderr: /Did you mean --port/ });
  const doomed = supervise(
    t,
    {
      HYPERSLAB_TEST_PRELOAD: `--import "data:text/javascript,if (process.argv[1] === '${SERVER}') process.kill(process.pid, 'SIGKILL')"`,
    },
    'serve',
  );
  t.match(await doomed.ended, { status: 1, stderr: /died of SIGKILL 5 times before it listened, and is given up/ });
});
