/** `hyperslab export NAME…`: datasets as files in a folder. */
import fs from 'node:fs/promises';
import path from 'node:path';
import { Command } from 'commander';
import { saveAnswer } from './download.js';
import { formatRow } from './formats.js';
import { note, plain, print, printJson, sizeText, table, type OutputOptions } from './output.js';
import { pathOf, Service, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly all?: boolean;
  readonly format: string;
  readonly output: string;
}

interface Page {
  readonly datasets: readonly { readonly name: string }[];
  readonly next_cursor: string | null;
}

export function command(): Command {
  return withService(new Command('export'))
    .summary('write datasets as files into a folder')
    .description('Writes each dataset as a file NAME.FORMAT. One that fails does not stop the others.')
    .argument('[names...]', 'the datasets')
    .option('-a, --all', 'all of the service')
    .option('-f, --format <format>', 'npy, csv, parquet and others', 'npy')
    .option('-o, --output <folder>', 'where to; it is made where it is missing', '.')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  hyperslab export seattle-weather\n  hyperslab export --all --format parquet -o files',
    )
    .action(exportAll);
}

async function exportAll(asked: readonly string[], { json, all, format, output, ...options }: Options): Promise<void> {
  if ((asked.length === 0) !== (all === true)) throw new ToldError('Name the datasets, or say --all.');
  formatRow(format);
  const service = new Service(options);
  const names = all ? await allNames(service) : asked;
  await fs.mkdir(output, { recursive: true });
  const done: { name: string; file?: string; bytes?: number; error?: string }[] = [];
  for (const name of names) {
    const file = path.join(output, `${name}.${format}`);
    try {
      // oxlint-disable-next-line no-await-in-loop -- One after the other: each may be large.
      const bytes = await saveAnswer(await service.fetch(pathOf(name, `/data.${format}`)), file);
      done.push({ name, file, bytes });
    } catch (error) {
      if (!(error instanceof ToldError)) throw error;
      note(plain(`${name}: ${error.message}`));
      done.push({ name, error: error.message });
    }
  }
  if (json) printJson(done);
  else
    print(
      table(
        ['FILE', 'SIZE'],
        done
          .filter(({ file }) => file !== undefined)
          .map(({ file, bytes }) => [file, process.stdout.isTTY ? sizeText(bytes!) : String(bytes)]),
      ),
    );
  const failed = done.filter(({ error }) => error !== undefined).length;
  if (failed > 0) throw new ToldError(`${failed} of ${names.length} datasets were not exported.`);
}

async function allNames(service: Service): Promise<string[]> {
  const names: string[] = [];
  let cursor: string | null = null;
  do {
    const from: string = cursor === null ? '' : `&cursor=${encodeURIComponent(cursor)}`;
    // oxlint-disable-next-line no-await-in-loop
    const page: Page = await service.json<Page>(`/v1/datasets?limit=1000&fields=name${from}`);
    names.push(...page.datasets.map(({ name }) => name));
    cursor = page.next_cursor;
  } while (cursor !== null);
  return names;
}
