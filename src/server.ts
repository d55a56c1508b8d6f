/** The server process: what `npm start` and `hyperslab` run under their supervisor, and a container as process 1. */
import { checkNode } from './node-version.js';

checkNode();

// Sent to a service that is still loading, it must not end it; there is nothing to be read again yet.
process.on('SIGHUP', () => undefined);

const { serve } = await import('./process/serve.js');
await serve(process.argv.slice(2), process.env);
