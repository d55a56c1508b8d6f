/** The WebAssembly module has what its declarations say. */
import t from 'tap';
import { compileKernels, KERNEL_DATA_BYTES, instantiateKernels } from '../../../src/kernels/index.js';
import { scalarKernels, TEXT_KERNEL } from './spec/index.js';

const MEMORY = new WebAssembly.Memory({ initial: 2, maximum: 2 });

t.test(
  'the module exports one function for each scalar kernel, with as many parameters, and element kernels',
  async t => {
    const module = compileKernels();
    const twins = scalarKernels(MEMORY.buffer);
    const arity = (kernels: object): [string, number][] =>
      Object.entries(kernels)
        .map(([name, kernel]): [string, number] => [name, (kernel as { readonly length: number }).length])
        .toSorted(([a], [b]) => (a < b ? -1 : 1));
    t.ok(
      WebAssembly.Module.exports(module).every(({ kind }) => kind === 'function'),
      'nothing but functions',
    );
    const isSpecified = ([name, length]: [string, number]): boolean =>
      name !== TEXT_KERNEL && (length !== 1 || name in twins);
    t.strictSame(arity(instantiateKernels(module, MEMORY)).filter(isSpecified), arity(twins));
  },
);

t.test(
  'the module needs its memory and nothing else, and keeps its constants below the first free address',
  async t => {
    const module = compileKernels();
    t.strictSame(WebAssembly.Module.imports(module), [{ module: 'env', name: 'memory', kind: 'memory' }]);
    const bytes = new Uint8Array(MEMORY.buffer);
    instantiateKernels(module, MEMORY);
    t.ok(
      bytes.subarray(KERNEL_DATA_BYTES).every(byte => byte === 0),
      'nothing was written above',
    );
  },
);
