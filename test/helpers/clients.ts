/** The commands that make each generated client, as a page shows them. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PACKAGE_ROOT } from '../../src/package-root.js';

interface Client {
  readonly make: readonly string[];
  readonly program: string;
}

const TABLE = pathToFileURL(path.join(PACKAGE_ROOT, 'test/clients/table.mjs')).href;
const { CLIENTS } = (await import(TABLE)) as { readonly CLIENTS: Readonly<Record<string, Client>> };

/** A block of commands by the name of its client. */
export const CLIENT_BLOCKS: readonly (readonly [name: string, block: string])[] = Object.entries(CLIENTS).map(
  ([name, { make, program }]) => [name, `\`\`\`sh\n${[...make, `${program} $URL`].join('\n')}\n\`\`\`\n`],
);
