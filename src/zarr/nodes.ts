/**
 * Datasets as nodes of a Zarr hierarchy: an array, or, where the dtype has fields, a group with a node for each of them. A
 * node is arithmetic: nothing of it is read or kept.
 */
import type { Dataset } from '../dataset/dataset.js';
import { isStructure, leavesOf, subArrayOf, type DType, type Field, type LeafDType } from '../dtype/index.js';
import { sizeOf, type View } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { askedChunks, regularChunks } from './chunks.js';
import { nodeName } from './names.js';

export interface ArrayNode {
  readonly kind: 'array';
  readonly dataset: Dataset;
  /** As in the file. */
  readonly dtype: LeafDType;
  readonly view: View;
  /** The shape of a chunk. */
  readonly chunks: readonly number[];
  /** A name for each axis. */
  readonly dims: readonly string[];
  readonly attrs: Attrs;
}

export interface GroupNode {
  readonly kind: 'group';
  readonly attrs: Attrs;
  /** Made as they are asked for: a structure may have thousands of fields. */
  members(): Iterable<Member>;
  /** The node that a part of a key names. */
  find(part: string): Node | undefined;
}

export type Node = ArrayNode | GroupNode;
export type Member = readonly [name: string, node: Node];
type Attrs = Readonly<Record<string, unknown>>;

const NO_ATTRS: Attrs = {};

/** @param dims names for the axes in the place of the dataset's own */
export function nodeOf(dataset: Dataset, dims: readonly string[] | null = dataset.record.dims): Node {
  const { record, geometry } = dataset;
  const { name, attrs, order, shape } = record;
  const { dtype, view } = geometry;
  const itemBytes = widestBytes(dtype);
  const base: Base = {
    dataset,
    dims: dims ?? shape.map((_, axis) => `${name}_${axis}`),
    chunks: askedChunks(attrs['chunks'], shape.length, itemBytes) ?? regularChunks(shape, itemBytes, order),
  };
  return partNode(base, name, dtype, view, attrs);
}

/** What all nodes of a dataset have in common. */
interface Base extends Pick<ArrayNode, 'dataset' | 'dims' | 'chunks'> {}

function partNode(base: Base, name: string, dtype: DType, view: View, attrs: Attrs): Node {
  if (!isStructure(dtype)) return { kind: 'array', ...base, ...innerAxes(base, name, dtype, view), dtype, view, attrs };
  const nodeOfField = (field: Field): Node =>
    partNode(base, field.name, field.dtype, viewOfField(view, field), NO_ATTRS);
  return {
    kind: 'group',
    attrs,
    *members() {
      for (const field of dtype.fields) yield [nodeName(field.name), nodeOfField(field)];
    },
    find(part) {
      const { fields } = dtype;
      // As nodes are named, or as the client decoded it.
      const field = fields.find(({ name }) => nodeName(name) === part) ?? fields.find(({ name }) => name === part);
      return field && nodeOfField(field);
    },
  };
}

function viewOfField(view: View, field: Field): View {
  const { shape, strides } = subArrayOf(field);
  return {
    shape: [...view.shape, ...shape],
    strides: [...view.strides, ...strides],
    offset: view.offset + field.offset,
  };
}

/** The axes of sub-arrays, which stand behind those of the dataset, with names that these do not have. */
function innerAxes({ dims, chunks }: Base, name: string, { itemsize }: DType, { shape }: View) {
  const inner = shape.slice(dims.length);
  if (inner.length === 0) return { dims, chunks };
  const names = inner.map((_, axis) => {
    let dim = `${name}_${axis}`;
    while (dims.includes(dim)) dim += '_';
    return dim;
  });
  const whole = sizeOf(inner) * itemsize <= LIMITS.zarrChunkBytes;
  const cut = whole ? inner.map(length => Math.max(1, length)) : regularChunks(inner, itemsize, 'C');
  return {
    dims: [...dims, ...names],
    chunks: [...chunks, ...cut.map((length, axis) => Math.min(length, Math.max(1, inner[axis]!)))],
  };
}

/** Items of a structure that a chunk of one field may pass over, as many times its own bytes. */
const PASSED_MAX = 16;
const known = new WeakMap<DType, number>();

/**
 * Bytes of an element that the chunks of a dataset are measured by. The fields of a structure have chunks of as many rows,
 * which are those of the widest.
 */
function widestBytes(dtype: DType): number {
  if (!isStructure(dtype)) return dtype.itemsize;
  let bytes = known.get(dtype);
  if (bytes === undefined) {
    bytes = Math.max(1, dtype.itemsize / PASSED_MAX);
    for (const leaf of leavesOf(dtype)) {
      bytes = Math.max(bytes, Math.min(LIMITS.zarrChunkBytes, sizeOf(leaf.shape) * leaf.dtype.itemsize));
    }
    known.set(dtype, bytes);
  }
  return bytes;
}

/**
 * The group of a dataset and of the coordinates of its axes: 1-D datasets that are named as its dims and fit at this
 * moment, each along the axis that it names.
 */
export function neighbourhood(dataset: Dataset, find: (name: string) => Dataset | undefined): GroupNode {
  const node = nodeOf(dataset);
  const { name, dims, shape } = dataset.record;
  const coordinates: Member[] = [];
  for (const [axis, dim] of (dims ?? []).entries()) {
    const found = dim === name ? undefined : find(dim);
    if (!found || found.record.shape.length !== 1 || found.record.shape[0] !== shape[axis]) continue;
    const coordinate = nodeOf(found, [dim]);
    if (coordinate.kind === 'array') coordinates.push([nodeName(dim), coordinate]);
  }
  if (node.kind === 'array') return groupOf([[nodeName(name), node], ...coordinates], NO_ATTRS);
  // The variables of a structured dataset are its fields; one that is named as an axis is the coordinate itself.
  const beside = coordinates.filter(([each]) => node.find(each) === undefined);
  return {
    kind: 'group',
    attrs: node.attrs,
    *members() {
      yield* node.members();
      yield* beside;
    },
    find: part => node.find(part) ?? memberOf(beside, part),
  };
}

function groupOf(members: readonly Member[], attrs: Attrs): GroupNode {
  return { kind: 'group', attrs, members: () => members, find: part => memberOf(members, part) };
}

function memberOf(members: readonly Member[], part: string): Node | undefined {
  return members.find(([name]) => name === part || name === nodeName(part))?.[1];
}
