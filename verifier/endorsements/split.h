// SPDX-License-Identifier: Apache-2.0
//
// Files with certificates as people have them: DER, PEM, or several of either
// one after the other, as AMD's key service sends ASK and ARK.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace verifier {

// DER of each.
struct SplitFile {
  std::vector<std::vector<uint8_t>> certificates;
  std::vector<std::vector<uint8_t>> crls;
};

// InvalidArgument: something that is neither a certificate nor a CRL, nothing
// at all, or more than 64 of them. Text around PEM blocks is passed over.
absl::StatusOr<SplitFile> SplitCertificates(base::Bytes bytes);

}  // namespace verifier
