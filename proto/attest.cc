// SPDX-License-Identifier: Apache-2.0
#include "proto/attest.h"

#include "proto/attest.pb-c.h"
#include "proto/name.h"
#include "proto/pbc.h"
#include "proto/reasons.h"
#include "proto/wire_enum.h"

namespace proto {
namespace {

using base::Bytes;
using base::Code;
using base::MutableBytes;
using base::Result;
using base::Status;
using pbc::Data;
using pbc::Pack;
using pbc::View;

Status Malformed() { return Status(Code::kDataLoss, kAttestMalformed); }
Status Invalid() { return Status(Code::kDataLoss, kAttestFieldInvalid); }
// The same, of a message that is to be sent.
Status MayNotBeSent() {
  return Status(Code::kInvalidArgument, kAttestFieldInvalid);
}

// Refuses fields that are not known: a new field is a new protocol version.
template <typename Message>
Result<const Message*> Unpack(const ProtobufCMessageDescriptor& descriptor,
                              Bytes in, size_t limit, ArenaBase& arena) {
  if (in.size() > limit) {
    return Status(Code::kDataLoss, kAttestMessageTooLong);
  }
  const Message* message = pbc::Unpack<Message>(descriptor, in, arena);
  if (message == nullptr || message->base.n_unknown_fields != 0) {
    return Malformed();
  }
  return message;
}

bool IsKnown(const ProtobufCMessage& message) {
  return message.n_unknown_fields == 0;
}

}  // namespace

const char* NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kGranted:
      return "granted";
    case Outcome::kEvidenceInvalid:
      return "evidence_invalid";
    case Outcome::kNotAuthorised:
      return "not_authorised";
    case Outcome::kTryLater:
      return "try_later";
    case Outcome::kProtocolError:
      return "protocol_error";
  }
  return "?";
}

// --- Request

namespace {
constexpr Tee kTees[] = {Tee::kSevSnp};

bool IsSound(const AttestRequest& request) {
  if (!EnumOf(NumberOf(request.tee), kTees)) return false;
  if (request.protocol_version != kAttestProtocolVersion) return false;
  if (!HasNameForm(request.vm)) return false;
  for (const Bytes& name : request.resources) {
    if (!HasNameForm(name)) return false;
  }
  return true;
}
}  // namespace

Result<size_t> Encode(const AttestRequest& message, MutableBytes out) {
  if (!IsSound(message)) return MayNotBeSent();
  ProtobufCBinaryData resources[kMaxAttestResources];
  for (size_t i = 0; i < message.resources.size(); ++i) {
    resources[i] = Data(message.resources[i]);
  }
  Forelock__Attest__Request wire = FORELOCK__ATTEST__REQUEST__INIT;
  wire.protocol_version = message.protocol_version;
  wire.tee = NumberOf(message.tee);
  wire.vm = Data(message.vm);
  wire.n_resources = message.resources.size();
  wire.resources = resources;
  return Pack(wire.base, kMaxAttestRequest, out);
}

template <>
Result<AttestRequest> Decode(Bytes in, ArenaBase& arena) {
  BASE_TRY_ASSIGN(const auto* wire, Unpack<Forelock__Attest__Request>(
                                        forelock__attest__request__descriptor,
                                        in, kMaxAttestRequest, arena));
  const auto tee = EnumOf(wire->tee, kTees);
  if (!tee) return Invalid();
  if (wire->n_resources > kMaxAttestResources) {
    return Status(Code::kDataLoss, kAttestTooMany);
  }
  AttestRequest request;
  request.tee = *tee;
  request.protocol_version = wire->protocol_version;
  request.vm = View(wire->vm);
  for (size_t i = 0; i < wire->n_resources; ++i) {
    BASE_TRY(request.resources.Add(View(wire->resources[i])));
  }
  if (!IsSound(request)) return Invalid();
  return request;
}

// --- Challenge

Result<size_t> Encode(const AttestChallenge& message, MutableBytes out) {
  if (message.nonce.size() != kAttestNonceSize) return MayNotBeSent();
  Forelock__Attest__Challenge wire = FORELOCK__ATTEST__CHALLENGE__INIT;
  wire.nonce = Data(message.nonce);
  wire.certificates_wanted = message.certificates_wanted;
  return Pack(wire.base, kMaxAttestChallenge, out);
}

