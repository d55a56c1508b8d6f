/** A service of our own on a free port, with nothing in its catalog; it may register files of one folder. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const SERVER = fileURLToPath(new URL('../../dist/src/server.js', import.meta.url));

export async function startService(folder) {
  if (!fs.existsSync(SERVER)) throw new Error('there is no build yet: npm run build');
  const dataDir = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-flights-data-'));
  const child = spawn(process.execPath, [SERVER], {
    env: { ...process.env, HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir, HYPERSLAB_ROOTS: folder },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const url = await listeningAt(child);
  return {
    url,
    async stop() {
      child.kill('SIGTERM');
      if (child.exitCode === null) await once(child, 'exit');
      fs.rmSync(dataDir, { recursive: true });
    },
  };
}

/** From its log, which goes on being read so that it never blocks. */
function listeningAt(child) {
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', code => reject(new Error(`the service ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', line => {
      const found = /hyperslab listens at (\S+?)"/.exec(line);
      if (found) resolve(found[1]);
    });
  });
}
