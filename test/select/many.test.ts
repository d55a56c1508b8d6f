/** Several reads in one answer: as JSON, and as a .npz that numpy opens. */
import fs from 'node:fs';
import path from 'node:path';
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { NO_NUMPY, PYTHON } from '../helpers/python.js';
import { startHere } from '../helpers/service-here.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const SHOW = `
import json, sys, zipfile
import numpy as np
assert zipfile.ZipFile(sys.argv[1]).testzip() is None
print(json.dumps({name: [each.dtype.str, each.tolist()] for name, each in np.load(sys.argv[1]).items()}))
`;

t.test('slices of one dataset, and reads of several', { skip: PYTHON ? false : NO_NUMPY }, async t => {
  const service = await startHere(t);
  const post = (where: string, body: object): Promise<Response> =>
    service.fetch(where, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });
  for (const [name, dtype, shape] of [
    ['a', '<i4', [3, 2]],
    ['b', '>f8', [300_000]],
  ] as const) {
    t.equal((await post('/v1/datasets', { name, dtype, shape })).status, 201); // oxlint-disable-line no-await-in-loop
  }
  await post('/v1/datasets/a/writes', {
    writes: [
      {
        data: [
          [1, 2],
          [3, 4],
          [5, 6],
        ],
      },
    ],
  });
  await post('/v1/datasets/b/writes', { writes: [{ slice: '299999', data: 7.5 }] });
  const reads = [
    { dataset: 'a', slice: '::-1, 0' },
    { dataset: 'b', name: 'rest', slice: '299998:' },
    { dataset: 'a', name: 'rows', index: [[2, 0]] },
    { dataset: 'b', name: 'all' },
    { dataset: 'a', name: 'none', slice: '3:' },
  ];
  const listed = (await (await post('/v1/select', { reads: reads.slice(0, 3) })).json()) as Record<string, unknown>[];
  t.strictSame(
    listed.map(({ name, dataset, data }) => [name, dataset, data]),
    [
      ['0', 'a', [5, 3, 1]],
      ['rest', 'b', [0, 7.5]],
      [
        'rows',
        'a',
        [
          [5, 6],
          [1, 2],
        ],
      ],
    ],
  );
  const file = path.join(service.dataDir, 'answer.npz');
  const open = async (answer: Response): Promise<Record<string, [string, unknown]>> => {
    t.equal(answer.headers.get('content-type'), 'application/x-npz');
    fs.writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    const { stdout, stderr } = spawnSync(PYTHON!, ['-c', SHOW, file], { encoding: 'utf8', maxBuffer: 1 << 28 });
    if (stderr) t.fail(stderr);
    return JSON.parse(stdout) as Record<string, [string, unknown]>;
  };
  const { all, ...others } = await open(await post('/v1/select?format=npz', { reads }));
  t.strictSame(others, {
    0: ['<i4', [5, 3, 1]],
    rest: ['>f8', [0, 7.5]],
    rows: [
      '<i4',
      [
        [5, 6],
        [1, 2],
      ],
    ],
    none: ['<i4', []],
  });
  const values = all![1] as number[];
  t.equal(values.length, 300_000);
  t.ok(values.every((value, i) => value === (i === 299_999 ? 7.5 : 0)));
  t.strictSame(await open(await post('/v1/datasets/a/select?format=npz', { slices: ['0', '1:, 1'] })), {
    0: ['<i4', [1, 2]],
    1: ['<i4', [4, 6]],
  });
  for (const [code, body] of [
    [
      'bad_request',
      {
        reads: [
          { dataset: 'a', name: 'x' },
          { dataset: 'b', name: 'x' },
        ],
      },
    ],
    ['bad_name', { reads: [{ dataset: 'a', name: '../x' }] }],
    ['unknown_dataset', { reads: [{ dataset: 'c' }] }],
    ['bad_json', { reads: [] }],
  ] as const) {
    t.equal(((await (await post('/v1/select', body)).json()) as { code: string }).code, code, code); // oxlint-disable-line no-await-in-loop
  }
});
