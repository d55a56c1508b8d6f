/** What kind of file system a path is on: some cannot be mapped safely, and do not keep what they promise on flush. */
import fs from 'node:fs/promises';

/** statfs(2) f_type of file systems whose pages can vanish with a network or a process. */
const UNSAFE_TYPES = new Map<number, string>([
  [0x6969, 'nfs'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x517b, 'smb'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb2'],
  [0x00c36400, 'ceph'],
  [0x0bd00bd0, 'lustre'],
  [0x47504653, 'gpfs'],
  [0x786f4256, 'vboxsf'],
]);

export interface FileSystemKind {
  readonly name: string;
  /** False: reads are positional, and writing needs the setting that allows it. */
  readonly mappable: boolean;
}

export async function kindOfFileSystem(path: string): Promise<FileSystemKind> {
  const { type } = await fs.statfs(path);
  // f_type is a signed word in some C libraries.
  const unsafe = UNSAFE_TYPES.get(type >>> 0);
  return unsafe ? { name: unsafe, mappable: false } : { name: 'local', mappable: true };
}
