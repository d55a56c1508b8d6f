#!/usr/bin/env node
/** The command. Only what is asked for is loaded. */
import { checkNode } from './node-version.js';

checkNode();

const { run } = await import('./process/command.js');
process.exitCode = await run(process.argv.slice(2), process.env);
