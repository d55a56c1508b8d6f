/** Starts that are refused: each with status 1 and one sentence on standard error that says what to do. */
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { caseStride } from '../helpers/cases.js';
import { noOtherUser, OTHER_USER } from '../helpers/other-user.js';
import { startRefused } from '../helpers/refused-start.js';
import { start, startServer, temporaryFolder } from '../helpers/server.js';

t.test('a second service on a data folder is refused, and starts when the first was killed', async t => {
  const first = await startServer();
  const { dataDir } = first;
  t.teardown(() => fs.rmSync(dataDir, { recursive: true }));
  // By another name of the folder, too.
  const link = `${dataDir}-link`;
  fs.symlinkSync(dataDir, link);
  t.teardown(() => fs.rmSync(link));
  for (const name of [dataDir, link]) {
    const { status, stderr } = await startRefused(name);
    t.equal(status, 1);
    t.match(stderr, /data folder .* is in use by another Hyperslab \(process \d+\)/);
    t.match(stderr, `process ${first.pid})`);
    t.notMatch(stderr, /\n\s+at /, 'no stack');
  }
  t.equal((await first.fetch('/healthz')).status, 200, 'the first goes on');
  await first.stop('SIGKILL');
  const second = await startServer({ dataDir });
  t.equal((await second.fetch('/readyz')).status, 200);
  await second.stop();
});

t.test('a service that the addon for locks is missing from is still alone', async t => {
  const hide = fileURLToPath(new URL('../helpers/hide-packages.js', import.meta.url));
  const first = await start(t, { nodeArgs: ['--import', hide], env: { HYPERSLAB_TEST_HIDE: 'koffi' } });
  t.equal((await startRefused(first.dataDir)).status, 1);
});

/** A folder with rooms for what a row needs; gone when its test ends. */
function place(t: Test): string {
  const parent = temporaryFolder();
  t.teardown(() => fs.rmSync(parent, { recursive: true, force: true }));
  fs.chmodSync(parent, 0o755);
  return parent;
}

async function takenPort(t: Test): Promise<string> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  return String((server.address() as AddressInfo).port);
}

interface Row {
  readonly name: string;
  readonly says: RegExp;
  /** Makes what the start will stumble over. */
  readonly settings?: (folder: string, t: Test) => Record<string, string> | Promise<Record<string, string>>;
  /** A folder to be prepared as the data folder. */
  readonly data?: (dataDir: string) => void;
  readonly uid?: number;
  readonly nodeArgs?: readonly string[];
  readonly flags?: readonly string[];
  readonly status?: number;
}

/** Preloaded: a call of the file system that fails as the kernel would let it. */
const failing = (name: string, code: string): readonly string[] => [
  '--import',
  `data:text/javascript,import fs from 'node:fs'; import { syncBuiltinESMExports } from 'node:module';
  const real = fs.promises.${name};
  fs.promises.${name} = async (...args) => {
    if (/data.catalog$/.test(String(args[0])))
      throw Object.assign(new Error('${code}: refused'), { code: '${code}', syscall: '${name}', errno: -1 });
    return real(...args);
  };
  syncBuiltinESMExports();`,
];

const write =
  (name: string, text: string) =>
  (folder: string): string => {
    const file = path.join(folder, name);
    fs.writeFileSync(file, text);
    return file;
  };
const JWT = { HYPERSLAB_JWT_AUDIENCE: 'a' };
const tls = (cert: string, key: string): Record<string, string> => ({
  HYPERSLAB_TLS_CERT: cert,
  HYPERSLAB_TLS_KEY: key,
});
const certificate = (folder: string, name: string): [string, string] => {
  const [cert, key] = [`${name}-cert.pem`, `${name}-key.pem`].map(file => path.join(folder, file)) as [string, string];
  const request = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost';
  spawnSync('openssl', [...request.split(' '), '-keyout', key, '-out', cert]);
  return [cert, key];
};
const manifest = (version: number) => (dataDir: string) => {
  fs.mkdirSync(path.join(dataDir, 'catalog'), { recursive: true });
  fs.writeFileSync(path.join(dataDir, 'catalog', 'grid.json'), JSON.stringify({ version, name: 'grid' }));
};

