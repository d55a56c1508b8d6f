/** `hyperslab doctor`: looks at a data folder, and says what to do about each thing. The service may run meanwhile. */
import path from 'node:path';
import { Command } from 'commander';
import { readConfig, SETTINGS } from '../config.js';
import { findingsOf } from './checks.js';
import type { Finding } from './finding.js';
import { plain, print, printJson, table, type OutputOptions } from './output.js';
import { widthOf, wrapped } from './wrap.js';

interface Options extends OutputOptions {
  readonly dataDir?: string;
}

export function command(): Command {
  return new Command('doctor')
    .summary('look at a data folder, and say what to do')
    .description(
      'Looks at a data folder: manifests, files, journals, permissions, free space, and limits of the kernel. Nothing is changed, and the service may run. The status is 1 where something cannot be served.',
    )
    .argument('[folder]', 'the data folder; --data-dir, HYPERSLAB_DATA_DIR, else ./data')
    .option('--data-dir <folder>', 'the same')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  hyperslab doctor /srv/hyperslab')
    .action(doctor);
}

/** The data folder that is meant. */
export function dataDirOf(asked: string | undefined): string {
  const { name } = SETTINGS.dataDir;
  return path.resolve(readConfig({}, { [name]: asked ?? process.env[name] ?? '' }).dataDir);
}

async function doctor(folder: string | undefined, { json, dataDir }: Options): Promise<void> {
  const where = dataDirOf(folder ?? dataDir);
  const findings = await findingsOf(where);
  if (json) printJson(findings);
  else if (process.stdout.isTTY) for (const finding of findings) print(forPeople(finding));
  else
    print(
      table(
        [],
        findings.map(({ level, about, found, remedy = '' }) => [level, about, found, remedy]),
      ),
    );
  if (findings.some(({ level }) => level === 'bad')) process.exitCode = 1;
}

const MARKS = { ok: 'ok     ', warning: 'warning', bad: 'BAD    ' } as const;

function forPeople({ level, about, found, remedy }: Finding): string {
  const width = widthOf(process.stdout);
  const line = `${MARKS[level]}  ${plain(about)}: ${plain(found)}`;
  const lines = remedy === undefined ? [line] : [line, `         ${plain(remedy)}`];
  return lines.map(each => `${wrapped(each, width, 9)}\n`).join('');
}
