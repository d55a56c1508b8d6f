/**
 * Seeded random arrays on disk, read and written through a live server, against the stupid model in test/oracle.ts and,
 * where python is at hand, against numpy itself. A failure names its seed: run that array alone to see it again.
 */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { seededRandom, type Random } from '../helpers/random.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { broadcast, bytesOf, placeOf, select, tuplesOf, valueOf, type ModelValue } from '../oracle.js';

const ARRAYS = caseCount(60, 260);
const READS_PER_ARRAY = 3;
const WRITES_PER_ARRAY = 2;
const ELEMENTS_MAX = 5000;
const KINDS = ['b1', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'f2', 'f4', 'f8'];
const TYPESTRS = KINDS.flatMap(kind => (kind[1] === '1' ? [`|${kind}`] : [`<${kind}`, `>${kind}`]));

/** An array in a file, and what the model says the file holds. */
interface Modelled {
  readonly name: string;
  readonly typestr: string;
  readonly shape: readonly number[];
  readonly order: 'C' | 'F';
  readonly offset: number;
  readonly format: 'raw' | 'npy';
  readonly file: Buffer;
}

/** What numpy is asked to do afterwards, in the same order. */
type Step =
  | { readonly kind: 'read'; readonly slice: string | null; readonly error: true }
  | {
      readonly kind: 'read';
      readonly slice: string | null;
      readonly raw: string;
      readonly npy: string;
      readonly json: string;
      readonly shape: string;
    }
  | {
      readonly kind: 'write';
      readonly slice: string | null;
      readonly error: boolean | null;
      readonly value: NumpyValue;
    };

type NumpyValue =
  | { readonly json: string }
  | { readonly dtype: string; readonly shape: readonly number[]; readonly order: 'C' | 'F'; readonly data: string };

const itemsizeOf = (typestr: string): number => Number(typestr.slice(2));
const sizeOf = (shape: readonly number[]): number => shape.reduce((size, length) => size * length, 1);

let server: TestServer;
let root: string;

