/** What the doctor finds. */
export interface Finding {
  /** `bad` keeps something from being served; `warning` may, some day. */
  readonly level: 'ok' | 'warning' | 'bad';
  /** What it is about: a folder, a dataset, a limit. */
  readonly about: string;
  readonly found: string;
  readonly remedy?: string;
}
