import fs from 'node:fs';

/** Memory of its own that a process holds; pages of mapped files do not count. */
export function rssAnonBytes(pid: number): number {
  const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^RssAnon:\s+(\d+) kB/m.exec(status)?.[1]) * 1024;
}
