/**
 * A service in the process of its test, which costs a tenth of one in a process of its own: for tests that start many,
 * and ask for no signal, log or memory of a process.
 */
import fs from 'node:fs';
import type { Test } from 'tap';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { listen } from '../../src/process/listen.js';
import { temporaryFolder, type ServerOptions, type Service } from './server.js';

/** A service that ends, with its folder, when the test does; it may be stopped before. */
export async function startHere(
  t: Test,
  { dataDir = temporaryFolder(), env = {} }: Pick<ServerOptions, 'dataDir' | 'env'> = {},
): Promise<Service & { stop(): Promise<void> }> {
  const settings = { HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir, HYPERSLAB_WORKERS: '2', ...env };
  const config = readConfig(settings);
  const { app, access } = await buildApp(config, false);
  const url = await listen(app, access, config);
  let closed: Promise<void> | undefined;
  const stop = (): Promise<void> => (closed ??= app.close().then(() => undefined));
  t.teardown(async () => {
    await stop();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
  return { url, dataDir, fetch: (where, init) => fetch(`${url}${where}`, init), stop };
}
