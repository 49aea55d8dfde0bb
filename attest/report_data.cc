// SPDX-License-Identifier: Apache-2.0
#include "attest/report_data.h"

namespace attest {
namespace {

constexpr char kPrefix[] = "forelock report data v1";  // and its NUL: 24 bytes
static_assert(sizeof(kPrefix) == 24);

void UpdatePrefixed(crypto::Sha384& hash, base::Bytes body) {
  std::array<uint8_t, 4> size;
  base::StoreLe(static_cast<uint32_t>(body.size()), std::span(size));
  hash.Update(size);
  hash.Update(body);
}

}  // namespace

crypto::Sha384Digest TranscriptHash(base::Bytes request,
                                    base::Bytes challenge) {
  crypto::Sha384 hash;
  UpdatePrefixed(hash, request);
  UpdatePrefixed(hash, challenge);
  return hash.Finish();
}

ReportData ComputeReportData(
    std::span<const uint8_t, kSessionBindingSize> session_binding,
    const crypto::Sha384Digest& transcript, base::Bytes boot_manifest) {
  crypto::Sha512 hash;
  // EDGE: char and uint8_t are both bytes.
  hash.Update({reinterpret_cast<const uint8_t*>(kPrefix), sizeof(kPrefix)});
  hash.Update(session_binding);
  hash.Update(transcript);
  hash.Update(crypto::Sha384::Of(boot_manifest));
  return hash.Finish();
}

}  // namespace attest
