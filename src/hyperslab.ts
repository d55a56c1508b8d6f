#!/usr/bin/env node
/** The command: `hyperslab` or `hyperslab serve` is the service, `hyperslab keys …` manages its API keys. */

const USAGE = `hyperslab [serve]      start the service; settings are environment variables, see the README
hyperslab keys …       add, list and revoke API keys; hyperslab keys --help
hyperslab --version
`;

const [command = 'serve', ...args] = process.argv.slice(2);
if (command === 'serve' && args.length === 0) await import('./server.js');
else if (command === 'keys') {
  const { runKeys } = await import('./keys-command.js');
  process.exitCode = await runKeys(args, process.env);
} else if (command === '--version') {
  const { VERSION } = await import('./version.js');
  process.stdout.write(`${VERSION}\n`);
} else {
  const asked = command === '--help' || command === '-h' || command === 'help';
  (asked ? process.stdout : process.stderr).write(USAGE);
  process.exitCode = asked ? 0 : 2;
}
