/** `hyperslab import FILE…`: many files, each a dataset of its name. */
import { Command } from 'commander';
import { nameOfFile } from './formats.js';
import { note, plain, print, printJson, table, type OutputOptions } from './output.js';
import { pathOf, Service, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';
import { formatOfUpload, uploadOf } from './upload.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly prefix?: string;
  readonly overwrite?: boolean;
}

interface Imported {
  readonly file: string;
  readonly name: string;
  readonly shape?: readonly number[];
  readonly error?: string;
}

export function command(): Command {
  return withService(new Command('import'))
    .summary('make a dataset of each of several files')
    .description(
      'Sends files to the service, which makes a dataset of each, named like its file. One that fails does not stop the others.',
    )
    .argument('<files...>', '.npy, .npz with one array, .csv, .ndjson, .arrow')
    .option('--prefix <text>', 'what the names begin with')
    .option('--overwrite', 'replace datasets that have the names')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  hyperslab import runs/*.npy --prefix run-')
    .action(importAll);
}

async function importAll(
  files: readonly string[],
  { json, prefix = '', overwrite, ...options }: Options,
): Promise<void> {
  const service = new Service(options);
  const done: Imported[] = [];
  for (const file of files) {
    // oxlint-disable-next-line no-await-in-loop -- One after the other: each may be large.
    const each = await importOne(service, file, prefix, overwrite);
    done.push(each);
    if (each.error !== undefined) note(plain(`${file}: ${each.error}`));
  }
  if (json) printJson(done);
  else {
    const rows = done.filter(({ shape }) => shape).map(({ name, shape }) => [name, `(${shape!.join(', ')})`]);
    print(table(['NAME', 'SHAPE'], rows));
  }
  const failed = done.filter(({ error }) => error !== undefined).length;
  if (failed > 0) throw new ToldError(`${failed} of ${files.length} files were not imported.`);
}

async function importOne(
  service: Service,
  file: string,
  prefix: string,
  overwrite: boolean | undefined,
): Promise<Imported> {
  let name = '';
  try {
    name = `${prefix}${nameOfFile(file)}`;
    const upload = await uploadOf('PUT', file, formatOfUpload(file, undefined));
    const where = pathOf(name, '', overwrite ? { overwrite: 'true' } : {});
    const { shape } = await service.json<{ shape: readonly number[] }>(where, upload.init).finally(upload.end);
    return { file, name, shape };
  } catch (error) {
    if (!(error instanceof ToldError)) throw error;
    return { file, name, error: error.message };
  }
}
