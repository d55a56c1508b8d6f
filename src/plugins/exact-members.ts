/** Members of a JSON body whose integers keep all their digits, for routes that say so in their config. */
import { mayLoseDigits, parseExactTurns } from '../formats/index.js';
import { runTurns } from '../turns.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Names of members, of the body or of the objects in its lists, in which large integers are bigint. */
    exactMembers?: readonly string[];
  }
}

/** Puts the exact members of a body's text in the place of those that were parsed from it, in turns. */
export async function keepDigits(body: unknown, text: string, names: readonly string[]): Promise<void> {
  copyMembers(body, await runTurns(parseExactTurns(text)), names);
}

/** Whether there may be digits to keep. */
export function hasDigitsToKeep(text: string, names: readonly string[]): boolean {
  return names.length > 0 && mayLoseDigits(text);
}

function copyMembers(into: unknown, from: unknown, names: readonly string[]): void {
  if (typeof into !== 'object' || into === null) return;
  const target = into as Record<string, unknown>;
  const source = from as Record<string, unknown>;
  for (const [name, value] of Object.entries(source)) {
    if (names.includes(name)) target[name] = value;
    else if (Array.isArray(value))
      for (const [i, each] of value.entries()) copyMembers((target[name] as unknown[])[i], each, names);
  }
}
