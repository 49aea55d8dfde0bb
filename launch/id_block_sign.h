// SPDX-License-Identifier: Apache-2.0
//
// Signs ID blocks: what the host gives to SNP_LAUNCH_FINISH, so that only the
// image that the block names starts, and its reports name the key.
//
// Spec: sev/id_block.h.
#pragma once

#include <stdint.h>

#include <array>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "launch/signing_key.h"
#include "sev/id_block.h"

namespace launch {

struct SignedIdBlock {
  std::array<uint8_t, sev::kIdBlockSize> id_block;
  std::array<uint8_t, sev::kIdAuthSize> id_auth;
};

// Whether a guest with this policy can keep a secret from its host, as far as
// is known here: the policy is not in the launch digest, so an image with the
// expected digest may ask for any. The verifier refuses the same bits.
//   LA35: the debug or migration-agent bit, an unknown one, or not the one that
//   must be one.
absl::Status CheckSignable(uint64_t policy);

// `author_key` signs the ID key; null: AUTHOR_KEY_EN is 0. What comes back
// verifies (launch/id_block.h).
//   LA30: a key does not sign. LA33: what was signed does not verify: the
//   public half of a token's key is of another. LA35: CheckSignable().
absl::StatusOr<SignedIdBlock> SignIdBlock(const sev::IdBlock& block,
                                          const SigningKey& id_key,
                                          const SigningKey* author_key);

}  // namespace launch