template <>
Result<AttestChallenge> Decode(Bytes in, ArenaBase& arena) {
  BASE_TRY_ASSIGN(const auto* wire, Unpack<Forelock__Attest__Challenge>(
                                        forelock__attest__challenge__descriptor,
                                        in, kMaxAttestChallenge, arena));
  if (wire->nonce.len != kAttestNonceSize) return Invalid();
  AttestChallenge challenge;
  challenge.nonce = View(wire->nonce);
  challenge.certificates_wanted = wire->certificates_wanted != 0;
  return challenge;
}

// --- BootManifest

namespace {
bool IsSound(const BootFile& file, bool is_acpi) {
  if (file.sha384.size() != kSha384Size) return false;
  if (!is_acpi) return file.name.empty();
  if (file.name.empty() || file.name.size() > kMaxBootFileName) return false;
  for (const uint8_t c : file.name) {
    if (c < 0x21 || c > 0x7E) return false;  // printable ASCII, no space
  }
  return true;
}

bool IsSound(const BootManifest& manifest) {
  if (!IsSound(manifest.kernel, false) || !IsSound(manifest.initrd, false) ||
      !IsSound(manifest.command_line, false)) {
    return false;
  }
  for (size_t i = 0; i < manifest.acpi.size(); ++i) {
    if (!IsSound(manifest.acpi[i], true)) return false;
    for (size_t k = 0; k < i; ++k) {
      if (base::Equal(manifest.acpi[i].name, manifest.acpi[k].name)) {
        return false;
      }
    }
  }
  return true;
}

Forelock__Attest__BootFile ToWire(const BootFile& file) {
  Forelock__Attest__BootFile wire = FORELOCK__ATTEST__BOOT_FILE__INIT;
  wire.name = Data(file.name);
  wire.length = file.length;
  wire.sha384 = Data(file.sha384);
  return wire;
}

Result<BootFile> FromWire(const Forelock__Attest__BootFile* wire) {
  if (wire == nullptr) return Invalid();
  if (!IsKnown(wire->base)) return Malformed();
  return BootFile{View(wire->name), wire->length, View(wire->sha384)};
}
}  // namespace

Result<size_t> Encode(const BootManifest& message, MutableBytes out) {
  if (!IsSound(message)) return MayNotBeSent();
  Forelock__Attest__BootFile kernel = ToWire(message.kernel);
  Forelock__Attest__BootFile initrd = ToWire(message.initrd);
  Forelock__Attest__BootFile command_line = ToWire(message.command_line);
  Forelock__Attest__BootFile files[kMaxAcpiFiles];
  Forelock__Attest__BootFile* acpi[kMaxAcpiFiles];
  for (size_t i = 0; i < message.acpi.size(); ++i) {
    files[i] = ToWire(message.acpi[i]);
    acpi[i] = &files[i];
  }
  Forelock__Attest__BootManifest wire = FORELOCK__ATTEST__BOOT_MANIFEST__INIT;
  wire.kernel = &kernel;
  wire.initrd = &initrd;
  wire.command_line = &command_line;
  wire.n_acpi = message.acpi.size();
  wire.acpi = acpi;
  return Pack(wire.base, kMaxBootManifest, out);
}

template <>
Result<BootManifest> Decode(Bytes in, ArenaBase& arena) {
  BASE_TRY_ASSIGN(const auto* wire,
                  Unpack<Forelock__Attest__BootManifest>(
                      forelock__attest__boot_manifest__descriptor, in,
                      kMaxBootManifest, arena));
  if (wire->n_acpi > kMaxAcpiFiles) {
    return Status(Code::kDataLoss, kAttestTooMany);
  }
  BootManifest manifest;
  BASE_TRY_ASSIGN(manifest.kernel, FromWire(wire->kernel));
  BASE_TRY_ASSIGN(manifest.initrd, FromWire(wire->initrd));
  BASE_TRY_ASSIGN(manifest.command_line, FromWire(wire->command_line));
  for (size_t i = 0; i < wire->n_acpi; ++i) {
    BASE_TRY_ASSIGN(const BootFile file, FromWire(wire->acpi[i]));
    BASE_TRY(manifest.acpi.Add(file));
  }
  if (!IsSound(manifest)) return Invalid();
  return manifest;
}

