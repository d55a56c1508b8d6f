/** `hyperslab ls`: what a service has. */
import { Command } from 'commander';
import { plain, print, printJson, sizeText, table, type OutputOptions } from './output.js';
import { Service, withService, type ServiceOptions } from './service.js';

interface Entry {
  readonly name: string;
  readonly dtype?: unknown;
  readonly shape?: readonly number[];
  readonly nbytes?: number;
  readonly mode?: string;
  readonly state: string;
}

interface Page {
  readonly datasets: readonly Entry[];
  readonly next_cursor: string | null;
}

type Options = ServiceOptions & OutputOptions & { readonly find?: string; readonly state?: string };

export function command(): Command {
  return withService(new Command('ls'))
    .summary('list the datasets of a service')
    .description('Lists the datasets of a service, by name; with a prefix those whose names begin with it.')
    .argument('[prefix]', 'how the names begin')
    .option('-q, --find <text>', 'a part of the name, in any case')
    .option('--state <state>', 'ready, quarantined, or true, which looks at each file')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  hyperslab ls\n  hyperslab ls run- --json | jq length\n  hyperslab ls --state quarantined',
    )
    .action(list);
}

async function list(prefix: string | undefined, { json, find, state, ...options }: Options): Promise<void> {
  const service = new Service(options);
  const entries: Entry[] = [];
  let cursor: string | null = null;
  do {
    const query = new URLSearchParams({ limit: '1000' });
    if (prefix !== undefined) query.set('prefix', prefix);
    if (find !== undefined) query.set('q', find);
    if (state !== undefined) query.set('state', state);
    if (cursor !== null) query.set('cursor', cursor);
    // oxlint-disable-next-line no-await-in-loop
    const page: Page = await service.json<Page>(`/v1/datasets?${query.toString()}`);
    entries.push(...page.datasets);
    cursor = page.next_cursor;
  } while (cursor !== null);
  if (json) return printJson(entries);
  if (entries.length === 0 && process.stdout.isTTY) return print('No datasets. "hyperslab put FILE" makes one.\n');
  const rows = entries.map(({ name, dtype, shape, nbytes, mode, state: how }) => [
    name,
    dtype === undefined ? '' : plain(dtype),
    shape ? `(${shape.join(', ')})` : '',
    nbytes === undefined ? '' : process.stdout.isTTY ? sizeText(nbytes) : String(nbytes),
    mode ?? '',
    how,
  ]);
  print(table(['NAME', 'DTYPE', 'SHAPE', 'SIZE', 'MODE', 'STATE'], rows));
}
