/**
 * The door of the statistics: what a client asked for, checked once against the rank of its selection. Below this file
 * a query is trusted.
 */
import { settledCov } from '../columns/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import { didYouMean } from '../near.js';
import { isEmpty, presentMembers } from '../present.js';
import { listed, shown } from '../shown.js';
import { parseFilter, type FilterTree } from '../filter/parse.js';
import { parseGrouping, type GroupingTree } from '../grouping/grouping.js';
import { isOpName, OP_NAMES, type OpName, opRow, type Parameters, UNGROUPED } from './ops.js';
import type { RangePart } from '../selection.js';

export type NanMode = 'propagate' | 'omit' | 'raise';

type AxisName = number | string;

/** The names of the axes of a selection, where the dataset has some; undefined of an axis that has none. */
export type AxisNames = readonly (string | undefined)[];

/** A query as it arrives: JSON of a body, or the parameters of a URL in the same shape. */
export interface QueryInput {
  readonly ops: readonly unknown[];
  /** By number or by name; null or absent: all axes. */
  readonly axis?: AxisName | readonly AxisName[] | null | undefined;
  readonly keepdims?: boolean | undefined;
  /** Delta degrees of freedom of var and std: they divide by count - ddof. */
  readonly ddof?: number | undefined;
  /** false: skew and kurtosis are corrected for what a sample lacks. */
  readonly bias?: boolean | undefined;
  readonly nan?: string | undefined;
  readonly where?: unknown;
  readonly group_by?: unknown;
}

/** A normalised query. Plain data. */
export interface Query {
  readonly ops: readonly OpName[];
  /** Of the operations that have some. */
  readonly parameters?: Parameters;
  /** The axes that are reduced, ascending, none twice, each from 0 to rank-1; null for all. */
  readonly axis: readonly number[] | null;
  readonly keepdims: boolean;
  readonly ddof: number;
  /** Only where it is false. */
  readonly bias?: boolean;
  readonly nan: NanMode;
  /** Which rows are used, as it was asked: names are not resolved. */
  readonly where?: FilterTree;
  readonly groupBy?: GroupingTree;
  /** So many neighbours along each axis share a cell, in the place of axes that are reduced. */
  readonly coarsen?: readonly number[];
  /** What is taken of the rows that are chosen; absent where rows are not chosen. */
  readonly rows?: RangePart;
}

const WHOLE_SELECTION: readonly OpName[] = ['histogram', 'unique'];

/** Operations that take parameters. */
const PARAMETRIC = OP_NAMES.filter(op => opRow(op).parse ?? opRow(op).takesBias);

const NAN_MODES: readonly NanMode[] = ['propagate', 'omit', 'raise'];

/**
 * Checks and normalises a query for a selection of `rank` axes.
 * @throws bad_operation, bad_axis, bad_request
 */
export function parseQuery(input: QueryInput, rank: number, names: AxisNames = []): Query {
  const { ops, parameters } = parseOps(input.ops);
  const axis = parseAxis(input.axis, rank, names);
  const positional = ops.find(op => opRow(op).positional);
  if (positional !== undefined && axis !== null && axis.length !== 1) {
    const detail = `${positional} takes one axis, or null for all; axis names ${axis.length}: ${axis.join(', ')}. Ask for one axis at a time.`;
    fail('bad_operation', detail, { axis });
  }
  const whole = ops.find(op => WHOLE_SELECTION.includes(op));
  if (axis !== null && whole !== undefined) {
    const detail = `${whole} is of the whole selection, as in numpy: leave axis out, or make it null.`;
    fail('bad_operation', detail, { axis });
  }
  const ddof = input.ddof ?? 0;
  if (!Number.isFinite(ddof)) fail('bad_request', `ddof is ${ddof}; it takes a finite number.`, { ddof: String(ddof) });
  const nan = input.nan ?? 'propagate';
  if (!isNanMode(nan)) {
    const detail = `nan is ${shown(nan)}; it takes ${listed(NAN_MODES)}.${didYouMean(nan, NAN_MODES)}`;
    return fail('bad_request', detail, { supported: NAN_MODES });
  }
  const where = isEmpty(input.where) ? undefined : parseFilter(input.where);
  const groupBy = isEmpty(input.group_by) ? undefined : parseGrouping(input.group_by);
  if (groupBy) checkGrouped(ops, axis, rank);
  return {
    ops,
    ...(parameters && {
      parameters: { ...parameters, ...(parameters.cov && { cov: settledCov(parameters.cov, input.ddof) }) },
    }),
    axis,
    keepdims: input.keepdims ?? false,
    ddof,
    ...(input.bias === false && { bias: false }),
    nan,
    ...(where && { where }),
    ...(groupBy && { groupBy }),
  };
}

/** Operations that have a value per group, over axes that rows are along. */
function checkGrouped(ops: readonly OpName[], axis: readonly number[] | null, rank: number): void {
  const ungrouped = ops.find(op => UNGROUPED.includes(op));
  if (ungrouped !== undefined) {
    const others = OP_NAMES.filter(op => !UNGROUPED.includes(op));
    const detail = `${ungrouped} is not computed by groups. Leave ${ungrouped} or group_by out; by groups there are ${listed(others, 'and')}.`;
    fail('bad_operation', detail, { op: ungrouped });
  }
  if (axis !== null && !axis.includes(0)) {
    const detail = `Groups are made of rows, so group_by needs axis to be null or to hold 0; it is ${axis.join(', ')}.`;
    fail('bad_operation', detail, { axis });
  }
  const positional = ops.find(op => opRow(op).positional);
  if (positional !== undefined && axis === null && rank > 1) {
    fail('bad_operation', `By groups, ${positional} is along the rows alone. Ask for axis=0.`, { op: positional });
  }
}

