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
import type { KernelChoice } from './statistics/index.js';
import { ConfigError, flagOf, integer, oneOf, setting, type ValuesOf } from './setting.js';

export { ConfigError } from './setting.js';

export const SETTINGS = {
  host: setting({
    name: 'HYPERSLAB_HOST',
    default: '127.0.0.1',
    unit: 'address',
    meaning: 'Address to listen on; `::1` and `::` work.',
    parse: text => text,
  }),
  port: setting({
    name: 'HYPERSLAB_PORT',
    default: '8080',
    unit: 'TCP port',
    meaning: 'Port to listen on; 0 picks a free one, and the log says which.',
    parse: integer(0, 65_535),
  }),
  dataDir: setting({
    name: 'HYPERSLAB_DATA_DIR',
    default: './data',
    unit: 'folder',
    meaning: 'Holds arrays, manifests, journals and counters; created when missing.',
    parse: folderOrNone,
  }),
  roots: setting({
    name: 'HYPERSLAB_ROOTS',
    default: '',
    unit: 'folders, colon-separated',
    meaning: 'Folders from which files may be registered; the data folder always may.',
    parse: folders,
  }),
  workers: setting({
    name: 'HYPERSLAB_WORKERS',
    default: 'auto',
    unit: 'threads',
    meaning: 'Worker threads; auto is the number of cores, less where a cgroup quota says so.',
    parse: text => (text === 'auto' ? coresAvailable() : integer(1, 256)(text)),
  }),
  demo: setting({
    name: 'HYPERSLAB_DEMO',
    default: 'off',
    unit: 'off or auto',
    meaning: 'auto registers the demo arrays when the data folder is empty; `npm start` sets it.',
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
    meaning: 'How files are mapped; auto takes what is installed and passes the self-test.',
    parse: oneOf('auto', 'mmap-io', 'koffi', 'positional'),
  }),
  kernels: setting<KernelChoice>({
    name: 'HYPERSLAB_KERNELS',
    default: 'wasm',
    unit: 'wasm or scalar',
    meaning: 'What statistics are computed with; scalar gives the same answers to the bit, slowly.',
    parse: oneOf('wasm', 'scalar'),
  }),
  remoteWrites: setting({
    name: 'HYPERSLAB_REMOTE_WRITES',
    default: 'refuse',
    unit: 'refuse or allow',
    meaning: 'Writable datasets on NFS, FUSE, SMB and the like, which may lose what they confirmed.',
    parse: oneOf('refuse', 'allow'),
  }),
  jsonElementsMax: setting({
    name: 'HYPERSLAB_JSON_ELEMENTS_MAX',
    default: String(LIMITS.jsonElementsMax),
    unit: 'elements',
    meaning: 'The largest JSON answer; raw and npy have no such limit.',
    parse: integer(1, 16 * 1024 * 1024),
  }),
  commitBytesMax: setting({
    name: 'HYPERSLAB_COMMIT_BYTES_MAX',
    default: String(LIMITS.commitBytesMax),
    unit: 'bytes',
    meaning: 'The largest write with durability commit; durability none has no such limit.',
    parse: integer(1, 1024 * 1024 * 1024),
  }),
  memoryBytes: setting({
    name: 'HYPERSLAB_MEMORY_BYTES',
    default: 'auto',
    unit: 'bytes',
    meaning:
      'Held by requests at one time, all together: bodies, whole answers, cells of statistics. auto is 512 MiB, or half of what the container may use.',
    parse: text => (text === 'auto' ? memoryAvailable() : integer(1, 64 * 1024 * 1024 * 1024)(text)),
  }),
  cacheBytes: setting({
    name: 'HYPERSLAB_CACHE_BYTES',
    default: String(LIMITS.statisticsCacheBytes),
    unit: 'bytes',
    meaning: 'Answers and partial results of statistics, kept in memory until the data changes; 0 keeps none.',
    parse: integer(0, 64 * 1024 * 1024 * 1024),
  }),
  connectionsMax: setting({
    name: 'HYPERSLAB_CONNECTIONS_MAX',
    default: String(LIMITS.connectionsMax),
    unit: 'connections',
    meaning:
      'Open at one time; the next ones are closed at once. Fewer where the process may not have as many descriptors.',
    parse: integer(1, 1_000_000),
  }),
  openFiles: setting({
    name: 'HYPERSLAB_OPEN_FILES',
    default: 'auto',
    unit: 'files',
    meaning: `Data files kept open at one time; one that is written takes two descriptors. auto is ${LIMITS.openFilesMax}, or fewer where the process may not have as many descriptors (ulimit -n).`,
    parse: text => (text === 'auto' ? undefined : integer(1, 1_000_000)(text)),
  }),
  rateBytesMin: setting({
    name: 'HYPERSLAB_MIN_RATE_BYTES',
    default: String(LIMITS.rateBytesMin),
    unit: 'bytes/s',
    meaning: 'Clients that send or read more slowly than this over the window are let go; 0 waits only for a byte.',
    parse: integer(0, 1024 * 1024 * 1024),
  }),
  stallSeconds: setting({
    name: 'HYPERSLAB_STALL_SECONDS',
    default: String(LIMITS.stallSeconds),
    unit: 's',
    meaning: 'The window of that rate, and the time for a request head.',
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
  return Object.keys(env).filter(name => /^HYPERSLAB_(?!TEST_)/.test(name) && !known.has(name));
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
