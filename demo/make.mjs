/**
 * `npm run demo`: writes the demo arrays and datasets.json beside this file, from the data files of vega-datasets.
 * The output is committed and depends on nothing but those files: run twice, it is the same to the byte.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const SOURCE = new URL('../node_modules/vega-datasets/data/', import.meta.url);
const FLIGHTS = {
  source: 'U.S. Bureau of Transportation Statistics, by way of vega-datasets (flights-200k.json)',
  licence: 'U.S. federal data, collected under 14 CFR Part 234; no licence stated',
};

/** Bytes per element and how one is stored; all little-endian. */
const STORES = {
  '<i2': [2, (view, offset, value) => view.setInt16(offset, value, true)],
  '<f4': [4, (view, offset, value) => view.setFloat32(offset, value, true)],
  '<f8': [8, (view, offset, value) => view.setFloat64(offset, value, true)],
};

const flights = JSON.parse(read('flights-200k.json'));
const precipitation = JSON.parse(read('annual-precip.json'));
const weather = parseCsv(read('seattle-weather.csv'));
const WEATHER_COLUMNS = ['precipitation', 'temp_max', 'temp_min', 'wind'];

/** One row per array. `values` is flat, in C order; a missing value is NaN. */
const ARRAYS = [
  {
    name: 'flights-delay',
    dtype: '<i2',
    shape: [flights.length],
    values: flights.map(flight => flight.delay),
    dims: ['flight'],
    attrs: {
      title: 'Arrival delay of 200,000 flights in the USA',
      description: 'Minutes after the scheduled arrival; negative is early. Element n is flight n of flights-*.',
      units: 'min',
      ...FLIGHTS,
    },
  },
  {
    name: 'flights-distance',
    dtype: '<i2',
    shape: [flights.length],
    values: flights.map(flight => flight.distance),
    dims: ['flight'],
    attrs: {
      title: 'Distance of 200,000 flights in the USA',
      description: 'Miles between the airports of departure and arrival. Element n is flight n of flights-*.',
      units: 'mi',
      ...FLIGHTS,
    },
  },
  {
    name: 'flights-hour',
    dtype: '<f4',
    shape: [flights.length],
    values: flights.map(flight => flight.time),
    dims: ['flight'],
    attrs: {
      title: 'Hour of departure of 200,000 flights in the USA',
      description: 'Time of day from 0 to 24 in hours; ascending. Element n is flight n of flights-*.',
      units: 'h',
      ...FLIGHTS,
    },
  },
  {
    name: 'annual-precip',
    dtype: '<f4',
    shape: [precipitation.height, precipitation.width],
    values: precipitation.values.map(value => value ?? Number.NaN),
    dims: ['y', 'x'],
    attrs: {
      title: 'Precipitation of the year 2016, worldwide, one degree per cell',
      description: 'Row y lies at latitude 87 - y degrees north, column x at longitude x - 180 degrees east.',
      // The source names no unit; the mean over the globe's area, 1,198, is that of millimetres.
      units: 'mm',
      // longitude = translate[0] + scale[0] * x, and likewise latitude and y.
      scale: precipitation.scale,
      translate: precipitation.translate,
      source: 'NOAA Climate Forecast System version 2, by way of vega-datasets (annual-precip.json)',
      licence: 'public domain',
    },
  },
  {
    name: 'seattle-weather',
    dtype: '<f8',
    shape: [weather.length, WEATHER_COLUMNS.length],
    values: weather.flatMap(day => WEATHER_COLUMNS.map(column => Number(day[column]))),
    dims: ['day', 'variable'],
    attrs: {
      title: 'Daily weather of Seattle, 2012 to 2015',
      description: 'One row per day without gaps, one column per variable.',
      columns: WEATHER_COLUMNS,
      units: ['mm', 'degC', 'degC', 'km/h, as the source says'],
      first_date: weather[0].date,
      last_date: weather.at(-1).date,
      source: 'NOAA National Climatic Data Center, by way of vega-datasets (seattle-weather.csv)',
      licence: 'U.S. government work',
    },
  },
];

for (const { name, dtype, shape, values } of ARRAYS) write(`${name}.npy`, npy(dtype, shape, values));
write('datasets.json', datasetsJson());

/** What the service registers: all that is not in the files' own headers. */
function datasetsJson() {
  const datasets = ARRAYS.map(({ name, attrs, dims }) => ({ name, file: `${name}.npy`, attrs, dims }));
  return `${JSON.stringify(datasets, null, 2)}\n`;
}

/** A .npy file, version 1.0, byte for byte what `np.save` writes. */
function npy(dtype, shape, values) {
  const [itemsize, store] = STORES[dtype];
  if (values.length !== shape.reduce((size, extent) => size * extent, 1)) throw new Error(`shape ${shape} is wrong`);
  const data = Buffer.alloc(values.length * itemsize);
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  values.forEach((value, index) => store(view, index * itemsize, value));
  return Buffer.concat([npyHeader(dtype, shape), data]);
}

/** Magic, version, length and the dictionary, padded with spaces so that the data begins at a multiple of 64 bytes. */
function npyHeader(dtype, shape) {
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${dtype}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // numpy leaves room for the first extent to grow to 21 digits in place.
  const growing = dictionary + ' '.repeat(21 - String(shape[0]).length);
  const lengthAt = 8;
  const textAt = lengthAt + 2;
  const padding = 64 - ((textAt + growing.length + 1) % 64);
  const text = Buffer.from(`${growing}${' '.repeat(padding)}\n`, 'latin1');
  const head = Buffer.from('\x93NUMPY\x01\x00\0\0', 'latin1');
  head.writeUInt16LE(text.length, lengthAt);
  return Buffer.concat([head, text]);
}

/** Rows as objects. The source quotes nothing, so a comma always separates. */
function parseCsv(text) {
  const [names, ...rows] = text
    .trim()
    .split(/\r?\n/)
    .map(line => line.split(','));
  return rows.map(row => Object.fromEntries(names.map((name, index) => [name, row[index]])));
}

function read(file) {
  return readFileSync(new URL(file, SOURCE), 'utf8');
}

function write(file, content) {
  writeFileSync(new URL(file, import.meta.url), content);
  console.log(`demo/${file}: ${Buffer.byteLength(content)} bytes`);
}
