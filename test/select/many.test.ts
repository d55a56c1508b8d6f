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

const MAKE = `
import sys
import numpy as np
items = np.zeros(300_000, [("a", "<i4"), ("b", ">f8", (2,)), ("s", "S3")])
items["a"] = np.arange(300_000) - 7
items["b"] = items["a"][:, None] / np.array([2.0, 4.0])
items["s"] = b"xyz"
np.save(sys.argv[1] + "/items.npy", items)
np.save(sys.argv[1] + "/plain.npy", np.arange(12, dtype=">f4").reshape(3, 4))
`;
const COMPARE = `
import sys
import numpy as np
items, plain = (np.load(f"{sys.argv[1]}/{name}.npy") for name in ("items", "plain"))
answer = np.load(sys.argv[2])
rows = np.flatnonzero(items["a"] > 299_990)
wanted = {
    "both": np.array(items[["s", "a"]].tolist(), [("s", "S3"), ("a", ">i4")]),
    "column": items["b"][::-2, 1].astype(">f4"),
    "wide": items["a"].astype(">c16"),
    "plain": plain[[2, 0]],
    "numbers": rows.astype(">i8"),
    "small": rows[:2].astype(">u4"),
}
assert list(answer) == list(wanted), list(answer)
for name, each in wanted.items():
    assert answer[name].dtype == each.dtype, (name, answer[name].dtype, each.dtype)
    assert answer[name].tobytes() == each.tobytes(), name
`;

t.test('each read has its fields, its dtype and its casting', { skip: PYTHON ? false : NO_NUMPY }, async t => {
  const service = await startHere(t);
  const run = (program: string, ...args: string[]): string =>
    spawnSync(PYTHON!, ['-c', program, service.dataDir, ...args], { encoding: 'utf8' }).stderr;
  t.equal(run(MAKE), '');
  const post = (where: string, body: object): Promise<Response> =>
    service.fetch(where, { method: 'POST', headers: JSON_TYPE, body: JSON.stringify(body) });
  for (const name of ['items', 'plain']) await post('/v1/datasets', { name, path: `${name}.npy` }); // oxlint-disable-line no-await-in-loop
  const where = { field: 'a', gt: 299_990 };
  const reads = [
    { dataset: 'items', name: 'both', field: 's,a' },
    { dataset: 'items', name: 'column', field: 'b', slice: '::-2, 1', dtype: 'float32', casting: 'same_kind' },
    { dataset: 'items', name: 'wide', field: 'a', dtype: '<c16' },
    { dataset: 'plain', name: 'plain', index: [[2, 0]] },
    { dataset: 'items', name: 'numbers', where, return: 'indices' },
    { dataset: 'items', name: 'small', where, limit: 2, return: 'indices', dtype: 'u4', casting: 'unsafe' },
  ];
  const answer = await post('/v1/select?format=npz&endian=big', { reads });
  t.equal(answer.status, 200);
  const file = path.join(service.dataDir, 'answer.npz');
  fs.writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
  t.equal(run(COMPARE, file), '');

  const listOf = async (where: string, body: object): Promise<unknown> => {
    const answers = (await (await post(where, body)).json()) as { dtype: unknown; data: unknown }[];
    return answers.map(({ dtype, data }) => [dtype, data]);
  };
  t.strictSame(await listOf('/v1/datasets/items/select?field=s,a&dtype=safe', { slices: ['0', '1:2'] }), [
    [[['s', '|S3'], ['a', '<i4']], { s: 'xyz', a: -7 }], // prettier-ignore
    [[['s', '|S3'], ['a', '<i4']], [{ s: 'xyz', a: -6 }]], // prettier-ignore
  ]);
  const asked = { dataset: 'items', slice: '0' };
  t.strictSame(
    await listOf('/v1/select?dtype=f8&int64=string', {
      reads: [
        { ...asked, field: 'a' },
        { ...asked, field: 'a', dtype: '>i8' },
        { ...asked, where, limit: 1, slice: ':', dtype: [['a', '<i8'], ['b', '<f8', [2]], ['s', 'S3']] }, // prettier-ignore
        { dataset: 'plain', index: [[true, 2], 0], dtype: null },
      ],
    }),
    [
      ['<f8', -7],
      ['>i8', '-7'],
      [[['a', '<i8'], ['b', '<f8', [2]], ['s', '|S3']], [{ a: '299991', b: [149995.5, 74997.75], s: 'xyz' }]], // prettier-ignore
      ['<f8', [4, 8]],
    ],
  );
  const refused = async (where: string, body: object): Promise<[number, string]> => {
    const refusal = await post(where, body);
    return [refusal.status, ((await refusal.json()) as { code: string }).code];
  };
  for (const format of ['json', 'npz']) {
    const many = `/v1/select?format=${format}`;
    const read = { dataset: 'items', field: 'a' };
    // oxlint-disable no-await-in-loop
    t.strictSame(await refused(many, { reads: [{ ...read, dtype: 'i2' }] }), [422, 'would_lose']);
    t.strictSame(await refused(many, { reads: [{ ...read, dtype: 'S4', casting: 'unsafe' }] }), [
      422,
      'unsupported_dtype',
    ]);
    t.strictSame(await refused(many, { reads: [{ ...read, dtype: 'i8', casting: 'some' }] }), [400, 'bad_request']);
    t.strictSame(await refused(`${many}&dtype=x`, { reads: [read] }), [422, 'unsupported_dtype']);
    t.strictSame(await refused(`${many}&field=a`, { reads: [read] }), [400, 'bad_request']);
    t.strictSame(await refused(many, { reads: [{ ...read, where, return: 'indices', slice: '0' }] }), [
      400,
      'bad_request',
    ]);
    // oxlint-enable no-await-in-loop
  }
});
