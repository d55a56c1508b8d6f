/** Names that `dims` gives to axes: which are taken, and that each call that takes an axis takes them. */
import t from 'tap';
import { startHere } from '../helpers/service-here.js';

const BAD = [
  ['y', 'y'],
  ['', 'x'],
  [' ', 'x'],
  ['y ', 'x'],
  ['y,z', 'x'],
  ['0', 'x'],
  ['-1', 'x'],
  ['y'],
  ['y', 'x', 'z'],
];

t.test('names of axes', async t => {
  const service = await startHere(t);
  const send = async (method: string, path: string, body?: unknown): Promise<[number, Record<string, unknown>]> => {
    const answer = await service.fetch(path, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return [answer.status, (await answer.json()) as Record<string, unknown>];
  };
  const made = { dtype: 'f8', shape: [2, 3] };
  t.equal((await send('POST', '/v1/datasets', { ...made, name: 'm', dims: ['day', 'variable'] }))[0], 201);
  t.equal((await send('PUT', '/v1/datasets/m/data', [[1, 2, 3], [4, 5, 9]]))[0], 200); // prettier-ignore
  for (const dims of BAD) {
    for (const [method, path, body] of [
      ['POST', '/v1/datasets', { ...made, name: 'other', dims }],
      ['POST', '/v1/datasets', { name: 'other', path: 'arrays/m.npy', dims }],
      ['PATCH', '/v1/datasets/m', { dims }],
    ] as const) {
      const [status, problem] = await send(method, path, body); // oxlint-disable-line no-await-in-loop
      t.strictSame([status, problem['code']], [422, 'bad_shape'], `${method} ${JSON.stringify(dims)}`);
      t.match(
        problem['detail'],
        dims.length === 2 ? /^dims\[\d\] is "/ : /^dims has \d name/,
        String(problem['detail']),
      );
    }
  }
  t.strictSame((await send('GET', '/v1/datasets/m'))[1]['dims'], ['day', 'variable']);

  const results = async (query: object): Promise<unknown> => {
    const [, { axis, results: found, groups }] = await send('POST', '/v1/datasets/m/statistics', query);
    return [axis, groups ?? found];
  };
  const quantile = { quantile: { q: [0, 0.5] } };
  for (const ops of [['mean'], ['argmax'], ['median'], [quantile], ['min', 'count']]) {
    for (const [name, number] of [
      ['day', 0],
      ['variable', 1],
      [
        ['variable', 'day'],
        [0, 1],
      ],
      [['variable'], [1]],
    ]) {
      if (ops[0] === 'argmax' && typeof number === 'object' && (number as number[]).length > 1) continue;
      const named = await results({ ops, axis: name }); // oxlint-disable-line no-await-in-loop
      t.strictSame(named, await results({ ops, axis: number }), JSON.stringify([ops, name])); // oxlint-disable-line no-await-in-loop
      t.ok((named as unknown[])[1], JSON.stringify(named));
    }
  }
  const grouped = { ops: ['sum'], group_by: { rows: 1 } };
  t.strictSame(await results({ ...grouped, axis: 'day' }), await results({ ...grouped, axis: 0 }));
  t.strictSame(await results({ ops: ['sum'], axis: 'day', slice: 'newaxis, 1:' }), [[1], { sum: [[4, 5, 9]] }]);
  const batch = await service.fetch('/v1/statistics', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queries: [{ dataset: 'm', ops: ['sum'], axis: 'variable' }] }),
  });
  t.match(await batch.text(), '"results":{"sum":[6,18]}');
  const [status, problem] = await send('GET', '/v1/datasets/m/statistics?ops=mean&axis=day&slice=0');
  t.strictSame([status, problem['code']], [422, 'bad_axis'], 'an axis that the slice drops has no name any more');
});
