/** Pictures through the door: each pixel is what a stupid painter makes of the number, and what is no picture is refused. */
import { inflateSync } from 'node:zlib';
import t from 'tap';
import { coloursOf } from '../../src/formats/index.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';
import type { Service } from '../helpers/server.js';

interface Decoded {
  readonly width: number;
  readonly height: number;
  /** Red, green, blue and opacity of each pixel. */
  readonly pixels: readonly (readonly number[])[];
}

/** What the service writes of PNG, and no more. */
function decode(png: Buffer): Decoded {
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < png.length;) {
    const length = png.readUInt32BE(at);
    const name = png.toString('latin1', at + 4, at + 8);
    const data = png.subarray(at + 8, at + 8 + length);
    chunks.set(name, Buffer.concat([chunks.get(name) ?? Buffer.alloc(0), data]));
    at += length + 12;
  }
  const header = chunks.get('IHDR')!;
  const [width, height, type] = [header.readUInt32BE(0), header.readUInt32BE(4), header[9]!];
  const channels = type === 3 ? 1 : type === 2 ? 3 : 4;
  const lines = inflateSync(chunks.get('IDAT')!);
  const pixels: number[][] = [];
  for (let y = 0; y < height; y++) {
    const line = lines.subarray(y * (1 + width * channels) + 1, (y + 1) * (1 + width * channels));
    if (lines[y * (1 + width * channels)] === 1)
      for (let i = channels; i < line.length; i++) line[i]! += line[i - channels]!;
    for (let x = 0; x < width; x++) {
      const bytes = [...line.subarray(x * channels, (x + 1) * channels)];
      const palette = chunks.get('PLTE');
      const colour = palette ? [...palette.subarray(3 * bytes[0]!, 3 * bytes[0]! + 3)] : bytes;
      pixels.push(colour.length === 3 ? [...colour, 255] : colour);
    }
  }
  return { width, height, pixels };
}

async function picture(server: Service, path: string): Promise<Decoded & { readonly answer: Response }> {
  const answer = await server.fetch(`/v1/datasets/${path}`);
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (answer.status !== 200) throw new Error(`${path}: ${bytes.toString()}`);
  return { ...decode(bytes), answer };
}

async function make(server: Service, name: string, array: object, data: unknown): Promise<void> {
  await server.fetch('/v1/datasets', json('POST', { name, ...array }));
  const answer = await server.fetch(`/v1/datasets/${name}/data`, json('PUT', data));
  if (answer.status !== 200) throw new Error(await answer.text());
}

/** Colours by the definition: 256 steps from the lower limit to the upper one. */
function painted(values: readonly number[], [low, high]: readonly [number, number], cmap: string): number[][] {
  const colours = coloursOf(cmap)!;
  return values.map(value => {
    if (Number.isNaN(value)) return [0, 0, 0, 0];
    const step = Math.max(0, Math.min(255, Math.floor((256 * (value - low)) / (high - low))));
    return [...colours.subarray(3 * step, 3 * step + 3), 255];
  });
}

t.test('numbers have the colours of their place between the limits', async t => {
  const server = await startHere(t);
  const values = [0, 1, 2, 5, 7, 10];
  for (const dtype of ['<f4', '>f8', '<f2', '|i1', '>u2', '<i8']) {
    const name = dtype.replaceAll(/\W/g, '_');
    await make(server, name, { dtype, shape: [2, 3], order: 'F' }, [values.slice(0, 3), values.slice(3)]);
    for (const [query, limits, cmap] of [
      ['', [0, 10], 'viridis'],
      ['?cmap=gray&limits=1,7', [1, 7], 'gray'],
      ['?cmap=magma_r&limits=0%,50%', [0, 2], 'magma_r'],
    ] as const) {
      const shown = await picture(server, `${name}/data.png${query}`);
      t.strictSame([shown.width, shown.height], [3, 2]);
      if (query.includes('%')) t.same(shown.pixels[0], painted([0], [0, 1], cmap)[0]);
      else t.strictSame(shown.pixels, painted(values, limits, cmap), `${dtype} ${query}`);
    }
  }
});

t.test('NaN is clear, infinities have the colours of the ends, and limits are of what is shown', async t => {
  const server = await startHere(t);
  await make(server, 'a', { dtype: '<f8', shape: [2, 3] }, [
    ['NaN', '-Infinity', 'Infinity'],
    [1, 2, 9],
  ]);
  const numbers = [Number.NaN, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, 1, 2, 9];
  const all = await picture(server, 'a/data.png');
  t.strictSame(all.pixels, painted(numbers, [1, 9], 'viridis'));
  const part = await picture(server, 'a/data.png?slice=1:,:2&cmap=gray');
  t.strictSame(part.pixels, painted([1, 2], [1, 2], 'gray'));
  const clear = await picture(server, 'a/data.png?slice=:1,:1');
  t.strictSame(clear.pixels, [[0, 0, 0, 0]]);
  const constant = await picture(server, 'a/data.png?slice=1:,:1');
  t.strictSame(constant.pixels, painted([0], [0, 1], 'viridis'));
});

