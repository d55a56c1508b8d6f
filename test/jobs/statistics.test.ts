/** Statistics while writers are at work: what is answered is of the generation that stood when it began. */
import fs from 'node:fs';
import path from 'node:path';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { Dataset } from '../../src/dataset/dataset.js';
import type { DatasetRecord } from '../../src/dataset/record.js';
import { changesOf, targetOf } from '../../src/dataset/target.js';
import { writeChanges } from '../../src/dataset/write.js';
import { numberDType } from '../../src/dtype/index.js';
import type { Durability } from '../../src/file/commit.js';
import { FileTable } from '../../src/file/file-table.js';
import { Generations } from '../../src/file/generations.js';
import { Journals } from '../../src/file/journal/journals.js';
import { Roots } from '../../src/file/roots.js';
import { tellReaders } from '../../src/file/tell-readers.js';
import { writeThrough } from '../../src/file/write-through.js';
import type { Scanning } from '../../src/jobs/pool.js';
import { PartialCache } from '../../src/jobs/partial-cache.js';
import { runStatistics, type StatisticsOptions, type StatisticsRun } from '../../src/jobs/statistics.js';
import { BufferPool } from '../../src/jobs/buffer-pool.js';
import { runScan, type ScanAnswer, type ScanTask } from '../../src/jobs/scan-task.js';
import { newWorkplace } from '../../src/jobs/tasks.js';
import { packedView } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { selectFrom } from '../../src/layout/select.js';
import { normalise, parseSlice } from '../../src/selection.js';
import {
  chunkAt,
  compileKernels,
  Computation,
  computeInProcess,
  parseQuery,
  planQuery,
  planStatistics,
  type QueryInput,
  type QueryPlan,
  type SinkPartial,
} from '../../src/statistics/index.js';
import { seededRandom } from '../helpers/random.js';
import { temporaryFolder } from '../helpers/server.js';
import { atOnce } from '../../src/turns.js';
import type { PackedPartials } from '../../src/jobs/packed-partials.js';

const workplace = newWorkplace(compileKernels(), false);
const ROWS = 64;
const COLUMNS = 16;
const ROW_BYTES = COLUMNS * 8;
const DTYPE = numberDType('<f8');
/** Two rows make a chunk. */
const CHUNK_BYTES = 2 * ROW_BYTES;
const CHUNKS = ROWS / 2;
const PLAN_BOUNDS = {
  chunkBytesMax: CHUNK_BYTES,
  chunkSpanBytesMax: 1e9,
  tileBytesMax: ROW_BYTES,
  chunkCellsMax: COLUMNS,
};

/**
 * Scans in this thread, a chunk a turn, and calls back before and after each as if it went on for so long: what is written
 * after it was read counts as written meanwhile.
 */
class ScriptedPool implements Scanning {
  readonly workers: number = 1;
  readonly buffers = new BufferPool();
  scanned = 0;
  turns = 0;
  before: (chunk: number) => Promise<unknown> = async () => {};
  after: (chunk: number) => Promise<unknown> = async () => {};
  /** After so many chunks a turn is over. */
  chunksMax = (): number => 1;

  async scan(task: ScanTask): Promise<ScanAnswer> {
    this.turns++;
    const answers: ScanAnswer[] = [];
    const chunksMax = Math.min(task.chunksMax, this.chunksMax());
    while (answers.length < chunksMax && task.first + task.claimed[0]! < task.end) {
      this.scanned++;
      const number = Math.floor(chunkAt(task.scan, task.first + task.claimed[0]!).view.offset / CHUNK_BYTES);
      // oxlint-disable-next-line no-await-in-loop
      await this.before(number);
      const answer = runScan(workplace, { ...task, chunksMax: 1, buffer: undefined }, 'bulk');
      const saved = task.saves.map(count => count[0]);
      // oxlint-disable-next-line no-await-in-loop
      await this.after(number);
      const isSaved = task.saves.some((count, i) => count[0] !== saved[i]);
      answers.push({ ...answer, clean: isSaved ? 0 : answer.clean });
    }
    return joined(answers);
  }
}

