/**
 * A service in the process of its test, which costs a tenth of one in a process of its own: for tests that start several,
 * and ask for no signal, log or memory of a process.
 */
import fs from 'node:fs';
import type { Test } from 'tap';
import { buildApp } from '../../src/app.js';
import { readConfig } from '../../src/config.js';
import { listen } from '../../src/process/listen.js';
import { temporaryFolder, type ServerOptions, type Service } from './server.js';

export interface ServiceHere extends Service {
  /** Ends the service; the folder stays. */
  stop(): Promise<void>;
}

type Options = Pick<ServerOptions, 'dataDir' | 'env'>;

/** Starts a service that listens, with one worker unless it is told another number. The caller stops it. */
export async function startServiceHere({ dataDir = temporaryFolder(), env = {} }: Options = {}): Promise<ServiceHere> {
  const settings = { HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir, HYPERSLAB_WORKERS: '1', ...env };
  const config = readConfig(settings);
  const { app, access } = await buildApp(config, false);
  const url = await listen(app, access, config).catch(async (error: unknown) => {
    await app.close();
    throw error;
  });
  let closed: Promise<void> | undefined;
  const stop = (): Promise<void> => (closed ??= app.close().then(() => undefined));
  return { url, dataDir, fetch: (where, init) => fetch(`${url}${where}`, init), stop };
}

/** A service that ends, with its folder, when the test does; it may be stopped before. */
export async function startHere(t: Test, options: Options = {}): Promise<ServiceHere> {
  const service = await startServiceHere(options);
  t.teardown(async () => {
    await service.stop();
    fs.rmSync(service.dataDir, { recursive: true, force: true });
  });
  return service;
}
