/** The worked examples, run as a reader would run them, in their small form; answers against plain loops. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { differenceOf, readLines, type Group, type Line } from '../bench/flights/answers.js';
import { PACKAGE_ROOT } from '../src/package-root.js';
import { PYTHON } from './helpers/python.js';
import { temporaryFolder, withoutLoaders } from './helpers/server.js';

const EXAMPLE = path.join(PACKAGE_ROOT, 'examples/flights');
const ROWS = 100_000;
const QUANTILES = [0.1, 0.25, 0.75, 0.9];

const folder = temporaryFolder();
const said = runExample(folder);
t.teardown(() => fs.rmSync(folder, { recursive: true }));

t.test('the flights example answers what loops over its files answer, and one line is an error', t => {
  t.match(said, /query 1 failed: No dataset is named "flights-cancelled"/);
  t.match(said, /100000 flights, registered and asked in \d+ ms/);
  const lines = readLines(path.join(folder, 'results.ndjson'));
  t.strictSame(new Set(lines.map(({ index }) => index)), new Set([0, 1, 2]), 'a line per query');
  t.equal(lines.length, 3);
  t.match(lines.find(({ index }) => index === 1)!.error, { code: 'unknown_dataset', status: 404 });
  const [percentiles, late] = model(folder);
  t.equal(differenceOf(lines, [late!]), undefined, 'moments by state');
  t.equal(differenceOf(lines, [percentiles!]), undefined, 'percentiles by origin and state');
  t.end();
});

for (const engine of ['pandas', 'polars', 'duckdb']) {
  t.test(`${engine} answers the questions of the flights example alike`, { skip: unlessInstalled(engine) }, t => {
    const { status, stderr } = spawnSync(PYTHON!, [path.join(EXAMPLE, 'compare.py'), engine, folder], {
      encoding: 'utf8',
    });
    t.equal(status, 0, stderr);
    const theirs = readLines(path.join(folder, `results-${engine}.ndjson`));
    t.equal(differenceOf(theirs, model(folder)), undefined, 'the same as loops over the files');
    t.equal(differenceOf(theirs, readLines(path.join(folder, 'results.ndjson'))), undefined, 'the same as the service');
    t.end();
  });
}

function runExample(folder: string): string {
  const [command, ...args] = withoutLoaders(process.execPath, path.join(EXAMPLE, 'run.mjs'));
  const { status, stdout, stderr } = spawnSync(command, [...args, '--rows', String(ROWS), '--folder', folder], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`the example failed: ${stderr}`);
  return stdout;
}

function unlessInstalled(engine: string): string | false {
  const modules = engine === 'pandas' ? engine : `${engine}, pyarrow`;
  const found = PYTHON !== undefined && spawnSync(PYTHON, ['-c', `import ${modules}`]).status === 0;
  return found ? false : `python3 with numpy, ${modules} is not here`;
}

/** The answers of queries.mjs by loops and sorts. */
function model(folder: string): Line[] {
  const read = (name: string): Buffer => fs.readFileSync(path.join(folder, `${name}.bin`));
  const int16 = (name: string): Int16Array => new Int16Array(new Uint8Array(read(name)).buffer);
  const [delay, distance] = [int16('flights-delay'), int16('flights-distance')];
  const [origin, destination] = [int16('flights-origin'), int16('flights-destination')];
  const state = read('flights-state');
  const departures = new Int32Array(new Uint8Array(read('airports-departures')).buffer);
  const areas = JSON.parse(fs.readFileSync(path.join(folder, 'areas.json'), 'utf8')) as number[];
  const [byOriginAndState, lateByState] = [new Map<string, number[]>(), new Map<string, number[]>()];
  for (let row = 0; row < ROWS; row++) {
    const isHub = departures[destination[row]!]! >= 100_000;
    if (distance[row]! > 500 && areas.includes(state[row]!) && isHub) {
      add(byOriginAndState, `${origin[row]},${state[row]}`, delay[row]!);
    }
    if (delay[row]! > 60) add(lateByState, String(state[row]), delay[row]!);
  }
  return [
    { index: 0, groups: groupsOf(byOriginAndState, quantilesOf) },
    { index: 2, groups: groupsOf(lateByState, momentsOf) },
  ];
}

function add(groups: Map<string, number[]>, key: string, value: number): void {
  const values = groups.get(key);
  if (values) values.push(value);
  else groups.set(key, [value]);
}

function groupsOf(groups: Map<string, number[]>, resultsOf: (sorted: number[]) => Group['results']): Group[] {
  return [...groups]
    .map(([key, values]) => ({ key: key.split(',').map(Number), values: values.toSorted((a, b) => a - b) }))
    .toSorted((a, b) => a.key[0]! - b.key[0]! || a.key[1]! - b.key[1]!)
    .map(({ key, values }) => ({ key, count: values.length, results: resultsOf(values) }));
}

function quantilesOf(sorted: number[]): Group['results'] {
  const at = (q: number): number => {
    const place = (sorted.length - 1) * q;
    const below = sorted[Math.floor(place)]!;
    return below + (sorted[Math.ceil(place)]! - below) * (place % 1);
  };
  return { median: at(0.5), quantile: QUANTILES.map(at) };
}

function momentsOf(sorted: number[]): Group['results'] {
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, std: Math.sqrt(squares / sorted.length), max: sorted.at(-1)! };
}