t.before(async () => {
  root = temporaryFolder();
  server = await startServer({ env: { HYPERSLAB_ROOTS: root } });
});
t.teardown(async () => {
  await server.stop();
  fs.rmSync(server.dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
});

t.test('random slices of random arrays read and write what the model and numpy say', async t => {
  const histories: object[] = [];
  const totals = { reads: 0, writes: 0, refused: 0 };
  for (let seed = 1; seed <= ARRAYS; seed++) {
    const random = seededRandom(seed);
    const array = makeArray(random, `a${seed}`);
    const initial = array.file.toString('base64');
    await register(array);
    const steps: Step[] = [];
    try {
      for (let i = 0; i < READS_PER_ARRAY; i++) steps.push(await checkRead(random, array, totals));
      for (let i = 0; i < WRITES_PER_ARRAY; i++) steps.push(await checkWrite(random, array, totals));
    } catch (error) {
      t.fail(`seed ${seed}: ${(error as Error).message}`, { array: { ...array, file: initial } });
      return;
    }
    const final = fs.readFileSync(pathOf(array));
    if (!final.equals(array.file)) {
      t.fail(`seed ${seed}: the file differs from the model after its writes`, { steps });
      return;
    }
    const { typestr, shape, order, offset, format } = array;
    histories.push({ seed, typestr, shape, order, offset, format, initial, final: final.toString('base64'), steps });
  }
  t.comment(JSON.stringify(totals));
  const tried = totals.reads + totals.writes;
  t.ok(tried >= caseCount(240, 1000), `${tried} cases`);
  t.ok(totals.refused > tried / 50 && totals.refused < tried / 2, 'some slices do not fit, most do');
  await t.test('numpy agrees with every step', { skip: PYTHON === undefined && NO_NUMPY }, async t => {
    t.equal(
      runPython('http/numpy_steps.py', [], JSON.stringify(histories)).trim(),
      `${totals.reads + totals.writes} steps`,
    );
  });
});

t.test('two datasets on one file see each other, share a generation, and have one writer', async t => {
  const file = path.join(root, 'shared.bin');
  fs.writeFileSync(file, Buffer.alloc(24));
  const post = (body: object) =>
    server.fetch('/v1/datasets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ path: 'shared.bin', ...body }),
    });
  t.equal((await post({ name: 'writer', dtype: '<i4', shape: [6], mode: 'r+' })).status, 201);
  t.equal((await post({ name: 'reader', dtype: '>i4', shape: [2, 3], mode: 'r' })).status, 201);

  const second = await post({ name: 'second', dtype: '<i4', mode: 'r+' });
  t.equal(second.status, 409);
  t.match(await second.json(), { code: 'file_in_use', dataset: 'writer' });
  const through = await server.fetch('/v1/datasets/reader/data', { method: 'PUT', headers: JSON_BODY, body: '1' });
  t.match([through.status, await through.json()], [403, { code: 'read_only' }]);
  const promoted = await server.fetch('/v1/datasets/reader', {
    method: 'PATCH',
    headers: JSON_BODY,
    body: '{"mode":"r+"}',
  });
  t.match([promoted.status, await promoted.json()], [409, { code: 'file_in_use' }]);

  const generations = async (): Promise<unknown[]> => {
    const described = await Promise.all(['writer', 'reader'].map(name => server.fetch(`/v1/datasets/${name}`)));
    const bodies = await Promise.all(described.map(each => each.json() as Promise<{ generation: number }>));
    return bodies.map(body => body.generation);
  };
  const [before, sameBefore] = await generations();
  t.equal(sameBefore, before);
  const answer = await server.fetch('/v1/datasets/writer/data?slice=1:5', {
    method: 'PUT',
    headers: JSON_BODY,
    body: '[1,2,3,-1]',
  });
  const { generation } = (await answer.json()) as { generation: number };
  t.ok(generation > (before as number));
  t.strictSame(await generations(), [generation, generation]);
  const read = async (name: string): Promise<unknown> =>
    ((await (await server.fetch(`/v1/datasets/${name}/data`)).json()) as { data: unknown }).data;
  t.strictSame(await read('writer'), [0, 1, 2, 3, -1, 0]);
  t.strictSame(await read('reader'), [
    [0, 1 << 24, 2 << 24],
    [3 << 24, -1, 0],
  ]);
  const raw = await server.fetch('/v1/datasets/reader/data?format=raw');
  t.equal(raw.headers.get('x-dataset-generation'), String(generation));
  t.ok(Buffer.from(await raw.arrayBuffer()).equals(fs.readFileSync(file)), 'raw keeps the bytes of the file');
});

