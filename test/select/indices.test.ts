/** Random indices of every kind, answered over HTTP and by numpy: the same bytes, dtypes and shapes, or refused by both. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { NO_NUMPY, PYTHON, runPython } from '../helpers/python.js';
import { temporaryFolder } from '../helpers/server.js';
import { startHere, type ServiceHere } from '../helpers/service-here.js';

/** What numpy made of an index. */
interface Case {
  readonly array: string;
  readonly field: string | null;
  readonly body: object;
  readonly refused?: string;
  /** The whole file that np.save writes, where that is asked for. */
  readonly npy?: string;
  readonly dtype?: string;
  readonly shape?: readonly number[];
  readonly data?: string;
}

const SEED = 20;
/** Questions that are under way together. */
const TOGETHER = 8;

t.test('random indices are answered as numpy answers them', { skip: PYTHON ? false : NO_NUMPY }, async t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true, force: true }));
  runPython('select/live/indices.py', [folder, String(SEED), String(caseCount(500, 5000))]);
  const service = await startHere(t, { env: { HYPERSLAB_ROOTS: folder } });
  for (const file of fs.readdirSync(folder).filter(name => name.endsWith('.npy'))) {
    // oxlint-disable-next-line no-await-in-loop
    const made = await service.fetch('/v1/datasets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name: path.basename(file, '.npy'), path: file }),
    });
    if (made.status !== 201) t.fail(`${file}: ${await made.text()}`); // oxlint-disable-line no-await-in-loop
  }
  const cases = fs.readFileSync(path.join(folder, 'cases.jsonl'), 'utf8').trim().split('\n');
  const faults: string[] = [];
  let refused = 0;
  const waiting = cases.map(line => JSON.parse(line) as Case);
  const ask = async (): Promise<void> => {
    for (let each = waiting.pop(); each; each = waiting.pop()) {
      if (each.refused !== undefined) refused++;
      const fault = await faultOf(service, each); // oxlint-disable-line no-await-in-loop
      if (fault !== undefined) faults.push(`${each.array} ${each.field} ${JSON.stringify(each.body)}: ${fault}`);
    }
  };
  await Promise.all(Array.from({ length: TOGETHER }, ask));
  t.strictSame(faults.slice(0, 10), [], `${cases.length} alike, ${refused} of them refused`);
  t.ok(refused > cases.length / 50, 'some were refused');
});

/** How an answer differs from numpy's. */
async function faultOf(service: ServiceHere, wanted: Case): Promise<string | undefined> {
  const field = wanted.field === null ? '' : `&field=${wanted.field}`;
  const format = wanted.npy === undefined ? 'raw' : 'npy';
  const answer = await service.fetch(`/v1/datasets/${wanted.array}/select?format=${format}${field}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(wanted.body),
  });
  const bytes = Buffer.from(await answer.arrayBuffer());
  if (wanted.refused !== undefined) {
    return answer.status >= 400 && answer.status < 500 ? undefined : `${answer.status}, numpy: ${wanted.refused}`;
  }
  if (answer.status !== 200) return `${answer.status} ${bytes.toString()}`;
  if (wanted.npy !== undefined) return bytes.equals(Buffer.from(wanted.npy, 'base64')) ? undefined : 'another file';
  const shape = answer.headers.get('x-array-shape');
  if (shape !== wanted.shape!.join()) return `shape ${shape}, not ${wanted.shape!.join()}`;
  const dtype = answer.headers.get('x-array-dtype');
  if (!wanted.dtype!.startsWith('|V') && dtype !== wanted.dtype) return `dtype ${dtype}, not ${wanted.dtype}`;
  return bytes.equals(Buffer.from(wanted.data!, 'base64')) ? undefined : 'other bytes';
}
