/** The commands that are made with commander. Only the one that is asked for is loaded. */
import { CommanderError, type Command } from 'commander';
import { interruptedStatus, takeInterrupts } from './interrupted.js';
import { note, plain } from './output.js';
import { ToldError } from './told.js';

interface CommandRow {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: () => Command }>;
}

export const COMMAND_ROWS: Readonly<Record<string, CommandRow>> = {
  ls: { summary: 'list the datasets of a service', load: () => import('./ls.js') },
  info: { summary: 'describe a dataset', load: () => import('./info.js') },
  get: { summary: 'read elements, to a file or to standard output', load: () => import('./get.js') },
  put: { summary: 'make a dataset of a file, or write one to a slice', load: () => import('./put.js') },
  append: { summary: 'append rows to a dataset, once', load: () => import('./append.js') },
  stats: { summary: 'compute statistics of a dataset', load: () => import('./stats.js') },
  import: { summary: 'make a dataset of each of several files', load: () => import('./import.js') },
  export: { summary: 'write datasets as files into a folder', load: () => import('./export.js') },
  doctor: { summary: 'look at a data folder, and say what to do', load: () => import('./doctor.js') },
  backup: { summary: 'copy a data folder, also while it is served', load: () => import('./backup.js') },
};

/** Runs a command and returns the exit status: 2 where it was not understood, 1 where it failed. */
export async function runCommandLine(name: string, args: readonly string[]): Promise<number> {
  // Whoever reads the output may have enough, as head has.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
  const { command } = await COMMAND_ROWS[name]!.load();
  takeInterrupts();
  const made = command()
    .exitOverride()
    .showHelpAfterError(`"hyperslab ${name} --help" explains.`)
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, `hyperslab ${name}: `)) });
  made.name(`hyperslab ${name}`);
  try {
    await made.parseAsync([...args], { from: 'user' });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (!(error instanceof ToldError)) throw error;
    note(plain(`hyperslab ${name}: ${error.message}`));
    return interruptedStatus() || 1;
  }
}
