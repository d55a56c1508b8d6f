/** `hyperslab info NAME`: what a dataset is. */
import { Command } from 'commander';
import { plain, print, sizeText, type OutputOptions } from './output.js';
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
  if (json) return print(`${JSON.stringify(found)}\n`);
  for (const [member, value] of Object.entries(found)) {
    if (value === null) continue;
    const isSize = member === 'nbytes' && process.stdout.isTTY;
    print(
      `${process.stdout.isTTY ? member.padEnd(11) : `${member}\t`}${isSize ? sizeText(Number(value)) : plain(value)}\n`,
    );
  }
}
