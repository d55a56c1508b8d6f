/**
 * Packs the project, installs the tarball into an empty folder as whoever uses it does, and asks the command's service for a
 * row and a statistic. A warning about an engine is a failure: the package says which Node it runs on.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const folder = mkdtempSync(join(tmpdir(), 'hyperslab-package-'));
try {
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], { encoding: 'utf8' });
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const tarball = join(folder, packed.trim().split('\n').at(-1));
  const installed = spawnSync('npm', ['install', '--no-audit', '--no-fund', tarball], {
    cwd: folder,
    encoding: 'utf8',
  });
  const said = `${installed.stdout}${installed.stderr}`;
  if (installed.status !== 0 || said.includes('EBADENGINE')) throw new Error(`the package does not install:\n${said}`);
  await serve(async url => {
    const row = await answerOf(`${url}/v1/datasets/seattle-weather/rows/0`);
    if (row.data.length !== 4) throw new Error(`not the row: ${JSON.stringify(row)}`);
    const statistic = await answerOf(`${url}/v1/datasets/seattle-weather/statistics?ops=max`);
    if (statistic.results.max !== 55.9) throw new Error(`not the statistic: ${JSON.stringify(statistic)}`);
  });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function serve(ask) {
  const command = join(folder, 'node_modules', '.bin', 'hyperslab');
  const child = spawn(command, ['--port', '0', '--data-dir', join(folder, 'data')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  try {
    await ask(await urlOf(child));
  } finally {
    child.kill('SIGTERM');
  }
  const [status] = await ended;
  if (status !== 0) throw new Error(`the service ended with ${status}`);
}

async function urlOf(child) {
  for await (const line of createInterface({ input: child.stdout })) {
    const url = /hyperslab listens at (\S+?)"/.exec(line)?.[1];
    if (url !== undefined) return url;
  }
  throw new Error('the service ended before it listened');
}

async function answerOf(url) {
  const answer = await fetch(url);
  if (answer.status !== 200) throw new Error(`${url}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
