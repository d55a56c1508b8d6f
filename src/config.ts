/** Every setting, as one table: environment variable, default, unit, meaning. All faults are reported together. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { cpuQuota, memoryLimit } from './cgroup.js';
import { systemErrorCode } from './errors.js';
import { LIMITS } from './limits.js';
import { ACCESS_SETTINGS, accessFaults } from './access/settings.js';
import { JOB_SETTINGS } from './jobs/settings.js';
import type { MappingChoice } from './file/mapping.js';
import { ConfigError, flagOf, integer, oneOf, setting, type ValuesOf } from './setting.js';

export { ConfigError } from './setting.js';

export const SETTINGS = {
  host: setting({
    name: 'HYPERSLAB_HOST',
    default: '127.0.0.1',
    unit: 'address',
    meaning: 'The address to listen on, IPv4 or IPv6 (`::1`, `::`).',
    parse: text => text,
  }),
  port: setting({
    name: 'HYPERSLAB_PORT',
    default: '8080',
    unit: 'TCP port',
    meaning: 'The port to listen on. 0 picks a free port, which the log names.',
    parse: integer(0, 65_535),
  }),
  dataDir: setting({
    name: 'HYPERSLAB_DATA_DIR',
    default: './data',
    unit: 'folder',
    meaning: 'The folder of arrays, manifests, journals and counters. It is created when it is missing.',
    parse: folderOrNone,
  }),
  roots: setting({
    name: 'HYPERSLAB_ROOTS',
    default: '',
    unit: 'folders, colon-separated',
    meaning: 'Folders from which files may be registered, beside the data folder.',
    parse: folders,
  }),
  folders: setting({
    name: 'HYPERSLAB_FOLDERS',
    default: '',
    unit: 'folders, colon-separated',
    meaning:
      'Folders whose arrays are datasets by themselves, read-only, as long as their files stand there. One that is away when the service starts is waited for.',
    parse: servedFolders,
  }),
  workers: setting({
    name: 'HYPERSLAB_WORKERS',
    default: 'auto',
    unit: 'threads',
    meaning: 'The number of worker threads. auto is the number of cores, or what a cgroup quota leaves of them.',
    parse: text => (text === 'auto' ? coresAvailable() : integer(1, 256)(text)),
  }),
  demo: setting({
    name: 'HYPERSLAB_DEMO',
    default: 'off',
    unit: 'off or auto',
    meaning: 'With auto, the demo arrays are registered when the data folder is empty. `npm start` sets auto.',
    parse: oneOf('off', 'auto'),
  }),
  logLevel: setting({
    name: 'HYPERSLAB_LOG_LEVEL',
    default: 'info',
    unit: 'pino level',
    meaning: 'Requests that succeed are logged at debug, refused ones at info, failures at error.',
    parse: oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
  }),
  mapping: setting<MappingChoice>({
    name: 'HYPERSLAB_MAPPING',
    default: 'auto',
    unit: 'auto, mmap-io, koffi or positional',
    meaning: 'How files are mapped. auto takes a way that is installed and passes a self-test.',
    parse: oneOf('auto', 'mmap-io', 'koffi', 'positional'),
  }),
  remoteWrites: setting({
    name: 'HYPERSLAB_REMOTE_WRITES',
    default: 'refuse',
    unit: 'refuse or allow',
    meaning: 'Whether datasets may be writable on NFS, FUSE, SMB and the like, which may lose what they confirmed.',
    parse: oneOf('refuse', 'allow'),
  }),
  jsonElementsMax: setting({
    name: 'HYPERSLAB_JSON_ELEMENTS_MAX',
    default: String(LIMITS.jsonElementsMax),
    unit: 'elements',
    meaning:
      'Elements of the largest JSON answer, or values where it is one of statistics. Answers in raw and npy have no such limit.',
    parse: integer(1, 16 * 1024 * 1024),
  }),
  wholeBytesMax: setting({
    name: 'HYPERSLAB_WHOLE_BYTES_MAX',
    default: String(LIMITS.wholeBytesMax),
    unit: 'bytes',
    meaning:
      'Answers in csv, ndjson and the other formats that are encoded are held whole up to so many bytes, so that they have a Content-Length and can be asked for by Range; larger ones are sent as they are encoded.',
    parse: integer(0, 1024 * 1024 * 1024),
  }),
  commitBytesMax: setting({
    name: 'HYPERSLAB_COMMIT_BYTES_MAX',
    default: String(LIMITS.commitBytesMax),
    unit: 'bytes',
    meaning:
      'The size of the largest write with durability=commit. Writes with durability=none have no such limit, and appends are durable whatever their size.',
    parse: integer(1, 1024 * 1024 * 1024),
  }),
  selectBodyBytesMax: setting({
    name: 'HYPERSLAB_SELECT_BODY_BYTES_MAX',
    default: String(LIMITS.selectBodyBytesMax),
    unit: 'bytes',
    meaning: 'The size of the largest body of a selection: lists of indices, masks, points.',
    parse: integer(1024, 1024 * 1024 * 1024),
  }),
  selectEntriesMax: setting({
    name: 'HYPERSLAB_SELECT_ENTRIES_MAX',
    default: String(LIMITS.selectEntriesMax),
    unit: 'entries',
    meaning:
      'Entries that one selection chooses one by one: integers of its lists, true values of its masks, rows that its filter keeps. Each takes 8 bytes.',
    parse: integer(1, 1024 * 1024 * 1024),
  }),
  memoryBytes: setting({
    name: 'HYPERSLAB_MEMORY_BYTES',
    default: 'auto',
    unit: 'bytes',
    meaning:
      'The memory that all requests may hold together, for bodies, whole answers and cells of statistics. auto is 512 MiB, or half of what the container may use.',
    parse: text => (text === 'auto' ? memoryAvailable() : integer(1, 64 * 1024 * 1024 * 1024)(text)),
  }),
  privateBytes: setting({
    name: 'HYPERSLAB_PRIVATE_BYTES',
    default: 'auto',
    unit: 'bytes',
    meaning:
      'The memory that datasets of mode c may hold together for what was written to them, in pages of 4 KiB. It is a part of that of all requests; auto is a quarter of it. 0 refuses such writes.',
    parse: text => (text === 'auto' ? undefined : integer(0, 1024 * 1024 * 1024)(text)),
  }),
  clientShare: setting({
    name: 'HYPERSLAB_CLIENT_SHARE',
    default: '75',
    unit: '%',
    meaning:
      'What one client may have of what all share: of this memory, though one of its requests may take more; of the places of large statistics and of running jobs, rounded up; and of every line. A client is a key, the subject of a token, or the address of whoever shows neither. 100 is no bound.',
    parse: integer(1, 100),
  }),
  cacheBytes: setting({
    name: 'HYPERSLAB_CACHE_BYTES',
    default: String(LIMITS.statisticsCacheBytes),
    unit: 'bytes',
    meaning:
      'The memory for answers and partial results of statistics, which are kept until the data changes. 0 keeps none.',
    parse: integer(0, 64 * 1024 * 1024 * 1024),
  }),
  connectionsMax: setting({
    name: 'HYPERSLAB_CONNECTIONS_MAX',
    default: String(LIMITS.connectionsMax),
    unit: 'connections',
    meaning:
      'The number of connections that are open at one time. For a further one the connection is closed that has been without a request for longest; where all have one, the new one is answered about the health of the service, and refused anything else (503 `busy`). The number is smaller where the process may not have as many descriptors.',
    parse: integer(1, 1_000_000),
  }),
  connectionsPerAddress: setting({
    name: 'HYPERSLAB_CONNECTIONS_PER_ADDRESS',
    default: 'auto',
    unit: 'connections',
    meaning:
      'The number of these that one address (IPv6: one /64) may have. auto is seven eighths of them, so that others find room, and all of them where a proxy is trusted: its address is that of every client.',
    parse: text => (text === 'auto' ? undefined : integer(1, 1_000_000)(text)),
  }),
  followersMax: setting({
    name: 'HYPERSLAB_FOLLOWERS_MAX',
    default: 'auto',
    unit: 'followers',
    meaning:
      'The number of event streams of datasets and of calls with `wait=` that are open at one time; further ones are answered 503 `busy`. auto, and the most, is half of the connections, so that other calls go on.',
    parse: text => (text === 'auto' ? undefined : integer(1, 1_000_000)(text)),
  }),
  openFiles: setting({
    name: 'HYPERSLAB_OPEN_FILES',
    default: 'auto',
    unit: 'files',
    meaning: `The number of data files that are kept open. A file that is written takes two descriptors. auto is ${LIMITS.openFilesMax}, or fewer where the process may not have as many descriptors (ulimit -n).`,
    parse: text => (text === 'auto' ? undefined : integer(1, 1_000_000)(text)),
  }),
  rateBytesMin: setting({
    name: 'HYPERSLAB_MIN_RATE_BYTES',
    default: String(LIMITS.rateBytesMin),
    unit: 'bytes/s',
    meaning:
      'A client that sends or reads more slowly than this over the window is disconnected. With 0 it has to send or read one byte.',
    parse: integer(0, 1024 * 1024 * 1024),
  }),
  stallSeconds: setting({
    name: 'HYPERSLAB_STALL_SECONDS',
    default: String(LIMITS.stallSeconds),
    unit: 's',
    meaning: 'The window of HYPERSLAB_MIN_RATE_BYTES, and the time in which the head of a request has to arrive.',
    parse: integer(1, 86_400),
  }),
  ...JOB_SETTINGS,
  ...ACCESS_SETTINGS,
} as const;

export type Config = ValuesOf<typeof SETTINGS>;

/**
 * Reads all settings from an environment, and from flags, which win; an empty value counts as not set.
 * @param flags texts by the names of the settings
 * @throws ConfigError, a line per fault
 */
