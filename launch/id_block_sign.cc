// SPDX-License-Identifier: Apache-2.0
#include "launch/id_block_sign.h"

#include <algorithm>
#include <span>

#include "launch/error.h"
#include "launch/id_block.h"
#include "launch/reasons.h"

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

absl::StatusOr<SignedIdBlock> SignIdBlock(const sev::IdBlock& block,
                                          const SigningKey& id_key,
                                          const SigningKey* author_key) {
  SignedIdBlock out{.id_block = sev::EncodeIdBlock(block), .id_auth = {}};
  const AuthSpan auth(out.id_auth);
  absl::Status status =
      Put<layout::IdKeyAlgorithm, layout::IdKey, layout::IdBlockSignature>(
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
