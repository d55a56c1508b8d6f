/** What a row of a table of settings is, and the readers of values that several rows share. */

export interface Setting<T> {
  readonly name: string;
  /** As text, so that the README can show it. */
  readonly default: string;
  readonly unit: string;
  readonly meaning: string;
  /** Throws a sentence that says what is allowed. */
  readonly parse: (text: string) => T;
}

/** The values that a table of settings gives. */
export type ValuesOf<Table extends Readonly<Record<string, Setting<unknown>>>> = {
  readonly [Key in keyof Table]: ReturnType<Table[Key]['parse']>;
};

/** Thrown when the service must not start as it is set up, with one line per fault. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

export function setting<T>(row: Setting<T>): Setting<T> {
  return row;
}

/** The flag of the command line that stands for a setting: `--data-dir` for HYPERSLAB_DATA_DIR. */
export function flagOf(name: string): string {
  return `--${name
    .replace(/^HYPERSLAB_/, '')
    .toLowerCase()
    .replaceAll('_', '-')}`;
}

export function integer(min: number, max: number): (text: string) => number {
  return text => {
    const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : Number.NaN;
    if (!(value >= min && value <= max)) throw new Error(`expected an integer from ${min} to ${max}`);
    return value;
  };
}

export function oneOf<const T extends string>(...choices: T[]): (text: string) => T {
  return text => {
    const found = choices.find(choice => choice === text);
    if (found === undefined) throw new Error(`expected one of ${choices.join(', ')}`);
    return found;
  };
}

/** The parts of a comma-separated list, without blanks around them. */
export function list(text: string): string[] {
  return text
    .split(',')
    .map(part => part.trim())
    .filter(Boolean);
}

/** Undefined where nothing is set. */
export function textOrNone(text: string): string | undefined {
  return text || undefined;
}
