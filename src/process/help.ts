/** What --help says. Flags and defaults come from the table of settings. */
import { COMMAND_ROWS } from '../command-line/commands.js';
import { wrapped } from '../command-line/wrap.js';
import { SETTINGS } from '../config.js';
import { flagOf } from '../setting.js';

/** Of a terminal as it is opened. */
const WIDTH = 80;

/** The settings that most people need, in the order in which they need them. */
const COMMON = ['port', 'host', 'dataDir', 'roots', 'demo', 'workers', 'logLevel', 'keysFile', 'anonymous'] as const;

/** Flags that are no settings of their own. */
const SERVE_FLAGS: readonly (readonly [string, string])[] = [
  ['--root', 'One of --roots. It may be repeated.'],
  ['--read-only', 'Nobody may write without a key: --anonymous read.'],
];

export const COMMANDS: Readonly<Record<string, string>> = {
  serve: 'serve arrays over HTTP: hyperslab serve [folder …]',
  ...Object.fromEntries(Object.entries(COMMAND_ROWS).map(([name, { summary }]) => [name, summary])),
  keys: 'add, list and revoke API keys',
  settings: 'list every setting: flag, variable, default',
  help: 'explain a command',
};

export function usage(): string {
  return `Hyperslab serves numpy arrays that are larger than memory over HTTP.

hyperslab [flags]           serve; an empty data folder gets demo arrays to try
hyperslab serve [folder …]  serve the arrays under folders, which are only read
hyperslab <command> --help
hyperslab --version

Commands:
${columns(Object.entries(COMMANDS))}
Examples:
  hyperslab                                     serve demo arrays to try
  hyperslab serve /srv/runs                     its arrays are datasets
  hyperslab serve --port 9000 --data-dir ./mine
  hyperslab serve --root /srv/arrays            files below it may be registered
  hyperslab put table.csv                       talks to a service that runs,
  hyperslab stats table                         at HYPERSLAB_URL or port 8080
  hyperslab keys add --name ann --scope read    from then on a key is asked for

Flags of serve:
${commonFlags(SERVE_FLAGS)}`;
}

export function serveUsage(): string {
  return `hyperslab serve [folder …] [flags]

Serves the arrays of the data folder until SIGTERM or Ctrl-C; SIGHUP reads keys
and certificates again. Should the server process die, it is started again.
Every array under the folders that are named is served, too, and only read;
without a data folder (--data-dir) nothing else is, and arrays cannot be made or
registered.

Examples:
  hyperslab serve
  hyperslab serve ./results /mnt/runs
  hyperslab serve --data-dir /srv/hyperslab --root /srv/arrays --root /mnt/runs
  HYPERSLAB_LOG_LEVEL=debug hyperslab serve

Flags:
${commonFlags(SERVE_FLAGS)}`;
}

export const SETTINGS_USAGE = `hyperslab settings [--json]

Lists every setting: its flag, its environment variable, its unit, its default,
and what it is for. Any of them can be given to "hyperslab serve".

Examples:
  hyperslab settings
  hyperslab settings --json | jq -r '.[].variable'
`;

/** Every setting, for `hyperslab settings`. */
export function settingsTable(): string {
  return Object.values(SETTINGS)
    .map(
      ({ name, default: value, unit, meaning }) =>
        `${flagOf(name)}  (${name}, ${unit}, ${value === '' ? 'not set' : `default ${value}`})\n${wrapped(`    ${plain(meaning)}`, WIDTH, 4)}\n`,
    )
    .join('');
}

/** The same for programs. */
export function settingsJson(): string {
  const rows = Object.values(SETTINGS).map(({ name, default: value, unit, meaning }) => {
    return { flag: flagOf(name), variable: name, unit, default: value, meaning: plain(meaning) };
  });
  return `${JSON.stringify(rows)}\n`;
}

function commonFlags(others: readonly (readonly [string, string])[]): string {
  const rows = COMMON.map(key => SETTINGS[key]).map(({ name, default: value, meaning }): [string, string] => [
    flagOf(name),
    `${plain(meaning)}${value === '' ? '' : ` Default: ${value}.`}`,
  ]);
  return `${columns([...rows, ...others])}
Every setting has a flag, named like its environment variable
(HYPERSLAB_DATA_DIR is --data-dir); a flag wins. "hyperslab settings" lists all.
`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `${wrapped(`  ${left.padEnd(width)}  ${right}`, WIDTH, width + 4)}\n`).join('');
}

/** The meanings are written for the README. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
