/** Statistics while others write: each answer is that of the generation it names, whatever passes over the data it took. */
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { seededRandom } from '../helpers/random.js';
import { start } from '../helpers/server.js';
import { create, json } from '../system/calls.js';

const ROWS = 2048;
const COLUMNS = 4096;
const ANSWERS_MIN = caseCount(24, 60);
/** Of fewer, too few changed under the statistics. */
const GENERATIONS_MIN = 6;

interface Write {
  readonly first: number;
  readonly rows: number;
  readonly value: number;
}

interface Answer {
  readonly generation: number;
  readonly results: { readonly sum: number; readonly max: number; readonly median: number };
}

t.test('sums, extremes and medians are those of one generation', async t => {
  const server = await start(t, {});
  await create(server, { name: 'grid', dtype: '<i4', shape: [ROWS, COLUMNS] });
  const writes = new Map<number, Write>();
  const answers: Answer[] = [];
  const writers = { areDone: false };

  const write = async (seed: number): Promise<void> => {
    const random = seededRandom(seed);
    while (!writers.areDone) {
      const rows = random.integer(1, 300);
      const first = random.integer(0, ROWS - rows);
      const value = random.integer(-1000, 1000);
      const response = await server.fetch(
        `/v1/datasets/grid/data?slice=${first}:${first + rows}${random.next() < 0.3 ? '&durability=none' : ''}`,
        json('PUT', value),
      );
      if (response.status === 503) continue;
      const { generation } = (await response.json()) as { generation: number };
      writes.set(generation, { first, rows, value });
    }
  };
  const asked = new Set<number>();
  const ask = async (headers: Record<string, string>): Promise<void> => {
    while (answers.length < ANSWERS_MIN || asked.size < GENERATIONS_MIN) {
      const response = await server.fetch('/v1/datasets/grid/statistics?ops=sum,max,median', { headers });
      if (response.status === 503) continue;
      const answer = (await response.json()) as Answer;
      answers.push(answer);
      asked.add(answer.generation);
    }
  };
  const writing = [write(1), write(2)];
  await Promise.all([ask({}), ask({ 'cache-control': 'no-cache' }), ask({})]);
  writers.areDone = true;
  await Promise.all(writing);

  const rows = new Int32Array(ROWS);
  const expected = new Map<number, Answer['results']>();
  const last = Math.max(...writes.keys());
  for (let generation = 1; generation <= last; generation++) {
    const change = writes.get(generation);
    if (change) rows.fill(change.value, change.first, change.first + change.rows);
    if (!asked.has(generation)) continue;
    const sorted = rows.toSorted();
    const sum = COLUMNS * sorted.reduce((total, each) => total + each, 0);
    expected.set(generation, { sum, max: sorted.at(-1)!, median: (sorted[ROWS / 2 - 1]! + sorted[ROWS / 2]!) / 2 });
  }
  const wrong = answers.filter(({ generation, results }) => {
    const known = expected.get(generation);
    return !known || known.sum !== results.sum || known.max !== results.max || known.median !== results.median;
  });
  t.strictSame(wrong.slice(0, 3), []);
  t.comment(`${asked.size} generations among ${answers.length} answers, ${writes.size} writes`);
});
