/** The descriptors of all .proto files, for server reflection. */
import { BinaryReader } from '@bufbuild/protobuf/wire';
import { DESCRIPTOR_SET_BASE64 } from './gen/descriptor-set.js';

/** `repeated FileDescriptorProto file = 1` as its tag on the wire. */
const FILE_TAG = 0x0a;

/** Each an encoded google.protobuf.FileDescriptorProto, with those it imports among them. */
export function readFileDescriptors(): Buffer[] {
  const reader = new BinaryReader(Buffer.from(DESCRIPTOR_SET_BASE64, 'base64'));
  const files: Buffer[] = [];
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag === FILE_TAG) {
      files.push(Buffer.from(reader.bytes()));
    } else {
      reader.skip(tag & 7);
    }
  }
  return files;
}
