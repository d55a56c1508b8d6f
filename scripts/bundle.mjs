/**
 * The programs that are shipped, in dist/bundle: with what they import of ours, and with packages of many small files. Reading
 * those 1,200 files takes a third of the time that the service needs to start. Packages that look for files of their own
 * stay as they are.
 */
import { buildSync } from 'esbuild';
import { readFileSync } from 'node:fs';

const PROGRAMS = ['server.js', 'hyperslab.js', 'jobs/worker.js'];
const BUNDLED = ['typebox', 'jose'];

const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const packages = Object.keys({ ...dependencies, ...optionalDependencies });

buildSync({
  entryPoints: PROGRAMS.map(each => `dist/src/${each}`),
  outdir: 'dist/bundle',
  // All side by side: a program is found from another, and the kernels from whoever needs them.
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  external: packages.filter(name => !BUNDLED.includes(name)),
  format: 'esm',
  platform: 'node',
  target: 'node20',
  logLevel: 'warning',
});
