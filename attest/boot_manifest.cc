// SPDX-License-Identifier: Apache-2.0
#include "attest/boot_manifest.h"

#include <string.h>

#include <array>

#include "attest/reasons.h"
#include "proto/arena.h"

namespace attest {
namespace {

using base::Bytes;
using base::Code;
using base::Result;
using base::Status;

// A manifest of 4 KiB at most, and what protobuf-c makes of it.
using ManifestArena = proto::UnpackArena<8 * 1024>;

proto::BootFile ToMessage(const BootFileDigest& file) {
  return {file.name_bytes(), file.length, file.sha384};
}

Result<BootFileDigest> FromMessage(const proto::BootFile& file) {
  BootFileDigest digest;
  BASE_TRY(digest.SetName(file.name));
  digest.length = file.length;
  // proto::Decode<proto::BootManifest>() has checked the size.
  memcpy(digest.sha384.data(), file.sha384.data(), digest.sha384.size());
  return digest;
}

}  // namespace

Bytes BootFileDigest::name_bytes() const {
  // EDGE: char and uint8_t are both bytes.
  return {reinterpret_cast<const uint8_t*>(name), name_size};
}

Status BootFileDigest::SetName(Bytes value) {
  if (value.size() > sizeof(name)) {
    return Status(Code::kInvalidArgument, kBootFileName);
  }
  for (const uint8_t c : value) {
    if (c < 0x21 || c > 0x7E) {
      return Status(Code::kInvalidArgument, kBootFileName);
    }
  }
  if (!value.empty()) memcpy(name, value.data(), value.size());
  name_size = value.size();
  return {};
}

Result<BootFileDigest> DigestBootFile(Bytes name, Bytes bytes) {
  BootFileDigest digest;
  BASE_TRY(digest.SetName(name));
  digest.length = bytes.size();
  digest.sha384 = crypto::Sha384::Of(bytes);
  return digest;
}

Result<size_t> Serialise(const BootManifest& manifest, base::MutableBytes out) {
  proto::BootManifest message;
  message.kernel = ToMessage(manifest.kernel);
  message.initrd = ToMessage(manifest.initrd);
  message.command_line = ToMessage(manifest.command_line);
  for (const BootFileDigest& file : manifest.acpi) {
    BASE_TRY(message.acpi.Add(ToMessage(file)));
  }
  return proto::Encode(message, out);
}

Result<BootManifest> ParseBootManifest(Bytes bytes) {
  ManifestArena arena;
  BASE_TRY_ASSIGN(const proto::BootManifest message,
                  proto::Decode<proto::BootManifest>(bytes, arena));
  BootManifest manifest;
  BASE_TRY_ASSIGN(manifest.kernel, FromMessage(message.kernel));
  BASE_TRY_ASSIGN(manifest.initrd, FromMessage(message.initrd));
  BASE_TRY_ASSIGN(manifest.command_line, FromMessage(message.command_line));
  for (const proto::BootFile& file : message.acpi) {
    BASE_TRY_ASSIGN(const BootFileDigest digest, FromMessage(file));
    BASE_TRY(manifest.acpi.Add(digest));
  }
  return manifest;
}

crypto::Sha384Digest AcpiDigest(const BootManifest& manifest) {
  crypto::Sha384 hash;
  for (const BootFileDigest& file : manifest.acpi) {
    std::array<uint8_t, 4> name_size;
    std::array<uint8_t, 8> length;
    base::StoreLe(static_cast<uint32_t>(file.name_size), std::span(name_size));
    base::StoreLe(file.length, std::span(length));
    hash.Update(name_size);
    hash.Update(file.name_bytes());
    hash.Update(length);
    hash.Update(file.sha384);
  }
  return hash.Finish();
}

}  // namespace attest
