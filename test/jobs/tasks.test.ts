/** What a worker does with its memory when a task fails: the next one has all of it again. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { numberDType } from '../../src/dtype/index.js';
import { runScan, type ScanAnswer } from '../../src/jobs/scan-task.js';
import { newWorkplace } from '../../src/jobs/tasks.js';
import { packedView } from '../../src/layout/view.js';
import { LIMITS } from '../../src/limits.js';
import { compileKernels, parseQuery, planStatistics } from '../../src/statistics/index.js';
import { temporaryFolder } from '../helpers/server.js';

const LENGTH = 300_000;

t.test('a file that became too short fails every task in the same way, and costs the thread nothing', t => {
  const folder = temporaryFolder();
  t.teardown(() => fs.rmSync(folder, { recursive: true }));
  const file = path.join(folder, 'short.raw');
  fs.writeFileSync(file, Buffer.alloc(100));
  const fd = fs.openSync(file, 'r+');
  t.teardown(() => fs.closeSync(fd));
  const workplace = newWorkplace(compileKernels(), false);
  const view = packedView([LENGTH], 4, 'C', 0);
  const { scan, spec } = planStatistics(parseQuery({ ops: ['mean'] }, 1), numberDType('<f4'), view);
  const task = {
    sources: [{ fd, windows: [], residencyTrusted: true }],
    specs: [spec],
    scan,
    first: 0,
    end: 1,
    chunksMax: 1,
    saves: [],
    savesKnown: [],
    scanId: 1,
    cancel: new Int32Array(new SharedArrayBuffer(4)),
  };
  const run = (): ScanAnswer => runScan(workplace, { ...task, claimed: new Int32Array(1) }, 'bulk');
  const { free } = workplace.engine.scratch;
  for (let i = 0; i <= LIMITS.kernelScratchBytes / LIMITS.tileBytesMax; i++) {
    if (!t.throws(run, { code: 'file_changed' }, `task ${i}`)) break;
  }
  t.equal(workplace.engine.scratch.free, free);
  fs.ftruncateSync(fd, 4 * LENGTH);
  t.equal(run().chunks.length, 1, 'and works when the file is whole again');
  t.end();
});
