/**
 * Arrays inside other files: a member of a .npz, a tensor of a .safetensors. Each container has a reader of its index, which
 * is read asynchronously and bounded; nothing of it is believed before it lies inside the file.
 */
import type { ContainerFormat } from '../containers.js';
import { fail } from '../errors.js';
import { didYouMean } from '../near.js';
import { listed, shown } from '../shown.js';
import type { Member, MemberArray } from './member.js';
import { npzMembers } from './npz-members.js';
import { safetensorsMembers } from './safetensors-members.js';

/** Reads the index of an open file of so many bytes: each name once. @throws bad_container */
type IndexReader = (fd: number, fileBytes: number) => Promise<readonly Member[]>;

const READERS: Readonly<Record<ContainerFormat, IndexReader>> = {
  npz: npzMembers,
  safetensors: safetensorsMembers,
};

export function isContainerFormat(format: string): format is ContainerFormat {
  return Object.hasOwn(READERS, format);
}

/** What a container holds. @throws bad_container */
export function membersIn(fd: number, fileBytes: number, format: ContainerFormat): Promise<readonly Member[]> {
  return READERS[format](fd, fileBytes);
}

/** The member of a name; without one, the only member. @throws member_needed, unknown_member, and as Member.array */
export async function memberIn(
  fd: number,
  fileBytes: number,
  format: ContainerFormat,
  asked: string | undefined,
): Promise<MemberArray & { readonly member: string }> {
  const members = await membersIn(fd, fileBytes, format);
  const sole = members.length === 1 ? members[0] : undefined;
  const found = asked === undefined ? sole : members.find(({ name }) => name === asked);
  if (!found) return failMember(members, format, asked);
  return { ...(await found.array()), member: found.name };
}

/** Names that a refusal lists. */
const NAMES_MAX = 50;
const NAME_LENGTH_MAX = 200;

function failMember(members: readonly Member[], format: ContainerFormat, asked: string | undefined): never {
  const names = members.slice(0, NAMES_MAX).map(({ name }) => name.slice(0, NAME_LENGTH_MAX));
  const more = members.length > NAMES_MAX ? ` and ${members.length - NAMES_MAX} more` : '';
  const quoted = names.map(name => shown(name));
  const has =
    members.length === 0 ? 'no arrays' : `the arrays ${more ? quoted.join(', ') + more : listed(quoted, 'and')}`;
  const values = { members: names, members_total: members.length };
  if (asked === undefined && members.length > 0) {
    const remedy = `Name one of them: "member": ${quoted[0]}.`;
    return fail('member_needed', `The .${format} holds ${has}. ${remedy}`, values);
  }
  const near = asked === undefined ? '' : didYouMean(asked.slice(0, 60), names);
  const missing = asked === undefined ? '' : ` none is named ${shown(asked)};`;
  return fail(
    'unknown_member',
    `The file has no such member:${missing} the .${format} holds ${has}.${near} Give the name of one${format === 'npz' ? ', without .npy' : ''}.`,
    { ...(asked !== undefined && { member: asked.slice(0, NAME_LENGTH_MAX) }), ...values },
  );
}
