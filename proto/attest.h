// SPDX-License-Identifier: Apache-2.0
//
// The messages of the native attestation protocol (proto/attest.proto) with
// their limits: the only code that makes or reads them, on both ends.
//
// Decode<T> checks sizes, counts, enumerations and required fields, and
// refuses unknown fields: a new field is a new protocol version. What it
// returns points into the arena and lives as long as it. Encode functions
// refuse what Decode would refuse, and write one message without its length
// prefix.
//
//   kDataLoss: malformed or outside the limits; the reason says which.
//   kResourceExhausted: the arena or the output is too small.
//   kInvalidArgument: (Encode) a value that may not be sent.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/bytes.h"
#include "base/fixed_list.h"
#include "base/result.h"
#include "proto/arena.h"
#include "proto/limits.h"

namespace proto {

inline constexpr uint32_t kAttestProtocolVersion = 1;

// Bytes of one message, without its 32-bit little-endian length.
inline constexpr size_t kMaxAttestMessage = 64 * 1024;
inline constexpr size_t kMaxAttestRequest = 2 * 1024;
inline constexpr size_t kMaxAttestChallenge = 256;
inline constexpr size_t kMaxAttestReceipt = 64;
// A Verdict is a multiple of this, so that its size tells the host little.
inline constexpr size_t kVerdictUnit = 4096;

inline constexpr size_t kMaxAttestResources = 8;
inline constexpr size_t kAttestNonceSize = 32;
inline constexpr size_t kAttestReportSize = 1184;
inline constexpr size_t kMaxCertificates = 12 * 1024;
inline constexpr size_t kMaxBootManifest = 4 * 1024;
inline constexpr size_t kMaxAcpiFiles = 8;
inline constexpr size_t kMaxBootFileName = 56;  // fw_cfg's own limit, with NUL
inline constexpr size_t kSha384Size = 48;
inline constexpr size_t kDecisionIdSize = 16;
inline constexpr size_t kReportIdSize = 32;
inline constexpr size_t kHeaderSha256Size = 32;

// Enough to decode any one message within the limits; protobuf-c needs the
// message again, and its own structures.
inline constexpr size_t kAttestArenaSize = kMaxAttestMessage + 8 * 1024;
using AttestArena = UnpackArena<kAttestArenaSize>;

enum class Tee : uint8_t { kSevSnp = 1 };

enum class Outcome : uint8_t {
  kGranted = 1,
  kEvidenceInvalid = 2,
  kNotAuthorised = 3,
  kTryLater = 4,
  kProtocolError = 5,
};
// "granted", "evidence_invalid", ...: as printed everywhere.
const char* NameOf(Outcome outcome);

struct AttestRequest {
  uint32_t protocol_version = kAttestProtocolVersion;
  Tee tee = Tee::kSevSnp;
  base::Bytes vm;
  base::FixedList<base::Bytes, kMaxAttestResources> resources;
};

struct AttestChallenge {
  base::Bytes nonce;  // kAttestNonceSize bytes
  bool certificates_wanted = false;
};

struct BootFile {
  base::Bytes name;
  uint64_t length = 0;
  base::Bytes sha384;  // kSha384Size bytes
};

struct BootManifest {
  BootFile kernel;
  BootFile initrd;
  BootFile command_line;
  base::FixedList<BootFile, kMaxAcpiFiles> acpi;
};

struct AttestEvidence {
  base::Bytes report;         // kAttestReportSize bytes
  base::Bytes certificates;   // at most kMaxCertificates; may be empty
  base::Bytes boot_manifest;  // 1 to kMaxBootManifest bytes, not yet parsed
};

// Neither Encode nor Decode judges a secret beyond its form: the guest does
// (attest/secret_set.h), with a reason for each thing that can be wrong.
struct VerdictSecret {
  base::Bytes name;
  bool is_luks2 = false;
  base::Bytes value;           // LUKS2: the key; else the data
  uint64_t header_length = 0;  // LUKS2 only
  base::Bytes header_sha256;   // LUKS2 only
};

struct AttestVerdict {
  Outcome outcome = Outcome::kProtocolError;
  base::Bytes decision_id;  // kDecisionIdSize bytes
  // Only with kGranted. More than the guest can have asked for still decodes
  // (up to kMaxSecrets), so that the guest can say what was wrong.
  static constexpr size_t kMaxSecrets = 2 * kMaxAttestResources;
  base::FixedList<VerdictSecret, kMaxSecrets> secrets;
  uint64_t boot_counter = 0;
  base::Bytes previous_report_id;  // kReportIdSize bytes or none
};

struct AttestReceipt {
  bool accepted = false;
  uint32_t reason = 0;  // base::Reason bits; 0 if accepted
};

// Each returns the bytes written to `out`.
base::Result<size_t> Encode(const AttestRequest& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const AttestChallenge& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const BootManifest& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const AttestEvidence& message,
                            base::MutableBytes out);
// Padded to a multiple of kVerdictUnit. `out` then holds secrets.
base::Result<size_t> Encode(const AttestVerdict& message,
                            base::MutableBytes out);
base::Result<size_t> Encode(const AttestReceipt& message,
                            base::MutableBytes out);

// Defined in attest.cc for each struct that has an Encode().
template <typename T>
base::Result<T> Decode(base::Bytes in, ArenaBase& arena);

}  // namespace proto
