// SPDX-License-Identifier: Apache-2.0
#include "attest/secret_set.h"

#include <string.h>

#include "attest/reasons.h"

namespace attest {
namespace {

using base::Code;
using base::Reason;
using base::Status;

Status Refuse(Reason reason) { return Status(Code::kDataLoss, reason); }

// Is `from` what `wanted` asks for, apart from its name?
Status Check(const WantedSecret& wanted, const proto::VerdictSecret& from) {
  if (from.is_luks2 != (wanted.kind == SecretKind::kLuks2)) {
    return Refuse(kSecretWrongKind);
  }
  if (from.value.empty()) return Refuse(kSecretEmpty);
  if (from.value.size() > wanted.max_size) return Refuse(kSecretOverLimit);
  if (!from.is_luks2) return {};
  if (from.header_sha256.size() != proto::kHeaderSha256Size) {
    return Refuse(kSecretHeaderDigest);
  }
  if (from.header_length == 0 || from.header_length > kMaxLuks2Header ||
      from.header_length % kLuks2HeaderUnit != 0) {
    return Refuse(kSecretHeaderLength);
  }
  return {};
}

Status Take(const WantedSecret& wanted, const proto::VerdictSecret& from,
            ReceivedSecret& to) {
  BASE_TRY_ASSIGN(to.value, base::SecretBuffer<proto::kMaxSecretSize>::CopyFrom(
                                from.value));
  to.kind = wanted.kind;
  if (wanted.kind == SecretKind::kLuks2) {
    to.header_length = from.header_length;
    memcpy(to.header_sha256.data(), from.header_sha256.data(),
           to.header_sha256.size());
  }
  return {};
}

}  // namespace

Status SecretSet::Accept(std::span<const WantedSecret> wanted,
                         const proto::AttestVerdict& verdict) {
  Wipe();
  const Status status = AcceptAll(wanted, verdict);
  if (!status.ok()) Wipe();
  return status;
}

Status SecretSet::AcceptAll(std::span<const WantedSecret> wanted,
                            const proto::AttestVerdict& verdict) {
  if (wanted.size() > kMaxSecrets) {
    return Status(Code::kInvalidArgument, kSessionRequestInvalid);
  }
  bool have[kMaxSecrets] = {};
  for (const proto::VerdictSecret& from : verdict.secrets) {
    size_t i = 0;
    while (i < wanted.size() && !base::Equal(wanted[i].name, from.name)) ++i;
    if (i == wanted.size()) return Refuse(kSecretNotAskedFor);
    if (have[i]) return Refuse(kSecretTwice);
    have[i] = true;
    BASE_TRY(Check(wanted[i], from));
    BASE_TRY(Take(wanted[i], from, secrets_[i]));
  }
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!have[i]) return Refuse(kSecretMissing);
  }
  size_ = wanted.size();
  return {};
}

const ReceivedSecret& SecretSet::at(size_t index) const {
  if (index >= size_) __builtin_trap();  // a bug of the caller
  return secrets_[index];
}

void SecretSet::Wipe() {
  for (ReceivedSecret& secret : secrets_) {
    secret.value.Wipe();
    secret.header_length = 0;
    secret.header_sha256 = {};
  }
  size_ = 0;
}

}  // namespace attest
