/** The demo arrays: small, real, registered when the data folder has no datasets yet. */
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import { parseExactJson } from './formats/index.js';
import { PACKAGE_ROOT } from './package-root.js';
import type { Registry } from './registry/registry.js';
import { BodyReader } from './transfer/body.js';
import { importArray } from './transfer/import.js';

interface DemoEntry {
  readonly name: string;
  readonly file: string;
  readonly attrs: Record<string, unknown>;
  readonly dims: string[];
}

const DEMO_FOLDER = path.join(PACKAGE_ROOT, 'demo');

/** Imports the demo arrays, so that they are the service's own and can be written to. A start does not fail of them. */
export async function registerDemo(registry: Registry, log: FastifyBaseLogger): Promise<void> {
  if (registry.size > 0 || registry.quarantined.length > 0) return;
  let entries: DemoEntry[];
  try {
    entries = parseExactJson(await readFile(path.join(DEMO_FOLDER, 'datasets.json'), 'utf8')) as DemoEntry[];
  } catch (error) {
    log.warn({ err: error }, 'the demo arrays cannot be read; the service starts without them');
    return;
  }
  const imported = await Promise.all(entries.map(entry => importEntry(registry, entry, log)));
  log.info({ datasets: imported.filter(name => name !== undefined) }, 'demo arrays registered');
}

/** The name, or undefined where it could not be imported: a service without its demo is still a service. */
async function importEntry(
  registry: Registry,
  { name, file, attrs, dims }: DemoEntry,
  log: FastifyBaseLogger,
): Promise<string | undefined> {
  const body = createReadStream(path.join(DEMO_FOLDER, file));
  try {
    await importArray(registry, { name, overwrite: false, body: new BodyReader(body), bodyBytes: undefined });
    await registry.patch(name, { attrs, dims });
    return name;
  } catch (error) {
    // Its file may have been kept by somebody who forgot the dataset, or the disk may be full.
    log.warn({ dataset: name, err: error }, 'the demo array was left out');
    return undefined;
  } finally {
    body.destroy();
  }
}
