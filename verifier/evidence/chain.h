// SPDX-License-Identifier: Apache-2.0
//
// ARK -> ASK -> VCEK. The certificates come from the host and prove themselves;
// only the root's SHA-256 is trusted.
#pragma once

#include <ctime>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "sev/cert_table.h"
#include "verifier/evidence/certificate.h"
#include "verifier/evidence/vcek.h"
#include "verifier/finding.h"
#include "verifier/ossl/ossl.h"
#include "verifier/trust_class.h"

namespace verifier {

// A root that the store's owner accepts.
struct AcceptedRoot {
  ossl::Digest256 sha256{};
  TrustClass trust_class = TrustClass::kHardware;
  std::string name;
  std::vector<uint8_t> der;  // Empty: must come with the evidence.
};

struct Chain {
  Certificate vcek;
  VcekFacts facts;
  // The accepted root above it.
  ossl::Digest256 root{};
  TrustClass trust_class = TrustClass::kHardware;
};

// What of the chain could be read; it verifies only if nothing was appended to
// `findings`.
std::optional<Chain> VerifyChain(const sev::CertTable& table,
                                 std::span<const AcceptedRoot> roots,
                                 time_t now, Findings& findings);

}  // namespace verifier
