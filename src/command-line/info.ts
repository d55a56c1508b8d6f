/** `hyperslab info NAME`: what a dataset is. */
import { Command } from 'commander';
import { fields, print, printJson, sizeText, type OutputOptions } from './output.js';
import { pathOf, Service, withService, type ServiceOptions } from './service.js';

export function command(): Command {
  return withService(new Command('info'))
    .summary('describe a dataset')
    .description('Describes a dataset: dtype, shape, where it lies, its generation, its attrs.')
    .argument('<name>', 'the dataset')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  hyperslab info seattle-weather')
    .action(info);
}

async function info(name: string, { json, ...options }: ServiceOptions & OutputOptions): Promise<void> {
  const found = await new Service(options).json<Record<string, unknown>>(pathOf(name));
  if (json) return printJson(found);
  const told = Object.entries(found).filter(([, value]) => value !== null);
  print(fields(process.stdout.isTTY ? told.flatMap(forPeople) : told));
}

/** Sizes in units, and what attrs say one below the other. */
function forPeople([member, value]: readonly [string, unknown]): (readonly [string, unknown])[] {
  if (member === 'nbytes') return [[member, sizeText(Number(value))]];
  if (member !== 'attrs' || typeof value !== 'object' || value === null) return [[member, value]];
  return Object.entries(value).map(([name, each]) => [`attrs.${name}`, each]);
}
