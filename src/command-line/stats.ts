/** `hyperslab stats NAME`: statistics, computed by the service. */
import { Command } from 'commander';
import { print, printJson, type OutputOptions } from './output.js';
import { pathOf, Service, withService, type ServiceOptions } from './service.js';
import { statisticsTable, type StatisticsAnswer } from './stats-table.js';

/** Options that are parameters of the call, by their names there. */
const PARAMETERS: readonly (readonly [flag: string, name: string, meaning: string])[] = [
  ['-s, --slice <slice>', 'slice', "the text inside numpy's brackets"],
  ['--field <field>', 'field', 'a field of a structure, or a named column'],
  ['--axis <axis>', 'axis', 'axes to reduce: 0 or 0,1; all where it is not said'],
  ['--where <json>', 'where', 'which rows: {"column":3,"gt":0.5}'],
  ['--group-by <json>', 'group_by', 'what rows are grouped by: {"column":3}'],
  ['--nan <how>', 'nan', 'propagate, omit or raise'],
  ['--ddof <n>', 'ddof', 'delta degrees of freedom of var and std'],
  ['--q <list>', 'q', 'quantiles from 0 to 1: 0.1,0.9'],
  ['--bins <n>', 'bins', 'bins of a histogram'],
  ['--range <lo,hi>', 'range', 'range of a histogram'],
  ['--expected-shape <shape>', 'expected_shape', 'fail where the dataset has another shape'],
];

const USUAL = 'count,mean,std,min,max';

type Options = ServiceOptions & OutputOptions & Readonly<Record<string, string>>;

export function command(): Command {
  const made = withService(new Command('stats'))
    .summary('compute statistics of a dataset')
    .description('Statistics of a dataset or of a slice of it, computed where the data is.')
    .argument('<name>', 'the dataset')
    .option('--ops <list>', `operations: mean,median …; ${USUAL} where none are said`);
  for (const [flag, , meaning] of PARAMETERS) made.option(flag, meaning);
  return made
    .option('--json', 'the whole answer as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  hyperslab stats flights-delay\n  hyperslab stats seattle-weather --ops mean,max --axis 0\n  hyperslab stats flights-delay --ops mean --q 0.1,0.9',
    )
    .action(stats);
}

async function stats(name: string, options: Options): Promise<void> {
  const implied = options['q'] ?? options['bins'];
  const query: Record<string, string | undefined> = {
    ops: options['ops'] ?? (implied === undefined ? USUAL : undefined),
  };
  for (const [flag, parameter] of PARAMETERS) query[parameter] = options[keyOf(flag)];
  const answer = await new Service(options).json<StatisticsAnswer>(pathOf(name, '/statistics', query));
  if (options['json']) printJson(answer);
  else print(statisticsTable(name, answer));
}

/** The name that commander gives to an option. */
function keyOf(flag: string): string {
  const long = /--([a-z-]+)/.exec(flag)![1]!;
  return long.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
