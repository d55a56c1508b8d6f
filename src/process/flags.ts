/**
 * Flags of the command line. Every setting has one, derived from its name: HYPERSLAB_DATA_DIR is --data-dir. A flag wins
 * over the environment.
 */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { SETTINGS } from '../config.js';
import { flagOf } from '../setting.js';
import { didYouMean } from '../near.js';

/** A sentence for the person at the terminal, who typed something that is not known. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Texts by the names of the settings that flags were given for. */
export type FlagValues = Readonly<Record<string, string>>;

export interface Flags {
  readonly settings: FlagValues;
  /** Values of the flags that are no settings. */
  readonly others: FlagValues;
  readonly words: readonly string[];
  readonly asksHelp: boolean;
}

const SETTING_BY_FLAG = new Map(Object.values(SETTINGS).map(({ name }) => [flagOf(name).slice(2), name]));

/** Reads arguments; `others` are the names of flags that take a text and are no settings. @throws UsageError */
export function readFlags(args: readonly string[], others: readonly string[] = []): Flags {
  const text = { type: 'string' } as const;
  const known = [...SETTING_BY_FLAG.keys(), ...others];
  const options: ParseArgsConfig['options'] = {
    help: { type: 'boolean', short: 'h' },
    'read-only': { type: 'boolean' },
    root: text,
  };
  for (const name of known) options[name] = text;
  // Not strict, since the sentences of the parser do not say which name is near.
  const { tokens } = parseArgs({ args: [...args], options, strict: false, allowPositionals: true, tokens: true });
  const flags = { settings: {} as Record<string, string>, others: {} as Record<string, string>, words: [] as string[] };
  let asksHelp = false;
  for (const token of tokens) {
    if (token.kind === 'positional') flags.words.push(token.value);
    if (token.kind !== 'option') continue;
    if (token.name === 'help') asksHelp = true;
    else if (token.name === 'read-only') flags.settings[SETTINGS.anonymous.name] = 'read';
    else if (token.name === 'root' && token.value !== undefined) {
      const { name } = SETTINGS.roots;
      flags.settings[name] = [flags.settings[name], token.value].filter(Boolean).join(':');
    } else if (![...known, 'root'].includes(token.name)) failUnknown(token.rawName, known);
    else if (token.value === undefined)
      throw new UsageError(`${token.rawName} needs a value: ${token.rawName} <value>.`);
    else {
      const setting = SETTING_BY_FLAG.get(token.name);
      if (setting !== undefined) flags.settings[setting] = token.value;
      else flags.others[token.name] = token.value;
    }
  }
  return { ...flags, asksHelp };
}

function failUnknown(typed: string, known: readonly string[]): never {
  const near = didYouMean(
    typed,
    ['help', ...known].map(name => `--${name}`),
  );
  throw new UsageError(`There is no flag ${typed}.${near} "hyperslab --help" lists them.`);
}
