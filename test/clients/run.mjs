/**
 * One generated client: made from openapi/openapi.json as it is, compiled, and its program run against a service of its
 * own. `node test/clients/run.mjs NAME` prints what it did, or why it was skipped. Needs `npm run build`; packages come from
 * the registries through their clients.
 */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, cpSync, ftruncateSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { once } from 'node:events';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { CLIENTS } from './table.mjs';

const ROOT = path.resolve(import.meta.dirname, '../..');
const [name = ''] = process.argv.slice(2);
const client = CLIENTS[name];
if (!client) throw new Error(`There is no client ${name}; there are ${Object.keys(CLIENTS).join(', ')}.`);
const missing = client.needs.filter(tool => spawnSync('sh', ['-c', `command -v ${tool}`]).status !== 0);
if (missing.length > 0) {
  console.log(`skipped: ${missing.join(' and ')} not found`);
  process.exit(0);
}

const work = mkdtempSync(path.join(tmpdir(), 'hyperslab-client-'));
cpSync(path.join(import.meta.dirname, client.folder), work, { recursive: true });
cpSync(path.join(ROOT, 'openapi/openapi.json'), path.join(work, 'openapi.json'));
makeFarFile(path.join(work, 'served'));
let server;
try {
  for (const command of client.make) run(command, 400);
  server = await startServer();
  await fill(server.url);
  const [last] = run(`${client.program} ${server.url}`, 60).trim().split('\n').slice(-1);
  console.log(`${client.title}: ${last}`);
} finally {
  if (server) {
    server.child.kill();
    await once(server.child, 'exit');
  }
  rmSync(work, { recursive: true, force: true });
}

/** The output of a command, which must succeed. */
function run(command, seconds) {
  const env = { ...process.env, M2: path.join(homedir(), '.m2/repository') };
  const done = spawnSync('bash', ['-c', command], { cwd: work, env, encoding: 'utf8', timeout: 1000 * seconds });
  if (done.status === 0) return done.stdout;
  throw new Error(`${command}\n${done.error?.message ?? `ended with ${done.status}`}\n${done.stdout}\n${done.stderr}`);
}

/** A file whose two numbers lie beyond what a float32 counts exactly; the rest of it is a hole. */
function makeFarFile(folder) {
  spawnSync('mkdir', ['-p', folder]);
  const file = openSync(path.join(folder, 'far.bin'), 'w');
  ftruncateSync(file, 100000012);
  writeSync(file, new Int32Array([7, 8]), 0, 8, 100000004);
  closeSync(file);
}

async function startServer() {
  const child = spawn(process.execPath, [path.join(ROOT, 'dist/bundle/server.js')], {
    env: {
      ...process.env,
      HYPERSLAB_PORT: '0',
      HYPERSLAB_DATA_DIR: mkdtempSync(path.join(work, 'data-')),
      HYPERSLAB_ROOTS: path.join(work, 'served'),
      HYPERSLAB_WORKERS: '1',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await new Promise((resolve, reject) => {
    child.once('exit', code => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', line => {
      const listening = /hyperslab listens at (\S+?)"/.exec(line);
      if (listening) resolve(listening[1]);
    });
  });
  child.removeAllListeners('exit');
  return { child, url };
}

/** An array whose number of bytes has more than 31 bits. */
async function fill(url) {
  const body = JSON.stringify({ name: 'huge', dtype: 'u1', shape: [3 * 2 ** 30], sparse: true });
  const headers = { 'content-type': 'application/json' };
  const made = await fetch(`${url}/v1/datasets`, { method: 'POST', headers, body });
  if (made.status !== 201) throw new Error(await made.text());
}
