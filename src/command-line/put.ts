/** `hyperslab put FILE`: a file becomes a dataset, or is written to a slice of one. */
import { Command } from 'commander';
import { nameOfFile } from './formats.js';
import { print, printJson, type OutputOptions } from './output.js';
import { pathOf, Service, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';
import { formatOfUpload, uploadOf } from './upload.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly name?: string;
  readonly slice?: string;
  readonly field?: string;
  readonly format?: string;
  readonly dtype?: string;
  readonly member?: string;
  readonly overwrite?: boolean;
}

interface Answer {
  readonly name?: string;
  readonly shape?: readonly number[];
  readonly elements?: number;
}

export function command(): Command {
  return withService(new Command('put'))
    .summary('make a dataset of a file, or write one to a slice')
    .description(
      'Sends a file to the service, which makes a dataset of it. With --slice it is written into a dataset that is there. - is standard input.',
    )
    .argument('<file>', 'a .npy, .npz, .csv, .ndjson or .arrow; of a slice also .raw and .json')
    .option('-n, --name <name>', "the dataset; the file's name where it is not said")
    .option('-s, --slice <slice>', 'where in the dataset it is written: 0:3')
    .option('--field <field>', 'of --slice: a field of a structure')
    .option('-f, --format <format>', 'what the file is, where its suffix does not say it')
    .option('--dtype <dtype>', 'what a table becomes')
    .option('--member <name>', 'of a .npz: which of its arrays')
    .option('--overwrite', 'replace the dataset that has the name')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  hyperslab put run.npy\n  hyperslab put table.csv --name table --overwrite\n  hyperslab put row.npy --name run --slice 5',
    )
    .action(put);
}

async function put(file: string, { json, ...options }: Options): Promise<void> {
  const { slice, field, dtype, member, overwrite } = options;
  if (file === '-' && options.name === undefined) throw new ToldError('Standard input has no name. Say --name.');
  const name = options.name ?? nameOfFile(file);
  const format = formatOfUpload(file, options.format);
  if (slice === undefined && (format === 'raw' || format === 'json')) {
    throw new ToldError(
      `${format} does not say its dtype and shape. Send a .npy, or write it into a dataset with --slice.`,
    );
  }
  const upload = await uploadOf('PUT', file, format);
  const where =
    slice === undefined
      ? pathOf(name, '', { dtype, member, ...(overwrite && { overwrite: 'true' }) })
      : pathOf(name, `/data.${format}`, { slice, field, member });
  const answer = await new Service(options).json<Answer>(where, upload.init).finally(upload.end);
  if (json) printJson(answer);
  else if (answer.shape) print(`${name} has the shape (${answer.shape.join(', ')}).\n`);
  else print(`${answer.elements ?? 0} elements of ${name} written.\n`);
}