/** The answer of one turn that had all these chunks. */
function joined(answers: readonly ScanAnswer[]): ScanAnswer {
  const unclean = answers.findIndex(({ clean }) => clean === 0);
  return {
    chunks: answers.flatMap(({ chunks }) => chunks),
    clean: unclean < 0 ? answers.length : unclean,
    bytes: answers.reduce((sum, { bytes }) => sum + bytes, 0),
    found: answers[0]!.found.map((_, i) => ({ partials: answers.flatMap(({ found }) => partialsOf(found[i]!)) })),
  };
}

/** They have no buffer to lie in. */
function partialsOf(packed: PackedPartials): readonly (SinkPartial | undefined)[] {
  return 'partials' in packed ? packed.partials : [];
}

const offLoop = {
  client: undefined,
  gather: (): never => t.fail('is not gathered') as never,
  convert: (): never => t.fail('is not converted') as never,
  scatter: (): never => t.fail('is not scattered') as never,
  arrange: (): never => t.fail('is not scattered') as never,
  hold: (): never => t.fail('has no holes') as never,
};

/** An array of 64 rows, its writes, and what it held at each generation. */
async function newArray(value: number, rows = ROWS) {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const realPath = path.join(folder, 'array.raw');
  fs.writeFileSync(realPath, Buffer.from(new Float64Array(rows * COLUMNS).fill(value).buffer));
  const files = new FileTable({
    roots: new Roots([{ configured: folder, real: folder }], []),
    generations: new Generations(folder),
    journals: new Journals(folder),
    arraysDir: folder,
    backends: [],
  });
  const record: DatasetRecord = {
    name: 'array',
    id: 'i',
    fileId: 'f',
    firstGeneration: 1,
    path: realPath,
    dtype: '<f8',
    shape: [rows, COLUMNS],
    order: 'C',
    offset: 0,
    mode: 'r+',
    format: 'raw',
    external: false,
    made: true,
    attrs: {},
    dims: null,
  };
  const dataset = new Dataset(record, files, { head: (_, { shape }) => shape, member: async () => true });
  await dataset.open();
  const first = { generation: dataset.generation, bytes: fs.readFileSync(realPath) };
  const written = new Map<number, { offset: number; bytes: Buffer }>();
  const pending = new Set<Promise<void>>();

  /** Fills consecutive elements with a value. */
  const write = (slice: string, fill: number, durability: Durability = 'none'): Promise<void> => {
    const selection = normalise(parseSlice(slice), record.shape);
    const bytes = Buffer.from(new Float64Array(selection.shape.reduce((a, b) => a * b, 1)).fill(fill).buffer);
    const payload = { bytes, source: packedView(selection.shape, 8, 'C', 0) };
    const [change] = changesOf(targetOf(dataset.geometry, true), selection, payload);
    const writing = async (): Promise<void> => {
      const options = { durability, precondition: () => undefined };
      const generation = await writeChanges(dataset, [change!], options, offLoop);
      written.set(generation, { offset: change!.target.offset, bytes });
      pending.delete(done);
    };
    const done = writing();
    pending.add(done);
    return done;
  };
  /** What the file held at a generation: the writes up to it, one after the other. */
  const contentAt = (generation: number): Buffer => {
    const content = Buffer.from(first.bytes);
    for (let each = first.generation + 1; each <= generation; each++) {
      const { offset, bytes } = written.get(each)!;
      bytes.copy(content, offset);
    }
    return content;
  };
  const run = async (
    query: QueryInput,
    pool: ScriptedPool,
    options: Partial<StatisticsOptions> = {},
  ): Promise<StatisticsRun> => {
    const plan = planStatistics(parseQuery(query, 2), DTYPE, dataset.geometry.view, { bounds: PLAN_BOUNDS });
    if (plan.scan.chunkCount !== CHUNKS) throw new Error(`${plan.scan.chunkCount} chunks`);
    return runStatistics([dataset], plan, pool, {
      signal: new AbortController().signal,
      ...options,
    });
  };
  /** What the answer would be had the file stood still at its generation. */
  const expected = (query: QueryInput, { generations: [generation = 0] }: StatisticsRun): unknown => {
    const { view } = dataset.geometry;
    return computeInProcess(parseQuery(query, 2), DTYPE, view, contentAt(generation), PLAN_BOUNDS);
  };
  const resolved = (): Promise<unknown> => Promise.all(pending);
  return { dataset, files, realPath, write, run, expected, resolved };
}

