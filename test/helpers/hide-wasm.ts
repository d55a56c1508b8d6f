/**
 * Preloaded into a server (`--import`), which hands it on to its worker threads: HYPERSLAB_TEST_HIDE_WASM names what
 * cannot be had: `module`, the file of the kernels; or `memory`, for which a thread asks.
 */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { isMainThread } from 'node:worker_threads';

const hidden = process.env['HYPERSLAB_TEST_HIDE_WASM'];

if (hidden === 'module') {
  const { readFileSync } = fs;
  fs.readFileSync = ((...args: Parameters<typeof readFileSync>) => {
    const missing = args[0] instanceof URL && args[0].pathname.endsWith('.wasm');
    return readFileSync(missing ? '/nowhere/kernels.wasm' : args[0], args[1]);
  }) as typeof readFileSync;
  syncBuiltinESMExports();
}

if (hidden === 'memory' && !isMainThread) {
  const refuse = (): never => {
    throw new RangeError('WebAssembly.Memory(): could not allocate memory');
  };
  WebAssembly.Memory = new Proxy(WebAssembly.Memory, { construct: refuse });
}
