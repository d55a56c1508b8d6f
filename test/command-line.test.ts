/** The commands as people run them: processes of their own, beside a service. */
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t, { type Test } from 'tap';
import { COMMAND_ROWS } from '../src/command-line/commands.js';
import { SETTINGS } from '../src/config.js';
import { npyOf } from './helpers/bytes.js';
import { start, startServer, temporaryFolder, type TestServer } from './helpers/server.js';

const COMMAND = fileURLToPath(new URL('../bundle/hyperslab.js', import.meta.url));

interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runnerOf(env: Record<string, string>): (...args: string[]) => Outcome {
  return (...args) =>
    spawnSync(process.execPath, [COMMAND, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      timeout: 30_000,
    });
}

/** Beside what this process does meanwhile. */
function runnerBeside(env: Record<string, string>): (...args: string[]) => Promise<string> {
  return async (...args) => {
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, ...args], {
      env: { PATH: process.env['PATH'], ...env },
      timeout: 30_000,
    });
    return stdout;
  };
}

function folder(t: Test): string {
  const made = temporaryFolder();
  t.teardown(() => fs.rmSync(made, { recursive: true, force: true }));
  return made;
}

t.test('a table becomes a dataset, is listed, read, computed, written to and saved as it was', async t => {
  const server: TestServer = await start(t);
  const run = runnerOf({ HYPERSLAB_URL: server.url });
  const files = folder(t);
  const csv = path.join(files, 'table.csv');
  fs.writeFileSync(csv, 'a,b\n1,2\n3,4\n');
  t.match(run('put', csv), { status: 0, stdout: 'table has the shape (2, 2).\n' });
  t.match(run('put', csv), { status: 1, stderr: /^hyperslab put: .*409 exists/ });
  t.match(run('ls'), { status: 0, stdout: 'table\t<i8\t(2, 2)\t32\tr+\tready\n' });
  t.match(JSON.parse(run('ls', '--json').stdout), [{ name: 'table', shape: [2, 2] }]);
  t.match(run('info', 'table').stdout, /^name\ttable\n/);
  t.match(JSON.parse(run('get', 'table', '--slice', '1').stdout), { data: [3, 4] });
  t.equal(run('get', 'table', '--format', 'csv').stdout, fs.readFileSync(csv, 'utf8'));
  const copy = path.join(files, 'copy.npy');
  t.equal(run('get', 'table', '-o', copy).status, 0);
  t.equal(run('put', copy, '--name', 'other').status, 0);
  t.equal(run('put', copy, '--name', 'other', '--slice', ':').stdout, '4 elements of other written.\n');
  t.equal(run('stats', 'table', '--ops', 'mean', '--axis', '0').stdout, 'mean\t[2,3]\n');
  t.match(run('info', 'tabel'), { status: 1, stderr: /Did you mean table\?/ });
  t.match(run('stats', 'table', '--expected-shape', '3'), { status: 1, stderr: /409 moved/ });
  const out = path.join(files, 'out');
  t.equal(run('export', '--all', '-o', out).status, 0);
  t.strictSame(fs.readdirSync(out), ['other.npy', 'table.npy']);
  t.strictSame(fs.readFileSync(path.join(out, 'other.npy')), fs.readFileSync(copy));
  t.match(run('import', copy, path.join(files, 'nothing.npy'), '--prefix', 'x-'), {
    status: 1,
    stdout: 'x-copy\t(2, 2)\n',
    stderr: /1 of 2 files were not imported/,
  });
});

t.test('a backup of a folder that is served, and of one that is not, is served with the same data', async t => {
  const server = await start(t);
  const to = folder(t);
  const run = runnerOf({ HYPERSLAB_URL: server.url, HYPERSLAB_DATA_DIR: server.dataDir });
  const body = JSON.stringify({ name: 'a', dtype: '<i4', shape: [1000] });
  const headers = { 'content-type': 'application/json' };
  await server.fetch('/v1/datasets', { method: 'POST', headers, body });
  await server.fetch('/v1/datasets/a/data', { method: 'PUT', headers, body: '7' });
  const live = JSON.parse(run('backup', path.join(to, 'live'), '--json').stdout) as object;
  t.match(live, { live: true, outside: [], bad: [] });
  t.match(run('backup', path.join(to, 'live')), { status: 1, stderr: /is not empty/ });
  t.match(run('backup', path.join(server.dataDir, 'x')), { status: 1, stderr: /lies in the data folder/ });
  t.match(
    runnerOf({ HYPERSLAB_URL: 'http://127.0.0.1:1' })('backup', path.join(to, 'no'), '--data-dir', server.dataDir),
    {
      status: 1,
      stderr: /cannot be reached/,
    },
  );
  t.notOk(fs.existsSync(path.join(to, 'no')));
  await server.stop('SIGKILL');
  t.match(JSON.parse(run('backup', path.join(to, 'still'), '--json').stdout), { live: false });
  for (const name of ['live', 'still']) {
    t.equal(run('doctor', path.join(to, name)).status, 0);
    const copy = await startServer({ dataDir: path.join(to, name) });
    t.match(await (await copy.fetch('/v1/datasets/a/statistics?ops=sum')).json(), { results: { sum: 7000 } });
    await copy.stop();
  }
});

