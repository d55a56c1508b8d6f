/**
 * A zip of stored members, written as it is sent: sizes are known before, checksums behind each member (APPNOTE 6.3.9,
 * 4.3.9.3). Every size and place is told in ZIP64, whatever it is.
 */
import { crc32 } from 'node:zlib';

export interface ZipMember {
  /** ASCII. */
  readonly name: string;
  readonly bytes: number;
}

const LOCAL_BYTES = 30 + 20;
const DESCRIPTOR_BYTES = 24;
const CENTRAL_BYTES = 46 + 28;
const END_BYTES = 56 + 20 + 22;
/** 4.5: the first that knows ZIP64. */
const VERSION = 45;
/** Checksum and sizes stand behind the data. */
const FLAGS = 1 << 3;
/** 1980-01-01, the earliest date that zip knows: the same answer is the same bytes. */
const DATE = 0x21;

/** Bytes of the whole file. */
export function zipBytes(members: readonly ZipMember[]): number {
  return members.reduce(
    (sum, { name, bytes }) => sum + LOCAL_BYTES + DESCRIPTOR_BYTES + CENTRAL_BYTES + 2 * name.length + bytes,
    END_BYTES,
  );
}

/** Writes what stands between and behind the data of members, which come one after the other. */
export class ZipWriter {
  readonly #central: Buffer[] = [];
  #position = 0;
  #member: (ZipMember & { readonly start: number }) | undefined;
  #crc = 0;

  /** What stands before the data of a member. */
  begin(member: ZipMember): Buffer {
    this.#member = { ...member, start: this.#position };
    this.#crc = 0;
    const head = Buffer.alloc(LOCAL_BYTES);
    head.writeUInt32LE(0x04034b50, 0);
    head.writeUInt16LE(VERSION, 4);
    head.writeUInt16LE(FLAGS, 6);
    head.writeUInt16LE(DATE, 12);
    head.writeUInt32LE(0xffffffff, 18);
    head.writeUInt32LE(0xffffffff, 22);
    head.writeUInt16LE(member.name.length, 26);
    head.writeUInt16LE(20, 28);
    const extra = head.subarray(30);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(16, 2);
    extra.writeBigUInt64LE(BigInt(member.bytes), 4);
    extra.writeBigUInt64LE(BigInt(member.bytes), 12);
    return this.#counted(Buffer.concat([head.subarray(0, 30), Buffer.from(member.name, 'latin1'), extra]));
  }

  /** Data of the member that was begun. */
  add(bytes: Uint8Array): void {
    this.#crc = crc32(bytes, this.#crc);
    this.#position += bytes.byteLength;
  }

  /** What stands behind the data of a member. */
  finish(): Buffer {
    const { name, bytes, start } = this.#member!;
    const tail = Buffer.alloc(DESCRIPTOR_BYTES);
    tail.writeUInt32LE(0x08074b50, 0);
    tail.writeUInt32LE(this.#crc, 4);
    tail.writeBigUInt64LE(BigInt(bytes), 8);
    tail.writeBigUInt64LE(BigInt(bytes), 16);
    const entry = Buffer.alloc(CENTRAL_BYTES);
    entry.writeUInt32LE(0x02014b50, 0);
    entry.writeUInt16LE(VERSION, 4);
    entry.writeUInt16LE(VERSION, 6);
    entry.writeUInt16LE(FLAGS, 8);
    entry.writeUInt16LE(DATE, 14);
    entry.writeUInt32LE(this.#crc, 16);
    entry.writeUInt32LE(0xffffffff, 20);
    entry.writeUInt32LE(0xffffffff, 24);
    entry.writeUInt16LE(name.length, 28);
    entry.writeUInt16LE(28, 30);
    entry.writeUInt32LE(0xffffffff, 42);
    const extra = entry.subarray(46);
    extra.writeUInt16LE(1, 0);
    extra.writeUInt16LE(24, 2);
    extra.writeBigUInt64LE(BigInt(bytes), 4);
    extra.writeBigUInt64LE(BigInt(bytes), 12);
    extra.writeBigUInt64LE(BigInt(start), 20);
    this.#central.push(Buffer.concat([entry.subarray(0, 46), Buffer.from(name, 'latin1'), extra]));
    return this.#counted(tail);
  }

  /** The directory, and the end of the file. */
  end(): Buffer {
    const directory = Buffer.concat(this.#central);
    const start = this.#position;
    const end = Buffer.alloc(END_BYTES);
    const count = BigInt(this.#central.length);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE(VERSION, 12);
    end.writeUInt16LE(VERSION, 14);
    end.writeBigUInt64LE(count, 24);
    end.writeBigUInt64LE(count, 32);
    end.writeBigUInt64LE(BigInt(directory.byteLength), 40);
    end.writeBigUInt64LE(BigInt(start), 48);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(BigInt(start + directory.byteLength), 64);
    end.writeUInt32LE(1, 72);
    end.writeUInt32LE(0x06054b50, 76);
    end.fill(0xff, 84, 96);
    return Buffer.concat([directory, end]);
  }

  #counted(bytes: Buffer): Buffer {
    this.#position += bytes.byteLength;
    return bytes;
  }
}