t.test('special values keep their bits in raw, and their meaning in JSON', async t => {
  const cases: [typestr: string, hex: string, json: string][] = [
    // NaN with a payload, negative NaN, signalling NaN, -0, ±infinity, least and greatest subnormal.
    [
      '>f8',
      '7ff8000000000abc fff8000000000001 7ff0000000000001 8000000000000000 7ff0000000000000 fff0000000000000 0000000000000001 800fffffffffffff',
      '["NaN","NaN","NaN",-0.0,"Infinity","-Infinity",5e-324,-2.225073858507201e-308]',
    ],
    ['>f4', '7fc00abc ffc00001 7f800001 80000000 00000001', '["NaN","NaN","NaN",-0.0,1e-45]'],
    ['>f2', '7e01 fe01 7c01 8000 0001 83ff 7c00', '["NaN","NaN","NaN",-0.0,6e-08,-6.1e-05,"Infinity"]'],
    ['>i8', '8000000000000000 7fffffffffffffff ffffffffffffffff', '[-9223372036854775808,9223372036854775807,-1]'],
    ['>u8', 'ffffffffffffffff 0020000000000001', '[18446744073709551615,9007199254740993]'],
  ];
  for (const [typestr, hex, json] of cases) {
    const bytes = Buffer.from(hex.replaceAll(' ', ''), 'hex');
    const name = `special-${typestr.slice(1)}`;
    fs.writeFileSync(path.join(root, name), Buffer.alloc(bytes.length));
    await create({ name, path: name, dtype: typestr, mode: 'r+' });
    const url = `/v1/datasets/${name}/data`;
    const put = await server.fetch(url, { method: 'PUT', headers: RAW_BODY, body: new Uint8Array(bytes) });
    t.equal(put.status, 200);
    t.ok(fs.readFileSync(path.join(root, name)).equals(bytes), `${typestr} arrives with its bits`);
    t.ok((await bytesAt(`${url}?format=raw`)).equals(bytes), `${typestr} leaves raw with its bits`);
    t.ok((await bytesAt(`${url}?format=npy`)).subarray(-bytes.length).equals(bytes), `${typestr} leaves npy so`);
    const swapped = await bytesAt(`${url}?format=raw&endian=little`);
    t.ok(swapped.equals(reversedItems(bytes, itemsizeOf(typestr))), `${typestr} little-endian is the same, reversed`);
    const text = await (await server.fetch(url)).text();
    const shown = dataOf(text).replaceAll(' ', '');
    t.strictSame(tokens(shown).map(canonical), tokens(json).map(canonical), `${typestr} as JSON: ${shown}`);
    if (typestr.endsWith('8') && !typestr.includes('f')) {
      t.equal(shown, json, 'every digit');
      const quoted = dataOf(await (await server.fetch(`${url}?int64=string`)).text());
      t.equal(quoted, JSON.stringify(json.slice(1, -1).split(',')));
      // What was quoted in an answer may come back quoted.
      const back = await server.fetch(url, { method: 'PUT', headers: JSON_BODY, body: quoted });
      t.equal(back.status, 200);
      t.ok(fs.readFileSync(path.join(root, name)).equals(bytes));
    } else {
      const back = await server.fetch(url, { method: 'PUT', headers: JSON_BODY, body: shown });
      t.equal(back.status, 200);
      const again = dataOf(await (await server.fetch(url)).text());
      t.equal(again, shown, 'JSON comes back as the same JSON');
      t.ok(
        fs
          .readFileSync(path.join(root, name))
          .subarray(3 * itemsizeOf(typestr))
          .equals(bytes.subarray(3 * itemsizeOf(typestr))),
        'and all but the payloads of NaN as the same bits',
      );
    }
  }
});

const JSON_BODY = { 'content-type': 'application/json' };
const RAW_BODY = { 'content-type': 'application/octet-stream' };

// Making arrays and slices.

function makeArray(random: Random, name: string): Modelled {
  const typestr = random.pick(TYPESTRS);
  const shape = makeShape(random);
  const order = random.pick(['C', 'F'] as const);
  // A raw file that is registered with no axes has the one that its length gives.
  const format = shape.length === 0 ? 'npy' : random.pick(['raw', 'npy'] as const);
  const head = format === 'npy' ? npyHead(typestr, shape, order) : randomBytes(random, random.integer(0, 70));
  const elements = Array.from({ length: sizeOf(shape) }, () => makeElement(random, typestr));
  // Bytes behind the array belong to somebody else.
  const tail = randomBytes(random, random.integer(0, 9));
  const file = Buffer.concat([head, ...elements, tail]);
  return { name, typestr, shape, order, offset: head.length, format, file };
}

function makeShape(random: Random): number[] {
  const rank = random.integer(0, 6);
  let room = random.next() < 0.1 ? ELEMENTS_MAX : 300;
  return Array.from({ length: rank }, () => {
    if (random.next() < 0.04) return 0;
    const length = random.integer(1, Math.max(1, Math.min(room, rank === 1 ? room : random.pick([1, 3, 7, 40]))));
    room = Math.floor(room / length);
    return length;
  });
}