const MANY: QueryInput = { ops: ['count', 'mean', 'std', 'min', 'max', 'argmax', 'sum'] };

t.test('a file that nobody writes is read once', async t => {
  const array = await newArray(3);
  const pool = new ScriptedPool();
  const run = await array.run(MANY, pool);
  t.strictSame(run.result, array.expected(MANY, run));
  t.match(run, { generations: [1], chunks: CHUNKS, scannedBytes: ROWS * ROW_BYTES });
});

t.test('turns that end before a pass does change nothing, whatever is written meanwhile', async t => {
  const random = seededRandom(5);
  for (const query of [MANY, { ops: [{ histogram: { bins: 5, range: [0, 9] } }] }]) {
    const array = await newArray(1); // oxlint-disable-line no-await-in-loop
    const pool = new ScriptedPool();
    pool.chunksMax = () => random.integer(1, 3);
    pool.after = async chunk => {
      if (chunk % 7 === 3 && array.dataset.generation < 9) await array.write(String(random.integer(0, 63)), 7);
    };
    const run = await array.run(query, pool); // oxlint-disable-line no-await-in-loop
    t.strictSame(run.result, array.expected(query, run));
    t.ok(pool.turns > CHUNKS / 3);
    t.ok(run.scannedBytes >= ROWS * ROW_BYTES);
    await array.resolved(); // oxlint-disable-line no-await-in-loop
  }
});

t.test('a worker is told of a pass once, and of what was written meanwhile once more', async t => {
  const array = await newArray(3);
  const pool = new ScriptedPool();
  pool.chunksMax = () => Number.POSITIVE_INFINITY;
  await array.run(MANY, pool);
  t.equal(pool.turns, 1);
  pool.before = async chunk => {
    if (chunk === 7 && array.dataset.generation === 1) await array.write('20', 7);
  };
  const run = await array.run(MANY, pool);
  t.equal(pool.turns, 3);
  t.equal(run.scannedBytes, ROWS * ROW_BYTES + CHUNK_BYTES);
  t.strictSame(run.result, array.expected(MANY, run));
});

t.test('what waits for a chunk before it is bounded', async t => {
  const array = await newArray(3);
  let letGo = (): void => {};
  const held = new Promise<void>(resolve => (letGo = resolve));
  class TwoWorkers extends ScriptedPool {
    override readonly workers = 2;
    override async scan(task: ScanTask): Promise<ScanAnswer> {
      const isFirst = this.turns === 0;
      const answer = await super.scan(task);
      if (isFirst) await held;
      return answer;
    }
  }
  const pool = new TwoWorkers();
  const running = array.run(MANY, pool);
  await sleep(50);
  t.equal(pool.turns, 2 * pool.workers);
  letGo();
  const run = await running;
  t.equal(pool.turns, CHUNKS);
  t.strictSame(run.result, array.expected(MANY, run));
});

