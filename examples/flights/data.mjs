/**
 * Real flights as columns: one file per column, row i of each is flight i. The 20,000 flights of vega-datasets with an
 * origin are drawn from again and again (with replacement, from a fixed seed) until there are as many rows as asked for.
 */
import fs from 'node:fs';
import path from 'node:path';

const SOURCE = new URL('../../node_modules/vega-datasets/data/', import.meta.url);
const CHUNK_ROWS = 1_000_000;

/** Columns of flights, and of airports: how they are stored, and where a value comes from. */
export const COLUMNS = {
  'flights-delay': { dtype: 'int16', Store: Int16Array, of: ({ delay }) => delay },
  'flights-distance': { dtype: 'int16', Store: Int16Array, of: ({ distance }) => distance },
  'flights-origin': { dtype: 'int16', Store: Int16Array, of: ({ origin }, { code }) => code.get(origin) },
  'flights-destination': {
    dtype: 'int16',
    Store: Int16Array,
    of: ({ destination }, { code }) => code.get(destination),
  },
  'flights-state': {
    dtype: 'uint8',
    Store: Uint8Array,
    of: ({ destination }, { stateOf }) => stateOf.get(destination),
  },
};
export const AIRPORT_COLUMNS = {
  'airports-code': { dtype: 'int16', Store: Int16Array, of: (_airport, { number }) => number },
  'airports-departures': {
    dtype: 'int32',
    Store: Int32Array,
    of: (airport, { departures }) => departures.get(airport) ?? 0,
  },
};

/** Names behind the numbers: `airports[code]`, `states[number]`. */
export function readTables() {
  const flights = JSON.parse(fs.readFileSync(new URL('flights-20k.json', SOURCE), 'utf8'));
  const airports = [...new Set(flights.flatMap(({ origin, destination }) => [origin, destination]))].sort(byBytes);
  const stateNames = new Map(readCsv('airports.csv').map(row => [row.iata, row.state]));
  const states = [...new Set(airports.map(airport => stateNames.get(airport)))].sort(byBytes);
  const departures = new Map();
  for (const { origin, count } of readCsv('flights-airport.csv')) {
    departures.set(origin, (departures.get(origin) ?? 0) + Number(count));
  }
  return {
    flights,
    airports,
    states,
    departures,
    code: new Map(airports.map((airport, number) => [airport, number])),
    stateOf: new Map(airports.map(airport => [airport, states.indexOf(stateNames.get(airport))])),
  };
}

/** Writes the columns that are not there yet in this length. */
export function makeColumns(folder, rows, tables) {
  for (const [name, { Store, of }] of Object.entries(AIRPORT_COLUMNS)) {
    const values = tables.airports.map((airport, number) => of(airport, { ...tables, number }));
    fs.writeFileSync(path.join(folder, `${name}.bin`), Store.from(values));
  }
  for (const [name, { Store, of }] of Object.entries(COLUMNS)) {
    const file = path.join(folder, `${name}.bin`);
    if (fs.statSync(file, { throwIfNoEntry: false })?.size === rows * Store.BYTES_PER_ELEMENT) continue;
    const source = Store.from(tables.flights, flight => of(flight, tables));
    writeDrawn(file, rows, source, Store);
  }
}

/** Every column draws the same flights, since the numbers start from the same seed. */
function writeDrawn(file, rows, source, Store) {
  const random = randomBits();
  const fd = fs.openSync(file, 'w');
  for (let first = 0; first < rows; first += CHUNK_ROWS) {
    const chunk = new Store(Math.min(CHUNK_ROWS, rows - first));
    for (let i = 0; i < chunk.length; i++) chunk[i] = source[(random() >>> 1) % source.length];
    fs.writeSync(fd, chunk);
  }
  fs.closeSync(fd);
}

function byBytes(a, b) {
  return a < b ? -1 : 1;
}

/** xorshift32 (Marsaglia, 2003). */
function randomBits() {
  let state = 0x9e3779b9;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state;
  };
}

/** Enough of CSV for these two files: the columns that are used here hold no commas and no quotes. */
function readCsv(name) {
  const [head, ...lines] = fs.readFileSync(new URL(name, SOURCE), 'utf8').trim().split('\n');
  const names = head.split(',');
  return lines.map(line => {
    const fields = line.match(/("[^"]*"|[^,]*)(,|$)/g).map(field => field.replace(/,$/, ''));
    return Object.fromEntries(names.map((column, i) => [column, fields[i]]));
  });
}
