/** The process: settings from the environment, listen, log the URL, shut down gracefully. */
import { endianness } from 'node:os';
import closeWithGrace from 'close-with-grace';
import { buildApp } from './app.js';
import { ConfigError, readConfig, unknownSettings, type Config } from './config.js';
import { registerDemo } from './demo.js';
import { keepTicksFast } from './fast-ticks.js';
import { FolderInUse } from './file/folder-lock.js';

/** Time that running requests get to finish. */
const GRACE_MS = 10_000;

keepTicksFast();
if (endianness() !== 'LE') exitWith('Hyperslab runs on little-endian machines only.');
const config = configOrExit();
const { app, context, registry, access } = await buildOrExit();
for (const name of unknownSettings(process.env)) app.log.warn({ name }, 'this setting is not known');
if (config.demo === 'auto') await registerDemo(registry, app.log);
for (const { name, reason } of registry.quarantined) app.log.error({ dataset: name, reason }, 'quarantined');

// A handler for these would run the faulting instruction again, for ever: the process must die of them.
const FATAL_SIGNALS: closeWithGrace.AllEvents[] = ['SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSEGV', 'SIGABRT', 'SIGTRAP'];

closeWithGrace({ delay: GRACE_MS, logger: app.log, skip: FATAL_SIGNALS }, async ({ signal, err: error }) => {
  if (error) app.log.fatal({ err: error }, 'closing after an error');
  else app.log.info({ signal }, 'closing');
  await app.close();
});

try {
  const url = await app.listen({ host: config.host, port: config.port });
  access.checkListening(app.addresses().flatMap(each => (typeof each === 'string' ? [] : [each.address])));
  app.log.info(
    {
      url,
      mapping: context.mappings,
      kernels: context.pool.kernels,
      workers: config.workers,
      datasets: registry.size,
      access: access.summary,
    },
    `hyperslab listens at ${url}`,
  );
} catch (error) {
  app.log.fatal({ err: error }, 'cannot listen');
  process.exitCode = 1;
  await app.close();
}

function configOrExit(): Config {
  try {
    return readConfig(process.env);
  } catch (error) {
    if (error instanceof ConfigError) return exitWith(error.message);
    throw error;
  }
}

async function buildOrExit(): ReturnType<typeof buildApp> {
  try {
    return await buildApp(config, { level: config.logLevel });
  } catch (error) {
    if (error instanceof ConfigError || error instanceof FolderInUse) return exitWith(error.message);
    throw error;
  }
}

function exitWith(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}
