/**
 * A data folder that a service has: what its datasets are at, and their files brought up to date. A copy of a file holds
 * where its dataset was at the same generation before it was begun and after it was compared.
 */
import type { DatasetRecord } from '../dataset/record.js';
import { pathOf, Refused, type Service } from './service.js';
import { ToldError } from './told.js';

/** Where a dataset is: id and generation. */
export type Standings = ReadonlyMap<string, string>;

interface Entry {
  readonly name: string;
  readonly id?: string;
  readonly generation?: number;
  readonly state: string;
}

/** Of all datasets, their files looked at. */
export async function standingsOf(service: Service): Promise<Standings> {
  const standings = new Map<string, string>();
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: '1000', state: 'true', fields: 'name,id,generation,state' });
    if (cursor !== null) query.set('cursor', cursor);
    // oxlint-disable-next-line no-await-in-loop
    const page: { datasets: readonly Entry[]; next_cursor: string | null } = await service.json(
      `/v1/datasets?${query.toString()}`,
    );
    for (const { name, id, generation } of page.datasets) standings.set(name, `${id ?? ''}.${generation ?? ''}`);
    cursor = page.next_cursor;
  } while (cursor !== null);
  return standings;
}

/** Whether the service that answers is the one that has the folder. @throws ToldError */
export function checkIsTheirs(records: readonly DatasetRecord[], standings: Standings, url: string): void {
  for (const { name, id } of records) {
    const standing = standings.get(name);
    if (standing?.startsWith(`${id}.`)) continue;
    throw new ToldError(
      standing === undefined
        ? `${name} is in the folder, and the service at ${url} does not show it. Is it another service, or a key that does not reach all datasets?`
        : `${name} is another dataset at ${url} than in the folder. Say with --url which service has the folder.`,
    );
  }
}

/** The file itself is on disk and the journal empty. What cannot be served now is copied as it is. */
export async function flushed(service: Service, name: string): Promise<void> {
  try {
    await service.json(pathOf(name, '/flush'), { method: 'POST' });
  } catch (error) {
    const isLeft =
      error instanceof Refused &&
      ['copy_on_write', 'file_changed', 'quarantined', 'unknown_dataset'].includes(error.code ?? '');
    if (!isLeft) throw error;
  }
}
