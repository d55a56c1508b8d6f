/**
 * A data folder that a service has: what its datasets are at, and their files brought up to date. A copy of a file holds
 * where its dataset was at the same generation before it was begun and after it was compared.
 */
import type { DatasetRecord } from '../dataset/record.js';
import { pathOf, Refused, type Service } from './service.js';
import { ToldError } from './told.js';

/** Where datasets are, by name: id and generation, or why they are not served. */
export type Standings = ReadonlyMap<string, string>;

/** Of some datasets, their files looked at. */
export async function standingsOf(service: Service, records: readonly DatasetRecord[]): Promise<Standings> {
  const standings = new Map<string, string>();
  for (const { name } of records) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other: the service has other work.
    standings.set(name, await standingOf(service, name));
  }
  return standings;
}

async function standingOf(service: Service, name: string): Promise<string> {
  try {
    const { id, generation } = await service.json<{ id: string; generation: number }>(pathOf(name));
    return `${id}.${generation}`;
  } catch (error) {
    if (error instanceof Refused && error.code !== undefined && NOT_SERVED.has(error.code)) return error.code;
    throw error;
  }
}

const NOT_SERVED: ReadonlySet<string> = new Set([
  'quarantined',
  'file_changed',
  'unknown_dataset',
  'durability_unknown',
]);

/** Whether the service that answers is the one that has the folder. @throws ToldError */
export function checkIsTheirs(records: readonly DatasetRecord[], standings: Standings, url: string): void {
  for (const { name, id } of records) {
    const standing = standings.get(name)!;
    if (standing.startsWith(`${id}.`) || (standing !== 'unknown_dataset' && NOT_SERVED.has(standing))) continue;
    throw new ToldError(
      standing === 'unknown_dataset'
        ? `${name} is in the folder, and the service at ${url} does not show it. Is it another service, or a key that does not reach all datasets?`
        : `${name} is another dataset at ${url} than in the folder. Say with --url which service has the folder.`,
    );
  }
}

/** True when the file itself is on disk and the journal empty. False where it cannot be served now: it is copied as it is. */
export async function flushed(service: Service, name: string): Promise<boolean> {
  try {
    await service.json(pathOf(name, '/flush'), { method: 'POST' });
    return true;
  } catch (error) {
    // What is written to mode c is in no file.
    if (error instanceof Refused && error.code === 'copy_on_write') return true;
    if (error instanceof Refused && error.code !== undefined && NOT_SERVED.has(error.code)) return false;
    throw error;
  }
}
