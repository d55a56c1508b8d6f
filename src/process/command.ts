/** `hyperslab`: finds the command that was meant, and runs it. */
import { COMMAND_ROWS, runCommandLine } from '../command-line/commands.js';
import { VERSION } from '../version.js';
import { UsageError } from './flags.js';
import { COMMANDS, serveUsage, settingsTable, usage } from './help.js';
import { didYouMean } from '../near.js';
import { say, sentenceOf, statusOf } from './say.js';
import { supervise } from './supervisor.js';

type Env = Readonly<Record<string, string | undefined>>;

/** Runs a command and returns the exit status. */
export async function run(args: readonly string[], env: Env): Promise<number> {
  const [first, ...rest] = args;
  try {
    // Without a command it is a trial, with something to try.
    if (first === undefined || isFlagOfServe(first))
      return await supervise({ args, env: { HYPERSLAB_DEMO: 'auto', ...env } });
    return await runCommand(first, rest, env);
  } catch (error) {
    say(`hyperslab: ${sentenceOf(error)}`);
    return statusOf(error);
  }
}

async function runCommand(command: string, args: readonly string[], env: Env): Promise<number> {
  switch (command) {
    case 'serve':
      return supervise({ args, env });
    case 'keys': {
      const { runKeys } = await import('../keys-command.js');
      return runKeys(args, env);
    }
    case 'settings':
      return print(settingsTable());
    case '--version':
      return print(`${VERSION}\n`);
    case 'help':
    case '--help':
    case '-h':
      return help(args[0]);
    default: {
      if (command in COMMAND_ROWS) return runCommandLine(command, args);
      const near = didYouMean(command, Object.keys(COMMANDS));
      throw new UsageError(`There is no command ${JSON.stringify(command)}.${near} "hyperslab --help" lists them.`);
    }
  }
}

async function help(command: string | undefined): Promise<number> {
  if (command === 'keys' || (command !== undefined && command in COMMAND_ROWS))
    return runCommand(command, ['--help'], {});
  return print(command === 'serve' ? serveUsage() : usage());
}

function isFlagOfServe(word: string): boolean {
  return word.startsWith('-') && !['--version', '--help', '-h'].includes(word);
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
