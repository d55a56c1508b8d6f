/** What --help says. Flags and defaults come from the table of settings. */
import { COMMAND_ROWS } from '../command-line/commands.js';
import { SETTINGS } from '../config.js';
import { flagOf } from '../setting.js';

/** The settings that most people need, in the order in which they need them. */
const COMMON = ['port', 'host', 'dataDir', 'roots', 'demo', 'workers', 'logLevel', 'keysFile', 'anonymous'] as const;

export const COMMANDS: Readonly<Record<string, string>> = {
  serve: 'serve arrays over HTTP: hyperslab serve [folder …]',
  ...Object.fromEntries(Object.entries(COMMAND_ROWS).map(([name, { summary }]) => [name, summary])),
  keys: 'add, list and revoke API keys',
  settings: 'list every setting with its flag, variable and default',
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
  hyperslab                                       http://127.0.0.1:8080/docs is the API to try
  hyperslab serve --roots /srv/arrays             files below /srv/arrays may be registered
  hyperslab serve --port 9000 --data-dir ./mine
  hyperslab serve /srv/runs                       every .npy, .npz and .safetensors under it is a dataset
  hyperslab put table.csv; hyperslab stats table  talk to a service that runs (HYPERSLAB_URL, HYPERSLAB_TOKEN)
  hyperslab keys add --name ann --scope read      makes an API key; from then on one is asked for

Flags of serve:
${commonFlags()}`;
}

export function serveUsage(): string {
  return `hyperslab serve [folder …] [flags]

Serves the arrays of the data folder until SIGTERM or Ctrl-C; SIGHUP reads keys and certificates again. Should the server
process die, it is started again. Every array under the folders that are named is served, too, and only read; without a
data folder (--data-dir) nothing else is, and arrays cannot be made or registered.

Examples:
  hyperslab serve
  hyperslab serve ./results /mnt/runs
  hyperslab serve --port 9000 --data-dir /srv/hyperslab --roots /srv/arrays:/mnt/runs
  HYPERSLAB_LOG_LEVEL=debug hyperslab serve

Flags:
${commonFlags()}  --root <folder>  one of --roots; may be repeated
  --read-only      nobody may write without a key: --anonymous read
`;
}

/** Every setting, for `hyperslab settings`. */
export function settingsTable(): string {
  return Object.values(SETTINGS)
    .map(
      ({ name, default: value, unit, meaning }) =>
        `${flagOf(name)}  (${name}, ${unit}, ${value === '' ? 'not set' : `default ${value}`})\n    ${plain(meaning)}\n`,
    )
    .join('');
}

function commonFlags(): string {
  const rows = COMMON.map(key => SETTINGS[key]).map(({ name, default: value, meaning }): [string, string] => [
    flagOf(name),
    `${plain(meaning)}${value === '' ? '' : ` Default: ${value}.`}`,
  ]);
  return `${columns(rows)}
Every setting has a flag, named like its environment variable (HYPERSLAB_DATA_DIR is --data-dir); a flag wins. "hyperslab
settings" lists all of them.
`;
}

function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
}

/** The meanings are written for the README. */
function plain(markdown: string): string {
  return markdown.replaceAll('`', '');
}
