// SPDX-License-Identifier: Apache-2.0
//
// The guest's messages, as a test wants them.
#pragma once

#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "proto/attest.h"
#include "verifier/ossl/ossl.h"
#include "verifier/session/report_data.h"
#include "verifier/testing/evidence_maker.h"

namespace verifier::testing {

template <typename Message>
std::vector<uint8_t> EncodeMessage(const Message& message) {
  std::vector<uint8_t> bytes(proto::kMaxAttestMessage);
  const auto size = proto::Encode(message, bytes);
  if (!size.ok()) abort();
  bytes.resize(*size);
  return bytes;
}

inline std::vector<uint8_t> RequestFor(
    std::string_view vm, const std::vector<std::string>& resources) {
  proto::AttestRequest request;
  request.vm = ossl::AsBytes(vm);
  for (const std::string& resource : resources) {
    if (!request.resources.Add(ossl::AsBytes(resource)).ok()) abort();
  }
  return EncodeMessage(request);
}

inline std::vector<uint8_t> EvidenceFor(base::Bytes report,
                                        base::Bytes certificates,
                                        base::Bytes manifest) {
  return EncodeMessage(proto::AttestEvidence{report, certificates, manifest});
}

inline std::vector<uint8_t> NonceOf(base::Bytes challenge) {
  proto::UnpackArena<1024> arena;
  const auto decoded = proto::Decode<proto::AttestChallenge>(challenge, arena);
  if (!decoded.ok()) return {};
  return {decoded->nonce.begin(), decoded->nonce.end()};
}

// Good evidence for one session.
inline std::vector<uint8_t> GoodEvidence(
    std::span<const uint8_t, kSessionBindingSize> binding, base::Bytes request,
    base::Bytes challenge) {
  const auto manifest = GoodManifest();
  const auto report =
      MakeReport(ReportData(binding, request, challenge, manifest));
  return EvidenceFor(report, PackTable(GoodCertificates()), manifest);
}

}  // namespace verifier::testing
