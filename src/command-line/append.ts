/**
 * `hyperslab append FILE`: rows join the end of a dataset, once. The length before is sent as `at`, so that a second try
 * appends nothing twice. Hazard: where the answer to a try is lost and the next is refused because the array has grown,
 * it was this one or somebody else: the rows that stand there now are read back and compared before it is told as done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { isSameAsRows, rowsOf, type Described } from './appended-rows.js';
import { nameOfFile } from './formats.js';
import { INTERRUPTED, checkInterrupted } from './interrupted.js';
import { note, print, printJson, type OutputOptions } from './output.js';
import { pathOf, Refused, Service, Unreached, withService, type ServiceOptions } from './service.js';
import { ToldError } from './told.js';
import { formatOfUpload, uploadOf } from './upload.js';

interface Options extends ServiceOptions, OutputOptions {
  readonly name?: string;
  readonly at?: string;
  readonly format?: string;
  readonly retries: string;
}

interface Answer {
  readonly shape?: readonly number[];
  readonly generation?: number;
}

const RETRY_MS = 1000;

export function command(): Command {
  return withService(new Command('append'))
    .summary('append rows to a dataset, once')
    .description(
      'Appends the rows of a file to a dataset. A lost answer is no danger: it is tried again with the length before, and what stands there is compared before it is told as done.',
    )
    .argument('<file>', 'a .npy, .raw, .csv, .ndjson, .arrow or .json')
    .option('-n, --name <name>', "the dataset; the file's name where it is not said")
    .option('--at <rows>', 'the length before; as it is described where it is not said')
    .option('-f, --format <format>', 'what the file is, where its suffix does not say it')
    .option('--retries <n>', 'how often it is tried again', '5')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  hyperslab append day.npy --name log\n  hyperslab append rows.csv --name log --at 1000',
    )
    .action(append);
}

async function append(file: string, { json, ...options }: Options): Promise<void> {
  if (file === '-') throw new ToldError('Standard input cannot be sent again after a lost answer. Append a file.');
  const name = options.name ?? nameOfFile(file);
  const format = formatOfUpload(file, options.format);
  const service = new Service(options);
  const described = await service.json<Described>(pathOf(name));
  const at = options.at ?? String(described.shape[described.order === 'F' ? described.shape.length - 1 : 0] ?? '');
  const answer = await appendOnce(service, { name, file, format, at, described, retries: Number(options.retries) });
  if (json) printJson(answer);
  else print(`${name} has the shape (${answer.shape?.join(', ') ?? ''}).\n`);
}

interface Order {
  readonly name: string;
  readonly file: string;
  readonly format: string;
  readonly at: string;
  readonly described: Described;
  readonly retries: number;
}

async function appendOnce(service: Service, order: Order): Promise<Answer> {
  const { name, file, format, at, retries } = order;
  let isUncertain = false;
  for (let attempt = 0; ; attempt++) {
    const upload = await uploadOf('POST', file, format);
    try {
      return await service.json<Answer>(pathOf(name, '/append', { at }), upload.init);
    } catch (error) {
      if (error instanceof Refused && error.code === 'moved' && isUncertain) return await provenAnswer(service, order);
      const mayHelp = error instanceof Unreached || (error instanceof Refused && error.status === 503);
      if (!mayHelp || attempt >= retries) throw error;
      isUncertain = true;
      note(`${error.message} Trying again with at=${at}.`);
      await sleep(RETRY_MS, undefined, { signal: INTERRUPTED }).catch(checkInterrupted);
    } finally {
      upload.end();
    }
  }
}

/** An earlier try may have been done: it was, where its rows stand at that place. @throws ToldError */
async function provenAnswer(service: Service, order: Order): Promise<Answer> {
  const { name, file, format, at, described } = order;
  const present = await service.json<Described & Answer>(pathOf(name));
  const rows = await rowsOf(file, format, described);
  if (rows === undefined) {
    throw new ToldError(
      `An answer was lost, and ${name} has grown since: whether these rows were appended cannot be told from ${format}. Look at its rows from ${at} on.`,
    );
  }
  if (!(await isSameAsRows(service, name, rows, Number(at), present))) {
    throw new ToldError(`${name} has grown by other rows: nothing of ${file} was appended. Repeat the command.`);
  }
  note('An answer was lost; the rows stand where they belong.');
  return { shape: present.shape, ...(present.generation !== undefined && { generation: present.generation }) };
}
