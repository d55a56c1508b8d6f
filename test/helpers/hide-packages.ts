/**
 * Preloaded with `--import`, also into worker threads: makes the packages that HYPERSLAB_TEST_HIDE names look as if
 * they were not installed, as on a machine where an optional dependency could not be had.
 */
import Module from 'node:module';

const hidden = (process.env['HYPERSLAB_TEST_HIDE'] ?? '').split(',').filter(Boolean);
/** Node's own name of the step that finds a file for require(); it has no public one. */
const STEP = '_resolveFilename';
const loader = Module as unknown as Record<typeof STEP, (request: string, ...rest: unknown[]) => string>;
const resolveFilename = loader[STEP].bind(loader);

loader[STEP] = (request, ...rest) => {
  if (hidden.some(name => request === name || request.startsWith(`${name}/`))) {
    throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
  }
  return resolveFilename(request, ...rest);
};
