// SPDX-License-Identifier: Apache-2.0
//
// Signs ID blocks: what the host gives to SNP_LAUNCH_FINISH, so that only the
// image that the block names starts, and its reports name the key.
//
// Spec: sev/id_block.h.
#pragma once

#include <stdint.h>

#include <array>

#include "absl/status/statusor.h"
#include "launch/signing_key.h"
#include "sev/id_block.h"

namespace launch {

struct SignedIdBlock {
  std::array<uint8_t, sev::kIdBlockSize> id_block;
  std::array<uint8_t, sev::kIdAuthSize> id_auth;
};

// `author_key` signs the ID key; null: AUTHOR_KEY_EN is 0. What comes back
// verifies (launch/id_block.h).
//   LA30: a key does not sign. LA33: what was signed does not verify: the
//   public half of a token's key is of another.
absl::StatusOr<SignedIdBlock> SignIdBlock(const sev::IdBlock& block,
                                          const SigningKey& id_key,
                                          const SigningKey* author_key);

}  // namespace launch