t.test('percentages leave out outliers, as numpy.percentile has them', async t => {
  const server = await startHere(t);
  const values = Array.from({ length: 1000 }, (_, i) => (i === 7 ? 1e12 : (i * 37) % 1000));
  await make(
    server,
    'a',
    { dtype: '<f8', shape: [25, 40] },
    Array.from({ length: 25 }, (_, i) => values.slice(40 * i, 40 * i + 40)),
  );
  for (const query of ['limits=10%,90%', 'limits=10%25,90%25', 'limits=10%25%2C90%25']) {
    const { pixels } = await picture(server, `a/data.png?${query}&cmap=gray`);
    const expected = painted(values, [99.9, 899.1], 'gray');
    const far = pixels.filter((pixel, i) => Math.abs(pixel[0]! - expected[i]![0]!) > 1);
    t.strictSame(far, [], query);
  }
});

t.test('colours are sent as they are', async t => {
  const server = await startHere(t);
  for (const channels of [3, 4]) {
    const values = Array.from({ length: 4 }, (_, i) =>
      Array.from({ length: channels }, (__, j) => (50 * i + 90 * j) % 256),
    );
    await make(server, `c${channels}`, { dtype: '|u1', shape: [2, 2, channels] }, [
      values.slice(0, 2),
      values.slice(2),
    ]);
    const { pixels } = await picture(server, `c${channels}/data.png`);
    t.strictSame(pixels, channels === 3 ? values.map(each => [...each, 255]) : values);
  }
});

t.test('a large picture is coarsened, and says so', async t => {
  const server = await startHere(t);
  const array = { dtype: '<f4', shape: [6000, 1000], sparse: true };
  await server.fetch('/v1/datasets', json('POST', { name: 'a', ...array }));
  await server.fetch('/v1/datasets/a/data?slice=3000:', json('PUT', 8));
  const { width, height, pixels, answer } = await picture(server, 'a/data.png?cmap=gray');
  t.equal(answer.headers.get('x-coarsen'), '3,3');
  t.strictSame([width, height], [334, 2000]);
  t.equal(pixels[0]![0], 0);
  t.equal(pixels.at(-1)![0], 255);
  const whole = await picture(server, 'a/data.png?slice=:10');
  t.equal(whole.answer.headers.get('x-coarsen'), null);
  const chosen = await server.fetch('/v1/datasets/a/select?format=png', json('POST', { slices: ['0'] }));
  t.equal(chosen.status, 406, 'several reads are no picture');
  const byIndex = await server.fetch('/v1/datasets/a/select?format=png', json('POST', { index: [':'] }));
  t.match(await byIndex.json(), { code: 'too_large', coarsen: [3, 3] });
});

t.test('what is no picture is refused, and passed over where Accept asks', async t => {
  const server = await startHere(t);
  await make(server, 'a', { dtype: '<f4', shape: [2, 3] }, 1);
  await server.fetch('/v1/datasets', json('POST', { name: 'c', dtype: '<c8', shape: [2, 3] }));
  for (const [path, status, code] of [
    ['a/data.png?slice=0', 422, 'not_tabular'],
    ['a/data.png?slice=5:', 422, 'not_tabular'],
    ['c/data?format=png', 422, 'not_tabular'],
    ['a/data.png?cmap=jet', 400, 'bad_request'],
    ['a/data.png?limits=1', 400, 'bad_request'],
    ['a/data.png?limits=2,1', 400, 'bad_request'],
    ['a/data.png?limits=-1%,101%', 400, 'bad_request'],
    ['a/data.png?coarsen=1,1&method=minmax', 422, 'not_tabular'],
  ] as const) {
    const answer = await server.fetch(`/v1/datasets/${path}`);
    t.equal(answer.status, status, path);
    t.match(await answer.json(), { code }, path);
  }
  const accept = { headers: { accept: 'image/png, application/json;q=0.5' } };
  t.equal((await server.fetch('/v1/datasets/a/data', accept)).headers.get('content-type'), 'image/png');
  t.match((await server.fetch('/v1/datasets/a/data?slice=0', accept)).headers.get('content-type'), /json/);
});
