import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { ConfigError, coresAvailable, memoryAvailable, readConfig, SETTINGS, unknownSettings } from '../src/config.js';
import { LIMITS } from '../src/limits.js';
import { startRefused } from './helpers/refused-start.js';
import { start, temporaryFolder } from './helpers/server.js';

t.test('without any variable every setting has its default', async t => {
  t.match(readConfig({}), {
    host: '127.0.0.1',
    port: 8080,
    dataDir: './data',
    roots: [],
    demo: 'off',
    logLevel: 'info',
    mapping: 'auto',
    remoteWrites: 'refuse',
    commitBytesMax: LIMITS.commitBytesMax,
    memoryBytes: memoryAvailable(),
    connectionsMax: LIMITS.connectionsMax,
    rateBytesMin: LIMITS.rateBytesMin,
    stallSeconds: LIMITS.stallSeconds,
    jsonElementsMax: LIMITS.jsonElementsMax,
  });
});

t.test('an empty variable counts as not set', async t => {
  const empty = Object.fromEntries(Object.values(SETTINGS).map(({ name }) => [name, '']));
  t.strictSame(readConfig(empty), readConfig({}));
});

t.test('every row of the table has a name, a unit, a meaning and a default that it accepts', async t => {
  const names = Object.values(SETTINGS).map(({ name }) => name);
  t.equal(new Set(names).size, names.length);
  for (const row of Object.values(SETTINGS)) {
    t.match(row.name, /^HYPERSLAB_[A-Z0-9_]+$/);
    t.notMatch(row.name, /^HYPERSLAB_TEST_/, 'reserved for the tests');
    t.ok(row.unit.length > 0 && row.meaning.length > 10, row.name);
    t.doesNotThrow(() => row.parse(row.default), row.name);
  }
});

t.test('values are read', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const [a, b] = ['a', 'b'].map(name => path.join(folder, name)) as [string, string];
  for (const root of [a, b]) fs.mkdirSync(root);
  t.match(
    readConfig({
      HYPERSLAB_HOST: '::1',
      HYPERSLAB_PORT: '0',
      HYPERSLAB_ROOTS: `${a}::${b}:`,
      HYPERSLAB_WORKERS: '3',
      HYPERSLAB_DEMO: 'auto',
      HYPERSLAB_LOG_LEVEL: 'silent',
      HYPERSLAB_MAPPING: 'koffi',
      HYPERSLAB_REMOTE_WRITES: 'allow',
      HYPERSLAB_COMMIT_BYTES_MAX: '1048576',
    }),
    {
      host: '::1',
      port: 0,
      roots: [a, b],
      workers: 3,
      demo: 'auto',
      logLevel: 'silent',
      mapping: 'koffi',
      remoteWrites: 'allow',
      commitBytesMax: 1048576,
    },
  );
});

t.test('all faults are listed together, each with its name, its value and what is allowed', async t => {
  const faulty = {
    HYPERSLAB_PORT: '65536',
    HYPERSLAB_WORKERS: '0',
    HYPERSLAB_DEMO: 'yes',
    HYPERSLAB_LOG_LEVEL: 'verbose',
    HYPERSLAB_MAPPING: 'mmap',
    HYPERSLAB_JSON_ELEMENTS_MAX: '1e3',
    HYPERSLAB_COMMIT_BYTES_MAX: '-1',
  };
  try {
    readConfig(faulty);
    t.fail('faulty settings were accepted');
  } catch (error) {
    t.type(error, ConfigError);
    const lines = (error as Error).message.split('\n');
    t.equal(lines.length, Object.keys(faulty).length);
    for (const [name, value] of Object.entries(faulty)) {
      t.ok(
        lines.some(line => line.startsWith(`${name}=${value} is not allowed: expected `)),
        name,
      );
    }
  }
});

t.test('numbers are digits and nothing else', async t => {
  for (const text of ['8080.0', ' 8080', '0x50', '1e3', '+80', '-0', '٨٠', '99999999999999999999', 'auto']) {
    t.throws(() => readConfig({ HYPERSLAB_PORT: text }), ConfigError, JSON.stringify(text));
  }
});

t.test('names that look like settings and are none are found', async t => {
  const env = { HYPERSLAB_PROT: '1', HYPERSLAB_PORT: '1', HYPERSLAB_TEST_PYTHON: 'x', PATH: 'x', XHYPERSLAB_A: 'x' };
  t.strictSame(unknownSettings(env), ['HYPERSLAB_PROT']);
});

