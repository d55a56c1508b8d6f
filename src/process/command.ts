/** `hyperslab`: finds the command that was meant, and runs it. */
import { COMMAND_ROWS, runCommandLine } from '../command-line/commands.js';
import { VERSION } from '../version.js';
import { UsageError } from './flags.js';
import { COMMANDS, serveUsage, settingsJson, settingsTable, SETTINGS_USAGE, usage } from './help.js';
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
      return settings(args);
    case '--version':
      return print(`${VERSION}\n`);
    case 'help':
    case '--help':
    case '-h':
      return help(args[0]);
    default:
      return isCommandOfLine(command) ? runCommandLine(command, args) : failUnknown(command);
  }
}

async function help(command: string | undefined): Promise<number> {
  if (command === undefined || command === 'help' || isFlag(command)) return print(usage());
  if (command === 'serve') return print(serveUsage());
  return Object.hasOwn(COMMANDS, command) ? runCommand(command, ['--help'], {}) : failUnknown(command);
}

function settings(args: readonly string[]): number {
  const isAsked = (flag: string): boolean => args.length === 1 && args[0] === flag;
  if (args.length === 0) return print(settingsTable());
  if (isAsked('--json')) return print(settingsJson());
  if (isAsked('--help') || isAsked('-h')) return print(SETTINGS_USAGE);
  throw new UsageError(`settings takes --json alone. "hyperslab settings --help" explains.`);
}

function isCommandOfLine(command: string): boolean {
  return Object.hasOwn(COMMAND_ROWS, command);
}

function failUnknown(command: string): never {
  const near = didYouMean(command, Object.keys(COMMANDS));
  throw new UsageError(`There is no command ${JSON.stringify(command)}.${near} "hyperslab --help" lists them.`);
}

function isFlagOfServe(word: string): boolean {
  return isFlag(word) && !['--version', '--help', '-h'].includes(word);
}

function isFlag(word: string): boolean {
  return word.startsWith('-');
}

function print(text: string): number {
  process.stdout.write(text);
  return 0;
}