function makeElement(random: Random, typestr: string): Uint8Array {
  if (typestr === '|b1') return Uint8Array.of(random.integer(0, 1));
  const isFloat = typestr[1] === 'f';
  const style = random.next();
  if (style < 0.5) return randomBytes(random, itemsizeOf(typestr));
  if (isFloat && style < 0.6)
    return bytesOf(typestr, random.pick([0, -0, Infinity, -Infinity, Number.NaN, 0.1, 1 / 3]));
  return bytesOf(typestr, random.integer(0, 100) * (typestr[1] === 'u' ? 1 : random.pick([1, -1])));
}

function makeSlice(random: Random, shape: readonly number[]): string | undefined {
  if (random.next() < 0.04) return undefined;
  const parts: string[] = [];
  const count = random.next() < 0.02 ? shape.length + 1 : random.integer(0, shape.length);
  const ellipsisAt = random.next() < 0.35 ? random.integer(0, count) : -1;
  for (let i = 0; i <= count; i++) {
    while (random.next() < 0.08) parts.push(random.pick(['newaxis', 'None']));
    if (i === ellipsisAt) parts.push('...');
    if (i === count) break;
    // Behind an ellipsis axes count from the end.
    const axis = ellipsisAt >= 0 && i >= ellipsisAt ? shape.length - count + i : i;
    parts.push(makePart(random, shape[axis] ?? 1));
  }
  if (parts.length === 0) return undefined;
  const space = (): string => (random.next() < 0.15 ? ' ' : '');
  return parts.map(part => `${space()}${part}${space()}`).join(',');
}

function makePart(random: Random, length: number): string {
  if (random.next() < 0.3) {
    // An integer; now and then one that does not fit.
    const reach = random.next() < 0.97 && length > 0 ? { low: -length, high: length - 1 } : { low: length, high: 99 };
    return random.next() < 0.005 ? `1${'0'.repeat(30)}` : String(random.integer(reach.low, reach.high));
  }
  const bound = (): string => {
    const style = random.next();
    if (style < 0.3) return '';
    if (style < 0.37) return `${random.pick(['', '-'])}${'9'.repeat(random.integer(10, 40))}`;
    return String(random.integer(-length - 2, length + 2));
  };
  const step = random.pick([
    '',
    '',
    ':',
    ':1',
    ':2',
    ':3',
    ':-1',
    ':-1',
    ':-2',
    `:${'9'.repeat(25)}`,
    `:-${'9'.repeat(25)}`,
  ]);
  return `${bound()}:${bound()}${step}`;
}

// Reading.