t.test('auto takes as many workers as there are cores, at least one', async t => {
  const cores = coresAvailable();
  t.ok(Number.isInteger(cores) && cores >= 1 && cores <= os.availableParallelism(), String(cores));
  t.equal(readConfig({ HYPERSLAB_WORKERS: 'auto' }).workers, cores);
});

t.test('any quota of a cgroup, in either version, gives a number of workers from one to the cores', async t => {
  const original = fs.readFileSync;
  t.teardown(() => (fs.readFileSync = original));
  const missing = (): never => {
    throw Object.assign(new Error('none'), { code: 'ENOENT' });
  };
  const pretend = (files: Readonly<Record<string, string>>): void => {
    fs.readFileSync = ((file: string, ...rest: [BufferEncoding]) =>
      file.startsWith('/sys/fs/cgroup/') ? (files[file] ?? missing()) : original(file, ...rest)) as typeof original;
  };
  const [v2, quota, period] = ['cpu.max', 'cpu/cpu.cfs_quota_us', 'cpu/cpu.cfs_period_us'].map(
    file => `/sys/fs/cgroup/${file}`,
  ) as [string, string, string];
  const cores = os.availableParallelism();
  for (const [files, wanted] of [
    [{}, cores],
    [{ [v2]: 'max 100000\n' }, cores],
    [{ [v2]: '50000 100000\n' }, 1],
    [{ [v2]: '150000 100000\n' }, Math.min(2, cores)],
    [{ [v2]: '99900000 100000\n' }, cores],
    [{ [v2]: '0 100000\n' }, cores],
    [{ [v2]: '' }, cores],
    [{ [v2]: 'nonsense' }, cores],
    [{ [quota]: '-1\n', [period]: '100000\n' }, cores],
    [{ [quota]: '20000\n', [period]: '100000\n' }, 1],
    [{ [quota]: '100000\n' }, cores],
    [{ [quota]: '100000\n', [period]: '0\n' }, cores],
  ] as const) {
    pretend(files);
    t.equal(coresAvailable(), wanted, JSON.stringify(files));
  }
});

t.test('the process refuses faulty settings with one line each and no stack', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const { status, stderr } = await startRefused(folder, { HYPERSLAB_PORT: 'x', HYPERSLAB_DEMO: 'x' });
  t.equal(status, 1);
  t.strictSame(
    stderr
      .trim()
      .split('\n')
      .map(line => line.split('=')[0]),
    ['HYPERSLAB_PORT', 'HYPERSLAB_DEMO'],
    stderr,
  );
});

t.test('folders that are none are listed with the other faults', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'file');
  fs.writeFileSync(file, '');
  const faultsOf = (env: Record<string, string>): string[] => {
    try {
      readConfig(env);
      return [];
    } catch (error) {
      t.type(error, ConfigError);
      return (error as Error).message.split('\n').map(line => line.split('=')[0]!);
    }
  };
  const [port, roots, dataDir] = ['HYPERSLAB_PORT', 'HYPERSLAB_ROOTS', 'HYPERSLAB_DATA_DIR'] as const;
  t.strictSame(faultsOf({ [port]: 'x', [roots]: `${folder}:${folder}/gone`, [dataDir]: file }), [port, dataDir, roots]);
  t.strictSame(faultsOf({ [roots]: file }), [roots]);
  t.strictSame(faultsOf({ [dataDir]: path.join(file, 'below') }), [dataDir]);
  t.strictSame(faultsOf({ [roots]: folder, [dataDir]: path.join(folder, 'new', 'newer') }), []);
});

t.test('a root that is not there is a fault of the settings, not a crash', async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const { status, stderr } = await startRefused(path.join(folder, 'data'), {
    HYPERSLAB_ROOTS: path.join(folder, 'gone'),
  });
  t.equal(status, 1);
  t.match(stderr, /HYPERSLAB_ROOTS/);
  t.notMatch(stderr, /^\s+at /m, 'a stack is for faults of the program');
});

t.test('an unknown name is warned about in the log, and the service starts', async t => {
  const server = await start(t, { env: { HYPERSLAB_PROT: '1' } });
  t.match(server.log.join('\n'), /HYPERSLAB_PROT/);
});
