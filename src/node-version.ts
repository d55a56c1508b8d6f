/**
 * Refuses a Node that is too old (package.json, engines). It imports nothing of the project and stands alone in the
 * imports of each entry, since the modules behind it cannot even be linked there.
 */
import { readFileSync } from 'node:fs';

export function checkNode(): void {
  const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    readonly engines: { readonly node: string };
  };
  const [wantedMajor = 0, wantedMinor = 0] = /\d+\.\d+/.exec(engines.node)![0].split('.').map(Number);
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

  if (major < wantedMajor || (major === wantedMajor && minor < wantedMinor)) {
    process.stderr.write(
      `Hyperslab needs Node ${wantedMajor}.${wantedMinor} or later; this is ${process.versions.node}. Install a newer Node, then start again.\n`,
    );
    process.exit(1);
  }
}