async function checkRead(random: Random, array: Modelled, totals: { reads: number; refused: number }): Promise<Step> {
  const slice = makeSlice(random, array.shape);
  totals.reads++;
  const selected = select(slice, array.shape);
  const url = urlOf(array, slice);
  if (typeof selected === 'string') {
    totals.refused++;
    await expectProblem(await server.fetch(url), selected, slice);
    return { kind: 'read', slice: slice ?? null, error: true };
  }
  const { typestr } = array;
  const elements = selected.tuples.map(tuple => elementAt(array, tuple));
  const expected = Buffer.concat(elements);
  const shape = selected.shape.join(',');

  const endian = random.pick([undefined, undefined, 'little', 'big'] as const);
  const rawUrl = withQuery(url, endian && `endian=${endian}`);
  const raw = await server.fetch(rawUrl, { headers: { accept: 'application/octet-stream' } });
  const rawBytes = await expectBytes(raw, shape, slice);
  const isSwapped = endian !== undefined && typestr[0] !== '|' && (typestr[0] === '>') !== (endian === 'big');
  const wanted = isSwapped ? reversedItems(expected, itemsizeOf(typestr)) : expected;
  demand(rawBytes.equals(wanted), `raw of ${slice} differs`);
  const order = typestr[0] === '|' || endian === undefined ? typestr[0] : endian === 'big' ? '>' : '<';
  demand(raw.headers.get('x-array-dtype') === `${order}${typestr.slice(1)}`, `raw dtype of ${slice}`);

  const npy = await server.fetch(withQuery(url, 'format=npy'));
  const npyBytes = await expectBytes(npy, shape, slice);
  demand(npy.headers.get('x-array-dtype') === typestr, `npy dtype of ${slice}`);
  const head = npyHead(typestr, selected.shape, 'C').length;
  demand(npyBytes.length >= head && npyBytes.subarray(npyBytes.length - expected.length).equals(expected), 'npy data');
  demand(npyBytes.subarray(0, 6).toString('latin1') === '\x93NUMPY', 'npy magic');

  const quoted = random.next() < 0.5;
  const coding = random.next() < 0.5 ? 'identity' : 'gzip';
  const headers = { 'accept-encoding': coding };
  const json = await server.fetch(withQuery(url, quoted ? 'int64=string' : undefined), { headers });
  const text = await json.text();
  demand(json.status === 200, `JSON of ${slice} answers ${json.status}: ${text.slice(0, 300)}`);
  const told = json.headers.get('content-length');
  const isCoded = json.headers.has('content-encoding');
  demand(!isCoded || coding === 'gzip', 'not coded');
  demand(isCoded || told === String(Buffer.byteLength(text)), 'JSON length');
  checkJson(text, array, selected.shape, elements, quoted);
  await checkRows(array, slice, expected);
  return {
    kind: 'read',
    slice: slice ?? null,
    raw: (isSwapped ? reversedItems(rawBytes, itemsizeOf(typestr)) : rawBytes).toString('base64'),
    npy: npyBytes.toString('base64'),
    json: text,
    shape,
  };
}

/** A slice of one part is also a row, or a range of rows. */
async function checkRows(array: Modelled, slice: string | undefined, expected: Buffer): Promise<void> {
  const text = slice?.trim() ?? '';
  const bounds = text.split(':').map(bound => bound.trim());
  const base = `/v1/datasets/${array.name}/rows`;
  let url: string;
  if (/^-?\d+$/.test(text)) url = `${base}/${text}`;
  else if (/^[-\d: ]+$/.test(text)) {
    const names = ['start', 'stop', 'step'];
    url = `${base}?${bounds.flatMap((bound, i) => (bound === '' ? [] : [`${names[i]}=${bound}`])).join('&')}`;
  } else return;
  const answer = await server.fetch(url, { headers: { accept: 'application/octet-stream' } });
  demand(Buffer.from(await answer.arrayBuffer()).equals(expected), `${url} differs from slice=${text}`);
}

function checkJson(
  text: string,
  array: Modelled,
  shape: readonly number[],
  elements: readonly Uint8Array[],
  quoted: boolean,
): void {
  const body = JSON.parse(text) as { dataset: string; dtype: string; shape: number[]; generation: number };
  demand(body.dataset === array.name && body.dtype === array.typestr, 'JSON members');
  demand(Number.isSafeInteger(body.generation) && body.generation > 0, 'JSON generation');
  demand(body.shape.join(',') === shape.join(','), `JSON shape ${body.shape.join(',')}`);
  const data = dataOf(text);
  const wanted = nest(
    shape,
    elements.map(() => '#'),
  );
  demand(data.replaceAll(TOKEN, '#') === wanted, `JSON nesting ${data.slice(0, 200)}`);
  const found = tokens(data);
  demand(found.length === elements.length, 'JSON elements');
  for (const [i, token] of found.entries()) {
    const problem = wrongToken(token, array.typestr, elements[i]!, quoted);
    demand(problem === undefined, `JSON element ${i}: ${token} ${problem}`);
  }
}

