/** Coarsened answers of one array in many forms are the same numbers, of one generation, whatever computes them. */
import t from 'tap';
import { seededRandom } from '../helpers/random.js';
import { startHere, type ServiceHere } from '../helpers/service-here.js';
import { binary, create, json } from '../system/calls.js';

const SHAPE = [301, 97];
const SIZE = 301 * 97;
const random = seededRandom(11);
/** Of many magnitudes, so that another order of sums would be other bits. */
const VALUES = Float32Array.from({ length: SIZE }, () => (random.next() - 0.5) * 2 ** (random.next() * 40));
const DTYPE = [['pad', '|u1'], ['value', '<f4'], ['other', '<i2']]; // prettier-ignore

async function fill(service: ServiceHere): Promise<void> {
  await create(service, { name: 'c', dtype: '<f4', shape: SHAPE });
  await create(service, { name: 'f', dtype: '<f4', shape: SHAPE, order: 'F' });
  await create(service, { name: 'big', dtype: '>f4', shape: SHAPE });
  await create(service, { name: 'table', dtype: DTYPE, shape: SHAPE });
  await create(service, { name: 'reversed', dtype: '<f4', shape: SHAPE });
  const body = binary('PUT', Buffer.from(VALUES.buffer));
  const backwards = binary('PUT', Buffer.from(VALUES.toReversed().buffer));
  for (const [where, request] of [
    ['c/data', body],
    ['f/data', body],
    ['big/data?endian=little', body],
    ['table/data?field=value', body],
    ['reversed/data', backwards],
  ] as const) {
    const answer = await service.fetch(`/v1/datasets/${where}`, request);
    if (answer.status !== 200) throw new Error(`${where}: ${await answer.text()}`);
  }
}

t.test('the same blocks are the same bits in every form, with 1, 2 and 7 workers', async t => {
  const answers = new Map<string, Buffer>();
  for (const workers of [1, 2, 7]) {
    const service = await startHere(t, { env: { HYPERSLAB_WORKERS: String(workers) } });
    await fill(service);
    for (const method of ['mean', 'sum', 'minmax', 'first']) {
      for (const [name, more] of [
        ['c', ''],
        ['f', ''],
        ['big', 'endian=little'],
        ['table', 'field=value'],
        ['reversed', 'slice=::-1,::-1'],
        ['c', 'dtype=%3Ef8&endian=little'],
      ] as const) {
        const isWide = more.startsWith('dtype');
        const answer = await service.fetch(
          `/v1/datasets/${name}/data?format=raw&coarsen=10,7&method=${method}&${more}`,
        );
        const bytes = Buffer.from(await answer.arrayBuffer());
        if (answer.status !== 200) t.fail(bytes.toString());
        t.equal(answer.headers.get('x-array-dtype'), isWide || method === 'sum' ? '<f8' : '<f4', `${name} ${method}`);
        // Sums differ in the order in which an F-order array is read.
        const order = name === 'f' || name === 'reversed' ? name : 'c';
        const key = `${method} ${isWide} ${['minmax', 'first'].includes(method) ? '' : order}`;
        const known = answers.get(key) ?? bytes;
        answers.set(key, known);
        t.ok(bytes.equals(known), `${name} ${method} ${more}, ${workers} workers`);
      }
    }
    await service.stop();
  }
  const of = (key: string): Float64Array => new Float64Array(new Uint8Array(answers.get(key)!).buffer);
  for (const order of ['f', 'reversed']) {
    const alike = of(`sum false ${order}`).every((value, i) => Math.abs(value - of('sum false c')[i]!) <= 1e-3);
    t.ok(alike, `sums of ${order}`);
  }
});

t.test('an answer is of one generation while others write', async t => {
  const service = await startHere(t, { env: { HYPERSLAB_WORKERS: '2' } });
  await create(service, { name: 'busy', dtype: '<i4', shape: [2048, 1024] });
  let written = 0;
  let answered = 0;
  const isEnough = (): boolean => written >= 6 && answered >= 6;
  const write = async (): Promise<void> => {
    while (!isEnough()) {
      const answer = await service.fetch('/v1/datasets/busy/data', json('PUT', written + 1));
      if (answer.status !== 200) t.fail(await answer.text());
      written++;
    }
  };
  const writing = write();
  for (let round = 0; !isEnough(); round++) {
    const method = ['minmax', 'mean', 'max'][round % 3]!;
    const answer = await service.fetch(`/v1/datasets/busy/data?format=raw&dtype=f8&coarsen=64,32&method=${method}`);
    if (answer.status === 503) {
      t.equal(((await answer.json()) as { code: string }).code, 'busy_writing');
      continue;
    }
    t.equal(answer.status, 200);
    const values = new Set(new Float64Array(await answer.arrayBuffer()));
    t.equal(values.size, 1, `${method}: ${[...values].slice(0, 5).join()}`);
    const generation = Number(answer.headers.get('x-dataset-generation'));
    t.ok(values.has(generation - 1), `generation ${generation} has ${[...values].join()}`);
    answered++;
  }
  await writing;
});
