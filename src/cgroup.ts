/** What a container may use, as the control group of this process says: version 2, or version 1. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

const ROOT = '/sys/fs/cgroup';

/** The CPU quota in cores, or undefined where there is none. */
export function cpuQuota(): number | undefined {
  const { quota, period } = cpuNumbers();
  return quota !== undefined && period !== undefined && quota > 0 && period > 0 ? quota / period : undefined;
}

function cpuNumbers(): { quota?: number | undefined; period?: number | undefined } {
  const [quota, period] = numbersIn('', 'cpu.max') ?? [];
  if (quota !== undefined) return { quota, period };
  const [oldQuota] = numbersIn('cpu', 'cpu.cfs_quota_us') ?? [];
  const [oldPeriod] = numbersIn('cpu', 'cpu.cfs_period_us') ?? [];
  return { quota: oldQuota, period: oldPeriod };
}

/** The memory limit in bytes, page cache included, or undefined where there is none below the machine's own. */
export function memoryLimit(): number | undefined {
  const [limit] = numbersIn('', 'memory.max') ?? numbersIn('memory', 'memory.limit_in_bytes') ?? [];
  return limit !== undefined && limit > 0 && limit < os.totalmem() ? limit : undefined;
}

/** The words of a file as numbers (`max` is NaN): of our own group, or of the root that a container shows us. */
function numbersIn(controller: string, file: string): number[] | undefined {
  const group = readText('/proc/self/cgroup')
    ?.split('\n')
    .map(line => line.split(':'))
    .find(([, controllers]) => controllers?.split(',').includes(controller))?.[2];
  const text = readText(path.join(ROOT, controller, group ?? '', file)) ?? readText(path.join(ROOT, controller, file));
  return text?.trim().split(' ').map(Number);
}

function readText(file: string): string | undefined {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}