/** Why a token does not say what the bytes say; undefined when it does. */
function wrongToken(token: string, typestr: string, bytes: Uint8Array, quoted: boolean): string | undefined {
  const value = valueOf(typestr, bytes);
  if (typeof value === 'boolean') return token === String(value) ? undefined : `is not ${value}`;
  if (typestr[1] !== 'f') {
    const digits = quoted && typestr.endsWith('8') ? `"${value}"` : String(value);
    return token === digits ? undefined : `is not ${digits}`;
  }
  const number = Number(value);
  if (!Number.isFinite(number)) return token === `"${number}"` ? undefined : `is not "${number}"`;
  const isSame = !token.startsWith('"') && Buffer.from(bytesOf(typestr, Number(token))).equals(bytes);
  return isSame ? undefined : `does not round to ${number}`;
}

// Writing.

async function checkWrite(random: Random, array: Modelled, totals: { writes: number; refused: number }): Promise<Step> {
  const slice = makeSlice(random, array.shape);
  totals.writes++;
  const url = urlOf(array, slice);
  const selected = select(slice, array.shape);
  const format = random.pick(['raw', 'npy', 'json'] as const);
  const shape = typeof selected === 'string' ? [] : selected.shape;
  const body = BODIES[format](random, array, shape);
  const durability = random.pick(['', '', 'durability=commit', 'durability=none']);
  const target = [durability, body.query].reduce<string>((sum, query) => withQuery(sum, query || undefined), url);
  const answer = await server.fetch(target, {
    method: 'PUT',
    headers: { 'content-type': body.type },
    body: new Uint8Array(body.bytes),
  });
  if (typeof selected !== 'string' && selected.isBehind && body.elements.length > 0) {
    totals.refused++;
    await expectProblem(answer, 'outside', slice);
    // numpy drops the elements without a word, or finds that they do not fit.
    return { kind: 'write', slice: slice ?? null, error: null, value: body.value };
  }
  const places = typeof selected === 'string' ? undefined : broadcast(body.shape, selected.shape);
  if (typeof selected === 'string' || !places) {
    totals.refused++;
    await expectProblem(answer, typeof selected === 'string' ? selected : 'shape_mismatch', slice);
    return { kind: 'write', slice: slice ?? null, error: true, value: body.value };
  }
  const text = await answer.text();
  demand(answer.status === 200, `writing ${slice} as ${format} answers ${answer.status}: ${text.slice(0, 300)}`);
  const size = sizeOf(selected.shape);
  const said = JSON.parse(text) as { elements: number; bytes: number; generation: number };
  demand(said.elements === size && said.bytes === size * itemsizeOf(array.typestr), `writing ${slice} says ${text}`);
  demand(answer.headers.get('x-dataset-generation') === String(said.generation), 'generation in the header');
  for (const [i, tuple] of selected.tuples.entries()) {
    const element = body.elements[placeOf(places[i]!, body.shape, 'C')]!;
    array.file.set(element, byteOffset(array, tuple));
  }
  return { kind: 'write', slice: slice ?? null, error: false, value: body.value };
}

interface Body {
  readonly type: string;
  readonly query?: string;
  readonly bytes: Buffer;
  readonly shape: readonly number[];
  /** In the dataset's dtype, in C order: what the model stores. */
  readonly elements: readonly Uint8Array[];
  readonly value: NumpyValue;
}

const BODIES: Readonly<
  Record<'raw' | 'npy' | 'json', (random: Random, array: Modelled, shape: readonly number[]) => Body>
