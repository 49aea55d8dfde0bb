// SPDX-License-Identifier: Apache-2.0
//
// The boot manifest: name, length and SHA-384 of every byte from the host that
// the kernel will be given. The guest serialises it once; the verifier parses
// exactly the bytes that were hashed into the report.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/fixed_list.h"
#include "base/result.h"
#include "crypto/hash.h"
#include "proto/attest.h"

namespace attest {

struct BootFileDigest {
  // ACPI files: the fw_cfg name, at most kMaxBootFileName bytes. The three
  // others have none.
  char name[proto::kMaxBootFileName] = {};
  size_t name_size = 0;
  uint64_t length = 0;  // bytes
  crypto::Sha384Digest sha384 = {};

  base::Bytes name_bytes() const;
  // kInvalidArgument: longer than kMaxBootFileName, or not printable ASCII.
  base::Status SetName(base::Bytes value);
};

// The digest of `bytes` as they are, under `name`.
base::Result<BootFileDigest> DigestBootFile(base::Bytes name,
                                            base::Bytes bytes);

struct BootManifest {
  BootFileDigest kernel;
  BootFileDigest initrd;
  BootFileDigest command_line;
  // In the order etc/acpi/rsdp, etc/acpi/tables, etc/table-loader; none with
  // `acpi = "none"`.
  base::FixedList<BootFileDigest, proto::kMaxAcpiFiles> acpi;
};

// Returns the bytes written, at most proto::kMaxBootManifest.
//   kResourceExhausted: `out` is too small.
//   kInvalidArgument: an ACPI file without a name, or two with the same.
base::Result<size_t> Serialise(const BootManifest& manifest,
                               base::MutableBytes out);

//   kDataLoss: malformed; see proto::Decode<proto::BootManifest>().
base::Result<BootManifest> ParseBootManifest(base::Bytes bytes);

// One digest for a set of ACPI files, as policies and `expected_boot` name it:
// SHA-384 over le32(|name|) name le64(length) sha384 of each, in order.
crypto::Sha384Digest AcpiDigest(const BootManifest& manifest);

}  // namespace attest