t.test('only the chunks that a write touches while they are read are read again', async t => {
  for (const [slice, repeated] of [
    ['0', 0],
    ['20', 1],
    ['20,3:4', 1],
    ['40:44', 0],
    ['::', 1],
  ] as const) {
    const array = await newArray(1);
    const pool = new ScriptedPool();
    pool.after = async chunk => {
      if (chunk === 10 && array.dataset.generation === 1) await array.write(slice, 7);
    };
    // oxlint-disable-next-line no-await-in-loop
    const run = await array.run(MANY, pool);
    t.strictSame(run.result, array.expected(MANY, run), slice);
    t.equal(run.generations[0], 1);
    const chunks = run.scannedBytes / CHUNK_BYTES - CHUNKS;
    // The next chunk may have been under way when the write began.
    t.ok(chunks === repeated || (slice === '::' && chunks === repeated + 1), `${slice}: ${chunks} chunks again`);
  }
});

t.test('a write during every chunk keeps nobody from ending, and waits for nobody', async t => {
  const array = await newArray(1);
  const pool = new ScriptedPool();
  let value = 1;
  pool.after = async () => array.write('5:60', ++value);
  const run = await array.run(MANY, pool);
  t.equal(run.generations[0], 1);
  t.strictSame(run.result, array.expected(MANY, run));
  t.ok(array.dataset.generation > CHUNKS);
});

t.test('whatever is written meanwhile, an answer is that of its generation, bit by bit', async t => {
  const random = seededRandom(71);
  const queries: QueryInput[] = [MANY, { ops: ['mean', 'var'], axis: [0] }, { ops: ['sum', 'argmin'], axis: 1 }];
  let repeats = 0;
  for (let pass = 0; pass < 120; pass++) {
    const array = await newArray(random.next());
    const pool = new ScriptedPool();
    const query = random.pick(queries);
    const kind = random.pick(['whole', 'scattered', 'groups'] as const);
    const disturb = async (): Promise<void> => {
      const pause = random.next();
      if (pause < 0.3) await nextTurn();
      else if (pause < 0.4) await sleep(1);
      if (random.next() > 0.15) return;
      const row = random.integer(0, ROWS - 1);
      if (kind === 'whole') void array.write(':', random.next());
      else if (kind === 'scattered') void array.write(`${row},${random.integer(0, 8)}:`, random.next());
      // One sync for all of them: they are applied together.
      else for (let i = 0; i < 8; i++) void array.write(`${(row + 7 * i) % ROWS}`, random.next(), 'commit');
    };
    pool.before = disturb;
    pool.after = disturb;
    const run = await array.run(query, pool);
    await array.resolved();
    const expected = array.expected(query, run);
    if (JSON.stringify(run.result) !== JSON.stringify(expected)) {
      t.fail(`pass ${pass}, generation ${run.generations[0]}, ${JSON.stringify({ query, kind })}`);
      t.strictSame(run.result, expected);
    }
    if (run.scannedBytes > ROWS * ROW_BYTES) repeats++;
    array.files.drop('f');
  }
  t.ok(repeats > 8, `${repeats} of 120 runs repeated something`);
});

t.test('a chunk that is read while several writes are being applied is of the generation before them', async t => {
  const array = await newArray(1);
  const pool = new ScriptedPool();
  const file = await array.dataset.open();
  const { generations } = array.files;
  const [fifth, last] = ['10:12', '63'].map(slice =>
    selectFrom(array.dataset.geometry.view, normalise(parseSlice(slice), [ROWS, COLUMNS])),
  );
  let isRead = (): void => {};
  const read = new Promise<void>(resolve => (isRead = resolve));
  const fill = Buffer.from(new Float64Array(2 * COLUMNS).fill(7).buffer);
  const applying = async (): Promise<void> => {
    await generations.reserve('f', 2);
    await file.state.lock.withWrite(async () => {
      for (const target of [fifth!, last!]) {
        file.state.writesStarted++;
        await tellReaders(file, target, 8);
      }
      fs.writeSync(file.fd, fill, 0, ROW_BYTES, fifth!.offset);
      await read;
      fs.writeSync(file.fd, fill, 0, 2 * ROW_BYTES, fifth!.offset);
      fs.writeSync(file.fd, fill, 0, ROW_BYTES, last!.offset);
      for (let i = 0; i < 2; i++) generations.advance('f');
    });
  };
  let applied: Promise<void> | undefined;
  pool.before = async chunk => {
    if (chunk !== 3) return;
    applied = applying();
    while (file.state.writesStarted < 2) await nextTurn();
  };
  pool.after = async chunk => {
    if (chunk === 5) isRead();
  };
  const run = await array.run({ ops: ['min', 'max', 'sum'] }, pool);
  await applied;
  t.equal(run.generations[0], 1);
  t.strictSame(
    run.result.results.map(({ values }) => Number(values[0])),
    [1, 1, ROWS * COLUMNS],
  );
});

