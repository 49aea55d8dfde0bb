// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block_sign.h"

#include <algorithm>
#include <span>
#include <string_view>

#include "absl/strings/str_format.h"
#include "launch/error.h"
#include "launch/id_block.h"
#include "launch/reasons.h"
#include "sev/guest_policy.h"

namespace launch {
namespace {

namespace layout = sev::id_auth_layout;
using AuthSpan = std::span<uint8_t, sev::kIdAuthSize>;

template <typename Algorithm, typename Key, typename Signature>
absl::Status Put(const SigningKey& key, base::Bytes signed_bytes,
                 AuthSpan out) {
  const auto signature = key.Sign(signed_bytes);
  if (!signature.ok()) return signature.status();
  sev::PutLe<uint32_t, Algorithm>(sev::kIdKeyEcdsaP384Sha384, out);
  std::ranges::copy(key.public_key(), sev::FieldOf<Key>(out).begin());
  std::ranges::copy(*signature, sev::FieldOf<Signature>(out).begin());
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSignable(uint64_t policy) {
  const auto refused = [policy](std::string_view why) {
    return Error(kPolicyNotSigned,
                 absl::StrFormat("guest policy 0x%x: %s", policy, why));
  };
  if ((policy & sev::kPolicyDebug) != 0) {
    return refused("debug: the host may read and change the guest's memory");
  }
  if ((policy & sev::kPolicyMigrationAgent) != 0) {
    return refused("migration_agent: another guest may move it elsewhere");
  }
  if ((policy & ~sev::kPolicyKnownBits) != 0) {
    return refused(
        absl::StrFormat("unknown bits 0x%x", policy & ~sev::kPolicyKnownBits));
  }
  if ((policy & sev::kPolicyReservedMustBeOne) == 0) {
    return refused("bit 17 must be one");
  }
  return absl::OkStatus();
}

absl::StatusOr<SignedIdBlock> SignIdBlock(const sev::IdBlock& block,
                                          const SigningKey& id_key,
                                          const SigningKey* author_key) {
  absl::Status status = CheckSignable(block.policy);
  if (!status.ok()) return status;
  SignedIdBlock out{.id_block = sev::EncodeIdBlock(block), .id_auth = {}};
  const AuthSpan auth(out.id_auth);
  status = Put<layout::IdKeyAlgorithm, layout::IdKey, layout::IdBlockSignature>(
      id_key, out.id_block, auth);
  if (status.ok() && author_key != nullptr) {
    status =
        Put<layout::AuthorKeyAlgorithm, layout::AuthorKey,
            layout::IdKeySignature>(*author_key, id_key.public_key(), auth);
  }
  if (!status.ok()) return status;
  const auto parsed = sev::ParseIdAuth(out.id_auth);
  if (!parsed.ok() || parsed->has_author_key != (author_key != nullptr) ||
      !VerifyIdAuth(out.id_block, *parsed).ok()) {
    return Error(kIdBlockUnsound, "the ID block just signed does not verify");
  }
  return out;
}

}  // namespace launch
