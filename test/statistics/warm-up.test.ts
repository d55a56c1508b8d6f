import { test } from 'tap';
import { compileKernels, newEngine } from '../../src/statistics/index.js';
import { warmUp } from '../../src/kernels/warm-up.js';

test('warming up gives back what it took, for all engines of one compiled module', async t => {
  const module = compileKernels();
  for (const engine of [newEngine(module), newEngine(module)]) {
    const { free } = engine.scratch;
    warmUp(engine);
    t.equal(engine.scratch.free, free);
  }
});