export function readConfig(
  env: Readonly<Record<string, string | undefined>>,
  flags: Readonly<Record<string, string>> = {},
): Config {
  const faults: string[] = [];
  const entries = Object.entries(SETTINGS).map(([key, row]) => {
    const text = (flags[row.name] ?? env[row.name]) || row.default;
    try {
      return [key, row.parse(text)];
    } catch (error) {
      const named = flags[row.name] === undefined ? row.name : flagOf(row.name);
      faults.push(`${named}=${text} is not allowed: ${reasonOf(error)}`);
      return [key, undefined];
    }
  });
  const config = Object.fromEntries(entries) as Config;
  if (faults.length === 0) faults.push(...accessFaults(config));
  if (faults.length > 0) throw new ConfigError(faults.join('\n'));
  return config;
}

/** Names that look like settings and are none: a typing error, most likely, that deserves a warning. */
export function unknownSettings(env: Readonly<Record<string, string | undefined>>): string[] {
  const known = new Set<string>(Object.values(SETTINGS).map(row => row.name));
  return Object.keys(env).filter(name => /^HYPERSLAB_(?!TEST_|URL$|TOKEN$)/.test(name) && !known.has(name));
}

/** A sentence as it is, and what the kernel said about a file in the same form. */
function reasonOf(error: unknown): string {
  const { message } = error as Error;
  const code = systemErrorCode(error);
  return code?.startsWith('E') ? `it cannot be looked at (${code}); check owner and permissions` : message;
}

