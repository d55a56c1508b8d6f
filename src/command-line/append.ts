/**
 * `hyperslab append FILE`: rows join the end of a dataset, once. The length before is sent as `at`, so that a second try
 * appends nothing twice. Hazard: where the answer to a try is lost and the next is refused because the array has grown,
 * it was this one or somebody else: the rows that stand there now are read back and compared before it is told as done.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Command, InvalidArgumentError } from 'commander';
import { growingAxis } from '../formats/index.js';
import { isConverted, isSameAsRows, rowsOf, type Described } from './appended-rows.js';
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
  readonly retries: number;
}

interface Answer {
  readonly shape?: readonly number[];
  readonly generation?: number;
}

const RETRY_MS = 1000;

function wholeNumber(text: string): number {
  if (!/^\d{1,6}$/.test(text)) throw new InvalidArgumentError('It is a whole number.');
  return Number(text);
}

export function command(): Command {
  return withService(new Command('append'))
    .summary('append rows to a dataset, once')
    .description(
      'Appends the rows of a file to a dataset. A lost answer is no danger: it is tried again with the length before, and what stands there is compared before it is told as done.',
    )
    .argument('<file>', 'a .npy, .raw, .csv, .ndjson, .arrow or .json')
    .option('-n, --name <name>', "the dataset; the file's name where it is not said")
    .option('--at <rows>', 'the length before, so that others may not append first')
    .option('-f, --format <format>', 'what the file is, where its suffix does not say it')
    .option('--retries <n>', 'how often it is tried again', wholeNumber, 5)
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
  const order = { name, file, format, described, isAtAsked: options.at !== undefined };
  const answer = await appendOnce(service, order, options.at ?? lengthOf(described), options.retries);
  if (json) printJson(answer);
  else print(`${name} has the shape (${answer.shape?.join(', ') ?? ''}).\n`);
}

/** Undefined of an array that cannot grow, as the service will say. */
function lengthOf(described: Described): string | undefined {
  return described.shape[growingAxis(described)]?.toString();
}

interface Order {
  readonly name: string;
  readonly file: string;
  readonly format: string;
  readonly described: Described;
  /** Then rows that others append are a reason to stop. */
  readonly isAtAsked: boolean;
}

/** Others appended first, and nothing of this file is there: it may join the end that there is now. */
class Overtaken extends Error {
  readonly at: string | undefined;

  constructor(at: string | undefined) {
    super('overtaken');
    this.at = at;
  }
}

async function appendOnce(service: Service, order: Order, from: string | undefined, retries: number): Promise<Answer> {
  let at = from;
  let isUncertain = false;
  for (let attempt = 0; ; attempt++) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      return await tryAppend(service, order, at, isUncertain);
    } catch (error) {
      if (attempt >= retries) throw error instanceof Overtaken ? failOvertaken(order) : error;
      if (error instanceof Overtaken) {
        at = error.at;
        isUncertain = false;
        continue;
      }
      const mayHelp = error instanceof Unreached || (error instanceof Refused && RETRIED.has(error.status));
      if (!mayHelp) throw error;
      isUncertain = true;
      note(`${error.message} Trying again with at=${at ?? ''}.`);
      // oxlint-disable-next-line no-await-in-loop
      await sleep(RETRY_MS * 2 ** Math.min(attempt, 3), undefined, { signal: INTERRUPTED }).catch(checkInterrupted);
    }
  }
}

/** What a proxy or a busy service answers: nobody knows whether it was done. */
const RETRIED: ReadonlySet<number> = new Set([502, 503, 504]);

async function tryAppend(
  service: Service,
  order: Order,
  at: string | undefined,
  isUncertain: boolean,
): Promise<Answer> {
  const upload = await uploadOf('POST', order.file, order.format);
  try {
    return await service.json<Answer>(pathOf(order.name, '/append', { at }), upload.init);
  } catch (error) {
    if (!(error instanceof Refused && error.code === 'moved')) throw error;
    if (isUncertain) return await provenAnswer(service, order, at);
    if (order.isAtAsked) throw error;
    throw new Overtaken(lengthOf(await service.json<Described>(pathOf(order.name))));
  } finally {
    upload.end();
  }
}

function failOvertaken({ name }: Order): never {
  throw new ToldError(`Others append to ${name} all the time, and were first each time. Repeat the command.`);
}

/** An earlier try may have been done: it was, where its rows stand at that place. @throws ToldError, Overtaken */
async function provenAnswer(service: Service, order: Order, at: string | undefined): Promise<Answer> {
  const { name, file, format, described, isAtAsked } = order;
  const present = await service.json<Described & Answer>(pathOf(name));
  const rows = await rowsOf(file, format, described);
  const unknown = new ToldError(
    `An answer was lost, and ${name} has grown since: whether these rows were appended cannot be told from ${format}. Look at its rows from ${at ?? 0} on.`,
  );
  if (rows === undefined) throw unknown;
  if (await isSameAsRows(service, name, rows, Number(at), present)) {
    note('An answer was lost; the rows stand where they belong.');
    return { shape: present.shape, ...(present.generation !== undefined && { generation: present.generation }) };
  }
  if (isConverted(rows, present)) throw unknown;
  if (isAtAsked) throw new ToldError(`${name} has grown by other rows: nothing of ${file} was appended.`);
  throw new Overtaken(lengthOf(present));
}
