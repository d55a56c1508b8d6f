/**
 * A control group with a memory limit, of either version. Page cache counts against it. Needs root. Hazard: pages that
 * another process brought into the cache are charged to that one; the file under test must not be in memory yet.
 */
import fs from 'node:fs';
import path from 'node:path';
import { eventually } from '../system/calls.js';
import { unlessRoot } from './harness.js';

export interface MemoryCgroup {
  /** Arguments for node that make the process join before any of its own code runs. */
  readonly nodeArgs: readonly string[];
  /** A command that joins, and then becomes the one that is given. */
  readonly joined: (command: string, args: readonly string[]) => [string, ...string[]];
  /** Processes that the kernel killed for want of memory. */
  oomKills(): number;
  usedBytes(): number;
  /** Once nobody is in it any more. */
  remove(): Promise<void>;
}

interface Version {
  readonly root: string;
  readonly limit: Readonly<Record<string, string>>;
  readonly events: string;
  readonly used: string;
}

const VERSIONS: readonly Version[] = [
  {
    root: '/sys/fs/cgroup/memory',
    limit: { 'memory.limit_in_bytes': 'BYTES', 'memory.swappiness': '0' },
    events: 'memory.oom_control',
    used: 'memory.usage_in_bytes',
  },
  {
    root: '/sys/fs/cgroup',
    limit: { 'memory.max': 'BYTES', 'memory.swap.max': '0' },
    events: 'memory.events',
    used: 'memory.current',
  },
];

/** Why there is no such group here, or the group. */
export function makeMemoryCgroup(bytes: number): MemoryCgroup | string {
  const notRoot = unlessRoot();
  if (notRoot) return notRoot;
  let reason = 'needs a memory control group';
  for (const version of VERSIONS) {
    const folder = path.join(version.root, `hyperslab-test-${process.pid}`);
    try {
      if (!fs.existsSync(version.root)) continue;
      fs.mkdirSync(folder);
      for (const [file, value] of Object.entries(version.limit)) writeIfThere(path.join(folder, file), value, bytes);
      if (fs.existsSync(path.join(folder, version.events))) return groupAt(folder, version);
    } catch (error) {
      reason = `needs a memory control group: ${(error as NodeJS.ErrnoException).code}`;
    }
    if (fs.existsSync(folder)) fs.rmdirSync(folder);
  }
  return reason;
}

function writeIfThere(file: string, value: string, bytes: number): void {
  if (fs.existsSync(file)) fs.writeFileSync(file, value.replace('BYTES', String(bytes)));
}

function groupAt(folder: string, { events, used }: Version): MemoryCgroup {
  const members = path.join(folder, 'cgroup.procs');
  const join = `import fs from 'node:fs'; fs.writeFileSync(${JSON.stringify(members)}, String(process.pid));`;
  return {
    nodeArgs: ['--import', `data:text/javascript,${encodeURIComponent(join)}`],
    joined: (command, args) => ['sh', '-c', 'echo $$ > "$0" && exec "$@"', members, command, ...args],
    oomKills: () => Number(/^oom_kill (\d+)/m.exec(fs.readFileSync(path.join(folder, events), 'utf8'))?.[1] ?? 0),
    usedBytes: () => Number(fs.readFileSync(path.join(folder, used), 'utf8')),
    async remove() {
      // The kernel needs a moment to see that the last process is gone.
      await eventually(() => {
        try {
          fs.rmdirSync(folder);
          return true;
        } catch {
          return false;
        }
      });
    },
  };
}
