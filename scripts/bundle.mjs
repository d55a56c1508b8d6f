/**
 * The programs that are shipped, in dist/bundle: with what they import of ours, and with the packages that they use. Reading
 * those 2,000 files takes half of the time that the service needs to start. Packages that look for files of their own stay
 * as they are. Of those inside, LICENSES.txt has the licences.
 */
import { buildSync } from 'esbuild';
import fs from 'node:fs';
import path from 'node:path';

const PROGRAMS = ['server.js', 'hyperslab.js', 'jobs/worker.js'];
const OUTDIR = 'dist/bundle';
/** They have workers, pages or addons beside their code. */
const OUTSIDE = ['piscina', '@fastify/swagger-ui', 'koffi', 'mmap-io'];

const { metafile } = buildSync({
  entryPoints: PROGRAMS.map(each => `dist/src/${each}`),
  outdir: OUTDIR,
  // All side by side: a program is found from another, and the kernels from whoever needs them.
  entryNames: '[name]',
  chunkNames: '[name]-[hash]',
  bundle: true,
  splitting: true,
  external: OUTSIDE,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  // Packages in the older form call it for the modules of Node.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module';\nconst require = requireFrom(import.meta.url);",
  },
  metafile: true,
  logLevel: 'warning',
});

const inside = new Set(Object.keys(metafile.inputs).map(packageOf).filter(Boolean));
const licences = [...inside].toSorted((a, b) => (a < b ? -1 : 1)).map(folder => `${folder}\n\n${licenceIn(folder)}`);
fs.writeFileSync(path.join(OUTDIR, 'LICENSES.txt'), licences.join(`\n${'-'.repeat(80)}\n\n`));

/** The folder of the package that a file belongs to. */
function packageOf(file) {
  return /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file)?.[0];
}

function licenceIn(folder) {
  const name = fs.readdirSync(folder).find(each => /^licen[cs]e/i.test(each));
  if (name !== undefined) return fs.readFileSync(path.join(folder, name), 'utf8');
  const { license, author } = JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8'));
  return `${license}, ${typeof author === 'string' ? author : author?.name}\n`;
}
