/**
 * What `npm start` and `npm test` do first: bring node_modules and dist in step with the tree, and nothing when they
 * are. Only Node's own modules may be imported here, since this runs before anything is installed.
 * Hazard: two of these at once in one tree would install or compile over each other.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { checkNode } from './node-version.mjs';

checkNode();

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Written at the end of an installation. */
export const INSTALL_STAMP = 'node_modules/.hyperslab-installed';
const BUILD_STAMP = 'dist/.hyperslab-built';
/** Whatever changes what a build makes. */
const SOURCES = [
  'src',
  'routes',
  'test',
  'bench',
  'scripts',
  'kernels',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
];
/** Whatever changes what the WebAssembly module is; the lock file names its compiler. */
const KERNEL_SOURCES = ['kernels', 'src/kernels', 'package-lock.json'];
const KERNELS = 'dist/src/kernels/kernels.wasm';
/** What the compiler of the kernels says of their parameters, as TypeScript. It is kept in the tree. */
const DECLARATIONS = 'src/kernels/declarations.ts';
const KERNELS_STAMP = 'dist/.hyperslab-kernels';
/** Folders whose other files (fixtures, pages, tables) are read beside the compiled code. */
const COPIED = ['src', 'routes', 'test'];
/** The compiled addon belongs to one version of Node on one platform. */
const RUNTIME = `${process.version} ${process.platform} ${process.arch}`;

/** Runs `npm ci` when node_modules is missing, or was installed for another lock file, Node or platform. */
export function ensureInstalled() {
  const wanted = `${hashOf(['package-lock.json'])} ${RUNTIME}\n`;
  const stamp = readText(INSTALL_STAMP);
  if (stamp === wanted) return;
  // Somebody ran npm by hand: take their work, unless it was for another Node.
  const sameRuntime = stamp === undefined || stamp.includes(RUNTIME);
  if (!(sameRuntime && installedMatchesLock())) {
    say('installing dependencies (the first time may take a minute)');
    // Development dependencies hold the compiler, so NODE_ENV=production must not leave them out. The log level hides
    // npm's warnings; errors, and a failed install, still show.
    npm(['ci', '--include=dev', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error'], addonEnv());
  }
  if (!existsSync(join(ROOT, 'node_modules/mmap-io'))) {
    say('the optional mmap-io addon did not compile here; files are mapped another way');
  }
  writeFileSync(join(ROOT, INSTALL_STAMP), wanted);
}

/** Builds when a source has changed since the last build. Contents count, not times: a checkout changes times. */
export function ensureBuilt() {
  if (readText(BUILD_STAMP) !== sourcesStamp()) build();
}

/** Compiles everything into a fresh dist, so that no test of a deleted source lives on. */
export function build() {
  say('building');
  // The stamp is taken before: a source saved during the build is then newer than it.
  const stamp = sourcesStamp();
  const kernels = builtKernels();
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
  buildKernels(kernels);
  run(process.execPath, ['node_modules/typescript/bin/tsc']);
  for (const folder of COPIED) copyUncompiled(folder);
  run(process.execPath, ['scripts/bundle.mjs']);
  cpSync(join(ROOT, KERNELS), join(ROOT, 'dist/bundle/kernels.wasm'));
  writeFileSync(join(ROOT, BUILD_STAMP), stamp);
}

/** The kernels of the last build, where their sources are the same: compiling them takes longer than all the rest. */
function builtKernels() {
  if (readText(KERNELS_STAMP) !== hashOf(KERNEL_SOURCES) || !existsSync(join(ROOT, KERNELS))) return undefined;
  return readFileSync(join(ROOT, KERNELS));
}

function buildKernels(built) {
  mkdirSync(dirname(join(ROOT, KERNELS)), { recursive: true });
  if (built) writeFileSync(join(ROOT, KERNELS), built);
  else compileKernels();
  writeFileSync(join(ROOT, KERNELS_STAMP), hashOf(KERNEL_SOURCES));
}

function compileKernels() {
  const asc = 'node_modules/assemblyscript/bin/asc.js';
  const out = ['--outFile', KERNELS, '--bindings', 'raw'];
  run(process.execPath, [asc, 'kernels/index.ts', '--config', 'kernels/asconfig.json', ...out]);
  const [declared, glue] = ['.d.ts', '.js'].map(extension => KERNELS.replace('.wasm', extension));
  // Its lines read `export function name(a: number): number;`.
  const functions = [...readText(declared).matchAll(/^ *export function (.*)$/gm)].map(
    ([, signature]) => `  ${signature}`,
  );
  const head =
    '/** What the module exports, by the compiler of kernels/ (`npm run build`): edit those files instead. */';
  const text = `${head}\nexport interface Kernels {\n${functions.join('\n')}\n}\n`;
  if (readText(DECLARATIONS) !== text) writeFileSync(join(ROOT, DECLARATIONS), text);
  for (const path of [declared, glue]) rmSync(join(ROOT, path));
}

/** Runs npm as the npm that started us, else as the one on the PATH; ends this process when it fails. */
function npm(args, env) {
  const cli = process.env.npm_execpath;
  if (cli?.endsWith('npm-cli.js')) run(process.execPath, [cli, ...args], env);
  else run('npm', args, env);
}

function run(command, args, env = process.env) {
  const { status, error } = spawnSync(command, args, { cwd: ROOT, env, stdio: 'inherit' });
  if (error) say(`cannot run ${command}: ${error.message}`);
  if (status !== 0) process.exit(status ?? 1);
}

/** What the compile of the mmap-io addon needs: headers without a download, and C++20 for the V8 of Node 24 and later. */
function addonEnv() {
  const env = { ...process.env };
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node.h'))) env.npm_config_nodedir = prefix;
  if (Number.parseInt(process.versions.node, 10) >= 24) env.CXXFLAGS = `${env.CXXFLAGS ?? ''} -std=c++20`.trim();
  return env;
}

/** True where npm's record of what is installed holds every package of the lock file that is not optional. */
function installedMatchesLock() {
  const record = readText('node_modules/.package-lock.json');
  if (record === undefined) return false;
  const installed = JSON.parse(record).packages;
  return Object.entries(JSON.parse(readText('package-lock.json')).packages).every(
    ([path, { version, optional }]) => path === '' || optional || installed[path]?.version === version,
  );
}

function copyUncompiled(folder) {
  const from = join(ROOT, folder);
  if (!existsSync(from)) return;
  cpSync(from, join(ROOT, 'dist', folder), { recursive: true, filter: path => extname(path) !== '.ts' });
}

function sourcesStamp() {
  return `${hashOf(SOURCES)}\n`;
}

/** A digest of the names and contents of files and folders; missing ones count as empty. */
function hashOf(paths) {
  const hash = createHash('sha256');
  for (const path of paths.flatMap(filesUnder)) {
    hash
      .update(`${path}\0`)
      .update(readFileSync(join(ROOT, path)))
      .update('\0');
  }
  return hash.digest('hex');
}

function filesUnder(path) {
  if (!existsSync(join(ROOT, path))) return [];
  if (extname(path) !== '') return [path];
  return readdirSync(join(ROOT, path), { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && extname(entry.name) !== '.pyc')
    .map(entry => join(entry.parentPath, entry.name).slice(ROOT.length + 1))
    .toSorted();
}

function readText(path) {
  const absolute = join(ROOT, path);
  return existsSync(absolute) ? readFileSync(absolute, 'utf8') : undefined;
}

function say(line) {
  console.error(`hyperslab: ${line}`);
}
