// SPDX-License-Identifier: Apache-2.0
//
// What is missing among endorsements, from AMD's key service. Anyone can answer
// in its place: what it sends is judged with the rest, and kept only if it
// proves itself.
#pragma once

#include <ctime>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/bytes.h"
#include "sev/product.h"
#include "verifier/endorsements/endorsements.h"
#include "verifier/kds/kds.h"
#include "verifier/ossl/ossl.h"

namespace verifier {

struct FetchOptions {
  // Where the report does not say it (version 2).
  std::optional<sev::Product> product;
  // With a revocation list that is current then, unless one is there.
  std::optional<time_t> list_at;
  // The folder in which to keep what proves itself under `pins`, SHA-256 of
  // roots in DER; empty: nowhere.
  std::string keep_in;
  std::vector<ossl::Digest256> pins;
  // Something that is no reason to stop.
  std::function<void(std::string_view)> note;
};

// Adds to `endorsements` what `query`, of a report, lacks, and what replaces a
// stored VCEK that did not sign it, is out of date or stands under a revoked
// ASK. Unless a good ASK of the product is at hand, the chain is asked for
// before the VCEK, which alone the service limits by chip: so a VCEK that comes
// can be proven and kept, whatever fails later.
//   kKds...; of the folder, the file system's status.
absl::Status FetchMissing(const Kds& kds, const EndorsementQuery& query,
                          const FetchOptions& options,
                          Endorsements& endorsements);

}  // namespace verifier
