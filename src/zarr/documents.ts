/**
 * The documents that describe nodes, as texts in pieces: a group tells of all its members (consolidated metadata), of which
 * there may be thousands, so that its text is made a member at a time.
 */
import { stringifyExactJson } from '../formats/index.js';
import { withByteOrder } from '../dtype/index.js';
import { dataType2, dataType3, knownDataType3 } from './data-types.js';
import type { ArrayNode, GroupNode, Member, Node } from './nodes.js';

/** Members of the group that is meant; those of a group of all datasets come from a list that is read in turns. */
export type Members = Iterable<Member> | AsyncIterable<Member>;

/** Which document of a node, by the name of its key. */
type Documents = ReadonlyMap<string, Write>;
type Write = (node: Node, members: Members) => AsyncIterable<string> | undefined;

/** A version of Zarr: its documents, and how keys of chunks are written. */
export interface ZarrVersion {
  readonly number: 2 | 3;
  readonly documents: Documents;
  /** The parts of a key behind its node as the numbers of a chunk, as texts; undefined where it is none. */
  chunkParts(rest: readonly string[], rank: number): readonly string[] | undefined;
}

export const ZARR_3: ZarrVersion = {
  number: 3,
  documents: new Map<string, Write>([
    ['zarr.json', (node, members) => (node.kind === 'array' ? once(textOf(array3(node))) : group3(node, members))],
  ]),
  chunkParts([first, ...rest]) {
    if (first !== 'c') return undefined;
    // Clients that encode a whole parameter of a path send 0%2F1.
    return rest.flatMap(part => part.split('/'));
  },
};

export const ZARR_2: ZarrVersion = {
  number: 2,
  documents: new Map<string, Write>([
    ['.zarray', node => (node.kind === 'array' ? once(textOf(array2(node))) : undefined)],
    ['.zgroup', node => (node.kind === 'group' ? once(GROUP_2) : undefined)],
    ['.zattrs', node => once(textOf(attrs2(node)))],
    ['.zmetadata', (node, members) => (node.kind === 'group' ? consolidated2(node, members) : undefined)],
  ]),
  chunkParts(rest, rank) {
    if (rest.length !== 1) return undefined;
    if (rank === 0) return rest[0] === '0' ? [] : undefined;
    return rest[0]!.split('.');
  },
};

/** JSON in ASCII: zarr-python 2 reads no other. */
function textOf(value: unknown): string {
  return stringifyExactJson(value).replaceAll(
    /[\u007F-\uFFFF]/g,
    each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

async function* once(text: string): AsyncGenerator<string> {
  yield text;
}

function array3({ dtype, view, chunks, dims, attrs }: ArrayNode): object {
  const { data_type, fill_value } = knownDataType3(dtype);
  const hasOrder = withByteOrder(dtype, '<').byteOrder !== '|';
  return {
    zarr_format: 3,
    node_type: 'array',
    shape: view.shape,
    data_type,
    chunk_grid: { name: 'regular', configuration: { chunk_shape: chunks } },
    chunk_key_encoding: { name: 'default', configuration: { separator: '/' } },
    fill_value,
    codecs: [{ name: 'bytes', ...(hasOrder && { configuration: { endian: 'little' } }) }],
    attributes: attrs,
    dimension_names: dims,
    storage_transformers: [],
  };
}

async function* group3({ attrs }: GroupNode, members: Members): AsyncGenerator<string> {
  yield `{"zarr_format":3,"node_type":"group","attributes":${textOf(attrs)},`;
  yield '"consolidated_metadata":{"kind":"inline","must_understand":false,"metadata":{';
  let comma = '';
  for await (const [path, node] of descendants(members)) {
    if (node.kind === 'array' && !dataType3(node.dtype)?.isListed) continue;
    const told = node.kind === 'array' ? array3(node) : { zarr_format: 3, node_type: 'group', attributes: node.attrs };
    yield `${comma}${textOf(path)}:${textOf(told)}`;
    comma = ',';
  }
  yield '}}}';
}

const GROUP_2 = '{"zarr_format":2}';

function array2({ dtype, view, chunks }: ArrayNode): object {
  const { dtype: typestr, fill_value } = dataType2(dtype);
  return {
    zarr_format: 2,
    shape: view.shape,
    chunks,
    dtype: typestr,
    compressor: null,
    fill_value,
    order: 'C',
    filters: null,
    dimension_separator: '.',
  };
}

function attrs2(node: Node): object {
  return node.kind === 'array' ? { ...node.attrs, _ARRAY_DIMENSIONS: node.dims } : node.attrs;
}

async function* consolidated2(group: GroupNode, members: Members): AsyncGenerator<string> {
  yield `{"zarr_consolidated_format":1,"metadata":{".zgroup":${GROUP_2},".zattrs":${textOf(group.attrs)}`;
  for await (const [path, node] of descendants(members)) {
    if (node.kind === 'array' && !dataType2(node.dtype).isListed) continue;
    const key = node.kind === 'array' ? '.zarray' : '.zgroup';
    const told = node.kind === 'array' ? textOf(array2(node)) : GROUP_2;
    yield `,${textOf(`${path}/${key}`)}:${told}`;
    yield `,${textOf(`${path}/.zattrs`)}:${textOf(attrs2(node))}`;
  }
  yield '}}';
}

/** All nodes below a group, each with its path from there, parents first. */
async function* descendants(members: Members): AsyncGenerator<Member> {
  for await (const [name, node] of members) {
    yield [name, node];
    if (node.kind === 'group') yield* below(name, node);
  }
}

function* below(path: string, group: GroupNode): Generator<Member> {
  for (const [name, node] of group.members()) {
    yield [`${path}/${name}`, node];
    if (node.kind === 'group') yield* below(`${path}/${name}`, node);
  }
}