> = {
  raw(random, { typestr }, selectionShape) {
    const shape = random.next() < 0.25 ? [] : selectionShape;
    const elements = Array.from({ length: sizeOf(shape) }, () => makeElement(random, typestr));
    const bytes = Buffer.concat(elements);
    const isBig = random.next() < 0.5;
    const isSwapped = typestr[0] !== '|' && (typestr[0] === '>') !== isBig;
    const said = isSwapped || random.next() < 0.3;
    return {
      type: 'application/octet-stream',
      ...(said && { query: `endian=${isBig ? 'big' : 'little'}` }),
      bytes: isSwapped ? reversedItems(bytes, itemsizeOf(typestr)) : bytes,
      shape,
      elements,
      value: { dtype: typestr, shape, order: 'C', data: bytes.toString('base64') },
    };
  },
  npy(random, { typestr }, selectionShape) {
    const shape = makeValueShape(random, selectionShape);
    const sources = TYPESTRS.filter(each => 'buif'.indexOf(each[1]!) <= 'buif'.indexOf(typestr[1]!));
    const from = random.pick(random.next() < 0.4 ? [typestr] : sources);
    const order = random.pick(['C', 'F'] as const);
    const values = Array.from({ length: sizeOf(shape) }, () => makeExact(random, from, typestr));
    const sent = tuplesOf(order === 'F' ? shape.toReversed() : shape).map(tuple =>
      bytesOf(from, values[placeOf(order === 'F' ? tuple.toReversed() : tuple, shape, 'C')]!),
    );
    const data = Buffer.concat(sent);
    return {
      type: 'application/x-npy',
      bytes: Buffer.concat([npyHead(from, shape, order), data]),
      shape,
      elements: values.map(value => bytesOf(typestr, value)),
      value: { dtype: from, shape, order, data: data.toString('base64') },
    };
  },
  json(random, { typestr }, selectionShape) {
    const wanted = makeValueShape(random, selectionShape);
    // Lists cannot tell what is inside an empty list.
    const shape = wanted.includes(0) ? wanted.slice(0, wanted.indexOf(0) + 1) : wanted;
    const drawn = Array.from({ length: sizeOf(shape) }, () => makeElement(random, typestr));
    const texts = drawn.map(bytes => jsonText(random, typestr, valueOf(typestr, bytes)));
    const json = nest(shape, texts);
    return {
      type: 'application/json',
      bytes: Buffer.from(json),
      shape,
      // The payload of a NaN has no digits: it arrives as the usual one.
      elements: drawn.map(bytes => bytesOf(typestr, valueOf(typestr, bytes))),
      value: { json },
    };
  },
};

/** A shape that broadcasts to the selection's, most of the time. */
function makeValueShape(random: Random, shape: readonly number[]): number[] {
  const style = random.next();
  if (style < 0.3) return [...shape];
  if (style < 0.5) return [];
  if (style < 0.54) return [...shape, 2];
  if (style < 0.58) return [3, ...shape];
  const kept = shape.slice(random.integer(0, shape.length)).map(length => (random.next() < 0.3 ? 1 : length));
  return style < 0.7 ? [1, 1, ...kept] : kept;
}

/** A value that both dtypes hold. */
function makeExact(random: Random, from: string, to: string): ModelValue {
  if (from[1] === 'b') return random.next() < 0.5;
  const isSigned = from[1] !== 'u' && to[1] !== 'u';
  const whole = random.integer(0, 100) * (isSigned ? random.pick([1, -1]) : 1) || 0;
  return from[1] === 'f' ? whole / 4 : whole;
}

function jsonText(random: Random, typestr: string, value: ModelValue): string {
  if (typestr[1] === 'f') {
    if (!Number.isFinite(value)) return `"${Number(value)}"`;
    return Object.is(value, -0) ? '-0.0' : String(value);
  }
  return typestr.endsWith('8') && random.next() < 0.3 ? `"${value}"` : String(value);
}

// Small things.

function pathOf(array: Modelled): string {
  return path.join(root, `${array.name}${array.format === 'npy' ? '.npy' : '.bin'}`);
}

async function register(array: Modelled): Promise<void> {
  const { name, typestr, shape, order, offset, format } = array;
  fs.writeFileSync(pathOf(array), array.file);
  const geometry = format === 'npy' ? {} : { dtype: typestr, shape, order, offset };
  const body = await create({ name, path: path.basename(pathOf(array)), mode: 'r+', ...geometry });
  demand(body.dtype === typestr && body.shape.join(',') === shape.join(','), `${name} is registered as it is`);
}

