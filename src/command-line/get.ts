/** `hyperslab get NAME`: elements, to a file or to standard output. */
import { Command } from 'commander';
import { pipeline } from 'node:stream/promises';
import { saveAnswer } from './download.js';
import { formatOfName, formatRow } from './formats.js';
import { note, printJson, sizeText, type OutputOptions } from './output.js';
import { INTERRUPTED } from './interrupted.js';
import { pathOf, Service, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly slice?: string;
  readonly field?: string;
  readonly dtype?: string;
  readonly casting?: string;
  readonly format?: string;
  readonly expectedShape?: string;
  readonly output?: string;
}

export function command(): Command {
  return withService(new Command('get'))
    .summary('read elements, to a file or to standard output')
    .description(
      "Reads a slice of a dataset, or all of it. The format is that of the file's suffix, or json where there is no file.",
    )
    .argument('<name>', 'the dataset')
    .option('-s, --slice <slice>', "the text inside numpy's brackets: 100:200,50")
    .option('--field <field>', 'a field of a structure, or named columns')
    .option('--dtype <dtype>', 'convert the elements, as astype does')
    .option('--casting <casting>', 'what that may lose: safe, same_kind or unsafe')
    .option('-f, --format <format>', 'json, npy, raw, csv, ndjson, arrow, parquet, npz, png')
    .option('--expected-shape <shape>', 'fail where the dataset has another shape: 1000,4')
    .option('-o, --output <file>', 'the file to write')
    .option('--json', 'as JSON; with -o what was written')
    .addHelpText(
      'after',
      '\nExamples:\n  hyperslab get seattle-weather --slice 0:3\n  hyperslab get seattle-weather -o weather.npy\n  hyperslab get seattle-weather --slice :,0 --format csv > rain.csv',
    )
    .action(get);
}

/** Neither text nor bytes of elements. */
const FILES_ALONE: ReadonlySet<string> = new Set(['png', 'parquet', 'npz']);

async function get(name: string, options: Options): Promise<void> {
  const { slice, field, dtype, casting, output, expectedShape } = options;
  const format = options.format ?? (output === undefined ? 'json' : formatOfName(output));
  const { isBytes } = formatRow(format);
  if (output === undefined && (isBytes || FILES_ALONE.has(format)) && process.stdout.isTTY) {
    throw new ToldError(`${format} is not for a terminal. Write it to a file with -o, or pipe it.`);
  }
  const query = { slice, field, dtype, casting, expected_shape: expectedShape };
  const service = new Service(options);
  const response = await service.fetch(pathOf(name, `/data.${format}`, query));
  if (output !== undefined) {
    const bytes = await saveAnswer(response, output);
    if (options.json) printJson({ name, file: output, bytes });
    else note(`${output}: ${sizeText(bytes)}`);
    return;
  }
  await pipeline(response.body!, process.stdout, { end: false, signal: INTERRUPTED }).catch((error: unknown) =>
    service.failCut(error),
  );
  if (format === 'json' && process.stdout.isTTY) process.stdout.write('\n');
}