t.test('when more is overwritten than is kept, it begins anew, in the end while writers wait', async t => {
  const array = await newArray(1);
  const pool = new ScriptedPool();
  const file = await array.dataset.open();
  let lost = 0;
  let value = 1;
  pool.after = async chunk => {
    if (chunk !== 4) return;
    // The third of these comes while the lock is held, and waits.
    const writing = array.write('5', ++value);
    if (++lost < 3) await writing;
    if (lost < 3) file.state.preImages.cutAll();
  };
  const run = await array.run(MANY, pool);
  t.equal(lost, 3);
  t.equal(run.generations[0], 3);
  t.strictSame(run.result, array.expected(MANY, run));
  await array.resolved();
  t.equal(array.dataset.generation, 4, 'the write that waited');
});

t.test('writers wait no longer than the bound, then the statistic is given up', async t => {
  const array = await newArray(1);
  const pool = new ScriptedPool();
  const file = await array.dataset.open();
  pool.after = async () => {
    file.state.preImages.cutAll();
    await sleep(5);
  };
  await t.rejects(array.run(MANY, pool, { lockMsMax: 20 }), { code: 'busy_writing' });
  await array.write(':', 5);
  pool.after = async () => {};
  t.match(await array.run(MANY, pool), { generations: [2] });
});

t.test('a NaN of the generation that is read is found, whatever becomes of it', async t => {
  const array = await newArray(Number.NaN);
  const pool = new ScriptedPool();
  const query: QueryInput = { ops: ['mean'], nan: 'raise' };
  pool.before = async chunk => {
    if (chunk === 0) await array.write(':', 5);
  };
  await t.rejects(array.run(query, pool), { code: 'nan_found' });
  t.strictSame((await array.run(query, pool)).result.results[0]?.values, Float64Array.of(5));
});

t.test('cancelled, it reads no further', async t => {
  const array = await newArray(1);
  const pool = new ScriptedPool();
  const controller = new AbortController();
  pool.after = async chunk => {
    if (chunk === 5) controller.abort();
  };
  await t.rejects(array.run(MANY, pool, { signal: controller.signal }), { code: 'cancelled' });
  t.ok(pool.scanned <= 8, `${pool.scanned} chunks`);
});

t.test('a file that is replaced meanwhile is refused, a stream that begins is told', async t => {
  const array = await newArray(1);
  const pool = new ScriptedPool();
  pool.after = async chunk => {
    if (chunk !== 3) return;
    fs.writeFileSync(`${array.realPath}.new`, Buffer.alloc(ROWS * ROW_BYTES));
    fs.renameSync(`${array.realPath}.new`, array.realPath);
    await nextTurn();
    await array.dataset.open().catch(() => undefined);
    await array.dataset.open();
  };
  await t.rejects(array.run(MANY, pool), { code: 'file_changed', values: { reason: 'replaced' } });

  let stream: Promise<unknown> | undefined;
  pool.after = async chunk => {
    const bulk = { precondition: () => undefined, bulk: true };
    const file = await array.dataset.open();
    if (chunk === 3) stream = writeThrough(file, array.files, bulk, () => sleep(100));
  };
  await t.rejects(array.run(MANY, pool), { code: 'bulk_load' });
  await stream;
});

