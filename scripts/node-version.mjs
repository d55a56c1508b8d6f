/**
 * Refuses a Node that is too old for the project (package.json, engines). It imports nothing of the project and stands
 * first in the imports of the scripts, which would fail on an old one in ways that nobody understands.
 */
import { readFileSync } from 'node:fs';

export function checkNode() {
  const { engines } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  const [, wantedMajor, wantedMinor] = /(\d+)\.(\d+)/.exec(engines.node).map(Number);
  const [major, minor] = process.versions.node.split('.').map(Number);

  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    console.error(
      `Hyperslab needs Node ${wantedMajor}.${wantedMinor} or later; this is ${process.versions.node}. Install a newer Node, then start again.`,
    );
    process.exit(1);
  }
}