// --- Evidence

namespace {
bool IsSound(const AttestEvidence& evidence) {
  return evidence.report.size() == kAttestReportSize &&
         evidence.certificates.size() <= kMaxCertificates &&
         !evidence.boot_manifest.empty() &&
         evidence.boot_manifest.size() <= kMaxBootManifest;
}
}  // namespace

Result<size_t> Encode(const AttestEvidence& message, MutableBytes out) {
  if (!IsSound(message)) return MayNotBeSent();
  Forelock__Attest__Evidence wire = FORELOCK__ATTEST__EVIDENCE__INIT;
  wire.report = Data(message.report);
  wire.certificates = Data(message.certificates);
  wire.boot_manifest = Data(message.boot_manifest);
  return Pack(wire.base, kMaxAttestMessage, out);
}

template <>
Result<AttestEvidence> Decode(Bytes in, ArenaBase& arena) {
  BASE_TRY_ASSIGN(const auto* wire, Unpack<Forelock__Attest__Evidence>(
                                        forelock__attest__evidence__descriptor,
                                        in, kMaxAttestMessage, arena));
  const AttestEvidence evidence{View(wire->report), View(wire->certificates),
                                View(wire->boot_manifest)};
  if (!IsSound(evidence)) return Invalid();
  return evidence;
}

// --- Verdict

namespace {
constexpr Outcome kOutcomes[] = {Outcome::kGranted, Outcome::kEvidenceInvalid,
                                 Outcome::kNotAuthorised, Outcome::kTryLater,
                                 Outcome::kProtocolError};

constexpr uint8_t kPaddingTag = 15 << 3 | 2;  // field 15, length-delimited

bool IsSound(const AttestVerdict& verdict) {
  if (verdict.decision_id.size() != kDecisionIdSize) return false;
  if (verdict.outcome != Outcome::kGranted) {
    return verdict.secrets.empty() && verdict.boot_counter == 0 &&
           verdict.previous_report_id.empty();
  }
  return verdict.previous_report_id.empty() ||
         verdict.previous_report_id.size() == kReportIdSize;
}

constexpr size_t VarintSize(size_t value) {
  size_t size = 1;
  for (; value >= 0x80; value >>= 7) ++size;
  return size;
}

// Fills the message up to a multiple of kVerdictUnit with a field of zeros.
Status Pad(base::ByteWriter& out) {
  const size_t over = out.size() % kVerdictUnit;
  if (over == 0 && out.size() != 0) return {};
  // The field's own length takes 1 to 3 bytes. Some gaps fit none of them (a
  // gap of 1 or of 130): then one unit more does.
  for (size_t gap = kVerdictUnit - over;; gap += kVerdictUnit) {
    for (size_t digits = 1; digits <= 3; ++digits) {
      if (gap < 1 + digits) continue;
      const size_t zeros = gap - 1 - digits;
      if (VarintSize(zeros) != digits) continue;
      BASE_TRY(out.U8(kPaddingTag));
      size_t rest = zeros;
      for (; rest >= 0x80; rest >>= 7) {
        BASE_TRY(out.U8(static_cast<uint8_t>(0x80 | (rest & 0x7F))));
      }
      BASE_TRY(out.U8(static_cast<uint8_t>(rest)));
      BASE_TRY_ASSIGN(const MutableBytes place, out.Reserve(zeros));
      if (!place.empty()) memset(place.data(), 0, place.size());
      return {};
    }
  }
}

Result<VerdictSecret> FromWire(const Forelock__Attest__Secret& wire) {
  if (!IsKnown(wire.base)) return Malformed();
  VerdictSecret secret;
  secret.name = View(wire.name);
  if (wire.luks2 == nullptr) {
    secret.value = View(wire.data);
    return secret;
  }
  if (!IsKnown(wire.luks2->base)) return Malformed();
  if (wire.data.len != 0) return Invalid();  // both kinds at once
  secret.is_luks2 = true;
  secret.value = View(wire.luks2->key);
  secret.header_length = wire.luks2->header_length;
  secret.header_sha256 = View(wire.luks2->header_sha256);
  return secret;
}
}  // namespace