t.test('two datasets on one file are read at the same generation, however the writers crowd', async t => {
  const { dataset, files } = await newArray(1);
  const twin = new Dataset({ ...dataset.record, name: 'twin', id: 'j', mode: 'r' }, files, {
    head: (_, { shape }) => shape,
    member: async () => true,
  });
  const { lock } = files.stateOf('f');
  const write = (): Promise<void> =>
    lock.withWrite(async () => {
      await files.generations.reserve('f');
      files.stateOf('f').beginWrite();
      files.generations.advance('f');
    });
  let letGo = (): void => {};
  const held = lock.withRead(() => new Promise<void>(resolve => (letGo = resolve)));
  const before = write();
  const plan = planStatistics(parseQuery({ ops: ['sum'] }, 2), DTYPE, dataset.geometry.view, { bounds: PLAN_BOUNDS });
  const { signal } = new AbortController();
  const running = runStatistics([dataset, twin], plan, new ScriptedPool(), { signal });
  await nextTurn();
  const after = write();
  letGo();
  t.strictSame((await running).generations, [2, 2]);
  await Promise.all([held, before, after]);
  t.equal(dataset.generation, 3);
});

t.test('a scan over kept partials lets everything else go in between', async t => {
  const { dataset } = await newArray(1, 1000);
  const bounds = { ...PLAN_BOUNDS, chunkBytesMax: 8 };
  const plan = planStatistics(parseQuery({ ops: ['sum'] }, 2), DTYPE, dataset.geometry.view, { bounds });
  const options = { signal: new AbortController().signal, partials: new PartialCache(1e9) };
  const pool = new ScriptedPool();
  await runStatistics([dataset], plan, pool, options);
  t.equal(pool.scanned, 16_000);
  let turns = 0;
  let timer = setImmediate(function again() {
    turns++;
    timer = setImmediate(again);
  });
  const run = await runStatistics([dataset], plan, pool, options);
  clearImmediate(timer);
  t.match(run, { keptChunks: 16_000, scannedBytes: 0, result: { results: [{ values: Float64Array.of(16_000) }] } });
  t.ok(turns > 1, `${turns} turns`);
});

/** The plan of a statistic over a part of the array, and of one whose rows a column chooses. */
const PARTS: [name: string, plan: (array: Awaited<ReturnType<typeof newArray>>) => QueryPlan, outside: string[]][] = [
  [
    'a range of rows',
    ({ dataset }) => {
      const part = selectFrom(dataset.geometry.view, normalise(parseSlice('20:30'), [ROWS, COLUMNS]));
      return planStatistics(parseQuery(MANY, 2), DTYPE, part, { bounds: PLAN_BOUNDS });
    },
    ['0:20', '30:', '19', '30'],
  ],
  [
    'columns of all rows',
    ({ dataset }) => {
      const { view } = dataset.geometry;
      const self = { name: 'array', dtype: DTYPE, shape: [ROWS, COLUMNS], view };
      const query = { ops: ['sum'], where: { column: 4, gt: 0 } };
      return atOnce(planQuery(query, self, parseSlice(':,5:7'), () => self, { bounds: PLAN_BOUNDS })).plan;
    },
    ['0,:4', '63,7:'],
  ],
];

