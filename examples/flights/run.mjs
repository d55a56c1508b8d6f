/**
 * Percentiles of flight delays by origin and state, asked of a fresh service that maps the columns in place; lines are
 * written as they come, by one writer. Needs `npm run build` first.
 *
 *   node examples/flights/run.mjs [--rows 1000000] [--folder FOLDER] [--url URL]
 *
 * --folder keeps the columns (and reuses them) and gets results.ndjson; --url asks a service that is running already,
 * which must have the folder among its HYPERSLAB_ROOTS.
 */
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { parseArgs } from 'node:util';
import { AIRPORT_COLUMNS, COLUMNS, makeColumns, readTables } from './data.mjs';
import { areasOf, queriesFor } from './queries.mjs';
import { startService } from './service.mjs';

const { values: options } = parseArgs({
  options: {
    rows: { type: 'string', default: '1000000' },
    folder: { type: 'string' },
    url: { type: 'string' },
  },
});

const rows = Number(options.rows);
const folder = path.resolve(options.folder ?? fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-flights-')));
fs.mkdirSync(folder, { recursive: true });
const tables = readTables();
makeColumns(folder, rows, tables);
// For compare.py, which asks the same.
fs.writeFileSync(path.join(folder, 'areas.json'), JSON.stringify(areasOf(tables.states)));
const service = options.url ? { url: options.url, stop: async () => {} } : await startService(folder);
try {
  const started = performance.now();
  await registerColumns(service.url);
  const results = path.join(folder, 'results.ndjson');
  await askBatch(service.url, results);
  console.log(`${rows} flights, registered and asked in ${(performance.now() - started).toFixed(0)} ms`);
  if (options.folder) console.log(`results: ${results}`);
} finally {
  await service.stop();
  if (!options.folder) fs.rmSync(folder, { recursive: true });
}

async function registerColumns(url) {
  for (const [name, { dtype }] of Object.entries({ ...COLUMNS, ...AIRPORT_COLUMNS })) {
    await fetch(`${url}/v1/datasets/${name}`, { method: 'DELETE' });
    // That nobody else writes to the files is our promise: they may then be mapped where the kernels work.
    const file = { path: path.join(folder, `${name}.bin`), format: 'raw', external: false };
    await post(`${url}/v1/datasets`, { name, dtype, ...file });
  }
}

/** One call, a line per query in the order in which they finish. */
async function askBatch(url, file) {
  const response = await post(`${url}/v1/statistics`, { queries: queriesFor(tables.states), order: 'finished' });
  const out = fs.createWriteStream(file);
  for await (const line of createInterface({ input: Readable.fromWeb(response.body) })) {
    out.write(`${line}\n`);
    report(JSON.parse(line));
  }
  await new Promise(resolve => out.end(resolve));
}

function report({ index, error, groups, elapsed_ms }) {
  if (error) {
    console.log(`query ${index} failed: ${error.detail}`);
    return;
  }
  console.log(`query ${index}: ${groups.length} groups in ${elapsed_ms} ms; the largest:`);
  for (const { key, count, results } of groups.toSorted((a, b) => b.count - a.count).slice(0, 3)) {
    console.log(`  ${namesOf([key].flat())}: ${count} flights, ${JSON.stringify(results)}`);
  }
}

/** An origin and a state, or a state alone. */
function namesOf(key) {
  const [state, origin] = key.toReversed();
  return [...(origin === undefined ? [] : [tables.airports[origin]]), tables.states[state]].join(' to ');
}

async function post(url, body) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${url}: ${await response.text()}`);
  return response;
}