async function create(body: object): Promise<{ dtype: string; shape: number[] }> {
  const answer = await server.fetch('/v1/datasets', { method: 'POST', headers: JSON_BODY, body: JSON.stringify(body) });
  demand(answer.status === 201, `registering answers ${answer.status}`);
  return (await answer.json()) as { dtype: string; shape: number[] };
}

function byteOffset({ offset, shape, order, typestr }: Modelled, tuple: readonly number[]): number {
  return offset + placeOf(tuple, shape, order) * itemsizeOf(typestr);
}

function elementAt(array: Modelled, tuple: readonly number[]): Buffer {
  const start = byteOffset(array, tuple);
  return array.file.subarray(start, start + itemsizeOf(array.typestr));
}

function urlOf(array: Modelled, slice: string | undefined): string {
  return withQuery(`/v1/datasets/${array.name}/data`, slice && `slice=${encodeURIComponent(slice)}`);
}

function withQuery(url: string, query: string | undefined): string {
  return query ? `${url}${url.includes('?') ? '&' : '?'}${query}` : url;
}

async function bytesAt(url: string): Promise<Buffer> {
  return Buffer.from(await (await server.fetch(url)).arrayBuffer());
}

async function expectBytes(answer: Response, shape: string, slice: string | undefined): Promise<Buffer> {
  const bytes = Buffer.from(await answer.arrayBuffer());
  demand(answer.status === 200, `${slice} answers ${answer.status}: ${bytes.toString().slice(0, 300)}`);
  demand(answer.headers.get('content-length') === String(bytes.length), `length of ${slice}`);
  demand(answer.headers.get('x-array-shape') === shape, `shape of ${slice} is not ${shape}`);
  return bytes;
}

async function expectProblem(answer: Response, code: string, slice: string | undefined): Promise<void> {
  const text = await answer.text();
  demand(answer.status === 422, `${slice} answers ${answer.status}: ${text.slice(0, 300)}`);
  demand((JSON.parse(text) as { code: string }).code === code, `${slice} answers ${text}`);
}

function demand(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

function randomBytes(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(0, 255));
}

function reversedItems(bytes: Uint8Array, itemsize: number): Buffer {
  const items = Array.from({ length: bytes.length / itemsize }, (_, i) =>
    bytes.slice(i * itemsize, (i + 1) * itemsize).toReversed(),
  );
  return Buffer.concat(items);
}

/** A header of version 1.0, written without src/. */
function npyHead(typestr: string, shape: readonly number[], order: 'C' | 'F'): Buffer {
  const tuple = `(${shape.map(length => `${length},`).join(' ')})`;
  const dict = `{'descr': '${typestr}', 'fortran_order': ${order === 'F' ? 'True' : 'False'}, 'shape': ${tuple}, }`;
  const text = `${dict.padEnd(Math.ceil((dict.length + 11) / 64) * 64 - 11)}\n`;
  return Buffer.concat([
    Buffer.from('\x93NUMPY\x01\0', 'latin1'),
    Buffer.of(text.length & 255, text.length >> 8),
    Buffer.from(text),
  ]);
}

function nest(shape: readonly number[], texts: readonly string[]): string {
  if (shape.length === 0) return texts[0]!;
  const [length, ...rest] = shape;
  const each = sizeOf(rest);
  const lists = Array.from({ length: length! }, (_, i) => nest(rest, texts.slice(i * each, (i + 1) * each)));
  return `[${lists.join(',')}]`;
}

const TOKEN = /"[^"]*"|true|false|-?[0-9][0-9.eE+-]*/g;

/** The scalars of a JSON text, as written. */
function tokens(json: string): string[] {
  return json.match(TOKEN) ?? [];
}

function canonical(token: string): string {
  const value: unknown = JSON.parse(token);
  return Object.is(value, -0) ? '-0' : String(value);
}

/** The text of the data member, which is the last one. */
function dataOf(text: string): string {
  return text.slice(text.indexOf('"data":') + 7, -1);
}
