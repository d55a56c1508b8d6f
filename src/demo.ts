/** The demo arrays: small, real, registered when the data folder has no datasets yet. */
import { readFile, copyFile } from 'node:fs/promises';
import path from 'node:path';
import type { FastifyBaseLogger } from 'fastify';
import type { Context } from './context.js';
import { PACKAGE_ROOT } from './package-root.js';

interface DemoEntry {
  readonly name: string;
  readonly file: string;
  readonly attrs: Record<string, unknown>;
  readonly dims: string[];
}

const DEMO_FOLDER = path.join(PACKAGE_ROOT, 'demo');

/** Copies the demo arrays into the data folder, so that they can be written to, and registers them. */
export async function registerDemo({ registry }: Context, log: FastifyBaseLogger): Promise<void> {
  if (registry.size > 0 || registry.quarantined.length > 0) return;
  const entries = JSON.parse(await readFile(path.join(DEMO_FOLDER, 'datasets.json'), 'utf8')) as DemoEntry[];
  await Promise.all(
    entries.map(async ({ name, file, attrs, dims }) => {
      const target = path.join(registry.arraysDir, `${name}.npy`);
      await copyFile(path.join(DEMO_FOLDER, file), target);
      await registry.create({ name, path: target, mode: 'r+', external: false, attrs, dims });
    }),
  );
  log.info({ datasets: entries.map(entry => entry.name) }, 'demo arrays registered');
}
