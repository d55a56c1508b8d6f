/** Random assignments through indices of every kind, over HTTP and in numpy: the same arrays are left. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere, type ServiceHere } from '../helpers/service-here.js';

interface Case {
  readonly array: string;
  readonly writes: readonly object[];
  /** The elements of the array afterwards, in C order. */
  readonly left: string;
}

const JSON_TYPE = { 'content-type': 'application/json' };

async function register(service: ServiceHere, name: string, file: string, mode: string): Promise<number> {
  const body = JSON.stringify({ name, path: file, mode });
  return (await service.fetch('/v1/datasets', { method: 'POST', headers: JSON_TYPE, body })).status;
}

t.test(
  'random assignments leave what numpy leaves, at once and after a restart',
  { skip: PYTHON ? false : NO_NUMPY },
  async t => {
    const folder = temporaryFolder();
    t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
    runPython('select/live/writes.py', [folder, '5', String(caseCount(200, 2000))]);
    const service = await startHere(t, { env: { HYPERSLAB_ROOTS: folder } });
    for (const file of fs.readdirSync(folder).filter(name => name.endsWith('.npy'))) {
      const name = path.basename(file, '.npy');
      // oxlint-disable-next-line no-await-in-loop
      t.equal(await register(service, name, file, name.startsWith('w') ? 'r+' : 'r'), 201, name);
    }
    const faults: string[] = [];
    const lines = fs.readFileSync(path.join(folder, 'cases.jsonl'), 'utf8').trim().split('\n');
    const last = new Map<string, string>();
    for (const line of lines) {
      const { array, writes, left } = JSON.parse(line) as Case;
      // oxlint-disable-next-line no-await-in-loop
      const answer = await service.fetch(`/v1/datasets/${array}/writes`, {
        method: 'POST',
        headers: JSON_TYPE,
        body: JSON.stringify({ writes }),
      });
      const text = await answer.text(); // oxlint-disable-line no-await-in-loop
      if (answer.status !== 200) {
        faults.push(`${JSON.stringify(writes)}: ${text}`);
        break;
      }
      const found = await service.fetch(`/v1/datasets/${array}/data.raw`); // oxlint-disable-line no-await-in-loop
      const bytes = Buffer.from(await found.arrayBuffer()).toString('base64'); // oxlint-disable-line no-await-in-loop
      if (bytes !== left) faults.push(`${array} ${JSON.stringify(writes)}: other elements`);
      if (faults.length > 5) break;
      last.set(array, left);
    }
    t.strictSame(faults, [], `${lines.length} alike`);
    await service.stop();
    const again = await startHere(t, { dataDir: service.dataDir, env: { HYPERSLAB_ROOTS: folder } });
    for (const [array, left] of last) {
      const found = await again.fetch(`/v1/datasets/${array}/data.raw`); // oxlint-disable-line no-await-in-loop
      // oxlint-disable-next-line no-await-in-loop
      t.equal(Buffer.from(await found.arrayBuffer()).toString('base64'), left, `${array} after a restart`);
    }
  },
);

t.test('filters and masks see the array before the batch, and what they choose is one commit', async t => {
  const service = await startHere(t);
  const make = { name: 'a', dtype: '<i4', shape: [6] };
  t.equal(
    (await service.fetch('/v1/datasets', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(make) })).status,
    201,
  );
  const write = async (writes: readonly object[]): Promise<{ status: number; body: Record<string, unknown> }> => {
    const answer = await service.fetch('/v1/datasets/a/writes', {
      method: 'POST',
      headers: JSON_TYPE,
      body: JSON.stringify({ writes }),
    });
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };
  const first = await write([{ slice: ':', data: [1, 2, 3, 4, 5, 6] }]);
  const second = await write([
    { where: { self: true, gt: 3 }, data: 0 },
    { where: { self: true, gt: 3 }, data: [7, 8, 9] },
    { index: [[0, 0, -1]], data: [10, 11, 12] },
  ]);
  t.equal(second.status, 200, JSON.stringify(second.body));
  t.equal(second.body['generation'], (first.body['generation'] as number) + 1);
  t.equal(second.body['elements'], 9);
  const { data } = (await (await service.fetch('/v1/datasets/a/data')).json()) as { data: number[] };
  t.strictSame(data, [11, 2, 3, 7, 8, 12]);
  for (const [code, entry] of [
    ['index_out_of_bounds', { index: [[6]], data: 1 }],
    ['shape_mismatch', { index: [[0, 1]], data: [1, 2, 3] }],
    ['bad_index', { index: [[true]], data: 1 }],
    ['bad_request', { index: [[0]], slice: '0', data: 1 }],
    ['bad_json', { where: { self: true, gt: 0 }, limit: 1, data: 1 }],
    ['unknown_field', { field: 'x', data: 1 }],
  ] as const) {
    const refused = await write([{ slice: '0', data: 99 }, entry]); // oxlint-disable-line no-await-in-loop
    t.equal(refused.body['code'], code, JSON.stringify(entry));
  }
  const same = (await (await service.fetch('/v1/datasets/a/data')).json()) as { data: number[] };
  t.strictSame(same.data, data, 'what was refused wrote nothing');
});

t.test('entries of a multipart batch may go to lists, masks, points and what a filter keeps', async t => {
  const service = await startHere(t);
  const make = { name: 'm', dtype: '>i2', shape: [4, 3] };
  await service.fetch('/v1/datasets', { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(make) });
  const writes = [
    { index: [[3, true]] },
    { points: [[0, 0], [2, -1]] }, // prettier-ignore
    { mask: [[false, true, false], [false, false, false], [true, false, false], [false, false, false]] }, // prettier-ignore
    { where: { column: 0, eq: 0 }, slice: undefined },
  ];
  const send = async (...parts: readonly (readonly number[])[]): Promise<[number, Record<string, unknown>]> => {
    const body = new FormData();
    body.append(
      'writes',
      new Blob([JSON.stringify({ writes: writes.slice(0, parts.length) })], { type: 'application/json' }),
    );
    for (const part of parts) {
      const bytes = Buffer.alloc(2 * part.length);
      for (const [i, value] of part.entries()) bytes.writeInt16BE(value, 2 * i);
      body.append('data', new Blob([bytes], { type: 'application/octet-stream' }));
    }
    const answer = await service.fetch('/v1/datasets/m/writes', { method: 'POST', body });
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  };
  const rows = [1, 2, 3, 4, 5, 6];
  t.match(await send(rows, [7, 8], [9, 10]), [200, { writes: 3, elements: 10, bytes: 20 }]);
  const left = async (): Promise<unknown> => {
    return ((await (await service.fetch('/v1/datasets/m/data')).json()) as { data: unknown }).data;
  };
  const expected = [[7, 9, 0], [4, 5, 6], [10, 0, 8], [1, 2, 3]]; // prettier-ignore
  t.strictSame(await left(), expected);
  const [status, problem] = await send(rows, [7, 8], [9]);
  t.strictSame([status, problem['code']], [200, undefined], 'one item fills');
  t.strictSame(await left(), [[7, 9, 0], [4, 5, 6], [9, 0, 8], [1, 2, 3]]); // prettier-ignore
  const [wrong, why] = await send(rows, [7, 8, 9]);
  t.strictSame([wrong, why['code'], why['index']], [422, 'body_size_mismatch', 1]);
});