Result<size_t> Encode(const AttestVerdict& message, MutableBytes out) {
  if (!IsSound(message)) return MayNotBeSent();
  constexpr size_t kMax = AttestVerdict::kMaxSecrets;
  Forelock__Attest__Luks2Secret disks[kMax];
  Forelock__Attest__Secret secrets[kMax];
  Forelock__Attest__Secret* pointers[kMax];
  for (size_t i = 0; i < message.secrets.size(); ++i) {
    const VerdictSecret& from = message.secrets[i];
    secrets[i] = FORELOCK__ATTEST__SECRET__INIT;
    secrets[i].name = Data(from.name);
    if (from.is_luks2) {
      disks[i] = FORELOCK__ATTEST__LUKS2_SECRET__INIT;
      disks[i].key = Data(from.value);
      disks[i].header_length = from.header_length;
      disks[i].header_sha256 = Data(from.header_sha256);
      secrets[i].luks2 = &disks[i];
    } else {
      secrets[i].data = Data(from.value);
    }
    pointers[i] = &secrets[i];
  }
  Forelock__Attest__Granted granted = FORELOCK__ATTEST__GRANTED__INIT;
  granted.n_secrets = message.secrets.size();
  granted.secrets = pointers;
  granted.boot_counter = message.boot_counter;
  granted.previous_report_id = Data(message.previous_report_id);
  Forelock__Attest__Verdict wire = FORELOCK__ATTEST__VERDICT__INIT;
  wire.outcome = NumberOf(message.outcome);
  wire.decision_id = Data(message.decision_id);
  if (message.outcome == Outcome::kGranted) wire.granted = &granted;
  BASE_TRY_ASSIGN(const size_t size, Pack(wire.base, kMaxAttestMessage, out));
  base::ByteWriter writer(
      out.size() < kMaxAttestMessage ? out : out.first(kMaxAttestMessage));
  BASE_TRY(writer.Reserve(size));
  BASE_TRY(Pad(writer));
  return writer.size();
}

template <>
Result<AttestVerdict> Decode(Bytes in, ArenaBase& arena) {
  if (in.empty() || in.size() % kVerdictUnit != 0) {
    return Status(Code::kDataLoss, kVerdictNotPadded);
  }
  BASE_TRY_ASSIGN(const auto* wire, Unpack<Forelock__Attest__Verdict>(
                                        forelock__attest__verdict__descriptor,
                                        in, kMaxAttestMessage, arena));
  if (!base::AllZero(View(wire->padding))) {
    return Status(Code::kDataLoss, kVerdictNotPadded);
  }
  AttestVerdict verdict;
  const auto outcome = EnumOf(wire->outcome, kOutcomes);
  if (!outcome) return Invalid();
  verdict.outcome = *outcome;
  verdict.decision_id = View(wire->decision_id);
  const bool is_granted = verdict.outcome == Outcome::kGranted;
  if (is_granted != (wire->granted != nullptr)) return Invalid();
  if (is_granted) {
    const Forelock__Attest__Granted& granted = *wire->granted;
    if (!IsKnown(granted.base)) return Malformed();
    if (granted.n_secrets > AttestVerdict::kMaxSecrets) {
      return Status(Code::kDataLoss, kAttestTooMany);
    }
    for (size_t i = 0; i < granted.n_secrets; ++i) {
      BASE_TRY_ASSIGN(const VerdictSecret secret,
                      FromWire(*granted.secrets[i]));
      BASE_TRY(verdict.secrets.Add(secret));
    }
    verdict.boot_counter = granted.boot_counter;
    verdict.previous_report_id = View(granted.previous_report_id);
  }
  if (!IsSound(verdict)) return Invalid();
  return verdict;
}

// --- Receipt

Result<size_t> Encode(const AttestReceipt& message, MutableBytes out) {
  Forelock__Attest__Receipt wire = FORELOCK__ATTEST__RECEIPT__INIT;
  wire.accepted = message.accepted;
  wire.reason = message.reason;
  return Pack(wire.base, kMaxAttestReceipt, out);
}

template <>
Result<AttestReceipt> Decode(Bytes in, ArenaBase& arena) {
  BASE_TRY_ASSIGN(const auto* wire, Unpack<Forelock__Attest__Receipt>(
                                        forelock__attest__receipt__descriptor,
                                        in, kMaxAttestReceipt, arena));
  return AttestReceipt{wire->accepted != 0, wire->reason};
}

}  // namespace proto
