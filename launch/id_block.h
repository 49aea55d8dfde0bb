// SPDX-License-Identifier: Apache-2.0
//
// Verifies ID blocks as the secure processor does at SNP_LAUNCH_FINISH: the ID
// key signed the block, and the author key, if there is one, the ID key. Whose
// keys they are is for a policy to say, by their digests.
//
// Spec: sev/id_block.h.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "sev/id_block.h"
#include "sev/page_info.h"

namespace launch {

// ID_KEY_DIGEST or AUTHOR_KEY_DIGEST of a report: SHA-384 over the whole key
// structure, not only its coordinates.
sev::LaunchDigest IdKeyDigest(sev::EcdsaKeyView key);

// ECDSA P-384 with SHA-384. false also for a key or signature structure that is
// malformed, a point off the curve, and R or S out of range. High-S is good.
bool IdSignatureVerifies(sev::EcdsaKeyView key,
                         sev::EcdsaSignatureView signature,
                         base::Bytes message);

struct IdAuthVerdict {
  bool algorithms = false;  // ECDSA P-384 with SHA-384, for each key there is.
  bool id_block_signature = false;
  std::optional<bool> id_key_signature;  // Empty: there is no author key.

  bool ok() const {
    return algorithms && id_block_signature && id_key_signature.value_or(true);
  }
};

// `id_block` is the block's bytes as they were signed.
IdAuthVerdict VerifyIdAuth(base::Bytes id_block, const sev::IdAuth& auth);

}  // namespace launch