/** A folder that exists, or a name that one can be made under. */
function folderOrNone(text: string): string {
  for (let each = path.resolve(text); ; each = path.dirname(each)) {
    const stats = fs.statSync(each, { throwIfNoEntry: false });
    if (stats?.isDirectory()) return text;
    if (stats) throw new Error(`expected a folder, or a name for a new one; ${each} is something else`);
  }
}

function folders(text: string): string[] {
  const listed = text.split(':').filter(Boolean);
  for (const folder of listed) {
    const stats = fs.statSync(folder, { throwIfNoEntry: false });
    if (!stats?.isDirectory()) {
      throw new Error(`expected folders; ${folder} ${stats ? 'is something else' : 'does not exist'}`);
    }
    fs.accessSync(folder, fs.constants.R_OK | fs.constants.X_OK);
  }
  return listed;
}

/** Folders that may be away for now; what is no folder is a fault. */
function servedFolders(text: string): string[] {
  const listed = [...new Set(text.split(':').filter(Boolean))];
  for (const folder of listed) {
    const stats = fs.statSync(folder, { throwIfNoEntry: false });
    if (stats && !stats.isDirectory()) throw new Error(`expected folders; ${folder} is something else`);
  }
  return listed;
}

/** Cores that the process may really use: a container's CPU quota counts. */
export function coresAvailable(): number {
  const cores = os.availableParallelism();
  const quota = cpuQuota();
  return Math.max(1, Math.min(cores, quota === undefined ? cores : Math.ceil(quota)));
}

/** Memory for requests: a container's limit counts. */
export function memoryAvailable(): number {
  const limit = memoryLimit();
  return limit === undefined ? LIMITS.memoryBytes : Math.min(LIMITS.memoryBytes, Math.floor(limit / 2));
}
