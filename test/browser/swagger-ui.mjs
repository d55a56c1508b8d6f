/** Swagger UI in a real browser: it shows the operations, and "Execute" brings an answer of the service. */
import { spawn } from 'node:child_process';
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(candidate => existsSync(candidate));
assert.ok(executablePath, 'chromium is not installed');
const dataDir = mkdtempSync(path.join(tmpdir(), 'hyperslab-browser-'));
const server = spawn(process.execPath, ['dist/bundle/server.js'], {
  env: { ...process.env, HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir, HYPERSLAB_DEMO: 'auto' },
  stdio: ['ignore', 'pipe', 'inherit'],
});
let browser;
try {
  const url = await new Promise((resolve, reject) => {
    server.once('exit', code => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: server.stdout }).on('line', line => {
      const listening = /hyperslab listens at (\S+?)"/.exec(line);
      if (listening) resolve(listening[1]);
    });
  });
  browser = await chromium.launch({
    executablePath,
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  });
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', error => problems.push(error.message));
  await page.goto(`${url}/docs`);
  const operations = page.locator('.opblock');
  await operations.first().waitFor();
  assert.ok((await operations.count()) >= 14, 'every operation is listed');

  const row = page.locator('#operations-reads-readRow');
  await row.locator('.opblock-summary-control').click();
  await row.locator('tr[data-param-name="name"] input').fill('seattle-weather');
  await row.locator('tr[data-param-name="row"] input').fill('0');
  await row.locator('button.execute').click();
  const answer = row.locator('.live-responses-table .response-col_description pre').first();
  await answer.waitFor();
  assert.match(await answer.innerText(), /12\.8/);
  assert.deepEqual(problems, [], 'no script error on the page');
  console.log('ok: Swagger UI executes a call');
} finally {
  await browser?.close();
  server.removeAllListeners('exit');
  server.kill();
  await new Promise(resolve => server.once('exit', resolve));
  rmSync(dataDir, { recursive: true, force: true });
}
