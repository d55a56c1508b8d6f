/** The server: settings from flags and the environment, listen, say where, close in good order. */
import fs from 'node:fs';
import { endianness, tmpdir } from 'node:os';
import path from 'node:path';
import { buildApp } from '../app.js';
import { readConfig, SETTINGS, unknownSettings, type Config } from '../config.js';
import { registerDemo } from '../demo.js';
import { keepTicksFast } from '../fast-ticks.js';
import { ConfigError } from '../setting.js';
import { traffic } from '../traffic.js';
import { VERSION } from '../version.js';
import { takeSignals } from './endings.js';
import { readFlags, UsageError, type FlagValues } from './flags.js';
import { serveUsage } from './help.js';
import { listen } from './listen.js';
import { nearest } from '../near.js';
import { reload } from './reload.js';
import { say, sentenceOf, statusOf } from './say.js';
import { terminalLog } from './terminal-log.js';

/** Data folders that go with the process: nothing is made there. */
const passingFolders = new Set<string>();

type Env = Readonly<Record<string, string | undefined>>;
type Service = Awaited<ReturnType<typeof buildApp>>;

/** Runs until a signal; a start that fails ends the process with a sentence. */
export async function serve(args: readonly string[], env: Env): Promise<void> {
  keepTicksFast();
  try {
    const { settings, words, asksHelp } = readFlags(args);
    if (asksHelp) {
      process.stdout.write(serveUsage());
      return;
    }
    if (endianness() !== 'LE') throw new ConfigError('Hyperslab runs on little-endian machines only.');
    await start(readConfig(env, withFolders(words, settings, env)), unknownSettings(env));
  } catch (error) {
    say(sentenceOf(error));
    process.exit(statusOf(error));
  }
}

/** Folders that are served by name, over a data folder that goes with the process where none is given. @throws UsageError */
function withFolders(words: readonly string[], settings: FlagValues, env: Env): FlagValues {
  if (words.length === 0) return settings;
  const named = words.map(word => {
    const folder = path.resolve(word);
    if (folder.includes(':')) throw new UsageError(`${word} has a colon, which stands between folders. Rename it.`);
    if (!fs.statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UsageError(
        `${word} is no folder. hyperslab serve takes folders of arrays; settings are flags, such as --port 9000.`,
      );
    }
    return folder;
  });
  const { folders, dataDir } = SETTINGS;
  const all = [settings[folders.name] ?? env[folders.name] ?? '', ...named].filter(Boolean).join(':');
  if (settings[dataDir.name] ?? (env[dataDir.name] || undefined)) return { ...settings, [folders.name]: all };
  const passing = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-'));
  passingFolders.add(passing);
  process.once('exit', () => fs.rmSync(passing, { recursive: true, force: true }));
  return { ...settings, [folders.name]: all, [dataDir.name]: passing };
}

async function start(config: Config, unknown: readonly string[]): Promise<void> {
  const running = takeSignals();
  const { stdout } = process;
  const service = await buildApp(config, {
    level: config.logLevel,
    ...(stdout.isTTY && { stream: terminalLog(stdout) }),
  });
  const { app, access, registry } = service;
  registry.isPassing = passingFolders.has(config.dataDir);
  running({
    log: app.log,
    close: () => app.close(),
    reload: () => reload(app, access, config),
    underWay: () => traffic.underWay,
  });
  const known = Object.values(SETTINGS).map(({ name }) => name);
  for (const name of unknown) app.log.warn({ name, near: nearest(name, known) }, 'this setting is not known');
  if (config.demo === 'auto') await registerDemo(registry, app.log);
  for (const { name, reason } of registry.quarantined) app.log.error({ dataset: name, reason }, 'quarantined');
  try {
    tell(await listen(app, access, config), service, config);
  } catch (error) {
    await app.close();
    throw error;
  }
}

/** Says that it listens: three lines to a person, one to a log, and a word to the supervisor. */
function tell(url: string, { app, context, registry, access }: Service, config: Config): void {
  if (process.stdout.isTTY) {
    process.stdout.write(
      `Hyperslab ${VERSION} listens at ${url}\n` +
        `The API, to read and to try: ${url}/docs\n` +
        `${placesOf(config, registry.size)} (access: ${access.summary})\n`,
    );
  }
  app.log[process.stdout.isTTY ? 'debug' : 'info'](
    {
      url,
      mapping: context.mappings,
      workers: config.workers,
      datasets: registry.size,
      access: access.summary,
    },
    `hyperslab listens at ${url}`,
  );
  process.send?.('listening');
}

/** What is served, in a few words. What folders hold is found out while it is served already. */
function placesOf({ dataDir, folders }: Config, datasets: number): string {
  const served = folders.map(folder => path.resolve(folder)).join(', ');
  if (passingFolders.has(dataDir)) return `Every array under ${served}, only read`;
  const own = `${datasets === 1 ? '1 dataset' : `${datasets} datasets`} of ${path.resolve(dataDir)}`;
  return served === '' ? own : `${own}, and every array under ${served}`;
}