for (const [name, planOf, outside] of PARTS) {
  t.test(`writes beside what a statistic of ${name} reads save nothing, and those in it one generation`, async t => {
    const array = await newArray(1);
    const pool = new ScriptedPool();
    const { preImages } = array.files.stateOf('f');
    const options = { signal: new AbortController().signal };
    const expected = await runStatistics([array.dataset], planOf(array), pool, options);
    const held: number[] = [];
    // While the first chunk is under way, and in turn.
    pool.after = async () => {
      pool.after = async () => {};
      for (const slice of [...outside, '25,4:7']) {
        // oxlint-disable-next-line no-await-in-loop
        await array.write(slice, 9);
        held.push(preImages.heldBytes);
      }
    };
    const run = await runStatistics([array.dataset], planOf(array), pool, options);
    t.equal(held.length, outside.length + 1);
    t.strictSame(held.slice(0, -1), Array(outside.length).fill(0));
    t.ok(held.at(-1)! > 0, 'what is read is saved');
    t.strictSame(run.result, expected.result);
    t.strictSame(run.generations, [1]);
    t.equal(preImages.heldBytes, 0, 'and let go of in the end');
  });
}

t.test('claims are closed when all is read: writers save nothing while the answer is being finished', async t => {
  const array = await newArray(1);
  const { preImages } = array.files.stateOf('f');
  const isIdle: boolean[] = [];
  // oxlint-disable-next-line unbound-method -- Called on its own computation.
  const { finish } = Computation.prototype;
  Computation.prototype.finish = function (this: Computation) {
    isIdle.push(preImages.isIdle);
    return finish.call(this);
  };
  t.teardown(() => void (Computation.prototype.finish = finish));
  const pool = new ScriptedPool();
  await array.run(MANY, pool);
  // The last attempt holds the locks.
  let lost = 0;
  pool.after = async chunk => {
    if (chunk === 4 && ++lost < 3) preImages.cutAll();
  };
  const run = await array.run(MANY, pool);
  t.strictSame(isIdle, [true, true]);
  t.strictSame(run.result, array.expected(MANY, run));
  t.equal(lost, 3);
});

t.test('thousands of small writes reach the workers a thousand at a time, in few buffers', async t => {
  const rows = 4096;
  const { dataset, write } = await newArray(1, rows);
  // 512 rows make a chunk.
  const bounds = { ...PLAN_BOUNDS, chunkBytesMax: 512 * ROW_BYTES, tileBytesMax: 64 * ROW_BYTES };
  const plan = planStatistics(parseQuery(MANY, 2), DTYPE, dataset.geometry.view, { bounds });
  const sent: { chunks: number; patches: number; buffers: number; bytes: number }[] = [];
  class RecordingPool extends ScriptedPool {
    override scan(task: ScanTask): Promise<ScanAnswer> {
      const patches = task.sources[0]?.patches ?? [];
      const buffers = new Set(patches.map(({ bytes }) => bytes.buffer)).size;
      const bytes = patches.reduce((sum, patch) => sum + patch.bytes.byteLength, 0);
      sent.push({ chunks: task.end - task.first - task.claimed[0]!, patches: patches.length, buffers, bytes });
      return super.scan(task);
    }
  }
  const pool = new RecordingPool();
  const { signal } = new AbortController();
  const { result: expected } = await runStatistics([dataset], plan, pool, { signal });
  sent.length = 0;
  pool.after = async () => {
    pool.after = async () => {};
    // Every row has a range of its own, but for those whose first elements are written one by one.
    for (let row = 0; row < rows; row++) await write(`${row},3`, 9);
    for (let column = 4; column < COLUMNS; column++)
      for (let row = 0; row < 64; row++) await write(`${row},${column}`, 9);
  };
  const run = await runStatistics([dataset], plan, pool, { signal });
  t.strictSame(run.result, expected);
  t.match(run, { generations: [1] });
  const bytes = sent.reduce((sum, each) => sum + each.bytes, 0);
  t.ok(bytes >= 8 * (rows / 2), `${bytes} bytes were sent again`);
  t.ok(sent.some(({ chunks, patches }) => chunks > 1 && patches > 512));
  for (const { patches, buffers } of sent) {
    t.ok(patches <= LIMITS.patchesPerTaskMax, `${patches} patches`);
    t.ok(buffers <= 1, `${buffers} buffers`);
  }
});