t.test('a backup names files outside, waits for nobody else, and takes a journal that cannot be replayed', async t => {
  const outside = folder(t);
  const to = folder(t);
  const server = await start(t, { env: { HYPERSLAB_ROOTS: outside, HYPERSLAB_FOLDERS: outside } });
  const run = runnerOf({ HYPERSLAB_URL: server.url, HYPERSLAB_DATA_DIR: server.dataDir, HYPERSLAB_ROOTS: outside });
  const headers = { 'content-type': 'application/json' };
  for (const i of [0, 1]) fs.writeFileSync(path.join(outside, `p${i}.npy`), npyOf('<i4', [3], new Uint8Array(12)));
  for (const request of [
    { name: 'a', dtype: '<i4', shape: [10] },
    { name: 'b', dtype: '<i4', shape: [10] },
    { name: 'days', path: 'p*.npy', mode: 'r+' },
  ]) {
    await server.fetch('/v1/datasets', { method: 'POST', headers, body: JSON.stringify(request) });
  }
  const write = (name: string): Promise<Response> =>
    server.fetch(`/v1/datasets/${name}/data`, { method: 'PUT', headers, body: '7' });
  for (const name of ['a', 'a', 'b', 'days']) t.equal((await write(name)).status, 200);
  // Files outside move all the time; those in the folder do not.
  const timer = setInterval(() => fs.utimesSync(path.join(outside, 'p1.npy'), new Date(), new Date()), 20);
  const live = await runnerBeside({ HYPERSLAB_URL: server.url, HYPERSLAB_DATA_DIR: server.dataDir })(
    'backup',
    path.join(to, 'live'),
    '--json',
  );
  clearInterval(timer);
  t.match(JSON.parse(live), { live: true, rounds: 1, bad: [], outside: [{ name: 'days' }, { name: 'days' }] });

  for (const name of ['a', 'a', 'b']) t.equal((await write(name)).status, 200);
  await server.stop('SIGKILL');
  t.match(JSON.parse(run('doctor', '--json').stdout), [
    {},
    {},
    ...['a', 'b'].map(() => ({ level: 'ok', found: /writes? in its journal/ })),
  ]);
  const { file_id: fileId } = JSON.parse(fs.readFileSync(path.join(server.dataDir, 'catalog', 'a.json'), 'utf8')) as {
    file_id: string;
  };
  const journal = path.join(server.dataDir, 'journal', `${fileId}.journal`);
  const bytes = fs.readFileSync(journal);
  bytes[4096 + 60]! ^= 1;
  fs.writeFileSync(journal, bytes);
  const found = JSON.parse(run('doctor', '--json').stdout) as { about: string }[];
  t.match(
    found.find(({ about }) => about === 'a'),
    { level: 'bad', found: /journal is damaged/, remedy: /backup/ },
  );
  t.match(JSON.parse(run('backup', path.join(to, 'still'), '--json').stdout), { live: false, bad: [{ about: 'a' }] });
  t.ok(fs.existsSync(path.join(to, 'still', 'journal', `${fileId}.journal`)));
});

t.test('the doctor says what is wrong, and what to do about it', async t => {
  const server = await start(t);
  const run = runnerOf({ HYPERSLAB_DATA_DIR: server.dataDir });
  const body = JSON.stringify({ name: 'a', dtype: '<i4', shape: [1000] });
  await server.fetch('/v1/datasets', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  t.equal(run('doctor').status, 0);
  fs.writeFileSync(path.join(server.dataDir, 'arrays', 'lost.npy'), '');
  fs.truncateSync(path.join(server.dataDir, 'arrays', 'a.npy'), 1000);
  fs.writeFileSync(path.join(server.dataDir, 'catalog', 'b.json'), '{');
  const { status, stdout } = run('doctor', '--json');
  t.equal(status, 1);
  const findings = JSON.parse(stdout) as { level: string; about: string; found: string; remedy?: string }[];
  t.match(
    findings.find(({ about }) => about === 'a'),
    { level: 'bad', found: /was cut/, remedy: /backup/ },
  );
  t.match(
    findings.find(({ about }) => about === 'b'),
    { level: 'bad', found: /not JSON/ },
  );
  t.match(
    findings.find(({ about }) => about === 'arrays/lost.npy'),
    { level: 'warning' },
  );
  t.ok(findings.every(({ level, remedy }) => level === 'ok' || remedy !== undefined));
  t.equal(run('doctor', path.join(server.dataDir, 'nowhere')).status, 1);
});

t.test('every command explains itself, and one that is misunderstood says so', async t => {
  const run = runnerOf({});
  for (const [name, { load }] of Object.entries(COMMAND_ROWS)) {
    const lines: string[] = [];
    const { command } = await load();
    command()
      .configureOutput({ writeOut: text => lines.push(...text.split('\n')) })
      .outputHelp();
    t.match(lines.join('\n'), new RegExp(`^Usage: ${name} .*Example`, 's'));
    t.ok(
      lines.every(line => line.length <= 80),
      `${name} --help fits a terminal`,
    );
  }
  const help = runnerOf({ HYPERSLAB_TOKEN: 'secret' })('ls', '--help');
  t.match(help, { status: 0, stdout: /^Usage: hyperslab ls / });
  t.notMatch(help.stdout, /secret/);
  t.match(run('help', 'appnd'), { status: 2, stderr: /Did you mean append/ });
  t.equal((JSON.parse(run('settings', '--json').stdout) as unknown[]).length, Object.keys(SETTINGS).length);
  t.match(run('get'), { status: 2, stderr: /missing required argument/ });
  t.match(run('ls', '--jsno'), { status: 2, stderr: /Did you mean --json/ });
  t.match(run('lss'), { status: 2, stderr: /Did you mean ls/ });
  t.match(run('info', 'a', '--url', 'http://127.0.0.1:1'), { status: 1, stderr: /cannot be reached/ });
});