function parseOps(asked: readonly unknown[]): { ops: OpName[]; parameters: Parameters | undefined } {
  if (asked.length === 0) fail('bad_operation', `Name at least one operation: ${OP_NAMES.join(', ')}.`);
  const ops: OpName[] = [];
  const parsed: Record<string, unknown> = {};
  const bias: Record<string, boolean> = {};
  for (const each of asked) {
    const { op, given } = parseOp(each);
    if (ops.includes(op)) fail('bad_operation', `${op} is asked for twice; name each operation once.`, { op });
    ops.push(op);
    const { parse, takesBias } = opRow(op);
    if (parse) parsed[op] = parse(given ?? {});
    else if (takesBias && given) Object.assign(bias, parseBias(op, given));
    else if (given) {
      const detail = `${op} takes no parameters: write it as "${op}". Those with parameters are ${listed(PARAMETRIC, 'and')}.`;
      fail('bad_operation', detail, { op });
    }
  }
  if (Object.keys(bias).length > 0) parsed['bias'] = bias;
  const hasSome = Object.keys(parsed).length > 0;
  return { ops, parameters: hasSome ? parsed : undefined };
}

/** `{"bias": false}` of one operation, in the place of the query's own. @throws bad_operation */
function parseBias(op: OpName, given: Readonly<Record<string, unknown>>): Record<string, boolean> {
  const { bias, ...others } = given;
  if (bias === undefined && Object.keys(others).length === 0) return {};
  if (typeof bias === 'boolean' && Object.keys(others).length === 0) return { [op]: bias };
  return fail('bad_operation', `${op} takes {"bias": false} or {"bias": true}, not ${shown(given)}.`, { op });
}

/** An operation by its name, or with what it is given: `{"quantile": {…}}`. */
function parseOp(asked: unknown): { op: OpName; given: Readonly<Record<string, unknown>> | undefined } {
  if (typeof asked === 'string' && isOpName(asked)) return { op: asked, given: undefined };
  const all = typeof asked === 'object' && asked !== null ? Object.entries(asked) : [];
  // Of several the one that says something is meant.
  const entries = all.length > 1 ? all.filter(([, given]) => given !== null) : all;
  if (entries.length > 1) {
    const detail = `${shown(asked)} names ${entries.length} operations in one; write one object for each of ${listed(
      entries.map(([name]) => name.slice(0, 40)),
      'and',
    )}.`;
    return fail('bad_operation', detail, { supported: OP_NAMES });
  }
  const [name, given] = entries[0] ?? [typeof asked === 'string' ? asked : shown(asked), undefined];
  if (isOpName(name) && given === null) return { op: name, given: undefined };
  if (isOpName(name) && isObject(given)) return { op: name, given: presentMembers(given) };
  const values = { op: name.slice(0, 80), supported: OP_NAMES };
  if (isOpName(name)) {
    return fail(
      'bad_operation',
      `The parameters of ${name} are ${shown(given)}; they are an object: {"${name}": {…}}.`,
      values,
    );
  }
  return fail(
    'bad_operation',
    `${shown(name)} is not an operation. There are ${listed(OP_NAMES, 'and')}.${didYouMean(name.slice(0, 60), OP_NAMES)}`,
    values,
  );
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseAxis(asked: QueryInput['axis'], rank: number, names: AxisNames): number[] | null {
  if (asked === null || asked === undefined) return null;
  const given = typeof asked === 'number' || typeof asked === 'string' ? [asked] : asked;
  const axes = given.map(each => {
    const axis = typeof each === 'string' ? axisNamed(each, rank, names) : each;
    if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
      fail('bad_axis', `Axis ${axis} does not exist: the selection has ${axesWords(rank)}.`, { axis, rank });
    }
    return axis < 0 ? axis + rank : axis;
  });
  axes.sort((a, b) => a - b);
  const repeated = axes.find((axis, i) => axis === axes[i - 1]);
  if (repeated !== undefined)
    fail(
      'bad_axis',
      `Axis ${repeated} is named twice in axis=${given.join()}, where ${repeated - rank} means ${repeated}, too. Name it once.`,
      { axis: repeated, rank },
    );
  return axes;
}

/** @throws bad_axis, with the known ones */
function axisNamed(name: string, rank: number, names: AxisNames): number {
  const found = names.flatMap((each, axis) => (each === name ? [axis] : []));
  if (found.length === 1) return found[0]!;
  const known = names.filter(each => each !== undefined);
  const values = { axis: name.slice(0, 60), ...(known.length > 0 && { axes: known.slice(0, LIMITS.rankMax) }), rank };
  if (found.length > 1) {
    const detail = `${found.length} axes are named ${shown(name)}: ${listed(found.map(String), 'and')}. Ask by number, or give each a name of its own.`;
    return fail('bad_axis', detail, values);
  }
  const numbers = `axes are integers in ASCII digits, with commas between them: axis=0, axis=-1 or axis=0,1`;
  const others =
    known.length === 0
      ? `No axis of the selection has a name; ${numbers}. Names come from dims of the dataset.`
      : `There ${known.length === 1 ? 'is' : 'are'} ${listed(known.map(shown), 'and')}; or ${numbers}.`;
  return fail(
    'bad_axis',
    `axis is ${shown(name)}, and none has that name. ${others}${didYouMean(name.slice(0, 60), known)}`,
    values,
  );
}

function axesWords(rank: number): string {
  if (rank === 0) return 'none, since it is one element. Leave axis out';
  return `${rank}. Use ${rank === 1 ? '0 or -1' : `${-rank} to ${rank - 1}`}`;
}

function isNanMode(text: string): text is NanMode {
  return (NAN_MODES as readonly string[]).includes(text);
}