const ROWS: readonly Row[] = [
  {
    name: 'a port that is taken',
    settings: async (_folder, t) => ({ HYPERSLAB_PORT: await takenPort(t) }),
    says: /^Port \d+ on 127\.0\.0\.1 is taken\. Stop the program .*--port/,
  },
  {
    name: 'a port that needs rights',
    settings: () => ({ HYPERSLAB_PORT: '1' }),
    uid: OTHER_USER,
    says: /^Port 1 may not be opened by user 65534/,
  },
  {
    name: 'an address of another machine',
    settings: () => ({ HYPERSLAB_HOST: '192.0.2.1', HYPERSLAB_ANONYMOUS: 'read' }),
    says: /^HYPERSLAB_HOST=192\.0\.2\.1 is no address of this machine/,
  },
  {
    name: 'a name that is no host',
    settings: () => ({ HYPERSLAB_HOST: 'nowhere.invalid' }),
    says: /^HYPERSLAB_HOST=nowhere\.invalid is not allowed: expected an address/,
  },
  {
    name: 'an address that everybody reaches, without keys',
    settings: () => ({ HYPERSLAB_HOST: '0.0.0.0' }),
    says: /keys add .*HYPERSLAB_JWKS.*HYPERSLAB_ANONYMOUS/,
  },
  {
    name: 'a data folder that is a file',
    settings: folder => ({ HYPERSLAB_DATA_DIR: write('file', '')(folder) }),
    says: /^HYPERSLAB_DATA_DIR=.* is not allowed: expected a folder/,
  },
  {
    name: 'a data folder that is a link to nowhere',
    settings: folder => {
      fs.symlinkSync('/nowhere/at/all', path.join(folder, 'link'));
      return { HYPERSLAB_DATA_DIR: path.join(folder, 'link') };
    },
    says: /^The data folder .* leads nowhere/,
  },
  {
    name: 'a data folder of another user',
    uid: OTHER_USER,
    data: dataDir => fs.mkdirSync(dataDir, { mode: 0o755 }),
    says: /cannot be written by user 65534 \(EACCES\).*chown -R 65534 .*--data-dir/,
  },
  {
    name: 'a room of the data folder of another user',
    uid: OTHER_USER,
    data: dataDir => {
      for (const room of ['arrays', 'catalog', 'journal']) fs.mkdirSync(path.join(dataDir, room), { recursive: true });
      fs.writeFileSync(path.join(dataDir, 'lock'), '');
      for (const own of ['', 'arrays', 'journal', 'lock'])
        fs.chownSync(path.join(dataDir, own), OTHER_USER, OTHER_USER);
    },
    says: /cannot be written by user 65534 \(EACCES\)/,
  },
  {
    name: 'a data folder of another user, whose rooms are not',
    uid: OTHER_USER,
    data: dataDir => {
      for (const room of ['arrays', 'catalog', 'journal']) fs.mkdirSync(path.join(dataDir, room), { recursive: true });
      fs.writeFileSync(path.join(dataDir, 'lock'), '');
      for (const own of ['arrays', 'catalog', 'journal', 'lock'])
        fs.chownSync(path.join(dataDir, own), OTHER_USER, OTHER_USER);
    },
    says: /cannot be written by user 65534 \(EACCES\)/,
  },
  { name: 'a full disk', nodeArgs: failing('mkdir', 'ENOSPC'), says: /its disk is full \(ENOSPC\)\. Free some space/ },
  { name: 'a read-only disk', nodeArgs: failing('mkdir', 'EROFS'), says: /\(EROFS\): it is mounted read-only/ },
  { name: 'a disk that fails', nodeArgs: failing('readdir', 'EIO'), says: /^The data folder .* cannot be used \(EIO/ },
  {
    name: 'a data folder of a newer version',
    data: manifest(2),
    says: /written by a newer Hyperslab: the manifest of grid has version 2/,
  },
  {
    name: 'a root that is not there',
    settings: folder => ({ HYPERSLAB_ROOTS: path.join(folder, 'gone') }),
    says: /^HYPERSLAB_ROOTS=.* is not allowed: expected folders; .*gone does not exist/,
  },
  {
    name: 'a root that may not be looked into',
    uid: OTHER_USER,
    settings: folder => {
      fs.mkdirSync(path.join(folder, 'closed'), { mode: 0o700 });
      return { HYPERSLAB_ROOTS: path.join(folder, 'closed') };
    },
    data: dataDir => {
      fs.mkdirSync(dataDir);
      fs.chownSync(dataDir, OTHER_USER, OTHER_USER);
    },
    says: /^HYPERSLAB_ROOTS=.* cannot be looked at \(EACCES\)/,
  },
  {
    name: 'a key file that cannot be understood',
    settings: folder => ({ HYPERSLAB_KEYS_FILE: write('keys.json', '{')(folder) }),
    says: /^The key file .* is refused: it is not JSON\. Mend it/,
  },
  {
    name: 'a key file that cannot be read',
    settings: folder => {
      fs.mkdirSync(path.join(folder, 'keys.json'));
      return { HYPERSLAB_KEYS_FILE: path.join(folder, 'keys.json') };
    },
    says: /^The key file .* is refused: it cannot be read \(EISDIR\)\. Mend it/,
  },
  {
    name: 'a JWK Set that is none',
    settings: folder => ({ ...JWT, HYPERSLAB_JWKS: write('jwks.json', '{"keys": 1}')(folder) }),
    says: /^HYPERSLAB_JWKS=.* is refused: it is not a JWK Set\./,
  },
  {
    name: 'a certificate that is none',
    settings: folder => tls(write('cert.pem', 'x')(folder), write('key.pem', 'x')(folder)),
    says: /are not a PEM certificate and its key/,
  },
  {
    name: 'the key of another certificate',
    settings: folder => tls(certificate(folder, 'a')[0], certificate(folder, 'b')[1]),
    says: /are not a PEM certificate and its key/,
  },
  {
    name: 'a certificate without its key',
    settings: folder => ({ HYPERSLAB_TLS_CERT: write('cert.pem', 'x')(folder) }),
    says: /go together/,
  },
  { name: 'a flag with a value that is not allowed', flags: ['--workers', '0'], says: /^--workers=0 is not allowed/ },
  {
    name: 'a flag that is not known',
    flags: ['--prot=1'],
    status: 2,
    says: /^There is no flag --prot\. Did you mean --port\?/,
  },
  { name: 'a word', flags: ['now'], status: 2, says: /^now is no folder\./ },
  {
    name: 'a Node that is too old',
    nodeArgs: [
      '--import',
      `data:text/javascript,Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '18.20.4' } });`,
    ],
    says: /^Hyperslab needs Node 20\.19 or later; this is 18\.20\.4\. Install a newer Node/,
  },
];

const noOpenssl = spawnSync('openssl', ['version']).status !== 0;

/** Most of a start is loading; a few at a time share the machine's cores. */
t.jobs = 2;

/** The short form tries every third. */
const TRIED = ROWS.filter((_, i) => i % caseStride(3) === 0);

for (const row of TRIED) {
  const skip =
    (row.uid !== undefined && noOtherUser) ||
    (row.name.includes('another certificate') && noOpenssl && 'needs openssl');
  t.test(`no start: ${row.name}`, { skip, buffered: true }, async t => {
    const folder = place(t);
    const dataDir = path.join(folder, 'data');
    row.data?.(dataDir);
    const settings = (await row.settings?.(folder, t)) ?? {};
    if (row.uid !== undefined && !row.data) fs.chownSync(folder, row.uid, row.uid);
    const { nodeArgs = [], flags = [], status: wanted = 1 } = row;
    const { status, stderr } = await startRefused(dataDir, settings, row.uid, { nodeArgs, flags });
    t.equal(status, wanted, stderr);
    t.match(stderr, row.says);
    t.equal(stderr.trim().split('\n').length, 1, `one line: ${stderr}`);
  });
}
