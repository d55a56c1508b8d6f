/** Writes openapi/openapi.json from the route schemas: `npm run openapi`. A test fails when the file is stale. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buildApp } from './app.js';
import { readConfig } from './config.js';
import { PACKAGE_ROOT } from './package-root.js';

export const DOCUMENT_PATH = path.join(PACKAGE_ROOT, 'openapi', 'openapi.json');

/** The document as text, exactly as it is committed. */
export async function openApiDocument(): Promise<string> {
  const dataDir = await mkdtemp(path.join(tmpdir(), 'hyperslab-openapi-'));
  try {
    const { app } = await buildApp(readConfig({ HYPERSLAB_DATA_DIR: dataDir, HYPERSLAB_WORKERS: '1' }), false);
    await app.ready();
    const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
    await app.close();
    return text;
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
}

if (process.argv[1] === import.meta.filename) await writeFile(DOCUMENT_PATH, await openApiDocument());
